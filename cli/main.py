"""The program: which commands there are, and where each one lives."""

from __future__ import annotations

import importlib
import keyword
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from h2olite import __version__
from h2olite.settings.parameters import nearest

from .console import refuse_usage
from .streams import occupy_closed_descriptors


class Entry(NamedTuple):
    """One command: the module that holds it under its own name, what it does, and its section of the help."""

    module: str
    summary: str
    section: str


COMMANDS = {
    "train": Entry("train", "Train a model on a table and write it to a file.", "Models"),
    "grid": Entry("search", "Train models with different settings and compare them.", "Models"),
    "path": Entry("path", "Train with many strengths of penalties, and show the best.", "Models"),
    "select": Entry("select", "Choose the columns that a network needs.", "Models"),
    "tune": Entry("tune", "Search for good settings, and train with the best.", "Models"),
    "predict": Entry("predict", "Predict every row of a table.", "Models"),
    "contributions": Entry("predict", "Tell what each column adds to the prediction of every row.", "Models"),
    "anomaly": Entry("predict", "Tell how badly an autoencoder reconstructs every row.", "Models"),
    "features": Entry("predict", "Write the activations of a hidden layer for every row.", "Models"),
    "evaluate": Entry("models", "Measure a model on a table.", "Models"),
    "compare": Entry("models", "Compare models on a table, with intervals.", "Models"),
    "show": Entry("models", "Show what a model is and how good it is.", "Inspection"),
    "report": Entry("page", "Write a report of models that a browser opens.", "Inspection"),
    "varimp": Entry("models", "Print how much each input matters, as CSV.", "Inspection"),
    "history": Entry("models", "Print a model's scoring history, as CSV.", "Inspection"),
    "weights": Entry("models", "Print the weights or biases of one layer, as CSV.", "Inspection"),
    "export": Entry("interchange", "Write a model in the format of another system.", "Other systems"),
    "import": Entry("interchange", "Read a model that H2O has written as a MOJO.", "Other systems"),
    "session": Entry("session.command", "Serve another program, such as R, by lines of JSON.", "Other systems"),
    "r-install": Entry("r_install", "Install the R package h2olite.", "Other systems"),
    "describe": Entry("describe", "Look at every column of a table before training.", "Reference"),
    "params": Entry("params", "List the training parameters, or explain one.", "Reference"),
    "completion": Entry("completion", "Print the script for completion of commands and options.", "Installation"),
    "warmup": Entry("warmup", "Compile the kernels now, so that later commands need not.", "Installation"),
}

EXAMPLES = """\b
h2olite train iris.csv -y species       writes iris.h2olite
h2olite predict iris.h2olite new.csv    prints predictions as CSV
h2olite COMMAND --help                  explains one command
"""


def attribute_of(command: str) -> str:
    """What a command is called in its module."""
    return f"{command}_" if keyword.iskeyword(command) else command.replace("-", "_")


class Commands(click.Group):
    """A group that imports a command's module when the command is used, and not before."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the program."""
        occupy_closed_descriptors()
        return super().main(*args, **extra)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the options in front of the command."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            refuse_usage(error, given)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[name].module}", __package__)
        command: click.Command = getattr(module, attribute_of(name))
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, none of which is imported for it."""
        items = [CompletionItem(name, help=entry.summary) for name, entry in COMMANDS.items()]
        return [item for item in items if item.value.startswith(incomplete)] + click.Command.shell_complete(
            self, ctx, incomplete
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; suggest one when there is none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            refuse_usage(click.UsageError(f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}", ctx), args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section without importing any."""
        width = max(map(len, COMMANDS))
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl(
                    [(name.ljust(width), entry.summary) for name, entry in COMMANDS.items() if entry.section == section]
                )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="h2olite", message="%(prog)s %(version)s")
def main() -> None:
    """Deep learning on tables, with the parameters of h2o.deeplearning."""
