"""Choice and order of rows: for training, for samples to measure, for folds, and for epochs."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from h2olite.errors import DataError
from h2olite.machine.memory import refuse_lack_of_memory
from h2olite.settings.parameters import exactly

from .table import Table

LARGEST_SEED = 2**31

GOLDEN_RATIO = (5**0.5 - 1) / 2
"""Multiples of it, less their whole parts, cover the range from 0 to 1 evenly, however many they are (Weyl 1916)."""

ROW_BYTES = 32
"""Memory that a row of balanced classes takes: its index and copies of it on the way."""


def draw_seed(seed: int) -> int:
    """The seed itself. For -1, a seed is drawn."""
    return secrets.randbelow(LARGEST_SEED) if seed == -1 else seed


def random_stream(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """The random numbers of one purpose, independent of those of any other purpose under the same seed.

    Parameters
    ----------
    seed : the training's seed, of 64 bits; a negative one counts as its two's complement.
    purpose : what the numbers are for, such as ``"row order"``.
    numbers : tell apart several streams of one purpose, such as the epoch's.
    """
    key = (zlib.crc32(purpose.encode()), *numbers)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed % 2**64, spawn_key=key)))


def complete_rows(table: Table, predictors: Iterable[str]) -> np.ndarray:
    """Which rows have no missing predictor; bool, shape (n_rows,)."""
    complete = np.ones(table.n_rows, np.bool_)
    for column in map(table.__getitem__, predictors):
        if column.n_missing:
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


def hold_out(n_rows: int, share: float, seed: int, classes: np.ndarray | None = None) -> np.ndarray:
    """Which rows to hold out of training at random: bool, shape (n_rows,), at least one row, and not all.

    Parameters
    ----------
    n_rows : number of rows, at least 2.
    share : the share of the rows to hold out.
    seed : of the random choice.
    classes : ndarray, shape (n_rows,): the class of each row. The share is then that of every class, as close as whole
        rows come, and no class is held out as a whole.
    """
    random = random_stream(seed, "validation rows")
    groups = [np.arange(n_rows)] if classes is None else [np.flatnonzero(classes == c) for c in np.unique(classes)]
    held = np.zeros(n_rows, np.bool_)
    for rows in groups:
        n_held = min(int(share * rows.size + 0.5), rows.size - 1)
        held[random.choice(rows, n_held, replace=False)] = True
    if not held.any():
        largest = max(groups, key=len)
        held[random.choice(largest)] = True
    return held


def deal_folds(n_rows: int, n_folds: int, assignment: str, seed: int, classes: np.ndarray | None = None) -> np.ndarray:
    """The fold of every row; folds differ by at most one row in size.

    Parameters
    ----------
    n_rows, n_folds : numbers of rows and of folds.
    assignment : ``"Modulo"`` assigns the rows in turn, ``"Random"`` and ``"AUTO"`` in random order. ``"Stratified"``
        does so in random order class by class, so that every class is spread evenly.
    seed : of the random order.
    classes : ndarray, shape (n_rows,): the classes for ``"Stratified"``.

    Returns
    -------
    folds : ndarray of int32, shape (n_rows,), from 0.
    """
    if assignment == "Modulo":
        order = np.arange(n_rows)
    else:
        order = random_stream(seed, "folds").permutation(n_rows)
    if assignment == "Stratified" and classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n_rows, np.int32)
    folds[order] = np.arange(n_rows) % n_folds
    return folds


def read_folds(table: Table, name: str, measured: np.ndarray | None = None) -> np.ndarray:
    """The fold of every row by a column: its distinct values, in order, are the folds.

    Parameters
    ----------
    table, name : where the column is.
    measured : indices of the rows on which folds can be measured; all if not given. A value that none of these rows
        has makes no fold. Its rows are in the first fold.

    Returns
    -------
    folds : ndarray of int32, shape (n_rows,), from 0.

    Raises
    ------
    DataError : values are missing, negative or no whole numbers, or there are fewer than two different ones.
    """
    column = table[name]
    values = column.values
    wrong = values < 0 if column.is_categorical else ~((values >= 0) & (values % 1 == 0))
    if wrong.any():
        row = int(wrong.argmax())
        value = "a missing value" if column.is_categorical or np.isnan(values[row]) else exactly(values[row])
        raise DataError(
            f"fold_column {name!r} of {table.name} must hold levels or whole numbers >= 0; got {value} in "
            f"{table.place(row)}; give every row a fold."
        )
    distinct = np.unique(values if measured is None else values[measured])
    if distinct.size < 2:
        which = "" if measured is None or measured.size == table.n_rows else " with rows to learn from"
        raise DataError(
            f"fold_column {name!r} of {table.name} must hold at least 2 different folds{which}; got {distinct.size}; "
            "use nfolds to have rows dealt."
        )
    folds = np.searchsorted(distinct, values).astype(np.int32)
    folds[~np.isin(values, distinct)] = 0
    return folds


def sample_by_class(classes: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """Ascending indices of about `size` different random rows with the classes' shares, at least one of each class.

    Parameters
    ----------
    classes : ndarray, shape (n_rows,): index of each row's class.
    size : rows wanted; 0, or no fewer than there are, for all.
    random : the source of random numbers.
    """
    if size == 0 or size >= classes.size:
        return np.arange(classes.size)
    members = [np.flatnonzero(classes == c) for c in np.unique(classes)]
    sizes = [max(1, round(size * rows.size / classes.size)) for rows in members]
    parts = [random.choice(rows, n, replace=False) for rows, n in zip(members, sizes, strict=True)]
    return np.sort(np.concatenate(parts))


def balance(
    classes: np.ndarray,
    n_classes: int,
    *,
    factors: Sequence[float] | None = None,
    most: float = np.inf,
    random: np.random.Generator,
) -> np.ndarray:
    """Indices of rows in random order in which each class is as frequent as wanted.

    A class with n rows gets round(factor * n) of them, at least one: each row equally often, give or take one.

    Parameters
    ----------
    classes : ndarray, shape (n_rows,): index of each row's class.
    n_classes : number of classes, whether all of them occur or not.
    factors : how often to take each class's rows; by default so often that all classes are as frequent as the largest.
    most : the most rows there may be; all factors are scaled down to fit.
    random : the source of random numbers.
    """
    counts = np.bincount(classes.astype(np.int64), minlength=n_classes)
    wanted = np.where(counts > 0, counts.max(), 0) if factors is None else _scaled(counts, np.array(factors), most)
    with np.errstate(over="ignore"):  # of very few rows any number is as good as infinitely many
        wanted = wanted * min(1.0, most / wanted.sum())
    refuse_lack_of_memory(
        "balancing the classes",
        ROW_BYTES * wanted.sum(),
        "set smaller class_sampling_factors or a smaller max_after_balance_size",
    )
    parts = []
    for c in np.flatnonzero(counts):
        copies, rest = divmod(max(1, round(wanted[c])), int(counts[c]))
        members = np.flatnonzero(classes == c)
        parts += [np.repeat(members, copies), random.choice(members, rest, replace=False)]
    return random.permutation(np.concatenate(parts))


def _scaled(counts: np.ndarray, factors: np.ndarray, most: float) -> np.ndarray:
    """The rows wanted of each class, or in the same proportions `most` where they are more than any number."""
    with np.errstate(over="ignore"):
        wanted = counts * factors
    if np.isfinite(wanted.sum()):
        return wanted
    shares = counts * (factors / factors.max())
    return shares / shares.sum() * most


def divide_weights(weights: np.ndarray | None, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide row weights into the passes of a row in an epoch and a factor of its gradient.

    Let w be the weight of a row divided by the mean weight. An epoch passes the row (1 + w) / 2 times on average. Its
    gradient is multiplied by 2 w / (1 + w), which lies between 0 and 2. So the weighted mean of the loss is minimised,
    and the unit of the weights does not matter. For example, a row of 9 times the mean weight is passed 5 times on
    average, and its gradient is multiplied by 1.8.

    Large factors of gradients alone would not have the effect of the weights. ADADELTA divides a gradient by the usual
    size of earlier gradients, so a rare row of weight 99 would move the network far less than 99 passes of it. Passes
    alone would learn little from the other rows, if a few rows have most of the weight.

    Parameters
    ----------
    weights : float64, shape (n_rows,); None for 1 each.
    rows : indices of the rows to train on, whose weights are above 0.

    Returns
    -------
    passes : float64, shape (n_rows,), with a mean of 1 over `rows`.
    factors : float32, shape (n_rows,)
        Both are of shape (0,) if all rows count alike.
    """
    if weights is None or np.ptp(weights[rows]) == 0:
        return np.empty(0), np.empty(0, np.float32)
    relative = weights / weights[rows].max()  # first, or the sum of the largest weights could overflow
    return divide_relative(relative / relative[rows].mean())


def divide_relative(relative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The passes and the factors of rows, see `divide_weights`, by their weights divided by the mean weight."""
    passes = (1.0 + relative) / 2.0
    return passes, (relative / passes).astype(np.float32)


class RowOrder:
    """An endless order of rows, one epoch after the other.

    Every epoch has as many passes as there are rows. Each row is passed once, or as often as `passes` says. For
    example, a row with 2.3 passes gets 2 or 3 passes in an epoch, and close to 23 in 10 epochs (see `divide_weights`).

    Parameters
    ----------
    n_rows : number of rows, at least 1.
    shuffle : give each epoch a new random order over all rows, which only depends on seed and epoch; otherwise rows
        stay in the table's order, and the passes of one row are spread evenly over the epoch.
    seed : of the random orders.
    passes : how often each row is to be passed in an epoch, float64 (n_rows,) with a mean of 1; once each if not given.

    Examples
    --------
    >>> order = RowOrder(3, shuffle=False, seed=1)
    >>> order.take(2), order.take(3)
    (array([0, 1]), array([2, 0, 1]))
    """

    def __init__(self, n_rows: int, shuffle: bool, seed: int, passes: np.ndarray | None = None) -> None:
        self.n_rows = n_rows
        self.shuffle = shuffle
        self.seed = seed
        self.taken = 0
        self._epoch = -1
        self._rows = np.empty(0, np.int64)
        if passes is not None:
            random = random_stream(seed, "passes")
            self._start = random.random()
            # Lined up at random, so that the passes of rows that stand together in the table do not go together.
            self._line = random.permutation(n_rows)
            ends = np.cumsum(passes[self._line])
            self._ends = ends * (n_rows / ends[-1])
        self._has_passes = passes is not None

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
            rows = self._passed(epoch) if self._has_passes else np.arange(self.n_rows)
            if self.shuffle:
                random_stream(self.seed, "row order", epoch).shuffle(rows)
            self._epoch, self._rows = epoch, rows
        return self._rows

    def _passed(self, epoch: int) -> np.ndarray:
        """The rows that an epoch passes, by number; without shuffling, in order.

        The rows lie side by side on a line, each as long as its passes; marks at a distance of 1 choose them
        (systematic sampling). From epoch to epoch the marks move by the golden ratio, to cover the line evenly.
        """
        shift = (self._start + epoch * GOLDEN_RATIO) % 1.0
        marks = np.arange(self.n_rows) + shift
        places = np.minimum(np.searchsorted(self._ends, marks, side="right"), self.n_rows - 1)
        rows = np.sort(self._line[places])
        if self.shuffle:
            return rows
        first = np.searchsorted(rows, rows)
        n_passes = np.searchsorted(rows, rows, side="right") - first
        turn = np.arange(self.n_rows) - first
        return rows[np.argsort((turn + rows / self.n_rows) / n_passes, kind="stable")]
