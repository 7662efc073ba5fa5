"""From typed columns to what the kernels see: float32 numbers and int32 indices of the active inputs."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation, listed, numbers
from h2olite.data.hashing import slots_of
from h2olite.data.recoding import Recoding
from h2olite.data.sparse import Scaling, SparseColumn, encode_sparse, summarise_columns
from h2olite.data.summary import numeric_tiles
from h2olite.data.table import Column, Kind, Table
from h2olite.errors import DataError

NONE = np.empty(0, np.float32)
"""Stands for values that a table has none of, such as row weights."""

FEW_NUMBERS, SAMPLED_ROWS = 0.05, 1000
"""Share of numbers that are not 0 below which these count in place of all, and about how many rows tell it."""

NO_STARTS, NO_PLACES = np.empty(0, np.int64), np.empty(0, np.int32)
"""Stand for where entries are, in rows that are kept with their zeros."""


class EncodedRows(NamedTuple):
    """Rows as the kernels see them: C-contiguous, writable arrays."""

    levels: np.ndarray
    """int32, shape (n_rows, n_categorical): the active input of each categorical predictor, -1 for none."""
    numbers: np.ndarray
    """float32, shape (n_rows, n_numeric): standardised, imputed, never NaN."""
    target: np.ndarray = NONE
    """float32, shape (n_rows,): index of the class, or the response in training units; NaN is missing."""
    weights: np.ndarray = NONE
    """float32, shape (n_rows,): what multiplies the row's gradient."""
    offsets: np.ndarray = NONE
    """float32, shape (n_rows,): in training units."""
    starts: np.ndarray = NO_STARTS
    """int64, shape (n_rows + 1,), where `entries` of each row start; empty unless numbers are kept without zeros.

    If they are, `numbers` has no row."""
    places: np.ndarray = NO_PLACES
    """int32, shape (n_entries,): the numeric predictor of each entry, none twice in a row."""
    entries: np.ndarray = NONE
    """float32, shape (n_entries,): the numbers that are not 0."""

    @property
    def is_sparse(self) -> bool:
        """Whether numbers are kept without zeros."""
        return self.starts.size > 0

    def dense(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of some rows with their zeros, shape (number of these rows, n_numeric)."""
        if not self.is_sparse:
            return self.numbers[rows]
        made = np.zeros((len(rows), self.numbers.shape[1]), self.entries.dtype)
        for number, row in zip(made, rows, strict=True):
            span = slice(self.starts[row], self.starts[row + 1])
            number[self.places[span]] = self.entries[span]
        return made

    def numbers_in_use(self) -> int:
        """How many numbers of a row kernels pass: all, or where few are not 0, as many as a row has of these."""
        n_rows, n_numeric = len(self.levels), self.numbers.shape[1]
        sample = range(0, n_rows, 1 + n_rows // SAMPLED_ROWS)
        of_rows = (
            self.entries[self.starts[row] : self.starts[row + 1]] if self.is_sparse else self.numbers[row]
            for row in sample
        )
        mean = sum(map(np.count_nonzero, of_rows)) / max(len(sample), 1)
        return math.ceil(mean) if mean < FEW_NUMBERS * n_numeric else n_numeric


@dataclass(frozen=True, eq=False)
class RowEncoder:
    """Turns the predictors of a table into numbers, by the levels and statistics of the training table.

    Inputs are laid out as H2O does: first the categorical predictors, by decreasing number of levels, each with one
    input a level (without the first level unless `use_all_factor_levels`) and one for missing; then the numeric ones.
    Missing and unseen levels activate the missing input; a missing number becomes the training mean, or 0 in a column
    of mostly zeros that is not centred. Where hashing is asked for, the inputs of levels and missing are instead
    `n_slots` that several of them may share.

    Parameters
    ----------
    predictors : names in encoded order, the categorical ones first, as the recoding leaves them.
    levels : of each categorical predictor.
    use_all_factor_levels : whether the first level of each categorical predictor has an input.
    subtrahend, multiplier : ndarray of float64, shape (n_numeric,); a number x is encoded as
        (x - subtrahend) * multiplier.
    imputed : ndarray of float64, shape (n_numeric,); stands for a missing number, in the column's units.
    missing_seen : ndarray of bool, shape (n_categorical,); whether training activated the missing input.
    times : the numeric predictors that are times.
    recoding : what becomes of the table's columns before they are encoded.
    n_slots, hash_seed : number of inputs that levels are hashed to, None for an input each; and the seed of the hash.
    """

    predictors: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    use_all_factor_levels: bool
    subtrahend: np.ndarray
    multiplier: np.ndarray
    imputed: np.ndarray
    missing_seen: np.ndarray
    times: tuple[str, ...] = ()
    recoding: Recoding = field(default_factory=Recoding)
    n_slots: int | None = None
    hash_seed: int = 0

    @classmethod
    def fit(
        cls,
        table: Table,
        predictors: Sequence[str],
        *,
        recoding: Recoding | None = None,
        max_categorical_features: int | None = None,
        hash_seed: int = 0,
        use_all_factor_levels: bool = True,
        standardize: bool = True,
        by_range: bool = False,
        sparse: bool = False,
        sparse_from: float = 1.0,
        weights: np.ndarray | None = None,
        rows: np.ndarray | None = None,
    ) -> RowEncoder:
        """The encoder of a training table.

        Parameters
        ----------
        table : all of whose rows count for the statistics.
        predictors : names in the table's order (see `choose_predictors`).
        recoding : what to do with these columns first, nothing if not given.
        max_categorical_features : hash the inputs of levels and missing to so many, if they are more.
        hash_seed : of the hash.
        use_all_factor_levels : False leaves out the input of each categorical predictor's first level.
        standardize : scale numbers to mean 0 and standard deviation 1.
        by_range : scale to a range (largest less smallest value) of 1 instead.
        sparse : with `standardize`, scale but do not centre, so that zeros stay zeros.
        sparse_from : otherwise the same for columns with at least this share of zeros, where missing is 0 too.
        weights : row weights, shape (n_rows,); rows of weight 0 do not count for the statistics.
        rows : indices of the rows that will be trained on, all if not given; decides `missing_seen`.

        Raises
        ------
        DataError : a number is infinite, or too large to standardise.
        """
        recoding = recoding or Recoding()
        table = recoding.apply(table, Adaptation(table.name))
        predictors = recoding.names(predictors)
        columns = {name: table[name] for name in predictors}
        levels = {name: column.levels for name, column in columns.items() if column.levels is not None}
        numeric = [name for name in predictors if name not in levels]
        summary = summarise_columns([columns[name] for name in numeric], weights)
        unusable = np.flatnonzero(~np.isfinite(summary.squares))
        if unusable.size:
            raise too_large(table, numeric[unusable[0]])
        unit = summary.range if by_range else summary.deviation
        centred = standardize and not sparse
        often_zero = centred & (summary.zero_share >= sparse_from)
        ordered = _by_size(list(levels), [len(names) for names in levels.values()])
        trained = slice(None) if rows is None else rows
        encoder = cls(
            predictors=(*ordered, *numeric),
            levels=tuple(levels[name] for name in ordered),
            use_all_factor_levels=use_all_factor_levels,
            subtrahend=np.where(centred & ~often_zero, summary.mean, 0.0),
            multiplier=1.0 / np.where(unit > 0, unit, 1.0) if standardize else np.ones(len(numeric)),
            imputed=np.where(often_zero, 0.0, summary.mean),
            missing_seen=np.array([bool((columns[name].values[trained] < 0).any()) for name in ordered], np.bool_),
            times=tuple(name for name in numeric if columns[name].is_time),
            recoding=recoding,
        )
        if max_categorical_features is None or encoder.n_categorical_inputs <= max_categorical_features:
            return encoder
        return replace(encoder, n_slots=max_categorical_features, hash_seed=hash_seed)

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of the categorical predictors, in encoded order."""
        return self.predictors[: len(self.levels)]

    @property
    def numeric(self) -> tuple[str, ...]:
        """Names of the numeric predictors, in encoded order."""
        return self.predictors[len(self.levels) :]

    @functools.cached_property
    def schema(self) -> dict[str, Kind]:
        """The columns that a table must have, as recoding finds them, and what each must be."""
        kinds: dict[str, Kind] = {}
        for i, name in enumerate(self.predictors):
            source = self.recoding.sources.get(name)
            kind: Kind = "time" if name in self.times else "categorical" if i < len(self.levels) else "numeric"
            kinds[source or name] = "categorical" if source else kind
        return kinds

    @functools.cached_property
    def cat_offsets(self) -> np.ndarray:
        """First indicator of each categorical predictor, and last their number; int64, shape (n_categorical + 1,).

        An indicator, of a level or of missing, is an input of its own unless indicators are hashed.
        """
        widths = [len(levels) + self.use_all_factor_levels for levels in self.levels]
        return np.cumsum([0, *widths], dtype=np.int64)

    @functools.cached_property
    def column_groups(self) -> list[tuple[str, ...]]:
        """The columns of the schema, in order; hashed ones together, for they share their inputs."""
        hashed = () if self.n_slots is None else self.categorical
        return [*([hashed] if hashed else []), *((name,) for name in self.schema if name not in hashed)]

    @functools.cached_property
    def input_groups(self) -> np.ndarray:
        """Which of `column_groups` each input belongs to; ascending int64, shape (n_inputs,)."""
        group_of = {name: i for i, names in enumerate(self.column_groups) for name in names}
        groups = [group_of[self.recoding.sources.get(name, name)] for name in self.predictors]
        widths = np.diff(self.cat_offsets)
        if self.n_slots is not None:
            widths = np.array([self.n_slots, *(0 for _ in self.categorical[1:])])
        return np.repeat(np.array(groups, np.int64), [*widths, *(1 for _ in self.numeric)])

    @property
    def column_starts(self) -> np.ndarray:
        """First input of each of `column_groups`, then the number of inputs; int64, shape (n_groups + 1,)."""
        return np.searchsorted(self.input_groups, np.arange(len(self.column_groups) + 1))

    @property
    def n_categorical_inputs(self) -> int:
        """Number of inputs of the network that stand for levels or missing."""
        return int(self.cat_offsets[-1]) if self.n_slots is None else self.n_slots

    @property
    def n_inputs(self) -> int:
        """Number of inputs of the network."""
        return self.n_categorical_inputs + len(self.numeric)

    @functools.cached_property
    def input_names(self) -> tuple[str, ...]:
        """Name of each input: ``column.level``, ``column.missing(NA)`` or, of a numeric predictor, ``column``.

        An input that indicators are hashed to is called ``slot.0``, ``slot.1``, ...
        """
        if self.n_slots is not None:
            return (*(f"slot.{slot}" for slot in range(self.n_slots)), *self.numeric)
        first = 0 if self.use_all_factor_levels else 1
        indicators = (
            f"{name}.{level}"
            for name, levels in zip(self.categorical, self.levels, strict=True)
            for level in (*levels[first:], "missing(NA)")
        )
        return (*indicators, *self.numeric)

    def encode(
        self, table: Table, adaptation: Adaptation | None = None, precision: type = np.float32
    ) -> tuple[np.ndarray, np.ndarray]:
        """The table's rows as indices of active inputs and numbers.

        Parameters
        ----------
        table : the training table or another one: columns are matched by name.
        adaptation : collects absent predictors and unseen levels, both of which are treated as missing.
        precision : type of the numbers.

        Returns
        -------
        levels : ndarray of int32, shape (n_rows, n_categorical); -1 for the first level when it has no input.
        numbers : ndarray of this precision, shape (n_rows, n_numeric)

        Raises
        ------
        DataError : the table has no predictor at all, text where training had numbers or numbers where training had
            text that does not look like numbers; or a number is infinite or too large for float32.
        """
        table, adaptation = self._adapted(table, adaptation)
        return self._encode_levels(table, adaptation), self._encode_numbers(table, precision)

    def encode_rows(
        self, table: Table, adaptation: Adaptation | None = None, precision: type = np.float32
    ) -> EncodedRows:
        """The table's predictors as the kernels see them: without zeros if some are columns of a sparse matrix.

        Takes and raises what `encode` does.
        """
        table, adaptation = self._adapted(table, adaptation)
        levels = self._encode_levels(table, adaptation)
        if not any(isinstance(table[name], SparseColumn) for name in self.numeric):
            return EncodedRows(levels, self._encode_numbers(table, precision))
        columns = [
            column if isinstance(column := table[name], SparseColumn) else Column(numbers(table, name))
            for name in self.numeric
        ]
        scaling = Scaling(self.subtrahend, self.multiplier, self.imputed)
        starts, places, entries = encode_sparse(columns, table.n_rows, scaling, precision)
        wrong = ~np.isfinite(entries)
        if wrong.any():
            raise too_large(table, self.numeric[int(places[wrong].min())])
        return EncodedRows(
            levels, np.empty((0, len(columns)), precision), starts=starts, places=places, entries=entries
        )

    def _adapted(self, table: Table, adaptation: Adaptation | None) -> tuple[Table, Adaptation]:
        """The table with the columns that the network has inputs for."""
        adaptation = adaptation or Adaptation(table.name)
        if self.schema and not any(name in table for name in self.schema):
            raise DataError(
                f"{table.name} has none of the model's predictors ({listed(self.schema)}); give a table with "
                "columns of these names."
            )
        return self.recoding.apply(adaptation.complete(table, self.schema), adaptation), adaptation

    def _encode_levels(self, table: Table, adaptation: Adaptation) -> np.ndarray:
        """The active input of each categorical predictor."""
        encoded = np.empty((table.n_rows, len(self.levels)), np.int32)
        for i, name in enumerate(self.categorical):
            values, own_codes = adaptation.match_levels(table, name, self._codes[i])
            encoded[:, i] = self._inputs[i][own_codes][values]
        return encoded

    def _encode_numbers(self, table: Table, precision: type) -> np.ndarray:
        """The standardised numeric predictors."""
        encoded: np.ndarray = np.empty((table.n_rows, len(self.numeric)), precision)
        subtrahend, multiplier, imputed = (x[:, np.newaxis] for x in (self.subtrahend, self.multiplier, self.imputed))
        for rows, tile in numeric_tiles([numbers(table, name) for name in self.numeric]):
            np.copyto(tile, imputed, where=np.isnan(tile))
            with np.errstate(over="ignore"):
                tile -= subtrahend
                tile *= multiplier
                encoded[rows] = tile.T
            finite = np.isfinite(encoded[rows]).all(axis=0)
            if not finite.all():
                raise too_large(table, self.numeric[int(finite.argmin())])
        return encoded

    @functools.cached_property
    def _codes(self) -> list[dict[str, int]]:
        """Index of each level, by categorical predictor."""
        return [level_codes(levels) for levels in self.levels]

    @functools.cached_property
    def _inputs(self) -> list[np.ndarray]:
        """The input of each level, by categorical predictor, and last that of missing, where -1 looks it up."""
        dropped = np.full(0 if self.use_all_factor_levels else 1, -1, np.int32)
        return [
            np.concatenate([dropped, self._slots[start:end]])
            for start, end in itertools.pairwise(self.cat_offsets.tolist())
        ]

    @functools.cached_property
    def _slots(self) -> np.ndarray:
        """The input of each indicator, int32."""
        n_indicators = int(self.cat_offsets[-1])
        if self.n_slots is None:
            return np.arange(n_indicators, dtype=np.int32)
        return slots_of(n_indicators, self.n_slots, self.hash_seed)

    def select(self, columns: Container[str]) -> RowEncoder:
        """The encoder of some of the columns of the schema, whole groups of them."""
        kept = np.array([self.recoding.sources.get(name, name) in columns for name in self.predictors], np.bool_)
        of_levels, of_numbers = kept[: len(self.levels)], kept[len(self.levels) :]
        predictors = tuple(itertools.compress(self.predictors, kept))
        return replace(
            self,
            predictors=predictors,
            levels=tuple(itertools.compress(self.levels, of_levels)),
            subtrahend=self.subtrahend[of_numbers],
            multiplier=self.multiplier[of_numbers],
            imputed=self.imputed[of_numbers],
            missing_seen=self.missing_seen[of_levels],
            times=tuple(name for name in self.times if name in predictors),
            recoding=self.recoding.select(columns),
            n_slots=self.n_slots if of_levels.any() else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain lists, strings and numbers."""
        return {
            "predictors": list(self.predictors),
            "levels": [list(levels) for levels in self.levels],
            "use_all_factor_levels": self.use_all_factor_levels,
            "subtrahend": self.subtrahend.tolist(),
            "multiplier": self.multiplier.tolist(),
            "imputed": self.imputed.tolist(),
            "missing_seen": self.missing_seen.tolist(),
            "times": list(self.times),
            "recoding": self.recoding.to_json(),
            "n_slots": self.n_slots,
            "hash_seed": self.hash_seed,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> RowEncoder:
        """The encoder that `to_json` described."""
        return cls(
            predictors=tuple(stored["predictors"]),
            levels=tuple(tuple(levels) for levels in stored["levels"]),
            use_all_factor_levels=stored["use_all_factor_levels"],
            subtrahend=np.array(stored["subtrahend"], np.float64),
            multiplier=np.array(stored["multiplier"], np.float64),
            imputed=np.array(stored["imputed"], np.float64),
            missing_seen=np.array(stored["missing_seen"], np.bool_),
            times=tuple(stored["times"]),
            recoding=Recoding.from_json(stored["recoding"]),
            n_slots=stored["n_slots"],
            hash_seed=stored["hash_seed"],
        )


def _by_size(names: list[str], sizes: list[int]) -> list[str]:
    """The names by decreasing size; equal sizes in the order that H2O's unstable exchange sort leaves them in."""
    order = list(range(len(names)))
    for i in range(len(order)):
        for j in range(i + 1, len(order)):
            if sizes[order[i]] < sizes[order[j]]:
                order[i], order[j] = order[j], order[i]
    return [names[i] for i in order]


def level_codes(levels: Sequence[str]) -> dict[str, int]:
    """Index of each level."""
    return {level: code for code, level in enumerate(levels)}


def too_large(table: Table, name: str) -> DataError:
    """The error for the column's infinite or largest number."""
    values = numbers(table, name)
    row = int(np.nanargmax(np.abs(values)))
    return DataError(
        f"column {name!r} of {table.name} must hold finite numbers of moderate size; got {values[row]:g} in "
        f"{table.place(row)}; leave the column out or make such values missing."
    )
