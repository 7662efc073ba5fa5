"""Several trainings at the same time, or one after the other, that are watched as one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import TypeVar

from h2olite.machine.threads import Threads
from h2olite.training.trainer import Progress

Result = TypeVar("Result")

Watch = Callable[[Progress], bool | None]

SIGNAL_SECONDS = 0.1
"""How long a signal may wait while other threads train."""


class JointProgress:
    """Tells one watcher of several trainings as if they were one; they may run at the same time.

    Parameters
    ----------
    watch : the watcher; when it returns False, or after `interrupt`, all trainings are told to end.
    epochs : the most epochs of each training.
    """

    def __init__(self, watch: Watch | None, epochs: Sequence[float]) -> None:
        self.interrupted = False
        self._watch = watch
        self._started = math.inf
        self._epochs, self._most = [0.0] * len(epochs), list(epochs)
        self._rows = [0] * len(epochs)
        self._lock = threading.Lock()

    def interrupt(self) -> None:
        """Have all trainings end after the running block."""
        self.interrupted = True

    def finish(self, training: int) -> None:
        """Take note that a training has ended, maybe early."""
        self._most[training] = self._epochs[training]

    def of(self, training: int) -> Watch:
        """The watcher to give to a training; the history of the last one only is passed on."""

        def watch(progress: Progress) -> bool:
            with self._lock:
                self._epochs[training], self._most[training] = progress.epochs, progress.total_epochs
                self._rows[training] = progress.rows_seen
                # from when the first of them began to train: compiling and encoding tell nothing of the speed
                self._started = min(self._started, time.perf_counter() - progress.seconds)
                seconds = time.perf_counter() - self._started
                joint = Progress(
                    epochs=sum(self._epochs),
                    total_epochs=sum(self._most),
                    rows_seen=sum(self._rows),
                    rows_per_second=sum(self._rows) / seconds if seconds else 0.0,
                    seconds=seconds,
                    row=progress.row if training == len(self._rows) - 1 else None,
                )
                if self._watch is not None and self._watch(joint) is False:
                    self.interrupt()
                return not self.interrupted

        return watch

    def results(self, train: Callable[[int], Result | None], n_trainings: int, at_once: int) -> list[Result]:
        """What the first trainings give, such as models; without those that did not begin.

        at_once : how many of them run at the same time.

        The first error ends all trainings.
        """
        with Threads(at_once) as pool:
            try:
                futures = [pool.submit(train, training) for training in range(n_trainings)]
                results = [result_of(future) for future in futures]
            except BaseException:
                self.interrupt()
                raise
        return [result for result in results if result is not None]


def result_of(future: Future[Result]) -> Result:
    """What another thread gives, waited for in naps: a signal is handled only when the main thread is awake."""
    while not wait([future], SIGNAL_SECONDS).done:
        pass
    return future.result()
