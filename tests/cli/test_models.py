import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from program import DATASETS, SMALL, run
from sklearn.metrics import precision_recall_curve, roc_curve

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


@pytest.fixture(scope="module")
def tumours(tmp_path_factory):
    """Two models of tumours, the second one of which has learnt less."""
    folder = tmp_path_factory.mktemp("models")
    for name, epochs in (("long", 3), ("short", 0.2)):
        run("train", DATASETS / "breast_cancer.csv", "-o", folder / f"{name}.h2olite", *SMALL, "--epochs", epochs)
    return folder


def test_evaluation_at_a_threshold_counts_what_is_above_it(tumours):
    table = DATASETS / "breast_cancer.csv"
    text = run("evaluate", tumours / "long.h2olite", table, "--threshold", "0.9").stdout
    predicted = h2olite.load_model(tumours / "long.h2olite").predict(table)["malignant"] >= 0.9
    assert "Confusion Matrix (Act/Pred) @ threshold = 0.9" in text
    *_, totals, _, own = text.splitlines()
    assert totals.split()[1:3] == [str((~predicted).sum()), str(predicted.sum())]
    assert re.fullmatch(r"predict takes the model's own threshold, 0\.\d+\.", own)


def test_a_threshold_that_is_the_models_own_is_not_told_twice(tumours):
    assert "predict takes" not in run("evaluate", tumours / "long.h2olite", DATASETS / "breast_cancer.csv").stdout


def test_evaluation_with_costs_takes_the_cheapest_threshold(tumours):
    arguments = ("evaluate", tumours / "long.h2olite", DATASETS / "breast_cancer.csv", "--json", "--cost", "1:5")
    cheapest = json.loads(run(*arguments).stdout)["metrics"]
    (_, fp), (fn, _) = cheapest["confusion_matrix"]["matrix"]
    assert cheapest["expected_cost"] == pytest.approx((fp + 5 * fn) / 569)
    for threshold in ("0.2", "0.5", "0.8"):
        metrics = json.loads(run(*arguments, "--threshold", threshold).stdout)["metrics"]
        assert metrics["expected_cost"] >= cheapest["expected_cost"]


@pytest.mark.parametrize("cost", ["1", "1:x", "1:2:3"])
def test_costs_are_two_numbers_with_a_colon(tumours, cost):
    result = run("evaluate", tumours / "long.h2olite", DATASETS / "breast_cancer.csv", "--cost", cost)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"'{cost}' is not FP:FN, two numbers such as 1:5." in result.stderr


def test_curves_agree_with_scikit_learn(tumours, tmp_path):
    table = DATASETS / "breast_cancer.csv"
    run("evaluate", tumours / "long.h2olite", table, "--curves", tmp_path / "curves.csv")
    curves = pd.read_csv(tmp_path / "curves.csv")
    malignant = (pd.read_csv(table)["diagnosis"] == "malignant").to_numpy()
    p1 = h2olite.load_model(tumours / "long.h2olite").predict(table)["malignant"]
    fpr, tpr, thresholds = roc_curve(malignant, p1, drop_intermediate=False)
    np.testing.assert_allclose(curves[["fpr", "tpr", "threshold"]], np.column_stack((fpr, tpr, thresholds))[1:])
    precision, recall, _ = precision_recall_curve(malignant, p1)
    reached = np.searchsorted(-recall, -curves["recall"], side="right") - 1
    assert set(curves["class"]) == {"malignant"}
    np.testing.assert_allclose(curves["precision"].iloc[-1], precision[0])
    np.testing.assert_allclose(curves["recall"], recall[reached])


def test_curves_hold_each_of_several_classes_against_the_rest(penguins, tmp_path):
    run("evaluate", penguins.path, DATASETS / "penguins.csv", "--curves", tmp_path / "curves.parquet")
    curves = pd.read_parquet(tmp_path / "curves.parquet")
    ends = curves.groupby("class").last()
    assert ends.index.tolist() == ["Adelie", "Chinstrap", "Gentoo"]
    assert ends["tps"].tolist() == [152, 68, 124]


def test_what_a_table_lacks_is_told_once(penguins, tmp_path):
    pd.read_csv(DATASETS / "penguins.csv").drop(columns="island").to_csv(tmp_path / "t.csv", index=False)
    result = run("evaluate", penguins.path, tmp_path / "t.csv", "--curves", tmp_path / "curves.csv")
    assert result.stderr == "Warning: t.csv lacks a predictor, treated as missing: 'island'.\n"


def test_comparison_lists_every_metric_of_every_model(tumours):
    paths = [str(tumours / f"{name}.h2olite") for name in ("short", "long")]
    result = run("compare", *paths, DATASETS / "breast_cancer.csv", "--resamples", "200")
    lines = result.stdout.splitlines()
    assert lines[0] == "Binomial models of diagnosis on 569 rows, with 95 % intervals of 200 resamples"
    metrics = ["logloss", "auc", "pr_auc", "mean_per_class_error", "error"]
    assert [line for line in lines[3:] if line and not line.startswith(" ")] == metrics
    of_long = [line.split() for line in lines if line.startswith(f"  {paths[1]}")]
    assert [words[-1] for words in of_long] == ["better"] * 5

    report = json.loads(run("compare", *paths, DATASETS / "breast_cancer.csv", "--json").stdout)
    assert report["models"] == paths
    assert [row["metric"] for row in report["metrics"]] == [name for name in metrics for _ in paths]
    assert report["metrics"][0]["verdict"] is None


def test_comparing_needs_two_models(tumours):
    for models in (["long"], ["long", "long"]):
        paths = [tumours / f"{name}.h2olite" for name in models]
        result = run("compare", *paths, DATASETS / "breast_cancer.csv")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "name two different models or more, and the table last" in result.stderr


def test_show_as_json_is_the_report_of_training(penguins):
    assert json.loads(run("show", penguins.path, "--json").stdout) == json.loads(penguins.result.stdout)


def test_show_prints_a_command_or_json_but_not_both(penguins):
    result = run("show", penguins.path, "--command", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        2,
        {"error": "--command is a line for a shell; leave out --json."},
    )


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


def test_show_fits_eighty_columns(penguins):
    text = run("show", penguins.path).stdout
    for folder in (penguins.path.parent, DATASETS):
        text = text.replace(str(folder), "")
    assert max(map(len, text.splitlines())) <= 80


def test_varimp_is_csv_of_the_models_importances(penguins):
    table = pd.read_csv(io.StringIO(run("varimp", penguins.path).stdout))
    pd.testing.assert_frame_equal(table, h2olite.load_model(penguins.path).varimp(use_pandas=True))


def test_varimp_by_column_is_csv_with_a_row_for_every_column(penguins):
    model = h2olite.load_model(penguins.path)
    table = pd.read_csv(io.StringIO(run("varimp", penguins.path, "--by-column").stdout))
    assert sorted(table["variable"]) == sorted(model.schema)
    pd.testing.assert_frame_equal(table, model.varimp(use_pandas=True, by_column=True))


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


def test_curves_of_a_regression_are_refused_before_the_table_is_read(tmp_path):
    path = tmp_path / "m.h2olite"
    assert run("train", DATASETS / "diabetes.csv", "-o", path, *SMALL).exit_code == 0
    result = run("evaluate", path, "missing.csv", "--curves", tmp_path / "curves.csv")
    assert result.exit_code == 1
    assert re.fullmatch("Error: curves need classes; .* is a Regression model\\.\n", result.stderr)
