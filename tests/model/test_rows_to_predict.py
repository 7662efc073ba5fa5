"""What may be predicted besides tables of many rows: one row, rows one by one, and tables without rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import h2olite
from h2olite.errors import DataError

SMALL = {"hidden": [5], "epochs": 2, "seed": 1, "reproducible": True}
PENGUINS = "datasets/penguins.csv"


@pytest.fixture(scope="module")
def penguins():
    return pd.read_csv(PENGUINS)


@pytest.fixture(scope="module")
def model(penguins):
    return h2olite.deeplearning(y="species", training_frame=penguins, **SMALL)


@pytest.mark.parametrize(
    "row_of",
    [
        lambda table, i: table.iloc[i],
        lambda table, i: table.iloc[i].to_dict(),
        lambda table, i: {name: np.array(value) for name, value in table.iloc[i].items()},
        lambda table, i: [table.iloc[i].to_dict()],
        lambda table, i: {name: pl.Series([value]) for name, value in table.iloc[i].items()},
    ],
    ids=["series", "dict", "arrays without dimensions", "list", "columns of one row"],
)
def test_one_row_predicts_what_it_does_in_its_table(model, penguins, row_of):
    expected = model.predict(penguins)
    for i in (0, 200, 342):
        predicted = model.predict(row_of(penguins, i))
        pd.testing.assert_frame_equal(predicted, expected.iloc[[i]].reset_index(drop=True))


def test_rows_one_by_one_are_a_table(model, penguins):
    rows = penguins.iloc[::50].drop(columns="species").to_dict("records")
    del rows[0]["island"]  # so that it is missing there
    expected = model.predict(penguins.iloc[::50].reset_index(drop=True))
    pd.testing.assert_frame_equal(model.predict(rows).iloc[1:], expected.iloc[1:])
    assert not model.predict(rows).iloc[0].equals(expected.iloc[0])


def test_one_row_may_lack_columns_and_have_new_levels(model, penguins):
    row = penguins.iloc[0].drop("sex")
    with pytest.warns(UserWarning, match="sex"):
        assert len(model.predict(row)) == 1
    with pytest.warns(UserWarning, match="Elsewhere"):
        assert len(model.predict(penguins.iloc[0].to_dict() | {"island": "Elsewhere"})) == 1
    with pytest.raises(DataError, match="none of the model's predictors"):
        model.predict(penguins["culmen_length_mm"])  # a column is no row


def test_deep_features_and_errors_of_one_row(model, penguins):
    assert model.deepfeatures(penguins.iloc[0], 0).shape == (1, 5)
    autoencoder = h2olite.deeplearning(training_frame=penguins, autoencoder=True, **SMALL)
    expected = autoencoder.anomaly(penguins).iloc[[7]].reset_index(drop=True)
    pd.testing.assert_frame_equal(autoencoder.anomaly(penguins.iloc[7]), expected)


@pytest.mark.parametrize(
    "empty_of",
    [
        lambda table: table.iloc[:0],
        lambda table: pl.from_pandas(table).head(0),
        lambda table: {name: [] for name in table},
        lambda table: pl.from_pandas(table).head(0).to_arrow(),
    ],
    ids=["pandas", "polars", "dict", "arrow"],
)
def test_of_no_rows_there_are_no_predictions_under_the_usual_names(model, penguins, empty_of):
    predicted = model.predict(empty_of(penguins))
    assert predicted.shape == (0, 4)
    pd.testing.assert_series_equal(predicted.dtypes, model.predict(penguins).dtypes)
    assert model.deepfeatures(empty_of(penguins), 0).shape == (0, 5)


def test_tables_without_rows_and_without_predictors_are_refused(model):
    with pytest.raises(DataError, match="none of the model's predictors"):
        model.predict(pd.DataFrame({"other": []}))
    with pytest.raises(DataError, match="has no rows; a table needs at least one"):
        model.model_performance(pd.DataFrame({"species": []}))
    with pytest.raises(DataError, match="has no rows; a table needs at least one"):
        h2olite.deeplearning(training_frame=pd.DataFrame({"species": [], "island": []}))
