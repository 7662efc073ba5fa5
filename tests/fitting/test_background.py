"""The training rows that a model keeps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.splits import random_stream, sample_rows

DATASETS = Path(__file__).parents[2] / "datasets"
PENGUINS = pd.read_csv(DATASETS / "penguins.csv")


def train(frame=PENGUINS, y="species", **settings):
    given = {"hidden": [6], "epochs": 3, "seed": 1, "reproducible": True}
    return h2olite.deeplearning(y=y, training_frame=frame, **given | settings)


@pytest.mark.proves("background_rows")
def test_contributions_compare_with_training_rows_that_the_model_keeps(tmp_path):
    model = train(background_rows=20)
    usable = np.flatnonzero(PENGUINS["species"].notna())
    rows = usable[sample_rows(usable.size, 20, random_stream(1, "background"))]
    expected = model.predict_contributions(PENGUINS.head(5), PENGUINS.iloc[rows])
    pd.testing.assert_frame_equal(model.predict_contributions(PENGUINS.head(5)), expected)
    read = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    pd.testing.assert_frame_equal(read.predict_contributions(PENGUINS.head(5)), expected)
    none = train(background_rows=0)
    assert none.background is None
    pd.testing.assert_frame_equal(none.predict(PENGUINS), model.predict(PENGUINS))
    with pytest.raises(h2olite.DataError, match=r"keeps no training rows to compare with; pass a background_frame"):
        none.predict_contributions(PENGUINS)


def dates():
    return PENGUINS.assign(day=pd.date_range("2020-01-01", periods=len(PENGUINS), freq="D"))


def sparse():
    return pytest.importorskip("scipy.sparse").csr_array(np.eye(30)[:, :12] * 2.5)


@pytest.mark.parametrize(
    ("frame", "settings"),
    [
        (PENGUINS, {"categorical_encoding": "Eigen"}),
        (PENGUINS, {"max_categorical_features": 3}),
        (PENGUINS, {"numeric_encoding": "PiecewiseLinear"}),
        (PENGUINS, {"ensemble": 2}),
        (PENGUINS, {"nfolds": 2}),
        (PENGUINS, {"y": "body_mass_g", "offset_column": "flipper_length_mm", "distribution": "gaussian"}),
        (PENGUINS, {"l1": 0.02, "epochs": 20}),
        (dates(), {}),
        (PENGUINS.rename(columns={"island": "<b>\\x1b[31m"}), {}),
    ],
    ids=str,
)
def test_a_model_file_keeps_the_rows_of_every_kind_of_model(tmp_path, frame, settings):
    settings = {"y": "species"} | settings
    frame = frame.dropna(subset=[settings["y"], settings.get("offset_column", settings["y"])])
    model = train(frame, **settings)
    path = model.save(tmp_path / "m.h2olite")
    read = h2olite.load_model(path)
    assert list(read.background.columns) == list(model.schema)
    head = frame.head(4)
    pd.testing.assert_frame_equal(read.predict_contributions(head), model.predict_contributions(head))
    assert Path(h2olite.load_model(path).save(tmp_path / "again.h2olite")).read_bytes() == Path(path).read_bytes()


def test_sparse_tables_are_kept_too(tmp_path):
    matrix = sparse()
    model = train(matrix, 0, epochs=1)
    read = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    assert read.background.n_rows == 30
    pd.testing.assert_frame_equal(read.predict_contributions(matrix), model.predict_contributions(matrix))


def test_a_wide_table_is_kept_in_part_and_one_of_a_hundred_thousand_columns_not_at_all():
    scipy = pytest.importorskip("scipy.sparse")
    wide = train(np.random.default_rng(0).random((120, 2001)), 2000, epochs=0.1)
    assert wide.background.n_rows == 50  # of 2,000 columns, 100,000 cells
    n = 100_020
    everywhere = scipy.csr_array((np.full(n, 2.5), (np.arange(n) % 20, np.arange(n))), shape=(20, n))
    very_wide = train(everywhere, n - 1, epochs=0.1)
    assert very_wide.background is None


def test_rows_that_a_model_went_on_with_stand_for_all_of_its_columns():
    model = train(epochs=1, keep_state=True)
    other = PENGUINS.drop(columns="island").assign(code=7)
    with pytest.warns(UserWarning, match="'island'"):
        longer = train(other, epochs=2, checkpoint=model)
    assert list(longer.background.columns) == list(longer.schema)
    assert longer.background["island"].n_missing == 100


def test_models_that_are_not_asked_why_keep_no_rows(tmp_path):
    folded = train(nfolds=2)
    assert [fold.background for fold in folded.cross_validation_models()] == [None, None]
    assert h2olite.deeplearning(training_frame=PENGUINS, autoencoder=True, hidden=[3], epochs=1).background is None
    train().download_mojo(tmp_path / "m.zip")
    imported = h2olite.import_mojo(tmp_path / "m.zip")
    with pytest.raises(h2olite.DataError, match="keeps no training rows"):
        imported.predict_contributions(PENGUINS)


def stored(model):
    from h2olite.formats.background import background_contents

    document, arrays = background_contents(model.background, model.schema)
    return document, {name.removeprefix("background."): array for name, array in arrays.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document, arrays: arrays.update(codes=arrays["codes"] + 9), "a level that does not exist"),
        (lambda document, arrays: arrays.update(codes=arrays["codes"].astype(np.int64)), "of other types"),
        (lambda document, arrays: arrays.update(codes=arrays["codes"][:, 1:]), "not as many in each column"),
        (lambda document, arrays: arrays.update(codes=arrays["codes"][1:]), "other categorical columns"),
        (lambda document, arrays: arrays.update(numbers=arrays["numbers"][1:]), "other numeric columns"),
        (lambda document, arrays: arrays.update(numbers=arrays["numbers"][0]), "no table"),
        (lambda document, arrays: arrays.update(numbers=arrays["numbers"] / 0.0), "infinite"),
        (lambda document, arrays: document["levels"].pop(), "other categorical columns"),
        (lambda document, arrays: document["levels"][0].append(document["levels"][0][0]), "are the same"),
        (lambda document, arrays: arrays.pop("numbers"), "numbers"),
    ],
)
def test_rows_that_do_not_fit_the_model_are_refused(change, message):
    from h2olite.formats.background import restore_background

    model = train()
    document, arrays = stored(model)
    assert restore_background(document, arrays, model.schema).n_rows == 100
    with np.errstate(all="ignore"):
        change(document, arrays)
    with pytest.raises((ValueError, KeyError), match=message):
        restore_background(document, arrays, model.schema)
