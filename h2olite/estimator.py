"""The door to training that the Python function and the command line go through."""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec

from h2olite.continuing import Checkpoint
from h2olite.data.frames import training_tables
from h2olite.interruption import Interruption
from h2olite.model.checkpoint import file_in, find_checkpoint, find_model
from h2olite.model.model import Model
from h2olite.parameters import Parameters, PointChoice, SearchCriteria, counted
from h2olite.selection import cross_validation, rehearsal, tracing
from h2olite.selection.cross_validation import Watch
from h2olite.selection.grid import Failure, Grid, Trial
from h2olite.selection.path import RegularizationPath, read_strengths
from h2olite.selection.rehearsal import Rehearsal
from h2olite.selection.search import search as run_search
from h2olite.selection.segments import SegmentModels, train_by_segment
from h2olite.training.history import history_line
from h2olite.training.trainer import Progress
from h2olite.validation import read, read_shared, validate

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


def train(parameters: Parameters, *, watch: Watch | None = None) -> Model:
    """Train a model by checked parameters, frames included.

    Parameters
    ----------
    parameters : from `check`.
    watch : is told of progress after every block of rows, about five times a second; training ends early, and the model
        so far is scored, when it returns False. So it is after Ctrl-C (see `h2olite.interruption`), with a warning.

    Raises
    ------
    ParameterError, DataError, TrainingError
    """
    started = time.perf_counter()
    warn = _Warning()
    with Interruption() as interruption:
        training, validation = training_tables(parameters)
        read = time.perf_counter() - started
        watch = interruption.watching(watch)
        model = cross_validation.train(_without_tables(parameters), training, validation, watch, warn)
    model.record.seconds["read"] = read
    model.record.seconds["total"] += read
    if parameters.export_checkpoints_dir is not None:
        model.save(file_in(parameters.export_checkpoints_dir, model.model_id))
    warn(model.record.warnings)
    if interruption.noted:
        warn([f"training was interrupted after {counted(model.record.epochs, 'epoch')}; this is the model so far."])
    return model


def rehearse(parameters: Parameters) -> Rehearsal:
    """What `train` would train, frames included; see `h2olite.selection.rehearsal.rehearse`."""
    training, validation = training_tables(parameters)
    rehearsed = rehearsal.rehearse(_without_tables(parameters), training, validation)
    _Warning()(rehearsed.warnings)
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
    """Train a grid of models, frames included; see `h2olite.selection.search.search`."""
    if parameters.pretrained_autoencoder is not None:
        parameters.pretrained_autoencoder = find_model(parameters.pretrained_autoencoder, "pretrained_autoencoder")
    warn = _Warning()
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
    """Train a regularisation path, frames included; see `h2olite.selection.tracing.trace`."""
    warn = _Warning()
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


class _Warning:
    """Warns of each sentence once; whoever has called the package is to blame."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            if sentence not in self._told:
                self._told.add(sentence)
                warnings.warn(sentence, stacklevel=_frames_inside())


def _frames_inside() -> int:
    """How many frames there are, from the one that asks, until one is outside the package."""
    frame, count = sys._getframe(1), 1
    while frame.f_globals.get("__name__", "").split(".")[0] == "h2olite" and frame.f_back is not None:
        frame, count = frame.f_back, count + 1
    return count


def _without_tables(parameters: Parameters) -> Parameters:
    return dataclasses.replace(parameters, training_frame=None, validation_frame=None)


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
        After Ctrl-C, the model so far. A second Ctrl-C gives none.

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


def grid(
    hyper_params: Mapping[str, Sequence[Any]],
    x: Any = None,
    y: Any = None,
    training_frame: Any = None,
    *,
    search_criteria: Mapping[str, Any] | None = None,
    grid_id: str | None = None,
    directory: str | os.PathLike[str] | None = None,
    **given: Any,
) -> Grid:
    """Train a model for every combination of hyper-parameters, or for some of them.

    Parameters
    ----------
    hyper_params
        The values to try, by name of parameter.
    x, y, training_frame, **given
        As for `deeplearning`.
    search_criteria
        ``strategy`` (``"Cartesian"``, ``"RandomDiscrete"`` or ``"Sequential"``), ``max_models``,
        ``max_runtime_secs``, ``seed``, ``stopping_rounds``, ``stopping_metric`` and ``stopping_tolerance``.
    grid_id
        Name of the grid, with which those of its models begin.
    directory
        Folder to write every model to as soon as it is trained. The same search in the same folder goes on where it was
        ended.

    Returns
    -------
    grid : h2olite.Grid
        The models, best first. A model that cannot be trained is among its `failures`. After Ctrl-C, the models so
        far; that which was being trained is among them if there is no other.

    Raises
    ------
    ParameterError
        Hyper-parameters or criteria cannot be used, or the directory holds another search.
    H2OLiteError
        Not a single model could be trained.

    Examples
    --------
    >>> import h2olite
    >>> grid = h2olite.grid({"l1": [0, 1e-4]}, y="species", training_frame="datasets/iris.csv", hidden=[10], seed=1)
    >>> len(grid), grid.sort_metric
    (2, 'logloss')
    """
    parameters = read_shared({"x": x, "y": y, "training_frame": training_frame} | given)
    criteria = read(SearchCriteria, search_criteria or {})
    return search(
        hyper_params,
        parameters,
        criteria,
        grid_id=grid_id,
        folder=directory,
        watch=_print_measurement if parameters.verbose else None,
    )


def train_segments(
    segments: Sequence[str | int], x: Any = None, y: Any = None, training_frame: Any = None, **given: Any
) -> SegmentModels:
    """Train a model for every segment of a table: the rows that share the values of some columns.

    Parameters
    ----------
    segments
        Columns, by name or 0-based index; they are no predictors.
    x, y, training_frame, **given
        As for `deeplearning`. Segments of a validation_frame are those of their models.

    Returns
    -------
    models : h2olite.SegmentModels
        A segment whose model cannot be trained has the error instead. After Ctrl-C, the segments so far.

    Raises
    ------
    ParameterError
        A parameter cannot be used, or a segment's column is the response.
    H2OLiteError
        Not a single model could be trained.

    Examples
    --------
    >>> import h2olite
    >>> models = h2olite.train_segments(
    ...     ["island"], y="body_mass_g", training_frame="datasets/penguins.csv", hidden=[10], seed=1
    ... )
    >>> len(models), models["Biscoe"].category
    (3, 'Regression')
    """
    parameters = check({"x": x, "y": y, "training_frame": training_frame} | given)
    with Interruption() as interruption:
        training, validation = training_tables(parameters)
        watch = interruption.watching(_print_measurement if parameters.verbose else None)
        trained = train_by_segment(segments, _without_tables(parameters), training, validation, watch)
    said = [sentence for segment in trained if segment.model for sentence in segment.model.record.warnings]
    said += [f"segments were interrupted; these are the {len(trained)} so far."] if interruption.noted else []
    for sentence in dict.fromkeys(said):
        warnings.warn(sentence, stacklevel=2)
    return trained


def regularization_path(
    x: Any = None,
    y: Any = None,
    training_frame: Any = None,
    *,
    l1: Any = None,
    l2: Any = None,
    input_group_l1: Any = None,
    validation_share: float = 0.2,
    choice: PointChoice = "best_1se",
    refit: bool = False,
    **given: Any,
) -> RegularizationPath:
    """Train for many strengths of penalties, from weak to strong, each going on from the one before.

    The first strength is trained for all epochs. Every other one goes on from what the next weaker one was before its
    last tenth of them, for tenths until one changes neither the penalty nor, downwards, what it adds to the training
    loss by more than 10 %.

    Parameters
    ----------
    x, y, training_frame, **given
        As for `deeplearning`. With ``nfolds`` or ``fold_column`` the models are judged by cross-validation, with
        ``validation_frame`` on that table, else on a share of the rows that is held out.
    l1, l2, input_group_l1
        Strengths: a number, several, or text such as ``"0,1e-4,1e-3"`` or ``"1e-6:1e-2:13"``, 13 strengths at equal
        ratios. All combinations are tried. Without any, l1 is ``"1e-6:1e-2:13"``.
    validation_share
        Share of the rows to hold out.
    choice
        The path's `model`: ``"best_1se"`` for the sparsest whose loss is within a standard error of the lowest, or
        ``"best"`` for that of the lowest.
    refit
        Train the chosen model, along the path, on the rows held out as well. Models of cross-validation and those
        judged on a validation_frame have learnt from all rows anyway.

    Returns
    -------
    path : h2olite.RegularizationPath
        After Ctrl-C, with the strengths so far.

    Raises
    ------
    ParameterError
        A parameter or a strength cannot be used; one message for all.
    DataError, TrainingError
        As for `deeplearning`.

    References
    ----------
    Friedman, Hastie and Tibshirani 2010 (paths from warm starts); Lemhadri, Ruan, Abraham and Tibshirani 2021 (paths of
    networks from dense to sparse).

    Examples
    --------
    >>> import h2olite
    >>> path = h2olite.regularization_path(
    ...     y="species", training_frame="datasets/iris.csv", l1="1e-4:1e-1:4", hidden=[10], seed=1
    ... )
    >>> len(path), path.names
    (4, ['l1'])
    """
    strengths = read_strengths({"l1": l1, "l2": l2, "input_group_l1": input_group_l1})
    strongest = {name: values[-1] for name, values in strengths.items()}
    parameters = check({"x": x, "y": y, "training_frame": training_frame} | given | strongest)
    return trace(
        strengths,
        parameters,
        validation_share=validation_share,
        choice=choice,
        refit=refit,
        watch=_print_measurement if parameters.verbose else None,
    )


def _print_measurement(progress: Progress) -> None:
    """Print the newest row of the scoring history, if it is new."""
    if progress.row is not None:
        print(history_line(progress.row))
