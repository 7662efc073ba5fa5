"""The numbers that pictures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.frames import as_table
from h2olite.data.splits import random_stream, sample_rows
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError
from h2olite.metrics.curves import ThresholdCurve
from h2olite.trained.evaluation import classes_of_curves, predict_observed
from h2olite.trained.explain import codes_of, response_columns, with_constant
from h2olite.trained.network import TrainedNetwork
from h2olite.training.history import COLUMNS

MOST_CLASSES = 10
"""Classes that have a line in a picture."""

MOST_DETAILED = 1000
"""Rows whose errors are told by input."""


class History(NamedTuple):
    """A metric in the course of training.

    metric : its name.
    epochs : when the model was measured.
    of_frames : its values on the training rows, and on the validation rows if there were any.
    of_folds : for each model of cross-validation that is kept, when it was measured on its fold, and the values.
    chosen : epochs after which the model was as it is; None where it is the last or an average.
    """

    metric: str
    epochs: list[float]
    of_frames: dict[str, list[float]]
    of_folds: list[tuple[list[float], list[float]]]
    chosen: float | None


def history_of(model: TrainedNetwork, metric: str = "AUTO") -> History:
    """The scoring history of one metric; AUTO is the loss.

    Raises
    ------
    ParameterError : the history has no such metric.
    DataError : the model has no history.
    """
    rows = model.history
    if not rows:
        raise DataError(f"{model.model_id} has no scoring history, which a learning curve needs.")
    known = [name for name in COLUMNS[model.category] if f"training_{name}" in rows[-1]]
    usual = next(name for name in ("logloss", "deviance", "mse", "rmse") if name in known)
    chosen = usual if metric.upper() == "AUTO" else metric.lower()
    if chosen not in known:
        raise ParameterError(f"metric must be AUTO or one of {', '.join(known)}; got {metric!r}.")
    shown = [row for row in rows if row.get(f"training_{chosen}") is not None]
    frames = [frame for frame in ("training", "validation") if f"{frame}_{chosen}" in shown[-1]]
    of_frames = {frame: _values(shown, f"{frame}_{chosen}") for frame in frames}
    folds = (model.cross_validation and model.cross_validation.models) or ()
    of_folds = []
    for fold in folds:
        judged_rows = [row for row in fold.history if row.get(f"validation_{chosen}") is not None]
        of_folds.append((_values(judged_rows, "epochs"), _values(judged_rows, f"validation_{chosen}")))
    return History(chosen, _values(shown, "epochs"), of_frames, of_folds, model.record.best_epochs)


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """A column of a scoring history, with NaN where it has no value."""
    return [float(np.nan if row.get(name) is None else row[name]) for row in rows]


class Dependence(NamedTuple):
    """How predictions follow one column.

    values : that the column takes, numbers or levels.
    lines : float64 (n_rows, n_values), the prediction of each row with each value.
    observed : the value of each row; of a categorical column the index among the values.
    target : what is predicted.
    """

    column: str
    values: list[Any]
    lines: np.ndarray
    observed: np.ndarray
    target: str


def dependence_of(
    model: TrainedNetwork, frame: Any, column: str, target: str | None = None, *, n_values: int = 20, n_rows: int = 200
) -> Dependence:
    """The predictions of some rows when a column takes one value after the other in them.

    Parameters
    ----------
    frame : any frame, of whose rows at most `n_rows` are taken at random.
    target : of a classifier, the class whose probability is predicted; the last one if not given.
    n_values : how many values a numeric column takes.

    References
    ----------
    Goldstein, Kapelner, Bleich and Pitkin 2015 (individual conditional expectation).
    """
    table = sampled(as_table(frame, name="frame", schema=model.schema, csv=model.csv), n_rows)
    if model.classes is not None and target is None:
        target = model.classes[-1]
    (response,) = response_columns(model, None if target is None else [target])
    codes = codes_of(model, table, column, n_values)
    lines = [
        model.predict_columns(with_constant(table, column, code), Adaptation(table.name))[response] for _, code in codes
    ]
    return Dependence(
        column, [value for value, _ in codes], np.stack(lines, axis=1), table[column].values, target or "prediction"
    )


def sampled(table: Table, n_rows: int) -> Table:
    """At most so many rows of a table, at random but the same each time."""
    return table.take(sample_rows(table.n_rows, n_rows, random_stream(1, "picture")))


class Judged(NamedTuple):
    """The rows of a table whose response is known.

    table : all rows of the table.
    places : the indices in it of the rows that are judged.
    actual : class indices, or numbers.
    predicted : probabilities (n_rows, n_classes), or numbers (n_rows,).
    weights : of the rows, above 0.
    """

    table: Table
    places: np.ndarray
    actual: np.ndarray
    predicted: np.ndarray
    weights: np.ndarray


def judged(model: TrainedNetwork, frame: Any) -> Judged:
    """The predictions of a frame that holds the response.

    Raises
    ------
    DataError : the model is an autoencoder, or the frame has no response.
    """
    if model.response is None:
        raise DataError(f"to judge predictions needs a model of a response; {model.model_id} is an autoencoder.")
    table = as_table(frame, name="frame", schema=model.schema | model.response_schema, csv=model.csv)
    if model.response.name not in table:
        raise DataError(f"{table.name} has no response {model.response.name!r}, by which predictions are judged.")
    adaptation = Adaptation(table.name)
    actual, predicted, weights = predict_observed(model, table, adaptation)
    adaptation.warn(stacklevel=4)
    weights = np.ones(len(actual)) if weights is None else weights
    known = (actual >= 0 if model.classes is not None else ~np.isnan(actual)) & (weights > 0)
    if not known.any():
        raise DataError(f"{table.name} has no row whose response is known.")
    return Judged(table, np.flatnonzero(known), actual[known], predicted[known], weights[known])


class Reconstructed(NamedTuple):
    """How badly an autoencoder reconstructs the rows of a table.

    table : the rows.
    errors : float64 (n_rows,), the mean squared error of each row over the inputs.
    by_input : the mean squared error of each input over at most `MOST_DETAILED` of the rows.
    """

    table: Table
    errors: np.ndarray
    by_input: dict[str, float]


def reconstructed(model: Any, frame: Any) -> Reconstructed:
    """The reconstruction errors of the rows of a frame, by an autoencoder.

    Raises
    ------
    DataError : the model is no autoencoder.
    """
    table = as_table(frame, name="frame", schema=model.schema, csv=model.csv)
    adaptation = Adaptation(table.name)
    (errors,) = model.anomaly_columns(table, adaptation, per_feature=False).values()
    adaptation.warn(stacklevel=4)
    some = sampled(table, MOST_DETAILED)
    of_inputs = model.anomaly_columns(some, Adaptation(table.name), per_feature=True)
    means = [float(values.mean()) for values in of_inputs.values()]
    return Reconstructed(table, errors, dict(zip(model.encoder.input_names, means, strict=True)))


class Curve(NamedTuple):
    """A class against the rest at all thresholds: arrays of one length, from high thresholds to low ones."""

    name: str
    thresholds: np.ndarray
    tpr: np.ndarray
    fpr: np.ndarray
    precision: np.ndarray
    share: np.ndarray
    auc: float
    pr_auc: float


def curves_of(model: TrainedNetwork, of: Judged) -> list[Curve]:
    """The curve of the second of two classes, or of each of the first classes."""
    classes = classes_of_curves(model)
    shown = [1] if len(classes) == 2 else range(min(len(classes), MOST_CLASSES))
    found = []
    for index in shown:
        curve = ThresholdCurve.from_predictions(of.actual == index, of.predicted[:, index], of.weights)
        positive, negative = max(curve.tps[-1], 1e-300), max(curve.fps[-1], 1e-300)
        found.append(
            Curve(
                classes[index],
                curve.thresholds,
                curve.tps / positive,
                curve.fps / negative,
                curve.tps / (curve.tps + curve.fps),
                (curve.tps + curve.fps) / (positive + negative),
                curve.auc(),
                curve.pr_auc(),
            )
        )
    return found


class Calibration(NamedTuple):
    """Groups of rows by their predicted probability: the mean probability, the observed share, and their weight."""

    predicted: np.ndarray
    observed: np.ndarray
    weights: np.ndarray


def calibration_of(of: Judged, n_groups: int = 10) -> Calibration:
    """How often what is predicted with a probability happens: the second of two classes, or the class predicted.

    Groups have about equally many rows.
    """
    if of.predicted.shape[1] == 2:
        probability, happened = of.predicted[:, 1], of.actual == 1
    else:
        probability, happened = of.predicted.max(axis=1), of.actual == of.predicted.argmax(axis=1)
    ends = np.unique(np.quantile(probability, np.linspace(0, 1, n_groups + 1)[1:-1]))
    groups = np.searchsorted(ends, probability)
    weights = np.bincount(groups, of.weights, ends.size + 1)
    kept = weights > 0
    sums = [np.bincount(groups, of.weights * values, ends.size + 1)[kept] for values in (probability, happened)]
    return Calibration(sums[0] / weights[kept], sums[1] / weights[kept], weights[kept])


def largest(columns: Sequence[str], contributions: np.ndarray, n: int) -> list[int]:
    """The indices of the columns whose contributions are largest on average, the largest first."""
    sizes = np.abs(contributions).mean(axis=0)
    return np.argsort(-sizes, kind="stable")[: min(n, len(columns))].tolist()
