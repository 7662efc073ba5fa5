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
