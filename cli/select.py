"""`h2olite select`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from h2olite.settings.parameters import SET_BY_SELECT, counted

from .console import Command, Console
from .options import (
    Option,
    csv_from,
    csv_options,
    gathered,
    parameter_options,
    picture_option,
    refuse_undrawable_plot,
    training_options,
)
from .output import destination, save_model, write_table
from .places import MODEL_EXTENSION, Output
from .progress import Watch
from .recognition import is_model, is_table_of
from .streams import print_json
from .train import checked, read_tables

SECTION = "The selection"


def select_options() -> list[click.Parameter]:
    """The options of the selection itself."""
    return [
        Option(
            ["--columns"],
            type=click.INT,
            metavar="K",
            help="How many columns to choose. Without it: the fewest whose loss is within one standard error of the "
            "lowest.",
            section=SECTION,
        ),
        Option(
            ["--resamples"],
            type=click.INT,
            default=6,
            metavar="INT",
            help="On how many half tables to rank the columns, an even number. Default: 6.",
            section=SECTION,
        ),
        Option(
            ["--refit"],
            type=Output("model", is_model),
            metavar="MODEL",
            help="Write a model that is trained on the chosen columns of all rows to this file.",
            section=SECTION,
        ),
        picture_option("Draw losses and shares", SECTION),
    ]


@click.command(
    cls=Command,
    params=[
        *training_options(
            output="OUT",
            output_help="A .csv, .parquet, .arrow or .feather file for the ranking; CSV on stdout if not given.",
            kind=Output("ranking", is_table_of("select")),
        ),
        *select_options(),
        *csv_options(),
        *(option for option in parameter_options() if option.name not in SET_BY_SELECT),
    ],
    examples=(
        "h2olite select iris.csv -y species",
        "h2olite select iris.csv -y species --columns 2 --refit two.h2olite",
    ),
)
@click.pass_obj
def select(
    console: Console,
    output: Path | None,
    as_json: bool,
    parameter_file: Path | None,
    columns: int | None,
    resamples: int,
    refit: Path | None,
    plot: Path | None,
    **options: Any,
) -> None:
    """Choose the columns of TABLE that a network needs, and print all columns in order.

    The columns are ranked on half tables: by the strength of input-group-l1 that a network needs to do without them,
    and by how surely each has to do with the response, alone or in a pair. With more columns than rows, an autoencoder
    ranks them too. Models of the first columns are measured on the other halves. These losses decide how to rank, and
    how many columns to choose.

    The share tells in how many of the half tables a column is chosen. Shuffled columns, which are ranked among the
    others, tell how many of the chosen columns are expected to be noise.
    """
    from h2olite import jobs

    table_csv = csv_from(options)
    parameters = checked(gathered(parameter_file, options))
    if output is not None and output.suffix == MODEL_EXTENSION:
        raise click.UsageError(f"-o takes a table of the ranking; write the model by --refit {output}.")
    target = None if output is None and as_json else destination(output)
    refuse_undrawable_plot(plot)
    _, note = read_tables(console, parameters, table_csv)
    try:
        selection = jobs.select(
            parameters,
            columns=columns,
            resamples=resamples,
            refit=refit is not None,
            watch=Watch(console, parameters, note),
        )
    except KeyboardInterrupt:
        name = console.interruption.name
        if name is None:
            raise
        stopped = f"Stopped by {name}: no columns are chosen."
        console.say(stopped, "stopped", signal=name)
        if as_json:
            print_json({"error": stopped})
        sys.exit(console.interruption.exit_code)
    console.say(
        f"{len(selection)} of {counted(len(selection.ranking), 'column')} by {selection.method}; about "
        f"{selection.false_columns:.2g} of them are expected to be noise."
    )
    if selection.model is not None and refit is not None:
        save_model(selection.model, refit)
        console.say(f"The model of these columns is written to {refit}.", "written", path=str(refit))
    if plot is not None:
        selection.plot(plot)
    if target is not None:
        import pyarrow as pa

        write_table([pa.Table.from_pylist(selection.rows())], target)
    if as_json:
        print_json(selection.report(refit))
