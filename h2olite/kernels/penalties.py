"""The penalties that make zeros, l1 and input_group_l1, on weights that learn from single rows.

A weight is active or inactive. Every `Rule.proximal_interval` rows, an active weight takes the proximal step of the
penalties for all updates since the last step. If this makes it 0, it becomes inactive. An inactive weight is held at 0:
at every step, what the gradients have made of it is added up and taken back.

Single rows move weights away from 0, and never let whole columns become 0. Therefore the active set is decided from
time to time, by means over thousands of rows. Let s be the subgradient of abs(w), or of the norm of a column. At the
optimum, the mean of s is minus the gradient of the loss by w, in units of the strength.

- An inactive weight becomes active if this gradient is larger than the penalty: the mean of abs(s) would be above 1.
- An active weight has s = w / norm of w. If the mean of s is well inside the unit ball, w has no steady direction, but
  only that of the latest rows. It becomes inactive if it is so small that the penalties could have removed it by now.

The mean gradient of thousands of rows may still be large by chance. Therefore a column that has become active does not
count in the model before the next decision. Without averaging, the learning weights are the model, and the column then
begins at 0.

References: Tsuruoka, Tsujii and Ananiadou 2009 (penalties collected over many updates); Xiao 2010 (means of gradients
decide over zeros); Simon, Friedman, Hastie and Tibshirani 2013 (the proximal step of both penalties).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .compiling import entry, kernel
from .lanes import choose
from .layout import narrow_layer, rows_of
from .teams import meet
from .updates import rate_of, step_of

STEADY = np.float32(0.8)
"""Norm of the mean subgradient below which a weight has no direction of its own. That of a weight at its optimum is 1.
Between 0.65 and 0.9, paths on simulated tables end with next to no column of noise; with 0.5, some have dozens."""

ENTRY = 0.25
"""Share of what a weight that comes in would have moved to by now, where it begins: it learns the rest by itself, since
many that come in at once, each as if alone, would overshoot. Where penalties act once a screening, it is 1: that is
the proximal step of the whole gradient."""

ZERO, ONE = np.float32(0), np.float32(1)
IN, NEWLY_IN, OUT = np.float32(0), np.float32(0.5), np.float32(1)


class Screening(NamedTuple):
    """What is known of each weight for the penalties; empty arrays where there are none.

    columns : int64 (n_columns + 1,), where the inputs of each column start, and their number.
    out : float32 (n_parameters,), whether each weight is IN, NEWLY_IN or OUT; NEWLY_IN only under input_group_l1.
    accumulated : float32 (n_parameters,), since the weight was last screened, the sum over all updates of the rate
        times s, for a weight that is in; of minus the rate times the gradient of the loss, for one that is out.
    rates_sum : float32 (n_parameters,), the sum of the rates over the same updates.
    last_step : int64 (1,), rows seen when the penalties last acted.
    n_updates : int64 (1,), updates since then. A mini-batch cut short at the end of an epoch makes a whole one.
    """

    columns: np.ndarray
    out: np.ndarray
    accumulated: np.ndarray
    rates_sum: np.ndarray
    last_step: np.ndarray
    n_updates: np.ndarray


@kernel
def act_if_due(layout, state, screening, rule, now, n_updates, work):
    """Count an update, and let the penalties act if rule.proximal_interval rows have been seen since the last time.

    Only the first member of a team counts. All members read when the penalties acted, which changes between meetings.

    screening : the state's, an argument of its own: Numba leaves out branches on an argument that is None.
    """
    if screening is not None:
        if work.member.place == 0:
            screening.n_updates[0] += 1
        if rule.proximal_interval > 0 and now - screening.last_step[0] >= rule.proximal_interval:
            step_together(layout, state, rule, now, n_updates, work)


@kernel
def step_together(layout, state, rule, rows_seen, n_updates, work):
    """Let the penalties act once all members of a team are done with a row: one acts for all."""
    member, outer = work.member, work.outer[0]
    meet(member)
    if member.place == 0:
        proximal_step(layout, state, rule, rows_seen, n_updates)
    meet(member)
    if member.place > 0:
        changed = narrow_layer(layout, state.theta)
        for k in range(outer.size):
            outer[k] = changed[k]
    meet(member)


@entry
def step_and_screen(layout, state, rule, screened_rows):
    """Take the proximal step of the updates since the last one; screen by the last screened_rows, if any."""
    if state.screening.n_updates[0] > 0:
        proximal_step(layout, state, rule, state.rows_seen, state.n_updates)
    if screened_rows > 0:
        screen(layout, state, rule, np.float32(min(max(rule.proximal_interval / screened_rows, ENTRY), 1.0)))


@kernel
def proximal_step(layout, state, rule, rows_seen, n_updates):
    """Move all weights by the proximal step of all updates since the last one; biases carry no penalty.

    Weights left alone by some of these updates take the step as well: the penalty is on every weight at every update.

    A column's penalty is input_group_l1 * sqrt(number of weights) * norm of the weights out of its inputs.
    """
    screening = state.screening
    taken = np.float32(screening.n_updates[0])
    screening.last_step[0], screening.n_updates[0] = rows_seen, 0
    for layer in range(layout.widths.size):
        step = step_of(rule, layer, rows_seen, n_updates)
        weights, known = rows_of(layout, state.theta, layer), known_of(layout, screening, layer)
        memories = rows_of(layout, state.first, layer), rows_of(layout, state.second, layer)
        in_columns = layer == 0 and rule.input_group_l1 > 0
        for i in range(weights.shape[0]):
            soft_threshold(step, weights, memories, known, i, taken, rule.l1, in_columns)
        if in_columns:
            for c in range(screening.columns.size - 1):
                begin, end = screening.columns[c], screening.columns[c + 1]
                strength = rule.input_group_l1 * root_of_size(layout, begin, end)
                group_soft_threshold(step, weights, memories, known, (begin, end), taken, strength)


@kernel
def known_of(layout, screening, layer):
    """What is known of the weights of a layer: `out`, `accumulated` and `rates_sum` of `Screening`."""
    return (
        rows_of(layout, screening.out, layer),
        rows_of(layout, screening.accumulated, layer),
        rows_of(layout, screening.rates_sum, layer),
    )


@kernel
def soft_threshold(step, weights, memories, known, i, n_updates, l1, in_columns):
    """Move row i by the proximal step of l1: w = sign(w) max(abs(w) - l1 * n_updates * rate, 0).

    in_columns : whether the sums of weights that are in are left to `group_soft_threshold`.
    """
    out, accumulated, rates_sum = known
    for k in range(weights.shape[1]):
        w = weights[i, k]
        rates = n_updates * rate_of(step, memories[0], memories[1], i, k)
        kept = beyond(w, l1 * rates)
        was_out = out[i, k] == OUT
        is_out = was_out | (kept == 0)
        own_rates = choose(in_columns & (not was_out), ZERO, rates)
        change = choose(was_out, w, math.copysign(own_rates, w))
        stays = choose(is_out & (not was_out), ZERO, ONE)
        accumulated[i, k] = stays * (accumulated[i, k] + change)
        rates_sum[i, k] = stays * (rates_sum[i, k] + own_rates)
        weights[i, k] = choose(is_out, ZERO, kept)
        out[i, k] += choose(is_out, OUT - out[i, k], ZERO)


@kernel
def group_soft_threshold(step, weights, memories, known, column, n_updates, strength):
    """Move rows column[0] to column[1], the weights w out of one column, by the proximal step of its penalty.

    w = w max(1 - strength * n_updates * rate / norm of w, 0), with the mean of the weights' rates, each weighing w^2.
    References: Yuan and Lin 2006.
    """
    (begin, end), (out, accumulated, rates_sum) = column, known
    squares, rates = ZERO, ZERO
    for i in range(begin, end):
        for k in range(weights.shape[1]):
            square = weights[i, k] * weights[i, k]
            squares += square
            rates += square * rate_of(step, memories[0], memories[1], i, k)
    rate = direction = kept = ZERO
    if squares > 0:  # its powers may leave the range of float32
        norm = math.sqrt(np.float64(squares))
        rate = np.float32(n_updates * (rates / np.float64(squares)))
        direction = np.float32(1.0 / norm)
        kept = np.float32(max(1.0 - strength * rate / norm, 0.0))
    for i in range(begin, end):
        for k in range(weights.shape[1]):
            is_out = out[i, k] == OUT
            stays = is_out or kept > 0
            accumulated[i, k] = accumulated[i, k] + weights[i, k] * direction * rate if stays else ZERO
            rates_sum[i, k] = rates_sum[i, k] + (ZERO if is_out else rate) if stays else ZERO
            weights[i, k] *= kept
            out[i, k] = out[i, k] if stays else OUT


@kernel
def screen(layout, state, rule, share):
    """Decide which weights are in and out by what has moved them since they were last screened.

    share : of what a weight that comes in would have moved to by now, where it begins.
    """
    screening = state.screening
    for layer in range(layout.widths.size):
        weights, known = rows_of(layout, state.theta, layer), known_of(layout, screening, layer)
        out, accumulated, rates_sum = known
        if layer == 0 and rule.input_group_l1 > 0:
            for c in range(screening.columns.size - 1):
                begin, end = screening.columns[c], screening.columns[c + 1]
                strength = rule.input_group_l1 * root_of_size(layout, begin, end)
                screen_column(weights, known, (begin, end), rule.l1, strength, share)
        else:
            for i in range(weights.shape[0]):
                for k in range(weights.shape[1]):
                    is_unsteady = abs(accumulated[i, k]) < STEADY * rates_sum[i, k]
                    if out[i, k] == OUT:
                        weights[i, k] = share * beyond(accumulated[i, k], rule.l1 * rates_sum[i, k])
                        out[i, k] = OUT if weights[i, k] == 0 else IN
                    elif is_unsteady and abs(weights[i, k]) < rule.l1 * rates_sum[i, k]:
                        weights[i, k], out[i, k] = ZERO, OUT
                    else:
                        out[i, k] = IN
    screening.accumulated[:] = ZERO
    screening.rates_sum[:] = ZERO


@kernel
def screen_column(weights, known, column, l1, strength, share):
    """Decide whether rows column[0] to column[1], the weights out of one column, are in: all, or those that l1 lets."""
    (begin, end), (out, accumulated, rates_sum) = column, known
    squares, accumulated_squares, largest_sum = 0.0, 0.0, ZERO
    coming_squares, coming_rates = 0.0, 0.0
    is_in = False
    for i in range(begin, end):
        for k in range(weights.shape[1]):
            if out[i, k] != OUT:
                is_in = True
                squares += weights[i, k] * np.float64(weights[i, k])
                accumulated_squares += accumulated[i, k] * np.float64(accumulated[i, k])
                largest_sum = max(largest_sum, rates_sum[i, k])
            else:
                coming = np.float64(beyond(accumulated[i, k], l1 * rates_sum[i, k]))
                coming_squares += coming * coming
                coming_rates += coming * coming * rates_sum[i, k]
    kept = 1.0
    if is_in:
        if math.sqrt(accumulated_squares) < STEADY * largest_sum and math.sqrt(squares) < strength * largest_sum:
            kept = 0.0
    elif coming_squares > 0:
        kept = max(1.0 - strength * coming_rates / coming_squares / math.sqrt(coming_squares), 0.0)
    for i in range(begin, end):
        for k in range(weights.shape[1]):
            was_out = out[i, k] == OUT
            if was_out:
                weights[i, k] = share * np.float32(kept) * beyond(accumulated[i, k], l1 * rates_sum[i, k])
            elif kept == 0:
                weights[i, k] = ZERO
            out[i, k] = OUT if weights[i, k] == 0 else (NEWLY_IN if was_out else IN)


@kernel
def beyond(value, threshold):
    """What of a value lies beyond a threshold: sign(value) max(abs(value) - threshold, 0)."""
    return math.copysign(max(abs(value) - threshold, ZERO), value)


@kernel
def root_of_size(layout, begin, end):
    """The square root of the number of weights out of inputs begin to end."""
    n_weights_each = layout.sizes[1] * (layout.widths[0] // layout.padded[1])
    return np.float32(math.sqrt((end - begin) * n_weights_each))
