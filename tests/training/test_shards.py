"""The rows of replicas that are apart: which they are, in what order, and how many a round takes."""

import pickle

import numpy as np
import pytest
from examples import network, objective, rule, table

from h2olite.data.splits import divide_weights
from h2olite.training.averaging import Learning
from h2olite.training.shards import Dealer, EncodedPart, Shard, Step, deal, train_shard

NO_WEIGHTS = np.empty(0)


def shard(rows, weights=NO_WEIGHTS, mean_weight=None, replica=0, shuffle=True):
    half = len(rows.levels) // 2
    parts = [
        EncodedPart(
            rows._replace(levels=rows.levels[own], numbers=rows.numbers[own], target=rows.target[own]), weights[own]
        )
        for own in (slice(half), slice(half, None))
    ]
    return Shard(parts, mean_weight, shuffle=shuffle, seed=5, replica=replica)


def step(taken, n_rows, *, alike=False, replica=0):
    return Step(replica, 2, 1, taken, n_rows, alike)


def test_every_epoch_takes_each_row_once_whatever_the_rounds():
    own = shard(table(30))
    orders = [own.take(step(taken, 10)).order for taken in (0, 10, 20)]
    assert sorted(np.concatenate(orders).tolist()) == list(range(30))
    np.testing.assert_array_equal(shard(table(30)).take(step(5, 25)).order, np.concatenate(orders)[5:])
    assert own.take(step(0, 30)).order.tolist() != own.take(step(30, 30)).order.tolist()
    assert shard(table(30), replica=1).take(step(0, 30)).order.tolist() != own.take(step(0, 30)).order.tolist()


def test_a_shard_that_has_moved_gives_the_same_rows():
    own = shard(table(30))
    own.take(step(0, 7))
    moved = pickle.loads(pickle.dumps(own))
    np.testing.assert_array_equal(moved.take(step(7, 9)).order, own.take(step(7, 9)).order)


def test_weights_divide_into_passes_and_factors_as_in_one_table():
    weights = np.random.default_rng(1).exponential(size=40)
    passes, factors = divide_weights(weights, np.arange(40))
    own = shard(table(40), weights, weights.mean())
    assert own.passes == pytest.approx(40)
    block = own.take(step(0, 4000))
    np.testing.assert_allclose(block.rows.weights, factors, rtol=1e-6)
    counts = np.bincount(block.order, minlength=40)
    np.testing.assert_allclose(counts / 100, passes, atol=0.03)
    assert own.take(step(0, 40, alike=True)).rows.weights.size == 0


def test_a_shard_trains_alike_from_read_only_arrays():
    net, rows = network(), table(20)
    learning = Learning(net.layout, objective(), rule(rate=0.001), 1, None)
    states = []
    for frozen in (False, True):
        state = net.state()
        if frozen:
            state = state._replace(theta=state.theta.copy())
            state.theta.setflags(write=False)
        states.append(train_shard(shard(rows), state, learning, step(0, 20)))
    assert [result.n_rows for result in states] == [20, 20]
    np.testing.assert_array_equal(states[0].state.theta, states[1].state.theta)
    assert not np.array_equal(states[0].state.theta, net.state().theta)


def test_parts_are_dealt_in_order_without_empty_ones():
    assert deal([5, 0, 5, 5, 0, 5], 2) == [[0, 2], [3, 5]]
    assert deal([100, 1, 1, 1], 2) == [[0], [1, 2, 3]]
    assert deal([1, 1, 1, 100], 2) == [[0, 1, 2], [3]]
    assert deal([1, 0, 2], 2) == [[0], [2]]
    assert deal([3, 4, 5], 3) == [[0], [1], [2]]
    for sizes in np.random.default_rng(2).integers(0, 9, (50, 12)):
        present = np.flatnonzero(sizes).tolist()
        for n in range(1, len(present) + 1):
            dealt = deal(sizes.tolist(), n)
            assert len(dealt) == n
            assert [part for own in dealt for part in own] == present


def test_rows_of_rounds_are_in_proportion_to_shards_and_add_up():
    dealer, sizes = Dealer([700, 200, 99, 1]), np.array([700, 200, 99, 1])
    total = np.zeros(4)
    for n_rows in [7] * 1000 + [1] * 50 + [1000]:
        dealt = dealer.deal(n_rows)
        assert sum(dealt) == n_rows
        assert min(dealt) >= 0
        total += dealt
    np.testing.assert_allclose(total, total.sum() * sizes / 1000, atol=2)
