"""Pictures of regularisation paths and of chosen columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from h2olite.pictures.canvas import name_ticks, new_figure, write_names

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MOST_NAMED = 10
"""Predictors that the legend names: those that stay longest, with the largest norms at the end."""


class Drawn(NamedTuple):
    """What a picture shows of a path.

    names : of its penalties.
    rows : what is known of every point, as `RegularizationPath.rows` gives it.
    column_norms : a row for every point, a column for every predictor.
    best, best_1se, chosen : indices of points.
    sort_metric : what the losses are.
    """

    names: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    column_norms: pd.DataFrame
    best: int
    best_1se: int
    chosen: int
    sort_metric: str


def draw(path: Drawn) -> Figure:
    """Loss and zero weights above, norms of the predictors' weights below, both against the strength.

    Where several penalties vary, the one with most strengths runs along the axis. There is a line for each combination
    of the others, and norms are those of the chosen one.

    Raises
    ------
    MissingExtraError : matplotlib is not installed.
    """
    rows = path.rows
    # max takes the first of equals: of as many strengths, the penalty that varies fastest runs along the axis
    along = max(reversed(path.names), key=lambda name: len({row[name] for row in rows}))
    others = [name for name in path.names if name != along]
    figure = new_figure(8, 10)
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_losses(path, above, along, others)
    _draw_norms(path, below, along, others)
    strengths = {row[along] for row in rows}
    if min(strengths) > 0:
        below.set_xscale("log")
    elif len(strengths) > 1:
        below.set_xscale("symlog", linthresh=min(strengths - {0.0}))
    below.set_xlabel(along)
    return figure


MOST_SHOWN = 30
"""Columns whose shares a picture shows."""


def draw_columns(
    losses: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]], n_chosen: int, sort_metric: str
) -> Figure:
    """Losses against the number of columns above, shares of half tables of the first columns below.

    Parameters
    ----------
    losses, columns : as `Selection.losses` and `Selection.rows` give them.

    Raises
    ------
    MissingExtraError : matplotlib is not installed.
    """
    shown = columns[: max(min(2 * n_chosen, MOST_SHOWN), min(len(columns), 10))]
    figure = new_figure(4 + 0.25 * len(shown), 10)
    above, below = figure.subplots(2, 1, height_ratios=[3.5, 0.5 + 0.25 * len(shown)])
    for method in dict.fromkeys(row["method"] for row in losses):
        of_method = [row for row in losses if row["method"] == method]
        above.errorbar(
            [row["columns"] for row in of_method],
            [row["loss"] for row in of_method],
            [row["standard_error"] for row in of_method],
            marker="o",
            capsize=3,
            label=method,
        )
    above.axvline(n_chosen, color="black", linewidth=0.8, linestyle="--", label="chosen")
    above.set_xscale("log")
    above.set_xlabel("number of columns")
    above.set_ylabel(sort_metric)
    above.legend()
    places = range(len(shown))
    below.barh(places, [row["share"] for row in shown], color=["C0" if row["chosen"] else "lightgrey" for row in shown])
    name_ticks(below.yaxis, [row["column"] for row in shown])
    below.invert_yaxis()
    below.set_xlim(0, 1)
    below.set_xlabel("share of the half tables in which the column is chosen")
    return figure


def _draw_losses(path: Drawn, axes: Axes, along: str, others: list[str]) -> None:
    """Validation loss with its standard error, training loss, and the share of zeros on a second scale."""
    rows = path.rows
    lines: dict[tuple[float, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        lines.setdefault(tuple(row[name] for name in others), []).append(row)
    zeros = axes.twinx()
    for strengths, points in lines.items():
        x = [row[along] for row in points]
        (line, *_) = axes.errorbar(
            x,
            [row["validation_loss"] for row in points],
            [row["standard_error"] for row in points],
            marker="o",
            capsize=3,
            label=_named(others, strengths) or "validation",
        )
        if not others:
            axes.plot(x, [row["training_loss"] for row in points], marker=".", label="training")
        zeros.plot(
            x, [row["zero_share"] for row in points], linestyle=":", color=line.get_color() if others else "grey"
        )
    for choice, index, style in (("best", path.best, "-"), ("best_1se", path.best_1se, "--")):
        where = _named(others, [rows[index][name] for name in others])
        label = f"{choice} ({where})" if where else choice
        axes.axvline(rows[index][along], color="black", linewidth=0.8, linestyle=style, label=label)
    axes.set_ylabel(path.sort_metric)
    zeros.set_ylabel("share of weights that are 0 (dotted)")
    zeros.set_ylim(0, 1)
    _name_lines(axes, *axes.get_legend_handles_labels())


def _draw_norms(path: Drawn, axes: Axes, along: str, others: list[str]) -> None:
    """A line for every predictor."""
    rows = path.rows
    chosen = rows[path.chosen]
    shown = [i for i, row in enumerate(rows) if all(row[name] == chosen[name] for name in others)]
    norms = path.column_norms.iloc[shown]
    from_the_end = norms.iloc[::-1].to_dict("list")
    named = sorted(from_the_end, key=lambda predictor: from_the_end[predictor], reverse=True)[:MOST_NAMED]
    lines = []
    for predictor in norms:
        lines += axes.plot(
            [rows[i][along] for i in shown],
            norms[predictor],
            color=None if predictor in named else "lightgrey",
            zorder=2 if predictor in named else 1,
        )
    where = _named(others, [chosen[name] for name in others])
    axes.set_ylabel("norm of the weights of each predictor" + (f",\n{where}" if where else ""))
    told = [(line, str(name)) for line, name in zip(lines, norms, strict=True) if name in named]
    _name_lines(axes, [line for line, _ in told], [name for _, name in told])


def _named(names: list[str], strengths: Sequence[float]) -> str:
    """Penalties and their strengths, such as ``l1 0.001, l2 0.01``."""
    return ", ".join(f"{name} {strength:g}" for name, strength in zip(names, strengths, strict=True))


def _name_lines(axes: Axes, lines: Sequence[Artist], names: Sequence[str]) -> None:
    """A legend beside the axes, where it hides neither them nor a second scale.

    Names are put in afterwards, as they are: matplotlib leaves out those that begin with ``_``, and typesets formulas.
    """
    if not lines:
        return
    places = [str(number) for number in range(len(lines))]
    legend = axes.legend(
        lines, places, fontsize="small", loc="upper left", bbox_to_anchor=(1.1, 1.0), borderaxespad=0.0
    )
    write_names(legend.get_texts(), names)
