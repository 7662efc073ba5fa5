"""How the work is divided among threads."""

import os
import threading

import numpy as np
import pytest
from examples import network, objective, rule, table

from h2olite.network.topology import lay_out
from h2olite.training import team
from h2olite.training.team import level_bounds, parts_of, weights_in_use


def test_a_row_uses_the_weights_out_of_its_columns_and_of_all_units():
    assert weights_in_use(lay_out([1000, 200, 50, 30]), 7) == 7 * 208 + 200 * 64 + 50 * 32
    assert weights_in_use(lay_out([1000, 200, 50, 3]), 7) == 7 * 208 + 200 * 64
    assert weights_in_use(lay_out([1000, 1]), 7) == 7 * 16


def test_networks_of_more_weights_have_more_parts_and_large_batches_two_at_the_most():
    def parts(width, batch_size):
        return parts_of(lay_out([10, width, width, 1]), 10, batch_size)

    assert [parts(width, 1) for width in (20, 100, 400, 1000)] == [1, 2, 4, 8]
    assert [parts(20, batch_size) for batch_size in (1, 32, 10_000)] == [1, 2, 2]


@pytest.mark.parametrize("size", [1, 30, 256])
def test_a_team_and_a_single_thread_are_both_tried_again_and_again(size, monkeypatch):
    tried, train = [], team.Team._train
    monkeypatch.setattr(
        team.Team, "_train", lambda self, which, *rest: tried.append(which) or train(self, which, *rest)
    )
    goal, rows, order = objective(hidden=(200, 200)), table(size), np.arange(size)
    with team.Team(network(hidden=(200, 200)), rows, n_threads=2) as both:
        for _ in range(40):
            both.train(goal, rule(), rows, order)
        assert both.network.rows_seen == 40 * size
    assert min(tried.count(0), tried.count(1)) >= 4


def test_a_team_goes_on_after_a_thread_failed(monkeypatch):
    def fail(*arguments):
        if arguments[-1].member.place == 1:
            raise MemoryError("no room")
        return train_rows(*arguments)

    train_rows = team.kernels.train_rows
    goal, rows = objective(hidden=(200, 200)), table(100)
    with team.Team(network(hidden=(200, 200)), rows, n_threads=2) as both:
        monkeypatch.setattr(team.kernels, "train_rows", fail)
        with pytest.raises(MemoryError, match="no room"):
            both._train(0, goal, rule(), rows, np.arange(100))
        monkeypatch.setattr(team.kernels, "train_rows", train_rows)
        both._train(0, goal, rule(), rows, np.arange(100))
        assert both.network.rows_seen == 100


def test_parts_have_levels_that_are_equally_often_present():
    random = np.random.default_rng(0)
    levels = np.column_stack([random.integers(0, 3, 30_000), random.integers(3, 500, 30_000)]).astype(np.int32)
    levels[random.random(levels.shape) < 0.3] = -1
    bounds = level_bounds(levels, 500, 4)
    shares = np.histogram(levels[levels >= 0], bounds)[0] / np.count_nonzero(levels >= 0)
    assert (bounds[0], bounds[-1]) == (0, 500)
    assert shares.sum() == 1
    assert abs(shares - 0.25).max() < 1 / 6 + 0.01  # the share of the largest level


@pytest.mark.parametrize("levels", [np.empty((5, 0), np.int32), np.full((5, 2), -1, np.int32)])
def test_bounds_without_any_level_present(levels):
    bounds = level_bounds(levels, 9, 3)
    assert (bounds[0], bounds[-1]) == (0, 9)
    assert bounds == sorted(bounds)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_forked_while_another_thread_compiles_can_compile_too():
    has_begun, may_end = threading.Event(), threading.Event()

    def compile_for_a_while():
        with team._compiling:
            has_begun.set()
            may_end.wait(0.2)

    thread = threading.Thread(target=compile_for_a_while)
    thread.start()
    has_begun.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if team._compiling.acquire(timeout=1) else 1)
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
