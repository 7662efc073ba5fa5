"""The background rows of a model in its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from h2olite.data.table import Column, Kind, Table
from h2olite.trained.background import BACKGROUND
from h2olite.trained.parts import are_distinct, require


class StoredBackground(TypedDict):
    """What the document of a model file tells of background rows.

    levels : of each categorical column of the model's schema, in its order.
    """

    levels: list[list[str]]


def background_contents(
    table: Table | None, schema: Mapping[str, Kind]
) -> tuple[StoredBackground | None, dict[str, np.ndarray]]:
    """What a model file keeps of background rows: a part of the document, and arrays."""
    if table is None:
        return None, {}
    categorical, numeric = _divided(schema)
    codes = [table[name].values for name in categorical]
    numbers = [table[name].values for name in numeric]
    arrays: dict[str, np.ndarray] = {
        "background.codes": np.array(codes, np.int32).reshape(len(codes), table.n_rows),
        "background.numbers": np.array(numbers, np.float64).reshape(len(numbers), table.n_rows),
    }
    return {"levels": [list(table[name].levels or ()) for name in categorical]}, arrays


def restore_background(
    stored: StoredBackground | None, arrays: Mapping[str, np.ndarray], schema: Mapping[str, Kind]
) -> Table | None:
    """The table that `background_contents` told.

    Raises
    ------
    ValueError : the parts do not fit together.
    """
    if stored is None:
        return None
    categorical, numeric = _divided(schema)
    codes, numbers, levels = arrays["codes"], arrays["numbers"], stored["levels"]
    require(codes.dtype == np.int32 and numbers.dtype == np.float64, "background rows are of other types")
    require(codes.ndim == numbers.ndim == 2, "background rows are no table")
    require(len(codes) == len(levels) == len(categorical), "background rows have other categorical columns")
    require(len(numbers) == len(numeric), "background rows have other numeric columns")
    n_rows = max(codes.shape[1], numbers.shape[1])
    require(codes.shape[1] == numbers.shape[1] and n_rows > 0, "background rows are not as many in each column")
    require(not np.isinf(numbers).any(), "a number of the background rows is infinite")
    columns = {name: _categorical(*parts) for name, *parts in zip(categorical, codes, levels, strict=True)}
    columns |= {
        name: Column(values, is_time=schema[name] == "time") for name, values in zip(numeric, numbers, strict=True)
    }
    return Table(BACKGROUND, {name: columns[name] for name in schema}, n_rows)


def _categorical(codes: np.ndarray, levels: Sequence[str]) -> Column:
    """A column of levels."""
    require(bool(((codes >= -1) & (codes < len(levels))).all()), "a background row has a level that does not exist")
    require(are_distinct(levels), "two levels of the background rows are the same")
    return Column(codes, tuple(levels))


def _divided(schema: Mapping[str, Kind]) -> tuple[list[str], list[str]]:
    """The categorical columns, and the others."""
    categorical = [name for name, kind in schema.items() if kind == "categorical"]
    return categorical, [name for name in schema if name not in categorical]
