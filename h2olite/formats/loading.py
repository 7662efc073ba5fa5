"""Models from their files."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.data.response import ResponseEncoder
from h2olite.errors import ArtifactError
from h2olite.metrics import AutoEncoderMetrics, BinomialMetrics, Metrics, MultinomialMetrics, RegressionMetrics
from h2olite.network.network import Network
from h2olite.trained.network import CrossValidation, TrainedNetwork, schema_of
from h2olite.trained.parts import check_response
from h2olite.trained.record import TrainingRecord
from h2olite.trained.scoring import ClassShares, probability_names, scoring_of
from h2olite.training.task import layout_of

from .artifact import read_artifact
from .background import restore_background
from .soundness import (
    check_column_importances,
    check_document,
    check_encoder,
    check_folds,
    check_metrics,
    check_numbers,
    check_rates,
    check_sizes,
    checked_parameters,
)

Trained = TypeVar("Trained", bound=TrainedNetwork)

METRICS = {kind.category: kind for kind in (BinomialMetrics, MultinomialMetrics, RegressionMetrics, AutoEncoderMetrics)}


def load(path: str | os.PathLike[str], kind: type[Trained]) -> Trained:
    """Read a model from a file that `Model.save` or ``h2olite train`` wrote; nothing in the file is executed.

    Raises
    ------
    ArtifactError : the file is no model, damaged, or written by a newer version.
    """
    document, arrays = read_artifact(path)
    try:
        model = _restored(document, arrays, kind)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ArtifactError(f"{os.fspath(path)} is damaged: its parts do not fit together ({error!r}).") from error
    model.path = os.fspath(path)
    return model


def _restored(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray], kind: type[Trained]) -> Trained:
    """The model of a file's contents."""
    check_document(document)
    parameters = checked_parameters(document["parameters"])
    encoder = RowEncoder.from_json(document["encoder"])
    response = document["response"] and ResponseEncoder.from_json(document["response"])
    check_encoder(encoder)
    check_response(response, parameters)
    layout = layout_of(encoder, response, parameters)
    metrics = METRICS[scoring_of(encoder, response, parameters).category]
    training, validation = document["training_metrics"], document["validation_metrics"]
    importances = document["importances"]
    folds = document["cross_validation"]
    levels = None if response is None else response.levels
    for values in (training, validation, folds and folds["metrics"]):
        if values is not None:
            check_metrics(values, metrics, levels)
    if folds is not None:
        predicted = ["predict", *(probability_names(levels).values() if levels else ())]
        check_folds(folds, within(arrays, "cv"), predicted)
    shares = document["shares"]
    check_sizes(layout, arrays, importances, shares)
    network = Network.from_arrays(layout, arrays, document["rows_seen"], document.get("n_updates", 0))
    check_numbers(network, parameters)
    columns, rates = document.get("column_importances"), document.get("rates")  # which older files have not
    background = document.get("background")  # likewise
    check_column_importances(columns, encoder)
    check_rates(rates, layout)
    return kind(
        model_id=document["model_id"],
        parameters=parameters,
        encoder=encoder,
        response=response,
        network=network,
        training_metrics=None if training is None else metrics.from_json(training),
        validation_metrics=None if validation is None else metrics.from_json(validation),
        history=document["history"],
        importances=None if importances is None else np.array(importances),
        record=TrainingRecord(**document["record"]),
        cross_validation=folds
        and restore_folds(folds, within(arrays, "cv"), metrics, functools.partial(_restored, kind=kind)),
        shares=None if shares is None else ClassShares(*map(tuple, shares)),
        column_importances=None if columns is None else np.array(columns),
        rates=rates,
        background=restore_background(background, within(arrays, "background"), schema_of(encoder, parameters)),
        threshold=document.get("threshold"),  # model files that only training wrote have none
    )


def restore_folds(
    document: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    kind: type[Metrics],
    restore: Callable[..., Trained],
) -> CrossValidation:
    """What `contents_of_folds` told; `restore` makes a fold model of its contents."""
    models = document["models"]
    predictions = document["predictions"]
    named: dict[str, dict[str, np.ndarray]] = {}  # in one pass, as there may be many folds
    for name, array in arrays.items():
        fold, _, own = name.partition(".")
        named.setdefault(fold, {})[own] = array
    return CrossValidation(
        metrics=kind.from_json(document["metrics"]),
        by_fold=[
            {name: np.nan if value is None else value for name, value in fold.items()} for fold in document["by_fold"]
        ],
        models=models and [restore(described, named.get(str(fold), {})) for fold, described in enumerate(models)],
        predictions=predictions and {name: arrays[f"predictions.{i}"] for i, name in enumerate(predictions)},
        folds=arrays.get("folds"),
    )


def within(arrays: Mapping[str, np.ndarray], prefix: object) -> dict[str, np.ndarray]:
    """The arrays whose names begin with the prefix and a dot, without those."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
