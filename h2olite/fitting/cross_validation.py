"""Cross-validation: a model for every fold, trained on the rows outside it, then one on all rows."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.roles import row_weights
from h2olite.data.splits import complete_rows, deal_folds, draw_seed, read_folds, training_rows
from h2olite.data.table import Table
from h2olite.errors import DataError, TrainingError
from h2olite.machine.threads import usable_threads
from h2olite.model import Model
from h2olite.settings.parameters import Parameters
from h2olite.settings.validation import warnings
from h2olite.trained.evaluation import measure
from h2olite.trained.folds import summarise_fold
from h2olite.trained.network import CrossValidation
from h2olite.trained.scoring import Scoring

from .fit import fit
from .footprint import refuse_too_large_training
from .origin import origin_of
from .preparation import Warn, look_at, response_name, with_classes
from .together import JointProgress, Watch

LEAST_SECONDS = 1e-3
"""The time limit of a main model when the folds have used up everything; 0 would mean none."""


def fit_with_folds(
    parameters: Parameters,
    training: Table,
    validation: Table | None = None,
    watch: Watch | None = None,
    warn: Warn | None = None,
) -> Model:
    """Train a model, with cross-validation if the parameters ask for it; takes and raises what `fit` does."""
    look_at(parameters, training, warn, at_columns=bool(parameters.nfolds or parameters.fold_column))
    parameters = dataclasses.replace(parameters, seed=draw_seed(parameters.seed))
    way = cross_validate if parameters.nfolds or parameters.fold_column else fit
    model = way(parameters, training, validation, watch, origin=origin_of(parameters, training, validation), warn=warn)
    model.record.warnings[:0] = idle_parameters(parameters, model)
    return model


def idle_parameters(parameters: Parameters, model: Model) -> list[str]:
    """One sentence for each parameter that was changed but has no effect on such a model."""
    n_classes = None if model.classes is None else len(model.classes)
    name = "an autoencoder" if model.response is None else model.response.name
    return warnings(parameters, n_classes, name=name)


def cross_validate(
    parameters: Parameters,
    training: Table,
    validation: Table | None = None,
    watch: Watch | None = None,
    *,
    origin: dict[str, Any] | None = None,
    warn: Warn | None = None,
) -> Model:
    """Train one model per fold on the rows outside it, measured on the rows inside, then the model on all rows.

    Early stopping and the time limit act on the fold models. The model on all rows trains for the mean of their
    epochs and ends with its last weights, as nothing was held out from it that could tell which were best. With
    holdout_share, each model holds out rows of its own for this, and the rows of the folds only measure.

    When `watch` ends training before all fold models are done, the one that has seen the most rows is returned.
    """
    started = time.perf_counter()
    refuse_too_large_training(parameters, training, validation)
    name = response_name(parameters, training)
    training = with_classes(parameters, training, name)
    parameters = dataclasses.replace(parameters, y=name)
    folds = assign_folds(parameters, training)
    n_folds = int(folds.max()) + 1

    together = JointProgress(watch, [parameters.epochs] * (n_folds + 1))
    models = _train_folds(parameters, training, folds, n_folds, together)
    if together.interrupted:
        model = max(models, key=lambda model: model.record.samples)
        model.record.warnings.append(
            f"cross-validation was interrupted; this is the model of one of the {n_folds} folds, which has not learnt "
            "from that fold's rows."
        )
        return model
    model = fit(
        _main_parameters(parameters, models, time.perf_counter() - started),
        training,
        validation,
        together.of(n_folds),
        origin=origin,
        warn=warn,
    )
    for number, fold_model in enumerate(models, 1):
        fold_model.model_id = f"{model.model_id}_cv_{number}"
        fold_model.background = None  # its folds' models are asked what they predict, not why
    model.record.warnings += advice_on_folds(parameters, training, n_folds)
    model.cross_validation = _summarise(model, models, training, folds)
    model.record.seconds["total"] = time.perf_counter() - started
    return model


def assign_folds(parameters: Parameters, training: Table) -> np.ndarray:
    """The fold of every training row; int32, shape (n_rows,), from 0.

    A fold is measured on the rows that have a response and a weight above 0. These are dealt on their own, so that
    every fold has some; there are fewer folds if they are too few. The other rows are dealt only to be predicted.

    Raises
    ------
    DataError : there are more folds than rows, or the fold column is unusable.
    """
    name = response_name(parameters, training)
    measured = training_rows(
        training,
        target=np.where(complete_rows(training, [name]), 0.0, np.nan),
        weights=row_weights(training, parameters.weights_column),
    )
    if parameters.fold_column is not None:
        return read_folds(training, parameters.fold_column, measured)
    if parameters.nfolds > training.n_rows:
        raise DataError(
            f"nfolds must be at most the number of rows of {training.name}, {training.n_rows}; got {parameters.nfolds}."
        )
    n_folds = min(parameters.nfolds, measured.size)
    folds = np.arange(training.n_rows, dtype=np.int32) % n_folds
    classes = training[name].values[measured]
    folds[measured] = deal_folds(measured.size, n_folds, parameters.fold_assignment, parameters.seed, classes)
    return folds


def advice_on_folds(parameters: Parameters, training: Table, n_folds: int) -> list[str]:
    """A sentence if there are fewer folds than asked for."""
    column = parameters.fold_column
    asked = parameters.nfolds if column is None else np.unique(training[column].values).size
    if n_folds == asked:
        return []
    return [
        f"cross-validation has {n_folds} folds instead of {asked}: the others would have no row of {training.name} "
        "with a response and a weight above 0 to be measured on."
    ]


def _train_folds(
    parameters: Parameters, training: Table, folds: np.ndarray, n_folds: int, together: JointProgress
) -> list[Model]:
    """The fold models; fewer if training was interrupted.

    As many are trained at the same time as there are threads: one thread per model needs no waiting for one another.
    """
    n_threads = parameters.nthreads or usable_threads()
    at_once = min(n_folds, n_threads)
    parameters = dataclasses.replace(
        parameters,
        nfolds=0,
        export_checkpoints_dir=None,
        nthreads=n_threads // at_once,
        max_runtime_secs=parameters.max_runtime_secs / (math.ceil(n_folds / at_once) + 1),
    )

    def train_fold(fold: int) -> Model | None:
        if together.interrupted:
            return None
        inside = folds == fold
        outside = dataclasses.replace(training.take(~inside), name=f"{training.name} outside fold {fold + 1}")
        held_out = dataclasses.replace(training.take(inside), name=f"fold {fold + 1} of {training.name}")
        try:
            return fit(parameters, outside, None if parameters.holdout_share else held_out, together.of(fold))
        except (DataError, TrainingError) as error:
            raise type(error)(f"in fold {fold + 1} of {n_folds}: {error}") from error
        finally:
            together.finish(fold)

    return together.results(train_fold, n_folds, at_once)


def _main_parameters(parameters: Parameters, models: list[Model], seconds: float) -> Parameters:
    """The parameters of the model on all rows, after its fold models, which took so many seconds."""
    changes: dict[str, object] = {}
    if not parameters.holdout_share:
        changes["overwrite_with_best_model"] = False
    if not parameters.holdout_share and (parameters.stopping_rounds > 0 or parameters.max_runtime_secs > 0):
        changes |= {"epochs": float(np.mean([model.record.epochs for model in models])), "stopping_rounds": 0}
    if parameters.max_runtime_secs > 0:
        changes["max_runtime_secs"] = max(parameters.max_runtime_secs - seconds, LEAST_SECONDS)
    return dataclasses.replace(parameters, **changes)  # type: ignore[arg-type]


def _summarise(model: Model, models: list[Model], training: Table, folds: np.ndarray) -> CrossValidation:
    """What the fold models predict for their hold-out rows, and how good that is."""
    parameters = model.parameters
    predictions: dict[str, np.ndarray] = {}
    for fold, fold_model in enumerate(models):
        rows = np.flatnonzero(folds == fold)
        columns = fold_model.predict_columns(training.take(rows), Adaptation(training.name))
        for name, values in columns.items():
            predictions.setdefault(name, np.empty(training.n_rows, values.dtype))[rows] = values
    of_folds = [fold_model.validation_metrics for fold_model in models]
    if parameters.holdout_share:
        of_folds = [
            measure(fold_model, training.take(np.flatnonzero(folds == fold)), Adaptation(training.name))
            for fold, fold_model in enumerate(models)
        ]
    assert model.response is not None  # autoencoders are not cross-validated
    _, actual = model.response.encode(training)
    weights = row_weights(training, parameters.weights_column)
    classes = [values for name, values in predictions.items() if name != "predict"]
    metrics = Scoring(model.response, parameters).measure(
        np.column_stack(classes) if classes else predictions["predict"], actual, weights
    )
    keeps_predictions = parameters.keep_cross_validation_predictions
    return CrossValidation(
        metrics=metrics,
        by_fold=[summarise_fold(metrics) for metrics in of_folds if metrics],
        models=models if parameters.keep_cross_validation_models else None,
        predictions=predictions if keeps_predictions else None,
        folds=folds if keeps_predictions or parameters.keep_cross_validation_fold_assignment else None,
    )
