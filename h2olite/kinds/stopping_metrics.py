"""The metrics that early stopping may watch, and that rank models, one record each."""

from __future__ import annotations

from typing import Literal, NamedTuple

StoppingChoice = Literal[
    "AUTO",
    "deviance",
    "logloss",
    "MSE",
    "RMSE",
    "MAE",
    "RMSLE",
    "AUC",
    "AUCPR",
    "lift_top_group",
    "misclassification",
    "mean_per_class_error",
    "custom",
    "custom_increasing",
]
"""The values of the parameter `stopping_metric`."""


class StoppingMetric(NamedTuple):
    """What is known of a metric.

    name : as users write it.
    key : where its value stands in a metrics object.
    more_is_better : whether it is to grow.
    ends_at_zero : whether 0 is the best it can be.
    """

    name: str
    key: str
    more_is_better: bool = False
    ends_at_zero: bool = True


STOPPING_METRICS = {
    metric.name: metric
    for metric in (
        StoppingMetric("deviance", "mean_residual_deviance", ends_at_zero=False),
        StoppingMetric("logloss", "logloss"),
        StoppingMetric("MSE", "mse"),
        StoppingMetric("RMSE", "rmse"),
        StoppingMetric("MAE", "mae"),
        StoppingMetric("RMSLE", "rmsle"),
        StoppingMetric("AUC", "auc", more_is_better=True),
        StoppingMetric("AUCPR", "pr_auc", more_is_better=True),
        StoppingMetric("lift_top_group", "lift_top_group", more_is_better=True, ends_at_zero=False),
        StoppingMetric("misclassification", "error"),
        StoppingMetric("mean_per_class_error", "mean_per_class_error"),
        StoppingMetric("custom", "custom_metric_value", ends_at_zero=False),
        StoppingMetric("custom_increasing", "custom_metric_value", more_is_better=True, ends_at_zero=False),
    )
}
"""All of them by name."""

NOT_WATCHED = ("gini", "r2", "kolmogorov_smirnov")
"""Keys of further metrics of which more is better, which rank models but cannot stop training."""

MORE_IS_BETTER = frozenset({*(m.key for m in STOPPING_METRICS.values() if m.more_is_better), *NOT_WATCHED}) - {
    "custom_metric_value"
}
"""Keys of metrics whose largest value is the best; of all others it is the smallest."""
