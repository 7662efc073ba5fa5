"""`h2olite predict`, `contributions`, `anomaly` and `features`: a row of results for every row of a table."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import h2olite
from h2olite.errors import DataError
from h2olite.kinds.attribution import DEEP_SHAP, METHODS
from h2olite.machine.threads import Threads

from .console import QUIET, Command, Console
from .options import (
    MODEL,
    TABLE,
    CommaList,
    csv_from,
    csv_options,
    picture_option,
    refuse_undrawable_plot,
    threshold_option,
)
from .output import FORMAT, Destination, destination, table_output, write_table
from .places import Input

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from h2olite.data.adaptation import Adaptation
    from h2olite.data.table import Table
    from h2olite.model import ColumnsOf, Model

Made = TypeVar("Made")

MOST_ROWS, MOST_CELLS = 65_536, 1 << 22
"""Rows worked on at a time, and their numbers: an autoencoder may have very many outputs."""


def shared_params(results: str, *own: click.Parameter) -> list[click.Parameter]:
    """The arguments and options of a command of this module that gives such results."""
    keep = click.Option(
        ["--keep"],
        type=CommaList(click.STRING),
        default="",
        metavar="NAMES",
        help="Columns of TABLE to copy in front of the results.",
    )
    return [MODEL, TABLE, *own, table_output(results), FORMAT, keep, QUIET, *csv_options()]


@click.command(
    cls=Command,
    params=shared_params("predictions", threshold_option("the threshold of the model, which `show` prints")),
    examples=(
        "h2olite predict iris.h2olite iris.csv --keep species -o predictions.csv",
        "h2olite predict iris.h2olite - < iris.csv | head -3",
    ),
)
@click.pass_obj
def predict(
    console: Console, path: str, output: Path | None, to: str | None, threshold: float | None, **options: Any
) -> None:
    """Predict every row of TABLE with MODEL, in order.

    A classifier gives the predicted class and the probability of each class, a regression the predicted number, an
    autoencoder its reconstruction of every input. Memory does not grow with the table.
    """
    target = destination(output, to)
    model = h2olite.load_model(path)
    if threshold is not None:
        model.reset_threshold(threshold)
    transform(console, model, target, model.predict_columns, int(model.network.layout.sizes[-1]), **options)


@click.command(
    cls=Command,
    params=shared_params(
        "anomalies", click.Option(["--per-feature"], is_flag=True, help="The squared error of every input.")
    ),
    examples=["h2olite anomaly usual.h2olite wine.csv -o errors.csv"],
)
@click.pass_obj
def anomaly(
    console: Console, path: str, output: Path | None, to: str | None, per_feature: bool, **options: Any
) -> None:
    """Tell how badly MODEL, an autoencoder, reconstructs every row of TABLE: the mean squared error over the inputs.

    Rows unlike those it was trained on have large errors. Memory does not grow with the table.
    """
    target = destination(output, to)
    model = h2olite.load_model(path)
    columns_of = functools.partial(model.anomaly_columns, per_feature=per_feature)
    transform(console, model, target, columns_of, model.encoder.n_inputs if per_feature else 1, **options)


@click.command(
    cls=Command,
    params=shared_params(
        "features",
        click.Option(["--layer"], type=int, required=True, metavar="K", help="Hidden layer: 1 is the first one."),
    ),
    examples=["h2olite features usual.h2olite wine.csv --layer 1 -o features.parquet"],
)
@click.pass_obj
def features(console: Console, path: str, output: Path | None, to: str | None, layer: int, **options: Any) -> None:
    """Give the activations of hidden layer K of MODEL for every row of TABLE.

    Memory does not grow with the table.
    """
    target = destination(output, to)
    model = h2olite.load_model(path)
    n_hidden = model.network.n_layers - 1
    if not 1 <= layer <= n_hidden:
        raise DataError(f"--layer must be that of a hidden layer, of which {path} has {n_hidden}; got {layer}.")
    columns_of = functools.partial(model.deepfeatures_columns, layer=layer - 1)
    transform(console, model, target, columns_of, int(model.network.layout.sizes[layer]), **options)


@click.command(
    cls=Command,
    params=shared_params(
        "contributions",
        click.Option(
            ["--background"],
            type=Input("table"),
            metavar="TABLE",
            help="The rows that predictions are compared with. Without it: the training rows that MODEL keeps.",
        ),
        click.Option(
            ["--background-rows"],
            type=click.IntRange(min=1),
            default=100,
            show_default=True,
            help="Rows of them to take, at equal distances. The time is proportional to their number.",
        ),
        click.Option(
            ["--method"],
            type=click.Choice(METHODS, case_sensitive=False),
            default=DEEP_SHAP,
            show_default=True,
            help="DeepSHAP is fast. permutation and exact compute Shapley values from random orders of the columns, "
            "and from all sets of at most 12 columns.",
        ),
        click.Option(
            ["--permutations"],
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            help="Random orders for the method permutation. Each is used in both directions.",
        ),
        click.Option(["--seed"], type=int, default=-1, help="Of the random orders. -1 draws one."),
        picture_option("Draw the contributions in at most 2,000 of the first rows", "Options"),
        click.Option(
            ["--by-input"], is_flag=True, help="A contribution of every input, such as every level, not every column."
        ),
        click.Option(
            ["--of-response"], is_flag=True, help="Scaled to add up to the probability or the predicted number."
        ),
    ),
    examples=[
        "h2olite contributions iris.h2olite iris.csv",
        "h2olite contributions iris.h2olite iris.csv --plot iris.svg -o why.csv",
    ],
)
@click.pass_obj
def contributions(
    console: Console,
    path: str,
    output: Path | None,
    to: str | None,
    background: str | None,
    background_rows: int,
    by_input: bool,
    of_response: bool,
    method: str,
    permutations: int,
    seed: int,
    plot: Path | None,
    **options: Any,
) -> None:
    """Tell what each column adds to the prediction of every row of TABLE by MODEL.

    A row's contributions add up to its prediction, together with BiasTerm, the mean prediction of the background. The
    prediction is the logarithm of the odds of the second of two classes, the logarithm of the mean with a log link, and
    otherwise the predicted number. For more classes, there are columns for each class. Memory does not grow with the
    table.
    """
    import numpy as np

    from h2olite.data.reader import read_table
    from h2olite.trained.contributions import Style

    refuse_undrawable_plot(plot)
    if plot is not None and by_input:
        raise click.UsageError("--plot draws contributions of columns; leave out --by-input.")
    target = destination(output, to)
    model = h2olite.load_model(path)
    csv = csv_from(dict(options)).over(model.csv)  # the options are for TABLE, too
    usual = model.background if background is None else read_table(background, schema=model.schema, csv=csv)
    if usual is not None:
        rows = np.linspace(0, max(usual.n_rows - 1, 0), min(background_rows, usual.n_rows)).astype(np.int64)
        usual = usual.take(rows)
    style = Style(by_input=by_input, of_response=of_response, method=method, n_permutations=permutations, seed=seed)
    attribution = model.attribution(usual, style)
    first: list[tuple[Table, dict[str, np.ndarray]]] = []

    def columns_of(table: Table, adaptation: Adaptation) -> dict[str, np.ndarray]:
        columns = attribution.columns(table, adaptation)
        if plot is not None and not first:
            first.append((table, columns))
        return columns

    transform(console, model, target, columns_of, attribution.n_columns, **options)
    if plot is not None:
        if not (first and first[0][0].n_rows):
            raise DataError(f"--plot needs a row or more; {options['source']} has none.")
        from h2olite.pictures.canvas import save
        from h2olite.pictures.charts import draw_summary

        save(draw_summary(model, *first[0]), plot)


def transform(
    console: Console,
    model: Model,
    target: Destination,
    columns_of: ColumnsOf,
    n_columns: int,
    *,
    source: str,
    keep: list[str],
    **options: Any,
) -> None:
    """Compute n_columns columns for a table, block by block, and write them."""
    from h2olite.data.reader import read_blocks

    rows = min(MOST_ROWS, max(MOST_CELLS // n_columns, 1))
    blocks = read_blocks(source, model.schema, csv=csv_from(options).over(model.csv), rows=rows, keep=keep)
    if source == "-":  # a thread that waits for input could not be interrupted
        results = model.transform_blocks(blocks, columns_of)
    else:
        results = _ahead(model.transform_blocks(_ahead(blocks), columns_of))
    write_table(_counted(results, console), target)
    console.clear()


def _ahead(blocks: Iterator[Made]) -> Iterator[Made]:
    """The same blocks, each made by another thread while the one before is used."""
    with Threads(1) as maker:
        following = maker.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = maker.submit(next, blocks, None)
            yield block


def _counted(blocks: Iterable[pa.Table], console: Console) -> Iterator[pa.Table]:
    """The blocks, with their rows counted for progress."""
    n_rows = 0
    for block in blocks:
        yield block
        n_rows += block.num_rows
        console.status(f"{n_rows:,} rows done", rows=n_rows)
