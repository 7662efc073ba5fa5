import numpy as np
import pytest
from examples import network, objective, rule, table

import h2olite
from h2olite.fitting import cross_validation
from h2olite.kernels import rows as kernels
from h2olite.machine.threads import Threads
from h2olite.training import team


@pytest.fixture
def crashing(monkeypatch):
    """A kernel that fails in its threads once training has begun."""
    train_rows = kernels.train_rows

    def crash(*arguments):
        if arguments[5].size:  # the rows; none while compiling
            raise MemoryError("a thread's memory is gone")
        train_rows(*arguments)

    monkeypatch.setattr(team.kernels, "train_rows", crash)
    monkeypatch.setattr(team, "is_compiled", lambda *_: True)


def test_crash_of_a_thread_is_one_error_and_no_hang(crashing):
    table = {"x": np.arange(4000.0), "y": np.arange(4000.0)}
    with pytest.raises(MemoryError, match="a thread's memory is gone"):
        h2olite.deeplearning(y="y", training_frame=table, hidden=[3], epochs=1e6, nthreads=2)


def test_interruption_before_all_threads_are_called_leaves_none_waiting(monkeypatch):
    submit, called = Threads.submit, []

    def submit_one(*arguments):
        if called:
            raise KeyboardInterrupt
        called.append(arguments)
        return submit(*arguments)

    goal, rows = objective(hidden=(200, 200)), table(100)
    with team.Team(network(hidden=(200, 200)), rows, n_threads=2) as both:
        monkeypatch.setattr(Threads, "submit", submit_one)
        with pytest.raises(KeyboardInterrupt):
            both.train(goal, rule(), rows, np.tile(np.arange(100), 10))  # enough to try a team
    assert called


def test_crash_of_a_fold_ends_the_others(monkeypatch):
    fit, calls = cross_validation.fit, []

    def crash_once(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise RuntimeError("a fold is gone")
        return fit(*arguments)

    monkeypatch.setattr(cross_validation, "fit", crash_once)
    table = {"x": np.arange(40.0), "y": np.arange(40.0)}
    with pytest.raises(RuntimeError, match="a fold is gone"):
        h2olite.deeplearning(y="y", training_frame=table, hidden=[3], epochs=1e9, stopping_rounds=0, nfolds=2)
