"""Where tables go: CSV on stdout, or a CSV, Parquet or Arrow file by its extension."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from h2olite.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".parquet", ".arrow", ".feather")

OUTPUT = click.Option(
    ["-o", "--output"],
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="A .csv, .parquet, .arrow or .feather file; CSV on stdout if not given.",
)


def refuse_unwritable(target: Path) -> None:
    """Raise an OSError now if `target` could not be written later.

    Raises
    ------
    OSError
        The folder does not exist or is not writable, or `target` is there and no ordinary file: renaming would put
        a file in place of a device.
    """
    if target.exists() and not target.is_file():
        raise FileExistsError(f"{target} is a {'folder' if target.is_dir() else 'device'}; name a file to write.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} to write {target.name} into; make it first.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {target.parent} is not writable; write {target.name} elsewhere.")


def refuse_unknown_format(target: Path) -> None:
    """Raise a DataError unless the extension says what to write."""
    if target.suffix.lower() not in FORMATS:
        raise DataError(f"{target}: the extension must be one of {', '.join(FORMATS)}.")


def write_table(blocks: Iterable[pa.Table], target: Path | None) -> int:
    """Write blocks of rows to a file, or as CSV to stdout without one; gives the number of rows.

    A file is written beside its place and renamed, so a reader never sees half of it and an error leaves the old one.
    """
    if target is None:
        return _write_csv(blocks, sys.stdout.buffer)
    from h2olite.model.archive import replacing

    with replacing(target) as file:
        if target.suffix.lower() == ".csv":
            return _write_csv(blocks, file)
        return _write_binary(blocks, file, target.suffix.lower())


def _write_csv(blocks: Iterable[pa.Table], file: IO[bytes]) -> int:
    """Write a header and rows, quoted only where a text needs it."""
    import pyarrow as pa
    import pyarrow.csv

    n_rows = 0
    for number, block in enumerate(blocks):
        if number == 0:
            header = io.StringIO()
            csv.writer(header, lineterminator="\n").writerow(block.column_names)
            file.write(header.getvalue().encode())
        sink = pa.BufferOutputStream()
        try:
            _write_rows(block, sink, "none")
        except pa.ArrowInvalid:  # some text holds a comma, a quote or a line break
            sink = pa.BufferOutputStream()
            _write_rows(block, sink, "needed")
        file.write(sink.getvalue())
        n_rows += block.num_rows
    file.flush()
    return n_rows


def _write_rows(block: pa.Table, sink: Any, quoting: str) -> None:
    """Write one block as CSV without header."""
    import pyarrow as pa
    import pyarrow.csv

    plain = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in block.columns
    ]
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style=quoting)
    pyarrow.csv.write_csv(pa.table(plain, names=block.column_names), sink, options)


def _write_binary(blocks: Iterable[pa.Table], file: IO[bytes], extension: str) -> int:
    """Write Parquet or Arrow's file format."""
    import pyarrow as pa
    import pyarrow.parquet

    n_rows = 0
    with contextlib.ExitStack() as stack:
        writer = None
        for block in blocks:
            if writer is None:
                open_writer = pyarrow.parquet.ParquetWriter if extension == ".parquet" else pa.ipc.new_file
                writer = stack.enter_context(open_writer(file, block.schema))
            writer.write_table(block)
            n_rows += block.num_rows
    return n_rows
