"""The proximal step; the other rules are compared with their formulas in test_rows.py."""

import numpy as np
import pytest

from h2olite.kernels.updates import soft_threshold


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.7, 2.5])
def test_soft_threshold_minimises_the_penalised_distance(threshold):
    grid = np.linspace(-3, 3, 60_001)
    v = np.linspace(-2, 2, 41).astype(np.float32)
    w = v.copy()
    soft_threshold(w, np.full(v.size, threshold / 0.5, np.float32), np.float32(0.5))
    distances = (grid[:, np.newaxis] - v) ** 2 / 2 + threshold * abs(grid[:, np.newaxis])
    np.testing.assert_allclose(w, grid[distances.argmin(axis=0)], atol=1.01e-4)


def test_weights_within_the_threshold_become_exactly_zero_and_debts_are_cleared():
    w = np.array([0.2, -0.2, 0.3, -0.4, 0.0, 0.1], np.float32)
    owed = np.array([2, 2, 2, 2, 2, 0], np.float32)
    soft_threshold(w, owed, np.float32(0.15))
    np.testing.assert_allclose(w, [0, 0, 0, -0.1, 0, 0.1], atol=1e-7)
    assert np.count_nonzero(w) == 2
    assert not owed.any()
    assert w.dtype == np.float32
