"""CSV files: their layout, whole or block by block, and the line of whatever is wrong in them."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import itertools
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from h2olite.data.arrow import times_of_day, to_arrow
from h2olite.data.content import SAMPLE, reading_as_named, refuse_no_text, without_mark
from h2olite.data.csv_options import CsvOptions
from h2olite.data.files import HEAD, File
from h2olite.data.table import NoRowsError
from h2olite.errors import DataError

SEPARATORS = ",;\t|"
UNUSUAL_SEPARATORS = ":^~\x01\x1f "
TEXT = pa.dictionary(pa.int32(), pa.string())
COMMENTS = "#%!/"
"""What comments begin with in many files."""

INTEGER = pa.decimal128(38, 0)
SAMPLE_ROWS = 100
"""Rows at a file's start by which its separator is judged."""


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
    def encoding(self) -> str:
        """The encoding of the bytes that `_open` gives."""
        return "utf-8" if self.options.comment else self.options.encoding or "utf-8"

    @functools.cached_property
    def head(self) -> str:
        """The text that the file starts with, without blank lines before it.

        Raises
        ------
        DataError
            If it is empty or no text.
        """
        self.options.check()
        with self._reading():
            with self.file.open() as stream:
                refuse_no_text(self.file, stream.read(SAMPLE), self.options.encoding)
            with self._open() as stream:
                data = stream.read(HEAD)
        text = data.decode(self.encoding, errors="replace").removeprefix("\ufeff").lstrip("\r\n")
        if not text.strip():
            raise DataError(f"{self.name} is empty; a table needs a row of names and rows of values.")
        if text[:4].lower() == "sep=":  # as spreadsheets write
            advice = f"--comment {text[:4]} --sep {shlex.quote(text[4:5])}"
            raise DataError(f"{self.name} begins with its separator, {text[:5]!r}, and not with a row; pass {advice}.")
        return text

    @functools.cached_property
    def separator(self) -> str:
        """The character between cells.

        Raises
        ------
        DataError
            If another one gives all of the first lines several cells, and this one gives them one.
        """
        chosen = self.options.character or ("\t" if self.file.format == ".tsv" else self._likeliest_separator())
        if set(self._widths(chosen)) == {1} and (better := self._better_separator(chosen)):
            width = self._widths(better)[0]
            typed = shlex.quote(better if better.isprintable() else repr(better)[1:-1])
            raise DataError(
                f"{self.name} must have several cells in a line; with the separator {chosen!r} it has one, with "
                f"{better!r} it has {width} in each of the first lines: pass --sep {typed}."
            )
        return chosen

    def _likeliest_separator(self) -> str:
        """The one of the usual separators that the file seems to have."""
        first = re.sub(r'"[^"]*"', "", self.head).partition("\n")[0]
        by_count = sorted(SEPARATORS, key=first.count, reverse=True)
        in_numbers = (self.options.decimal, self.options.thousands)
        by_count = sorted(filter(first.count, by_count), key=lambda mark: mark in in_numbers) or [SEPARATORS[0]]
        regular = (mark for mark in by_count if len(widths := set(self._widths(mark))) == 1 and widths != {1})
        return next(regular, by_count[0])

    def _better_separator(self, chosen: str) -> str | None:
        """A separator that gives each of the first lines equally many cells, more than one; None if there is none."""
        for mark in (*SEPARATORS, *UNUSUAL_SEPARATORS):
            widths = set(self._widths(mark))
            least = 3 if mark in " :" else 2  # sentences and times of day have blanks and colons too
            if mark not in (chosen, self.options.decimal) and len(widths) == 1 and widths >= {max(least, *widths)}:
                return mark
        return None

    def _widths(self, separator: str) -> list[int]:
        """How many cells the first rows have."""
        rows = csv.reader(io.StringIO(self.head, newline=""), delimiter=separator)
        with contextlib.suppress(csv.Error):
            widths = [len(row) for row in itertools.islice(filter(None, rows), SAMPLE_ROWS)]
            is_cut = len(widths) < SAMPLE_ROWS and len(self.head) * 2 > HEAD  # then the last row may be incomplete
            return widths[: -1 if is_cut and len(widths) > 1 else None]
        return [1]

    @functools.cached_property
    def raw_names(self) -> list[str]:
        """The cells of the first row."""
        try:
            return next(csv.reader(io.StringIO(self.head, newline=""), delimiter=self.separator))
        except csv.Error as error:
            raise DataError(f"{self.name}, line 1: the names of the columns cannot be read: {error}.") from None

    @functools.cached_property
    def names(self) -> list[str]:
        """The names of the columns, in order, without blanks around them."""
        if not self.options.has_header:
            return [f"C{i}" for i, _ in enumerate(self.raw_names, 1)]
        return [name.strip() for name in self.raw_names]

    def n_cells(self) -> int:
        """About how many cells the file has, at the least, by those of its start; 0 if nobody knows its size."""
        in_head = max(self.head.count("\n"), 1) * len(self.names)
        return round(in_head * max((self.file.size or 0) / len(self.head.encode()), 1))

    def read(self, as_text: Collection[str] = ()) -> pa.Table:
        """The whole table; a column's type is what all of its cells can be, text where named in `as_text`."""
        names = dict(zip(self._arrow_names, self.names, strict=True))
        forced = {raw: TEXT for raw, name in names.items() if name in as_text}
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
                    raise UnicodeError(f"column {name!r} holds bytes that are not {self.encoding.upper()}")
            table = self._with_exact_integers(table)
        except (pa.ArrowInvalid, UnicodeError, OSError) as error:
            self._explain(error)
        table = self._named(table)
        table = self._with_more_kinds(table, as_text)
        pa.default_memory_pool().release_unused()  # the parser's blocks, before the columns are copied
        return table

    @property
    def _arrow_names(self) -> list[str]:
        """The names of the columns as Arrow reads them."""
        return self.raw_names if self.options.has_header else self.names

    def _read(self, column_types: Mapping[str, pa.DataType], only: Sequence[str] = ()) -> pa.Table:
        """The whole table, or some columns; types that are not given are what all cells of a column can be."""
        return arrow_csv.read_csv(self._open(), *self._layout(), self._conversion(column_types, only))

    def _with_exact_integers(self, table: pa.Table) -> pa.Table:
        """The table with whole numbers that float64 rounds as they are written."""
        if not self.file.can_reopen:
            return table
        large = [
            name
            for name, column in zip(table.column_names, table.columns, strict=True)
            if column.type == pa.float64() and _are_large_integers(column)
        ]
        for name in large:
            with contextlib.suppress(pa.ArrowInvalid):  # they may be written as fractions, or be larger still
                exact = self._read({name: INTEGER}, [name])
                table = table.set_column(table.column_names.index(name), name, exact.column(0))
        return table

    def _with_more_kinds(self, table: pa.Table, as_text: Collection[str]) -> pa.Table:
        """The table with columns of text as what Arrow does not find: grouped digits, times of day with fractions."""
        ways = [times_of_day, *([self.options.notation.numbers] if self.options.thousands else [])]
        for i, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
            if name in as_text or not pa.types.is_dictionary(column.type):
                continue
            for convert in ways:
                with contextlib.suppress(pa.ArrowInvalid):
                    chunks = [convert(chunk.dictionary).take(chunk.indices) for chunk in column.chunks]
                    table = table.set_column(i, name, pa.chunked_array(chunks))
                    break
        return table

    def _expected_types(self) -> dict[str, pa.DataType]:
        """The columns' types by the first block of a file of several.

        Arrow keeps all blocks in memory until it knows a type from all of them, which is several times the table.
        """
        layout = self._layout()
        if not self.file.can_reopen or (self.file.size or 0) <= layout[0].block_size:
            return {}
        with arrow_csv.open_csv(self._open(), *layout, self._conversion({})) as reader:
            return {
                column.name: pa.float64() if pa.types.is_integer(column.type) else column.type
                for column in reader.schema
                if not pa.types.is_null(column.type)
            }

    def _conversion(
        self, column_types: Mapping[str, pa.DataType], only: Sequence[str] = ()
    ) -> arrow_csv.ConvertOptions:
        """How cells of a whole table, or of some columns only, become values."""
        return arrow_csv.ConvertOptions(
            column_types=column_types,
            include_columns=only,
            decimal_point=self.options.notation.decimal,
            null_values=self.options.missing,
            strings_can_be_null=True,
            true_values=[],  # so that true and false stay text, as written
            false_values=[],
            auto_dict_encode=True,
            auto_dict_max_cardinality=2**31 - 1,
        )

    def blocks(self, rows: int) -> Iterator[pa.Table]:
        """At most so many rows at a time, every cell the text that is written there; of none, one part without rows."""
        options = arrow_csv.ConvertOptions(column_types=dict.fromkeys(self._arrow_names, pa.string()))
        n_rows = 0
        try:
            for batch in arrow_csv.open_csv(self._open(), *self._layout(), options):
                for start in range(0, batch.num_rows, rows):
                    yield self._named(pa.Table.from_batches([batch.slice(start, rows)]))
                n_rows += batch.num_rows
            if not n_rows:
                raise NoRowsError.of(self.name, self.names)
        except (pa.ArrowInvalid, UnicodeError, OSError, NoRowsError) as error:
            try:
                self._explain(error)
            except NoRowsError:
                yield pa.table({name: pa.array([], pa.string()) for name in self.names})

    def _named(self, table: pa.Table) -> pa.Table:
        """The table with its names as they are meant, if the file has some."""
        if not self.options.has_header:
            return table
        return table.rename_columns([name.strip() for name in table.column_names])

    def without_na_strings(self, part: pa.Table) -> pa.Table:
        """A part of `blocks` with null where a cell's text means missing."""
        missing = to_arrow(self.options.missing)
        # An array of nulls, for a single null in its place is wrong for slices in PyArrow up to 22.
        arrays = [
            pc.if_else(pc.is_in(cells, missing), pa.nulls(len(cells), cells.type), cells) for cells in part.columns
        ]
        return pa.table(arrays, names=part.column_names) if arrays else part

    def place(self, row: int) -> str:
        """The line that a row starts on: exactly, or if the file cannot be read again, as if no cell had two lines."""
        line = row + 1 + self.options.has_header
        if self.file.can_reopen:
            line = next(itertools.islice(self._records(), row + self.options.has_header, None))[0]
        return f"line {line}"

    def _layout(self) -> tuple[arrow_csv.ReadOptions, arrow_csv.ParseOptions]:
        """Where rows and cells end."""
        names = None if self.options.has_header else self.names
        width = len(self.head.partition("\n")[0])
        return (
            arrow_csv.ReadOptions(
                block_size=max(1 << 20, 128 * width),  # a row must fit into one, and many should
                column_names=names,
                use_threads=self.file.can_reopen,  # with one thread, Arrow's errors have the row
                encoding=self.encoding,
            ),
            arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
        )

    def _open(self) -> pa.NativeFile:
        """The file's bytes, with blank lines in the place of comments."""
        stream = self.file.open()
        if not self.options.comment:
            return stream
        text = io.TextIOWrapper(stream, without_mark(self.options.encoding or "utf-8"), newline="")
        return pa.PythonFile(Uncommented(text, self.options.comment), mode="r")

    def _reading(self) -> contextlib.AbstractContextManager[None]:
        """What tells of another content when reading fails."""
        return reading_as_named(self.file)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not blank, with the line that it starts on."""
        with self._open() as stream:
            lines = io.TextIOWrapper(stream, without_mark(self.encoding), newline="")
            reader = csv.reader(lines, delimiter=self.separator)
            line = 1
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1

    def _explain(self, error: Exception) -> NoReturn:
        """Raise what is wrong with the file, with its line, now that reading has failed."""
        with self._reading():
            if self.file.can_reopen and not isinstance(error, OSError):
                try:
                    self._refuse_ragged()
                except UnicodeError:
                    encoding = self.options.encoding or "utf-8"
                    with self.file.open() as stream:
                        lines = io.TextIOWrapper(stream, encoding, errors="replace")
                        line = next((i for i, text in enumerate(lines, 1) if "\ufffd" in text), 1)
                    raise DataError(
                        f"{self.name}, line {line}: the text must be {encoding.upper()}; got bytes that "
                        "are not; pass another one such as --encoding latin1."
                    ) from None
                except csv.Error:  # such as a cell too large for the csv module: Arrow's own words must do
                    pass
            raise error

    def _refuse_ragged(self) -> None:
        """Check that there are rows, each with a cell for every column."""
        n_records = 0
        for line, record in self._records():
            n_records += 1
            if len(record) != len(self.raw_names):
                beginnings = (self.raw_names[0].lstrip()[:1], record[0].lstrip()[:1])
                mark = next((mark for mark in COMMENTS if mark in beginnings), None)
                hint = f"; if lines that begin with {mark!r} are comments, pass --comment {shlex.quote(mark or '')}"
                raise DataError(
                    f"{self.name}, line {line}: every row must have {len(self.raw_names)} cells as the first one has; "
                    f"got {len(record)}{'' if mark is None or self.options.comment else hint}."
                )
        if n_records <= self.options.has_header:
            raise NoRowsError.of(self.name, self.names)


class Uncommented:
    """Text as UTF-8, with blank lines in the place of those that begin with a comment mark.

    Parameters
    ----------
    lines : iterable of str
        With their ends.
    mark : str
        What comments begin with. A line that begins within a cell in quotes is none.
    """

    closed = False

    def __init__(self, lines: Iterable[str], mark: str) -> None:
        self.lines, self.mark = iter(lines), mark
        self._left = b""
        self._in_quotes = False

    def read(self, size: int) -> bytes:
        """So many bytes; fewer only at the end."""
        taken, length = [self._left], len(self._left)
        while length < size and (line := next(self.lines, None)) is not None:
            if not self._in_quotes and line.startswith(self.mark):
                line = "\n"
            self._in_quotes ^= line.count('"') % 2 == 1
            taken.append(line.encode())
            length += len(taken[-1])
        data = b"".join(taken)
        self._left = data[size:]
        return data[:size]

    def close(self) -> None:
        """Do nothing: who has opened the file closes it."""


def _are_large_integers(column: pa.ChunkedArray) -> bool:
    """Whether all numbers are whole and some are too large to be exact."""
    extremes = pc.min_max(column)
    ends = [extremes["min"].as_py(), extremes["max"].as_py()]
    if None in ends or max(map(abs, ends)) < 2.0**53:
        return False
    return bool(pc.all(pc.equal(pc.floor(column), column)).as_py())
