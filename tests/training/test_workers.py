"""How the work is divided among threads."""

import numpy as np
import pytest

from h2olite.network.topology import lay_out
from h2olite.training.workers import level_bounds, weights_in_use


def test_a_row_uses_the_weights_out_of_its_columns_and_of_all_units():
    layout = lay_out([1000, 200, 50, 3])
    assert weights_in_use(layout, 7) == 7 * 208 + 200 * 64 + 50 * 16
    assert weights_in_use(lay_out([1000, 1]), 7) == 7 * 16


def test_members_have_levels_that_are_equally_often_present():
    random = np.random.default_rng(0)
    levels = np.column_stack([random.integers(0, 3, 30_000), random.integers(3, 500, 30_000)]).astype(np.int32)
    levels[random.random(levels.shape) < 0.3] = -1
    bounds = level_bounds(levels, 500, 4)
    shares = np.histogram(levels[levels >= 0], bounds)[0] / np.count_nonzero(levels >= 0)
    assert (bounds[0], bounds[-1]) == (0, 500)
    assert shares.sum() == 1
    assert abs(shares - 0.25).max() < 1 / 6 + 0.01  # the share of the largest level


@pytest.mark.parametrize("levels", [np.empty((5, 0), np.int32), np.full((5, 2), -1, np.int32)])
def test_bounds_without_any_level_present(levels):
    bounds = level_bounds(levels, 9, 3)
    assert (bounds[0], bounds[-1]) == (0, 9)
    assert bounds == sorted(bounds)
