"""What a report tells of a model on a table, besides pictures: intervals, the worst rows, and groups."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from h2olite.data.splits import random_stream
from h2olite.data.table import Column, Table
from h2olite.metrics.bootstrap import Statistics, bootstrap, class_statistics, interval, number_statistics
from h2olite.metrics.curves import ThresholdCurve
from h2olite.trained.network import TrainedNetwork
from h2olite.trained.scoring import predicted_classes

from .numbers import Judged, judged

N_RESAMPLES = 200
"""Tables drawn for intervals."""

N_WORST = 10
"""Rows that are listed."""

MOST_GROUPS = 20
"""Groups that are listed: the largest."""

FOUR_FIFTHS = 0.8
"""Ratio of selection rates below which a group is told to be at a disadvantage (US Equal Employment Opportunity
Commission 1978)."""


class Evidence(NamedTuple):
    """A table whose rows a model has predicted, as far as their response is known.

    judged : these rows, their responses and predictions.
    classes : index of the class that is predicted for each; None of numbers.
    """

    judged: Judged
    classes: np.ndarray | None

    @classmethod
    def of(cls, model: TrainedNetwork, frame: Any) -> Evidence:
        """What a model says of a frame; raises what `judged` does."""
        of_rows = judged(model, frame)
        if model.classes is None:
            return cls(of_rows, None)
        return cls(of_rows, predicted_classes(of_rows.predicted, model.default_threshold()))

    @property
    def table(self) -> Table:
        """All rows of the table."""
        return self.judged.table

    def statistics(self, rows: np.ndarray | slice = slice(None)) -> Statistics:
        """The function that computes metrics of some of the rows from their weights."""
        actual, predicted = self.judged.actual, self.judged.predicted
        if self.classes is None:
            return number_statistics(actual[rows], predicted[np.newaxis, rows], None)
        return class_statistics(actual[rows], predicted[np.newaxis, rows], self.classes[np.newaxis, rows])


def metrics_with_intervals(evidence: Evidence) -> list[dict[str, Any]]:
    """A row for each metric: its value, and the ends of the 95 % interval."""
    measure, weights = evidence.statistics(), evidence.judged.weights
    resampled = bootstrap(measure, weights, N_RESAMPLES, random_stream(1, "report"))
    rows = []
    for name, (value,) in measure(weights).items():
        low, high = interval(resampled[name][:, 0])
        rows.append({"metric": name, "value": float(value), "low": low, "high": high})
    return rows


def losses_of(evidence: Evidence) -> np.ndarray:
    """The loss of each judged row: the squared error, or the negative logarithm of the actual class's probability."""
    actual, predicted = evidence.judged.actual, evidence.judged.predicted
    if evidence.classes is None:
        return np.square(predicted - actual)
    of_actual: np.ndarray = predicted[np.arange(actual.size), actual]
    return -np.log(np.maximum(of_actual, 1e-15))


def worst_rows(model: TrainedNetwork, evidence: Evidence, columns: list[str]) -> list[dict[str, Any]]:
    """The rows of the largest losses: where they are, what was predicted and what is true, and some columns."""
    losses = losses_of(evidence)
    rows = []
    for index in np.argsort(-losses, kind="stable")[:N_WORST].tolist():
        place = int(evidence.judged.places[index])
        actual, predicted = evidence.judged.actual[index], evidence.judged.predicted[index]
        if evidence.classes is None or model.classes is None:
            told: dict[str, Any] = {"actual": float(actual), "predicted": float(predicted)}
        else:
            guess = int(evidence.classes[index])
            told = {
                "actual": model.classes[int(actual)],
                "predicted": model.classes[guess],
                "probability of the actual class": float(predicted[int(actual)]),
            }
        values = {name: text_of(evidence.table[name], place) for name in columns if name in evidence.table}
        rows.append({"row": evidence.table.place(place)} | told | values)
    return rows


def text_of(column: Column, row: int) -> str:
    """A cell as text; empty where it is missing."""
    value = column.values[row]
    if column.levels is not None:
        return column.levels[value] if value >= 0 else ""
    return "" if np.isnan(value) else f"{value:.6g}"


def groups_of(model: TrainedNetwork, evidence: Evidence, column: str) -> list[dict[str, Any]]:
    """A row for each group of a column: its size, its metrics, and with two classes how often the second is predicted.

    ``ratio`` is that share over the largest share of a group. Below 0.8, the group may be at a disadvantage.

    Raises
    ------
    DataError : there is no such column.
    """
    groups = evidence.table[column].as_categorical()
    codes = groups.values[evidence.judged.places]
    weights = evidence.judged.weights
    counts = np.bincount(codes + 1)
    rows = []
    for code in np.argsort(-counts, kind="stable")[:MOST_GROUPS] - 1:
        members = np.flatnonzero(codes == code)
        if members.size == 0:
            continue
        metrics = evidence.statistics(members)(weights[members])
        name = "(missing)" if code < 0 or groups.levels is None else groups.levels[code]
        row: dict[str, Any] = {"group": name, "rows": members.size}
        row |= {key: float(value[0]) for key, value in metrics.items()}
        if evidence.classes is not None and len(model.classes or ()) == 2:
            row["selected"] = float(np.average(evidence.classes[members] == 1, weights=weights[members]))
        rows.append(row)
    highest = max((row["selected"] for row in rows if "selected" in row), default=0.0)
    for row in rows:
        if "selected" in row and highest > 0:
            row["ratio"] = row["selected"] / highest
    return rows


def thresholds_of(evidence: Evidence, n: int = 101) -> list[list[float]]:
    """For thresholds from 0 to 1: the threshold, and the weights of tp, fp, fn and tn."""
    _, _, actual, predicted, weights = evidence.judged
    curve = ThresholdCurve.from_predictions(actual == 1, predicted[:, 1], weights)
    rows = []
    for threshold in np.linspace(0, 1, n):
        counts = curve.counts_at(threshold)
        rows.append([threshold, *(count.item() for count in (counts.tps, counts.fps, counts.fns, counts.tns))])
    return [[float(f"{value:.6g}") for value in row] for row in rows]


def correlations(predictions: list[np.ndarray]) -> np.ndarray:
    """How alike the predictions of several models of the same rows are, float64 (n_models, n_models)."""
    flat = np.stack([np.asarray(one, np.float64).reshape(len(one), -1)[:, -1] for one in predictions])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(flat))
