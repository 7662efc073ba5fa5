"""The one way from Arrow data to a Table: every frame and every file takes it."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from h2olite.errors import DataError

from .notation import Notation
from .table import Column, Kind, NoRowsError, Remark, Table, number_text, with_ordered_levels

TIMESTAMPS = [pa.timestamp(unit, zone) for zone in (None, "UTC") for unit in ("s", "ns")]
"""What text may spell as a time: whole seconds reach further than the years 1677 to 2262 of nanoseconds."""

TIME_OF_DAY = r"^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?$"

UNITS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
"""Milliseconds of the units of times and durations."""

TEXTS = {
    arrow_type.id
    for arrow_type in (
        *(pa.string(), pa.large_string(), pa.string_view()),
        *(pa.binary(), pa.binary(1), pa.large_binary(), pa.binary_view()),
    )
}
"""The types of strings, and of bytes that may be some."""


def table_from_arrow(
    parts: list[pa.Table],
    *,
    name: str,
    kinds: Mapping[str, Kind] | None = None,
    keep_order: bool = True,
    place: Callable[[int], str] = "row {}".format,
    csv: Mapping[str, Any] | None = None,
) -> Table:
    """The Table that Arrow tables of the same columns make up, one below the other.

    Parameters
    ----------
    parts : list of pyarrow.Table
        They may type a column differently: text in one makes it categorical in all. The list is emptied, so that
        each column's Arrow memory is free again once it is converted.
    name : str
        What messages call the table.
    kinds : mapping of str to Kind, optional
        What these columns must be, whatever their types suggest.
    keep_order : bool
        Whether dictionary columns have the order of their dictionary; otherwise their levels are sorted as text is.
    place, csv
        See `Table`.

    Raises
    ------
    DataError
        If there are no rows (then a `NoRowsError`), two columns share a name, a type is nested, a column of `kinds`
        does not exist, or one to be numeric holds something else.
    """
    kinds = kinds or {}
    names = parts[0].column_names
    n_rows = sum(part.num_rows for part in parts)
    if not n_rows:
        raise NoRowsError.of(name, names)
    refuse_repeated(names, name)
    left = [dict(zip(part.column_names, part.columns, strict=True)) for part in parts]
    parts.clear()
    table = Table(name, {}, n_rows, place, csv=csv)
    remarks, notation = [], table.notation
    for column in names:
        chunks = [chunk for part in left for chunk in part.pop(column).chunks]
        try:
            table.columns[column] = column_of(chunks, kinds.get(column), keep_order, notation)
            if lost := _lost_values(chunks, table.columns[column]):
                remarks.append(Remark(column, f"column {column!r} of {name} holds {lost}"))
        except pa.ArrowException as error:
            raise DataError(
                f"column {column!r} of {name} must hold numbers, text, booleans or times; {error}: convert or drop it."
            ) from None
    return replace(table.convert(kinds), remarks=tuple(remarks))


def validated(data: pa.Table | pa.RecordBatch) -> pa.Table | pa.RecordBatch:
    """The data, if all of its offsets and indices lie inside its memory and its text and names are UTF-8.

    What damaged data says of its memory leads anywhere, and ends the process there.

    Raises
    ------
    pyarrow.ArrowInvalid, UnicodeError
        If they do not.
    """
    data.validate(full=True)
    for name in data.schema.names:  # they are decoded here
        name.encode()
    return data


def refuse_repeated(columns: Iterable[str], name: str, advice: str = "rename them") -> None:
    """Check that no two columns of the table called `name` share theirs.

    Raises
    ------
    DataError
        If two do.
    """
    for column, count in collections.Counter(columns).items():
        if count > 1:
            raise DataError(f"{name} must name every column once; got {column!r} {count} times: {advice}.")


def natural_kind(arrow_type: pa.DataType) -> Kind | None:
    """What a column of this type holds when nobody says otherwise; None for the type of nothing but missing values.

    Raises
    ------
    pyarrow.ArrowNotImplementedError
        If no column can be made of it.
    """
    if isinstance(arrow_type, pa.BaseExtensionType):
        return natural_kind(arrow_type.storage_type)
    if types.is_dictionary(arrow_type) or types.is_run_end_encoded(arrow_type):
        kind = natural_kind(arrow_type.value_type)
        return "categorical" if types.is_dictionary(arrow_type) else kind
    if types.is_null(arrow_type):
        return None
    if types.is_boolean(arrow_type) or _is_text(arrow_type):
        return "categorical"
    if any(test(arrow_type) for test in (types.is_integer, types.is_floating, types.is_decimal, types.is_duration)):
        return "numeric"
    if any(test(arrow_type) for test in (types.is_date, types.is_time, types.is_timestamp)):
        return "time"
    raise pa.ArrowNotImplementedError(f"got {arrow_type}")


def _is_text(arrow_type: pa.DataType) -> bool:
    """Whether values of the type are strings, or bytes that may be."""
    return arrow_type.id in TEXTS


def column_of(chunks: Sequence[pa.Array], kind: Kind | None, keep_order: bool, notation: Notation) -> Column:
    """The column that these chunks make up: of the kind asked for, if they can be, or of their own."""
    natural = set(map(natural_kind, {chunk.type for chunk in chunks})) - {None}
    chunks = [_plain(chunk) for chunk in chunks]
    if kind == "categorical" or (kind is None and "categorical" in natural):
        return _categorical(chunks, forced=kind is not None, keep_order=keep_order)
    is_time = kind == "time" or natural == {"time"}
    try:
        return Column(np.concatenate([_numbers(chunk, notation, is_time=is_time) for chunk in chunks]), is_time=is_time)
    except pa.ArrowInvalid:  # text that is no number: Table.convert says where
        return _categorical(chunks, forced=False, keep_order=False)


def _plain(chunk: pa.Array) -> pa.Array:
    """The chunk without extension type, run-length encoding or one of the rarer types of text."""
    if isinstance(chunk, pa.ExtensionArray):
        return _plain(chunk.storage)
    if types.is_run_end_encoded(chunk.type):
        return _plain(pc.run_end_decode(chunk))
    if types.is_dictionary(chunk.type):
        return pa.DictionaryArray.from_arrays(chunk.indices, _plain(chunk.dictionary))
    if _is_text(chunk.type) and not types.is_string(chunk.type):
        return chunk.cast(pa.large_string())  # text of more than 2 GB fits in no other
    return chunk


def _numbers(chunk: pa.Array, notation: Notation, *, is_time: bool) -> np.ndarray:
    """The chunk as float64 with NaN where missing; times and durations as milliseconds, with their fractions."""
    if types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    if _is_text(chunk.type):
        chunk = _times_from_text(pc.utf8_trim_whitespace(chunk)) if is_time else chunk
    if _is_text(chunk.type):
        return to_numpy(notation.numbers(chunk), np.nan)
    if types.is_date(chunk.type):
        chunk = chunk.cast(pa.timestamp("ms"), safe=False)
    if types.is_timestamp(chunk.type) or types.is_time(chunk.type) or types.is_duration(chunk.type):
        in_ms = UNITS[chunk.type.unit]
        counts = chunk.cast(pa.int32() if types.is_time32(chunk.type) else pa.int64())
        if in_ms < 1:
            return _divided(counts, in_ms)
        return to_numpy(counts.cast(pa.float64(), safe=False), np.nan) * in_ms
    return to_numpy(chunk.cast(pa.float64(), safe=False), np.nan)


def _divided(counts: pa.Array, in_ms: float) -> np.ndarray:
    """Counts of a unit shorter than a millisecond as milliseconds; the whole ones first, as int64 holds more digits."""
    per_ms = round(1 / in_ms)
    whole, rest = np.divmod(to_numpy(counts, 0), per_ms)
    values = whole + rest / per_ms
    if counts.null_count:
        values[np.from_dlpack(counts.is_null().cast(pa.uint8())) == 1] = np.nan
    return values


def _lost_values(chunks: Sequence[pa.Array], column: Column) -> str | None:
    """What to say of a column of which different values have become equal as float64; None where all stay apart."""
    if column.is_categorical:
        return None
    whole = [_integers(chunk) for chunk in chunks if not types.is_null(chunk.type)]
    exact = [chunk for chunk in whole if chunk is not None]
    if not exact or len(exact) < len(whole) or len({chunk.type for chunk in exact}) > 1:
        return None
    is_time = any(hasattr(chunk.type, "unit") for chunk in chunks)
    present = column.values[~np.isnan(column.values)]
    if not is_time and not (np.abs(present) >= 2.0**53).any():
        return None
    n_exact, n_left = pc.count_distinct(pa.chunked_array(exact)).as_py(), np.unique(present).size
    if n_left == n_exact:
        return None
    what = "times closer to each other" if is_time else "whole numbers beyond 2^53, farther from 0"
    return (
        f"{what} than float64 can tell apart: {n_exact:,} different values have become {n_left:,}; name it in factors "
        "if they are labels, otherwise subtract the smallest one first."
    )


def _integers(chunk: pa.Array) -> pa.Array | None:
    """A chunk's whole numbers, or counts of nanoseconds of which some are no whole microseconds; None for others."""
    if types.is_integer(chunk.type) or types.is_decimal(chunk.type):
        return chunk
    if getattr(chunk.type, "unit", None) != "ns":
        return None
    counts = chunk.cast(pa.int64())
    return counts if (to_numpy(counts, 0) % 1000).any() else None


def times_of_day(text: pa.Array) -> pa.Array:
    """The times of day that text spells, with fractions of a second or without, as timestamps of the first day.

    Raises
    ------
    pyarrow.ArrowInvalid
        If a text spells none.
    """
    if pc.all(pc.match_substring_regex(text, TIME_OF_DAY)).as_py() is False:
        raise pa.ArrowInvalid("some texts are no times of day")
    return pc.binary_join_element_wise("1970-01-01 ", text, "").cast(TIMESTAMPS[1])


def _times_from_text(text: pa.Array) -> pa.Array:
    """The text as timestamps if all of it is dates or all is times of day; otherwise the text."""
    of_day = pc.binary_join_element_wise("1970-01-01 ", text, "")
    for candidate in (text, of_day):
        for timestamp in TIMESTAMPS:
            try:
                return candidate.cast(timestamp)
            except pa.ArrowInvalid:
                continue
    return text


def _categorical(chunks: Sequence[pa.Array], *, forced: bool, keep_order: bool) -> Column:
    """The chunks as indices into the levels of all of them."""
    index: dict[str | None, int] = {None: -1}
    present = {chunk.type for chunk in chunks if not types.is_null(chunk.type)}
    if present == {pa.bool_()}:
        index |= {"False": 0, "True": 1}
    values = []
    for chunk in chunks:
        encoded = chunk if types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        lookup = [index.setdefault(text, len(index) - 1) for text in _texts(encoded.dictionary)]
        values.append(np.array([*lookup, -1], np.int32)[to_numpy(encoded.indices.cast(pa.int32()), -1)])
    levels = [level for level in index if level is not None]
    if keep_order and all(map(types.is_dictionary, present)):
        return Column(np.concatenate(values), tuple(levels))
    return with_ordered_levels(np.concatenate(values), levels, forced=forced)


def _texts(values: pa.Array) -> list[str | None]:
    """Distinct values as levels."""
    if types.is_boolean(values.type):
        return [None if value is None else str(value) for value in values.to_pylist()]
    if types.is_floating(values.type) or types.is_decimal(values.type):
        numbers = to_numpy(values.cast(pa.float64(), safe=False), np.nan)
        return [None if np.isnan(number) else number_text(number) for number in numbers.tolist()]
    return values.cast(pa.large_string()).to_pylist()


def to_numpy(numbers: pa.Array, missing: float) -> np.ndarray:
    """The numbers, with `missing` for null.

    Arrow's own functions import pandas, here as in `to_arrow`: a fifth of the time to train on a small table.
    """
    if not numbers.null_count:
        return np.from_dlpack(numbers)
    whatever = pa.Array.from_buffers(numbers.type, len(numbers), [None, numbers.buffers()[1]], 0, numbers.offset)
    is_valid = np.from_dlpack(numbers.is_valid().cast(pa.uint8()))
    return np.where(is_valid, np.from_dlpack(whatever), missing)


def to_arrow(values: np.ndarray | Sequence[str]) -> pa.Array:
    """Numbers, or texts, as Arrow has them."""
    if isinstance(values, np.ndarray):
        numbers = pa.py_buffer(np.ascontiguousarray(values))
        return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, numbers])
    texts = [value.encode() for value in values]
    ends = pa.py_buffer(np.cumsum([0, *map(len, texts)], dtype=np.int32))
    return pa.Array.from_buffers(pa.string(), len(texts), [None, ends, pa.py_buffer(b"".join(texts))])
