import json

import numpy as np
import pytest
from sklearn import metrics as reference

from h2olite.errors import DataError, ParameterError
from h2olite.metrics import RegressionMetrics
from h2olite.metrics.base import weighted_quantile
from h2olite.metrics.regression import residual_deviance

measure = RegressionMetrics.from_predictions


def sample(n=200, seed=0):
    random = np.random.default_rng(seed)
    actual = random.gamma(2, 3, n)
    return actual, actual * random.gamma(5, 0.2, n) + 0.01


def drawn_weights(kind, n):
    random = np.random.default_rng(7)
    return {"none": None, "whole": random.integers(1, 5, n), "fractions": random.random(n)}[kind]


@pytest.mark.parametrize("weighting", ["none", "whole", "fractions"])
def test_agrees_with_scikit_learn(weighting):
    actual, predicted = sample()
    weights = drawn_weights(weighting, 200)
    by_weight = {"sample_weight": weights}
    metrics = measure(actual, predicted, weights=weights)
    expected = {
        "mse": reference.mean_squared_error(actual, predicted, **by_weight),
        "rmse": reference.root_mean_squared_error(actual, predicted, **by_weight),
        "mae": reference.mean_absolute_error(actual, predicted, **by_weight),
        "rmsle": reference.root_mean_squared_log_error(actual, predicted, **by_weight),
        "r2": reference.r2_score(actual, predicted, **by_weight),
        "mean_residual_deviance": reference.mean_squared_error(actual, predicted, **by_weight),
    }
    assert {key: metrics[key] for key in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighting", ["none", "fractions"])
@pytest.mark.parametrize(
    ("options", "deviance"),
    [
        ({"distribution": "laplace"}, reference.mean_absolute_error),
        ({"distribution": "quantile", "quantile_alpha": 0.2}, "pinball"),
        ({"distribution": "poisson"}, reference.mean_poisson_deviance),
        ({"distribution": "gamma"}, reference.mean_gamma_deviance),
        ({"distribution": "tweedie", "tweedie_power": 1.3}, "tweedie"),
    ],
)
def test_deviances_agree_with_scikit_learn(options, deviance, weighting):
    actual, predicted = sample()
    weights = drawn_weights(weighting, 200)
    by_weight = {"sample_weight": weights}
    metrics = measure(actual, predicted, weights=weights, **options)
    if deviance == "pinball":
        expected = reference.mean_pinball_loss(actual, predicted, alpha=0.2, **by_weight)
    elif deviance == "tweedie":
        expected = reference.mean_tweedie_deviance(actual, predicted, power=1.3, **by_weight)
    else:
        expected = deviance(actual, predicted, **by_weight)
    assert metrics.mean_residual_deviance() == pytest.approx(expected, rel=1e-12)


def test_huber_deviance_turns_linear_at_the_quantile_of_the_residuals():
    actual, predicted = sample()
    size = np.abs(actual - predicted)
    delta = np.quantile(size, 0.8)
    expected = np.where(size <= delta, size**2, (2 * size - delta) * delta).mean()
    metrics = measure(actual, predicted, distribution="huber", huber_alpha=0.8)
    assert metrics.mean_residual_deviance() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("distribution", ["poisson", "gamma", "tweedie"])
def test_zeros_have_a_finite_deviance(distribution):
    metrics = measure(np.array([0.0, 0.0, 2.0]), np.array([0.0, 1.0, 0.0]), distribution=distribution)
    assert 0 < metrics.mean_residual_deviance() < np.inf


@pytest.mark.parametrize("distribution", ["gaussian", "laplace", "quantile", "huber", "poisson", "gamma", "tweedie"])
def test_perfect_predictions_have_no_deviance(distribution):
    actual = np.array([0.5, 1.0, 7.0])
    metrics = measure(actual, actual, distribution=distribution)
    assert metrics.mean_residual_deviance() == pytest.approx(0, abs=1e-14)
    assert [metrics[key] for key in ("mse", "mae", "rmsle", "r2")] == [0, 0, 0, 1]


def test_an_unknown_distribution_is_an_error():
    with pytest.raises(ValueError, match="no deviance is known for distribution 'cauchy'"):
        measure(np.ones(2), np.ones(2), distribution="cauchy")


@pytest.mark.parametrize("distribution", ["gaussian", "huber"])
def test_whole_weights_count_like_repeated_rows(distribution):
    actual, predicted = sample()
    weights = np.random.default_rng(5).integers(0, 4, 200)
    weighted = measure(actual, predicted, weights=weights, distribution=distribution)
    repeated = measure(np.repeat(actual, weights), np.repeat(predicted, weights), distribution=distribution)
    assert weighted.nobs() == np.count_nonzero(weights)
    for key in ("mse", "r2", "mae", "rmsle", "mean_residual_deviance"):
        assert weighted[key] == pytest.approx(repeated[key], rel=1e-12)


def test_missing_rows_and_rows_of_weight_0_are_left_out():
    actual, predicted = sample(20)
    more = measure(
        np.append(actual, [np.nan, 5, 5]), np.append(predicted, [1, np.nan, 1]), weights=np.append(np.ones(22), 0)
    )
    assert more.to_json() == measure(actual, predicted).to_json()


def test_no_row_left_is_an_error():
    with pytest.raises(DataError, match="at least 1 row with a response"):
        measure(np.array([np.nan]), np.array([1.0]))


def test_a_log_of_nothing_makes_rmsle_null():
    document = measure(np.array([1.0, 2.0]), np.array([1.0, -1.5])).to_json()
    assert [key for key, value in document.items() if value is None] == ["rmsle"]


def test_equal_actual_values_make_r2_null():
    document = measure(np.full(10, 0.1), np.full(10, 0.2)).to_json()
    assert [key for key, value in document.items() if value is None] == ["r2"]


def test_actual_values_too_small_to_be_squared_make_r2_null():
    document = measure(np.array([1e-200, 2e-200]), np.array([1e-200, 1e-200])).to_json()
    assert [key for key, value in document.items() if value is None] == ["r2"]


def test_json_is_strict_and_comes_back():
    document = measure(np.array([1.0, 2.0]), np.array([1.0, -1.5])).to_json()
    loaded = RegressionMetrics.from_json(json.loads(json.dumps(document, allow_nan=False)))
    assert np.isnan(loaded.rmsle())
    assert loaded.to_json() == document


def test_printed_metrics_are_one_number_a_line():
    assert repr(measure(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.5]), distribution="laplace")) == (
        "Regression metrics on 3 rows\n"
        "mean_residual_deviance  0.166667\n"
        "rmse                    0.288675\n"
        "mse                     0.0833333\n"
        "mae                     0.166667\n"
        "rmsle                   0.0770944\n"
        "r2                      0.875"
    )


@pytest.mark.parametrize(
    ("name", "key"), [("AUTO", "mean_residual_deviance"), ("deviance", "mean_residual_deviance"), ("MAE", "mae")]
)
def test_every_stopping_metric_has_a_value(name, key):
    metrics = measure(*sample(), distribution="poisson")
    assert metrics.stopping_value(name) == metrics[key]


def test_a_stopping_metric_of_classes_is_an_error():
    with pytest.raises(ParameterError, match="must be one of deviance, MSE, RMSE, MAE, RMSLE for a Regression model"):
        measure(*sample()).stopping_value("AUC")


def test_weighted_quantile_is_that_of_repeated_values():
    values, weights = np.array([3.0, 1.0, 2.0, 8.0]), np.array([2, 1, 3, 1])
    probabilities = np.linspace(0, 1, 23)
    expected = np.quantile(np.repeat(values, weights), probabilities)
    np.testing.assert_allclose(weighted_quantile(values, probabilities, weights), expected, rtol=1e-12)


def test_weighted_quantile_does_not_depend_on_the_scale_of_small_weights():
    values = np.arange(10.0)
    assert weighted_quantile(values, 0.9, np.full(10, 1e-3)) == pytest.approx(np.quantile(values, 0.9))


@pytest.mark.parametrize(("distribution", "power"), [("poisson", 1), ("tweedie", 0.5), ("gamma", 0)])
@pytest.mark.parametrize("unit", [1e-12, 1e-7, 1e9])
def test_a_deviance_in_another_unit_differs_by_a_factor(distribution, power, unit):
    actual, predicted = (np.random.default_rng(seed).gamma(0.3, 2, 400) for seed in (0, 1))
    actual[:20] = 0
    one, other = (deviance(actual * of, predicted * of, distribution=distribution) for of in (1, unit))
    np.testing.assert_allclose(other, one * unit**power, rtol=1e-9)


@pytest.mark.parametrize("distribution", ["poisson", "gamma", "tweedie"])
@pytest.mark.parametrize("predicted", [0.0, 1e-300, 1e-30, 1.0, 1e19])
@pytest.mark.parametrize("actual", [0.0, 1e-300, 1e-12, 1.0, 1e12])
def test_deviances_are_finite_and_never_negative(distribution, predicted, actual):
    value = deviance(np.array([actual]), np.array([predicted]), distribution=distribution)
    assert 0 <= value < np.inf
    if predicted == actual:
        assert value == pytest.approx(0, abs=1e-9)


def deviance(actual, predicted, **given):
    settings = {"quantile_alpha": 0.5, "tweedie_power": 1.5, "huber_delta": 1.0} | given
    return residual_deviance(actual, predicted, **settings)


def test_the_deviance_of_a_constant_is_known_unless_predictions_are_perfect():
    actual = np.array([1.0, 2.0, 4.0])
    for error, expected in [(1e-3, pytest.approx(14 / 3)), (1e-6, None), (1e-9, None), (0.0, None)]:
        assert RegressionMetrics.from_predictions(actual, actual + error).null_deviance() == expected
    assert RegressionMetrics.from_predictions(np.ones(3), actual).null_deviance() is None
