"""`h2olite predict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import QUIET, Command, Console
from .options import CommaList, csv_from, csv_options
from .output import OUTPUT, refuse_unknown_format, refuse_unwritable, write_table

if TYPE_CHECKING:
    import pyarrow as pa


@click.command(
    cls=Command,
    params=[
        click.Argument(["path"], metavar="MODEL"),
        click.Argument(["source"], metavar="TABLE"),
        OUTPUT,
        click.Option(
            ["--keep"],
            type=CommaList(click.STRING),
            default="",
            metavar="NAMES",
            help="Columns of TABLE to copy in front of the predictions.",
        ),
        QUIET,
        *csv_options(),
    ],
)
@click.pass_obj
def predict(console: Console, path: str, source: str, output: Path | None, keep: list[str], **options: Any) -> None:
    """Predict every row of TABLE with MODEL, in order.

    A classifier gives the predicted class and the probability of each class, a regression the predicted number.
    Memory does not grow with the table.
    """
    if output is not None:
        refuse_unwritable(output)
        refuse_unknown_format(output)

    from h2olite import load_model
    from h2olite.data.reader import read_blocks

    model = load_model(path)
    blocks = read_blocks(source, model.schema, csv=csv_from(options), keep=keep)
    write_table(_counted(model.predict_blocks(blocks), console), output)
    console.clear()


def _counted(blocks: Iterable[pa.Table], console: Console) -> Iterator[pa.Table]:
    """The blocks, with their rows counted for progress."""
    n_rows = 0
    for block in blocks:
        yield block
        n_rows += block.num_rows
        console.status(f"{n_rows:,} rows predicted")
