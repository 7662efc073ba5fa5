"""Numeric columns of mostly zeros that are kept together as a matrix in compressed sparse rows.

Matrices of SciPy are recognised by their methods: SciPy itself is not imported.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from h2olite.errors import DataError
from h2olite.machine.memory import refuse_lack_of_memory

from .summary import NumericSummary, summarise
from .table import Column

ENTRIES_AT_A_TIME = 1 << 17
"""About how many entries are worked on at a time: what is made of them takes some 10 MB."""


PER_ROW, PER_COLUMN, PER_ENTRY = 8, 1024, 12
"""Bytes that a row, a column with its name and an entry take."""


class Entries(NamedTuple):
    """The entries of some consecutive rows.

    rows : slice, the rows.
    row_of : int64, the row of each entry, counted from the first of these rows.
    columns : int32 or int64, the column of each entry.
    values : float64, each entry.
    """

    rows: slice
    row_of: np.ndarray
    columns: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class SparseNumbers:
    """A matrix of numbers of which only the entries are stored. A place without an entry is 0; NaN is missing.

    Parameters
    ----------
    starts : ndarray of int, shape (n_rows + 1,): where the entries of each row start, and where those of the last end.
    columns : ndarray of int, shape (n_entries,): the column of each entry, no column twice in a row.
    values : ndarray of numbers, shape (n_entries,)
    n_columns : number of columns.
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    n_columns: int

    @classmethod
    def of(cls, matrix: Any, name: str) -> SparseNumbers:
        """The numbers of a sparse matrix or array of SciPy. It is not changed, and not copied if it is CSR.

        Raises
        ------
        DataError : it does not contain real numbers, or has no column.
        LackOfMemoryError : it has too many rows or columns.
        """
        if matrix.ndim != 2 or matrix.shape[1] == 0 or matrix.dtype.kind not in "biuf":
            raise DataError(
                f"{name} must be a matrix of real numbers with a column or more; got {type(matrix).__name__} of "
                f"{matrix.dtype} and shape {matrix.shape}."
            )
        refuse_too_large_matrix(matrix, name)
        rows = matrix.tocsr()
        if not rows.has_canonical_format:
            rows = rows.copy() if rows is matrix else rows
            rows.sum_duplicates()
        return cls(rows.indptr, rows.indices, rows.data, rows.shape[1])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.starts.size - 1

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return self.starts.nbytes + self.columns.nbytes + self.values.nbytes

    def named(self, names: list[str]) -> dict[str, Column]:
        """The columns, with these names."""
        return {name: SparseColumn(self, place) for place, name in enumerate(names)}

    def take(self, rows: np.ndarray) -> SparseNumbers:
        """Only these rows, by their indices, in this order."""
        lengths = (self.starts[1:] - self.starts[:-1])[rows]
        starts = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        columns = np.empty(starts[-1], self.columns.dtype)
        values = np.empty(starts[-1], self.values.dtype)
        for some in row_ranges(starts):
            of_some = rows[some]
            begin, end = starts[some.start], starts[some.stop]
            shifts = np.repeat(self.starts[:-1][of_some] - starts[some], lengths[some])
            entries = np.arange(begin, end) + shifts
            columns[begin:end], values[begin:end] = self.columns[entries], self.values[entries]
        return SparseNumbers(starts, columns, values, self.n_columns)

    def column(self, place: int) -> np.ndarray:
        """One column with its zeros; float64 (n_rows,)."""
        entries = np.flatnonzero(self.columns == place)
        values = np.zeros(self.n_rows)
        values[np.searchsorted(self.starts, entries, side="right") - 1] = self.values[entries]
        return values

    def parts(self) -> Iterator[Entries]:
        """All entries, some rows at a time."""
        return map(self.part, row_ranges(self.starts))

    def part(self, rows: slice) -> Entries:
        """The entries of a range of rows."""
        span = slice(int(self.starts[rows.start]), int(self.starts[rows.stop]))
        lengths = np.diff(self.starts[rows.start : rows.stop + 1])
        row_of = np.repeat(np.arange(rows.stop - rows.start), lengths)
        return Entries(rows, row_of, self.columns[span], self.values[span].astype(np.float64))

    def summarise(self, weights: np.ndarray | None = None) -> NumericSummary:
        """The statistics of all columns; see `NumericSummary`.

        weights : shape (n_rows,); 1 each if not given.
        """
        n_counted = self.n_rows if weights is None else np.count_nonzero(weights > 0)
        total = float(n_counted if weights is None else weights.sum())
        n_missing, n_nonzero = np.zeros(self.n_columns, np.int64), np.zeros(self.n_columns, np.int64)
        missing, nonzero, sums, squares = (np.zeros(self.n_columns) for _ in range(4))
        low, high = np.full(self.n_columns, np.inf), np.full(self.n_columns, -np.inf)

        def add(to: np.ndarray, columns: np.ndarray, shares: np.ndarray | None = None) -> None:
            to += np.bincount(columns, shares, self.n_columns).astype(to.dtype, copy=False)

        with np.errstate(over="ignore", invalid="ignore"):
            for columns, values, shares in self._counted(weights):
                unknown, other = np.isnan(values), values != 0
                if unknown.any():
                    add(n_missing, columns[unknown])
                    add(missing, columns[unknown], shares[unknown])
                    other &= ~unknown
                columns, values, shares = columns[other], values[other], shares[other]
                add(n_nonzero, columns)
                add(nonzero, columns, shares)
                add(sums, columns, shares * values)
                np.minimum.at(low, columns, values)
                np.maximum.at(high, columns, values)
            weight = total - missing
            mean = np.divide(sums, weight, out=np.zeros(self.n_columns), where=weight > 0)
            for columns, values, shares in self._counted(weights):
                known = ~np.isnan(values) & (values != 0)
                columns, values = columns[known], values[known]
                add(squares, columns, shares[known] * (values - mean[columns]) ** 2)
            squares += (weight - nonzero) * mean**2
        count = n_counted - n_missing
        has_zeros = n_nonzero < count
        return NumericSummary(
            count=count,
            weight=weight,
            mean=mean,
            squares=squares,
            zeros=weight - nonzero,
            low=np.where(has_zeros, np.minimum(low, 0.0), low),
            high=np.where(has_zeros, np.maximum(high, 0.0), high),
        )

    def _counted(self, weights: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Columns, values and weights of the entries in rows with a weight above 0."""
        for rows, row_of, columns, values in self.parts():
            if weights is None:
                yield columns, values, np.ones(columns.size)
            else:
                shares = weights[rows][row_of]
                counted = shares > 0
                yield columns[counted], values[counted], shares[counted]

    @functools.cached_property
    def summary(self) -> NumericSummary:
        """The statistics of all columns, every row counting the same."""
        return self.summarise()

    @functools.cached_property
    def digest(self) -> bytes:
        """Bytes that differ for different numbers."""
        digest = hashlib.blake2b(repr(self.n_columns).encode(), digest_size=16)
        for array, kind in ((self.starts, np.int64), (self.columns, np.int32), (self.values, np.float64)):
            for start in range(0, array.size, ENTRIES_AT_A_TIME):
                digest.update(array[start : start + ENTRIES_AT_A_TIME].astype(kind).data)
        return digest.digest()


class SparseColumn(Column):
    """A column of a sparse matrix. Its values are computed on request, and not kept."""

    def __init__(self, matrix: SparseNumbers, place: int) -> None:
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "place", place)

    matrix: SparseNumbers
    place: int

    @property
    def values(self) -> np.ndarray:
        """float64 (n_rows,), with NaN where missing."""
        return self.matrix.column(self.place)

    @property
    def zero_share(self) -> float:
        """The share of zeros among its numbers."""
        summary = self.matrix.summary
        return float(summary.zeros[self.place] / max(summary.weight[self.place], 1))

    @property
    def n_missing(self) -> int:
        """How many rows have no value."""
        return self.matrix.n_rows - int(self.matrix.summary.count[self.place])

    def has_values(self, least: int) -> bool:
        """Whether at least this many (1 or 2) different values occur."""
        low, high = self.matrix.summary.low[self.place], self.matrix.summary.high[self.place]
        return bool(low <= high if least == 1 else low < high)

    @property
    def nbytes(self) -> int:
        """Its share of the bytes of the matrix."""
        return -(-self.matrix.nbytes // self.matrix.n_columns)

    @property
    def contents(self) -> bytes:
        """Bytes that differ for different columns: the digest of the matrix, and the index of the column."""
        return self.matrix.digest + repr(self.place).encode()

    def take(self, rows: np.ndarray, taken: dict[int, Any] | None = None) -> Column:
        """The column with only these rows, by their indices; columns of one matrix stay together by `taken`."""
        taken = {} if taken is None else taken
        key = id(self.matrix)
        if key not in taken:
            taken[key] = self.matrix.take(rows)
        return SparseColumn(taken[key], self.place)


class Scaling(NamedTuple):
    """How numeric columns are encoded, float64, one entry a column: a number x as (x - subtrahend) * multiplier.

    `imputed` replaces a missing number.
    """

    subtrahend: np.ndarray
    multiplier: np.ndarray
    imputed: np.ndarray


def scaling_of(
    summary: NumericSummary,
    *,
    standardize: bool,
    sparse: bool,
    sparse_from: float,
    by_range: bool = False,
    keeps_zeros: np.ndarray | bool = False,
) -> tuple[Scaling, np.ndarray]:
    """How columns with these statistics are shifted, scaled and imputed, and which of them are not centred.

    keeps_zeros : columns that are not centred, whatever share of zeros they have.
    """
    unit = summary.range if by_range else summary.deviation
    centred = standardize and not sparse
    often_zero = (centred & (summary.zero_share >= sparse_from)) | keeps_zeros
    scaling = Scaling(
        subtrahend=np.where(centred & ~often_zero, summary.mean, 0.0),
        multiplier=1.0 / np.where(unit > 0, unit, 1.0) if standardize else np.ones(unit.size),
        imputed=np.where(often_zero, 0.0, summary.mean),
    )
    return scaling, often_zero


def matrices_of(columns: Sequence[Column]) -> list[tuple[SparseNumbers, np.ndarray]]:
    """The matrices that columns belong to; where each of their columns is among these, int32, -1 where it is not."""
    found: dict[int, tuple[SparseNumbers, np.ndarray]] = {}
    for j, column in enumerate(columns):
        if isinstance(column, SparseColumn):
            matrix = column.matrix
            _, index = found.setdefault(id(matrix), (matrix, np.full(matrix.n_columns, -1, np.int32)))
            index[column.place] = j
    return list(found.values())


def rows_together(matrices: Sequence[tuple[SparseNumbers, np.ndarray]], n_rows: int, most: int) -> Iterator[slice]:
    """The ranges of rows that `row_ranges` makes of the entries of all matrices."""
    ends = np.zeros(n_rows + 1, np.int64)
    for matrix, _ in matrices:
        ends += matrix.starts
    return row_ranges(ends, most)


def encode_sparse(
    columns: Sequence[Column], n_rows: int, scaling: Scaling, precision: type
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int | None]:
    """Encode numeric columns, some of them sparse, as entries that are not 0, in the order of the rows.

    In a centred column, zeros become other numbers, and so entries.

    Returns
    -------
    starts : ndarray of int64, shape (n_rows + 1,): where the entries of each row start, and their number.
    places : ndarray of int32, shape (n_entries,): the column of each entry.
    numbers : ndarray of this precision, shape (n_entries,)
    wrong : the first column with a number that is infinite or too large, None without one.
    """
    whole = [
        j for j, column in enumerate(columns) if not isinstance(column, SparseColumn) or scaling.subtrahend[j] != 0
    ]
    matrices = matrices_of(columns)
    in_tile = np.full(len(columns), -1, np.int64)
    in_tile[whole] = np.arange(len(whole))
    dense = {j: columns[j].values for j in whole if not isinstance(columns[j], SparseColumn)}
    of_tile = Scaling(*(array[whole] for array in scaling))
    starts = np.zeros(n_rows + 1, np.int64)
    size = sum(matrix.values.size for matrix, _ in matrices)
    all_places: np.ndarray = np.empty(size, np.int32)
    numbers: np.ndarray = np.empty(size, precision)
    end = 0
    widest = max(1, ENTRIES_AT_A_TIME // max(len(whole), 1))
    for rows in rows_together(matrices, n_rows, widest):
        height = rows.stop - rows.start
        tile = np.zeros((height, len(whole)))
        for j, values in dense.items():
            tile[:, in_tile[j]] = values[rows]
        found = []
        for matrix, index in matrices:
            entries = matrix.part(rows)
            places = index[entries.columns]
            known = places >= 0
            row_of, places, values = entries.row_of[known], places[known], entries.values[known]
            if whole:
                is_whole = in_tile[places] >= 0
                tile[row_of[is_whole], in_tile[places[is_whole]]] = values[is_whole]
                row_of, places, values = row_of[~is_whole], places[~is_whole], values[~is_whole]
            missing = np.isnan(values)
            if missing.any():
                values[missing] = scaling.imputed[places[missing]]
            found.append((row_of, places, values * scaling.multiplier[places]))
        if whole:
            np.copyto(tile, of_tile.imputed, where=np.isnan(tile))
            tile -= of_tile.subtrahend
            tile *= of_tile.multiplier
            row_of, at = np.nonzero(tile)
            found.append((row_of, np.array(whole, np.int32)[at], tile[row_of, at]))
        row_of, places, values = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        if len(found) > 1:
            order = np.argsort(row_of, kind="stable")
            row_of, places, values = row_of[order], places[order], values[order]
        starts[rows.start + 1 : rows.stop + 1] = np.bincount(row_of, minlength=height)
        begin, end = end, end + values.size
        if end > all_places.size:
            _resize(end + end // 4, all_places, numbers)
        with np.errstate(over="ignore"):
            all_places[begin:end], numbers[begin:end] = places, values
    _resize(end, all_places, numbers)
    infinite = ~np.isfinite(numbers)
    return np.cumsum(starts), all_places, numbers, int(all_places[infinite].min()) if infinite.any() else None


def _resize(size: int, *arrays: np.ndarray) -> None:
    """Make arrays longer or shorter in their place: a copy would take their memory once more."""
    for array in arrays:
        array.resize(size, refcheck=False)


def refuse_too_large_matrix(matrix: Any, name: str) -> None:
    """Check that a sparse matrix can be read by rows, and its columns by name.

    Raises
    ------
    LackOfMemoryError
    """
    (n_rows, n_columns), n_entries = matrix.shape, matrix.nnz
    needed = PER_ROW * n_rows + PER_COLUMN * n_columns + PER_ENTRY * n_entries
    refuse_lack_of_memory(name, needed, "give fewer rows or columns")


def summarise_columns(columns: Sequence[Column], weights: np.ndarray | None = None) -> NumericSummary:
    """The statistics of numeric columns, some of which may be sparse; see `summarise`."""
    dense = [j for j, column in enumerate(columns) if not isinstance(column, SparseColumn)]
    parts = [(dense, summarise([columns[j].values for j in dense], weights))]
    matrices: dict[int, SparseNumbers] = {}
    found: dict[int, list[tuple[int, int]]] = {}
    for j, column in enumerate(columns):
        if isinstance(column, SparseColumn):
            matrices[id(column.matrix)] = column.matrix
            found.setdefault(id(column.matrix), []).append((j, column.place))
    for key, matrix in matrices.items():
        of_matrix = matrix.summary if weights is None else matrix.summarise(weights)
        parts.append(([j for j, _ in found[key]], of_matrix.take([place for _, place in found[key]])))
    order = np.argsort(np.concatenate([np.array(of_part, np.int64) for of_part, _ in parts]))
    return NumericSummary.joined([summary for _, summary in parts]).take(order)


def row_ranges(starts: np.ndarray, most: int = ENTRIES_AT_A_TIME) -> Iterator[slice]:
    """Consecutive ranges of at most so many rows with some ENTRIES_AT_A_TIME entries each, but for a longer row."""
    n_rows, row = starts.size - 1, 0
    while row < n_rows:
        end = int(np.searchsorted(starts, starts[row] + ENTRIES_AT_A_TIME, side="right")) - 1
        end = min(max(end, row + 1), n_rows, row + most)
        yield slice(row, end)
        row = end
