import time
from pathlib import Path

import numba
import pandas as pd
import pytest

import h2olite

IRIS = Path(__file__).parent.parent.parent / "datasets" / "iris.csv"
SMALL = {"y": "species", "hidden": [4], "epochs": 2, "seed": 1}


def origin(**given):
    return h2olite.deeplearning(**SMALL | given).record.origin


def test_a_model_file_tells_what_the_model_was_made_of(tmp_path):
    model = h2olite.deeplearning(**SMALL, training_frame=IRIS, validation_frame=pd.read_csv(IRIS), l1=0.0)
    found = h2olite.load_model(model.save(tmp_path / "m.h2olite")).record.origin
    assert found == model.record.origin
    assert found["given"] == {"y": "species", "hidden": [4], "epochs": 2, "seed": 1}
    assert found["packages"]["numba"] == numba.__version__
    assert found["training_frame"]["source"] == {"path": str(IRIS), "csv": {}}
    assert found["training_frame"]["rows"] == 150
    assert found["training_frame"]["columns"]["species"] == "categorical"
    assert found["validation_frame"]["source"] is None
    assert found["validation_frame"]["digest"] == found["training_frame"]["digest"]


def test_a_drawn_seed_is_recorded_and_gives_the_same_model_again():
    given = {"y": "species", "training_frame": IRIS, "hidden": [4], "epochs": 1, "reproducible": True}
    model = h2olite.deeplearning(**given)
    seed = model.record.origin["given"]["seed"]
    assert seed == model.parameters.seed >= 0
    pd.testing.assert_frame_equal(h2olite.deeplearning(**given, seed=seed).predict(IRIS), model.predict(IRIS))


def test_the_digest_differs_for_other_values_names_and_types():
    frame = pd.read_csv(IRIS)
    others = [
        frame,
        frame.iloc[::-1],
        frame.rename(columns={"petal_width": "width"}),
        frame.astype({"petal_width": "category"}),
        frame.replace({"species": {"setosa": "iris setosa"}}),
    ]
    assert len({origin(training_frame=other)["training_frame"]["digest"] for other in others}) == len(others)


@pytest.mark.proves("reproducible")
@pytest.mark.parametrize("given", [{}, {"nfolds": 3}, {"validation_frame": IRIS}], ids=["plain", "folds", "validation"])
def test_reproducible_files_are_the_same_but_for_times(tmp_path, monkeypatch, given):
    def bytes_of(name):
        model = h2olite.deeplearning(**SMALL, training_frame=IRIS, reproducible=True, **given)
        return Path(model.save(tmp_path / name)).read_bytes()

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert bytes_of("a") == bytes_of("b")
    assert h2olite.load_model(tmp_path / "a").scoring_history()["timestamp"].unique() == ["2023-11-14 22:13:20"]

    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    bytes_of("c")
    assert h2olite.load_model(tmp_path / "c").scoring_history()["timestamp"][0].startswith(time.strftime("%Y-"))
    reports = []
    for name in ("a", "c"):
        model = h2olite.load_model(tmp_path / name)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
        document, _ = model.contents()
        reports.append(document)
    assert reports[0] == reports[1]


def test_versions_are_looked_up_once_a_process(monkeypatch):
    first = origin(training_frame=IRIS)["packages"]

    def look_up(name):
        raise AssertionError(f"{name} is looked up again")

    monkeypatch.setattr("h2olite.model.origin.version", look_up)
    assert origin(training_frame=IRIS)["packages"] == first
    assert first["numba"] == numba.__version__
