"""How commands talk: messages and progress on stderr, one-line errors, signals, exit codes."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from h2olite.display import visible
from h2olite.errors import H2OLiteError, LackOfMemoryError

from .logs import LOG_FORMATS, log_line
from .places import settle_places, writes_files
from .signals import LOG_FORMAT, SIGNALS
from .streams import flush_stdout, let_go_of_stdout, print_json, refuse_closed_stdout, write_utf8

COMPILING = "h2olite.compiling"
"""The logger that tells how far the compiling of kernels is."""

TERMINAL_INTERVAL = 0.1
"""Seconds between two updates of the line on a terminal."""

PLAIN_INTERVAL = 5.0
"""Seconds between two lines of progress where they stay, such as a log file."""

BROKEN_PIPE = 128 + 13
"""The exit code that a shell sees of a program that SIGPIPE has ended."""


class Ended(SystemExit):
    """A signal ends the program at once."""


class Interruption:
    """SIGINT, SIGTERM and SIGHUP while a command runs, as far as they are not ignored, as nohup has it.

    They end the program at once, cleaning up, with exit code 128 + signal. After `defer` the first one is only noted
    in `signal`, for the command to come to a good end; a second one ends the program all the same.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._deferred = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
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

    @property
    def name(self) -> str | None:
        """What the signal is called."""
        return None if self.signal is None else signal.Signals(self.signal).name

    def _receive(self, number: int, frame: types.FrameType | None) -> None:
        ends = not self._deferred or self.signal is not None
        self.signal = number
        if ends:
            raise Ended(128 + number)


class Console:
    """Messages, on stderr, and the interruptions of a command.

    Parameters
    ----------
    quiet : keep all messages back.
    log_format : make each message a line of a log, in one of `LOG_FORMATS`; None is for people.
    """

    def __init__(self, *, quiet: bool = False, log_format: str | None = None) -> None:
        self.quiet = quiet
        self.log_format = log_format
        self.interruption = Interruption()
        may_draw = log_format is None and sys.stderr is not None and os.environ.get("TERM") != "dumb"
        self.is_terminal = may_draw and sys.stderr.isatty()
        self._last = time.monotonic() - (TERMINAL_INTERVAL if self.is_terminal else 0.0)
        self._has_status = False

    @property
    def width(self) -> int | None:
        """Columns of the terminal as it is now, None without one."""
        if not self.is_terminal:
            return None
        with contextlib.suppress(OSError):
            return os.get_terminal_size(sys.stderr.fileno()).columns or None
        return shutil.get_terminal_size().columns

    def say(self, text: str, event: str = "note", *, level: str = "info", **fields: Any) -> None:
        """Print a message that stays; in a log with its time, and in JSON with its event and fields."""
        if self.log_format is not None:
            self._print(log_line(self.log_format, level, event, text, fields))
        else:
            self.clear()
            beginning = f"{self._coloured('Warning:', 'yellow')} " if level == "warning" else ""
            self._print(f"{beginning}{visible(text)}")

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.say(text, "warning", level="warning")

    def show(self, text: str) -> None:
        """Print lines that only people read: they are in no log."""
        if self.log_format is None:
            self.clear()
            self._print(visible(text, in_lines=True))

    def status(self, text: str, **fields: Any) -> None:
        """Show what goes on: in place on a terminal, else as one line every few seconds."""
        now = time.monotonic()
        if now - self._last < (TERMINAL_INTERVAL if self.is_terminal else PLAIN_INTERVAL):
            return
        self._last = now
        if (width := self.width) is not None:
            self._print(f"\r\x1b[K{visible(text)[: width - 1]}", nl=False)
            self._has_status = True
        else:
            self.say(text, "progress", **fields)

    def clear(self) -> None:
        """Take the status off the terminal."""
        if self._has_status:
            self._print("\r\x1b[K", nl=False)
            self._has_status = False

    def _print(self, text: str, *, nl: bool = True) -> None:
        """Write to stderr. When nobody reads it any more, what was asked for is done all the same."""
        if not self.quiet:
            try:
                click.echo(text, err=True, nl=nl)
            except OSError:
                self.quiet = True

    def _coloured(self, text: str, colour: str) -> str:
        """The text in colour on a terminal, unless NO_COLOR asks for none."""
        return click.style(text, fg=colour) if self.is_terminal and not os.environ.get("NO_COLOR") else text

    @contextlib.contextmanager
    def relaying(self) -> Iterator[None]:
        """Take over what Python code says by warnings and by h2olite's logger while the block runs."""
        handler = Relay(self)
        logger, compiling = logging.getLogger("h2olite"), logging.getLogger(COMPILING)
        logger.addHandler(handler)
        level = compiling.level
        compiling.setLevel(logging.INFO)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", UserWarning)  # they are for people, whatever PYTHONWARNINGS says
                warnings.showwarning = lambda message, *_: self.warn(str(message))
                yield
        finally:
            compiling.setLevel(level)
            logger.removeHandler(handler)


class Relay(logging.Handler):
    """Has a console say what is logged."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; how far compiling is, as what goes on."""
        tell = self.console.status if record.name == COMPILING else self.console.say
        tell(record.getMessage())


class Failure(click.ClickException):
    """An error that ends a command, as a line of a log if there is one.

    trace : its traceback where that is wanted, to be printed instead.
    """

    def __init__(self, message: str, log_format: str | None, trace: str = "") -> None:
        super().__init__(message)
        self.log_format, self.trace = log_format, trace

    def show(self, file: Any = None) -> None:
        """Print it on stderr."""
        if self.log_format is not None:
            fields = {"traceback": self.trace} if self.trace else {}
            line = log_line(self.log_format, "error", "error", self.message, fields)
        else:
            line = visible(self.trace.rstrip(), in_lines=True) if self.trace else f"Error: {visible(self.message)}"
        with contextlib.suppress(OSError):  # nobody reads it
            click.echo(line, err=True)


class WrongUsage(Failure):
    """A command line that could not be understood."""

    exit_code = 2


def refuse_usage(error: click.UsageError, arguments: Sequence[str]) -> NoReturn:
    """Raise the error of a command line that could not be understood, told as far as possible as it asks for."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    asked = words[words.index("--log-format") + 1 :][:1] if "--log-format" in words else [os.environ.get(LOG_FORMAT)]
    message = error.format_message()
    if isinstance(error, click.MissingParameter):  # which lists choices in lines of their own, and quotes no input
        message = " ".join(message.split())
    if "--json" in words:
        print_json({"error": message})
    if asked and asked[0] in LOG_FORMATS:
        raise WrongUsage(message, asked[0]) from error
    raise click.UsageError(visible(message), error.ctx) from error


def _keep(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep an option's value for the console instead of giving it to the command's function."""
    ctx.meta[option.opts[0].removeprefix("--")] = value


def flag_for_console(name: str, help: str) -> click.Option:
    """A flag that is kept in `click.Context.meta` instead of being given to the command's function."""
    return click.Option([name], is_flag=True, expose_value=False, callback=_keep, help=help)


class Command(click.Command):
    """A command whose errors are one line, whose signals end it cleanly, and whose help lists options by section.

    Options whose section is None are accepted and completed, but not listed. `examples` are command lines that run.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        if writes_files(self.params):
            self.params.append(flag_for_console("--force", "Replace any existing file, except an input."))
        self.params.append(flag_for_console("--debug", "Show the traceback of an error."))
        self.params.append(
            click.Option(
                ["--log-format"],
                type=click.Choice(LOG_FORMATS),
                envvar=LOG_FORMAT,
                expose_value=False,
                callback=_keep,
                metavar="NAME",
                help="Write every message on stderr as one line with its time: text, or json for a JSON object. "
                f"The environment variable {LOG_FORMAT} sets it, too.",
            )
        )
        # Parameters may be spelt as in Python; click strips the dashes in front first.
        self.context_settings["token_normalize_func"] = lambda name: name.replace("_", "-")

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            refuse_usage(self._with_way_out(error, given), given)

    def _with_way_out(self, error: click.UsageError, given: Sequence[str]) -> click.UsageError:
        """The error, or if a shell has put files in the place of a pattern, one that says how to name them."""
        files = [Path(argument) for argument in given if os.path.isfile(argument)]
        n_expected = sum(isinstance(parameter, click.Argument) for parameter in self.params)
        if type(error) is not click.UsageError or len(files) <= n_expected:
            return error
        pattern = files[-1].with_name(f"*{files[-1].suffix}")
        way_out = f"files of one table are given as their folder, or by a pattern in quotes: '{pattern}'."
        return click.UsageError(f"{error.message}; {way_out}", error.ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that a user can act on become one line on stderr and exit code 1."""
        console = ctx.obj = Console(quiet=ctx.meta.get("quiet", False), log_format=ctx.meta["log-format"])
        as_json = ctx.params.get("as_json", False)
        write_utf8()
        with console.interruption, console.relaying():
            try:
                try:
                    if as_json:
                        refuse_closed_stdout()
                    settle_places(ctx, force=ctx.meta.get("force", False))
                    return super().invoke(ctx)
                finally:
                    flush_stdout()
            except BrokenPipeError:  # the reader has seen enough
                let_go_of_stdout()
                sys.exit(BROKEN_PIPE)
            except click.UsageError as error:
                if as_json:
                    print_json({"error": error.format_message()})
                raise click.UsageError(visible(error.format_message()), error.ctx or ctx) from error
            except Ended:
                name = console.interruption.name
                console.say(f"Ended by {name}.", "stopped", signal=name)
                if as_json:
                    print_json({"error": f"ended by {name}."})
                raise
            except (H2OLiteError, OSError, MemoryError) as error:
                console.clear()
                try:
                    flush_stdout()
                    if as_json:
                        print_json({"error": _in_one_line(error)})
                except OSError:  # it is what failed
                    let_go_of_stdout()
                trace = _traceback(error) if ctx.meta["debug"] else ""
                raise Failure(_in_one_line(error), console.log_format, trace) from error
            except (click.ClickException, click.exceptions.Exit):
                raise
            except Exception as error:  # a mistake in the program: its traceback is wanted
                console.clear()
                message = f"{type(error).__name__}: {error}"
                with contextlib.suppress(OSError):
                    if as_json:
                        print_json({"error": message})
                raise Failure(message, console.log_format, _traceback(error)) from error

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


QUIET = flag_for_console("--quiet", "Print nothing on stderr except errors.")

JSON = click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object on stdout.")


def _traceback(error: BaseException) -> str:
    """The traceback, in which a message is one line whatever it quotes."""
    chunks = [chunk.rstrip("\n") for chunk in traceback.format_exception(error)]
    return "\n".join(chunk if chunk.startswith((" ", "\n", "Traceback ")) else visible(chunk) for chunk in chunks)


def _in_one_line(error: BaseException) -> str:
    """What went wrong, without Python's ornaments."""
    if isinstance(error, MemoryError) and not isinstance(error, LackOfMemoryError):
        return "there is not enough memory for this table or network."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return " ".join(str(error).split())
