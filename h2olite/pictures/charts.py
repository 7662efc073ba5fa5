"""Charts of a model: each function draws the numbers of one question into a figure of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.frames import as_table, rows_to_predict
from h2olite.data.splits import random_stream
from h2olite.data.table import Table
from h2olite.display import visible
from h2olite.errors import DataError
from h2olite.trained.contributions import BIAS

from .canvas import name_ticks, new_figure, write_names
from .numbers import Calibration, Curve, Dependence, History, Judged, largest, sampled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2f6fb0", "#d9822b", "#888888"

MOST_POINTS = 2_000
"""Rows that a chart of single rows shows."""

LONGEST_NAME = 40
"""Characters of a name beside a chart."""


def draw_bars(names: Sequence[str], sizes: Sequence[float], title: str) -> Figure:
    """Horizontal bars, the first on top."""
    figure = new_figure(0.8 + 0.28 * max(len(names), 2))
    axes = figure.subplots()
    axes.barh(range(len(names)), sizes, color=[BLUE if size >= 0 else ORANGE for size in sizes])
    axes.axvline(0, color=GREY, linewidth=0.8)
    _name_rows(axes, names)
    axes.set_xlabel(title)
    return figure


def draw_history(history: History) -> Figure:
    """A metric against epochs."""
    figure = new_figure()
    axes = figure.subplots()
    for (frame, values), colour in zip(history.of_frames.items(), (BLUE, ORANGE), strict=False):
        axes.plot(history.epochs, values, marker=".", color=colour, label=f"{frame} rows")
    for k, (epochs, values) in enumerate(history.of_folds):
        axes.plot(epochs, values, color=GREY, linewidth=0.8, label=None if k else "folds of cross-validation")
    if history.chosen is not None:
        axes.axvline(history.chosen, color=GREY, linestyle="--", linewidth=1, label="the model")
    axes.set_xlabel("epochs")
    axes.set_ylabel(history.metric)
    axes.legend()
    return figure


def draw_dependence(dependence: Dependence, *, n_lines: int = 0) -> Figure:
    """The mean prediction for each value of a column; `n_lines` : of how many single rows there is a line."""
    figure = new_figure(3.2)
    axes = figure.subplots()
    means = dependence.lines.mean(axis=0)
    is_categorical = any(isinstance(value, str) for value in dependence.values)
    x: Any = range(len(means)) if is_categorical else dependence.values
    for line in dependence.lines[:n_lines]:
        axes.plot(x, line, color=GREY, linewidth=0.5, alpha=0.4)
    if is_categorical:
        axes.plot(x, means, color=BLUE, marker="o", linestyle="none" if n_lines == 0 else "-", linewidth=2)
        name_ticks(axes.xaxis, map(_short, dependence.values))
        axes.tick_params(axis="x", rotation=0 if len(means) <= 6 else 90)
    else:
        axes.plot(x, means, color=BLUE, linewidth=2)
        axes.plot(
            dependence.observed,
            np.zeros(dependence.observed.size),
            "|",
            color=GREY,
            alpha=0.5,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )
    write_names([axes.set_xlabel(" "), axes.set_ylabel(" ")], [_short(dependence.column), _short(dependence.target)])
    return figure


def draw_contributions(contributions: pd.DataFrame, rows: Table, n_columns: int, title: str) -> Figure:
    """A point for each row and each of the columns that contribute most, coloured by the column's value.

    Parameters
    ----------
    contributions : a column for each predictor.
    rows : the table that they are of.
    """
    names = [name for name in contributions.columns if name != BIAS]
    shown = largest(names, contributions[names].to_numpy(), n_columns)
    figure = new_figure(1.2 + 0.35 * max(len(shown), 2))
    axes = figure.subplots()
    random = random_stream(1, "jitter")
    colours: Any = None
    for place, index in enumerate(shown):
        values = contributions[names[index]].to_numpy()
        jitter = np.clip(random.normal(0, 0.12, values.size), -0.35, 0.35)
        colours = axes.scatter(
            values, place + jitter, c=_shares(rows[names[index]].values), cmap="coolwarm", vmin=0, vmax=1, s=6
        )
    axes.axvline(0, color=GREY, linewidth=0.8)
    _name_rows(axes, [names[index] for index in shown])
    axes.set_xlabel(title)
    if colours is not None:
        bar = figure.colorbar(colours, ax=axes, ticks=[0, 1])
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("value of the column")
    return figure


def draw_residuals(of: Judged) -> Figure:
    """The residual of each row against its prediction."""
    figure = new_figure()
    axes = figure.subplots()
    rows = _some(of.actual.size)
    axes.scatter(of.predicted[rows], of.actual[rows] - of.predicted[rows], s=8, color=BLUE, alpha=0.4)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual - predicted")
    return figure


def draw_errors(errors: np.ndarray) -> Figure:
    """How many rows have a reconstruction error of each size."""
    figure = new_figure(3.2)
    axes = figure.subplots()
    axes.hist(errors, bins=50, color=BLUE)
    axes.set_xlabel("reconstruction error")
    axes.set_ylabel("rows")
    return figure


def draw_partial(tables: Sequence[pd.DataFrame], names: Sequence[str], *, with_deviations: bool) -> Figure:
    """The tables of `partial_plot`, each in a chart of its own: mean predictions, with their standard deviations.

    names : what is predicted, for each table.
    """
    figure = new_figure(3.2 * len(tables))
    for axes, table, name in zip(figure.subplots(len(tables), squeeze=False)[:, 0], tables, names, strict=True):
        column = table.columns[0]
        means, deviations = (table[title].to_numpy() for title in ("mean_response", "stddev_response"))
        values = ["(missing)" if value is None else value for value in table[column]]
        if any(isinstance(value, str) for value in values):
            x: Any = np.arange(len(values))
            axes.errorbar(x, means, deviations if with_deviations else None, color=BLUE, marker="o", linestyle="none")
            name_ticks(axes.xaxis, map(_short, values))
            axes.tick_params(axis="x", rotation=0 if len(values) <= 6 else 90)
        else:
            axes.plot(values, means, color=BLUE, linewidth=2)
            if with_deviations:
                axes.fill_between(values, means - deviations, means + deviations, color=BLUE, alpha=0.2)
        write_names([axes.xaxis.label, axes.yaxis.label], [_short(column), f"mean of {name}"])
    return figure


def draw_curves(curves: Sequence[Curve], kind: str) -> Figure:
    """The curve of each class: ``"roc"``, ``"pr"`` (precision and recall), or ``"lift"``."""
    figure = new_figure()
    axes = figure.subplots()
    lines, names = [], []
    for curve in curves:
        if kind == "roc":
            x, y = np.append(0, curve.fpr), np.append(0, curve.tpr)
            names.append(f"{curve.name}, area {curve.auc:.3f}")
        elif kind == "pr":
            x, y = np.append(0, curve.tpr), np.append(curve.precision[0], curve.precision)
            names.append(f"{curve.name}, area {curve.pr_auc:.3f}")
        else:
            share = curve.share
            x, y = share, curve.tpr / share
            names.append(curve.name)
        lines += axes.plot(x, y, linewidth=1.5)
    if kind == "roc":
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    axes.set_xlabel({"roc": "false positive rate", "pr": "recall"}.get(kind, "share of the rows, by probability"))
    axes.set_ylabel({"roc": "true positive rate", "pr": "precision"}.get(kind, "lift"))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None if kind == "lift" else 1.02)
    legend = axes.legend(lines, ["." for _ in lines], fontsize="small")
    write_names(legend.get_texts(), map(_short, names))
    return figure


def draw_calibration(calibration: Calibration) -> Figure:
    """The observed share against the predicted probability."""
    figure = new_figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    axes.plot(calibration.predicted, calibration.observed, marker="o", color=BLUE)
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("observed share")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    return figure


def draw_confusion(matrix: np.ndarray, names: Sequence[str]) -> Figure:
    """The share of the rows of each actual class that is predicted as each class.

    matrix : float64 (n_classes, n_classes), the weight of the rows by actual and predicted class.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-300)
    room = 0.12 * max(len(_short(name)) for name in names)
    figure = new_figure(2 + 0.8 * len(names) + room, 3 + 0.8 * len(names) + room)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i in range(len(names)):
        for j in range(len(names)):
            axes.text(
                j, i, f"{matrix[i, j]:,.0f}", ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black"
            )
    name_ticks(axes.xaxis, map(_short, names))
    name_ticks(axes.yaxis, map(_short, names))
    axes.tick_params(axis="x", rotation=90)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    return figure


def contributions_of(
    model: Any, frame: Any, background: Any, n_rows: int, target: str | None
) -> tuple[pd.DataFrame, Table]:
    """The contributions in some rows of a frame, and these rows; of three or more classes to that of one class.

    Parameters
    ----------
    background : the rows to compare with; those that the model keeps, or else some of the frame's own, if None.
    """
    table = as_table(frame, name="frame", schema=model.schema, csv=model.csv)
    rows = sampled(table, n_rows)
    if background is not None:
        usual = sampled(rows_to_predict(background, model.schema, "background_frame"), 100)
    else:
        usual = sampled(table, 100) if model.background is None else model.background
    return of_class(model, model.predict_contributions(rows, usual), target), rows


def draw_summary(model: Any, table: Table, columns: Mapping[str, np.ndarray]) -> Figure:
    """What `draw_contributions` draws, for at most 2,000 rows of a table whose contributions are known.

    columns : as `Attribution.columns` gives them; of three or more classes, those of the last one are drawn.
    """
    import pandas as pd

    rows = _some(table.n_rows)
    found = of_class(model, pd.DataFrame({name: values[rows] for name, values in columns.items()}), None)
    return draw_contributions(found, table.take(rows), 20, "contribution")


def of_class(model: Any, found: pd.DataFrame, target: str | None) -> pd.DataFrame:
    """The contributions to one class of three or more, the last one if None; with fewer, all contributions."""
    if model.category == "Multinomial":
        classes = model.classes
        chosen = classes[-1] if target is None else target
        if chosen not in classes:
            raise DataError(f"{chosen!r} is no class of {model.response_column!r}: {', '.join(classes)}.")
        suffix = f".{chosen}"
        names = [name for name in (*model.encoder.schema, BIAS) if f"{name}{suffix}" in found]
        found = found[[f"{name}{suffix}" for name in names]].set_axis(names, axis=1)
    return found


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names at the left, the first on top."""
    name_ticks(axes.yaxis, map(_short, names))
    axes.invert_yaxis()


def _short(name: Any) -> str:
    """A name that fits beside a chart."""
    text = visible(str(name))
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


def _shares(values: np.ndarray) -> np.ndarray:
    """Where each value is among the others, from 0 to 1; missing ones in the middle."""
    numbers = np.where(values < 0, np.nan, values) if values.dtype.kind == "i" else values
    known = np.unique(numbers[~np.isnan(numbers)])
    if known.size < 2:
        return np.full(values.size, 0.5)
    return np.where(np.isnan(numbers), 0.5, np.searchsorted(known, numbers) / (known.size - 1))


def _some(n_rows: int) -> np.ndarray:
    """The indices of at most `MOST_POINTS` rows."""
    if n_rows <= MOST_POINTS:
        return np.arange(n_rows)
    return random_stream(1, "points").choice(n_rows, MOST_POINTS, replace=False)
