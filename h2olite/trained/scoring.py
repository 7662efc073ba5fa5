"""From a network's outputs to predictions in the response's own terms, and to their metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import EncodedRows, RowEncoder
from h2olite.data.response import ResponseEncoder
from h2olite.data.roles import row_offsets, row_weights
from h2olite.data.table import Table
from h2olite.kernels import losses
from h2olite.kernels.rows import Objective
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.metrics import AutoEncoderMetrics, BinomialMetrics, Metrics, MultinomialMetrics, RegressionMetrics
from h2olite.metrics.curves import Costs
from h2olite.predicting.predictor import Predictor
from h2olite.settings.parameters import Parameters

ERRORS_AT_A_TIME = 1 << 20
"""Errors of inputs held in memory while only their means are wanted."""


class Observed(NamedTuple):
    """What happened in rows, how much each of them counts, and what is added to its prediction.

    actual : the response as `ResponseEncoder` encodes it. Like weights and offsets it is of shape (n_rows,), or None
        where there is none.
    """

    actual: np.ndarray | None
    weights: np.ndarray | None = None
    offsets: np.ndarray | None = None

    @classmethod
    def of(
        cls, table: Table, response: ResponseEncoder | None, parameters: Parameters, adaptation: Adaptation
    ) -> Observed:
        """What happened in the rows of a table to measure a model on."""
        return cls(
            None if response is None else response.encode(table, adaptation)[1],
            row_weights(table, parameters.weights_column, adaptation),
            row_offsets(table, parameters.offset_column),
        )

    def take(self, rows: np.ndarray) -> Observed:
        """Only these rows."""
        return Observed(*(None if values is None else values[rows] for values in self))


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
    """What the outputs of a network mean; `threshold` and `costs` are those of `BinomialMetrics.from_predictions`."""

    response: ResponseEncoder
    parameters: Parameters
    shares: ClassShares | None = None
    threshold: float | None = None
    costs: Costs | None = None

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
        if DISTRIBUTIONS[self.parameters.distribution].link == "log":
            return np.exp(np.minimum(linear, np.log(losses.LARGEST_EXP)))
        return linear

    def observed(self, actual: np.ndarray) -> np.ndarray:
        """The encoded response as metrics take it: classes as integers, -1 for missing."""
        return actual if self.response.levels is None else np.where(np.isnan(actual), -1, actual).astype(np.int64)

    def metrics(
        self, engine: Predictor, objective: Objective, rows: EncodedRows, order: np.ndarray, observed: Observed
    ) -> Metrics:
        """How well the network predicts some of the rows."""
        actual, weights, offsets = observed.take(order)
        assert actual is not None  # what is predicted has been observed
        return self.measure(self.predictions(engine.predict(objective, rows, order), offsets), actual, weights)

    def measure(self, predictions: np.ndarray, actual: np.ndarray, weights: np.ndarray | None = None) -> Metrics:
        """How good `predictions` are for the actual response."""
        actual = self.observed(actual)
        metrics = self.usual_metrics(predictions, actual, weights)
        function = self.parameters.custom_metric_func
        if callable(function):  # in a model read from a file it is a name, and nothing of a file is run
            metrics.measure_custom(function, actual, predictions, weights)
        return metrics

    def usual_metrics(self, predictions: np.ndarray, actual: np.ndarray, weights: np.ndarray | None) -> Metrics:
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
                threshold=self.threshold,
                costs=self.costs,
                gainslift_bins=self.parameters.gainslift_bins,
            )
        return MultinomialMetrics.from_predictions(
            actual, predictions, levels=levels, weights=weights, auc_type=self.parameters.auc_type
        )

    def columns(
        self, outputs: np.ndarray, threshold: float, offsets: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """The predictions by column name: ``predict``, then one column per class.

        ``predict`` holds indices of classes; of two classes the second one is predicted from `threshold` on.
        """
        predictions = self.predictions(outputs, offsets)
        levels = self.response.levels
        if levels is None:
            return {"predict": predictions}
        return {"predict": predicted_classes(predictions, threshold)} | dict(
            zip(probability_names(levels).values(), predictions.T, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """What the outputs of an autoencoder mean."""

    encoder: RowEncoder
    category: ClassVar[str] = "AutoEncoder"

    def columns(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs by column name, ``reconstr_`` and the input's name; numbers in the units of their columns."""
        values = outputs.astype(np.float64)
        numbers = values[:, self.encoder.n_categorical_inputs :]
        numbers /= self.encoder.multiplier
        numbers += self.encoder.subtrahend
        return {f"reconstr_{name}": column for name, column in zip(self.encoder.input_names, values.T, strict=True)}

    def anomaly(
        self, engine: Predictor, objective: Objective, rows: EncodedRows, *, per_feature: bool
    ) -> dict[str, np.ndarray]:
        """The mean squared error of each row, or the squared error of each of its inputs, by column name."""
        order = np.arange(len(rows.levels))
        if not per_feature:
            return {"Reconstruction.MSE": self.row_errors(engine, objective, rows, order)}
        errors = np.square(engine.reconstruction_errors(objective, rows, order), dtype=np.float64)
        return {f"reconstr_{name}.SE": column for name, column in zip(self.encoder.input_names, errors.T, strict=True)}

    def metrics(
        self, engine: Predictor, objective: Objective, rows: EncodedRows, order: np.ndarray, observed: Observed
    ) -> AutoEncoderMetrics:
        """How well the network reconstructs some of the rows."""
        errors = self.row_errors(engine, objective, rows, order)
        return AutoEncoderMetrics.from_errors(errors, observed.take(order).weights)

    def row_errors(self, engine: Predictor, objective: Objective, rows: EncodedRows, order: np.ndarray) -> np.ndarray:
        """Each row's mean over the inputs of the squared error as they are encoded: float64 (n_rows,)."""
        size = max(ERRORS_AT_A_TIME // self.encoder.n_inputs, 1)
        means = np.empty(order.size)
        for start in range(0, order.size, size):
            part = slice(start, start + size)
            errors = engine.reconstruction_errors(objective, rows, order[part])
            means[part] = np.square(errors, dtype=np.float64).mean(axis=1)
        return means


def scoring_of(
    encoder: RowEncoder, response: ResponseEncoder | None, parameters: Parameters, shares: ClassShares | None = None
) -> Scoring | Reconstruction:
    """What the outputs of a network mean, by what it was trained on; an autoencoder has no response."""
    return Reconstruction(encoder) if response is None else Scoring(response, parameters, shares)


def predicted_classes(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Indices of classes: of two the second one from `threshold` on, of more the most probable one."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return probabilities.argmax(axis=1)


def lowered(threshold: float, precision: type) -> float:
    """A threshold that a probability equal to it also reaches when it is computed by other sums, or more precisely.

    The threshold is the probability of a row, computed in this precision: off by some units in the last place of
    itself and, through the softmax, of the outputs.
    """
    unit = float(np.finfo(precision).eps)
    return threshold * (1 - 2 * unit - 32 * unit * (1 - threshold))


def probability_names(levels: Sequence[str]) -> dict[str, str]:
    """The name of the column that holds each class's probability.

    A class whose name is a whole number is prefixed with ``p``, as in H2O, and so is one called ``predict``; with more
    of them where another class has that name.
    """
    taken = {"predict", *levels}
    names = {level: level for level in levels}
    for level in levels:
        if level == "predict" or level.removeprefix("-").isdecimal():
            while names[level] in taken:
                names[level] = f"p{names[level]}"
    return names
