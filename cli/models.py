"""`h2olite evaluate`, `show`, `varimp`, `history` and `weights`: what a model is and how good it is."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import click

from h2olite.errors import DataError

from .console import Command, print_json
from .options import MODEL, TABLE, csv_from, csv_options, parameter_option
from .output import OUTPUT, refuse_unknown_format, refuse_unwritable, write_table
from .report import describe, describe_training

JSON = click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object on stdout.")


@click.command(
    cls=Command,
    params=[MODEL, TABLE, JSON, parameter_option("auc_type"), *csv_options()],
    examples=["h2olite evaluate iris.h2olite iris.csv --auc-type weighted_ovr"],
)
def evaluate(path: str, source: str, as_json: bool, auc_type: str | None, **options: Any) -> None:
    """Measure MODEL on TABLE, which must hold the response."""
    from h2olite import load_model
    from h2olite.data.reader import read_table

    model = load_model(path)
    table = read_table(source, schema=model.schema | model.response_schema, csv=csv_from(options))
    metrics = model.model_performance(table, auc_type=auc_type)
    assert metrics is not None  # as it is for every table given
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


@click.command(cls=Command, params=[MODEL, JSON], examples=["h2olite show iris.h2olite"])
def show(path: str, as_json: bool) -> None:
    """Show MODEL: parameters, layers, scoring history, metrics and importances."""
    from h2olite import load_model

    model = load_model(path)
    if as_json:
        print_json(model.report() | {"path": path})
    else:
        click.echo(f"{describe(model)}\n\n{describe_training(model)}")


@click.command(cls=Command, params=[MODEL], examples=["h2olite varimp iris.h2olite > importances.csv"])
def varimp(path: str) -> None:
    """Print how much each input of MODEL matters, as CSV, most important first."""
    from h2olite import load_model
    from h2olite.model.importance import IMPORTANCE_COLUMNS

    model = load_model(path)
    if model.varimp() is None:
        raise DataError(f"{path} has no variable importances; train it without --no-variable-importances.")
    writer = csv.DictWriter(sys.stdout, IMPORTANCE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(model.report()["variable_importances"])


@click.command(cls=Command, params=[MODEL], examples=["h2olite history iris.h2olite > history.csv"])
def history(path: str) -> None:
    """Print the scoring history of MODEL as CSV, one row per measurement."""
    from h2olite import load_model

    load_model(path).scoring_history().to_csv(sys.stdout, index=False)


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
    ],
    examples=["h2olite weights iris.h2olite --layer 1 -o weights.csv"],
)
def weights(path: str, layer: int, bias: bool, output: Path | None) -> None:
    """Print the weights into layer K of MODEL: a row per unit, a column per input of the layer.

    They can be the --initial-weights of another model.
    """
    if output is not None:
        refuse_unwritable(output)
        refuse_unknown_format(output)
    import pyarrow as pa

    from h2olite import load_model

    model = load_model(path)
    if not 1 <= layer <= model.network.n_layers:
        raise DataError(f"--layer must be from 1 to {model.network.n_layers}; got {layer}.")
    frame = model.biases(layer - 1) if bias else model.weights(layer - 1)
    write_table([pa.Table.from_pandas(frame, preserve_index=False)], output)
