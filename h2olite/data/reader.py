"""Reads tables from files: whole tables for training, and blocks of tables for prediction."""

from __future__ import annotations

import bisect
import functools
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import NamedTuple

import pyarrow as pa
from pyarrow import ipc, parquet

from h2olite.errors import DataError
from h2olite.machine.memory import refuse_lack_of_memory
from h2olite.settings.parameters import nearest

from .advice import advice_on_header
from .arrow import natural_kind, refuse_repeated, table_from_arrow, validated
from .content import reading_as_named
from .csv_options import CsvOptions
from .delimited import CsvFile
from .files import DELIMITED, File, find_files
from .table import Kind, NoRowsError, Table, forced_kinds, matched_names

__all__ = ["Block", "read_blocks", "read_table"]


COMPRESSION = 5
"""How many times as large a compressed CSV file is as it seems."""

BYTES_PER_CELL = 16
"""Memory that reading takes for a number: 8 bytes as Arrow has it, and 8 in the table; text takes half."""


class Block(NamedTuple):
    """A block of rows of a file.

    Parameters
    ----------
    table : Table
        The columns of the schema that the file has.
    kept : pyarrow.Table
        The columns to copy, as they are in the file.
    """

    table: Table
    kept: pa.Table


def read_table(
    source: str | os.PathLike[str],
    *,
    factors: Collection[str] = (),
    numeric: Collection[str] = (),
    schema: Mapping[str, Kind] | None = None,
    csv: CsvOptions | None = None,
) -> Table:
    """Read the whole table of a path.

    Text is categorical. A CSV column is text if a single cell of it is not a number. Dates and times are numeric.

    Parameters
    ----------
    source : str or path
        A CSV, Parquet or Arrow file, a folder or glob of such files, a URI, or ``-`` for standard input. The format and
        the compression of standard input are recognised by its first bytes.
    factors : collection of str
        Columns that are categorical. Their levels are the text as it is written.
    numeric : collection of str
        Columns that must be numeric.
    schema : mapping of str to Kind, optional
        The kinds of other columns, as far as the table has them.
    csv : CsvOptions, optional
        How to read CSV.

    Raises
    ------
    DataError
        If the file does not exist or cannot be read, or a column does not have the required kind.
    LackOfMemoryError
        If the table is larger than the memory that is left.
    """
    forced = forced_kinds(factors, numeric)
    files = open_files(source, csv or CsvOptions())
    refuse_lack_of_memory(
        f"reading {name_of(source, files)}",
        BYTES_PER_CELL * sum(file.n_cells() for file in files),
        "take a part of its rows or columns, or a larger machine",
    )
    kinds = {**(schema or {}), **forced}
    as_text = {name.strip() for name, kind in kinds.items() if kind == "categorical"}
    parts = [file.read(as_text) for file in files]
    refuse_other_columns(files, parts)
    mixed = _mixed_columns([part for file, part in zip(files, parts, strict=True) if isinstance(file, CsvFile)])
    if mixed:  # the numbers of one file are needed as they are written there
        parts = [file.read(as_text | mixed) for file in files]
    parts = [part.rename_columns(matched_names(part.column_names, kinds)) for part in parts]
    names = set(parts[0].column_names)
    existing = {column: kind for column, kind in kinds.items() if column in names or column in forced}
    place = place_in(files, [part.num_rows for part in parts])
    keep_order = not any(isinstance(file, CsvFile) for file in files)
    options = (csv or CsvOptions()).given() if any(isinstance(file, CsvFile) for file in files) else None
    table = table_from_arrow(
        parts, name=name_of(source, files), kinds=existing, keep_order=keep_order, place=place, csv=options
    )
    pa.default_memory_pool().release_unused()
    remarks = table.remarks
    if isinstance(files[0], CsvFile) and files[0].options.header is None:
        remarks += tuple(filter(None, [advice_on_header(table)]))
    return replace(table, source=os.fspath(source), remarks=remarks)


def read_blocks(
    source: str | os.PathLike[str],
    schema: Mapping[str, Kind],
    *,
    csv: CsvOptions | None = None,
    rows: int = 65536,
    keep: Iterable[str] = (),
) -> Iterator[Block]:
    """Read the table of a path block by block. The memory does not grow with its length.

    A file with column names but no rows gives an empty block.

    Parameters
    ----------
    source : str or path
        As for `read_table`.
    schema : mapping of str to Kind
        The columns to read, and the kind of each. Columns that the table lacks are absent from the blocks.
    csv : CsvOptions, optional
        How to read CSV.
    rows : int
        The largest number of rows in a block.
    keep : iterable of str
        Columns to copy unchanged. Cells of CSV stay text as it is written.

    Raises
    ------
    DataError
        As `read_table`, or if a column of `keep` does not exist.
    """
    keep = list(dict.fromkeys(keep))
    csv = csv or CsvOptions()
    files = open_files(source, csv)
    for file in files:
        first = 0
        for part in file.blocks(rows):
            _refuse_repeated(file, part)
            part = part.rename_columns(matched_names(part.column_names, [*schema, *keep]))
            names = dict.fromkeys(part.column_names)
            for name in keep:
                if name not in names:
                    raise DataError(f"{file.name} has no column {name!r}{nearest(name, names)}")
            kinds = {name: kind for name, kind in schema.items() if name in names}
            cells = file.without_na_strings(part.select(list(kinds)))
            try:
                table = table_from_arrow(
                    [cells],
                    name=file.name,
                    kinds=kinds,
                    place=_place_after(file, first),
                    csv=csv.given() if isinstance(file, CsvFile) else None,
                )
            except NoRowsError as error:
                table = error.table(file.name, kinds)
            yield Block(table, part.select(keep))
            first += part.num_rows


@dataclass(frozen=True)
class TypedFile:
    """A Parquet or Arrow file, which contains the types of its columns."""

    file: File

    @property
    def name(self) -> str:
        """The name of the file in messages."""
        return self.file.name

    def n_cells(self) -> int:
        """The number of cells. For Arrow files, which do not contain it, it is estimated from the size."""
        with reading_as_named(self.file), self.file.open_seekable() as source:
            if self.file.format == ".parquet":
                metadata = parquet.ParquetFile(source).metadata
                return metadata.num_rows * metadata.num_columns
            return source.size() // 8

    def read(self, as_text: Iterable[str] = ()) -> pa.Table:
        """The whole table, with the types of the file. `as_text` has no effect."""
        with reading_as_named(self.file), self._open() as source:
            if self.file.format == ".parquet":
                table = parquet.ParquetFile(source).read()
            else:
                table = self._open_arrow(source).read_all()
            return validated(table)

    def blocks(self, rows: int) -> Iterator[pa.Table]:
        """The rows in blocks of at most this size. Without rows, there is one empty block."""
        with reading_as_named(self.file), self._open() as source:
            if self.file.format == ".parquet":
                table = parquet.ParquetFile(source)
                schema, batches = table.schema_arrow, table.iter_batches(batch_size=rows)
            else:
                reader = self._open_arrow(source)
                schema, batches = reader.schema, _arrow_batches(reader)
            n_rows = 0
            for batch in batches:
                validated(batch)
                for start in range(0, batch.num_rows, rows):
                    yield pa.Table.from_batches([batch.slice(start, rows)])
                n_rows += batch.num_rows
            if not n_rows:
                yield schema.empty_table()

    def without_na_strings(self, part: pa.Table) -> pa.Table:
        """The block itself, because missing values are not text in these files."""
        return part

    def place(self, row: int) -> str:
        """How messages point at a row."""
        return f"row {row}"

    def _open(self) -> pa.NativeFile:
        """The file, at any position unless it is a stream."""
        return self.file.open() if self.file.format == ".arrows" else self.file.open_seekable()

    def _open_arrow(self, source: pa.NativeFile) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
        """A reader of whichever of Arrow's two layouts the file has."""
        if self.file.format != ".arrows":
            try:
                return ipc.open_file(source)
            except pa.ArrowInvalid:
                source.seek(0)
        return ipc.open_stream(source)


def open_files(source: str | os.PathLike[str], csv: CsvOptions) -> list[CsvFile | TypedFile]:
    """The files of a source, each ready to be read as its extension says."""
    return [CsvFile(file, csv) if file.format in DELIMITED else TypedFile(file) for file in find_files(source)]


def name_of(source: str | os.PathLike[str], files: Sequence[CsvFile | TypedFile]) -> str:
    """What messages call the table."""
    return files[0].name if len(files) == 1 else PurePosixPath(os.fspath(source)).name


def _arrow_batches(reader: ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader) -> Iterable[pa.RecordBatch]:
    """Every batch of a reader, one at a time."""
    if isinstance(reader, ipc.RecordBatchFileReader):
        return map(reader.get_batch, range(reader.num_record_batches))
    return reader


def refuse_other_columns(files: Sequence[CsvFile | TypedFile], parts: Sequence[pa.Table]) -> None:
    """Check that all files of a table have the same columns, in whatever order."""
    _refuse_repeated(files[0], parts[0])
    for file, part in zip(files[1:], parts[1:], strict=True):
        _refuse_repeated(file, part)
        different = set(part.column_names) ^ set(parts[0].column_names)
        if different:
            name = min(different)
            has, lacks = (file, files[0]) if name in part.column_names else (files[0], file)
            raise DataError(
                f"the files of a table must have the same columns; {has.name} has a column {name!r} and {lacks.name} "
                "has none: read them apart."
            )


def _refuse_repeated(file: CsvFile | TypedFile, part: pa.Table) -> None:
    """Check that no two columns of a file share their name, as values do that are taken for names."""
    names, advice = part.column_names, "rename them"
    if isinstance(file, CsvFile) and file.options.has_header and any(map(file.options.notation.is_number, names)):
        advice = "rename them, or pass --no-header if the first line is a row"
    refuse_repeated(names, file.name, advice)


def cells_of(source: str | os.PathLike[str], csv: CsvOptions) -> int | None:
    """About how many cells a path has; None if nobody knows."""
    n_cells = 0
    for file in open_files(source, csv):
        n_own = file.n_cells()
        if not n_own:
            return None
        n_cells += n_own * (COMPRESSION if file.file.compression else 1)
    return n_cells


def _mixed_columns(parts: Sequence[pa.Table]) -> set[str]:
    """The columns of which CSV files hold different kinds, such as numbers in one and text in another."""
    names = parts[0].column_names if parts else []
    return {name for name in names if len({natural_kind(part.schema.field(name).type) for part in parts} - {None}) > 1}


def _place_after(file: CsvFile | TypedFile, first: int) -> Callable[[int], str]:
    """How messages point at a row of the block that begins with row `first` of the file."""
    return lambda row: file.place(first + row)


def place_in(files: Sequence[CsvFile | TypedFile], lengths: Sequence[int]) -> Callable[[int], str]:
    """How messages point at a row of all files below each other."""

    @functools.cache  # as several models of the same table may say the same of a row
    def place(row: int) -> str:
        starts = [sum(lengths[:i]) for i in range(len(files))]
        i = bisect.bisect_right(starts, row) - 1
        where = files[i].place(row - starts[i])
        return where if len(files) == 1 else f"{where} of {files[i].name}"

    return place
