"""Turns a response into targets in training units, and back."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from h2olite.errors import DataError

from .adaptation import Adaptation, listed, numbers
from .encoding import level_codes, too_large
from .summary import count_levels, summarise
from .table import Table


@dataclass(frozen=True, eq=False)
class ResponseEncoder:
    """Turns the response into class indices or training units.

    Parameters
    ----------
    name : the response's column.
    levels : its levels; None for regression.
    subtrahend, multiplier : the target of a numeric response y (minus its offset) is (y - subtrahend) * multiplier.
    """

    name: str
    levels: tuple[str, ...] | None = None
    subtrahend: float = 0.0
    multiplier: float = 1.0

    @classmethod
    def fit(
        cls,
        table: Table,
        name: str,
        *,
        standardize: bool = False,
        weights: np.ndarray | None = None,
        offsets: np.ndarray | None = None,
    ) -> ResponseEncoder:
        """Make the encoder of the response of a training table.

        Parameters
        ----------
        table, name : where the response is.
        standardize : scale a numeric response to mean 0 and standard deviation 1.
        weights : row weights, shape (n_rows,); rows of weight 0 do not count.
        offsets : with an identity link, shape (n_rows,). The network learns the response minus the offset.

        Raises
        ------
        DataError : the response is missing in all rows, constant or infinite.
        """
        column = table[name]
        if column.levels is not None:
            counts = count_levels(column.values if weights is None else column.values[weights > 0], len(column.levels))
            used = np.flatnonzero(counts[:-1])
            if used.size < 2:
                raise unusable_response(table.name, name, column.levels[used[0]] if used.size else None)
            return cls(name, column.levels)
        summary = summarise([column.values], weights)
        if not np.isfinite(summary.squares[0]):
            raise too_large(table, name)
        low, high = float(summary.low[0]), float(summary.high[0])
        if not low < high:
            raise unusable_response(table.name, name, f"{low:g}" if summary.count[0] else None)
        if not standardize:
            return cls(name)
        if offsets is not None:
            summary = summarise([column.values - offsets], weights)
        return cls(name, None, float(summary.mean[0]), float(1.0 / (summary.deviation[0] or 1.0)))

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 for regression."""
        return len(self.levels or ())

    def encode(
        self, table: Table, adaptation: Adaptation | None = None, *, offsets: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The response of a table as target of training, and as actual value for metrics.

        Parameters
        ----------
        table : the training table, or another table that has the response.
        adaptation : collects unknown levels, which are treated as missing.
        offsets : are subtracted from a numeric response before it is learnt, shape (n_rows,).

        Returns
        -------
        target : ndarray of float32, shape (n_rows,): index of the class, or training units; NaN is missing.
        actual : ndarray of float64, shape (n_rows,): index of the class, or the response's own units.

        Raises
        ------
        DataError : no response in the table, text instead of numbers or the other way round, an infinite number, or
            no level that the model knows.
        """
        if self.levels is None:
            actual = numbers(table, self.name)
            with np.errstate(over="ignore"):
                net = actual if offsets is None else actual - offsets
                target = ((net - self.subtrahend) * self.multiplier).astype(np.float32)
            if np.isinf(target).any():
                raise too_large(table, self.name)
            return target, actual
        adaptation = adaptation or Adaptation(table.name)
        values, codes = adaptation.match_levels(table, self.name, self._codes)
        code = codes[values]
        if (code < 0).all() and (values >= 0).any():
            raise DataError(
                f"response {self.name!r} of {table.name} has no level that the model knows "
                f"({listed(self.levels, 5)}); give a table with the response that was trained on."
            )
        actual = np.where(code < 0, np.nan, code)
        return actual.astype(np.float32), actual

    @functools.cached_property
    def _codes(self) -> dict[str, int]:
        """Index of each level."""
        return level_codes(self.levels or ())

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain lists, strings and numbers."""
        return {
            "name": self.name,
            "levels": None if self.levels is None else list(self.levels),
            "subtrahend": self.subtrahend,
            "multiplier": self.multiplier,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ResponseEncoder:
        """The encoder that `to_json` described."""
        levels = stored["levels"]
        return cls(
            stored["name"], None if levels is None else tuple(levels), stored["subtrahend"], stored["multiplier"]
        )


def refuse_one_value(table: Table, response: ResponseEncoder, actual: np.ndarray) -> None:
    """Check that the rows to train on have more than one value of the response.

    Parameters
    ----------
    table : where the response is.
    response, actual : its encoder, and its actual values in these rows, without missing values.

    Raises
    ------
    DataError : all rows have the same value.
    """
    if actual.min() == actual.max():
        value = f"{actual[0]:g}" if response.levels is None else response.levels[int(actual[0])]
        raise unusable_response(table.name, response.name, value, "rows that can be trained on")


def unusable_response(table: str, name: str, value: str | None, rows: str = "rows") -> DataError:
    """The error for a response with one value, or none (None)."""
    fault = f"is missing in all {rows}" if value is None else f"is {value!r} in all {rows}"
    return DataError(
        f"response {name!r} of {table} must have at least two values to learn from; it {fault}; choose another "
        "response or a table with more rows."
    )
