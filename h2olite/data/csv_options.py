"""How CSV is read: what a caller may say of it."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pyarrow import csv as arrow_csv

from h2olite.errors import DataError

from .notation import PLAIN, Notation

ESCAPE = re.compile(r"\\(?:t|x[0-9a-fA-F]{2})")

MISSING = tuple(arrow_csv.ConvertOptions().null_values)


@dataclass(frozen=True, kw_only=True)
class CsvOptions:
    """How to read CSV, as far as somebody says so: what is None has not been said.

    Parameters
    ----------
    separator : str, optional
        Character between cells; if not set, a tab in .tsv files and elsewhere that of comma, semicolon, tab and bar
        which gives the first lines equally many cells, or else is the most frequent one in the first line.
    header : bool, optional
        Whether the first row names the columns, as it does if not set; otherwise they are C1, C2, ...
    na_strings : list of str, optional
        Cells that mean missing, besides the empty one and the usual spellings such as ``NA``, ``null`` and ``NaN``.
    encoding : str, optional
        Encoding of the text, by Python's names; UTF-8 if not set.
    decimal : str, optional
        Character before the decimals of numbers; a point if not set.
    thousands : str, optional
        Character between groups of three digits; none if not set or empty.
    comment : str, optional
        What lines that are left out begin with; none if not set or empty.
    """

    separator: str | None = None
    header: bool | None = None
    na_strings: list[str] | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    comment: str | None = None

    def given(self) -> dict[str, Any]:
        """The options that somebody has set."""
        options = {field.name: getattr(self, field.name) for field in fields(CsvOptions)}
        return {name: value for name, value in options.items() if value is not None}

    def over(self, others: CsvOptions | Mapping[str, Any] | None) -> CsvOptions:
        """These options, and of the others those that these leave open."""
        before = others.given() if isinstance(others, CsvOptions) else others or {}
        return CsvOptions(**{**before, **self.given()})

    def check(self) -> None:
        """Check each option and that they go together.

        Raises
        ------
        DataError
            If one is not what it must be; one message for all.
        """
        faults = [*self._mistyped()]
        if faults:
            raise DataError(" ".join(faults))
        separator = self.character
        if separator is not None and not _is_mark(separator, '"\r\n'):
            faults.append(f"--sep must be one character, no quote and no line end; got {separator!r}.")
        numbers = {"--decimal": self.decimal, "--thousands": self.thousands}
        for option, value in numbers.items():
            if value and (len(value) > 1 or value.isalnum() or value in '"\r\n\t+-()'):
                faults.append(f"{option} must be one character that is no part of a number; got {value!r}.")
        decimal = self.decimal or PLAIN.decimal
        if not decimal.isascii():
            faults.append(f"--decimal must be an ASCII character; got {decimal!r}.")
        if self.thousands and self.thousands == decimal:
            faults.append(f"--thousands and --decimal must differ; both are {decimal!r}: pass another --decimal too.")
        if self.comment and (self.comment[0] in '"\r\n' or "\n" in self.comment):
            faults.append(f"--comment must be the start of a line, no quote; got {self.comment!r}.")
        if not _is_encoding(self.encoding or "utf-8"):
            faults.append(f"--encoding must be one that Python knows for text; got {self.encoding!r}.")
        if faults:
            raise DataError(" ".join(faults))

    def _mistyped(self) -> Iterator[str]:
        """A sentence for each option of another type: one text in the place of a list would count by its letters."""
        for name, value in self.given().items():
            if name == "header":
                fits, wanted = isinstance(value, bool), "True or False"
            elif name == "na_strings":
                fits = isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
                wanted = "a list of texts"
            else:
                fits, wanted = isinstance(value, str), "a text"
            if not fits:
                yield f"{name} of CSV must be {wanted}; got {value!r}."

    @property
    def character(self) -> str | None:
        r"""The separator, if it is set; a shell passes on ``\t`` and ``\x01`` as they are typed."""
        if self.separator is None:
            return None
        return ESCAPE.sub(lambda typed: typed[0].encode().decode("unicode_escape"), self.separator)

    @property
    def has_header(self) -> bool:
        """Whether the first row names the columns."""
        return self.header is not False

    @property
    def notation(self) -> Notation:
        """How numbers are written."""
        return Notation(self.decimal or PLAIN.decimal, self.thousands or PLAIN.thousands)

    @property
    def missing(self) -> list[str]:
        """Every spelling of a missing cell, also after a blank as in ``1, NA``."""
        spellings = [*MISSING, *(self.na_strings or ())]
        return spellings + [f" {spelling}" for spelling in spellings]


@dataclass(frozen=True)
class Csv(CsvOptions):
    """A CSV file with how to read it, in the place of its path, wherever a table is taken.

    Options that are not given are those of the model's training table, when a model is used on the file.

    Parameters
    ----------
    path : str or path
        As `h2olite.deeplearning` takes it: a file, folder, glob or URI.
    separator, header, na_strings, encoding, decimal, thousands, comment
        As for `CsvOptions`.

    Examples
    --------
    >>> import h2olite
    >>> table = h2olite.Csv("sales.csv", decimal=",", thousands=".")
    >>> table.given()
    {'decimal': ',', 'thousands': '.'}
    """

    path: str | os.PathLike[str]


def _is_encoding(name: str) -> bool:
    """Whether Python has an encoding of this name by which bytes can be read as text, bit by bit."""
    try:
        io.TextIOWrapper(io.BytesIO(b"a"), name, errors="replace").read()
    except (LookupError, ValueError):  # none; or one of other things than text, or of host names
        return False
    return codecs.lookup(name).name != "punycode"  # which is of one host name, and reads no blocks


def _is_mark(text: str, excluded: str) -> bool:
    """Whether a text is one ASCII character that may stand between cells."""
    return len(text) == 1 and text.isascii() and text not in excluded
