"""What replicas gain and lose.

``python tests/benchmarks/scaling.py [FOLDER]`` writes the tables of docs/scaling.md that count rows, not seconds.
FOLDER holds ``NAME_train.csv.gz`` and ``NAME_test.csv.gz``; without it, there are simulated flights and digits only.
``python tests/benchmarks/scaling.py --speed`` measures two replicas on two threads beside one thread, and writes the
table of the instruction set that kernels are compiled for (see processor.py).
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import report
from processor import instruction_set
from tables import find_table

import h2olite
from h2olite.data.reader import read_table

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"

REPLICAS = (1, 2, 4, 8, 16, 32)

ROWS = (32, 512, 2048)
"""Rows of each replica between two averages, beside the choice of `averaging_rows` 0."""

LONGEST = 4
"""How many times as many rows replicas may need until they reach the loss of one network."""


N_RUNS = 5
"""How often a speed is measured."""


class Case(NamedTuple):
    """A table, for how many epochs one network learns from it, and with how many seeds."""

    title: str
    train: Path
    test: Path
    response: str
    epochs: int
    seeds: int


def cases(data: Path | None, work: Path) -> list[Case]:
    """The tables that there are."""
    flights, digits = find_table("flights-200000", data, work), find_table("digits", None, work)
    found = [
        Case(flights.title, flights.train, flights.test, flights.response, 1, 1),
        Case(digits.title, digits.train, digits.test, digits.response, 10, 3),
    ]
    for name, response, epochs in (("adult", "income", 2), ("covtype20k", "C55", 4)):
        train, test = ((data or work) / f"{name}_{part}.csv.gz" for part in ("train", "test"))
        if train.exists() and test.exists():
            found.append(Case(name, train, test, response, epochs, 2))
    return found


def losses(case: Case, replicas: int, rows: int, times: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows trained on, and the logloss of test rows then, ten times and more."""
    given: dict[str, Any] = {"averaging_rows": rows} if replicas > 1 else {}
    model = h2olite.deeplearning(
        y=case.response,
        factors=[case.response],
        training_frame=case.train,
        validation_frame=case.test,
        score_validation_samples=20_000,
        score_training_samples=1000,
        score_each_iteration=True,
        train_samples_per_iteration=case.epochs * n_rows(case) // 10,
        epochs=case.epochs * times,
        overwrite_with_best_model=False,
        classification_stop=-1,
        hidden=[200, 200],
        seed=seed,
        replicas=replicas,
        **given,
    )
    history = [row for row in model.history if row.get("validation_logloss") is not None]
    return np.array([row["samples"] for row in history]), np.array([row["validation_logloss"] for row in history])


def n_rows(case: Case) -> int:
    """Rows of the training table."""
    return read_table(case.train).n_rows


def line(case: Case, replicas: int, one: float, n_trained: float) -> tuple[str, float, float]:
    """A line of a table; the loss of one network, and the rows that it learnt from, are needed for the others."""
    cells, rows_needed = [], []
    for rows in (0, *ROWS):
        if replicas == 1 and rows:
            cells.append("")
            continue
        times = LONGEST if rows == 0 and replicas > 1 else 1
        of_seeds = [losses(case, replicas, rows, times, seed) for seed in range(1, case.seeds + 1)]
        steps = min(len(values) for _, values in of_seeds)
        seen, values = of_seeds[0][0][:steps], np.mean([values[:steps] for _, values in of_seeds], axis=0)
        if replicas == 1:
            one, n_trained = float(values[-1]), float(seen[-1])
        cells.append(f"{values[np.argmin(abs(seen - n_trained))]:.4f}")
        if rows == 0:
            reached = np.flatnonzero(values <= one)
            rows_needed = [seen[reached[0]] / n_trained] if reached.size else []
    needed = f"{rows_needed[0]:.1f}" if rows_needed else f"over {LONGEST}"
    fewer = f"{replicas / rows_needed[0]:.1f}" if rows_needed else f"under {replicas / LONGEST:.1f}"
    return f"| {replicas} | {' | '.join(cells)} | {needed} | {fewer} |", one, n_trained


def speeds(case: Case, epochs: int) -> str:
    """A line of the table of speeds: one thread and two replicas in turn, some times."""
    given: dict[str, Any] = {"y": case.response, "factors": [case.response], "hidden": [200, 200], "epochs": epochs}
    ways: list[dict[str, Any]] = [{"nthreads": 1}, {"nthreads": 2, "replicas": 2}]
    paces: list[list[float]] = [[], []]
    losses: list[list[float]] = [[], []]
    for seed in range(N_RUNS + 1):
        for i, way in enumerate(ways):
            model = h2olite.deeplearning(training_frame=case.train, seed=seed, classification_stop=-1, **given, **way)
            if seed:  # the first run compiles
                paces[i].append(model.record.samples / model.record.seconds["train"])
                losses[i].append(model.model_performance(case.test).logloss())
    one, two = map(np.median, paces)
    ratios = sorted(b / a for a, b in zip(*paces, strict=True))
    logloss = " | ".join(f"{np.mean(values):.4f}" for values in losses)
    title = f"{case.title}, {epochs} epoch{'s' * (epochs > 1)}"
    return f"| {title} | {one:,.0f} | {two:,.0f} | {two / one:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) | {logloss} |"


def write_speeds() -> None:
    """Measure the speed, and write its table."""
    lines = [
        "| table | one thread | two replicas | ratio | logloss of one thread | of two replicas |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for case, epochs in zip(cases(None, Path(folder)), (1, 40), strict=True):
            lines.append(speeds(case, epochs))
            print(lines[-1], flush=True)
    report.write(f"speed of replicas with {instruction_set()}", "\n".join([report.machine(), "", *lines]), PAGE)


def main() -> None:
    """Measure, and write the tables."""
    warnings.simplefilter("ignore")
    if sys.argv[1:] == ["--speed"]:
        write_speeds()
        return
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    parts = [report.machine()]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(data, Path(folder)):
            started, one, n_trained = time.perf_counter(), 0.0, 0.0
            epochs = f"{case.epochs} epoch{'s' * (case.epochs > 1)}"
            lines = [
                f"**{case.title}**, {epochs}, mean of {case.seeds} seed{'s' * (case.seeds > 1)}:",
                "",
                "| replicas | AUTO | " + " | ".join(f"{rows:,} rows" for rows in ROWS) + " | rows needed | speed-up |",
                "|---|" + "---|" * (len(ROWS) + 3),
            ]
            for replicas in REPLICAS:
                text, one, n_trained = line(case, replicas, one, n_trained)
                lines.append(text)
                print(text, f"{time.perf_counter() - started:.0f} s", flush=True)
            parts.append("\n".join(lines))
    report.write("scaling", "\n\n".join(parts), PAGE)


if __name__ == "__main__":
    main()
