"""Presets: sets of values under one name, which give way to what users say."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import ParameterError
from h2olite.settings.parameters import declared
from h2olite.settings.presets import PRESETS, WITHOUT
from h2olite.settings.validation import read_shared, validate

ACCURATE = PRESETS["accurate"]


def differing(parameters):
    """Which values of the preset the parameters have not."""
    return {name for name, value in ACCURATE.items() if getattr(parameters, name) != value}


@pytest.mark.parametrize("way", [validate, read_shared])
def test_a_preset_sets_all_of_its_values_and_nothing_else(way):
    parameters = way({"preset": "Accurate"})
    assert not differing(parameters)
    others = declared().keys() - ACCURATE.keys() - {"preset"}
    assert all(getattr(parameters, name) == declared()[name].default for name in others)
    assert differing(way({})) == ACCURATE.keys()


@pytest.mark.parametrize("name", ACCURATE)
def test_a_value_that_is_given_wins_even_if_it_is_the_default(name):
    default = declared()[name].default
    parameters = validate({"preset": "accurate", name: default})
    assert getattr(parameters, name) == default
    assert differing(parameters) == {name}


@pytest.mark.parametrize(
    ("given", "dropped"),
    [
        ({"validation_frame": "t.csv"}, {"holdout_share"}),
        ({"keep_state": True}, {"ensemble"}),
        ({"keep_state": False}, set()),
        ({"hidden": []}, {"ensemble"}),
        ({"sparse": True}, {"numeric_encoding"}),
        ({"standardize": False}, {"numeric_encoding"}),
        ({"adaptive_rate": False}, {"rho", "epsilon"}),
        ({"update_rule": "Adam"}, {"rho", "epsilon"}),
        ({"update_rule": "ADADELTA"}, set()),
    ],
)
def test_what_cannot_go_with_a_given_value_gives_way(given, dropped):
    assert differing(validate({"preset": "accurate"} | given)) == dropped


def test_what_gives_way_is_in_the_preset():
    assert WITHOUT.keys() <= ACCURATE.keys()
    assert {other for others in WITHOUT.values() for other in others} <= declared().keys()
    assert set(PRESETS) == set(declared()["preset"].choices)


def test_an_autoencoder_has_no_preset():
    with pytest.raises(ParameterError, match="preset accurate cannot be combined with autoencoder"):
        validate({"preset": "accurate", "autoencoder": True})


def steps(n_rows=600, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.uniform(-1, 1, (n_rows, 4)), columns=list("abcd"))
    odds = 3 * np.sign(np.sin(8 * frame["a"])) + 2 * (frame["b"] > 0.3)
    frame["y"] = np.where(random.logistic(size=n_rows) < odds, "high", "low")
    return frame


SMALL = {"hidden": [24, 24], "seed": 1}


@pytest.mark.proves("preset")
def test_accurate_is_more_accurate_than_the_defaults_and_scikit_learn_has_it_too():
    train, test = steps(), steps(400, 1)
    losses = [
        h2olite.deeplearning(y="y", training_frame=train, preset=preset, **SMALL).model_performance(test).logloss()
        for preset in PRESETS
    ]
    assert losses[1] < 0.95 * losses[0]
    estimator = h2olite.DeepLearningClassifier(preset="accurate", hidden=(24, 24), seed=1)
    estimator.fit(train[list("abcd")], train["y"])
    assert not differing(estimator.model_.parameters) - {"epochs"}
    assert estimator.model_.parameters.hidden == [24, 24]


def test_a_grid_takes_the_preset_with_the_values_of_each_model():
    found = h2olite.grid(
        {"ensemble": [1, 2]}, y="y", training_frame=steps(200), preset="accurate", hidden=[6], epochs=2, seed=1
    )
    assert sorted(model.parameters.ensemble for model in found.models) == [1, 2]
    assert all(differing(model.parameters) <= {"ensemble", "epochs"} for model in found.models)
