"""`h2olite tune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from h2olite.settings.parameters import SET_BY_TUNE, counted

from .console import Command, Console
from .options import Option, csv_from, csv_options, gathered, parameter_options, training_options
from .output import print_csv, save_model
from .places import Output, Values
from .progress import Watch, clock
from .recognition import is_model
from .streams import print_json, stdout_for_data
from .train import checked, default_target, read_tables, table_stem

if TYPE_CHECKING:
    from h2olite.selection.candidates import Candidate

SECTION = "The search"


def default_folder(values: Values) -> Path:
    """Where what has been tried is written if nobody says it."""
    return Path(f"{table_stem(values['training_frame'])}_tuning")


@click.command(
    cls=Command,
    params=[
        *training_options(
            output="MODEL",
            output_help="File for the model. Without it: TABLE's name with .h2olite, in this folder.",
            kind=Output("model", is_model, default=default_target),
        ),
        Option(
            ["--max-runtime-secs"],
            type=click.FLOAT,
            default=300.0,
            metavar="SECONDS",
            help="Time for everything, the training of the model included. Default: 300.",
            section=SECTION,
        ),
        Option(
            ["--max-models"],
            type=click.INT,
            default=0,
            metavar="INT",
            help="Networks that the search trains at the most; 0 for no limit but the time. Default: 0.",
            section=SECTION,
        ),
        Option(
            ["--directory"],
            type=Output("folder of a search", default=default_folder),
            metavar="DIR",
            help="Folder where what has been tried is written. Without it: TABLE's name with _tuning, in this folder.",
            section=SECTION,
        ),
        *csv_options(),
        *(option for option in parameter_options() if option.name not in (*SET_BY_TUNE, "preset")),
    ],
    examples=("h2olite tune iris.csv -y species --max-runtime-secs 10",),
)
@click.pass_obj
def tune(
    console: Console,
    output: Path,
    as_json: bool,
    parameter_file: Path | None,
    max_runtime_secs: float,
    max_models: int,
    directory: Path,
    **options: Any,
) -> None:
    """Search for good settings on TABLE, write a model that is trained with the best, and print what was tried as CSV.

    The search starts from --preset accurate. It tries other encodings of numbers, activations, hidden layers, dropout
    ratios, l1, l2, sizes of mini-batches, update rules and schedules of the rate. An option that you give is not tried.
    Networks are measured by cross-validation: all settings on one fold, and the better ones on two and then on five
    folds.

    What has been tried is written to DIR at once. After an interruption, the same command continues, with the time that
    is left.
    """
    from h2olite import jobs

    table_csv = csv_from(options)
    given = gathered(parameter_file, options)
    parameters = checked(given | {"preset": "accurate"})
    if not as_json:
        stdout_for_data()
    _, note = read_tables(console, parameters, table_csv)

    def tell(candidate: Candidate) -> None:
        folds = counted(len(candidate.losses), "fold")
        outcome = f"failed: {candidate.error}" if candidate.error else f"loss {candidate.loss:.5g} on {folds}"
        console.say(
            f"{candidate}: {outcome}", "tried", settings=candidate.settings, losses=list(candidate.losses.values())
        )

    found = jobs.tune(
        parameters,
        given,
        max_runtime_secs=max_runtime_secs,
        max_models=max_models,
        folder=directory,
        watch=Watch(console, parameters, note),
        tell=tell,
    )
    if (name := console.interruption.name) is not None:
        message = f"Stopped by {name}; the same command goes on with the time that is left."
        console.say(message, "stopped", signal=name)
    elif found.model is not None:
        save_model(found.model, output)
        console.say(
            f"{counted(len(found), 'setting')} tried in {clock(found.seconds)}; the model of the best is written to "
            f"{output}.",
            "written",
            path=str(output),
        )
    if as_json:
        print_json(found.report())
    else:
        rows = found.rows()
        print_csv(list(rows[0]) if rows else [], rows)
    sys.exit(console.interruption.exit_code)
