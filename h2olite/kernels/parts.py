"""Compiles kernels that only kernels call as parts of the entries, and entries as the short rows of networks need it.

Numba would also make separate machine code of each of these functions, some seventy. This would take longer than to
compile the entry points.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import llvmlite.binding as llvm
from numba.core import compiler, config
from numba.core.codegen import JITCodeLibrary

USUAL_PARTS = 72
"""About how many parts a training needs."""

SHARE_OF_PARTS = 0.5
"""Of the time to compile, until these parts are ready; the rest goes to the entries that include them."""

logger = logging.getLogger("h2olite.compiling")


class Part(JITCodeLibrary):
    """The code of a kernel and of those that it calls, to be linked into that of others."""

    def finalize(self) -> None:
        """Take in the code of the kernels that this one calls; nothing is optimised before all is together."""
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Give no place, as for a function that has no machine code."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """Itself, since all that is asked of it is `set_env`."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Leave out Python's objects that a function may need: kernels need none, and there is no place for them."""


class Whole(JITCodeLibrary):
    """The code of an entry, all parts included; `plain` is what the front end made of it, for all processors."""

    plain = b""

    def _optimize_final_module(self) -> None:
        """Optimise as Numba does, but without loops that do several registers' work at a time.

        Rows have whole registers, though not many: that of 200 units has 13 with AVX-512. What such a loop leaves over
        takes longer than it gains, and to compile both takes longer too.
        """
        self.plain = self._final_module.as_bitcode()
        optimise(self._final_module, self._codegen._tm, int(config.OPT))


def optimise(module: Any, machine: Any, level: int) -> None:
    """Optimise the code of a whole entry for a target machine, at a level from 0 to 3."""
    for speed_level in (0, level):
        options = llvm.create_pipeline_tuning_options(speed_level=speed_level)
        options.loop_vectorization = speed_level > 0
        options.slp_vectorization = options.loop_interleaving = options.loop_unrolling = False
        builder = llvm.create_pass_builder(machine, options)
        passes = builder.getModulePassManager()
        if speed_level == 0:  # what Numba begins with, so that loops have the form that is vectorised
            passes.add_loop_rotate_pass()
            passes.add_instruction_combine_pass()
            passes.add_jump_threading_pass()
        passes.run(module, builder)


class EntryCompiler(compiler.Compiler):
    """Numba's compiler, for entries."""

    def compile_extra(self, func: Any) -> Any:
        """Compile a function with all parts that it calls."""
        library = Whole(self.state.targetctx.codegen(), func.__qualname__)
        library.enable_object_caching()
        self.state.library = library
        made = super().compile_extra(func)
        PartCompiler.entry_is_made = True
        return made


class PartCompiler(compiler.Compiler):
    """Numba's compiler, for parts; it tells how far it is."""

    n_done, started = 0, 0.0
    expected, entry_is_made = 0.0, False

    def compile_extra(self, func: Any) -> Any:
        """Compile a function into a part."""
        self.state.library = Part(self.state.targetctx.codegen(), func.__qualname__)
        made = super().compile_extra(func)
        PartCompiler.n_done += 1
        n_done, total = PartCompiler.n_done, max(USUAL_PARTS, PartCompiler.n_done)
        seconds = time.perf_counter() - PartCompiler.started
        if not PartCompiler.entry_is_made:  # the few parts of later entries say nothing about the time of all
            PartCompiler.expected = seconds * total / SHARE_OF_PARTS / n_done
        left = max(PartCompiler.expected - seconds, 0.0)
        logger.info("Compiling the kernels: %d of about %d, %.0f s left", n_done, total, left)
        return made

    @classmethod
    def begin(cls) -> None:
        """Count from here on."""
        cls.n_done, cls.started = 0, time.perf_counter()
        cls.expected, cls.entry_is_made = 0.0, False
