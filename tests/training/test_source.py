"""Where training rows come from: in which order, and from when on their weights count."""

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.training.source import RowSource


def source(n_rows=10, alike=30, passes=True):
    rows = EncodedRows(
        levels=np.empty((n_rows, 0), np.int32),
        numbers=np.zeros((n_rows, 1), np.float32),
        target=np.zeros(n_rows, np.float32),
        weights=np.arange(1, n_rows + 1, dtype=np.float32),
    )
    times = np.linspace(0.5, 1.5, n_rows) if passes else np.empty(0)
    return RowSource(rows, np.arange(n_rows), np.arange(n_rows), times, alike=alike, shuffle=True, seed=1)


def test_rows_count_alike_at_first_and_by_their_weights_after_that():
    rows = source()
    plain = [rows.take(10) for _ in range(3)]
    assert all(block.rows.weights.size == 0 for block in plain)
    assert all(sorted(block.order) == list(range(10)) for block in plain)
    weighted = rows.take(400)
    assert not rows.is_alike
    assert weighted.rows.weights.size == 10
    assert np.bincount(weighted.order).argmax() >= 8
    assert rows.taken == 430


def test_no_block_has_rows_from_before_and_after_weights_count():
    rows = source(alike=25)
    assert [len(rows.take(20).order) for _ in range(3)] == [20, 5, 20]


def test_blocks_of_any_size_give_the_same_rows():
    whole, parts = source(), source()
    once = np.concatenate([whole.take(30).order, whole.take(40).order])
    in_parts = []
    while parts.taken < 70:
        in_parts.append(parts.take(min(7, 70 - parts.taken)).order)
    np.testing.assert_array_equal(np.concatenate(in_parts), once)


def test_weights_count_from_the_moment_asked_for():
    rows = source()
    rows.take(13)
    rows.weigh()
    assert rows.take(5).rows.weights.size == 10
    assert rows.taken == 18


def test_rows_without_weights_are_never_waiting_for_them():
    assert not source(passes=False).is_alike
