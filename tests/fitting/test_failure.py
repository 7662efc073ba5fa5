"""Models far worse than a constant, and trainings that are unstable, say so and name a cause that fits."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import TrainingError

QUICK = {"hidden": [20], "epochs": 5, "seed": 1, "reproducible": True}


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 3))
    y = x[:, 0] + 0.3 * random.normal(size=500)
    amount = np.exp(y)
    kind, group = np.where(y > 0, "plus", "minus"), np.select([y < -0.5, y < 0.5], ["low", "mid"], "high")
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "huge": x[:, 2] * 1e12}
    return pd.DataFrame(columns | {"y": y, "amount": amount, "kind": kind, "group": group})


def said(frame, **given):
    """What training warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        h2olite.deeplearning(training_frame=frame, **QUICK | given)
    return [str(warning.message) for warning in caught if "far worse" in str(warning.message)]


@pytest.mark.parametrize(
    ("y", "given", "loss"),
    [
        ("y", {}, "mean_residual_deviance"),
        ("y", {"hidden": []}, "mean_residual_deviance"),
        ("y", {"distribution": "laplace"}, "mean_residual_deviance"),
        ("y", {"activation": "Maxout"}, "mean_residual_deviance"),
        ("kind", {}, "logloss"),
        ("group", {}, "logloss"),
    ],
)
def test_a_column_that_was_not_standardised_is_named(frame, y, given, loss):
    (message,) = said(frame, x=["a", "b", "huge"], y=y, standardize=False, **given)
    assert re.match(
        rf"the model is far worse than predicting .*: {loss} on the training rows is .*, where that has .*\. "
        r"Column 'huge' has numbers up to \S+e\+12 and is not standardised; pass standardize\.$",
        message,
    )
    assert said(frame, x=["a", "b", "huge"], y=y, **given) == []


@pytest.mark.parametrize("y", ["y", "kind", "group"])
def test_a_column_of_the_validation_rows_in_another_unit_is_named(frame, y):
    metres = frame.assign(b=frame["b"] * 1e6)
    (message,) = said(frame, x=["a", "b"], y=y, validation_frame=metres)
    assert re.search(
        r"on the validation rows .* Column 'b' has numbers [\d,]+ standard deviations off the mean", message
    )


@pytest.mark.parametrize("y", ["y", "kind", "group"])
def test_training_rows_learnt_by_heart_are_told(frame, y):
    patient = {
        "epochs": 3000,
        "hidden": [60, 60],
        "stopping_rounds": 0,
        "classification_stop": -1,
        "regression_stop": -1,
    }
    given = {"x": ["b", "c"], "y": y, "validation_frame": frame[30:], "overwrite_with_best_model": False}
    (message,) = said(frame[:30], **given | patient)
    assert "The training rows are predicted far better, as if learnt by heart; use fewer epochs" in message


@pytest.mark.parametrize(
    "given",
    [
        {"y": "y"},
        {"y": "amount", "distribution": "gamma"},
        {"y": "amount", "distribution": "quantile", "quantile_alpha": 0.9},
        {"y": "kind", "balance_classes": True, "class_sampling_factors": [1.0, 3.0]},
        {"y": "group", "weights_column": "amount"},
        {"x": ["a", "b", "c"], "autoencoder": True, "hidden": [2], "activation": "Tanh"},
        {"y": "y", "epochs": 0},
    ],
    ids=["plain", "gamma", "quantile", "balanced", "weighted", "autoencoder", "no epochs"],
)
def test_ordinary_models_are_not_far_worse_than_a_constant(frame, given):
    assert said(frame, **{"x": ["a", "b"]} | given) == []


SGD = {"adaptive_rate": False, "rate": 50.0}
ADAM = {"update_rule": "Adam", "adam_rate": 1e10}


@pytest.mark.parametrize(
    ("given", "named", "unnamed"),
    [
        (SGD | {"hidden": []}, ["a smaller rate (it is 50)", "adaptive_rate"], ["Tanh", "standardize", "momentum"]),
        (SGD | {"hidden": [], "momentum_stable": 0.5, "momentum_start": 0.5}, ["less momentum"], ["Tanh"]),
        (SGD | {"standardize": False}, [" use standardize, ", "a bounded activation (Tanh)"], ["momentum"]),
        (SGD | {"l2": 0.5}, ["a larger l2 (it is 0.5)", "max_w2 (such as 10)"], ["standardize"]),
        (SGD | {"hidden": [], "mini_batch_size": 8}, ["adaptive_rate"], ["mini_batch_size"]),
        (ADAM, ["a smaller adam_rate (it is 1e+10)"], ["adaptive_rate", "a smaller rate"]),
    ],
)
def test_the_advice_of_an_unstable_training_fits_the_network(frame, given, named, unnamed):
    with pytest.raises(TrainingError, match=r"training is unstable: .* have grown beyond all bounds") as error:
        h2olite.deeplearning(training_frame=frame, x=["a", "b"], y="y", **QUICK | given)
    advice = str(error.value).partition(";")[2]
    assert all(way in advice for way in named)
    assert not any(way in advice for way in unnamed)


@pytest.mark.parametrize("scale", [1e7, 1e12])
def test_a_response_of_large_numbers_that_is_not_standardised_is_no_instability(frame, scale):
    large = frame.assign(y=(frame["y"] + 20) * scale)
    model = h2olite.deeplearning(training_frame=large, x=["a"], y="y", standardize=False, **QUICK)
    assert model.rmse() < 1.5 * large["y"].std()
