"""The functions that train models: `deeplearning` and others for Python, and those that the commands call."""

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

from h2olite.data.frames import training_tables
from h2olite.errors import ParameterError
from h2olite.fitting import cross_validation
from h2olite.fitting.checkpoint import file_in, find_checkpoint, find_model, is_file_in
from h2olite.fitting.cross_validation import Watch
from h2olite.machine.interruption import Interruption
from h2olite.model import Model
from h2olite.selection import rehearsal, tracing
from h2olite.selection.grid import Failure, Grid, Trial
from h2olite.selection.path import RegularizationPath, read_strengths
from h2olite.selection.rehearsal import Rehearsal
from h2olite.selection.search import search as run_search
from h2olite.selection.segments import SegmentModels, train_by_segment
from h2olite.settings.continuing import Checkpoint
from h2olite.settings.parameters import MODELS, Parameters, PointChoice, SearchCriteria, counted
from h2olite.settings.validation import read, read_shared, validate
from h2olite.training.history import history_line
from h2olite.training.trainer import Progress

Declaration = ParamSpec("Declaration")


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
    started = time.perf_counter()
    warn = _Warning()
    with Interruption() as interruption:
        training, validation = training_tables(parameters)
        read = time.perf_counter() - started
        watch = interruption.watching(watch)
        model = cross_validation.fit_with_folds(_without_tables(parameters), training, validation, watch, warn)
    model.record.seconds["read"] = read
    model.record.seconds["total"] += read
    if parameters.export_checkpoints_dir is not None:
        model.save(file_in(parameters.export_checkpoints_dir, model.model_id))
    warn(model.record.warnings)
    if interruption.noted:
        warn([f"training was interrupted after {counted(model.record.epochs, 'epoch')}; this is the model so far."])
    return model


def rehearse(parameters: Parameters) -> Rehearsal:
    """Tell what `train` would do with the same parameters; see `h2olite.selection.rehearsal.rehearse`."""
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
    """Train a grid of models. The parameters include the frames. See `h2olite.selection.search.search`."""
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
    """Train a regularisation path. The parameters include the frames. See `h2olite.selection.tracing.trace`."""
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
    """Gives each warning once. The warning names the line of code that has called the package."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, sentences: Sequence[str]) -> None:
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
        The predictors, the response and the table. The table is a DataFrame (pandas, Polars), an Arrow table, a dict of
        arrays, a 2-D array, or the path of a CSV, Parquet or Arrow file. If the response is text, boolean or
        categorical, the model is a classifier. If the response is numeric, the model is a regression.
    **given
        All other parameters of ``h2o.deeplearning``, and some that only h2olite has. docs/parameters.md lists them, as
        does ``h2olite params`` in a shell.

    Returns
    -------
    model : h2olite.Model
        The trained model. After Ctrl-C, it is the model so far. A second Ctrl-C raises a KeyboardInterrupt instead.

    Raises
    ------
    ParameterError
        A parameter is unknown or out of range, or it contradicts another parameter or the response. One message tells
        all faults.
    DataError
        The table cannot be read, or it lacks something that training needs.
    TrainingError
        The weights have grown without bound.

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
        A dict with the names of parameters, and the values to try for each of them.
    x, y, training_frame, **given
        As for `deeplearning`.
    search_criteria
        A dict with ``strategy`` (``"Cartesian"``, ``"RandomDiscrete"`` or ``"Sequential"``), ``max_models``,
        ``max_runtime_secs``, ``seed``, ``stopping_rounds``, ``stopping_metric`` and ``stopping_tolerance``.
    grid_id
        The name of the grid. The names of its models begin with it.
    directory
        A folder. Every model is written to it as soon as it is trained. If a search was ended early, the same search in
        the same folder continues it.

    Returns
    -------
    grid : h2olite.Grid
        The models, the best one first. If a model cannot be trained, its error is in `failures`. After Ctrl-C, the grid
        has the models so far. If no training was complete, it has the model of the training that was interrupted.

    Raises
    ------
    ParameterError
        A hyper-parameter or a criterion cannot be used, or the folder has the models of another search.
    H2OLiteError
        None of the models could be trained.

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
    """Train a model for every segment of a table. A segment is all rows with the same values in some columns.

    Parameters
    ----------
    segments
        The columns whose values make the segments, by name or by index from 0. They are not predictors.
    x, y, training_frame, **given
        As for `deeplearning`. The model of a segment is validated on the same segment of validation_frame.

    Returns
    -------
    models : h2olite.SegmentModels
        One entry for each segment. If the model of a segment cannot be trained, the entry has the error. After Ctrl-C,
        there are the entries so far.

    Raises
    ------
    ParameterError
        A parameter cannot be used, or one of the segments' columns is the response.
    H2OLiteError
        None of the models could be trained.

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
    """Train one model for each of many strengths of penalties, from weak to strong.

    The first strength is trained for at least all epochs. Every other strength starts from the model of the next weaker
    strength, as that model was before its last step. A step is a tenth of the epochs. The training of a strength ends
    with the first step that changes little: the penalty changes by at most 10 %, and the rise of the training loss
    since the start does not fall by more than 10 %. There are at most ten steps.

    Parameters
    ----------
    x, y, training_frame, **given
        As for `deeplearning`. With ``nfolds`` or ``fold_column``, the models are measured by cross-validation.
        Otherwise they are measured on ``validation_frame``. Without it, a share of the rows is held out for this.
    l1, l2, input_group_l1
        The strengths: a number, several numbers, or a text. The text ``"0,1e-4,1e-3"`` means three strengths. The text
        ``"1e-6:1e-2:13"`` means 13 strengths at equal ratios. All combinations are tried. Of l1 and input_group_l1,
        ``"0.001x:1x:13"`` means multiples of the smallest strength at which a linear model keeps no weight. If none of
        the three is given, l1 begins with ``"0.001x"`` and grows until no predictor is left. A table of at most 5,000
        rows is then cross-validated with 5 folds, unless ``validation_frame``, ``nfolds`` or ``fold_column`` is given,
        and trained for at least 50,000 rows (500 epochs at the most), unless ``epochs`` is given.
    validation_share
        The share of the rows that is held out.
    choice
        Which model is the path's `model`. ``"best"`` is the model of the lowest loss. ``"best_1se"`` is the sparsest
        model whose loss is at most one standard error above the lowest.
    refit
        Train the strengths up to the chosen one once more, also on the rows that were held out. With cross-validation
        or a validation_frame, the models have learnt from all rows of training_frame anyway.

    Returns
    -------
    path : h2olite.RegularizationPath
        The models and their losses. After Ctrl-C, the path has the strengths that are done.

    Raises
    ------
    ParameterError
        A parameter or a strength cannot be used. One message tells all faults.
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
    """Print the row that a measurement has added to the scoring history, if there is one."""
    if progress.row is not None:
        print(history_line(progress.row))
