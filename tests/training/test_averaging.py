"""Copies of a network that are trained apart and averaged; workers that are lost, late, or answer twice."""

import numpy as np
import pytest
from examples import COLUMNS, copy, network, objective, predict, rule, table

from h2olite.errors import TrainingError
from h2olite.kernels.penalties import OUT
from h2olite.network.network import new_screening
from h2olite.network.topology import workspace
from h2olite.training.averaging import (
    MOST_PACE,
    Learning,
    Result,
    Round,
    average,
    learning_of,
    pass_over,
    rule_of_copy,
    start,
)
from h2olite.training.source import Block

N_WORKERS = 50


def learning(net, rows, **settings):
    shape = rows.levels.shape[1], rows.numbers.shape[1]
    return Learning(net.layout, objective(), rule(rate=0.001, **settings), 1, workspace(net.layout, *shape, 32))


def begin(averaged=True, **penalties):
    net, rows = network(averaged=averaged), table(N_WORKERS * 20)
    screening = new_screening(net, COLUMNS) if penalties else None
    return net.state(screening), rows, learning(net, rows, **penalties)


def work(worker, number, state, rows, how, n_rows=20):
    """What a pretend worker answers."""
    order = np.arange(worker * 20, worker * 20 + n_rows)
    own = pass_over(start(state, N_WORKERS), [Block(rows, order)], learning_of(how, worker, N_WORKERS))
    return Result(worker, number, n_rows, own)


def flat(state):
    return np.concatenate([state.theta, state.mean, state.first, state.second])


def test_a_copy_that_trains_leaves_the_common_state_alone():
    state, rows, how = begin()
    before = flat(state)
    own = pass_over(start(state), [Block(rows, np.arange(7)), Block(rows, np.arange(5))], how)
    assert own.rows_seen == 12
    assert not np.array_equal(flat(own), before)
    np.testing.assert_array_equal(flat(state), before)


def test_one_copy_learns_what_a_single_network_does():
    state, rows, how = begin()
    own = pass_over(start(state), [Block(rows, np.arange(30))], learning_of(how, 0, 1))
    alone = pass_over(state, [Block(rows, np.arange(30))], how)
    np.testing.assert_array_equal(flat(average([own], [30])), flat(alone))


def test_copies_take_longer_steps_and_count_their_own_rows():
    own = rule_of_copy(rule(annealing=1e-6, momentum_ramp=1000.0), 4)
    assert (own.pace, own.annealing, own.momentum_ramp) == (4, np.float32(4e-6), 250)
    assert rule_of_copy(rule(), 100).pace == MOST_PACE
    assert [int(rule_of_copy(rule(proximal_interval=32), n).proximal_interval) for n in (1, 3, 100)] == [32, 11, 8]
    state, _, _ = begin()
    own = start(state._replace(rows_seen=103, n_updates=51), 4)
    assert (own.rows_seen, own.n_updates) == (25, 12)


def test_every_copy_drops_units_of_its_own():
    _, _, how = begin()
    seeds = {int(learning_of(how, worker, N_WORKERS).objective.seed) for worker in range(N_WORKERS)}
    assert len(seeds) == N_WORKERS
    assert learning_of(how, 0, N_WORKERS).objective.seed == how.objective.seed


@pytest.mark.parametrize("averaged", [False, True])
def test_a_round_ends_with_the_mean_of_all_workers_by_their_rows(averaged):
    state, rows, how = begin(averaged)
    one = Round(3, state, dict.fromkeys(range(N_WORKERS), 20))
    results = [work(worker, 3, state, rows, how, n_rows=1 + worker % 20) for worker in range(N_WORKERS)]
    assert [one.accept(result) for result in results] == [None] * N_WORKERS
    outcome = one.close()
    n_rows = [result.n_rows for result in results]
    mean = np.average([flat(result.state) for result in results], 0, n_rows)
    np.testing.assert_allclose(flat(outcome.state), mean, rtol=1e-5, atol=1e-6)
    assert outcome.state.rows_seen == sum(n_rows)
    assert outcome.state.n_updates == sum(n_rows)
    assert outcome.lost == {}


def test_the_order_of_answers_changes_no_bit():
    state, rows, how = begin()
    results = [work(worker, 0, state, rows, how) for worker in range(N_WORKERS)]
    ends = []
    for order in (range(N_WORKERS), np.random.default_rng(0).permutation(N_WORKERS)):
        one = Round(0, state, dict.fromkeys(range(N_WORKERS), 20))
        for worker in order:
            assert one.accept(results[worker]) is None
        ends.append(flat(one.close().state))
    np.testing.assert_array_equal(*ends)


def test_lost_late_and_second_answers_are_told_and_do_not_count():
    state, rows, how = begin()
    one = Round(5, state, dict.fromkeys(range(N_WORKERS), 20))
    results = [work(worker, 5, state, rows, how) for worker in range(N_WORKERS)]
    for result in results[:47]:
        assert one.accept(result) is None
    assert one.missing == [47, 48, 49]
    wrong = results[0].state._replace(theta=results[0].state.theta + 1)
    assert one.accept(results[0]._replace(state=wrong)) == "worker 0: a second result of round 5 came"
    assert one.accept(results[47]._replace(round=4)) == "worker 47: a result of round 4 came in round 5"
    assert one.accept(results[47]._replace(worker=70)) == "worker 70: it has no rows in round 5"
    assert one.accept(results[47]._replace(n_rows=21)) == (
        "worker 47: it was given 20 rows, and says that it trained on 21"
    )
    ill = results[47].state._replace(theta=np.full_like(state.theta, np.nan))
    assert one.accept(results[47]._replace(state=ill)) == (
        "worker 47: its weights are not finite, or those of another network"
    )
    outcome = one.close()
    assert outcome.lost == {47: 20, 48: 20, 49: 20}
    assert outcome.state.rows_seen == 47 * 20
    expected = average([result.state for result in results[:47]], [20] * 47)
    np.testing.assert_array_equal(flat(outcome.state), flat(expected))


def test_a_round_without_any_answer_is_an_error():
    state, _, _ = begin()
    with pytest.raises(TrainingError, match=r"^none of 2 workers answered in round 1; start them again"):
        Round(1, state, {0: 5, 1: 5}).close()


def test_rounds_of_many_workers_learn():
    net, rows = network(averaged=True), table(N_WORKERS * 20)
    rows = rows._replace(target=rows.numbers[:, 0] - rows.numbers[:, 1])
    how, state = learning(net, rows), copy(net).state()

    def error(theta):
        net.theta[:] = theta
        return float(np.mean((predict(net, objective(), rows)[:, 0] - rows.target) ** 2))

    before = error(state.theta)
    for number in range(30):
        one = Round(number, state, dict.fromkeys(range(N_WORKERS), 20))
        for worker in range(N_WORKERS):
            if worker != number:  # one is lost in each round
                one.accept(work(worker, number, state, rows, how))
        state = one.close().state
    assert error(state.theta) < 0.1 * before


def test_weights_that_penalties_removed_everywhere_stay_removed_in_the_mean():
    state, rows, how = begin(l1=0.5, proximal_interval=4)
    own = [work(worker, 0, state, rows, how) for worker in range(3)]
    mean = average([result.state for result in own], [20] * 3)
    outs = np.array([result.state.screening.out for result in own])
    np.testing.assert_array_equal(mean.screening.out, outs.min(0))
    everywhere = (outs == OUT).all(0)
    assert 0 < np.count_nonzero(everywhere) < everywhere.size
    assert not mean.theta[everywhere].any()
