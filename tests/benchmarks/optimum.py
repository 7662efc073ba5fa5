"""Compare the optimum that penalties reach with that of a careful reference.

``python tests/benchmarks/optimum.py`` prints, for tables of several shapes, the objective, the test loss and the share
of zeros of h2olite and of the reference. ``--unseen`` takes the tables by which no choice in the package was made,
``--tables`` some of them by name, and ``--short`` trains for 40 epochs instead of 200. The real tables are
``adult_train.csv.gz`` and so on in the folder that the environment variable H2OLITE_TABLES names.

The objective is the mean training loss + l1 * sum |w| + input_group_l1 * the sum over the columns of
sqrt(number of weights) * norm of the weights out of the column. The reference is proximal stochastic gradient descent
with mini-batches of 64 rows, momentum 0.9 and a learning rate that falls from 0.03 to 0 as half a cosine. The penalties
grow linearly from 0 over the first half of the epochs. The best of several restarts counts.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import h2olite

HIDDEN = [64, 32]
BATCH, RATE, MOMENTUM = 64, 0.03, 0.9
RESTARTS = 3


class Problem(NamedTuple):
    """Training and test rows, and the strengths to try."""

    training: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    strengths: tuple[float, ...]


class Numbers(NamedTuple):
    """What is told of a network."""

    objective: float
    loss: float
    zero_share: float


Score = Callable[[np.ndarray], np.ndarray]


def products(x: np.ndarray) -> np.ndarray:
    """Ten columns of 100: products, a sine, a square and linear terms."""
    score = 3 * x[:, 0] * x[:, 1] + 3 * x[:, 2] * x[:, 3] + 4 * np.sin(2 * x[:, 4]) + 2 * (x[:, 5] ** 2 - 1)
    return score + 4 * (x[:, 6] - x[:, 7] + x[:, 8] - x[:, 9])


def steps(x: np.ndarray) -> np.ndarray:
    """Ten columns of 100: a product, steps, a switch, a kink and linear terms."""
    score = (
        3 * x[:, 0] * x[:, 1] + 4 * (x[:, 2] > 0) - 4 * (x[:, 3] > 0.5) + 3 * np.copysign(x[:, 5], x[:, 4] * x[:, 5])
    )
    return score + 3 * x[:, 6] - 3 * x[:, 7] + 2 * (np.abs(x[:, 8]) - 0.8) + 2 * x[:, 9]


def linear(x: np.ndarray) -> np.ndarray:
    """Ten columns of 100, all linear."""
    return 2 * x[:, :5].sum(axis=1) - 2 * x[:, 5:10].sum(axis=1)


def waves(x: np.ndarray) -> np.ndarray:
    """Five columns of 100: a wave of a product, a square and linear terms."""
    wave = 4 * np.sin(np.pi * x[:, 0] * x[:, 1])
    return wave + 4 * (x[:, 2] - 0.5) ** 2 - 4 + 3 * x[:, 3] + 2 * x[:, 4]


def peaks(x: np.ndarray) -> np.ndarray:
    """Eight columns of 100: two peaks of two columns each, a cube, a product and linear terms."""
    peak = 6 * np.exp(-(x[:, 0] ** 2) - x[:, 1] ** 2) - 6 * np.exp(-((x[:, 2] - 1) ** 2) - x[:, 3] ** 2)
    return peak + 0.5 * x[:, 4] ** 3 + 2 * x[:, 5] * x[:, 6] + 2 * x[:, 7]


def as_table(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Columns x0, x1, ... and y."""
    return {f"x{i}": column for i, column in enumerate(x.T)} | {"y": y}


def drawn(score: Score, strengths: tuple[float, ...], seed: int = 21) -> Problem:
    """4,000 rows of 100 standard-normal columns; classes are drawn with probability 1 / (1 + exp(-score))."""

    def table(n_rows: int, seed: int) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        x = random.standard_normal((n_rows, 100))
        return as_table(x, np.where(random.random(n_rows) < 1 / (1 + np.exp(-score(x))), "b", "a"))

    return Problem(table(4000, seed), table(10_000, seed + 100), strengths)


def regression(strengths: tuple[float, ...]) -> Problem:
    """4,000 rows of a number: Friedman's function (1991) of five uniform columns of 50, with noise of a fifth."""

    def table(n_rows: int, seed: int) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        x = random.random((n_rows, 50))
        y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
        return as_table(x, y + random.standard_normal(n_rows))

    return Problem(table(4000, 5), table(10_000, 105), strengths)


def uniform(kind: str, n_columns: int, strengths: tuple[float, ...]) -> Problem:
    """1,000 uniform rows; the class is XOR or Ring of the first two columns (Passemiers et al. 2024)."""

    def table(n_rows: int, seed: int) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        x = random.random((n_rows, n_columns))
        if kind == "xor":
            is_in = (x[:, 0] > 0.5) != (x[:, 1] > 0.5)
        else:
            radius = np.hypot(x[:, 0] - 0.5, x[:, 1] - 0.5)
            is_in = (radius > 0.25) & (radius < 0.43)
        return as_table(x, np.where(is_in, "b", "a"))

    return Problem(table(1000, 7), table(10_000, 107), strengths)


def real(name: str, y: str, strengths: tuple[float, ...], n_rows: int = 8000) -> Problem:
    """The first rows of a table of H2OLITE_TABLES, whose categories become columns of zeros and ones."""
    import pandas as pd

    folder = Path(os.environ["H2OLITE_TABLES"])
    frames = [pd.read_csv(folder / f"{name}_{part}.csv.gz").head(n_rows) for part in ("train", "test")]
    both = pd.concat(frames).dropna()
    inputs = pd.get_dummies(both.drop(columns=y), dtype=float)
    inputs = inputs.loc[:, inputs.iloc[: len(frames[0])].std() > 0]
    cut = len(frames[0].dropna())
    x, classes = inputs.to_numpy(float), both[y].astype(str).to_numpy()
    return Problem(as_table(x[:cut], classes[:cut]), as_table(x[cut:], classes[cut:]), strengths)


def digits(strengths: tuple[float, ...]) -> Problem:
    """The 8 x 8 digits of scikit-learn; the last 450 are for testing."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, y = x[:, x[:1347].std(axis=0) > 0], y.astype(str)
    return Problem(as_table(x[:1347], y[:1347]), as_table(x[1347:], y[1347:]), strengths)


def three_classes(strengths: tuple[float, ...]) -> Problem:
    """3,000 rows of 60 columns; the largest of three scores of eight columns, with noise, decides the class."""

    def table(n_rows: int, seed: int) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        x = random.standard_normal((n_rows, 60))
        scores = np.column_stack(
            [2 * x[:, 0] * x[:, 1] + x[:, 2], 2 * np.abs(x[:, 3]) + x[:, 4] - 1, x[:, 5] + x[:, 6] * x[:, 7]]
        )
        return as_table(x, np.array(["a", "b", "c"])[(scores + 0.5 * random.gumbel(size=scores.shape)).argmax(axis=1)])

    return Problem(table(3000, 41), table(10_000, 141), strengths)


SETTLED: dict[str, Callable[[], Problem]] = {
    "products": lambda: drawn(products, (1e-4, 1e-3, 3e-3, 5e-3, 1e-2)),
    "steps": lambda: drawn(steps, (1e-3, 3e-3, 5e-3, 1e-2)),
    "xor": lambda: uniform("xor", 32, (1e-3, 3e-3, 5e-3)),
    "digits": lambda: digits((1e-4, 1e-3, 5e-3)),
    "adult": lambda: real("adult", "income", (1e-4, 1e-3, 5e-3)),
    "linear": lambda: drawn(linear, (1e-3, 3e-3, 1e-2), seed=31),
    "waves": lambda: drawn(waves, (1e-3, 3e-3, 5e-3), seed=32),
}
"""Tables by which choices in the package were made."""

UNSEEN: dict[str, Callable[[], Problem]] = {
    "peaks": lambda: drawn(peaks, (1e-3, 3e-3, 5e-3), seed=33),
    "classes": lambda: three_classes((1e-3, 3e-3, 1e-2)),
    "ring": lambda: uniform("ring", 32, (1e-3, 3e-3)),
    "friedman": lambda: regression((1e-3, 5e-3, 2e-2)),
    "covtype": lambda: real("covtype20k", "C55", (1e-4, 1e-3, 5e-3)),
}
"""Tables that were looked at once, when all was settled."""


class Perceptron:
    """A network of rectifiers in NumPy, trained by the reference's method.

    Parameters
    ----------
    problem : the tables.
    seed : of the initial weights and the order of the rows.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._y = problem.training["y"]
        columns = [name for name in problem.training if name != "y"]
        x, x_test = (np.column_stack([table[name] for name in columns]) for table in problem[:2])
        centre, scale = x.mean(axis=0), x.std(axis=0, ddof=1)
        self._x, self._x_test = (((of - centre) / scale).astype(np.float32) for of in (x, x_test))
        self.is_class = self._y.dtype.kind not in "fi"
        if self.is_class:
            self._classes, codes = np.unique(self._y, return_inverse=True)
            self._target = np.eye(self._classes.size, dtype=np.float32)[codes]
            self._test_target = (problem.test["y"][:, None] == self._classes).astype(np.float32)
        else:
            mean, deviation = self._y.mean(), self._y.std(ddof=1)
            self._target, self._test_target = (
                ((table["y"] - mean) / deviation).astype(np.float32)[:, None] for table in problem[:2]
            )
        sizes = [x.shape[1], *HIDDEN, self._target.shape[1]]
        self.weights = [
            (self._random.uniform(-1, 1, (below, above)) / np.sqrt(below)).astype(np.float32)
            for below, above in itertools.pairwise(sizes)
        ]
        self.biases = [np.zeros(above, np.float32) for above in sizes[1:]]

    def _activations(self, x: np.ndarray) -> list[np.ndarray]:
        """The inputs, the units of the hidden layers, and the linear outputs."""
        found = [x]
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            linear = found[-1] @ weights + biases
            found.append(np.maximum(linear, 0) if layer < len(HIDDEN) else linear)
        return found

    def _error(self, outputs: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The gradient of a row's loss by its outputs."""
        if not self.is_class:
            return 2 * (outputs - target)  # of the squared error, as h2olite reports it
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True) - target

    def _loss(self, x: np.ndarray, target: np.ndarray) -> float:
        outputs = self._activations(x)[-1].astype(np.float64)
        if not self.is_class:
            return float(np.square(outputs - target).mean())
        largest = outputs.max(axis=1)
        logs = largest + np.log(np.exp(outputs - largest[:, None]).sum(axis=1))
        return float((logs - (outputs * target).sum(axis=1)).mean())

    def train(self, l1: float, group: float, epochs: int) -> Numbers:
        """Train with these penalties."""
        n_rows = len(self._x)
        n_steps, step = epochs * -(-n_rows // BATCH), 0
        velocities = [np.zeros_like(weights) for weights in self.weights]
        bias_velocities = [np.zeros_like(biases) for biases in self.biases]
        for _ in range(epochs):
            order = self._random.permutation(n_rows)
            for start in range(0, n_rows, BATCH):
                rows = order[start : start + BATCH]
                rate = RATE / 2 * (1 + np.cos(np.pi * step / n_steps))
                strength = min(1.0, 2 * step / n_steps)
                activations = self._activations(self._x[rows])
                error = self._error(activations[-1], self._target[rows]) / np.float32(rows.size)
                for layer in reversed(range(len(self.weights))):
                    gradient, bias_gradient = activations[layer].T @ error, error.sum(axis=0)
                    if layer:
                        error = (error @ self.weights[layer].T) * (activations[layer] > 0)
                    velocities[layer] = MOMENTUM * velocities[layer] + gradient
                    bias_velocities[layer] = MOMENTUM * bias_velocities[layer] + bias_gradient
                    moved = self.weights[layer] - np.float32(rate) * velocities[layer]
                    threshold = np.float32(rate / (1 - MOMENTUM) * strength)  # a velocity is 10 gradients
                    moved = np.sign(moved) * np.maximum(np.abs(moved) - threshold * np.float32(l1), 0)
                    if layer == 0 and group:
                        norms = np.linalg.norm(moved, axis=1, keepdims=True)
                        limit = threshold * np.float32(group * np.sqrt(moved.shape[1]))
                        moved *= np.maximum(1 - limit / np.maximum(norms, np.float32(1e-30)), 0)
                    self.weights[layer] = moved
                    self.biases[layer] -= np.float32(rate) * bias_velocities[layer]
                step += 1
        norms = np.linalg.norm(self.weights[0], axis=1).sum() * np.sqrt(self.weights[0].shape[1])
        penalty = l1 * sum(float(np.abs(weights).sum()) for weights in self.weights) + group * float(norms)
        zeros = np.concatenate([weights.ravel() == 0 for weights in self.weights]).mean()
        return Numbers(
            self._loss(self._x, self._target) + penalty, self._loss(self._x_test, self._test_target), float(zeros)
        )


def reference(problem: Problem, l1: float, group: float, epochs: int) -> Numbers:
    """The best of several restarts."""
    return min(Perceptron(problem, seed).train(l1, group, epochs) for seed in range(1, RESTARTS + 1))


def ours(problem: Problem, l1: float, group: float, epochs: int, **settings: Any) -> Numbers:
    """What h2olite reaches."""
    model = h2olite.deeplearning(
        y="y",
        training_frame=problem.training,
        hidden=HIDDEN,
        epochs=epochs,
        l1=l1,
        input_group_l1=group,
        **{"stopping_rounds": 0, "seed": 1, "nthreads": 1} | settings,
    )
    report = model.report()
    test = model.model_performance(problem.test).stopping_value("AUTO")
    if model.response is not None and model.response.levels is None:
        test *= model.response.multiplier**2
    objective = report["objective"]
    return Numbers(objective["loss"] + objective["penalty"], test, report["weights"]["zero_share"])


PENALTIES = {"l1": (1.0, 0.0), "group": (0.0, 0.3), "both": (0.5, 0.15)}
"""Shares of a strength that go to l1 and to input_group_l1."""


def main() -> None:
    """Print a line for each table, penalty and strength."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--penalties", nargs="*", default=list(PENALTIES))
    arguments = parser.parse_args()
    problems, epochs = UNSEEN if arguments.unseen else SETTLED, 40 if arguments.short else 200
    columns = [f"{what}: {of}" for what in ("objective", "test loss", "zeros") for of in ("reference", "h2olite")]
    print("| table | penalty | strength |", " | ".join(columns), "|")
    print("|---" * 9 + "|")
    for name in arguments.tables or problems:
        problem = problems[name]()
        for penalty in arguments.penalties:
            for strength in problem.strengths:
                l1, group = (share * strength for share in PENALTIES[penalty])
                theirs, own = reference(problem, l1, group, epochs), ours(problem, l1, group, epochs)
                numbers = [f"{a:.3f} | {b:.3f}" for a, b in zip(theirs, own, strict=True)]
                print(f"| {name} | {penalty} | {strength:g} |", " | ".join(numbers), "|", flush=True)


if __name__ == "__main__":
    main()
