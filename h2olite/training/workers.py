"""A team of threads that passes rows through one network."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType

import numpy as np

from h2olite.control_groups import usable_cores
from h2olite.data.encoding import EncodedRows
from h2olite.errors import ParameterError
from h2olite.kernels import rows as kernels
from h2olite.kernels.caching import CACHE_FOLDER
from h2olite.kernels.compiling import is_compiled
from h2olite.kernels.layout import TILE, Layout, Workspace
from h2olite.kernels.penalties import settle
from h2olite.kernels.rows import Objective
from h2olite.kernels.sparse import predict_sparse_rows
from h2olite.kernels.teams import GONE
from h2olite.kernels.updates import Rule
from h2olite.network.network import Network, no_dues
from h2olite.network.sparse import LEAST_ROWS, is_sparse, sparse_layers, sparse_workspace
from h2olite.network.topology import exchange_of, members_of_team, workspace

from .engine import Engine

_compiling = threading.RLock()

if hasattr(os, "register_at_fork"):
    # A fork waits until nothing is compiled: the compiler's lock would stay locked in the child for ever.
    os.register_at_fork(
        before=_compiling.acquire, after_in_parent=_compiling.release, after_in_child=_compiling.release
    )

LEAST_SHARED = 10_000
"""Weights that a mini-batch uses from which a network is divided into two parts: with fewer, threads that have a part
each wait for one another longer than they gain."""

WEIGHTS_OF_MORE_PARTS = (100_000, 1_000_000)
"""Weights that a row uses from which there are 4, and 8. Every part takes sums of its own."""

CALLS_BETWEEN_TRIALS, SHARE_OF_TRIAL = 4, 16
"""How often the slower of a team and a single thread is tried again, with which part of the rows. Where other programs
use the same cores, members of a team wait for one another's turn, and a thread that does all parts itself is faster."""

LEAST_TO_COMPARE = 0.002
"""Seconds of training that tell how fast it is; waking threads takes up to a tenth of a millisecond."""

SAMPLED_ROWS = 10_000
"""About how many rows tell how often each level is present."""


class Workers(Engine):
    """Threads with scratch memory of their own; the network is shared.

    Predictions divide the rows among all threads. In training, a team of threads passes the same mini-batch through the
    network, each with its own part of the weights (see `h2olite.kernels.teams`): as many as have enough to do.
    """

    def __init__(self, network: Network, rows: EncodedRows, n_threads: int, batch_size: int = 1) -> None:
        super().__init__(network)
        n_rows, n_categorical = rows.levels.shape
        n_numeric = rows.numbers.shape[1]
        # A mini-batch of more rows than there are would only repeat them, and take memory for them.
        self.batch_size = max(min(batch_size, n_rows), 1)
        layout = network.layout
        capacity = max(TILE, self.batch_size)
        self._alone = [workspace(layout, n_categorical, n_numeric, capacity) for _ in range(n_threads)]
        n_parts = parts_of(layout, n_categorical + rows.numbers_in_use(), self.batch_size)
        bounds = level_bounds(rows.levels, self._alone[0].first.size, n_parts)
        exchange = exchange_of(layout, n_parts, self.batch_size)
        self._crews = [
            [work._replace(member=member) for work, member in zip(self._alone, members, strict=False)]
            for n in sorted({min(n_threads, n_parts), 1}, reverse=True)
            for members in [members_of_team(layout, bounds, exchange, n)]
        ]
        self._paces = [0.0] * len(self._crews)  # seconds a row; 0 has each tried until it is known
        self._calls = 0
        self.dues = no_dues(network)
        self._pool = start_threads(n_threads)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def compile(self, objective: Objective, rule: Rule, rows: EncodedRows) -> None:
        """Have the kernels compiled, or loaded, before clocks run."""
        with _compiling:  # models trained at the same time say it once
            if not is_compiled(kernels.train_rows):
                when = "the first time" if CACHE_FOLDER else "in every process: no folder can keep their machine code"
                logging.getLogger("h2olite").warning("Compiling the kernels, which takes some seconds %s.", when)
            nothing = np.empty(0, np.int64)
            self.train(objective, rule, rows, nothing, 0)
            if rule.l1 > 0 or rule.input_group_l1 > 0:
                self.settle(rule, 0)
            self.predict(objective, rows, nothing)

    def train(self, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray, seed: int) -> None:
        """Train on these rows, in this order, by a team or by one thread, whichever is faster now."""
        self.check(objective, rows)
        start = 0
        for which, n_rows in self.turns(order.size):
            self._train(which, objective, rule, rows, order[start : start + n_rows], seed)
            start += n_rows

    def turns(self, n_rows: int) -> list[tuple[int, int]]:
        """Which crew trains the next rows, and how many, one turn after the other; all but the last are whole batches.

        The first crew is the team, if there is one. Which rows a crew trains changes no bit of what is learnt.
        """
        fastest = self._paces.index(min(self._paces))
        self._calls += 1
        if len(self._crews) == 1 or self._calls % CALLS_BETWEEN_TRIALS:
            return [(fastest, n_rows)]
        n_trial = min(max(n_rows // SHARE_OF_TRIAL // self.batch_size, 1) * self.batch_size, n_rows)
        return [(1 - fastest, n_trial), (fastest, n_rows - n_trial)]

    def _train(
        self, which: int, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray, seed: int
    ) -> None:
        """Train on these rows by one of the crews, and note its pace."""
        crew, started = self._crews[which], time.perf_counter()
        network = self.network
        mean = network.theta if network.is_averaged else np.empty(0, np.float32)
        state = network.iterate, network.first, network.second
        outer = tuple(of_network[network.layout.weights[network.layout.n_input_major] :] for of_network in state)
        outers = [outer, *(tuple(map(np.copy, outer)) for _ in crew[1:])]
        together = threading.Barrier(len(crew))
        crew[0].member.arrivals[:] = 0  # of a training that failed

        def run(work: Workspace, outer: tuple[np.ndarray, ...]) -> None:
            try:
                together.wait()
                kernels.train_rows(
                    network.layout,
                    network.iterate,
                    mean,
                    network.first,
                    network.second,
                    network.activity,
                    outer,
                    self.dues,
                    objective,
                    rule,
                    rows,
                    order,
                    self.batch_size,
                    network.rows_seen,
                    np.uint64(seed % 2**64),
                    work,
                )
            except BaseException:
                work.member.arrivals[work.member.place] = GONE  # or the others would wait for it
                raise

        try:
            self._run(run, zip(crew, outers, strict=True))
        except BaseException:
            together.abort()  # an interruption may have kept some members from being called
            raise
        network.rows_seen += order.size
        took = time.perf_counter() - started
        if order.size and took > LEAST_TO_COMPARE:
            self._paces[which] = took / order.size

    def settle(self, rule: Rule, judged_rows: int) -> None:
        """Let the penalties that make zeros act for all updates, and judge the weights by the last rows, if any."""
        network = self.network
        state = network.iterate, network.first, network.second
        settle(network.layout, *state, self.dues, rule, int(self.dues.owed[0]), network.rows_seen, judged_rows)

    def predict(self, objective: Objective, rows: EncodedRows, order: np.ndarray | None = None) -> np.ndarray:
        """Class probabilities, linear outputs or reconstructions of these rows: float32 (n_rows, n_outputs)."""
        self.check(objective, rows)
        network = self.network
        order = np.arange(len(rows.levels)) if order is None else order
        outputs = np.empty((order.size, network.layout.sizes[-1]), np.float32)
        size = max(-(-order.size // (len(self._alone) * TILE)), 1) * TILE
        n_numeric = rows.numbers.shape[1]
        n_levels = int(network.layout.sizes[0]) - n_numeric
        layers = None
        # A sparse network is passed weight by weight, which takes as long for a number that is 0 as for another.
        if order.size >= LEAST_ROWS and not rows.is_sparse and is_sparse(network, n_levels):
            layers = sparse_layers(network, n_levels)

        def run(start: int, work: Workspace) -> None:
            part, into = order[start : start + size], outputs[start : start + size]
            if layers is not None:
                predict_sparse_rows(layers, objective, rows, part, into, sparse_workspace(layers, n_numeric))
            else:
                kernels.predict_rows(network.layout, network.theta, objective, rows, part, into, work)

        self._run(run, zip(range(0, max(order.size, 1), size), self._alone, strict=False))
        return outputs

    def _run(self, run: Callable[..., None], calls: Iterable[tuple]) -> None:
        """Call run(*arguments) for each of at most as many arguments as there are threads, in parallel."""
        calls = list(calls)
        if self._pool is None or len(calls) == 1:
            for arguments in calls:
                run(*arguments)
        else:
            futures = [self._pool.submit(run, *arguments) for arguments in calls]
            wait(futures)
            for future in futures:
                future.result()


def parts_of(layout: Layout, n_columns: int, batch_size: int) -> int:
    """Into how many parts a network is divided; n_columns: inputs that a row has at the most."""
    n_used = weights_in_use(layout, n_columns)
    doublings = int(np.searchsorted(WEIGHTS_OF_MORE_PARTS, n_used, side="right"))
    return 2 ** (doublings + (batch_size * n_used >= LEAST_SHARED))


def weights_in_use(layout: Layout, n_columns: int) -> int:
    """Weights that a row uses at the most, but for a narrow layer's: out of its columns' inputs, and of all units."""
    above = slice(1, layout.n_input_major)
    return int(n_columns * layout.widths[0] + (layout.sizes[above] * layout.widths[above]).sum())


def level_bounds(levels: np.ndarray, n_levels: int, n_parts: int) -> list[int]:
    """The first categorical input of each part, and their number: parts whose inputs are equally often present."""
    sample = levels[:: 1 + len(levels) // SAMPLED_ROWS]
    present = np.sort(sample[sample >= 0])
    inner = [int(present[present.size * k // n_parts]) if present.size else 0 for k in range(1, n_parts)]
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
