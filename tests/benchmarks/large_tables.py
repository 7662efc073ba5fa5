"""What training on a table in a scratch file costs: speed and loss, beside the same training in memory.

``python tests/benchmarks/large_tables.py [ROWS]`` simulates flights (300,000 unless told), trains on them in memory,
and from a scratch file of which an eighth is in memory: two windows of a sixteenth each. It writes the table of
docs/scaling.md for the instruction set that kernels are compiled for (see processor.py).
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import flights
import numpy as np
import pyarrow.parquet as pq
import report
from processor import instruction_set

import h2olite
from h2olite.data import frames
from h2olite.fitting import large
from h2olite.training.stored import StoredSource

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"

N_WINDOWS = 16
"""Windows of an epoch, two of which are in memory."""

N_TEST = 100_000
"""Rows that both models are measured on."""

N_RUNS = 3
"""Trainings of each kind, in turn."""


def simulate(path: Path, n_rows: int, seed: int) -> None:
    """Write flights to a Parquet file, block by block."""
    random, writer = np.random.default_rng(seed), None
    for start in range(0, n_rows, flights.BLOCK):
        block = flights.simulate(min(n_rows - start, flights.BLOCK), random)
        writer = writer or pq.ParquetWriter(path, block.schema)
        writer.write_table(block)
    if writer is not None:
        writer.close()


class SmallWindows(StoredSource):
    """A source whose windows do not depend on the memory that there is."""

    def __init__(self, stored: Any, rows: Any, sample: Any, left_out: Any, window_bytes: float, **options: Any) -> None:
        super().__init__(stored, rows, sample, left_out, stored.nbytes / N_WINDOWS, **options)


def main() -> None:
    """Measure, and write the table."""
    warnings.simplefilter("ignore")
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    frames.IDLE = 1 << 60  # so that max_memory has the table in a file, whatever it is

    large.StoredSource = SmallWindows  # type: ignore[misc]
    ways: list[dict[str, Any]] = [{}, {"max_memory": "1TB"}]
    paces: list[list[float]] = [[], []]
    losses: list[list[float]] = [[], []]
    with tempfile.TemporaryDirectory() as folder:
        table, test = Path(folder) / "flights.parquet", Path(folder) / "test.parquet"
        simulate(table, n_rows, 1)
        simulate(test, N_TEST, 2)
        h2olite.deeplearning(y="late", training_frame=test, epochs=0.01)  # compiles
        for seed in range(1, N_RUNS + 1):
            for i, way in enumerate(ways):
                given: dict[str, Any] = {"epochs": 1, "stopping_rounds": 0, "nthreads": 1, "seed": seed}
                model = h2olite.deeplearning(y="late", training_frame=table, **given, **way)
                paces[i].append(model.record.samples / model.record.seconds["train"])
                losses[i].append(model.model_performance(test).logloss())
                print(seed, way, f"{paces[i][-1]:,.0f} rows/s", f"logloss {losses[i][-1]:.4f}", flush=True)
    ratios = sorted(b / a for a, b in zip(*paces, strict=True))
    loss = np.mean(losses[1]) / np.mean(losses[0]) - 1
    lines = [
        report.machine(),
        "",
        "| rows | in memory, rows/s | from a file, rows/s | ratio | logloss in memory | from a file | difference |",
        "|---|---|---|---|---|---|---|",
        f"| {n_rows:,} flights | {np.median(paces[0]):,.0f} | {np.median(paces[1]):,.0f} | {np.median(ratios):.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f}) | {np.mean(losses[0]):.4f} | {np.mean(losses[1]):.4f} | "
        f"{100 * loss:+.2f} % |",
    ]
    report.write(f"tables larger than memory with {instruction_set()}", "\n".join(lines), PAGE)


if __name__ == "__main__":
    main()
