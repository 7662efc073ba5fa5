import io
import json

import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite

TABLE = DATASETS / "penguins.csv"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An autoencoder, and what training it printed."""
    path = tmp_path_factory.mktemp("models") / "a.h2olite"
    return path, run("train", TABLE, "--autoencoder", "-o", path, "--json", *SMALL)


def test_train_needs_no_response(trained):
    path, result = trained
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["category"], report["response"], report["predictors"]) == ("AutoEncoder", None, 7)
    assert "Response:" not in result.stderr
    assert "autoencoder\n" in run("show", path).stdout


def test_anomaly_equals_pythons(trained):
    path, _ = trained
    model = h2olite.load_model(path)
    for arguments, per_feature in (([], False), (["--per-feature"], True)):
        result = run("anomaly", path, TABLE, *arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(result.stdout)), model.anomaly(TABLE, per_feature))


def test_layers_of_features_count_from_1(trained, tmp_path):
    path, _ = trained
    target = tmp_path / "f.parquet"
    result = run("features", path, TABLE, "--layer", 1, "-o", target, "--keep", "species")
    assert (result.exit_code, result.stdout) == (0, "")
    features = pd.read_parquet(target)
    assert features.columns.tolist() == ["species", *(f"DF.L1.C{unit}" for unit in range(1, 9))]
    pd.testing.assert_frame_equal(features.iloc[:, 1:], h2olite.load_model(path).deepfeatures(TABLE, 0))


def test_wide_results_are_computed_by_fewer_rows(trained, monkeypatch):
    path, _ = trained
    whole = run("predict", path, TABLE).stdout
    monkeypatch.setattr("h2olite_cli.predict.MOST_CELLS", 100)
    assert run("predict", path, TABLE).stdout == whole


@pytest.mark.parametrize("layer", [0, 2])
def test_layers_that_are_not_hidden_are_refused(trained, layer):
    path, _ = trained
    result = run("features", path, TABLE, "--layer", layer)
    assert result.exit_code == 1
    expected = f"Error: --layer must be that of a hidden layer, of which {path} has 1; got {layer}.\n"
    assert (result.stdout, result.stderr) == ("", expected)


def test_anomaly_of_another_model_is_an_error(penguins):
    result = run("anomaly", penguins.path, TABLE)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: anomaly needs an autoencoder; ")


def test_evaluate_measures_the_reconstruction(trained):
    path, _ = trained
    metrics = json.loads(run("evaluate", path, TABLE, "--json").stdout)["metrics"]
    assert metrics["mse"] == pytest.approx(h2olite.load_model(path).mse())
