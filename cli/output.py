"""Where tables go: to a file in the format of its extension, or to stdout."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from h2olite.errors import DataError

from .places import Output
from .recognition import is_table_of
from .streams import print_data, stdout_for_data

if TYPE_CHECKING:
    import pyarrow as pa

    from h2olite.model import Model

OUTPUT_HELP = "The file to write, in the format of its extension; stdout if not given."

RESULT_FORMATS = (".csv", ".csv.gz", ".parquet", ".arrow", ".feather", ".arrows")
"""What can be written, by extension; ``.arrows`` is Arrow's stream format, the two before are its file format."""


def output_option(metavar: str, help: str, kind: Output, *, required: bool = False) -> click.Option:
    """The option that says where a command's result goes."""
    return click.Option(["-o", "--output"], type=kind, metavar=metavar, required=required, help=help)


def table_output(results: str) -> click.Option:
    """The option of a file for a table of results, one of those of `recognition.COLUMNS`."""
    return output_option("OUT", OUTPUT_HELP, Output(results, is_table_of(results)))


FORMAT = click.Option(
    ["--format", "to"],
    type=click.Choice([extension[1:] for extension in RESULT_FORMATS], case_sensitive=False),
    help="Format, if not that of the extension. On stdout, Arrow is a stream. Default: csv.",
)


class Destination(NamedTuple):
    """Where a table goes, and in which of RESULT_FORMATS.

    path : None for stdout.
    """

    path: Path | None
    format: str


def destination(path: Path | None, to: str | None = "") -> Destination:
    """Where a table goes by a command's options.

    to : the --format, None if it was not given, nothing for a command that has none.

    Raises
    ------
    DataError
        Neither `to` nor the extension says what to write; or see `stdout_for_data`.
    """
    if path is None:
        stdout_for_data(is_text=to in (None, "", "csv"))
        return Destination(None, f".{to or 'csv'}")
    extension = f".{to}" if to else "".join(path.suffixes[-2:]).lower()
    extension = extension if extension in RESULT_FORMATS else path.suffix.lower()
    if extension not in RESULT_FORMATS:
        way_out = "" if to == "" else "; or name a --format"
        raise DataError(f"{path}: the extension must be one of {', '.join(RESULT_FORMATS)}{way_out}.")
    return Destination(path, extension)


def save_model(model: Model, target: Path) -> None:
    """Write a model that took long to train; where that fails, to the folder for temporary files.

    Raises
    ------
    DataError
        `target` cannot be written; it says where the model is instead, if anywhere.
    """
    try:
        model.save(target)
    except DataError as error:
        refuge = Path(tempfile.gettempdir(), f"{secrets.token_hex(4)}-{target.name}")
        try:
            model.save(refuge)
        except DataError:
            raise error from None
        raise DataError(f"{error} The model is kept as {refuge}.") from error


def print_csv(names: Collection[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as CSV on stdout, with an empty cell for what a row lacks."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    print_data(text.getvalue())


def write_table(blocks: Iterable[pa.Table], to: Destination) -> int:
    """Write blocks of rows; gives the number of rows.

    A file, and Parquet on stdout, appears whole or, after an error, not at all.
    """
    if to.path is not None:
        from h2olite.formats.archive import replacing

        with replacing(to.path) as file:
            return _write(blocks, file, to.format)
    stream = stdout_for_data(is_text=to.format == ".csv")
    if to.format == ".parquet":
        with tempfile.TemporaryFile() as file:
            n_rows = _write(blocks, file, to.format)
            file.seek(0)
            shutil.copyfileobj(file, stream)
            return n_rows
    return _write(blocks, stream, ".arrows" if to.format in (".arrow", ".feather") else to.format)


def _write(blocks: Iterable[pa.Table], file: IO[bytes], extension: str) -> int:
    """Write blocks in a format."""
    if extension == ".csv":
        return _write_csv(blocks, file)
    if extension == ".csv.gz":
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as compressed:
            return _write_csv(blocks, compressed)
    return _write_binary(blocks, file, extension)


def _write_csv(blocks: Iterable[pa.Table], file: IO[bytes] | gzip.GzipFile) -> int:
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
    import pyarrow.csv

    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style=quoting)
    pyarrow.csv.write_csv(_without_dictionaries(block), sink, options)


def _without_dictionaries(block: pa.Table) -> pa.Table:
    """The block with the values themselves in the place of indices into a dictionary."""
    import pyarrow as pa

    plain = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in block.columns
    ]
    return pa.table(plain, names=block.column_names)


def _write_binary(blocks: Iterable[pa.Table], file: IO[bytes], extension: str) -> int:
    """Write Parquet, or Arrow's file or stream format."""
    import pyarrow as pa
    import pyarrow.parquet

    writers = {".parquet": pyarrow.parquet.ParquetWriter, ".arrows": pa.ipc.new_stream}
    n_rows = 0
    with contextlib.ExitStack() as stack:
        writer = None
        for block in blocks:
            if extension in (".arrow", ".feather"):  # which hold one dictionary a column, and blocks may differ
                block = _without_dictionaries(block)
            if writer is None:
                writer = stack.enter_context(writers.get(extension, pa.ipc.new_file)(file, block.schema))
            writer.write_table(block)
            n_rows += block.num_rows
    file.flush()
    return n_rows
