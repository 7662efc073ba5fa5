"""Curves and tables of two classes, over all possible thresholds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .base import weighted_quantile

GROUP_ENDS = np.array([0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
"""The quantiles of the predictions at which the groups of the gains/lift table end, unless asked for others."""


Costs = tuple[float, float]
"""What one false positive and one false negative cost."""


class Counts(NamedTuple):
    """Sums of row weights of true and false positives and negatives, one entry for each threshold."""

    tps: np.ndarray
    fps: np.ndarray
    tns: np.ndarray
    fns: np.ndarray


def _ratio(part: np.ndarray, whole: np.ndarray, empty: float) -> np.ndarray:
    """Divide. Where the divisor is 0, the result is `empty`."""
    return np.divide(part, whole, out=np.full(np.shape(whole), empty, np.float64), where=whole > 0)


def _f_score(beta: float) -> Callable[[Counts], np.ndarray]:
    """The F score: a mean of precision and recall, in which recall counts beta times as much."""
    square = beta * beta
    return lambda c: _ratio((1 + square) * c.tps, (1 + square) * c.tps + square * c.fns + c.fps, empty=0)


def _accuracies(c: Counts) -> tuple[np.ndarray, np.ndarray]:
    """The accuracies of the negatives and of the positives; 1 where there are no rows."""
    return _ratio(c.tns, c.tns + c.fps, empty=1), _ratio(c.tps, c.tps + c.fns, empty=1)


def _absolute_mcc(c: Counts) -> np.ndarray:
    """The absolute correlation between actual and predicted class (Matthews)."""
    product = (c.tps + c.fps) * (c.tps + c.fns) * (c.tns + c.fps) * (c.tns + c.fns)
    return _ratio(np.abs(c.tps * c.tns - c.fps * c.fns), np.sqrt(product), empty=0)


CRITERIA: dict[str, Callable[[Counts], np.ndarray]] = {
    "f1": _f_score(1),
    "f2": _f_score(2),
    "f0point5": _f_score(0.5),
    "accuracy": lambda c: (c.tps + c.tns) / (c.tps + c.fps + c.tns + c.fns),
    "precision": lambda c: _ratio(c.tps, c.tps + c.fps, empty=0),
    "recall": lambda c: _ratio(c.tps, c.tps + c.fns, empty=np.nan),
    "specificity": lambda c: _ratio(c.tns, c.tns + c.fps, empty=np.nan),
    "absolute_mcc": _absolute_mcc,
    "min_per_class_accuracy": lambda c: np.minimum(*_accuracies(c)),
    "mean_per_class_accuracy": lambda c: np.mean(_accuracies(c), axis=0),
    "tns": lambda c: c.tns,
    "fns": lambda c: c.fns,
    "fps": lambda c: c.fps,
    "tps": lambda c: c.tps,
    "tnr": lambda c: _ratio(c.tns, c.tns + c.fps, empty=np.nan),
    "fnr": lambda c: _ratio(c.fns, c.tps + c.fns, empty=np.nan),
    "fpr": lambda c: _ratio(c.fps, c.tns + c.fps, empty=np.nan),
    "tpr": lambda c: _ratio(c.tps, c.tps + c.fns, empty=np.nan),
}
"""What can be read off the counts at a threshold, in the order of H2O's tables."""


def mean_cost(counts: Counts, costs: Costs) -> np.ndarray:
    """The mean cost of a row, by the costs of wrong predictions."""
    false_positive, false_negative = costs
    return (false_positive * counts.fps + false_negative * counts.fns) / sum(counts)


class ThresholdCurve(NamedTuple):
    """True and false positives at every threshold, if predictions at or above the threshold are positive.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (n_thresholds,); the distinct predictions, from high to low.
    tps, fps : ndarray of float64, shape (n_thresholds,); weights of the positive and negative rows at or above each.
    """

    thresholds: np.ndarray
    tps: np.ndarray
    fps: np.ndarray

    @classmethod
    def from_predictions(cls, positive: np.ndarray, p1: np.ndarray, weights: np.ndarray) -> ThresholdCurve:
        """The curve of rows with these predictions."""
        return Ranking.of(positive, p1).curve(weights)

    def counts(self) -> Counts:
        """The counts at every threshold."""
        return Counts(self.tps, self.fps, self.fps[-1] - self.fps, self.tps[-1] - self.tps)

    def counts_at(self, threshold: float) -> Counts:
        """The counts when predictions at or above any threshold are positive; arrays of shape (1,)."""
        above = self.row_at(threshold) + 1
        tps, fps = (np.append(0.0, counts)[[above]] for counts in (self.tps, self.fps))
        return Counts(tps, fps, self.fps[-1] - fps, self.tps[-1] - tps)

    def row_at(self, threshold: float) -> int:
        """The index of the lowest threshold that is at or above this one; -1 if there is none."""
        return int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1

    def best(self, criterion: str) -> tuple[int, float]:
        """The index of the highest threshold at which the criterion is largest, and its value there."""
        values = CRITERIA[criterion](self.counts())
        row = 0 if np.isnan(values[0]) else int(np.argmax(values))
        return row, float(values[row])

    def cheapest(self, costs: Costs) -> float:
        """The highest threshold with the lowest mean cost; 1 if it costs no more to predict no row as positive."""
        at_thresholds = mean_cost(self.counts(), costs)
        row = int(np.argmin(at_thresholds))
        if self.thresholds[0] < 1 and mean_cost(self.counts_at(1.0), costs)[0] <= at_thresholds[row]:
            return 1.0
        return float(self.thresholds[row])

    def table(self) -> dict[str, np.ndarray]:
        """The thresholds and all criteria there."""
        counts = self.counts()
        return {"threshold": self.thresholds} | {name: criterion(counts) for name, criterion in CRITERIA.items()}

    def auc(self) -> float:
        """The probability that a positive row has a higher prediction than a negative row.

        Ties count half. It is NaN without both classes.
        """
        pairs = self.tps[-1] * self.fps[-1]
        if pairs == 0:
            return float("nan")
        mean_tps = self.tps - np.diff(self.tps, prepend=0) / 2
        return float(np.sum(np.diff(self.fps, prepend=0) * mean_tps) / pairs)

    def pr_auc(self) -> float:
        """Area under precision as a function of recall; 1 without negative and 0 without positive rows.

        Between two thresholds the false positives grow in proportion to the true ones, which makes precision a curve:
        with x the recall and d the increments, it is x / ((1 + dfp/dtp) x + (fp - dfp/dtp tp) / P), integrated exactly.

        References
        ----------
        Davis and Goadrich (2006), The relationship between precision-recall and ROC curves.
        """
        if self.tps[-1] == 0:
            return 0.0
        increments = np.diff(self.tps, prepend=0), np.diff(self.fps, prepend=0)
        rising = np.flatnonzero(increments[0] > 0)
        dtp, dfp, tp, fp = (sums[rising] for sums in (*increments, self.tps, self.fps))
        slope = 1 + dfp / dtp
        before = tp - dtp + fp - dfp
        growth = np.divide(dtp + dfp, before, out=np.zeros_like(tp), where=before > 0)
        # With nothing predicted positive before, the intercept is 0 and precision constant.
        intercept = np.where(before > 0, (fp - dfp) - (slope - 1) * (tp - dtp), 0)
        return float(np.sum((dtp - intercept / slope * np.log1p(growth)) / slope) / self.tps[-1])

    def kolmogorov_smirnov(self) -> float:
        """The largest distance between the two distributions of predictions; NaN without both classes."""
        if self.tps[-1] * self.fps[-1] == 0:
            return float("nan")
        return float(np.max(np.abs(self.tps / self.tps[-1] - self.fps / self.fps[-1])))

    def thinned(self, most: int, keep: list[int]) -> ThresholdCurve:
        """The curve at no more than `most` thresholds, spread evenly along the ROC curve, with those in `keep`."""
        if len(self.thresholds) <= most:
            return self
        length = self.tps / max(self.tps[-1], 1e-300) + self.fps / max(self.fps[-1], 1e-300)
        even = np.searchsorted(length, np.linspace(length[0], length[-1], most - len(set(keep))))
        rows = np.union1d(even, np.array(keep, dtype=np.intp))
        return ThresholdCurve(self.thresholds[rows], self.tps[rows], self.fps[rows])

    def gains_lift(self, n_groups: int = -1) -> list[dict[str, Any]]:
        """The gains/lift table: the rows in groups from the highest predictions down.

        The groups end at quantiles of the predictions: `n_groups` evenly spread quantiles, or those of `GROUP_ENDS` if
        `n_groups` is -1. Equal predictions are in the same group. Groups without rows are left out.
        """
        quantiles = GROUP_ENDS if n_groups == -1 else np.linspace(1, 0, n_groups + 1)[1:]
        weights = np.diff(self.tps + self.fps, prepend=0)
        cuts = weighted_quantile(self.thresholds, quantiles, weights)
        ends = np.unique([self.row_at(cut) for cut in cuts])
        events, rows = self.tps[ends], (self.tps + self.fps)[ends]
        scores = np.cumsum(self.thresholds * weights)[ends]
        all_events, all_rows = self.tps[-1], rows[-1]
        d_events, d_rows, d_scores = (np.diff(sums, prepend=0) for sums in (events, rows, scores))
        overall = np.full(len(ends), all_events / all_rows)
        positives, negatives = np.full(len(ends), all_events), np.full(len(ends), all_rows - all_events)
        lift = _ratio(d_events / d_rows, overall, empty=np.nan)
        cumulative_lift = _ratio(events / rows, overall, empty=np.nan)
        capture, cumulative_capture = (_ratio(sums, positives, empty=np.nan) for sums in (d_events, events))
        columns = {
            "group": np.arange(1, len(ends) + 1),
            "cumulative_data_fraction": rows / all_rows,
            "lower_threshold": self.thresholds[ends],
            "lift": lift,
            "cumulative_lift": cumulative_lift,
            "response_rate": d_events / d_rows,
            "score": d_scores / d_rows,
            "cumulative_response_rate": events / rows,
            "cumulative_score": scores / rows,
            "capture_rate": capture,
            "cumulative_capture_rate": cumulative_capture,
            "gain": 100 * (lift - 1),
            "cumulative_gain": 100 * (cumulative_lift - 1),
            "kolmogorov_smirnov": cumulative_capture - _ratio(rows - events, negatives, empty=np.nan),
        }
        return records(columns)


class Ranking(NamedTuple):
    """Rows sorted from the highest prediction down, to make curves with any weights.

    order : the rows' indices.
    last : places in `order` after which the prediction is a lower one: all of them, as a slice, without ties.
    thresholds : the distinct predictions.
    positive : 1 for positive rows and 0 for others, in this order.
    """

    order: np.ndarray
    last: np.ndarray | slice
    thresholds: np.ndarray
    positive: np.ndarray

    @classmethod
    def of(cls, positive: np.ndarray, p1: np.ndarray) -> Ranking:
        """Sort the rows; equal predictions share a threshold."""
        order = np.argsort(-p1, kind="stable")
        p1 = p1[order]
        falls = np.append(p1[1:] != p1[:-1], True)
        last = slice(None) if falls.all() else np.flatnonzero(falls)
        return cls(order, last, p1[last], positive[order].astype(np.float64))

    def curve(self, weights: np.ndarray) -> ThresholdCurve:
        """The curve for these weights, which are in the original order of the rows."""
        weights = weights[self.order]
        positives = weights * self.positive
        tps, fps = (np.cumsum(part)[self.last] for part in (positives, weights - positives))
        return ThresholdCurve(self.thresholds, tps, fps)


def records(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """A table as a list of dicts, one for each row."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]
