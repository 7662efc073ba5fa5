"""Sums in lanes add what they say, in the order that they say."""

import numpy as np
import pytest
from examples import from_python

from h2olite.kernels.compiling import FLAGS
from h2olite.kernels.lanes import LANES, multiply_add, row_products


def matrices(n_columns):
    random = np.random.default_rng(n_columns)
    return [random.normal(size=(5, n_columns)).astype(np.float32) for _ in range(2)]


def in_order(a, b):
    """The sum of a * b in lanes, every product and sum as exact as float64 and then rounded, as a fused one is."""
    parts = np.zeros(LANES, np.float32)
    for start in range(0, a.size, LANES):
        part = slice(start, start + LANES)
        parts = (a[part].astype(np.float64) * b[part] + parts).astype(np.float32)
    while parts.size > 1:
        parts = parts[: parts.size // 2] + parts[parts.size // 2 :]
    return parts[0]


@pytest.mark.parametrize("n_columns", [0, 16, 48, 208])
@pytest.mark.parametrize("rows", [(3,), (4, 0, 0, 2)], ids=str)
def test_row_products_add_every_lane_by_itself_and_the_lanes_by_halves(n_columns, rows):
    x, weights = matrices(n_columns)
    sums = from_python(row_products)(x, 1, weights, rows)
    expected = [in_order(x[1], weights[row]) for row in rows]
    np.testing.assert_allclose(sums, expected, rtol=1e-6, atol=1e-6)  # exact, but where nothing is fused


def test_many_rows_together_give_the_bits_of_each_alone():
    x, weights = matrices(208)
    together = from_python(row_products)(x, 2, weights, (0, 1, 2, 4))
    assert together == tuple(from_python(row_products)(x, 2, weights, (row,))[0] for row in (0, 1, 2, 4))


def test_multiply_add_rounds_once_or_twice_and_stays_single():
    a, b, c = np.float32(1 + 2**-12), np.float32(1 - 2**-12), np.float32(-1)
    assert from_python(multiply_add)(a, b, c) in (np.float32(-(2.0**-24)), np.float32(0))


def test_no_compiler_has_leave_to_change_results():
    assert FLAGS["fastmath"] is False
