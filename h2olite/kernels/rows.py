"""Entry points: train on encoded rows, and predict them.

Rows come as a named tuple of arrays (see `h2olite.data.encoding.EncodedRows`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .compiling import kernel
from .losses import CLASS_QUADRATIC, CROSS_ENTROPY, differentiate, softmax
from .passes import backward, forward, layer_slopes, layer_weights, scale_row
from .randomness import stream, uniform
from .updates import average, group_soft_threshold, soft_threshold, step_of


class Objective(NamedTuple):
    """What is minimised: a loss of `losses`, its shape parameter, the activation and the dropout ratios by layer."""

    loss: int
    shape: np.float32
    activation: int
    dropout: np.ndarray


@kernel
def train_rows(
    layout, theta, mean, first, second, objective, rule, rows, order, batch_size, rows_seen, stride, seed, work
):
    """Train on the rows in this order, one update per batch_size of them.

    theta, first, second : float32 (n_parameters,), the parameters and the update rule's memory, changed in place;
    other threads may change them at the same time (Hogwild, Recht et al. 2011): a lost update is harmless.
    mean : float32 (n_parameters,), the running average of theta, or (0,) in all threads but one.
    rows_seen : rows trained on before, by all threads; it grows by stride for every row here.
    """
    last, n_outputs = layout.widths.size - 1, layout.sizes[layout.widths.size]
    for start in range(0, order.size, batch_size):
        batch = order[start : start + batch_size]
        n_rows = batch.size
        seen = rows_seen + start * stride
        load(rows, batch, objective.dropout[0], seed, seen, work)
        forward(layout, theta, objective.activation, objective.dropout, True, work, n_rows, seed, seen)
        outputs = layer_slopes(layout, last, work, n_rows)
        for r in range(n_rows):
            if rows.offsets.size > 0:
                outputs[r, 0] += rows.offsets[batch[r]]
            differentiate(objective.loss, objective.shape, outputs, r, n_outputs, rows.target[batch[r]])
            if rows.weights.size > 0:
                scale_row(outputs, r, n_outputs, rows.weights[batch[r]])
        backward(layout, theta, first, second, objective.activation, rule, work, n_rows, seen)
        now = seen + n_rows * stride
        if mean.size > 0 and now // rule.interval > seen // rule.interval:
            average(mean, theta, rule.window, max(rule.interval, n_rows * stride), now)


@kernel
def load(rows, batch, input_dropout, seed, rows_seen, work):
    """Copy the rows of a batch into the workspace, dropping inputs at random."""
    n_categorical, n_numeric = rows.levels.shape[1], rows.numbers.shape[1]
    for r in range(batch.size):
        row = batch[r]
        for c in range(n_categorical):
            work.levels[r, c] = rows.levels[row, c]
        for j in range(n_numeric):
            work.numbers[r, j] = rows.numbers[row, j]
        if input_dropout > 0:
            start = stream(seed, rows_seen + r, 0)
            for c in range(n_categorical):
                if uniform(start, c) < input_dropout:
                    work.levels[r, c] = -1
            for j in range(n_numeric):
                if uniform(start, n_categorical + j) < input_dropout:
                    work.numbers[r, j] = 0


@kernel
def predict_rows(layout, theta, objective, rows, order, outputs, work):
    """Fill outputs (order.size, n_outputs) with class probabilities, or with the linear output without the offset."""
    last, n_outputs = layout.widths.size - 1, layout.sizes[layout.widths.size]
    is_class = objective.loss == CROSS_ENTROPY or objective.loss == CLASS_QUADRATIC
    capacity = work.ones.shape[0]
    for start in range(0, order.size, capacity):
        batch = order[start : start + capacity]
        load(rows, batch, np.float32(0), 0, 0, work)
        forward(layout, theta, objective.activation, objective.dropout, False, work, batch.size, 0, 0)
        linear = layer_slopes(layout, last, work, batch.size)
        for r in range(batch.size):
            if is_class:
                softmax(linear, r, n_outputs)
            for k in range(n_outputs):
                outputs[start + r, k] = linear[r, k]


@kernel
def pay_penalties(layout, theta, first, second, columns, rule, n_updates, rows_seen):
    """Let l1 and input_group_l1 of the last n_updates act on all weights; biases carry no penalty.

    Weights left alone by some of these updates owe it as well: the penalty is on every weight at every update.

    columns : int64 (n_columns + 1,), where the inputs of each column start, and their number. A column's penalty is
    input_group_l1 * sqrt(number of weights) * norm of the weights out of its inputs; after soft thresholding, this is
    the proximal step of both penalties (Simon et al. 2013).
    """
    owed = rule.l1 * np.float32(n_updates)
    owed_by_group = rule.input_group_l1 * np.float32(n_updates)
    for layer in range(layout.widths.size):
        step = step_of(rule, layer, rows_seen)
        weights = layer_weights(layout, theta, layer)
        memories = layer_weights(layout, first, layer), layer_weights(layout, second, layer)
        for i in range(layout.sizes[layer]):
            soft_threshold(step, weights, memories[0], memories[1], i, owed)
        if layer == 0 and owed_by_group > 0:
            n_weights_each = layout.sizes[1] * (layout.widths[0] // layout.padded[1])
            for c in range(columns.size - 1):
                n_weights = (columns[c + 1] - columns[c]) * n_weights_each
                group = owed_by_group * np.float32(math.sqrt(n_weights))
                group_soft_threshold(step, weights, memories[0], memories[1], columns[c], columns[c + 1], group)
