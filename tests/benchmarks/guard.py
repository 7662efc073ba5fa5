"""Fail when the kernels have become much slower, without trusting a clock: for continuous integration.

``python tests/benchmarks/guard.py`` (needs h2olite[test]) compares the speed of the kernels with that of their twins in
plain NumPy (tests/naive.py) and of scikit-learn, all on one thread. It fails when one of the ratios is less than half
of what guard.json says for the processor's vector instructions; with instructions that it does not know, when one is
less than half of the lowest known. ``--update`` writes the ratios as they are now, for the instructions in use.

Processors with the same instructions differ, most of all in how fast they divide: keep the ratios of the slower ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from flights import simulate
from processor import instruction_set
from sklearn.neural_network import MLPClassifier
from tables import DATASETS
from threadpoolctl import threadpool_limits

from h2olite.data.encoding import EncodedRows
from h2olite.data.frames import as_table
from h2olite.fitting.preparation import prepare
from h2olite.fitting.starting import starting_network
from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.settings.validation import validate
from h2olite.training.task import layout_of, objective_of, rule_of
from h2olite.training.team import Team

sys.path.insert(0, str(Path(__file__).parents[1]))
import naive

STORED = Path(__file__).parent / "guard.json"
ROUNDS = 7
TRIES = 5


class Prepared(NamedTuple):
    """A network before training, on one thread, and the rows to train it on."""

    team: Team
    objective: Objective
    rule: Rule
    rows: EncodedRows

    def train(self, n_rows: int) -> None:
        """Train by the kernels."""
        self.team.train(self.objective, self.rule, self.rows, np.arange(n_rows) % len(self.rows.levels))

    def train_naively(self, n_rows: int) -> None:
        """Train by their twin."""
        batch = self.team.batch_size
        naive.train(self.layers, self.objective, self.rule, naive.take(self.rows, slice(n_rows)), batch_size=batch)

    @property
    def layers(self) -> list[naive.Layer]:
        """The layers of the twin."""
        return naive.layers_of(self.team.network)


def prepared(source: object, batch: int) -> Prepared:
    """A 200-200 network for a table whose last column is the response."""
    table = as_table(source, name="table")
    parameters = validate({"mini_batch_size": batch, "seed": 1, "nthreads": 1})
    preparation = prepare(parameters, table, None)
    parameters, rows = preparation.parameters, preparation.rows
    network = starting_network(
        parameters,
        layout_of(preparation.encoder, preparation.response, parameters),
        preparation.encoder.input_names,
        absent_inputs=preparation.absent_inputs,
    )
    rule, objective = rule_of(parameters, rows, network), objective_of(parameters)
    team = Team(network, rows, 1, batch)
    team.compile(objective, rule, rows)
    return Prepared(team, objective, rule, rows)


class Comparison(NamedTuple):
    """Two ways to do the same, each with the number of rows it does it for."""

    ours: Callable[[int], object]
    n_ours: int
    theirs: Callable[[int], object]
    n_theirs: int

    def ratio(self) -> float:
        """How many times as fast the first one is: the least processor time of several rounds of each, in turns."""
        seconds = [(seconds_of(self.ours, self.n_ours), seconds_of(self.theirs, self.n_theirs)) for _ in range(ROUNDS)]
        ours, theirs = map(min, zip(*seconds, strict=True))
        return (theirs / self.n_theirs) / (ours / self.n_ours)


def comparisons() -> dict[str, Comparison]:
    """What is compared, by name."""
    digits = str(DATASETS / "digits.csv")
    single, batches = prepared(digits, 1), prepared(digits, 128)
    flights = prepared(simulate(3000, np.random.default_rng(1)), 1)
    layers, rows = single.layers, single.rows
    x, y = rows.numbers, rows.target.astype(int)
    network = MLPClassifier((200, 200), batch_size=128, random_state=1).partial_fit(x, y, classes=np.unique(y))
    return {
        "training row by row, against NumPy": Comparison(single.train, 2000, single.train_naively, 30),
        "training on categorical rows, against NumPy": Comparison(flights.train, 2000, flights.train_naively, 10),
        "training by mini-batches, against NumPy": Comparison(batches.train, 2048, batches.train_naively, 1024),
        "training by mini-batches, against scikit-learn": Comparison(
            batches.train, 2048, lambda n: network.partial_fit(x[:n], y[:n]), 1024
        ),
        "predicting, against NumPy": Comparison(
            lambda n: single.team.predict(single.objective, rows, np.arange(n)),
            1500,
            lambda n: naive.predict(layers, single.objective, naive.take(rows, slice(n))),
            1500,
        ),
    }


def expected_ratios(stored: dict[str, dict[str, float]], instructions: str) -> dict[str, float]:
    """The stored ratios for these vector instructions, or the lowest of all if there are none for them."""
    if instructions in stored:
        return stored[instructions]
    return {name: min(ratios[name] for ratios in stored.values()) for name in next(iter(stored.values()))}


def seconds_of(work: Callable[[int], object], n_rows: int) -> float:
    """The processor time that it takes."""
    started = time.process_time()
    work(n_rows)
    return time.process_time() - started


def _best(comparison: Comparison, enough: float) -> float:
    """The ratio, measured again while it is too low: busy cores slow down most what fills the caches."""
    ratio = comparison.ratio()
    for _ in range(TRIES - 1):
        if ratio >= enough:
            break
        ratio = max(ratio, comparison.ratio())
    return ratio


def main() -> int:
    """Compare; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the ratios of this run to guard.json")
    update = parser.parse_args().update
    warnings.simplefilter("ignore")
    instructions, stored = instruction_set(), json.loads(STORED.read_text())
    expected = {} if update else expected_ratios(stored, instructions)
    with threadpool_limits(1):
        ratios = {name: _best(comparison, expected.get(name, 0) / 2) for name, comparison in comparisons().items()}
    if update:
        stored[instructions] = expected = {name: round(ratio, 2) for name, ratio in ratios.items()}
        STORED.write_text(json.dumps(stored, indent=2) + "\n")
    slow = [name for name, ratio in ratios.items() if ratio < expected[name] / 2]
    for name, ratio in ratios.items():
        verdict = f"{ratio:.3g} times as fast (stored: {expected[name]:g}){'  TOO SLOW' * (name in slow)}"
        print(f"{instructions}, {name}: {verdict}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
