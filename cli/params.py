"""`h2olite params`."""

from __future__ import annotations

import shutil
import textwrap

import click

from h2olite.errors import ParameterError
from h2olite.settings.parameters import FRAMES, GROUPS, MODELS, Declared, declared, nearest
from h2olite.settings.validation import COLUMNS

from .console import Command
from .options import Enum, typed
from .streams import print_text

WIDEST = 100
"""Characters that lines are wrapped to on a wide terminal."""


@click.command(
    cls=Command,
    params=[click.Argument(["name"], type=Enum([*declared()]), required=False)],
    examples=["h2olite params", "h2olite params stopping_rounds"],
)
def params(name: str | None) -> None:
    """List the training parameters: type, default, range and meaning. With NAME, this one alone."""
    if name is not None:
        parameter = declared().get(name.replace("-", "_"))
        if parameter is None:
            raise ParameterError(f"there is no parameter {name!r}{nearest(name, declared())}")
        print_text(explanation(parameter))
        return
    for group, title in GROUPS.items():
        members = [parameter for parameter in declared().values() if parameter.group == group]
        print_text(f"{title}\n{'-' * len(title)}")
        print_text("\n".join(map(explanation, members)) + "\n")


def explanation(parameter: Declared) -> str:
    """What one parameter takes, what it is if not set, and what it does."""
    facts = [kind(parameter), f"default {shown_default(parameter)}", *allowed(parameter)]
    width = min(shutil.get_terminal_size().columns, WIDEST)
    wrap = textwrap.TextWrapper(width, initial_indent="    ", subsequent_indent="    ")
    wrap.break_on_hyphens = False
    title = f"{parameter.name}  ({'; '.join(facts)})"
    return "\n".join([*textwrap.wrap(title, width, subsequent_indent="    "), *wrap.wrap(parameter.help)])


def kind(parameter: Declared) -> str:
    """The parameter's type in a word or three."""
    if parameter.choices is not None:
        return "enum"
    words = {bool: "bool", int: "int", float: "float", str: "str", object: "table"}
    word = words[parameter.type]
    for names, own_word in ((FRAMES, "table"), (MODELS, "model"), (COLUMNS, "str or int")):
        if parameter.name in names:
            word = own_word
    return f"list of {word}" if parameter.is_list else word


def allowed(parameter: Declared) -> list[str]:
    """The values that may be given, where that is less than the type; at most one sentence."""
    if parameter.choices is not None:
        return [", ".join(parameter.choices)]
    return [] if parameter.within is None else [parameter.within.rule().removeprefix("must be ")]


def shown_default(parameter: Declared) -> str:
    """The default for people."""
    return "not set" if parameter.default is None else typed(parameter, parameter.default)
