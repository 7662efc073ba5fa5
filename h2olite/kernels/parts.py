"""Compiles kernels that only kernels call: their code becomes part of the entries', without machine code of its own.

Numba makes machine code of every function. For some seventy kernels that nobody else calls, that takes longer than for
the entries that include them.
"""

from __future__ import annotations

from typing import Any

from numba.core import compiler
from numba.core.codegen import JITCodeLibrary


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


class PartCompiler(compiler.Compiler):
    """Numba's compiler, for parts."""

    def compile_extra(self, func: Any) -> Any:
        """Compile a function into a part."""
        self.state.library = Part(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)
