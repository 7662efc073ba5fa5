"""Measure the selection of columns on a table of two classes with many more columns than rows, such as arcene.

``python tests/benchmarks/wide.py TRAIN TEST RESPONSE`` takes some minutes and prints a table of docs/benchmarks.md. All
columns of the files TRAIN and TEST but RESPONSE are numbers.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import h2olite
from h2olite.data.frames import as_table
from h2olite.data.table import Table

MOST = 300
"""Columns that a selection may leave."""


class Tables(NamedTuple):
    """Training and test rows, and the column to predict."""

    training: Table
    test: Table
    response: str

    @property
    def columns(self) -> list[str]:
        """All but the response."""
        return [name for name in self.training.names if name != self.response]

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Columns and classes of the training rows, then of the test rows."""
        response = [np.asarray(table[self.response].levels)[table[self.response].values] for table in self[:2]]
        x, x_test = (np.column_stack([table[name].values for name in self.columns]) for table in self[:2])
        return x, response[0], x_test, response[1]


class Numbers(NamedTuple):
    """What is told of a model: columns used, test AUC, megabytes of its file."""

    columns: int
    auc: float
    megabytes: float = np.nan


def settings(tables: Tables, seed: int) -> dict[str, Any]:
    """Those of all networks."""
    return {"y": tables.response, "training_frame": tables.training, "hidden": [50, 20], "epochs": 60, "seed": seed}


def numbers(tables: Tables, model: h2olite.Model) -> Numbers:
    """Those of a network."""
    with tempfile.TemporaryDirectory() as folder:
        size = Path(model.save(Path(folder) / "model.h2olite")).stat().st_size
    return Numbers(len(model.encoder.schema), model.model_performance(tables.test).auc(), size / 1e6)


def train(tables: Tables, seed: int, x: list[str] | None = None) -> Numbers:
    """The numbers of a network without penalty on some columns, or on all."""
    return numbers(tables, h2olite.deeplearning(x=x, **settings(tables, seed)))


def train_on_drawn(tables: Tables, seed: int) -> Numbers:
    """The numbers of a network on columns drawn at random."""
    return train(tables, seed, np.random.default_rng(seed).choice(tables.columns, MOST, replace=False).tolist())


def select(tables: Tables, seed: int) -> h2olite.Model:
    """The model of a path that cross-validation finds best, of those that use few columns.

    Each update is of all rows: after single rows, thousands of columns that had left would be back. l2 keeps some of
    the columns that resemble one another.
    """
    whole = {"mini_batch_size": tables.training.n_rows, "epochs": 300}
    path = h2olite.regularization_path(input_group_l1="1e-3:2e-2:9", l2=0.1, nfolds=5, **settings(tables, seed) | whole)
    few = [point for point in path.points if 0 < len(point.model.encoder.schema) <= MOST]
    return min(few, key=lambda point: point.loss).model


def train_on_encoded(tables: Tables, seed: int) -> Numbers:
    """The numbers of a network on the columns that count most in an autoencoder, which sees no classes.

    Its group penalty has columns of noise leave, which no other column tells anything of.
    """
    encoder = h2olite.deeplearning(
        x=tables.columns,
        training_frame=tables.training,
        autoencoder=True,
        activation="Tanh",
        hidden=[20],
        epochs=300,
        mini_batch_size=tables.training.n_rows,
        input_group_l1=0.2,
        seed=seed,
    )
    norms = (encoder.weights(0) ** 2).sum()
    return train(tables, seed, list(norms.nlargest(MOST).index))


def fit_linear(tables: Tables, *steps: Any) -> Numbers:
    """The numbers of a linear model of scikit-learn on standardised columns."""
    x, y, x_test, y_test = tables.arrays()
    model: Pipeline = make_pipeline(StandardScaler(), *steps).fit(x, y)
    auc = roc_auc_score(y_test == model.classes_[1], model.decision_function(x_test))
    return Numbers(np.count_nonzero(model[-1].coef_), float(auc))


def tell(name: str, of_seed: Callable[[int], Numbers], n_seeds: int = 5) -> None:
    """Print a line: the means over seeds, and how far the columns and AUCs lie apart."""
    columns, aucs, megabytes = zip(*map(of_seed, range(1, n_seeds + 1)), strict=True)
    size = "" if np.isnan(megabytes[0]) else f"{np.mean(megabytes):.2g} MB"
    counts = f"{min(columns):,}" + (f" to {max(columns):,}" if min(columns) < max(columns) else "")
    spread = f" ({min(aucs):.2f} to {max(aucs):.2f})" if n_seeds > 1 else ""
    print(f"| {name} | {counts} | {np.mean(aucs):.3f}{spread} | {size} |", flush=True)


def main() -> None:
    """Read the arguments, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("train", "test", "response"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    training, test = (as_table(file, name=file) for file in (arguments.train, arguments.test))
    tables = Tables(training, test, arguments.response)

    print("| model | columns | test AUC | file |\n|---|---|---|---|")
    tell("network", lambda seed: train(tables, seed))
    tell(f"network on {MOST} random columns", lambda seed: train_on_drawn(tables, seed))
    chosen = [select(tables, seed) for seed in range(1, 6)]
    tell("path", lambda seed: numbers(tables, chosen[seed - 1]))
    tell("network on its columns", lambda seed: train(tables, seed, list(chosen[seed - 1].encoder.schema)))
    tell(f"network on {MOST} columns of an autoencoder", lambda seed: train_on_encoded(tables, seed))
    svm = LinearSVC(C=0.1, max_iter=100_000, random_state=0)
    tell("linear SVM (scikit-learn)", lambda _: fit_linear(tables, svm), 1)
    elimination = RFE(svm, n_features_to_select=MOST, step=100)
    tell("the same, recursive elimination", lambda _: fit_linear(tables, elimination, svm), 1)
    lasso = LogisticRegression(l1_ratio=1, solver="liblinear", max_iter=10_000, random_state=0)
    tell("logistic regression with l1 (scikit-learn)", lambda _: fit_linear(tables, lasso), 1)


if __name__ == "__main__":
    main()
