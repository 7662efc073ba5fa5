"""Functions that users give by name."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

CustomMetric = Callable[..., float]
"""A metric of the user's: function(actual, predicted, weights) -> float, see `h2olite.metrics.Metrics`."""


def load_function(parameter: str, value: str | Callable[..., Any]) -> Callable[..., Any]:
    """The function that a parameter names as ``module:function``, or is; importing the module runs its code.

    Modules are also looked for in the working directory.

    Raises
    ------
    ValueError : it is no such name, the module cannot be imported, or has no such function.
    """
    if callable(value):
        return value
    module, _, name = value.partition(":")
    if not module or not name:
        raise ValueError(f"{parameter} must be module:function; got {value!r}.")
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        function = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # a module may fail in any way
        raise ValueError(f"{parameter} {value} cannot be imported: {error!r}.") from error
    finally:
        sys.path.remove(here)
    if not callable(function):
        raise ValueError(f"{parameter} must be module:function; module {module} has no function {name!r}.")
    return function


def function_name(function: Callable[..., Any]) -> str:
    """The name by which `load_function` finds a function again."""
    return f"{function.__module__}:{getattr(function, '__qualname__', type(function).__name__)}"
