"""Compare accuracy with scikit-learn's multilayer perceptrons on the tables of datasets/.

``python tests/benchmarks/accuracy.py`` (needs h2olite[test]) prints a table and puts it into docs/benchmarks.md. Every
row of a table is predicted once, by a model of the other four fifths (five shuffled folds). Both libraries train
200-200 rectifiers with their own defaults otherwise; scikit-learn gets its usual preparation: imputed, standardised,
one-hot encoded, and a standardised response.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import report
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, root_mean_squared_error, zero_one_loss
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import h2olite

TABLES = ("breast_cancer", "diabetes", "digits", "iris", "penguins", "wine")
DATASETS = Path(__file__).parents[2] / "datasets"
SEEDS = range(3)


def ours(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> np.ndarray:
    """Probabilities or predicted numbers of h2olite."""
    predicted = h2olite.deeplearning(training_frame=train, seed=seed, reproducible=True).predict(test)
    return predicted.iloc[:, 1:].to_numpy() if predicted.shape[1] > 1 else predicted["predict"].to_numpy()


def theirs(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> np.ndarray:
    """Probabilities or predicted numbers of scikit-learn."""
    x, y = train.iloc[:, :-1], train.iloc[:, -1]
    if pd.api.types.is_numeric_dtype(y):
        network = TransformedTargetRegressor(
            MLPRegressor(hidden_layer_sizes=(200, 200), random_state=seed), transformer=StandardScaler()
        )
        return prepared(network).fit(x, y).predict(test.iloc[:, :-1])
    return prepared(MLPClassifier((200, 200), random_state=seed)).fit(x, y).predict_proba(test.iloc[:, :-1])


def prepared(network: MLPClassifier | TransformedTargetRegressor) -> Pipeline:
    """The network behind the usual preparation of columns."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        ),
        network,
    )


def line(name: str) -> str:
    """One table's line: the mean over the seeds of each library's loss, and of its error where there are classes."""
    frame = pd.read_csv(DATASETS / f"{name}.csv")
    response = frame.iloc[:, -1]
    cells = []
    for predict in (ours, theirs):
        losses = []
        for seed in SEEDS:
            folds = list(KFold(5, shuffle=True, random_state=seed).split(frame))
            rows = np.concatenate([test for _, test in folds])
            predicted = np.concatenate([predict(frame.iloc[train], frame.iloc[test], seed) for train, test in folds])
            if predicted.ndim == 1:
                losses.append([root_mean_squared_error(response[rows], predicted)])
            else:
                labels = np.unique(response)
                error = zero_one_loss(response[rows], labels[predicted.argmax(axis=1)])
                losses.append([log_loss(response[rows], predicted, labels=labels), error])
        loss, *error = np.mean(losses, axis=0)
        cells.append(f"{loss:.3f}, {error[0]:.1%}" if error else f"{loss:.1f}")
    measure = "logloss, error" if error else "RMSE"
    return f"| {name} | {measure} | {' | '.join(cells)} |"


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", "columns of training_frame left out")  # in the border of the digits
    lines = ["| table | measure | h2olite | scikit-learn |", "|---|---|---|---|"]
    for name in TABLES:
        lines.append(line(name))
        print(lines[-1], flush=True)
    report.write("accuracy", "\n".join(lines))
