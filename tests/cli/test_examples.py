import os
import shutil
import subprocess

import pytest
from program import DATASETS

from h2olite_cli.main import COMMANDS, main

EXAMPLES = {name: main.get_command(None, name).examples for name in COMMANDS}


@pytest.fixture(scope="module")
def shell(program_folder):
    """Runs a command line in bash, in a given folder."""

    def run(line, folder):
        path = f"{program_folder}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def named_files(tmp_path_factory, shell):
    """A folder with the tables, models and other files that examples name."""
    folder = tmp_path_factory.mktemp("named")
    for table in DATASETS.glob("*.csv"):
        shutil.copy(table, folder)
    (folder / "settings.toml").write_text("hidden = [20, 20]\n")
    for line in (*EXAMPLES["train"], *EXAMPLES["export"]):
        assert shell(line, folder).returncode == 0
    shutil.copy(folder / "iris.h2olite", folder / "sparse.h2olite")  # compare's second model, which path may write
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_fits_a_terminal(name):
    assert EXAMPLES[name]
    assert all(line.startswith(("h2olite ", "eval ")) and len(line) <= 78 for line in EXAMPLES[name])


@pytest.mark.parametrize("line", [line for name in COMMANDS if name != "train" for line in EXAMPLES[name]])
def test_example_runs(shell, named_files, tmp_path, line):
    folder = shutil.copytree(named_files, tmp_path / "own")  # an example may write over a file that another one reads
    done = shell(line, folder)
    assert done.returncode == 0
    assert "Error" not in done.stderr
