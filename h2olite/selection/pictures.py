"""Pictures of regularisation paths."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from h2olite.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .path import RegularizationPath

MOST_NAMED = 10
"""Predictors that the legend names: those with the largest norms."""


def draw(path: RegularizationPath) -> Figure:
    """Loss and zero weights above, norms of the predictors' weights below, both against the strength.

    Where two penalties vary, there is a line for each strength of the slower one, and norms are those of the chosen
    one's.

    Raises
    ------
    MissingExtraError : matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("pictures need matplotlib: pip install 'h2olite[plot]'.") from error
    figure = Figure(figsize=(8, 8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_losses(path, above)
    _draw_norms(path, below)
    strengths = {row[path.names[-1]] for row in path.rows()}
    if min(strengths) > 0:
        below.set_xscale("log")
    elif len(strengths) > 1:
        below.set_xscale("symlog", linthresh=min(strengths - {0.0}))
    below.set_xlabel(path.names[-1])
    return figure


def _draw_losses(path: RegularizationPath, axes: Axes) -> None:
    """Validation loss with its standard error, training loss, and the share of zeros on a second scale."""
    *slower, name = path.names
    rows = path.rows()
    zeros = axes.twinx()
    for strengths, group in itertools.groupby(rows, key=lambda row: [row[other] for other in slower]):
        points = list(group)
        x = [row[name] for row in points]
        others = ", ".join(f"{other} {strength:g}" for other, strength in zip(slower, strengths, strict=True))
        (line, *_) = axes.errorbar(
            x,
            [row["validation_loss"] for row in points],
            [row["standard_error"] for row in points],
            marker="o",
            capsize=3,
            label=others or "validation",
        )
        if not others:
            axes.plot(x, [row["training_loss"] for row in points], marker=".", label="training")
        zeros.plot(
            x, [row["zero_share"] for row in points], linestyle=":", color=line.get_color() if others else "grey"
        )
    for choice, index, style in (("best", path.best, "-"), ("best_1se", path.best_1se, "--")):
        axes.axvline(rows[index][name], color="black", linewidth=0.8, linestyle=style, label=choice)
    axes.set_ylabel(path.sort_metric)
    zeros.set_ylabel("share of weights that are 0 (dotted)")
    zeros.set_ylim(0, 1)
    axes.legend(fontsize="small")


def _draw_norms(path: RegularizationPath, axes: Axes) -> None:
    """A line for every predictor."""
    *slower, name = path.names
    rows = path.rows()
    shown = [i for i, row in enumerate(rows) if all(row[other] == rows[path.chosen][other] for other in slower)]
    norms = path.column_norms().iloc[shown]
    named = set(norms.max().nlargest(MOST_NAMED).index)
    for predictor in norms:
        axes.plot(
            [rows[i][name] for i in shown],
            norms[predictor],
            label=predictor if predictor in named else None,
            color=None if predictor in named else "lightgrey",
            zorder=2 if predictor in named else 1,
        )
    axes.set_ylabel("norm of the weights of each predictor")
    if named:
        axes.legend(fontsize="small", ncols=2)
