"""The declared parameters as command-line options, and the options that several commands share."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import tomllib
from collections.abc import Container, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from h2olite.errors import ParameterError
from h2olite.settings.parameters import (
    FRAMES,
    GROUPS,
    MODELS,
    NOT_SEARCHED,
    Declared,
    Relative,
    SearchCriteria,
    declared,
    folded,
)
from h2olite.settings.validation import unknown

from .console import JSON, QUIET
from .output import output_option
from .places import Input, Output, parameter_inputs, refuse_inputs
from .recognition import is_picture

if TYPE_CHECKING:
    from h2olite.data.csv_options import CsvOptions

SPELLINGS = {
    "x": ("-x", "--x"),
    "y": ("-y", "--y"),
    "ignored_columns": ("--ignore", "--ignored-columns"),
    "factors": ("--factor", "--factors"),
}
"""Options not spelt like their parameter, or with a short form."""

HYPER, SEARCH = "grid_", "search_"
"""What the names of hyper-parameters and search criteria begin with among a command's values."""

TWO_CLASSES = "Two classes"
"""The section of options that are for two classes."""

TABLE = click.Argument(["source"], type=Input("table"), metavar="TABLE")
MODEL = click.Argument(["path"], type=Input("model"), metavar="MODEL")

MOST_PARAMETERS = 16 << 20
"""Bytes of a parameter file, which may list the columns of a wide table."""

DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)[ \t]*\.[ \t]*){100}""")
"""A key of TOML with more than 100 parts."""

METAVARS = {int: "INT", float: "FLOAT", str: "NAME", object: "TABLE"}


class Option(click.Option):
    """An option with the section of the help page that lists it, None for no listing."""

    def __init__(self, *args: Any, section: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Enum(click.ParamType):
    """One of some words, which are checked where all parameters are, and completed here."""

    name = "enum"

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = choices

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that begin so, whatever their case."""
        return [CompletionItem(word) for word in self.choices if folded(word).startswith(folded(incomplete))]


class Strength(click.ParamType):
    """A number, or a multiple such as ``0.1x``."""

    name = "strength"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text."""
        if isinstance(value, str) and value.strip().lower().endswith("x"):
            with contextlib.suppress(ValueError):
                return Relative.parse(value)
        return click.FLOAT.convert(value, param, ctx)


class CommaList(click.ParamType):
    """Items with commas (or another separator) between them; one with a comma in it goes into double quotes."""

    name = "list"

    def __init__(self, item: click.ParamType, separator: str = ",") -> None:
        self.item, self.separator = item, separator

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        """Split the text and read each item."""
        if isinstance(value, list):
            return value
        if isinstance(self.item, click.types.IntParamType | click.types.FloatParamType):
            value = value.strip().removeprefix("[").removesuffix("]")  # as in Python
        items = next(csv.reader([value], delimiter=self.separator, skipinitialspace=True), [])
        texts = [item.strip() for item in items]
        may_lack = isinstance(self.item, Input)  # a list has a file per layer, or none
        return [None if may_lack and text == "" else self.item.convert(text, param, ctx) for text in texts]

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The last item, completed."""
        before, separator, last = incomplete.rpartition(self.separator)
        for item in (items := self.item.shell_complete(ctx, param, last)):
            item.value = f"{before}{separator}{item.value}"
        return items


def parameter_options() -> list[click.Parameter]:
    """One option for every parameter, by group; the training frame is TABLE, the command's argument."""
    parameters = [parameter for name, parameter in declared().items() if name != "training_frame"]
    return [
        _option(parameter, section=title)
        for group, title in GROUPS.items()
        for parameter in parameters
        if parameter.group == group
    ]


def parameter_option(name: str, section: str) -> click.Parameter:
    """The option of one parameter, for a command that takes no others."""
    return _option(declared()[name], section=section)


def threshold_option(default: str) -> click.Parameter:
    """The option of the probability that divides two classes, and what it is if not given."""
    return Option(
        ["--threshold"],
        type=click.FLOAT,
        metavar="FLOAT",
        help=f"Smallest probability at which the second of two classes is predicted. Without it: {default}.",
        section=TWO_CLASSES,
    )


def picture_option(what: str, section: str, rest: str = "") -> click.Parameter:
    """The option ``--plot``: `what` it does, in words, before the formats and the `rest` after them."""
    return Option(
        ["--plot"],
        type=Output("picture", is_picture),
        metavar="PICTURE",
        help=f"{what} into a .svg, .png or .pdf file {rest}(needs h2olite[plot]).",
        section=section,
    )


def refuse_undrawable_plot(plot: Path | None) -> None:
    """Raise before any work what drawing would raise after it."""
    if plot is not None:
        from h2olite.pictures.canvas import refuse_undrawable

        refuse_undrawable(plot)


def hyper_parameter_options() -> list[click.Parameter]:
    """An option for every parameter that can be searched: ``--grid-l1 0,1e-5`` or ``--grid-hidden "50,50;200,200"``."""
    return [
        Option(
            [f"--grid-{parameter.name.replace('_', '-')}", f"{HYPER}{parameter.name}"],
            type=CommaList(CommaList(_item(parameter)), ";") if parameter.is_list else CommaList(_item(parameter)),
            section=None,
        )
        for name, parameter in declared().items()
        if name not in NOT_SEARCHED
    ]


def search_options() -> list[click.Parameter]:
    """An option for every search criterion; those that models have too begin with ``--search-``."""
    return [
        _option(
            parameter,
            section="The search",
            prefix=SEARCH,
            flag=f"--{'search-' if parameter.name in declared() else ''}{parameter.name.replace('_', '-')}",
        )
        for parameter in declared(SearchCriteria).values()
    ]


def beginning(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Take the values whose names begin with a prefix out of a command's keyword arguments, if they were given."""
    names = [name for name in values if name.startswith(prefix)]
    return given({name.removeprefix(prefix): values.pop(name) for name in names})


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the command line sets."""
    return {name: value for name, value in values.items() if value is not None}


def _option(parameter: Declared, *, section: str, prefix: str = "", flag: str | None = None) -> Option:
    """One parameter as an option; no default, since what is not given is left to the parameter file."""
    flag = flag or f"--{parameter.name.replace('_', '-')}"
    name = f"{prefix}{parameter.name}"
    shared: dict[str, Any] = {"default": None, "help": _help(parameter), "section": section}
    if parameter.type is bool:
        return Option([f"{flag}/--no-{flag[2:]}", name], **shared)
    return Option(
        [*SPELLINGS.get(parameter.name, (flag,)), name],
        type=CommaList(_item(parameter)) if parameter.is_list else _item(parameter),
        metavar=_metavar(parameter),
        **shared,
    )


def _item(parameter: Declared) -> click.ParamType:
    """How one value, or one entry of a list, is read."""
    if parameter.choices is not None:
        return Enum(parameter.choices)
    if parameter.type is object:
        return Input("model" if parameter.name in MODELS else "table")
    if parameter.relative:
        return Strength()
    types: dict[type, click.ParamType] = {int: click.INT, float: click.FLOAT, bool: click.BOOL}
    return types.get(parameter.type, click.STRING)


def _metavar(parameter: Declared) -> str:
    """What stands for the value in the help."""
    if parameter.name in FRAMES:
        return "TABLE"
    if parameter.name in MODELS:
        return "MODEL"
    if parameter.choices is not None:
        return "NAME"
    word = METAVARS[parameter.type]
    return f"{word},..." if parameter.is_list else word


def _help(parameter: Declared) -> str:
    """What the parameter does, what it may be, and its default."""
    sentences = [parameter.help]
    if parameter.choices is not None:
        sentences.append(f"One of {', '.join(parameter.choices)}.")
    if parameter.default is not None:
        sentences.append(f"Default: {typed(parameter, parameter.default)}.")
    return " ".join(sentences)


def typed(parameter: Declared, value: Any) -> str:
    """A value as one would type it; a flag is on or off."""
    if parameter.type is bool:
        return "on" if value else "off"
    if parameter.is_list and value is not None:
        line = io.StringIO()
        items = value if isinstance(value, list | tuple) else [value]  # one entry may be given without a list
        csv.writer(line, lineterminator="").writerow([_typed_item(item) for item in items])
        return line.getvalue()
    return _typed_item(value)


def _typed_item(value: Any) -> str:
    """One value, a number in as few digits as give it back."""
    if isinstance(value, Relative):
        return str(value)
    if isinstance(value, float):
        short = f"{value:.8g}"
        return short if float(short) == value else repr(value)
    return str(value)


def gathered(parameter_file: Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a command line and its parameter file set.

    Raises
    ------
    ParameterError : see `read_parameters`.
    FileExistsError : the file names an input that is an output of the command.
    """
    values = (read_parameters(parameter_file) if parameter_file else {}) | given(options)
    refuse_inputs(click.get_current_context(), parameter_inputs(values))
    return values


def read_parameters(path: Path) -> dict[str, Any]:
    """Parameters from a TOML or JSON file, by name; ``-`` in a name is as good as ``_``.

    Raises
    ------
    ParameterError
        The file is neither, or is no table of parameters and their values.
    """
    form, loads = ("JSON", json.loads) if path.suffix.lower() == ".json" else ("TOML", _loads_toml)
    try:
        with path.open("rb") as stream:
            text = stream.read(MOST_PARAMETERS + 1)
        if len(text) > MOST_PARAMETERS:
            raise ParameterError(f"{path} must have at most {MOST_PARAMETERS >> 20} MiB; got more: is it a table?")
        values = loads(text.decode())
    except RecursionError as error:
        raise ParameterError(f"{path} must hold parameter names and values; got tables that are too deep.") from error
    except ParameterError:
        raise
    except ValueError as error:
        fault = " ".join(str(error).split()).removesuffix("; use sys.set_int_max_str_digits() to increase the limit")
        raise ParameterError(f"{path} is not valid {form}: {fault}.") from error
    if not isinstance(values, dict):
        raise ParameterError(f"{path} must hold parameter names and values; got a {type(values).__name__}.")
    parameters = {name.replace("-", "_"): value for name, value in values.items()}
    faults = [unknown(name, declared()) for name in parameters if name not in declared()]
    if faults:
        raise ParameterError(f"{path}: {' '.join(faults)}")
    return parameters


def _loads_toml(text: str) -> dict[str, Any]:
    """What TOML says; keys of very many parts, for which `tomllib` takes very long, are too deep as any nesting is."""
    if DEEP_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text)


def training_options(*, output: str, output_help: str, kind: Output) -> list[click.Parameter]:
    """What every command that trains takes: TABLE, where results go, and a file of parameters."""
    return [
        click.Argument(["training_frame"], type=Input("table"), metavar="TABLE"),
        output_option(output, output_help, kind),
        JSON,
        QUIET,
        click.Option(
            ["--params", "parameter_file"],
            type=Input("file"),
            metavar="FILE",
            help="TOML or JSON file of parameters. The command line overrides it.",
        ),
    ]


def csv_options() -> list[click.Parameter]:
    """The options that say how CSV is read; `csv_from` collects their values."""
    section = "Reading CSV"
    return [
        Option(
            ["--sep", "separator"],
            metavar="CHAR",
            help="Separator of cells. Without it, it is recognised.",
            section=section,
        ),
        Option(
            ["--header/--no-header"],
            default=None,
            help="Whether the first line has the names of the columns. Otherwise they are C1, C2, ... Default: header.",
            section=section,
        ),
        Option(
            ["--na-string", "na_strings"],
            multiple=True,
            metavar="TEXT",
            help="Additional text for a missing value; may be repeated.",
            section=section,
        ),
        Option(["--encoding"], metavar="NAME", help="Character encoding. Default: utf-8.", section=section),
        Option(["--decimal"], metavar="CHAR", help="Decimal mark of numbers. Default: .", section=section),
        Option(
            ["--thousands"],
            metavar="CHAR",
            help="Mark between groups of digits. Default: none.",
            section=section,
        ),
        Option(
            ["--comment"],
            metavar="TEXT",
            help="Lines that begin with this text are skipped. Default: none.",
            section=section,
        ),
    ]


def csv_from(values: dict[str, Any]) -> CsvOptions:
    """Take the values of `csv_options` out of a command's keyword arguments; what is not given is as in training."""
    from h2olite.data.csv_options import CsvOptions

    given = {field.name: values.pop(field.name) for field in fields(CsvOptions)}
    return CsvOptions(**given | {"na_strings": list(given["na_strings"]) or None})


def column_of(name: Any, names: Container[str] = ()) -> Any:
    """A column among those of these names: typed digits are an index where no column has that name."""
    return int(name) if isinstance(name, str) and name not in names and name.isdecimal() else name
