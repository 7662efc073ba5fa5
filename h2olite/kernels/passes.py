"""Forward and backward passes of a mini-batch of rows through the layers.

Functions take matrices and row numbers instead of views of rows, and several rows instead of one. The reason is that a
call with several arrays takes as long as the work on a short row.
"""

from __future__ import annotations

import math

import numpy as np

from h2olite.kinds.activations import RECTIFIER

from .activations import activate
from .compiling import kernel, matrix, span
from .lanes import choose, multiply_add, row_products
from .layout import (
    PAGE,
    has_bias,
    inputs_of,
    layer_slopes,
    layer_units,
    layer_weights,
    narrow_biases,
    narrow_weights,
    own_inputs,
    own_levels,
    own_units,
)
from .products import add_product, combine
from .randomness import stream, uniform
from .teams import add_up, gather, give
from .updates import step_of, update, without_penalty

# Typed, since a kernel is compiled again for every literal that it is called with.
ZERO, ONE = map(np.int64, range(2))
SCORING, TRAINING = map(np.bool_, range(2))
NO_ERRORS, ERRORS_OF_ACTIVE, ALL_ERRORS, OF_NUMBERS = map(np.int64, range(4))

GROUP = np.int64(8)
"""Inputs whose gradients are summed up together, so that those of a chunk of rows are fetched once for all of them."""

CHUNK = 32
"""Rows whose gradients stay in the nearest cache meanwhile, for layers of some hundred units."""

NO_BOUND = np.float32(3.4e38)
"""max_w2 from here on is no bound; h2o.deeplearning's default, 3.4028235e38, says so."""


@kernel
def forward(layout, theta, outer, objective, training, work, n_rows, rows_seen):
    """Fill units and slopes of all layers from the inputs in `work`; of hidden layers, at least the member's own units.

    The last layer's slopes hold its linear output, unless outputs are activated as hidden units are.

    outer : the parameters of an output-major layer.
    objective.dropout[l] is the ratio at which units of layer l (0: the inputs) are dropped. In training they are
    dropped at random and the others stay as they are; in scoring every unit counts with its probability to be kept.
    """
    last, member = layout.widths.size - 1, work.member
    dropout, seed = objective.dropout, objective.seed
    for layer in range(last + 1):
        n_units = layout.padded[layer + 1]
        begin, end = ZERO, n_units
        z = layer_slopes(layout, layer, work, n_rows)
        if layer == layout.n_input_major:
            multiply_narrow(layout, outer, layer_units(layout, layer, work, n_rows), z, work.active)
        else:
            if layer < layout.n_input_major - 1:
                begin, end = own_units(layer + 1, member)
            multiply(layout, theta, layer, z, begin, end, work)
        if layer == last and not objective.autoencoder:
            return
        a = layer_units(layout, layer + 1, work, n_rows)
        ratio = dropout[layer + 1]
        for r in range(n_rows):
            activate(objective.activation, z, a, r, span(begin, end))
            if ratio > 0 and training:
                drop_units(a, z, r, begin, end, ratio, stream(seed, rows_seen + r, layer + 1))
            elif ratio > 0:
                scale_row(a, r, span(begin, end), np.float32(1) - ratio)


@kernel
def multiply(layout, theta, layer, z, begin, end, work):
    """Fill columns begin to end of z, of every channel, with the biases and the inputs times the weights of a layer."""
    member, n_rows = work.member, z.shape[0]
    weights = layer_weights(layout, theta, layer)
    for part in range(member.first_part, member.last_part):
        for r in range(n_rows):
            if part == member.n_parts - 1:
                copy_row(weights, layout.sizes[layer], z, r)
            else:
                clear(z, r, z.shape[1])
        first, last = inputs_of(layout, layer, member, part, part + 1)
        if layer == 0:
            add_levels(weights, z, member.level_bounds[part], member.level_bounds[part + 1], work)
            n_levels = work.first.size
            n_active = find_numbers(first, last, n_rows, work)
            add_product(work.numbers, weights, n_levels, work.active, n_active, z)
        else:
            x = layer_units(layout, layer, work, n_rows)
            n_active = find_active(x, ZERO, first, last, n_rows, work.active)
            add_product(x, weights, ZERO, work.active, n_active, z)
        if member.n_parts > 1:
            give(member, part, z)
    if member.n_parts > 1:
        add_up(member, z, member.n_parts, begin, end, layout.padded[layer + 1])


@kernel
def multiply_narrow(layout, outer, x, z, active):
    """Fill z with the biases and the inputs x times the weights of an output-major layer."""
    weights, biases = narrow_weights(layout, outer), narrow_biases(layout, outer)
    n_rows, n_outputs = z.shape[0], weights.shape[0]
    for r in range(n_rows):
        clear(z, r, z.shape[1])
    list_all(ZERO, n_outputs, active)
    fill_products(x, ZERO, n_rows, weights, active, n_outputs, z, ZERO)
    for r in range(n_rows):
        for k in range(n_outputs):
            z[r, k] += biases[0, k]


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
def find_active(x, offset, begin, end, n_rows, active):
    """List the inputs with rows begin to end of the weights that are other than 0 in any row, and count them.

    Which ones these are cannot be foreseen by a processor, so there is no branch on it.
    """
    n_active = 0
    for k in range(begin, end):
        found = x[0, k - offset] != 0
        for r in range(1, n_rows):
            found |= x[r, k - offset] != 0
        active[n_active] = k
        n_active += found
    return n_active


@kernel
def find_numbers(begin, end, n_rows, work):
    """The same for the numbers of the rows in `work`; of sparse rows, only pages with some are looked at."""
    n_levels, n_active = work.first.size, 0
    if not work.lists[0]:
        return find_active(work.numbers, n_levels, begin, end, n_rows, work.active)
    begin, end = begin - n_levels, end - n_levels
    for page in range(begin // PAGE, (end + PAGE - 1) // PAGE):
        if work.pages[page]:
            for k in range(max(begin, page * PAGE), min(end, (page + 1) * PAGE)):
                work.active[n_active] = k + n_levels
                n_active += work.present[k]
    return n_active


@kernel
def drop_units(a, slopes, r, begin, end, ratio, start):
    """Drop each of units begin to end with probability `ratio` (Srivastava et al. 2014): all of it becomes 0."""
    zero, one = np.float32(0), np.float32(1)
    first, last = span(begin, end)
    for u in range(first, last):
        kept = choose(uniform(start, u) < ratio, zero, one)
        a[r, u] *= kept
        slopes[r, u] *= kept
    for channel in range(a.shape[1], slopes.shape[1], a.shape[1]):
        offset = np.uint64(channel)
        for u in range(first, last):
            slopes[r, offset + u] *= choose(uniform(start, u) < ratio, zero, one)


@kernel
def scale_row(a, r, columns, factor):
    """Multiply a range of columns of row r by a factor."""
    for u in range(columns[0], columns[1]):
        a[r, u] *= factor


@kernel
def backward(layout, state, objective, rule, work, n_rows, rows_seen, n_updates):
    """Carry the gradients at the output down the layers and update every weight of the member's own on the way.

    On entry the last layer's slopes hold the loss's gradients. Errors are those of the weights before their update.
    """
    member, n_levels = work.member, work.first.size
    for layer in range(layout.widths.size - 1, -1, -1):
        step = step_of(rule, layer, rows_seen, n_updates)
        gradients = layer_slopes(layout, layer, work, n_rows)
        is_divided = layer < layout.n_input_major
        if not is_divided:
            descend_narrow(step, layout, layer_units(layout, layer, work, n_rows), gradients, rule.max_w2, work)
        else:
            parameters = (
                layer_weights(layout, state.theta, layer),
                layer_weights(layout, state.first, layer),
                layer_weights(layout, state.second, layer),
            )
            n_inputs = layout.sizes[layer]
            own = own_inputs(layout, layer, member)
            if has_bias(member):
                bias = n_inputs, n_inputs + 1
                descend(without_penalty(step), work.ones, n_inputs, bias, gradients, parameters, NO_ERRORS, work)
            if layer > 0:
                wanted = ERRORS_OF_ACTIVE if objective.activation == RECTIFIER else ALL_ERRORS
                errors = layer_units(layout, layer, work, n_rows)
                descend(step, errors, ZERO, own, gradients, parameters, wanted, work)
            else:
                descend_levels(step, gradients, parameters, work)
                descend(step, work.numbers, n_levels, own, gradients, parameters, OF_NUMBERS, work)
            if rule.max_w2 < NO_BOUND:
                bound_incoming(layout, layer, parameters[0], rule.max_w2, work)
        if layer > 0:
            below = layer_slopes(layout, layer - 1, work, n_rows)
            first_unit, last_unit = own_units(layer, member) if is_divided else (ZERO, layout.padded[layer])
            multiply_slopes(below, layer_units(layout, layer, work, n_rows), first_unit, last_unit)
            if is_divided and member.n_members > 1:
                gather(member, below, first_unit, last_unit, layout.padded[layer])


@kernel
def descend(step, x, offset, own, gradients, parameters, errors, work):
    """Update rows own[0] to own[1] of the weights; x begins with the input of row `offset`.

    The gradient of the weights out of input i is the mean over the rows of x_i * gradients. Where errors are wanted
    they replace x: the error of input i is gradients @ w_i, which a Rectifier at 0 would only multiply by 0. None are
    of numbers, of which it is known already which ones are 0.
    """
    n_rows = gradients.shape[0]
    if n_rows > 1:
        descend_groups(step, x, offset, own, gradients, parameters, errors, work)
        return
    n_active = inputs_to_pass(step, x, offset, own, n_rows, errors, work)
    for j in range(n_active):
        work.values[j] = x[0, work.active[j] - offset]
    if errors == ERRORS_OF_ACTIVE or errors == ALL_ERRORS:
        fill_products(gradients, ZERO, ONE, parameters[0], work.active, n_active, x, offset)
    update(step, parameters, work.active, work.values, n_active, gradients, ZERO)


@kernel
def inputs_to_pass(step, x, offset, among, n_rows, errors, work):
    """List the inputs among[0] to among[1] whose weights, or errors, the way back is to look at, and count them."""
    begin, end = among
    if step.fast and errors == OF_NUMBERS:
        return find_numbers(begin, end, n_rows, work)
    if step.fast and errors != ALL_ERRORS:
        return find_active(x, offset, begin, end, n_rows, work.active)
    list_all(begin, end, work.active)
    return end - begin


@kernel
def list_all(begin, end, active):
    """List the numbers from begin to the one before end."""
    for k in range(begin, end):
        active[k - begin] = k


@kernel
def descend_groups(step, x, offset, own, gradients, parameters, errors, work):
    """The same for several rows: GROUP inputs at a time go through them chunk by chunk, and are updated after that."""
    n_rows, (begin, end) = gradients.shape[0], own
    for group in range(begin, end, GROUP):
        n_active = inputs_to_pass(step, x, offset, (group, min(group + GROUP, end)), n_rows, errors, work)
        start_means(n_active, gradients, work)
        for start in range(0, n_rows, CHUNK):
            stop = min(start + CHUNK, n_rows)
            combine(x, offset, work.active, n_active, gradients, start, stop, work.total)
            if errors == ERRORS_OF_ACTIVE or errors == ALL_ERRORS:
                fill_products(gradients, start, stop, parameters[0], work.active, n_active, x, offset)
        update(step, parameters, work.active, work.values, n_active, work.total, ONE)


@kernel
def start_means(n_active, gradients, work):
    """Clear the sums of so many inputs, that count as means."""
    scale = np.float32(1) / np.float32(gradients.shape[0])
    for j in range(n_active):
        clear(work.total, j, gradients.shape[1])
        work.values[j] = scale


@kernel
def descend_narrow(step, layout, x, gradients, max_w2, work):
    """Update the weights and biases of an output-major layer, and replace its inputs x by their errors."""
    outer = work.outer
    weights = narrow_weights(layout, outer[0])
    parameters = weights, narrow_weights(layout, outer[1]), narrow_weights(layout, outer[2])
    biases = narrow_biases(layout, outer[0]), narrow_biases(layout, outer[1]), narrow_biases(layout, outer[2])
    (n_rows, n_inputs), n_outputs = x.shape, weights.shape[0]
    descend(without_penalty(step), work.ones, ZERO, (ZERO, ONE), gradients, biases, NO_ERRORS, work)
    n_active = inputs_to_pass(step, gradients, ZERO, (ZERO, n_outputs), n_rows, NO_ERRORS, work)
    start_means(n_active, x, work)
    for start in range(0, n_rows, CHUNK):
        combine(gradients, ZERO, work.active, n_active, x, start, min(start + CHUNK, n_rows), work.total)
    for r in range(n_rows):
        clear(x, r, n_inputs)
    add_product(gradients, weights, ZERO, work.active, n_active, x)
    update(step, parameters, work.active, work.values, n_active, work.total, ONE)
    if max_w2 < NO_BOUND:
        for k in range(n_outputs):
            (squares,) = row_products(weights, k, weights, (k,))
            if squares > max_w2:
                scale_row(weights, k, span(0, n_inputs), np.float32(math.sqrt(max_w2 / squares)))


@kernel
def descend_levels(step, gradients, parameters, work):
    """Update the own weights out of the levels present; the cells with one level add up like one input of 1 each."""
    n_rows, width = gradients.shape
    n_columns = np.int32(work.levels.shape[1])
    first_level, last_level = own_levels(work.member)
    for r in range(n_rows):
        for c in range(n_columns):
            level = work.levels[r, c]
            if first_level <= level < last_level:
                work.following[r, c] = work.first[level]
                work.first[level] = r * n_columns + c
    if not step.fast:
        start_means(ONE, gradients, work)
        for level in range(first_level, last_level):
            if work.first[level] < 0:
                work.active[0] = level
                update(step, parameters, work.active, work.values, ONE, work.total, ONE)
    n_active = ZERO
    start_means(GROUP, gradients, work)
    for r in range(n_rows):
        for c in range(n_columns):
            level = work.levels[r, c]
            if first_level <= level < last_level and work.first[level] == r * n_columns + c:
                cell = work.first[level]
                work.first[level] = -1
                while cell >= 0:
                    row, column = cell // n_columns, cell % n_columns
                    for u in range(width):
                        work.total[n_active, u] += gradients[row, u]
                    cell = work.following[row, column]
                work.active[n_active] = level
                n_active += 1
                if n_active == GROUP:
                    update(step, parameters, work.active, work.values, n_active, work.total, ONE)
                    start_means(GROUP, gradients, work)
                    n_active = 0
    update(step, parameters, work.active, work.values, n_active, work.total, ONE)


@kernel
def multiply_slopes(slopes, errors, begin, end):
    """Turn the slopes of units begin to end into gradients at their pre-activations: slope * error, in all channels."""
    n_rows, n_units = errors.shape
    first, last = span(begin, end)
    for r in range(n_rows):
        for channel in range(0, slopes.shape[1], n_units):
            start = np.uint64(channel)
            for u in range(first, last):
                slopes[r, start + u] *= errors[r, u]


@kernel
def clear(a, r, width):
    """Set row r to 0."""
    for u in range(width):
        a[r, u] = 0


@kernel
def fill_products(gradients, start, stop, weights, active, n_active, x, offset):
    """Fill the listed columns of x, less `offset`, with gradients @ w for the listed rows w of the weights.

    Four at a time: a single sum would wait for itself.
    """
    n_fours = n_active - n_active % 4
    for j in range(0, n_fours, 4):
        k0, k1, k2, k3 = active[j], active[j + 1], active[j + 2], active[j + 3]
        for r in range(start, stop):
            sums = row_products(gradients, r, weights, (k0, k1, k2, k3))
            x[r, k0 - offset], x[r, k1 - offset], x[r, k2 - offset], x[r, k3 - offset] = sums
    for j in range(n_fours, n_active):
        k0 = active[j]
        for r in range(start, stop):
            (x[r, k0 - offset],) = row_products(gradients, r, weights, (k0,))


@kernel
def bound_incoming(layout, layer, weights, max_w2, work):
    """Scale down the weights into each unit whose squares sum to more than max_w2; biases (last row) stay."""
    width, member = weights.shape[1], work.member
    squares = matrix(work.scales, ZERO, 1, width)
    for part in range(member.first_part, member.last_part):
        clear(squares, 0, width)
        begin, end = inputs_of(layout, layer, member, part, part + 1)
        add_squares(weights, begin, end, squares)
        if layer == 0:
            add_squares(weights, member.level_bounds[part], member.level_bounds[part + 1], squares)
        if member.n_parts > 1:
            give(member, part, squares)
    if member.n_parts > 1:
        add_up(member, squares, member.n_parts, ZERO, width, width)
    exceeded = False
    for u in range(width):
        exceeded |= squares[0, u] > max_w2
        squares[0, u] = math.sqrt(max_w2 / squares[0, u]) if squares[0, u] > max_w2 else np.float32(1)
    if exceeded:
        begin, end = own_inputs(layout, layer, member)
        scale_columns(weights, begin, end, squares)
        if layer == 0:
            begin, end = own_levels(member)
            scale_columns(weights, begin, end, squares)


@kernel
def add_squares(weights, begin, end, squares):
    """Add the squared weights out of inputs begin to end to those of each unit."""
    for i in range(begin, end):
        for u in range(weights.shape[1]):
            squares[0, u] = multiply_add(weights[i, u], weights[i, u], squares[0, u])


@kernel
def scale_columns(weights, begin, end, scales):
    """Multiply rows begin to end of the weights by the scale of each unit."""
    for i in range(begin, end):
        for u in range(weights.shape[1]):
            weights[i, u] *= scales[0, u]
