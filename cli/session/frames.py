"""Frames as wholes: read, written, named, put together, taken apart by columns."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from h2olite.data.csv_options import CsvOptions
from h2olite.data.delimited import CsvFile
from h2olite.data.files import COMPRESSIONS, DELIMITED, TABLE_FORMATS, find_files
from h2olite.data.reader import read_table
from h2olite.data.table import Column, Kind, Table
from h2olite.errors import DataError
from h2olite.settings.parameters import counted, nearest

from ..output import destination, write_table
from . import transfer
from .store import Store

KINDS: dict[str, Kind] = {
    **dict.fromkeys(("enum", "factor"), "categorical"),
    **dict.fromkeys(("numeric", "int", "real", "double", "integer"), "numeric"),
    **dict.fromkeys(("time", "date", "posixct"), "time"),
    **dict.fromkeys(("string", "character"), "categorical"),
}
"""What types of columns by H2O's and R's names are to h2olite."""


def import_file(
    store: Store,
    path: str,
    sep: str = "",
    header: bool | None = None,
    names: Sequence[str] | None = None,
    types: dict[str, str] | None = None,
    na_strings: Sequence[str] | None = None,
) -> pa.Table:
    """The table of a file, folder or glob; text becomes factors.

    types : kinds of columns, by H2O's names, for those that are not to be guessed.
    """
    csv = CsvOptions(separator=sep or None, header=header, na_strings=list(na_strings) if na_strings else None)
    with readable(path) as file:
        if header is None and not begins_with_names(file, csv):
            csv = replace(csv, header=False)
        kinds = {name: _kind(kind, name) for name, kind in (types or {}).items()}
        if names is not None and csv.header is False:
            kinds = {f"C{list(names).index(name) + 1}": kind for name, kind in kinds.items()}
        table = read_table(
            file,
            factors=[name for name, kind in kinds.items() if kind == "categorical"],
            numeric=[name for name, kind in kinds.items() if kind == "numeric"],
            schema={name: kind for name, kind in kinds.items() if kind == "time"},
            csv=csv,
        )
    for sentence in table.remarks_on(table.columns):
        warnings.warn(sentence, stacklevel=2)
    frame = from_table(table)
    return frame if names is None else rename(store, frame, names)


@contextlib.contextmanager
def readable(path: str) -> Iterator[str]:
    """The path by a name that says what it is: a file of no known format is CSV, as H2O takes it, or a zip of it."""
    file = Path(path)
    if "://" in path or not file.is_file() or file.name.lower().removesuffix(".gz").endswith(TABLE_FORMATS):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                for number, member in enumerate(archive.namelist()):
                    Path(folder, f"{number}-{Path(member).name}").write_bytes(archive.read(member))
            yield folder
        else:
            compression = file.suffix if file.suffix in COMPRESSIONS else ""
            link = Path(folder, f"{file.name.removesuffix(compression)}.csv{compression}")
            link.symlink_to(file.absolute())
            yield str(link)


def begins_with_names(path: str, csv: CsvOptions) -> bool:
    """Whether the first row of a table names its columns: of CSV, whether none of its cells is a number."""
    first = find_files(path)[0]
    if first.format not in DELIMITED:
        return True
    return not any(map(_is_number, CsvFile(first, csv).names))


def _is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _kind(word: str, column: str) -> Kind:
    """h2olite's kind of a column by H2O's name of it."""
    if word.lower() not in KINDS:
        raise DataError(f"the type of column {column!r} must be one of {', '.join(KINDS)}; got {word!r}.")
    return KINDS[word.lower()]


def from_table(table: Table) -> pa.Table:
    """The frame of a table that was read: whole numbers as integers, levels as dictionaries."""
    return pa.table({name: _from_column(column) for name, column in table.columns.items()})


def _from_column(column: Column) -> pa.Array:
    """One column of a frame."""
    if column.levels is not None:
        return pa.DictionaryArray.from_arrays(
            pa.array(column.values, mask=column.values < 0), pa.array(list(column.levels), pa.string())
        )
    missing = np.isnan(column.values)
    if column.is_time:
        return pa.array(np.where(missing, 0, column.values).astype(np.int64), mask=missing).cast(
            pa.timestamp("ms", "UTC")
        )
    return from_numbers(column.values, whole=True)


def from_numbers(numbers: np.ndarray, *, whole: bool = False) -> pa.Array:
    """Numbers as a column, with NaN as missing.

    whole : make integers of them if all of them are, within 32 bits.
    """
    missing = np.isnan(numbers)
    if whole:
        filled = np.where(missing, 0, numbers)
        if (filled == np.rint(filled)).all() and (np.abs(filled) < 2**31).all():
            return pa.array(filled.astype(np.int32), mask=missing)
    return pa.array(numbers, mask=missing)


def export_file(store: Store, frame: pa.Table, path: str, force: bool = False, format: str | None = None) -> int:
    """Write a frame to a file in the format of its extension; gives the number of rows."""
    target = Path(path)
    if target.exists() and not force:
        raise DataError(f"{path} is there; name another file, or pass force = TRUE to replace it.")
    known = "".join(target.suffixes).lower()
    fallback = None if known.endswith((".csv", ".csv.gz", ".parquet", ".arrow", ".feather")) else "csv"
    return write_table([frame], destination(target, format or fallback))


def assign(store: Store, frame: pa.Table) -> pa.Table:
    """The frame itself, to be kept under another key."""
    return frame


def get(store: Store, key: str) -> dict[str, Any]:
    """The description of a frame that is held."""
    return transfer.describe_frame(key, store.frame(key))


def keys(store: Store) -> list[str]:
    """The keys of all that is held."""
    return sorted({*store.frames, *store.models, *store.grids, *store.paths})


def remove(store: Store, keys: Sequence[str]) -> None:
    """Let go of what is held under these keys, with the models of a grid."""
    for key in keys:
        if key in store.grids:
            store.forget(store.grids[key].model_ids)
    store.forget(keys)


def remove_all(store: Store, retained: Sequence[str] = ()) -> None:
    """Let go of everything but these."""
    store.forget([key for key in keys(store) if key not in retained])


def select(store: Store, frame: pa.Table, columns: Sequence[int]) -> pa.Table:
    """Some columns, by 0-based index."""
    return frame.select(list(columns))


def bind_columns(store: Store, frames: Sequence[pa.Table]) -> pa.Table:
    """Frames side by side; names that are there already get a number, as in H2O."""
    rows = {frame.num_rows for frame in frames}
    if len(rows) > 1:
        raise DataError(f"frames side by side must have equally many rows; got {' and '.join(map(str, sorted(rows)))}.")
    names: list[str] = []
    for name in [name for frame in frames for name in frame.column_names]:
        new, number = name, 0
        while new in names:
            new, number = f"{name}{number}", number + 1
        names.append(new)
    return pa.table([column for frame in frames for column in frame.columns], names=names)


def bind_rows(store: Store, frames: Sequence[pa.Table]) -> pa.Table:
    """Frames one below the other; factors get the levels of all."""
    first, *others = frames
    for other in others:
        if other.column_names != first.column_names:
            raise DataError(
                f"frames one below the other must have the same columns; got {', '.join(first.column_names)} and "
                f"{', '.join(other.column_names)}."
            )
    columns = [stacked([frame[name] for frame in frames], name) for name in first.column_names]
    return pa.table(columns, names=first.column_names)


def stacked(parts: Sequence[pa.ChunkedArray], name: str) -> pa.ChunkedArray:
    """Columns one below the other, as the widest of their types."""
    types = {part.type for part in parts}
    if len(types) > 1 or pa.types.is_dictionary(parts[0].type):
        kinds = {transfer.kind_of(part.type) for part in parts}
        if kinds <= {"factor", "character"}:
            return _stacked_factors(parts) if "factor" in kinds else pa.chunked_array([*parts], pa.string())
        if not kinds <= {"integer", "integer64", "double", "logical"}:
            raise DataError(f"column {name!r} must be of one type in all frames; got {' and '.join(sorted(kinds))}.")
        parts = [part.cast(pa.float64()) for part in parts]
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)


def _stacked_factors(parts: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Factors one below the other; levels that only later ones have come after those of the first."""
    encoded = [transfer.as_dictionary(part) for part in parts]
    levels = list(dict.fromkeys(level for part in encoded for level in part.dictionary.to_pylist()))
    place = {level: index for index, level in enumerate(levels)}
    codes = []
    for part in encoded:
        lookup = np.array([*(place[level] for level in part.dictionary.to_pylist()), -1], np.int32)
        codes.append(lookup[pc.fill_null(part.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)])
    whole = np.concatenate(codes)
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(pa.array(whole, mask=whole < 0), pa.array(levels, pa.string()))]
    )


def rename(store: Store, frame: pa.Table, names: Sequence[str]) -> pa.Table:
    """The frame with other names for its columns."""
    names = list(names)
    if len(names) != frame.num_columns or len(set(names)) < len(names):
        raise DataError(
            f"names must be {counted(frame.num_columns, 'different text')} for as many columns; got {', '.join(names)}."
        )
    return frame.rename_columns(names)


def drop_columns(store: Store, frame: pa.Table, columns: Sequence[int]) -> pa.Table:
    """The frame without some columns, by 0-based index."""
    return frame.drop_columns([frame.column_names[column] for column in columns])


def known_column(frame: pa.Table, name: str) -> str:
    """The name, if the frame has such a column."""
    if name not in frame.column_names:
        raise DataError(f"the frame has no column {name!r}{nearest(name, frame.column_names)}")
    return name


OPERATIONS = {
    **transfer.OPERATIONS,
    "import_file": import_file,
    "export_file": export_file,
    "assign": assign,
    "get": get,
    "keys": keys,
    "remove": remove,
    "remove_all": remove_all,
    "select": select,
    "bind_columns": bind_columns,
    "bind_rows": bind_rows,
    "rename": rename,
    "drop_columns": drop_columns,
}
