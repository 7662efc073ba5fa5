"""What the summary of cross-validation tells of one fold."""

from __future__ import annotations

import numpy as np

from h2olite.metrics import BinomialMetrics, ConfusionMatrix, Metrics, MultinomialMetrics

SUMMARISED = (
    *("auc", "lift_top_group", "logloss", "mae", "mean_per_class_error", "mean_residual_deviance", "mse"),
    *("pr_auc", "r2", "rmse", "rmsle"),
)
"""Metrics that the summary gives as they are."""

AT_THRESHOLD = ("f0point5", "f1", "f2", "mcc", "precision", "recall", "specificity")
"""Criteria of two classes that the summary gives at the threshold of the largest F1."""


def summarise_fold(metrics: Metrics) -> dict[str, float]:
    """The numbers about one fold that its summary lists, in alphabetical order."""
    values = {name: value for name, value in metrics.numbers().items() if name in SUMMARISED}
    if isinstance(metrics, BinomialMetrics | MultinomialMetrics):
        stored = metrics["confusion_matrix"]
        confusion = ConfusionMatrix(tuple(stored["labels"]), np.array(stored["matrix"], np.float64))
        wrong = metrics["error"]
        values |= {
            "accuracy": 1 - wrong,
            "err": wrong,
            "err_count": wrong * float(confusion.matrix.sum()),
            "max_per_class_error": float(np.nanmax(confusion.per_class_error())),
            "mean_per_class_accuracy": 1 - metrics["mean_per_class_error"],
        }
    if isinstance(metrics, BinomialMetrics):
        values |= {name: metrics.metric(name, metrics["threshold"])[0][1] for name in AT_THRESHOLD}
    return dict(sorted(values.items()))
