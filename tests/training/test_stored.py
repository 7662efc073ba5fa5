"""Rows in a scratch file: each comes once in an epoch, in another order each time, whatever the window holds."""

import numpy as np
import pytest

from h2olite.data.encoding import EncodedRows
from h2olite.machine.scratch import ScratchFile
from h2olite.training import stored as module
from h2olite.training.source import RowSource
from h2olite.training.stored import StoredRows, StoredSource

N_ROWS = 1003


@pytest.fixture(params=[False, True], ids=["dense", "sparse"])
def rows(request):
    """Rows whose values are their numbers."""
    numbers = np.arange(N_ROWS, dtype=np.float32)
    levels = np.stack([np.arange(N_ROWS) % 5, np.arange(N_ROWS) % 3 + 4], axis=1).astype(np.int32)
    both = {"target": numbers * 2, "offsets": numbers * 3}
    if not request.param:
        return EncodedRows(levels, np.stack([numbers, -numbers], axis=1), **both)
    lengths = np.arange(N_ROWS) % 3
    starts = np.concatenate(([0], np.cumsum(lengths)))
    entries = np.repeat(numbers, lengths)
    places = np.concatenate([np.arange(n) for n in lengths]).astype(np.int32)
    return EncodedRows(levels, np.empty((0, 2), np.float32), **both, starts=starts, places=places, entries=entries)


@pytest.fixture
def store(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(module, "ROWS", 10)
    kept = StoredRows(ScratchFile(str(tmp_path)), 9)
    kept.append(part_of(rows, 0, 605))
    kept.append(part_of(rows, 605, N_ROWS))
    yield kept
    kept.close()


def part_of(rows, start, stop):
    """Some of the rows."""
    part = slice(start, stop)
    alike = {"levels": rows.levels[part], "target": rows.target[part], "offsets": rows.offsets[part]}
    if not rows.is_sparse:
        return rows._replace(numbers=rows.numbers[part], **alike)
    entries = slice(rows.starts[start], rows.starts[stop])
    starts = rows.starts[start : stop + 1] - rows.starts[start]
    return rows._replace(starts=starts, places=rows.places[entries], entries=rows.entries[entries], **alike)


def source_of(store, rows, n_windows, left_out=(), **options):
    settings = {"shuffle": True, "seed": 1} | options
    without = (np.array(left_out, np.int64),) * 2
    return StoredSource(store, rows, np.arange(N_ROWS), without, store.nbytes / n_windows, **settings)


def taken(source, *counts):
    """What the rows of some blocks are: their targets, with everything else in agreement with these."""
    targets = []
    for count in counts:
        rows, order = source.take(count)
        target = rows.target[order]
        np.testing.assert_array_equal(rows.offsets[order], target * 1.5)
        np.testing.assert_array_equal(rows.levels[order, 0], target / 2 % 5)
        if rows.is_sparse:
            assert rows.starts[-1] == rows.entries.size
            np.testing.assert_array_equal(rows.dense(order)[:, 0], np.where(target / 2 % 3 > 0, target / 2, 0))
        else:
            np.testing.assert_array_equal(rows.numbers[order], np.stack([target / 2, -target / 2], axis=1))
        targets.append(target)
    return np.concatenate(targets) / 2


def epoch(source):
    """The rows of an epoch."""
    parts, left = [], N_ROWS
    while left:
        parts.append(taken(source, min(left, 37)))
        left -= parts[-1].size
    return np.concatenate(parts)


@pytest.mark.parametrize("n_windows", [1, 2, 7, 1000])
def test_every_row_comes_once_in_an_epoch_and_epochs_differ(store, rows, n_windows):
    source = source_of(store, rows, n_windows)
    assert source.rows_per_epoch == N_ROWS
    epochs = [epoch(source) for _ in range(3)]
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), np.arange(N_ROWS))
    assert len({order.tobytes() for order in epochs}) == 3
    assert source.taken == 3 * N_ROWS


def test_same_seed_gives_the_same_order_and_another_seed_another_one(store, rows):
    first, again, other = (epoch(source_of(store, rows, 5, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_window_that_holds_all_rows_gives_the_order_of_memory(store, rows):
    source = source_of(store, rows, 1)
    in_memory = RowSource(rows, np.arange(N_ROWS), np.arange(10), np.empty(0), shuffle=True, seed=1)
    for count in (7, 900, 400):
        block = in_memory.take(count)
        np.testing.assert_array_equal(taken(source, count), rows.target[block.order] / 2)


def test_rows_of_a_window_come_from_all_over_the_table(store, rows):
    source = source_of(store, rows, 5)
    first = taken(source, 150)
    assert first.min() < 100
    assert first.max() > 900
    assert np.unique(first // 10).size > 15


def test_rows_stay_in_order_without_shuffling(store, rows):
    np.testing.assert_array_equal(epoch(source_of(store, rows, 4, shuffle=False)), np.arange(N_ROWS))


@pytest.mark.parametrize("n_windows", [1, 6])
def test_source_goes_on_where_it_was_left(store, rows, n_windows):
    source = source_of(store, rows, n_windows)
    whole = np.concatenate([epoch(source), epoch(source)])
    later = source_of(store, rows, n_windows)
    later.taken = N_ROWS + 123
    np.testing.assert_array_equal(taken(later, 20), whole[N_ROWS + 123 :][:20])


@pytest.mark.parametrize("n_windows", [1, 4])
def test_rows_that_are_held_out_do_not_come(store, rows, n_windows):
    left_out = np.random.default_rng(0).permutation(N_ROWS)[:400]
    source = source_of(store, rows, n_windows, left_out)
    assert source.rows_per_epoch == N_ROWS - 400
    order = []
    while len(order) < N_ROWS - 400:
        order += taken(source, min(50, N_ROWS - 400 - len(order))).tolist()
    np.testing.assert_array_equal(np.sort(order), np.setdiff1d(np.arange(N_ROWS), left_out))


def test_levels_of_rows_that_are_held_out_are_absent(store, rows):
    with_level_2 = np.flatnonzero(rows.levels[:, 0] == 2)
    np.testing.assert_array_equal(
        source_of(store, rows, 3, with_level_2).present_levels(9), np.isin(np.arange(9), [0, 1, 3, 4, 5, 6])
    )


def test_what_rows_hold_is_known_of_all(store, rows):
    source = source_of(store, rows, 3)
    assert source.largest_target == 2 * (N_ROWS - 1)
    np.testing.assert_array_equal(source.present_levels(9), [True] * 7 + [False] * 2)
