"""The door to training that the Python function and the command line go through."""

from __future__ import annotations

import dataclasses
import inspect
import os
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

from h2olite.continuing import Checkpoint
from h2olite.data.frames import as_table
from h2olite.errors import DataError
from h2olite.model.checkpoint import file_in, find_checkpoint, find_model
from h2olite.model.model import Model
from h2olite.parameters import Parameters
from h2olite.selection import cross_validation
from h2olite.training.history import history_line
from h2olite.training.trainer import Progress
from h2olite.validation import validate

Declaration = ParamSpec("Declaration")


def check(given: Mapping[str, Any]) -> Parameters:
    """Checked parameters with the models they name; what is not given is as in the checkpoint, if there is one.

    A training that goes on from a folder keeps its model_id, and so its file there. The folder may be empty if it is
    the one of export_checkpoints_dir: the same command then starts a training and takes it up again.

    Raises
    ------
    ParameterError : one message for all faults.
    ArtifactError : the checkpoint or the autoencoder is missing or damaged.
    """
    values = dict(given)
    if values.get("pretrained_autoencoder") is not None:
        values["pretrained_autoencoder"] = find_model(values["pretrained_autoencoder"], "pretrained_autoencoder")
    source = values.pop("checkpoint", None)
    if source is None:
        return validate(values)
    checkpoint = find_checkpoint(source, values.get("export_checkpoints_dir"))
    if checkpoint is None:
        warnings.warn(f"checkpoint folder {source} holds no model yet: training starts anew.", stacklevel=3)
        return validate(values)
    if checkpoint is not source and os.path.isdir(source):
        values.setdefault("model_id", checkpoint.model_id)
    known = Checkpoint(checkpoint.parameters, checkpoint.record.epochs, checkpoint.validation_metrics is not None)
    return validate(values | {"checkpoint": checkpoint}, known)


def train(parameters: Parameters, *, watch: Callable[[Progress], bool | None] | None = None) -> Model:
    """Train a model by checked parameters, frames included.

    Parameters
    ----------
    parameters : from `check`.
    watch : is told of progress after every block of rows, about five times a second; training ends early, and the model
        so far is scored, when it returns False.

    Raises
    ------
    ParameterError, DataError, TrainingError
    """
    started = time.perf_counter()
    if parameters.training_frame is None:
        raise DataError("training_frame is missing; give a DataFrame, an Arrow table, arrays or a path.")
    checkpoint = parameters.checkpoint
    training = as_table(
        parameters.training_frame,
        factors=parameters.factors or (),
        numeric=parameters.numeric or (),
        schema=checkpoint and checkpoint.schema | checkpoint.response_schema,
    )
    validation = None
    if parameters.validation_frame is not None:
        schema = {name: column.kind for name, column in training.columns.items()}
        validation = as_table(parameters.validation_frame, name="validation_frame", schema=schema)
    read = time.perf_counter() - started
    model = cross_validation.train(
        dataclasses.replace(parameters, training_frame=None, validation_frame=None), training, validation, watch
    )
    model.record.seconds["read"] = read
    model.record.seconds["total"] += read
    if parameters.export_checkpoints_dir is not None:
        model.save(file_in(parameters.export_checkpoints_dir, model.model_id))
    for sentence in model.record.warnings:
        warnings.warn(sentence, stacklevel=3)
    return model


def _takes(
    declaration: Callable[Declaration, Parameters],
) -> Callable[[Callable[..., Model]], Callable[Declaration, Model]]:
    """Give a function the declared parameters as its signature."""

    def decorate(function: Callable[..., Model]) -> Callable[Declaration, Model]:
        signature = inspect.signature(declaration)
        function.__signature__ = signature.replace(return_annotation=Model)  # type: ignore[attr-defined]
        return function

    return decorate


@_takes(Parameters)
def deeplearning(*frames: Any, **given: Any) -> Model:
    """Train a neural network on a table.

    Parameters
    ----------
    x, y, training_frame
        Predictors, response, and the table: a DataFrame (pandas, Polars), an Arrow table, a dict of arrays, a 2-D
        array, or the path of a CSV, Parquet or Arrow file. A response of text, booleans or categories makes a
        classifier, a number a regression.
    **given
        Everything else that ``h2o.deeplearning`` takes, and a few of our own: see docs/parameters.md, or
        ``h2olite params`` in a shell.

    Returns
    -------
    model : h2olite.Model

    Raises
    ------
    ParameterError
        A parameter is unknown, out of range, or contradicts another one or the response; one message for all.
    DataError
        The table cannot be read, or does not hold what training needs.
    TrainingError
        The weights grew beyond all bounds.

    Examples
    --------
    >>> import h2olite
    >>> model = h2olite.deeplearning(y="species", training_frame="datasets/iris.csv", hidden=[10], seed=1)
    >>> model.category
    'Multinomial'
    """
    names = ("x", "y", "training_frame")
    if len(frames) > len(names):
        raise TypeError(f"deeplearning() takes 3 positional arguments ({', '.join(names)}); got {len(frames)}")
    positional = dict(zip(names, frames, strict=False))
    repeated = sorted(positional.keys() & given.keys())
    if repeated:
        raise TypeError(f"deeplearning() got multiple values for {repeated[0]!r}")
    parameters = check(positional | given)
    return train(parameters, watch=_print_measurement if parameters.verbose else None)


def _print_measurement(progress: Progress) -> None:
    """Print the newest row of the scoring history, if it is new."""
    if progress.row is not None:
        print(history_line(progress.row))
