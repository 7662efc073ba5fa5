"""The format of a file by its first bytes, whatever its name is."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from h2olite.errors import DataError

from .files import ARROW_FILE, ARROW_STREAM, COMPRESSED, COMPRESSIONS, DELIMITED, PARQUET, File, reading

SAMPLE = 1 << 14
"""Bytes at the start of a file by which its content is judged."""


class Content(NamedTuple):
    """The format of a file.

    name : in words.
    extension : the extension by which such files are read; None if they cannot be read.
    """

    name: str
    extension: str | None = None


CONVERT = "save it as CSV or Parquet"

BINARY = {
    PARQUET: Content("Parquet", ".parquet"),
    ARROW_FILE: Content("Arrow", ".arrow"),
    ARROW_STREAM: Content("an Arrow stream", ".arrows"),
    b"\xfd7zXZ\0": Content("xz"),
    b"\x04\x22\x4d\x18": Content("LZ4"),
    b"7z\xbc\xaf\x27\x1c": Content("7-Zip"),
    b"Rar!\x1a\x07": Content("RAR"),
    b"\xd0\xcf\x11\xe0": Content("Excel (.xls)"),
    b"\x89HDF": Content("HDF5"),
    b"\x93NUMPY": Content("NumPy (.npy)"),
    b"SQLite format 3\0": Content("SQLite"),
    b"ORC": Content("ORC"),
    b"Obj\x01": Content("Avro"),
    b"X\n\0\0": Content("R (.rds)"),
    b"RDX": Content("R (.RData)"),
    b"$FL2": Content("SPSS"),
    b"\x80\x04\x95": Content("a Python pickle"),
    b"\x80\x05\x95": Content("a Python pickle"),
} | {
    start: Content(COMPRESSED[start], end)
    for start in COMPRESSED
    for end in COMPRESSIONS
    if COMPRESSIONS[end] == COMPRESSED[start]
}
"""Formats by their first bytes; those that text could begin with count only where there are bytes that no text has."""

OTHER_TEXT = {
    b'{"': Content("JSON"),
    b"[{": Content("JSON"),
    b"[[": Content("JSON"),
    b"{\n": Content("JSON"),
    b"<?xml": Content("XML"),
    b"<!doctype": Content("HTML"),
    b"<html": Content("HTML"),
    b"<stata_dta>": Content("Stata"),
    b"%pdf-": Content("PDF"),
    b"version https://git-lfs": Content("a pointer of Git LFS (git lfs pull gets the file)"),
}
"""Text that is no CSV, by what it begins with in lower case."""

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
"""Encodings by their byte order marks, the longest first."""


def find_content(start: bytes) -> Content | None:
    """The format that begins with these bytes; None for text that may be CSV."""
    if start.startswith(b"PK\x03\x04"):
        book = any(part in start for part in (b"[Content_Types].xml", b"opendocument.spreadsheet"))
        return Content("a spreadsheet (such as .xlsx)" if book else "zip")
    for magic, content in BINARY.items():
        if start.startswith(magic) and (not magic.isascii() or not is_text(start)):
            return content
    beginning = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return next((content for text, content in OTHER_TEXT.items() if beginning.startswith(text)), None)


def is_text(start: bytes) -> bool:
    """Whether all bytes may occur in text of an encoding that includes ASCII."""
    return not any(byte < 32 and byte not in b"\t\n\r\f\x1a\x1b\x1c\x1d\x1e\x1f\x01\x02" for byte in start)


def find_encoding(start: bytes) -> str | None:
    """The encoding by a byte order mark, or by zeros at every second or fourth byte; None without these."""
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return encoding
    zeros = [start[i::4].count(0) / max(len(start[i::4]), 1) for i in range(4)]
    patterns = {
        "utf-32-le": (False, True, True, True),
        "utf-32-be": (True, True, True, False),
        "utf-16-le": (False, True, False, True),
        "utf-16-be": (True, False, True, False),
    }
    seen = tuple(share > 0.4 for share in zeros)
    return next((encoding for encoding, pattern in patterns.items() if seen == pattern), None)


def without_mark(encoding: str) -> str:
    """The encoding by which a byte order mark is not read as text."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def refuse_no_text(file: File, start: bytes, encoding: str | None) -> None:
    """Check that uncompressed first bytes are text of this encoding (UTF-8 if it is None) and no other format.

    Raises
    ------
    DataError
        If they are not; it says what they are and what to do.
    """
    taken = codecs.lookup(encoding or "utf-8").name
    found = find_encoding(start)
    if found is not None and not _reads(taken, found, start):
        raise DataError(
            f"{file.name} is {found.upper()}, by its first bytes, not {taken.upper()}; pass --encoding {found}."
        )
    if found is None and start and taken.startswith(("utf-16", "utf-32")) and 0 not in start:
        raise DataError(
            f"{file.name} is not {taken.upper()}, as it has no zero bytes; pass no --encoding, or another one."
        )
    if content := find_content(start):
        raise _other_content(file, content)
    if found is None and 0 in start and not taken.startswith(("utf-16", "utf-32")):
        raise DataError(f"{file.name} is named {file.format} but holds zero bytes, which text has not; {CONVERT}.")


def _reads(taken: str, found: str, start: bytes) -> bool:
    """Whether an encoding is one by which text that was found to be in another is read rightly.

    Without a mark, the order of the bytes must be named; with one, it may be, if it is the mark's.
    """
    if found in ("utf-16", "utf-32"):
        little = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE))
        return taken in (found, f"{found}-{'le' if little else 'be'}")
    return taken in (found, f"{found}-sig")


@contextlib.contextmanager
def reading_as_named(file: File) -> Iterator[None]:
    """Do what `reading` does. If the name of a file does not match its content, the error says what the file is."""
    try:
        with reading(file.name):
            yield
    except DataError:
        start = _start_of(file)
        content = find_content(start) or (Content("text", ".csv") if is_text(start) else None)
        if start and content is not None and content.extension not in _extensions_of(file):
            raise _other_content(file, content) from None
        raise


def _extensions_of(file: File) -> tuple[str, ...]:
    """The extensions that files of the content have which the name promises."""
    if file.compression:
        return tuple(end for end, codec in COMPRESSIONS.items() if codec == file.compression)
    if file.format in DELIMITED:
        return (".csv",)
    return (".parquet",) if file.format == ".parquet" else (".arrow", ".arrows")


def _start_of(file: File) -> bytes:
    """The first bytes as they lie there, none if they cannot be read."""
    with contextlib.suppress(OSError, pa.ArrowException):
        return file.raw_start(SAMPLE)
    return b""


def _other_content(file: File, content: Content) -> DataError:
    """The error for a file that its name belies."""
    path = PurePosixPath(file.name)
    if content.extension is None:
        advice = CONVERT
    elif content.extension in COMPRESSIONS:
        plain = path.stem if file.compression else path.name
        advice = f"rename it {plain}{content.extension}"
    else:
        advice = f"rename it {path.name.partition('.')[0]}{content.extension}"
    if file.path == "standard input":
        return DataError(f"{file.name} holds {content.name}, which is no table that can be read; {CONVERT}.")
    ending = "".join(path.suffixes[-2:]) if file.compression else path.suffix
    return DataError(f"{file.name} is named {ending} but holds {content.name}; {advice}.")
