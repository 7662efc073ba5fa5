"""Tables whose rows are in a scratch file, and of whose rows a sample is in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from h2olite.errors import DataError
from h2olite.machine.scratch import ScratchFile

from .summary import NumericSummary, summarise
from .table import Column, Kind, Table

ROWS = 32768
"""Rows of a block in the scratch file."""


def missing_values(n_rows: int, is_numeric: bool) -> np.ndarray:
    """Rows without a value, as a column has them in the scratch file: NaN for numbers, -1 for levels."""
    return np.full(n_rows, np.nan) if is_numeric else np.full(n_rows, -1, np.int32)


@dataclass(eq=False)
class StoredColumn:
    """What is known of a column whose values are in the scratch file, once all rows have been read.

    Attributes
    ----------
    kind : what it holds.
    levels : of a categorical column, in their order, None of a numeric one.
    codes : int32, the index in `levels` of each level in the order in which they were found, and last -1 of missing.
    counts : how many rows have each of `levels`.
    n_missing : how many rows have no value.
    low, high : of the numbers; inf and -inf without any.
    """

    kind: Kind
    levels: tuple[str, ...] | None = None
    codes: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    counts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    n_missing: int = 0
    low: float = np.inf
    high: float = -np.inf

    @property
    def n_different(self) -> int:
        """How many different values occur: 0, 1, or 2 for all that are more."""
        if self.levels is not None:
            return min(int(np.count_nonzero(self.counts)), 2)
        return int(self.low <= self.high) + int(self.low < self.high)


class StoredTable:
    """The columns of a table in a scratch file.

    Parameters
    ----------
    name : what messages call it.
    scratch : the file.
    columns : the columns, in their order.
    place : see `Table`.
    """

    def __init__(
        self, name: str, scratch: ScratchFile, columns: dict[str, StoredColumn], place: Callable[[int], str]
    ) -> None:
        self.name, self.columns, self.place = name, columns, place
        self._scratch = scratch
        self.n_rows = 0
        self._begins: list[dict[str, int]] = []

    def append(self, block: Mapping[str, np.ndarray | None], n_rows: int) -> None:
        """Add a block of so many rows, all but the last one of the same size; None for a column without any value."""
        self.n_rows += n_rows
        self._begins.append({name: self._scratch.write(values) for name, values in block.items() if values is not None})

    def read(self, name: str, rows: slice) -> np.ndarray:
        """The values of a column in some rows."""
        column, parts = self.columns[name], []
        start, stop, _ = rows.indices(self.n_rows)
        while start < stop:
            block, first = divmod(start, ROWS)
            size = min(stop, (block + 1) * ROWS) - start
            begin = self._begins[block].get(name)
            if begin is None:
                part = missing_values(size, column.levels is None)
            else:
                part = np.empty(size, np.float64 if column.levels is None else np.int32)
                self._scratch.read_into(part, begin + first * part.itemsize)
            parts.append(part if column.levels is None else column.codes[part])
            start += size
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def table(self, rows: slice) -> Table:
        """Some rows as a table in memory."""
        columns = {
            name: Column(self.read(name, rows), column.levels, column.kind == "time")
            for name, column in self.columns.items()
        }
        return Table(self.name, columns, rows.stop - rows.start, lambda row: self.place(rows.start + row))

    def tables(self) -> Iterator[Table]:
        """All rows, block by block."""
        for start in range(0, self.n_rows, ROWS):
            yield self.table(slice(start, min(start + ROWS, self.n_rows)))

    def sample(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The values of some rows, by their ascending indices."""
        parts: dict[str, list[np.ndarray]] = {name: [] for name in self.columns}
        for start in range(0, self.n_rows, ROWS):
            begin, end = np.searchsorted(rows, (start, start + ROWS))
            for name, part in parts.items():
                part.append(self.read(name, slice(start, start + ROWS))[rows[begin:end] - start])
        return {name: np.concatenate(part) for name, part in parts.items()}

    def close(self) -> None:
        """Remove the rows."""
        self._scratch.close()


class StoredNumbers:
    """A numeric column in a scratch file, or one less another, of which slices are read."""

    def __init__(self, stored: StoredTable, name: str, subtracted: StoredNumbers | None = None) -> None:
        self._stored, self._name, self._subtracted = stored, name, subtracted

    def __len__(self) -> int:
        return self._stored.n_rows

    def __getitem__(self, rows: slice) -> np.ndarray:
        values = self._stored.read(self._name, rows)
        return values if self._subtracted is None else values - self._subtracted[rows]

    def __sub__(self, other: StoredNumbers) -> StoredNumbers:
        return StoredNumbers(self._stored, self._name, other)


@dataclass(frozen=True, eq=False)
class SampledColumn(Column):
    """A column of which some rows are in memory.

    Parameters
    ----------
    whole : what is known of all rows.
    """

    whole: StoredColumn | None = None

    @property
    def n_missing(self) -> int:
        """How many of all rows have no value."""
        return super().n_missing if self.whole is None else self.whole.n_missing

    @property
    def lowest(self) -> float:
        """The smallest number of all rows."""
        return super().lowest if self.whole is None else self.whole.low

    def has_values(self, least: int) -> bool:
        """Whether at least this many (1 or 2) different values occur in all rows."""
        return super().has_values(least) if self.whole is None else self.whole.n_different >= least


@dataclass(frozen=True, eq=False)
class LargeTable(Table):
    """A table in a scratch file. As a `Table`, it is a random sample of its rows, or all of them if they are few.

    Parameters
    ----------
    stored : all rows; always given.
    sampled : int64, the indices of the rows of the sample.
    digest : see `Table.fingerprint`.
    max_memory, scratch : bytes that training may take, and the folder for scratch files.
    """

    stored: StoredTable | None = None
    sampled: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    digest: str = ""
    max_memory: float = np.inf
    scratch: str | None = None

    @property
    def all_rows(self) -> StoredTable:
        """All rows, in the scratch file."""
        assert self.stored is not None
        return self.stored

    @property
    def n_rows_in_all(self) -> int:
        """How many rows the whole table has."""
        return self.all_rows.n_rows

    @functools.cached_property
    def fingerprint(self) -> str:
        """A text that differs for tables with different columns or values; not that of the same table in memory."""
        return self.digest

    def summarise(self, numeric: Sequence[str]) -> NumericSummary:
        """The statistics of numeric columns over all rows: the same bits as of a table in memory."""
        return summarise(cast("list[np.ndarray]", [StoredNumbers(self.all_rows, name) for name in numeric]))

    def response_of_all(self, name: str) -> Table:
        """A table of the response of all rows for `ResponseEncoder.fit`: each class once, or all numbers."""
        column = self.all_rows.columns[name]
        if column.levels is None:
            values = cast("np.ndarray", StoredNumbers(self.all_rows, name))
            return Table(self.name, {name: Column(values)}, self.n_rows_in_all, self.all_rows.place)
        used = np.flatnonzero(column.counts).astype(np.int32)
        return Table(self.name, {name: Column(used, column.levels)}, used.size)

    def numbers_of_all(self, name: str) -> np.ndarray:
        """A numeric column of all rows, of which slices are read."""
        return cast("np.ndarray", StoredNumbers(self.all_rows, name))

    def _converted(self, name: str, kind: Kind) -> Column:
        """The named column as this kind."""
        if kind == "categorical" and self[name].levels is None:
            raise DataError(
                f"column {name!r} of {self.name} is numeric, and a table larger than memory is read with what its "
                "columns are; name it in factors."
            )
        return super()._converted(name, kind)
