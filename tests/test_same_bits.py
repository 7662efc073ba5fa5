"""The same seed gives the same bits with any number of threads, whichever of them trains which rows."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.training.team import Team

DATASETS = Path(__file__).parents[1] / "datasets"


def wide_levels():
    """A table whose first layer is mostly looked up, with missing values."""
    random = np.random.default_rng(5)
    levels = {name: random.integers(0, n, 600) for name, n in {"a": 300, "b": 40, "c": 3}.items()}
    frame = pd.DataFrame({name: values.astype(str) for name, values in levels.items()})
    frame.loc[::7, "b"] = None
    frame["y"] = random.normal(size=600) + levels["c"]
    return frame


TABLES = {
    "breast_cancer, defaults": ("breast_cancer.csv", {}),
    "digits, defaults": ("digits.csv", {"epochs": 1}),
    "diabetes, defaults": ("diabetes.csv", {}),
    "penguins, four parts": ("penguins.csv", {"hidden": [400, 400], "epochs": 2}),
    "many levels": (wide_levels, {}),
    "penalties": ("breast_cancer.csv", {"l1": 1e-4, "l2": 1e-5, "max_w2": 5.0}),
    "dropout of a tenth": ("wine.csv", {"activation": "RectifierWithDropout", "input_dropout_ratio": 0.1}),
    "Maxout": ("diabetes.csv", {"activation": "Maxout"}),
    "Tanh": ("breast_cancer.csv", {"activation": "Tanh", "epochs": 2}),
    "momentum": ("wine.csv", {"adaptive_rate": False, "rate": 0.01, "momentum_start": 0.5}),
    "Adam": ("breast_cancer.csv", {"update_rule": "Adam", "l1": 1e-4, "l2": 1e-5}),
    "AdamW, mini-batches of 32": ("digits.csv", {"update_rule": "AdamW", "mini_batch_size": 32, "l2": 0.01}),
    "all weights": ("breast_cancer.csv", {"fast_mode": False, "epochs": 2}),
    "autoencoder": ("diabetes.csv", {"autoencoder": True}),
    "piecewise linear": ("diabetes.csv", {"numeric_encoding": "PiecewiseLinear"}),
    "piecewise linear, mini-batches of 32": (
        "breast_cancer.csv",
        {"numeric_encoding": "PiecewiseLinear", "mini_batch_size": 32},
    ),
    "mini-batches of 32": ("digits.csv", {"mini_batch_size": 32}),
    "mini-batches of 50": ("penguins.csv", {"mini_batch_size": 50, "epochs": 20}),
}


def fitted(name, n_threads):
    """All numbers of a network and its predictions."""
    source, settings = TABLES[name]
    frame = source() if callable(source) else pd.read_csv(DATASETS / source)
    settings = {"epochs": 3, "score_each_iteration": True, "seed": 3, **settings}
    model = h2olite.deeplearning(training_frame=frame, nthreads=n_threads, **settings)
    n_layers = len(settings.get("hidden", [200, 200])) + 1
    weights = [model.weights(layer).to_numpy() for layer in range(n_layers)]
    biases = [model.biases(layer).to_numpy() for layer in range(n_layers)]
    predictions = model.predict(frame).select_dtypes(float).to_numpy()
    return [*weights, *biases, predictions]


@pytest.fixture
def turns(monkeypatch):
    """Has a team of two and a single thread take turns, changing at every call and twice in it; gives whose they were.

    The moments differ from training to training.
    """
    taken, offsets = set(), itertools.count()

    def change(team, n_rows):
        first, n_crews = next(offsets), len(team._crews)
        cuts = sorted({n_rows * (1 + first % 3) // 7, n_rows * (4 + first % 2) // 7})
        cuts = [0, *(cut // team.batch_size * team.batch_size for cut in cuts), n_rows]
        shares = [((first + k) % n_crews, end - start) for k, (start, end) in enumerate(itertools.pairwise(cuts))]
        taken.update((n_crews, which) for which, size in shares if size)
        return shares

    monkeypatch.setattr(Team, "turns", change)
    return taken


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", TABLES)
def test_one_thread_two_and_every_repetition_give_the_same_bits(name, turns):
    alone = fitted(name, 1)
    assert turns == {(1, 0)}
    for repetition in (fitted(name, 2), fitted(name, 2)):
        for ours, theirs in zip(alone, repetition, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert turns == {(1, 0), (2, 0), (2, 1)}  # both crews of the team's trainings had rows
