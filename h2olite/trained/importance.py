"""How much each input matters to a network, by its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.network.network import Network

IMPORTANCE_COLUMNS = ("variable", "relative_importance", "scaled_importance", "percentage")


def gedeon_importance(network: Network, absent_inputs: np.ndarray) -> np.ndarray:
    """Importance of each input, the largest being 1: float64 (n_inputs,).

    With A the absolute weights into the first layer and B those into the second, each normalised to sum 1 over a unit's
    inputs, an input's share in a unit k of the second layer is Q_ki = (B A)_ki, and its importance sum_k Q_ki. Without
    hidden layers it is the sum of its absolute weights. Maxout counts the weights of both channels.

    absent_inputs : indices of inputs that no training row had; their importance is 0.

    References
    ----------
    Gedeon (1997), Data mining of inputs: analysing magnitude and functional measures.
    """
    first = np.abs(network.weights(0)).sum(axis=1, dtype=np.float64)
    if network.n_layers == 1:
        importance = first.sum(axis=1)
    else:
        second = np.abs(network.weights(1)).sum(axis=1, dtype=np.float64)
        # summed over k before the product, which is the large one of a column with many levels
        importance = first @ (_shares(second).sum(axis=1) / _totals(first))
    importance[absent_inputs] = 0.0
    largest = importance.max(initial=0.0)
    return importance / largest if largest > 0 else importance


def summed_by_column(importances: np.ndarray, encoder: RowEncoder) -> tuple[np.ndarray, list[str]]:
    """Importance of each predictor, that of all its inputs together, the largest being 1, and the predictors."""
    names = [name for (name,) in encoder.column_groups]
    sums = np.bincount(encoder.input_groups, importances, len(names))
    return sums / (sums.max(initial=0.0) or 1.0), names


def ranked(importances: np.ndarray, names: Sequence[str]) -> list[tuple[str, float, float, float]]:
    """The inputs, most important first, with the columns IMPORTANCE_COLUMNS."""
    total = float(importances.sum()) or 1.0
    order = np.argsort(-importances, kind="stable")
    return [
        (names[i], value, value, value / total)
        for i, value in zip(order.tolist(), importances[order].tolist(), strict=True)
    ]


def _shares(weights: np.ndarray) -> np.ndarray:
    """The columns of (n_inputs, n_units), each divided by its total."""
    return weights / _totals(weights)


def _totals(weights: np.ndarray) -> np.ndarray:
    """The sum over a unit's inputs, 1 for a unit without weights: it has no shares."""
    totals = weights.sum(axis=0)
    return np.where(totals > 0, totals, 1.0)
