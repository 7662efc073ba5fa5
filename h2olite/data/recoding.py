"""Replaces categorical columns by other columns, as categorical_encoding says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from h2olite.errors import DataError
from h2olite.settings.parameters import CategoricalEncoding

from .adaptation import Adaptation
from .summary import count_levels
from .table import INTEGER, Column, Table

MOST_LEVELS = 10
"""Levels that EnumLimited keeps of a column with more."""

OTHER = "other"
"""The level that EnumLimited puts in the place of all others."""


@dataclass(frozen=True, eq=False)
class Replacement:
    """The columns that replace one categorical column.

    Parameters
    ----------
    levels : of the column replaced, in the training table.
    columns : the new columns, by name. They have a row for each level, and a last row (index -1) for missing values.
    with_unseen : whether the row before the last is for unknown levels. Otherwise these are missing values.
    """

    levels: tuple[str, ...]
    columns: dict[str, Column]
    with_unseen: bool = False

    @functools.cached_property
    def codes(self) -> dict[str, int]:
        """Index of each level."""
        return {level: code for code, level in enumerate(self.levels)}


@dataclass(frozen=True, eq=False)
class Recoding:
    """Replaces categorical columns by columns that depend only on the level, by the levels of training.

    Parameters
    ----------
    replacements : by the name of the replaced column. Other columns stay as they are.
    """

    replacements: Mapping[str, Replacement] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        table: Table,
        predictors: Iterable[str],
        encoding: CategoricalEncoding,
        response: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> Recoding:
        """The recoding of a training table.

        Parameters
        ----------
        table, predictors : the columns. Only categorical columns are recoded.
        encoding : a value of categorical_encoding. AUTO and OneHotInternal leave all columns as they are.
        response : ndarray of float64, shape (n_rows,): numbers or indices of classes, NaN where missing. Only
            SortByResponse needs it.
        weights : row weights, shape (n_rows,), by which the response is averaged.

        Raises
        ------
        DataError : a new column has the name of another predictor.
        """
        if encoding in ("AUTO", "OneHotInternal"):
            return cls()
        recodings: dict[str, Callable[..., dict[str, Column]]] = {
            "Binary": _numbered_levels,
            "Eigen": _eigenvector,
            "LabelEncoder": _label_numbers,
            "SortByResponse": functools.partial(_sorted_levels, response=response, weights=weights),
            "EnumLimited": _frequent_levels,
        }
        recode = recodings[encoding]
        names = list(predictors)
        replacements = {}
        for name in names:
            column = table[name]
            if column.levels is None:
                continue
            columns = recode(name, column.values, column.levels)
            taken = next((new for new in columns if new != name and new in names), None)
            if taken is not None:
                raise DataError(
                    f"column {name!r} of {table.name} cannot become {taken!r} by categorical_encoding {encoding}: "
                    "another predictor has this name; rename one of them."
                )
            if columns:
                replacements[name] = Replacement(column.levels, columns)
        return cls(replacements)

    @property
    def with_unseen(self) -> bool:
        """Whether unknown levels of some column have a code of their own, and are not missing values."""
        return any(replacement.with_unseen for replacement in self.replacements.values())

    @functools.cached_property
    def sources(self) -> dict[str, str]:
        """The replaced column of each new column."""
        return {new: name for name, replacement in self.replacements.items() for new in replacement.columns}

    def names(self, predictors: Iterable[str]) -> list[str]:
        """The names of the predictors after recoding. As in H2O, those that become several columns come last."""
        in_place: list[str] = []
        behind: list[str] = []
        for name in predictors:
            new = list(self.replacements[name].columns) if name in self.replacements else [name]
            (in_place if len(new) == 1 else behind).extend(new)
        return in_place + behind

    def select(self, columns: Container[str]) -> Recoding:
        """The recoding of some of the columns."""
        return Recoding({name: new for name, new in self.replacements.items() if name in columns})

    def apply(self, table: Table, adaptation: Adaptation) -> Table:
        """Replace columns of the table. It must have all of the columns to replace.

        adaptation : collects unseen levels, which are treated as missing.

        Raises
        ------
        DataError : a column to replace holds numbers that are no level of it.
        """
        if not self.replacements:
            return table
        columns = {name: column for name, column in table.columns.items() if name not in self.replacements}
        for name, replacement in self.replacements.items():
            values, own_codes = adaptation.match_levels(
                table, name, replacement.codes, numbered=replacement.with_unseen
            )
            rows = own_codes[values]
            if replacement.with_unseen:
                rows[(rows < 0) & (values >= 0)] = len(replacement.levels)
            columns |= {new: column.take(rows) for new, column in replacement.columns.items()}
        return replace(table, columns=columns)

    def to_json(self) -> dict[str, Any]:
        """The recoding as plain lists, strings and numbers; None stands for NaN."""
        return {
            name: {
                "levels": list(replacement.levels),
                "columns": {
                    new: {
                        "values": [None if value != value else value for value in column.values.tolist()],
                        "levels": None if column.levels is None else list(column.levels),
                    }
                    for new, column in replacement.columns.items()
                },
                "with_unseen": replacement.with_unseen,
            }
            for name, replacement in self.replacements.items()
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Recoding:
        """The recoding that `to_json` described."""
        return cls(
            {
                name: Replacement(
                    tuple(replacement["levels"]),
                    {new: _column(**column) for new, column in replacement["columns"].items()},
                    replacement.get("with_unseen", False),
                )
                for name, replacement in stored.items()
            }
        )


def _column(values: list[float | None], levels: list[str] | None) -> Column:
    """A column from its stored parts."""
    if levels is None:
        return Column(np.array(values, np.float64))
    return Column(np.array(values, np.int32), tuple(levels))


def binary_digits(name: str, n_levels: int, numbers: np.ndarray) -> dict[str, Column]:
    """The binary digits of numbers, the lowest first: as many digits as n_levels has."""
    return {
        f"{name}:{digit}": Column((numbers >> digit & 1).astype(np.float64)) for digit in range(n_levels.bit_length())
    }


def _numbered_levels(name: str, values: np.ndarray, levels: tuple[str, ...]) -> dict[str, Column]:
    """The binary digits of each level's index, counted from 1; missing is 0."""
    return binary_digits(name, len(levels), np.append(np.arange(1, len(levels) + 1), 0))


def _label_numbers(name: str, values: np.ndarray, levels: tuple[str, ...]) -> dict[str, Column]:
    """The whole numbers that the levels are, or else their indices; missing stays missing."""
    are_numbers = all(map(INTEGER.fullmatch, levels))
    numbers = map(float, levels) if are_numbers else range(len(levels))
    return {name: Column(np.array([*numbers, np.nan], np.float64))}


def _eigenvector(name: str, values: np.ndarray, levels: tuple[str, ...]) -> dict[str, Column]:
    """A leading eigenvector of the levels' standardised covariances; missing and unused levels are missing.

    With d_i of n rows at level i the matrix is (delta_ij d_i - d_i d_j / n) / sqrt(d_i d_j), that is I - u u' with
    u = sqrt(d / n). All vectors orthogonal to u belong to its largest eigenvalue, 1. Taken is the one nearest to the
    levels' order, the projection of 0, 1, 2, ..., which also fixes the sign.
    """
    counts = count_levels(values, len(levels))[:-1]
    used = np.flatnonzero(counts)
    u = np.sqrt(counts[used] / counts.sum())
    order = np.arange(used.size)
    vector = order - (u @ order) * u
    entries = np.full(len(levels) + 1, np.nan)
    entries[used] = vector / (np.linalg.norm(vector) or 1.0)  # it is 0 for a single level
    return {f"{name}.Eigen": Column(entries)}


def _sorted_levels(
    name: str, values: np.ndarray, levels: tuple[str, ...], *, response: np.ndarray, weights: np.ndarray | None
) -> dict[str, Column]:
    """The levels by increasing mean response, those without a response last."""
    known = (values >= 0) & ~np.isnan(response)
    codes, shares = values[known], np.ones(known.sum()) if weights is None else weights[known]
    totals = np.bincount(codes, shares, minlength=len(levels))
    sums = np.bincount(codes, shares * response[known], minlength=len(levels))
    means = np.divide(sums, totals, out=np.full(len(levels), np.nan), where=totals > 0)
    return {name: _chosen_levels(levels, np.argsort(means, kind="stable"))}


def _frequent_levels(name: str, values: np.ndarray, levels: tuple[str, ...]) -> dict[str, Column]:
    """The most frequent levels that occur twice or more, and one for all others; nothing new for a few levels."""
    if len(levels) <= MOST_LEVELS:
        return {}
    counts = count_levels(values, len(levels))[:-1]
    by_count = np.argsort(-counts, kind="stable")
    kept = [i for i in by_count[: MOST_LEVELS + 1] if counts[i] > 1 and levels[i] != OTHER][:MOST_LEVELS]
    return {f"{name}.top_{MOST_LEVELS}_levels": _chosen_levels(levels, np.array(kept, np.intp), OTHER)}


def _chosen_levels(levels: tuple[str, ...], chosen: np.ndarray, other: str | None = None) -> Column:
    """A column of these of the levels, in this order, and one for all others if given; missing stays missing."""
    codes = np.full(len(levels) + 1, -1 if other is None else len(chosen), np.int32)
    codes[chosen] = np.arange(len(chosen))
    codes[-1] = -1
    return Column(codes, (*(levels[i] for i in chosen.tolist()), *(() if other is None else (other,))))
