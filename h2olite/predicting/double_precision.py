"""Predictions in double precision, for networks that others trained and predict from so."""

from __future__ import annotations

import functools

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.rows import Objective
from h2olite.kinds.activations import EXP_RECTIFIER, MAXOUT, RECTIFIER, TANH
from h2olite.kinds.distributions import CLASS_QUADRATIC, CROSS_ENTROPY

from .predictor import Predictor

ROWS_AT_A_TIME = 2048
"""Rows whose activations are in memory together."""


class DoublePrecision(Predictor):
    """Passes rows through a network by NumPy: several times slower than the kernels, with 16 digits in place of 7."""

    def predict(self, objective: Objective, rows: EncodedRows, order: np.ndarray | None = None) -> np.ndarray:
        """Class probabilities, linear outputs or reconstructions of these rows: float64 (n_rows, n_outputs)."""
        order = np.arange(len(rows.levels)) if order is None else order
        outputs = np.empty((order.size, self.network.layout.sizes[-1]))
        for start in range(0, order.size, ROWS_AT_A_TIME):
            part = slice(start, start + ROWS_AT_A_TIME)
            outputs[part] = self._outputs(objective, rows.levels[order[part]], rows.dense(order[part]))
        return outputs

    def _outputs(self, objective: Objective, levels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The outputs of some rows."""
        n_levels = int(self.network.layout.sizes[0]) - numbers.shape[1]
        values = numbers
        for layer, (weights, biases) in enumerate(self._layers):
            if layer == 0:
                linear = values @ weights[n_levels:] + biases
                for column in levels.T:
                    present = np.flatnonzero(column >= 0)
                    linear[present] += weights[column[present]]
            else:
                linear = values @ weights + biases
            linear = linear.reshape(len(linear), -1, self.network.layout.sizes[layer + 1]).max(axis=1)  # of channels
            if layer == self.network.n_layers - 1 and not objective.autoencoder:
                return softmax(linear) if objective.loss in (CROSS_ENTROPY, CLASS_QUADRATIC) else linear
            values = activated(objective.activation, linear) * (1.0 - float(objective.dropout[layer + 1]))
        return values

    @functools.cached_property
    def _layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Every layer's weights, (n_inputs, n_channels * n_units), and biases, all channels in a row."""
        return [
            (
                self.network.weights(layer).reshape(n_inputs, -1).astype(np.float64),
                self.network.double_biases(layer).ravel(),
            )
            for layer, n_inputs in enumerate(self.network.layout.sizes[:-1].tolist())
        ]


def activated(activation: int, linear: np.ndarray) -> np.ndarray:
    """The activations; those of Maxout are the larger of the channels already."""
    if activation == TANH:
        return np.tanh(linear)
    if activation == RECTIFIER:
        return np.maximum(linear, 0.0)
    if activation == EXP_RECTIFIER:
        return np.where(linear >= 0.0, linear, np.expm1(np.minimum(linear, 0.0)))
    assert activation == MAXOUT
    return linear


def softmax(linear: np.ndarray) -> np.ndarray:
    """Probabilities, (n_rows, n_classes)."""
    exponentials = np.exp(linear - linear.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
