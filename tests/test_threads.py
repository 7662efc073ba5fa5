"""Work in threads, also in programs whose main thread has ended."""

import subprocess
import sys
import threading

import pytest

from h2olite.machine.threads import Threads

PROGRAM = """
import threading, time
import h2olite

table = {"x": [float(i % 7) for i in range(3000)], "y": ["a" if i % 7 > 3 else "b" for i in range(3000)]}
given = {"y": "y", "training_frame": table, "hidden": [200, 200], "epochs": 0.5, "seed": 1, "nthreads": 2}
given["score_training_samples"] = 0

def work():
    threading.main_thread().join()
    print(WORK)

threading.Thread(target=work).start()
"""


@pytest.mark.parametrize(
    ("work", "printed"),
    [
        ("h2olite.deeplearning(**given).category", "Binomial"),
        ("h2olite.deeplearning(**given).predict(table).shape", "(3000, 3)"),
        ("h2olite.deeplearning(**given, nfolds=2).cross_validation.metrics.nobs()", "3000"),
        ("len(h2olite.grid({'l1': [0, 1e-3]}, **given))", "2"),
        ("len(h2olite.regularization_path(l1=[1e-4, 1e-3], nfolds=2, **given))", "2"),
    ],
)
def test_work_goes_on_in_a_thread_after_the_main_thread_has_ended(work, printed):
    command = [sys.executable, "-c", PROGRAM.replace("WORK", work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (0, f"{printed}\n"), done.stderr


def test_threads_all_run_from_the_beginning_and_end():
    meeting = threading.Barrier(5)
    before = threading.active_count()
    with Threads(5) as pool:
        assert [future.result(10) for future in [pool.submit(meeting.wait) for _ in range(5)]]
        assert threading.active_count() == before + 5
    assert threading.active_count() == before


def test_results_and_errors_are_those_of_the_call():
    def fail():
        raise KeyError("x")

    with Threads(2) as pool:
        assert [*pool.map(pow, range(5), [2] * 5)] == [0, 1, 4, 9, 16]
        with pytest.raises(KeyError, match="x"):
            pool.submit(fail).result()
        with pytest.raises(SystemExit, match="end"):
            pool.submit(sys.exit, "end").result()
        assert pool.submit(int, "7", base=8).result() == 7


def test_calls_that_wait_can_be_cancelled():
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        return go_on.wait(10)

    pool = Threads(1)
    running, waiting = pool.submit(work), pool.submit(work)
    begun.wait(10)
    pool.shutdown(wait=False, cancel_futures=True)
    go_on.set()
    assert running.result(10)
    assert waiting.cancelled()


def test_threads_end_though_they_take_calls_while_these_are_cancelled():
    for _ in range(100):
        pool = Threads(3)
        futures = [pool.submit(int) for _ in range(5)]
        pool.shutdown(cancel_futures=True)
        assert all(future.done() for future in futures)


def test_where_no_thread_can_be_started_none_is_left(monkeypatch):
    start, started = threading.Thread.start, []

    def start_two(thread):
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)
        started.append(thread)

    monkeypatch.setattr(threading.Thread, "start", start_two)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        Threads(5)
    assert [thread.is_alive() for thread in started] == [False, False]
