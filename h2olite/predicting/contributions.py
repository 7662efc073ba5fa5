"""What each input adds to a prediction: DeepSHAP, in double precision.

A prediction is compared with those of background rows. For one row x and one background row r, the difference of the
outputs is divided among the inputs, layer by layer from the outputs down. A layer of weights is linear, so it passes
every difference on as it is. An activation a(z) passes on the ratio (a(z_x) - a(z_r)) / (z_x - z_r) in place of its
slope: the rescale rule of DeepLIFT. A Maxout unit has two linear inputs. The difference of their maximum is divided
between them by their exact Shapley values. The contribution of an input is the mean over all background rows.

References: Shrikumar, Greenside and Kundaje 2017 (DeepLIFT); Lundberg and Lee 2017 (DeepSHAP).
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.rows import Objective
from h2olite.kinds.activations import EXP_RECTIFIER, MAXOUT, RECTIFIER, TANH
from h2olite.network.network import Network

from .double_precision import activated, double_layers, kept_share, pre_activations

NUMBERS_AT_A_TIME = 1 << 18
"""About how many numbers of float64 are in one array of multipliers: 2 MB, which stay in the caches."""

LEAST_DIFFERENCE = 1e-9
"""Differences of pre-activations below which the ratio of the rescale rule is the activation's slope."""


class Contributions(NamedTuple):
    """Contributions of a block of rows.

    rows : slice, the rows.
    values : float64 (n_rows, n_background, n_groups, n_outputs), by background row.
    """

    rows: slice
    values: np.ndarray


class Passed(NamedTuple):
    """What some rows are in the network.

    levels, numbers : the rows' inputs; numbers as float64.
    hidden : the pre-activations of each hidden layer, float64 (n_rows, n_channels, n_units).
    outputs : float64 (n_rows, n_outputs), combined linear outputs.
    """

    levels: np.ndarray
    numbers: np.ndarray
    hidden: list[np.ndarray]
    outputs: np.ndarray


class Explainer(abc.ABC):
    """Divides the outputs of a network among groups of its inputs.

    Parameters
    ----------
    network, objective : what predicts.
    background : the rows that others are compared with.
    groups : int64 (n_inputs,), the group of each input, ascending.
    n_groups : number of groups; some may have no input.
    head : float64 (n_linear, n_outputs), by which the linear outputs are combined to those that are divided.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        background: EncodedRows,
        groups: np.ndarray,
        n_groups: int,
        head: np.ndarray,
    ) -> None:
        self._network, self._objective, self._head = network, objective, head
        self._groups, self._n_groups = groups, n_groups
        self._layers = double_layers(network)
        self._n_levels = int(network.layout.sizes[0]) - background.numbers.shape[1]
        self._background = self._pass(background)

    @property
    def base(self) -> np.ndarray:
        """The combined outputs of each background row, float64 (n_background, n_outputs)."""
        return self._background.outputs

    def blocks(self, rows: EncodedRows) -> Iterator[Contributions]:
        """The contributions to the combined outputs of these rows, some rows at a time."""
        n_numbers = len(self._groups) - self._n_levels
        widest = max([*(weights.shape[1] for weights, _ in self._layers[:-1]), n_numbers, self._n_groups])
        pairs_at_a_time = NUMBERS_AT_A_TIME // (widest * self._head.shape[1])
        size = max(pairs_at_a_time // len(self._background.outputs), 1)
        for start in range(0, len(rows.levels), size):
            part = slice(start, min(start + size, len(rows.levels)))
            yield Contributions(part, self._divide(self._pass(rows, part)))

    def _pass(self, rows: EncodedRows, part: slice = slice(None)) -> Passed:
        """Pass rows through the network, and keep what the layers make of them."""
        order = np.arange(len(rows.levels))[part]
        levels, numbers = rows.levels[order], rows.dense(order).astype(np.float64)
        *hidden, outputs = pre_activations(self._network, self._layers, self._objective, levels, numbers)
        return Passed(levels, numbers, hidden, outputs[:, 0] @ self._head)

    @abc.abstractmethod
    def _divide(self, rows: Passed) -> np.ndarray:
        """Divide the outputs of some rows, against each background row, among the groups of inputs.

        float64 (n_rows, n_background, n_groups, n_outputs).
        """


class DeepShap(Explainer):
    """Divides the differences of outputs layer by layer, by the rescale rule."""

    def _divide(self, rows: Passed) -> np.ndarray:
        others = self._background
        multipliers = self._head.T[np.newaxis, np.newaxis]  # of pre-activations, the same for all pairs at the outputs
        for layer in range(len(rows.hidden) - 1, -1, -1):
            ratios = self._ratios(rows.hidden[layer][:, None], others.hidden[layer][None])
            kept = kept_share(self._objective, layer)
            if kept != 1.0:
                ratios *= kept
            of_units = multipliers @ self._layers[layer + 1][0].T
            multipliers = of_units[..., None, :] * ratios[:, :, None]  # (n_rows, n_others, n_outputs, channels, units)
            multipliers = multipliers.reshape(*multipliers.shape[:3], -1)
        pairs = len(rows.outputs), len(others.outputs)
        return self._at_inputs(rows, np.broadcast_to(multipliers, (*pairs, *multipliers.shape[2:])))

    def _ratios(self, x: np.ndarray, r: np.ndarray) -> np.ndarray:
        """The multipliers of pre-activations, (n_rows, n_others, n_channels, n_units), for units' activations."""
        activation, difference = self._objective.activation, x - r
        if activation == MAXOUT:
            x0, x1, r0, r1 = x[..., 0, :], x[..., 1, :], r[..., 0, :], r[..., 1, :]
            both, neither = np.maximum(x0, x1), np.maximum(r0, r1)
            only0, only1 = np.maximum(x0, r1), np.maximum(r0, x1)
            shares = np.stack([only0 - neither + both - only1, only1 - neither + both - only0], axis=-2) / 2
        else:
            shares = activated(activation, x) - activated(activation, r)
        small = np.abs(difference) < LEAST_DIFFERENCE
        if small.any():
            difference[small] = 1.0
            shares[small] = 0.0 if activation == MAXOUT else slopes(activation, np.broadcast_to(x, shares.shape)[small])
        return np.divide(shares, difference, out=shares)

    def _at_inputs(self, rows: Passed, multipliers: np.ndarray) -> np.ndarray:
        """Contributions of the groups of inputs, by the multipliers of what the first weights give."""
        others, first, n_levels = self._background, self._layers[0][0], self._n_levels
        values = np.zeros((*multipliers.shape[:3], self._n_groups))
        if rows.numbers.shape[1]:
            of_numbers = multipliers @ first[n_levels:].T
            of_numbers *= (rows.numbers[:, None] - others.numbers[None])[:, :, None]
            groups = self._groups[n_levels:]
            starts = np.flatnonzero(np.diff(groups, prepend=-1))
            values[..., groups[starts]] = np.add.reduceat(of_numbers, starts, axis=-1)
        padded = np.vstack([first[:n_levels], np.zeros(first.shape[1])])  # -1, no input, leads to the last row
        for column in range(rows.levels.shape[1]):
            mine, theirs = rows.levels[:, column], others.levels[:, column]
            for levels, sign in ((mine[:, None], 1.0), (theirs[None], -1.0)):
                added = sign * np.einsum(
                    "ijok,ijk->ijo",
                    multipliers,
                    np.broadcast_to(padded[levels], (len(mine), len(theirs), first.shape[1])),
                )
                self._add_levels(values, np.broadcast_to(levels, added.shape[:2]), added)
        return values.transpose(0, 1, 3, 2)

    def _add_levels(self, values: np.ndarray, levels: np.ndarray, added: np.ndarray) -> None:
        """Add contributions of levels, (n_rows, n_others, n_outputs), to the groups that the levels belong to."""
        present = levels >= 0
        groups = self._groups[np.where(present, levels, 0)]
        rows, others = np.nonzero(present)
        values[rows, others, :, groups[present]] += added[rows, others]


def slopes(activation: int, z: np.ndarray) -> np.ndarray:
    """The slope of an activation other than Maxout."""
    if activation == TANH:
        return 1.0 - np.tanh(z) ** 2
    if activation == RECTIFIER:
        return (z > 0).astype(np.float64)
    assert activation == EXP_RECTIFIER
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0)))
