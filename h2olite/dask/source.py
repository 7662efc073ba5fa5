"""The training rows of a cluster, as far as the training loop must know of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.training.shards import Dealer
from h2olite.training.source import Block, RowSource


class Extent(NamedTuple):
    """What is known of all rows that can be trained on.

    sizes, passes : rows of each replica, and how many of them an epoch passes when weights count.
    has_weights : whether rows have different weights.
    largest_target : the largest absolute response, as it is trained on.
    present : bool, which inputs of levels rows have.
    """

    sizes: list[int]
    passes: list[float]
    has_weights: bool
    largest_target: float
    present: np.ndarray

    @property
    def n_rows(self) -> int:
        """All rows."""
        return sum(self.sizes)


class ClusterSource(RowSource):
    """Rows that are on workers, which choose themselves what comes next; some rows that stand for all are here.

    Parameters
    ----------
    rows, sample : see `RowSource`; of the rows that are here.
    extent : of all rows.
    alike : rows at the start that count alike.
    """

    def __init__(
        self, rows: EncodedRows, sample: np.ndarray, passes: np.ndarray, extent: Extent, *, alike: int
    ) -> None:
        super().__init__(rows, sample, sample, passes, shuffle=False, seed=0)
        self._extent, self._taken = extent, 0
        self._n_alike = alike if extent.has_weights else 0
        self._counts_alike = self._n_alike > 0
        self.dealer = Dealer(extent.sizes if self._counts_alike or not extent.has_weights else extent.passes)

    @property
    def rows_per_epoch(self) -> int:
        """Rows that an epoch passes."""
        return self._extent.n_rows

    @property
    def taken(self) -> int:
        """Rows taken so far, all epochs together."""
        return self._taken

    @taken.setter
    def taken(self, count: int) -> None:
        self._taken = count

    @property
    def largest_target(self) -> float:
        """The largest absolute response as it is trained on."""
        return self._extent.largest_target

    @property
    def is_alike(self) -> bool:
        """Whether rows that have weights still count alike."""
        return self._counts_alike

    def weigh(self) -> None:
        """Let the weights of rows count from now on."""
        if self._counts_alike:
            self._counts_alike = False
            self.dealer = Dealer(self._extent.passes)

    def take(self, count: int) -> Block:
        """So many rows to train on, or those that are left before weights begin to count; only their number counts."""
        if self._taken >= self._n_alike:
            self.weigh()
        if self._counts_alike:
            count = min(count, self._n_alike - self._taken)
        self._taken += count
        return Block(self._rows, np.broadcast_to(np.int64(0), count))

    def present_levels(self, n_levels: int) -> np.ndarray:
        """Which of the inputs of categorical columns occur in the rows trained on: bool, shape (n_levels,)."""
        return self._extent.present
