"""Runs the program in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from h2olite_cli.main import main

DATASETS = Path(__file__).parent.parent.parent / "datasets"

SMALL = ("--hidden", "8", "--epochs", "3", "--seed", "1", "--reproducible")
"""Options that make a training short and its result the same each time."""


def run(*arguments, stdin=None) -> Result:
    """Run h2olite with these arguments."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin, prog_name="h2olite")


def put_stand_ins_for_r(folder):
    """Put programs into a folder that answer as R does, and install nothing."""
    for name in ("R", "Rscript"):
        program = folder / name
        program.write_text("#!/bin/sh\nprintf TRUE\n")
        program.chmod(0o755)
