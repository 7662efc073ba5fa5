"""Replicas of a network on the workers of a cluster, averaged after every round."""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np
from distributed import Future

from h2olite.data.encoding import EncodedRows
from h2olite.errors import TrainingError
from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.network.network import Network
from h2olite.settings.parameters import counted
from h2olite.training.averaging import Learning, Round
from h2olite.training.shards import Step
from h2olite.training.team import Team

from .cluster import Cluster, Lost, homes
from .source import ClusterSource
from .work import Common, train

ATTEMPTS = 2
"""How often a replica is asked in a round."""

MOST_FAILURES = 3
"""Rounds in a row in which a replica may not answer."""

logger = logging.getLogger("h2olite")


class ClusterTeam(Team):
    """Workers each of which trains copies of a network on rows that are there; this process averages and measures.

    Every call of `train` is a round: each replica gets the common state, and sends its own back. A worker that is lost
    is known by that, and its replicas do the round again on other workers: from the last average, and from rows that
    are read and encoded anew. So the same bits come out. A replica that does not answer at all does not count in this
    round; the next ones train on other rows in place of those.

    Parameters
    ----------
    network, rows, n_threads : to measure the network on some rows in this process.
    batch_size : of the replicas.
    cluster : where they are.
    shards : the rows of each replica, on workers.
    sizes : how many rows each has.
    source : tells whether the weights of rows count.
    homes : the worker of each replica.
    rows_at_once : rows of all replicas in a round.

    Attributes
    ----------
    seen : rows trained on, by worker.
    remarks : sentences for the user.
    """

    def __init__(
        self,
        network: Network,
        rows: EncodedRows,
        n_threads: int,
        batch_size: int,
        *,
        cluster: Cluster,
        shards: list[Future],
        sizes: list[int],
        source: ClusterSource,
        homes: list[str],
        rows_at_once: int,
    ) -> None:
        super().__init__(network, rows, n_threads, batch_size)
        self.batch_size, self.rows_at_once = batch_size, rows_at_once
        self.seen: Counter[str] = Counter()
        self.remarks: list[str] = []
        self._cluster, self._shards, self._sizes, self._source = cluster, shards, sizes, source
        self._homes, self._workers = homes, cluster.workers()
        self._number, self._taken = 0, [0] * len(shards)
        self._was_alike = source.is_alike
        self._failures = [0] * len(shards)

    def train(self, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray) -> None:
        """Train on as many rows as the order has, which the workers choose: one round."""
        self.check(objective, rows)
        self._number += 1
        dealt = self._source.dealer.deal(order.size)
        alike = self._source.is_alike
        if self._was_alike and not alike:  # epochs by weight have an order of their own
            self._taken = [0] * len(self._shards)
        self._was_alike = alike
        n = len(self._shards)
        steps = {
            replica: Step(replica, n, self._number, self._taken[replica], n_rows, alike)
            for replica, n_rows in enumerate(dealt)
            if n_rows
        }
        self._taken = [taken + n_rows for taken, n_rows in zip(self._taken, dealt, strict=True)]
        network = self.network
        state = network.state()
        round_ = Round(self._number, state, {replica: step.n_rows for replica, step in steps.items()})
        learning = Learning(network.layout, objective, rule, self.batch_size, None)  # type: ignore[arg-type]
        why = self._ask(round_, steps, Common(state, learning))
        outcome = round_.close()
        self._note_lost(outcome.lost, why)
        made = outcome.state
        network.iterate[:] = made.theta
        if network.is_averaged:
            network.theta[:] = made.mean
        network.first[:], network.second[:], network.activity[:] = made.first, made.second, made.activity
        network.rows_seen, network.n_updates = made.rows_seen, made.n_updates

    def _ask(self, round_: Round, steps: dict[int, Step], what: Common) -> str:
        """Have all replicas of a round do their steps; tells why some did not."""
        cluster, why = self._cluster, ""
        for _ in range(ATTEMPTS):
            self._settle_in()
            # One on each worker, so that a worker that hangs keeps nobody else waiting.
            common = {home: cluster.place(what, worker=home) for home in sorted({*self._homes})}
            futures = {
                replica: cluster.submit(train, self._shards[replica], common[home], steps[replica], worker=home)
                for replica, home in enumerate(self._homes)
                if replica in round_.missing
            }
            in_time = cluster.settled(futures.values())
            for replica, future in futures.items():
                if not future.done():
                    why = f"not within {cluster.timeout:g} seconds"
                    continue
                try:
                    answer = cluster.result(future, f"replica {replica + 1} in round {round_.number}")
                except Lost as error:
                    why = str(error)
                    continue
                why = round_.accept(answer.result) or why
                if replica not in round_.missing:
                    self.seen[answer.worker] += answer.result.n_rows
            cluster.client.cancel([future for future in futures.values() if not future.done()])
            if not round_.missing or not in_time:  # who was late once will be late again
                break
        return why

    def _settle_in(self) -> None:
        """Take note of workers that came and went, and give all of them replicas."""
        workers = self._cluster.await_workers()
        if workers == self._workers:
            return
        gone, come = self._workers.keys() - workers.keys(), workers.keys() - self._workers.keys()
        self._workers = workers
        self._homes = homes(self._sizes, workers, self._homes)
        for worker in sorted(gone):
            self._tell(
                f"worker {worker} was lost in round {self._number}; its rows are read again by others, and training "
                "goes on from the last average."
            )
        for worker in sorted(come):
            n = self._homes.count(worker)
            logger.info("worker %s has joined in round %d and trains %s.", worker, self._number, counted(n, "replica"))

    def _note_lost(self, lost: dict[int, int], why: str) -> None:
        """Tell of replicas that did not answer."""
        for replica in range(len(self._shards)):
            self._failures[replica] = self._failures[replica] + 1 if replica in lost else 0
        if lost:
            self._tell(
                f"round {self._number}: {counted(len(lost), 'replica')} of {len(self._shards)} did not answer ({why}); "
                f"the model has not learnt from {sum(lost.values()):,} rows of this round."
            )
        if max(self._failures) >= MOST_FAILURES:
            replica = self._failures.index(max(self._failures))
            raise TrainingError(
                f"replica {replica + 1} did not answer in {MOST_FAILURES} rounds ({why}): the model would not learn "
                f"from its {self._sizes[replica]:,} rows; look at the workers, and train on from a checkpoint."
            )

    def _tell(self, sentence: str) -> None:
        """Tell something at once, and with the model."""
        logger.warning("%s", sentence)
        self.remarks.append(sentence)
