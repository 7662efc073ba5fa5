"""Simulated flights: six categorical columns with 672 levels in all, two numbers, and whether one was late.

``python tests/benchmarks/flights.py FILE.csv ROWS SEED`` writes some, block by block.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

BLOCK = 500_000
"""Rows simulated at a time."""


def simulate(n_rows: int, random: np.random.Generator) -> pa.Table:
    """Flights, about a tenth of them late: by where from and to, who flies, when, and some of these together."""
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


def write(path: Path, n_rows: int, seed: int) -> None:
    """Write a CSV file, which appears when it is whole."""
    random, unfinished = np.random.default_rng(seed), path.with_suffix(".part")
    first = simulate(min(n_rows, BLOCK), random)
    with pyarrow.csv.CSVWriter(unfinished, first.schema) as writer:
        writer.write_table(first)
        for start in range(BLOCK, n_rows, BLOCK):
            writer.write_table(simulate(min(n_rows - start, BLOCK), random))
    unfinished.rename(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
