"""Threads that pass rows through one network at the same time."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.errors import ParameterError
from h2olite.kernels import rows as kernels
from h2olite.kernels.compiling import is_compiled
from h2olite.kernels.rows import Objective
from h2olite.kernels.sparse import predict_sparse_rows
from h2olite.kernels.updates import Rule
from h2olite.network.network import Network
from h2olite.network.sparse import LEAST_ROWS, is_sparse, sparse_layers, sparse_workspace
from h2olite.network.topology import workspace

_compiling = threading.Lock()

TILE = 32
"""Rows predicted together: their activations stay in the cache while a row of weights serves all of them."""


class Workers:
    """A fixed number of threads with scratch memory of their own; the network is shared.

    While training, every thread updates the same parameters without locks (Hogwild, Recht et al. 2011).
    """

    precision: type = np.float32
    """Type of the numbers that rows must hold."""

    def __init__(self, network: Network, rows: EncodedRows, n_threads: int, batch_size: int = 1) -> None:
        self.network = network
        self.n_threads = n_threads
        # A mini-batch of more rows than there are would only repeat them, and take memory for them.
        self.batch_size = max(min(batch_size, len(rows.levels)), 1)
        shape = rows.levels.shape[1], rows.numbers.shape[1], max(TILE, self.batch_size)
        self._workspaces = [workspace(network.layout, *shape) for _ in range(n_threads)]
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None

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
        """Train on these rows, each thread on its share of whole mini-batches."""
        network = self.network
        nothing = np.empty(0, np.float32)
        batches_each = -(-order.size // (self.n_threads * self.batch_size))

        def run(thread: int, part: np.ndarray) -> None:
            kernels.train_rows(
                network.layout,
                network.iterate,
                nothing if thread or network.iterate is network.theta else network.theta,
                network.first,
                network.second,
                network.activity,
                objective,
                rule,
                rows,
                part,
                self.batch_size,
                network.rows_seen,
                self.n_threads,
                np.uint64(seed + thread),
                self._workspaces[thread],
            )

        self._share(run, order, batches_each * self.batch_size)
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
        tiles_each = -(-order.size // (self.n_threads * TILE))
        n_numeric = rows.numbers.shape[1]
        n_levels = int(network.layout.sizes[0]) - n_numeric
        layers = None
        if order.size >= LEAST_ROWS and is_sparse(network, n_levels):
            layers = sparse_layers(network, n_levels)

        def run(thread: int, part: np.ndarray) -> None:
            start = thread * tiles_each * TILE
            into = outputs[start : start + part.size]
            if layers is not None:
                predict_sparse_rows(layers, objective, rows, part, into, sparse_workspace(layers, n_numeric))
            else:
                kernels.predict_rows(
                    network.layout, network.theta, objective, rows, part, into, self._workspaces[thread]
                )

        self._share(run, order, tiles_each * TILE)
        return outputs

    def reconstruction_errors(self, objective: Objective, rows: EncodedRows, order: np.ndarray) -> np.ndarray:
        """Outputs of an autoencoder less its inputs, float32 (n_rows, n_inputs)."""
        errors = self.predict(objective, rows, order)
        errors[:, errors.shape[1] - rows.numbers.shape[1] :] -= rows.numbers[order]
        for inputs in rows.levels[order].T:
            present = np.flatnonzero(inputs >= 0)
            errors[present, inputs[present]] -= 1
        return errors

    def _share(self, run: Callable[[int, np.ndarray], None], order: np.ndarray, size: int) -> None:
        """Call run(thread, part) on consecutive parts of this size, in parallel."""
        parts = [order[start : start + size] for start in range(0, max(order.size, 1), max(size, 1))]
        if self._pool is None or len(parts) == 1:
            for thread, part in enumerate(parts):
                run(thread, part)
        else:
            for future in [self._pool.submit(run, thread, part) for thread, part in enumerate(parts)]:
                future.result()


def usable_threads() -> int:
    """Threads that this process may use: H2OLITE_NTHREADS of them, or else as many as it has cores."""
    chosen = os.environ.get("H2OLITE_NTHREADS", "0")
    if not chosen.isdecimal():
        raise ParameterError(f"H2OLITE_NTHREADS must be a number of threads, 0 for all cores; got {chosen!r}.")
    if int(chosen):
        return int(chosen)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
