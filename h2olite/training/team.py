"""A team of threads that trains one network."""

from __future__ import annotations

import logging
import os
import threading
import time

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels import rows as kernels
from h2olite.kernels.caching import CACHE_FOLDER
from h2olite.kernels.compiling import compiling, is_compiled
from h2olite.kernels.layout import TILE, Layout, Outer, State, Workspace
from h2olite.kernels.penalties import Screening, step_and_screen
from h2olite.kernels.rows import Objective
from h2olite.kernels.teams import GONE
from h2olite.kernels.updates import Rule
from h2olite.network.network import Network, no_screening
from h2olite.network.topology import exchange_of, members_of_team
from h2olite.predicting.single_precision import SinglePrecision

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


class Team(SinglePrecision):
    """Threads that train a network together, and predict by it.

    In training, they pass the same mini-batch through the network, each with its own part of the weights (see
    `h2olite.kernels.teams`): as many as have enough to do. Predictions divide the rows among all threads.

    Attributes
    ----------
    rows_at_once : rows of every call of `train` and of an iteration, where a call is what replicas do between two
        averages; None where calls may be as long as the clock says.
    """

    def __init__(self, network: Network, rows: EncodedRows, n_threads: int, batch_size: int = 1) -> None:
        n_rows, n_categorical = rows.levels.shape
        # A mini-batch of more rows than there are would only repeat them, and take memory for them.
        self.batch_size = max(min(batch_size, n_rows), 1)
        super().__init__(network, rows, n_threads, max(TILE, self.batch_size))
        layout = network.layout
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
        self.screening: Screening | None = None
        self.rows_at_once: int | None = None

    def compile(self, objective: Objective, rule: Rule, rows: EncodedRows) -> None:
        """Have the kernels compiled, or loaded, before clocks run."""
        self.check(objective, rows)
        network, nothing = self.network, np.empty(0, np.int64)
        state = network.state(no_screening(network) if makes_zeros(rule) else None)
        arguments = network.layout, state, objective, rule, rows, nothing, self.batch_size, self._alone[0]

        def call_all() -> None:
            # By a single thread, this one: `compiling` does not reach into others.
            kernels.train_rows(*arguments)
            if makes_zeros(rule):
                step_and_screen(network.layout, state, rule, 0)
            self.predict(objective, rows, nothing)
            self.call_others(objective, rule)

        with _compiling:  # models trained at the same time say it once
            if not is_compiled(kernels.train_rows, arguments):
                when = "the first time" if CACHE_FOLDER else "in every process: no folder can keep their machine code"
                logging.getLogger("h2olite").warning("Compiling the kernels, which takes some seconds %s.", when)
            compiling(call_all)

    def call_others(self, objective: Objective, rule: Rule) -> None:
        """Call the kernels that only some kinds of teams have, for them to be compiled."""

    def train(self, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray) -> None:
        """Train on these rows, in this order, by a team or by one thread, whichever is faster now."""
        self.check(objective, rows)
        start = 0
        for which, n_rows in self.turns(order.size):
            self._train(which, objective, rule, rows, order[start : start + n_rows])
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

    def _train(self, which: int, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray) -> None:
        """Train on these rows by one of the crews, and note its pace."""
        crew, started = self._crews[which], time.perf_counter()
        together = threading.Barrier(len(crew))
        crew[0].member.arrivals[:] = 0  # of a training that failed
        layout, state = self.network.layout, self.network.state(self.screening)

        def run(work: Workspace, outer: Outer) -> None:
            try:
                together.wait()
                kernels.train_rows(
                    layout, state, objective, rule, rows, order, self.batch_size, work._replace(outer=outer)
                )
            except BaseException:
                work.member.arrivals[work.member.place] = GONE  # or the others would wait for it
                raise

        try:
            self._run(run, zip(crew, outers_of(layout, state, len(crew)), strict=True))
        except BaseException:
            together.abort()  # an interruption may have kept some members from being called
            raise
        self.network.rows_seen += order.size
        self.network.n_updates += -(-order.size // self.batch_size)
        took = time.perf_counter() - started
        if order.size and took > LEAST_TO_COMPARE:
            self._paces[which] = took / order.size

    def step_and_screen(self, rule: Rule, screened_rows: int) -> None:
        """Let the penalties that make zeros act for all updates, and screen the weights by the last rows, if any."""
        step_and_screen(self.network.layout, self.network.state(self.screening), rule, screened_rows)


def outers_of(layout: Layout, state: State, n_members: int) -> list[Outer]:
    """The parameters of an output-major layer and the memories of them, for each member of a crew: see `Workspace`."""
    start = layout.weights[layout.n_input_major]
    own = state.theta[start:], state.first[start:], state.second[start:]
    return [own, *((own[0].copy(), own[1].copy(), own[2].copy()) for _ in range(n_members - 1))]


def makes_zeros(rule: Rule) -> bool:
    """Whether there are penalties that make zeros."""
    return bool(rule.l1 > 0 or rule.input_group_l1 > 0)


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
