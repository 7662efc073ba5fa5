"""A model as text for people, at most 80 columns wide where the names allow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from h2olite.display import visible, visible_values
from h2olite.settings.parameters import FRAMES, counted, declared

from .options import typed
from .progress import clock

if TYPE_CHECKING:
    from h2olite.model import Model
    from h2olite.selection.comparison import Comparison
    from h2olite.selection.rehearsal import Rehearsal

TOP = 10
"""Most inputs and measurements listed."""

TASKS = {
    "Binomial": "two-class classification",
    "Multinomial": "classification",
    "Regression": "regression",
    "AutoEncoder": "autoencoder",
}

LAYER_COLUMNS = {
    "layer": "layer",
    "units": "units",
    "type": "type",
    "dropout": "dropout %",
    "mean_rate": "mean rate",
    "weight_rms": "weight rms",
    "zero_share": "zero share",
}

MEMBER_COLUMNS = {
    "seed": "seed",
    "epochs": "epochs",
    "best_epochs": "best",
    "stopped_by": "stopped by",
    "stopping_value": "stopping metric",
}

IMPORTANCE_COLUMNS = {"variable": "variable", "scaled_importance": "scaled importance", "percentage": "percentage"}

SUMMARY_COLUMNS = {"metric": "metric", "mean": "mean of the folds", "sd": "standard deviation"}

HISTORY_COLUMNS = {"member": "network", "duration": "seconds", "epochs": "epochs"} | {
    f"{frame}_{name}": f"{short} {title}"
    for frame, short in (("training", "train"), ("validation", "valid"))
    for name, title in (
        ("logloss", "logloss"),
        ("deviance", "deviance"),
        ("classification_error", "error"),
        ("mae", "mae"),
        ("mse", "mse"),
    )
}


COLUMN_COLUMNS = {
    "name": "column",
    "type": "type",
    "role": "role",
    "missing": "missing",
    "examples": "",
}

MOST_LISTED = 50
"""Most columns of a table listed."""

LONGEST_LIST = 28
"""Characters shown of a column's levels."""

LONGEST = 1e12
"""Seconds told at the most."""

COMPARISON_COLUMNS = {
    "model": "model",
    "value": "value",
    "interval": "interval",
    "difference": "difference",
    "of_difference": "interval",
    "verdict": "verdict",
}


def describe(model: Model) -> str:
    """What was trained, its layers, how good it is and which inputs matter."""
    report = visible_values(model.report())
    sections = [_headline(report), text_table(report["layers"], LAYER_COLUMNS), *_metrics(model)]
    if model.classes is not None and _measured(model):
        frame, metrics = list(_measured(model).items())[-1]
        sections.append(f"On the {frame} rows\n{metrics.confusion_matrix()}")
    if model.cross_validation is not None:
        sections.append(f"Cross-validation\n{text_table(model.cross_validation.summary(), SUMMARY_COLUMNS)}")
    if report["members"]:
        sections.append(f"Networks of the ensemble\n{text_table(report['members'], MEMBER_COLUMNS)}")
    importances = report["variable_importances"]
    if importances:
        sections.append(
            f"Variable importances{_first(importances)}\n{text_table(importances[:TOP], IMPORTANCE_COLUMNS)}"
        )
    return "\n\n".join(sections)


def describe_training(model: Model) -> str:
    """The parameters that are not at their default, and the last measurements."""
    measurements = [row for row in model.history if "training_rmse" in row]
    last = f", the last {TOP} of {len(measurements)}" if len(measurements) > TOP else ""
    sections = [*_origin(model), _parameters(model.report()["parameters"])]
    if measurements:
        sections.append(f"Scoring history{last}\n{text_table(measurements[-TOP:], HISTORY_COLUMNS)}")
    return "\n\n".join(sections)


def describe_rehearsal(rehearsal: Rehearsal) -> str:
    """What would be trained, on what, and what it takes."""
    sizes = "-".join(map(str, rehearsal.sizes))
    response = "" if rehearsal.response is None else f" of {visible(rehearsal.response)}"
    memory = rehearsal.memory
    amounts = [
        {"use": use, "MiB": round(amount / 2**20)} for use, amount in [*memory._asdict().items(), ("all", memory.total)]
    ]
    columns = [
        column
        | ({"type": f"{len(levels)} levels", "examples": _listed(levels)} if (levels := column["levels"]) else {})
        for column in rehearsal.columns
    ]
    sections = [
        f"{TASKS[rehearsal.category]}{response} from {rehearsal.rows:,} rows\n  network {sizes}, "
        f"{rehearsal.weights:,} weights",
        f"Columns{_first(columns, MOST_LISTED)}\n{text_table(columns[:MOST_LISTED], COLUMN_COLUMNS)}",
        _parameters(rehearsal.parameters),
        f"Memory at the peak\n{text_table(amounts, {'use': 'used for', 'MiB': 'MiB'})}",
        f"Time: about {clock(math.ceil(min(rehearsal.seconds, LONGEST)))} for all epochs, at the "
        f"{rehearsal.rows_per_second:,.0f} rows/s of a short probe;\n"
        "  early stopping may end it sooner, scoring comes on top.",
        "This was a dry run: nothing is written.",
    ]
    return "\n\n".join(sections)


def describe_comparison(compared: Comparison) -> str:
    """For each metric a line per model, with its difference to the first one."""
    head = (
        f"{compared.category} models of {visible(compared.response)} on {compared.n_rows:,} rows, with 95 % intervals "
        f"of {compared.n_resamples:,} resamples"
    )
    n = len(compared.names)
    cells = [
        {
            "model": row["model"],
            "value": row["value"],
            "interval": f"{row['low']:.3g}..{row['high']:.3g}",
            "difference": None if row["verdict"] is None else f"{row['difference']:+.3g}",
            "of_difference": row["verdict"] and f"{row['difference_low']:.3g}..{row['difference_high']:.3g}",
            "verdict": row["verdict"],
        }
        for row in compared.rows()
    ]
    title, *lines = text_table(cells, COMPARISON_COLUMNS).splitlines()
    by_metric = zip(compared.values, (lines[i : i + n] for i in range(0, len(lines), n)), strict=True)
    return "\n\n".join([f"{head}\n\n{title}", *("\n".join([metric, *group]) for metric, group in by_metric)])


def text_table(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Rows under titles; text to the left, numbers to the right, and no column that is empty throughout."""
    columns = []
    for name, title in titles.items():
        values = [row.get(name) for row in rows]
        if any(value is not None for value in values):
            cells = [title, *map(_cell, values)]
            width = max(map(len, cells))
            is_text = all(isinstance(value, str) for value in values if value is not None)
            columns.append([cell.ljust(width) if is_text else cell.rjust(width) for cell in cells])
    return "\n".join(f"  {'  '.join(line)}".rstrip() for line in zip(*columns, strict=True))


def _origin(model: Model) -> list[str]:
    """What the model was made of, if that is known."""
    origin = visible_values(model.record.origin)
    if origin is None:
        return []
    packages = ", ".join(f"{name} {version}" for name, version in origin["packages"].items())
    rows = [
        {"table": frame.replace("_", " "), "path": "in memory", "digest": table["digest"][:12], "rows": table["rows"]}
        | (table["source"] or {})
        for frame in FRAMES
        if (table := origin[frame]) is not None
    ]
    columns = {"table": "table", "path": "read from", "rows": "rows", "digest": "digest"}
    return [f"Made by h2olite {visible(model.record.version)}\n  with {packages}\n{text_table(rows, columns)}"]


def _headline(report: Mapping[str, Any]) -> str:
    """What was trained on what, and for how long."""
    features, weights, maker = report["features"], report["weights"], report["maker"]
    unused = f" ({features['total'] - features['used']} unused)" if features["unused"] else ""
    zero = f" ({weights['zero_share']:.1%} zero)" if weights["nonzero"] < weights["total"] else ""
    usable = report["usable_rows"]
    part = "" if usable in (None, report["rows"]) else f"{usable:,} of "
    rows = "" if maker else f"{part}{counted(report['rows'], 'row')}, "
    response = "" if report["response"] is None else f" of {report['response']}"
    return (
        f"{report['model_id']}: {TASKS[report['category']]}{response}\n"
        f"  {rows}{counted(report['predictors'], 'predictor')}{unused}, {counted(report['inputs'], 'input')}, "
        f"{counted(weights['total'], 'weight')}{zero}\n"
        f"  {_training(report)}{_penalties(report)}"
    )


def _penalties(report: Mapping[str, Any]) -> str:
    """What the penalties take, if there are any."""
    objective = report["objective"]
    if not objective["penalty"]:
        return ""
    share = objective["penalty_share"]
    of = "" if share is None else f" to a training loss of {objective['loss']:.4g}, {share:.1%} of what was minimised"
    found = [layer["violation"] for layer in report["layers"] if layer.get("violation") is not None]
    optimum = f"\n  at most {max(found):.2g} from the conditions of an optimum" if found else ""
    return f"\n  penalties add {objective['penalty']:.4g}{of}{optimum}"


def _training(report: Mapping[str, Any]) -> str:
    """How long it was trained, or that nobody knows."""
    if report["maker"] is not None:
        return f"imported; made by {report['maker']}, how and how well is not in the file"
    reason, seconds, best = report["stopped_by"], report["seconds"], report["best_epochs"]
    notes = []
    if reason != "epochs":
        notes.append("interrupted" if reason == "interrupted" else f"ended by {reason}")
    if best is not None and best < report["epochs"]:
        notes.append(f"kept is the model after {counted(best, 'epoch')}, the best measured")
    trained = counted(report["epochs"], "epoch")
    speed = f"{report['training_speed']:,.0f} rows/s"
    networks = len(report["members"] or ())
    trained = f"{networks} networks, on average {trained} each," if networks else trained
    told = f"{trained} in {seconds['train']:.2f} s ({speed}), {seconds['total']:.1f} s in all"
    return f"{told}\n  {'; '.join(notes)}" if notes else told


def _measured(model: Model) -> dict[str, Any]:
    """The metrics by frame, those that say most about new rows last."""
    frames = {
        "training": model.training_metrics,
        "validation": model.validation_metrics,
        "cross-validation": model.cross_validation_metrics,
    }
    return {frame: metrics for frame, metrics in frames.items() if metrics is not None}


def _metrics(model: Model) -> Iterator[str]:
    """The headline numbers, one column for each frame, if the model was measured."""
    frames = _measured(model)
    if frames:
        names = next(iter(frames.values())).headline
        rows = [{"metric": name} | {frame: metrics[name] for frame, metrics in frames.items()} for name in names]
        sampled = model.record.sampled
        note = "" if sampled is None else f"\n  training: of {counted(sampled, 'row')} drawn at random"
        yield text_table(rows, {"metric": "metric"} | {frame: frame for frame in frames}) + note


def _parameters(values: Mapping[str, Any]) -> str:
    """The parameters that are not at their default."""
    rows = [
        {"parameter": name, "value": typed(declared()[name], value)}
        for name, value in values.items()
        if value != declared()[name].default
    ]
    return f"Parameters other than the defaults\n{text_table(rows, {'parameter': 'parameter', 'value': 'value'})}"


def _listed(levels: Sequence[str]) -> str:
    """The first levels, as far as they fit."""
    text = ", ".join(levels)
    return text if len(text) <= LONGEST_LIST else f"{text[: LONGEST_LIST - 3]}..."


def _first(rows: Sequence[Any], most: int = TOP) -> str:
    """Says that only some of the rows are listed, if so."""
    return f", the first {most} of {len(rows)}" if len(rows) > most else ""


def _cell(value: Any) -> str:
    """One value as text."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))
