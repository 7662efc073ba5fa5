"""Settings that a search tries."""

import numpy as np
import pytest

from h2olite.selection.space import DROPOUT, NEXT, SPACE, START, free_dimensions, parameters_of, proposed, told
from h2olite.settings.parameters import declared
from h2olite.settings.presets import PRESETS
from h2olite.settings.validation import validate


def parameters(**given):
    return validate({"preset": "accurate"} | given)


def test_the_first_settings_are_those_of_the_preset():
    for name, value in START.items():
        if name != DROPOUT:
            assert PRESETS["accurate"].get(name, declared()[name].default) == value
        assert value in SPACE[name]
    assert {name for change in NEXT for name in change} <= set(SPACE)
    assert told(START) == "the preset accurate"
    assert told(START | {"l1": 1e-4}) == "l1 0.0001"


@pytest.mark.parametrize(
    ("given", "fixed"),
    [
        ({}, []),
        ({"l1": 1e-3, "rho": 0.9}, ["l1", "rho"]),
        ({"hidden": []}, ["activation", "hidden", DROPOUT]),
        ({"activation": "TanhWithDropout", "hidden_dropout_ratios": [0.1, 0.2]}, ["activation", "hidden", DROPOUT]),
        ({"adaptive_rate": False}, ["update_rule", "adam_rate", "rho", "epsilon"]),
        ({"update_rule": "Adam"}, ["update_rule", "rho"]),
        ({"standardize": False}, ["numeric_encoding"]),
        ({"elastic_averaging": True, "replicas": 2}, ["l1"]),
    ],
    ids=str,
)
def test_what_the_user_gives_is_not_tried(given, fixed):
    free = free_dimensions(parameters(**given), given)
    assert [name for name in SPACE if name not in free] == fixed


def test_a_given_value_counts_even_if_it_is_the_default():
    base = parameters(numeric_encoding="PiecewiseLinear", mini_batch_size=32)
    free = free_dimensions(base, ["numeric_encoding", "mini_batch_size", "hidden_dropout_ratios", "y"])
    assert [name for name in SPACE if name not in free] == [
        *("numeric_encoding", "activation", "hidden", DROPOUT, "mini_batch_size"),
    ]


def test_dropout_of_hidden_layers_goes_with_its_activation():
    made = parameters_of({"activation": "Tanh", "hidden": [5, 5, 5], DROPOUT: 0.2, "l1": 0.0}, parameters())
    assert made == {
        "activation": "TanhWithDropout",
        "hidden": [5, 5, 5],
        "hidden_dropout_ratios": [0.2, 0.2, 0.2],
        "l1": 0.0,
    }
    of_adam = parameters_of({"update_rule": "Adam", "rho": 0.9, "adam_rate": 1e-3}, parameters())
    assert of_adam == {"update_rule": "Adam", "adam_rate": 1e-3}
    assert parameters_of({"rho": 0.9, "adam_rate": 1e-3}, parameters()) == {"rho": 0.9}
    assert parameters_of({"activation": "Tanh", DROPOUT: 0.0}, parameters()) == {"activation": "Tanh"}


def test_all_that_is_proposed_is_new_and_can_be_trained_with():
    random, base = np.random.default_rng(0), parameters()
    free = free_dimensions(base, [])
    tried = []
    for _ in range(200):
        made = proposed(tried, tried[:3], free, random)
        assert made not in tried
        validate(vars(base) | parameters_of(made, base))
        tried.append(made)
    assert tried[0] == START
    assert [told(one) for one in tried[1 : len(NEXT) + 1]] == [told(START | change) for change in NEXT]
    for name in SPACE:  # every value of every dimension comes up
        assert {str(one[name]) for one in tried} == set(map(str, SPACE[name]))


def test_a_space_of_few_settings_has_an_end():
    random = np.random.default_rng(0)
    free = ["rho"]
    tried = [{"rho": value} for value in SPACE["rho"]]
    assert proposed(tried, tried, free, random) is None
