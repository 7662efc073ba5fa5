"""The tables that are trained on: from a folder of the user's, from datasets/, or simulated flights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

DATASETS = Path(__file__).parents[2] / "datasets"

FLIGHTS_TEST_ROWS = 100_000


class Source(NamedTuple):
    """A table of the folder of tables, and what stands in for it where it is not there.

    name : of the files, ``NAME_train.csv.gz`` and ``NAME_test.csv.gz``.
    response : the column to predict.
    instead : a table of datasets/ with its response, of which every fifth row is a test row, or a number of flights.
    """

    name: str
    response: str
    instead: tuple[str, str] | int


class Table(NamedTuple):
    """Where training and test rows are, what is predicted, and what people call it."""

    train: Path
    test: Path
    response: str
    title: str


SOURCES = {
    "digits": Source("mnist10k", "C785", ("digits", "digit")),
    "adult": Source("adult", "income", 33_000),
    "airlines": Source("airlines2k", "IsDepDelayed", 35_000),
    "iris": Source("iris", "class", ("iris", "species")),
    "prostate": Source("prostate", "CAPSULE", ("breast_cancer", "diagnosis")),
}


def find_table(name: str, data: Path | None, work: Path) -> Table:
    """The table of a job: one of `SOURCES`, or ``flights-`` and a number of rows.

    Parameters
    ----------
    data : the user's folder of tables.
    work : where tables are written that do not exist yet.
    """
    if name.startswith("flights-"):
        return flights(int(name.removeprefix("flights-")), work)
    source = SOURCES[name]
    if data is not None:
        train, test = (data / f"{source.name}_{part}.csv.gz" for part in ("train", "test"))
        if train.exists() and test.exists():
            return Table(train, test, source.response, source.name)
    if isinstance(source.instead, int):
        return flights(source.instead, work)
    stem, response = source.instead
    train, test = (work / f"{stem}_{part}.csv" for part in ("train", "test"))
    header, *rows = (DATASETS / f"{stem}.csv").read_text().splitlines(keepends=True)
    train.write_text(header + "".join(row for i, row in enumerate(rows) if i % 5))
    test.write_text(header + "".join(rows[::5]))
    return Table(train, test, response, stem)


def flights(n_rows: int, work: Path) -> Table:
    """Simulated flights, made by another process: the memory of this one would count as that of those it starts."""
    paths = work / f"flights_{n_rows}.csv", work / f"flights_test_{FLIGHTS_TEST_ROWS}.csv"
    for path, rows, seed in zip(paths, (n_rows, FLIGHTS_TEST_ROWS), ("1", "2"), strict=True):
        if not path.exists():
            subprocess.run([sys.executable, Path(__file__).with_name("flights.py"), path, str(rows), seed], check=True)
    return Table(*paths, "late", f"{n_rows:,} flights")
