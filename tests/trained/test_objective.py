"""What the reports tell of the objective is what training minimises."""

import numpy as np
import pytest

import h2olite
from h2olite.trained.objective import penalties

PENALTIES = {"l1": 1e-3, "l2": 1e-2, "input_group_l1": 1e-3}
SETTINGS = {"y": "y", "hidden": [8], "epochs": 5, "nthreads": 1, "seed": 1}


@pytest.fixture(scope="module")
def table():
    """Numbers and levels, of which a score is made."""
    random = np.random.default_rng(0)
    x = random.standard_normal((300, 4))
    colour = random.integers(3, size=300)
    score = 50 + 30 * x[:, 0] + 20 * (colour == 1)
    return {f"x{i}": column for i, column in enumerate(x.T)} | {
        "colour": np.array(["red", "green", "blue"])[colour],
        "y": score,
    }


@pytest.fixture(scope="module")
def classes(table):
    return table | {"y": np.where(table["y"] > 50, "high", "low")}


@pytest.mark.parametrize(("activation", "n_channels"), [("Rectifier", 1), ("Maxout", 2)])
def test_penalties_are_those_that_the_parameters_name(classes, activation, n_channels):
    model = h2olite.deeplearning(training_frame=classes, activation=activation, **PENALTIES, **SETTINGS)
    first, second = (model.network.weights(layer).reshape(-1, size) for layer, size in ((0, 8 * n_channels), (1, 2)))
    names = model.encoder.input_names
    groups = [
        [i for i, name in enumerate(names) if name.split(".")[0] == column] for column in model.encoder.predictors
    ]
    assert len(groups) == 5
    expected = [1e-3 * abs(weights).sum() + 5e-3 * (weights**2).sum() for weights in (first, second)]
    expected[0] += 1e-3 * sum(np.sqrt(first[group].size) * np.linalg.norm(first[group]) for group in groups)
    assert penalties(model, model.parameters) == pytest.approx(expected, rel=1e-5)
    layers = model.report()["layers"]
    assert [layer["penalty"] for layer in layers[1:]] == pytest.approx(expected, rel=1e-5)
    assert [layer["l1_norm"] for layer in layers[1:]] == pytest.approx([abs(first).sum(), abs(second).sum()], rel=1e-5)
    assert [layer["l2_norm"] for layer in layers[1:]] == pytest.approx(
        [np.linalg.norm(first), np.linalg.norm(second)], rel=1e-5
    )


def test_shares_of_the_objective_add_up(classes):
    report = h2olite.deeplearning(training_frame=classes, **PENALTIES, **SETTINGS).report()
    objective = report["objective"]
    assert objective["loss"] == report["training_metrics"]["logloss"]
    assert objective["penalty"] == pytest.approx(sum(layer["penalty"] for layer in report["layers"][1:]))
    assert objective["penalty_share"] == pytest.approx(
        objective["penalty"] / (objective["loss"] + objective["penalty"])
    )
    assert objective["penalty_share"] == pytest.approx(sum(layer["penalty_share"] for layer in report["layers"][1:]))


@pytest.mark.parametrize(("distribution", "power"), [("gaussian", 2), ("huber", 2), ("laplace", 1), ("quantile", 1)])
def test_the_loss_of_numbers_does_not_depend_on_their_unit(table, distribution, power):
    settings = SETTINGS | {"distribution": distribution, "l1": 1e-3}
    model = h2olite.deeplearning(training_frame=table, **settings)
    other = h2olite.deeplearning(training_frame=table | {"y": 1024 * table["y"]}, **settings)
    ours, theirs = (of.report()["objective"] for of in (model, other))
    assert ours == pytest.approx(theirs, rel=1e-3)
    deviance = model.training_metrics["mean_residual_deviance"]
    assert ours["loss"] == pytest.approx(deviance / np.std(table["y"], ddof=1) ** power, rel=1e-3)


@pytest.mark.parametrize("settings", [{"loss": "Quadratic"}, {"autoencoder": True, "y": None}], ids=str)
def test_where_the_metrics_do_not_tell_the_loss_its_share_is_not_known(classes, settings):
    report = h2olite.deeplearning(training_frame=classes, **SETTINGS | {"l1": 1e-3} | settings).report()
    assert report["objective"]["loss"] is report["objective"]["penalty_share"] is None
    assert report["objective"]["penalty"] > 0
    assert report["layers"][1]["penalty_share"] is None


def test_without_penalties_their_share_is_0(classes):
    report = h2olite.deeplearning(training_frame=classes, **SETTINGS).report()
    assert report["objective"] == {"loss": report["training_metrics"]["logloss"], "penalty": 0, "penalty_share": 0}


def separable(n_rows):
    """One column that tells the class, and one that does not."""
    random = np.random.default_rng(1)
    level = random.choice(["a", "b"], n_rows)
    return {"noise": random.random(n_rows), "level": level, "y": level}


def test_penalties_that_good_predictions_left_no_time_are_told():
    table = separable(50)
    with pytest.warns(
        UserWarning, match=r"^classification_stop ended training .* pass classification_stop=-1 to train on"
    ):
        stopped = h2olite.deeplearning(training_frame=table, input_group_l1=1e-3, **SETTINGS | {"epochs": 30})
    assert stopped.report()["features"]["unused"] == []
    settings = SETTINGS | {"epochs": 300, "classification_stop": -1, "stopping_rounds": 0}
    longer = h2olite.deeplearning(training_frame=table, input_group_l1=1e-3, **settings)
    assert longer.report()["features"]["unused"] == ["noise"]
    assert h2olite.deeplearning(training_frame=separable(500), l1=1e-6, **SETTINGS).stopped_by == "classification_stop"
