"""How near training comes to the loop of its update rule: ``python tests/benchmarks/limits.py`` writes the table of
docs/how-it-works.md. One thread; 200-200 rectifiers after 20,000 rows; the least time of several rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import report
from flights import simulate
from guard import Prepared, prepared, seconds_of
from tables import DATASETS

from h2olite.kernels.updates import Step, update
from h2olite.network.topology import aligned_zeros

PAGE = Path(__file__).parents[2] / "docs" / "how-it-works.md"
HEADER = """\
| | weights passed | bytes moved | takes | rate |
|---|---|---|---|---|"""
BYTES = 24
"""A weight and ADADELTA's two memories of it, read and written."""

WIDTH = 208


def main() -> None:
    """Measure, and write the table."""
    digits, flights = prepared(str(DATASETS / "digits.csv"), 1), prepared(simulate(20_000, np.random.default_rng(1)), 1)
    lines = [
        _line(f"the loop alone, {n_rows * WIDTH * 12 // 1000:,} kB", n_rows * WIDTH, loop(n_rows))
        for n_rows in (200, 2000)
    ]
    for name, rows in (("a row of digits, 64 numbers", digits), ("a simulated flight, 6 categories", flights)):
        rows.train(20_000)
        lines.append(_line(name, weights_passed(rows), least(rows.train, 4000) / 4000))
    text = "\n".join([report.machine(), "", HEADER, *lines])
    print(text)
    report.write("limits", text, PAGE)


def loop(n_rows: int) -> float:
    """Seconds of an ADADELTA step of n_rows rows of weights, and of nothing else."""
    weights, squares, steps = (aligned_zeros(n_rows * WIDTH).reshape(n_rows, WIDTH) for _ in range(3))
    gradients = np.random.default_rng(1).normal(0, 1e-3, (1, WIDTH)).astype(np.float32)
    rho, epsilon, none = map(np.float32, (0.99, 1e-8, 0))
    step = Step(True, rho, epsilon, none, none, False, none, True)
    listed, ones = np.arange(n_rows, dtype=np.int32), np.ones(n_rows, np.float32)
    times = 200_000 // n_rows
    parameters = weights, squares, steps
    return least(lambda n: step_often(n, step, parameters, listed, ones, gradients), times) / times


@numba.njit
def step_often(times, step, parameters, listed, ones, gradients):
    """Take a step as often as said."""
    for _ in range(times):
        update(step, parameters, listed, ones, listed.size, gradients, 0)


def least(work: Callable[[int], object], n: int) -> float:
    """The least processor time that work(n) takes."""
    work(n)
    return min(seconds_of(work, n) for _ in range(7))


def weights_passed(rows: Prepared, n_rows: int = 200) -> float:
    """How many weights a row's update passes: all out of inputs that change any."""
    network, n_passed = rows.team.network, 0
    for row in range(n_rows):
        before = network.first.copy()
        rows.team.train(rows.objective, rows.rule, rows.rows, np.array([row]), 1)
        for layer in range(network.n_layers):
            changed = network.weights(layer, network.first) != network.weights(layer, before)
            n_passed += np.count_nonzero(changed.any(axis=(1, 2))) * changed.shape[2]
    return n_passed / n_rows


def _line(name: str, n_weights: float, seconds: float) -> str:
    """A line of the table."""
    return (
        f"| {name} | {n_weights:,.0f} | {n_weights * BYTES / 1e3:,.0f} kB | {seconds * 1e6:,.2f} µs | "
        f"{n_weights / seconds / 1e9:.1f}e9 weights/s |"
    )


if __name__ == "__main__":
    main()
