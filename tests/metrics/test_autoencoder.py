import numpy as np
import pytest

from h2olite.errors import DataError
from h2olite.metrics import AutoEncoderMetrics

ERRORS = np.array([0.5, 1.0, 4.0])


def test_mse_is_the_mean_of_the_rows_errors():
    metrics = AutoEncoderMetrics.from_errors(ERRORS)
    assert metrics.mse() == pytest.approx(5.5 / 3)
    assert metrics.rmse() == pytest.approx(np.sqrt(5.5 / 3))
    assert metrics.nobs() == 3
    assert metrics.stopping_value("AUTO") == metrics.mse()


def test_rows_are_weighted_and_those_of_weight_0_left_out():
    metrics = AutoEncoderMetrics.from_errors(ERRORS, np.array([2.0, 1.0, 0.0]))
    assert metrics.mse() == pytest.approx(2 / 3)
    assert metrics.nobs() == 2


def test_no_row_to_measure_is_an_error():
    with pytest.raises(DataError, match="at least 1 row with a weight above 0; got none"):
        AutoEncoderMetrics.from_errors(ERRORS, np.zeros(3))


def test_json_keeps_the_values():
    metrics = AutoEncoderMetrics.from_errors(ERRORS)
    document = metrics.to_json()
    assert set(document) == {"nobs", "mse", "rmse", "r2"}
    assert document["r2"] is None
    assert AutoEncoderMetrics.from_json(document).mse() == metrics.mse()
