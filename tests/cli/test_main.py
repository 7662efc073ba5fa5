import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from click.testing import CliRunner
from program import DATASETS, SMALL

from h2olite_cli.main import COMMANDS, main

HEAVY = ("numba", "pandas", "pyarrow", "numpy", "sklearn", "polars", "matplotlib", "onnx")


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="h2olite")


def loaded_by(code):
    """Those of the heavy modules that a fresh interpreter has loaded after the code."""
    program = f"import sys, json, contextlib, io\n{code}\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    return json.loads(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["params", "l1"]])
def test_help_loads_no_heavy_module(arguments):
    call = (
        "from h2olite_cli.main import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()): main({arguments}, standalone_mode=False)"
    )
    assert loaded_by(call) == []


def test_completion_loads_no_heavy_module(monkeypatch):
    monkeypatch.setenv("COMP_WORDS", "h2olite train --activation T")
    monkeypatch.setenv("COMP_CWORD", "3")
    monkeypatch.setenv("_H2OLITE_COMPLETE", "bash_complete")
    call = (
        "from h2olite_cli.main import main\n"
        "with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.suppress(SystemExit):\n"
        "    main(prog_name='h2olite')\n"
    )
    assert loaded_by(call) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", DATASETS / "iris.csv", *SMALL, "-o", "iris.h2olite", "--quiet"],
        ["predict", "model", DATASETS / "penguins.csv", "-o", "p.csv"],
        ["evaluate", "model", DATASETS / "penguins.csv"],
        ["show", "model"],
        ["varimp", "model"],
        ["history", "model"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_load_no_more_than_they_need(penguins, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    words = [str(penguins.path if word == "model" else word) for word in arguments]
    call = (
        "from h2olite_cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): "
        f"main({words}, standalone_mode=False)"
    )
    assert set(loaded_by(call)) <= {"numba", "numpy", "pyarrow"}


def test_importing_h2olite_loads_no_heavy_module():
    assert loaded_by("import h2olite") == []


def test_help_lists_every_command_by_section():
    result = run("--help")
    assert result.exit_code == 0
    assert [
        line.split()[0] for line in result.output.splitlines() if line[:2] == "  " and line.split()[0] in COMMANDS
    ] == [*COMMANDS]
    assert "Inspection:\n  show" in result.output


def test_version_is_that_of_the_package():
    assert run("--version").output == f"h2olite {version('h2olite')}\n"


def test_module_runs_like_the_program():
    command = [sys.executable, "-m", "h2olite_cli", "--version"]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"h2olite {version('h2olite')}\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: h2olite {name}")
    assert run(name, "-h").output == result.output


def test_unknown_command_suggests_the_nearest():
    result = run("trian")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Error: there is no command 'trian'; did you mean 'train'?"


def test_unknown_option_suggests_the_nearest():
    result = run("train", "t.csv", "--stoping-rounds", "3")
    assert result.exit_code == 2
    assert "No such option '--stoping-rounds'" in result.stderr
    assert "'--stopping-rounds'" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["train"], ["train", "t.csv", "--epochs", "many"], ["train", "t.csv", "--hidden", "5,x"], ["predict", "m"]],
)
def test_wrong_usage_exits_with_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_files_in_the_place_of_a_pattern_are_refused_with_the_way_out(tmp_path):
    for name in ("a.parquet", "b.parquet"):
        (tmp_path / name).touch()
    result = run("train", tmp_path / "a.parquet", tmp_path / "b.parquet", "-y", "x")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        f"Error: Got unexpected extra argument ({tmp_path / 'b.parquet'}); files of one table are given as their "
        f"folder, or by a pattern in quotes: '{tmp_path / '*.parquet'}'."
    )
    result = run("train", tmp_path / "a.parquet", "b")
    assert result.stderr.splitlines()[-1] == "Error: Got unexpected extra argument (b)"


def test_standard_output_is_utf8_whatever_the_locale(tmp_path):
    table = "größe,列,y\n1,日,a\n2,本,b\n3,日,b\n"
    (tmp_path / "t.csv").write_text(table, encoding="utf-8")
    assert run("train", tmp_path / "t.csv", "-o", tmp_path / "m.h2olite", *SMALL).exit_code == 0
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command in ("varimp", "show"):
        done = subprocess.run(
            [sys.executable, "-m", "h2olite_cli", command, tmp_path / "m.h2olite"],
            env=environment,
            capture_output=True,
            check=True,
        )
        assert "列.日" in done.stdout.decode()
        assert done.stderr == b""
