"""Which columns of a table are the predictors."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from h2olite.data.adaptation import listed
from h2olite.data.table import Table
from h2olite.errors import DataError
from h2olite.parameters import nearest


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
        raise DataError(" ".join([*faults, *table.remarks_on([])]))
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
