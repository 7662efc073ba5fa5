"""The smallest strengths at which nothing is left, and strengths that are multiples of them."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.frames import as_table
from h2olite.fitting.preparation import prepare
from h2olite.fitting.strongest import strongest_penalties
from h2olite.jobs import check

RANDOM = np.random.default_rng(3)
N_ROWS = 200


def numbers():
    """A response that depends on two of four predictors."""
    x = RANDOM.standard_normal((N_ROWS, 4))
    return pd.DataFrame(x, columns=list("abcd")).assign(y=2 * x[:, 0] + np.exp(x[:, 1]))


def classes():
    frame = numbers()
    return frame.assign(y=pd.cut(frame["y"], [-np.inf, 0, 2, np.inf], labels=["low", "mid", "high"]))


def strongest(frame, **settings):
    parameters = check({"training_frame": frame, "seed": 1} | settings)
    return strongest_penalties(prepare(parameters, as_table(frame), None))


def test_of_a_number_they_are_the_largest_covariance_with_a_standardised_predictor():
    frame = numbers()
    standard = (frame - frame.mean()) / frame.std()
    covariances = 2 * (standard[list("abcd")].T @ standard["y"] / N_ROWS).abs()  # as the loss is the squared error
    found = strongest(frame)
    assert found["l1"] == pytest.approx(covariances.max(), rel=1e-4)
    assert found["input_group_l1"] == pytest.approx(covariances.max(), rel=1e-4)


def test_of_classes_they_are_the_largest_covariances_with_what_the_shares_leave_over():
    frame = classes()
    standard = ((x := frame[list("abcd")]) - x.mean()) / x.std()
    indicators = pd.get_dummies(frame["y"]).astype(float)
    covariances = standard.T @ (indicators - indicators.mean()) / N_ROWS
    found = strongest(frame)
    assert found["l1"] == pytest.approx(covariances.abs().max(axis=None), rel=1e-4)
    of_predictors = np.linalg.norm(covariances, axis=1) / np.sqrt(3)
    assert found["input_group_l1"] == pytest.approx(of_predictors.max(), rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": [5]},
        {"activation": "MaxoutWithDropout", "input_dropout_ratio": 0.5},
        {"ensemble": 2},
        {"numeric_encoding": "PiecewiseLinear"},
    ],
    ids=str,
)
def test_the_network_does_not_matter_but_the_inputs_do(settings):
    found, plain = strongest(numbers_once := numbers(), **settings), strongest(numbers_once)
    assert (found == plain) == ("numeric_encoding" not in settings)


@pytest.mark.parametrize("distribution", ["poisson", "gamma", "tweedie", "laplace", "huber", "quantile"])
def test_they_are_there_for_every_distribution(distribution):
    frame = numbers()
    found = strongest(frame.assign(y=frame["y"].abs() + 0.1), distribution=distribution)
    assert 0 < found["input_group_l1"] <= found["l1"] * (1 + 1e-6)


def test_rows_of_weight_two_count_twice():
    frame = numbers().assign(w=RANDOM.integers(1, 3, N_ROWS))
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    settings = {"y": "y", "standardize": False}
    weighted = strongest(frame, weights_column="w", **settings)
    assert weighted["l1"] == pytest.approx(strongest(repeated, ignored_columns=["w"], **settings)["l1"], rel=1e-4)


@pytest.mark.parametrize("hidden", [[], [20]])
@pytest.mark.parametrize(("multiple", "is_left"), [("0.2x", True), ("1.1x", False)])
def test_a_linear_model_and_a_network_keep_nothing_above_the_strongest(hidden, multiple, is_left):
    model = h2olite.deeplearning(
        training_frame="datasets/penguins.csv", y="species", l1=multiple, hidden=hidden, epochs=100, seed=1
    )
    assert (model.report()["weights"]["nonzero"] > 0) == is_left


def test_a_model_keeps_the_number_and_remembers_the_multiple():
    frame = numbers()
    model = h2olite.deeplearning(training_frame=frame, l1="0.01x", hidden=[3], epochs=1, seed=1)
    assert model.parameters.l1 == pytest.approx(0.01 * strongest(frame)["l1"], rel=1e-5)
    assert type(model.parameters.l1) is float
    assert model.record.origin["given"]["l1"] == "0.01x"


def test_a_grid_takes_multiples_and_keeps_them_apart_from_numbers():
    grid = h2olite.grid({"l1": ["0.1x", 0.1]}, training_frame=numbers(), hidden=[3], epochs=1, seed=1)
    strengths = {grid.get_hyperparams(i)[0]: model.parameters.l1 for i, model in enumerate(grid)}
    assert strengths["0.1x"] != strengths[0.1] == 0.1


@pytest.mark.parametrize("given", ["x", "-0.1x", "nanx", "0.1", "a"])
def test_other_texts_are_refused(given):
    with pytest.raises(h2olite.ParameterError, match="l1 must be"):
        check({"training_frame": numbers(), "l1": given})


def test_an_autoencoder_needs_a_number():
    with pytest.raises(h2olite.ParameterError, match=r"l1 of an autoencoder must be a number; got 0\.1x"):
        h2olite.deeplearning(training_frame=numbers(), autoencoder=True, l1="0.1x")
