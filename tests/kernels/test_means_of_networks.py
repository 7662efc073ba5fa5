"""Means of networks, against NumPy."""

import numpy as np
import pytest
from examples import network, rule

from h2olite.kernels import averaging
from h2olite.kernels.penalties import IN, NEWLY_IN, OUT
from h2olite.kernels.teams import GONE
from h2olite.training.averaging import ALONE

SIZES = (2064, 2064, 2064, 0, 32)
"""More than two pieces, one array that there is not, and a short one."""


def stacks(n, seed=0):
    random = np.random.default_rng(seed)
    learnt = tuple(random.normal(size=(n, size)).astype(np.float32) for size in SIZES)
    out = random.choice(np.array([IN, OUT], np.float32), (n, SIZES[0]))
    out[:, random.random(SIZES[0]) < 0.2] = NEWLY_IN
    out[:, random.random(SIZES[0]) < 0.2] = OUT
    known = (out, *(random.random((n, SIZES[0])).astype(np.float32) for _ in range(2)))
    return learnt, known


def means(of):
    return tuple(tuple(np.full(stack.shape[1], 7, np.float32) for stack in group) for group in of)


def copies(of):
    return tuple(tuple(stack.copy() for stack in group) for group in of)


def average(stacks, n_rows, hands_out=False, members=(ALONE,)):
    into, scratch = means(stacks), np.full(averaging.PIECE, np.nan, np.float32)
    for member in members:
        averaging.average_states(member, into, stacks, np.array(n_rows, np.float32), scratch, hands_out)
    return into


@pytest.mark.parametrize("n_rows", [[5, 5, 5], [1, 100, 30], [0, 3, 0], [9, 0, 2]])
@pytest.mark.parametrize("hands_out", [False, True])
def test_a_mean_is_weighted_by_rows_and_is_handed_out_if_asked_for(n_rows, hands_out):
    original = stacks(3)
    changed = copies(original)
    mean = average(changed, n_rows, hands_out)
    for k, stack in enumerate(original[0]):
        np.testing.assert_allclose(mean[0][k], np.average(stack, 0, n_rows) if stack.size else [], atol=1e-6)
    for group, of_mean, before in zip(changed, mean, original, strict=True):
        for stack, one, old in zip(group, of_mean, before, strict=True):
            np.testing.assert_array_equal(stack, np.broadcast_to(one, stack.shape) if hands_out else old)


def test_a_weight_is_out_if_it_is_out_everywhere_and_its_sums_are_of_the_networks_where_it_is_alike():
    n_rows = np.array([2, 3, 5], np.float32)
    learnt, (out, accumulated, rates_sum) = stacks(3)
    _, (mean_out, *sums) = average((learnt, (out, accumulated, rates_sum)), n_rows)
    np.testing.assert_array_equal(mean_out, out.min(0))
    weights = n_rows[:, None] * (out == mean_out)
    for mean, stack in zip(sums, (accumulated, rates_sum), strict=True):
        np.testing.assert_allclose(mean, (weights * stack).sum(0) / weights.sum(0), rtol=1e-5)
    assert set(mean_out.tolist()) == {IN, NEWLY_IN, OUT}


def test_the_mean_of_equal_networks_is_the_network_to_the_last_bit():
    one = stacks(1)
    equal = tuple(tuple(np.repeat(stack, 7, 0) for stack in group) for group in one)
    mean = average(equal, [3, 1, 4, 1, 5, 9, 2])
    for group, of_mean in zip(one, mean, strict=True):
        for stack, own in zip(group, of_mean, strict=True):
            np.testing.assert_array_equal(own, stack[0])


@pytest.mark.parametrize("n_members", [2, 3, 5])
def test_any_number_of_members_gives_the_same_bits(n_members):
    members = []
    for place in range(n_members):
        arrivals = np.full((n_members, 16), GONE)  # one after the other, so nobody waits for anybody
        arrivals[place] = 0
        members.append(ALONE._replace(place=place, n_members=n_members, arrivals=arrivals))
    alone, shared = stacks(3), stacks(3)
    one = average(alone, [4, 5, 6], True)
    many = average(shared, [4, 5, 6], True, members)
    for expected, found in ((one, many), (alone, shared)):
        for group, of_many in zip(expected, found, strict=True):
            for array, own in zip(group, of_many, strict=True):
                np.testing.assert_array_equal(own, array)


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_pull_is_the_proximal_step_of_the_squared_distance_for_all_updates(adaptive):
    net, how = network(hidden=(6, 5)), rule(rate=0.2, decay=0.5, adaptive=adaptive, epsilon=1e-3)
    net.first[:], net.second[:] = np.random.default_rng(0).random((2, net.theta.size))
    center, before = np.ones_like(net.theta), net.theta.copy()
    averaging.pull_together(net.layout, net.state(), center, how, np.float32(10), np.float32(0.3))
    starts = net.layout.weights
    rates = np.concatenate([np.full(n, 0.2 * 0.5**layer) for layer, n in enumerate(np.diff(starts))])
    if adaptive:
        rates = np.sqrt((net.second + 1e-3) / (net.first + 1e-3))
    pull = 0.3 * 10 * rates
    np.testing.assert_allclose(net.theta, (before + pull * center) / (1 + pull), rtol=1e-5, atol=1e-6)
