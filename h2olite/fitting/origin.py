"""What a model was made of: enough to make it again, and to tell whether tables have changed."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import platform
import secrets
from importlib.metadata import version
from typing import Any

from h2olite.data.table import Table
from h2olite.settings.continuing import inherited
from h2olite.settings.parameters import FRAMES, MODELS, Parameters, Relative, changed
from h2olite.settings.plain import INFINITE, functions_by_name

PACKAGES = ("numpy", "numba", "pyarrow")
"""Packages on which numbers may depend."""

OBJECTS = ("initial_weights", "initial_biases")
"""Parameters whose values are lists of tables."""


def origin_of(parameters: Parameters, training: Table, validation: Table | None) -> dict[str, Any]:
    """What a training with checked parameters, before automatic choices are made, starts from.

    Returns
    -------
    origin : a mapping of plain values.

        - ``given``: the parameters that are not at their default, or not as in the checkpoint. Those that are models or
          tables are the paths of their files, None for what was in memory.
        - ``training_frame``, ``validation_frame``: ``source`` (a path, and how its CSV was read; None for a frame in
          memory), ``rows``, ``columns`` with their types, and a ``digest`` of names, types, levels and values.
        - ``packages``: versions.
    """
    checkpoint = parameters.checkpoint
    base = None if checkpoint is None else inherited(checkpoint.parameters)
    given = {name: value for name, value in changed(parameters, base).items() if name not in FRAMES}
    given |= {name: getattr(given[name], "path", None) for name in MODELS if name in given}
    given |= {name: _paths(given[name]) for name in OBJECTS if name in given}
    given |= {name: str(value) for name, value in given.items() if isinstance(value, Relative)}
    given |= {name: INFINITE for name, value in given.items() if value == math.inf}
    return {
        "given": given | {name: name_ for name, name_ in functions_by_name(parameters).items() if name in given},
        "training_frame": _described(training),
        "validation_frame": validation and _described(validation),
        "packages": dict(_versions()),
    }


def model_id_of(origin: dict[str, Any] | None) -> str:
    """A model_id that is the same for the same origin, or new without one."""
    known = secrets.token_bytes() if origin is None else json.dumps(origin, sort_keys=True).encode()
    return f"DeepLearning_model_{hashlib.blake2b(known, digest_size=4).hexdigest()}"


@functools.cache  # looking up a version reads and parses the package's files
def _versions() -> dict[str, str]:
    """The versions of Python and of the packages."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _described(table: Table) -> dict[str, Any]:
    """Where a table is from, and what tells it from others."""
    return {
        "source": table.source and {"path": table.source, "csv": dict(table.csv or {})},
        "rows": table.n_rows_in_all,
        "columns": {name: column.kind for name, column in table.columns.items()},
        "digest": table.fingerprint,
    }


def _paths(entries: list[Any]) -> list[str] | None:
    """The entries if they are paths, or nothing, each; None when one is in memory."""
    return entries if all(entry is None or isinstance(entry, str) for entry in entries) else None
