"""The settings that `tune` tries: the values of each, and how new settings are made of those tried before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from h2olite.kinds.update_rules import UpdateRule, update_rule_of
from h2olite.settings.parameters import Parameters, declared
from h2olite.settings.presets import PRESETS

Settings = dict[str, Any]
"""A value for each dimension of the space that is free."""

DROPOUT = "hidden_dropout"
"""The dimension that is the dropout ratio of all hidden layers, and the activation with dropout."""

SPACE: dict[str, tuple[Any, ...]] = {
    "numeric_encoding": ("Standardize", "Robust", "Quantile", "PiecewiseLinear"),
    "activation": ("Rectifier", "ExpRectifier", "Tanh", "Maxout"),
    "hidden": ([50], [200], [500], [50, 50], [100, 100], [200, 200], [400, 400], [100, 100, 100], [200, 200, 200]),
    DROPOUT: (0.0, 0.1, 0.2, 0.4),
    "input_dropout_ratio": (0.0, 0.05, 0.1, 0.2),
    "l1": (0.0, 1e-6, 1e-5, 1e-4),
    "l2": (0.0, 1e-6, 1e-5, 1e-4, 1e-3),
    "mini_batch_size": (1, 8, 32, 128),
    "update_rule": ("AUTO", "Adam"),
    "adam_rate": (3e-4, 1e-3, 3e-3),
    "rate_schedule": ("Constant", "Cosine", "CosLog"),
    "rho": (0.9, 0.95, 0.99),
    "epsilon": (1e-8, 1e-7, 1e-6, 1e-5),
}
"""The values of each dimension, where it has an order in this order."""

UNORDERED = ("numeric_encoding", "activation", "hidden", "update_rule", "rate_schedule")
"""Dimensions whose values have no order."""

START: Settings = {
    name: 0.0 if name == DROPOUT else PRESETS["accurate"].get(name, declared()[name].default) for name in SPACE
}
"""The settings of the preset `accurate`, which are tried first."""

NEXT: tuple[Settings, ...] = (
    {"numeric_encoding": "Standardize"},
    {"numeric_encoding": "Quantile"},
    {DROPOUT: 0.2},
    {"hidden": [400, 400]},
    {"numeric_encoding": "Standardize", "mini_batch_size": 1, "rho": 0.99, "epsilon": 1e-8},
    {"update_rule": "Adam"},
    {"update_rule": "Adam", "rate_schedule": "CosLog"},
    {"l2": 1e-4},
)
"""Changes of the first settings that are tried next."""

OF_RULES = {"rho", "epsilon", "adam_rate"}
"""Dimensions that act with some update rules only."""

KEPT_SHARE = 0.5
"""How often a dimension of random settings has the value of the first ones."""

MOST_CHANGES = 3
"""Dimensions in which settings differ from good ones that they are made of, at the most."""


def free_dimensions(parameters: Parameters, given: Collection[str]) -> list[str]:
    """The dimensions whose parameters the user has not set.

    parameters : with the values of the preset `accurate` where the user gave none.
    given : the names of those that the user gave, whatever their values are.
    """
    own = set(given)
    if "hidden_dropout_ratios" in own:
        own.add("hidden")
    if own & {"activation", "hidden_dropout_ratios"} or not parameters.hidden:
        own |= {"activation", DROPOUT}
    if "update_rule" in own or not parameters.adaptive_rate:
        own.add("update_rule")
        own |= OF_RULES - set(_rule_of({}, parameters).settings)
    if not parameters.standardize or parameters.sparse:
        own.add("numeric_encoding")
    if parameters.elastic_averaging:
        own.add("l1")  # which it cannot be combined with
    return [name for name in SPACE if name not in own]


def _rule_of(settings: Settings, parameters: Parameters) -> UpdateRule:
    """The update rule with these settings."""
    return update_rule_of(settings.get("update_rule", parameters.update_rule), parameters.adaptive_rate)


def parameters_of(settings: Settings, parameters: Parameters) -> dict[str, Any]:
    """The parameters that settings stand for."""
    values = {name: value for name, value in settings.items() if name != DROPOUT}
    for name in OF_RULES - set(_rule_of(settings, parameters).settings):
        values.pop(name, None)
    if ratio := settings.get(DROPOUT, 0.0):
        activation = values.get("activation", parameters.activation)
        values["activation"] = f"{activation}WithDropout"
        values["hidden_dropout_ratios"] = [ratio] * len(values.get("hidden", parameters.hidden))
    return values


def proposed(
    tried: Sequence[Settings], good: Sequence[Settings], free: Sequence[str], random: np.random.Generator
) -> Settings | None:
    """Settings that have not been tried, or None if there are none.

    First come the planned ones. After them, each is by chance random or a change of a good one.

    Parameters
    ----------
    tried : all settings so far.
    good : the best of them, to be changed.
    free : the dimensions.
    """
    start = {name: START[name] for name in free}
    for change in ({}, *NEXT):
        planned = start | {name: value for name, value in change.items() if name in free}
        if change.keys() <= set(free) and planned not in tried:
            return planned
    for _ in range(1000):
        is_change = good and random.random() < 0.5
        made = _changed(good[int(random.integers(len(good)))], random) if is_change else _drawn(start, random)
        if "update_rule" in made:  # what does not act is as at the start
            acting = update_rule_of(made["update_rule"], True).settings
            made |= {name: start[name] for name in OF_RULES - set(acting) if name in start}
        if made not in tried:
            return made
    return None


def _drawn(start: Settings, random: np.random.Generator) -> Settings:
    """Random settings, which have the first value of a dimension more often than others."""
    return {
        name: value if random.random() < KEPT_SHARE else SPACE[name][random.integers(len(SPACE[name]))]
        for name, value in start.items()
    }


def _changed(settings: Settings, random: np.random.Generator) -> Settings:
    """Settings that differ in a few dimensions; where values have an order, by the next value."""
    n_changes = min(int(random.integers(1, MOST_CHANGES + 1)), len(settings))
    changes: Settings = {}
    for name in random.choice(sorted(settings), n_changes, replace=False).tolist():
        values, place = SPACE[name], SPACE[name].index(settings[name])
        if name in UNORDERED:
            others = [other for other in range(len(values)) if other != place]
        else:
            others = [other for other in (place - 1, place + 1) if 0 <= other < len(values)]
        changes[name] = values[others[random.integers(len(others))]]
    return settings | changes


def is_within_space(settings: Mapping[str, Any]) -> bool:
    """Whether all settings are values of dimensions of the space."""
    return all(name in SPACE and value in SPACE[name] for name, value in settings.items())


def told(settings: Mapping[str, Any]) -> str:
    """Settings as text: what differs from the first ones."""
    changes = {name: value for name, value in settings.items() if value != START[name]}
    return ", ".join(f"{name} {value}" for name, value in changes.items()) or "the preset accurate"
