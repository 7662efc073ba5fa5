import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result
from program import DATASETS, SMALL, put_stand_ins_for_r, run


class Trained(NamedTuple):
    path: Path
    result: Result


@pytest.fixture(scope="session")
def penguins(tmp_path_factory) -> Trained:
    """A model of the penguins' species, and what training it printed with --json."""
    path = tmp_path_factory.mktemp("models") / "penguins.h2olite"
    return Trained(path, run("train", DATASETS / "penguins.csv", "-y", "species", "-o", path, "--json", *SMALL))


@pytest.fixture(scope="session")
def program_folder(tmp_path_factory) -> Path:
    """A folder for PATH with the program h2olite, run by this Python."""
    program = tmp_path_factory.mktemp("bin") / "h2olite"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m h2olite_cli "$@"\n')
    program.chmod(0o755)
    return program.parent


@pytest.fixture(scope="session")
def inputs(tmp_path_factory, penguins):
    """A folder with the tables and models that the arguments name."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copy(DATASETS / "penguins.csv", folder)
    shutil.copy(penguins.path, folder)
    shutil.copy(Path(__file__).parent.parent / "mojos" / "iris_rectifier" / "model.zip", folder / "mojo.zip")
    run("train", DATASETS / "penguins.csv", "--l1", "1e-3", "-o", folder / "other.h2olite", *SMALL)
    run("train", DATASETS / "penguins.csv", "--autoencoder", "-o", folder / "usual.h2olite", *SMALL)
    put_stand_ins_for_r(folder)
    return folder
