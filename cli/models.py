"""`h2olite evaluate`, `compare`, `show`, `varimp`, `history` and `weights`: what models are and how good they are."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from h2olite.display import bars, visible
from h2olite.errors import DataError

from .command_line import command_line
from .console import JSON, QUIET, Command
from .options import (
    MODEL,
    TABLE,
    TWO_CLASSES,
    Option,
    csv_from,
    csv_options,
    parameter_option,
    picture_option,
    refuse_undrawable_plot,
    threshold_option,
)
from .output import FORMAT, OUTPUT_HELP, destination, output_option, print_csv, write_table
from .places import Input, Output, Values
from .recognition import columns_of, is_table_of
from .report import describe, describe_comparison, describe_training, text_table
from .streams import print_json, print_text

if TYPE_CHECKING:
    import pandas as pd

CLASSES = "Classes"

LONGEST_BAR = 40
"""Characters of the longest bar of a chart."""

PLOT = picture_option("Draw it", "Options", "as well ")

CHART = click.Option(["--chart"], is_flag=True, help="Print a chart of text in place of CSV.")


class Costs(click.ParamType):
    """Two numbers with a colon between them."""

    name = "costs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Read both."""
        try:
            false_positive, false_negative = map(float, value.split(":"))
        except ValueError:
            self.fail(f"{value!r} is not FP:FN, two numbers such as 1:5.", param, ctx)
        return false_positive, false_negative


@click.command(
    cls=Command,
    params=[
        MODEL,
        TABLE,
        JSON,
        QUIET,
        threshold_option("the one with the largest F1 on TABLE"),
        Option(
            ["--cost", "costs"],
            type=Costs(),
            metavar="FP:FN",
            help="Costs of a false positive and of a false negative. Prints the expected cost per row. Without "
            "--threshold, the threshold is the one with the lowest expected cost.",
            section=TWO_CLASSES,
        ),
        Option(
            ["--curves"],
            type=Output("curves", is_table_of("curves")),
            metavar="OUT",
            help="Write fpr, tpr, precision, recall and more at every threshold, for ROC and PR curves, to a .csv, "
            ".parquet, .arrow or .feather file.",
            section=CLASSES,
        ),
        picture_option("Draw ROC curves, or a regression's residuals,", "Options"),
        parameter_option("auc_type", section=CLASSES),
        *csv_options(),
    ],
    examples=(
        "h2olite evaluate iris.h2olite iris.csv --auc-type weighted_ovr",
        "h2olite evaluate breast_cancer.h2olite breast_cancer.csv --cost 1:5",
    ),
)
def evaluate(
    path: str,
    source: str,
    as_json: bool,
    threshold: float | None,
    costs: tuple[float, float] | None,
    curves: Path | None,
    plot: Path | None,
    auc_type: str | None,
    **options: Any,
) -> None:
    """Measure MODEL on TABLE, which must hold the response: metrics, and a confusion matrix of classes."""
    target = None if curves is None else destination(curves)
    refuse_undrawable_plot(plot)
    import pyarrow as pa

    from h2olite import load_model
    from h2olite.data.reader import read_table
    from h2olite.trained.evaluation import classes_of_curves

    model = load_model(path)
    if curves is not None:
        classes_of_curves(model)  # a model without any is refused before the table is read
    table = read_table(source, schema=model.schema | model.response_schema, csv=csv_from(options).over(model.csv))
    metrics = model.model_performance(table, auc_type=auc_type, threshold=threshold, costs=costs)
    assert metrics is not None  # as it is for every table given
    if target is not None:
        with warnings.catch_warnings(action="ignore"):  # they have been told
            frame = model.curves(table)
        write_table([pa.Table.from_pandas(frame, preserve_index=False)], target)
    if plot is not None:
        draw = model.residual_analysis_plot if model.classes is None else model.roc_plot
        draw(table, save=plot)
    if as_json:
        print_json(
            {
                "model_id": model.model_id,
                "category": model.category,
                "rows": table.n_rows,
                "metrics": metrics.to_json(),
            }
        )
    else:
        print_text(str(metrics))
        if model.category == "Binomial" and model.default_threshold() != metrics["threshold"]:
            print_text(f"\npredict takes the model's own threshold, {model.default_threshold():.6g}.")


@click.command(
    cls=Command,
    params=[
        click.Argument(["paths"], type=Input("model"), nargs=-1, required=True, metavar="MODEL MODEL..."),
        TABLE,
        JSON,
        QUIET,
        click.Option(
            ["--resamples", "n_resamples"],
            type=click.IntRange(1, 1_000_000),
            default=1000,
            metavar="INT",
            help="Number of resampled tables for the intervals. Default: 1000.",
        ),
        click.Option(
            ["--seed"],
            type=click.IntRange(min=0),
            default=1,
            metavar="INT",
            help="Seed of the resampling. Default: 1.",
        ),
        *csv_options(),
    ],
    examples=["h2olite compare iris.h2olite sparse.h2olite iris.csv"],
)
def compare(paths: tuple[str, ...], source: str, as_json: bool, n_resamples: int, seed: int, **options: Any) -> None:
    """Measure models on TABLE, side by side, with 95 % intervals.

    Every model is compared with the first one. The intervals are those of a paired bootstrap: the rows of TABLE are
    resampled many times, in the same way for all models. If the interval of a difference contains 0, the difference
    may be chance.
    """
    if len(set(paths)) < 2:
        raise click.UsageError("name two different models or more, and the table last.")
    import h2olite
    from h2olite.data.reader import read_table
    from h2olite.selection.comparison import shared_csv, shared_schema

    models = {path: h2olite.load_model(path) for path in paths}
    table = read_table(
        source, schema=shared_schema(models.values()), csv=csv_from(options).over(shared_csv(models.values()))
    )
    compared = h2olite.compare(models, table, n_resamples=n_resamples, seed=seed)
    if as_json:
        print_json(compared.report())
    else:
        print_text(describe_comparison(compared))


@click.command(
    cls=Command,
    params=[
        MODEL,
        JSON,
        click.Option(["--command"], is_flag=True, help="Print the command line that trains the model again."),
    ],
    examples=("h2olite show iris.h2olite", "h2olite show iris.h2olite --command"),
)
def show(path: str, as_json: bool, command: bool) -> None:
    """Show MODEL: parameters, layers, scoring history, metrics and importances."""
    if command and as_json:
        raise click.UsageError("--command is a line for a shell; leave out --json.")
    from h2olite import load_model

    model = load_model(path)
    if command:
        print_text(command_line(model))
    elif as_json:
        print_json(model.report())
    else:
        print_text(f"{describe(model)}\n\n{describe_training(model)}")


@click.command(
    cls=Command,
    params=[
        MODEL,
        click.Option(
            ["--by-column"],
            is_flag=True,
            help="One row per column of the table, comparable whatever the number of its levels.",
        ),
        PLOT,
        CHART,
    ],
    examples=["h2olite varimp iris.h2olite > importances.csv", "h2olite varimp iris.h2olite --by-column --chart"],
)
def varimp(path: str, by_column: bool, plot: Path | None, chart: bool) -> None:
    """Print how much each input of MODEL matters, as CSV, most important first."""
    refuse_undrawable_plot(plot)
    from h2olite import load_model
    from h2olite.trained.importance import IMPORTANCE_COLUMNS

    model = load_model(path)
    rows = model.varimp(by_column=by_column)
    if rows is None:
        raise DataError(f"{path} has no variable importances; train it without --no-variable-importances.")
    assert isinstance(rows, list)  # as it is without use_pandas
    if plot is not None:
        model.varimp_plot(len(model.encoder.schema), save=plot)
    if chart:
        sizes = [
            {"variable": visible(row[0]), "scaled": round(row[2], 3), "": "█" * round(LONGEST_BAR * row[2])}
            for row in rows
        ]
        print_text(text_table(sizes, {"variable": "variable", "scaled": "importance", "": ""}))
        return
    print_csv(IMPORTANCE_COLUMNS, (dict(zip(IMPORTANCE_COLUMNS, row, strict=True)) for row in rows))


@click.command(
    cls=Command,
    params=[MODEL, PLOT, CHART],
    examples=["h2olite history iris.h2olite > history.csv", "h2olite history iris.h2olite --plot curve.png"],
)
def history(path: str, plot: Path | None, chart: bool) -> None:
    """Print the scoring history of MODEL as CSV, one row per measurement."""
    refuse_undrawable_plot(plot)
    from h2olite import load_model

    model = load_model(path)
    if model.record.maker is not None:
        raise DataError(f"{path} has no scoring history; it was imported, and {model.record.maker} left none in it.")
    if plot is not None:
        model.learning_curve_plot(save=plot)
    if chart:
        from h2olite.pictures.numbers import history_of

        found = history_of(model)
        rows = [
            {"rows": frame, "first": values[0], "": bars(values), "last": values[-1]}
            for frame, values in found.of_frames.items()
        ]
        print_text(f"{found.metric} by epochs, {found.epochs[0]:g} to {found.epochs[-1]:g}")
        print_text(text_table(rows, {"rows": "rows", "first": "first", "": "", "last": "last"}))
        return
    print_csv(dict.fromkeys(name for row in model.history for name in row), model.history)


def weights_of(path: str, layer: int, bias: bool) -> pd.DataFrame:
    """The weights, or biases, of a layer of a model file.

    Raises
    ------
    DataError : the model has no such layer.
    """
    from h2olite import load_model

    model = load_model(path)
    if not 1 <= layer <= model.network.n_layers:
        raise DataError(f"--layer must be from 1 to {model.network.n_layers}; got {layer}.")
    return model.biases(layer - 1) if bias else model.weights(layer - 1)


def has_these_columns(target: Path, values: Values) -> bool:
    """Whether a table has the columns of the weights that the command's options ask for: it has no other mark."""
    return columns_of(target) == list(weights_of(values["path"], values["layer"], values["bias"]))


@click.command(
    cls=Command,
    params=[
        MODEL,
        click.Option(
            ["--layer"],
            type=int,
            required=True,
            metavar="K",
            help="Layer: 1 is the first hidden one, the last the output.",
        ),
        click.Option(["--bias"], is_flag=True, help="The biases instead of the weights."),
        output_option("OUT", OUTPUT_HELP, Output("weights of this layer", has_these_columns)),
        FORMAT,
    ],
    examples=["h2olite weights iris.h2olite --layer 1 -o weights.csv"],
)
def weights(path: str, layer: int, bias: bool, output: Path | None, to: str | None) -> None:
    """Print the weights into layer K of MODEL: a row per unit, a column per input of the layer.

    They can be the --initial-weights of another model.
    """
    target = destination(output, to)
    import pyarrow as pa

    frame = weights_of(path, layer, bias)
    write_table([pa.Table.from_pandas(frame, preserve_index=False)], target)
