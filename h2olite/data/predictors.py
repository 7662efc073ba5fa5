"""Which columns of a table are the predictors."""

from __future__ import annotations

import itertools
import operator
import shlex
from collections.abc import Collection, Iterable, Iterator

import numpy as np

from h2olite.data.adaptation import listed
from h2olite.data.summary import count_levels
from h2olite.data.table import Table, number_or_none
from h2olite.errors import DataError
from h2olite.parameters import nearest

MOST_TEXT = 0.05
"""Share of cells that are no numbers up to which a categorical column was probably meant to be numeric."""

FEW_ROWS = 50
"""Rows below which it may be chance that no text occurs twice."""


def find_columns(table: Table, columns: Iterable[str | int]) -> list[str]:
    """The names of columns given by name or 0-based index.

    Raises
    ------
    DataError : some are not in the table; all of them are named.
    """
    names = table.names
    found, faults = [], []
    for column in columns:
        if isinstance(column, str):
            found.append(column)
            if column not in table:
                faults.append(f"{table.name} has no column {column!r}{nearest(column, names)}")
        elif 0 <= operator.index(column) < len(names):
            found.append(names[column])
        else:
            faults.append(f"{table.name} has no column {column}: it has {len(names)}, counted from 0.")
    if faults:
        raise DataError(" ".join(faults))
    return found


def choose_predictors(
    table: Table,
    *,
    x: Iterable[str | int] | None = None,
    others: Iterable[str | int] = (),
    ignore_const_cols: bool = True,
) -> tuple[list[str], list[str]]:
    """The predictors to train on, in the table's order, and warnings about columns left out.

    Parameters
    ----------
    table : the training table.
    x : the columns asked for, by name or 0-based index, in any order; all if not given.
    others : columns that are no predictors, in `x` or not: the response, weights, offset, folds and ignored ones.
    ignore_const_cols : leave out columns with only one value; those with none are always left out.

    Raises
    ------
    DataError : columns are not in the table, or no predictor is left.
    """
    wanted = table.names if x is None else list(x)
    names = find_columns(table, [*wanted, *others])
    chosen = set(names[: len(wanted)]) - set(names[len(wanted) :])
    least = 2 if ignore_const_cols else 1
    useless = {name: None for name in table.names if name in chosen and not table[name].has_values(least)}
    predictors = [name for name in table.names if name in chosen and name not in useless]
    rule = "constant or missing in all rows" if ignore_const_cols else "missing in all rows"
    if not predictors:
        reason = f" ({rule}: {listed(useless)})" if useless else ""
        raise DataError(f"{table.name} has no usable predictor{reason}; name other columns as x.")
    return predictors, [
        f"columns of {table.name} left out because they are {rule}: {listed(useless)}."
    ] if useless else []


def advice_on_kinds(table: Table, names: Iterable[str], factors: Collection[str]) -> Iterator[str]:
    """A sentence for each of the named columns that a few cells of text make categorical, if not in `factors`."""
    for name in names:
        column = table[name]
        if column.levels is None or name in factors:
            continue
        counts = count_levels(column.values, len(column.levels))[:-1]
        n_cells = int(counts.sum())
        text = (i for i, level in enumerate(column.levels) if number_or_none(level) is None)
        few = np.array([*itertools.islice(text, int(MOST_TEXT * n_cells) + 1)], np.int64)
        n_numbers = n_cells - int(counts[few].sum())
        if (1 - MOST_TEXT) * n_cells <= n_numbers < n_cells:
            row = int(np.isin(column.values, few).argmax())
            first = column.levels[column.values[row]]
            yield (
                f"column {name!r} of {table.name} is categorical, though {n_numbers:,} of its {n_cells:,} cells are "
                f"numbers (the first that is not: {first!r}, {table.place(row)}); correct that, make it missing "
                f"(--na-string {shlex.quote(first)}), or name the column in factors if it is meant so."
            )


def advice_on_identifiers(table: Table, predictors: Iterable[str], factors: Collection[str]) -> Iterator[str]:
    """A sentence for each predictor of text that is another one in every row, if not in `factors`."""
    for name in predictors:
        column = table[name]
        if column.levels is None or name in factors:
            continue
        n_cells = int((column.values >= 0).sum())
        if FEW_ROWS <= n_cells == np.unique(column.values[column.values >= 0]).size:
            yield (
                f"column {name!r} of {table.name} is text that is another one in every row, which tells nothing of new "
                "rows; leave it out by ignored_columns, or name it in factors if it is meant so."
            )
