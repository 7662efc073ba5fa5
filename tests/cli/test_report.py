import re

import numpy as np
import pytest

import h2olite
from h2olite_cli.report import describe, describe_training, text_table


@pytest.fixture(scope="module")
def model():
    """A small classifier of three classes."""
    rng = np.random.default_rng(0)
    level = np.repeat(["high", "low", "middle"], 20)
    frame = {"signal": (level == "high") * 2.0 - (level == "low") * 2.0 + rng.normal(0, 0.1, 60), "level": level}
    frame = {f"noise_{i}": rng.normal(size=60) for i in range(11)} | frame
    return h2olite.deeplearning(
        y="level",
        training_frame=frame,
        validation_frame=frame,
        model_id="levels",
        activation="TanhWithDropout",
        hidden=[5],
        l1=1e-3,
        reproducible=True,
        stopping_rounds=0,
        seed=1,
    )


def test_report_reads_like_this(model):
    number = r" +-?[\d.e-]+"
    expected = [
        r"levels: classification of level",
        r"  60 rows, 12 predictors, 12 inputs, 75 weights( \([\d.]+% zero\))?",
        r"  10 epochs in [\d.]+ s \([\d,]+ rows/s\), [\d.]+ s in all",
        rf"  penalties add{number} to a training loss of{number},{number}% of what was minimised",
        rf"  at most{number} from the conditions of an optimum",
        r"",
        r"  layer  units  type         dropout %  .*",
        r"      1     12  Input                0",
        rf"      2      5  TanhDropout         50{number * 3}",
        rf"      3      3  Softmax               {number * 3}",
        r"",
        r"  metric +training +validation",
        *[rf"  {name}{number * 2}" for name in ("logloss", "mean_per_class_error", "error", "mse", "rmse", "r2")],
        r"",
        "On the validation rows",
        r"Confusion Matrix \(Act/Pred\)",
        *[r".*"] * 5,
        r"",
        r"Variable importances, the first 10 of 12",
        r"  variable  scaled importance  percentage",
        *[rf"  (signal|noise_\d+) {number * 2}"] * 10,
    ]
    lines = describe(model).splitlines()
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line)
        assert len(line) <= 80


def test_training_is_told_by_changed_parameters_and_last_measurements(model):
    text = describe_training(model)
    assert re.search(r"^  hidden +5$", text, re.MULTILINE)
    assert re.search(r"^  l1 +0.001$", text, re.MULTILINE)
    assert "  epochs  " not in text.partition("Scoring history")[0]
    assert "Scoring history, the last 10 of 11\n  seconds  epochs  train logloss  train error  valid logloss" in text


def test_an_earlier_model_missing_responses_and_sampled_metrics_are_told():
    x = np.arange(400.0)
    y = np.where(x < 3, np.nan, x)
    frame = {"x": x, "y": y}
    with pytest.warns(UserWarning, match=r"rows of training_frame that lack the response 'y' are left out: 3 of 400\."):
        model = h2olite.deeplearning(
            training_frame=frame,
            hidden=[1],
            epochs=1,
            train_samples_per_iteration=100,
            score_each_iteration=True,
            score_training_samples=50,
            stopping_metric="custom",
            custom_metric_func=iter_metric(3, 1, 2, 4, 4, 1),
            seed=1,
        )
    text = describe(model)
    assert "  397 of 400 rows, 1 predictor, 1 input, 2 weights\n  1 epoch in " in text
    assert re.search(r"s in all\n  kept is the model after 0.5038 epochs, the best measured\n\n", text)
    assert "\n  training: of 50 rows drawn at random\n" in text + "\n"
    assert (model.report()["usable_rows"], model.report()["best_epochs"]) == (397, 200 / 397)


def iter_metric(*values):
    """A metric that takes one value after the other, whatever the predictions."""
    left = iter(values)
    return lambda actual, predicted, weights: next(left)


def test_text_goes_left_numbers_right_and_empty_columns_away():
    rows = [{"a": 1, "b": None, "c": "x"}, {"a": 22.123456, "c": "long"}]
    assert text_table(rows, {"a": "A", "b": "B", "c": "C"}) == "      A  C\n      1  x\n  22.12  long"
