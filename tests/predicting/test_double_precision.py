"""Predictions in double precision are those of the twin, which has it too."""

import naive
import numpy as np
import pytest
from examples import ACTIVATIONS, AUTOENCODERS, LOSSES, N_INPUTS, network, objective, table

from h2olite.predicting import double_precision
from h2olite.predicting.double_precision import DoublePrecision


def check(net, goal, data):
    """Compare the predictions of some rows, in an order of their own."""
    order = np.random.default_rng(0).permutation(len(data.levels))[:15]
    expected = naive.predict(naive.layers_of(net), goal, data)[order]
    np.testing.assert_allclose(DoublePrecision(net).predict(goal, data, order), expected, rtol=1e-12)


@pytest.fixture(autouse=True)
def several_parts(monkeypatch):
    monkeypatch.setattr(double_precision, "ROWS_AT_A_TIME", 4)


@pytest.mark.parametrize("hidden", [(), (6, 5)], ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predictions_are_the_twins(activation, loss, hidden):
    goal = objective(loss, activation, hidden, input_dropout=0.1, dropout=[0.5, 0.2][: len(hidden)])
    check(network(loss, activation, hidden), goal, table(20, loss))


@pytest.mark.parametrize("activation", AUTOENCODERS["activation"])
def test_reconstructions_are_the_twins(activation):
    goal = objective(activation=activation, dropout=0.2, autoencoder=True)
    check(network(activation=activation, n_outputs=N_INPUTS), goal, table(20))
