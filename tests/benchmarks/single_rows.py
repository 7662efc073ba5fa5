"""Measure how long a Scorer takes for a row.

``python tests/benchmarks/single_rows.py`` prints a table of docs/benchmarks.md. For each table of datasets/ it trains a
network of 50-50 rectifiers. The time for a row is the median over all rows, each scored five times, on one thread.
"""

from __future__ import annotations

import statistics
import time
import warnings
from pathlib import Path

import pandas as pd

import h2olite

DATASETS = Path(__file__).parents[2] / "datasets"


def measure(path: Path) -> tuple[int, float, float]:
    """Number of predictors; microseconds that a row takes, alone and as a table of one row."""
    frame = pd.read_csv(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns that are constant
        model = h2olite.deeplearning(training_frame=frame, hidden=[50, 50], epochs=1, seed=1)
    scorer = h2olite.Scorer(model)
    rows = frame.to_dict("records") * 5
    alone, tables = [], []
    for row in rows:
        start = time.perf_counter_ns()
        scorer.predict(row)
        alone.append(time.perf_counter_ns() - start)
    for i in range(100):
        start = time.perf_counter_ns()
        model.predict(frame.iloc[[i]])
        tables.append(time.perf_counter_ns() - start)
    return len(model.schema), statistics.median(alone) / 1000, statistics.median(tables) / 1000


def main() -> None:
    """Print the table."""
    print("| table | predictors | `Scorer.predict` | `Model.predict` of one row |\n|---|---|---|---|")
    for path in sorted(DATASETS.glob("*.csv")):
        n_predictors, alone, as_table = measure(path)
        print(f"| {path.stem} | {n_predictors} | {alone:.0f} µs | {as_table:,.0f} µs |")


if __name__ == "__main__":
    main()
