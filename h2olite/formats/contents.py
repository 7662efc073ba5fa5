"""What a model file keeps of a model: a document of plain values, and arrays by name."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from h2olite.settings.plain import stored
from h2olite.trained.layers import rates_of
from h2olite.trained.network import CrossValidation, TrainedNetwork
from h2olite.training.history import timestamp

from .archive import source_date
from .background import background_contents

Contents = tuple[dict[str, Any], dict[str, np.ndarray]]
"""A document and named arrays, as a model file keeps them."""


def contents(model: TrainedNetwork, keep_state: bool | None = None) -> Contents:
    """The document and the arrays that a model file keeps."""
    state = model.keeps_state if keep_state is None else keep_state
    document: dict[str, Any] = {
        "model_id": model.model_id,
        "parameters": stored(model.parameters),
        "encoder": model.encoder.to_json(),
        "response": model.response and model.response.to_json(),
        "training_metrics": model.training_metrics and model.training_metrics.to_json(),
        "validation_metrics": model.validation_metrics and model.validation_metrics.to_json(),
        "history": model.history,
        "importances": None if model.importances is None else model.importances.tolist(),
        "shares": model.shares,
        "threshold": model.threshold,
        "column_importances": None if model.column_importances is None else model.column_importances.tolist(),
        "rates": None if state and model.network.has_state else rates_of(model),
        "record": dataclasses.asdict(model.record),
        "rows_seen": model.network.rows_seen,
        "n_updates": model.network.n_updates,
        "cross_validation": None,
    }
    stop_clock(document)
    document["background"], arrays = background_contents(model.background, model.schema)
    arrays |= model.network.to_arrays(state=state)
    if model.cross_validation is not None:
        document["cross_validation"], of_folds = contents_of_folds(model.cross_validation)
        arrays |= {f"cv.{name}": array for name, array in of_folds.items()}
    return document, arrays


def contents_of_folds(folds: CrossValidation) -> Contents:
    """What a model file keeps of it."""
    document: dict[str, Any] = {
        "metrics": folds.metrics.to_json(),
        "by_fold": [
            {name: None if np.isnan(value) else value for name, value in fold.items()} for fold in folds.by_fold
        ],
        "predictions": None if folds.predictions is None else list(folds.predictions),
        "models": None,
    }
    arrays = {}
    if folds.folds is not None:
        arrays["folds"] = folds.folds
    for i, values in enumerate((folds.predictions or {}).values()):
        arrays[f"predictions.{i}"] = values
    if folds.models is not None:
        document["models"] = []
        for fold, model in enumerate(folds.models):
            described, named = contents(model)
            document["models"].append(described)
            arrays |= {f"{fold}.{name}": array for name, array in named.items()}
    return document, arrays


def stop_clock(document: dict[str, Any]) -> None:
    """Date a model file's document by SOURCE_DATE_EPOCH, if that is set, with all durations 0.

    So the same training gives the same file.
    """
    moment = source_date()
    if moment is not None:
        now = {"timestamp": timestamp(moment), "duration": 0.0, "training_speed": 0}
        document["history"] = [row | now for row in document["history"]]
        document["record"]["seconds"] = dict.fromkeys(document["record"]["seconds"], 0.0)
