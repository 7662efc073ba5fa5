"""The tables that are trained on: from a folder of the user's, from datasets/, or simulated flights."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

DATASETS = Path(__file__).parents[2] / "datasets"

FLIGHTS_TEST_ROWS = 100_000
BLOCK = 500_000
"""Rows simulated at a time."""


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
    """Simulated flights: six categorical columns with 672 levels in all, two numbers, and whether one was late."""
    paths = work / f"flights_{n_rows}.csv", work / f"flights_test_{FLIGHTS_TEST_ROWS}.csv"
    for path, rows, seed in zip(paths, (n_rows, FLIGHTS_TEST_ROWS), (1, 2), strict=True):
        if not path.exists():
            unfinished = path.with_suffix(".part")
            random, left = np.random.default_rng(seed), rows
            first = simulate(min(left, BLOCK), random)
            with pyarrow.csv.CSVWriter(unfinished, first.schema) as writer:
                writer.write_table(first)
                while left := left - min(left, BLOCK):
                    writer.write_table(simulate(min(left, BLOCK), random))
            unfinished.rename(path)
    return Table(*paths, "late", f"{n_rows:,} flights")


def simulate(n_rows: int, random: np.random.Generator) -> pa.Table:
    """Flights, about a fifth of them late: by where from and to, who flies, when, and some of these together."""
    effects = np.random.default_rng(42)  # the same in every block
    busy = 1 / np.arange(1, 301)
    months, days, weekdays = (random.integers(0, n, n_rows) for n in (12, 31, 7))
    carriers = random.choice(22, n_rows, p=(weight := busy[:22] ** 0.7) / weight.sum())
    origins, destinations = (random.choice(300, n_rows, p=busy / busy.sum()) for _ in range(2))
    minutes = np.clip(random.normal(810, 270, n_rows), 5, 1434).astype(np.int64)
    places = effects.uniform(0, 2500, (300, 2))
    miles = 60 + np.hypot(*(places[origins] - places[destinations]).T).astype(np.int64)
    score = -2.0 + np.tanh((minutes - 840) / 240) + 0.25 * np.sin(miles / 300)
    for column, size in (
        (origins, 300),
        (destinations, 300),
        (carriers, 22),
        (months, 12),
        (weekdays, 7),
        (months * 31 + days, 12 * 31),
        (origins * 4 + months // 3, 300 * 4),
        (carriers * 4 + minutes // 360, 22 * 4),
    ):
        score += effects.normal(0, 0.35, size)[column]
    late = random.random(n_rows) < 1 / (1 + np.exp(-score))
    texts = {
        "month": ("m", months, 12),
        "day": ("d", days, 31),
        "weekday": ("w", weekdays, 7),
        "carrier": ("carrier", carriers, 22),
        "origin": ("airport", origins, 300),
        "destination": ("airport", destinations, 300),
    }
    columns = {
        name: pa.DictionaryArray.from_arrays(values, [f"{prefix}{i}" for i in range(size)]).cast(pa.string())
        for name, (prefix, values, size) in texts.items()
    }
    departure = minutes // 60 * 100 + minutes % 60
    return pa.table(columns | {"departure": departure, "miles": miles, "late": np.where(late, "yes", "no")})
