"""A model's report as text for people, at most 80 columns wide where the names allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TOP = 10
"""Most inputs listed."""

LARGEST_CONFUSION = 10
"""Most classes whose confusion matrix is shown."""

METRICS = (
    *("logloss", "auc", "pr_auc", "error", "mean_per_class_error"),
    *("mean_residual_deviance", "rmse", "mae", "rmsle", "r2"),
)
"""The numbers shown, of those a kind of model has."""

NETWORK_COLUMNS = ("layer", "units", "type", "dropout", "mean_rate", "mean_weight", "weight_rms", "mean_bias")


def describe(report: Mapping[str, Any]) -> str:
    """What was trained, its layers, how good it is and which inputs matter."""
    sections = [_headline(report), text_table(report["layers"], NETWORK_COLUMNS)]
    frames = {name: report[f"{name}_metrics"] for name in ("training", "validation") if report.get(f"{name}_metrics")}
    if frames:
        sections.append(_metrics(frames))
        frame, metrics = list(frames.items())[-1]
        if metrics.get("confusion_matrix") and len(metrics["confusion_matrix"]["labels"]) <= LARGEST_CONFUSION:
            sections.append(_confusion(frame, metrics["confusion_matrix"]))
    importances = report.get("variable_importances") or []
    if importances:
        title = "Variable importances" + (f", the first {TOP} of {len(importances)}" if len(importances) > TOP else "")
        table = text_table(importances[:TOP], ("variable", "scaled_importance", "percentage"))
        sections.append(f"{title}\n{table}")
    return "\n\n".join(sections)


def text_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows under their column names; text to the left, numbers to the right, no column that is empty throughout."""
    shown = [name for name in columns if any(row.get(name) is not None for row in rows)]
    cells = [[name.replace("_", " ") for name in shown], *([_cell(row.get(name)) for name in shown] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(shown))]
    is_text = [all(isinstance(row.get(name), str) for row in rows) for name in shown]
    lines = [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, is_text, strict=True)
        )
        for line in cells
    ]
    return "\n".join(f"  {line}".rstrip() for line in lines)


def _headline(report: Mapping[str, Any]) -> str:
    """What was trained on what, and for how long."""
    task = {"Binomial": "two-class classification", "Multinomial": "classification", "Regression": "regression"}
    weights = report["weights"]
    sparse = f", {weights['zero_share']:.1%} of them zero" if weights.get("zero_share") else ""
    return (
        f"{report['model_id']}: {task[report['category']]} of {report['response']}\n"
        f"  {report['rows']:,} rows, {report['predictors']} predictors, {report['inputs']:,} inputs, "
        f"{weights['total']:,} weights{sparse}\n"
        f"  {report['epochs']:.4g} epochs in {report['seconds']['total']:.1f} s "
        f"({report['training_speed']:,.0f} rows/s), ended by {report['stopped_by']}"
    )


def _metrics(frames: Mapping[str, Mapping[str, Any]]) -> str:
    """The metrics, one column for each frame."""
    names = [name for name in METRICS if any(metrics.get(name) is not None for metrics in frames.values())]
    rows = [{"metric": name} | {frame: metrics.get(name) for frame, metrics in frames.items()} for name in names]
    return text_table(rows, ("metric", *frames))


def _confusion(frame: str, confusion: Mapping[str, Any]) -> str:
    """The confusion matrix, with the share of errors of each actual class."""
    labels = confusion["labels"]
    rows = []
    for i, (label, counts) in enumerate(zip(labels, confusion["matrix"], strict=True)):
        total = sum(counts)
        error = 1 - counts[i] / total if total else None
        rows.append(
            {"actual": label}
            | {f"{label}": count for label, count in zip(labels, counts, strict=True)}
            | {"error": error}
        )
    table = text_table(rows, ("actual", *labels, "error"))
    return f"Confusion matrix ({frame}; rows: actual, columns: predicted)\n{table}"


def _cell(value: Any) -> str:
    """One value as text."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
