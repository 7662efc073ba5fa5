"""Scoring without the zeros gives what scoring with them does."""

import numpy as np
import pytest
from examples import ACTIVATIONS, LEVELS, LOSSES, N_INPUTS, N_NUMERIC, network, objective, predict, table

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.layout import TILE
from h2olite.kernels.sparse import predict_sparse_rows
from h2olite.predicting import sparse
from h2olite.predicting.sparse import is_sparse, sparse_layers, sparse_workspace
from h2olite.training.team import Team

N_LEVELS = sum(LEVELS)


def sparse_network(*arguments, zero_share=0.7, **options):
    """A network some of whose weights, and all of one input, are 0."""
    net = network(*arguments, **options)
    random = np.random.default_rng(1)
    for layer in range(net.n_layers):
        weights = net.weights(layer)
        weights[random.random(weights.shape) < zero_share] = 0
    net.weights(0)[-1:] = 0
    return net


def predict_sparsely(net, goal, data, order=None):
    order = np.arange(len(data.levels)) if order is None else order
    outputs = np.full((order.size, net.layout.sizes[-1]), np.nan, np.float32)
    layers = sparse_layers(net, N_LEVELS)
    predict_sparse_rows(layers, goal, data, order, outputs, sparse_workspace(layers, N_NUMERIC))
    return outputs


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(6, 5), (20,), ()], ids=str)
def test_it_predicts_as_the_dense_kernel(activation, loss, hidden):
    net = sparse_network(loss, activation, hidden)
    goal, data = objective(loss, activation, hidden, dropout=[0.5, 0.2][: len(hidden)]), table(2 * TILE + 5, loss)
    np.testing.assert_allclose(predict_sparsely(net, goal, data), predict(net, goal, data), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ["Tanh", "Rectifier", "ExpRectifier"])
def test_it_reconstructs_as_the_dense_kernel(activation):
    net = sparse_network(activation=activation, n_outputs=N_INPUTS)
    goal, data = objective(activation=activation, autoencoder=True), table(TILE + 1)
    np.testing.assert_allclose(predict_sparsely(net, goal, data), predict(net, goal, data), rtol=1e-5, atol=1e-6)


def test_it_predicts_the_rows_asked_for():
    net, goal, data = sparse_network(), objective(), table(100)
    order = np.array([7, 99, 7, 0])
    np.testing.assert_array_equal(predict_sparsely(net, goal, data, order), predict_sparsely(net, goal, data)[order])


@pytest.mark.parametrize("zero_share", [0.5, 1.0])
def test_networks_of_any_share_of_zeros_can_be_scored(zero_share):
    net, goal, data = sparse_network(zero_share=zero_share), objective(), table(TILE)
    np.testing.assert_allclose(predict_sparsely(net, goal, data), predict(net, goal, data), rtol=1e-5, atol=1e-6)


def test_a_network_that_no_input_is_left_of_is_scored():
    net, goal = sparse_network(activation="Maxout", hidden=(200, 200), n_inputs=0), objective(activation="Maxout")
    data = EncodedRows(np.empty((sparse.LEAST_ROWS, 0), np.int32), np.empty((sparse.LEAST_ROWS, 0), np.float32))
    net.weights(1)[...] = 0
    assert is_sparse(net, 0)
    with Team(net, data, n_threads=1) as team:
        outputs = team.predict(goal, data)
        np.testing.assert_allclose(outputs[:9], team.predict(goal, data, np.arange(9)), rtol=1e-5)


def test_teams_take_the_sparse_kernel_for_many_rows_of_a_large_sparse_network(monkeypatch):
    goal, data = objective(hidden=(200, 200)), table(sparse.LEAST_ROWS)
    calls = []
    kernel = predict_sparse_rows
    monkeypatch.setattr(
        "h2olite.predicting.single_precision.predict_sparse_rows",
        lambda *arguments: (calls.append(1), kernel(*arguments)),
    )
    for zero_share, n_rows, expected in ((0.9, sparse.LEAST_ROWS, 2), (0.9, 100, 0), (0.5, sparse.LEAST_ROWS, 0)):
        net = sparse_network(hidden=(200, 200), zero_share=zero_share)
        assert is_sparse(net, N_LEVELS) == (zero_share == 0.9)
        with Team(net, data, n_threads=2) as team:
            outputs = team.predict(goal, data, np.arange(n_rows))
        np.testing.assert_allclose(outputs, predict(net, goal, data)[:n_rows], rtol=1e-4, atol=1e-5)
        assert len(calls) == expected
        calls.clear()


def test_small_networks_are_scored_with_their_zeros():
    assert not is_sparse(sparse_network(zero_share=1.0), N_LEVELS)
