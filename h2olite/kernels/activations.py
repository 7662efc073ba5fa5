"""Activations of a hidden layer, and their derivatives."""

from __future__ import annotations

import math

import numpy as np

from h2olite.kinds.activations import EXP_RECTIFIER, RECTIFIER, TANH

from .compiling import kernel
from .lanes import SHIFT, choose, multiply_add, power_of_two

ZERO, ONE, TWO = map(np.float32, range(3))

LARGEST = np.float32(87)
"""The exponential of its negative is about the smallest normal float32."""

SATURATED = np.float32(9.1)
"""From here on tanh is 1 in float32."""

LOG2_E = np.float32(1.4426950408889634)
LOG_2, LOG_2_REST = np.float32(0.693359375), np.float32(-2.12194440e-4)
P0, P1, P2, P3, P4, P5 = map(
    np.float32, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
)


@kernel
def activate(kind, z, a, r, units):
    """Fill a range of units in row r of a with f(z) and replace row r of z by the slopes da/dz there.

    z has as many columns as a; for Maxout twice as many, channel 0 of all units before channel 1, and of the two the
    larger one passes (channel 1 only if strictly larger).
    """
    zero, one = np.float32(0), np.float32(1)
    n_units = np.uint64(a.shape[1])
    if kind == RECTIFIER:
        for u in range(units[0], units[1]):
            a[r, u] = choose(z[r, u] < zero, zero, z[r, u])
            z[r, u] = choose(z[r, u] > zero, one, zero)
    elif kind == TANH:
        for u in range(units[0], units[1]):
            a[r, u] = tanh(z[r, u])
            z[r, u] = one - a[r, u] * a[r, u]
    elif kind == EXP_RECTIFIER:
        for u in range(units[0], units[1]):
            negative = z[r, u] < zero
            less_one = expm1(choose(negative, z[r, u], zero))
            a[r, u] = choose(negative, less_one, z[r, u])
            z[r, u] = choose(negative, less_one + one, one)
    else:
        for u in range(units[0], units[1]):
            first, second = z[r, u], z[r, n_units + u]
            second_passes = second > first
            a[r, u] = choose(second_passes, second, first)
            z[r, u] = choose(second_passes, zero, one)
            z[r, n_units + u] = choose(second_passes, one, zero)


@kernel
def exponential(x):
    """Return 2^n and exp(r) - 1, of which exp(x) is made, where x = n log 2 + r; beyond -87 and 87, as at these bounds.

    The polynomial is that of Cephes (Moshier 1992). The system's functions would be calls, which no loop is vectorised
    with, and differ from system to system. What is no number stays none.
    """
    x = choose(x > LARGEST, LARGEST, choose(x < -LARGEST, -LARGEST, x))
    shifted = multiply_add(x, LOG2_E, SHIFT)
    n = shifted - SHIFT
    rest = multiply_add(n, -LOG_2_REST, multiply_add(n, -LOG_2, x))
    value = multiply_add(P0, rest, P1)
    value = multiply_add(value, rest, P2)
    value = multiply_add(value, rest, P3)
    value = multiply_add(value, rest, P4)
    value = multiply_add(value, rest, P5)
    return power_of_two(shifted), multiply_add(value, rest * rest, rest)


@kernel
def exp(x):
    """Return exp(x), at most exp(87); 0 below -87, where float32 has few digits left."""
    scale, less_one = exponential(x)
    return choose(x < -LARGEST, ZERO, multiply_add(scale, less_one, scale))


@kernel
def expm1(x):
    """Return exp(x) - 1, at most exp(87), with all digits near 0."""
    scale, less_one = exponential(x)
    return multiply_add(scale, less_one, scale - ONE)


@kernel
def tanh(x):
    """Return tanh(x) = (exp(2 abs(x)) - 1) / (exp(2 abs(x)) + 1) with the sign of x."""
    twice = expm1(choose(abs(x) > SATURATED, SATURATED, abs(x)) * TWO)
    return math.copysign(twice / (twice + TWO), x)


@kernel
def softmax(z, r, n_classes):
    """Replace the first entries of row r by exp(z) / sum(exp(z)), safe against overflow."""
    largest = z[r, 0]
    for k in range(1, n_classes):
        largest = max(largest, z[r, k])
    total = ZERO
    for k in range(n_classes):
        z[r, k] = exp(z[r, k] - largest)
        total += z[r, k]
    for k in range(n_classes):
        z[r, k] /= total
