"""Metrics of predicted probabilities of two classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from h2olite.errors import ParameterError
from h2olite.metrics.base import Metrics, log_loss, measured, r_squared, scalar, weighted_mean
from h2olite.metrics.confusion import ConfusionMatrix
from h2olite.metrics.curves import CRITERIA, Costs, Counts, ThresholdCurve, mean_cost, records
from h2olite.parameters import nearest

if TYPE_CHECKING:
    import pandas as pd

MOST_THRESHOLDS = 400
"""Rows of the table of thresholds, as in H2O."""

ALIASES = {"fallout": "fpr", "missrate": "fnr", "sensitivity": "tpr", "mcc": "absolute_mcc"}
"""Other names of criteria."""

Thresholds = float | list[float] | Literal["all"] | None
"""One threshold, several, all of the table, or None for the best one."""


def _criterion(name: str, gives: str) -> Callable[..., list[list[float]]]:
    """Make the getter of one criterion."""

    def get(self: BinomialMetrics, thresholds: Thresholds = None) -> list[list[float]]:
        return self.metric(name, thresholds)

    get.__name__, get.__doc__ = name, f"{gives}, as `metric` gives it."
    return get


def _error(name: str, accuracy: str, gives: str) -> Callable[..., list[list[float]]]:
    """Make the getter of 1 - an accuracy."""

    def get(self: BinomialMetrics, thresholds: Thresholds = None) -> list[list[float]]:
        return [[threshold, 1 - value] for threshold, value in self.metric(accuracy, thresholds)]

    get.__name__, get.__doc__ = name, f"{gives}, as `metric` gives it; None is the threshold where it is least."
    return get


class BinomialMetrics(Metrics):
    """How well probabilities of the second of two classes fit the classes that occurred.

    A row is predicted to be of the second class when its probability is at or above a threshold. AUC, PR AUC,
    Kolmogorov-Smirnov and the best thresholds are exact, over all distinct probabilities; the table of thresholds keeps
    at most 400 of them, the best ones included. Where `error`, `mean_per_class_error` and `confusion_matrix` appear as
    values (``metrics["error"]``), they are those at ``metrics["threshold"]``.
    """

    category = "Binomial"
    auto_stopping_metric = "logloss"
    first_shown = (
        "expected_cost",
        "logloss",
        "auc",
        "pr_auc",
        "gini",
        "mean_per_class_error",
        "error",
        "mse",
        "rmse",
        "r2",
    )

    @classmethod
    def from_predictions(
        cls,
        actual: np.ndarray,
        p1: np.ndarray,
        *,
        levels: tuple[str, str],
        weights: np.ndarray | None = None,
        threshold: float | None = None,
        costs: Costs | None = None,
        gainslift_bins: int = -1,
    ) -> BinomialMetrics:
        """Measure predictions.

        Parameters
        ----------
        actual : ndarray of int, shape (n_rows,); 0, 1, or -1 for missing.
        p1 : ndarray of float, shape (n_rows,); the predicted probability of class 1.
        levels : names of the classes.
        weights : ndarray of float, shape (n_rows,); row weights. Rows of weight 0 are left out, as are missing ones.
        threshold : least probability at which class 1 is predicted. If not given, it is the one of least expected cost
            if there are costs, else that with the largest F1.
        costs : what a false positive and a false negative cost; the mean per row becomes ``metrics["expected_cost"]``.
        gainslift_bins : groups of the gains/lift table; -1 for the usual 16, 0 for no table.

        Raises
        ------
        DataError
            No row is left to measure.
        ParameterError
            The threshold is no probability, or the costs are not positive.
        """
        if threshold is not None:
            check_threshold(threshold)
        if costs is not None and not (min(costs) >= 0 and 0 < max(costs) < math.inf):
            raise ParameterError(f"costs must be two numbers >= 0, not both 0; got {costs[0]:g} and {costs[1]:g}.")
        actual, p1, weights = measured(actual, p1, weights)
        positive = actual == 1
        p_actual = np.where(positive, p1, 1 - p1)
        mse = weighted_mean((1 - p_actual) ** 2, weights)
        curve = ThresholdCurve.from_predictions(positive, p1, weights)
        best = {name: curve.best(name) for name in CRITERIA}
        if threshold is None and costs is not None:
            threshold = curve.cheapest(costs)
        elif threshold is None:
            threshold = float(curve.thresholds[best["f1"][0]])
        counts = curve.counts_at(threshold)
        confusion = _confusion(counts, levels)
        table = curve.thinned(MOST_THRESHOLDS, [max(curve.row_at(threshold), 0), *(row for row, _ in best.values())])
        gains_lift = curve.gains_lift(gainslift_bins) if gainslift_bins else []
        auc = curve.auc()
        expected = {} if costs is None else {"expected_cost": float(mean_cost(counts, costs)[0])}
        return cls(
            {
                "nobs": len(actual),
                "mse": mse,
                "rmse": math.sqrt(mse),
                "r2": r_squared(mse, positive, weights),
                "logloss": log_loss(p_actual, weights),
                "auc": auc,
                "pr_auc": curve.pr_auc(),
                "gini": 2 * auc - 1,
                "mean_per_class_error": confusion.mean_per_class_error(),
                "error": confusion.error(),
                "threshold": threshold,
                **expected,
                "lift_top_group": (gains_lift or curve.gains_lift())[0]["lift"],
                "kolmogorov_smirnov": curve.kolmogorov_smirnov(),
                "confusion_matrix": confusion.to_json(),
                "thresholds_and_metric_scores": _scores(table),
                "max_criteria_and_metric_scores": [
                    {
                        "metric": f"max {name}",
                        "threshold": float(curve.thresholds[row]),
                        "value": value,
                        "idx": table.row_at(curve.thresholds[row]),
                    }
                    for name, (row, value) in best.items()
                ],
                "gains_lift": gains_lift,
            }
        )

    logloss = scalar("logloss", "Mean of -log of the actual class's probability, each at least 1e-15.")
    auc = scalar("auc", "Area under the ROC curve, ties counted half; NaN when only one class occurs.")
    pr_auc = aucpr = scalar("pr_auc", "Area under the precision-recall curve (Davis and Goadrich's interpolation).")
    gini = scalar("gini", "2 AUC - 1.")
    kolmogorov_smirnov = scalar("kolmogorov_smirnov", "Largest distance between true and false positive rate.")

    F1 = _criterion("F1", "Harmonic mean of precision and recall")
    F2 = _criterion("F2", "F score in which recall counts twice as much as precision")
    F0point5 = _criterion("F0point5", "F score in which recall counts half as much as precision")
    accuracy = _criterion("accuracy", "Share of rows predicted rightly")
    precision = _criterion("precision", "Share of positive rows among those predicted positive")
    recall = sensitivity = tpr = _criterion("tpr", "Share of positive rows predicted positive")
    specificity = tnr = _criterion("tnr", "Share of negative rows predicted negative")
    fallout = fpr = _criterion("fpr", "Share of negative rows predicted positive")
    missrate = fnr = _criterion("fnr", "Share of positive rows predicted negative")
    mcc = _criterion("mcc", "Absolute value of Matthews' correlation coefficient")
    error = _error("error", "accuracy", "Share of rows predicted wrongly")
    max_per_class_error = _error("max_per_class_error", "min_per_class_accuracy", "The larger of the classes' errors")
    mean_per_class_error = _error("mean_per_class_error", "mean_per_class_accuracy", "Mean of the classes' errors")

    def metric(self, metric: str, thresholds: Thresholds = None) -> list[list[float]]:
        """A criterion, such as ``"f1"``, at thresholds.

        Parameters
        ----------
        metric : a column of `thresholds_and_metric_scores`, or fallout, missrate, sensitivity, mcc.
        thresholds : numbers from 0 to 1; None for the one at which the criterion is largest, ``"all"`` for the table's.

        Returns
        -------
        pairs : [threshold, value] for each threshold. The rows counted as positive are those from the lowest of the
            table's thresholds that is not below it.

        Raises
        ------
        ParameterError
            There is no such criterion, or a threshold is outside [0, 1].
        """
        name = _known(metric)
        if thresholds == "all":
            return [[row["threshold"], row[name]] for row in self["thresholds_and_metric_scores"]]
        if thresholds is None:
            thresholds = self.find_threshold_by_max_metric(name)
        chosen = thresholds if isinstance(thresholds, list) else [thresholds]
        return [[t, float(CRITERIA[name](self._counts_at(t))[0])] for t in chosen]

    def find_threshold_by_max_metric(self, metric: str) -> float:
        """The highest threshold at which a criterion is largest."""
        wanted = f"max {_known(metric)}"
        return next(row["threshold"] for row in self["max_criteria_and_metric_scores"] if row["metric"] == wanted)

    def find_idx_by_threshold(self, threshold: float) -> int:
        """The row of `thresholds_and_metric_scores` that holds at a threshold: the lowest one not below it.

        Above all thresholds of the table it is the first row.
        """
        check_threshold(threshold)
        return max(self._curve().row_at(threshold), 0)

    def confusion_matrix(
        self, metrics: str | list[str] | None = None, thresholds: float | list[float] | None = None
    ) -> ConfusionMatrix | list[ConfusionMatrix]:
        """The confusion matrix at the default threshold, at given ones, or where criteria are largest.

        Parameters
        ----------
        metrics : criteria, each of which chooses the threshold at which it is largest.
        thresholds : numbers from 0 to 1.

        Returns
        -------
        matrix : a `ConfusionMatrix`, or a list when more than one was asked for, first those at `thresholds`.
        """
        names = [metrics] if isinstance(metrics, str) else metrics or []
        given = thresholds if isinstance(thresholds, list) else [] if thresholds is None else [thresholds]
        if not names and not given:
            chosen_by_f1 = self["threshold"] == self.find_threshold_by_max_metric("f1")
            names, given = (["f1"], []) if chosen_by_f1 else ([], [self["threshold"]])
        chosen = [(t, "") for t in given] + [(self.find_threshold_by_max_metric(m), f"for max {m} ") for m in names]
        matrices = [
            _confusion(
                self._counts_at(threshold),
                self["confusion_matrix"]["labels"],
                f"Confusion Matrix (Act/Pred) {choice}@ threshold = {threshold:.6g}",
            )
            for threshold, choice in chosen
        ]
        return matrices[0] if len(matrices) == 1 else matrices

    def roc(self) -> tuple[list[float], list[float]]:
        """False and true positive rates, one of each per threshold of the table."""
        table = self["thresholds_and_metric_scores"]
        return [row["fpr"] for row in table], [row["tpr"] for row in table]

    @property
    def fprs(self) -> list[float]:
        """False positive rates, one per threshold of the table."""
        return self.roc()[0]

    @property
    def tprs(self) -> list[float]:
        """True positive rates, one per threshold of the table."""
        return self.roc()[1]

    def thresholds_and_metric_scores(self) -> pd.DataFrame:
        """All criteria at up to 400 thresholds, from high to low."""
        return self._table("thresholds_and_metric_scores")

    def max_criteria_and_metric_scores(self) -> pd.DataFrame:
        """Each criterion's largest value, the threshold it is reached at and its row in the table of thresholds."""
        return self._table("max_criteria_and_metric_scores")

    def gains_lift(self) -> pd.DataFrame:
        """The gains/lift table: groups of rows from the highest probabilities down.

        ``lift`` is the share of class 1 in the group over that in all rows, ``capture_rate`` the group's share of all
        rows of class 1, and ``gain`` is 100 (lift - 1).
        """
        return self._table("gains_lift")

    def __repr__(self) -> str:
        """The headline numbers and the confusion matrix."""
        return f"{super().__repr__()}\n\n{self.confusion_matrix()!r}"

    def _table(self, key: str) -> pd.DataFrame:
        """One of the tables as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self[key])

    def _curve(self) -> ThresholdCurve:
        """The curve as far as the table of thresholds keeps it."""
        table: list[dict[str, Any]] = self["thresholds_and_metric_scores"]
        return ThresholdCurve(*(np.array([row[key] for row in table]) for key in ("threshold", "tps", "fps")))

    def _counts_at(self, threshold: float) -> Counts:
        """The counts when probabilities at or above the threshold are positive."""
        check_threshold(threshold)
        return self._curve().counts_at(threshold)


def _known(metric: str) -> str:
    """The name of a criterion that the tables use."""
    name = metric.lower()
    name = ALIASES.get(name, name)
    if name not in CRITERIA:
        known = [*CRITERIA, *ALIASES]
        raise ParameterError(f"metric must be one of {', '.join(known)}; got {metric!r}{nearest(metric, known)}")
    return name


def check_threshold(threshold: float) -> None:
    """Refuse what is no probability.

    Raises
    ------
    ParameterError
        It is none.
    """
    if not 0 <= threshold <= 1:
        raise ParameterError(f"threshold must be >= 0 and <= 1; got {threshold}.")


def _confusion(counts: Counts, labels: tuple[str, ...], title: str = ConfusionMatrix.title) -> ConfusionMatrix:
    """The 2 x 2 matrix of counts at one threshold."""
    return ConfusionMatrix(tuple(labels), np.block([[counts.tns, counts.fps], [counts.fns, counts.tps]]), title)


def _scores(curve: ThresholdCurve) -> list[dict[str, Any]]:
    """The table of all criteria at every threshold of a curve."""
    return records(curve.table() | {"idx": np.arange(len(curve.thresholds))})
