"""The smallest strengths of penalties at which nothing is left, and strengths that are multiples of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from h2olite.errors import ParameterError
from h2olite.network.network import Network
from h2olite.settings.parameters import Relative
from h2olite.training.optimality import mean_gradients
from h2olite.training.task import layout_of, objective_of, rule_of

from .preparation import Preparation
from .starting import best_constant


def strongest_penalties(prepared: Preparation) -> dict[str, float]:
    """The smallest l1, and the smallest input_group_l1, at which a linear model of these rows keeps no weight.

    These are the largest mean gradient of the loss by a weight, and the largest norm of the gradients by the weights
    out of a predictor, divided by the square root of their number, where all weights are 0 and the biases predict the
    best constant. Networks with hidden layers keep no weight from 0.3 to 1 times this l1 on; where only products of
    predictors matter, from a few times this l1 on. They keep no predictor from 0.02 to 4 times this input_group_l1 on.

    References
    ----------
    Friedman, Hastie and Tibshirani 2010 (the largest strength of a path).
    """
    parameters = dataclasses.replace(
        prepared.parameters, hidden=[], hidden_dropout_ratios=None, input_dropout_ratio=0.0, l1=1.0
    )  # with l1, the kernels are those of the training that follows
    network = Network.zeros(layout_of(prepared.encoder, prepared.response, parameters), averaged=False)
    network.biases(0)[...] = constant_outputs(prepared)
    gradients = mean_gradients(
        network, objective_of(parameters), rule_of(parameters, prepared.rows, network), prepared.source, n_threads=1
    )[0]
    columns = itertools.pairwise(prepared.encoder.column_starts)
    groups = [gradients[start:end] for start, end in columns if end > start]
    return {
        "l1": float(np.abs(gradients).max()),
        "input_group_l1": max(float(np.linalg.norm(group) / np.sqrt(group.size)) for group in groups),
    }


def constant_outputs(prepared: Preparation) -> np.ndarray | float:
    """The linear outputs of least loss if they were the same for all rows: of each class, or one."""
    block = prepared.source.sample()
    weights, target = prepared.source.weights_of(block), prepared.rows.target[block.order]
    if prepared.response is None or prepared.response.levels is None:
        offsets = prepared.rows.offsets
        return best_constant(
            prepared.parameters, target, weights, offsets[block.order].astype(np.float64) if offsets.size else None
        )
    counts = np.bincount(target.astype(np.int64), weights, prepared.response.n_classes)
    return np.log(np.maximum(counts, 1.0) / counts.sum())


def absolute(strengths: Mapping[str, Sequence[float]], prepared: Preparation) -> dict[str, list[float]]:
    """Strengths as numbers, ascending: a `Relative` is multiplied by the strongest that does something.

    Raises
    ------
    ParameterError : the model is an autoencoder, which has no linear model to compare with.
    """
    if not any(isinstance(value, Relative) for values in strengths.values() for value in values):
        return {name: list(values) for name, values in strengths.items()}
    if prepared.response is None:
        name, values = next((name, values) for name, values in strengths.items() if isinstance(values[-1], Relative))
        raise ParameterError(f"{name} of an autoencoder must be a number; got {values[-1]}.")
    strongest = strongest_penalties(prepared)
    return {
        name: sorted(
            {float(f"{value * strongest[name]:.6g}") if isinstance(value, Relative) else value for value in values}
        )
        for name, values in strengths.items()
    }


def with_absolute_strengths(prepared: Preparation) -> Preparation:
    """The same, with parameters whose strengths are numbers."""
    given = {name: [getattr(prepared.parameters, name)] for name in ("l1", "input_group_l1")}
    values = {name: value for name, (value,) in absolute(given, prepared).items()}
    return dataclasses.replace(prepared, parameters=dataclasses.replace(prepared.parameters, **values))  # type: ignore[arg-type]
