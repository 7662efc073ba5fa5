"""The decorators that compile kernels, and the settings of Numba that make loops fast."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from .caching import CACHE_FOLDER, SHARED_FOLDER, CheckedCache, is_kept
from .parts import EntryCompiler, PartCompiler

Function = TypeVar("Function", bound=Callable[..., Any])
Result = TypeVar("Result")

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

    It has no machine code of its own, nor wrappers for Python to call it by: that would take most of the time.
    """
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=PartCompiler, **FLAGS)(function)


def entry(function: Function) -> Function:
    """Compile a kernel that Python calls on its first call, and keep the machine code for later processes.

    Numba notices an edit of the function's own file only. The cache folder is therefore named after the contents of all
    kernel files, so that an upgraded package never runs older code.
    """
    compiled = numba.njit(pipeline_class=EntryCompiler, **FLAGS)(function)
    if (CACHE_FOLDER or SHARED_FOLDER) and not numba.config.DISABLE_JIT:
        compiled._cache = CheckedCache(function, CACHE_FOLDER, SHARED_FOLDER)
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


def is_compiled(function: Any, arguments: Sequence[Any]) -> bool:
    """Whether this process has machine code of an entry for such arguments, or an earlier one has left some."""
    if numba.config.DISABLE_JIT:
        return True
    types = tuple(map(function.typeof_pyval, arguments))
    return types in function.overloads or is_kept(function, types)


def compiling(work: Callable[[], Result]) -> Result:
    """Call what has kernels compiled, without two things that take a third of the compiler's time.

    It makes millions of objects, hardly any of them garbage in cycles: Python's search for such garbage waits. The
    logger ``h2olite.compiling`` tells at the level INFO how far it is.
    """
    PartCompiler.begin()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _with_room(work)
    finally:
        if was_enabled:
            gc.enable()


def _with_room(work: Callable[[], Result]) -> Result:
    """Call it with memory for all the calls that it makes in turn.

    Python keeps the variables of running functions in pieces of 16 kB. Where the depth of calls moves back and forth
    across the end of a piece, each call asks the system for a new one, and gives it back. A function that says that it
    needs much itself gets a piece for it, and what it does not use of that is for the others.
    """
    return work()


_with_room.__code__ = _with_room.__code__.replace(co_stacksize=140_000)  # slots of 8 bytes, for a piece of 2 MB


@kernel
def span(begin, end):
    """Two bounds of a loop over columns, as unsigned numbers.

    An index that could be negative is checked at every access, and a loop with checks is not vectorised. Numba knows of
    ``range(n)`` that it is not, but not of ``range(begin, end)``.
    """
    return np.uint64(begin), np.uint64(end)
