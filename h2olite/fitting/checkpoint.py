"""Checkpoints: where they are found, whether a table goes with one, and the state that training takes up."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from h2olite.data.adaptation import Adaptation, listed
from h2olite.data.table import Table
from h2olite.errors import ArtifactError, DataError, ParameterError
from h2olite.formats.artifact import is_artifact
from h2olite.model import Model, load_model
from h2olite.settings.parameters import Parameters
from h2olite.settings.rules import ROLES
from h2olite.settings.validation import other_roles
from h2olite.training.trainer import Measurement, Past

EXTENSION = ".h2olite"


def find_model(source: Any, name: str) -> Model:
    """The model that a parameter stands for: itself, its file, or the newest whole one of a folder.

    Raises
    ------
    ParameterError : it is neither a model nor a path.
    ArtifactError : there is no model, or it cannot be read.
    """
    if isinstance(source, Model):
        return source
    if not isinstance(source, str | os.PathLike):
        raise ParameterError(f"{name} must be a model or the path of one; got {type(source).__name__}.")
    if not os.path.isdir(source):
        return load_model(source)
    model = newest_model(source)
    if model is None:
        raise ArtifactError(f"folder {source} holds no whole model file (*{EXTENSION}); name another {name}.")
    return model


def find_checkpoint(source: Any, own_folder: str | None) -> Model | None:
    """The model whose training goes on; None when the training's own folder, where it exports to, holds none yet.

    Raises
    ------
    ParameterError, ArtifactError : see `find_model`.
    """
    is_path = isinstance(source, str | os.PathLike)
    if is_path and own_folder is not None and os.path.realpath(source) == os.path.realpath(own_folder):
        return newest_model(own_folder)
    return find_model(source, "checkpoint")


def newest_model(folder: str | os.PathLike[str]) -> Model | None:
    """The model last written of those in a folder that can be read, None without any."""
    written = []
    for path in Path(folder).glob(f"*{EXTENSION}"):
        with contextlib.suppress(FileNotFoundError):  # another process may replace it just now
            written.append((path.stat().st_mtime_ns, path))
    for _, path in sorted(written, reverse=True):
        try:
            return load_model(path)
        except ArtifactError:
            continue
    return None


def file_in(folder: str | os.PathLike[str], model_id: str) -> Path:
    """Where a training keeps its checkpoint and then its model; the folder is made if there is none.

    Raises
    ------
    DataError : the folder cannot be made, or another file is there.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"export_checkpoints_dir {folder} cannot be made: {error.strerror}; choose another place."
        ) from error
    return place_for_model(folder, model_id)


def place_for_model(folder: str | os.PathLike[str], model_id: str) -> Path:
    """The file of a model in a folder, of which the caller has not named the files himself.

    Raises
    ------
    DataError : another file is there that is no model.
    """
    path = Path(folder) / f"{model_id}{EXTENSION}"
    if path.exists() and path.stat().st_size and not is_artifact(path):
        raise DataError(f"{path} is there and is no model; choose another folder or model_id.")
    return path


def is_file_in(source: str | os.PathLike[str], folder: str | os.PathLike[str], model_id: str) -> bool:
    """Whether a file is where a training that exports to a folder will write its model."""
    try:
        return os.path.samefile(source, Path(folder) / f"{model_id}{EXTENSION}")
    except OSError:
        return False


def check_columns(parameters: Parameters, checkpoint: Model, table: Table, response: str | None) -> None:
    """Refuse a response or predictors other than the checkpoint's, and predictors that shall be weights or folds.

    Raises
    ------
    ParameterError : one message for all of them.
    """
    faults = []
    if response != checkpoint.parameters.y:
        faults.append(f"y must be as in the checkpoint ({checkpoint.parameters.y!r}); got {response!r}.")
    if parameters.x is not None:
        others = {response, *other_roles(parameters)}
        given = set(_names(parameters.x, table)) - others
        learnt = {*checkpoint.schema, *checkpoint.record.unused}
        if given not in (learnt, set(checkpoint.parameters.x or ()) - others):
            faults.append(f"x must be as in the checkpoint ({listed(sorted(learnt))}); got {listed(sorted(given))}.")
    for role in ROLES:
        if (column := getattr(parameters, role)) in checkpoint.schema:
            faults.append(
                f"{role} must not be a predictor of the checkpoint; got {column!r}; copy the column to another name."
            )
    if faults:
        raise ParameterError(" ".join(faults))


def refuse_new_classes(adaptation: Adaptation, response: str) -> None:
    """Check that the response had no level that the checkpoint does not know: it has no output for it.

    Raises
    ------
    DataError : it had; the first such levels are named.
    """
    levels = adaptation.unseen(response)
    if levels:
        raise DataError(
            f"response {response!r} of {adaptation.table_name} has levels that the checkpoint does not know: "
            f"{listed(levels)}; leave such rows out, or train a new model."
        )


def advice_on_state(checkpoint: Model) -> list[str]:
    """A sentence for a checkpoint from a file that keeps only what predicts."""
    if checkpoint.network.has_state:
        return []
    return [
        f"the file of {checkpoint.model_id} has its weights, but no state of training: it goes on from these weights, "
        "with an update rule that remembers nothing; pass keep_state in the first training to go on exactly."
    ]


def past_of(checkpoint: Model, measurement: Measurement) -> Past:
    """What training goes on from; `measurement` is what the checkpoint is worth on the present tables."""
    record = checkpoint.record
    metrics = checkpoint.validation_metrics or checkpoint.training_metrics
    return Past(
        theta=checkpoint.network.theta,
        measurement=measurement,
        value=math.nan if metrics is None else metrics.stopping_value(checkpoint.parameters.stopping_metric),
        best_epochs=record.epochs if record.best_epochs is None else record.best_epochs,
        epochs=record.epochs,
        iterations=record.iterations,
        seconds_training=record.seconds["train"],
        seconds_scoring=record.seconds["score"],
        history=checkpoint.history,
        values=[math.nan if value is None else value for value in record.stopping_values],
    )


def _names(columns: Iterable[Any], table: Table) -> list[str]:
    """The names of columns given by name, whether the table has them or not, or by index."""
    return [
        table.names[column] if isinstance(column, int) and 0 <= column < len(table.names) else str(column)
        for column in columns
    ]
