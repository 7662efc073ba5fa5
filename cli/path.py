"""`h2olite path`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from h2olite.settings.parameters import PENALTIES, POINT_CHOICES, counted, declared

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

if TYPE_CHECKING:
    from h2olite.selection.path import RegularizationPath
    from h2olite.settings.parameters import PointChoice

SECTION = "The path"

MEANINGS = {"best": "Lowest loss", "best_1se": "Sparsest within one standard error"}


def path_options() -> list[click.Parameter]:
    """The options of paths; those of penalties stand for the parameters of the same names."""
    strengths = [
        Option(
            [f"--{name.replace('_', '-')}", name],
            metavar="STRENGTHS",
            help=f"Strengths of {name}: LOW:HIGH:N for N strengths at equal ratios, or numbers separated by commas"
            + (", or multiples such as 0.001x:1x:13." if declared()[name].relative else "."),
            section=SECTION,
        )
        for name in PENALTIES
    ]
    return [
        *strengths,
        Option(
            ["--validation-share"],
            type=click.FLOAT,
            default=0.2,
            metavar="FLOAT",
            help="Share of the rows to hold out without --validation-frame and --nfolds. Default: 0.2.",
            section=SECTION,
        ),
        Option(
            ["--choice"],
            type=click.Choice(POINT_CHOICES, case_sensitive=False),
            default="best_1se",
            metavar="NAME",
            help="What --refit writes. best: the model with the lowest validation loss; best_1se: the sparsest model "
            "within one standard error of the lowest loss. Default: best_1se.",
            section=SECTION,
        ),
        Option(
            ["--refit"],
            type=Output("model", is_model),
            metavar="MODEL",
            help="Write the chosen model, trained on all rows of TABLE, to this file.",
            section=SECTION,
        ),
        picture_option("Draw the path", SECTION),
    ]


@click.command(
    cls=Command,
    params=[
        *training_options(
            output="OUT",
            output_help="A .csv, .parquet, .arrow or .feather file for the strengths; CSV on stdout if not given.",
            kind=Output("strengths", is_table_of("path")),
        ),
        *path_options(),
        *csv_options(),
        *(option for option in parameter_options() if option.name not in PENALTIES),
    ],
    examples=(
        "h2olite path iris.csv -y species",
        "h2olite path iris.csv -y species --l1 1e-6:1e-2:5 --nfolds 3",
        "h2olite path iris.csv --input-group-l1 1e-3:0.1:4 --refit sparse.h2olite",
    ),
)
@click.pass_obj
def path(
    console: Console,
    output: Path | None,
    as_json: bool,
    parameter_file: Path | None,
    validation_share: float,
    choice: PointChoice,
    refit: Path | None,
    plot: Path | None,
    **options: Any,
) -> None:
    """Train on TABLE for many strengths of penalties, and show which one to take.

    Models are trained from weak to strong penalties. Each continues from the one before. They are judged by
    cross-validation with --nfolds, else on --validation-frame, else on a share of the rows that is held out.

    Without --l1, --l2 and --input-group-l1, l1 grows from 0.001x until no predictor is left. A table of at most 5,000
    rows is then cross-validated with 5 folds, and trained for at least 50,000 rows. 1x is the smallest strength at
    which a linear model keeps no weight. With several penalties, all combinations are tried.
    """
    from h2olite import jobs
    from h2olite.selection.path import read_strengths

    table_csv = csv_from(options)
    values = gathered(parameter_file, options)
    strengths = read_strengths({name: values.get(name) for name in PENALTIES})
    parameters = checked(values | {name: strongest for name, (*_, strongest) in strengths.items()})
    if output is not None and output.suffix == MODEL_EXTENSION:
        raise click.UsageError(f"-o takes a table of the strengths; write the model by --refit {output}.")
    target = None if output is None and as_json else destination(output)
    refuse_undrawable_plot(plot)
    _, note = read_tables(console, parameters, table_csv)

    traced = jobs.trace(
        strengths,
        parameters,
        validation_share=validation_share,
        choice=choice,
        refit=refit is not None,
        watch=Watch(console, parameters, note),
    )
    if (name := console.interruption.name) is not None:
        stopped = f"Stopped by {name} after {counted(len(traced), 'point')} of the path."
        console.say(stopped, "stopped", signal=name)
        if len(traced) == 0:
            if as_json:
                print_json({"error": stopped})
            sys.exit(console.interruption.exit_code)
    _say(console, traced)
    if refit is not None:
        save_model(traced.model, refit)
        console.say(f"The model of {choice} is written to {refit}.", "written", path=str(refit))
    if plot is not None:
        traced.plot(plot)
    if target is not None:
        import pyarrow as pa

        write_table([pa.Table.from_pylist(traced.rows())], target)
    if as_json:
        print_json(traced.report(refit))
    sys.exit(console.interruption.exit_code)


def _say(console: Console, traced: RegularizationPath) -> None:
    """Tell which points are the choices."""
    rows = traced.rows()
    for choice, meaning in MEANINGS.items():
        row = rows[getattr(traced, choice)]
        strengths = ", ".join(f"{name} {row[name]:g}" for name in traced.names)
        console.say(
            f"{meaning}: {strengths}: {traced.sort_metric} {row['validation_loss']:.4g}, "
            f"{counted(row['nonzero'], 'weight')}, {counted(row['features_used'], 'predictor')} ({choice})"
        )
