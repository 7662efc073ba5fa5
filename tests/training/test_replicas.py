"""Threads that train copies of a network."""

import numpy as np
import pytest
from examples import COLUMNS, network, objective, rule, table

from h2olite.network.network import new_screening
from h2olite.network.topology import workspace
from h2olite.training import averaging, replicas
from h2olite.training.averaging import Elastic, Learning, average, learning_of, pass_over, start
from h2olite.training.replicas import Replicas, batches_of
from h2olite.training.source import Block

GOAL, ROWS = objective(hidden=(9, 8), dropout=0.3), table(300)


def team(n_threads=2, batch_size=1, averaging_rows=8, n_replicas=3, averaged=True, elastic=None):
    net, sizes = network(hidden=(9, 8), averaged=averaged), {"n_replicas": n_replicas, "averaging_rows": averaging_rows}
    return Replicas(net, ROWS, n_threads, batch_size, **sizes, elastic=elastic)


def train(cuts=(), n_rows=300, how=None, **given):
    """A team after some rows, in as many calls as there are pieces between the cuts."""
    how = rule(rate=0.01, adaptive=True) if how is None else how
    with team(**given) as made:
        for part in np.split(np.arange(n_rows), cuts):
            made.train(GOAL, how, ROWS, part)
        return made


def flat(network):
    return np.concatenate([network.theta, network.iterate, network.first, network.second])


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_threads_and_blocks_change_no_bit(n_threads, batch_size):
    cuts = np.arange(batch_size, 300, batch_size * 5)
    ours, theirs = (
        train(batch_size=batch_size, n_threads=1),
        train(cuts, batch_size=batch_size, n_threads=n_threads),
    )
    np.testing.assert_array_equal(flat(ours.network), flat(theirs.network))
    assert ours.network.rows_seen == theirs.network.rows_seen == 300


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_replicas_train_on_mini_batches_in_turn_and_are_averaged_after_so_many_rows(averaged, batch_size):
    how, net = rule(rate=0.01, adaptive=True), network(hidden=(9, 8), averaged=averaged)
    scratch = workspace(net.layout, ROWS.levels.shape[1], ROWS.numbers.shape[1], 32)
    learning = Learning(net.layout, GOAL, how, batch_size, scratch)
    state = net.state()
    own = [start(state, 3) for _ in range(3)]
    for begin in range(0, 300, 24):
        batches = np.arange(begin, min(begin + 24, 300)).reshape(-1, batch_size)
        orders = [batches[replica::3].ravel() for replica in range(3)]
        own = [
            pass_over(one, [Block(ROWS, order)], learning_of(learning, replica, 3))
            for replica, (one, order) in enumerate(zip(own, orders, strict=True))
        ]
        state = average(own, [order.size for order in orders])
        own = [start(state._replace(rows_seen=one.rows_seen)) for one in own]
    trained = train(batch_size=batch_size, averaged=averaged).network
    np.testing.assert_array_equal(trained.iterate, state.theta)
    np.testing.assert_array_equal(trained.theta, state.mean if averaged else state.theta)
    np.testing.assert_array_equal(trained.first, state.first)
    np.testing.assert_array_equal(trained.second, state.second)


def test_looking_at_the_network_between_averages_changes_nothing_in_the_replicas():
    once, often = train(n_rows=250), train(np.arange(1, 250), n_rows=250)
    np.testing.assert_array_equal(flat(once.network), flat(often.network))


def test_rows_between_averages_count():
    assert not np.array_equal(train(averaging_rows=8).network.theta, train(averaging_rows=80).network.theta)


def test_mini_batches_are_dealt_in_turn_and_only_the_last_is_short():
    order = np.arange(11)
    dealt = [batches_of(order, replica, 3, 2).tolist() for replica in range(3)]
    assert dealt == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10]]
    assert [batches_of(order[:3], replica, 3, 2).tolist() for replica in range(3)] == [[0, 1], [2], []]
    assert [batches_of(order[:0], replica, 3, 2).tolist() for replica in range(3)] == [[], [], []]


@pytest.mark.parametrize("penalties", [{"l1": 0.02}, {"input_group_l1": 0.02}])
@pytest.mark.parametrize("averaged", [False, True])
def test_penalties_act_in_each_replica_and_screen_the_mean(penalties, averaged):
    how = rule(rate=0.01, adaptive=True, proximal_interval=4, **penalties)
    ends = []
    for n_threads in (1, 2):
        with team(n_threads, averaged=averaged) as made:
            made.screening = new_screening(made.network, COLUMNS)
            for part in np.split(np.arange(300), [100, 200]):
                made.train(GOAL, how, ROWS, part)
                made.step_and_screen(how, part.size)
            assert made.screening.last_step[0] == 0  # of the mean; those of the replicas count
            ends.append(flat(made.network))
            zeros = np.count_nonzero(made.network.weights(0, made.network.iterate) == 0)
            assert 0 < zeros < made.network.weights(0).size
    np.testing.assert_array_equal(*ends)


def elastic(moving_rate, strength):
    return Elastic(np.float32(moving_rate), np.float32(strength))


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_threads_and_blocks_change_no_bit_of_elastic_averages(n_threads):
    given = {"elastic": elastic(0.7, 0.5)}
    ours, theirs = train(n_threads=1, **given), train(np.arange(1, 300, 7), n_threads=n_threads, **given)
    np.testing.assert_array_equal(flat(ours.network), flat(theirs.network))


def test_a_strong_pull_all_of_the_way_is_the_usual_average_of_weights():
    how = rule(rate=0.01)  # plain steps, whose memories, which elastic averages leave alone, do not count
    usual, strong, weak = (train(how=how, elastic=given).network for given in (None, elastic(1, 1e9), elastic(1, 0)))
    np.testing.assert_allclose(strong.iterate, usual.iterate, rtol=1e-3, atol=1e-4)
    assert abs(weak.iterate - usual.iterate).max() > 1e-2


def test_a_center_that_does_not_move_is_the_start():
    trained = train(elastic=elastic(0, 0.1)).network
    np.testing.assert_array_equal(trained.iterate, network(hidden=(9, 8), averaged=True).iterate)
    assert not np.array_equal(trained.theta, trained.iterate)


def test_training_goes_on_from_another_network_that_is_put_in():
    with team() as made:
        made.train(GOAL, rule(rate=0.01), ROWS, np.arange(50))
        made.network = other = network(hidden=(9, 8), seed=5, averaged=True)
        before = other.iterate.copy()
        made.train(GOAL, rule(rate=0.0), ROWS, np.arange(50))
    np.testing.assert_array_equal(other.iterate, before)
    assert other.rows_seen == 50


@pytest.mark.parametrize("failing", [0, 1])
def test_a_thread_that_fails_does_not_keep_the_others_waiting(failing, monkeypatch):
    def fail(member, *arguments, **named):
        if member.place == failing:
            raise MemoryError("no room")
        return averaging.average_stacks(member, *arguments, **named)

    with team() as made:
        monkeypatch.setattr(replicas, "average_stacks", fail)
        with pytest.raises(MemoryError, match="no room"):
            made.train(GOAL, rule(), ROWS, np.arange(100))
        monkeypatch.undo()
        made.train(GOAL, rule(rate=0.001), ROWS, np.arange(100))
        assert made.network.rows_seen == 100
