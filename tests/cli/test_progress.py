from types import SimpleNamespace

import pytest

from h2olite_cli.progress import progress_line, told_of

BOTH = {"training_logloss": 0.123456, "validation_logloss": 0.2}


def told(measured=None, **changes):
    known = {"epochs": 2.5, "total_epochs": 10.0, "rows_per_second": 12345.6, "seconds": 30.0}
    return told_of(SimpleNamespace(**known | changes), measured or {})


@pytest.mark.parametrize(
    ("changes", "measured", "line"),
    [
        ({}, None, "epoch 2.5/10, 1:30 left, 12,346 rows/s"),
        ({"epochs": 0.0}, None, "epoch 0/10, 12,346 rows/s"),
        ({"total_epochs": 0.0, "epochs": 0.0}, None, "epoch 0/0, 0:00 left, 12,346 rows/s"),
        ({"seconds": 3600.0}, None, "epoch 2.5/10, 3:00:00 left, 12,346 rows/s"),
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
