"""Parameters as plain values, as files and reports keep them."""

from __future__ import annotations

import math
from typing import Any

from .functions import function_name
from .parameters import FRAMES, FUNCTIONS, Parameters, declared

INFINITE = "inf"
"""What stands for infinity, which JSON does not have."""


def stored(parameters: Parameters) -> dict[str, Any]:
    """The parameters that a model file keeps: all but the tables, and functions by name."""
    values = {name: getattr(parameters, name) for name in declared() if name not in FRAMES}
    return values | functions_by_name(parameters)


def functions_by_name(parameters: Parameters) -> dict[str, Any]:
    """The names of the functions among the parameters."""
    functions = {name: getattr(parameters, name) for name in FUNCTIONS}
    return {name: function_name(function) for name, function in functions.items() if callable(function)}


def given_of(origin: dict[str, Any]) -> dict[str, Any]:
    """The parameters that `origin_of` put down as given, with numbers for those that are infinite."""
    given = origin["given"] or {}
    numbers = {name for name, parameter in declared().items() if parameter.type is float}
    return {name: math.inf if name in numbers and value == INFINITE else value for name, value in given.items()}
