"""Forward and backward passes of a mini-batch of rows through the layers.

Layer l turns the activations x (n_rows, n_inputs) of the layer below into z = x W + b. W and b are one matrix of shape
(n_inputs + 1, width) whose last row is the bias: the weight out of an input that is always 1. Weights lie input-major,
so an input that is zero skips one contiguous row of them. Every row of weights, activations and gradients is padded
with zeros to whole vector registers (see `LANES`).

Functions take matrices and row numbers rather than views of rows: making a view counts references atomically, which
costs more than short loops do and slows down other threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .activations import RECTIFIER, activate
from .compiling import kernel, span, view
from .randomness import stream, uniform
from .teams import Member, add_up, give
from .updates import step_of, update, without_penalty

NO_ERRORS, ERRORS_OF_ACTIVE, ALL_ERRORS = map(np.int64, range(3))  # typed, lest each compile its own kernel

LANES = 16
"""float32 numbers in the widest vector register. The loop over a row's leftover would take longer than the row."""

TILE = 8
"""Inputs whose gradients are summed up together, so that those of a chunk of rows are fetched once for all of them."""

CHUNK = 32
"""Rows whose gradients stay in the nearest cache meanwhile, for layers of some hundred units."""

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
    total : float32 (TILE, widest layer), the gradients of some inputs' weights.
    scales : float32 (widest layer,), scratch space of `bound_incoming`.
    ones : float32 (capacity, 1), the bias's input.
    active : int32 (largest layer,), the inputs in use.
    first, following : int32 (n_categorical_inputs,) and (capacity, n_categorical): for each level, the list of cells
        with it; cell (r, c) has number r * n_categorical + c, and -1 ends the list.
    member : the thread's place in its team.
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
    member: Member


@view
def matrix(flat, start, n_rows, n_columns):
    """The C-ordered matrix of this shape that begins at flat[start]."""
    return flat[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


@view
def layer_weights(layout, theta, layer):
    """The weight matrix of a layer, its bias in the last row, as a view of the parameters."""
    return matrix(theta, layout.weights[layer], layout.sizes[layer] + 1, layout.widths[layer])


@kernel
def own_part(n, member):
    """The first of n padded units that is the member's own, and the one after the last."""
    return first_unit(n, member.first_part, member.n_parts), first_unit(n, member.last_part, member.n_parts)


@kernel
def first_unit(n, part, n_parts):
    """The first of n padded units that belongs to a part: parts are whole registers."""
    return n // LANES * part // n_parts * LANES


@kernel
def own_inputs(layout, layer, n_numeric, member):
    """The rows of a layer's weights that are the member's own, categorical inputs apart: the first, and the one after.

    The bias, an input that is always 1, belongs to the last part; see `has_bias`.
    """
    return inputs_of(layout, layer, n_numeric, member.first_part, member.last_part, member.n_parts)


@kernel
def inputs_of(layout, layer, n_numeric, first_part, last_part, n_parts):
    """The same for parts, from the first to the one before the last."""
    n_inputs = layout.sizes[layer]
    if layer == 0:
        n_levels = n_inputs - n_numeric
        return n_levels + n_numeric * first_part // n_parts, n_levels + n_numeric * last_part // n_parts
    n_units = layout.padded[layer]
    begin, end = first_unit(n_units, first_part, n_parts), first_unit(n_units, last_part, n_parts)
    return min(begin, n_inputs), min(end, n_inputs)


@kernel
def own_levels(member):
    """The first categorical input that is the member's own, and the one after the last."""
    return member.level_bounds[member.first_part], member.level_bounds[member.last_part]


@kernel
def has_bias(member):
    """Whether the biases are the member's own."""
    return member.last_part == member.n_parts


@kernel
def forward(layout, theta, activation, activates_outputs, dropout, training, work, n_rows, seed, rows_seen):
    """Fill units and slopes of all layers from the inputs in `work`; of hidden layers, those of the member's own units.

    The last layer's slopes hold its linear output, unless outputs are activated as hidden units are.

    dropout[l] is the ratio at which units of layer l (0: the inputs) are dropped. In training they are dropped at
    random and the others stay as they are; in scoring every unit counts with its probability to be kept.
    """
    last, member, n_numeric = layout.widths.size - 1, work.member, work.numbers.shape[1]
    for layer in range(last + 1):
        weights = layer_weights(layout, theta, layer)
        z = layer_slopes(layout, layer, work, n_rows)
        for part in range(member.first_part, member.last_part):
            for r in range(n_rows):
                if part == member.n_parts - 1:
                    copy_row(weights, layout.sizes[layer], z, r)
                else:
                    clear(z, r, z.shape[1])
            begin, end = inputs_of(layout, layer, n_numeric, part, part + 1, member.n_parts)
            if layer == 0:
                add_levels(weights, z, member.level_bounds[part], member.level_bounds[part + 1], work)
                add_product(work.numbers, weights, layout.sizes[0] - n_numeric, begin, end, z, work.active)
            else:
                add_product(layer_units(layout, layer, work, n_rows), weights, np.int64(0), begin, end, z, work.active)
            if member.n_parts > 1:
                give(member, part, z)
        n_units = layout.padded[layer + 1]
        begin, end = (np.int64(0), n_units) if layer == last else own_part(n_units, member)
        if member.n_parts > 1:
            add_up(member, z, member.n_parts, begin, end, n_units)
        if layer == last and not activates_outputs:
            return
        a = layer_units(layout, layer + 1, work, n_rows)
        ratio = dropout[layer + 1]
        for r in range(n_rows):
            activate(activation, z, a, r, span(begin, end))
            if ratio > 0 and training:
                drop_units(a, z, r, begin, end, ratio, stream(seed, rows_seen + r, layer + 1))
            elif ratio > 0:
                scale_row(a, r, span(begin, end), np.float32(1) - ratio)


@view
def layer_units(layout, layer, work, n_rows):
    """The activations (n_rows, padded units) of a layer; layer 1 is the first hidden one."""
    return matrix(work.units, layout.units[layer] * n_rows, n_rows, layout.padded[layer])


@view
def layer_slopes(layout, layer, work, n_rows):
    """The pre-activations, slopes or gradients (n_rows, width) of a layer of weights; layer 0 is the first."""
    return matrix(work.slopes, layout.slopes[layer] * n_rows, n_rows, layout.widths[layer])


@kernel
def copy_row(weights, i, z, r):
    """Replace row r of z by row i of the weights."""
    for u in range(z.shape[1]):
        z[r, u] = weights[i, u]


@kernel
def add_levels(weights, z, first_level, last_level, work):
    """Add the weights out of the rows' levels, as far as they are in this range, to z."""
    for r in range(z.shape[0]):
        for c in range(work.levels.shape[1]):
            level = work.levels[r, c]
            if first_level <= level < last_level:
                for u in range(z.shape[1]):
                    z[r, u] += weights[level, u]


@kernel
def add_product(x, weights, offset, begin, end, z, active):
    """Add x @ weights to z for the inputs that have rows begin to end of the weights, four at a time.

    x begins with the input of row `offset`. Inputs that are 0 in all rows are left out.
    """
    n_rows, width = z.shape
    n_active = 0
    for k in range(begin, end):
        if is_active(x, k - offset, n_rows):
            active[n_active] = k
            n_active += 1
    n_fours = n_active - n_active % 4
    for k in range(0, n_fours, 4):
        k0, k1, k2, k3 = active[k], active[k + 1], active[k + 2], active[k + 3]
        for r in range(n_rows):
            x0, x1, x2, x3 = x[r, k0 - offset], x[r, k1 - offset], x[r, k2 - offset], x[r, k3 - offset]
            for u in range(width):
                z[r, u] += x0 * weights[k0, u] + x1 * weights[k1, u] + x2 * weights[k2, u] + x3 * weights[k3, u]
    for k in range(n_fours, n_active):
        for r in range(n_rows):
            x0 = x[r, active[k] - offset]
            for u in range(width):
                z[r, u] += x0 * weights[active[k], u]


@kernel
def is_active(x, i, n_rows):
    """Whether input i is other than 0 in any of the first rows."""
    for r in range(n_rows):
        if x[r, i] != 0:
            return True
    return False


@kernel
def drop_units(a, slopes, r, begin, end, ratio, start):
    """Drop each of units begin to end with probability `ratio` (Srivastava et al. 2014): all of it becomes 0."""
    for u in range(begin, end):
        if uniform(start, u) < ratio:
            a[r, u] = 0
            for k in range(u, slopes.shape[1], a.shape[1]):
                slopes[r, k] = 0


@kernel
def scale_row(a, r, columns, factor):
    """Multiply a range of columns of row r by a factor."""
    for u in range(columns[0], columns[1]):
        a[r, u] *= factor


@kernel
def backward(layout, theta, first, second, activation, rule, work, n_rows, rows_seen):
    """Carry the gradients at the output down the layers and update every weight of the member's own on the way.

    On entry the last layer's slopes hold the loss's gradients. Errors are those of the weights before their update.
    """
    member, n_numeric = work.member, work.numbers.shape[1]
    for layer in range(layout.widths.size - 1, -1, -1):
        step = step_of(rule, layer, rows_seen)
        parameters = (
            layer_weights(layout, theta, layer),
            layer_weights(layout, first, layer),
            layer_weights(layout, second, layer),
        )
        gradients = layer_slopes(layout, layer, work, n_rows)
        n_inputs = layout.sizes[layer]
        begin, end = own_inputs(layout, layer, n_numeric, member)
        if has_bias(member):
            free = without_penalty(step)
            descend(free, work.ones, n_inputs, n_inputs, n_inputs + 1, gradients, parameters, NO_ERRORS, work)
        if layer > 0:
            errors = layer_units(layout, layer, work, n_rows)
            wanted = ERRORS_OF_ACTIVE if activation == RECTIFIER else ALL_ERRORS
            descend(step, errors, np.int64(0), begin, end, gradients, parameters, wanted, work)
            below = layer_slopes(layout, layer - 1, work, n_rows)
            multiply_slopes(below, errors, begin, end)
            if member.n_members > 1:  # all but a member's own are 0
                give(member, member.place, below)
                add_up(member, below, member.n_members, np.int64(0), below.shape[1], below.shape[1])
        else:
            descend_levels(step, gradients, parameters, work)
            descend(step, work.numbers, n_inputs - n_numeric, begin, end, gradients, parameters, NO_ERRORS, work)
        if rule.max_w2 < NO_BOUND:
            bound_incoming(layout, layer, parameters[0], rule.max_w2, work)


@kernel
def descend(step, x, offset, begin, end, gradients, parameters, errors, work):
    """Update rows begin to end of the weights; x begins with the input of row `offset`.

    The gradient of the weights out of input i is the mean over the rows of x_i * gradients. Where errors are wanted
    they replace x: the error of input i is gradients @ w_i, which a Rectifier at 0 would only multiply by 0.
    """
    n_rows = gradients.shape[0]
    if n_rows > 1:
        descend_tiles(step, x, offset, begin, end, gradients, parameters, errors, work)
        return
    for k in range(begin, end):
        scale = x[0, k - offset]
        active = scale != 0
        if errors == ALL_ERRORS or (errors == ERRORS_OF_ACTIVE and active):
            x[0, k - offset] = dot(gradients, 0, parameters[0], k)
        if active or not step.fast:
            update(step, parameters, k, gradients, 0, scale)


@kernel
def descend_tiles(step, x, offset, begin, end, gradients, parameters, errors, work):
    """The same for several rows: TILE inputs together go through them chunk by chunk, and are updated after that."""
    n_rows = gradients.shape[0]
    scale = np.float32(1) / np.float32(n_rows)
    for tile in range(begin, end, TILE):
        n_active = 0
        for k in range(tile, min(tile + TILE, end)):
            if not step.fast or errors == ALL_ERRORS or is_active(x, k - offset, n_rows):
                work.active[n_active] = k
                clear(work.total, n_active, gradients.shape[1])
                n_active += 1
        for start in range(0, n_rows, CHUNK):
            stop = min(start + CHUNK, n_rows)
            for j in range(n_active):
                k = work.active[j]
                combine(x, k - offset, gradients, start, stop, work.total, j)
                if errors != NO_ERRORS:
                    for r in range(start, stop):
                        x[r, k - offset] = dot(gradients, r, parameters[0], k)
        for j in range(n_active):
            update(step, parameters, work.active[j], work.total, j, scale)


@kernel
def descend_levels(step, gradients, parameters, work):
    """Update the own weights out of the levels present; the cells with one level add up like one input of 1 each."""
    n_rows, width = gradients.shape
    n_columns = np.int32(work.levels.shape[1])
    first_level, last_level = own_levels(work.member)
    scale = np.float32(1) / np.float32(n_rows)
    for r in range(n_rows):
        for c in range(n_columns):
            level = work.levels[r, c]
            if first_level <= level < last_level:
                work.following[r, c] = work.first[level]
                work.first[level] = r * n_columns + c
    if not step.fast:
        clear(work.total, 0, width)
        for level in range(first_level, last_level):
            if work.first[level] < 0:
                update(step, parameters, level, work.total, 0, scale)
    for r in range(n_rows):
        for c in range(n_columns):
            level = work.levels[r, c]
            if first_level <= level < last_level and work.first[level] == r * n_columns + c:
                cell = work.first[level]
                work.first[level] = -1
                clear(work.total, 0, width)
                while cell >= 0:
                    row, column = cell // n_columns, cell % n_columns
                    for u in range(width):
                        work.total[0, u] += gradients[row, u]
                    cell = work.following[row, column]
                update(step, parameters, level, work.total, 0, scale)


@kernel
def multiply_slopes(slopes, errors, begin, end):
    """Turn the slopes of a layer into gradients at its pre-activations: slope * error, in every channel of a unit.

    Those of units other than begin to end, other members' own, become 0.
    """
    n_rows, n_units = errors.shape
    for r in range(n_rows):
        for channel in range(0, slopes.shape[1], n_units):
            start, (first, last) = np.uint64(channel), span(begin, end)
            for u in range(np.uint64(0), first):
                slopes[r, start + u] = 0
            for u in range(first, last):
                slopes[r, start + u] *= errors[r, u]
            for u in range(last, np.uint64(n_units)):
                slopes[r, start + u] = 0


@kernel
def combine(x, i, gradients, start, stop, total, j):
    """Add to row j of total the sum over rows start to stop of x_i * gradients, four rows at a time."""
    width = gradients.shape[1]
    n_fours = (stop - start) // 4 * 4
    for r in range(start, start + n_fours, 4):
        x0, x1, x2, x3 = x[r, i], x[r + 1, i], x[r + 2, i], x[r + 3, i]
        for u in range(width):
            total[j, u] += (
                x0 * gradients[r, u] + x1 * gradients[r + 1, u] + x2 * gradients[r + 2, u] + x3 * gradients[r + 3, u]
            )
    for r in range(start + n_fours, stop):
        for u in range(width):
            total[j, u] += x[r, i] * gradients[r, u]


@kernel
def clear(total, j, width):
    """Set row j to 0."""
    for u in range(width):
        total[j, u] = 0


@kernel
def dot(gradients, r, weights, i):
    """The inner product of row r of one matrix and row i of another, in float32."""
    total = np.float32(0)
    for u in range(gradients.shape[1]):
        total += gradients[r, u] * weights[i, u]
    return total


@kernel
def bound_incoming(layout, layer, weights, max_w2, work):
    """Scale down the weights into each unit whose squares sum to more than max_w2; biases (last row) stay."""
    width, member, n_numeric = weights.shape[1], work.member, work.numbers.shape[1]
    squares = matrix(work.scales, np.int64(0), 1, width)
    for part in range(member.first_part, member.last_part):
        clear(squares, 0, width)
        begin, end = inputs_of(layout, layer, n_numeric, part, part + 1, member.n_parts)
        add_squares(weights, begin, end, squares)
        if layer == 0:
            add_squares(weights, member.level_bounds[part], member.level_bounds[part + 1], squares)
        if member.n_parts > 1:
            give(member, part, squares)
    if member.n_parts > 1:
        add_up(member, squares, member.n_parts, np.int64(0), width, width)
    exceeded = False
    for u in range(width):
        exceeded |= squares[0, u] > max_w2
        squares[0, u] = math.sqrt(max_w2 / squares[0, u]) if squares[0, u] > max_w2 else np.float32(1)
    if exceeded:
        begin, end = own_inputs(layout, layer, n_numeric, member)
        scale_columns(weights, begin, end, squares)
        if layer == 0:
            begin, end = own_levels(member)
            scale_columns(weights, begin, end, squares)


@kernel
def add_squares(weights, begin, end, squares):
    """Add the squared weights out of inputs begin to end to those of each unit."""
    for i in range(begin, end):
        for u in range(weights.shape[1]):
            squares[0, u] += weights[i, u] * weights[i, u]


@kernel
def scale_columns(weights, begin, end, scales):
    """Multiply rows begin to end of the weights by the scale of each unit."""
    for i in range(begin, end):
        for u in range(weights.shape[1]):
            weights[i, u] *= scales[0, u]
