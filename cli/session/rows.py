"""Rows of frames: chosen, dealt at random, sorted, matched with those of other frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from h2olite.data.splits import draw_seed
from h2olite.errors import DataError, ParameterError

from . import transfer
from .frames import from_numbers, known_column, stacked
from .store import Store

Join = Literal["inner", "left", "right", "outer"]


def mask_of(frame: pa.Table, rows: Any) -> np.ndarray:
    """Which rows of the frame are meant: bool, (n_rows,).

    rows : a column of 0 and 1, one a row, or row numbers from 1 as a list or a column; negative ones are left out.
    """
    if isinstance(rows, pa.Table) and rows.num_rows == frame.num_rows and _is_mask(rows.column(0)):
        return transfer.numbers_of(rows.column(0)) == 1
    marked = np.zeros(frame.num_rows, bool)
    numbers = _numbers(frame, rows)
    if numbers.size and numbers[0] < 0:
        marked[:] = True
        marked[-numbers[-numbers <= frame.num_rows] - 1] = False
    else:
        marked[numbers - 1] = True
    return marked


def _is_mask(column: pa.ChunkedArray) -> bool:
    """Whether a column holds nothing but 0, 1 and missing values."""
    if transfer.kind_of(column.type) in transfer.INDEXED:
        raise DataError("rows are chosen by numbers or by 0 and 1; got a column of texts: compare it with one first.")
    numbers = transfer.numbers_of(column)
    return bool(((numbers == 0) | (numbers == 1) | np.isnan(numbers)).all())


def _numbers(frame: pa.Table, rows: Any) -> np.ndarray:
    """Row numbers from 1, checked."""
    given = transfer.numbers_of(rows.column(0)) if isinstance(rows, pa.Table) else np.asarray(rows, np.float64).ravel()
    numbers = given[~np.isnan(given)].astype(np.int64)
    numbers = numbers[numbers != 0]
    if numbers.size and (numbers > 0).any() and (numbers < 0).any():
        raise DataError("row numbers must be all positive or all negative; got both.")
    if numbers.size and numbers.max() > frame.num_rows:
        raise DataError(f"row numbers must be from 1 to {frame.num_rows}; got {numbers.max()}.")
    return numbers


def marked(frame: pa.Table, mask: np.ndarray) -> pa.Table:
    """The rows that a mask marks, with all levels of factors even if it marks none, which `filter` would lose."""
    return frame.take(pa.array(np.flatnonzero(mask)))


def choose(store: Store, frame: pa.Table, rows: Any) -> pa.Table:
    """Some rows, as `mask_of` takes them; positive numbers in their order and as often as they are named."""
    if isinstance(rows, pa.Table) and rows.num_rows == frame.num_rows and _is_mask(rows.column(0)):
        return marked(frame, mask_of(frame, rows))
    numbers = _numbers(frame, rows)
    if numbers.size and numbers[0] < 0:
        return marked(frame, mask_of(frame, rows))
    return frame.take(pa.array(numbers - 1))


def part(store: Store, frame: pa.Table, start: int, length: int) -> pa.Table:
    """So many rows from one on, which is counted from 0."""
    return frame.slice(start, length)


def uniform(n_rows: int, seed: int) -> np.ndarray:
    """A uniform random number for each row; the same for the same seed."""
    return np.random.default_rng(draw_seed(int(seed))).random(n_rows)


def runif(store: Store, frame: pa.Table, seed: int = -1) -> pa.Table:
    """A uniform random number from 0 to 1 for each row."""
    return pa.table({"rnd": uniform(frame.num_rows, seed)})


def split(
    store: Store, frame: pa.Table, ratios: Sequence[float] | float, keys: Sequence[str] | None = None, seed: int = -1
) -> list[dict[str, Any]]:
    """Deal the rows at random to frames, of which each gets about its ratio, and the last one the rest."""
    shares = list(ratios) if isinstance(ratios, list) else [float(ratios)]  # type: ignore[arg-type]
    if min(shares) <= 0 or sum(shares) >= 1:
        raise ParameterError(f"ratios must be > 0 and add up to less than 1; got {', '.join(map(str, shares))}.")
    if keys is not None and len(keys) != len(shares) + 1:
        raise ParameterError(f"destination_frames must be {len(shares) + 1} names, one a part; got {len(keys)}.")
    parts = np.searchsorted(np.cumsum(shares), uniform(frame.num_rows, seed), side="right")
    described = []
    for number in range(len(shares) + 1):
        table = marked(frame, parts == number)
        described.append(transfer.keep(store, table, None if keys is None else keys[number]))
    return described


def fold_column(store: Store, frame: pa.Table, nfolds: int, seed: int = -1) -> pa.Table:
    """The number of a random fold, from 0, for each row."""
    folds = np.floor(uniform(frame.num_rows, seed) * int(nfolds)).astype(np.int32)
    return pa.table({"kfold_column": folds})


def sort(store: Store, frame: pa.Table, columns: Sequence[str], decreasing: Sequence[bool] | None = None) -> pa.Table:
    """The rows sorted by columns; factors by the order of their levels, missing values first."""
    ascending = [not down for down in decreasing] if decreasing else [True] * len(columns)
    keys = pd.DataFrame({name: _sortable(frame[known_column(frame, name)]).to_pandas() for name in columns})
    order = keys.sort_values(list(columns), ascending=ascending, na_position="first", kind="stable").index
    return frame.take(pa.array(order.to_numpy()))


def _sortable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What to sort a column by."""
    if pa.types.is_dictionary(column.type):
        return pa.chunked_array([transfer.as_dictionary(column).indices])
    return column


def key_columns(frame: pa.Table, columns: Sequence[str]) -> pd.DataFrame:
    """Columns by which rows are matched or grouped: factors as their texts."""
    keys = {}
    for name in columns:
        column = frame[known_column(frame, name)]
        keys[name] = (column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column).to_pandas()
    return pd.DataFrame(keys)


def merge(
    store: Store, left: pa.Table, right: pa.Table, by_left: Sequence[str], by_right: Sequence[str], how: Join = "inner"
) -> pa.Table:
    """Rows of two frames with the same values in some columns, side by side, as `pandas.merge` matches them.

    how : ``"inner"`` rows in both, ``"left"`` and ``"right"`` all rows of one, ``"outer"`` all rows.
    """
    if len(by_left) != len(by_right) or not by_left:
        raise DataError("by.x and by.y must name equally many columns, at least one; name those to match by.")
    keys = [f"by{i}" for i in range(len(by_left))]
    tables = []
    for place, (frame, by) in (("i", (left, by_left)), ("j", (right, by_right))):
        rows = key_columns(frame, by).set_axis(keys, axis=1)
        tables.append(rows.assign(**{place: range(frame.num_rows)}))
    matched = pd.merge(tables[0], tables[1], on=keys, how=how, sort=True)
    i, j = (pa.array(matched[place], pa.int64(), from_pandas=True) for place in "ij")
    others = [name for name in right.column_names if name not in by_right]
    by_columns = {}
    for name, other in zip(by_left, by_right, strict=True):
        both = stacked([left[name], right[other]], name)
        by_columns[name] = both.take(pc.if_else(pc.is_valid(i), i, pc.add(j, left.num_rows)))
    rest = [name for name in left.column_names if name not in by_left]
    taken = {name: left[name].take(i) for name in rest}
    for name in others:
        taken[name if name not in left.column_names else f"{name}0"] = right[name].take(j)
    return pa.table(by_columns | taken)


def count(store: Store, frame: pa.Table) -> pa.Table:
    """How often each value of a column, or each pair of values of two, occurs, as `Count` or `Counts`."""
    if not 1 <= frame.num_columns <= 2:
        raise DataError(f"a table of counts needs 1 or 2 columns; got {frame.num_columns}: choose some.")
    names = frame.column_names
    ranks = [f"rank{i}" for i in range(len(names))]
    keys = pa.table([_sortable(column) for column in frame.columns], names=ranks)
    firsts = keys.append_column("row", pa.array(np.arange(frame.num_rows))).drop_null()
    grouped = firsts.group_by(ranks).aggregate([("row", "min"), ("row", "count")])
    grouped = grouped.sort_by([(rank, "ascending") for rank in ranks])
    values = frame.take(grouped["row_min"])
    title = "Count" if len(names) == 1 else "Counts"
    return values.append_column(title, grouped["row_count"].cast(pa.int32()))


def unique(store: Store, frame: pa.Table, include_nas: bool = False) -> pa.Table:
    """The distinct values of a column."""
    column = frame.column(0)
    plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    first = ~plain.to_pandas().duplicated().to_numpy()
    if not include_nas:
        first &= plain.is_valid().to_numpy(zero_copy_only=False)
    return pa.table({frame.column_names[0]: column.take(pa.array(np.flatnonzero(first)))})


def complete(store: Store, frame: pa.Table) -> pa.Table:
    """The rows without any missing value."""
    valid = [column.is_valid().to_numpy() for column in frame.columns]
    return marked(frame, np.logical_and.reduce(valid))


def insert_missing(store: Store, frame: pa.Table, fraction: float = 0.1, seed: int = -1) -> pa.Table:
    """The frame with about this share of the cells of every column made missing, at random."""
    random = np.random.default_rng(draw_seed(int(seed)))
    kept = [pa.array(random.random(frame.num_rows) >= fraction) for _ in frame.columns]
    columns = [
        pc.if_else(keep, column, pa.scalar(None, column.type))
        for keep, column in zip(kept, map(_whole, frame.columns), strict=True)
    ]
    return pa.table(columns, names=frame.column_names)


def _whole(column: pa.ChunkedArray) -> Any:
    """The column as one array."""
    return transfer.as_dictionary(column) if pa.types.is_dictionary(column.type) else column


GROUP_FUNCTIONS = {
    **{"mean": "mean", "sum": "sum", "min": "min", "max": "max", "sd": "std", "var": "var", "median": "median"},
    "nrow": "size",
}
"""What groups may be summarised by, and pandas' name of it."""


def group(store: Store, frame: pa.Table, by: Sequence[str], functions: Sequence[Sequence[str]]) -> pa.Table:
    """One row for each group of rows with the same values in the columns `by`.

    functions : pairs of a function, as in `GROUP_FUNCTIONS`, and the column to summarise by it.
    """
    keys = key_columns(frame, by)
    grouped = keys.groupby(list(by), sort=True, dropna=False)
    number = grouped.ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    columns = {name: frame[name].take(pa.array(first)) for name in by}
    for function, name in functions:
        if function not in GROUP_FUNCTIONS:
            raise ParameterError(f"groups are summarised by one of {', '.join(GROUP_FUNCTIONS)}; got {function!r}.")
        if function == "nrow":
            columns["nrow"] = pa.array(np.bincount(number).astype(np.int32))
            continue
        values = pd.Series(transfer.numbers_of(frame[known_column(frame, name)])).groupby(number)
        columns[f"{function}_{name}"] = from_numbers(getattr(values, GROUP_FUNCTIONS[function])().to_numpy(np.float64))
    return pa.table(columns)


OPERATIONS = {
    "choose": choose,
    "part": part,
    "runif": runif,
    "split": split,
    "fold_column": fold_column,
    "sort": sort,
    "merge": merge,
    "count": count,
    "unique": unique,
    "complete": complete,
    "insert_missing": insert_missing,
    "group": group,
}
