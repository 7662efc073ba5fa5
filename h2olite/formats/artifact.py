"""The model file: a zip of one JSON document and NumPy arrays, safe to open whoever made it.

``model.json`` holds the format's name and version, the names of the arrays and the document; array ``x`` is the member
``x.npy``, or without its zeros in ``x.npy`` and ``x-places.npy``. Reading executes nothing, writes nothing, and takes
memory in proportion to the file (see `most_unpacked`).
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import IO, Any, NoReturn, TypeGuard

import numpy as np

from h2olite.errors import ArtifactError

from .archive import (
    MOST_DOCUMENT,
    SAMPLE,
    member_info,
    most_document,
    most_unpacked,
    opened,
    read_document,
    replacing,
    start_of_member,
)

FORMAT = "h2olite model"
VERSION = 3

DOCUMENT = "model.json"
ARRAY_NAME = re.compile(r"\w+(\.\w+)*", re.ASCII)

PLACES = "-places"
"""What the name of an array kept without zeros has behind it in the name of the member that says where they are not."""

FREE_VALUES = 100_000
"""Values that a document may have however small it is packed."""

MEMBER_BYTES = 512
"""What one member more takes at the most, beside its numbers."""

NUMBERS = "biuf"
"""The kinds of dtype an array may have: booleans, integers and floats."""

MOST_DIMENSIONS = 64
"""Dimensions that an array of NumPy may have."""


def write_artifact(path: str | os.PathLike[str], document: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a model file; the same content gives the same bytes.

    Parameters
    ----------
    path : where to; an existing file is replaced in one step.
    document : what `json.dumps` accepts, without NaN and infinity: the caller puts None for them.
    arrays : numbers or booleans by name; names are words, possibly joined by dots.

    Raises
    ------
    DataError
        The file cannot be written; an existing one is as before.
    ArtifactError
        The document is larger than `read_artifact` accepts.
    """
    for name, array in arrays.items():
        if not ARRAY_NAME.fullmatch(name) or array.dtype.kind not in NUMBERS:
            raise ValueError(f"array {name!r} of dtype {array.dtype} cannot be kept in a model file")
    members, shapes = _without_zeros(arrays)
    text = _text_of(path, document, list(arrays), shapes)
    with replacing(path) as stream:
        written = _write_members(stream, text, members, compress=True)
        unpacked = sum(info.file_size for info in written) + _dense_bytes(shapes)
        packed = written[0].compress_size
        too_dense = len(text) > most_document(packed) or count_values(text) > most_values(packed)
        if too_dense or unpacked > most_unpacked(stream.tell()):
            stream.seek(0)
            stream.truncate()
            _write_members(stream, text, members, compress=False)  # a bit for a number, at the least, is enough


def read_artifact(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a model file: its document and its arrays by name.

    Raises
    ------
    ArtifactError
        The file cannot be read, is no model file, is damaged, or is of a newer format.
    """
    with opened(path, "model file", "h2olite") as archive:
        return _read(archive)


def most_values(packed_size: int) -> int:
    """The values that a document of this size in the file may have; to check one takes some microseconds."""
    return FREE_VALUES + packed_size


def count_values(text: bytes) -> int:
    """About how many values a document of this text has: never fewer than half of them."""
    return sum(map(text.count, (b",", b"[", b"{")))


def is_artifact(path: str | os.PathLike[str]) -> bool:
    """Whether a file's start is that of a model file, even if the rest is damaged or of a newer format."""
    return start_of_member(path, DOCUMENT, 64).startswith(b'{"format":"%b"' % FORMAT.encode())


def _text_of(
    path: str | os.PathLike[str], document: dict[str, Any], names: list[str], shapes: dict[str, tuple[int, ...]]
) -> bytes:
    """What `model.json` holds: the document, the names of the arrays, and the shapes of those kept without zeros."""
    contents = {"format": FORMAT, "version": VERSION, "arrays": names, "sparse": shapes, "document": document}
    text = json.dumps(contents, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > MOST_DOCUMENT:
        raise ArtifactError(
            f"model file {path} must describe the model in at most {MOST_DOCUMENT >> 20} MiB; "
            f"got {len(text) >> 20} MiB; use columns with fewer levels."
        )
    return text


def _without_zeros(arrays: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, ...]]]:
    """The arrays of the members, and the shapes of the arrays of which only the numbers other than 0 are kept.

    Deflated, a bit for every number takes the least: 10 to 20 % less in all than the array with its zeros, and never
    more than indices, up to 95 % of zeros.
    """
    members, shapes = {}, {}
    for name, array in arrays.items():
        members[name] = array
        if array.dtype == np.float32:
            places = array != 0
            parts = {name: array[places], name + PLACES: np.packbits(places)}
            if sum(member.nbytes for member in parts.values()) + MEMBER_BYTES < array.nbytes:
                members |= parts
                shapes[name] = array.shape
    return members, shapes


def _dense_bytes(shapes: Mapping[str, Sequence[int]]) -> int:
    """The bytes that the arrays of these shapes take with their zeros."""
    return sum(math.prod(shape) for shape in shapes.values()) * np.dtype(np.float32).itemsize


def _write_members(
    stream: IO[bytes], text: bytes, arrays: dict[str, np.ndarray], *, compress: bool
) -> list[zipfile.ZipInfo]:
    """Write the zip; returns its members, the document first."""
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(member_info(DOCUMENT, text[:SAMPLE], compress), text)
        for name, array in arrays.items():
            start = array.ravel()[: SAMPLE // array.itemsize].tobytes()
            large = array.nbytes > zipfile.ZIP64_LIMIT // 2
            with archive.open(member_info(f"{name}.npy", start, compress), "w", force_zip64=large) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
        return archive.infolist()


def _read(archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Check the members from the outside in, then load them."""
    names = set(archive.namelist())
    if "model.ini" in names:
        raise ArtifactError(
            f"{archive.filename} must be a model file of h2olite; got a MOJO; import it (h2olite import, import_mojo)."
        )
    if DOCUMENT not in names:
        raise ArtifactError(f"{archive.filename} must be a model file of h2olite; got another kind of zip file.")
    document, array_names, shapes = _load_document(archive)
    if names != {DOCUMENT, *(f"{name}.npy" for name in (*array_names, *(name + PLACES for name in shapes)))}:
        raise ValueError("its members are not those it lists")
    size = sum(info.compress_size for info in archive.infolist())
    if _dense_bytes(shapes) > most_unpacked(size):
        raise ValueError(f"its arrays claim more than {most_unpacked(size)} bytes")
    return document, {
        name: _with_zeros(archive, name, shapes[name]) if name in shapes else _load_array(archive, name)
        for name in array_names
    }


def _load_document(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[str], dict[str, list[int]]]:
    """The document, the names of the arrays, and the shapes of those kept without zeros; version 1 had none."""
    text, most = read_document(archive, DOCUMENT), most_values(archive.getinfo(DOCUMENT).compress_size)
    if count_values(text) > most:
        raise ValueError(f"{DOCUMENT} has more than {most} values")
    contents = json.loads(text.decode("utf-8"), parse_constant=_no_number)
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise ArtifactError(f"{archive.filename} must be a model file of h2olite; got another kind of zip file.")
    version, names, document = (contents.get(key) for key in ("version", "arrays", "document"))
    if type(version) is not int or version < 1:
        raise ValueError("its version is no number")
    if version > VERSION:
        rule = f"must be of format version {VERSION} or older; got {version}; install a newer h2olite"
        raise ArtifactError(f"model file {archive.filename} {rule}.")
    shapes = contents.get("sparse", {})
    if not isinstance(document, dict) or not _are_names(names) or not _are_shapes(shapes, names):
        raise ValueError(f"{DOCUMENT} lacks its document or the names of its arrays")
    return document, names, shapes


def _with_zeros(archive: zipfile.ZipFile, name: str, shape: Sequence[int]) -> np.ndarray:
    """An array of which only the numbers other than 0 were kept, and where they are."""
    values, places = _load_array(archive, name), _load_array(archive, name + PLACES)
    size = math.prod(shape)
    if values.dtype != np.float32 or places.dtype != np.uint8 or places.size != -(-size // 8):
        raise ValueError(f"array {name} is not of the shape {shape}")
    array = np.zeros(shape, np.float32)
    kept = np.unpackbits(places, count=size).view(np.bool_).reshape(shape)
    if values.shape != (np.count_nonzero(kept),):
        raise ValueError(f"array {name} has other than the {np.count_nonzero(kept)} numbers that it says")
    array[kept] = values
    return array


def _load_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array, whose header is checked against the member's size before memory is taken."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError(f"array {name} is of an unknown version")
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        header = member.tell()
    claimed = math.prod(shape) * dtype.itemsize
    if dtype.kind not in NUMBERS or min(shape, default=0) < 0 or header + claimed != info.file_size:
        raise ValueError(f"array {name} claims dtype {dtype} and shape {shape}, which it has not")
    with archive.open(info) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        member.read()  # Reaching the end is what checks the sum of an empty array.
    return array


def _are_names(names: Any) -> TypeGuard[list[str]]:
    """Whether this is a list of different names that arrays may have."""
    return (
        isinstance(names, list)
        and all(isinstance(name, str) and ARRAY_NAME.fullmatch(name) for name in names)
        and len(set(names)) == len(names)
    )


def _are_shapes(shapes: Any, names: list[str]) -> TypeGuard[dict[str, list[int]]]:
    """Whether these are shapes of some of the arrays."""
    return (
        isinstance(shapes, dict)
        and shapes.keys() <= set(names)
        and all(
            isinstance(shape, list)
            and len(shape) <= MOST_DIMENSIONS
            and all(type(size) is int and 0 <= size < 2**63 for size in shape)
            for shape in shapes.values()
        )
    )


def _no_number(literal: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"{DOCUMENT} contains {literal}")
