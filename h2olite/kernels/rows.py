"""Entry points: train on encoded rows, and predict them.

Rows are a named tuple of arrays (see `h2olite.data.encoding.EncodedRows`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from h2olite.kinds.activations import RECTIFIER
from h2olite.kinds.distributions import CLASS_QUADRATIC, CROSS_ENTROPY

from .compiling import entry, kernel, matrix, span
from .layout import (
    PAGE,
    TILE,
    has_bias,
    layer_slopes,
    layer_units,
    layer_weights,
    narrow_layer,
    own_inputs,
    own_levels,
    own_units,
)
from .losses import differentiate, gradient_of_error, softmax
from .passes import ONE, SCORING, TRAINING, ZERO, backward, forward, scale_row
from .penalties import act_if_due
from .randomness import stream, uniform
from .teams import meet
from .updates import average, pull_rate_of, share_of, step_of

FORGETTING = np.float32(0.001)
"""Weight of the newest row in the average activation of a hidden unit, as in H2O."""


class Objective(NamedTuple):
    """What is minimised: a loss of `losses`, its shape parameter, the activation and the dropout ratios by layer.

    dropout : float32 (n_layers + 1,), of inputs, hidden layers and outputs (0).
    seed : uint64, of the random numbers of dropout.
    autoencoder : whether the target is the input. The outputs are then activated as hidden units are.
    average_activation, sparsity_beta : what hidden units are to be on average, and how strongly they are pulled there.
    """

    loss: int
    shape: np.float32
    activation: int
    dropout: np.ndarray
    seed: np.uint64
    autoencoder: bool
    average_activation: np.float32
    sparsity_beta: np.float32


@entry
def train_rows(layout, state, objective, rule, rows, order, batch_size, work):
    """Train on the rows in this order, one update per batch_size of them.

    All members of a team are called with the same arguments, but for the workspace, at the same time; each changes the
    parts of the state's arrays that are its own. If rule.proximal_interval is above 0, penalties that make zeros act.
    """
    last, n_outputs = layout.widths.size - 1, layout.sizes[layout.widths.size]
    for start in range(0, order.size, batch_size):
        batch = order[start : start + batch_size]
        n_rows = batch.size
        seen = state.rows_seen + start
        n_updates = state.n_updates + start // batch_size + 1
        load(rows, batch, objective.dropout[0], objective.seed, seen, work)
        forward(layout, state.theta, work.outer[0], objective, TRAINING, work, n_rows, seen)
        outputs, activated = layer_slopes(layout, last, work, n_rows), layer_units(layout, last + 1, work, n_rows)
        for r in range(n_rows):
            row = batch[r]
            if objective.autoencoder:
                compare_with_inputs(objective, activated, outputs, r, n_outputs, rows, row)
            else:
                if rows.offsets.size > 0:
                    outputs[r, 0] += rows.offsets[row]
                differentiate(objective.loss, objective.shape, outputs, r, n_outputs, rows.target[row])
            if rows.weights.size > 0:
                scale_row(outputs, r, span(0, n_outputs), rows.weights[row])
        if objective.sparsity_beta > 0:
            note_activity(layout, state.activity, work, n_rows)
            meet(work.member)
        backward(layout, state, objective, rule, work, n_rows, seen, n_updates)
        unload(rows, batch, work)
        if objective.sparsity_beta > 0 and has_bias(work.member):
            pull_activity(layout, state, objective, rule, seen, n_updates)
        now = seen + n_rows
        act_if_due(layout, state, state.screening, rule, now, n_updates, work)
        if state.mean.size > 0 and now // rule.interval > seen // rule.interval:
            share = share_of(rule.window, max(rule.interval, n_rows), now)
            note_parameters(layout, state, share, work)


@kernel
def compare_with_inputs(objective, reconstructed, gradients, r, n_outputs, rows, row):
    """Fill row r of the gradients with those of the loss between what is reconstructed and the inputs.

    The inputs are those of the row before dropout. As in H2O, the gradients are those by the activated outputs: without
    the activation's slope, a Rectifier's output at 0 can learn to leave it. Where its input lies below 0, other than in
    H2O, it is not pushed any further: that would have no end, and make the weights grow beyond all bounds.
    """
    is_rectifier = objective.activation == RECTIFIER
    for k in range(gradients.shape[1]):
        gradients[r, k] = reconstructed[r, k]
    for c in range(rows.levels.shape[1]):
        if rows.levels[row, c] >= 0:
            gradients[r, rows.levels[row, c]] -= np.float32(1)
    n_numeric = rows.numbers.shape[1]
    if rows.starts.size > 0:
        for k in range(rows.starts[row], rows.starts[row + 1]):
            gradients[r, n_outputs - n_numeric + rows.places[k]] -= rows.entries[k]
    else:
        for j in range(n_numeric):
            gradients[r, n_outputs - n_numeric + j] -= rows.numbers[row, j]
    for k in range(n_outputs):
        error = gradients[r, k]
        if is_rectifier and reconstructed[r, k] == 0:
            error = min(error, np.float32(0))
        gradients[r, k] = gradient_of_error(objective.loss, objective.shape, error)


@kernel
def note_activity(layout, activity, work, n_rows):
    """Move the running average of every hidden unit's activation by the rows just passed through."""
    for layer in range(1, layout.widths.size):
        averages = matrix(activity, layout.units[layer], 1, layout.padded[layer])
        a = layer_units(layout, layer, work, n_rows)
        begin, end = own_units(layer, work.member)
        first, last = span(begin, end)
        for r in range(n_rows):
            for u in range(first, last):
                averages[0, u] += FORGETTING * (a[r, u] - averages[0, u])


@kernel
def pull_activity(layout, state, objective, rule, rows_seen, n_updates):
    """Lower the biases of hidden units that are more active than wanted on average, and raise those of the others.

    b = b - rate * sparsity_beta * (average - average_activation), with the rate that the bias has now.
    """
    for layer in range(layout.widths.size - 1):
        step = step_of(rule, layer, rows_seen, n_updates)
        averages = matrix(state.activity, layout.units[layer + 1], 1, layout.padded[layer + 1])
        biases = layer_weights(layout, state.theta, layer)
        memories = layer_weights(layout, state.first, layer), layer_weights(layout, state.second, layer)
        bias = layout.sizes[layer]
        for u in range(layout.sizes[layer + 1]):
            excess = averages[0, u] - objective.average_activation
            rate = pull_rate_of(step, memories[0], memories[1], bias, u)
            biases[bias, u] -= rate * objective.sparsity_beta * excess


@kernel
def note_parameters(layout, state, share, work):
    """Move the running average of the parameters, as far as they are the member's own, towards theta."""
    mean, theta, member = state.mean, state.theta, work.member
    for layer in range(layout.n_input_major):
        means, weights = layer_weights(layout, mean, layer), layer_weights(layout, theta, layer)
        begin, end = own_inputs(layout, layer, member)
        average(means, weights, begin, end, share)
        if layer == 0:
            begin, end = own_levels(member)
            average(means, weights, begin, end, share)
        if has_bias(member):
            average(means, weights, layout.sizes[layer], layout.sizes[layer] + 1, share)
    if member.place == 0:
        means, weights = narrow_layer(layout, mean), narrow_layer(layout, theta)
        average(matrix(means, ZERO, ONE, means.size), matrix(weights, ZERO, ONE, weights.size), ZERO, ONE, share)


@kernel
def load(rows, batch, input_dropout, seed, rows_seen, work):
    """Copy the rows of a batch into the workspace, dropping inputs at random."""
    n_categorical, n_numeric = rows.levels.shape[1], rows.numbers.shape[1]
    is_sparse = rows.starts.size > 0
    if is_sparse and work.lists[0] != 1:
        clear_numbers(work)
    work.lists[0] = is_sparse
    for r in range(batch.size):
        row = batch[r]
        for c in range(n_categorical):
            work.levels[r, c] = rows.levels[row, c]
        if is_sparse:
            scatter(rows, row, r, input_dropout, stream(seed, rows_seen + r, ZERO), work)
        else:
            for j in range(n_numeric):
                work.numbers[r, j] = rows.numbers[row, j]
        if input_dropout > 0:
            start = stream(seed, rows_seen + r, ZERO)
            for c in range(n_categorical):
                if uniform(start, c) < input_dropout:
                    work.levels[r, c] = -1
            if not is_sparse:
                for j in range(n_numeric):
                    if uniform(start, n_categorical + j) < input_dropout:
                        work.numbers[r, j] = 0


@kernel
def scatter(rows, row, r, input_dropout, start, work):
    """Put the entries of a sparse row that are not dropped among the zeros of row r, and note where they are."""
    n_categorical = rows.levels.shape[1]
    for k in range(rows.starts[row], rows.starts[row + 1]):
        j = rows.places[k]
        is_dropped = input_dropout > 0 and uniform(start, n_categorical + j) < input_dropout
        if rows.entries[k] != 0 and not is_dropped:
            work.numbers[r, j] = rows.entries[k]
            work.present[j] = 1
            work.pages[j // PAGE] = 1


@kernel
def unload(rows, batch, work):
    """Make the numbers of a batch of sparse rows 0 again."""
    if rows.starts.size > 0:
        for r in range(batch.size):
            for k in range(rows.starts[batch[r]], rows.starts[batch[r] + 1]):
                j = rows.places[k]
                work.numbers[r, j] = 0
                work.present[j] = 0
                work.pages[j // PAGE] = 0


@kernel
def clear_numbers(work):
    """Make all numbers 0."""
    for r in range(work.numbers.shape[0]):
        for j in range(work.numbers.shape[1]):
            work.numbers[r, j] = 0
    for j in range(work.present.size):
        work.present[j] = 0
    for page in range(work.pages.size):
        work.pages[page] = 0


@entry
def predict_rows(layout, theta, objective, rows, order, outputs, work):
    """Fill outputs (order.size, n_outputs): class probabilities, linear outputs without offset, or reconstructions."""
    last, n_outputs = layout.widths.size - 1, layout.sizes[layout.widths.size]
    autoencoder = objective.autoencoder
    is_class = not autoencoder and (objective.loss == CROSS_ENTROPY or objective.loss == CLASS_QUADRATIC)
    size, outer = min(work.ones.shape[0], TILE), narrow_layer(layout, theta)
    for start in range(0, order.size, size):
        batch = order[start : start + size]
        load(rows, batch, np.float32(0), objective.seed, ZERO, work)
        forward(layout, theta, outer, objective, SCORING, work, batch.size, ZERO)
        linear = layer_slopes(layout, last, work, batch.size)
        activated = layer_units(layout, last + 1, work, batch.size)
        for r in range(batch.size):
            if is_class:
                softmax(linear, r, n_outputs)
            for k in range(n_outputs):
                outputs[start + r, k] = activated[r, k] if autoencoder else linear[r, k]
        unload(rows, batch, work)
