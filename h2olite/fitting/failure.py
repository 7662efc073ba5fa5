"""Whether a model is far worse than no model at all, and why."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from h2olite.metrics.base import log_loss
from h2olite.model import Model
from h2olite.trained.scoring import Scoring
from h2olite.training.stability import ways_out

from .preparation import Measured, Preparation
from .starting import best_constant

FAR_WORSE = 3.0
"""How many times the loss of a constant makes a model worth a warning. Networks that have learnt a little too much stay
below; those that have failed are beyond by orders of magnitude."""

LARGE_INPUT = 100.0
"""An input that is this large takes part in the outputs like a hundred others: no standardised column of a usual shape
has one."""

ROWS_FOR_VARIANCE = 1000
"""About how many rows tell the variance of an autoencoder's inputs, of which there may be many."""

FEW_UPDATES = 10_000
"""Updates that may leave a network much as it started, with ADADELTA."""


def advice_on_failure(model: Model, prepared: Preparation) -> Iterator[str]:
    """A sentence for each table on which the model is far worse than a constant, with the likeliest cause.

    Parameters
    ----------
    model : as training left it, with all its predictors.
    prepared : what it was trained and measured on.
    """
    on_training = model.training_metrics
    tables = [
        ("training", prepared.training, on_training),
        ("validation", prepared.validation, model.validation_metrics),
    ]
    for name, measured, metrics in tables:
        if measured is None or metrics is None:
            continue
        key, what, constant = _loss_of_constant(prepared, measured)
        if metrics[key] > FAR_WORSE * constant > 0:
            learnt_by_heart = (
                name == "validation" and on_training is not None and on_training[key] < metrics[key] / FAR_WORSE
            )
            cause = _cause(model, measured, learnt_by_heart)
            if cause is not None:
                yield (
                    f"the model is far worse than {what}: {key} on the {name} rows is {metrics[key]:.3g}, where that "
                    f"has {constant:.3g}. {cause}"
                )


def _loss_of_constant(prepared: Preparation, measured: Measured) -> tuple[str, str, float]:
    """The name of a loss, what predicts the same for all rows, and the loss that it has on the measured rows."""
    scoring, trained = prepared.scoring, prepared.trained
    observed = measured.observed.take(measured.sample)
    weights = np.ones(measured.sample.size) if observed.weights is None else observed.weights
    if not isinstance(scoring, Scoring):
        return "mse", "reconstructing the means", _variance_of_inputs(prepared, measured, weights)
    actual = observed.actual
    assert actual is not None  # what is predicted has been observed
    all_weights = prepared.training.observed.weights
    if scoring.response.levels is not None:
        learnt = prepared.training.observed.actual
        assert learnt is not None
        rows = np.unique(trained)  # balanced classes repeat some
        of_class = None if all_weights is None else all_weights[rows]
        shares = np.bincount(learnt[rows].astype(np.int64), of_class, len(scoring.response.levels))
        shares = shares / shares.sum()
        return "logloss", "predicting each class by its share", log_loss(shares[actual.astype(np.int64)], weights)
    offsets = prepared.rows.offsets
    linear = best_constant(
        prepared.parameters,
        prepared.rows.target[trained],
        None if all_weights is None else all_weights[trained],
        offsets[trained].astype(np.float64) if offsets.size else None,
    )
    predictions = scoring.predictions(np.full((actual.size, 1), linear), observed.offsets)
    metrics = scoring.usual_metrics(predictions, actual, weights)
    return "mean_residual_deviance", "predicting the same for every row", metrics["mean_residual_deviance"]


def _variance_of_inputs(prepared: Preparation, measured: Measured, weights: np.ndarray) -> float:
    """The mean variance of an autoencoder's inputs, by some of the measured rows."""
    some = slice(None, None, 1 + measured.sample.size // ROWS_FOR_VARIANCE)
    sample, weights = measured.sample[some], weights[some]
    numbers = measured.rows.dense(sample).astype(np.float64)
    n_levels = prepared.encoder.n_categorical_inputs
    total = np.average(np.square(numbers - np.average(numbers, axis=0, weights=weights)), axis=0, weights=weights).sum()
    for column in measured.rows.levels[sample].T:
        shares = np.bincount(column[column >= 0], weights[column >= 0], n_levels) / weights.sum()
        total += (shares * (1 - shares)).sum()
    return float(total / prepared.encoder.n_inputs)


def _cause(model: Model, measured: Measured, learnt_by_heart: bool) -> str | None:
    """The likeliest cause, and the way out; None where training has hardly begun, which is no fault."""
    parameters, encoder = model.parameters, model.encoder
    largest = measured.rows.largest_numbers(measured.sample)
    if largest.size and largest.max() > LARGE_INPUT:
        of_input = int(largest.argmax())
        column = int(np.searchsorted(encoder.number_starts, of_input, side="right")) - 1
        name, size = encoder.numeric[column], float(largest[of_input])
        if not parameters.standardize:
            return f"Column {name!r} has numbers up to {size:.3g} and is not standardised; pass standardize."
        unit = "ranges" if parameters.autoencoder else "standard deviations"
        return (
            f"Column {name!r} has numbers {size:,.0f} {unit} off the mean of the training rows; check them, or replace "
            "the column by its logarithm, or pass numeric_encoding Robust."
        )
    if learnt_by_heart:
        return (
            "The training rows are predicted far better, as if learnt by heart; use fewer epochs, a smaller network, "
            "or penalties (l2, dropout)."
        )
    if parameters.update_rule == "ADADELTA" and model.record.samples / parameters.mini_batch_size < FEW_UPDATES:
        return None
    return f"Its training was not steady; use {ways_out(parameters)}."
