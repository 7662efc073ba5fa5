"""Columns that are neither predictors nor response: weights and offsets of rows."""

from __future__ import annotations

import numpy as np

from h2olite.errors import DataError
from h2olite.settings.parameters import exactly

from .adaptation import Adaptation
from .advice import advice_on_notation
from .table import Table


def row_weights(table: Table, name: str | None, adaptation: Adaptation | None = None) -> np.ndarray | None:
    """The weights of the rows, float64 (n_rows,); None without a weights column.

    Parameters
    ----------
    table, name : the table and the column; name is None for a model without weights.
    adaptation : of a table to measure a model on. It may lack the column; all rows then count the same.

    Raises
    ------
    DataError : a weight is missing, negative, infinite or not a number, no weight is above 0, the sum is infinite, or
        there is no column.
    """
    if name is None:
        return None
    if adaptation is not None and name not in table:
        adaptation.add(f"{table.name} has no weights_column {name!r}; all its rows are given weight 1.")
        return None
    weights = _numbers(table, "weights_column", name)
    wrong = ~((weights >= 0) & np.isfinite(weights))
    if wrong.any():
        raise _unusable(table, "weights_column", name, wrong, "finite numbers >= 0", "give rows to leave out weight 0")
    if not weights.any():
        raise DataError(f"weights_column {name!r} of {table.name} must have a weight above 0; all are 0.")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if np.isinf(total):
        raise DataError(
            f"weights_column {name!r} of {table.name} must have a finite sum; its weights are up to "
            f"{exactly(weights.max())}: divide all by the same number, as only their ratios matter."
        )
    return weights


def row_offsets(table: Table, name: str | None) -> np.ndarray | None:
    """The offsets of the rows, float64 (n_rows,); None without an offset column.

    Raises
    ------
    DataError : an offset is missing, infinite or not a number, or the column does not exist.
    """
    if name is None:
        return None
    if name not in table:
        raise DataError(f"{table.name} has no offset_column {name!r}, which the model adds; give a table with it.")
    offsets = _numbers(table, "offset_column", name)
    wrong = ~np.isfinite(offsets)
    if wrong.any():
        raise _unusable(table, "offset_column", name, wrong, "finite numbers", "an offset of 0 changes nothing")
    return offsets


def _numbers(table: Table, role: str, name: str) -> np.ndarray:
    """The column's values, if it is numeric."""
    column = table[name]
    if column.levels is not None:
        told = [*advice_on_notation(table, name), "give it as numbers, or when training name it in numeric."]
        example = f" (such as {column.levels[0]!r})" if column.levels else ""
        raise DataError(
            f"{role} {name!r} of {table.name} must be numeric; it is categorical{example}; {told[0].removesuffix('.')}."
        )
    return column.values


def _unusable(table: Table, role: str, name: str, wrong: np.ndarray, rule: str, advice: str) -> DataError:
    """The error for the first of the wrong values."""
    row = int(wrong.argmax())
    value = table[name].values[row]
    found = "a missing value" if np.isnan(value) else exactly(value)
    return DataError(f"{role} {name!r} of {table.name} must hold {rule}; got {found} in {table.place(row)}; {advice}.")
