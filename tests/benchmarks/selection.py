"""Which columns h2olite, LassoNet, a random forest and mutual information choose, on tables whose truth is known.

``pip install '.[bench]'``, then ``python tests/benchmarks/selection.py``. ``--only xor-128,ring-128`` takes some of the
tables. ``--write`` puts the result into docs/benchmarks.md. Peers that are not installed are left out.

- **xor-P, ring-P**: 1,000 rows of P uniform columns. The class depends on two of them: whether exactly one is above a
  half, or whether their point lies in a ring (Passemiers et al. 2024).
- The other tables have 4,000 rows and 100 columns. Those of products are as in sparsity.py, with other seeds.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import report
import sparsity

import h2olite

N_ROWS, N_COLUMNS = 4000, 100


class Truth(NamedTuple):
    """A table with the response ``y``, and the columns that decide it."""

    frame: pd.DataFrame
    columns: set[str]


def named(x: np.ndarray, y: np.ndarray, n_true: int) -> Truth:
    """The table of a matrix whose first columns decide the response."""
    names = [f"x{i}" for i in range(x.shape[1])]
    return Truth(pd.DataFrame(x, columns=names).assign(y=y), set(names[:n_true]))


def drawn(random: np.random.Generator, score: np.ndarray) -> np.ndarray:
    """Classes, the second one with probability 1 / (1 + exp(-score))."""
    return np.where(random.random(score.size) < 1 / (1 + np.exp(-score)), "b", "a")


def xor(n_columns: int, seed: int) -> Truth:
    """Whether exactly one of two columns is above a half."""
    x = np.random.default_rng(seed).random((1000, n_columns))
    return named(x, np.where((x[:, 0] > 0.5) ^ (x[:, 1] > 0.5), "b", "a"), 2)


def ring(n_columns: int, seed: int) -> Truth:
    """Whether the point of two columns lies in a ring."""
    x = np.random.default_rng(seed).random((1000, n_columns))
    radius = np.hypot(x[:, 0] - 0.5, x[:, 1] - 0.5)
    return named(x, np.where((radius > 0.2) & (radius < 0.35), "b", "a"), 2)


def products(seed: int) -> Truth:
    """Products, a sine, a square and linear terms of ten columns."""
    return Truth(pd.DataFrame(sparsity.simulate(N_ROWS, seed)), {f"x{i}" for i in range(10)})


def friedman(seed: int) -> Truth:
    """A number that depends on five uniform columns (Friedman 1991)."""
    random = np.random.default_rng(seed)
    x = random.random((N_ROWS, N_COLUMNS))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return named(x, y + random.standard_normal(N_ROWS), 5)


def steps(seed: int) -> Truth:
    """Sums of steps of eight columns."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((N_ROWS, N_COLUMNS))
    return named(x, drawn(random, 3 * (x[:, :8] > np.linspace(-1, 1, 8)).sum(axis=1) - 12), 8)


def correlated(seed: int) -> Truth:
    """A number that depends on six columns, each of which has neighbours that are correlated with it."""
    random = np.random.default_rng(seed)
    common = np.repeat(random.standard_normal((N_ROWS, N_COLUMNS // 10)), 10, axis=1)
    x = (0.7 * common + 0.7 * random.standard_normal((N_ROWS, N_COLUMNS)))[:, random.permutation(N_COLUMNS)]
    y = x[:, 0] - x[:, 1] + np.abs(x[:, 2]) + x[:, 3] * x[:, 4] + np.maximum(x[:, 5], 0)
    return named(x, y + 0.5 * random.standard_normal(N_ROWS), 6)


def largest(seed: int) -> Truth:
    """Which of four columns is largest: four classes."""
    x = np.random.default_rng(seed).standard_normal((N_ROWS, N_COLUMNS))
    return named(x, np.array(list("abcd"))[x[:, :4].argmax(axis=1)], 4)


def counts(seed: int) -> Truth:
    """Columns of mostly zeros, four of which matter."""
    random = np.random.default_rng(seed)
    x = random.poisson(0.3, (N_ROWS, N_COLUMNS)).astype(float)
    return named(x, drawn(random, 3 * np.minimum(x[:, 0], 2) * (x[:, 1] > 0) + 3 * x[:, 2] - 3 * x[:, 3]), 4)


TABLES: dict[str, Callable[[], Truth]] = {
    **{f"xor-{p}": (lambda p=p: xor(p, p)) for p in (128, 512)},
    **{f"ring-{p}": (lambda p=p: ring(p, p)) for p in (128, 512)},
    **{f"products {seed}": (lambda seed=seed: products(seed)) for seed in (31, 32, 33, 34, 35)},
    "friedman": lambda: friedman(36),
    "steps": lambda: steps(37),
    "correlated": lambda: correlated(38),
    "largest": lambda: largest(39),
    "counts": lambda: counts(40),
}


def by_lassonet(truth: Truth) -> list[str]:
    """All columns in LassoNet's order (its defaults)."""
    import lassonet
    import torch

    x, y = truth.frame.drop(columns="y"), truth.frame["y"]
    standard = ((x - x.mean()) / x.std()).to_numpy(np.float32)
    torch.manual_seed(1)
    if y.dtype.kind == "f":
        model, target = lassonet.LassoNetRegressor(random_state=1), ((y - y.mean()) / y.std()).to_numpy(np.float32)
    else:
        model, target = lassonet.LassoNetClassifier(random_state=1), np.unique(y, return_inverse=True)[1]
    model.path(standard, target, return_state_dicts=False)
    return [x.columns[i] for i in np.argsort(-np.asarray(model.feature_importances_))]


def by_forest(truth: Truth) -> list[str]:
    """All columns by the impurity that a random forest of 500 trees takes away by them."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    x, y = truth.frame.drop(columns="y"), truth.frame["y"]
    kind = RandomForestRegressor if y.dtype.kind == "f" else RandomForestClassifier
    importances = kind(500, random_state=1, n_jobs=-1).fit(x, y).feature_importances_
    return [x.columns[i] for i in np.argsort(-importances)]


def by_information(truth: Truth) -> list[str]:
    """All columns by their mutual information with the response, by nearest neighbours."""
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    x, y = truth.frame.drop(columns="y"), truth.frame["y"]
    estimate = mutual_info_regression if y.dtype.kind == "f" else mutual_info_classif
    return [x.columns[i] for i in np.argsort(-estimate(x, y, random_state=1))]


PEERS = {
    "LassoNet": ("lassonet", by_lassonet),
    "random forest": ("sklearn", by_forest),
    "mutual information": ("sklearn", by_information),
}


def best_k(ranking: list[str], truth: Truth) -> float:
    """The share of the true columns among as many first ones."""
    n_true = len(truth.columns)
    return len(truth.columns & set(ranking[:n_true])) / n_true


def line(name: str, truth: Truth) -> str:
    """A table's line: of each contender the best-k, then what select chooses by itself."""
    started = time.perf_counter()
    selection = h2olite.select(y="y", training_frame=truth.frame, seed=1)
    seconds = time.perf_counter() - started
    shares = [best_k(selection.ranking, truth)]
    for package, rank in PEERS.values():
        shares.append(best_k(rank(truth), truth) if importlib.util.find_spec(package) else float("nan"))
    n_true = len(truth.columns & set(selection.names))
    cells = [
        name,
        *(f"{share:.2f}" for share in shares),
        f"{n_true} of {len(truth.columns)}",
        f"{len(selection) - n_true} of {len(selection.ranking) - len(truth.columns)}",
        f"{selection.false_columns:.1f}",
        selection.method,
        f"{seconds:.0f} s",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the arguments, choose columns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of {','.join(TABLES)}; all if not given")
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(TABLES)
    warnings.simplefilter("ignore")
    header = ["table", "h2olite", *PEERS, "chosen true", "chosen noise", "expected noise", "by", "time"]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    print("\n".join(lines), flush=True)
    for name in chosen:
        lines.append(line(name, TABLES[name]()))
        print(lines[-1], flush=True)
    if arguments.write:
        report.write("selection", "\n".join(lines))


if __name__ == "__main__":
    main()
