"""Activations of a hidden layer and their slopes."""

from __future__ import annotations

import math

import numpy as np

from h2olite.kinds.activations import EXP_RECTIFIER, RECTIFIER, TANH

from .compiling import kernel


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
            a[r, u] = max(z[r, u], zero)
            z[r, u] = one if z[r, u] > zero else zero
    elif kind == TANH:
        for u in range(units[0], units[1]):
            a[r, u] = math.tanh(z[r, u])
            z[r, u] = one - a[r, u] * a[r, u]
    elif kind == EXP_RECTIFIER:
        for u in range(units[0], units[1]):
            if z[r, u] >= zero:
                a[r, u] = z[r, u]
                z[r, u] = one
            else:
                a[r, u] = math.expm1(z[r, u])
                z[r, u] = a[r, u] + one
    else:
        for u in range(units[0], units[1]):
            second = z[r, n_units + u] > z[r, u]
            a[r, u] = z[r, n_units + u] if second else z[r, u]
            z[r, u] = zero if second else one
            z[r, n_units + u] = one if second else zero


@kernel
def softmax(z, r, n_classes):
    """Replace the first entries of row r by exp(z) / sum(exp(z)), safe against overflow."""
    largest = z[r, 0]
    for k in range(1, n_classes):
        largest = max(largest, z[r, k])
    total = np.float32(0)
    for k in range(n_classes):
        z[r, k] = math.exp(z[r, k] - largest)
        total += z[r, k]
    for k in range(n_classes):
        z[r, k] /= total
