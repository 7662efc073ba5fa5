"""How much each input matters to a network, by its weights."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from h2olite.data.encoding import EncodedRows, RowEncoder
from h2olite.data.sparse import SparseNumbers
from h2olite.network.network import Network

MOST_ROWS, MOST_NUMBERS = 100_000, 10_000_000
"""Of how many rows, and numbers, it is looked at how often levels are there and how far numbers spread."""

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
    importance = _by_second_layer(network, np.abs(network.weights(0)).sum(axis=1, dtype=np.float64))
    importance[absent_inputs] = 0.0
    return _relative(importance)


def column_importance(
    network: Network, encoder: RowEncoder, spreads: np.ndarray, covariances: Mapping[int, np.ndarray] | None = None
) -> np.ndarray:
    """Importance of each column of the table, the largest being 1: float64 (n_columns,), as `column_groups` are.

    As `gedeon_importance`, where the absolute weights into the first layer make room for the standard deviation, over
    the rows, of what the column adds to a unit. Of a standardised number that is the absolute weight. Of levels with
    the shares p_i of the rows and the weights w_i it is sqrt(sum_i p_i w_i^2 - (sum_i p_i w_i)^2): a column counts as
    one, however many levels it has, where a sum over their inputs would count each level as much as a number. Of a
    number with several inputs it is w' C w, where C is the covariance matrix of these inputs.

    spreads : see `input_spreads`.
    covariances : see `number_covariances`.
    """
    weights = network.weights(0)
    n_levels = encoder.n_categorical_inputs
    variances = np.zeros((len(encoder.column_groups), *weights.shape[1:]))
    for start, end in itertools.pairwise(encoder.cat_offsets.tolist()):
        of_levels, shares = weights[start:end], spreads[start:end]
        squares = np.einsum("i,icu,icu->cu", shares, of_levels, of_levels)
        variances[encoder.input_groups[start]] += squares - np.einsum("i,icu->cu", shares, of_levels) ** 2
    starts = encoder.number_starts
    single = n_levels + starts[:-1][np.diff(starts) == 1]
    np.add.at(
        variances,
        encoder.input_groups[single],
        (weights[single] * spreads[single, np.newaxis, np.newaxis]) ** 2,
    )
    for j in several_inputs(encoder):
        start, end = n_levels + starts[j], n_levels + starts[j + 1]
        covariance = np.eye(end - start) / (end - start) if covariances is None else covariances[j]
        own = weights[start:end].astype(np.float64)
        variances[encoder.input_groups[start]] += (own * np.tensordot(covariance, own, 1)).sum(axis=0)
    deviations = np.sqrt(np.maximum(variances, 0.0)).sum(axis=1)
    return _relative(_by_second_layer(network, deviations))


def input_spreads(
    rows: EncodedRows, trained: np.ndarray, encoder: RowEncoder, weights: np.ndarray | None = None
) -> np.ndarray:
    """How far each input spreads in the rows trained on: float64 (n_inputs,).

    Of a level, or missing, it is the share of the rows that have it; of a number the standard deviation.

    weights : of all rows, 1 each if not given; not those by which gradients are multiplied, see `divide_weights`.
    """
    n_levels, n_numeric = encoder.n_categorical_inputs, rows.numbers.shape[1]
    sample, weights = _sample(trained, n_numeric, weights)
    shares = np.zeros(n_levels + 1)  # the last one is where -1, no input, leads
    for column in rows.levels[sample].T:
        shares += np.bincount(np.where(column < 0, n_levels, column), weights, n_levels + 1)
    if rows.is_sparse:
        entries = SparseNumbers(rows.starts, rows.places, rows.entries, n_numeric).take(sample)
        deviations = np.sqrt(entries.summarise(weights).squares)
    else:
        numbers = rows.numbers[sample].astype(np.float64)
        deviations = np.sqrt(weights @ (numbers - weights @ numbers) ** 2)
    return np.concatenate([shares[:n_levels], deviations])


def number_covariances(
    rows: EncodedRows, trained: np.ndarray, encoder: RowEncoder, weights: np.ndarray | None = None
) -> dict[int, np.ndarray]:
    """The covariance matrix of the inputs of each number that has several, by its index among the numeric predictors.

    The parameters are those of `input_spreads`.
    """
    columns = several_inputs(encoder)
    if not columns:
        return {}
    sample, weights = _sample(trained, rows.numbers.shape[1], weights)
    numbers = rows.dense(sample)
    starts = encoder.number_starts
    covariances = {}
    for j in columns:
        own = numbers[:, starts[j] : starts[j + 1]].astype(np.float64)
        own -= weights @ own
        covariances[j] = (own * weights[:, np.newaxis]).T @ own
    return covariances


def several_inputs(encoder: RowEncoder) -> list[int]:
    """The numeric predictors with several inputs."""
    return np.flatnonzero(np.diff(encoder.number_starts) > 1).tolist()


def _sample(trained: np.ndarray, n_numeric: int, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Some of the rows trained on, and their weights, of sum 1."""
    most = max(min(MOST_ROWS, MOST_NUMBERS // max(n_numeric, 1)), 1)
    sample = trained[:: 1 + trained.size // most]
    weights = np.ones(sample.size) if weights is None else weights[sample]
    weights = weights / weights.max()  # first, or the sum of the largest weights could overflow
    return sample, weights / weights.sum()


def usual_spreads(encoder: RowEncoder) -> np.ndarray:
    """What stands for `input_spreads` where the rows are not known: equally frequent levels, standardised numbers."""
    widths = np.diff(encoder.cat_offsets)
    return np.concatenate([np.repeat(1.0 / np.maximum(widths, 1), widths), np.ones(encoder.number_starts[-1])])


def ranked(importances: np.ndarray, names: Sequence[str]) -> list[tuple[str, float, float, float]]:
    """The inputs, most important first, with the columns IMPORTANCE_COLUMNS."""
    total = float(importances.sum()) or 1.0
    order = np.argsort(-importances, kind="stable")
    return [
        (names[i], value, value, value / total)
        for i, value in zip(order.tolist(), importances[order].tolist(), strict=True)
    ]


def _by_second_layer(network: Network, first: np.ndarray) -> np.ndarray:
    """The sum over the second layer's units of the shares that inputs of the first layer have in them: (n_inputs,).

    first : how much each input adds to the units of the first layer, (n_inputs, n_units).
    """
    if network.n_layers == 1:
        return first.sum(axis=1)
    second = np.abs(network.weights(1)).sum(axis=1, dtype=np.float64)
    # summed over the units before the product, which is the large one of a column with many levels
    return first @ (_shares(second).sum(axis=1) / _totals(first))


def _relative(importance: np.ndarray) -> np.ndarray:
    """Importances with a largest one of 1, unless all are 0."""
    return importance / (importance.max(initial=0.0) or 1.0)


def _shares(weights: np.ndarray) -> np.ndarray:
    """The columns of (n_inputs, n_units), each divided by its total."""
    return weights / _totals(weights)


def _totals(weights: np.ndarray) -> np.ndarray:
    """The sum over a unit's inputs, 1 for a unit without weights: it has no shares."""
    totals = weights.sum(axis=0)
    return np.where(totals > 0, totals, 1.0)
