"""The curves of the numeric columns of a training table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from .curves import N_RANKS, QUARTILES, Curves, Distinct, PiecewiseLinear, Quantile, Robust, distinct_numbers, n_bins
from .sparse import Scaling, SparseColumn
from .table import Column

MOST_RANKS = 1000
"""Ranks that Quantile tells apart at the ends: encoded numbers stay between -3.3 and 3.3."""

TINY = 4 * float(np.finfo(np.float64).tiny)
"""Its inverse is finite."""


class NumericColumns(NamedTuple):
    """The numeric predictors of a training table.

    columns : the predictors.
    bends : bool (n_numeric,), which of them may be bent.
    keeps_zeros : bool (n_numeric,), in which of them zeros are to stay zeros.
    trained : bool (n_rows,), the rows that will be trained on, or all of them for a slice.
    weights : of the rows, None for 1 each.
    n_rows : number of rows.
    scaling : how Standardize would encode them.
    """

    columns: Sequence[Column]
    bends: np.ndarray
    keeps_zeros: np.ndarray
    trained: np.ndarray | slice
    weights: np.ndarray | None
    n_rows: int
    scaling: Scaling


def fit_curves(encoding: str, numeric: NumericColumns) -> tuple[Curves | None, Scaling]:
    """What a numeric_encoding makes of the columns of a training table, and how it shifts, scales and imputes them.

    A column with fewer than two different numbers is not bent.
    """
    if encoding == "Standardize" or not numeric.columns:
        return None, numeric.scaling
    distinct = distinct_numbers(numeric.columns, numeric.weights)
    bent = numeric.bends & np.array([own.values.size > 1 for own in distinct])
    fit: Callable[[NumericColumns, list[Distinct], np.ndarray], tuple[Curves, Scaling]] = {
        "Robust": _robust,
        "Quantile": _quantile,
        "PiecewiseLinear": _piecewise,
    }[encoding]
    return fit(numeric, distinct, bent)


def _robust(numeric: NumericColumns, distinct: list[Distinct], bent: np.ndarray) -> tuple[Curves, Scaling]:
    """Medians become 0, and quartiles lie as far apart as those of a standard normal distribution.

    Where both quartiles are the same number, those of the different numbers count.
    """
    subtrahend, multiplier, imputed = (array.copy() for array in numeric.scaling)
    for j in np.flatnonzero(bent):
        low, median, high = distinct[j].quantiles((0.25, 0.5, 0.75))
        if low == high:
            low, high = np.quantile(distinct[j].values, (0.25, 0.75))
        multiplier[j] = QUARTILES / max(high - low, TINY)
        subtrahend[j] = imputed[j] = 0.0 if numeric.keeps_zeros[j] else median
    return Robust(bent), Scaling(subtrahend, multiplier, imputed)


def _quantile(numeric: NumericColumns, distinct: list[Distinct], bent: np.ndarray) -> tuple[Curves, Scaling]:
    """Knots at quantiles become the normal quantiles of the middles of their ranks; in some columns, less that of 0."""
    normal = NormalDist()
    imputed = numeric.scaling.imputed.copy()
    knots, heights = [], []
    for j, own in enumerate(distinct):
        of_column = own.knots(N_RANKS) if bent[j] else np.empty(0)
        if bent[j] and numeric.keeps_zeros[j]:
            of_column = _with_zero(of_column)
        ranks = np.interp(of_column, own.values, own.middles) if bent[j] else of_column
        edge = 0.5 / MOST_RANKS
        of_ranks = np.array([normal.inv_cdf(rank) for rank in np.clip(ranks, edge, 1 - edge)])
        if bent[j]:
            keeps = numeric.keeps_zeros[j]
            of_ranks = of_ranks - of_ranks[of_column == 0] if keeps else of_ranks
            imputed[j] = 0.0 if keeps else float(own.quantiles((0.5,))[0])
        knots.append(of_column)
        heights.append(of_ranks)
    return Quantile(bent, tuple(knots), tuple(heights)), numeric.scaling._replace(imputed=imputed)


def _piecewise(numeric: NumericColumns, distinct: list[Distinct], bent: np.ndarray) -> tuple[Curves, Scaling]:
    """Knots at quantiles; a missing number has an input of its own where one is trained on."""
    knots = []
    origin = np.full(len(distinct), -1, np.int64)
    weights = numeric.weights
    bins = n_bins(numeric.n_rows if weights is None else int(np.count_nonzero(weights > 0)))
    for j, own in enumerate(distinct):
        of_column = own.knots(bins) if bent[j] else np.empty(0)
        if bent[j] and numeric.keeps_zeros[j]:
            of_column = _with_zero(of_column)
            origin[j] = np.searchsorted(of_column, 0.0)
        knots.append(of_column)
    missing = bent & np.array([_has_missing(column, numeric.trained) for column in numeric.columns])
    return PiecewiseLinear(bent, tuple(knots), origin, missing), numeric.scaling


def _with_zero(knots: np.ndarray) -> np.ndarray:
    """The knots, with 0 among them."""
    return np.union1d(knots, [0.0]) + 0.0


def _has_missing(column: Column, trained: np.ndarray | slice) -> bool:
    """Whether a row that is trained on lacks a number."""
    if isinstance(column, SparseColumn):
        return column.n_missing > 0
    return bool(np.isnan(column.values[trained]).any())
