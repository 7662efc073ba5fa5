"""Predictions in double precision, for networks that others trained and predict from so."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.rows import Objective
from h2olite.kinds.activations import EXP_RECTIFIER, MAXOUT, RECTIFIER, TANH
from h2olite.kinds.distributions import CLASS_QUADRATIC, CROSS_ENTROPY
from h2olite.network.network import Network

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
        *_, linear = pre_activations(self.network, self._layers, objective, levels, numbers)
        if objective.autoencoder:
            return units_of(objective, self.network.n_layers - 1, linear)
        outputs = linear.max(axis=1)  # of the one channel
        return softmax(outputs) if objective.loss in (CROSS_ENTROPY, CLASS_QUADRATIC) else outputs

    @functools.cached_property
    def _layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return double_layers(self.network)


def double_layers(network: Network) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every layer's weights, float64 (n_inputs, n_channels * n_units), and biases, all channels in a row."""
    return [
        (network.weights(layer).reshape(n_inputs, -1).astype(np.float64), network.double_biases(layer).ravel())
        for layer, n_inputs in enumerate(network.layout.sizes[:-1].tolist())
    ]


def pre_activations(
    network: Network,
    layers: list[tuple[np.ndarray, np.ndarray]],
    objective: Objective,
    levels: np.ndarray,
    numbers: np.ndarray,
) -> Iterator[np.ndarray]:
    """The pre-activations of each layer, from the first one up: float64 (n_rows, n_channels, n_units).

    Parameters
    ----------
    layers : of the network, see `double_layers`.
    levels, numbers : the inputs of some rows.
    """
    n_levels = int(network.layout.sizes[0]) - numbers.shape[1]
    weights, biases = layers[0]
    linear = numbers @ weights[n_levels:] + biases
    for column in levels.T:
        present = np.flatnonzero(column >= 0)
        linear[present] += weights[column[present]]
    linear = linear.reshape(len(linear), -1, int(network.layout.sizes[1]))
    yield linear
    yield from later_pre_activations(network, layers, objective, linear)


def later_pre_activations(
    network: Network, layers: list[tuple[np.ndarray, np.ndarray]], objective: Objective, linear: np.ndarray
) -> Iterator[np.ndarray]:
    """The pre-activations of each layer but the first one, by those of the first one."""
    for layer, (weights, biases) in enumerate(layers[1:], 1):
        linear = units_of(objective, layer - 1, linear) @ weights + biases
        linear = linear.reshape(len(linear), -1, int(network.layout.sizes[layer + 1]))
        yield linear


def units_of(objective: Objective, layer: int, linear: np.ndarray) -> np.ndarray:
    """The activations (n_rows, n_units) of a layer in scoring, where a unit counts with its probability to be kept."""
    return activated(objective.activation, linear.max(axis=1)) * kept_share(objective, layer)


def kept_share(objective: Objective, layer: int) -> float:
    """The probability with which dropout keeps a unit of a layer, 0 being the first hidden one."""
    return 1.0 - float(objective.dropout[layer + 1])


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
