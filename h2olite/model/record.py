"""How a model came about, and all about it as plain values."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

import h2olite
from h2olite.functions import function_name
from h2olite.parameters import FRAMES, FUNCTIONS, Parameters, declared
from h2olite.training.history import timestamp

from .archive import source_date
from .importance import IMPORTANCE_COLUMNS, ranked
from .layers import describe_layers
from .objective import describe_objective

if TYPE_CHECKING:
    from .model import Model

DURATIONS = ("read", "encode", "compile", "train", "score", "total")
"""What a record tells the seconds of."""


@dataclasses.dataclass
class TrainingRecord:
    """How a model came about.

    Attributes
    ----------
    version : of h2olite.
    rows : of the training table.
    sampled : rows that the training metrics are from, None for all.
    epochs, samples, iterations : how much was trained.
    stopped_by : the parameter that ended training, or ``"interrupted"``.
    stopping_values : the stopping metric at every scoring, oldest first; None where it was not measured.
    seconds : spent on ``read``, ``encode``, ``compile``, ``train``, ``score``, and in ``total``.
    warnings : sentences for the user.
    unused : predictors that left the model because none of their weights could reach an output.
    pruned_inputs : the number of their inputs.
    origin : what it was made of (see `h2olite.model.origin.origin_of`); None for one of several models of a whole.
    maker : who made the model, if it was imported; then nothing is known of the training.
    usable : rows of the training table that can be trained on; None if not known, as in older files.
    best_epochs : epochs until the model that was kept, fewer than `epochs` if it was an earlier one; None likewise.
    largest_output : the largest linear output of the rows that the training metrics are from, without their offsets, if
        the distribution has a log link; None otherwise, and in older files.
    csv : how CSV of the training table was read, as far as somebody said so; other tables are read likewise.
    """

    version: str
    rows: int
    sampled: int | None
    epochs: float
    samples: int
    iterations: int
    stopped_by: str
    stopping_values: list[float | None]
    seconds: dict[str, float]
    warnings: list[str]
    unused: list[str] = dataclasses.field(default_factory=list)
    pruned_inputs: int = 0
    origin: dict[str, Any] | None = None
    maker: str | None = None
    usable: int | None = None
    best_epochs: float | None = None
    largest_output: float | None = None
    csv: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def imported(cls, maker: str) -> TrainingRecord:
        """The record of a model about whose training nothing is known."""
        seconds = dict.fromkeys(DURATIONS, 0.0)
        return cls(h2olite.__version__, 0, None, 0.0, 0, 0, "import", [], seconds, [], maker=maker)


OF_TRAINING = (
    *("rows", "usable_rows", "seed", "epochs", "best_epochs", "samples", "iterations"),
    *("training_speed", "seconds", "stopped_by", "scoring_history"),
)
"""What a report tells of the training."""


def report(model: Model) -> dict[str, Any]:
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


def stop_clock(document: dict[str, Any]) -> None:
    """Date a model file's document by SOURCE_DATE_EPOCH, if that is set, with all durations 0.

    So the same training gives the same file.
    """
    moment = source_date()
    if moment is not None:
        now = {"timestamp": timestamp(moment), "duration": 0.0, "training_speed": 0}
        document["history"] = [row | now for row in document["history"]]
        document["record"]["seconds"] = dict.fromkeys(document["record"]["seconds"], 0.0)


def count_weights(model: Model) -> dict[str, Any]:
    """How many weights there are, with those that left the model, and how many of them are not 0."""
    first, *others = (model.network.weights(layer) for layer in range(model.network.n_layers))
    total = (
        sum(weights.size for weights in (first, *others)) + model.record.pruned_inputs * first.shape[1] * first.shape[2]
    )
    nonzero = sum(int(np.count_nonzero(weights)) for weights in (first, *others))
    return {"total": total, "nonzero": nonzero, "zero_share": (total - nonzero) / total if total else 0.0}


def stored(parameters: Parameters) -> dict[str, Any]:
    """The parameters that a model file keeps: all but the tables, and functions by name."""
    values = {name: getattr(parameters, name) for name in declared() if name not in FRAMES}
    return values | functions_by_name(parameters)


def functions_by_name(parameters: Parameters) -> dict[str, Any]:
    """The names of the functions among the parameters."""
    functions = {name: getattr(parameters, name) for name in FUNCTIONS}
    return {name: function_name(function) for name, function in functions.items() if callable(function)}
