import contextlib
import datetime
import errno
import io
import json
import logging
import os
import signal
import subprocess
import sys
import warnings

import click
import pytest
from click.testing import CliRunner

from h2olite.errors import DataError
from h2olite_cli import console as console_module
from h2olite_cli.console import BROKEN_PIPE, Command, Console
from h2olite_cli.streams import print_json


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


JSON = click.Option(["--json", "as_json"], is_flag=True)


def logged(stderr):
    """The lines of a JSON log without their times, which must be of these days and in UTC."""
    lines = [json.loads(line) for line in stderr.splitlines()]
    for line in lines:
        time = datetime.datetime.fromisoformat(line.pop("time"))
        assert abs(datetime.datetime.now(datetime.UTC) - time) < datetime.timedelta(days=1)
    return lines


@pytest.mark.parametrize("way", [("--log-format", "json"), ("--log-format=json",), ()])
def test_every_message_is_a_json_object_where_programs_read_them(monkeypatch, way):
    @click.pass_obj
    def work(console):
        console.say("so it is", "fact", share=0.5, worst=float("nan"))
        warnings.warn("mind the gap", stacklevel=1)
        console.show("a table\nfor people")
        raise DataError("bad.")

    if not way:
        monkeypatch.setenv("H2OLITE_LOG_FORMAT", "json")
    assert logged(run(work, *way).stderr) == [
        {"level": "info", "event": "fact", "message": "so it is", "share": 0.5, "worst": None},
        {"level": "warning", "event": "warning", "message": "mind the gap"},
        {"level": "error", "event": "error", "message": "bad."},
    ]


def test_log_of_text_has_the_same_in_lines():
    @click.pass_obj
    def work(console):
        console.say("so it is", "fact", share=0.5)
        console.warn("mind the gap")
        raise DataError("bad.")

    lines = run(work, "--log-format", "text").stderr.splitlines()
    assert [line.partition(" ")[2] for line in lines] == ["INFO so it is", "WARNING mind the gap", "ERROR bad."]
    assert all(datetime.datetime.fromisoformat(line.partition(" ")[0]) for line in lines)


def test_progress_is_logged_with_its_numbers(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    console = Console(log_format="json")
    clock[0] = 5
    console.status("half done", share=0.5)
    assert logged(sys.stderr.getvalue()) == [
        {"level": "info", "event": "progress", "message": "half done", "share": 0.5}
    ]


@pytest.mark.parametrize("wrong", [["--bogus"], ["--number", "many"], ["left", "over"]])
def test_wrong_usage_is_an_object_too_where_asked_for(wrong):
    number = click.Option(["--number"], type=click.INT)
    result = run(lambda **options: None, "--json", "--log-format=json", *wrong, params=[JSON, number])
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert logged(result.stderr) == [{"level": "error", "event": "error", "message": error}]


@pytest.mark.parametrize("kind", [click.Argument, click.Option])
def test_choices_are_told_in_one_line_where_one_is_missing(kind):
    name = "shell" if kind is click.Argument else "--shell"
    choice = kind([name], type=click.Choice(["bash", "zsh"]), required=True)
    for more in ((), ("--log-format", "text")):
        result = run(lambda **options: None, *more, params=[choice])
        assert (result.exit_code, result.stderr.rstrip().endswith("Choose from: bash, zsh")) == (2, True), result.stderr


def test_wrong_usage_found_by_the_command_is_an_object_too():
    result = run(raising(click.UsageError("no.")), "--json", params=[JSON])
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": "no."})


def test_unknown_log_format_is_wrong_usage(monkeypatch):
    monkeypatch.setenv("H2OLITE_LOG_FORMAT", "xml")
    assert run(lambda: None).exit_code == 2


def work_with(streams, *arguments, printed="x" * 100_000, said="talk"):
    """Run a command that prints and talks, with a shell's redirections."""
    program = f"""
import click
from h2olite_cli.console import Command

@click.command(cls=Command, params=[click.Option(["--json", "as_json"], is_flag=True)])
@click.pass_obj
def work(console, as_json):
    print({printed!r}, end="")
    console.say({said!r})
    print("done")

work()
"""
    command = f'"$0" -c "$1" {" ".join(arguments)} {streams}; echo "${{PIPESTATUS[0]}}"'
    return subprocess.run(["bash", "-c", command, sys.executable, program], capture_output=True, text=True, check=False)


def test_reader_who_has_seen_enough_ends_the_command_quietly():
    done = work_with("| head -c 1")
    assert (done.stdout, done.stderr) == (f"x{BROKEN_PIPE}\n", "talk\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [[], ["--json"]])
@pytest.mark.parametrize("printed", ["x", "x" * 100_000])
def test_full_disk_under_stdout_is_an_error(arguments, printed):
    done = work_with("> /dev/full", *arguments, printed=printed)
    assert done.stdout == "1\n"
    assert done.stderr.splitlines()[-1] == "Error: No space left on device."


@pytest.mark.parametrize("streams", ["2> /dev/full", "2>&-", "2> >(true)"])
def test_command_goes_on_when_nobody_hears_it(streams):
    assert work_with(streams, printed="x", said="talk" * 10_000).stdout == "xdone\n0\n"


def test_debug_lets_the_traceback_through():
    result = run(raising(DataError("bad.")), "--debug", "--json", params=[JSON])
    assert result.exit_code == 1
    assert result.stderr.startswith("Traceback (most recent call last):\n")
    assert result.stderr.endswith("\nh2olite.errors.DataError: bad.\n")
    assert json.loads(result.stdout) == {"error": "bad."}


def test_mistakes_in_the_program_are_not_hidden():
    result = run(raising(KeyError("x")))
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "KeyError: 'x'")
    assert result.stderr.startswith("Traceback (most recent call last):\n")


def test_error_under_json_is_an_object_on_stdout_too():
    result = run(raising(DataError("bad.")), "--json", params=[JSON])
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (1, {"error": "bad."}, "Error: bad.\n")


def test_python_warnings_are_lines_on_stderr():
    result = run(lambda: warnings.warn("mind the gap", stacklevel=1))
    assert (result.exit_code, result.stderr) == (0, "Warning: mind the gap\n")


def test_json_has_null_for_what_json_cannot_say(capsys):
    print_json({"a": float("nan"), "b": [1.5, float("-inf")], "c": {"ä": None}})
    assert capsys.readouterr().out == '{"a": null, "b": [1.5, null], "c": {"ä": null}}\n'


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
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
    assert (done.returncode, done.stderr) == (code, "" if deferred else f"Ended by {number.name}.\n")


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


def test_signals_that_are_ignored_stay_so():
    program = """
import os, signal, click
from h2olite_cli.console import Command

@click.command(cls=Command)
def work():
    os.kill(os.getpid(), signal.SIGHUP)
    click.echo("went on")

signal.signal(signal.SIGHUP, signal.SIG_IGN)
work()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_command_that_is_ended_says_so_in_its_object():
    program = """
import os, signal, click
from h2olite_cli.console import Command

@click.command(cls=Command, params=[click.Option(["--json", "as_json"], is_flag=True)])
def work(as_json):
    os.kill(os.getpid(), signal.SIGTERM)

work()
"""
    done = subprocess.run([sys.executable, "-c", program, "--json"], capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)) == (143, {"error": "ended by SIGTERM."})


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
    monkeypatch.setenv("TERM", "xterm")
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
    ("no_color", "term", "stream", "text"),
    [
        ("", "xterm", Terminal, "\x1b[33mWarning:\x1b[0m careful\n"),
        ("1", "xterm", Terminal, "Warning: careful\n"),
        ("", "dumb", Terminal, "Warning: careful\n"),
        ("", "xterm", io.StringIO, "Warning: careful\n"),
    ],
)
def test_warnings_are_coloured_on_terminals_that_can_unless_no_color(monkeypatch, no_color, term, stream, text):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    Console().warn("careful")
    assert sys.stderr.getvalue() == text


@pytest.mark.parametrize("fails", [False, True])
def test_how_far_compiling_is_passes_as_progress_and_only_while_a_command_runs(monkeypatch, fails):
    console, shown = Console(), []
    monkeypatch.setattr(console, "status", shown.append)
    logger = logging.getLogger("h2olite.compiling")
    with contextlib.suppress(ValueError), console.relaying():
        logger.info("Compiling the kernels: %d of about %d", 1, 2)
        if fails:
            raise ValueError
    logger.info("Compiling the kernels: 2 of about 2")
    assert shown == ["Compiling the kernels: 1 of about 2"]
    assert not logger.isEnabledFor(logging.INFO)
