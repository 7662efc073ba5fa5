"""Reads tables that are larger than memory, block by block, into a scratch file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from h2olite.errors import DataError
from h2olite.machine.scratch import ScratchFile

from .advice import advice_on_header, remark_on_unused
from .arrow import column_of, natural_kind
from .csv_options import CsvOptions
from .delimited import CsvFile
from .reader import TypedFile, name_of, open_files, place_in, refuse_other_columns
from .splits import random_stream, sample_rows
from .stored import ROWS, LargeTable, SampledColumn, StoredColumn, StoredTable, missing_values
from .summary import count_levels
from .table import TRUTH, Column, Kind, NoRowsError, Remark, Table, forced_kinds, matched_names, with_ordered_levels

SAMPLE_ROWS = 100_000
"""Rows of the sample: all rows of a table that has no more."""

SAMPLED_SHARE, SAMPLED_CELL, LEAST_SAMPLE = 0.1, 24, 1000
"""The part of max_memory that the sample may take, the bytes of its cells, encoded ones too, and its least rows."""

MOST_LEVELS = 500_000
"""Levels that a column may have at most: their names stay in memory, and each has weights."""


class _OtherKinds(Exception):
    """Further down, columns hold what their first rows did not."""

    def __init__(self, kinds: dict[str, Kind]) -> None:
        super().__init__()
        self.kinds = kinds


def read_large(
    source: str | os.PathLike[str],
    *,
    factors: Collection[str] = (),
    numeric: Collection[str] = (),
    schema: Mapping[str, Kind] | None = None,
    csv: CsvOptions | None = None,
    unneeded: Callable[[list[str]], Collection[str]] = lambda names: (),
    max_memory: float = np.inf,
    scratch: str | None = None,
    sample_rows: int = SAMPLE_ROWS,
) -> LargeTable:
    """Read the table of a path block by block into a scratch file.

    Columns have the kinds and levels that `read_table` gives them. If a column turns out to be no numbers, the table is
    read once more.

    Parameters
    ----------
    source, factors, numeric, schema, csv : as for `read_table`.
    unneeded : tells which of the columns are not kept; they seem to be missing in all rows.
    max_memory, scratch : see `LargeTable`.
    sample_rows : how many rows are kept in memory.

    Raises
    ------
    DataError : as `read_table`, or a column has too many levels.
    LackOfMemoryError : the disk has no space for the scratch file.
    """
    files = open_files(source, csv or CsvOptions())
    reading = _Reading(source, files, csv or CsvOptions(), forced_kinds(factors, numeric), dict(schema or {}))
    while True:
        try:
            return reading.read(unneeded, max_memory, scratch, sample_rows)
        except _OtherKinds as others:
            again = next((name for name in others.kinds if not all(file.file.can_reopen for file in files)), None)
            if again is not None:
                raise DataError(
                    f"column {again!r} of {reading.name} holds text below numbers, and standard input cannot be read "
                    "again: name the column in factors."
                ) from None
            reading.found |= others.kinds


class _Reading:
    """The reading of a table: what is known of its columns from one attempt to the next.

    source, files, csv : see `read_large`.
    forced : kinds that were asked for.
    schema : kinds of columns as far as the table has them.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        files: Sequence[CsvFile | TypedFile],
        csv: CsvOptions,
        forced: dict[str, Kind],
        schema: dict[str, Kind],
    ) -> None:
        self.source, self.files, self.csv, self.forced, self.schema = source, files, csv, forced, schema
        self.name = name_of(source, files)
        self.is_csv = any(isinstance(file, CsvFile) for file in files)
        self.found: dict[str, Kind] = {}

    def read(
        self,
        unneeded: Callable[[list[str]], Collection[str]],
        max_memory: float,
        scratch: str | None,
        n_sampled: int,
    ) -> LargeTable:
        """Read all files once, with the kinds of columns that are known so far."""
        file = ScratchFile(scratch)
        try:
            return self._read(file, unneeded, max_memory, scratch, n_sampled)
        except BaseException:
            file.close()
            raise

    def _read(
        self,
        scratch: ScratchFile,
        unneeded: Callable[[list[str]], Collection[str]],
        max_memory: float,
        folder: str | None,
        n_sampled: int,
    ) -> LargeTable:
        """The table, whose rows are in the scratch file."""
        kinds = self.schema | self.forced
        first: pa.Table | None = None
        writers: dict[str, _Writer] = {}
        lengths, stored = [0] * len(self.files), None
        digest = hashlib.blake2b(digest_size=16)
        for i, file in enumerate(self.files):
            for part in file.blocks(ROWS):
                part = part.rename_columns(matched_names(part.column_names, kinds))
                if first is None:
                    first = part.slice(0, 0)
                    refuse_other_columns([file], [first])
                    missing = next((name for name in self.forced if name not in first.column_names), None)
                    if missing is not None:
                        Table(self.name, dict.fromkeys(first.column_names, Column(np.empty(0))), 0)[missing]
                    skipped = set(unneeded(first.column_names))
                    writers = {
                        name: _Writer(self, name, kinds.get(name, self.found.get(name)), name in kinds)
                        for name in first.column_names
                        if name not in skipped
                    }
                    stored = StoredTable(self.name, scratch, {}, place_in(self.files, lengths))
                else:
                    refuse_other_columns([self.files[0], file], [first, part])
                cells = file.without_na_strings(part.select(list(writers)))
                self._convert(writers, cells, file, lengths[i])
                lengths[i] += part.num_rows
                assert stored is not None
                self._write(stored, writers, digest, whole=True)
        assert first is not None
        assert stored is not None
        self._write(stored, writers, digest, whole=False)
        n_rows = sum(lengths)
        if not n_rows:
            raise NoRowsError.of(self.name, first.column_names)
        stored.n_rows = n_rows  # also if no column is kept
        remarks: list[Remark] = []
        for name, writer in writers.items():
            stored.columns[name] = writer.finish(remarks)
            digest.update(repr((name, writer.kind, stored.columns[name].levels)).encode())
        affordable = (
            int(SAMPLED_SHARE * max_memory / (SAMPLED_CELL * max(len(writers), 1))) if max_memory < np.inf else n_rows
        )
        rows = sample_rows(
            n_rows, min(n_sampled, max(affordable, LEAST_SAMPLE)), random_stream(0, "rows of a large table")
        )
        sampled = stored.sample(rows)
        columns: dict[str, Column] = {}
        for name in first.column_names:
            if name in sampled:
                whole = stored.columns[name]
                columns[name] = SampledColumn(sampled[name], whole.levels, whole.kind == "time", whole)
            else:
                columns[name] = Column(np.broadcast_to(np.nan, rows.size))
        table = LargeTable(
            self.name,
            columns,
            rows.size,
            lambda row: stored.place(int(rows[row])),
            os.fspath(self.source),
            self.csv.given() if self.is_csv else None,
            tuple(remarks),
            stored=stored,
            sampled=rows,
            digest=digest.hexdigest(),
            max_memory=max_memory,
            scratch=folder,
        )
        if isinstance(self.files[0], CsvFile) and self.files[0].options.header is None:
            table = replace(table, remarks=(*table.remarks, *filter(None, [advice_on_header(table)])))
        return table

    def _convert(
        self, writers: Mapping[str, _Writer], cells: pa.Table, file: CsvFile | TypedFile, first_row: int
    ) -> None:
        """Hand the columns of a block to their writers."""
        others: dict[str, Kind] = {}
        for name, writer in writers.items():
            chunks = cells.column(name).chunks or [pa.array([], cells.schema.field(name).type)]
            try:
                kind = writer.add(chunks, file, first_row)
            except pa.ArrowException as error:
                raise DataError(
                    f"column {name!r} of {self.name} must hold numbers, text, booleans or times; {error}: convert or "
                    "drop it."
                ) from None
            if kind is not None:
                others[name] = kind
        if others:
            raise _OtherKinds(others)

    def _write(self, stored: StoredTable, writers: Mapping[str, _Writer], digest: Any, *, whole: bool) -> None:
        """Write the rows that have come so far: only whole blocks, or all."""
        while writers and (pending := next(iter(writers.values())).n_rows) and (pending >= ROWS or not whole):
            block = {name: writer.take(ROWS) for name, writer in writers.items()}
            for values in block.values():
                digest.update(b"missing" if values is None else values.data)
            stored.append(block, min(pending, ROWS))


class _Writer:
    """One column on its way to the scratch file.

    kind : what it is to be, None if nobody knows yet.
    is_forced : whether that was asked for.
    n_rows : those that have come and are not yet written.
    """

    def __init__(self, reading: _Reading, name: str, kind: Kind | None, is_forced: bool) -> None:
        self.reading, self.name, self.kind, self.is_forced = reading, name, kind, is_forced
        self.n_rows = 0
        self._parts: list[np.ndarray] = []
        self._index: dict[str, int] = {}
        self._counts = np.zeros(0, np.int64)
        self._keeps_order = True
        self._whole = StoredColumn("numeric")

    def add(self, chunks: list[pa.Array], file: CsvFile | TypedFile, first_row: int) -> Kind | None:
        """Take a part of the column; the kind that it must have instead, if it turns out so."""
        types = {chunk.type for chunk in chunks}
        self._keeps_order &= isinstance(file, TypedFile) and all(map(pa.types.is_dictionary, types))
        natural = {natural_kind(each) for each in types} - {None}
        notation = self.reading.csv.notation
        n_rows = sum(map(len, chunks))
        is_known = not all(chunk.null_count == len(chunk) for chunk in chunks)
        if isinstance(file, CsvFile) and not self.is_forced:
            column = self._of_text(chunks, notation)
        else:
            kind = self.kind
            if not self.is_forced and "categorical" in natural and kind in ("numeric", "time"):
                return "categorical"
            if not self.is_forced and kind == "time" and natural == {"numeric"}:
                return "numeric"
            column = column_of(chunks, kind, self._keeps_order, notation)
        if self.kind is None and is_known:
            self.kind = column.kind
        if column.is_categorical and self.kind in ("numeric", "time"):
            if not self.is_forced:
                return "categorical"
            csv = self.reading.csv.given() if isinstance(file, CsvFile) else None
            place = lambda row: file.place(first_row + row)  # noqa: E731
            Table(file.name, {self.name: column}, n_rows, place, csv=csv).convert({self.name: self.kind})
        self._take_in(column)
        return None

    def _of_text(self, chunks: list[pa.Array], notation: Any) -> Column:
        """A column of cells as they are written: numbers if all are, times if all are, otherwise levels."""
        wanted: tuple[Kind, ...] = ("numeric", "time") if self.kind is None else (self.kind,)
        for kind in wanted:
            column = column_of(chunks, kind, False, notation)
            if not column.is_categorical:
                break
        return column

    def _take_in(self, column: Column) -> None:
        """Note what the rows hold, and keep them until they are written."""
        values, whole = column.values, self._whole
        n_before, self.n_rows = self.n_rows, self.n_rows + values.size
        whole.n_missing += column.n_missing
        if self.kind is None:
            return
        if n_before and not self._parts:  # of these rows, none had a value
            self._parts.append(missing_values(n_before, column.levels is None))
        if column.levels is None:
            known = values[~np.isnan(values)]
            if known.size:
                whole.low, whole.high = min(whole.low, float(known.min())), max(whole.high, float(known.max()))
            self._parts.append(np.ascontiguousarray(values, np.float64))
            return
        codes = np.array([*(self._index.setdefault(level, len(self._index)) for level in column.levels), -1], np.int32)
        if len(self._index) > MOST_LEVELS:
            raise DataError(
                f"column {self.name!r} of {self.reading.name} has more than {MOST_LEVELS:,} levels, which a table "
                "larger than memory may not have; leave the column out by ignored_columns, or name it in numeric."
            )
        own = count_levels(values, len(column.levels))[:-1]
        self._counts = np.concatenate([self._counts, np.zeros(len(self._index) - self._counts.size, np.int64)])
        np.add.at(self._counts, codes[:-1], own)
        self._parts.append(codes[values])

    def take(self, n_rows: int) -> np.ndarray | None:
        """The next rows to write, at most so many; None if they lack a value and nobody knows the column's kind."""
        self.n_rows -= min(n_rows, self.n_rows)
        if self.kind is None:
            return None
        values = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
        self._parts = [values[n_rows:]] if values.size > n_rows else []
        return np.ascontiguousarray(values[:n_rows])

    def finish(self, remarks: list[Remark]) -> StoredColumn:
        """What is known of the column now that all rows have been read."""
        whole, names = self._whole, list(self._index)
        whole.kind = self.kind or "numeric"
        if whole.kind != "categorical":
            return whole
        places = np.arange(len(names), dtype=np.int32)
        ordered = Column(places, tuple(names))
        if not (self._keeps_order and not self.reading.is_csv):
            ordered = with_ordered_levels(places, names, forced=self.is_forced)
        levels = ordered.levels or ()
        counts = np.zeros(len(levels), np.int64)
        counts[ordered.values] = self._counts
        used = counts > 0
        if not used.all() and levels != TRUTH:
            if np.count_nonzero(used) > 1:
                remarks.append(remark_on_unused(self.name, self.reading.name, levels, used))
            ordered, counts = ordered.with_levels(used), counts[used]
        whole.levels, whole.counts = ordered.levels, counts
        whole.codes = np.append(ordered.values, np.int32(-1)).astype(np.int32)
        return whole
