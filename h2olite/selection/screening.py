"""How much each column of a table, alone and together with another one, tells of the response.

A network that starts from random weights finds the product of two columns only by chance where hundreds of other
columns are noise. A look at all pairs finds it at once. It costs little: two products of matrices.

References
----------
Fan and Lv 2008 (sure independence screening); Hao and Zhang 2014 (interactions of columns in it).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from h2olite.data.splits import random_stream
from h2olite.data.table import Column, Table

MOST_ROWS = 10_000
"""Rows that are looked at."""

MOST_INPUTS = 2_000
"""Numbers and levels whose pairs are looked at: those that tell most alone."""

N_BINS = 8
"""Groups of about equally many rows that the numbers of a column fall into."""

RAREST = 0.02
"""Share of the rows that a level must have, and leave to others, to take part in pairs."""

MOST_CLASSES = 20
"""Classes of the response that are looked at: the most frequent."""


def evidence(table: Table, columns: Sequence[str], response: str, seed: int) -> dict[str, float]:
    """How surely each column has to do with the response: about the logarithm of how unlikely it is by chance.

    For a column alone, the means of the response are compared between groups of rows: those of its levels, or those of
    `N_BINS` bins of its numbers; its missing values are a group. For a pair, the mean of the response times the product
    of both columns is compared with 0. Half of the square of the standardised difference, less the logarithm of the
    number of comparisons, is the evidence. A column has that of its strongest comparison. Noise has about 0.

    Parameters
    ----------
    table : rows without a response are left out.
    columns : the columns to look at.
    response : each class counts as a number of its own; of numbers, the ranks count.
    seed : of the rows that are looked at, if there are more than `MOST_ROWS`.
    """
    rows = _rows(table[response], seed)
    targets = _targets(table[response], rows)
    alone = np.array([_alone(table[name], rows, targets) for name in columns]) - np.log(len(columns))
    owners, inputs = _inputs(table, columns, rows, alone)
    in_pairs = np.full(len(columns), -np.inf)
    if owners.size > 1:
        np.maximum.at(in_pairs, owners, _pairs(inputs, owners, targets))
    return dict(zip(columns, np.maximum(alone, in_pairs).tolist(), strict=True))


def _rows(response: Column, seed: int) -> np.ndarray:
    """Indices of the rows to look at."""
    missing = response.values < 0 if response.is_categorical else np.isnan(response.values)
    rows = np.flatnonzero(~missing)
    if rows.size > MOST_ROWS:
        rows = np.sort(random_stream(seed, "screening").choice(rows, MOST_ROWS, replace=False))
    return rows


def _targets(response: Column, rows: np.ndarray) -> np.ndarray:
    """The response as standardised numbers, float64 (n_rows, n_targets); two classes have one."""
    values = response.values[rows]
    if not response.is_categorical:
        return _standardised(_ranks(values)[:, np.newaxis])
    counts = np.bincount(values)
    classes = np.argsort(-counts, kind="stable")[: min(MOST_CLASSES, np.count_nonzero(counts))]
    if classes.size == 2:
        classes = classes[1:]
    return _standardised((values[:, np.newaxis] == classes).astype(np.float64))


def _alone(column: Column, rows: np.ndarray, targets: np.ndarray) -> float:
    """The evidence of one column, for one comparison of columns."""
    values = column.values[rows]
    if column.is_categorical:
        groups = values + 1
    else:
        groups = np.where(np.isnan(values), 0, 1 + np.floor(_ranks(values) * N_BINS))
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.bincount(groups)
    n_targets = targets.shape[1]
    if counts.size == 1 or counts.size == rows.size:
        return -np.log(n_targets)
    sums = np.stack([np.bincount(groups, target) for target in targets.T])
    # By chance, this is distributed as chi-squared, whose cube root is about normal (Wilson and Hilferty 1931).
    freedom = counts.size - 1
    statistic = (sums**2 / counts).sum(axis=1).max()
    spread = 2 / (9 * freedom)
    z = (np.cbrt(statistic / freedom) - (1 - spread)) / np.sqrt(spread)
    return float(max(z, 0.0) ** 2 / 2 - np.log(n_targets))


def _inputs(table: Table, columns: Sequence[str], rows: np.ndarray, alone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What takes part in pairs, numbers and frequent levels: whose it is, and standardised, float32 (n_rows, n)."""
    owners: list[int] = []
    inputs: list[np.ndarray] = []
    for owner in np.argsort(-alone, kind="stable").tolist():
        column = table[columns[owner]]
        values = column.values[rows]
        if column.is_categorical:
            shares = np.bincount(values[values >= 0], minlength=1) / rows.size
            frequent = np.flatnonzero((shares >= RAREST) & (shares <= 1 - RAREST))
            if frequent.size == 2 and shares[frequent].sum() == 1.0:
                frequent = frequent[1:]
            own = (values[:, np.newaxis] == frequent).astype(np.float64)
        else:
            own = np.nan_to_num(_ranks(values), nan=0.5)[:, np.newaxis]
        if len(owners) + own.shape[1] > MOST_INPUTS:
            break
        owners += [owner] * own.shape[1]
        inputs.append(own)
    together = np.concatenate(inputs, axis=1) if inputs else np.empty((rows.size, 0))
    return np.array(owners, np.int64), _standardised(together).astype(np.float32)


def _pairs(inputs: np.ndarray, owners: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The evidence of each input in its strongest pair with an input of another column."""
    n_inputs = inputs.shape[1]
    are_alike = owners[:, np.newaxis] == owners
    strongest = np.zeros(n_inputs)
    squares = np.square(inputs)
    for target in targets.T.astype(np.float32)[:, :, np.newaxis]:
        # The sum over the root of the sum of squares: where few rows make a large sum, it stays small.
        z = np.abs((inputs * target).T @ inputs)
        z /= np.sqrt(np.maximum((squares * np.square(target)).T @ squares, np.finfo(np.float32).tiny))
        z[are_alike] = 0
        np.maximum(strongest, z.max(axis=1), out=strongest)
    return strongest**2 / 2 - np.log(n_inputs * (n_inputs - 1) / 2 * targets.shape[1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Where each number is among the others, in [0, 1); equal ones in the middle of theirs; NaN stays."""
    ranks = np.full(values.shape, np.nan)
    present = np.flatnonzero(~np.isnan(values))
    if present.size:
        _, places, counts = np.unique(values[present], return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        ranks[present] = ((ends - counts / 2) / present.size)[places] * (1 - 1e-12)
    return ranks


def _standardised(numbers: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and variance 1; constant ones are 0."""
    centred = numbers - numbers.mean(axis=0)
    deviation = np.sqrt(np.square(centred).mean(axis=0))
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12)
