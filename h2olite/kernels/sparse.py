"""Scoring by a network most of whose weights are 0: only the others are kept, and multiplied.

Rows go through the layers in tiles. Matrices here have a row of TILE numbers for every unit, one for each row of the
tile, so that a weight meets all of them at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .activations import activate
from .compiling import entry, kernel, matrix, span
from .lanes import multiply_add
from .layout import TILE
from .losses import CLASS_QUADRATIC, CROSS_ENTROPY, softmax


class SparseLayers(NamedTuple):
    """The weights of all layers that are not 0, and the biases.

    Columns are the pre-activations of all layers, one after the other: a unit's, for Maxout both of a unit's.

    sizes : int64 (n_layers + 1,), units of each layer, the inputs first.
    columns : int64 (n_layers + 1,), where the columns of each layer start, and their number.
    starts : int64 (n_columns + 1,), where the weights into each column start, and their number.
    inputs, weights : int32 and float32, from which input of the layer, and the weight. Inputs for levels are left out.
    level_starts : int64 (n_levels + 1,), where the weights out of each level start, and their number.
    level_columns, level_weights : int32 and float32, to which column of the first layer, and the weight.
    biases : float32 (n_columns,).
    """

    sizes: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    inputs: np.ndarray
    weights: np.ndarray
    level_starts: np.ndarray
    level_columns: np.ndarray
    level_weights: np.ndarray
    biases: np.ndarray


class SparseWorkspace(NamedTuple):
    """One thread's scratch memory, float32: a layer's inputs (most inputs, TILE), and its pre-activations, flat."""

    activations: np.ndarray
    linear: np.ndarray


@entry
def predict_sparse_rows(layers, objective, rows, order, outputs, work):
    """Fill outputs (order.size, n_outputs) as `h2olite.kernels.rows.predict_rows` does."""
    last, n_outputs = layers.sizes.size - 2, outputs.shape[1]
    is_class = not objective.autoencoder and (objective.loss == CROSS_ENTROPY or objective.loss == CLASS_QUADRATIC)
    for start in range(0, order.size, TILE):
        tile = order[start : start + TILE]
        load_numbers(rows, tile, work.activations)
        for layer in range(last + 1):
            n_units, n_columns = layers.sizes[layer + 1], layers.columns[layer + 1] - layers.columns[layer]
            z = matrix(work.linear, 0, n_columns, TILE)
            multiply(layers, layers.columns[layer], work.activations, z)
            if layer == 0:
                add_levels(layers, rows, tile, z)
            if layer < last or objective.autoencoder:
                # The columns of a unit follow one another: as one row, one channel is behind the other.
                by_unit = matrix(work.linear, 0, n_units, n_columns // n_units * TILE)
                kept = np.float32(1) - objective.dropout[layer + 1]
                for u in range(n_units):
                    activate(objective.activation, by_unit, work.activations, u, span(0, work.activations.shape[1]))
                    for r in range(TILE):
                        work.activations[u, r] *= kept
        results = work.activations if objective.autoencoder else matrix(work.linear, 0, n_outputs, TILE)
        for r in range(tile.size):
            for k in range(n_outputs):
                outputs[start + r, k] = results[k, r]
            if is_class:
                softmax(outputs, start + r, n_outputs)


@kernel
def load_numbers(rows, tile, x):
    """Fill x with the numeric inputs of the tile's rows."""
    for j in range(rows.numbers.shape[1]):
        for r in range(tile.size):
            x[j, r] = rows.numbers[tile[r], j]


@kernel
def multiply(layers, first, x, z):
    """Fill z with the biases and the inputs x times the weights of a layer whose columns start with the given one."""
    for c in range(z.shape[0]):
        for r in range(TILE):
            z[c, r] = layers.biases[first + c]
        begin, end = layers.starts[first + c], layers.starts[first + c + 1]
        fours = end - (end - begin) % 4
        for k in range(begin, fours, 4):
            i0, i1, i2, i3 = layers.inputs[k], layers.inputs[k + 1], layers.inputs[k + 2], layers.inputs[k + 3]
            w0, w1, w2, w3 = layers.weights[k], layers.weights[k + 1], layers.weights[k + 2], layers.weights[k + 3]
            for r in range(TILE):
                two = multiply_add(w1, x[i1, r], multiply_add(w0, x[i0, r], z[c, r]))
                z[c, r] = multiply_add(w3, x[i3, r], multiply_add(w2, x[i2, r], two))
        for k in range(fours, end):
            for r in range(TILE):
                z[c, r] = multiply_add(layers.weights[k], x[layers.inputs[k], r], z[c, r])


@kernel
def add_levels(layers, rows, tile, z):
    """Add the weights out of the levels of the tile's rows to z."""
    for r in range(tile.size):
        for column in range(rows.levels.shape[1]):
            level = rows.levels[tile[r], column]
            if level >= 0:
                for k in range(layers.level_starts[level], layers.level_starts[level + 1]):
                    z[layers.level_columns[k], r] += layers.level_weights[k]
