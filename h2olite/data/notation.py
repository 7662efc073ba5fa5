"""How numbers are written: which text is one, and which notation most of a column's texts are in."""

from __future__ import annotations

import functools
import re
import shlex
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

BLANKS = " \u00a0\u2009\u202f"
"""Blanks that group digits: the usual one, and those at which no line is broken."""

APOSTROPHES = "'\u2019"

ASCII_BLANKS = " \t"
"""Blanks around a number that Arrow passes over."""

HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")

CURRENCIES = "USD|EUR|GBP|JPY|CNY|INR|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|TRY|BRL|MXN|ZAR|KRW|SGD|HKD|kr|Rs"

DIGIT = re.compile(r"\d")
"""A digit of any script."""

MOST_CHARACTERS = 40
"""Longer texts are no numbers with signs."""

SIGN = re.compile(rf"(?P<before>[+-]?)\s*(?:{CURRENCIES})\.?\s*(?P<after>.+)|(?P<alone>.+?)\s*(?:{CURRENCIES})\.?")


@dataclass(frozen=True)
class Notation:
    """A way to write numbers.

    Parameters
    ----------
    decimal : str
        Character before the decimals.
    thousands : str
        Character between groups of digits, empty for none. A blank stands for blanks that break no line too, an
        apostrophe for both kinds.
    """

    decimal: str = "."
    thousands: str = ""

    @functools.cached_property
    def pattern(self) -> str:
        """A regular expression of a whole number or a fraction, for Python and for Arrow.

        Digits are grouped or not; the last group has three of them and others two or three (India groups by two), so
        that a separator in a wrong place is not taken for one of thousands.
        """
        point = re.escape(self.decimal)
        digits = "[0-9]+"
        if self.thousands:
            group = self._group
            digits = f"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}})"
        number = rf"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        return rf"^[+-]?(?:{number}|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])$"

    @property
    def is_plain(self) -> bool:
        """Whether it is the usual one, with a point and without groups."""
        return self == PLAIN

    def number(self, text: str) -> float | None:
        """The number that a text spells, blanks around it aside; None if it spells none."""
        text = text.strip()
        if self._matcher.match(text):
            return float(self._without_groups.sub("", text).replace(self.decimal, "."))
        return float(int(text, 16)) if HEXADECIMAL.fullmatch(text) else None

    def is_number(self, text: str) -> bool:
        """Whether a text spells a number."""
        return self.number(text) is not None

    def numbers(self, texts: pa.Array) -> pa.Array:
        """The numbers that texts spell, float64 with null for null.

        Raises
        ------
        pyarrow.ArrowInvalid
            If a text spells none.
        """
        texts = pc.utf8_trim_whitespace(texts)
        if not self.is_plain:
            matches = pc.match_substring_regex(texts, self.pattern)
            if pc.all(matches).as_py() is False:
                raise pa.ArrowInvalid("some texts are no numbers")
            if self.thousands:
                texts = pc.replace_substring_regex(texts, self._group, "")
            texts = pc.replace_substring(texts, self.decimal, ".")
        return texts.cast(pa.float64())

    @property
    def _group(self) -> str:
        """What may stand between groups of digits, as a regular expression."""
        alike = next((kind for kind in (BLANKS, APOSTROPHES) if self.thousands in kind), self.thousands)
        return f"[{re.escape(alike)}]"

    @functools.cached_property
    def _matcher(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @functools.cached_property
    def _without_groups(self) -> re.Pattern[str]:
        return re.compile(self._group if self.thousands else "(?!)")


PLAIN = Notation()

USUAL = (
    PLAIN,
    Notation(".", ","),  # before the decimal comma: where three digits follow every comma, they are a group
    Notation(",", ""),
    Notation(",", "."),
    *(Notation(decimal, thousands) for thousands in " '_" for decimal in ".,"),
)
"""Notations to look for; of those that read equally many texts the first one is taken."""


@dataclass(frozen=True)
class Finding:
    """How most of a column's texts can be read as numbers, though they are not in the notation of the table.

    Parameters
    ----------
    notation : Notation
        The one that reads the most of them.
    example : int
        Index of a text that it reads and the table's does not.
    has_signs : bool
        Whether more has to be taken off than the notation says: signs of currencies or per cent, parentheses for a
        minus, digits of another script.
    """

    notation: Notation
    example: int
    has_signs: bool

    def advice(self, known: Notation, *, from_csv: bool) -> str:
        """How to have such numbers read, in a table that is read in a known notation."""
        if not from_csv:
            return "convert the column to numbers first"
        options = {}
        if self.notation.decimal != known.decimal:
            options["decimal"] = self.notation.decimal
        if self.notation.thousands != known.thousands:
            options["thousands"] = self.notation.thousands
        if not options:
            return "take all but the digits out of its cells" if self.has_signs else "name the column in numeric"
        flags = " ".join(f"--{option} {shlex.quote(value)}" for option, value in options.items())
        keywords = ", ".join(f"{option}={value!r}" for option, value in options.items())
        also = " and take signs out of its cells" if self.has_signs else ""
        return f"pass {flags} (in Python, {keywords} to h2olite.Csv){also}"


def find_notation(texts: Sequence[str], counts: Sequence[int], known: Notation) -> Finding | None:
    """How texts that occur so often can be read as numbers; None unless that is true of more than half of them.

    Parameters
    ----------
    texts, counts : sequences
        Different texts, and how many cells hold each.
    known : Notation
        That in which the table is read.
    """
    n_digits = sum(count for text, count in zip(texts, counts, strict=True) if DIGIT.search(text))
    if 2 * n_digits <= sum(counts):
        return None
    bare = [without_signs(text) for text in texts]
    unread = [i for i, text in enumerate(texts) if not _is_read(text, known)]
    if not unread:
        return None

    def share(notation: Notation) -> int:
        return sum(count for text, count in zip(bare, counts, strict=True) if notation.number(text) is not None)

    best = max(USUAL, key=share)
    read = [i for i in unread if best.number(bare[i]) is not None]
    if not read or 2 * share(best) <= sum(counts):
        return None
    has_signs = any(best.number(texts[i]) is None for i in read)
    return Finding(best, read[0], has_signs)


def _is_read(text: str, known: Notation) -> bool:
    """Whether the reader takes a text for a number by itself: it passes over no blanks but those of ASCII."""
    return known.is_number(text) and text.strip(ASCII_BLANKS) == text.strip()


def without_signs(text: str) -> str:
    """A text without signs of currencies and per cent, with a minus in front and digits of ASCII; often no number."""
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        return text
    if text.startswith("(") and text.endswith(")"):  # as accountants write what is owed
        text = f"-{text[1:-1].strip()}"
    text = "".join(_plain_character(character) for character in text).strip()
    if signed := SIGN.fullmatch(text):
        text = signed["alone"] or f"{signed['before']}{signed['after']}"
    if text.endswith("-") and text[:-1]:
        text = f"-{text[:-1]}"
    return re.sub(r"^([+-])\s+", r"\1", text)


def _plain_character(character: str) -> str:
    """A character of a number as ASCII has it, nothing for a sign that only says what the number counts."""
    if character in "%\u2030" or unicodedata.category(character) == "Sc":
        return ""
    if character in "\u2212\u2013\uff0d":
        return "-"
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return {"\u066b": ".", "\u066c": ",", "\uff0e": ".", "\uff0c": ","}.get(character, character)
