"""Zip files that hold models: written in one step, and safe to open whoever made them.

Reading writes nothing, and takes memory in proportion to the file (see `most_unpacked`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from h2olite.errors import ArtifactError, DataError, ParameterError

MOST_DOCUMENT = 32 << 20
"""Bytes that a JSON document may take."""

LOCAL_HEADER = b"PK\x03\x04"
"""What a zip file with members begins with."""

SAMPLE = 1 << 20
"""Bytes of a member's start that decide whether it is worth deflating."""

EARLIEST, LATEST = 315532800, 4354819198
"""Seconds since 1970 of 1980-01-01 00:00:00 and 2107-12-31 23:59:58, between which a zip can date its members."""


def most_unpacked(file_size: int) -> int:
    """The bytes that all members of a file of this size may unpack to.

    What is written shrinks a hundredfold at the most where it does not stay small; larger files must not be zip bombs.
    """
    return (16 << 20) + 100 * file_size


def most_document(packed_size: int) -> int:
    """The bytes that a JSON document of this size in the file may unpack to; parsing takes some 30 times as many."""
    return min((1 << 20) + 100 * packed_size, MOST_DOCUMENT)


@contextlib.contextmanager
def opened(path: str | os.PathLike[str], kind: str, maker: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip file to read from in the block; members are unique, and stored or deflated.

    kind, maker : what messages call the file, and whose it should be.

    Raises
    ------
    ArtifactError
        The file cannot be read, is no zip file or a zip bomb; or the block fails on what is in it.
    """
    try:
        with open(path, "rb") as stream:
            if stream.read(len(LOCAL_HEADER)) != LOCAL_HEADER:
                raise ArtifactError(f"{path} must be a {kind} of {maker}; got something else.")
            size = stream.seek(0, os.SEEK_END)
            with zipfile.ZipFile(stream) as archive:
                _check_members(archive.infolist(), size)
                yield archive
    except ArtifactError:
        raise
    except OSError as error:
        raise ArtifactError(f"{kind} {path} cannot be read: {error.strerror or error}.") from error
    # What zipfile, zlib, json and NumPy may raise on bytes made to confuse them is an open list.
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise ArtifactError(f"{kind} {path} is damaged ({reason}); get it again.") from error


def read_document(archive: zipfile.ZipFile, member: str) -> bytes:
    """A member that holds a JSON document.

    Raises
    ------
    ValueError
        It is larger than it may be.
    """
    info = archive.getinfo(member)
    most = most_document(info.compress_size)
    if info.file_size > most:
        raise ValueError(f"{member} takes {info.file_size} bytes instead of at most {most}")
    return archive.read(info)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` when the block ends well; otherwise nothing is left of it.

    Where the file system can (on Linux most can), the file has no name until it is whole, so that even a killed process
    leaves nothing behind. Elsewhere a hidden ``.h2olite-<random>.tmp`` beside `path` would be left by one.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    target = Path(path)
    temporary = target.parent / f".h2olite-{secrets.token_hex(8)}.tmp"
    try:
        nameless = _opened_without_name(target.parent)
        with nameless or open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if nameless:
                # With a src_dir_fd, whichever, this follows the link in /proc to the file itself.
                os.link(f"/proc/self/fd/{stream.fileno()}", temporary, src_dir_fd=0)
        os.replace(temporary, target)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"output {target} cannot be written: there is no folder {target.parent}; make it.") from error
    except OSError as error:
        raise DataError(
            f"output {target} cannot be written: {error.strerror or error}; choose another place."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _opened_without_name(folder: Path) -> IO[bytes] | None:
    """A new file in a folder, gone when it is closed unless it has got a name; None where that cannot be."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return open(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666), "wb")
    except OSError:  # what is really wrong with the folder will show again
        return None


def member_info(name: str, start: bytes, compress: bool) -> zipfile.ZipInfo:
    """Describe a member independently of the machine; deflate it if its start halves, as less is not worth the time."""
    moment = source_date() or time.gmtime(EARLIEST)
    info = zipfile.ZipInfo(name, moment[:6])
    info.create_system = 3  # Unix, so that the permissions below count
    info.external_attr = 0o644 << 16
    if compress and len(zlib.compress(start, 1)) < 0.5 * len(start):
        info.compress_type = zipfile.ZIP_DEFLATED
    return info


def source_date() -> time.struct_time | None:
    """The moment that SOURCE_DATE_EPOCH names, as far as a zip can hold it; None without one."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return None
    try:
        return time.gmtime(min(max(int(epoch), EARLIEST), LATEST))
    except ValueError as error:
        raise ParameterError(f"SOURCE_DATE_EPOCH must be seconds since 1970; got {epoch!r}.") from error


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse members that hide one another, or together unpack to more than a file of this size may."""
    if len({info.filename for info in members}) < len(members):
        raise ValueError("a member occurs twice")
    if sum(info.compress_size for info in members) > size:
        raise ValueError(f"its members claim to take more than its {size} bytes")
    if sum(info.file_size for info in members) > most_unpacked(size):
        raise ValueError(f"its {size} bytes claim to unpack to more than {most_unpacked(size)}")
    if not {info.compress_type for info in members} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError("a member is neither stored nor deflated")
