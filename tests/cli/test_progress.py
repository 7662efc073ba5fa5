from types import SimpleNamespace

import pytest

from h2olite_cli.progress import Clock, progress_line, told_of

BOTH = {"training_logloss": 0.123456, "validation_logloss": 0.2}


def told(measured=None, left=90.0, **changes):
    known = {"epochs": 2.5, "total_epochs": 10.0, "rows_per_second": 12345.6, "seconds": 30.0}
    return told_of(SimpleNamespace(**known | changes), measured or {}, left)


@pytest.mark.parametrize(
    ("changes", "measured", "line"),
    [
        ({}, None, "epoch 2.5/10, 1:30 left, 12,346 rows/s"),
        ({"epochs": 0.0, "left": None}, None, "epoch 0/10, 12,346 rows/s"),
        ({"total_epochs": 0.0, "epochs": 0.0, "left": 0.0}, None, "epoch 0/0, 0:00 left, 12,346 rows/s"),
        ({"epochs": 601.4, "total_epochs": 773 + 1 / 3}, None, "epoch 601/773, 1:30 left, 12,346 rows/s"),
        ({"epochs": 7.0, "total_epochs": 23 + 1 / 3}, None, "epoch 7/23.3, 1:30 left, 12,346 rows/s"),
        ({"epochs": 99.0, "total_epochs": 12345.6}, None, "epoch 99/12,346, 1:30 left, 12,346 rows/s"),
        ({"left": 10800.0}, None, "epoch 2.5/10, 3:00:00 left, 12,346 rows/s"),
        ({}, BOTH, "epoch 2.5/10, 1:30 left, logloss 0.1235, validation 0.2, 12,346 rows/s"),
        (
            {},
            {"training_rmse": 1.0, "training_deviance": 0.123456},
            "epoch 2.5/10, 1:30 left, deviance 0.1235, 12,346 rows/s",
        ),
    ],
)
def test_line_tells_epoch_time_left_newest_measurement_and_speed(changes, measured, line):
    assert progress_line(told(measured, **changes)) == line


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            120,
            "[######..................] epoch 2.5/10, 1:30 left, logloss 0.1235, validation 0.2, 12,346 rows/s",
        ),
        (80, "[##....] epoch 2.5/10, 1:30 left, logloss 0.1235, validation 0.2, 12,346 rows/s"),
        (60, "epoch 2.5/10, 1:30 left, logloss 0.1235, validation 0.2"),
        (40, "epoch 2.5/10, 1:30 left, logloss 0.1235"),
        (15, "epoch 2.5/10"),
    ],
)
def test_bar_shrinks_and_what_matters_less_is_left_out_where_there_is_no_room(width, line):
    assert progress_line(told(BOTH), width) == line


def test_programs_are_told_numbers():
    assert told(BOTH) == {
        "epoch": 2.5,
        "epochs": 10.0,
        "share": 0.25,
        "rows_per_second": 12345.6,
        "seconds": 30.0,
        "seconds_left": 90.0,
        **BOTH,
    }


def left_after(monkeypatch, limit, *moments, total=10.0):
    """The time left that is told at the last of some moments: pairs of seconds and epochs."""
    clock, now = Clock(limit), iter([seconds for seconds, _ in moments])
    monkeypatch.setattr("h2olite_cli.progress.time.monotonic", lambda: next(now))
    return [clock.seconds_left(epochs, total) for _, epochs in moments][-1]


@pytest.mark.parametrize(
    ("limit", "moments", "left"),
    [
        (0, [(5.0, 0.001)], None),
        (0, [(5.0, 0.001), (5.2, 0.002)], None),  # by which it would take 33 minutes
        (0, [(5.0, 0.0), (10.0, 2.5)], 15.0),
        (8, [(5.0, 0.0), (10.0, 2.5)], 3.0),
        (60, [(5.0, 0.0), (10.0, 2.5)], 15.0),
        (4, [(5.0, 0.0), (10.0, 2.5)], 0.0),
        (0, [(5.0, 5.0), (10.0, 6.0)], 20.0),  # as going on from a checkpoint of 5 epochs
        (0, [(5.0, 0.0), (10.0, 9.0), (11.0, 0.0), (13.0, 1.0)], 18.0),  # as in a grid
        (0, [(5.0, 0.0), (10.0, 0.0)], None),
        (0, [(5.0, 0.0), (5.1, 10.0)], 0.0),
    ],
)
def test_time_left_is_by_the_speed_so_far_and_at_most_the_limit(monkeypatch, limit, moments, left):
    assert left_after(monkeypatch, limit, *moments) == left
