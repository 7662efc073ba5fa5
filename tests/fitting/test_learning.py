"""Parameters act on the weights as their formulas say: trainings against the NumPy twin, and what starts them."""

import naive
import numpy as np
import pandas as pd
import pytest
from examples import objective, rule

import h2olite
from h2olite.data.encoding import EncodedRows
from h2olite.data.frames import as_table
from h2olite.data.splits import RowOrder, divide_weights
from h2olite.kinds.rate_schedules import COS_LOG, COSINE, LINEAR
from h2olite.kinds.update_rules import ADAM, ADAMW

MANY_STEPS = {"rtol": 2e-4, "atol": 2e-5}

PLAIN = {
    "hidden": [6, 4],
    "epochs": 1,
    "seed": 1,
    "nthreads": 1,
    "train_samples_per_iteration": 0,
    "shuffle_training_data": False,
    "averaging_window": 0,
    "overwrite_with_best_model": False,
}
"""One iteration over the rows in their order, without anything besides the updates."""

SGD = {"adaptive_rate": False, "rate": 0.02, "rate_annealing": 0}
MOMENTUM = {"momentum_start": 0.5, "momentum_ramp": 20, "momentum_stable": 0.9}

ADAM_RULE = {"rate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4, "l2": 0.1}
ADAM_GIVEN = {"adam_rate": 0.01, "mini_batch_size": 4} | {name: ADAM_RULE[name] for name in ADAM_RULE if name != "rate"}


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    text = random.choice(["red", "green", "blue", None], 40)
    numbers = random.normal(size=(40, 3))
    number = numbers @ [1, -1, 0.5] + random.normal(size=40)
    return pd.DataFrame(
        {
            **{"text": text, "a": numbers[:, 0], "b": numbers[:, 1], "c": numbers[:, 2]},
            **{"number": number, "amount": np.exp(number / 2), "two": np.where(number > 0, "yes", "no")},
            "four": pd.cut(number, 4, labels=list("klmn")),
            "three": pd.cut(number, 3, labels=list("klm")),
        }
    )


def started_and_trained(frame, y, **given):
    """The layers of a network before and after training, and the rows it was trained on."""
    settings = PLAIN | {"x": ["text", "a", "b", "c"], "y": y, "training_frame": frame} | given
    start, model = h2olite.deeplearning(**settings | {"epochs": 0}), h2olite.deeplearning(**settings)
    table = as_table(frame)
    target, _ = model.response.encode(table)
    rows = EncodedRows(*model.encoder.encode(table), target)
    return naive.layers_of(start.network), naive.layers_of(model.network), rows


def assert_same(trained, expected):
    for ours, theirs in zip(trained, expected, strict=True):
        np.testing.assert_allclose(ours.parameters, theirs.parameters, **MANY_STEPS)
        np.testing.assert_allclose(ours.first, theirs.first, **MANY_STEPS)
        np.testing.assert_allclose(ours.second, theirs.second, **MANY_STEPS)


@pytest.mark.proves("adaptive_rate", "rho", "epsilon", "rate", "rate_annealing", "rate_decay")
@pytest.mark.proves("update_rule", "adam_rate", "beta1", "beta2", "rate_schedule")
@pytest.mark.proves("momentum_start", "momentum_ramp", "momentum_stable", "nesterov_accelerated_gradient")
@pytest.mark.proves("l2", "max_w2", "fast_mode", "mini_batch_size", "shuffle_training_data")
@pytest.mark.parametrize(
    ("given", "formula"),
    [
        ({}, {"adaptive": True}),
        ({"rho": 0.9, "epsilon": 1e-6}, {"adaptive": True, "rho": 0.9, "epsilon": 1e-6}),
        (SGD | {"rate": 0.05}, {"rate": 0.05}),
        (SGD | {"rate_annealing": 0.1, "rate_decay": 0.5}, {"rate": 0.02, "annealing": 0.1, "decay": 0.5}),
        (SGD | MOMENTUM, {"rate": 0.02, "nesterov": True} | MOMENTUM),
        (SGD | MOMENTUM | {"nesterov_accelerated_gradient": False}, {"rate": 0.02} | MOMENTUM),
        ({"l2": 0.05}, {"adaptive": True, "l2": 0.05}),
        ({"l2": 0.05, "fast_mode": False}, {"adaptive": True, "l2": 0.05, "fast": False}),
        ({"max_w2": 0.5}, {"adaptive": True, "max_w2": 0.5}),
        ({"mini_batch_size": 7}, {"adaptive": True}),
        ({"update_rule": "ADADELTA"}, {"adaptive": True}),
        ({"rate_schedule": "Linear"}, {"adaptive": True, "schedule": (LINEAR, 0, 40)}),
        ({"rate_schedule": "Cosine", "mini_batch_size": 4}, {"adaptive": True, "schedule": (COSINE, 0, 40)}),
        (SGD | {"rate_schedule": "CosLog"}, {"rate": 0.02, "schedule": (COS_LOG, 0, 40)}),
        (
            ADAM_GIVEN | {"update_rule": "AdamW", "rate_schedule": "coslog"},
            ADAM_RULE | {"kind": ADAMW, "schedule": (COS_LOG, 0, 40)},
        ),
        ({"update_rule": "sgd", "rate": 0.05, "rate_annealing": 0}, {"rate": 0.05}),
        ({"update_rule": "Adam"}, {"kind": ADAM, "rate": 0.001}),
        (ADAM_GIVEN | {"update_rule": "Adam"}, ADAM_RULE | {"kind": ADAM}),
        (ADAM_GIVEN | {"update_rule": "AdamW", "fast_mode": False}, ADAM_RULE | {"kind": ADAMW, "fast": False}),
        (SGD | {"mini_batch_size": 4}, {"rate": 0.02}),
    ],
    ids=lambda given: " ".join(given) or "defaults",
)
def test_update_rules_follow_their_formulas_step_by_step(frame, given, formula):
    layers, trained, rows = started_and_trained(frame, "number", **given)
    goal, how = objective(hidden=(6, 4)), rule(**{"fast": True} | formula)
    naive.train(layers, goal, how, rows, batch_size=given.get("mini_batch_size", 1), seed=1)
    assert_same(trained, layers)


@pytest.mark.proves("update_rule")
@pytest.mark.filterwarnings("ignore:columns of digits")
@pytest.mark.parametrize("table", ["digits", "breast_cancer", "wine"])
def test_adam_comes_to_a_lower_training_loss_than_sgd(table):
    given = {"training_frame": f"datasets/{table}.csv", "hidden": [50], "epochs": 5, "reproducible": True, "seed": 1}
    losses = {
        rule: h2olite.deeplearning(update_rule=rule, mini_batch_size=32, averaging_window=0, **given).logloss()
        for rule in ("SGD", "Adam")
    }
    assert losses["Adam"] < 0.9 * losses["SGD"]


@pytest.mark.proves("activation", "hidden")
@pytest.mark.parametrize("hidden", [[], [5], [4, 3, 6]], ids=str)
@pytest.mark.parametrize("activation", ["Tanh", "Rectifier", "ExpRectifier", "Maxout"])
def test_layers_have_the_activation_and_the_units_asked_for(frame, activation, hidden):
    layers, trained, rows = started_and_trained(frame, "number", activation=activation, hidden=hidden)
    assert [layer.parameters.shape[2] for layer in trained] == [*hidden, 1]
    naive.train(layers, objective(activation=activation, hidden=hidden), rule(adaptive=True, fast=True), rows)
    assert_same(trained, layers)


@pytest.mark.proves("input_dropout_ratio", "hidden_dropout_ratios", "activation")
@pytest.mark.parametrize(("ratios", "expected"), [([0.6, 0.2], [0.6, 0.2]), (None, [0.5, 0.5])])
def test_inputs_and_units_are_dropped_by_their_ratios(frame, ratios, expected):
    given = {"activation": "TanhWithDropout", "input_dropout_ratio": 0.3, "hidden_dropout_ratios": ratios}
    layers, trained, rows = started_and_trained(frame, "number", **given)
    goal = objective(activation="Tanh", hidden=(6, 4), input_dropout=0.3, dropout=expected)
    naive.train(layers, goal, rule(adaptive=True, fast=True), rows, seed=1)
    assert_same(trained, layers)


@pytest.mark.proves("distribution", "loss", "quantile_alpha", "tweedie_power", "label_smoothing")
@pytest.mark.parametrize(
    ("y", "given", "loss"),
    [
        ("two", {}, "cross-entropy of 2"),
        ("four", {}, "cross-entropy of 4"),
        ("four", {"loss": "Quadratic"}, "quadratic of 4"),
        ("three", {"label_smoothing": 0.2}, "smoothed cross-entropy of 3"),
        ("number", {}, "gaussian"),
        ("number", {"loss": "Absolute"}, "laplace"),
        ("number", {"distribution": "laplace"}, "laplace"),
        ("number", {"distribution": "quantile", "quantile_alpha": 0.3}, "quantile"),
        ("amount", {"distribution": "poisson"}, "poisson"),
        ("amount", {"distribution": "gamma"}, "gamma"),
        ("amount", {"distribution": "tweedie", "tweedie_power": 1.4}, "tweedie"),
    ],
)
def test_the_loss_is_that_of_the_distribution(frame, y, given, loss):
    layers, trained, rows = started_and_trained(frame, y, **given)
    naive.train(layers, objective(loss, hidden=(6, 4)), rule(adaptive=True, fast=True), rows)
    assert_same(trained, layers)


@pytest.mark.proves("label_smoothing")
def test_smoothed_labels_keep_probabilities_from_0_and_1_and_metrics_are_of_the_observed_classes():
    given = {"training_frame": "datasets/wine.csv", "hidden": [20], "epochs": 200, "reproducible": True, "seed": 1}
    given |= {"classification_stop": -1, "stopping_rounds": 0, "averaging_window": 0, "factors": ["cultivar"]}
    plain, smooth = (h2olite.deeplearning(label_smoothing=share, **given) for share in (0, 0.3))
    probabilities = smooth.predict("datasets/wine.csv").iloc[:, 1:].to_numpy()
    assert plain.predict("datasets/wine.csv").iloc[:, 1:].to_numpy().max(axis=1).mean() > 0.99
    assert probabilities.max(axis=1).mean() == pytest.approx(0.8, abs=0.03)  # 1 - 0.3 + 0.3 / 3
    observed = pd.read_csv("datasets/wine.csv")["cultivar"].astype("category").cat.codes
    logloss = -np.log(probabilities[np.arange(len(observed)), observed]).mean()
    assert smooth.logloss() == pytest.approx(logloss, rel=1e-4)


@pytest.mark.proves("huber_alpha", "distribution")
@pytest.mark.parametrize("alpha", [0.4, 0.9])
@pytest.mark.parametrize("weights", [None, [1, 4, 2, 7]], ids=["unweighted", "weighted"])
def test_huber_turns_linear_at_the_quantile_of_the_residuals_at_the_start_of_an_iteration(frame, alpha, weights):
    given = {"distribution": "huber", "huber_alpha": alpha}
    times, n_rows = np.resize(weights or [1], len(frame)), len(frame)
    if weights:
        frame, given = frame.assign(times=times), given | {"weights_column": "times"}
    layers, trained, rows = started_and_trained(frame, "number", **given)
    goal = objective("huber", hidden=(6, 4))
    residuals = np.abs(rows.target - naive.predict(layers, goal, rows)[:, 0])
    goal = goal._replace(shape=np.float32(np.quantile(np.repeat(residuals, times), alpha)))
    if weights:
        passes, factors = divide_weights(times.astype(float), np.arange(n_rows))
        rows = naive.take(rows._replace(weights=factors), RowOrder(n_rows, False, 1, passes).take(n_rows))
    naive.train(layers, goal, rule(adaptive=True, fast=True), rows)
    assert_same(trained, layers)


def first_weights(frame, **given):
    """The weights of the first layer before training."""
    settings = PLAIN | {"y": "number", "training_frame": frame, "hidden": [300], "epochs": 0}
    return h2olite.deeplearning(**settings | given).weights(0)[["a", "b", "c"]].to_numpy()


@pytest.mark.proves("initial_weight_distribution", "initial_weight_scale")
def test_initial_weights_have_the_distribution_and_scale_asked_for(frame):
    uniform = first_weights(frame, initial_weight_distribution="Uniform", initial_weight_scale=0.3)
    assert 0.29 < np.abs(uniform).max() <= 0.3
    assert uniform.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.1)
    normal = first_weights(frame, initial_weight_distribution="Normal", initial_weight_scale=3)
    assert normal.std() == pytest.approx(3, rel=0.1)
    assert np.abs(normal).max() > 6
    adaptive = first_weights(frame)
    assert 0.8 * np.abs(adaptive).max() < np.sqrt(6 / 300) < 1.2


@pytest.mark.proves("averaging_window")
def test_the_model_is_the_average_of_the_last_share_of_the_weights(frame):
    settings = PLAIN | {"y": "number", "training_frame": frame, "epochs": 100, "stopping_rounds": 0}

    def distance(window):
        network = h2olite.deeplearning(**settings | {"averaging_window": window}).network
        average = network.theta if network.last is None else network.last  # which may be worse than the last weights
        return np.linalg.norm(average - network.iterate)

    assert distance(0) == 0 < distance(0.01) < distance(0.5)


@pytest.mark.proves("seed")
def test_the_seed_decides_weights_and_order(frame):
    settings = PLAIN | {"y": "number", "training_frame": frame, "shuffle_training_data": True}

    def theta(**given):
        return h2olite.deeplearning(**settings | given).network.theta

    np.testing.assert_array_equal(theta(), theta())
    assert (theta() != theta(seed=2)).any()
    assert (theta(epochs=0) != theta(epochs=0, seed=2)).any()
    drawn = h2olite.deeplearning(**settings | {"seed": -1})
    assert drawn.parameters.seed >= 0
    np.testing.assert_array_equal(drawn.network.theta, theta(seed=drawn.parameters.seed))


@pytest.mark.proves("shuffle_training_data")
def test_shuffling_changes_the_order_of_rows(frame):
    settings = PLAIN | {"y": "number", "training_frame": frame}
    model = h2olite.deeplearning(**settings)
    shuffled = h2olite.deeplearning(**settings | {"shuffle_training_data": True})
    assert (model.network.theta != shuffled.network.theta).any()
