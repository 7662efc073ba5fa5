"""Operations for threads that wait for each other, which Numba lacks: ordered memory access, and yielding the core."""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def load_acquire(typing, array, row):
    """Return array[row, 0], int64, as another thread has left it, and make visible all that it wrote before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, arguments), "acquire", 8)

    return types.int64(array, row), generate


@intrinsic
def store_release(typing, array, row, value):
    """Set array[row, 0], int64, to be seen by other threads after all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _place(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(array, row, types.int64), generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Where array[row, 0] lies."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    indices = [arguments[1], ir.Constant(ir.IntType(64), 0)]
    return cgutils.get_item_pointer(context, builder, signature.args[0], array, indices)


give_way = types.ExternalFunction("SwitchToThread" if os.name == "nt" else "sched_yield", types.int32())
"""Offer the processor to other threads."""
