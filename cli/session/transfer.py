"""Frames to and from files of plain binary columns, which R reads and writes by itself, exactly and fast.

The columns stand one after the other. Numbers are little-endian: ``double``, ``POSIXct`` (seconds since 1970) and
``Date`` (days) 64-bit floating point, ``integer`` and ``logical`` 32-bit, ``integer64`` 64-bit. A ``factor`` or
``character`` column is 32-bit numbers from 1, then its levels or distinct texts in UTF-8, each ended by a zero byte.
What is missing is what R takes for it: its NA among the NaNs, or the least integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from h2olite.errors import DataError

from .store import Store

NA_REAL = np.frombuffer(b"\xa2\x07\0\0\0\0\xf0\x7f", np.float64)[0]
"""R's NA: a NaN whose lower word is 1954."""

NA_INTEGER, NA_INTEGER64 = np.iinfo(np.int32).min, np.iinfo(np.int64).min

INDEXED = ("factor", "character")


def kind_of(arrow_type: pa.DataType) -> str:
    """R's name for what a column of this type holds."""
    if types.is_dictionary(arrow_type):
        return "factor"
    if types.is_boolean(arrow_type):
        return "logical"
    if types.is_int32(arrow_type):
        return "integer"
    if types.is_int64(arrow_type):
        return "integer64"
    if types.is_timestamp(arrow_type):
        return "POSIXct"
    if types.is_date(arrow_type):
        return "Date"
    return "character" if types.is_string(arrow_type) or types.is_large_string(arrow_type) else "double"


def describe_frame(key: str, table: pa.Table) -> dict[str, Any]:
    """What the caller is to know of a frame: its key, the number of rows, names and kinds of columns."""
    return {
        "frame": key,
        "rows": table.num_rows,
        "columns": table.column_names,
        "kinds": [kind_of(field.type) for field in table.schema],
    }


def keep(store: Store, table: pa.Table, key: str | None = None) -> dict[str, Any]:
    """Hold a frame, under a key of its own if there is none, and describe it."""
    return describe_frame(store.keep_frame(table, key), table)


def put(store: Store, path: str, rows: int, columns: Sequence[dict[str, Any]]) -> pa.Table:
    """The frame in a file.

    columns : of each its ``name`` and ``kind``, and as far as it has them the length of its texts in ``bytes``, whether
        its levels are ``ordered``, and its time zone ``tz``.
    """
    names = [column["name"] for column in columns]
    if len(set(names)) < len(names):
        raise DataError("a frame must name every column once; rename those that share a name.")
    with open(path, "rb") as file:
        arrays = [_read_column(file, rows, column) for column in columns]
    return pa.table(arrays, names=names)


def _read_column(file: IO[bytes], rows: int, column: dict[str, Any]) -> pa.Array:
    """The next column of a file."""
    kind = column["kind"]
    if kind in INDEXED:
        codes = np.fromfile(file, "<i4", rows)
        texts = pa.array(_read_texts(file, column["bytes"]), pa.string())
        indices = pa.array(codes - np.int32(1), mask=codes == NA_INTEGER)
        array = pa.DictionaryArray.from_arrays(indices, texts, ordered=bool(column.get("ordered")))
        return array if kind == "factor" else array.cast(pa.string())
    if kind in ("integer", "logical"):
        numbers = np.fromfile(file, "<i4", rows)
        return pa.array(numbers if kind == "integer" else numbers != 0, mask=numbers == NA_INTEGER)
    if kind == "integer64":
        numbers = np.fromfile(file, "<i8", rows)
        return pa.array(numbers, mask=numbers == NA_INTEGER64)
    numbers = np.fromfile(file, "<f8", rows)
    missing = np.isnan(numbers)
    if kind == "double":
        return pa.array(numbers, mask=missing) if missing.any() else pa.array(numbers)
    if kind == "Date":
        return pa.array(np.floor(np.where(missing, 0, numbers)).astype(np.int32), mask=missing).cast(pa.date32())
    if kind == "POSIXct":
        microseconds = np.rint(np.where(missing, 0, numbers) * 1e6).astype(np.int64)
        return pa.array(microseconds, mask=missing).cast(pa.timestamp("us", column.get("tz") or "UTC"))
    raise DataError(f"column {column['name']!r} cannot be taken; convert it to numbers, text, a factor or times.")


def _read_texts(file: IO[bytes], n_bytes: int) -> list[str]:
    """The texts in the next bytes, each ended by a zero."""
    return file.read(n_bytes).decode().split("\0")[:-1]


def take(store: Store, frame: pa.Table, path: str) -> list[dict[str, Any]]:
    """Write a frame to a file, and say what its columns are, as `put` takes it."""
    with open(path, "wb") as file:
        return [
            {"name": name} | _write_column(file, column)
            for name, column in zip(frame.column_names, frame.columns, strict=True)
        ]


def _write_column(file: IO[bytes], column: pa.ChunkedArray) -> dict[str, Any]:
    """Append a column to a file, and say what it is."""
    kind = kind_of(column.type)
    described: dict[str, Any] = {"kind": kind}
    if kind in INDEXED:
        encoded = as_dictionary(column)
        indices = _filled(encoded.indices.cast(pa.int32()), -1)
        np.where(indices < 0, np.int32(NA_INTEGER), indices + np.int32(1)).astype("<i4").tofile(file)
        levels = encoded.dictionary.cast(pa.string()).to_pylist()
        file.write(b"".join(level.encode() + b"\0" for level in levels))
        return described | {"levels": len(levels), "ordered": bool(getattr(column.type, "ordered", False))}
    if kind in ("integer", "logical"):
        _filled(column.cast(pa.int32()), NA_INTEGER).astype("<i4").tofile(file)
    elif kind == "integer64":
        _filled(column, NA_INTEGER64).astype("<i8").tofile(file)
    else:
        numbers = numbers_of(column)
        numbers[np.isnan(numbers)] = NA_REAL
        numbers.astype("<f8").tofile(file)
    return described | ({"tz": column.type.tz} if kind == "POSIXct" else {})


def numbers_of(column: pa.ChunkedArray) -> np.ndarray:
    """The column as new float64 numbers with NaN for missing; times as R counts them, in seconds or days."""
    scale = 1.0
    if types.is_timestamp(column.type):
        column, scale = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()), 1e6
    elif types.is_date(column.type):
        column = column.cast(pa.date32()).cast(pa.int32())
    numbers = column.cast(pa.float64(), safe=False).to_numpy()
    return numbers / scale if scale != 1.0 else np.array(numbers)


def as_dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one array of indices into its levels, or into its distinct texts."""
    if not types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.unify_dictionaries().combine_chunks()


def _filled(numbers: pa.Array | pa.ChunkedArray, missing: int) -> np.ndarray:
    """Whole numbers with another one in the place of missing ones."""
    return pc.fill_null(numbers, missing).to_numpy(zero_copy_only=False) if numbers.null_count else np.asarray(numbers)


OPERATIONS = {"put": put, "take": take}
