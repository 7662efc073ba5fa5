"""The decorators that compile kernels, the folder their machine code is kept in, and what fast loops need of Numba."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

Function = TypeVar("Function", bound=Callable[..., Any])

FLAGS = {
    "nogil": True,
    # Kernels allocate nothing, so they need not count references: that takes atomic instructions at every call.
    "_nrt": False,
    "error_model": "numpy",
    # Otherwise results depend on how each copy of a loop is compiled: see `h2olite.kernels.lanes`.
    "fastmath": False,
}


def kernel(function: Function) -> Function:
    """Compile a function that other kernels call; the machine code of an `entry` includes it.

    It has no wrappers for Python to call it by, which take a quarter of the time to compile.
    """
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **FLAGS)(function)


def entry(function: Function) -> Function:
    """Compile a kernel that Python calls on its first call, and keep the machine code for later processes.

    Numba notices an edit of the function's own file only. The cache folder is therefore named after the contents of all
    kernel files, so that an upgraded package never runs older code.
    """
    if CACHE_FOLDER is None:
        return numba.njit(**FLAGS)(function)
    previous, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(CACHE_FOLDER)
    try:
        return numba.njit(cache=True, **FLAGS)(function)
    finally:
        numba.config.CACHE_DIR = previous


def view(function: Function) -> Function:
    """Compile a function that returns a view of an array: it is written out where it is called.

    A kernel that counts no references may not return an array it did not get as an argument.
    """
    return numba.njit(inline="always", **FLAGS)(function)


@intrinsic
def matrix(typing, flat, start, n_rows, n_columns):
    """Return the C-ordered matrix of this shape that begins at flat[start]; slicing and reshaping take far longer."""
    made = types.Array(flat.dtype, 2, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, first, height, width = arguments
        result = make_array(made)(context, builder)
        itemsize = context.get_constant(types.intp, flat.dtype.bitwidth // 8)
        populate_array(
            result,
            data=builder.gep(make_array(flat)(context, builder, source).data, [first]),
            shape=[height, width],
            strides=[builder.mul(width, itemsize), itemsize],
            itemsize=itemsize,
            meminfo=None,
        )
        return result._getvalue()

    return made(flat, types.intp, types.intp, types.intp), generate


def cache_folder() -> Path | None:
    """Where this version's machine code is kept; None when no folder can be written to.

    Below H2OLITE_CACHE_DIR or NUMBA_CACHE_DIR if set, otherwise below the user's cache folder, otherwise below the
    system's folder for temporary files.
    """
    for base in _bases():
        folder = base / f"kernels-{fingerprint()}"
        if _is_writable(folder):
            return folder
    return None


def fingerprint() -> str:
    """A digest of what the machine code depends on: Numba's version and the text of this folder, flags included."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def is_compiled(function: Any) -> bool:
    """Whether this process has machine code of this kernel, or an earlier one has left some: nothing is to compile.

    Numba keeps it apart for each installation and each kind of processor.
    """
    if numba.config.DISABLE_JIT or function.signatures:
        return True
    if function.stats.cache_path is None:
        return False
    processor = function.targetctx.codegen().magic_tuple()
    kept = function._cache._cache_file._load_index()
    return any(of_processor == processor for _, of_processor, _ in kept)


def _bases() -> Iterator[Path]:
    """The folders that the cache folder may lie below, the best one first."""
    if chosen := os.environ.get("H2OLITE_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "h2olite"
    with contextlib.suppress(OSError):  # a machine without a writable folder for temporary files
        yield Path(tempfile.gettempdir()) / f"h2olite-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def _is_writable(folder: Path) -> bool:
    """Create the folder and a file in it, and say whether that worked and nobody else owns it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    except OSError:
        return False


CACHE_FOLDER = cache_folder()


@kernel
def span(begin, end):
    """Two bounds of a loop over columns, as unsigned numbers.

    An index that could be negative is checked at every access, and a loop with checks is not vectorised. Numba knows of
    ``range(n)`` that it is not, but not of ``range(begin, end)``.
    """
    return np.uint64(begin), np.uint64(end)
