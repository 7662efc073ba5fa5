"""Digests of models of every kind, by which a change of the code is known to compute the same as before.

``python tests/benchmarks/fingerprints.py --write before.json`` before a change that must not alter results,
``--compare before.json`` after it: the same seed must give the same bits. On another kind of processor, or another
version of Numba, the digests are others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

import h2olite

COMMON = {"hidden": [24, 16], "epochs": 3, "seed": 7, "reproducible": True}


def table(n_rows: int = 700) -> pd.DataFrame:
    """A table of numbers, levels, missing values, weights, offsets and responses of every kind."""
    random = np.random.default_rng(0)
    a, b, c = random.normal(size=(3, n_rows))
    level = random.choice(["red", "green", "blue", "grey"], n_rows, p=[0.5, 0.3, 0.15, 0.05])
    many = np.array([f"city{i}" for i in random.integers(0, 40, n_rows)])
    signal = a - 0.5 * b * c + (level == "red")
    return pd.DataFrame(
        {
            "a": a,
            "b": np.where(random.random(n_rows) < 0.05, np.nan, b),
            "c": np.where(random.random(n_rows) < 0.7, 0.0, c),
            "level": np.where(random.random(n_rows) < 0.05, None, level),
            "many": many,
            "two": np.where(signal + random.normal(size=n_rows) > 0, "yes", "no"),
            "three": np.select([signal > 0.7, signal < -0.4], ["high", "low"], "middle"),
            "number": 3 * signal + random.normal(size=n_rows),
            "count": random.poisson(np.exp(np.clip(signal, -3, 2))).astype(float),
            "amount": np.exp(0.5 * signal) * random.gamma(2.0, size=n_rows) + 0.01,
            "weight": random.integers(0, 4, n_rows).astype(float),
            "offset": 0.1 * random.normal(size=n_rows),
            "fold": random.integers(0, 3, n_rows),
        }
    )


PREDICTORS = ["a", "b", "c", "level", "many"]


def settings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Trainings by name, of every kind."""
    for activation in ("Tanh", "Rectifier", "Maxout", "ExpRectifier"):
        yield activation, {"y": "two", "activation": activation}
        yield (
            f"{activation} with dropout",
            {
                "y": "three",
                "activation": f"{activation}WithDropout",
                "input_dropout_ratio": 0.1,
            },
        )
    for distribution, y in {
        **dict.fromkeys(("gaussian", "laplace", "quantile", "huber"), "number"),
        **{"poisson": "count", "gamma": "amount", "tweedie": "count"},
    }.items():
        yield distribution, {"y": y, "distribution": distribution}
        yield (
            f"{distribution}, weights and offsets",
            {
                "y": y,
                "distribution": distribution,
                "weights_column": "weight",
                "offset_column": "offset",
            },
        )
    yield "quadratic loss of classes", {"y": "three", "loss": "Quadratic"}
    yield "weights of classes", {"y": "two", "weights_column": "weight"}
    yield "balanced classes", {"y": "three", "balance_classes": True}
    for size in (1, 5, 32):
        yield f"mini-batches of {size}", {"y": "two", "mini_batch_size": size}
        yield (
            f"SGD, mini-batches of {size}",
            {
                "y": "number",
                "mini_batch_size": size,
                "adaptive_rate": False,
                "rate": 0.01,
                "momentum_start": 0.5,
                "momentum_ramp": 1000,
                "momentum_stable": 0.9,
            },
        )
    yield (
        "SGD without Nesterov",
        {
            "y": "two",
            "adaptive_rate": False,
            "rate_decay": 0.9,
            "nesterov_accelerated_gradient": False,
        },
    )
    yield "slow mode", {"y": "two", "fast_mode": False}
    yield "no averaging", {"y": "two", "averaging_window": 0}
    for penalty in ({"l1": 1e-3}, {"l2": 1e-3}, {"input_group_l1": 1e-2}, {"max_w2": 1.0}):
        yield f"{next(iter(penalty))}", {"y": "two"} | penalty
    yield "all penalties", {"y": "number", "l1": 1e-3, "l2": 1e-3, "input_group_l1": 3e-3, "max_w2": 10.0}
    yield "l1, mini-batches", {"y": "three", "l1": 1e-3, "mini_batch_size": 20}
    for encoding in ("OneHotInternal", "Binary", "Eigen", "LabelEncoder", "SortByResponse", "EnumLimited"):
        yield encoding, {"y": "two", "categorical_encoding": encoding}
    yield "hashed levels", {"y": "two", "max_categorical_features": 8}
    yield "not standardised", {"y": "number", "standardize": False}
    yield "missing rows skipped", {"y": "two", "missing_values_handling": "Skip"}
    yield "Normal weights", {"y": "two", "initial_weight_distribution": "Normal", "initial_weight_scale": 0.1}
    yield "no hidden layer", {"y": "three", "hidden": []}
    yield "wide, two parts", {"y": "two", "hidden": [200, 200], "epochs": 1}
    yield "folds", {"y": "number", "fold_column": "fold", "keep_cross_validation_predictions": True}
    yield "shuffled, sampled scoring", {"y": "two", "shuffle_training_data": True, "score_training_samples": 100}
    for activation in ("Tanh", "Rectifier", "ExpRectifier"):
        yield f"autoencoder, {activation}", {"autoencoder": True, "activation": activation}
    yield (
        "autoencoder, huber and sparsity",
        {
            "autoencoder": True,
            "activation": "Tanh",
            "distribution": "huber",
            "sparsity_beta": 0.01,
            "average_activation": -0.5,
        },
    )


def digest(model: Any, data: pd.DataFrame) -> str:
    """A digest of weights, biases, predictions, metrics and the scoring history, times apart."""
    result = hashlib.sha256()
    for layer in range(model.network.n_layers):
        result.update(np.ascontiguousarray(model.weights(layer).to_numpy()).tobytes())
        result.update(np.ascontiguousarray(model.biases(layer).to_numpy()).tobytes())
    predictions = model.predict(data)
    for name in predictions:
        column = predictions[name]
        result.update(column.astype(str).str.cat().encode() if name == "predict" else column.to_numpy().tobytes())
    history = model.scoring_history()
    kept = [name for name in history if name not in ("timestamp", "duration", "training_speed")]
    result.update(history[kept].to_json(double_precision=15).encode())
    return result.hexdigest()[:16]


def digests() -> dict[str, str]:
    """The digest of every training, and of what continues, loads or selects models."""
    data = table()
    found = {}

    def train(**given: Any) -> Any:
        x = [*PREDICTORS]
        return h2olite.deeplearning(x=x, training_frame=data, **(COMMON | given))

    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        for name, given in settings():
            found[name] = digest(train(**given), data)
        model = train(y="two")
        path = model.save(os.path.join(folder, "m.h2olite"))
        found["loaded"] = digest(h2olite.load_model(path), data)
        found["gone on"] = digest(train(y="two", epochs=6, checkpoint=path), data)
        autoencoder = train(autoencoder=True, activation="Tanh")
        found["pretrained"] = digest(train(y="two", activation="Tanh", pretrained_autoencoder=autoencoder), data)
        found["MOJO"] = digest(h2olite.import_mojo(model.download_mojo(os.path.join(folder, "m.zip"))), data)
        found["anomaly"] = hashlib.sha256(autoencoder.anomaly(data).to_numpy().tobytes()).hexdigest()[:16]
        found["deep features"] = hashlib.sha256(model.deepfeatures(data, 0).to_numpy().tobytes()).hexdigest()[:16]
        path = h2olite.regularization_path(
            x=PREDICTORS, y="two", training_frame=data, l1="1e-4:1e-2:3", **(COMMON | {"epochs": 2})
        )
        found["path"] = digest(path.model, data)
        grid = h2olite.grid(
            {"l1": [0, 1e-3]}, x=PREDICTORS, y="number", training_frame=data, **(COMMON | {"epochs": 1})
        )
        found["grid"] = digest(grid[0], data)
    return found


def main() -> int:
    """Write the digests, or compare them with earlier ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--compare", type=Path)
    chosen = parser.parse_args()
    found = digests()
    if chosen.write:
        chosen.write.write_text(json.dumps(found, indent=1))
    if chosen.compare:
        before = json.loads(chosen.compare.read_text())
        changed = [name for name in before if before[name] != found.get(name)]
        print(f"{len(before) - len(changed)} of {len(before)} the same" + "".join(f"\n  other: {n}" for n in changed))
        return bool(changed)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
