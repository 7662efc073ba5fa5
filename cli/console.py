"""How commands talk: messages and progress on stderr, one-line errors, signals, exit codes."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import signal
import sys
import time
import types
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import click

from h2olite.errors import H2OLiteError

TERMINAL_INTERVAL = 0.1
"""Seconds between two updates of the line on a terminal."""

PLAIN_INTERVAL = 5.0
"""Seconds between two lines of progress where they stay, such as a log file."""


class Interruption:
    """SIGINT and SIGTERM while a command runs.

    They end the program at once, cleaning up, with exit code 128 + signal. After `defer` the first one is only noted
    in `signal`, for the command to come to a good end; a second one ends the program all the same.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._deferred = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def defer(self) -> None:
        """From now on, only note the first signal."""
        self._deferred = True

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program that this signal ended, 0 without one."""
        return 0 if self.signal is None else 128 + self.signal

    def _receive(self, number: int, frame: types.FrameType | None) -> None:
        ends = not self._deferred or self.signal is not None
        self.signal = number
        if ends:
            raise SystemExit(128 + number)


class Console:
    """Messages for people, on stderr, and their interruptions; `quiet` keeps all messages back."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        if quiet:
            logging.getLogger("h2olite").setLevel(logging.ERROR)
        self.interruption = Interruption()
        self.is_terminal = sys.stderr.isatty()
        self._last = time.monotonic() - (TERMINAL_INTERVAL if self.is_terminal else 0.0)
        self._has_status = False

    def say(self, text: str = "") -> None:
        """Print lines that stay."""
        self.clear()
        if not self.quiet:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.say(f"{_coloured('Warning:', 'yellow')} {text}")

    def status(self, text: str) -> None:
        """Show what goes on: in place on a terminal, else as one line every few seconds."""
        now = time.monotonic()
        if self.quiet or now - self._last < (TERMINAL_INTERVAL if self.is_terminal else PLAIN_INTERVAL):
            return
        self._last = now
        if self.is_terminal:
            width = shutil.get_terminal_size().columns
            click.echo(f"\r\x1b[K{text[: width - 1]}", err=True, nl=False)
            self._has_status = True
        else:
            click.echo(text, err=True)

    def clear(self) -> None:
        """Take the status off the terminal."""
        if self._has_status:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._has_status = False


def flag_for_console(name: str, help: str) -> click.Option:
    """A flag that is kept in `click.Context.meta` instead of being given to the command's function."""

    def keep(ctx: click.Context, option: click.Parameter, value: bool) -> None:
        ctx.meta[name.removeprefix("--")] = value

    return click.Option([name], is_flag=True, expose_value=False, callback=keep, help=help)


class Command(click.Command):
    """A command whose errors are one line, whose signals end it cleanly, and whose help lists options by section.

    Options whose section is None are accepted and completed, but not listed. `examples` are command lines that run.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.params.append(flag_for_console("--debug", "Show the traceback of an error."))
        # Parameters may be spelt as in Python; click strips the dashes in front first.
        self.context_settings["token_normalize_func"] = lambda name: name.replace("_", "-")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that a user can act on become one line on stderr and exit code 1."""
        console = ctx.obj = Console(quiet=ctx.meta.get("quiet", False))
        with console.interruption, warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)  # they are meant for people, whatever PYTHONWARNINGS says
            warnings.showwarning = lambda message, *_: console.warn(str(message))
            try:
                return super().invoke(ctx)
            except BrokenPipeError:  # the reader has seen enough; click ends quietly
                raise
            except (H2OLiteError, OSError, MemoryError) as error:
                console.clear()
                if ctx.meta["debug"]:
                    raise
                if ctx.params.get("as_json"):
                    print_json({"error": _in_one_line(error)})
                raise click.ClickException(_in_one_line(error)) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their sections, those without one first."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            section = getattr(option, "section", "Options")
            if record is not None and isinstance(option, click.Option) and section is not None:
                sections.setdefault(section, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, unwrapped so that they can be copied."""
        with formatter.section("Example" if len(self.examples) == 1 else "Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


QUIET = flag_for_console("--quiet", "Say nothing on stderr but errors.")


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout; numbers that JSON does not have become null."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    """The value without NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _in_one_line(error: BaseException) -> str:
    """What went wrong, without Python's ornaments."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this table or network."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return " ".join(str(error).split())


def _coloured(text: str, colour: str) -> str:
    """The text in colour, unless NO_COLOR asks for none; click leaves it out where stderr is no terminal."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)
