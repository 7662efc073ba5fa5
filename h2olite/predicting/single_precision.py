"""Predictions in single precision, by the kernels: many rows are divided among threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import wait
from types import TracebackType

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels import rows as kernels
from h2olite.kernels.layout import TILE, Workspace
from h2olite.kernels.rows import Objective
from h2olite.kernels.sparse import predict_sparse_rows
from h2olite.machine.threads import Threads
from h2olite.network.network import Network
from h2olite.network.topology import workspace

from .predictor import Predictor
from .sparse import LEAST_ROWS, is_sparse, sparse_layers, sparse_workspace

LEAST_WORK = 2_000_000
"""Weights that a thread passes at the least, rows times those of the network: some tenth of a millisecond. To wake
another thread takes as long."""


class SinglePrecision(Predictor):
    """Threads with scratch memory of their own, which share a network.

    Parameters
    ----------
    network : what predicts.
    rows : of the shape of those that are to be predicted.
    n_threads : threads that divide the rows among them.
    capacity : rows that pass the network together.
    """

    def __init__(self, network: Network, rows: EncodedRows, n_threads: int, capacity: int = TILE) -> None:
        super().__init__(network)
        shape = rows.levels.shape[1], rows.numbers.shape[1]
        self._alone = [workspace(network.layout, *shape, capacity) for _ in range(n_threads)]
        self._pool: Threads | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def predict(self, objective: Objective, rows: EncodedRows, order: np.ndarray | None = None) -> np.ndarray:
        """Class probabilities, linear outputs or reconstructions of these rows: float32 (n_rows, n_outputs)."""
        self.check(objective, rows)
        network = self.network
        order = np.arange(len(rows.levels)) if order is None else order
        outputs = np.empty((order.size, network.layout.sizes[-1]), np.float32)
        least = -(-LEAST_WORK // (network.theta.size * TILE))
        size = max(-(-order.size // (len(self._alone) * TILE)), least) * TILE
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
        if len(calls) == 1:
            run(*calls[0])
        else:
            self._pool = self._pool or Threads(len(self._alone))
            futures = [self._pool.submit(run, *arguments) for arguments in calls]
            wait(futures)
            for future in futures:
                future.result()
