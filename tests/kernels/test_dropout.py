"""Which inputs and units are dropped, and what that does to their weights.

What is dropped shows in the weights: with a constant gradient, one step of SGD without momentum moves the weights out
of everything that is not dropped, and no others.
"""

import numpy as np
import pytest
from examples import ACTIVATIONS, network, objective, predict, rule, table, train

from h2olite.data.encoding import EncodedRows

N_UNITS = 60


def ones(n_rows, n_numeric):
    """Rows whose numeric inputs are all 1."""
    return EncodedRows(
        levels=np.empty((n_rows, 0), np.int32),
        numbers=np.ones((n_rows, n_numeric), np.float32),
        target=np.full(n_rows, -100, np.float32),
    )


def moved(net, goal, *, n_inputs, row, seed=7):
    """For each layer, which of its weights one row moves."""
    net.theta[:] = 0.01
    train(net, goal, rule(rate=1e-3), ones(1, n_inputs), rows_seen=row, seed=seed)
    return [net.weights(layer)[:, 0] != np.float32(0.01) for layer in range(net.n_layers)]


def kept_units(row, dropout=0.5, seed=7):
    """Which units of two hidden layers one row keeps."""
    hidden = (N_UNITS, N_UNITS)
    net, goal = network("laplace", hidden=hidden, n_inputs=1), objective("laplace", hidden=hidden, dropout=dropout)
    _, between, above = moved(net, goal, n_inputs=1, row=row, seed=seed)
    return between.any(axis=1), above[:, 0]


def test_masks_differ_between_layers_and_rows():
    masks = [mask for row in range(3) for mask in kept_units(row)]
    same = [(one == other).mean() for i, one in enumerate(masks) for other in masks[:i]]
    # Of 60 pairs of fair coins, 12 to 48 agree in all but 4 of a million cases.
    assert 0.2 < min(same)
    assert max(same) < 0.8


def test_hidden_units_are_dropped_as_often_as_asked():
    masks = np.array([kept_units(row, dropout=[0.5, 0.2]) for row in range(100)])
    shares = 1 - masks.mean(axis=(0, 2))
    # The standard deviation of a share of 6000 is at most 0.0065.
    np.testing.assert_allclose(shares, [0.5, 0.2], atol=0.026)


def test_inputs_are_dropped_as_often_as_asked():
    net, goal = network("laplace", hidden=(), n_inputs=N_UNITS), objective("laplace", hidden=(), input_dropout=0.3)
    kept = np.array([moved(net, goal, n_inputs=N_UNITS, row=row)[0][:, 0] for row in range(100)])
    np.testing.assert_allclose(1 - kept.mean(), 0.3, atol=0.026)
    assert (kept.any(axis=0) & ~kept.all(axis=0)).all()


def test_categorical_inputs_are_dropped_as_often_as_asked():
    net, goal = network("laplace", hidden=(), n_inputs=300), objective("laplace", hidden=(), input_dropout=0.3)
    data = EncodedRows(
        levels=np.arange(300, dtype=np.int32).reshape(100, 3),
        numbers=np.empty((100, 0), np.float32),
        target=np.full(100, -100, np.float32),
    )
    net.theta[:] = 0
    train(net, goal, rule(rate=1e-3), data)
    dropped = (net.weights(0)[:, 0, 0] == 0).reshape(100, 3)
    # The standard deviation of a share of 300 is 0.026.
    np.testing.assert_allclose(dropped.mean(), 0.3, atol=0.11)
    assert (dropped.any(axis=0) & ~dropped.all(axis=0)).all()


def test_masks_of_a_mini_batch_are_those_of_its_rows():
    goal, how = objective("laplace", input_dropout=0.2, dropout=0.5), rule(rate=0.01)
    data = table(4, "laplace")
    together, apart = network("laplace"), []
    start = together.theta.copy()
    train(together, goal, how, data, batch_size=4)
    for row in range(4):
        net = network("laplace")
        train(net, goal, how, data, order=np.array([row]), rows_seen=row)
        apart.append(net.theta - start)
    np.testing.assert_allclose(together.theta - start, np.mean(apart, axis=0), atol=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_into_and_out_of_a_dropped_unit_stay(activation):
    hidden = (N_UNITS,)
    net, goal = (
        network(activation=activation, hidden=hidden),
        objective(activation=activation, hidden=hidden, dropout=0.5),
    )
    before = [net.weights(layer).copy() for layer in range(2)] + [net.biases(0).copy()]
    data = table(1)._replace(numbers=np.ones((1, 3), np.float32), target=np.full(1, 50, np.float32))
    train(net, goal, rule(rate=1e-3), data)
    incoming = (net.weights(0) != before[0]).any(axis=(0, 1))
    biases = (net.biases(0) != before[2]).any(axis=0)
    outgoing = (net.weights(1) != before[1])[:, 0, 0]
    np.testing.assert_array_equal(incoming, biases)
    np.testing.assert_array_equal(incoming, outgoing)
    assert 0.1 < incoming.mean() < 0.8


def test_scoring_drops_nothing_and_scales_by_the_share_kept():
    net, data = network(hidden=(N_UNITS,)), table(8)
    plain = predict(net, objective(hidden=(N_UNITS,)), data)
    net.weights(1)[...] /= 0.75
    np.testing.assert_allclose(
        predict(net, objective(hidden=(N_UNITS,), dropout=0.25), data), plain, rtol=1e-5, atol=1e-6
    )
