"""How far a network is from an optimum of its objective, by the gradients of a pass over the rows."""

from __future__ import annotations

import itertools

import numpy as np

from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.kinds.update_rules import SGD
from h2olite.network.network import Network, no_screening

from .source import RowSource
from .task import LARGEST
from .team import Team


def mean_gradients(
    network: Network, objective: Objective, rule: Rule, source: RowSource, n_threads: int
) -> list[np.ndarray]:
    """The mean gradient of the loss by each weight, over the rows that stand for all.

    Parameters
    ----------
    network : stays as it is.
    objective : its random numbers of dropout, if any, are drawn anew.
    rule : any; whether it has penalties that make zeros tells which kernels are compiled already.
    source : of the rows.

    Returns
    -------
    gradients : for each layer, float64 (n_inputs, n_channels, n_units).
    """
    # The velocity of momentum 1 is minus the sum of all gradients; at a rate of 0, no weight moves.
    summing = rule._replace(
        kind=SGD,
        rate=np.float32(0),
        momentum_start=np.float32(1),
        momentum_stable=np.float32(1),
        momentum_ramp=np.float32(0),
        nesterov=False,
        l2=np.float32(0),
        max_w2=np.float32(LARGEST),
        fast=True,
        proximal_interval=np.int64(0),
    )
    copy = Network.zeros(network.layout, averaged=False)
    copy.theta[:] = network.theta
    block = source.sample()
    weights, rows = source.weights_of(block), block.rows
    if rows.weights.size:
        of_rows = np.zeros_like(rows.weights)
        of_rows[block.order] = weights
        rows = rows._replace(weights=of_rows)
    with Team(copy, rows, n_threads) as team:
        team.screening = no_screening(copy)
        team.train(objective, summing, rows, block.order)
    return [-copy.weights(layer, copy.first).astype(np.float64) / weights.sum() for layer in range(copy.n_layers)]


def violations(network: Network, gradients: list[np.ndarray], rule: Rule, columns: np.ndarray) -> list[float]:
    """The largest violation of the optimality conditions in each layer: 0 at an optimum.

    With g the mean gradient of the loss + l2 w, a weight other than 0 violates them by abs(g + l1 sign(w)), and one
    of 0 by max(abs(g) - l1, 0). Under input_group_l1, g has the gradient strength * w / norm as well, where the
    weights out of a column have a norm above 0. Where they are all 0, they violate them by
    max(norm(sign(g) max(abs(g) - l1, 0)) - strength, 0), with strength = input_group_l1 * sqrt(number of weights).

    Parameters
    ----------
    gradients : see `mean_gradients`.
    rule : with the strengths.
    columns : int64, where the inputs of each column start, and the number of inputs.

    References
    ----------
    Bertrand et al. 2022, Beyond L1 (skglm).
    """
    found = []
    for layer, gradient in enumerate(gradients):
        w = network.weights(layer).astype(np.float64)
        g = gradient + float(rule.l2) * w
        largest = 0.0
        if layer == 0 and rule.input_group_l1 > 0:
            for start, end in itertools.pairwise(columns):
                part = slice(start, end)
                norm = np.linalg.norm(w[part])
                strength = float(rule.input_group_l1) * np.sqrt(w[part].size)
                if norm > 0:
                    g[part] += strength * w[part] / norm
                else:
                    beyond = np.maximum(np.abs(g[part]) - float(rule.l1), 0)
                    largest = max(largest, float(np.linalg.norm(beyond)) - strength)
                    g[part] = 0
        of_weights = np.where(
            w == 0, np.maximum(np.abs(g) - float(rule.l1), 0), np.abs(g + float(rule.l1) * np.sign(w))
        )
        found.append(max(largest, float(of_weights.max(initial=0))))
    return found
