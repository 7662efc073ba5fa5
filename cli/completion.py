"""`h2olite completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .console import Command
from .streams import print_text

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    params=[click.Argument(["shell"], type=click.Choice(SHELLS))],
    examples=['eval "$(h2olite completion bash)"'],
)
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, options, values and files on Tab.

    In bash and zsh, put the line below (with the shell's name) into ~/.bashrc or ~/.zshrc. In fish, write the output to
    ~/.config/fish/completions/h2olite.fish.
    """
    program = ctx.find_root()
    kind = get_completion_class(shell)
    assert kind is not None  # as click knows these shells
    print_text(kind(program.command, {}, "h2olite", "_H2OLITE_COMPLETE").source())
