"""The model file: a zip of one JSON document and NumPy arrays, safe to open whoever made it.

``model.json`` holds the format's name and version, the names of the arrays and the document; array ``x`` is the member
``x.npy``. Reading executes nothing, writes nothing, and takes memory in proportion to the file (see `most_unpacked`).
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from typing import IO, Any, NoReturn, TypeGuard

import numpy as np

from h2olite.errors import ArtifactError

from .archive import SAMPLE, member_info, most_unpacked, opened, replacing

FORMAT = "h2olite model"
VERSION = 1

DOCUMENT = "model.json"
ARRAY_NAME = re.compile(r"\w+(\.\w+)*", re.ASCII)

NUMBERS = "biuf"
"""The kinds of dtype an array may have: booleans, integers and floats."""

MOST_DOCUMENT = 32 << 20
"""Bytes that the JSON document may take; parsing multiplies them."""


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
    contents = {"format": FORMAT, "version": VERSION, "arrays": list(arrays), "document": document}
    text = json.dumps(contents, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > MOST_DOCUMENT:
        raise ArtifactError(
            f"model file {path} must describe the model in at most {MOST_DOCUMENT >> 20} MiB; "
            f"got {len(text) >> 20} MiB; use columns with fewer levels."
        )
    for name, array in arrays.items():
        if not ARRAY_NAME.fullmatch(name) or array.dtype.kind not in NUMBERS:
            raise ValueError(f"array {name!r} of dtype {array.dtype} cannot be kept in a model file")
    with replacing(path) as stream:
        unpacked = _write_members(stream, text, arrays, compress=True)
        if unpacked > most_unpacked(stream.tell()):
            stream.seek(0)
            stream.truncate()
            _write_members(stream, text, arrays, compress=False)


def read_artifact(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a model file: its document and its arrays by name.

    Raises
    ------
    ArtifactError
        The file cannot be read, is no model file, is damaged, or is of a newer format.
    """
    with opened(path, "model file", "h2olite") as archive:
        return _read(archive)


def _write_members(stream: IO[bytes], text: bytes, arrays: dict[str, np.ndarray], *, compress: bool) -> int:
    """Write the zip; returns the bytes its members unpack to."""
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(member_info(DOCUMENT, text[:SAMPLE], compress), text)
        for name, array in arrays.items():
            start = array.ravel()[: SAMPLE // array.itemsize].tobytes()
            large = array.nbytes > zipfile.ZIP64_LIMIT // 2
            with archive.open(member_info(f"{name}.npy", start, compress), "w", force_zip64=large) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
        return sum(info.file_size for info in archive.infolist())


def _read(archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Check the members from the outside in, then load them."""
    names = set(archive.namelist())
    if DOCUMENT not in names:
        raise ArtifactError(f"{archive.filename} must be a model file of h2olite; got another kind of zip file.")
    if archive.getinfo(DOCUMENT).file_size > MOST_DOCUMENT:
        raise ValueError(f"{DOCUMENT} is larger than {MOST_DOCUMENT >> 20} MiB")
    document, array_names = _load_document(archive)
    if names != {DOCUMENT, *(f"{name}.npy" for name in array_names)}:
        raise ValueError("its members are not those it lists")
    return document, {name: _load_array(archive, name) for name in array_names}


def _load_document(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[str]]:
    """The document and the names of the arrays."""
    contents = json.loads(archive.read(DOCUMENT).decode("utf-8"), parse_constant=_no_number)
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise ArtifactError(f"{archive.filename} must be a model file of h2olite; got another kind of zip file.")
    version, names, document = (contents.get(key) for key in ("version", "arrays", "document"))
    if type(version) is not int or version < 1:
        raise ValueError("its version is no number")
    if version > VERSION:
        rule = f"must be of format version {VERSION} or older; got {version}; install a newer h2olite"
        raise ArtifactError(f"model file {archive.filename} {rule}.")
    if not isinstance(document, dict) or not _are_names(names):
        raise ValueError(f"{DOCUMENT} lacks its document or the names of its arrays")
    return document, names


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
    """Whether this is a list of names that arrays may have."""
    return isinstance(names, list) and all(isinstance(name, str) and ARRAY_NAME.fullmatch(name) for name in names)


def _no_number(literal: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"{DOCUMENT} contains {literal}")
