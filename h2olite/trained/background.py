"""The rows of the training table that a model keeps, for its predictions to be compared with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.splits import random_stream, sample_rows
from h2olite.data.table import Column, Kind, Table

BACKGROUND = "the training rows that the model keeps"
"""What messages call them."""

MOST_CELLS = 100_000
"""Cells that are kept at most. They take 800 kB, and less in a model file, which is compressed."""


def background_rows(
    table: Table, usable: np.ndarray, schema: Mapping[str, Kind], n_rows: int, seed: int
) -> Table | None:
    """Some rows of a training table at random; None if a single row would have too many cells, or none is wanted.

    Parameters
    ----------
    usable : indices of the rows to choose from.
    schema : the columns to keep.
    n_rows : how many rows at the most.
    """
    n_kept = min(n_rows, usable.size, MOST_CELLS // max(len(schema), 1))
    if n_kept == 0 or not schema:
        return None
    complete = Adaptation(table.name).complete(table, schema)  # rows that a model goes on with may lack columns
    chosen = Table(table.name, {name: complete[name] for name in schema}, table.n_rows)
    rows = usable[sample_rows(usable.size, n_kept, random_stream(seed, "background"))]
    columns = {name: _alone(column, schema[name]) for name, column in chosen.take(rows).columns.items()}
    return Table(BACKGROUND, columns, n_kept)


def _alone(column: Column, kind: Kind) -> Column:
    """A column of this kind, of its own memory, with no other levels than those that it has."""
    if kind != "categorical":
        return Column(np.array(column.values, np.float64), is_time=kind == "time")
    levels = column.as_categorical()
    return levels.with_levels(np.bincount(levels.values + 1, minlength=len(levels.levels or ()) + 1)[1:] > 0)
