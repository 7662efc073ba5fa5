import io
import json

import numpy as np
import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite


@pytest.fixture(scope="module")
def table():
    """Patients who count and weigh differently."""
    frame = pd.read_csv(DATASETS / "diabetes.csv")
    random = np.random.default_rng(0)
    return frame.assign(offset=random.normal(scale=50, size=len(frame)), times=random.integers(0, 3, len(frame)))


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    """A model with weights and offsets."""
    folder = tmp_path_factory.mktemp("models")
    table.to_csv(folder / "t.csv", index=False)
    options = ["-y", "progression", "--weights-column", "times", "--offset-column", "offset"]
    result = run("train", folder / "t.csv", *options, "-o", folder / "m.h2olite", *SMALL)
    assert result.exit_code == 0, result.stderr
    return folder / "m.h2olite"


def test_predict_adds_offsets_while_streaming(model, table):
    result = run("predict", model, "-", stdin=table.drop(columns=["progression", "times"]).to_csv(index=False))
    assert (result.exit_code, result.stderr) == (0, "")
    predicted = pd.read_csv(io.StringIO(result.stdout))["predict"]
    expected = h2olite.load_model(model).predict(table.assign(offset=0.0))["predict"] + table["offset"]
    np.testing.assert_allclose(predicted, expected)


def test_predict_without_the_offsets_is_one_line(model, table):
    result = run("predict", model, "-", stdin=table.drop(columns="offset").to_csv(index=False))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: standard input has no offset_column 'offset', which the model adds; give a table with it.\n"
    )


def test_evaluate_weighs_rows(model, table, tmp_path):
    table.to_csv(tmp_path / "t.csv", index=False)
    metrics = json.loads(run("evaluate", model, tmp_path / "t.csv", "--json").stdout)["metrics"]
    squares = (h2olite.load_model(model).predict(table)["predict"] - table["progression"]) ** 2
    assert metrics["mse"] == pytest.approx(np.average(squares, weights=table["times"]))
    assert metrics["nobs"] == (table["times"] > 0).sum()


def test_evaluate_without_the_weights_says_so(model, table, tmp_path):
    table.drop(columns="times").to_csv(tmp_path / "t.csv", index=False)
    result = run("evaluate", model, tmp_path / "t.csv")
    assert result.exit_code == 0
    assert result.stderr == "Warning: t.csv has no weights_column 'times'; all its rows are given weight 1.\n"


def test_a_negative_weight_is_told_with_its_line(table, tmp_path):
    table.assign(times=table["times"].where(table.index != 5, -1)).to_csv(tmp_path / "t.csv", index=False)
    result = run("train", tmp_path / "t.csv", "--weights-column", "times", "-y", "progression", "-o", tmp_path / "m")
    assert (result.exit_code, (tmp_path / "m").exists()) == (1, False)
    assert result.stderr == (
        "Error: weights_column 'times' of t.csv must hold finite numbers >= 0; got -1 in line 7; give rows to leave "
        "out weight 0.\n"
    )
