"""Row weights count in the end, whichever way a training ends."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import ParameterError


@pytest.fixture(scope="module")
def frame():
    """Rows that only their weights tell apart: the weighted mean of y is 1.4, and the plain one 1."""
    y = np.arange(200) % 2
    return pd.DataFrame({"x": np.random.default_rng(1).normal(size=200), "y": y + 0.5, "w": 1.0 + 8.0 * y})


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 60},
        {"epochs": 1, "train_samples_per_iteration": 50},
        {"epochs": 1e6, "stopping_rounds": 1, "stopping_tolerance": 0.3, "score_each_iteration": True},
        {"epochs": 1e9, "max_runtime_secs": 1.0, "stopping_rounds": 0},
        {"epochs": 60, "shuffle_training_data": False},
        {"epochs": 60, "mini_batch_size": 7},
        {"epochs": 60, "distribution": "huber"},
    ],
    ids=str,
)
def test_weights_decide_whatever_ends_the_training(frame, settings):
    given = {"hidden": [5], "activation": "Tanh", "seed": 1, "l2": 1e-3} | settings
    model = h2olite.deeplearning(y="y", training_frame=frame, weights_column="w", **given)
    assert model.predict(frame)["predict"].mean() > 1.2


def test_weights_count_from_the_start_where_training_goes_on(frame):
    given = {
        "x": ["x"],
        "y": "y",
        "training_frame": frame,
        "hidden": [5],
        "activation": "Tanh",
        "seed": 1,
        "keep_state": True,
    }
    plain = h2olite.deeplearning(**given, epochs=10)
    assert plain.predict(frame)["predict"].mean() < 1.1
    further = h2olite.deeplearning(**given, epochs=30, weights_column="w", checkpoint=plain)
    assert further.predict(frame)["predict"].mean() > 1.2


@pytest.mark.parametrize("role", ["weights_column", "offset_column"])
def test_a_predictor_of_a_checkpoint_cannot_become_another_column(frame, role):
    plain = h2olite.deeplearning(y="y", training_frame=frame, hidden=[3], epochs=1, seed=1, keep_state=True)
    with pytest.raises(ParameterError, match=f"{role} must not be a predictor of the checkpoint; got 'w'"):
        h2olite.deeplearning(y="y", training_frame=frame, hidden=[3], epochs=2, checkpoint=plain, **{role: "w"})
