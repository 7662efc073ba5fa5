"""The proximal step and the running average; the other rules are compared with their formulas in test_rows.py."""

import numpy as np
import pytest
from examples import from_python, rule

from h2olite.kernels import updates

average, group_soft_threshold, share_of, soft_threshold, step_of = map(
    from_python,
    (updates.average, updates.group_soft_threshold, updates.share_of, updates.soft_threshold, updates.step_of),
)


def shrink(values, owed, rate):
    """The weights after soft thresholding at a fixed learning rate."""
    w = np.array([values], np.float32)
    step = step_of(rule(adaptive=False, rate=rate), 0, 0)
    soft_threshold(step, w, np.zeros_like(w), np.zeros_like(w), 0, np.float32(owed))
    return w[0]


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.75])
def test_soft_threshold_minimises_the_penalised_distance(threshold):
    grid = np.linspace(-3, 3, 60_001)
    v = np.linspace(-2, 2, 41).astype(np.float32)
    distances = (grid[:, np.newaxis] - v) ** 2 / 2 + threshold * abs(grid[:, np.newaxis])
    np.testing.assert_allclose(shrink(v, threshold / 0.5, 0.5), grid[distances.argmin(axis=0)], atol=1.01e-4)


def test_weights_within_the_threshold_become_exactly_zero():
    w = shrink([0.2, -0.2, 0.3, -0.4, 0.0, 0.1], 3, 0.1)
    np.testing.assert_allclose(w, [0, 0, 0, -0.1, 0, 0], atol=1e-7)
    assert np.count_nonzero(w[[0, 1, 4, 5]]) == 0
    assert w.dtype == np.float32


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-8, 1e-12, 1e-18, 1e-30])
def test_groups_of_any_size_are_shrunk_or_removed_but_never_blown_up(size):
    w = np.full((1, 16), size, np.float32)
    nothing = np.zeros_like(w)
    step = step_of(rule(adaptive=False, rate=0.5), 0, 0)
    group_soft_threshold(step, w, nothing, nothing, 0, 1, np.float32(2))  # moves the norm by 1
    np.testing.assert_allclose(np.linalg.norm(w), max(4 * size - 1, 0), rtol=1e-6)


@pytest.mark.parametrize("n_rows", [1, 32, 100])
@pytest.mark.parametrize("window", [0.1, 0.5])
def test_average_looks_back_a_share_of_all_rows_however_often_it_is_taken(window, n_rows):
    theta, mean = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)
    for rows_seen in range(n_rows, 20_000, n_rows):
        theta[:] = rows_seen
        average(mean, theta, 0, 1, share_of(np.float32(window), n_rows, rows_seen))
    # m' = (t - m) / (window t) is solved by m = t / (1 + window).
    np.testing.assert_allclose(mean / theta, 1 / (1 + window), rtol=0.02)
