"""Forward and backward passes of a mini-batch of rows through the layers.

Layer l turns the activations x (n_rows, n_inputs) of the layer below into z = x W + b. W and b are one matrix of shape
(n_inputs + 1, width) whose last row is the bias: the weight out of an input that is always 1. Weights lie input-major,
so an input that is zero skips one contiguous row of them. Every row of weights, activations and gradients is padded
with zeros to whole vector registers (see `LANES`).

Functions take matrices and row numbers rather than views of rows: making a view counts references atomically, which
costs more than short loops do and slows down other threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .activations import RECTIFIER, activate
from .compiling import kernel, view
from .randomness import stream, uniform
from .updates import bound_incoming, step_of, update, without_penalty

NO_ERRORS, ERRORS_OF_ACTIVE, ALL_ERRORS = map(np.int64, range(3))  # typed, lest each compile its own kernel

LANES = 16
"""float32 numbers in the widest vector register. The loop over a row's leftover would take longer than the row."""

NO_BOUND = np.float32(3.4e38)
"""max_w2 from here on is no bound; h2o.deeplearning's default, 3.4028235e38, says so."""


class Layout(NamedTuple):
    """Where the layers lie in the flat arrays; all int64 arrays.

    sizes : (n_layers + 1,) units of each layer, the inputs first.
    padded : (n_layers + 1,) the same, rounded up to a multiple of LANES.
    widths : (n_layers,) columns of each weight matrix: its padded units, for Maxout once per channel.
    weights : (n_layers + 1,) where each layer's matrix starts among the parameters, and their number.
    units : (n_layers + 2,) where each layer's activations start in a workspace of one row, and their number.
    slopes : (n_layers + 1,) the same for the pre-activations and slopes of each layer of weights.

    The outputs have a place among the activations too, for networks whose outputs are activated.
    """

    sizes: np.ndarray
    padded: np.ndarray
    widths: np.ndarray
    weights: np.ndarray
    units: np.ndarray
    slopes: np.ndarray


class Workspace(NamedTuple):
    """One thread's scratch memory for mini-batches of up to `capacity` rows.

    numbers : float32 (capacity, n_numeric); levels : int32 (capacity, n_categorical): the rows' inputs after dropout.
    units, slopes : float32, activations and pre-activations (later slopes, then gradients) of all layers.
    total : float32 (1, widest layer), the gradient of one input's weights.
    scales : float32 (widest layer,), scratch space of `bound_incoming`.
    ones : float32 (capacity, 1), the bias's input.
    active : int32 (largest layer,), the inputs in use.
    first, following : int32 (n_categorical_inputs,) and (capacity, n_categorical): for each level, the list of cells
        with it; cell (r, c) has number r * n_categorical + c, and -1 ends the list.
    """

    numbers: np.ndarray
    levels: np.ndarray
    units: np.ndarray
    slopes: np.ndarray
    total: np.ndarray
    scales: np.ndarray
    ones: np.ndarray
    active: np.ndarray
    first: np.ndarray
    following: np.ndarray


@view
def matrix(flat, start, n_rows, n_columns):
    """The C-ordered matrix of this shape that begins at flat[start]."""
    return flat[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


@view
def layer_weights(layout, theta, layer):
    """The weight matrix of a layer, its bias in the last row, as a view of the parameters."""
    return matrix(theta, layout.weights[layer], layout.sizes[layer] + 1, layout.widths[layer])


@kernel
def forward(layout, theta, activation, activates_outputs, dropout, training, work, n_rows, seed, rows_seen):
    """Fill units and slopes of all layers from the inputs in `work`.

    The last layer's slopes hold its linear output, unless outputs are activated as hidden units are.

    dropout[l] is the ratio at which units of layer l (0: the inputs) are dropped. In training they are dropped at
    random and the others stay as they are; in scoring every unit counts with its probability to be kept.
    """
    last = layout.widths.size - 1
    for layer in range(last + 1):
        weights = layer_weights(layout, theta, layer)
        z = layer_slopes(layout, layer, work, n_rows)
        add_bias(weights, z)
        if layer == 0:
            add_inputs(weights, z, work)
        else:
            add_product(
                layer_units(layout, layer, work, n_rows), weights, np.int64(0), layout.sizes[layer], z, work.active
            )
        if layer == last and not activates_outputs:
            return
        a = layer_units(layout, layer + 1, work, n_rows)
        ratio, n_units = dropout[layer + 1], layout.sizes[layer + 1]
        for r in range(n_rows):
            activate(activation, z, a, r)
            if ratio > 0 and training:
                drop_units(a, z, r, n_units, ratio, stream(seed, rows_seen + r, layer + 1))
            elif ratio > 0:
                scale_row(a, r, n_units, np.float32(1) - ratio)


@view
def layer_units(layout, layer, work, n_rows):
    """The activations (n_rows, padded units) of a layer; layer 1 is the first hidden one."""
    return matrix(work.units, layout.units[layer] * n_rows, n_rows, layout.padded[layer])


@view
def layer_slopes(layout, layer, work, n_rows):
    """The pre-activations, slopes or gradients (n_rows, width) of a layer of weights; layer 0 is the first."""
    return matrix(work.slopes, layout.slopes[layer] * n_rows, n_rows, layout.widths[layer])


@kernel
def add_bias(weights, z):
    """Start every row of z with the bias, the last row of `weights`."""
    n_inputs = weights.shape[0] - 1
    for r in range(z.shape[0]):
        for u in range(z.shape[1]):
            z[r, u] = weights[n_inputs, u]


@kernel
def add_inputs(weights, z, work):
    """Add the rows' inputs times the first layer's weights to z: levels are looked up, numbers multiplied."""
    n_inputs, n_numeric = weights.shape[0] - 1, work.numbers.shape[1]
    for r in range(z.shape[0]):
        for c in range(work.levels.shape[1]):
            level = work.levels[r, c]
            if level >= 0:
                for u in range(z.shape[1]):
                    z[r, u] += weights[level, u]
    add_product(work.numbers, weights, n_inputs - n_numeric, n_numeric, z, work.active)


@kernel
def add_product(x, weights, offset, n_inputs, z, active):
    """Add x @ weights[offset:] to z, four inputs at a time, leaving out inputs that are 0 in all rows."""
    n_rows, width = z.shape
    n_active = 0
    for i in range(n_inputs):
        if is_active(x, i, n_rows):
            active[n_active] = i
            n_active += 1
    n_fours = n_active - n_active % 4
    for k in range(0, n_fours, 4):
        i0, i1, i2, i3 = active[k], active[k + 1], active[k + 2], active[k + 3]
        k0, k1, k2, k3 = offset + i0, offset + i1, offset + i2, offset + i3
        for r in range(n_rows):
            x0, x1, x2, x3 = x[r, i0], x[r, i1], x[r, i2], x[r, i3]
            for u in range(width):
                z[r, u] += x0 * weights[k0, u] + x1 * weights[k1, u] + x2 * weights[k2, u] + x3 * weights[k3, u]
    for k in range(n_fours, n_active):
        for r in range(n_rows):
            x0 = x[r, active[k]]
            for u in range(width):
                z[r, u] += x0 * weights[offset + active[k], u]


@kernel
def is_active(x, i, n_rows):
    """Whether input i is other than 0 in any of the first rows."""
    for r in range(n_rows):
        if x[r, i] != 0:
            return True
    return False


@kernel
def drop_units(a, slopes, r, n_units, ratio, start):
    """Drop each unit of row r with probability `ratio`: activation and slopes become 0 (Srivastava et al. 2014)."""
    for u in range(n_units):
        if uniform(start, u) < ratio:
            a[r, u] = 0
            for k in range(u, slopes.shape[1], a.shape[1]):
                slopes[r, k] = 0


@kernel
def scale_row(a, r, n_units, factor):
    """Multiply the first entries of row r by a factor."""
    for u in range(n_units):
        a[r, u] *= factor


@kernel
def backward(layout, theta, first, second, activation, rule, work, n_rows, rows_seen):
    """Carry the gradients at the output down the layers and update every weight on the way.

    On entry the last layer's slopes hold the loss's gradients. Errors are those of the weights before their update.
    """
    for layer in range(layout.widths.size - 1, -1, -1):
        step = step_of(rule, layer, rows_seen)
        parameters = (
            layer_weights(layout, theta, layer),
            layer_weights(layout, first, layer),
            layer_weights(layout, second, layer),
        )
        gradients = layer_slopes(layout, layer, work, n_rows)
        n_inputs = layout.sizes[layer]
        descend(without_penalty(step), work.ones, np.int64(1), gradients, parameters, n_inputs, NO_ERRORS, work)
        if layer > 0:
            errors = layer_units(layout, layer, work, n_rows)
            wanted = ERRORS_OF_ACTIVE if activation == RECTIFIER else ALL_ERRORS
            descend(step, errors, n_inputs, gradients, parameters, np.int64(0), wanted, work)
            multiply_slopes(layer_slopes(layout, layer - 1, work, n_rows), errors)
        else:
            n_numeric = work.numbers.shape[1]
            descend_levels(step, gradients, parameters, n_inputs - n_numeric, work)
            descend(step, work.numbers, n_numeric, gradients, parameters, n_inputs - n_numeric, NO_ERRORS, work)
        if rule.max_w2 < NO_BOUND:
            bound_incoming(parameters[0], rule.max_w2, work.scales)


@kernel
def descend(step, x, n_inputs, gradients, parameters, offset, errors, work):
    """Update the weights out of n_inputs inputs x, which start at row `offset` of the parameters.

    The gradient of the weights out of input i is the mean over the rows of x_i * gradients. Where errors are wanted
    they replace x: the error of input i is gradients @ w_i, which a Rectifier at 0 would only multiply by 0.
    """
    n_rows = gradients.shape[0]
    for i in range(n_inputs):
        active = is_active(x, i, n_rows)
        if not active and step.fast and errors != ALL_ERRORS:
            continue
        scale = x[0, i]
        if n_rows > 1:
            scale = np.float32(1) / np.float32(n_rows)
            combine(x, i, gradients, work.total)
        if errors != NO_ERRORS:
            for r in range(n_rows):
                x[r, i] = dot(gradients, r, parameters[0], offset + i)
        if active or not step.fast:
            update(step, parameters, offset + i, gradients if n_rows == 1 else work.total, scale)


@kernel
def descend_levels(step, gradients, parameters, n_levels, work):
    """Update the weights out of the levels present; the cells with one level add up like one input of 1 each."""
    n_rows, width = gradients.shape
    n_columns = np.int32(work.levels.shape[1])
    scale = np.float32(1) / np.float32(n_rows)
    for r in range(n_rows):
        for c in range(n_columns):
            level = work.levels[r, c]
            if level >= 0:
                work.following[r, c] = work.first[level]
                work.first[level] = r * n_columns + c
    if not step.fast:
        clear(work.total, width)
        for level in range(n_levels):
            if work.first[level] < 0:
                update(step, parameters, level, work.total, scale)
    for r in range(n_rows):
        for c in range(n_columns):
            level = work.levels[r, c]
            if level >= 0 and work.first[level] == r * n_columns + c:
                cell = work.first[level]
                work.first[level] = -1
                clear(work.total, width)
                while cell >= 0:
                    row, column = cell // n_columns, cell % n_columns
                    for u in range(width):
                        work.total[0, u] += gradients[row, u]
                    cell = work.following[row, column]
                update(step, parameters, level, work.total, scale)


@kernel
def multiply_slopes(slopes, errors):
    """Turn the slopes of a layer into gradients at its pre-activations: slope * error, in every channel of a unit."""
    n_rows, n_units = errors.shape
    for r in range(n_rows):
        for channel in range(0, slopes.shape[1], n_units):
            for u in range(n_units):
                slopes[r, channel + u] *= errors[r, u]


@kernel
def combine(x, i, gradients, total):
    """Fill total with the sum over the rows of x_i * gradients, four rows at a time."""
    n_rows, width = gradients.shape
    clear(total, width)
    n_fours = n_rows - n_rows % 4
    for r in range(0, n_fours, 4):
        x0, x1, x2, x3 = x[r, i], x[r + 1, i], x[r + 2, i], x[r + 3, i]
        for u in range(width):
            total[0, u] += (
                x0 * gradients[r, u] + x1 * gradients[r + 1, u] + x2 * gradients[r + 2, u] + x3 * gradients[r + 3, u]
            )
    for r in range(n_fours, n_rows):
        for u in range(width):
            total[0, u] += x[r, i] * gradients[r, u]


@kernel
def clear(total, width):
    """Set the first row to 0."""
    for u in range(width):
        total[0, u] = 0


@kernel
def dot(gradients, r, weights, i):
    """The inner product of row r of one matrix and row i of another, in float32."""
    total = np.float32(0)
    for u in range(gradients.shape[1]):
        total += gradients[r, u] * weights[i, u]
    return total
