"""One-pass statistics of columns, in parts that can be merged: tables may be larger than memory."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

TILE_CELLS = 1 << 18
"""Numbers worked on at a time: 2 MB of float64, which the processor's cache holds."""


@dataclass(frozen=True, eq=False)
class NumericSummary:
    """Statistics of several numeric columns over some rows: each field is an array with one entry a column.

    `count` rows hold a number and have a weight above 0. Over these, with W the sum of their weights w, the `mean` is
    sum(w x) / W, `squares` is sum(w (x - mean)^2) and `zeros` the sum of w where x is 0. Where `count` is 0 the mean is
    0, `low` is inf and `high` -inf.

    References
    ----------
    B. P. Welford (1962), Note on a method for calculating corrected sums of squares and products, Technometrics 4.
    T. F. Chan, G. H. Golub, R. J. LeVeque (1979), Updating formulae and a pairwise algorithm for computing sample
    variances, Stanford STAN-CS-79-773.
    """

    count: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    zeros: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, weights: np.ndarray | None = None) -> NumericSummary:
        """The statistics of a block of rows.

        Parameters
        ----------
        values : ndarray of float64, shape (n_columns, n_rows); NaN is missing.
        weights : ndarray, shape (n_rows,); 1 each if not given.
        """
        present = ~np.isnan(values)
        if weights is not None:
            present &= weights > 0
        known = np.where(present, values, 0.0)
        shares = present if weights is None else np.where(present, weights, 0.0)
        weight = shares.sum(axis=1, dtype=np.float64)
        # Infinite and huge numbers give infinite or NaN statistics, which callers check.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = _ratio((shares * known).sum(axis=1), weight)
            squares = (shares * (known - mean[:, np.newaxis]) ** 2).sum(axis=1)
        return cls(
            count=np.count_nonzero(present, axis=1),
            weight=weight,
            mean=mean,
            squares=squares,
            zeros=weight - np.where(values != 0, shares, 0).sum(axis=1, dtype=np.float64),
            low=np.where(present, values, np.inf).min(axis=1, initial=np.inf),
            high=np.where(present, values, -np.inf).max(axis=1, initial=-np.inf),
        )

    @classmethod
    def joined(cls, parts: Sequence[NumericSummary]) -> NumericSummary:
        """The statistics of the columns of all parts, one after the other."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def take(self, columns: np.ndarray | list[int]) -> NumericSummary:
        """The statistics of these columns, by their indices, in this order."""
        return NumericSummary(**{field.name: getattr(self, field.name)[columns] for field in fields(self)})

    def merge(self, other: NumericSummary) -> NumericSummary:
        """The statistics of this summary's and the other's rows together."""
        weight = self.weight + other.weight
        share = _ratio(other.weight, weight)
        with np.errstate(over="ignore", invalid="ignore"):
            step = other.mean - self.mean
            return NumericSummary(
                count=self.count + other.count,
                weight=weight,
                mean=self.mean + step * share,
                squares=self.squares + other.squares + step**2 * self.weight * share,
                zeros=self.zeros + other.zeros,
                low=np.minimum(self.low, other.low),
                high=np.maximum(self.high, other.high),
            )

    @property
    def zero_share(self) -> np.ndarray:
        """The weighted share of zeros, 0 where `count` is 0."""
        return _ratio(self.zeros, self.weight)

    @property
    def range(self) -> np.ndarray:
        """The largest less the smallest number, 0 where `count` is 0."""
        return np.maximum(self.high - self.low, 0.0)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations: sqrt(squares / W * count / (count - 1)), exactly 0 for a constant column."""
        variance = _ratio(self.squares, self.weight) * _ratio(self.count, self.count - 1)
        # Rounding of the mean leaves a constant column with tiny squares.
        return np.where(self.high > self.low, np.sqrt(variance), 0.0)


def summarise(columns: Sequence[np.ndarray], weights: np.ndarray | None = None) -> NumericSummary:
    """The statistics of equally long numeric columns, computed tile by tile."""
    parts = (
        NumericSummary.of(tile, None if weights is None else weights[rows]) for rows, tile in numeric_tiles(columns)
    )
    return functools.reduce(NumericSummary.merge, parts, NumericSummary.of(np.empty((len(columns), 0))))


def numeric_tiles(columns: Sequence[np.ndarray]) -> Iterator[tuple[slice, np.ndarray]]:
    """Go through equally long numeric columns by blocks of rows: where each block is, and a copy of it.

    Yields
    ------
    rows : slice
    tile : ndarray of float64, shape (n_columns, number of rows in the slice)
    """
    if not columns:
        return
    n_rows = len(columns[0])
    height = max(1, TILE_CELLS // len(columns))
    for start in range(0, n_rows, height):
        rows = slice(start, min(start + height, n_rows))
        yield rows, np.array([column[rows] for column in columns])


def count_levels(codes: np.ndarray, n_levels: int) -> np.ndarray:
    """How many rows have each level of a categorical column, and last how many are missing; shape (n_levels + 1,)."""
    return np.roll(np.bincount(codes + 1, minlength=n_levels + 1), -1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient as float64, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(len(denominator)), where=denominator > 0)
