"""Finding the files of a table, and opening them whatever their place and compression."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import fs

from h2olite.errors import DataError
from h2olite.parameters import nearest

DELIMITED = (".csv", ".tsv", ".txt")
"""The formats of text; of a folder, .txt files are no part, as most of them are notes."""

FORMATS = (".csv", ".tsv", ".parquet", ".arrow", ".feather", ".arrows", ".txt")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
EXTENSIONS = f"{', '.join(FORMATS)}, each also with {', '.join(COMPRESSIONS)}"
HEAD = 1 << 22
"""Bytes at a file's start in which its first row must end."""

COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
"""Codecs by what their output begins with."""

ARROW_FILE, ARROW_STREAM, PARQUET = b"ARROW1\0\0", b"\xff\xff\xff\xff", b"PAR1"
"""What tables that say what their columns are begin with."""


@dataclass(frozen=True)
class File:
    """One file of a table, on this machine or elsewhere."""

    filesystem: fs.FileSystem
    path: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return PurePosixPath(self.path).name

    @property
    def compression(self) -> str | None:
        """The codec that its extension names."""
        return COMPRESSIONS.get(PurePosixPath(self.path.lower()).suffix)

    @property
    def format(self) -> str:
        """The extension without that of the compression, such as ``.csv``."""
        path = PurePosixPath(self.path.lower())
        return (path.with_suffix("") if self.compression else path).suffix

    @property
    def size(self) -> int | None:
        """Its bytes as they lie there, compressed or not; None for a stream that does not say."""
        return self.filesystem.get_file_info(self.path).size

    @property
    def can_reopen(self) -> bool:
        """Whether it can be read from its start more than once."""
        return True

    def open(self) -> pa.NativeFile:
        """Its uncompressed bytes from the start."""
        return self.filesystem.open_input_stream(self.path, compression=self.compression)

    def raw_start(self, size: int) -> bytes:
        """Its first bytes as they lie there, compressed or not."""
        with self.filesystem.open_input_stream(self.path, compression=None) as stream:
            return stream.read(size)

    def open_seekable(self) -> pa.NativeFile:
        """Its uncompressed bytes at any position; those of a compressed file are held in memory."""
        if self.compression:
            with self.open() as stream:
                return pa.BufferReader(stream.read())
        return self.filesystem.open_input_file(self.path)


@dataclass(frozen=True)
class StandardInput(File):
    """Standard input, which can be read once, but its head more often; its first bytes tell what it is."""

    filesystem: fs.FileSystem = None
    path: str = "standard input"
    head: bytes = field(default_factory=lambda: sys.stdin.buffer.read(2 * HEAD))

    @property
    def compression(self) -> str | None:
        """The codec of what comes in."""
        return next((codec for start, codec in COMPRESSED.items() if self.head.startswith(start)), None)

    @functools.cached_property
    def format(self) -> str:
        """The extension that a file of this content has: ``.csv`` unless it is another one's."""
        with reading(self.name), self.open() as stream:
            start = stream.read(4096)
        if start.startswith(PARQUET) and b"\0" in start:  # a column of CSV may be called PAR1
            return ".parquet"
        if start.startswith(ARROW_FILE):
            return ".arrow"
        return ".arrows" if start.startswith(ARROW_STREAM) else ".csv"

    @property
    def size(self) -> int | None:
        """Unknown."""
        return None

    @property
    def can_reopen(self) -> bool:
        """Whether all of it is in the head."""
        return len(self.head) < 2 * HEAD

    def open(self) -> pa.NativeFile:
        """All uncompressed bytes; a second time only the head and what the first left over."""
        stream = pa.PythonFile(_Resumed(self.head), mode="r")
        return pa.CompressedInputStream(stream, self.compression) if self.compression else stream

    def raw_start(self, size: int) -> bytes:
        """Its first bytes as they come in."""
        return self.head[:size]

    def open_seekable(self) -> pa.NativeFile:
        """All uncompressed bytes at any position, from a temporary file."""
        file = tempfile.TemporaryFile()
        with self.open() as stream:
            shutil.copyfileobj(stream, file)
        file.seek(0)
        return pa.PythonFile(file, mode="r")


class _Resumed:
    """Standard input with the bytes already taken from it put back."""

    closed = False

    def __init__(self, head: bytes) -> None:
        self.head = head

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        taken, self.head = self.head[:size], self.head[size:]
        return taken or sys.stdin.buffer.read(size)

    def close(self) -> None:
        """Leave standard input open: it is not ours."""


def find_files(source: str | os.PathLike[str]) -> list[File]:
    """The files, sorted by name, that a path, folder, glob, URI or ``-`` (standard input) stands for.

    Raises
    ------
    DataError
        If there is none, or one has an extension that names no format of tables.
    """
    text = os.fspath(source)
    if text == "-":
        return [StandardInput()]
    with reading(text):
        filesystem, path = _located(text)
        kind = filesystem.get_file_info(path).type
        if kind == fs.FileType.Directory:
            inside = [File(filesystem, found) for found in _listed(filesystem, path)]
            files = [
                file
                for file in inside
                if file.format in FORMATS and file.format != ".txt" and not file.name.startswith((".", "_"))
            ]
            if not files:
                raise DataError(f"folder {text} holds no table; name files {EXTENSIONS}.")
        elif kind == fs.FileType.NotFound:
            files = [File(filesystem, found) for found in _matching(filesystem, path)]
            if not files:
                folder, name = os.path.split(path)
                names = [PurePosixPath(found).name for found in _listed(filesystem, folder)]
                raise DataError(f"there is no file {text}{nearest(name, names)}")
        else:
            files = [File(filesystem, path)]
    for file in files:
        if file.format not in FORMATS:
            raise DataError(f"{file.name} must end in {EXTENSIONS}; rename it, or pipe it in and read -.")
    return files


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what goes wrong with a file while the block runs into a DataError that starts with its name."""
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or _first_line(error)}.") from None
    except (pa.ArrowException, UnicodeError, EOFError) as error:
        raise DataError(f"{name} cannot be read, it is damaged or of another format: {_first_line(error)}.") from None


def _first_line(error: Exception) -> str:
    """The first line of an error's message: Arrow appends its own details."""
    return str(error).partition("\n")[0].rstrip(".")


def _located(text: str) -> tuple[Any, str]:
    """The file system of a path or URI, and the absolute path on it."""
    if "://" in text:
        return fs.FileSystem.from_uri(text)
    return fs.LocalFileSystem(), PurePosixPath(os.path.abspath(os.path.expanduser(text))).as_posix()


def _listed(filesystem: fs.FileSystem, folder: str, *, recursive: bool = False) -> list[str]:
    """The paths of the files in a folder, sorted by name; none if there is no such folder."""
    selector = fs.FileSelector(folder, allow_not_found=True, recursive=recursive)
    return sorted(info.path for info in filesystem.get_file_info(selector) if info.is_file)


def _matching(filesystem: fs.FileSystem, pattern: str) -> list[str]:
    """The paths that a glob matches, folder by folder; none if it is no glob."""
    parts = PurePosixPath(pattern).parts
    magic = [i for i, part in enumerate(parts) if set(part) & set("*?[")]
    if not magic:
        return []
    folder = str(PurePosixPath(*parts[: magic[0]]))
    paths = _listed(filesystem, folder, recursive=magic[0] < len(parts) - 1)
    return [
        path for path in paths if len(PurePosixPath(path).parts) == len(parts) and PurePosixPath(path).match(pattern)
    ]
