"""Which rows are used, and in which order: those to train on, samples to score, and the epochs' orders."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np

from h2olite.data.table import Table
from h2olite.errors import DataError


def random_stream(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """The random numbers of one purpose, independent of those of any other purpose under the same seed.

    Parameters
    ----------
    seed : the training's seed, 0 or more.
    purpose : what the numbers are for, such as ``"row order"``.
    numbers : tell apart several streams of one purpose, such as the epoch's.
    """
    key = (zlib.crc32(purpose.encode()), *numbers)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def complete_rows(table: Table, predictors: Iterable[str]) -> np.ndarray:
    """Which rows miss none of the predictors; bool, shape (n_rows,)."""
    complete = np.ones(table.n_rows, np.bool_)
    for name in predictors:
        column = table[name]
        complete &= ~np.isnan(column.values) if column.levels is None else column.values >= 0
    return complete


def training_rows(
    table: Table,
    *,
    target: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    complete: np.ndarray | None = None,
) -> np.ndarray:
    """The rows to train on: those with a response, a weight above 0 and, if asked for, all predictors.

    Parameters
    ----------
    table : the training table.
    target : ndarray, shape (n_rows,): the response, NaN where missing.
    weights : ndarray, shape (n_rows,)
    complete : ndarray of bool, shape (n_rows,): from `complete_rows`, when rows with missing predictors are skipped.

    Returns
    -------
    rows : ndarray of int64, ascending

    Raises
    ------
    DataError : no row is left.
    """
    demands = {}
    if target is not None:
        demands["a response"] = ~np.isnan(target)
    if weights is not None:
        demands["a weight above 0"] = weights > 0
    if complete is not None:
        demands["all predictors, as missing_values_handling Skip demands"] = complete
    usable = np.logical_and.reduce([np.ones(table.n_rows, np.bool_), *demands.values()])
    if not usable.any():
        raise DataError(
            f"{table.name} has no row to train on: none of {table.n_rows} has {' and '.join(demands)}; fill in missing "
            "values or leave out the columns that lack them."
        )
    return np.flatnonzero(usable)


def sample_rows(n_rows: int, size: int, random: np.random.Generator) -> np.ndarray:
    """Ascending indices of `size` different random rows out of `n_rows`; all rows if `size` is 0 or no fewer."""
    if size == 0 or size >= n_rows:
        return np.arange(n_rows)
    return np.sort(random.choice(n_rows, size, replace=False, shuffle=False))


class RowOrder:
    """An endless order of rows: one epoch after the other, each with every row once.

    Parameters
    ----------
    n_rows : number of rows, at least 1.
    shuffle : give each epoch a new random order over all rows, which only depends on seed and epoch; otherwise rows
        stay in the table's order.
    seed : of the random orders.

    Examples
    --------
    >>> order = RowOrder(3, shuffle=False, seed=1)
    >>> order.take(2), order.take(3)
    (array([0, 1]), array([2, 0, 1]))
    """

    def __init__(self, n_rows: int, shuffle: bool, seed: int) -> None:
        self.n_rows = n_rows
        self.shuffle = shuffle
        self.seed = seed
        self.taken = 0
        self._epoch = -1
        self._rows = np.empty(0, np.int64)

    def take(self, count: int) -> np.ndarray:
        """The next `count` rows; int64, shape (count,)."""
        parts = [np.empty(0, np.int64)]
        end = self.taken + count
        while self.taken < end:
            epoch, start = divmod(self.taken, self.n_rows)
            part = self._order(epoch)[start : start + end - self.taken]
            parts.append(part)
            self.taken += len(part)
        return np.concatenate(parts)

    def _order(self, epoch: int) -> np.ndarray:
        """All rows in the order of an epoch (the first is 0)."""
        if epoch != self._epoch:
            rows = np.arange(self.n_rows)
            if self.shuffle:
                random_stream(self.seed, "row order", epoch).shuffle(rows)
            self._epoch, self._rows = epoch, rows
        return self._rows
