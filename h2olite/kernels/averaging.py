"""Means of networks that were trained apart, array by array."""

from __future__ import annotations

import numpy as np

from .compiling import entry, kernel, matrix, span
from .lanes import LANES, choose, multiply_add
from .teams import meet
from .updates import pull_rate_of, step_of

ZERO, ONE = np.float32(0), np.float32(1)

PIECE = 1024
"""Numbers of each array that are averaged at a time: they stay in the nearest cache until they are handed out."""


@entry
def average_states(member, means, stacks, n_rows, counted, hands_out):
    """Fill arrays with the means of the rows of stacks, weighted by n_rows, once all members of a team have come here.

    Every member averages its own part of each array. With N_i the sum of n_rows up to i, the mean is computed as
    mean = mean + n_i / N_i (stack_i - mean): that of equal numbers is this number, to the last bit. A row of a stack
    whose n_rows is 0 does not count.

    means, stacks : two groups each; first the parameters, their running average, the two memories of the update rule
        and the activities, then `out`, `accumulated` and `rates_sum` of `h2olite.kernels.penalties.Screening`. Arrays
        that there are not have no element.
    n_rows : float32, one for each row of the stacks, at least one of them above 0.
    counted : float32 (PIECE,), scratch space of the member.
    hands_out : whether the rows of the stacks are filled with the mean.
    """
    meet(member)
    (theta, mean, first, second, activity), known = means
    (thetas, running, firsts, seconds, activities), all_known = stacks
    average_array(member, theta, thetas, n_rows, hands_out)
    average_array(member, mean, running, n_rows, hands_out)
    average_array(member, first, firsts, n_rows, hands_out)
    average_array(member, second, seconds, n_rows, hands_out)
    average_array(member, activity, activities, n_rows, hands_out)
    average_known(member, known, all_known, n_rows, counted, hands_out)
    meet(member)


@entry
def meet_others(member):
    """Wait until all members of a team have come here as often as this one."""
    meet(member)


@entry
def pull_together(layout, state, center, rule, n_updates, strength):
    """Pull all parameters towards those of a center, for all updates since the last time.

    This is the proximal step of the penalty strength / 2 * (w - center)^2 in the mean loss: with the rate that a
    parameter has now, and a = strength * n_updates * rate, w = w + a / (1 + a) (center - w).
    """
    for layer in range(layout.widths.size):
        step = step_of(rule, layer, state.rows_seen, state.n_updates)
        start, size = layout.weights[layer], layout.weights[layer + 1] - layout.weights[layer]
        weights, centers = matrix(state.theta, start, 1, size), matrix(center, start, 1, size)
        first, second = matrix(state.first, start, 1, size), matrix(state.second, start, 1, size)
        pull(step, weights, centers, (first, second), strength * n_updates)


@kernel
def pull(step, weights, centers, memories, strength):
    """Pull the parameters of a layer, for updates that have this strength in all."""
    first, second = memories
    for k in range(weights.shape[1]):
        amount = strength * pull_rate_of(step, first, second, 0, k)
        weights[0, k] = multiply_add(amount / (ONE + amount), centers[0, k] - weights[0, k], weights[0, k])


@kernel
def own_part(member, size):
    """The part of an array that a member averages, in whole registers; the last member has what is left."""
    registers = size // LANES
    end = registers * (member.place + 1) // member.n_members * LANES
    return registers * member.place // member.n_members * LANES, size if member.place + 1 == member.n_members else end


@kernel
def average_array(member, mean, stack, n_rows, hands_out):
    """Average the member's part of one array, and hand it out."""
    begin, end = own_part(member, mean.size)
    for start in range(begin, end, PIECE):
        first, last = span(start, min(start + PIECE, end))
        total = ZERO
        for i in range(stack.shape[0]):
            total += n_rows[i]
            move_towards(mean, stack, np.uint64(i), n_rows[i] / max(total, ONE), first, last)
        if hands_out:
            hand_out(mean, stack, first, last)


@kernel
def move_towards(mean, stack, i, share, first, last):
    """Move a piece of a mean towards that of the i-th row; a share of 1 makes it that row, and one of 0 leaves it."""
    if share == ONE:
        for k in range(first, last):
            mean[k] = stack[i, k]
    elif share > ZERO:
        for k in range(first, last):
            mean[k] = multiply_add(share, stack[i, k] - mean[k], mean[k])


@kernel
def hand_out(mean, stack, first, last):
    """Fill a piece of all rows with that of the mean."""
    for i in range(stack.shape[0]):
        row = np.uint64(i)
        for k in range(first, last):
            stack[row, k] = mean[k]


@kernel
def average_known(member, known, all_known, n_rows, counted, hands_out):
    """Average what the penalties know of each weight, as far as it is the member's part, and hand it out.

    A weight is out if it is out in all networks that count. The sums of weights that are in are of other quantities
    than those of weights that are out. So a network counts for a weight if the weight is in or out there as it is now.
    """
    (out, accumulated, rates_sum), (outs, all_accumulated, all_rates_sum) = known, all_known
    begin, end = own_part(member, out.size)
    for start in range(begin, end, PIECE):
        first, last = span(start, min(start + PIECE, end))
        for k in range(first, last):
            out[k] = ONE
        for i in range(outs.shape[0]):
            if n_rows[i] > 0:
                row = np.uint64(i)
                keep_most_in(out, outs, row, first, last)
        clear(counted, accumulated, rates_sum, first, last)
        for i in range(outs.shape[0]):
            add_sums(known, all_known, np.uint64(i), n_rows[i], (counted, first, last))
        if hands_out:
            hand_out(out, outs, first, last)
            hand_out(accumulated, all_accumulated, first, last)
            hand_out(rates_sum, all_rates_sum, first, last)


@kernel
def keep_most_in(out, outs, row, first, last):
    """Let weights be in that are in in one more network."""
    for k in range(first, last):
        out[k] += choose(outs[row, k] < out[k], outs[row, k] - out[k], ZERO)


@kernel
def clear(counted, accumulated, rates_sum, first, last):
    """Begin the sums of a piece."""
    for k in range(first, last):
        counted[k - first] = ZERO
        accumulated[k] = ZERO
        rates_sum[k] = ZERO


@kernel
def add_sums(known, all_known, row, n_rows, piece):
    """Move the means of sums towards those of one network, where a weight is in, or out, as it is now."""
    (out, accumulated, rates_sum), (outs, all_accumulated, all_rates_sum) = known, all_known
    counted, first, last = piece
    for k in range(first, last):
        rows = choose(outs[row, k] == out[k], n_rows, ZERO)
        counted[k - first] += rows
        share = rows / max(counted[k - first], ONE)
        accumulated[k] = multiply_add(share, all_accumulated[row, k] - accumulated[k], accumulated[k])
        rates_sum[k] = multiply_add(share, all_rates_sum[row, k] - rates_sum[k], rates_sum[k])
