"""Tables as matrices, for the peers that know no other: standardised numbers, a column for each level."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import pandas as pd
from serving import Task


class Matrices(NamedTuple):
    """float32 inputs, and classes as int64 indices."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def matrices(task: Task) -> Matrices:
    """Training and test rows of a task's table."""
    return _matrices(task["train"], task["test"], task["response"])


@functools.cache
def _matrices(train: str, test: str, response: str) -> Matrices:
    frames = [pd.read_csv(path) for path in (train, test)]
    classes = np.unique(frames[0][response])
    y, y_test = (np.searchsorted(classes, frame.pop(response)) for frame in frames)
    inputs = pd.get_dummies(frames[0])
    inputs_test = pd.get_dummies(frames[1]).reindex(columns=inputs.columns, fill_value=False)
    x, x_test = (frame.to_numpy(np.float64) for frame in (inputs, inputs_test))
    varies = x.std(axis=0) > 0
    mean, deviation = x[:, varies].mean(axis=0), x[:, varies].std(axis=0)
    x, x_test = (((part[:, varies] - mean) / deviation).astype(np.float32) for part in (x, x_test))
    return Matrices(x, y, x_test, y_test)


def logloss(probabilities: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy, with probabilities kept from 0 as H2O and h2olite do."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-15)).mean())
