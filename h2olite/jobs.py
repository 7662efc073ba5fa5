"""What Python and the commands ask for, once it is checked: reads tables, gives warnings, and ends well by Ctrl-C."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from h2olite.data.frames import training_tables
from h2olite.errors import ParameterError
from h2olite.fitting import cross_validation
from h2olite.fitting.checkpoint import file_in, find_checkpoint, find_model, is_file_in
from h2olite.fitting.cross_validation import Watch
from h2olite.fitting.preparation import Warn
from h2olite.machine.interruption import Interruption
from h2olite.model import Model
from h2olite.selection import rehearsal, tracing
from h2olite.selection.candidates import Candidate
from h2olite.selection.columns import Selection, select_columns
from h2olite.selection.grid import Failure, Grid, Trial
from h2olite.selection.path import RegularizationPath
from h2olite.selection.rehearsal import Rehearsal
from h2olite.selection.search import search as run_search
from h2olite.selection.segments import SegmentModels, train_by_segment
from h2olite.selection.tuning import Tuning
from h2olite.selection.tuning import tune as run_tuning
from h2olite.settings.continuing import Checkpoint
from h2olite.settings.parameters import MODELS, Parameters, PointChoice, SearchCriteria, counted
from h2olite.settings.validation import validate


def check(given: Mapping[str, Any]) -> Parameters:
    """Check parameters, and load the models that they name.

    If there is a checkpoint, parameters that are not given are those of the checkpoint. The checkpoint may be a folder.
    Then the model keeps the model_id of the checkpoint, and so the name of its file in the folder. The folder may be
    empty if it is also the export_checkpoints_dir. So one and the same command starts a training, and continues it when
    it is run again.

    Raises
    ------
    ParameterError : parameters are wrong. One message tells all faults.
    ArtifactError : the file of the checkpoint or of the autoencoder is missing or damaged.
    """
    values = dict(given)
    _refuse_to_replace_inputs(values)
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


def _refuse_to_replace_inputs(values: Mapping[str, Any]) -> None:
    """Raise a ParameterError if the model would be written over the file of a model that it is trained from."""
    folder, model_id = values.get("export_checkpoints_dir"), values.get("model_id")
    if isinstance(folder, str | os.PathLike) and isinstance(model_id, str):
        for name in MODELS:
            source = values.get(name)
            if isinstance(source, str | os.PathLike) and is_file_in(source, folder, model_id):
                raise ParameterError(
                    f"{name} must not be the file that export_checkpoints_dir and model_id name; got "
                    f"{os.fspath(source)!r}: give another model_id, or the folder as checkpoint to go on in it."
                )


def train(parameters: Parameters, *, watch: Watch | None = None) -> Model:
    """Train a model with checked parameters, which include the frames.

    Parameters
    ----------
    parameters : the parameters that `check` returned.
    watch : a function that is called after every block of rows, about five times a second. It gets a `Progress`. If it
        returns False, training ends early, and the model is measured. Ctrl-C ends training in the same way, with a
        warning (see `h2olite.machine.interruption`).

    Raises
    ------
    ParameterError, DataError, TrainingError : as for `deeplearning`.
    """
    return trained_by(_fit, parameters, watch)


Way = Callable[[Parameters, Watch, Warn], Model]
"""Trains a model with checked parameters; is given what watches training, and takes sentences for the user."""


def trained_by(way: Way, parameters: Parameters, watch: Watch | None = None) -> Model:
    """Train a model in some way, which Ctrl-C ends well; give its warnings, and write it where it is to be exported."""
    warn = Telling()
    with Interruption() as interruption:
        model = way(parameters, interruption.watching(watch), warn)
    if parameters.export_checkpoints_dir is not None:
        model.save(file_in(parameters.export_checkpoints_dir, model.model_id))
    warn(model.record.warnings)
    if interruption.noted:
        warn([f"training was interrupted after {counted(model.record.epochs, 'epoch')}; this is the model so far."])
    return model


def _fit(parameters: Parameters, watch: Watch, warn: Warn) -> Model:
    """Read the tables, and train a model on them."""
    started = time.perf_counter()
    training, validation = training_tables(parameters, may_store=True)
    read = time.perf_counter() - started
    model = cross_validation.fit_with_folds(_without_tables(parameters), training, validation, watch, warn)
    model.record.seconds["read"] = read
    model.record.seconds["total"] += read
    return model


def rehearse(parameters: Parameters) -> Rehearsal:
    """Tell what `train` would do with the same parameters; see `h2olite.selection.rehearsal.rehearse`."""
    training, validation = training_tables(parameters)
    rehearsed = rehearsal.rehearse(_without_tables(parameters), training, validation)
    Telling()(rehearsed.warnings)
    return rehearsed


def search(
    hyper_parameters: Mapping[str, Sequence[Any]],
    parameters: Parameters,
    criteria: SearchCriteria,
    *,
    grid_id: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    watch: Watch | None = None,
    tell: Callable[[Trial | Failure], None] | None = None,
) -> Grid:
    """Train a grid of models. The parameters include the frames. See `h2olite.selection.search.search`."""
    if parameters.pretrained_autoencoder is not None:
        parameters.pretrained_autoencoder = find_model(parameters.pretrained_autoencoder, "pretrained_autoencoder")
    warn = Telling()
    with Interruption() as interruption:
        training, validation = training_tables(parameters)
        found = run_search(
            hyper_parameters,
            _without_tables(parameters),
            criteria,
            training,
            validation,
            grid_id=grid_id,
            folder=None if folder is None else Path(folder),
            watch=interruption.watching(watch),
            tell=tell,
            warn=warn,
        )
    warn(found.warnings)
    if interruption.noted:
        warn([f"the search was interrupted after {counted(len(found), 'model')}; these are its models so far."])
        if not found.trials and found.unfinished is not None:
            return dataclasses.replace(found, trials=[found.unfinished])
    return found


def trace(
    strengths: Mapping[str, Sequence[float]],
    parameters: Parameters,
    *,
    validation_share: float = 0.2,
    choice: PointChoice = "best_1se",
    refit: bool = False,
    watch: Watch | None = None,
) -> RegularizationPath:
    """Train a regularisation path. The parameters include the frames. See `h2olite.selection.tracing.trace`."""
    warn = Telling()
    with Interruption() as interruption:
        training, validation = training_tables(parameters)
        path = tracing.trace(
            strengths,
            _without_tables(parameters),
            training,
            validation,
            validation_share=validation_share,
            choice=choice,
            refit=refit,
            watch=interruption.watching(watch),
            warn=warn,
        )
    if interruption.noted:
        if not path.points:
            raise KeyboardInterrupt("the path was interrupted before its first strength was done.")
        path.warnings.append(f"the path was interrupted; it has the {counted(len(path), 'strength')} done so far.")
    warn(path.warnings)
    return path


def select(
    parameters: Parameters,
    *,
    columns: int | None = None,
    resamples: int = 6,
    refit: bool = False,
    watch: Watch | None = None,
) -> Selection:
    """Choose columns. The parameters include the frames. See `h2olite.selection.columns.select_columns`."""
    warn = Telling()
    with Interruption() as interruption:
        training, _ = training_tables(parameters)
        selection = select_columns(
            dataclasses.replace(parameters, training_frame=None),
            training,
            columns=columns,
            resamples=resamples,
            refit=refit,
            watch=interruption.watching(watch),
            warn=warn,
        )
    warn(selection.warnings)
    return selection


def tune(
    parameters: Parameters,
    given: Collection[str],
    *,
    max_runtime_secs: float = 300.0,
    max_models: int = 0,
    folder: str | os.PathLike[str] | None = None,
    watch: Watch | None = None,
    tell: Callable[[Candidate], None] | None = None,
) -> Tuning:
    """Search for good settings. The parameters include the frame. See `h2olite.selection.tuning.tune`.

    given : the names of the parameters that the user gave.
    """
    warn = Telling()
    with Interruption() as interruption:
        training, _ = training_tables(parameters)
        tuning = run_tuning(
            dataclasses.replace(parameters, training_frame=None),
            training,
            given,
            max_runtime_secs=max_runtime_secs,
            max_models=max_models,
            folder=None if folder is None else Path(folder),
            watch=interruption.watching(watch),
            tell=tell,
            warn=warn,
        )
    warn(tuning.warnings)
    if interruption.noted:
        warn([f"the search was interrupted after {counted(len(tuning), 'setting')}; there is no model."])
    return tuning


def train_segments(segments: Sequence[Any], parameters: Parameters, *, watch: Watch | None = None) -> SegmentModels:
    """Train a model for each segment. The parameters include the frames."""
    with Interruption() as interruption:
        training, validation = training_tables(parameters)
        trained = train_by_segment(
            segments, _without_tables(parameters), training, validation, interruption.watching(watch)
        )
    said = [sentence for segment in trained if segment.model for sentence in segment.model.record.warnings]
    said += [f"segments were interrupted; these are the {len(trained)} so far."] if interruption.noted else []
    Telling()(said)
    return trained


class Telling:
    """Gives each warning once. The warning names the line of code that has called the package."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, sentences: Sequence[str]) -> None:
        """Give these, but for those that were given before."""
        for sentence in sentences:
            if sentence not in self._told:
                self._told.add(sentence)
                warnings.warn(sentence, stacklevel=_frames_inside())


def _frames_inside() -> int:
    """Count the stack frames from the calling function up to the first one outside the package."""
    frame, count = sys._getframe(1), 1
    while frame.f_globals.get("__name__", "").split(".")[0] == "h2olite" and frame.f_back is not None:
        frame, count = frame.f_back, count + 1
    return count


def _without_tables(parameters: Parameters) -> Parameters:
    return dataclasses.replace(parameters, training_frame=None, validation_frame=None)
