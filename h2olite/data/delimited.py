"""CSV files: their layout, whole or block by block, and the line of whatever is wrong in them."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from h2olite.data.arrow import to_arrow
from h2olite.data.files import HEAD, File, reading
from h2olite.errors import DataError

SEPARATORS = ",;\t|"
TEXT = pa.dictionary(pa.int32(), pa.string())
csv.field_size_limit(max(csv.field_size_limit(), (1 << 31) - 1))  # names and cells are as long as files make them

MISSING = tuple(arrow_csv.ConvertOptions().null_values)


@dataclass(frozen=True)
class CsvOptions:
    """How to read CSV.

    Parameters
    ----------
    separator : str, optional
        Character between cells; if not set, a tab in .tsv files and elsewhere the most frequent of comma, semicolon,
        tab and bar in the first line.
    header : bool
        Whether the first row names the columns; otherwise they are C1, C2, ...
    na_strings : tuple of str
        Cells that mean missing, besides the empty one and the usual spellings such as ``NA``, ``null`` and ``NaN``.
    encoding : str
        Encoding of the text, by Python's names.
    """

    separator: str | None = None
    header: bool = True
    na_strings: tuple[str, ...] = ()
    encoding: str = "utf-8"

    def changed(self) -> dict[str, Any]:
        """The options that are not at their default."""
        return {name: value for name, value in vars(self).items() if value != getattr(CsvOptions, name)}

    @property
    def missing(self) -> list[str]:
        """Every spelling of a missing cell, also after a blank as in ``1, NA``."""
        spellings = [*MISSING, *self.na_strings]
        return spellings + [f" {spelling}" for spelling in spellings]


@dataclass(frozen=True)
class CsvFile:
    """A CSV file and how to read it."""

    file: File
    options: CsvOptions

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.file.name

    @functools.cached_property
    def head(self) -> str:
        """The text that the file starts with."""
        with reading(self.name), self.file.open() as stream:
            data = stream.read(HEAD)
        try:
            text = data.decode(self.options.encoding, errors="replace").removeprefix("\ufeff").lstrip("\r\n")
        except LookupError:
            raise DataError(f"--encoding must be one that Python knows; got {self.options.encoding!r}.") from None
        if not text.strip():
            raise DataError(f"{self.name} is empty; a table needs a row of names and rows of values.")
        return text

    @functools.cached_property
    def separator(self) -> str:
        """The character between cells."""
        if self.options.separator:
            separator = self.options.separator.replace(r"\t", "\t")  # a shell passes on what is typed
            if len(separator) > 1 or not separator.isascii() or separator in '"\r\n':
                raise DataError(f"--sep must be one character, no quote and no line end; got {separator!r}.")
            return separator
        if self.file.format == ".tsv":
            return "\t"
        unquoted = re.sub(r'"[^"]*"', "", self.head).partition("\n")[0]
        return max(SEPARATORS, key=unquoted.count)

    @functools.cached_property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        first = next(csv.reader(io.StringIO(self.head, newline=""), delimiter=self.separator))
        return first if self.options.header else [f"C{i}" for i, _ in enumerate(first, 1)]

    def n_cells(self) -> int:
        """About how many cells the file has, at the least, by those of its start; 0 if nobody knows its size."""
        in_head = max(self.head.count("\n"), 1) * len(self.names)
        return round(in_head * max((self.file.size or 0) / len(self.head.encode()), 1))

    def read(self, as_text: Iterable[str] = ()) -> pa.Table:
        """The whole table; a column's type is what all of its cells can be, text where named in `as_text`."""
        forced = dict.fromkeys(as_text, TEXT)
        try:
            expected = self._expected_types()
            try:
                table = self._read(expected | forced)
            except pa.ArrowInvalid:  # further down, a column may hold what its start does not
                if not expected:
                    raise
                table = self._read(forced)
            for name, arrow_type in zip(table.column_names, table.schema.types, strict=True):
                if arrow_type == pa.dictionary(pa.int32(), pa.binary()):
                    raise UnicodeError(f"column {name!r} holds bytes that are not UTF-8")
            self._refuse_open_quote(table)
        except (pa.ArrowInvalid, UnicodeError, OSError) as error:
            self._explain(error)
        pa.default_memory_pool().release_unused()  # the parser's blocks, before the columns are copied
        return table

    def _read(self, column_types: Mapping[str, pa.DataType]) -> pa.Table:
        """The whole table; types that are not given are what all cells of a column can be."""
        return arrow_csv.read_csv(self.file.open(), *self._layout(), self._conversion(column_types))

    def _expected_types(self) -> dict[str, pa.DataType]:
        """The columns' types by the first block of a file of several.

        Arrow keeps all blocks in memory until it knows a type from all of them, which is several times the table.
        """
        layout = self._layout()
        if not self.file.can_reopen or (self.file.size or 0) <= layout[0].block_size:
            return {}
        with arrow_csv.open_csv(self.file.open(), *layout, self._conversion({})) as reader:
            return {
                column.name: pa.float64() if pa.types.is_integer(column.type) else column.type
                for column in reader.schema
                if not pa.types.is_null(column.type)
            }

    def _conversion(self, column_types: Mapping[str, pa.DataType]) -> arrow_csv.ConvertOptions:
        """How cells of a whole table become values."""
        return arrow_csv.ConvertOptions(
            column_types=column_types,
            null_values=self.options.missing,
            strings_can_be_null=True,
            true_values=[],  # so that true and false stay text, as written
            false_values=[],
            auto_dict_encode=True,
            auto_dict_max_cardinality=2**31 - 1,
        )

    def blocks(self, rows: int) -> Iterator[pa.Table]:
        """At most so many rows at a time, every cell the text that is written there."""
        options = arrow_csv.ConvertOptions(column_types=dict.fromkeys(self.names, pa.string()))
        last = pa.table({})
        try:
            for batch in arrow_csv.open_csv(self.file.open(), *self._layout(), options):
                for start in range(0, batch.num_rows, rows):
                    yield pa.Table.from_batches([batch.slice(start, rows)])
                last = batch if batch.num_rows else last
            self._refuse_open_quote(last)
        except (pa.ArrowInvalid, UnicodeError, OSError) as error:
            self._explain(error)

    def without_na_strings(self, part: pa.Table) -> pa.Table:
        """A part of `blocks` with null where a cell's text means missing."""
        missing = to_arrow(self.options.missing)
        arrays = [pc.if_else(pc.is_in(cells, missing), pa.NULL, cells) for cells in part.columns]
        return pa.table(arrays, names=part.column_names) if arrays else part

    def place(self, row: int) -> str:
        """The line that a row starts on: exactly, or if the file cannot be read again, as if no cell had two lines."""
        line = row + 1 + self.options.header
        if self.file.can_reopen:
            line = next(itertools.islice(self._records(), row + self.options.header, None))[0]
        return f"line {line}"

    def _layout(self) -> tuple[arrow_csv.ReadOptions, arrow_csv.ParseOptions]:
        """Where rows and cells end."""
        names = None if self.options.header else self.names
        width = len(self.head.partition("\n")[0])
        return (
            arrow_csv.ReadOptions(
                block_size=max(1 << 20, 128 * width),  # a row must fit into one, and many should
                column_names=names,
                use_threads=self.file.can_reopen,  # with one thread, Arrow's errors have the row
                encoding=self.options.encoding,
            ),
            arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
        )

    def _records(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not blank, with the line that it starts on; strict: a quote must be closed."""
        encoding = "utf-8-sig" if self.options.encoding.lower() in ("utf-8", "utf8") else self.options.encoding
        with self.file.open() as stream:
            reader = csv.reader(io.TextIOWrapper(stream, encoding, newline=""), delimiter=self.separator, strict=strict)
            line = 1
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1

    def _explain(self, error: Exception) -> NoReturn:
        """Raise what is wrong with the file, with its line, now that reading has failed."""
        with reading(self.name):
            if self.file.can_reopen and not isinstance(error, OSError):
                try:
                    self._refuse_ragged()
                except UnicodeError:
                    with self.file.open() as stream:
                        lines = io.TextIOWrapper(stream, self.options.encoding, errors="replace")
                        line = next((i for i, text in enumerate(lines, 1) if "\ufffd" in text), 1)
                    raise DataError(
                        f"{self.name}, line {line}: the text must be {self.options.encoding.upper()}; got bytes that "
                        "are not; pass another one such as --encoding latin1."
                    ) from None
                except csv.Error:  # such as a cell too large for the csv module: Arrow's own words must do
                    pass
                if "straddl" in str(error):
                    self._refuse_long_row()
            raise error

    def _refuse_long_row(self) -> None:
        """Raise that a row is too long for Arrow's reader, which takes a file block by block."""
        line, cells = max(self._records(), key=lambda record: sum(map(len, record[1])))
        size = sum(map(len, cells))
        raise DataError(
            f"{self.name}, line {line}: a row must have at most {self._layout()[0].block_size:,} characters; got "
            f"{size:,}: close the quote that opens in it, or take the long cell out."
        )

    def _refuse_open_quote(self, end: pa.Table | pa.RecordBatch) -> None:
        """Check that the last row does not end with the file, because a quote in it is never closed.

        Only where a cell of that row has a line break is the file read once more to be sure.
        """
        cells = [cell for row in end.slice(max(end.num_rows - 1, 0)).to_pylist() for cell in row.values()]
        if not self.file.can_reopen or not any(isinstance(cell, str) and "\n" in cell for cell in cells):
            return
        line = 0
        try:
            for start, _ in self._records(strict=True):
                line = start
        except csv.Error:
            raise DataError(
                f"{self.name}, line {line + 1} or below: a quote opens a cell and is never closed; close it, or put "
                "the cell into quotes and write the quote in it twice."
            ) from None

    def _refuse_ragged(self) -> None:
        """Check that there are rows, each with a cell for every column."""
        n_records = 0
        for line, record in self._records():
            n_records += 1
            if len(record) != len(self.names):
                raise DataError(
                    f"{self.name}, line {line}: every row must have {len(self.names)} cells as the first one has; "
                    f"got {len(record)}."
                )
        if n_records <= self.options.header:
            raise DataError(f"{self.name} has no rows; a table needs at least one.")
