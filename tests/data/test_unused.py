import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import h2olite

QUICK = {"hidden": [3], "epochs": 1, "seed": 1}
N = 60
DECLARED = ["never", "no", "yes", "seldom"]
CITIES = [f"city {i}" for i in range(5000)]


def every_door(folder):
    """A table that declares more levels than it has, by every way into the package."""
    answer, city = np.resize([1, 2], N), np.resize([7, 3, 4999], N)
    table = pa.table(
        {
            "x": np.arange(float(N)) % 11,
            "city": pa.DictionaryArray.from_arrays(city, CITIES),
            "y": pa.DictionaryArray.from_arrays(answer, DECLARED),
        }
    )
    pq.write_table(table, folder / "t.parquet")
    feather.write_feather(table, folder / "t.feather")
    frame = pd.DataFrame(
        {
            "x": table["x"].to_numpy(),
            "city": pd.Categorical.from_codes(city, CITIES),
            "y": pd.Categorical.from_codes(answer, DECLARED, ordered=True),
        }
    )
    polars = pl.DataFrame(
        {
            "x": table["x"].to_numpy(),
            "city": pl.Series([CITIES[i] for i in city], dtype=pl.Enum(CITIES)),
            "y": pl.Series([DECLARED[i] for i in answer], dtype=pl.Enum(DECLARED)),
        }
    )
    return [table, folder / "t.parquet", folder / "t.feather", frame, polars, {name: frame[name] for name in frame}]


@pytest.mark.parametrize("door", range(6), ids=["arrow", "parquet", "feather", "pandas", "polars", "dict"])
def test_levels_that_no_row_has_are_left_out_with_a_warning(tmp_path, door):
    frame = every_door(tmp_path)[door]
    with pytest.warns(UserWarning, match="declares") as told:
        model = h2olite.deeplearning(y="y", training_frame=frame, **QUICK)
    assert [str(warning.message).partition(" of ")[2].split(" ", 1)[1] for warning in told] == [
        "declares 4,997 levels that no row has, left out of the model (such as 'city 0'); a row that has one later "
        "counts as missing.",
        "declares 2 levels that no row has, left out of the model (such as 'never'); a row that has one later "
        "counts as missing.",
    ]
    assert (model.category, model.classes, model.encoder.n_inputs) == ("Binomial", ("no", "yes"), 5)
    assert model.encoder.levels == (("city 3", "city 7", "city 4999"),)
    assert model.auc() >= 0
    assert list(model.predict(frame).columns) == ["predict", "no", "yes"]


def test_levels_stay_in_the_order_of_their_dictionary_and_are_those_of_all_folds(tmp_path):
    frame = every_door(tmp_path)[3]
    frame["size"] = pd.Categorical(["l", "s"] * (N // 2 - 1) + ["m", "s"], ["s", "m", "l", "xl"])
    with pytest.warns(UserWarning, match="declares") as told:
        model = h2olite.deeplearning(y="size", training_frame=frame, nfolds=3, ignored_columns=["city"], **QUICK)
    assert model.classes == ("s", "m", "l")
    assert len(told) == 2  # nothing of the column that is ignored


def test_a_level_that_only_validation_has_is_told_as_unseen():
    levels = ["a", "b", "c"]
    training = {"x": np.arange(20.0), "y": pd.Categorical(["a", "b"] * 10, levels)}
    validation = {"x": np.arange(20.0), "y": pd.Categorical(["a", "c"] * 10, levels)}
    with (
        pytest.warns(UserWarning, match="levels that training did not have, treated as missing: 'c'"),
        pytest.warns(UserWarning, match="declares a level that no row has"),
    ):
        model = h2olite.deeplearning(y="y", training_frame=training, validation_frame=validation, **QUICK)
    assert model.category == "Binomial"


def test_a_response_with_one_class_left_is_refused():
    table = {"x": np.arange(20.0), "y": pd.Categorical(["a"] * 20, ["a", "b"])}
    with pytest.raises(h2olite.DataError, match="must have at least two values to learn from; it is 'a' in all rows"):
        h2olite.deeplearning(y="y", training_frame=table, **QUICK)


def test_truth_values_and_levels_of_rows_without_weight_stay():
    table = {
        "flag": [True] * 20,
        "level": ["a"] * 10 + ["b"] * 9 + ["c"],
        "w": [1.0] * 19 + [0.0],
        "y": np.arange(20.0),
    }
    model = h2olite.deeplearning(y="y", training_frame=table, weights_column="w", ignore_const_cols=False, **QUICK)
    assert model.encoder.levels == (("a", "b", "c"), ("False", "True"))
