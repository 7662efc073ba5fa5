"""How CSV is read: the options that a caller may set."""

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
    """How to read CSV. An option that is None has not been set.

    Parameters
    ----------
    separator : str, optional
        Character between cells. The default is a tab in .tsv files. In other files it is the one of comma, semicolon,
        tab and bar that gives the first lines equally many cells, or else the most frequent one in the first line.
    header : bool, optional
        Whether the first row has the names of the columns (the default). Otherwise they are C1, C2, ...
    na_strings : list of str, optional
        Additional texts for a missing value. Empty cells and the usual texts (``NA``, ``null``, ``NaN``, ...) are
        always missing.
    encoding : str, optional
        Encoding of the text, by its name in Python. The default is UTF-8.
    decimal : str, optional
        Decimal mark of numbers. The default is a point.
    thousands : str, optional
        Mark between groups of digits. By default, and if it is empty, there is none.
    comment : str, optional
        Lines that begin with this text are skipped. By default, and if it is empty, no line is.
    """

    separator: str | None = None
    header: bool | None = None
    na_strings: list[str] | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    comment: str | None = None

    def given(self) -> dict[str, Any]:
        """The options that have been set."""
        options = {field.name: getattr(self, field.name) for field in fields(CsvOptions)}
        return {name: value for name, value in options.items() if value is not None}

    def over(self, others: CsvOptions | Mapping[str, Any] | None) -> CsvOptions:
        """These options, and those of `others` that are not set here."""
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
    """The path of a CSV file with options for reading it. It can be used wherever a table is expected.

    When a model reads the file, options that are not given are those of its training table.

    Parameters
    ----------
    path : str or path
        A file, folder, glob or URI, as in `h2olite.deeplearning`.
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
