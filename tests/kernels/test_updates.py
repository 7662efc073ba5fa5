"""The running average; the other rules are compared with their formulas in test_rows.py."""

import numpy as np
import pytest
from examples import from_python

from h2olite.kernels import updates

average, share_of = map(from_python, (updates.average, updates.share_of))


@pytest.mark.parametrize("n_rows", [1, 32, 100])
@pytest.mark.parametrize("window", [0.1, 0.5])
def test_average_looks_back_a_share_of_all_rows_however_often_it_is_taken(window, n_rows):
    theta, mean = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)
    for rows_seen in range(n_rows, 20_000, n_rows):
        theta[:] = rows_seen
        average(mean, theta, 0, 1, share_of(np.float32(window), n_rows, rows_seen))
    # m' = (t - m) / (window t) is solved by m = t / (1 + window).
    np.testing.assert_allclose(mean / theta, 1 / (1 + window), rtol=0.02)
