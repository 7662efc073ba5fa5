"""Turns typed columns into the arrays of the kernels: float32 numbers and int32 indices of active inputs."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from h2olite.errors import DataError
from h2olite.settings.parameters import NumericEncoding

from .adaptation import Adaptation, listed, numbers
from .cells import encode_dense, encode_entries
from .curve_fitting import NumericColumns, fit_curves
from .curves import Curves, curves_from_json
from .hashing import slots_of
from .recoding import Recoding
from .sparse import Scaling, SparseColumn, encode_sparse, scaling_of, summarise_columns
from .summary import NumericSummary
from .table import Column, Kind, Table

NONE = np.empty(0, np.float32)
"""Stands for values that a table has none of, such as row weights."""

FEW_NUMBERS, SAMPLED_ROWS = 0.05, 1000
"""Share of numbers that are not 0 below which these count in place of all, and about how many rows tell it."""

NO_STARTS, NO_PLACES = np.empty(0, np.int64), np.empty(0, np.int32)
"""Stand for where entries are, in rows that are kept with their zeros."""


class EncodedRows(NamedTuple):
    """Encoded rows for the kernels, as C-contiguous, writable arrays."""

    levels: np.ndarray
    """int32, shape (n_rows, n_categorical): the active input of each categorical predictor, -1 for none."""
    numbers: np.ndarray
    """float32, shape (n_rows, n_number_inputs): encoded numeric predictors, imputed, never NaN."""
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
    """int32, shape (n_entries,): the input of each entry, counted from the first of numbers; none twice in a row."""
    entries: np.ndarray = NONE
    """float32, shape (n_entries,): the numbers that are not 0."""

    @property
    def is_sparse(self) -> bool:
        """Whether numbers are stored without zeros."""
        return self.starts.size > 0

    def dense(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of some rows with their zeros, shape (number of these rows, n_number_inputs)."""
        if not self.is_sparse:
            return self.numbers[rows]
        made = np.zeros((len(rows), self.numbers.shape[1]), self.entries.dtype)
        lengths = np.diff(self.starts)[rows]
        shifts = np.repeat(self.starts[:-1][rows] - np.cumsum(lengths) + lengths, lengths)
        entries = np.arange(shifts.size) + shifts
        made[np.repeat(np.arange(len(rows)), lengths), self.places[entries]] = self.entries[entries]
        return made

    def largest_numbers(self, rows: np.ndarray) -> np.ndarray:
        """The largest absolute value that each input of numbers has in some rows; shape (n_number_inputs,)."""
        if not self.is_sparse:
            return np.abs(self.numbers[rows]).max(axis=0, initial=0.0)
        largest = np.zeros(self.numbers.shape[1], self.entries.dtype)
        for row in rows.tolist():
            span = slice(self.starts[row], self.starts[row + 1])
            largest[self.places[span]] = np.maximum(largest[self.places[span]], np.abs(self.entries[span]))
        return largest

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

    The layout of the inputs is that of H2O. The categorical predictors come first, by decreasing number of levels. Each
    has one input for each level (except the first level, unless `use_all_factor_levels`) and one input for missing
    values. The numeric predictors follow, with one input each unless `curves` give them more. Missing and unknown
    levels activate the missing input. A missing number becomes the training mean, or 0 in a column of mostly zeros that
    is not centred. With hashing, levels and missing values share `n_slots` inputs instead.

    Parameters
    ----------
    predictors : names in encoded order, the categorical ones first, as the recoding leaves them.
    levels : of each categorical predictor.
    use_all_factor_levels : whether the first level of each categorical predictor has an input.
    subtrahend, multiplier : ndarray of float64, shape (n_numeric,); a number x is encoded as
        (x - subtrahend) * multiplier.
    imputed : ndarray of float64, shape (n_numeric,); replaces a missing number, in the units of the column.
    missing_seen : ndarray of bool, shape (n_categorical,); whether training activated the missing input.
    times : the numeric predictors that are times.
    recoding : changes the columns of the table before they are encoded.
    n_slots : number of inputs to which levels are hashed; None for one input for each level.
    hash_seed : the seed of the hash.
    curves : what encoded numbers become before the network sees them; None where they stay as they are.
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
    curves: Curves | None = None

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
        numeric_encoding: NumericEncoding = "Standardize",
        sparse: bool = False,
        sparse_from: float = 1.0,
        weights: np.ndarray | None = None,
        rows: np.ndarray | None = None,
        summarise: Callable[[Sequence[str]], NumericSummary] | None = None,
    ) -> RowEncoder:
        """Make the encoder of a training table.

        Parameters
        ----------
        table : the training table. All of its rows count for the statistics, unless it is a sample.
        predictors : names in the table's order (see `choose_predictors`).
        recoding : changes these columns first; no change if not given.
        max_categorical_features : if there are more inputs for levels and missing values, hash them to this number.
        hash_seed : of the hash.
        use_all_factor_levels : False leaves out the input of each categorical predictor's first level.
        standardize : scale numbers to mean 0 and standard deviation 1.
        by_range : scale to a range (largest less smallest value) of 1 instead.
        numeric_encoding : what else becomes of numbers, see `h2olite.data.curves`; needs `standardize`.
        sparse : with `standardize`, scale but do not centre, so that zeros stay zeros.
        sparse_from : do the same for columns with at least this share of zeros. In these, missing numbers become 0.
        weights : row weights, shape (n_rows,); rows of weight 0 do not count for the statistics.
        rows : indices of the rows that will be trained on, all if not given; decides `missing_seen`.
        summarise : of a sample, gives the statistics of numeric columns over the rows that it stands for.

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
        if summarise is not None:
            summary = summarise(numeric)
        else:
            summary = summarise_columns([columns[name] for name in numeric], weights)
        unusable = np.flatnonzero(~np.isfinite(summary.squares))
        if unusable.size:
            raise too_large(table, numeric[unusable[0]])
        # Curves would make every zero of a sparse matrix another number.
        keeps = [numeric_encoding != "Standardize" and isinstance(columns[name], SparseColumn) for name in numeric]
        scaling, often_zero = scaling_of(
            summary,
            standardize=standardize,
            by_range=by_range,
            sparse=sparse,
            sparse_from=sparse_from,
            keeps_zeros=np.array(keeps, np.bool_),
        )
        ordered = by_size(list(levels), [len(names) for names in levels.values()])
        trained = slice(None) if rows is None else rows
        bends = np.array([name not in recoding.sources for name in numeric], np.bool_)
        of_numbers = NumericColumns(
            [columns[name] for name in numeric], bends, often_zero, trained, weights, table.n_rows, scaling
        )
        curves, scaling = fit_curves(numeric_encoding, of_numbers)
        encoder = cls(
            predictors=(*ordered, *numeric),
            levels=tuple(levels[name] for name in ordered),
            use_all_factor_levels=use_all_factor_levels,
            **scaling._asdict(),
            missing_seen=np.array([bool((columns[name].values[trained] < 0).any()) for name in ordered], np.bool_),
            times=tuple(name for name in numeric if columns[name].is_time),
            recoding=recoding,
            curves=curves,
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
        """The columns that a table must have before recoding, and the kind of each."""
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
        """The index in `column_groups` to which each input belongs; ascending int64, shape (n_inputs,)."""
        group_of = {name: i for i, names in enumerate(self.column_groups) for name in names}
        groups = [group_of[self.recoding.sources.get(name, name)] for name in self.predictors]
        widths = np.diff(self.cat_offsets)
        if self.n_slots is not None:
            widths = np.array([self.n_slots, *(0 for _ in self.categorical[1:])])
        return np.repeat(np.array(groups, np.int64), [*widths, *np.diff(self.number_starts)])

    @property
    def column_starts(self) -> np.ndarray:
        """First input of each of `column_groups`, then the number of inputs; int64, shape (n_groups + 1,)."""
        return np.searchsorted(self.input_groups, np.arange(len(self.column_groups) + 1))

    @property
    def n_categorical_inputs(self) -> int:
        """Number of inputs of the network that stand for levels or missing."""
        return int(self.cat_offsets[-1]) if self.n_slots is None else self.n_slots

    @functools.cached_property
    def number_starts(self) -> np.ndarray:
        """First input of each numeric predictor, counted from the first one of all, and last the number of inputs.

        int64, shape (n_numeric + 1,).
        """
        widths = np.ones(len(self.numeric), np.int64) if self.curves is None else self.curves.widths
        return np.concatenate(([0], np.cumsum(widths, dtype=np.int64)))

    @property
    def n_inputs(self) -> int:
        """Number of inputs of the network."""
        return self.n_categorical_inputs + int(self.number_starts[-1])

    @functools.cached_property
    def input_names(self) -> tuple[str, ...]:
        """Name of each input: ``column.level``, ``column.missing(NA)`` or, of a numeric predictor, ``column``.

        An input that indicators are hashed to is called ``slot.0``, ``slot.1``, ... Curves name further inputs.
        """
        of_numbers = self.numeric if self.curves is None else self.curves.names(self.numeric)
        if self.n_slots is not None:
            return (*(f"slot.{slot}" for slot in range(self.n_slots)), *of_numbers)
        first = 0 if self.use_all_factor_levels else 1
        indicators = (
            f"{name}.{level}"
            for name, levels in zip(self.categorical, self.levels, strict=True)
            for level in (*levels[first:], "missing(NA)")
        )
        return (*indicators, *of_numbers)

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
        numbers : ndarray of this precision, shape (n_rows, n_number_inputs)

        Raises
        ------
        DataError : the table has no predictor at all, text where training had numbers or numbers where training had
            text that does not look like numbers; or a number is infinite or too large for float32.
        """
        rows = self.encode_rows(table, adaptation, precision)
        return rows.levels, rows.dense(np.arange(table.n_rows)) if rows.is_sparse else rows.numbers

    def encode_rows(
        self, table: Table, adaptation: Adaptation | None = None, precision: type = np.float32
    ) -> EncodedRows:
        """The table's predictors as the kernels see them: without zeros if some are columns of a sparse matrix.

        They are without zeros, too, where curves give a number several inputs. Takes and raises what `encode` does.
        """
        table, adaptation = self._adapted(table, adaptation)
        levels = self._encode_levels(table, adaptation)
        columns = [
            column if isinstance(column := table[name], SparseColumn) else Column(numbers(table, name))
            for name in self.numeric
        ]
        scaling = Scaling(self.subtrahend, self.multiplier, self.imputed)
        curves = None if self.curves is None or not self.curves.bent.any() else self.curves
        n_inputs = int(self.number_starts[-1])
        if n_inputs == len(columns) and not any(isinstance(column, SparseColumn) for column in columns):
            made, wrong = encode_dense([column.values for column in columns], table.n_rows, scaling, curves, precision)
            encoded = EncodedRows(levels, made)
        else:
            if curves is None:
                starts, places, entries, wrong = encode_sparse(columns, table.n_rows, scaling, precision)
            else:
                starts, places, entries, wrong = encode_entries(columns, table.n_rows, scaling, curves, precision)
            encoded = EncodedRows(
                levels, np.empty((0, n_inputs), precision), starts=starts, places=places, entries=entries
            )
        if wrong is not None:
            raise too_large(table, self.numeric[wrong])
        return encoded

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
            curves=None if self.curves is None else self.curves.select(of_numbers),
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
            "curves": None if self.curves is None else self.curves.to_json(),
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
            curves=curves_from_json(curves) if (curves := stored.get("curves")) else None,  # older files have none
        )


def by_size(names: list[str], sizes: list[int]) -> list[str]:
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
