"""`h2olite export` and `import`: models for and from other systems."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from .console import QUIET, Command, Console
from .options import MODEL
from .output import refuse_unwritable

FORMATS = {"mojo": "h2olite.model.mojo:download_mojo", "onnx": "h2olite.model.onnx:export_onnx"}
"""The function that writes a model in each format: function(model, path)."""


@click.command(
    cls=Command,
    params=[
        MODEL,
        click.Option(
            ["-o", "--output"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            required=True,
            help="The file to write.",
        ),
        click.Option(["--format", "to"], type=click.Choice(list(FORMATS)), required=True, help="What to write."),
        QUIET,
    ],
    examples=[
        "h2olite export iris.h2olite -o iris.zip --format mojo",
        "h2olite export iris.h2olite -o iris.onnx --format onnx",
    ],
)
def export(path: str, output: Path, to: str) -> None:
    """Write MODEL in the format of another system: mojo for H2O, onnx for ONNX runtimes.

    An ONNX file takes the columns of a table as they are, and needs h2olite[onnx].
    """
    refuse_unwritable(output)

    from h2olite import load_model

    module, _, function = FORMATS[to].partition(":")
    getattr(importlib.import_module(module), function)(load_model(path), output)


@click.command(
    "import",
    cls=Command,
    params=[
        click.Argument(["mojo"], type=click.Path(), metavar="MOJO"),
        click.Option(
            ["-o", "--output"],
            type=click.Path(path_type=Path),
            metavar="MODEL",
            help="The file to write; by default that of MOJO with the extension .h2olite, in this folder.",
        ),
        QUIET,
    ],
    examples=["h2olite import iris.zip -o iris.h2olite"],
)
@click.pass_obj
def import_(console: Console, mojo: str, output: Path | None) -> None:
    """Read MOJO, a model of H2O's deep learning, and write it as a model file.

    All other commands take that file, and `train --checkpoint` trains on. What a MOJO does not hold is absent: the
    scoring history, metrics, and parameters that only mattered in training.
    """
    target = output or Path(f"{Path(mojo).stem}.h2olite")
    refuse_unwritable(target)

    from h2olite import import_mojo

    model = import_mojo(mojo)
    model.save(target)
    console.say(f"{model!r}\nModel written to {target}.")
