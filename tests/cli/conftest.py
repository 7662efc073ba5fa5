from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result
from program import DATASETS, SMALL, run


class Trained(NamedTuple):
    path: Path
    result: Result


@pytest.fixture(scope="session")
def penguins(tmp_path_factory) -> Trained:
    """A model of the penguins' species, and what training it printed with --json."""
    path = tmp_path_factory.mktemp("models") / "penguins.h2olite"
    return Trained(path, run("train", DATASETS / "penguins.csv", "-y", "species", "-o", path, "--json", *SMALL))
