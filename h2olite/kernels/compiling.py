"""The decorators that compile kernels, and what fast loops need of Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from .caching import CACHE_FOLDER, CheckedCache, is_kept

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
    compiled = numba.njit(**FLAGS)(function)
    if CACHE_FOLDER is None or numba.config.DISABLE_JIT:
        return compiled
    previous, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(CACHE_FOLDER)
    try:
        compiled._cache = CheckedCache(function)
    finally:
        numba.config.CACHE_DIR = previous
    return compiled


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


def is_compiled(function: Any) -> bool:
    """Whether this process has machine code of this kernel, or an earlier one has left some: nothing is to compile."""
    return numba.config.DISABLE_JIT or bool(function.signatures) or is_kept(function)


@kernel
def span(begin, end):
    """Two bounds of a loop over columns, as unsigned numbers.

    An index that could be negative is checked at every access, and a loop with checks is not vectorised. Numba knows of
    ``range(n)`` that it is not, but not of ``range(begin, end)``.
    """
    return np.uint64(begin), np.uint64(end)
