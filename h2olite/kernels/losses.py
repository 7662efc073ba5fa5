"""Gradients of the losses at the output layer.

With t the target and f the linear output (y = softmax(f) for classification), the loss of one row is

==================  =========================================  ==============================================
CROSS_ENTROPY       -sum q_k log y_k                           y_k - q_k, with q_k = (1 - s) [k = t] + s / n
CLASS_QUADRATIC     1/2 (y_k - [k = t])^2 at each unit         (y_k - [k = t]) y_k (1 - y_k)
GAUSSIAN            (f - t)^2                                  2 (f - t)
LAPLACE             abs(f - t)                                 sign(f - t)
QUANTILE            alpha (t - f) or (1 - alpha) (f - t)       -alpha or 1 - alpha
HUBER               e^2, or (2 abs(e) - delta) delta           2 e, clipped to 2 delta, with e = f - t
POISSON             2 (exp f - t f)                            2 (exp f - t)
GAMMA               2 (t exp(-f) + f)                          2 (1 - t exp(-f))
TWEEDIE             2 (exp((2-p) f)/(2-p) - t exp((1-p) f)/(1-p))   2 (exp((2-p) f) - t exp((1-p) f))
==================  =========================================  ==============================================

up to terms without f. Of n classes, CROSS_ENTROPY has the targets q, smoothed by s (Szegedy et al. 2016).
CLASS_QUADRATIC uses only the diagonal of the derivative of the softmax, as H2O does. LAPLACE and QUANTILE have no
derivative at f = t. Their gradient is 0 there.
"""

from __future__ import annotations

import numpy as np

from h2olite.kinds.distributions import (
    CLASS_QUADRATIC,
    CROSS_ENTROPY,
    GAMMA,
    GAUSSIAN,
    LAPLACE,
    POISSON,
    QUANTILE,
    TWEEDIE,
)

from .activations import exp, softmax
from .compiling import kernel

FAINT = np.float32(1e-15)
"""Gradients of a class this close to its target count as 0. They would not change a float32 weight, and their squares
would fall below the numbers that processors are fast with."""

LARGEST_EXP = np.float32(1e19)


@kernel
def differentiate(loss, shape, outputs, r, n_outputs, target):
    """Replace the outputs f in row r by the loss's gradient there.

    shape is the loss's own parameter: s (CROSS_ENTROPY), alpha (QUANTILE), delta (HUBER) or the power p (TWEEDIE).
    """
    one, two = np.float32(1), np.float32(2)
    if loss == CROSS_ENTROPY or loss == CLASS_QUADRATIC:
        softmax(outputs, r, n_outputs)
        smoothing = shape if loss == CROSS_ENTROPY else np.float32(0)
        off = smoothing / np.float32(n_outputs)
        on = one - smoothing + off
        for k in range(n_outputs):
            y = outputs[r, k]
            error = y - on if k == int(target) else y - off
            gradient = error if loss == CROSS_ENTROPY else error * y * (one - y)
            outputs[r, k] = np.float32(0) if abs(gradient) <= FAINT else gradient
        return
    f = outputs[r, 0]
    if loss == POISSON:
        outputs[r, 0] = two * (bounded_exp(f) - target)
    elif loss == GAMMA:
        outputs[r, 0] = two * (one - target * bounded_exp(-f))
    elif loss == TWEEDIE:
        outputs[r, 0] = two * (bounded_exp((two - shape) * f) - target * bounded_exp((one - shape) * f))
    else:
        outputs[r, 0] = gradient_of_error(loss, shape, f - target)


@kernel
def gradient_of_error(loss, shape, error):
    """The gradient of GAUSSIAN, LAPLACE, QUANTILE or HUBER where the error is f - t."""
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    if loss == GAUSSIAN or error == zero:
        return two * error
    if loss == LAPLACE:
        return one if error > zero else -one
    if loss == QUANTILE:
        return one - shape if error > zero else -shape
    return two * min(max(error, -shape), shape)


@kernel
def bounded_exp(x):
    """Return min(exp(x), 1e19), the bound H2O sets."""
    return min(exp(x), LARGEST_EXP)
