"""Metrics of several models on the same rows, as functions of the row weights, and their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .curves import Ranking

Statistics = Callable[[np.ndarray], dict[str, np.ndarray]]
"""From row weights, float64 (n_rows,), to every metric's value for each model, float64 (n_models,)."""


def bootstrap(
    statistics: Statistics, weights: np.ndarray, n_resamples: int, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """The metrics on resampled tables: rows drawn with replacement, the same rows for all models.

    Parameters
    ----------
    statistics : computes the metrics from row weights.
    weights : ndarray of float64, shape (n_rows,); row weights.
    n_resamples : the number of resampled tables.
    random : the random numbers.

    Returns
    -------
    values : ndarray of float64, shape (n_resamples, n_models), by name of metric.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap.
    """
    n_rows = len(weights)
    draws = (np.bincount(random.integers(n_rows, size=n_rows), minlength=n_rows) for _ in range(n_resamples))
    resamples = [statistics(times * weights) for times in draws]
    return {name: np.array([values[name] for values in resamples]) for name in resamples[0]}


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The two quantiles that contain the middle share `level` of the values. Undefined values are left out."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return np.nan, np.nan
    low, high = np.quantile(defined, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def class_statistics(actual: np.ndarray, probabilities: np.ndarray, predicted: np.ndarray) -> Statistics:
    """Make the function that computes the metrics of models that predict classes.

    Parameters
    ----------
    actual : ndarray of int, shape (n_rows,); class indices.
    probabilities : ndarray of float64, shape (n_models, n_rows, n_classes).
    predicted : ndarray of int, shape (n_models, n_rows); class indices.
    """
    n_classes = probabilities.shape[2]
    of_actual = np.take_along_axis(probabilities, actual[None, :, None], axis=2)[:, :, 0]
    losses, wrong = -np.log(np.maximum(of_actual, 1e-15)), predicted != actual
    rankings = [Ranking.of(actual == 1, p1) for p1 in probabilities[:, :, 1]] if n_classes == 2 else []

    def measure(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum()
        values = {"logloss": _sums(losses, weights) / total}
        if rankings:
            curves = [ranking.curve(weights) for ranking in rankings]
            values["auc"] = np.array([curve.auc() for curve in curves])
            values["pr_auc"] = np.array([curve.pr_auc() for curve in curves])
        by_class = np.bincount(actual, weights, n_classes)
        missed = np.array([np.bincount(actual, weights * rows, n_classes) for rows in wrong])
        values["mean_per_class_error"] = (missed / np.where(by_class > 0, by_class, 1)).mean(axis=1)
        values["error"] = missed.sum(axis=1) / total
        return values

    return measure


def number_statistics(actual: np.ndarray, predicted: np.ndarray, deviances: np.ndarray | None) -> Statistics:
    """Make the function that computes the metrics of models that predict numbers.

    Parameters
    ----------
    actual : ndarray of float64, shape (n_rows,).
    predicted : ndarray of float64, shape (n_models, n_rows).
    deviances : ndarray of float64, shape (n_models, n_rows); None to leave them out.
    """
    squares, sizes = (predicted - actual) ** 2, np.abs(predicted - actual)
    centred = actual - actual.mean()
    moments = np.array([centred, centred**2])

    def measure(weights: np.ndarray) -> dict[str, np.ndarray]:
        shares = weights / weights.sum()
        values = {} if deviances is None else {"mean_residual_deviance": _sums(deviances, shares)}
        mse = _sums(squares, shares)
        mean, mean_square = _sums(moments, shares)
        variance = mean_square - mean**2
        explained = 1 - mse / variance if variance > 0 else np.full(len(mse), np.nan)
        return values | {"rmse": np.sqrt(mse), "mae": _sums(sizes, shares), "r2": explained}

    return measure


def _sums(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of the rows of a matrix; not by BLAS, whose threads cost more than so few rows gain."""
    return np.einsum("mr,r->m", values, weights)
