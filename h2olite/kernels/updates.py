"""Update rules: how one gradient changes the weights out of one input.

The gradient of the weights w out of one input is g = scale * gradient + l2 * w. In fast mode, a weight whose `gradient`
is exactly 0 does not change, as if the rows had not been seen: its gradient and its step count as 0, and its memories
do not decay. This is done by arithmetic, because a conditional store is slow with AVX2 and does not exist in NEON.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .compiling import kernel
from .lanes import choose, multiply_add

ZERO, ONE = np.float32(0), np.float32(1)


class Rule(NamedTuple):
    """The update rule and its settings, as float32 scalars.

    interval : rows between two looks of the running average at the parameters.
    proximal_interval : rows between two steps of l1 and input_group_l1, 0 if there are none.
    pace : how many of its steps a weight takes at once. With such penalties it starts above 1, and ends below.
    """

    adaptive: bool
    rho: np.float32
    epsilon: np.float32
    rate: np.float32
    annealing: np.float32
    decay: np.float32
    momentum_start: np.float32
    momentum_ramp: np.float32
    momentum_stable: np.float32
    nesterov: bool
    l1: np.float32
    input_group_l1: np.float32
    l2: np.float32
    max_w2: np.float32
    fast: bool
    window: np.float32
    interval: np.int64
    proximal_interval: np.int64
    pace: np.float32


class Step(NamedTuple):
    """The rule at one moment of training in one layer."""

    adaptive: bool
    rho: np.float32
    epsilon: np.float32
    rate: np.float32
    momentum: np.float32
    nesterov: bool
    l2: np.float32
    fast: bool
    pace: np.float32


@kernel
def step_of(rule, layer, rows_seen):
    """The rule's step after rows_seen rows, in the layer-th layer of weights (from 0).

    rate = rate_0 * decay^layer / (1 + annealing * rows_seen); momentum goes linearly from its start to its stable value
    over momentum_ramp rows. ADADELTA has neither.
    """
    seen, one = np.float32(rows_seen), np.float32(1)
    rate = momentum = np.float32(0)
    if not rule.adaptive:
        progress = min(seen / rule.momentum_ramp, one) if rule.momentum_ramp > 0 else one
        momentum = rule.momentum_start + (rule.momentum_stable - rule.momentum_start) * progress
        rate = rule.rate * rule.decay ** np.float32(layer) / (one + rule.annealing * seen)
    return Step(rule.adaptive, rule.rho, rule.epsilon, rate, momentum, rule.nesterov, rule.l2, rule.fast, rule.pace)


@kernel
def without_penalty(step):
    """The same step for biases, which carry no penalty."""
    return Step(
        step.adaptive,
        step.rho,
        step.epsilon,
        step.rate,
        step.momentum,
        step.nesterov,
        np.float32(0),
        step.fast,
        step.pace,
    )


@kernel
def update(step, parameters, active, scales, n_active, gradients, stride):
    """Move the first n_active listed rows of the weights against their gradients.

    That of the j-th is row j * stride of `gradients` times scales[j]. Calls cost as much as a short row, so that all
    rows come in one.

    parameters : weights and the two memories of the rule.
    """
    if step.adaptive:
        _adadelta(step, parameters, active, scales, n_active, gradients, stride)
    else:
        _momentum(step, parameters, active, scales, n_active, gradients, stride)


@kernel
def ignored_by(step):
    """The gradient by which a weight does not change: 0 in fast mode, otherwise none."""
    return np.float32(0) if step.fast else np.float32(np.nan)


@kernel
def _adadelta(step, parameters, active, scales, n_active, gradients, stride):
    """ADADELTA (Zeiler 2012).

    G = rho G + (1 - rho) g^2;  d = sqrt((D + epsilon) / (G + epsilon)) g;  D = rho D + (1 - rho) d^2;  w = w - pace d.
    """
    w, g2, d2 = parameters
    rho, epsilon, l2, ignored = step.rho, step.epsilon, step.l2, ignored_by(step)
    fresh, pace = np.float32(1) - rho, step.pace
    for j in range(n_active):
        i, r, scale = active[j], j * stride, scales[j]
        if scale != ignored:
            for k in range(w.shape[1]):
                moves = gradients[r, k] != ignored
                g = choose(moves, multiply_add(scale, gradients[r, k], l2 * w[i, k]), ZERO)
                kept = choose(moves, rho, ONE)
                g2[i, k] = multiply_add(fresh * g, g, kept * g2[i, k])
                d = choose(moves, math.sqrt((d2[i, k] + epsilon) / (g2[i, k] + epsilon)) * g, ZERO)
                d2[i, k] = multiply_add(fresh * d, d, kept * d2[i, k])
                w[i, k] = multiply_add(-pace, d, w[i, k])


@kernel
def _momentum(step, parameters, active, scales, n_active, gradients, stride):
    """SGD with momentum m: v = m v - g, then w = w + (1 - m) rate v, or for Nesterov w + (1 - m) rate (m v - g).

    The factor 1 - m keeps the total effect of one gradient at rate * g whatever the momentum.
    References: Polyak 1964; Nesterov 1983 in the form of Bengio, Boulanger-Lewandowski and Pascanu 2013.
    """
    w, velocity, _ = parameters
    momentum, nesterov, l2, ignored = step.momentum, step.nesterov, step.l2, ignored_by(step)
    scaled_rate = (np.float32(1) - momentum) * (step.pace * step.rate)
    for j in range(n_active):
        i, r, scale = active[j], j * stride, scales[j]
        if scale != ignored:
            for k in range(w.shape[1]):
                moves = gradients[r, k] != ignored
                g = choose(moves, multiply_add(scale, gradients[r, k], l2 * w[i, k]), ZERO)
                velocity[i, k] = multiply_add(choose(moves, momentum, ONE), velocity[i, k], -g)
                change = multiply_add(momentum, velocity[i, k], -g) if nesterov else velocity[i, k]
                w[i, k] = multiply_add(scaled_rate, choose(moves, change, ZERO), w[i, k])


@kernel
def share_of(window, n_rows, rows_seen):
    """The share a by which a mean moves after n_rows more rows, so that it weighs about the last `window` of all rows.

    a = n_rows / (window * rows_seen), at most 1: polynomial-decay averaging, which needs no plan of how long training
    will be.
    References: Polyak and Juditsky 1992; Shamir and Zhang 2013.
    """
    return min(np.float32(n_rows) / (window * np.float32(rows_seen)), np.float32(1))


@kernel
def average(mean, theta, begin, end, share):
    """Move rows begin to end of the mean towards theta: mean = mean + share (theta - mean)."""
    for i in range(begin, end):
        for k in range(mean.shape[1]):
            mean[i, k] = multiply_add(share, theta[i, k] - mean[i, k], mean[i, k])


@kernel
def rate_of(step, first, second, i, k):
    """The learning rate that a weight has now."""
    if step.adaptive:
        return np.float32(step.pace * math.sqrt((second[i, k] + step.epsilon) / (first[i, k] + step.epsilon)))
    return step.pace * step.rate
