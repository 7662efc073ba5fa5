"""The scoring history: one row for every time the model was measured."""

from __future__ import annotations

import math
import time
from typing import Any

from h2olite.metrics import Metrics

COLUMNS = {
    "Binomial": {
        "rmse": "rmse",
        "logloss": "logloss",
        "r2": "r2",
        "auc": "auc",
        "pr_auc": "pr_auc",
        "lift": "lift_top_group",
        "classification_error": "error",
    },
    "Multinomial": {
        "rmse": "rmse",
        "logloss": "logloss",
        "r2": "r2",
        "classification_error": "error",
        "auc": "auc",
        "pr_auc": "pr_auc",
    },
    "Regression": {"rmse": "rmse", "deviance": "mean_residual_deviance", "mae": "mae", "r2": "r2"},
    "AutoEncoder": {"rmse": "rmse", "mse": "mse"},
}
"""H2O's names of the measured columns, and the metrics behind them, as far as they were measured."""


def timestamp(moment: time.struct_time) -> str:
    """A moment as histories write it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", moment)


def history_row(
    seconds: float, epochs: float, iterations: int, rows_seen: int, training_speed: float, **metrics: Metrics | None
) -> dict[str, Any]:
    """One row of the history; `metrics` by frame, such as ``training=...``, None for a frame that there is not."""
    row = {
        "timestamp": timestamp(time.localtime()),
        "duration": round(seconds, 3),
        "training_speed": round(training_speed),
        "epochs": epochs,
        "iterations": iterations,
        "samples": rows_seen,
    }
    for frame, measured in metrics.items():
        if measured is not None:
            for name, key in (COLUMNS[measured.category] | {"custom": "custom_metric_value"}).items():
                if key in measured:
                    value = measured[key]
                    row[f"{frame}_{name}"] = None if math.isnan(value) else value
    return row


def history_line(row: dict[str, Any]) -> str:
    """One row of the history as text."""
    return "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
    )
