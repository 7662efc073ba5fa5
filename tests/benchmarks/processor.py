"""The vector instructions that kernels are compiled for here: ``python tests/benchmarks/processor.py`` prints them.

``NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=`` (both, the second one empty) compiles for AVX2 on any x86 processor that
has it; with one of them alone, Numba keeps the host's features.
"""

from __future__ import annotations

import llvmlite.binding as llvm
from numba.core.registry import cpu_target

SIXTEEN_SUMS = """
define <16 x float> @add(<16 x float> %a, <16 x float> %b) {
  %sum = fadd <16 x float> %a, %b
  ret <16 x float> %sum
}"""

BY_REGISTER = {"zmm": "AVX-512", "ymm": "AVX2", "xmm": "SSE", "v0.4s": "NEON"}
"""Names of instruction sets by that of the widest register in use; AVX without AVX2 counts as AVX2."""


def instruction_set() -> str:
    """What Numba compiles for in this process."""
    machine = cpu_target.target_context.codegen()._tm
    assembly = machine.emit_assembly(llvm.parse_assembly(SIXTEEN_SUMS))
    return next((name for register, name in BY_REGISTER.items() if register in assembly), "other")


if __name__ == "__main__":
    print(instruction_set())
