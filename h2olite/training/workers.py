"""A team of threads that passes rows through one network."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np

from h2olite.control_groups import usable_cores
from h2olite.data.encoding import EncodedRows
from h2olite.errors import ParameterError
from h2olite.kernels import rows as kernels
from h2olite.kernels.compiling import is_compiled
from h2olite.kernels.passes import Layout, Workspace
from h2olite.kernels.rows import Objective
from h2olite.kernels.sparse import predict_sparse_rows
from h2olite.kernels.teams import GONE
from h2olite.kernels.updates import Rule
from h2olite.network.network import Network
from h2olite.network.sparse import LEAST_ROWS, is_sparse, sparse_layers, sparse_workspace
from h2olite.network.topology import members_of_team, workspace

_compiling = threading.Lock()

TILE = 32
"""Rows predicted together: their activations stay in the cache while a row of weights serves all of them."""

WEIGHTS_OF_PARTS = (10_000, 100_000, 1_000_000)
"""Weights that a mini-batch uses from which a network is divided into 2, 4 and 8 parts: with fewer, threads that have
a part each wait for one another longer than they gain."""

TRIAL, BLOCKS_BETWEEN_TRIALS = 256, 8
"""Rows, at the least, by which a team and a single thread are compared, and how often. Where other programs use the
same cores, members of a team wait for one another's turn, and a thread that does all parts itself is faster."""

SAMPLED_ROWS = 10_000
"""About how many rows tell how often each level is present."""


class Workers:
    """Threads with scratch memory of their own; the network is shared.

    Predictions divide the rows among all threads. In training, a team of threads passes the same mini-batch through the
    network, each with its own part of the weights (see `h2olite.kernels.teams`): as many as have enough to do.
    """

    precision: type = np.float32
    """Type of the numbers that rows must hold."""

    def __init__(self, network: Network, rows: EncodedRows, n_threads: int, batch_size: int = 1) -> None:
        self.network = network
        n_rows, n_categorical = rows.levels.shape
        n_numeric = rows.numbers.shape[1]
        # A mini-batch of more rows than there are would only repeat them, and take memory for them.
        self.batch_size = max(min(batch_size, n_rows), 1)
        capacity = max(TILE, self.batch_size)
        self._alone = [workspace(network.layout, n_categorical, n_numeric, capacity) for _ in range(n_threads)]
        n_used = self.batch_size * weights_in_use(network.layout, n_categorical + n_numeric)
        n_parts = 2 ** int(np.searchsorted(WEIGHTS_OF_PARTS, n_used, side="right"))
        bounds = level_bounds(rows.levels, self._alone[0].first.size, n_parts)
        size = capacity * int(network.layout.widths.max())
        self._team, self._solo = (
            [work._replace(member=member) for work, member in zip(self._alone, members, strict=False)]
            for members in (members_of_team(bounds, size, n) for n in (min(n_threads, n_parts), 1))
        )
        self._crew = self._solo
        self._blocks = 0
        self._pool = start_threads(n_threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def compile(self, objective: Objective, rule: Rule, rows: EncodedRows) -> None:
        """Have the kernels compiled, or loaded, before threads start or clocks run."""
        with _compiling:  # models trained at the same time say it once
            if not is_compiled(kernels.train_rows):
                logging.getLogger("h2olite").warning("Compiling the kernels, which takes some seconds the first time.")
            nothing = np.empty(0, np.int64)
            self.train(objective, rule, rows, nothing, 0)
            self.pay_penalties(rule, nothing, 0.0)
            self.predict(objective, rows, nothing)

    def train(self, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray, seed: int) -> None:
        """Train on these rows, in this order, by a team or by one thread, whichever is faster now."""
        n_trial = -(-TRIAL // self.batch_size) * self.batch_size
        if len(self._team) > 1 and order.size > 2 * n_trial:
            if self._blocks % BLOCKS_BETWEEN_TRIALS == 0:
                took = []
                for crew in (self._team, self._solo):
                    started = time.perf_counter()
                    self._train(crew, objective, rule, rows, order[:n_trial], seed)
                    took.append(time.perf_counter() - started)
                    order = order[n_trial:]
                self._crew = self._team if took[0] < took[1] else self._solo
            self._blocks += 1
        self._train(self._crew, objective, rule, rows, order, seed)

    def _train(
        self, crew: list[Workspace], objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray, seed: int
    ) -> None:
        """Train on these rows by a team or a single thread."""
        network = self.network
        mean = network.theta if network.is_averaged else np.empty(0, np.float32)
        together = threading.Barrier(len(crew))

        def run(work: Workspace) -> None:
            try:
                together.wait()
                kernels.train_rows(
                    network.layout,
                    network.iterate,
                    mean,
                    network.first,
                    network.second,
                    network.activity,
                    objective,
                    rule,
                    rows,
                    order,
                    self.batch_size,
                    network.rows_seen,
                    np.uint64(seed),
                    work,
                )
            except BaseException:
                work.member.arrivals[work.member.place] = GONE  # or the others would wait for it
                raise

        try:
            self._run(run, ((work,) for work in crew))
        except BaseException:
            together.abort()  # an interruption may have kept some members from being called
            raise
        network.rows_seen += order.size

    def pay_penalties(self, rule: Rule, columns: np.ndarray, n_updates: float) -> None:
        """Let the penalties that make zeros act for n_updates; columns: where the inputs of each predictor start."""
        network = self.network
        kernels.pay_penalties(
            network.layout,
            network.iterate,
            network.first,
            network.second,
            columns,
            rule,
            n_updates,
            network.rows_seen,
        )

    def predict(self, objective: Objective, rows: EncodedRows, order: np.ndarray | None = None) -> np.ndarray:
        """Class probabilities, linear outputs or reconstructions of these rows, float32 (n_rows, n_outputs).

        order : which rows, all if not given.
        """
        network = self.network
        order = np.arange(len(rows.levels)) if order is None else order
        outputs = np.empty((order.size, network.layout.sizes[-1]), np.float32)
        size = max(-(-order.size // (len(self._alone) * TILE)), 1) * TILE
        n_numeric = rows.numbers.shape[1]
        n_levels = int(network.layout.sizes[0]) - n_numeric
        layers = None
        if order.size >= LEAST_ROWS and is_sparse(network, n_levels):
            layers = sparse_layers(network, n_levels)

        def run(start: int, work: Workspace) -> None:
            part, into = order[start : start + size], outputs[start : start + size]
            if layers is not None:
                predict_sparse_rows(layers, objective, rows, part, into, sparse_workspace(layers, n_numeric))
            else:
                kernels.predict_rows(network.layout, network.theta, objective, rows, part, into, work)

        self._run(run, zip(range(0, max(order.size, 1), size), self._alone, strict=False))
        return outputs

    def reconstruction_errors(self, objective: Objective, rows: EncodedRows, order: np.ndarray) -> np.ndarray:
        """Outputs of an autoencoder less its inputs, float32 (n_rows, n_inputs)."""
        errors = self.predict(objective, rows, order)
        errors[:, errors.shape[1] - rows.numbers.shape[1] :] -= rows.numbers[order]
        for inputs in rows.levels[order].T:
            present = np.flatnonzero(inputs >= 0)
            errors[present, inputs[present]] -= 1
        return errors

    def _run(self, run: Callable[..., None], calls: Iterable[tuple]) -> None:
        """Call run(*arguments) for each of at most as many arguments as there are threads, in parallel."""
        calls = list(calls)
        if self._pool is None or len(calls) == 1:
            for arguments in calls:
                run(*arguments)
        else:
            for future in [self._pool.submit(run, *arguments) for arguments in calls]:
                future.result()


def weights_in_use(layout: Layout, n_columns: int) -> int:
    """Weights that a row uses at the most: those out of its inputs, one for each column, and out of all units."""
    return int(n_columns * layout.widths[0] + (layout.sizes[1:-1] * layout.widths[1:]).sum())


def level_bounds(levels: np.ndarray, n_levels: int, n_members: int) -> list[int]:
    """The first categorical input of each member, and their number: inputs that are equally often present."""
    sample = levels[:: 1 + len(levels) // SAMPLED_ROWS]
    present = np.sort(sample[sample >= 0])
    inner = [int(present[present.size * k // n_members]) if present.size else 0 for k in range(1, n_members)]
    return [0, *inner, n_levels]


def start_threads(n_threads: int) -> ThreadPoolExecutor | None:
    """Threads that all run already, since members of a team wait for one another; none for a single thread."""
    if n_threads == 1:
        return None
    pool, started = ThreadPoolExecutor(n_threads), threading.Barrier(n_threads)
    try:
        for future in [pool.submit(started.wait) for _ in range(n_threads)]:
            future.result()
    except BaseException:
        started.abort()
        pool.shutdown()
        raise
    return pool


def usable_threads() -> int:
    """Threads that this process may use: H2OLITE_NTHREADS of them, or else as many as it has whole cores."""
    chosen = os.environ.get("H2OLITE_NTHREADS", "0")
    if not chosen.isdecimal():
        raise ParameterError(f"H2OLITE_NTHREADS must be a number of threads, 0 for all cores; got {chosen!r}.")
    if int(chosen):
        return int(chosen)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Threads wait for one another: with more than a quota lets run, all of them would stand still again and again.
    return max(int(min(cores, usable_cores())), 1)
