"""From a network's outputs to predictions in the response's own terms, and to their metrics."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import ResponseEncoder
from h2olite.kernels import activations, losses
from h2olite.kernels.rows import Objective
from h2olite.metrics import BinomialMetrics, Metrics, MultinomialMetrics, RegressionMetrics
from h2olite.parameters import Parameters

ACTIVATIONS = {
    "Tanh": activations.TANH,
    "Rectifier": activations.RECTIFIER,
    "ExpRectifier": activations.EXP_RECTIFIER,
    "Maxout": activations.MAXOUT,
}

REGRESSION_LOSSES = {
    "gaussian": losses.GAUSSIAN,
    "laplace": losses.LAPLACE,
    "quantile": losses.QUANTILE,
    "huber": losses.HUBER,
    "poisson": losses.POISSON,
    "gamma": losses.GAMMA,
    "tweedie": losses.TWEEDIE,
}

LOG_LINK = ("poisson", "gamma", "tweedie")
"""Distributions whose mean is the exponential of the linear output."""


def objective_of(parameters: Parameters) -> Objective:
    """The objective that resolved parameters describe; Huber's delta starts at 1 and follows the residuals later."""
    if parameters.distribution in REGRESSION_LOSSES:
        loss = REGRESSION_LOSSES[parameters.distribution]
    else:
        loss = losses.CLASS_QUADRATIC if parameters.loss == "Quadratic" else losses.CROSS_ENTROPY
    shape = {"quantile": parameters.quantile_alpha, "tweedie": parameters.tweedie_power, "huber": 1.0}
    hidden_ratios = parameters.hidden_dropout_ratios or [0.0] * len(parameters.hidden)
    return Objective(
        loss=loss,
        shape=np.float32(shape.get(parameters.distribution, 0.0)),
        activation=ACTIVATIONS[parameters.activation.removesuffix("WithDropout")],
        dropout=np.array([parameters.input_dropout_ratio, *hidden_ratios, 0.0], np.float32),
        autoencoder=parameters.autoencoder,
        average_activation=np.float32(parameters.average_activation),
        sparsity_beta=np.float32(parameters.sparsity_beta),
    )


class Observed(NamedTuple):
    """What happened in rows, how much each of them counts, and what is added to its prediction.

    actual : the response as `ResponseEncoder` encodes it; weights, offsets : None where there are none. All have shape
        (n_rows,).
    """

    actual: np.ndarray
    weights: np.ndarray | None = None
    offsets: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Observed:
        """Only these rows."""
        weights, offsets = (None if values is None else values[rows] for values in self[1:])
        return Observed(self.actual[rows], weights, offsets)


class ClassShares(NamedTuple):
    """How frequent each class is in the training table, and how frequent it was made by balancing."""

    prior: tuple[float, ...]
    trained: tuple[float, ...]

    @classmethod
    def of(cls, classes: np.ndarray, balanced: np.ndarray, n_classes: int) -> ClassShares:
        """The shares of the classes of all rows and of the balanced ones."""
        counts = (np.bincount(rows.astype(np.int64), minlength=n_classes) for rows in (classes, balanced))
        prior, trained = (tuple((count / count.sum()).tolist()) for count in counts)
        return cls(prior, trained)

    @property
    def correction(self) -> np.ndarray:
        """What to multiply each class's probability by, up to a common factor; 1 for a class that did not occur."""
        prior, trained = np.array(self.prior), np.array(self.trained)
        return np.divide(prior, trained, out=np.ones_like(prior), where=trained > 0)


@dataclasses.dataclass(frozen=True)
class Scoring:
    """What the outputs of a network mean."""

    response: ResponseEncoder
    parameters: Parameters
    shares: ClassShares | None = None

    @property
    def category(self) -> str:
        """The kind of model: ``"Binomial"``, ``"Multinomial"`` or ``"Regression"``."""
        if self.response.levels is None:
            return "Regression"
        return "Binomial" if len(self.response.levels) == 2 else "Multinomial"

    def predictions(self, outputs: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
        """Probabilities, float64 (n_rows, n_classes), or predicted numbers, float64 (n_rows,).

        Probabilities learnt from balanced classes are multiplied by prior / trained share. Offsets are added to what
        the link is applied to: to the predicted number, or to the logarithm of the predicted mean.
        """
        values = outputs.astype(np.float64)
        if self.response.levels is not None:
            if self.shares is not None:
                values *= self.shares.correction
            return values / values.sum(axis=1, keepdims=True)
        linear = values[:, 0] / self.response.multiplier + self.response.subtrahend
        if offsets is not None:
            linear += offsets
        if self.parameters.distribution in LOG_LINK:
            return np.exp(np.minimum(linear, np.log(losses.LARGEST_EXP)))
        return linear

    def metrics(self, outputs: np.ndarray, observed: Observed) -> Metrics:
        """How good the outputs (n_rows, n_outputs) are for what happened."""
        return self.measure(self.predictions(outputs, observed.offsets), observed.actual, observed.weights)

    def measure(self, predictions: np.ndarray, actual: np.ndarray, weights: np.ndarray | None = None) -> Metrics:
        """How good `predictions` are for the actual response."""
        if self.response.levels is not None:
            actual = np.where(np.isnan(actual), -1, actual).astype(np.int64)
        metrics = self._usual_metrics(predictions, actual, weights)
        function = self.parameters.custom_metric_func
        if callable(function):  # in a model read from a file it is a name, and nothing of a file is run
            metrics.measure_custom(function, actual, predictions, weights)
        return metrics

    def _usual_metrics(self, predictions: np.ndarray, actual: np.ndarray, weights: np.ndarray | None) -> Metrics:
        """All metrics but the user's own; classes as integers."""
        levels = self.response.levels
        if levels is None:
            return RegressionMetrics.from_predictions(
                actual,
                predictions,
                distribution=self.parameters.distribution,
                quantile_alpha=self.parameters.quantile_alpha,
                tweedie_power=self.parameters.tweedie_power,
                huber_alpha=self.parameters.huber_alpha,
                weights=weights,
            )
        if len(levels) == 2:
            return BinomialMetrics.from_predictions(
                actual,
                predictions[:, 1],
                levels=(levels[0], levels[1]),
                weights=weights,
                gainslift_bins=self.parameters.gainslift_bins,
            )
        return MultinomialMetrics.from_predictions(
            actual, predictions, levels=levels, weights=weights, auc_type=self.parameters.auc_type
        )

    def columns(
        self, outputs: np.ndarray, threshold: float, offsets: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """The predictions by column name: ``predict``, then one column per class.

        ``predict`` holds indices of classes; of two classes the second one is predicted from `threshold` on. A class
        whose name is a whole number is prefixed with ``p``, as in H2O.
        """
        predictions = self.predictions(outputs, offsets)
        levels = self.response.levels
        if levels is None:
            return {"predict": predictions}
        labels = (predictions[:, 1] >= threshold).astype(np.int64) if len(levels) == 2 else predictions.argmax(axis=1)
        return {"predict": labels} | {
            probability_name(level): p for level, p in zip(levels, predictions.T, strict=True)
        }


def probability_name(level: str) -> str:
    """The name of the column that holds a class's probability."""
    return f"p{level}" if level.removeprefix("-").isdecimal() else level
