"""The parts of a table: partitions of a Dask DataFrame, files of a folder, row groups of a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import dask.dataframe as dd
import numpy as np
from distributed import Future
from pyarrow import parquet

from h2olite.data.adaptation import Adaptation
from h2olite.data.content import reading_as_named
from h2olite.data.csv_options import Csv, CsvOptions
from h2olite.data.encoding import level_codes
from h2olite.data.files import File, StandardInput, find_files
from h2olite.data.outline import Outline, merged, mixed_columns
from h2olite.data.table import Column, Table
from h2olite.errors import DataError
from h2olite.settings.parameters import brief

from .cluster import Cluster
from .work import FilePart, Roles, names_of, outline_of, part_of

MOST_ROWS = 500_000
"""Rows of a part of a Parquet file, in whole row groups."""


class Parts:
    """The parts of a table, as tables on the workers.

    Parameters
    ----------
    frame : a Dask DataFrame, or what `h2olite.data.reader.read_table` reads, where all workers can read it.
    cluster : where the workers are.
    factors, numeric : columns that are categorical, and that are numeric.

    Raises
    ------
    DataError : it is neither, or all parts are empty.
    """

    def __init__(self, frame: Any, cluster: Cluster, factors: Sequence[str], numeric: Sequence[str]) -> None:
        self._cluster, self._factors, self._numeric = cluster, list(factors), list(numeric)
        self.source, self.csv, self.name = None, None, "training_frame"
        if isinstance(frame, dd.DataFrame):
            self._frames: list[Any] = cluster.client.compute(frame.to_delayed())
            self._are_files = False
        else:
            options = CsvOptions()
            if isinstance(frame, Csv):
                options, frame = frame.over(None), frame.path
            if not isinstance(frame, str | os.PathLike):
                raise DataError(
                    f"training_frame must be a Dask DataFrame, or a path that all workers can read; got "
                    f"{brief(frame)}; use h2olite.deeplearning for a table in memory, or dask.dataframe.from_pandas."
                )
            self.source, self.csv = os.fspath(frame), options.given() or None
            self.name = os.path.basename(self.source.rstrip("/")) or self.source
            self._frames = [part for file in find_files(frame) for part in parts_of(file, options)]
            self._are_files = True
        self.n_parts = len(self._frames)
        self.tables = self._read()
        columns = cluster.results([cluster.submit(names_of, table) for table in self.tables], "reading the table")
        found = next((names for names in columns if names is not None), None)
        if found is None:
            raise DataError(
                f"{self.name} has no rows: all of its {len(columns)} parts are empty; a table needs at least one."
            )
        self.names: list[str] = found
        self.n_empty = sum(names is None for names in columns)

    def _read(self) -> list[Future]:
        """All parts as tables, on workers: files one after the other by turns, partitions where they are."""
        cluster = self._cluster
        spread: list[str | None] = [None] * len(self._frames)
        if self._are_files:  # neighbours on the same worker, as a replica will have neighbours
            threads = [worker for worker, n in cluster.await_workers().items() for _ in range(n)]
            spread = [threads[i * len(threads) // len(self._frames)] for i in range(len(self._frames))]
        return [
            cluster.submit(part_of, frame, number, self._factors, self._numeric, worker=worker)
            for number, (frame, worker) in enumerate(zip(self._frames, spread, strict=True), 1)
        ]

    def outline(self, roles: Roles) -> Outline:
        """The outline of the whole table.

        Columns that hold text in some parts and numbers in others are categorical, as in files of one table.

        Raises
        ------
        DataError : the parts do not have the same columns, or weights or offsets are unusable.
        """
        outlines = self._outlines(roles)
        mixed = mixed_columns(outlines.values())
        if mixed:
            self._factors += sorted(mixed)
            self.tables = self._read()
            outlines = self._outlines(roles)
        return merged(outlines, self._factors)

    def _outlines(self, roles: Roles) -> dict[str, Outline]:
        """The outline of each part that is not empty."""
        futures = [self._cluster.submit(outline_of, table, roles) for table in self.tables]
        found = self._cluster.results(futures, "the pass over the table")
        return {f"part {number}": outline for number, outline in enumerate(found, 1) if outline is not None}


def parts_of(file: File, options: CsvOptions) -> list[FilePart]:
    """The parts of a file: row groups of Parquet, as many as have some hundred thousand rows; else all of it.

    Raises
    ------
    DataError : it is standard input, or damaged.
    """
    if isinstance(file, StandardInput):
        raise DataError(
            "standard input cannot be read by the workers of a cluster; name a file that all of them can read."
        )
    if file.format != ".parquet" or file.compression:
        return [FilePart(file, (), options)]
    with reading_as_named(file), file.open_seekable() as source:
        metadata = parquet.ParquetFile(source).metadata
        lengths = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    parts: list[list[int]] = []
    n_rows = MOST_ROWS
    for group, length in enumerate(lengths):
        if n_rows + length > MOST_ROWS or not parts:
            parts.append([])
            n_rows = 0
        parts[-1].append(group)
        n_rows += length
    return [FilePart(file, tuple(groups), options) for groups in parts]


def joined(tables: Sequence[Table], outline: Outline, name: str) -> Table:
    """Some rows of several parts as a table, whose levels are those of the whole."""
    columns = {}
    for column in tables[0].names:
        if column not in outline.levels:
            values = [
                table[column].values if table[column].levels is None else np.full(table.n_rows, np.nan)
                for table in tables
            ]
            columns[column] = Column(np.concatenate(values), is_time=outline.kinds[column] == "time")
            continue
        levels = outline.levels_of(column)
        codes, adaptation = level_codes(levels), Adaptation(name)
        matched = (adaptation.match_levels(table, column, codes) for table in tables)
        columns[column] = Column(np.concatenate([own[values] for values, own in matched]), levels)
    return Table(name, columns, sum(table.n_rows for table in tables))
