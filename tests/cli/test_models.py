import io
import json

import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite


def test_evaluating_the_training_table_gives_the_training_metrics(penguins):
    report = json.loads(penguins.result.stdout)
    result = json.loads(run("evaluate", penguins.path, DATASETS / "penguins.csv", "--json").stdout)
    assert result == {
        "model_id": report["model_id"],
        "category": "Multinomial",
        "rows": 344,
        "metrics": report["training_metrics"],
    }


def test_evaluation_for_people_shows_metrics_and_confusion_matrix(penguins):
    lines = run("evaluate", penguins.path, DATASETS / "penguins.csv").stdout.splitlines()
    assert lines[0] == "Multinomial metrics on 344 rows"
    assert lines[1].startswith("logloss ")
    assert "Confusion Matrix (Act/Pred)" in lines


def test_evaluating_without_response_is_an_error(penguins, tmp_path):
    pd.read_csv(DATASETS / "penguins.csv").drop(columns="species").to_csv(tmp_path / "t.csv", index=False)
    result = run("evaluate", penguins.path, tmp_path / "t.csv", "--json")
    assert result.exit_code == 1
    assert "has no response 'species'" in json.loads(result.stdout)["error"]


def test_show_as_json_is_the_report_of_training(penguins):
    assert json.loads(run("show", penguins.path, "--json").stdout) == json.loads(penguins.result.stdout)


def test_show_has_layers_metrics_importances_parameters_and_history(penguins):
    text = run("show", penguins.path).stdout
    titles = [
        "layer  units  type",
        "metric ",
        "Confusion Matrix",
        "Variable importances",
        "Parameters other",
        "Scoring history",
    ]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


def test_varimp_is_csv_of_the_models_importances(penguins):
    table = pd.read_csv(io.StringIO(run("varimp", penguins.path).stdout))
    pd.testing.assert_frame_equal(table, h2olite.load_model(penguins.path).varimp(use_pandas=True))


def test_varimp_of_a_model_without_inputs_is_a_header(tmp_path):
    path = tmp_path / "m.h2olite"
    run("train", DATASETS / "iris.csv", "--l1", "1000", "-o", path, *SMALL)
    assert run("varimp", path).stdout == "variable,relative_importance,scaled_importance,percentage\n"


def test_varimp_of_a_model_without_importances_is_an_error(tmp_path):
    path = tmp_path / "m.h2olite"
    run("train", DATASETS / "iris.csv", "--no-variable-importances", "-o", path, *SMALL)
    result = run("varimp", path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {path} has no variable importances; train it without --no-variable-importances.\n"
    )


def test_varimp_of_hashed_levels_is_an_error(tmp_path):
    path = tmp_path / "m.h2olite"
    run("train", DATASETS / "penguins.csv", "--max-categorical-features", "3", "-o", path, *SMALL)
    result = run("varimp", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(
        "3 inputs for levels are shared by hashing; train without max_categorical_features.\n"
    )


def test_history_is_csv_with_a_row_per_measurement(penguins):
    table = pd.read_csv(io.StringIO(run("history", penguins.path).stdout))
    assert table["epochs"].tolist() == [0, 1, 2, 3]
    assert table["training_logloss"].notna().tolist() == [False, True, True, True]


@pytest.mark.parametrize("command", ["show", "varimp", "history"])
def test_missing_model_is_one_line(command):
    result = run(command, "missing.h2olite")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: model file missing.h2olite cannot be read: No such file or directory.\n"


def test_weights_are_csv_with_a_row_per_unit_and_layers_count_from_one(penguins):
    model = h2olite.load_model(penguins.path)
    table = pd.read_csv(io.StringIO(run("weights", penguins.path, "--layer", "1").stdout), dtype="float32")
    pd.testing.assert_frame_equal(table, model.weights(0))
    table = pd.read_csv(io.StringIO(run("weights", penguins.path, "--layer", "2", "--bias").stdout), dtype="float32")
    pd.testing.assert_frame_equal(table, model.biases(1))


def test_weights_are_written_as_the_extension_says(penguins, tmp_path):
    assert run("weights", penguins.path, "--layer", "2", "-o", tmp_path / "w.parquet").stdout == ""
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "w.parquet"), h2olite.load_model(penguins.path).weights(1))


@pytest.mark.parametrize("layer", ["0", "3"])
def test_layers_that_there_are_not_are_refused(penguins, layer):
    result = run("weights", penguins.path, "--layer", layer)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: --layer must be from 1 to 2; got {layer}.\n"
