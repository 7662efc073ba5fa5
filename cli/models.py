"""`h2olite evaluate`, `show`, `varimp`, `history` and `weights`: what a model is and how good it is."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from h2olite.errors import DataError

from .command_line import command_line
from .console import JSON, QUIET, Command, print_json
from .options import MODEL, TABLE, TWO_CLASSES, Option, csv_from, csv_options, parameter_option, threshold_option
from .output import FORMAT, OUTPUT, destination, print_csv, write_table
from .report import describe, describe_comparison, describe_training

CLASSES = "Classes"


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
        threshold_option("that of the largest F1 on TABLE"),
        Option(
            ["--cost", "costs"],
            type=Costs(),
            metavar="FP:FN",
            help="What a false positive and a false negative cost: tells the expected cost per row, at the threshold "
            "where it is least unless --threshold is given.",
            section=TWO_CLASSES,
        ),
        Option(
            ["--curves"],
            type=click.Path(path_type=Path),
            metavar="OUT",
            help="Write fpr, tpr, precision, recall and more at every threshold, for ROC and PR curves, to a .csv, "
            ".parquet, .arrow or .feather file.",
            section=CLASSES,
        ),
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
    auc_type: str | None,
    **options: Any,
) -> None:
    """Measure MODEL on TABLE, which must hold the response: metrics, and a confusion matrix of classes."""
    target = destination(curves)
    import pyarrow as pa

    from h2olite import load_model
    from h2olite.data.reader import read_table
    from h2olite.model.evaluation import classes_of_curves

    model = load_model(path)
    if curves is not None:
        classes_of_curves(model)  # a model without any is refused before the table is read
    table = read_table(source, schema=model.schema | model.response_schema, csv=csv_from(options).over(model.csv))
    metrics = model.model_performance(table, auc_type=auc_type, threshold=threshold, costs=costs)
    assert metrics is not None  # as it is for every table given
    if curves is not None:
        with warnings.catch_warnings(action="ignore"):  # they have been told
            frame = model.curves(table)
        write_table([pa.Table.from_pandas(frame, preserve_index=False)], target)
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
        click.echo(str(metrics))
        if model.category == "Binomial" and model.default_threshold() != metrics["threshold"]:
            click.echo(f"\npredict takes the model's own threshold, {model.default_threshold():.6g}.")


@click.command(
    cls=Command,
    params=[
        click.Argument(["paths"], type=click.Path(), nargs=-1, required=True, metavar="MODEL MODEL..."),
        TABLE,
        JSON,
        QUIET,
        click.Option(
            ["--resamples", "n_resamples"],
            type=click.IntRange(min=1),
            default=1000,
            metavar="INT",
            help="Tables drawn for the intervals. Default: 1000.",
        ),
        click.Option(
            ["--seed"],
            type=click.IntRange(min=0),
            default=1,
            metavar="INT",
            help="Seed of the drawing. Default: 1.",
        ),
        *csv_options(),
    ],
    examples=["h2olite compare iris.h2olite sparse.h2olite iris.csv"],
)
def compare(paths: tuple[str, ...], source: str, as_json: bool, n_resamples: int, seed: int, **options: Any) -> None:
    """Measure models on TABLE, side by side, with 95 % intervals.

    Every model is held against the first one. The intervals are those of a paired bootstrap: tables of as many rows
    are drawn from TABLE, the same for all models. Where the interval of a difference holds 0, it may be chance.
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
        click.echo(describe_comparison(compared))


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
        click.echo(command_line(model))
    elif as_json:
        print_json(model.report())
    else:
        click.echo(f"{describe(model)}\n\n{describe_training(model)}")


@click.command(
    cls=Command,
    params=[
        MODEL,
        click.Option(
            ["--by-column"],
            is_flag=True,
            help="One row per column of the table, comparable whatever the number of its levels.",
        ),
    ],
    examples=["h2olite varimp iris.h2olite > importances.csv"],
)
def varimp(path: str, by_column: bool) -> None:
    """Print how much each input of MODEL matters, as CSV, most important first."""
    from h2olite import load_model
    from h2olite.model.importance import IMPORTANCE_COLUMNS

    model = load_model(path)
    rows = model.varimp(by_column=by_column)
    if rows is None:
        raise DataError(f"{path} has no variable importances; train it without --no-variable-importances.")
    assert isinstance(rows, list)  # as it is without use_pandas
    print_csv(IMPORTANCE_COLUMNS, (dict(zip(IMPORTANCE_COLUMNS, row, strict=True)) for row in rows))


@click.command(cls=Command, params=[MODEL], examples=["h2olite history iris.h2olite > history.csv"])
def history(path: str) -> None:
    """Print the scoring history of MODEL as CSV, one row per measurement."""
    from h2olite import load_model

    model = load_model(path)
    if model.record.maker is not None:
        raise DataError(f"{path} has no scoring history; it was imported, and {model.record.maker} left none in it.")
    print_csv(dict.fromkeys(name for row in model.history for name in row), model.history)


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
        OUTPUT,
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

    from h2olite import load_model

    model = load_model(path)
    if not 1 <= layer <= model.network.n_layers:
        raise DataError(f"--layer must be from 1 to {model.network.n_layers}; got {layer}.")
    frame = model.biases(layer - 1) if bias else model.weights(layer - 1)
    write_table([pa.Table.from_pandas(frame, preserve_index=False)], target)
