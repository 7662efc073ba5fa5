"""`h2olite export`: models for other systems."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from .console import QUIET, Command
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
