"""Keeps machine code for later processes, in a private folder, in files that are checked before use."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import re
import secrets
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator, _SourceFileBackedLocatorMixin
from numba.core.serialize import dumps

from h2olite import kinds

from .processors import Processor, levels_of, levels_within, machine_code, processor_of

log = logging.getLogger("h2olite")

SUFFIX = ".code"
"""What names of files of machine code end with."""

PLAIN = "plain"
"""Stands in such names, in the place of a processor, for what the compiler's front end makes for all of them."""


def cache_folder() -> Path | None:
    """Where this version's machine code is kept; None when no folder is both writable and private.

    Below H2OLITE_CACHE_DIR or NUMBA_CACHE_DIR if set, otherwise below the user's cache folder, otherwise below the
    system's folder for temporary files. Where root has filled the chosen folder for all users, it is one of the others.
    """
    chosen = _chosen_base()
    if chosen and not shared_folder():
        return _own_folder(chosen / _name())
    for base in _bases():
        folder = _own_folder(base / _name())
        if folder is not None:
            return folder
    return None


def shared_folder() -> Path | None:
    """The folder of machine code below the chosen one that root has filled, and this user can only read; or None."""
    chosen = _chosen_base()
    try:
        real = (chosen / _name()).resolve(strict=True) if chosen else None
        return real if real and _is_of_root_only(real) and is_private(real) else None
    except OSError:
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


class _Place(_SourceFileBackedLocatorMixin, _CacheLocator):
    """What Numba asks about the place of a function's machine code; it need not be there, nor be writable."""

    def __init__(self, function: Any, file: str) -> None:
        self._py_file, self._lineno = file, function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        """The name of a folder for this installation."""
        return self.get_suitable_cache_subpath(self._py_file)

    def ensure_cache_path(self) -> None:
        """Leave it to `CodeFiles`."""


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Place,)


class CheckedCache(FunctionCache):
    """Numba's cache of one function, but in files that hold a digest of themselves, and only in a private folder.

    Numba unpickles what it finds, whoever put it there, and fails on a file that is empty, cut off or damaged. Here
    such a file counts as absent, so that the function is compiled and its file replaced.

    Besides machine code for this processor, it keeps what the compiler's front end makes of the function, which is the
    same for all processors. Another processor needs only the back end, a third of the work.
    """

    _impl_class = _Implementation

    def __init__(self, function: Any, own: Path | None, shared: Path | None) -> None:
        super().__init__(function)
        folder = self._impl.locator.get_cache_path()
        self._cache_path = str(own / folder) if own else ""
        self._cache_file = CodeFiles([base and base / folder for base in (own, shared)], self._impl.filename_base)

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep machine code; where that fails, later processes compile again."""
        if not self._cache_path or not self._impl.check_cachable(compiled):
            return
        key = self._index_key(signature, compiled.codegen)
        code = self._impl.reduce(compiled)
        self._save(key, code)
        self._save(_plain(key), _with_code(code, compiled.library.plain))

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The function, from machine code that this processor can run, or compiled for it from what is kept of it."""
        target_context.refresh()
        codegen = target_context.codegen()
        keys = self._keys(signature, codegen)
        code = next(filter(None, map(self._cache_file.load, keys)), None)
        if code is None and (plain := self._cache_file.load(_plain(keys[0]))) is not None:
            code = _with_code(plain, machine_code(_code_of(plain), codegen._tm))
            self._save(keys[0], code)
        return code and self._impl.rebuild(target_context, code)

    def has(self, types: tuple[Any, ...], codegen: Any) -> bool:
        """Whether there is machine code for arguments of these types that this processor can run."""
        return any(map(self._cache_file.has, self._keys(types, codegen)))

    def keep_for_others(self, signatures: Iterable[Any], codegen: Any) -> int:
        """Keep machine code for each level of processors of this architecture; return how many files are new."""
        n_new = 0
        for key in [self._index_key(signature, codegen) for signature in signatures]:
            missing = [
                level for level in levels_of(processor_of(codegen)) if not self._cache_file.has(_key_for(key, level))
            ]
            plain = self._cache_file.load(_plain(key)) if missing else None
            for level in missing if plain else ():
                code = _with_code(plain, machine_code(_code_of(plain), level.machine()))
                n_new += self._save(_key_for(key, level), code)
        return n_new

    def _keys(self, signature: Any, codegen: Any) -> list[Any]:
        """The keys of machine code that this processor can run, the best one first."""
        own = self._index_key(signature, codegen)
        return [own, *(_key_for(own, level) for level in levels_within(processor_of(codegen)))]

    def _save(self, key: Any, code: Any) -> bool:
        """Keep what belongs to a key; tell whether that was possible."""
        try:
            return self._cache_file.save(key, code)
        except OSError as error:
            log.warning("Machine code cannot be kept in %s (%s).", self.cache_path, error.strerror)
            return False


def _key_for(key: Any, processor: Processor) -> Any:
    """The key of the same function's machine code for another processor."""
    return key[0], tuple(processor), key[2]


def _plain(key: Any) -> Any:
    """The key of what the front end makes of a function, for every processor of this architecture."""
    return _key_for(key, Processor(key[1][0], PLAIN, ""))


def _code_of(reduced: Any) -> bytes:
    """The machine code, or the front end's, in what Numba makes of a function to keep it."""
    (_, _, (code, _)), *_ = reduced
    return code


def _with_code(reduced: Any, code: bytes) -> Any:
    """The same with other code."""
    (name, kind, (_, shared)), *others = reduced
    return (name, kind, (code, shared)), *others


class CodeFiles:
    """The files of one function's machine code, one for each signature and kind of processor.

    A file holds the SHA-256 of the rest, then the pickled key and machine code.

    Parameters
    ----------
    folders : the one that files are kept in, then the one that they are only read from; None in place of either.
    stem : what their names begin with.
    """

    def __init__(self, folders: Sequence[Path | None], stem: str) -> None:
        self.own = folders[0]
        self.folders = list(filter(None, folders))
        self.stem = stem

    def load(self, key: Any) -> Any:
        """The machine code that was saved under a key; None without any that may be run."""
        return next(filter(None, (self._load_from(folder / self._name(key), key) for folder in self.folders)), None)

    def _load_from(self, path: Path, key: Any) -> Any:
        if not is_private(path.parent):
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

    def save(self, key: Any, code: Any) -> bool:
        """Keep machine code, in place of what is there, unless others could change it; tell whether it is kept.

        Raises
        ------
        OSError : it cannot be written.
        """
        if self.own is None:
            return False
        if not self.own.is_dir():
            self.own.mkdir()
        if not is_private(self.own):
            return False
        content = dumps((key, code))
        path = self.own / self._name(key)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            with open(temporary, "xb", opener=_opened_for_the_user) as stream:
                stream.write(hashlib.sha256(content).digest() + content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def has(self, key: Any) -> bool:
        """Whether there is a file for a key."""
        return any((folder / self._name(key)).exists() for folder in self.folders)

    def flush(self) -> None:
        """Forget all of them."""
        for path in self.own.glob(f"{self.stem}-*{SUFFIX}") if self.own else ():
            path.unlink(missing_ok=True)

    def _name(self, key: Any) -> str:
        """The name of the file of a key: signature, processor and code of the function."""
        return f"{self.stem}-{_processor_in_name(key[1])}-{_digest(key)}{SUFFIX}"


def is_kept(function: Any, types: tuple[Any, ...]) -> bool:
    """Whether an earlier process has left machine code of an entry for arguments of these types.

    It is kept apart for each installation and each kind of processor.
    """
    cache = function._cache
    return isinstance(cache, CheckedCache) and cache.has(types, function.targetctx.codegen())


def _digest(value: Any) -> str:
    """A part of a file's name that tells values apart."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def served_processors(function: Any) -> list[tuple[str, int, bool]]:
    """The kinds of processors that there is machine code for, for this installation of the kernels.

    Parameters
    ----------
    function : an entry; the machine code of all entries lies in the same place.

    Returns
    -------
    For each kind its name in LLVM, how many files of machine code it has, and whether it is the one at hand.
    """
    codegen = function.targetctx.codegen()
    here = _processor_in_name(processor_of(codegen))
    pattern = re.compile(rf"\.py\d+[a-z]*-(.+-[0-9a-f]{{16}})-[0-9a-f]{{16}}{re.escape(SUFFIX)}$")
    counts: Counter[str] = Counter()
    for folder in function._cache._cache_file.folders:
        found = (pattern.search(path.name) for path in folder.glob(f"*{SUFFIX}"))
        counts.update(match[1] for match in found if match)
    names = {kind: kind.rpartition("-")[0] for kind in counts}
    return [(names[kind], counts[kind], kind == here) for kind in sorted(counts) if names[kind] != PLAIN]


def _name() -> str:
    """The name of the folder for machine code of this version."""
    return f"kernels-{fingerprint()}"


def _processor_in_name(processor: Sequence[str]) -> str:
    """What tells a kind of processors in the name of a file."""
    return f"{re.sub(r'[^.0-9A-Za-z_-]', '_', processor[1])}-{_digest(tuple(processor))}"


def _chosen_base() -> Path | None:
    """The folder that the environment chooses for the cache folder to lie in."""
    chosen = os.environ.get("H2OLITE_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    return Path(chosen) if chosen else None


def _bases() -> Iterator[Path]:
    """The folders that the cache folder may lie below where none is chosen, the best one first."""
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
    """Make a folder, and those above it that are absent, for no other user to change whatever the umask is."""
    if not folder.is_dir():
        _make(folder.parent)
        with contextlib.suppress(FileExistsError):  # another process may just have made it
            folder.mkdir(stat.S_IRWXU | (_is_for_all() and (stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)))


def _opened_for_the_user(path: str, flags: int) -> int:
    """Open a new file that only the user can write."""
    return os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR | (_is_for_all() and (stat.S_IRGRP | stat.S_IROTH)))


def _is_for_all() -> bool:
    """Whether all users may run the machine code that this one keeps: that of root, in a folder that was chosen."""
    return _chosen_base() is not None and hasattr(os, "getuid") and os.getuid() == 0


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


def _is_of_root_only(folder: Path) -> bool:
    """Whether a folder is root's, and this user another one."""
    return hasattr(os, "getuid") and os.getuid() != 0 and folder.stat().st_uid == 0


CACHE_FOLDER, SHARED_FOLDER = cache_folder(), shared_folder()
