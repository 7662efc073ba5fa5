"""Typed columns, and the table that consists of them."""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
import shlex
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy as np

from h2olite.errors import DataError, ParameterError
from h2olite.settings.parameters import nearest

from .notation import PLAIN, Notation, find_notation

Kind = Literal["categorical", "numeric", "time"]
"""What a column holds; time is numeric, in milliseconds since the epoch."""

INTEGER = re.compile(r"[+-]?\d+")

TRUTH = ("False", "True")
"""The levels of booleans, of which both stay, whether rows have them or not."""


class NoRowsError(DataError):
    """A table has columns but no rows."""

    def __init__(self, message: str, columns: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.columns = list(columns)

    @classmethod
    def of(cls, name: str, columns: Iterable[str]) -> NoRowsError:
        """The error for the table of that name."""
        return cls(f"{name} has no rows; a table needs at least one.", columns)

    def table(self, name: str, schema: Mapping[str, Kind]) -> Table:
        """The table, with those of its columns that a schema has."""
        columns = {column: schema[column] for column in self.columns if column in schema}
        return Table(name, {column: Column.empty(kind) for column, kind in columns.items()}, 0)


@dataclass(frozen=True, eq=False)
class Column:
    """One typed column.

    Parameters
    ----------
    values : ndarray, shape (n_rows,)
        float64 with NaN where missing; of a categorical column int32 indices into `levels` with -1 where missing.
    levels : tuple of str, optional
        The levels of a categorical column, used or not; None for a numeric one.
    is_time : bool
        Whether the numbers are milliseconds since the epoch (of times of day: since midnight).
    """

    values: np.ndarray
    levels: tuple[str, ...] | None = None
    is_time: bool = False

    @classmethod
    def empty(cls, kind: Kind) -> Column:
        """A column without rows."""
        return cls(np.empty(0, np.int32), ()) if kind == "categorical" else cls(np.empty(0), is_time=kind == "time")

    @property
    def is_categorical(self) -> bool:
        """Whether the values are levels rather than numbers."""
        return self.levels is not None

    @property
    def kind(self) -> Kind:
        """What the column holds, as a schema says it."""
        return "categorical" if self.is_categorical else "time" if self.is_time else "numeric"

    @property
    def n_missing(self) -> int:
        """How many rows have no value."""
        return int(np.count_nonzero(self.values < 0 if self.is_categorical else np.isnan(self.values)))

    @property
    def lowest(self) -> float:
        """The smallest of the numbers."""
        return float(np.fmin.reduce(self.values))

    @property
    def nbytes(self) -> int:
        """Bytes that the values take."""
        return self.values.nbytes

    @property
    def contents(self) -> bytes | memoryview:
        """Bytes that differ for different values."""
        return np.ascontiguousarray(self.values).data

    def has_values(self, least: int) -> bool:
        """Whether at least this many (1 or 2) different values occur."""
        present = self.values[self.values >= 0 if self.is_categorical else ~np.isnan(self.values)]
        return present.size > 0 and (least == 1 or bool((present != present[0]).any()))

    def take(self, rows: np.ndarray, taken: dict[int, Any] | None = None) -> Column:
        """The same column with only these rows (indices or a mask), in this order.

        taken : what columns of one table share, by their identity, with only these rows.
        """
        return replace(self, values=self.values[rows])

    def with_levels(self, kept: np.ndarray) -> Column:
        """A categorical column with some of its levels only, a mask over them; rows that have another are missing."""
        assert self.levels is not None
        codes = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1).astype(np.int32)
        return Column(codes[self.values], tuple(itertools.compress(self.levels, kept)))

    def as_categorical(self) -> Column:
        """The column with its distinct numbers as levels: ``1.0`` becomes ``"1"``, ``0.5`` ``"0.5"``."""
        if self.is_categorical:
            return self
        present = ~np.isnan(self.values)
        numbers, indices = np.unique(self.values[present], return_inverse=True)
        values = np.full(len(self.values), -1, np.int32)
        values[present] = indices
        return with_ordered_levels(values, [number_text(number) for number in numbers.tolist()], forced=True)


class Remark(NamedTuple):
    """A fact that a user should know about a column, or about the whole table, before it is used.

    column : its name; None for the table.
    sentence : for the user.
    """

    column: str | None
    sentence: str


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length under their names.

    Parameters
    ----------
    name : str
        What messages call it: the file's name, or the argument's.
    columns : dict of str to Column
    n_rows : int
    place : callable
        From a row's 0-based index to where messages say it is: ``"line 17"`` of a CSV file, else ``"row 16"``.
    source : str, optional
        The path that all of its rows are from, as it was given; None for what was in memory.
    csv : mapping, optional
        How its CSV was read, as far as somebody said so (see `h2olite.data.delimited.CsvOptions`); None if it is of
        no CSV file.
    remarks : tuple of Remark
        What reading has found out about the columns.
    is_batch : bool
        Whether a model that has learnt from other rows goes on with these few, which may all have one response.
    """

    name: str
    columns: dict[str, Column]
    n_rows: int
    place: Callable[[int], str] = "row {}".format
    source: str | None = None
    csv: Mapping[str, Any] | None = None
    remarks: tuple[Remark, ...] = ()
    is_batch: bool = False

    @property
    def notation(self) -> Notation:
        """How its text spells numbers."""
        given = self.csv or {}
        return Notation(given.get("decimal") or PLAIN.decimal, given.get("thousands") or PLAIN.thousands)

    def remarks_on(self, columns: Container[str]) -> list[str]:
        """The remarks on the whole table and on these columns."""
        return [remark.sentence for remark in self.remarks if remark.column is None or remark.column in columns]

    @property
    def n_rows_in_all(self) -> int:
        """How many rows there are, in memory or not."""
        return self.n_rows

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return list(self.columns)

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return name in self.columns

    def __getitem__(self, name: str) -> Column:
        """The column of this name.

        Raises
        ------
        DataError
            If there is none.
        """
        try:
            return self.columns[name]
        except KeyError:
            raise DataError(f"{self.name} has no column {name!r}{nearest(name, self.columns)}") from None

    def take(self, rows: np.ndarray) -> Table:
        """The table with only these rows, in this order.

        Parameters
        ----------
        rows : ndarray
            Indices, or a mask over all rows.
        """
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        taken: dict[int, Any] = {}
        columns = {name: column.take(rows, taken) for name, column in self.columns.items()}
        return replace(
            self, columns=columns, n_rows=len(rows), place=lambda row: self.place(int(rows[row])), source=None
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """A text that differs for tables with different columns or values. The name of the table does not matter."""
        digest = hashlib.blake2b(digest_size=16)
        for name, column in self.columns.items():
            digest.update(repr((name, column.kind, column.levels)).encode())
            digest.update(column.contents)
        return digest.hexdigest()

    def convert(self, kinds: Mapping[str, Kind]) -> Table:
        """Convert columns of the table to the given kinds, unless they have these kinds already.

        Raises
        ------
        DataError
            If a column does not exist, or one to become numeric holds anything that is not a number.
        """
        converted = {name: self._converted(name, kind) for name, kind in kinds.items()}
        return replace(self, columns=self.columns | converted)

    def _converted(self, name: str, kind: Kind) -> Column:
        """The named column as this kind."""
        column = self[name]
        if kind == "categorical":
            return column.as_categorical()
        if column.levels is None:
            return column
        numbers = np.array([*map(self.notation.number, column.levels), np.nan], np.float64)
        wrong = np.isnan(numbers)
        wrong[-1] = False
        rows = np.flatnonzero(wrong[column.values])
        if len(rows):
            text = column.levels[column.values[rows[0]]]
            what = "1 value is not a number" if len(rows) == 1 else f"{len(rows)} values are not numbers"
            raise DataError(
                f"column {name!r} of {self.name}: {what} (first: {text!r}, {self.place(int(rows[0]))}); "
                f"{self._advice_on(column.levels, text)}."
            )
        return Column(numbers[column.values], is_time=kind == "time")

    def _advice_on(self, levels: tuple[str, ...], text: str) -> str:
        """How to have a column of texts read as numbers, one of which is none."""
        some = levels[:: max(len(levels) // 1000, 1)]
        finding = find_notation(some, [1] * len(some), self.notation)
        if finding is None:
            option = "" if self.csv is None else f" (--na-string {shlex.quote(text)})"
            return f"correct it or make it missing{option}"
        return finding.advice(self.notation, from_csv=self.csv is not None)


def forced_kinds(factors: Iterable[str], numeric: Iterable[str]) -> dict[str, Kind]:
    """The kinds that a caller's lists of categorical and of numeric columns ask for.

    Raises
    ------
    ParameterError
        If a column is in both.
    """
    kinds: dict[str, Kind] = dict.fromkeys(factors, "categorical")
    for name in numeric:
        if name in kinds:
            raise ParameterError(f"column {name!r} cannot be in both factors and numeric; take it out of one.")
        kinds[name] = "numeric"
    return kinds


def number_text(number: float) -> str:
    """A number as a level: without ``.0`` when it is whole."""
    return str(int(number)) if number.is_integer() else repr(number)


def order_of_levels(levels: Sequence[str], *, forced: bool) -> list[int]:
    """The indices of levels by code point or, where all of a forced column are integers, by number."""
    by_number = forced and all(map(INTEGER.fullmatch, levels))
    return sorted(range(len(levels)), key=lambda i: (Decimal(levels[i]) if by_number else 0, levels[i]))


def with_ordered_levels(values: np.ndarray, levels: list[str], *, forced: bool) -> Column:
    """A categorical column with its levels in the order of `order_of_levels`."""
    order = order_of_levels(levels, forced=forced)
    rank = np.full(len(levels) + 1, -1, np.int32)  # the last entry is where -1 (missing) looks itself up
    rank[order] = np.arange(len(levels), dtype=np.int32)
    return Column(rank[values], tuple(levels[i] for i in order))


def matched_names(names: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """The names, but for those that only blanks around them tell from a wanted one that is not among them: that one."""
    present = set(names)
    absent = {name.strip(): name for name in wanted if name not in present}
    return [absent.get(name.strip(), name) for name in names] if absent else list(names)
