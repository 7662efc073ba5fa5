"""Numeric columns as the inputs that they become, cell by cell: scaled, and bent by curves if there are some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .curves import Cells, Curves, PiecewiseLinear
from .sparse import ENTRIES_AT_A_TIME, Scaling, SparseColumn, matrices_of, rows_together
from .summary import numeric_tiles
from .table import Column


class Block(NamedTuple):
    """Cells of some consecutive rows; all of them, but for the zeros of sparse matrices.

    rows : slice, the rows.
    row_of, columns : int64 (n_cells,), the row of each cell, counted from the first of these, and its column.
    values : float64 (n_cells,), NaN where missing.
    """

    rows: slice
    row_of: np.ndarray
    columns: np.ndarray
    values: np.ndarray


MOST_SHORT = 1 << 16
"""Rows whose numbers fit in 16 bits, which NumPy sorts several times faster than longer ones."""


def n_rows_of(block: Block) -> int:
    """How many rows a block has."""
    return block.rows.stop - block.rows.start


def encode_dense(
    columns: Sequence[np.ndarray], n_rows: int, scaling: Scaling, curves: Curves | None, precision: type
) -> tuple[np.ndarray, int | None]:
    """Encode numeric columns that have one input each.

    Returns
    -------
    encoded : ndarray of this precision, shape (n_rows, n_columns)
    wrong : the first column with a number that is infinite or too large, None without one.
    """
    encoded: np.ndarray = np.empty((n_rows, len(columns)), precision)
    subtrahend, multiplier, imputed = (x[:, np.newaxis] for x in scaling)
    for rows, tile in numeric_tiles(columns):
        np.copyto(tile, imputed, where=np.isnan(tile))
        finite = np.isfinite(tile).all(axis=1)
        values = tile.copy() if curves is not None else tile
        with np.errstate(over="ignore", invalid="ignore"):
            tile -= subtrahend
            tile *= multiplier
            if curves is not None:
                of_cells = np.repeat(np.arange(len(columns)), tile.shape[1])
                tile = curves.bend(tile.ravel(), values.ravel(), of_cells).reshape(tile.shape)
            encoded[rows] = tile.T
        finite &= np.isfinite(encoded[rows]).all(axis=0)
        if not finite.all():
            return encoded, int(finite.argmin())
    return encoded, None


def encode_entries(
    columns: Sequence[Column], n_rows: int, scaling: Scaling, curves: Curves, precision: type
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int | None]:
    """Encode numeric columns by curves as inputs that are not 0, in the order of the rows.

    A zero of a sparse matrix must become no such input.

    Returns
    -------
    starts : ndarray of int64, shape (n_rows + 1,): where the entries of each row start, and their number.
    places : ndarray of int32, shape (n_entries,): the input of each entry, counted from the first one of numbers.
    numbers : ndarray of this precision, shape (n_entries,)
    wrong : the first column found with a number that is infinite or too large, None without one.
    """
    lengths = np.zeros(n_rows, np.int64)
    places: list[np.ndarray] = [np.empty(0, np.int32)]
    numbers: list[np.ndarray] = [np.empty(0, precision)]
    wrong = None
    with_own = curves.missing if isinstance(curves, PiecewiseLinear) else np.zeros(len(columns), np.bool_)
    for block in _blocks(columns, n_rows):
        of_cells, values = block.columns, block.values
        imputed = np.isnan(values) & ~with_own[of_cells]
        values[imputed] = scaling.imputed[of_cells[imputed]]
        infinite = np.isinf(values)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (values - scaling.subtrahend[of_cells]) * scaling.multiplier[of_cells]
            if isinstance(curves, PiecewiseLinear):
                made = curves.cells(scaled, values, of_cells)
            else:
                bent = curves.bend(scaled, values, of_cells)
                cells = np.flatnonzero(bent)
                made = Cells(cells, of_cells[cells], bent[cells])
            of_block: np.ndarray = made.numbers.astype(precision)
        infinite[made.cells[~np.isfinite(of_block)]] = True
        if wrong is None and infinite.any():
            wrong = int(of_cells[infinite].min())
        rows = block.row_of[made.cells]
        order = np.argsort(rows.astype(np.uint16) if n_rows_of(block) <= MOST_SHORT else rows, kind="stable")
        lengths[block.rows] = np.bincount(rows, minlength=n_rows_of(block))
        places.append(made.inputs[order].astype(np.int32))
        numbers.append(of_block[order])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return starts, np.concatenate(places), np.concatenate(numbers), wrong


def _blocks(columns: Sequence[Column], n_rows: int) -> Iterator[Block]:
    """The cells of all rows, some rows at a time."""
    dense = [j for j, column in enumerate(columns) if not isinstance(column, SparseColumn)]
    values = [columns[j].values for j in dense]
    matrices = matrices_of(columns)
    for rows in rows_together(matrices, n_rows, max(1, ENTRIES_AT_A_TIME // max(len(dense), 1))):
        height = rows.stop - rows.start
        parts = [(np.tile(np.arange(height), len(dense)), np.repeat(np.array(dense, np.int64), height))]
        cells = [np.array([column[rows] for column in values], np.float64).ravel()]
        for matrix, index in matrices:
            entries = matrix.part(rows)
            of_entries = index[entries.columns]
            known = of_entries >= 0
            parts.append((entries.row_of[known], of_entries[known]))
            cells.append(entries.values[known])
        row_of, of_cells = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        yield Block(rows, row_of, of_cells, np.concatenate(cells))
