import math

import pytest

from h2olite.parameters import Parameters
from h2olite.training.stopping import has_converged, idle_rounds, reason_to_stop

NAN = math.nan


def converged(values, *, metric="logloss", rounds=2, tolerance=0.0):
    return has_converged(values, metric=metric, rounds=rounds, tolerance=tolerance)


def test_a_falling_loss_has_not_converged():
    assert not converged([NAN, 5, 4, 3, 2, 1])


def test_a_loss_converges_when_no_later_mean_is_below_the_first():
    assert converged([NAN, 3, 3, 3, 3])
    assert converged([NAN, 9, 1, 2, 2, 3, 3])
    assert not converged([NAN, 3, 3, 3, 2.999])


def test_one_better_mean_is_enough_to_go_on():
    assert not converged([9, 4, 4, 3.9, 3.9, 8, 8], rounds=3)


def test_twice_the_rounds_and_one_value_are_needed():
    assert not converged([3] * 4)
    assert converged([3] * 5)
    assert not converged([3] * 6, rounds=3)


def test_only_the_last_values_matter():
    assert converged([0.001, 0.001, 3, 3, 3, 3])


def test_no_rounds_never_converge():
    assert not converged([3] * 100, rounds=0)


@pytest.mark.parametrize("hole", [NAN, math.inf, -math.inf])
@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_missing_value_in_reach_prevents_convergence(hole, place):
    values = [3.0] * 5
    values[place] = hole
    assert not converged(values)


@pytest.mark.parametrize("metric", ["AUC", "AUCPR", "lift_top_group", "custom_increasing"])
def test_where_more_is_better_growth_goes_on_and_shrinking_ends(metric):
    assert not converged([NAN, 0.5, 0.6, 0.7, 0.8], metric=metric)
    assert converged([NAN, 0.8, 0.7, 0.6, 0.5], metric=metric)


@pytest.mark.parametrize(("last", "expected"), [(0.97, False), (0.99, True)])
def test_tolerance_is_relative_to_the_first_mean(last, expected):
    for scale in (1, 1000):
        values = [1 * scale, 1 * scale, 1 * scale, last * scale, last * scale]
        assert converged(values, tolerance=0.02) is expected
        grown = [value / last for value in values[1:3]]
        assert converged([scale, *values[1:3], *grown], metric="AUC", tolerance=0.02) is expected


def test_a_gain_of_exactly_the_tolerance_is_none():
    assert converged([4, 4, 4, 3, 3], tolerance=0.25)
    assert not converged([4, 4, 4, 2.9, 3], tolerance=0.25)


@pytest.mark.parametrize("metric", ["logloss", "MSE", "AUC", "misclassification"])
def test_zero_is_the_end_of_a_bounded_scale(metric):
    assert converged([NAN, 0, 0, 0, 1], metric=metric)


@pytest.mark.parametrize("metric", ["deviance", "custom"])
def test_an_unbounded_metric_goes_on_below_zero(metric):
    assert not converged([0, 0, 0, -1, -1], metric=metric)
    assert not converged([1, 1, 1, -1, -1], metric=metric)
    assert not converged([-1, -1, -1, -2, -2], metric=metric)
    assert converged([-1, -1, -1, -1, -0.5], metric=metric)


def test_an_increasing_metric_below_zero_may_rise_towards_it():
    assert not converged([-3, -3, -3, -2, -2], metric="custom_increasing")
    assert converged([-3, -3, -3, -4, -4], metric="custom_increasing")


def reason(values=(), *, error=None, mse=1.0, metric="logloss", **parameters):
    return reason_to_stop(Parameters(**parameters), values, metric=metric, error=error, mse=mse)


def test_a_class_error_at_the_limit_ends_training():
    assert reason(error=0.0) == "classification_stop"
    assert reason(error=0.1, classification_stop=0.1) == "classification_stop"
    assert reason(error=0.11, classification_stop=0.1) is None


def test_a_squared_error_at_the_limit_ends_training():
    assert reason(mse=1e-6) == "regression_stop"
    assert reason(mse=2e-6) is None


def test_the_squared_error_of_classes_ends_nothing():
    assert reason(error=0.5, mse=0.0) is None


def test_minus_1_switches_both_limits_off():
    assert reason(error=0.0, classification_stop=-1) is None
    assert reason(mse=0.0, regression_stop=-1) is None


def test_a_converged_metric_ends_training():
    values = [NAN, *[0.5] * 10]
    assert reason(values, error=0.5) == "stopping_rounds"
    assert reason(values[:-1], error=0.5) is None
    assert reason(values, error=0.5, stopping_rounds=0) is None
    assert reason(values, mse=0.5, metric="deviance") == "stopping_rounds"


def test_the_tolerance_is_the_parameter():
    values = [NAN, *[0.5] * 5, *[0.499] * 5]
    assert reason(values, error=0.5) is None
    assert reason(values, error=0.5, stopping_tolerance=0.01) == "stopping_rounds"


def test_rounds_that_could_not_act_are_told_where_measuring_more_often_would_have_let_them():
    def told(n_measured, n_iterations, **given):
        return idle_rounds(Parameters(**given), [NAN, *[0.5] * n_measured], n_iterations)

    assert told(2, 30) == [
        "stopping_rounds 5 could not act: the model was measured 2 times in 30 iterations, as measuring takes "
        "time; pass score_each_iteration to stop as soon as it gets no better."
    ]
    assert told(10, 30) == told(2, 19) == told(2, 30, stopping_rounds=0) == []
    assert told(2, 19, stopping_rounds=4)
