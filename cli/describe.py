"""`h2olite describe`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import JSON, Command, Console
from .options import TABLE, column_of, csv_from, csv_options, parameter_option
from .output import destination, output_option, write_table
from .places import Output
from .recognition import is_table_of
from .report import text_table
from .streams import print_json, print_text

COLUMNS = {
    "column": "column",
    "type": "type",
    "missing": "missing",
    "distinct": "distinct",
    "distribution": "distribution",
    "low": "lowest",
    "median": "median",
    "high": "highest",
    "outliers": "outliers",
    "alone": "alone",
    "levels": "most frequent",
}

NESTED = ("shares", "levels")
"""What a table has no place for."""


@click.command(
    cls=Command,
    params=[
        TABLE,
        parameter_option("y", section="The table"),
        parameter_option("factors", section="The table"),
        output_option(
            "OUT",
            "A .csv, .parquet, .arrow or .feather file with a row for each column. Without it, text for people.",
            Output("description", is_table_of("describe")),
        ),
        JSON,
        *csv_options(),
    ],
    examples=("h2olite describe penguins.csv -y species",),
)
@click.pass_obj
def describe(
    console: Console,
    source: str,
    y: str | None,
    factors: list[str] | None,
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Look at every column of TABLE: type, missing cells, distribution, and what looks wrong before training.

    Outliers are 3 interquartile ranges or more beyond the quartiles. With -y, the column "alone" tells what share of
    the response's variance a column takes away by itself.
    """
    from h2olite.data.description import describe as describe_table
    from h2olite.data.reader import read_table

    target = None if output is None else destination(output)
    table = read_table(source, factors=factors or (), csv=csv_from(options))
    found = describe_table(table, None if y is None else column_of(y, table), factors=factors or ())
    if target is not None:
        import pyarrow as pa

        names = dict.fromkeys(name for column in found.columns for name in column)
        rows = [{name: column.get(name) for name in names if name not in NESTED} for column in found.columns]
        write_table([pa.Table.from_pylist(rows)], target)
    for remark in found.remarks:
        console.warn(remark)
    if as_json:
        print_json(found.report())
    elif target is None:
        print_text(f"{found.name}: {found.n_rows:,} rows, {len(found.columns):,} columns")
        print_text(text_table(found.rows(), COLUMNS))
