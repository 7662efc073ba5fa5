"""What all metrics share: the values behind the getters, their JSON form, and how rows are chosen and weighted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from h2olite.errors import DataError, ParameterError
from h2olite.settings.functions import CustomMetric, function_name

STOPPING_KEYS = {
    "deviance": "mean_residual_deviance",
    "logloss": "logloss",
    "MSE": "mse",
    "RMSE": "rmse",
    "MAE": "mae",
    "RMSLE": "rmsle",
    "AUC": "auc",
    "AUCPR": "pr_auc",
    "lift_top_group": "lift_top_group",
    "misclassification": "error",
    "mean_per_class_error": "mean_per_class_error",
    "custom": "custom_metric_value",
    "custom_increasing": "custom_metric_value",
}
"""Where the value of each stopping metric stands among a metrics object's values."""

LEAST_UNEXPLAINED = 1e-9
"""What R2 lacks to 1 has so few digits below this that the variance cannot be told by it."""


def scalar(key: str, gives: str) -> Callable[[Any], float]:
    """Make the getter of one number."""

    def get(self: Metrics) -> float:
        return self[key]

    get.__name__, get.__doc__ = key, gives
    return get


class Metrics:
    """How well predictions fit what happened.

    Numbers that the data leave undefined, such as the AUC of a single class, are NaN, and null in JSON.
    """

    category: ClassVar[str]
    auto_stopping_metric: ClassVar[str]
    first_shown: ClassVar[tuple[str, ...]]

    def __init__(self, values: dict[str, Any]) -> None:
        """Keep the values, laid out as in JSON but with NaN for what is undefined."""
        self._values = values

    def __getitem__(self, key: str) -> Any:
        """One value by its key in the JSON form."""
        return self._values[key]

    def __contains__(self, key: str) -> bool:
        """Whether there is a value of this key."""
        return key in self._values

    @property
    def headline(self) -> tuple[str, ...]:
        """The keys of the numbers to show people first."""
        return tuple(key for key in (*self.first_shown, "custom_metric_value") if key in self)

    def numbers(self) -> dict[str, float]:
        """The values that are single numbers."""
        return {key: value for key, value in self._values.items() if isinstance(value, int | float)}

    def nobs(self) -> int:
        """Number of rows measured, whatever their weights."""
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
            The metric is not defined for this kind of response.
        """
        name = self.auto_stopping_metric if metric == "AUTO" else metric
        key = STOPPING_KEYS.get(name)
        if key not in self._values:
            known = ", ".join(name for name, key in STOPPING_KEYS.items() if key in self._values)
            raise ParameterError(f"stopping_metric must be one of {known} for a {self.category} model; got {metric!r}.")
        return self[key]

    def measure_custom(
        self, function: CustomMetric, actual: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        """Add the value of a metric of the user's.

        Parameters
        ----------
        function : is called with the rows that count: their actual values, predictions and weights.
        actual, predicted, weights : as for `measured`.

        Raises
        ------
        ParameterError
            It fails or does not return a number.
        """
        name = function_name(function)
        try:
            value = float(function(*measured(actual, predicted, weights)))
        except Exception as error:  # it may fail in any way
            raise ParameterError(f"custom_metric_func {name} must return a number; it fails with {error!r}.") from error
        self._values |= {"custom_metric_name": name, "custom_metric_value": value}

    def custom_metric_name(self) -> str | None:
        """Name of the user's own metric; None without one."""
        return self._values.get("custom_metric_name")

    def custom_metric_value(self) -> float | None:
        """Value of the user's own metric; None without one."""
        return self._values.get("custom_metric_value")

    def to_json(self) -> dict[str, Any]:
        """The values for `json.dumps`, with None for what is not finite."""
        return _replace(self._values, lambda value: isinstance(value, float) and not math.isfinite(value), None)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The metrics that `to_json` was called on."""
        return cls(_replace(document, lambda value: value is None, math.nan))

    def __repr__(self) -> str:
        """The headline numbers, one a line, for people."""
        width = max(map(len, self.headline))
        lines = [f"{key:{width}}  {self[key]:.6g}" for key in self.headline]
        rows = "1 row" if self.nobs() == 1 else f"{self.nobs()} rows"
        return "\n".join([f"{self.category} metrics on {rows}", *lines])


def measured(
    actual: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose the rows that count and weigh them.

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
        There is no such row.
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
    """Mean of the values, each counted as often as its weight says."""
    return float(np.average(values, weights=weights))


def weighted_quantile(values: np.ndarray, probabilities: np.ndarray | float, weights: np.ndarray) -> np.ndarray:
    """Quantiles of values, each taken as often as its weight says.

    For whole-numbered weights these are the quantiles of the repeated values, with linear interpolation between order
    statistics (`np.quantile`'s default); weights below 1 are counted in units of the smallest.
    """
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    unit = min(1.0, weights.min())
    # A value holds from the position of its first copy to that of its last; from there to the next value it is a line.
    positions = np.column_stack((ends - weights[order], ends - unit)).ravel()
    return np.interp(np.asarray(probabilities) * (ends[-1] - unit), positions, np.repeat(values[order], 2))


def r_squared(mse: float, actual: np.ndarray, weights: np.ndarray) -> float:
    """Share of the actual values' population variance that is explained; NaN when they are all equal.

    Equal values can have a variance above 0 by rounding, and the variance of tiny ones can underflow to 0.
    """
    variance = weighted_mean((actual - weighted_mean(actual, weights)) ** 2, weights)
    return 1 - mse / variance if variance > 0 and actual.min() < actual.max() else math.nan


def log_loss(probability: np.ndarray, weights: np.ndarray) -> float:
    """Mean of -log of the actual classes' probabilities, each taken as at least 1e-15."""
    return weighted_mean(-np.log(np.maximum(probability, 1e-15)), weights)


def _replace(value: Any, unwanted: Callable[[Any], bool], replacement: Any) -> Any:
    """Copy nested dicts and lists with the unwanted leaves replaced."""
    if isinstance(value, dict):
        return {key: _replace(item, unwanted, replacement) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, unwanted, replacement) for item in value]
    return replacement if unwanted(value) else value
