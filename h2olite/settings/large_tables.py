"""Parameters of tables that are larger than memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .parameters import Parameters

SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([KMGT]?)(i?)B?\s*", re.IGNORECASE)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def bytes_of(text: str) -> float:
    """The bytes of a size such as ``2GB``, ``1.5 GiB`` or ``800M``; a ValueError if it is none."""
    found = SIZE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    number, unit, is_binary = found.groups()
    return float(number) * (1024 if is_binary else 1000) ** POWERS[unit.upper()]


def max_memory_is_a_size(p: Parameters) -> Iterator[str]:
    """A number of bytes with its unit."""
    if p.max_memory is None:
        return
    try:
        size = bytes_of(p.max_memory)
    except ValueError:
        size = 0.0
    if not size:
        yield f"max_memory must be a size such as 2GB or 800MB; got {p.max_memory!r}."


def needs_all_rows(p: Parameters) -> Iterator[str]:
    """A sentence for each parameter that cannot be combined with a table that is larger than memory."""
    asked = {
        "nfolds": p.nfolds > 0,
        "fold_column": p.fold_column is not None,
        "weights_column": p.weights_column is not None,
        "balance_classes": p.balance_classes,
    }
    advice = {
        "balance_classes": "write the rows of frequent classes more rarely to the table",
    }
    for name, is_asked in asked.items():
        if is_asked:
            yield (
                f"{name} cannot be combined with a table larger than memory, whose rows are in a scratch file; "
                f"{advice.get(name, 'leave it out, or give more max_memory')}."
            )
    if p.categorical_encoding not in ("AUTO", "OneHotInternal"):
        yield (
            "categorical_encoding of a table larger than memory must be AUTO or OneHotInternal; got "
            f"{p.categorical_encoding}: max_categorical_features bounds the inputs of many levels."
        )
