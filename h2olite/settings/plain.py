"""Parameters as plain values, as files and reports keep them."""

from __future__ import annotations

from typing import Any

from .functions import function_name
from .parameters import FRAMES, FUNCTIONS, Parameters, declared


def stored(parameters: Parameters) -> dict[str, Any]:
    """The parameters that a model file keeps: all but the tables, and functions by name."""
    values = {name: getattr(parameters, name) for name in declared() if name not in FRAMES}
    return values | functions_by_name(parameters)


def functions_by_name(parameters: Parameters) -> dict[str, Any]:
    """The names of the functions among the parameters."""
    functions = {name: getattr(parameters, name) for name in FUNCTIONS}
    return {name: function_name(function) for name, function in functions.items() if callable(function)}
