"""Arithmetic whose order is written out, so that no compiler decides over a result's last bits.

Compilers may sum in another order, or round once in place of twice, where they are told that either will do. They then
decide for each copy of a loop by itself, and for each kind of processor, and one row trained by two threads would not
give the bits that it gives on one. Kernels are compiled without such leave: what is fused is a call of `multiply_add`,
and what is summed in lanes, as vector registers do, is a call of `row_products`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""float32 numbers in the widest vector register. The loop over a row's leftover would take longer than the row."""

_SINGLE = ir.FloatType()
_VECTOR = ir.VectorType(_SINGLE, LANES)


@intrinsic
def multiply_add(typing, a, b, c):
    """Return a * b + c, float32, rounded once where the processor has an instruction for it, otherwise twice."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _multiply_add(builder, *arguments)

    return types.float32(types.float32, types.float32, types.float32), generate


@intrinsic
def row_products(typing, x, r, weights, rows):
    """Return the sums of x[r] * weights[i] for each i of a tuple of rows.

    Every sum has LANES parts, of every LANES-th column; the parts are then added up by halves. Both matrices have whole
    registers of LANES columns.
    """
    result = types.UniTuple(types.float32, rows.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        of_x, of_row, of_weights, of_rows = signature.args
        matrix_x = context.make_array(of_x)(context, builder, arguments[0])
        matrix_w = context.make_array(of_weights)(context, builder, arguments[2])
        zero = ir.Constant(ir.IntType(64), 0)

        def start_of(kind: Any, matrix: Any, row: Any) -> Any:
            return cgutils.get_item_pointer(context, builder, kind, matrix, [row, zero])

        def vector_at(start: Any, column: Any) -> Any:
            place = builder.bitcast(builder.gep(start, [column]), _VECTOR.as_pointer())
            return builder.load(place, align=_SINGLE.get_abi_alignment(context.target_data))

        start_x = start_of(of_x, matrix_x, context.cast(builder, arguments[1], of_row, types.int64))
        starts = [
            start_of(of_weights, matrix_w, context.cast(builder, row, of_rows.dtype, types.int64))
            for row in cgutils.unpack_tuple(builder, arguments[3])
        ]
        width = cgutils.unpack_tuple(builder, matrix_x.shape)[1]
        before, test, body, after = (
            builder.block,
            *(builder.append_basic_block(f"products.{name}") for name in ("test", "body", "after")),
        )
        builder.branch(test)

        builder.position_at_end(test)
        column = builder.phi(zero.type)
        column.add_incoming(zero, before)
        parts = [builder.phi(_VECTOR) for _ in starts]
        for part in parts:
            part.add_incoming(ir.Constant(_VECTOR, [0.0] * LANES), before)
        builder.cbranch(builder.icmp_signed("<", column, width), body, after)

        builder.position_at_end(body)
        values = vector_at(start_x, column)
        for part, start in zip(parts, starts, strict=True):
            part.add_incoming(_multiply_add(builder, values, vector_at(start, column), part), body)
        column.add_incoming(builder.add(column, ir.Constant(zero.type, LANES)), body)
        builder.branch(test)

        builder.position_at_end(after)
        return context.make_tuple(builder, result, [_add_up(builder, part) for part in parts])

    return result(x, r, weights, rows), generate


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """The value of a * b + c, of numbers or vectors."""
    name = "llvm.fmuladd.f32" if a.type == _SINGLE else f"llvm.fmuladd.v{LANES}f32"
    kind = ir.FunctionType(a.type, [a.type] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])


def _add_up(builder: Any, vector: Any) -> Any:
    """The sum of a vector's numbers: the second half is added to the first one until there is one number."""
    n = LANES
    while n > 1:
        n //= 2
        halves = [
            builder.shuffle_vector(
                vector, ir.Constant(vector.type, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), n), places)
            )
            for places in (list(range(n)), list(range(n, 2 * n)))
        ]
        vector = builder.fadd(*halves)
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))
