"""Standard input, output and error: what leaves for people is made visible, what leaves for programs stays as it is."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from h2olite.display import visible
from h2olite.errors import DataError

from .logs import json_text


class _Terminal:
    """Standard output where it is a terminal, which would obey what tables say."""

    def write(self, data: bytes) -> int:
        """Print text that ends with a whole character."""
        sys.stdout.write(visible(bytes(data).decode(errors="replace"), in_lines=True))
        return len(data)

    def flush(self) -> None:
        """Have it shown."""
        sys.stdout.flush()


def print_text(text: str) -> None:
    """Print lines for people on stdout."""
    refuse_closed_stdout()
    click.echo(visible(text, in_lines=True))


def print_data(text: str) -> None:
    """Print lines for programs on stdout; a terminal would obey what they hide."""
    refuse_closed_stdout()
    # What looks like a colour is data too, which click would leave out.
    click.echo(visible(text, in_lines=True) if sys.stdout.isatty() else text, nl=False, color=True)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    refuse_closed_stdout()
    click.echo(json_text(value))


def stdout_for_data(*, is_text: bool = True) -> Any:
    """Where the bytes of a table go if not to a file.

    Raises
    ------
    OSError
        See `refuse_closed_stdout`.
    DataError
        It is a terminal, and they are no text.
    """
    refuse_closed_stdout()
    if not sys.stdout.isatty():
        return sys.stdout.buffer
    if not is_text:
        raise DataError("a terminal can show text only, such as --format csv; name a file by -o, or pipe the output.")
    return _Terminal()


def refuse_closed_stdout() -> None:
    """Raise an OSError if whoever started the program has closed standard output, so that results would be lost."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed; leave it open, or send it to /dev/null")


def occupy_closed_descriptors() -> None:
    """Open /dev/null in the place of closed standard streams, lest files that are opened take their numbers.

    What libraries print would go into them.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


def write_utf8() -> None:
    """Have stdout be UTF-8 as the files that are written are, whatever the locale; a terminal shows what it can."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")


def flush_stdout() -> None:
    """Write what has been printed, so that an error of writing is met here and not at the interpreter's end."""
    if sys.stdout is not None:  # as it is when the shell has closed it
        sys.stdout.flush()


def let_go_of_stdout() -> None:
    """Have the rest of stdout go nowhere, lest the interpreter fails once more at its end."""
    with contextlib.suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
