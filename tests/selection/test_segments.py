"""A model for every segment of a table."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import DataError, ParameterError

PENGUINS = pd.read_csv("datasets/penguins.csv").dropna(subset=["body_mass_g"]).reset_index(drop=True)
pytestmark = pytest.mark.filterwarnings("ignore:columns of training_frame left out")  # as in some segments

SMALL = {"hidden": [5], "epochs": 2, "seed": 1, "reproducible": True}


def test_every_segment_has_the_model_of_its_rows():
    models = h2olite.train_segments(["island"], y="body_mass_g", training_frame=PENGUINS, **SMALL)
    assert [segment.values for segment in models] == [("Biscoe",), ("Dream",), ("Torgersen",)]
    for island in ("Biscoe", "Dream"):
        rows = PENGUINS[PENGUINS["island"] == island].drop(columns="island")
        alone = h2olite.deeplearning(y="body_mass_g", training_frame=rows, **SMALL)
        assert "island" not in models[island].schema
        np.testing.assert_array_equal(models[island].predict(rows)["predict"], alone.predict(rows)["predict"])


def test_segments_may_be_by_several_columns_and_numbers_with_missing_values():
    table = PENGUINS.assign(year=np.where(PENGUINS.index % 3 > 0, 2007 + PENGUINS.index % 2, np.nan))
    models = h2olite.train_segments(["year", "sex"], y="body_mass_g", training_frame=table, **SMALL)
    known = {(segment.values, segment.n_rows) for segment in models}
    counts = table.groupby(["year", "sex"], dropna=False).size()
    assert len(models) == len(counts)
    assert models[2007, "MALE"] is models["2007", "MALE"]
    assert (("2008", "FEMALE"), int(counts[2008, "FEMALE"])) in known
    unknown = table["year"].isna() & (table["sex"] == "FEMALE")
    assert models[None, "FEMALE"].record.rows == unknown.sum()
    frame = models.as_frame()
    assert frame["rows"].sum() == len(table)
    assert list(frame) == ["year", "sex", "rows", "model_id", "status", "errors"]


def test_validation_rows_are_those_of_the_segment():
    valid = PENGUINS[PENGUINS["island"] != "Dream"]
    models = h2olite.train_segments(
        ["island"], y="body_mass_g", training_frame=PENGUINS, validation_frame=valid, **SMALL
    )
    assert models["Biscoe"].validation_metrics.nobs() == valid[valid["island"] == "Biscoe"]["body_mass_g"].count()
    assert models.as_frame()["status"].tolist() == ["succeeded", "failed", "succeeded"]
    with pytest.raises(KeyError, match="validation_frame has no rows of this segment"):
        models["Dream"]


def test_a_segment_has_the_classes_of_its_rows():
    models = h2olite.train_segments(["island"], y="species", training_frame=PENGUINS, **SMALL)
    assert models["Dream"].category == "Binomial"
    assert models["Dream"].classes == ("Adelie", "Chinstrap")


def test_segments_that_cannot_be_learnt_from_are_told():
    models = h2olite.train_segments(["island"], y="species", training_frame=PENGUINS, **SMALL)
    assert models.as_frame()["status"].tolist() == ["succeeded", "succeeded", "failed"]  # one species only
    with pytest.raises(KeyError, match="has no model: response 'species'"):
        models["Torgersen"]
    with pytest.raises(KeyError, match="there are no such rows"):
        models["Elsewhere"]
    one = PENGUINS[PENGUINS["island"] == "Torgersen"]
    with pytest.raises(DataError, match=r"^no segment's model could be trained; the first error: response 'species'"):
        h2olite.train_segments(["sex"], y="species", training_frame=one, **SMALL)


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        (["species"], "segments must be columns other than the response"),
        ([], "segments must be columns other than the response"),
        (["iland"], "'iland'"),
    ],
)
def test_columns_that_make_no_segments_are_refused(segments, message):
    with pytest.raises((ParameterError, DataError), match=message):
        h2olite.train_segments(segments, y="species", training_frame=PENGUINS, **SMALL)
