"""How far a trained network is from an optimum under its penalties."""

import numpy as np
import pytest

import h2olite
from h2olite.fitting import learning
from h2olite.training.optimality import mean_gradients

SETTINGS = {"y": "y", "seed": 1, "nthreads": 1, "stopping_rounds": 0}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    x = random.standard_normal((400, 8))
    y = x @ np.array([3.0, -2, 1, 0.3, 0, 0, 0, 0]) + random.standard_normal(400)
    return {f"x{i}": column for i, column in enumerate(x.T)} | {"y": y}


@pytest.fixture
def gradients(monkeypatch):
    """The network whose gradients were taken, and the gradients."""
    noted = []

    def note(network, *rest):
        noted.append((network, mean_gradients(network, *rest)))
        return noted[-1][1]

    monkeypatch.setattr(learning, "mean_gradients", note)
    return noted


@pytest.mark.parametrize("given", [{}, {"weights_column": "w"}, {"mini_batch_size": 7}], ids=str)
def test_mean_gradients_are_those_of_the_mean_loss(table, gradients, given):
    weights = np.where(np.arange(400) < 50, 9.0, 1.0) if given.get("weights_column") else np.ones(400)
    given = given | {"training_frame": table | {"w": weights}, "x": [f"x{i}" for i in range(8)], "standardize": False}
    h2olite.deeplearning(hidden=[4], epochs=3, l1=1e-4, **SETTINGS, **given)
    [(network, found)] = gradients
    x = np.column_stack([table[f"x{i}"] for i in range(8)])
    (w, b), (v, c) = ((network.weights(layer)[:, 0], network.biases(layer)[0]) for layer in range(2))
    units = np.maximum(x @ w + b, 0)
    slopes = 2 * weights * ((units @ v + c)[:, 0] - table["y"]) / weights.sum()
    np.testing.assert_allclose(found[1][:, 0, 0], slopes @ units, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found[0][:, 0], x.T @ (slopes[:, None] * v.T * (units > 0)), rtol=1e-3, atol=1e-4)


def test_at_the_lasso_nothing_is_violated(table):
    settings = {"hidden": [], "adaptive_rate": False, "rate": 0.05, "rate_annealing": 1e-3, "epochs": 300}
    near = h2olite.deeplearning(training_frame=table, l1=0.2, **SETTINGS, **settings)
    far = h2olite.deeplearning(training_frame=table, l1=0.2, **SETTINGS, **settings | {"epochs": 0.5})
    assert near.record.violations[0] < 1e-3
    assert far.record.violations[0] > 0.05


def test_at_the_lasso_adam_violates_nothing_either_and_adamw_tells_nothing(table):
    settings = {"hidden": [], "adam_rate": 1e-3, "epochs": 300, "training_frame": table, "l1": 0.2}
    near = h2olite.deeplearning(update_rule="Adam", **SETTINGS, **settings)
    far = h2olite.deeplearning(update_rule="Adam", **SETTINGS, **settings | {"epochs": 0.5})
    print(near.record.violations, far.record.violations)
    assert near.record.violations[0] < 0.01
    assert far.record.violations[0] > 0.05
    assert h2olite.deeplearning(update_rule="AdamW", **SETTINGS, **settings | {"epochs": 1}).record.violations == []


def test_without_penalties_that_make_zeros_nothing_is_told(table):
    model = h2olite.deeplearning(training_frame=table, hidden=[4], epochs=1, l2=1e-3, **SETTINGS)
    assert [row.get("violation") for row in model.report()["layers"]] == [None, None, None]
