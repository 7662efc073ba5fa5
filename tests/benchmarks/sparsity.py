"""Measure what the penalties do on a simulated table whose truth is known.

``python tests/benchmarks/sparsity.py`` prints the tables of docs/benchmarks.md about sparsity: 4,000 training rows of
100 standard-normal columns, of which the first 10 decide the class through products, a sine, a square and linear terms;
10,000 test rows; a network of 64 and 32 rectifiers trained by ADADELTA.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

import h2olite
from h2olite.model import fit as fitting
from h2olite.network.network import initial_network
from h2olite.network.topology import lay_out
from h2olite.training import trainer

N_COLUMNS, N_TRUE = 100, 10
SETTINGS: dict[str, Any] = {"y": "y", "hidden": [64, 32], "stopping_rounds": 0, "seed": 1, "nthreads": 1}
STRENGTHS = ((3e-3, 20), (5e-3, 40))
"""l1 and epochs."""


def simulate(n_rows: int, seed: int) -> dict[str, np.ndarray]:
    """A table whose class is drawn with probability 1 / (1 + exp(-score))."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n_rows, N_COLUMNS))
    score = 4 * x[:, 0] * x[:, 1] + 4 * x[:, 2] * x[:, 3] + 6 * np.sin(2 * x[:, 4]) + 3 * (x[:, 5] ** 2 - 1)
    score += 3 * (x[:, 6] - x[:, 7] + x[:, 8] - x[:, 9])
    classes = random.random(n_rows) < 1 / (1 + np.exp(-score))
    return {f"x{i}": column for i, column in enumerate(x.T)} | {"y": np.where(classes, "b", "a")}


TRAIN, TEST = simulate(4000, 1), simulate(10_000, 2)


def train(**settings: Any) -> h2olite.Model:
    """A model of the training rows."""
    return h2olite.deeplearning(training_frame=TRAIN, **SETTINGS | settings)


def line(name: str, model: h2olite.Model, l1: float) -> str:
    """A model's line: its share of zeros, test loss and error, and objective."""
    test = model.model_performance(TEST)
    absolute = sum(float(np.abs(model.network.weights(layer)).sum()) for layer in range(3))
    return row(
        name, model.report()["weights"]["zero_share"], test.logloss(), test["error"], model.logloss() + l1 * absolute
    )


def row(name: str, zero_share: float, loss: float, error: float, objective: float) -> str:
    """A line of a table."""
    return f"| {name} | {zero_share:.1%} | {loss:.3f} | {error:.1%} | {objective:.3f} |"


def subgradient(l1: float, epochs: int) -> tuple[float, float, float, float]:
    """ADADELTA where l1 * sign(w) is added to every gradient, averaged as h2olite does; the numbers of `row`."""
    names = [f"x{i}" for i in range(N_COLUMNS)]
    x, x_test = (np.column_stack([table[name] for name in names]) for table in (TRAIN, TEST))
    x, x_test = (x - x.mean(axis=0)) / x.std(axis=0), (x_test - x.mean(axis=0)) / x.std(axis=0)
    x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    y, y_test = ((table["y"] == "b").astype(int) for table in (TRAIN, TEST))
    random = np.random.default_rng(1)
    network = initial_network(
        lay_out([N_COLUMNS, 64, 32, 2], maxout=False),
        "Rectifier",
        "UniformAdaptive",
        1.0,
        random,
        classification=True,
        absent_inputs=np.empty(0, np.int64),
        averaged=True,
    )
    theta, mean, g2, d2 = network.iterate, network.theta, network.first, network.second
    gradient, penalised = np.zeros_like(theta), np.zeros_like(theta)
    layers = [(network.weights(i, theta)[:, 0], network.biases(i, theta)[0]) for i in range(3)]
    slopes = [(network.weights(i, gradient)[:, 0], network.biases(i, gradient)[0]) for i in range(3)]
    for i in range(3):
        network.weights(i, penalised)[...] = l1

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
            g = gradient + penalised * np.sign(theta)
            g2 += 0.01 * (g * g - g2)
            step = np.sqrt((d2 + 1e-8) / (g2 + 1e-8)) * g
            d2 += 0.01 * (step * step - d2)
            theta -= step
            seen += 1
            if seen % 32 == 0:
                mean += min(1.0, 32 / (0.1 * seen)) * (theta - mean)

    def measure(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        linear = outputs(x, mean)[3].astype(np.float64)
        margin = linear[:, 1] - linear[:, 0]
        return float(np.logaddexp(0, np.where(y == 1, -margin, margin)).mean()), float(((margin > 0) != y).mean())

    weights = np.concatenate([network.weights(i).ravel() for i in range(3)])
    loss, error = measure(x_test, y_test)
    return float((weights == 0).mean()), loss, error, measure(x, y)[0] + l1 * float(np.abs(weights).sum())


@contextlib.contextmanager
def paying_every(n_rows: int) -> Iterator[None]:
    """Let the penalties act after so many rows."""
    with mock.patch.object(trainer, "MOST_ROWS_PER_PAYMENT", n_rows):
        yield


class ChargesTheUpdated(trainer.Trainer):
    """A trainer whose penalties spare the weights that have not been updated since they last acted."""

    def _pay_penalties(self) -> None:
        network = self._network
        before = network.iterate.copy()
        super()._pay_penalties()
        spared = network.first == getattr(self, "_first", -1)
        network.iterate[spared] = before[spared]
        self._first = network.first.copy()


def print_zeros() -> None:
    """Exact zeros, against a subgradient and against other times to act."""
    print("| training | zeros | test logloss | test error | objective |\n|---|---|---|---|---|")
    print(line("no penalty, 20 epochs", train(epochs=20), 0.0))
    for l1, epochs in STRENGTHS:
        title = f"l1={l1:g}, {epochs} epochs"
        print(line(f"{title}: h2olite", train(epochs=epochs, l1=l1), l1))
        print(row(f"{title}: subgradient", *subgradient(l1, epochs)), flush=True)
    l1, epochs = STRENGTHS[0]
    for n_rows in (1000, 200, 32):
        with paying_every(n_rows):
            print(line(f"l1={l1:g}, {epochs} epochs: acting every {n_rows:,} rows", train(epochs=epochs, l1=l1), l1))
    with mock.patch.object(fitting, "Trainer", ChargesTheUpdated):
        print(line(f"l1={l1:g}, {epochs} epochs: on updated weights only", train(epochs=epochs, l1=l1), l1), flush=True)


def print_selection() -> None:
    """Columns that a path of group penalties selects."""
    plain = train(epochs=20).model_performance(TEST)["error"]
    started = time.perf_counter()
    path = h2olite.regularization_path(
        training_frame=TRAIN, input_group_l1="1e-3:2e-2:14", nfolds=5, epochs=20, **SETTINGS | {"nthreads": 0}
    )
    seconds = time.perf_counter() - started
    print("\n| input_group_l1 | cross-validated logloss | standard error | columns | |\n|---|---|---|---|---|")
    for row in path.rows():
        print(
            f"| {row['input_group_l1']:.3g} | {row['validation_loss']:.3f} | {row['standard_error']:.3f} | "
            f"{row['features_used']} | {row['choice']} |"
        )
    used = set(path.model.encoder.predictors)
    true = sum(f"x{i}" in used for i in range(N_TRUE))
    error = path.model.model_performance(TEST)["error"]
    print(
        f"\nThe path took {seconds:.0f} s. {path.choice} keeps {true} of the {N_TRUE} true columns and "
        f"{len(used) - true} of the {N_COLUMNS - N_TRUE} others; its test error is {error:.1%}, without penalty "
        f"{plain:.1%}."
    )


def print_speed() -> None:
    """Time of a path against training each of its strengths from scratch, and of training with and without l1."""
    strengths = np.geomspace(1e-5, 1e-2, 13)
    started = time.perf_counter()
    path = h2olite.regularization_path(training_frame=TRAIN, validation_frame=TEST, l1=strengths, epochs=20, **SETTINGS)
    on_path = time.perf_counter() - started
    started = time.perf_counter()
    losses = [train(epochs=20, l1=l1).model_performance(TEST).logloss() for l1 in strengths]
    print(
        f"\nA path of 13 strengths of l1 takes {on_path:.1f} s and finds a validation logloss of "
        f"{path.points[path.best].loss:.3f}; from scratch the same takes {time.perf_counter() - started:.1f} s and "
        f"finds {min(losses):.3f}."
    )
    speeds = {l1: max(train(epochs=10, l1=l1).report()["training_speed"] for _ in range(5)) for l1 in (0.0, 1e-5, 3e-3)}
    print("Rows per second: " + ", ".join(f"{speed:,.0f} with l1={l1:g}" for l1, speed in speeds.items()) + ".")


if __name__ == "__main__":
    print_zeros()
    print_selection()
    print_speed()
