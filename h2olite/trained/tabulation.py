"""What an encoder makes of each level: all that is needed to encode text without a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.data.table import Column, Table


class TabulatedColumn(NamedTuple):
    """A categorical column of the schema and what its levels are encoded as.

    name : of the column.
    levels : those of training.
    places : the positions among the encoder's predictors of those made of the column.
    encoded : float64 (n_levels + 1, n_places), by level and last for missing: of a categorical predictor the active
        input, -1 for none; of a numeric one the standardised number.
    unseen : float64 (n_places,), the same for levels that training did not have, which mostly are missing.
    """

    name: str
    levels: tuple[str, ...]
    places: list[int]
    encoded: np.ndarray
    unseen: np.ndarray


def tabulate(encoder: RowEncoder) -> list[TabulatedColumn]:
    """What becomes of every level of every categorical column of the schema."""
    levels = dict(zip(encoder.categorical, encoder.levels, strict=True))
    levels |= {name: replacement.levels for name, replacement in encoder.recoding.replacements.items()}
    columns = {name: levels[name] for name, kind in encoder.schema.items() if kind == "categorical"}
    if not columns:
        return []
    every = np.arange(2 + max(map(len, columns.values())), dtype=np.int32)
    unseen = max((level for own in columns.values() for level in own), default="") + "?"  # comes after all of them
    table = Table(
        "the levels",
        {
            name: Column(np.where(every <= len(own), every, np.int32(-1)), (*own, unseen))
            for name, own in columns.items()
        },
        every.size,
    )
    selected = encoder.select(columns)
    encoded = np.hstack(selected.encode(table, precision=np.float64), dtype=np.float64)
    place_of = {name: place for place, name in enumerate(encoder.predictors)}
    tabulated = []
    for name, own in columns.items():
        made = [i for i, new in enumerate(selected.predictors) if encoder.recoding.sources.get(new, new) == name]
        rows = [*range(len(own)), -1]
        places = [place_of[selected.predictors[i]] for i in made]
        tabulated.append(TabulatedColumn(name, own, places, encoded[np.ix_(rows, made)], encoded[len(own), made]))
    return tabulated
