"""The functions for Python that train models: `deeplearning` and others."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec

from h2olite import jobs
from h2olite.errors import ParameterError
from h2olite.model import Model
from h2olite.selection.columns import Selection
from h2olite.selection.grid import Grid
from h2olite.selection.path import RegularizationPath, read_strengths
from h2olite.selection.segments import SegmentModels
from h2olite.selection.tuning import Tuning
from h2olite.settings.parameters import Parameters, PointChoice, SearchCriteria
from h2olite.settings.validation import read, read_shared
from h2olite.training.history import history_line
from h2olite.training.trainer import Progress

Declaration = ParamSpec("Declaration")


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
    parameters = jobs.check(positional | given)
    return jobs.train(parameters, watch=print_measurement if parameters.verbose else None)


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
    return jobs.search(
        hyper_params,
        parameters,
        criteria,
        grid_id=grid_id,
        folder=directory,
        watch=print_measurement if parameters.verbose else None,
    )


def tune(
    x: Any = None,
    y: Any = None,
    training_frame: Any = None,
    *,
    max_runtime_secs: float = 300.0,
    max_models: int = 0,
    directory: str | os.PathLike[str] | None = None,
    **given: Any,
) -> Tuning:
    """Search for good settings of a network within a time, and train a model with the best.

    The search starts from ``preset="accurate"``. It tries other values of `numeric_encoding`, `activation`, `hidden`,
    dropout ratios, `l1`, `l2`, `mini_batch_size`, `update_rule`, its rates and `rate_schedule`. A parameter that you
    give is not tried. Networks are measured by cross-validation: all settings on one fold, the better third on two, and
    the better third of these on five. Of a table with more than 10,000 rows, the search looks at 10,000. The model is
    an ensemble of networks with the best settings, and learns from all rows.

    Parameters
    ----------
    x, y, training_frame, **given
        As for `deeplearning`. `stopping_metric` is what is improved: AUTO is the logloss, or the deviance.
    max_runtime_secs
        Seconds for everything, the training of the model included.
    max_models
        Networks that the search trains at the most; 0 for no limit but the time. With a seed and the same number of
        threads, a search that this ends always tries the same.
    directory
        A folder. What has been tried is written to it at once. If a search was ended early, the same search in the same
        folder continues it, with the time that is left.

    Returns
    -------
    tuning : h2olite.Tuning
        The model, and what was tried. After Ctrl-C, there is no model.

    Raises
    ------
    ParameterError
        A parameter cannot be used, or the folder has another search.
    DataError, TrainingError
        As for `deeplearning`.

    References
    ----------
    Li et al. 2020, A system for massively parallel hyperparameter tuning (asynchronous successive halving).

    Examples
    --------
    >>> import h2olite
    >>> tuning = h2olite.tune(
    ...     y="species", training_frame="datasets/iris.csv", hidden=[10], epochs=2, seed=1, nthreads=1, max_models=4
    ... )
    >>> len(tuning), tuning.sort_metric, tuning.model.category
    (4, 'logloss', 'Multinomial')
    """
    if given.get("preset", "accurate") != "accurate":
        raise ParameterError("preset cannot be given for tune, which starts from accurate; leave it out.")
    parameters = jobs.check({"x": x, "y": y, "training_frame": training_frame} | given | {"preset": "accurate"})
    return jobs.tune(
        parameters,
        given,
        max_runtime_secs=max_runtime_secs,
        max_models=max_models,
        folder=directory,
        watch=print_measurement if parameters.verbose else None,
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
    parameters = jobs.check({"x": x, "y": y, "training_frame": training_frame} | given)
    return jobs.train_segments(segments, parameters, watch=print_measurement if parameters.verbose else None)


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
    parameters = jobs.check({"x": x, "y": y, "training_frame": training_frame} | given | strongest)
    return jobs.trace(
        strengths,
        parameters,
        validation_share=validation_share,
        choice=choice,
        refit=refit,
        watch=print_measurement if parameters.verbose else None,
    )


def select(
    x: Any = None,
    y: Any = None,
    training_frame: Any = None,
    *,
    columns: int | None = None,
    resamples: int = 6,
    refit: bool = False,
    **given: Any,
) -> Selection:
    """Choose the columns that a network needs.

    The rows are dealt into halves, several times. On each half, the columns are ranked in up to three ways, together
    with up to 50 shuffled columns:

    - ``"path"``: by how strong `input_group_l1` must be for a network to do without the column. The network starts with
      the columns of most evidence (see ``"screening"``): 100 of them, or one for 20 rows if this is more.
    - ``"screening"``: by how surely the column has to do with the response, alone or together with another column.
    - ``"autoencoder"``: by the weights in an autoencoder with `input_group_l1`, only with more columns than rows.

    A network of the first columns is trained on the half, and measured on the other half. So the losses decide how to
    rank, and how many columns to take: the fewest whose loss is within one standard error of the lowest.

    Parameters
    ----------
    x, y, training_frame, **given
        As for `deeplearning`. If ``epochs`` is not given, at least 50,000 rows are trained on (500 epochs at the most).
    columns
        How many columns to choose.
    resamples
        How many half tables there are: an even number, since each pair has all rows.
    refit
        Train a model on the chosen columns of all rows.

    Returns
    -------
    selection : h2olite.Selection
        The columns, in what share of the half tables each is chosen, and how many of them are expected to be noise.

    Raises
    ------
    ParameterError
        A parameter cannot be used. One message tells all faults.
    DataError, TrainingError
        As for `deeplearning`.
    KeyboardInterrupt
        After Ctrl-C, there is no selection.

    References
    ----------
    Lemhadri, Ruan, Abraham and Tibshirani 2021 (paths of networks); Fan and Lv 2008 (screening); Meinshausen and
    Buehlmann 2010, Shah and Samworth 2013 (stability); Barber and Candes 2015 (columns of known noise).

    Examples
    --------
    >>> import h2olite
    >>> selection = h2olite.select(
    ...     y="species", training_frame="datasets/iris.csv", columns=2, hidden=[10], seed=1, reproducible=True
    ... )
    >>> sorted(selection.names)
    ['petal_length', 'petal_width']
    """
    parameters = jobs.check({"x": x, "y": y, "training_frame": training_frame} | given)
    return jobs.select(
        parameters,
        columns=columns,
        resamples=resamples,
        refit=refit,
        watch=print_measurement if parameters.verbose else None,
    )


def print_measurement(progress: Progress) -> None:
    """Print the row that a measurement has added to the scoring history, if there is one."""
    if progress.row is not None:
        print(history_line(progress.row))
