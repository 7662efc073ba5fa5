"""Which files h2olite has written, as their contents tell."""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path

from .places import Values

HEAD = 1 << 22
"""Bytes at a table's start in which its header must end."""

COLUMNS = {
    "predictions": r"predict|reconstr_.*",
    "anomalies": r"Reconstruction\.MSE|reconstr_.*\.SE",
    "contributions": r"BiasTerm(\..*)?",
    "features": r"DF\.L\d+\.C\d+",
    "curves": "tpr",
    "path": "validation_loss",
    "select": "chosen",
    "describe": "distinct",
}
"""The columns of tables of results that other tables hardly have: one of them is enough."""

ONNX_PRODUCER = b"\x12\x07h2olite\x1a"
"""The field of an ONNX file that says what has made it."""

PICTURE = re.compile(rb"Software\0h2olite|/Creator \(h2olite|<dc:title>h2olite</dc:title>")
"""How .png, .pdf and .svg files say what has made them."""


def is_model(path: Path, values: Values) -> bool:
    """Whether a file is a model file, if a damaged one."""
    from h2olite.formats.artifact import is_artifact

    return is_artifact(path)


def is_exported(path: Path, values: Values) -> bool:
    """Whether a file is a MOJO or an ONNX file of h2olite's."""
    from h2olite.formats.archive import start_of_member

    mark = b"\nh2olite_version = "
    return mark in start_of_member(path, "model.ini", 256) or ONNX_PRODUCER in _start(path, 64)


def is_picture(path: Path, values: Values) -> bool:
    """Whether a file is a picture that h2olite has drawn."""
    return PICTURE.search(_start(path, HEAD)) is not None


def is_report(path: Path, values: Values) -> bool:
    """Whether a file is a report of h2olite's."""
    head = _start(path, 1024)
    return head.startswith(b"<!DOCTYPE html>") and b'<meta name="generator" content="h2olite' in head


def is_table_of(results: str) -> Callable[[Path, Values], bool]:
    """What tells whether a file is a table of some of the `COLUMNS`, in whatever format."""
    return lambda path, values: any(re.fullmatch(COLUMNS[results], name) for name in columns_of(path))


def columns_of(path: Path) -> list[str]:
    """The columns of a table of one of the formats that are written; none if it is no such table."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    from h2olite.data.files import ARROW_FILE, ARROW_STREAM, PARQUET

    try:
        start = _start(path, HEAD)
        if start.startswith(PARQUET):
            return parquet.read_schema(path).names
        if start.startswith(ARROW_FILE):
            return ipc.open_file(path).schema.names
        if start.startswith(ARROW_STREAM):
            with path.open("rb") as stream:
                return ipc.open_stream(stream).schema.names
        if start.startswith(b"\x1f\x8b"):
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, HEAD)
        return next(csv.reader(io.StringIO(start.decode(errors="replace"), newline="")), [])
    except (pa.ArrowException, OSError, zlib.error, csv.Error):
        return []


def _start(path: Path, size: int) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as stream:
        return stream.read(size)
