"""What all commands do alike: exit codes, and what goes to which stream."""

import datetime
import json
import shutil

import pytest
from program import SMALL, run

from h2olite_cli.main import COMMANDS, main

ARGUMENTS = {
    "train": ["penguins.csv", "-o", "new.h2olite", *SMALL],
    "grid": ["penguins.csv", "--grid-l1", "0,1e-3", "-o", "grid", *SMALL],
    "path": ["penguins.csv", "--l1", "1e-3,1e-2", *SMALL],
    "select": ["penguins.csv", "--columns", "2", "--resamples", "2", *SMALL],
    "tune": ["penguins.csv", "-o", "tuned.h2olite", "--max-models", "4", *SMALL],
    "predict": ["penguins.h2olite", "penguins.csv"],
    "contributions": ["penguins.h2olite", "penguins.csv", "--background", "penguins.csv"],
    "anomaly": ["usual.h2olite", "penguins.csv"],
    "features": ["usual.h2olite", "penguins.csv", "--layer", "1"],
    "evaluate": ["penguins.h2olite", "penguins.csv"],
    "compare": ["penguins.h2olite", "other.h2olite", "penguins.csv", "--resamples", "20"],
    "show": ["penguins.h2olite"],
    "report": ["penguins.h2olite", "penguins.csv"],
    "varimp": ["penguins.h2olite"],
    "history": ["penguins.h2olite"],
    "weights": ["penguins.h2olite", "--layer", "1"],
    "export": ["penguins.h2olite", "-o", "exported.zip", "--format", "mojo"],
    "import": ["mojo.zip", "-o", "imported.h2olite"],
    "session": [],
    "r-install": ["--library", "library", "--rscript", "./Rscript"],
    "describe": ["penguins.csv", "-y", "species"],
    "params": ["l1"],
    "completion": ["bash"],
    "warmup": [],
}
"""What every command can work with."""

SILENT = ("train", "report", "export", "import", "session", "r-install", "warmup")
"""Commands that print nothing on stdout unless it is JSON."""

INPUTS = ("penguins.csv", "penguins.h2olite", "usual.h2olite", "other.h2olite", "mojo.zip")

FLAGS = {name: {flag for p in main.get_command(None, name).params for flag in p.opts} for name in COMMANDS}


@pytest.fixture
def folder(tmp_path, monkeypatch, inputs):
    """A working directory with a copy of them."""
    shutil.copytree(inputs, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def given(name, *wanted):
    """Those of some flags that a command has."""
    return [flag for flag in wanted if flag in FLAGS[name]]


def test_every_command_is_tested():
    assert [*ARGUMENTS] == [*COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_success_is_exit_code_0_with_data_on_stdout_and_a_line_a_message_on_stderr(folder, name):
    result = run(name, *ARGUMENTS[name], "--log-format", "text")
    assert result.exit_code == 0
    assert (result.stdout == "") == (name in SILENT)
    for line in result.stderr.splitlines():
        time, level, _ = line.split(" ", 2)
        assert datetime.datetime.fromisoformat(time).tzinfo is not None
        assert level in ("INFO", "WARNING")


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_but_json_is_said_where_that_is_asked_for(folder, name):
    asked = given(name, "--json", "--quiet")
    result = run(name, *ARGUMENTS[name], *asked)
    assert result.exit_code == 0
    if "--quiet" in asked:
        assert result.stderr == ""
    if "--json" in asked:
        assert "error" not in json.loads(result.stdout)


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize(
    ("name", "file"), [(name, file) for name in COMMANDS for file in INPUTS if file in ARGUMENTS[name]]
)
def test_input_that_cannot_be_read_is_exit_code_1_and_one_line(folder, name, file, damaged):
    if damaged:
        (folder / file).write_bytes(b"\x00\xff\x00\xff")
    else:
        (folder / file).unlink()
    before = sorted(folder.iterdir())
    result = run(name, *ARGUMENTS[name], *given(name, "--json"))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert file in result.stderr
    assert result.stderr.count("\n") == 1
    if "--json" in FLAGS[name]:
        assert result.stderr == f"Error: {json.loads(result.stdout)['error']}\n"
    else:
        assert result.stdout == ""
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option_is_exit_code_2_and_nothing_is_done(folder, name):
    before = sorted(folder.iterdir())
    result = run(name, *ARGUMENTS[name], "--bogus")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith("Error: No such option '--bogus'")
    assert sorted(folder.iterdir()) == before
