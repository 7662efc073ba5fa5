"""One small trained model of every kind: tables, distributions, encodings, activations and what else there is."""

import functools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import h2olite

DATASETS = Path(__file__).parent.parent / "datasets"

RESPONSES = {
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
    "digits": "digit",
    "iris": "species",
    "penguins": "species",
    "wine": "cultivar",
}

TINY: dict[str, Any] = {"hidden": [7, 5], "epochs": 3, "seed": 1, "reproducible": True, "score_training_samples": 0}

KINDS: dict[str, dict[str, Any]] = {
    **{name: {"table": name, "y": response} for name, response in RESPONSES.items()},
    **{
        f"{activation}{suffix}": {"y": "two", "activation": activation + suffix}
        for activation in ("Tanh", "Rectifier", "ExpRectifier", "Maxout")
        for suffix in ("", "WithDropout")
    },
    **{
        distribution: {"y": "amount", "distribution": distribution}
        for distribution in ("gaussian", "laplace", "quantile", "huber", "poisson", "gamma", "tweedie")
    },
    **{
        encoding: {"y": "three", "categorical_encoding": encoding}
        for encoding in ("OneHotInternal", "Binary", "Eigen", "LabelEncoder", "SortByResponse", "EnumLimited")
    },
    "hashed": {"y": "three", "max_categorical_features": 6},
    "first level dropped": {"y": "three", "use_all_factor_levels": False},
    "not standardised": {"y": "three", "standardize": False, "x": ["colour", "many", "flag", "a", "b"]},
    "quadratic loss": {"y": "three", "loss": "Quadratic"},
    "no hidden dropout but of inputs": {"y": "two", "input_dropout_ratio": 0.2},
    "balanced classes": {"y": "three", "balance_classes": True},
    "offset": {"y": "amount", "offset_column": "offset"},
    "offset of a logarithm": {"y": "amount", "offset_column": "offset", "distribution": "poisson"},
    "classes named by numbers": {"y": "numbered", "factors": ["numbered"]},
    "levels that are numbers": {"y": "two", "factors": ["code"]},
    "autoencoder": {"autoencoder": True, "activation": "Tanh"},
    "autoencoder without first levels": {"autoencoder": True, "activation": "Tanh", "use_all_factor_levels": False},
    "autoencoder of numbers": {"autoencoder": True, "activation": "TanhWithDropout", "x": ["a", "b", "amount"]},
    "autoencoder of rectified numbers": {"autoencoder": True, "x": ["a", "b", "amount"]},
    "scaled but not centred": {"y": "three", "sparse": True, "x": ["colour", "many", "a", "b"]},
    "columns of mostly zeros": {"y": "three", "x": ["colour", "a", "rare"]},
    "autoencoder of mostly zeros": {"autoencoder": True, "activation": "Tanh", "x": ["a", "rare"]},
    "rows with missing values skipped": {"y": "two", "missing_values_handling": "Skip"},
    "running average of weights": {"y": "two", "averaging_window": 0.1},
    "weighted rows": {"y": "two", "weights_column": "amount"},
    **{
        f"{encoding} numbers": {"y": "three", "numeric_encoding": encoding}
        for encoding in ("Robust", "Quantile", "PiecewiseLinear")
    },
    "PiecewiseLinear with recoded levels": {
        "y": "amount",
        "numeric_encoding": "PiecewiseLinear",
        "categorical_encoding": "LabelEncoder",
    },
    "ensemble": {"y": "three", "ensemble": 3},
    "ensemble of a logarithm": {"y": "amount", "ensemble": 2, "distribution": "gamma", "offset_column": "offset"},
    "no hidden layer": {"y": "three", "hidden": []},
    "numbers only": {"y": "amount", "x": ["a", "b"]},
    "levels only": {"y": "two", "x": ["colour", "many"]},
    "pruned": {"y": "two", "l1": 0.02, "epochs": 20, "hidden": [3]},
}
"""Parameters of each model, and the shipped table that it learns from, if not the simulated one."""


@functools.cache
def simulated(n_rows: int = 150) -> pd.DataFrame:
    """A table with text, numbers, times, missing values, and responses of all sorts."""
    random = np.random.default_rng(0)
    colour = random.choice(["red", "green", "blue", 'ä, "quoted"', None], n_rows, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    a, b = random.normal(size=n_rows), np.where(random.random(n_rows) < 0.1, np.nan, random.normal(10, 3, n_rows))
    score = a + (colour == "red") + random.normal(0, 0.3, n_rows)
    return pd.DataFrame(
        {
            "colour": colour,
            "many": random.choice([f"level {i:02}" for i in range(15)], n_rows),
            "flag": random.random(n_rows) < 0.5,
            "code": random.integers(1, 5, n_rows),
            "a": a,
            "b": b,
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1000, n_rows), "D"),
            "offset": random.normal(0, 0.1, n_rows),
            "two": np.where(score > 0.4, "yes", "no"),
            "three": np.where(score > 1.2, "high", np.where(score > 0, "middle", "low")),
            "numbered": np.where(score > 0.4, 10, 2),
            "amount": np.exp(score / 2),
            "rare": random.choice([0.0, 0.5, 1.25, np.nan], n_rows, p=[0.6, 0.15, 0.1, 0.15]),
        }
    )


def table_of(kind: str) -> pd.DataFrame:
    """What a model learns from."""
    name = KINDS[kind].get("table")
    return simulated() if name is None else pd.read_csv(DATASETS / f"{name}.csv")


@functools.cache
def model_of(kind: str) -> h2olite.Model:
    """The trained model."""
    given = {name: value for name, value in KINDS[kind].items() if name != "table"}
    if "table" not in KINDS[kind]:
        given = {"x": ["colour", "many", "flag", "code", "a", "b", "when"]} | given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constant pixels
        return h2olite.deeplearning(training_frame=table_of(kind), **TINY | given)


def odd_rows() -> list[dict[str, Any]]:
    """Rows of the simulated table's columns whose values are missing, unseen, or of another type than in training."""
    usual = {"colour": "red", "many": "level 03", "flag": True, "code": 2, "a": 0.5, "b": 9.0, "offset": 0.1}
    usual |= {"rare": 0.5, "when": pd.Timestamp("2021-05-01")}
    changes: list[dict[str, Any]] = [
        {},
        {"colour": None, "b": None, "flag": None, "rare": None},
        {"colour": float("nan"), "many": np.nan, "a": np.nan, "b": np.float32("nan"), "when": pd.NaT},
        {"colour": "atlantis", "many": "", "flag": "maybe"},
        {"flag": "False", "code": "3", "a": "1.5", "b": " 2 "},
        {"a": 1, "b": np.float32(2.5), "code": np.int64(4), "offset": 0},
        {"a": np.int8(1), "b": np.float16(2.5), "many": np.str_("level 07"), "flag": np.bool_(False)},
        {"code": 3.0, "a": 1e30, "when": 1_600_000_000_000, "more": [1, {"nested": None}]},
        {"code": 99},
        {"b": 2**53 + 1},
    ]
    most_absent = {"a": 0.25, "colour": "blue", "offset": 0.0}  # every model has one of these predictors
    return [*(usual | change for change in changes), most_absent]
