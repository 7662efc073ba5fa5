"""`h2olite train`."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from h2olite.settings.parameters import MODELS, Parameters, counted
from h2olite.settings.validation import validate

from .cluster import cluster_options, train_on_cluster
from .console import Command, Console
from .options import column_of, csv_from, csv_options, gathered, parameter_options, training_options
from .output import save_model
from .places import MODEL_EXTENSION, Output, Values
from .progress import Watch
from .recognition import is_model
from .report import describe, describe_rehearsal
from .streams import print_json, print_text

if TYPE_CHECKING:
    from h2olite.data.csv_options import CsvOptions
    from h2olite.model import Model


def table_stem(table: str) -> str:
    """The name of a table without folder, extensions and wildcards: what its model is called."""
    name = re.sub(r"[*?\[\]]", "", table.rstrip("/").rpartition("/")[2])
    name = re.sub(r"\.(gz|zst|bz2)$", "", name, flags=re.IGNORECASE)
    name = re.sub(r"\.(csv|tsv|txt|parquet|arrows?|feather)$", "", name, flags=re.IGNORECASE)
    return name.strip(" .-_") or "model"


def default_target(values: Values) -> Path:
    """Where the model of a table goes if nobody says it."""
    return Path(f"{table_stem(values['training_frame'])}{MODEL_EXTENSION}")


@click.command(
    cls=Command,
    params=[
        *training_options(
            output="MODEL",
            output_help="File for the model; an older model is replaced. Without it: TABLE's name with .h2olite, in "
            "this folder.",
            kind=Output("model", is_model, default=default_target),
        ),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="Read and check everything, print what would be trained and how much memory and time that takes, and "
            "write nothing.",
        ),
        *cluster_options(),
        *csv_options(),
        *parameter_options(),
    ],
    examples=(
        "h2olite train iris.csv -y species",
        "h2olite train iris.csv --params settings.toml --epochs 20 --dry-run",
        "h2olite train breast_cancer.csv --hidden 50,50 --l1 1e-5 --nfolds 3",
        "h2olite train wine.csv --autoencoder --ignore cultivar -o usual.h2olite",
    ),
)
@click.pass_obj
def train(
    console: Console,
    output: Path,
    as_json: bool,
    parameter_file: Path | None,
    dry_run: bool,
    scheduler: str | None,
    workers: int | None,
    **options: Any,
) -> None:
    """Train a model on TABLE and write it to a file.

    TABLE is a .csv, .tsv, .txt, .parquet, .arrow or .feather file (also .gz, .zst, .bz2), a folder or a quoted glob of
    such files, a URI (s3://, gs://, hdfs://), or - for standard input. A text response makes a classifier, a
    numeric response a regression.

    SIGINT (Ctrl-C) and SIGTERM end the training. The model trained so far is measured and written.
    """
    csv = csv_from(options)
    parameters = checked(gathered(parameter_file, options))

    if scheduler is not None or workers is not None:
        if scheduler is not None and workers is not None:
            raise click.UsageError("--scheduler and --workers cannot both be given; leave one of them out.")
        if dry_run:
            raise click.UsageError("--dry-run cannot look at a table on a cluster; leave --scheduler or --workers out.")
        model = train_on_cluster(console, parameters, csv, scheduler, workers)
        finish(console, model, output, as_json)
    read, note = read_tables(console, parameters, csv, may_store=not dry_run)

    from h2olite import jobs

    if dry_run:
        rehearsal = jobs.rehearse(parameters)
        console.clear()
        if note is not None:
            console.say(note)
        if as_json:
            print_json(rehearsal.report())
        else:
            print_text(describe_rehearsal(rehearsal))
        return
    model = jobs.train(parameters, watch=Watch(console, parameters, note))
    model.record.seconds["read"] += read
    model.record.seconds["total"] += read
    finish(console, model, output, as_json)


def finish(console: Console, model: Model, output: Path, as_json: bool) -> NoReturn:
    """Write a trained model, tell of it, and end."""
    save_model(model, output)
    console.show(f"\n{describe(model)}\n")
    if (name := console.interruption.name) is not None:
        message = f"Stopped by {name} after {counted(model.record.epochs, 'epoch')}; the model so far is kept."
        console.say(message, "stopped", signal=name, epochs=model.record.epochs)
    console.say(
        f"Model written to {output}.",
        "written",
        path=str(output),
        epochs=model.record.epochs,
        seconds=model.record.seconds["total"],
        stopped_by=model.record.stopped_by,
    )
    if as_json:
        print_json(model.report())
    sys.exit(console.interruption.exit_code)


def checked(values: Mapping[str, Any]) -> Parameters:
    """The checked parameters; only those that name models need to load what takes a moment."""
    if all(values.get(name) is None for name in MODELS):
        return validate(values)
    from h2olite.jobs import check

    return check(values)


def read_tables(
    console: Console, parameters: Parameters, csv: CsvOptions, *, may_store: bool = False
) -> tuple[float, str | None]:
    """Put tables in place of the paths among the parameters, and names of columns in place of typed indices.

    may_store : whether tables that are larger than memory are kept in a scratch file.

    Returns
    -------
    seconds : that it took.
    note : a sentence on the response if nobody named it.
    """
    from h2olite.data.frames import training_tables

    started = time.perf_counter()
    table, parameters.validation_frame = training_tables(
        parameters, csv, lambda path: console.status(f"Reading {path}"), may_store=may_store
    )
    parameters.training_frame = table
    seconds = time.perf_counter() - started
    if parameters.x is not None:
        parameters.x = [column_of(name, table) for name in parameters.x]
    if parameters.y is not None:
        parameters.y = column_of(parameters.y, table)
        return seconds, None
    if parameters.autoencoder:
        return seconds, None
    parameters.y = table.names[-1]
    return seconds, f"Response: {parameters.y}, the last column; name another one with -y."
