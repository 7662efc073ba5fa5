"""Update rules: how one gradient changes the weights out of one input.

The gradient of the weights w out of one input is g = scale * gradient + l2 * w. In fast mode, a weight whose `gradient`
is exactly 0 does not change, as if the rows had not been seen: its gradient and its step count as 0, and its memories
do not decay. This is done by arithmetic, because a conditional store is slow with AVX2 and does not exist in NEON.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from h2olite.kinds import rate_schedules
from h2olite.kinds.rate_schedules import COS_LOG, COSINE, LINEAR
from h2olite.kinds.update_rules import ADADELTA, ADAM, ADAMW, SGD

from .compiling import kernel
from .lanes import choose, multiply_add

linear, cosine, cos_log = map(kernel, (rate_schedules.linear, rate_schedules.cosine, rate_schedules.cos_log))

ZERO, ONE = np.float32(0), np.float32(1)

FAINT_MEAN = np.float32(1e-30)
"""Adam's means of gradients closer to 0 count as 0. Where gradients stay 0, such a mean would soon be a denormal
number: processors are many times slower with those."""

LEAST_SQUARE = np.float32(1e-37)
"""Adam's means of squares count as no less than that, if they are above 0, where something is divided by them."""

LARGEST_RATE = np.float32(1)
"""Adam's rate for a pull that is no gradient, at the most: about ADADELTA's of a weight without gradients."""


class Rule(NamedTuple):
    """The update rule and its settings, as float32 scalars.

    kind : the code of the rule, see `h2olite.kinds.update_rules`.
    interval : rows between two looks of the running average at the parameters.
    proximal_interval : rows between two steps of l1 and input_group_l1, 0 if there are none.
    pace : how many of its steps a weight takes at once. With such penalties it starts above 1, and ends below.
    schedule : the code of a schedule, whose factor multiplies the pace, see `h2olite.kinds.rate_schedules`.
    schedule_start, schedule_rows : the rows seen at its start, and its rows.
    """

    kind: int
    rho: np.float32
    epsilon: np.float32
    rate: np.float32
    beta1: np.float32
    beta2: np.float32
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
    schedule: int
    schedule_start: np.float64
    schedule_rows: np.float64


class Step(NamedTuple):
    """The rule at one moment of training in one layer.

    kind : ADADELTA, SGD or ADAM. A step of AdamW is one of Adam with a shrinkage.
    epsilon, rate : those of Adam hold the corrections of its means, which start at 0.
    l2 : the strength of the penalty in the gradients.
    shrinkage : the share by which AdamW's weights shrink at a pace of 1.
    """

    kind: int
    rho: np.float32
    epsilon: np.float32
    rate: np.float32
    beta1: np.float32
    beta2: np.float32
    momentum: np.float32
    nesterov: bool
    l2: np.float32
    shrinkage: np.float32
    fast: bool
    pace: np.float32


@kernel
def step_of(rule, layer, rows_seen, n_updates):
    """The rule's step after rows_seen rows, in the layer-th layer of weights (from 0); it is the n_updates-th update.

    SGD: rate = rate_0 * decay^layer / (1 + annealing * rows_seen); momentum goes linearly from its start to its stable
    value over momentum_ramp rows.

    Adam: with c1 = 1 - beta1^n_updates and c2 = 1 - beta2^n_updates, rate_0 m / c1 / (sqrt(v / c2) + epsilon) is
    rate m / (sqrt(v) + epsilon sqrt(c2)), with rate = rate_0 sqrt(c2) / c1.
    """
    seen, one = np.float32(rows_seen), np.float32(1)
    rate = momentum = shrinkage = np.float32(0)
    epsilon, l2 = rule.epsilon, rule.l2
    if rule.kind == SGD:
        progress = min(seen / rule.momentum_ramp, one) if rule.momentum_ramp > 0 else one
        momentum = rule.momentum_start + (rule.momentum_stable - rule.momentum_start) * progress
        rate = rule.rate * rule.decay ** np.float32(layer) / (one + rule.annealing * seen)
    elif rule.kind == ADAM or rule.kind == ADAMW:
        n = np.float64(max(n_updates, 1))
        root = math.sqrt(1.0 - np.float64(rule.beta2) ** n)
        rate = np.float32(rule.rate * root / (1.0 - np.float64(rule.beta1) ** n))
        epsilon = np.float32(rule.epsilon * root)
    kind = rule.kind
    if kind == ADAMW:
        kind, shrinkage, l2 = ADAM, rule.rate * rule.l2, np.float32(0)
    return Step(
        kind,
        rule.rho,
        epsilon,
        rate,
        rule.beta1,
        rule.beta2,
        momentum,
        rule.nesterov,
        l2,
        shrinkage,
        rule.fast,
        rule.pace * schedule_at(rule, rows_seen),
    )


@kernel
def schedule_at(rule, rows_seen):
    """The factor of the rule's schedule after rows_seen rows."""
    t = min(max((np.float64(rows_seen) - rule.schedule_start) / rule.schedule_rows, 0.0), 1.0)
    factor = 1.0
    if rule.schedule == LINEAR:
        factor = linear(t)
    elif rule.schedule == COSINE:
        factor = cosine(t)
    elif rule.schedule == COS_LOG:
        factor = cos_log(t)
    return np.float32(factor)


@kernel
def without_penalty(step):
    """The same step for biases, which carry no penalty."""
    return Step(
        step.kind,
        step.rho,
        step.epsilon,
        step.rate,
        step.beta1,
        step.beta2,
        step.momentum,
        step.nesterov,
        np.float32(0),
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
    if step.kind == ADADELTA:
        _adadelta(step, parameters, active, scales, n_active, gradients, stride)
    elif step.kind == SGD:
        _momentum(step, parameters, active, scales, n_active, gradients, stride)
    elif step.kind == ADAM:
        _adam(step, parameters, active, scales, n_active, gradients, stride)


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
def _adam(step, parameters, active, scales, n_active, gradients, stride):
    """Adam (Kingma and Ba 2015), and with a shrinkage AdamW (Loshchilov and Hutter 2019).

    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    w = w - pace (rate m / (sqrt(v) + epsilon) + shrinkage w).

    The step's rate and epsilon hold the corrections of m and v, which count all updates. In fast mode those of a weight
    that rows use rarely change by the updates that use it, as in SparseAdam of PyTorch: it moves by no more than
    (1 - beta1) / sqrt(1 - beta2) rates at first.
    """
    w, m, v = parameters
    beta1, beta2, epsilon, l2, ignored = step.beta1, step.beta2, step.epsilon, step.l2, ignored_by(step)
    fresh, fresh_square = np.float32(1) - beta1, np.float32(1) - beta2
    rate, shrinkage, pace = step.rate, step.shrinkage, step.pace
    for j in range(n_active):
        i, r, scale = active[j], j * stride, scales[j]
        if scale != ignored:
            for k in range(w.shape[1]):
                moves = gradients[r, k] != ignored
                g = choose(moves, multiply_add(scale, gradients[r, k], l2 * w[i, k]), ZERO)
                mean = multiply_add(fresh, g, choose(moves, beta1, ONE) * m[i, k])
                mean = choose(abs(mean) < FAINT_MEAN, ZERO, mean)
                m[i, k] = mean
                v[i, k] = multiply_add(fresh_square * g, g, choose(moves, beta2, ONE) * v[i, k])
                change = multiply_add(shrinkage, w[i, k], rate * mean / (math.sqrt(v[i, k]) + epsilon))
                w[i, k] = multiply_add(-pace, choose(moves, change, ZERO), w[i, k])


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
    """The learning rate that a weight has now.

    With Adam it is rate / (sqrt(v) + epsilon), and the rate itself for a weight that no gradient has reached. The rates
    of ADADELTA and Adam are both computed, because a loop with more branches is not vectorised for NEON.
    """
    rate = step.rate
    if step.kind != SGD:
        is_adadelta = step.kind == ADADELTA
        top = choose(is_adadelta, second[i, k] + step.epsilon, ONE)
        bottom = choose(is_adadelta, first[i, k] + step.epsilon, max(second[i, k], LEAST_SQUARE))
        root = math.sqrt(top / bottom)
        of_adam = choose(second[i, k] > ZERO, rate * root / (ONE + step.epsilon * root), rate)
        rate = choose(is_adadelta, root, of_adam)
    return np.float32(step.pace * rate)


@kernel
def pull_rate_of(step, first, second, i, k):
    """The same for a pull that is no gradient: where gradients are almost 0, Adam's rate has no bound."""
    rate = rate_of(step, first, second, i, k)
    return min(rate, LARGEST_RATE) if step.kind == ADAM else rate
