import functools

import numpy as np
import pytest

from h2olite.data import summary
from h2olite.data.summary import NumericSummary, count_levels, numeric_tiles, summarise

NAN = np.nan


def test_statistics_leave_missing_values_out():
    found = NumericSummary.of(np.array([[1.0, NAN, 3.0, 8.0], [NAN, NAN, NAN, 2.0]]))
    assert found.count.tolist() == [3, 1]
    assert found.mean.tolist() == [4.0, 2.0]
    assert found.squares.tolist() == [9 + 1 + 16, 0.0]
    assert found.low.tolist() == [1.0, 2.0]
    assert found.high.tolist() == [8.0, 2.0]
    assert found.deviation.tolist() == [np.sqrt(26 / 2), 0.0]
    assert found.range.tolist() == [7.0, 0.0]


def test_the_share_of_zeros_is_of_weights_and_of_numbers_that_are_there():
    found = NumericSummary.of(np.array([[0.0, 0.0, 2.0, NAN], [NAN] * 4]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.zero_share.tolist() == [0.5, 0.0]


def test_a_column_without_numbers_has_an_empty_summary():
    found = summarise([np.full(3, NAN)])
    assert (found.count[0], found.mean[0], found.deviation[0], found.range[0]) == (0, 0.0, 0.0, 0.0)
    assert (found.low[0], found.high[0]) == (np.inf, -np.inf)


def test_weighted_statistics_follow_their_formulas():
    values = np.array([1.0, 2.0, NAN, 4.0, 100.0])
    weights = np.array([0.5, 2.0, 3.0, 1.5, 0.0])
    found = summarise([values], weights)
    used, shares = values[[0, 1, 3]], weights[[0, 1, 3]]
    mean = (shares * used).sum() / shares.sum()
    variance = (shares * (used - mean) ** 2).sum() / shares.sum() * 3 / 2
    assert found.count[0] == 3
    assert found.mean[0] == pytest.approx(mean, rel=1e-15)
    assert found.deviation[0] == pytest.approx(np.sqrt(variance), rel=1e-15)
    assert found.high[0] == 4.0


def test_equal_weights_change_nothing():
    values = np.random.default_rng(1).normal(size=(2, 50))
    weighted = NumericSummary.of(values, np.full(50, 3.0))
    np.testing.assert_allclose(weighted.mean, NumericSummary.of(values).mean, rtol=1e-14)
    np.testing.assert_allclose(weighted.deviation, NumericSummary.of(values).deviation, rtol=1e-14)


@pytest.mark.parametrize("cuts", [[0, 100], [1, 1, 50], [99]])
def test_merged_summaries_equal_that_of_all_rows(cuts):
    random = np.random.default_rng(2)
    values = random.normal(1e3, 1.0, (3, 100))
    values[1, :60] = NAN
    weights = random.integers(0, 3, 100).astype(float)
    parts = zip(np.split(values, cuts, axis=1), np.split(weights, cuts), strict=True)
    merged = functools.reduce(NumericSummary.merge, [NumericSummary.of(*part) for part in parts])
    whole = NumericSummary.of(values, weights)
    for field in ("count", "weight", "mean", "deviation", "zero_share", "low", "high"):
        np.testing.assert_allclose(getattr(merged, field), getattr(whole, field), rtol=1e-12)


def test_deviation_survives_a_mean_far_from_zero(monkeypatch):
    monkeypatch.setattr(summary, "TILE_CELLS", 2)
    found = summarise([np.array([4.0, 7.0, 13.0, 16.0]) + 1e9])
    assert found.deviation[0] == pytest.approx(np.sqrt(30), rel=1e-12)


def test_a_constant_column_has_no_deviation_at_all():
    assert summarise([np.full(1001, 0.1)]).deviation[0] == 0.0


def test_infinite_numbers_show_in_the_squares():
    assert not np.isfinite(summarise([np.array([1.0, np.inf, 2.0])]).squares[0])
    assert not np.isfinite(summarise([np.array([1.0, -1e200, 2.0])]).squares[0])


def test_tiles_cover_every_row_once(monkeypatch):
    monkeypatch.setattr(summary, "TILE_CELLS", 6)
    columns = [np.arange(8.0), np.arange(8.0) + 10]
    tiles = list(numeric_tiles(columns))
    assert [(rows.start, rows.stop) for rows, _ in tiles] == [(0, 3), (3, 6), (6, 8)]
    np.testing.assert_array_equal(np.hstack([tile for _, tile in tiles]), columns)


def test_level_counts_end_with_the_missing_ones():
    assert count_levels(np.array([1, -1, 1, 3, -1], np.int32), 4).tolist() == [0, 2, 0, 1, 2]
    assert count_levels(np.array([0], np.int32), 1).tolist() == [1, 0]
