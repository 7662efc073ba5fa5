"""Metrics of predicted numbers."""

from __future__ import annotations

import math

import numpy as np

from h2olite.metrics.base import Metrics, measured, r_squared, scalar, weighted_mean, weighted_quantile

LARGEST_LOG_RATIO, LEAST_LOG_OF_GAMMA = 500.0, -19.0
"""Bounds of the logarithm of actual / predicted in deviances; the second is H2O's, of what a response of 0 costs."""


class RegressionMetrics(Metrics):
    """How well predicted numbers fit the numbers that occurred."""

    category = "Regression"
    auto_stopping_metric = "deviance"
    first_shown = ("mean_residual_deviance", "rmse", "mse", "mae", "rmsle", "r2")

    @classmethod
    def from_predictions(
        cls,
        actual: np.ndarray,
        predicted: np.ndarray,
        *,
        distribution: str = "gaussian",
        quantile_alpha: float = 0.5,
        tweedie_power: float = 1.5,
        huber_alpha: float = 0.9,
        weights: np.ndarray | None = None,
    ) -> RegressionMetrics:
        """Measure predictions.

        Parameters
        ----------
        actual : ndarray of float, shape (n_rows,); NaN for missing.
        predicted : ndarray of float, shape (n_rows,).
        distribution, quantile_alpha, tweedie_power, huber_alpha : what defines the deviance, see `residual_deviance`.
        weights : ndarray of float, shape (n_rows,); row weights. Rows of weight 0 are left out, as are missing ones.

        Raises
        ------
        DataError
            No row is left to measure.
        """
        actual, predicted, weights = measured(np.asarray(actual, np.float64), predicted, weights)
        residual = actual - predicted
        delta = float(weighted_quantile(np.abs(residual), huber_alpha, weights)) if distribution == "huber" else 0.0
        deviance = residual_deviance(
            actual,
            predicted,
            distribution=distribution,
            quantile_alpha=quantile_alpha,
            tweedie_power=tweedie_power,
            huber_delta=delta,
        )
        mse = weighted_mean(residual**2, weights)
        return cls(
            {
                "nobs": len(actual),
                "mse": mse,
                "rmse": math.sqrt(mse),
                "r2": r_squared(mse, actual, weights),
                "mae": weighted_mean(np.abs(residual), weights),
                "rmsle": _rmsle(actual, predicted, weights),
                "mean_residual_deviance": weighted_mean(deviance, weights),
            }
        )

    mae = scalar("mae", "Mean absolute error.")
    rmsle = scalar("rmsle", "Root mean squared difference of log(1 + value); NaN when a value is not above -1.")
    mean_residual_deviance = scalar("mean_residual_deviance", "Mean residual deviance of the model's distribution.")


def residual_deviance(
    actual: np.ndarray,
    predicted: np.ndarray,
    *,
    distribution: str,
    quantile_alpha: float,
    tweedie_power: float,
    huber_delta: float,
) -> np.ndarray:
    """Each row's deviance.

    With y the actual value, f the prediction, e = y - f:

    - gaussian: e^2; laplace: abs(e)
    - quantile: alpha e if e > 0, else (alpha - 1) e
    - huber: e^2 if abs(e) <= delta, else (2 abs(e) - delta) delta
    - poisson: 2 (y log(y / f) - y + f)
    - gamma: 2 (y / f - 1 - log(y / f))
    - tweedie: 2 (y^(2-p) / ((1-p) (2-p)) - y f^(1-p) / (1-p) + f^(2-p) / (2-p))

    Responses and predictions of 0 have a finite deviance. Log(y / f) is taken as at most 500, and for gamma, where a
    response of 0 would cost without end, as at least -19. As it is the ratio that is bounded, a deviance of another
    unit of the response differs by a factor only, 1 for gamma, and is never negative.
    """
    error = actual - predicted
    match distribution:
        case "gaussian":
            return error**2
        case "laplace":
            return np.abs(error)
        case "quantile":
            return np.where(error > 0, quantile_alpha, quantile_alpha - 1) * error
        case "huber":
            size = np.abs(error)
            return np.where(size <= huber_delta, size**2, (2 * size - huber_delta) * huber_delta)
        case "poisson":
            deviance = 2 * (actual * _log_ratio(actual, predicted) - error)
        case "gamma":
            log_ratio = np.maximum(_log_ratio(actual, predicted), LEAST_LOG_OF_GAMMA)
            deviance = 2 * (np.expm1(log_ratio) - log_ratio)
        case "tweedie":
            p = tweedie_power
            log_f = _log(actual) - _log_ratio(actual, predicted)
            of_actual = actual ** (2 - p) / ((1 - p) * (2 - p))
            deviance = 2 * (of_actual - actual * np.exp((1 - p) * log_f) / (1 - p) + np.exp((2 - p) * log_f) / (2 - p))
        case _:
            raise ValueError(f"no deviance is known for distribution {distribution!r}")
    return np.maximum(deviance, 0.0)  # rounding may leave a little less where both are the same


def _log_ratio(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Natural logarithm of actual / predicted, at most 500, so that exponentials of it are finite."""
    return np.minimum(_log(actual) - _log(predicted), LARGEST_LOG_RATIO)


def _log(values: np.ndarray) -> np.ndarray:
    """Natural logarithm; of 0, that of the smallest normal number."""
    return np.log(np.maximum(values, np.finfo(np.float64).tiny))


def _rmsle(actual: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> float:
    """Root mean squared difference of log(1 + value)."""
    if min(actual.min(), predicted.min()) <= -1:
        return math.nan
    return math.sqrt(weighted_mean((np.log1p(predicted) - np.log1p(actual)) ** 2, weights))
