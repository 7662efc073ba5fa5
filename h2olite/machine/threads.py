"""Threads that take calls, and how many of them this process may use."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from h2olite.errors import ParameterError

from .control_groups import usable_cores

Given = ParamSpec("Given")
Result = TypeVar("Result")

Call = tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Threads(Executor):
    """An executor of so many threads, all of which run from the beginning.

    Unlike Python's ThreadPoolExecutor it works in a program whose main thread has ended: there that one refuses calls,
    and cannot even be imported.

    Raises
    ------
    RuntimeError : the system allows no more threads.
    """

    def __init__(self, n_threads: int) -> None:
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        try:
            for _ in range(n_threads):
                thread = threading.Thread(target=_serve, args=(self._calls,), daemon=True)
                thread.start()
                self._threads.append(thread)
        except BaseException:
            self.shutdown()
            raise

    def submit(self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        """Have a thread call the function as soon as one is free."""
        future: Future[Result] = Future()
        self._calls.put((future, function, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads when they have made all calls, or with cancel_futures those that they have begun."""
        if cancel_futures:
            with contextlib.suppress(queue.Empty):  # the threads may take the last call meanwhile
                while True:
                    if (call := self._calls.get_nowait()) is not None:
                        call[0].cancel()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads if wait else ():
            thread.join()


def _serve(calls: queue.SimpleQueue[Call | None]) -> None:
    """Make calls until there is None."""
    while (call := calls.get()) is not None:
        future, function, args, kwargs = call
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:  # it belongs to whoever asks for the result
                future.set_exception(error)
        del call, future, function, args, kwargs  # or they would live until the next call


def usable_threads() -> int:
    """Threads that this process may use: H2OLITE_NTHREADS of them, or else as many as it has whole cores.

    NUMBA_NUM_THREADS makes that fewer: joblib sets it so that its processes together use each core once.
    """
    chosen = os.environ.get("H2OLITE_NTHREADS", "0")
    if not chosen.isdecimal():
        raise ParameterError(f"H2OLITE_NTHREADS must be a number of threads, 0 for all cores; got {chosen!r}.")
    if int(chosen):
        return int(chosen)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = os.environ.get("NUMBA_NUM_THREADS", "")
    if most.isdecimal() and int(most):
        cores = min(cores, int(most))
    # Threads wait for one another: with more than a quota lets run, all of them would stand still again and again.
    return max(int(min(cores, usable_cores())), 1)
