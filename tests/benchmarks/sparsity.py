"""Measure what the penalties do on simulated tables whose truth is known.

``python tests/benchmarks/sparsity.py`` takes some minutes. A table has 4,000 training rows and 10,000 test rows of 100
standard-normal columns, of which the first 10 decide the class through products, a sine, a square and linear terms. A
network of 64 and 32 rectifiers is trained by ADADELTA on one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import h2olite
from h2olite.data.encoding import EncodedRows
from h2olite.kinds.activations import ACTIVATIONS
from h2olite.network.network import Network, initial_network
from h2olite.network.topology import lay_out
from h2olite.predicting import single_precision
from h2olite.settings.parameters import Parameters
from h2olite.training.task import objective_of
from h2olite.training.team import Team

N_COLUMNS, N_TRUE = 100, 10
SETTINGS: dict[str, Any] = {"y": "y", "hidden": [64, 32], "stopping_rounds": 0, "seed": 1, "nthreads": 1}
STRENGTHS = ((3e-3, 20), (5e-3, 40))
"""l1 and epochs."""


def simulate(n_rows: int, seed: int) -> dict[str, np.ndarray]:
    """A table whose class is drawn with probability 1 / (1 + exp(-score))."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n_rows, N_COLUMNS))
    score = 3 * x[:, 0] * x[:, 1] + 3 * x[:, 2] * x[:, 3] + 4 * np.sin(2 * x[:, 4]) + 2 * (x[:, 5] ** 2 - 1)
    score += 4 * (x[:, 6] - x[:, 7] + x[:, 8] - x[:, 9])
    classes = random.random(n_rows) < 1 / (1 + np.exp(-score))
    return {f"x{i}": column for i, column in enumerate(x.T)} | {"y": np.where(classes, "b", "a")}


class Numbers(NamedTuple):
    """What is told of a network: share of zeros, test logloss and error, and objective on the training rows."""

    zero_share: float
    loss: float
    error: float
    objective: float


class Tables(NamedTuple):
    """Training and test rows."""

    training: dict[str, np.ndarray]
    test: dict[str, np.ndarray]


TABLES = [Tables(simulate(4000, seed), simulate(10_000, 100 + seed)) for seed in range(3)]
FRESH = [Tables(simulate(4000, seed), simulate(10_000, 100 + seed)) for seed in (11, 12, 13)]
"""Tables by which fewer choices in the package were made."""


def train(tables: Tables, **settings: Any) -> h2olite.Model:
    """A model of the training rows."""
    return h2olite.deeplearning(training_frame=tables.training, **SETTINGS | settings)


def h2olite_numbers(tables: Tables, l1: float, epochs: int) -> Numbers:
    """Those of h2olite."""
    model = train(tables, l1=l1, epochs=epochs)
    test = model.model_performance(tables.test)
    absolute = sum(float(np.abs(model.network.weights(layer)).sum()) for layer in range(3))
    return Numbers(
        model.report()["weights"]["zero_share"], test.logloss(), test["error"], model.logloss() + l1 * absolute
    )


def subgradient_numbers(tables: Tables, l1: float, epochs: int) -> Numbers:
    """Those of adding l1 * sign(w) to every gradient."""
    return train_plainly(tables, epochs, subgradient=l1)


def collecting_numbers(every: int) -> Callable[[Tables, float, int], Numbers]:
    """Those of a proximal step every so many rows, for the updates that each weight has had, with their rates."""
    return lambda tables, l1, epochs: train_plainly(tables, epochs, collected=l1, every=every)


def train_plainly(
    tables: Tables, epochs: int, *, subgradient: float = 0.0, collected: float = 0.0, every: int = 0
) -> Numbers:
    """Train by ADADELTA in NumPy, with l1 in one of two other ways; the result is averaged as h2olite does."""
    names = [f"x{i}" for i in range(N_COLUMNS)]
    x, x_test = (np.column_stack([table[name] for name in names]) for table in tables)
    x, x_test = (x - x.mean(axis=0)) / x.std(axis=0), (x_test - x.mean(axis=0)) / x.std(axis=0)
    x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    y, y_test = ((table["y"] == "b").astype(int) for table in tables)
    random = np.random.default_rng(1)
    network = initial_network(
        lay_out([N_COLUMNS, 64, 32, 2]),
        ACTIVATIONS["Rectifier"],
        "UniformAdaptive",
        1.0,
        random,
        absent_inputs=np.empty(0, np.int64),
        averaged=True,
    )
    theta, mean, g2, d2 = network.iterate, network.theta, network.first, network.second
    gradient, penalised, owed = np.zeros_like(theta), np.zeros_like(theta), np.zeros_like(theta)
    layers = [(network.weights(i, theta)[:, 0], network.biases(i, theta)[0]) for i in range(3)]
    slopes = [(network.weights(i, gradient)[:, 0], network.biases(i, gradient)[0]) for i in range(3)]
    for i in range(3):
        network.weights(i, penalised)[...] = 1

    def outputs(x: np.ndarray, of: np.ndarray) -> list[np.ndarray]:
        activations = [x]
        for i in range(3):
            linear = activations[-1] @ network.weights(i, of)[:, 0] + network.biases(i, of)[0]
            activations.append(np.maximum(linear, 0) if i < 2 else linear)
        return activations

    seen = 0
    for _ in range(epochs):
        for r in random.permutation(len(x)):
            a = outputs(x[r], theta)
            exponentials = np.exp(a[3] - a[3].max())
            error = exponentials / exponentials.sum()
            error[y[r]] -= 1
            for i in (2, 1, 0):
                np.outer(a[i], error, out=slopes[i][0])
                slopes[i][1][...] = error
                error = (layers[i][0] @ error) * (a[i] > 0)
            g = gradient + subgradient * penalised * np.sign(theta)
            updated = g != 0
            g2 += 0.01 * updated * (g * g - g2)
            rate = np.sqrt((d2 + 1e-8) / (g2 + 1e-8))
            step = rate * g
            d2 += 0.01 * updated * (step * step - d2)
            theta -= step
            owed += updated * rate
            seen += 1
            if seen % 32 == 0:
                mean += min(1.0, 32 / (0.1 * seen)) * (theta - mean)
            if collected and seen % every == 0:
                theta[...] = np.sign(theta) * np.maximum(np.abs(theta) - collected * penalised * owed, 0)
                owed[...] = 0
        mean[penalised * (theta == 0) > 0] = 0

    def measure(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        linear = outputs(x, mean)[3].astype(np.float64)
        margin = linear[:, 1] - linear[:, 0]
        return float(np.logaddexp(0, np.where(y == 1, -margin, margin)).mean()), float(((margin > 0) != y).mean())

    weights = np.concatenate([network.weights(i).ravel() for i in range(3)])
    l1 = subgradient + collected
    loss, error = measure(x_test, y_test)
    return Numbers(float((weights == 0).mean()), loss, error, measure(x, y)[0] + l1 * float(np.abs(weights).sum()))


def print_line(name: str, numbers_of: Callable[[Tables, float, int], Numbers], l1: float, epochs: int) -> None:
    """The means over the tables."""
    zero_share, loss, error, objective = np.mean([numbers_of(tables, l1, epochs) for tables in TABLES], axis=0)
    print(f"| {name} | {l1:g} | {epochs} | {zero_share:.1%} | {loss:.3f} | {error:.1%} | {objective:.3f} |", flush=True)


def print_zeros() -> None:
    """Exact zeros, against a subgradient and against other times to act."""
    print("| training | l1 | epochs | zeros | test logloss | test error | objective |\n|---|---|---|---|---|---|---|")
    print_line("no penalty", h2olite_numbers, 0.0, 20)
    for l1, epochs in STRENGTHS:
        print_line("h2olite", h2olite_numbers, l1, epochs)
        print_line("subgradient", subgradient_numbers, l1, epochs)
    l1, epochs = STRENGTHS[0]
    for every, named in ((4000, "once an epoch"), (32, "every 32 rows"), (1, "after every row")):
        print_line(f"proximal step {named}", collecting_numbers(every), l1, epochs)


def print_selection() -> None:
    """Columns that paths of group penalties select, and a network without penalties on them."""
    print("\n| table | true columns kept | others kept | test error | trained anew | without penalty |")
    print("|---|---|---|---|---|---|")
    for number, tables in enumerate([*TABLES, *FRESH], 1):
        plain = train(tables, epochs=20).model_performance(tables.test)["error"]
        path = h2olite.regularization_path(
            training_frame=tables.training,
            input_group_l1="1e-3:2e-2:14",
            nfolds=5,
            epochs=20,
            **SETTINGS | {"nthreads": 0},
        )
        used = set(path.model.encoder.predictors)
        true = sum(f"x{i}" in used for i in range(N_TRUE))
        error = path.model.model_performance(tables.test)["error"]
        anew = train(tables, x=sorted(used), epochs=20).model_performance(tables.test)["error"]
        print(
            f"| {number} | {true} of {N_TRUE} | {len(used) - true} of {N_COLUMNS - N_TRUE} | {error:.1%} | {anew:.1%} "
            f"| {plain:.1%} |",
            flush=True,
        )


def print_speed() -> None:
    """CPU time of a path against training each strength from scratch, and of training with l1 against without."""
    tables, strengths = TABLES[0], np.geomspace(1e-6, 1e-2, 13)
    started = time.process_time()
    path = h2olite.regularization_path(
        training_frame=tables.training, validation_frame=tables.test, l1=strengths, epochs=20, **SETTINGS
    )
    on_path = time.process_time() - started
    started = time.process_time()
    losses = [train(tables, epochs=20, l1=l1).model_performance(tables.test).logloss() for l1 in strengths]
    print(
        f"\nA path of 13 strengths of l1 takes {on_path:.1f} s of CPU time; its lowest validation logloss is "
        f"{path.points[path.best].loss:.3f}. Training for each of them from scratch takes "
        f"{time.process_time() - started:.1f} s; the lowest is {min(losses):.3f}."
    )
    seconds: dict[float, list[float]] = {0.0: [], 1e-5: [], 3e-3: [], 0.1: []}
    for _ in range(7):
        for l1, times in seconds.items():
            started = time.process_time()
            train(tables, epochs=10, l1=l1)
            times.append(time.process_time() - started)
    fastest = {l1: min(seconds[0.0]) / min(times) for l1, times in seconds.items() if l1}
    told = ", ".join(f"{ratio:.2f} with l1={l1:g}" for l1, ratio in fastest.items())
    print(f"\nSpeed of training next to that without l1: {told}.")


def print_scoring() -> None:
    """Speed of scoring without the weights of 0, in units of that of scoring with them."""
    random, n_rows, shares = np.random.default_rng(0), 8192, (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
    print(f"\n| layers | {' | '.join(f'{share:.0%}' for share in shares)} |\n|{'---|' * (1 + len(shares))}")
    for sizes in ([100, 64, 2], [200, 200, 200, 2], [784, 200, 200, 2]):
        objective = objective_of(Parameters(hidden=sizes[1:-1]))
        numbers = random.standard_normal((n_rows, sizes[0])).astype(np.float32)
        rows = EncodedRows(np.empty((n_rows, 0), np.int32), numbers)
        ratios = []
        for share in shares:
            network = Network.zeros(lay_out(sizes), averaged=False)
            for layer in range(network.n_layers):
                weights = network.weights(layer)
                weights[...] = random.standard_normal(weights.shape) * (random.random(weights.shape) >= share)
            seconds = {}
            for is_sparse in (False, True):
                with (
                    mock.patch.object(single_precision, "is_sparse", return_value=is_sparse),
                    Team(network, rows, 1) as one,
                ):
                    times = []
                    for _ in range(5):
                        started = time.process_time()
                        one.predict(objective, rows)
                        times.append(time.process_time() - started)
                    seconds[is_sparse] = min(times)
            ratios.append(seconds[False] / seconds[True])
        print(f"| {'-'.join(map(str, sizes))} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |", flush=True)


if __name__ == "__main__":
    print_zeros()
    print_selection()
    print_speed()
    print_scoring()
