"""Keeps machine code for later processes, in a private folder, in files that are checked before use."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import secrets
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

from h2olite import kinds

log = logging.getLogger("h2olite")

SUFFIX = ".code"
"""What names of files of machine code end with."""


def cache_folder() -> Path | None:
    """Where this version's machine code is kept; None when no folder is both writable and private.

    Below H2OLITE_CACHE_DIR or NUMBA_CACHE_DIR if set, otherwise below the user's cache folder, otherwise below the
    system's folder for temporary files.
    """
    for base in _bases():
        folder = _own_folder(base / f"kernels-{fingerprint()}")
        if folder is not None:
            return folder
    return None


def fingerprint() -> str:
    """A digest of what the machine code depends on: Numba, and the text of the kernels and of the codes in `kinds`."""
    digest = hashlib.sha256(f"{numba.__version__} {numba.config.BOUNDSCHECK}".encode())
    for folder in (Path(__file__).parent, Path(kinds.__file__).parent):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def is_private(folder: Path) -> bool:
    """Whether nobody but the user and root can change what is in a folder, or put another one in its place.

    Every folder above it must be theirs, and one that others may write to must let them replace only what is their own,
    as the system's folder for temporary files does. What lies in a folder that others cannot enter is out of their
    reach, whatever its mode.
    """
    if not hasattr(os, "getuid"):  # Windows: the user's cache folder and that for temporary files are the user's alone
        return True
    try:
        real = folder.resolve(strict=True)
        for part in (*reversed(real.parents), real):
            status = part.lstat()
            if not _is_trusted(status):
                return False
            if not status.st_mode & (stat.S_IXGRP | stat.S_IXOTH):
                return True
            if _is_writable_by_others(status) and (part == real or not status.st_mode & stat.S_ISVTX):
                return False
    except OSError:
        return False
    return True


class CheckedCache(FunctionCache):
    """Numba's cache of one function, but in files that hold a digest of themselves, and only in a private folder.

    Numba unpickles what it finds, whoever put it there, and fails on a file that is empty, cut off or damaged. Here
    such a file counts as absent, so that the function is compiled and its file replaced.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = CodeFiles(Path(self.cache_path), self._impl.filename_base)

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep machine code; where that fails, later processes compile again."""
        try:
            super().save_overload(signature, compiled)
        except OSError as error:
            log.warning("Machine code cannot be kept in %s (%s).", self.cache_path, error.strerror)

    def has(self, types: tuple[Any, ...], codegen: Any) -> bool:
        """Whether there is a file for arguments of these types, on this kind of processor."""
        return self._cache_file.has(self._index_key(types, codegen))


class CodeFiles:
    """The files of one function's machine code, one for each signature and kind of processor.

    A file holds the SHA-256 of the rest, then the pickled key and machine code.

    Parameters
    ----------
    folder : where they are.
    stem : what their names begin with.
    """

    def __init__(self, folder: Path, stem: str) -> None:
        self.folder = folder
        self.stem = stem

    def load(self, key: Any) -> Any:
        """The machine code that was saved under a key; None without any that may be run."""
        path = self._path(key)
        if not is_private(self.folder):
            return None
        try:
            with path.open("rb") as stream:
                trusted = not hasattr(os, "getuid") or _is_of_the_user_alone(os.fstat(stream.fileno()))
                digest, content = stream.read(hashlib.sha256().digest_size), stream.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("Machine code in %s cannot be read (%s); compiling it again.", path, error.strerror)
            return None
        if not trusted or hashlib.sha256(content).digest() != digest:
            fault = "damaged" if trusted else "within reach of other users"
            log.warning("Machine code in %s is %s; compiling it again.", path, fault)
            return None
        try:
            stored_key, code = pickle.loads(content)
        except Exception as error:  # another version of a library may lack what the code refers to
            log.warning("Machine code in %s cannot be loaded (%s); compiling it again.", path, error)
            return None
        return code if stored_key == key else None

    def save(self, key: Any, code: Any) -> None:
        """Keep machine code, in place of what is there, unless others could change it.

        Raises
        ------
        OSError : it cannot be written.
        """
        if not is_private(self.folder):
            return
        content = dumps((key, code))
        path = self._path(key)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            with open(temporary, "xb", opener=_opened_for_the_user) as stream:
                stream.write(hashlib.sha256(content).digest() + content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def has(self, key: Any) -> bool:
        """Whether there is a file for a key."""
        return self._path(key).exists()

    def flush(self) -> None:
        """Forget all of them."""
        for path in self.folder.glob(f"{self.stem}-*{SUFFIX}"):
            path.unlink(missing_ok=True)

    def _path(self, key: Any) -> Path:
        """The file of a key: signature, processor and code of the function."""
        return self.folder / f"{self.stem}-{_digest(key[1])}-{_digest(key)}{SUFFIX}"


def is_kept(function: Any, types: tuple[Any, ...]) -> bool:
    """Whether an earlier process has left machine code of an entry for arguments of these types.

    It is kept apart for each installation and each kind of processor.
    """
    cache = function._cache
    return isinstance(cache, CheckedCache) and cache.has(types, function.targetctx.codegen())


def _digest(value: Any) -> str:
    """A part of a file's name that tells values apart."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def _bases() -> Iterator[Path]:
    """The folders that the cache folder may lie below, the best one first."""
    if chosen := os.environ.get("H2OLITE_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "h2olite"
    with contextlib.suppress(OSError):  # a machine without a writable folder for temporary files
        yield Path(tempfile.gettempdir()) / f"h2olite-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def _own_folder(folder: Path) -> Path | None:
    """Make a folder, and give its real path; None if it is not private or not writable.

    The real path has no links on it that could lead elsewhere later.
    """
    try:
        _make(folder)
        real = folder.resolve(strict=True)
        if not is_private(real) or (hasattr(os, "getuid") and real.stat().st_uid != os.getuid()):
            return None
        with tempfile.TemporaryFile(dir=real):
            return real
    except OSError:
        return None


def _make(folder: Path) -> None:
    """Make a folder, and those above it that are absent, for the user alone whatever the umask is."""
    if not folder.is_dir():
        _make(folder.parent)
        with contextlib.suppress(FileExistsError):  # another process may just have made it
            folder.mkdir(stat.S_IRWXU)


def _opened_for_the_user(path: str, flags: int) -> int:
    """Open a new file that only the user can read and write."""
    return os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)


def _is_trusted(status: os.stat_result) -> bool:
    """Whether something belongs to the user or to root."""
    return status.st_uid in (0, os.getuid())


def _is_of_the_user_alone(status: os.stat_result) -> bool:
    """Whether only the user and root can change a file."""
    return _is_trusted(status) and not _is_writable_by_others(status)


def _is_writable_by_others(status: os.stat_result) -> bool:
    """Whether more than the owner, root and a group of nobody else may write to something."""
    group = status.st_mode & stat.S_IWGRP and not _is_group_of_user(status.st_gid)
    return bool(group or status.st_mode & stat.S_IWOTH)


def _is_group_of_user(group_id: int) -> bool:
    """Whether a group is the user's own, as systems give one to each user, or root's, and nobody else is in it."""
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(group_id), pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # unknown to the system
        return False
    return group.gr_name in (user, "root") and {*group.gr_mem} <= {user, "root"}


CACHE_FOLDER = cache_folder()
