"""The command line that trains a model again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from h2olite.errors import DataError
from h2olite.parameters import declared

from .options import SPELLINGS, typed

if TYPE_CHECKING:
    from h2olite.model.model import Model

CSV_OPTIONS = {name: f"--{name}" for name in ("encoding", "decimal", "thousands", "comment")} | {"separator": "--sep"}


def command_line(model: Model) -> str:
    """The shell's words, quoted where need be; of the parameters only those that were given.

    Raises
    ------
    DataError : not everything that the model was made of is known and in files.
    """
    origin = model.record.origin
    if model.record.maker is not None:
        raise DataError(f"{model.model_id} was imported; no command of h2olite makes it.")
    if origin is None or origin["given"] is None:
        raise DataError(f"{model.model_id} was trained together with other models, or imported; no command makes it.")
    training, validation = origin["training_frame"], origin["validation_frame"]
    given = origin["given"] | ({} if validation is None else {"validation_frame": _path(validation)})
    words = ["h2olite", "train", _path(training)]
    for name, value in given.items():
        words += _words(name, value)
    if None in (words[2], *given.values()):
        raise DataError(f"{model.model_id} was trained on data in memory, which no command can name; see show --json.")
    return shlex.join([*words, *_csv_words(training["source"]["csv"])])


def _path(table: dict[str, Any]) -> Any:
    """Where a table was read from; None for one in memory."""
    return table["source"] and table["source"]["path"]


def _words(name: str, value: Any) -> Iterator[str]:
    """A parameter as one would type it."""
    flag = SPELLINGS.get(name, (f"--{name.replace('_', '-')}",))[0]
    if declared()[name].type is bool:
        yield flag if value else f"--no-{flag[2:]}"
    else:
        yield from (flag, typed(declared()[name], value))


def _csv_words(options: dict[str, Any]) -> Iterator[str]:
    """How CSV was read."""
    for name, value in options.items():
        if name == "header":
            yield "--header" if value else "--no-header"
        elif name == "na_strings":
            for text in value:
                yield from ("--na-string", text)
        else:
            yield from (CSV_OPTIONS[name], value)
