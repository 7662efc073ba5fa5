"""`h2olite report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from h2olite.errors import DataError

from .command_line import command_line
from .console import Command, Console
from .options import Option, csv_from, csv_options
from .output import output_option
from .places import Input, Output, Values
from .recognition import is_model, is_report


def default_page(values: Values) -> Path:
    """Where the report goes if nobody says it: the first model's name, in this folder."""
    return Path(f"{Path(values['paths'][0]).stem}.html")


@click.command(
    cls=Command,
    params=[
        click.Argument(["paths"], type=Input("table"), nargs=-1, required=True, metavar="MODEL... [TABLE]"),
        output_option(
            "OUT",
            "The .html file to write. Without it: MODEL's name with .html, in this folder.",
            Output("report", is_report, default=default_page),
        ),
        Option(
            ["--group-by"],
            metavar="COLUMN",
            help="A column of TABLE by whose groups the first model is measured as well.",
            section="The report",
        ),
        *csv_options(),
    ],
    examples=(
        "h2olite report iris.h2olite iris.csv",
        "h2olite report breast_cancer.h2olite breast_cancer.csv -o cancer.html",
    ),
)
@click.pass_obj
def report(console: Console, paths: tuple[str, ...], output: Path, group_by: str | None, **options: Any) -> None:
    """Write a report of models as one HTML file, which a browser opens without a network.

    It tells what was trained on what, and how. With TABLE, which must hold the response, it also tells how good the
    first model is, which rows it predicts worst, and why it predicts what it predicts. Several models are compared on
    the same rows. It needs h2olite[report].
    """
    import h2olite
    from h2olite.data.reader import read_table
    from h2olite.pictures.page import new_environment, report_page, write_page
    from h2olite.selection.comparison import shared_csv, shared_schema

    first, *others = paths
    files = [first, *(path for path in others if Path(path).is_file() and is_model(Path(path), options))]
    tables = [path for path in others if path not in files]
    if len(tables) > 1:
        raise click.UsageError(f"name at most one table; got {len(tables)}: {', '.join(tables)}.")
    new_environment()  # before anything takes time
    models = {Path(path).stem if len(files) == 1 else path: h2olite.load_model(path) for path in dict.fromkeys(files)}
    table, compared = None, []
    if tables:
        csv = csv_from(options).over(shared_csv(models.values()))
        table = read_table(tables[0], schema=shared_schema(models.values()), csv=csv)
        if len(models) > 1:
            compared = h2olite.compare(models, table).rows()
    commands = {name: line for name, model in models.items() if (line := _command(model))}
    page = report_page(models, table, group_by=group_by, comparison=compared, commands=commands)
    write_page(page, output)
    console.say(f"The report is written to {output}.", "written", path=str(output))


def _command(model: Any) -> str:
    """The command that trains a model, if there is one."""
    try:
        return command_line(model)
    except DataError:
        return ""
