"""Cells of frames, set to other values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from h2olite.errors import DataError

from .frames import stacked
from .rows import mask_of
from .store import Store


def set_column(store: Store, frame: pa.Table, column: str | int, value: Any, rows: Any = None) -> pa.Table:
    """The frame with a column replaced or added, or with other values in some of its rows.

    column : its name, or its 0-based index.
    value : a frame of one column, or one value for all rows, None for a missing one.
    rows : a 0/1 column that marks the rows to change, or their numbers from 1; all if not given.
    """
    name = column if isinstance(column, str) else frame.column_names[column]
    there = name in frame.column_names
    marked = None if rows is None else mask_of(frame, rows)
    new = _replacement(frame, frame[name] if there else None, value, marked)
    if len(new) != frame.num_rows:
        raise DataError(f"column {name!r} must get {frame.num_rows} values, one a row; got {len(new)}.")
    if there:
        return frame.set_column(frame.column_names.index(name), name, new)
    return frame.append_column(name, new)


def _replacement(frame: pa.Table, old: pa.ChunkedArray | None, value: Any, marked: np.ndarray | None) -> Any:
    """A column's new values."""
    n_rows = frame.num_rows
    if isinstance(value, pa.Table):
        new = value.column(0)
        if len(new) == 1 and n_rows != 1:
            new = _repeated(new, n_rows if marked is None else int(marked.sum()))
    else:
        new = _constant(value, old, n_rows if marked is None else int(marked.sum()))
    if marked is None:
        return new
    before = old if old is not None else pa.chunked_array([pa.nulls(n_rows, new.type)])
    if len(new) == n_rows:
        new = new.filter(pa.array(marked))
    if len(new) != marked.sum():
        raise DataError(f"the rows to change are {int(marked.sum())}; got {len(new)} values for them.")
    both = stacked([before, new], "value")
    places = np.arange(n_rows)
    places[marked] = n_rows + np.arange(len(new))
    return both.take(pa.array(places))


def _constant(value: Any, old: pa.ChunkedArray | None, count: int) -> pa.ChunkedArray:
    """One value in many rows, as the column has it: text is a level of a factor, a number in one is its text."""
    if value is None:
        arrow_type = pa.float64() if old is None else old.type
        return pa.chunked_array([pa.nulls(count, arrow_type)])
    if old is not None and pa.types.is_dictionary(old.type) and not isinstance(value, str):
        value = f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**31:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        array = pa.array([value])
    else:
        array = pa.array([value], pa.int32() if abs(value) < 2**31 else pa.float64())
    if isinstance(value, str) and (old is None or pa.types.is_dictionary(old.type)):
        array = array.dictionary_encode()
    return _repeated(pa.chunked_array([array]), count)


def _repeated(one: pa.ChunkedArray, count: int) -> pa.ChunkedArray:
    """The first value so many times."""
    return one.take(pa.array(np.zeros(count, np.int64)))


OPERATIONS = {"set_column": set_column}
