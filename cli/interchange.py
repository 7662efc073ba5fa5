"""`h2olite export` and `import`: models for and from other systems."""

from __future__ import annotations

from pathlib import Path

import click

from h2olite.errors import DataError

from .console import QUIET, Command, Console
from .options import MODEL
from .output import output_option
from .places import MODEL_EXTENSION, Input, Output, Values
from .recognition import is_exported, is_model

MODEL_FORMATS = {"mojo": "download_mojo", "onnx": "export_onnx"}
"""The method of a model that writes each format."""

EXTENSIONS = {".zip": "mojo", ".onnx": "onnx"}
"""The format that an extension stands for."""


@click.command(
    cls=Command,
    params=[
        MODEL,
        output_option("FILE", "The file to write.", Output("MOJO or ONNX graph", is_exported), required=True),
        click.Option(
            ["--format", "to"],
            type=click.Choice(list(MODEL_FORMATS), case_sensitive=False),
            help="What to write; by FILE's extension if not given: mojo for .zip, onnx for .onnx.",
        ),
        QUIET,
    ],
    examples=[
        "h2olite export iris.h2olite -o iris.zip",
        "h2olite export iris.h2olite -o iris.onnx",
    ],
)
@click.pass_obj
def export(console: Console, path: str, output: Path, to: str | None) -> None:
    """Write MODEL in the format of another system: mojo for H2O, onnx for ONNX runtimes.

    An ONNX file takes the columns of a table as they are, and needs h2olite[onnx].
    """
    to = to or EXTENSIONS.get(output.suffix.lower())
    if to is None:
        raise DataError(f"{output}: the extension must be one of {', '.join(EXTENSIONS)}; or name a --format.")

    from h2olite import load_model

    getattr(load_model(path), MODEL_FORMATS[to])(output)
    console.say(f"Model written to {output}.", "written", path=str(output))


def default_target(values: Values) -> Path:
    """Where the model of a MOJO goes if nobody says it."""
    return Path(f"{Path(values['mojo']).stem}{MODEL_EXTENSION}")


@click.command(
    "import",
    cls=Command,
    params=[
        click.Argument(["mojo"], type=Input("model"), metavar="MOJO"),
        output_option(
            "MODEL",
            "File for the model. Without it: MOJO's name with .h2olite, in this folder.",
            Output("model", is_model, default=default_target),
        ),
        QUIET,
    ],
    examples=["h2olite import iris.zip -o iris.h2olite"],
)
@click.pass_obj
def import_(console: Console, mojo: str, output: Path) -> None:
    """Read MOJO, a model of H2O's deep learning, and write it as a model file.

    All other commands take that file, and `train --checkpoint` trains on. What a MOJO does not hold is absent: the
    scoring history, metrics, and parameters that only mattered in training.
    """
    from h2olite import import_mojo

    model = import_mojo(mojo)
    model.save(output)
    console.show(repr(model))
    console.say(f"Model written to {output}.", "written", path=str(output))
