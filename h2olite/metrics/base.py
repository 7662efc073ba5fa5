"""What all metrics have in common: values behind getters, the JSON form, and the choice and weights of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from h2olite.errors import DataError, ParameterError
from h2olite.kinds.stopping_metrics import STOPPING_METRICS
from h2olite.settings.functions import CustomMetric, function_name

LEAST_UNEXPLAINED = 1e-9
"""What R2 lacks to 1 has so few digits below this that the variance cannot be told by it."""


def scalar(key: str, gives: str) -> Callable[[Any], float]:
    """Make the getter of one number."""

    def get(self: Metrics) -> float:
        return self[key]

    get.__name__, get.__doc__ = key, gives
    return get


class Metrics:
    """How well predictions fit the actual values.

    A number that is undefined for the data, such as the AUC of a single class, is NaN. In JSON it is null.
    """

    category: ClassVar[str]
    auto_stopping_metric: ClassVar[str]
    first_shown: ClassVar[tuple[str, ...]]

    def __init__(self, values: dict[str, Any]) -> None:
        """Keep the values, in the layout of the JSON form, but with NaN for undefined numbers."""
        self._values = values

    def __getitem__(self, key: str) -> Any:
        """The value of a key of the JSON form."""
        return self._values[key]

    def __contains__(self, key: str) -> bool:
        """Whether there is a value for this key."""
        return key in self._values

    @property
    def headline(self) -> tuple[str, ...]:
        """The keys of the numbers to show first."""
        return tuple(key for key in (*self.first_shown, "custom_metric_value") if key in self)

    def numbers(self) -> dict[str, float]:
        """The values that are single numbers."""
        return {key: value for key, value in self._values.items() if isinstance(value, int | float)}

    def nobs(self) -> int:
        """The number of rows measured. Weights do not matter here."""
        return self["nobs"]

    mse = scalar("mse", "Mean squared error; for classes of 1 - the probability of the actual class.")
    rmse = scalar("rmse", "Square root of the mean squared error.")
    r2 = scalar("r2", "1 - MSE / variance of the actual values (of the class index for classes).")

    def residual_deviance(self) -> float | None:
        """The deviance of the model: of classes 2 nobs logloss, of numbers nobs times its mean; None without one."""
        mean = 2 * self["logloss"] if "logloss" in self else self._values.get("mean_residual_deviance")
        return None if mean is None else self.nobs() * mean

    def null_deviance(self) -> float | None:
        """The deviance of the best constant prediction; None where it is not known.

        That is known of classes, by their shares, and of numbers where the deviance is the squared error, unless
        predictions are so good that R2 tells nothing of it.
        """
        if "confusion_matrix" in self:
            counts = np.array(self["confusion_matrix"]["matrix"], np.float64).sum(axis=1)
            shares = counts[counts > 0] / counts.sum()
            return float(-2 * self.nobs() * (shares * np.log(shares)).sum())
        unexplained = 1 - self["r2"] if self._is_squared_error else 0.0
        return self.nobs() * self["mse"] / unexplained if unexplained > LEAST_UNEXPLAINED else None

    def loglikelihood(self) -> float | None:
        """The log likelihood of the rows; of numbers that of normal errors with the mean squared error as variance.

        None where the deviance is another one than that.
        """
        if "logloss" in self:
            return -self.nobs() * self["logloss"]
        if not self._is_squared_error:
            return None
        return -self.nobs() / 2 * (math.log(2 * math.pi * self["mse"]) + 1) if self["mse"] > 0 else math.inf

    @property
    def _is_squared_error(self) -> bool:
        """Whether the deviance of numbers is the squared error, as of normal ones."""
        deviance = self._values.get("mean_residual_deviance", math.nan)
        return math.isclose(deviance, self["mse"], rel_tol=1e-9)

    def stopping_value(self, metric: str) -> float:
        """The value of a stopping metric, such as ``"AUC"``.

        Raises
        ------
        ParameterError
            If the metric is not defined for this kind of response.
        """
        name = self.auto_stopping_metric if metric == "AUTO" else metric
        key = STOPPING_METRICS[name].key if name in STOPPING_METRICS else None
        if key not in self._values:
            known = ", ".join(name for name, known in STOPPING_METRICS.items() if known.key in self._values)
            raise ParameterError(f"stopping_metric must be one of {known} for a {self.category} model; got {metric!r}.")
        return self[key]

    def measure_custom(
        self, function: CustomMetric, actual: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        """Add the value of a metric that the user has defined.

        Parameters
        ----------
        function : is called with the actual values, the predictions and the weights of the rows that are measured.
        actual, predicted, weights : as for `measured`.

        Raises
        ------
        ParameterError
            If the function fails, or does not return a number.
        """
        name = function_name(function)
        try:
            value = float(function(*measured(actual, predicted, weights)))
        except Exception as error:  # it may fail in any way
            raise ParameterError(f"custom_metric_func {name} must return a number; it fails with {error!r}.") from error
        self._values |= {"custom_metric_name": name, "custom_metric_value": value}

    def custom_metric_name(self) -> str | None:
        """The name of the user's own metric; None if there is none."""
        return self._values.get("custom_metric_name")

    def custom_metric_value(self) -> float | None:
        """The value of the user's own metric; None if there is none."""
        return self._values.get("custom_metric_value")

    def to_json(self) -> dict[str, Any]:
        """The values for `json.dumps`, with None for numbers that are not finite."""
        return _replace(self._values, lambda value: isinstance(value, float) and not math.isfinite(value), None)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The metrics that `to_json` was called on."""
        return cls(_replace(document, lambda value: value is None, math.nan))

    def __repr__(self) -> str:
        """The most important numbers as text, one on a line."""
        width = max(map(len, self.headline))
        lines = [f"{key:{width}}  {self[key]:.6g}" for key in self.headline]
        rows = "1 row" if self.nobs() == 1 else f"{self.nobs()} rows"
        return "\n".join([f"{self.category} metrics on {rows}", *lines])


def measured(
    actual: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose the rows to measure, with their weights.

    Parameters
    ----------
    actual : ndarray, shape (n_rows,); class indices with -1 for missing, or numbers with NaN for missing.
    predicted : ndarray, shape (n_rows,) or (n_rows, n_classes); NaN for missing.
    weights : ndarray, shape (n_rows,), or None for 1 each.

    Returns
    -------
    actual, predicted, weights : the rows with an actual value, a prediction and a weight above 0; the last two as
        float64.

    Raises
    ------
    DataError
        If there is no such row.
    """
    predicted = np.asarray(predicted, np.float64)
    weights = np.ones(len(actual)) if weights is None else np.asarray(weights, np.float64)
    missing = actual < 0 if np.issubdtype(actual.dtype, np.integer) else np.isnan(actual)
    counts = ~missing & (weights > 0) & ~np.isnan(predicted).reshape(len(actual), -1).any(axis=1)
    if not counts.any():
        raise DataError(
            "metrics need at least 1 row with a response and a weight above 0; got none; check the response column."
        )
    if counts.all():
        return actual, predicted, weights
    return actual[counts], predicted[counts], weights[counts]


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """The weighted mean of the values."""
    return float(np.average(values, weights=weights))


def weighted_quantile(values: np.ndarray, probabilities: np.ndarray | float, weights: np.ndarray) -> np.ndarray:
    """Weighted quantiles of the values.

    If the weights are whole numbers, a value of weight 2 counts like the value twice. The quantile is interpolated
    linearly between order statistics, as by default in `np.quantile`. If a weight is below 1, the smallest weight is
    the unit.
    """
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    unit = min(1.0, weights.min())
    # A value holds from the position of its first copy to that of its last; from there to the next value it is a line.
    positions = np.column_stack((ends - weights[order], ends - unit)).ravel()
    return np.interp(np.asarray(probabilities) * (ends[-1] - unit), positions, np.repeat(values[order], 2))


def r_squared(mse: float, actual: np.ndarray, weights: np.ndarray) -> float:
    """The share of the variance of the actual values that is explained; NaN if all of them are equal.

    Rounding can give equal values a variance above 0, and the variance of tiny values can underflow to 0.
    """
    variance = weighted_mean((actual - weighted_mean(actual, weights)) ** 2, weights)
    return 1 - mse / variance if variance > 0 and actual.min() < actual.max() else math.nan


def log_loss(probability: np.ndarray, weights: np.ndarray) -> float:
    """The mean of -log of the probability of the actual class. Probabilities below 1e-15 count as 1e-15."""
    return weighted_mean(-np.log(np.maximum(probability, 1e-15)), weights)


def _replace(value: Any, unwanted: Callable[[Any], bool], replacement: Any) -> Any:
    """Copy nested dicts and lists with the unwanted leaves replaced."""
    if isinstance(value, dict):
        return {key: _replace(item, unwanted, replacement) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, unwanted, replacement) for item in value]
    return replacement if unwanted(value) else value
