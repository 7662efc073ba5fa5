import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from zoo import KINDS, model_of, odd_rows, table_of

import h2olite
from h2olite.errors import DataError

CLOSE = {"rel": 1e-6, "abs": 1e-6}


def as_predicted(model, row):
    """What the model predicts of a table with this row alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = {name: [value] for name, value in row.items() if name in model.schema}
        return model.predict(known).astype({"predict": object} if model.classes else {}).iloc[0].to_dict()


def assert_same(prediction, expected):
    assert list(prediction) == list(expected)
    for name, value in prediction.items():
        assert type(value) in (str, float)
        assert value == (pytest.approx(expected[name], **CLOSE) if type(value) is float else expected[name])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_the_table_get_the_models_predictions(kind):
    model, table = model_of(kind), table_of(kind).head(60)
    scorer = h2olite.Scorer(model)
    expected = model.predict(table).to_dict("records")
    for row, prediction in zip(table.to_dict("records"), expected, strict=True):
        assert_same(scorer.predict(row), prediction)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "table" not in KINDS[kind]])
def test_odd_rows_get_the_models_predictions_without_a_warning(kind):
    model = model_of(kind)
    scorer = h2olite.Scorer(model)
    for row in odd_rows():
        assert_same(scorer.predict(row), as_predicted(model, row))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, r"the row has none of the model's predictors \('many', 'colour', 'flag'"),
        ({"nothing": "known"}, "the row has none of the model's predictors"),
        ({"a": "much"}, r"column 'a' of the row: 1 value is not a number \(first: 'much', row 0\); correct it"),
        ({"a": True}, "column 'a' of the row: 1 value is not a number"),
        ({"a": float("inf")}, "column 'a' of the row must hold finite numbers of moderate size; got inf"),
        ({"a": 1e300}, "column 'a' of the row must hold finite numbers of moderate size; got 1e\\+300"),
        ({"a": 10**400}, "column 'a' of the row must hold values of one type"),
        ({"colour": 3}, "column 'colour' of the row holds numbers but held text in training"),
        ({"colour": "3"}, "column 'colour' of the row holds numbers but held text in training"),
        ({"colour": ["red"]}, "column 'colour' of the row must hold numbers, text, booleans or times"),
    ],
)
def test_what_predict_refuses_is_refused(row, message):
    with pytest.raises(DataError, match=message):
        h2olite.Scorer(model_of("Rectifier")).predict(row)


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        ({}, "the row has no offset_column 'offset'"),
        ({"offset": None}, "must hold finite numbers; got a missing value"),
    ],
)
def test_an_offset_is_needed(offset, message):
    with pytest.raises(DataError, match=message):
        h2olite.Scorer(model_of("offset")).predict({"a": 1.0} | offset)


def test_a_scorer_can_be_pickled():
    scorer = h2olite.Scorer(model_of("iris"))
    row = table_of("iris").iloc[0].to_dict()
    assert pickle.loads(pickle.dumps(scorer)).predict(row) == scorer.predict(row)


@pytest.mark.parametrize("kind", ["penguins", "offset", "autoencoder"])
def test_threads_get_their_own_rows_predictions(kind):
    model, table = model_of(kind), table_of(kind).head(60)
    scorer = h2olite.Scorer(model)
    rows = table.to_dict("records")
    expected = [scorer.predict(row) for row in rows]
    frame = model.predict(table)
    with ThreadPoolExecutor(8) as pool:
        by_row = [pool.submit(scorer.predict, row) for row in rows * 20]
        by_table = [pool.submit(model.predict, table) for _ in range(16)]
        assert [future.result() for future in by_row] == expected * 20
        for future in by_table:
            pd.testing.assert_frame_equal(future.result(), frame)
