"""Tasks on the workers of a Dask cluster, where every wait has an end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from distributed import CancelledError, Client, Future, KilledWorker, wait
from distributed.comm import CommClosedError

from h2olite.errors import H2OLiteError, ParameterError, TrainingError
from h2olite.settings.parameters import counted

from .work import same

LOOK_SECONDS = 1.0
"""How often a wait looks whether there is still a cluster."""

MOST_SECONDS_ALONE = 60.0
"""How long a cluster may be without a worker: a machine that starts anew takes that long."""


class Lost(Exception):
    """What a task has made is lost, or its worker was: the task may be given again."""


def client_of(client: Client | None) -> Client:
    """The client given, or else the one of the calling program.

    Raises
    ------
    ParameterError : there is none, or it is asynchronous.
    """
    if client is None:
        try:
            client = Client.current()
        except ValueError:
            raise ParameterError(
                "client is missing, and the program has none; make one, for example by distributed.Client()."
            ) from None
    if not isinstance(client, Client):
        raise ParameterError(f"client must be a distributed.Client; got {type(client).__name__}.")
    if client.asynchronous:
        raise ParameterError("client must not be asynchronous; make one with asynchronous=False.")
    return client


class Cluster:
    """The workers that a client reaches.

    Parameters
    ----------
    client : Dask's.
    timeout : seconds that any wait takes at the most.
    """

    def __init__(self, client: Client, timeout: float) -> None:
        self.client = client
        self.timeout = timeout
        self._alone_since: float | None = None

    def workers(self) -> dict[str, int]:
        """The address of each worker, and its number of threads.

        Raises
        ------
        TrainingError : the scheduler does not answer.
        """
        try:
            found = self.client.sync(self.client.scheduler.ncores, callback_timeout=min(self.timeout, 60.0))
        except (OSError, TimeoutError, CommClosedError, AttributeError, RuntimeError) as error:
            raise TrainingError(
                f"the scheduler of the cluster does not answer ({type(error).__name__}: {error}); start it again, and "
                "train on from a checkpoint."
            ) from None
        return dict(sorted(found.items()))

    def await_workers(self) -> dict[str, int]:
        """The workers, once there is one.

        Raises
        ------
        TrainingError : there is none within the time.
        """
        end = time.monotonic() + min(self.timeout, MOST_SECONDS_ALONE)
        while not (found := self.workers()):
            if time.monotonic() > end:
                raise TrainingError("the cluster has no worker; start some, for example by `dask worker`.")
            time.sleep(LOOK_SECONDS / 10)
        return found

    def submit(self, function: Callable[..., Any], *arguments: Any, worker: str | None = None) -> Future:
        """Have a worker call a function: this one, if it is there."""
        return self.client.submit(
            function,
            *arguments,
            pure=False,
            workers=None if worker is None else [worker],
            allow_other_workers=worker is not None,
        )

    def rows_near(
        self, parts: Mapping[int, Future], sizes: Sequence[int], shards: Sequence[Sequence[int]]
    ) -> list[Counter[str]]:
        """How many rows of each shard every worker has, by the parts of which shards are made."""
        keys = [future.key for future in parts.values()]
        holders = self.client.sync(self.client.scheduler.who_has, keys=keys, callback_timeout=self.timeout)
        near: list[Counter[str]] = [Counter() for _ in shards]
        for own, of_shard in zip(near, shards, strict=True):
            for part in of_shard:
                for worker in holders.get(parts[part].key, ()):
                    own[worker] += sizes[part]
        return near

    def place(self, value: Any, worker: str | None = None) -> Future:
        """A value as the result of a task, which is made anew if its worker is lost."""
        return self.submit(same, value, worker=worker)

    def settled(self, futures: Iterable[Future], seconds: float | None = None) -> bool:
        """Wait until tasks have ended, well or not, or until the time is over; tells whether they have ended.

        Raises
        ------
        TrainingError : the scheduler is gone, or all workers are and none came.
        """
        end = time.monotonic() + (self.timeout if seconds is None else seconds)
        left = [future for future in futures if not future.done()]
        while left:
            most = min(end - time.monotonic(), LOOK_SECONDS)
            if most <= 0:
                return False
            try:
                wait(left, timeout=most)
            except (TimeoutError, CancelledError):
                self._refuse_to_be_alone()
            left = [future for future in left if not future.done()]
        return True

    def result(self, future: Future, what: str) -> Any:
        """What a task that has ended has made.

        Raises
        ------
        Lost : its worker was lost, and so was what it made.
        H2OLiteError : as the task raised it.
        TrainingError : the task failed otherwise.
        """
        try:
            return future.result(timeout=self.timeout)
        except H2OLiteError:
            raise
        except (KilledWorker, CancelledError, TimeoutError, CommClosedError) as error:
            raise Lost(f"{what}: {type(error).__name__}: {error}") from None
        except Exception as error:
            raise TrainingError(f"{what} failed on a worker: {type(error).__name__}: {error}.") from error

    def results(self, futures: Sequence[Future], what: str) -> list[Any]:
        """What tasks make, once all have ended.

        Raises
        ------
        TrainingError : they do not end within the time, or their workers are lost again and again.
        """
        if not self.settled(futures):
            n_left = sum(not future.done() for future in futures)
            raise TrainingError(
                f"{what}: {counted(n_left, 'task')} of {len(futures)} did not end within {self.timeout:g} seconds; "
                "look at the cluster, or give a longer timeout."
            )
        try:
            return [self.result(future, what) for future in futures]
        except Lost as error:
            raise TrainingError(
                f"{error}; workers may lack memory, or may not be able to read the table; give them more."
            ) from None

    def _refuse_to_be_alone(self) -> None:
        """Raise once there has been no worker for too long."""
        if self.workers():
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > min(self.timeout, MOST_SECONDS_ALONE):
            raise TrainingError("all workers of the cluster are lost; start others, and train on from a checkpoint.")


def homes(
    sizes: Sequence[int],
    workers: Mapping[str, int],
    before: Sequence[str | None],
    near: Sequence[Mapping[str, int]] | None = None,
) -> list[str]:
    """Which worker each replica is on: as many for each thread as possible, and as few moves as possible.

    Parameters
    ----------
    sizes : rows of each replica.
    workers : threads of each worker, at least one.
    before : where each replica is; None for nowhere yet.
    near : bytes of each replica that each worker has.
    """
    n_threads = sum(workers.values())
    most = {worker: -(-len(sizes) * threads // n_threads) for worker, threads in workers.items()}
    found: list[str | None] = [None] * len(sizes)
    loads = dict.fromkeys(workers, 0)
    for replica, worker in enumerate(before):
        if worker in most and loads[worker] < most[worker]:
            found[replica] = worker
            loads[worker] += 1
    for replica, worker in enumerate(found):
        if worker is None:
            own = near[replica] if near else {}
            free = [w for w in workers if loads[w] < most[w]]
            best = min(free, key=lambda w: (-own.get(w, 0), loads[w] / workers[w], w))
            found[replica] = best
            loads[best] += 1
    return [worker for worker in found if worker is not None]
