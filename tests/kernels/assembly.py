"""What kernels become on other processors than this one.

``python tests/kernels/assembly.py PROCESSOR`` prints the assembly of the kernels with hot loops, each by itself.
"""

from __future__ import annotations

import json
import os
import re
import sys

# The machine code for this processor is not looked at, and need not be good.
os.environ["NUMBA_OPT"] = "0"

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import types
from numba.core import cgutils, codegen

from h2olite.kernels import activations, averaging, passes, penalties, products, sparse, teams, updates
from h2olite.kernels.parts import optimise
from h2olite.kernels.teams import Member

PROCESSORS = {
    "haswell": ("x86_64-unknown-linux-gnu", "haswell"),
    "skylake-avx512": ("x86_64-unknown-linux-gnu", "skylake-avx512"),
    "neoverse-n1": ("aarch64-unknown-linux-gnu", "neoverse-n1"),
}

single, whole, truth = types.float32, types.int64, types.bool_
matrix, flat, listed = types.float32[:, ::1], types.float32[::1], types.int32[::1]
bounds = types.UniTuple(types.uint64, 2)
memories, parameters, known = types.UniTuple(matrix, 2), types.UniTuple(matrix, 3), types.UniTuple(matrix, 3)
numbers = np.zeros(1, np.float32), np.zeros(1, np.int32), np.zeros(1, np.int64)
member = numba.typeof(
    Member(0, 1, 0, 1, 1, np.zeros((1, 2), int), numbers[2], np.zeros((1, 16), int), np.zeros((2, 1, 1), np.float32))
)
step = numba.typeof(updates.Step(0, *[np.float32(0)] * 6, False, *[np.float32(0)] * 2, False, np.float32(1)))
layers = numba.typeof(
    sparse.SparseLayers(*[numbers[2]] * 3, numbers[1], numbers[0], numbers[2], numbers[1], numbers[0], numbers[0])
)

SIGNATURES = {
    updates._adadelta: (step, parameters, listed, flat, whole, matrix, whole),
    updates._adam: (step, parameters, listed, flat, whole, matrix, whole),
    updates._momentum: (step, parameters, listed, flat, whole, matrix, whole),
    updates.average: (matrix, matrix, whole, whole, single),
    products.add_product: (matrix, matrix, whole, listed, whole, matrix),
    products.combine: (matrix, whole, listed, whole, matrix, whole, whole, matrix),
    passes.fill_products: (matrix, whole, whole, matrix, listed, whole, matrix, whole),
    passes.multiply_slopes: (matrix, matrix, whole, whole),
    passes.scale_row: (matrix, whole, bounds, single),
    passes.copy_row: (matrix, whole, matrix, whole),
    passes.add_squares: (matrix, whole, whole, matrix),
    passes.scale_columns: (matrix, whole, whole, matrix),
    passes.drop_units: (matrix, matrix, whole, whole, whole, single, types.uint64),
    activations.activate: (whole, matrix, matrix, whole, bounds),
    teams.give: (member, whole, matrix),
    teams.add_up: (member, matrix, *[whole] * 4),
    teams.gather: (member, matrix, *[whole] * 3),
    penalties.soft_threshold: (step, matrix, memories, known, whole, single, single, truth),
    sparse.multiply: (layers, whole, matrix, matrix),
    averaging.move_towards: (flat, matrix, types.uint64, single, *bounds),
    averaging.keep_most_in: (flat, matrix, types.uint64, *bounds),
    averaging.add_sums: (
        types.UniTuple(flat, 3),
        types.UniTuple(matrix, 3),
        types.uint64,
        single,
        types.Tuple((flat, *bounds)),
    ),
    averaging.pull: (step, matrix, matrix, memories, single),
}


def raw_modules() -> tuple[list[str], dict[str, str]]:
    """The code of the kernels and of all that they call, before anything is optimised, and the kernels' names in it."""
    texts, names, add = [], {}, codegen.CPUCodeLibrary.add_ir_module

    def note(library, module):
        texts.append(cgutils.normalize_ir_text(str(module)))
        add(library, module)

    codegen.CPUCodeLibrary.add_ir_module = note
    for kernel, signature in SIGNATURES.items():
        kernel.compile(signature)
        names[kernel.py_func.__name__] = kernel.overloads[signature].fndesc.mangled_name
    return texts, names


def assembly(texts: list[str], names: dict[str, str], processor: str) -> dict[str, str]:
    """The assembly of each kernel for a processor, optimised as entries are."""
    triple, name = PROCESSORS[processor]
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=name, opt=3)
    together = llvm.parse_assembly(f'target triple = "{triple}"')
    together.data_layout = str(machine.target_data)
    for text in texts:
        module = llvm.parse_assembly(re.sub("target (triple|datalayout) = .*\n", "", text))
        module.triple, module.data_layout = triple, together.data_layout
        together.link_in(module)
    for function in together.functions:
        if not function.is_declaration and function.name not in names.values():
            function.linkage = "linkonce_odr"
    optimise(together, machine, 3)
    printed = machine.emit_assembly(together)
    return {kernel: printed.split(f"\n{label}:")[1].split("\n.Lfunc_end")[0] for kernel, label in names.items()}


def main() -> None:
    """Print the assembly for some processors as JSON, by the kernels' names."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    texts, names = raw_modules()
    print(json.dumps({processor: assembly(texts, names, processor) for processor in sys.argv[1:]}))


if __name__ == "__main__":
    main()
