"""All about a model as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from h2olite.settings.plain import stored

from .importance import IMPORTANCE_COLUMNS, ranked
from .layers import describe_layers, n_unseen
from .network import TrainedNetwork
from .objective import describe_objective

OF_TRAINING = (
    *("rows", "usable_rows", "seed", "epochs", "best_epochs", "samples", "iterations"),
    *("training_speed", "seconds", "stopped_by", "scoring_history"),
)
"""What a report tells of the training."""


def report(model: TrainedNetwork) -> dict[str, Any]:
    """Everything about a model: the object that ``h2olite train --json`` prints.

    What is not known of an imported model is None.
    """
    record = model.record
    seconds = record.seconds["train"]
    unknown = () if record.maker is None else OF_TRAINING
    return {
        "model_id": model.model_id,
        "path": model.path,
        "maker": record.maker,
        "category": model.category,
        "response": model.parameters.y,
        "rows": record.rows,
        "usable_rows": record.usable,
        "predictors": len(model.encoder.schema) + len(record.unused),
        "inputs": model.encoder.n_inputs + record.pruned_inputs,
        "seed": model.parameters.seed,
        "epochs": record.epochs,
        "best_epochs": record.best_epochs,
        "samples": record.samples,
        "iterations": record.iterations,
        "training_speed": record.samples / seconds if seconds else 0.0,
        "seconds": record.seconds,
        "stopped_by": record.stopped_by,
        "training_metrics": model.training_metrics and model.training_metrics.to_json(),
        "validation_metrics": model.validation_metrics and model.validation_metrics.to_json(),
        "cross_validation_metrics": model.cross_validation_metrics and model.cross_validation_metrics.to_json(),
        "cross_validation_metrics_summary": model.cross_validation and model.cross_validation.summary(),
        "members": record.members or None,
        "scoring_history": model.history,
        "variable_importances": [
            dict(zip(IMPORTANCE_COLUMNS, row, strict=True))
            for row in (() if model.importances is None else ranked(model.importances, model.encoder.input_names))
        ],
        "layers": describe_layers(model),
        "weights": count_weights(model),
        "objective": describe_objective(model),
        "features": {
            "total": len(model.encoder.schema) + len(record.unused),
            "used": len(model.encoder.schema),
            "unused": record.unused,
        },
        "parameters": stored(model.parameters),
        "version": record.version,
        "origin": record.origin,
        "warnings": record.warnings,
    } | dict.fromkeys(unknown)


def count_weights(model: TrainedNetwork) -> dict[str, Any]:
    """How many weights there are, with those that left the model, and how many of them are not 0."""
    network = model.network
    total = sum(network.weights(layer).size + n_unseen(model, layer) for layer in range(network.n_layers))
    nonzero = sum(int(np.count_nonzero(network.weights(layer))) for layer in range(network.n_layers))
    return {"total": total, "nonzero": nonzero, "zero_share": (total - nonzero) / total if total else 0.0}
