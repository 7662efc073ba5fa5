"""What becomes of a number before the network sees it, where that is more than a shift and a scale.

Each class is the meaning of one value of the parameter ``numeric_encoding``. Columns that `Recoding` makes of levels
are only standardised, whatever the parameter says.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from .sparse import SparseColumn, SparseNumbers
from .table import Column, number_text

N_BINS = 16
"""Bins of a PiecewiseLinear column."""

ROWS_OF_BIN = 16
"""Rows that a bin has on average, at the least: fewer would not tell where the response bends."""

N_RANKS = 64
"""Intervals of ranks between which Quantile interpolates."""

CLIP = 3.0
"""What Robust bends scaled numbers to: no encoded number is beyond it."""

FEW_CELLS = 64
"""Cells of one column that are as quickly compared with all knots of it at once as a search among these begins."""

LARGE = 1e150
"""Scaled numbers beyond it are as good as it to Robust: what overflows would become no number."""

QUARTILES = NormalDist().inv_cdf(0.75) - NormalDist().inv_cdf(0.25)
"""How far the quartiles of a normal distribution of standard deviation 1 are apart."""

HAT = 0.5
"""Height of a hat. With lower ones, training learns first what is linear in the position among the knots, and then the
bends. A height of 1 was worse on small tables, and no better on larger ones."""

SPREAD = 3.0**0.5
"""The largest encoded position among the knots: evenly spread positions then have a standard deviation of 1."""

MOST_ROWS = 100_000
"""Of about how many rows quantiles are taken; the smallest and the largest number are those of all rows."""


def n_bins(n_rows: int) -> int:
    """Bins of a PiecewiseLinear column, at the most, if so many rows can be trained on."""
    return min(max(n_rows // ROWS_OF_BIN, 2), N_BINS)


class Distinct(NamedTuple):
    """The different numbers of a column, ascending float64 without NaN, and the share of the rows that has each."""

    values: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, weights: np.ndarray) -> Distinct:
        """Those of some rows. Missing numbers, and rows of weight 0, do not count."""
        counted = ~np.isnan(values) & (weights > 0)
        distinct, place = np.unique(values[counted] + 0.0, return_inverse=True)  # so that -0 is 0
        shares = np.bincount(place, weights[counted], distinct.size)
        return cls(distinct, shares / (shares.sum() or 1.0))

    @property
    def middles(self) -> np.ndarray:
        """The share of the rows below each number and half of those at it."""
        return np.cumsum(self.shares) - self.shares / 2

    def quantiles(self, probabilities: Sequence[float]) -> np.ndarray:
        """The least numbers that at least these shares of the rows do not exceed."""
        places = np.searchsorted(np.cumsum(self.shares), np.array(probabilities) * (1 - 1e-12))
        return self.values[np.minimum(places, self.values.size - 1)]

    def knots(self, n_intervals: int) -> np.ndarray:
        """At most n_intervals + 1 of the numbers, the least and the largest among them, that divide the rows evenly.

        Quantiles of a column of mostly zeros would nearly all be 0. So a number that as many rows have as an interval
        should have is a knot by itself, and the other knots divide the other rows.
        """
        n_knots = n_intervals + 1
        if self.values.size <= n_knots:
            return self.values
        kept = np.zeros(self.values.size, np.bool_)
        kept[[0, -1]] = True
        while (n_left := n_knots - np.count_nonzero(kept)) > 0:
            rest = np.where(kept, 0.0, self.shares)
            heavy = rest > rest.sum() / (n_left + 1)
            if not heavy.any():
                wanted = rest.sum() * np.arange(1, n_left + 1) / (n_left + 1)
                kept[np.searchsorted(np.cumsum(rest), wanted * (1 - 1e-12))] = True
                break
            kept[np.flatnonzero(heavy)[np.argsort(-rest[heavy], kind="stable")[:n_left]]] = True
        return self.values[kept]


def distinct_numbers(columns: Sequence[Column], weights: np.ndarray | None) -> list[Distinct]:
    """The different numbers of numeric columns, some of which may be sparse, by about MOST_ROWS of the rows.

    The least and the largest number of all rows are among them, with a share of 0 if none of these rows has them.
    """
    matrices: dict[int, _ByColumn] = {}
    found = []
    for column in columns:
        if isinstance(column, SparseColumn):
            key = id(column.matrix)
            if key not in matrices:
                matrices[key] = _ByColumn(column.matrix, weights)
            found.append(matrices[key].distinct(column.place))
            continue
        values = column.values
        every = slice(None, None, 1 + values.size // MOST_ROWS)
        counted = np.ones(values.size) if weights is None else weights
        found.append(_with_ends(Distinct.of(values[every], counted[every]), values[counted > 0]))
    return found


def _with_ends(distinct: Distinct, values: np.ndarray) -> Distinct:
    """The same with the least and the largest of all values."""
    known = values[~np.isnan(values)]
    if not known.size:
        return distinct
    new = np.setdiff1d(np.array([known.min(), known.max()]) + 0.0, distinct.values)
    places = np.searchsorted(distinct.values, new)
    return Distinct(np.insert(distinct.values, places, new), np.insert(distinct.shares, places, 0.0))


class _ByColumn:
    """The entries of a sparse matrix by column, each with the weight of its row."""

    def __init__(self, matrix: SparseNumbers, weights: np.ndarray | None) -> None:
        order = np.argsort(matrix.columns, kind="stable")
        self._starts = np.searchsorted(matrix.columns[order], np.arange(matrix.n_columns + 1))
        self._values = matrix.values[order].astype(np.float64)
        of_rows = np.ones(matrix.n_rows) if weights is None else weights
        self._weights = np.repeat(of_rows, np.diff(matrix.starts))[order]
        self._total = float(of_rows.sum())

    def distinct(self, place: int) -> Distinct:
        """The different numbers of a column, the zeros that are no entries among them."""
        entries = slice(self._starts[place], self._starts[place + 1])
        weights = self._weights[entries]
        zeros = max(self._total - weights.sum(), 0.0)
        return Distinct.of(np.append(self._values[entries], 0.0), np.append(weights, zeros))


@dataclass(frozen=True, eq=False)
class Curves:
    """How numeric predictors become inputs, column by column.

    Parameters
    ----------
    bent : ndarray of bool, shape (n_numeric,); the other columns are only shifted and scaled.
    """

    bent: np.ndarray
    kind: ClassVar[str]

    @functools.cached_property
    def widths(self) -> np.ndarray:
        """How many inputs each predictor has: int64, shape (n_numeric,)."""
        return np.ones(self.bent.size, np.int64)

    def names(self, numeric: Sequence[str]) -> tuple[str, ...]:
        """The name of each input."""
        return tuple(numeric)

    def bend(self, encoded: np.ndarray, values: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The encoded numbers of some cells of one input each.

        Parameters
        ----------
        encoded : float64, shape (n_cells,), shifted and scaled.
        values : float64, shape (n_cells,), as the columns have them, with missing ones imputed.
        columns : int, shape (n_cells,), the numeric predictor of each.
        """
        raise NotImplementedError

    def inputs_of(self, j: int, encoded: float, value: float) -> list[float]:
        """The inputs of one cell of the j-th predictor, computed without arrays, which takes less time for one cell.

        encoded, value : see `bend`; NaN where missing if the predictor has an input for that.
        """
        raise NotImplementedError

    def select(self, kept: np.ndarray) -> Self:
        """Those of some of the predictors, a mask."""
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            is_array = isinstance(value, np.ndarray)
            changes[field.name] = value[kept] if is_array else tuple(itertools.compress(value, kept))
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """As plain lists, strings and numbers."""
        stored: dict[str, Any] = {"kind": self.kind}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            stored[field.name] = value.tolist() if isinstance(value, np.ndarray) else [part.tolist() for part in value]
        return stored


@dataclass(frozen=True, eq=False)
class Robust(Curves):
    """Scaled numbers z become z / sqrt(1 + (z / 3)^2), which is nearly z near 0, and never beyond -3 or 3.

    References
    ----------
    Holzmueller, Grinsztajn and Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data (the smooth clipping of RealMLP).
    """

    kind = "Robust"

    def bend(self, encoded: np.ndarray, values: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """See `Curves.bend`."""
        large = np.clip(encoded, -LARGE, LARGE)
        thirds = large / CLIP
        return np.where(self.bent[columns], large / np.sqrt(1.0 + thirds * thirds), encoded)

    def inputs_of(self, j: int, encoded: float, value: float) -> list[float]:
        """See `Curves.inputs_of`."""
        large = min(max(encoded, -LARGE), LARGE)
        thirds = large / CLIP
        return [large / math.sqrt(1.0 + thirds * thirds) if self.bent[j] else encoded]


@dataclass(frozen=True, eq=False)
class Knots(Curves):
    """What is piecewise linear between knots, and constant beyond the first and the last one.

    Parameters
    ----------
    knots : of each predictor, ascending float64, two or more where it is bent, none otherwise.
    """

    knots: tuple[np.ndarray, ...]

    @functools.cached_property
    def _table(self) -> np.ndarray:
        """The knots, (n_numeric, most of a predictor), with inf behind those of a predictor with fewer."""
        table = np.full((len(self.knots), max((own.size for own in self.knots), default=0)), np.inf)
        for row, own in zip(table, self.knots, strict=True):
            row[: own.size] = own
        return table

    @functools.cached_property
    def _n_knots(self) -> np.ndarray:
        """How many each predictor has."""
        return np.array([own.size for own in self.knots], np.int64)

    def locate(self, values: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where cells of bent columns lie: the index of the knot below each, and the share of the way to the next."""
        table = self._table
        below = np.zeros(values.size, np.int64)
        ends = np.append(np.flatnonzero(np.diff(columns)) + 1, values.size)
        if ends.size * FEW_CELLS < values.size:  # cells of one column stand together
            for start, end in itertools.pairwise([0, *ends.tolist()]):
                inner = self.knots[columns[start]][1:-1]  # the first and the last knot need no comparison
                below[start:end] = np.searchsorted(inner, values[start:end], side="right")
        else:
            for k in range(1, table.shape[1] - 1):
                below += (values >= table[columns, k]) & (k < self._n_knots[columns] - 1)
        low, high = table[columns, below], table[columns, below + 1]
        return below, np.clip((values - low) / (high - low), 0.0, 1.0)

    def locate_one(self, j: int, value: float) -> tuple[int, float]:
        """The same of one cell of the j-th predictor."""
        knots = self._lists[j]
        below = bisect.bisect_right(knots, value, 1, len(knots) - 1) - 1
        return below, min(max((value - knots[below]) / (knots[below + 1] - knots[below]), 0.0), 1.0)

    @functools.cached_property
    def _lists(self) -> list[list[float]]:
        """The knots, each predictor's as a list."""
        return [own.tolist() for own in self.knots]


@dataclass(frozen=True, eq=False)
class Quantile(Knots):
    """Numbers become the quantiles of a normal distribution that their ranks among the training rows are.

    Parameters
    ----------
    heights : of each predictor, what its knots become.
    """

    heights: tuple[np.ndarray, ...]
    kind = "Quantile"

    @functools.cached_property
    def _heights(self) -> np.ndarray:
        """The heights as a table."""
        table = np.zeros(self._table.shape)
        for row, own in zip(table, self.heights, strict=True):
            row[: own.size] = own
        return table

    def bend(self, encoded: np.ndarray, values: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """See `Curves.bend`."""
        cells = np.flatnonzero(self.bent[columns])
        of_cells = columns[cells]
        below, share = self.locate(values[cells], of_cells)
        low, high = self._heights[of_cells, below], self._heights[of_cells, below + 1]
        bent = encoded.copy()
        bent[cells] = low + share * (high - low)
        return bent

    def inputs_of(self, j: int, encoded: float, value: float) -> list[float]:
        """See `Curves.inputs_of`."""
        if not self.bent[j]:
            return [encoded]
        below, share = self.locate_one(j, value)
        low, high = self.heights[j][below : below + 2].tolist()
        return [low + share * (high - low)]


class Cells(NamedTuple):
    """What cells become as inputs of the network: arrays of the same length.

    cells : int64, the index of the cell.
    inputs : int64, counted from the first input of numbers.
    numbers : float64
    """

    cells: np.ndarray
    inputs: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True, eq=False)
class PiecewiseLinear(Knots):
    """An input for each knot, one for the position among them and, where numbers are missing, one for these.

    The input of a knot is a hat: it is HAT at the knot, and falls to 0 at the two knots beside it. So at most two hats
    of a cell are not 0, and a unit can add any function that is linear between the knots. These are the functions of
    the piecewise-linear encoding of Gorishniy, Rubachev and Babenko (2022), in which about half the inputs of a cell
    are not 0. The position goes evenly from knot to knot, from -sqrt(3) at the first to sqrt(3) at the last. It lets
    training find what goes up or down over all knots before it finds the bends.

    In a column of mostly zeros, 0 is a knot without a hat, and positions count from there: a zero has no input that is
    not 0.

    Parameters
    ----------
    origin : int64, shape (n_numeric,), the index of the knot at 0 that has no hat, -1 in other columns.
    missing : bool, shape (n_numeric,), whether a missing number has an input of its own. Otherwise it is imputed.

    References
    ----------
    Gorishniy, Rubachev and Babenko (2022), On embeddings for numerical features in tabular deep learning.
    """

    origin: np.ndarray
    missing: np.ndarray
    kind = "PiecewiseLinear"

    @functools.cached_property
    def n_hats(self) -> np.ndarray:
        """How many hats each predictor has."""
        return self._n_knots - (self.origin >= 0)

    @functools.cached_property
    def widths(self) -> np.ndarray:
        """How many inputs each predictor has: int64, shape (n_numeric,)."""
        return self.n_hats + 1 + self.missing

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """The first input of each predictor, and the number of inputs."""
        return np.concatenate(([0], np.cumsum(self.widths))).astype(np.int64)

    def names(self, numeric: Sequence[str]) -> tuple[str, ...]:
        """``column(knot)`` of a hat, the column's name of its position, ``column.missing(NA)``."""
        names = []
        for name, knots, origin, missing in zip(numeric, self.knots, self.origin, self.missing, strict=True):
            names += [f"{name}({number_text(x)})" for i, x in enumerate(knots.tolist()) if i != origin]
            names += [name, *([f"{name}.missing(NA)"] if missing else [])]
        return tuple(names)

    def cells(self, encoded: np.ndarray, values: np.ndarray, columns: np.ndarray) -> Cells:
        """The inputs of cells.

        Parameters
        ----------
        encoded : float64, shape (n_cells,), shifted and scaled, which columns that are not bent stay; NaN is missing in
            a column with an input for that.
        values, columns : see `Curves.bend`; NaN likewise.
        """
        starts = self.starts[columns]
        place = starts + self.n_hats[columns]  # of the position
        is_missing = np.isnan(values)
        is_bent = self.bent[columns] & ~is_missing
        lost, straight, bent = (np.flatnonzero(which) for which in (is_missing, ~is_bent & ~is_missing, is_bent))
        of_bent = columns[bent]
        below, share = self.locate(values[bent], of_bent)
        origin = self.origin[of_bent]
        position = 2 * (below + share - np.maximum(origin, 0)) / (self._n_knots[of_bent] - 1) - (origin < 0)
        parts = [
            (lost, place[lost] + 1, np.ones(lost.size)),
            (straight, place[straight], encoded[straight]),
            (bent, place[bent], SPREAD * position),
        ]
        for knot, height in ((below, HAT * (1 - share)), (below + 1, HAT * share)):
            has_hat = np.flatnonzero(knot != origin)
            hats = starts[bent] + knot - ((origin >= 0) & (knot > origin))
            parts.append((bent[has_hat], hats[has_hat], height[has_hat]))
        made = Cells(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
        other = made.numbers != 0
        return Cells(*(array[other] for array in made))

    def inputs_of(self, j: int, encoded: float, value: float) -> list[float]:
        """See `Curves.inputs_of`."""
        n_hats, origin = int(self.n_hats[j]), int(self.origin[j])
        inputs = [0.0] * int(self.widths[j])
        if value != value:
            inputs[n_hats + 1] = 1.0
        elif not self.bent[j]:
            inputs[n_hats] = encoded
        else:
            below, share = self.locate_one(j, value)
            position = 2 * (below + share - max(origin, 0)) / (len(self._lists[j]) - 1) - (origin < 0)
            inputs[n_hats] = SPREAD * position
            for knot, height in ((below, HAT * (1 - share)), (below + 1, HAT * share)):
                if knot != origin:
                    inputs[knot - (0 <= origin < knot)] = height
        return inputs


KINDS: dict[str, type[Curves]] = {kind.kind: kind for kind in (Robust, Quantile, PiecewiseLinear)}


def curves_from_json(stored: dict[str, Any]) -> Curves:
    """The curves that `Curves.to_json` described."""
    dtypes: dict[str, Any] = {"bent": np.bool_, "missing": np.bool_, "origin": np.int64}
    kind = KINDS[stored["kind"]]
    parts: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        value = stored[field.name]
        is_array = field.name in dtypes
        parts[field.name] = (
            np.array(value, dtypes[field.name]) if is_array else tuple(np.array(part, np.float64) for part in value)
        )
    return kind(**parts)
