"""`h2olite grid`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from h2olite.settings.parameters import SearchCriteria, counted
from h2olite.settings.validation import read, read_shared

from .console import Command, Console
from .options import (
    HYPER,
    SEARCH,
    beginning,
    csv_from,
    csv_options,
    gathered,
    hyper_parameter_options,
    parameter_options,
    search_options,
    training_options,
)
from .output import print_csv
from .places import Output, Values
from .progress import Watch
from .streams import print_json, stdout_for_data
from .train import read_tables, table_stem

if TYPE_CHECKING:
    from h2olite.selection.grid import Failure, Trial


def default_folder(values: Values) -> Path:
    """Where the models of a search go if nobody says it."""
    return Path(f"{table_stem(values['training_frame'])}_grid")


@click.command(
    cls=Command,
    params=[
        *training_options(
            output="DIR",
            output_help="Folder for the models. Without it: TABLE's name with _grid, in this folder.",
            kind=Output("folder of models", default=default_folder),
        ),
        *search_options(),
        *hyper_parameter_options(),
        *csv_options(),
        *parameter_options(),
    ],
    examples=['h2olite grid iris.csv -y species --grid-l1 0,1e-4 --grid-hidden "10;20,20"'],
)
@click.pass_obj
def grid(console: Console, output: Path, as_json: bool, parameter_file: Path | None, **options: Any) -> None:
    """Train a model on TABLE for every combination of hyper-parameters, and print them as CSV, best first.

    To search a parameter, put grid- before its name and give all values. Separate the values by commas, or by
    semicolons if they are lists (see the example below).

    Models are compared by cross-validation if there is one, else on --validation-frame, else on TABLE itself.

    Every model is written to DIR as soon as it is trained. After an interruption, the same command continues: finished
    models are not trained again.
    """
    table_csv = csv_from(options)
    criteria = read(SearchCriteria, beginning(SEARCH, options))
    hyper_parameters = beginning(HYPER, options)
    parameters = read_shared(gathered(parameter_file, options))
    if not as_json:
        stdout_for_data()
    _, note = read_tables(console, parameters, table_csv)

    from h2olite import jobs
    from h2olite.selection.grid import Failure

    def tell(outcome: Trial | Failure) -> None:
        settings = ", ".join(f"{name} {value}" for name, value in outcome.hyper_parameters.items())
        if isinstance(outcome, Failure):
            console.say(f"{settings}: failed: {outcome.error}", "failed", hyper_parameters=outcome.hyper_parameters)
        else:
            metric = outcome.sort_metric
            console.say(
                f"{settings}: {metric} {outcome.metrics[metric]:.6g} ({outcome.seconds:.1f} s)",
                "trained",
                model_id=outcome.model_id,
                hyper_parameters=outcome.hyper_parameters,
                seconds=outcome.seconds,
                metrics=outcome.metrics,
            )

    found = jobs.search(
        hyper_parameters,
        parameters,
        criteria,
        folder=output,
        watch=Watch(console, parameters, note),
        tell=tell,
    )
    if (name := console.interruption.name) is not None:
        message = f"Stopped by {name}; the same command goes on with the models that are missing."
        console.say(message, "stopped", signal=name)
    console.say(f"{counted(len(found), 'model')} in {output}, {len(found.failures)} failed.")
    if as_json:
        print_json(found.report())
    else:
        print_csv([*found.hyper_names, "model_ids", found.sort_metric], found.table())
    sys.exit(console.interruption.exit_code)
