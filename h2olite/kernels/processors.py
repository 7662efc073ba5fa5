"""The kinds of processors that machine code is for, and machine code for others than this one."""

from __future__ import annotations

from typing import Any, NamedTuple

import llvmlite.binding as llvm
from numba.core import config

from .parts import optimise

AVX2 = {"avx", "avx2", "bmi", "bmi2", "cx16", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sahf", "sse3", "sse4.1",
        "sse4.2", "ssse3"}  # fmt: skip
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}

LEVELS = {
    # LLVM has this level use half registers, as suits the first processors with AVX-512.
    ("x86_64", "x86-64-v4", "-prefer-256-bit"): AVX512,
    ("x86_64", "x86-64-v3", ""): AVX2,
    ("aarch64", "generic", ""): {"neon"},
    ("arm64", "generic", ""): {"neon"},
}
"""Levels of processors as (architecture, LLVM's name, changed features), the best one first, and what they need.

The levels of x86-64 are those that the System V ABI defines: v3 is in processors since 2013, v4 in those with AVX-512.
"""


class Processor(NamedTuple):
    """A kind of processors, in the words of LLVM."""

    triple: str
    name: str
    features: str

    def machine(self) -> Any:
        """What makes machine code for it, set up as Numba sets it up for this processor."""
        relocation = "static" if self.triple.startswith("x86") else "default"
        return llvm.Target.from_triple(self.triple).create_target_machine(
            cpu=self.name, features=self.features, opt=config.OPT, reloc=relocation, codemodel="jitdefault", jit=True
        )


def processor_of(codegen: Any) -> Processor:
    """The processor that Numba compiles for: this one, or that of NUMBA_CPU_NAME and NUMBA_CPU_FEATURES."""
    return Processor(*codegen.magic_tuple())


def levels_of(processor: Processor) -> list[Processor]:
    """The levels of processors of the same architecture, the best one first."""
    architecture = processor.triple.partition("-")[0]
    return [Processor(processor.triple, name, features) for of, name, features in LEVELS if of == architecture]


def levels_within(processor: Processor) -> list[Processor]:
    """The levels whose machine code a processor can run, the best one first."""
    features = {feature[1:] for feature in processor.features.split(",") if feature.startswith("+")}
    architecture = processor.triple.partition("-")[0]
    return [level for level in levels_of(processor) if LEVELS[architecture, level.name, level.features] <= features]


def machine_code(plain: bytes, machine: Any) -> bytes:
    """An object file of the code that the front end has made of an entry and its parts (`Whole.plain`)."""
    module = llvm.parse_bitcode(plain)
    optimise(module, machine, int(config.OPT))
    return machine.emit_object(module)
