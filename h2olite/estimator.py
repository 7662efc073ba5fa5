"""The door to training that the Python function and the command line go through."""

from __future__ import annotations

import dataclasses
import inspect
import time
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec

from h2olite.data.frames import as_table
from h2olite.errors import DataError
from h2olite.model.model import Model
from h2olite.parameters import Parameters
from h2olite.selection import cross_validation
from h2olite.training.trainer import Progress
from h2olite.validation import validate

Declaration = ParamSpec("Declaration")


def train(parameters: Parameters, *, watch: Callable[[Progress], bool | None] | None = None) -> Model:
    """Train a model by checked parameters, frames included.

    Parameters
    ----------
    parameters : from `h2olite.validation.validate`.
    watch : is told of progress after every block of rows, about five times a second; training ends early, and the model
        so far is scored, when it returns False.

    Raises
    ------
    ParameterError, DataError, TrainingError
    """
    started = time.perf_counter()
    if parameters.training_frame is None:
        raise DataError("training_frame is missing; give a DataFrame, an Arrow table, arrays or a path.")
    training = as_table(parameters.training_frame, factors=parameters.factors or (), numeric=parameters.numeric or ())
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
    return train(validate(positional | given))
