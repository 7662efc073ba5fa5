"""Tables that meet a model trained on another one: what they lack, and what the model has never seen."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from h2olite.data.summary import count_levels
from h2olite.data.table import Column, Kind, Table
from h2olite.errors import DataError

LISTED_COLUMNS = 10
LISTED_LEVELS = 5

NOTED_EXCESS = math.log(2.0)
"""How far a linear output with a log link may be above those of all training rows before it is told."""


@dataclass
class Adaptation:
    """Reads a table, or block after block of it, as the model's training table was, and remembers what it took.

    Parameters
    ----------
    table_name : what the warnings call the table.
    """

    table_name: str
    _remarks: list[str] = field(default_factory=list, init=False)
    _absent: dict[str, None] = field(default_factory=dict, init=False)
    _unseen: dict[str, dict[str, None]] = field(default_factory=dict, init=False)
    _numbered: set[str] = field(default_factory=set, init=False)
    _n_beyond: int = field(default=0, init=False)
    _largest_excess: float = field(default=0.0, init=False)

    def complete(self, table: Table, schema: Mapping[str, Kind]) -> Table:
        """The table with a column of missing values for each column of the schema that it lacks."""
        added = {
            name: Column(np.broadcast_to(np.int32(-1), table.n_rows), levels=())
            if kind == "categorical"
            else Column(np.broadcast_to(np.nan, table.n_rows))
            for name, kind in schema.items()
            if name not in table
        }
        if not added:
            return table
        self._absent |= dict.fromkeys(added)
        return replace(table, columns=table.columns | added)

    def match_levels(
        self, table: Table, name: str, codes: Mapping[str, int], *, numbered: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """A column's levels as those of training; numbers are matched by their text.

        Parameters
        ----------
        table, name : where the column is.
        codes : the model's code of each level.
        numbered : whether the caller gives unseen levels a number, instead of treating them as missing.

        Returns
        -------
        values : ndarray of int32, shape (n_rows,): index of the column's own level, -1 for missing.
        own_codes : ndarray of int32, shape (number of own levels + 1,): the model's code of each, -1 when it has
            none, as for the last entry, that of missing: ``own_codes[values]`` are the rows' codes.

        Raises
        ------
        DataError : the column holds numbers, as such or spelt out as in CSV, and no level of the model is a number.
        """
        column = table[name].as_categorical()
        levels = column.levels or ()
        is_number = table.notation.is_number
        if levels and all(map(is_number, levels)) and not any(map(is_number, codes)):
            raise DataError(
                f"column {name!r} of {table.name} holds numbers but held text in training (such as "
                f"{listed(codes, 2)}); give it as text, or leave it out to have it treated as missing."
            )
        own_codes = np.array([*(codes.get(level, -1) for level in levels), -1], np.int32)
        if (own_codes[:-1] < 0).any():
            unseen = (own_codes[:-1] < 0) & (count_levels(column.values, len(levels))[:-1] > 0)
            self._add_unseen(name, (levels[i] for i in np.flatnonzero(unseen)))
            if numbered:
                self._numbered.add(name)
        return column.values, own_codes

    def _add_unseen(self, name: str, levels: Iterable[str]) -> None:
        """Note levels that training did not have; no more than are told, however long the table."""
        for level in levels:
            known = self._unseen.setdefault(name, {})
            if len(known) > LISTED_LEVELS:
                return
            known[level] = None

    def add(self, remark: str) -> None:
        """Note a sentence to warn with."""
        self._remarks.append(remark)

    def note_extrapolations(self, excess: np.ndarray) -> None:
        """Note rows of which a model with a log link predicts much more than of any training row.

        excess : by how much the linear output of each row is above the largest one of the training rows.
        """
        beyond = excess > NOTED_EXCESS
        if beyond.any():
            self._n_beyond += int(np.count_nonzero(beyond))
            self._largest_excess = max(self._largest_excess, float(excess.max()))

    def unseen(self, name: str) -> list[str]:
        """Levels of a column that training did not have: some of them, if there are many."""
        return list(self._unseen.get(name, ()))

    def warnings(self) -> list[str]:
        """The remarks, one sentence for all absent predictors, and one for each column with unseen levels."""
        sentences = list(self._remarks)
        if self._absent:
            count = "a predictor" if len(self._absent) == 1 else f"{len(self._absent)} predictors"
            sentences.append(f"{self.table_name} lacks {count}, treated as missing: {listed(self._absent)}.")
        for name, levels in self._unseen.items():
            more = " and others" if len(levels) > LISTED_LEVELS else ""
            treatment = "all given one number" if name in self._numbered else "treated as missing"
            sentences.append(
                f"column {name!r} of {self.table_name} has levels that training did not have, {treatment}: "
                f"{', '.join(map(repr, list(levels)[:LISTED_LEVELS]))}{more}."
            )
        if self._n_beyond:
            rows, verb = ("1 row", "is") if self._n_beyond == 1 else (f"{self._n_beyond:,} rows", "are")
            sentences.append(
                f"{rows} of {self.table_name} {verb} predicted more than twice as much as any training row, up to "
                f"{math.exp(min(self._largest_excess, 700.0)):.3g} times: a log link grows without bound outside the "
                "range of the training rows; check the predictors of these rows."
            )
        return sentences

    def warn(self, stacklevel: int = 2) -> None:
        """Give the warnings; `stacklevel` 2 says that the caller's caller is to blame, as in `warnings.warn`."""
        for sentence in self.warnings():
            warnings.warn(sentence, stacklevel=stacklevel + 1)


def numbers(table: Table, name: str) -> np.ndarray:
    """The values of a column that was numeric in training.

    Raises
    ------
    DataError : the column holds text that does not spell numbers.
    """
    column = table[name]
    return column.values if column.levels is None else table.convert({name: "numeric"})[name].values


def listed(names: Iterable[str], most: int = LISTED_COLUMNS) -> str:
    """The names, quoted; of many only the first and how many more there are."""
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - most} more" if len(quoted) > most else ""
    return ", ".join(quoted[:most]) + more
