"""The penalties that make zeros: their steps and screenings, against formulas and the NumPy twin."""

import itertools

import naive
import numpy as np
import pytest
from examples import COLUMNS, copy, from_python, network, objective, rule, step_and_screen, table, train

from h2olite.kernels import penalties, updates
from h2olite.kernels.penalties import ENTRY, OUT, STEADY, Screening
from h2olite.kernels.updates import Rule
from h2olite.kinds.update_rules import ADADELTA, ADAM, SGD
from h2olite.network.network import new_screening

step_of, soft_threshold, group_soft_threshold = map(
    from_python, (updates.step_of, penalties.soft_threshold, penalties.group_soft_threshold)
)


def shrink(values, n_updates, rate):
    """The weights after soft thresholding at a fixed learning rate."""
    w = np.array([values], np.float32)
    zeros = [np.zeros_like(w) for _ in range(5)]
    step = step_of(rule(adaptive=False, rate=rate), 0, 0, 1)
    soft_threshold(step, w, tuple(zeros[:2]), tuple(zeros[2:]), 0, np.float32(1), np.float32(n_updates), False)
    return w[0]


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.75])
def test_soft_threshold_minimises_the_penalised_distance(threshold):
    grid = np.linspace(-3, 3, 60_001)
    v = np.linspace(-2, 2, 41).astype(np.float32)
    distances = (grid[:, np.newaxis] - v) ** 2 / 2 + threshold * abs(grid[:, np.newaxis])
    np.testing.assert_allclose(shrink(v, threshold / 0.5, 0.5), grid[distances.argmin(axis=0)], atol=1.01e-4)


def test_weights_within_the_threshold_become_exactly_zero():
    w = shrink([0.2, -0.2, 0.3, -0.4, 0.0, 0.1], 3, 0.1)
    np.testing.assert_allclose(w, [0, 0, 0, -0.1, 0, 0], atol=1e-7)
    assert np.count_nonzero(w[[0, 1, 4, 5]]) == 0
    assert w.dtype == np.float32


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-8, 1e-12, 1e-18, 1e-30])
def test_groups_of_any_size_are_shrunk_or_removed_but_never_blown_up(size):
    w = np.full((1, 16), size, np.float32)
    zeros = [np.zeros_like(w) for _ in range(5)]
    step = step_of(rule(adaptive=False, rate=0.5), 0, 0, 1)
    # The norm moves by 1.
    group_soft_threshold(step, w, tuple(zeros[:2]), tuple(zeros[2:]), (0, 1), np.float32(1), np.float32(2))
    np.testing.assert_allclose(np.linalg.norm(w), max(4 * size - 1, 0), rtol=1e-6)
    assert (zeros[2] == OUT).all() == (size < 0.25)


STRENGTHS = [{"l1": 0.3}, {"input_group_l1": 0.1}, {"l1": 0.1, "input_group_l1": 0.05}]


@pytest.mark.parametrize("strengths", STRENGTHS, ids=str)
@pytest.mark.parametrize("activation", ["Rectifier", "Maxout"])
@pytest.mark.parametrize("kind", [ADADELTA, SGD, ADAM])
def test_steps_and_judgements_are_those_of_the_twin(kind, activation, strengths):
    net, goal = network("cross-entropy of 4", activation), objective("cross-entropy of 4", activation)
    data = table(20, "cross-entropy of 4")
    how = rule(kind=kind, rate=1e-4 if kind == ADAM else 0.01, annealing=0.1, decay=0.9, fast=True, **strengths)
    net.weights(0)[-1] = 0  # comes in, if at all
    layers = naive.layers_of(net)
    screening, theirs = new_screening(net, COLUMNS), naive.Penalised(layers, COLUMNS)
    plainly = Rule(*map(float, how))
    known, biases = set(), [net.biases(layer).copy() for layer in range(3)]
    for seen, is_screened in zip(range(20, 220, 20), itertools.cycle([False, False, True])):
        for ours, layer in zip(range(3), layers, strict=True):
            # The same to the last digit, or a weight at its threshold would be in here and out there.
            layer.parameters[:-1], layer.parameters[-1] = net.weights(ours), net.biases(ours)
            layer.first[:-1], layer.second[:-1] = net.weights(ours, net.first), net.weights(ours, net.second)
        biases = [net.biases(layer).copy() for layer in range(3)]
        net.n_updates = seen  # 20 rows more than have been trained on: nothing has been at first
        step_and_screen(net, screening, how, 3.0, seen, 60 if is_screened else 0)
        naive.proximal_step(layers, theirs, plainly, 3.0, seen, seen)
        if is_screened:
            naive.screen(layers, theirs, plainly, ENTRY, STEADY)
        for layer in range(3):
            tolerance = {"rtol": 1e-4, "atol": 1e-6, "err_msg": f"layer {layer} after {seen} rows"}
            np.testing.assert_array_equal(net.weights(layer, screening.out), theirs.out[layer])
            np.testing.assert_allclose(net.weights(layer), layers[layer].parameters[:-1], **tolerance)
            np.testing.assert_allclose(
                net.weights(layer, screening.accumulated), theirs.accumulated[layer], **tolerance
            )
            np.testing.assert_allclose(net.weights(layer, screening.rates_sum), theirs.rates_sum[layer], **tolerance)
            np.testing.assert_array_equal(net.biases(layer), biases[layer])
            known |= set(theirs.out[layer].ravel())
        train(net, goal, how, data, rows_seen=seen, n_updates=seen)
    assert known >= {naive.IN, naive.OUT}
    assert screening.last_step[0] == 200


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_penalties_act_every_so_many_rows_of_training(batch_size, n_members):
    net, goal = network("cross-entropy of 4", hidden=(20, 20)), objective("cross-entropy of 4", hidden=(20, 20))
    data, apart = table(36, "cross-entropy of 4"), copy(net)
    how = rule(adaptive=True, l1=0.02, input_group_l1=0.01)
    screening, screening_apart = new_screening(net, COLUMNS), new_screening(net, COLUMNS)
    options = {"batch_size": batch_size, "n_members": n_members, "n_parts": 2}
    train(net, goal, how._replace(proximal_interval=np.int64(8)), data, screening=screening, **options)
    for start in range(0, 36, 8):
        order = np.arange(start, min(start + 8, 36))
        train(apart, goal, how, data, order=order, rows_seen=start, screening=screening_apart, **options)
        if order.size == 8:
            step_and_screen(apart, screening_apart, how, 8 / batch_size, start + 8)
    np.testing.assert_array_equal(net.theta, apart.theta)
    for ours, theirs in zip(screening, screening_apart, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (screening.last_step[0], screening.n_updates[0]) == (32, 4 // batch_size)


def screened(accumulated, rates_sum, w, out, **settings):
    """The weights of a network of one layer with one input and output after a screening, and whether they are out."""
    net = network(hidden=(), n_inputs=1)
    net.weights(0)[...] = w
    flats = [np.full_like(net.theta, OUT), np.zeros_like(net.theta), np.zeros_like(net.theta)]
    for flat, value in zip(flats, (out, accumulated, rates_sum), strict=True):
        net.weights(0, flat)[...] = value
    screening = Screening(np.array([0, 1]), *flats, *np.zeros((2, 1), np.int64))
    step_and_screen(net, screening, rule(**settings), 0, 0, 10)
    assert not screening.accumulated.any()
    assert not screening.rates_sum.any()
    return net.weights(0).item(), net.weights(0, screening.out).item()


@pytest.mark.parametrize("strength", [{"l1": 0.5}, {"input_group_l1": 0.5}], ids=str)
def test_a_weight_comes_in_where_the_mean_gradient_is_larger_than_the_penalty(strength):
    assert screened(-4.9, 10, 0, OUT, **strength) == (0, OUT)
    weight, out = screened(-6.0, 10, 0, OUT, **strength)
    np.testing.assert_allclose(weight, -ENTRY * 1.0, rtol=1e-6)
    assert out == (0 if "l1" in strength else penalties.NEWLY_IN)


@pytest.mark.parametrize("strength", [{"l1": 0.5}, {"input_group_l1": 0.5}], ids=str)
@pytest.mark.parametrize(("proximal_interval", "share"), [(1, ENTRY), (5, 0.5), (10, 1), (20, 1)])
def test_a_weight_comes_in_by_more_where_penalties_act_rarely(proximal_interval, share, strength):
    weight, _ = screened(-6.0, 10, 0, OUT, proximal_interval=proximal_interval, **strength)
    np.testing.assert_allclose(weight, -share, rtol=1e-6)


@pytest.mark.parametrize("strength", [{"l1": 0.5}, {"input_group_l1": 0.5}], ids=str)
def test_a_small_weight_goes_out_if_it_has_no_direction_of_its_own(strength):
    assert screened(7.0, 10, 0.1, 0, **strength) == (0, OUT)
    assert screened(9.0, 10, 0.125, 0, **strength) == (0.125, 0)
    assert screened(7.0, 10, 5.5, 0, **strength) == (5.5, 0)  # more than the penalties could have taken
