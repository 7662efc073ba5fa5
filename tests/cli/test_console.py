import errno
import io
import json
import signal
import subprocess
import sys
import warnings

import click
import pytest
from click.testing import CliRunner

from h2olite.errors import DataError
from h2olite_cli import console as console_module
from h2olite_cli.console import Command, Console, print_json


def run(callback, *arguments, params=()):
    return CliRunner().invoke(Command("work", callback=callback, params=list(params)), arguments)


def raising(error):
    def callback(**options):
        raise error

    return callback


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("column 'a' is bad;\n  drop it."), "column 'a' is bad; drop it."),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "t.csv"), "t.csv: No such file or directory."),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device."),
        (PermissionError("the folder f is not writable."), "the folder f is not writable."),
        (MemoryError(), "there is not enough memory for this table or network."),
    ],
)
def test_error_is_one_line_and_exit_code_1(error, line):
    result = run(raising(error))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {line}\n")


def test_debug_lets_the_traceback_through():
    result = run(raising(DataError("bad.")), "--debug")
    assert isinstance(result.exception, DataError)


def test_mistakes_in_the_program_are_not_hidden():
    assert isinstance(run(raising(KeyError("x"))).exception, KeyError)


def test_error_under_json_is_an_object_on_stdout_too():
    result = run(raising(DataError("bad.")), "--json", params=[click.Option(["--json", "as_json"], is_flag=True)])
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (1, {"error": "bad."}, "Error: bad.\n")


def test_python_warnings_are_lines_on_stderr():
    result = run(lambda: warnings.warn("mind the gap", stacklevel=1))
    assert (result.exit_code, result.stderr) == (0, "Warning: mind the gap\n")


def test_json_has_null_for_what_json_cannot_say(capsys):
    print_json({"a": float("nan"), "b": [1.5, float("-inf")], "c": {"ä": None}})
    assert capsys.readouterr().out == '{"a": null, "b": [1.5, null], "c": {"ä": null}}\n'


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("deferred", [False, True])
def test_signals_end_the_command_at_once_or_when_it_is_ready(number, code, deferred):
    program = f"""
import os, sys, click
from h2olite_cli.console import Command

@click.command(cls=Command)
@click.pass_obj
def work(console):
    if {deferred}:
        console.interruption.defer()
    try:
        os.kill(os.getpid(), {int(number)})
        click.echo("went on")
    finally:
        click.echo("cleaned up")
    sys.exit(console.interruption.exit_code)

work()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == ("went on\ncleaned up\n" if deferred else "cleaned up\n")
    assert (done.returncode, done.stderr) == (code, "")


def test_second_signal_ends_a_deferring_command():
    program = """
import os, signal, click
from h2olite_cli.console import Command

@click.command(cls=Command)
@click.pass_obj
def work(console):
    console.interruption.defer()
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    click.echo("went on")

work()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "")


def test_signal_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM)
    run(lambda: None)
    assert signal.getsignal(signal.SIGTERM) is before


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    times = [0.0]
    monkeypatch.setattr(console_module.time, "monotonic", lambda: times[0])
    return times


def test_progress_is_one_line_every_few_seconds_away_from_a_terminal(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console = Console()
    for clock[0] in (0, 1, 5, 6, 9.9, 10):
        console.status(f"at {clock[0]:g}")
    assert sys.stderr.getvalue() == "at 5\nat 10\n"


def test_progress_on_a_terminal_stays_in_its_line_and_makes_way_for_messages(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    console = Console()
    for clock[0] in (0, 0.05, 0.1):
        console.status(f"at {clock[0]:g} " + "x" * 30)
    console.say("done")
    assert sys.stderr.getvalue() == ("\r\x1b[Kat 0 xxxxxxxxxxxxxx\r\x1b[Kat 0.1 xxxxxxxxxxxx\r\x1b[Kdone\n")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_quiet_says_nothing(monkeypatch, clock, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    console = Console(quiet=True)
    console.status("reading")
    clock[0] = 100
    console.status("reading")
    console.warn("careful")
    console.say("done")
    assert sys.stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("no_color", "stream", "text"),
    [
        ("", Terminal, "\x1b[33mWarning:\x1b[0m careful\n"),
        ("1", Terminal, "Warning: careful\n"),
        ("", io.StringIO, "Warning: careful\n"),
    ],
)
def test_warnings_are_coloured_on_terminals_unless_no_color(monkeypatch, no_color, stream, text):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("NO_COLOR", no_color)
    Console().warn("careful")
    assert sys.stderr.getvalue() == text
