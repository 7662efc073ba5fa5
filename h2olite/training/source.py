"""Where training takes its rows from: blocks of encoded rows, epoch after epoch, in an order that the seed decides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.data.splits import RowOrder


class Block(NamedTuple):
    """Some rows to pass through a network: all arrays, and int64 indices of the rows, in order."""

    rows: EncodedRows
    order: np.ndarray


class RowSource:
    """Encoded rows in memory.

    Parameters
    ----------
    rows : the encoded training table.
    usable : int64, indices of the rows to train on, some of them repeatedly if need be; one epoch is their number.
    sample : int64, indices of the rows by which quantities of all rows are estimated.
    passes : how often an epoch passes each row of the table, see `h2olite.data.splits.divide_weights`; (0,) for once.
    alike : how many rows to take before the weights of rows begin to count; until then, all rows count alike.
    shuffle, seed : see `h2olite.data.splits.RowOrder`.
    """

    def __init__(
        self,
        rows: EncodedRows,
        usable: np.ndarray,
        sample: np.ndarray,
        passes: np.ndarray,
        *,
        alike: int = 0,
        shuffle: bool,
        seed: int,
    ) -> None:
        self._rows, self._usable, self._sample, self._passes = rows, usable, sample, passes
        self._alike = alike if passes.size else 0
        self._plain = self._rows._replace(weights=np.empty(0, np.float32))
        self._order = self._weighted = RowOrder(usable.size, shuffle, seed, passes[usable] if passes.size else None)
        if self._alike:
            self._order = RowOrder(usable.size, shuffle, seed)

    @property
    def rows_per_epoch(self) -> int:
        """Rows that an epoch passes."""
        return self._usable.size

    @property
    def taken(self) -> int:
        """Rows taken so far, all epochs together; may be set to go on from there."""
        return self._order.taken

    @taken.setter
    def taken(self, count: int) -> None:
        self._order.taken = count

    @property
    def largest_target(self) -> float:
        """The largest absolute response as it is trained on; 0 without a response."""
        target = self._rows.target
        return float(np.abs(target[self._usable]).max(initial=0)) if target.size else 0.0

    @property
    def is_alike(self) -> bool:
        """Whether rows that have weights still count alike."""
        return self._order is not self._weighted

    def weigh(self) -> None:
        """Let the weights of rows count from now on."""
        self._weighted.taken = self._order.taken
        self._order = self._weighted

    def take(self, count: int) -> Block:
        """The next rows to train on: `count` of them, or those that are left before their weights begin to count."""
        if self.taken >= self._alike:
            self.weigh()
        if not self.is_alike:
            return Block(self._rows, self._usable[self._order.take(count)])
        return Block(self._plain, self._usable[self._order.take(min(count, self._alike - self.taken))])

    def sample(self, every: int = 1) -> Block:
        """The rows that stand for all, or one of `every` of them."""
        return Block(self._rows, self._sample[::every])

    def weights_of(self, block: Block) -> np.ndarray:
        """How much each row of a block counts in the mean loss: its passes times the factor of its gradient."""
        if not self._passes.size:
            return np.ones(block.order.size)
        return block.rows.weights[block.order] * self._passes[block.order]

    def present_levels(self, n_levels: int) -> np.ndarray:
        """Which of the inputs of categorical columns occur in the rows trained on: bool, shape (n_levels,)."""
        present = np.zeros(n_levels + 1, np.bool_)  # the last one is where -1, no input, leads
        for column in self._rows.levels.T:
            present[column[self._usable]] = True
        return present[:n_levels]
