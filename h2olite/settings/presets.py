"""Sets of values that go together under one name: the parameter ``preset``.

The values were chosen by test losses of tables that ``tests/benchmarks/boosting.py`` lists for choosing. Its other
tables judge them (docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from h2olite.kinds.update_rules import update_rule_of

from .parameters import declared

PRESETS: dict[str, dict[str, Any]] = {
    "none": {},
    "accurate": {
        "numeric_encoding": "PiecewiseLinear",
        "ensemble": 5,
        "holdout_share": 0.15,
        "mini_batch_size": 32,
        "rho": 0.95,
        "epsilon": 1e-6,
        "epochs": 60.0,
        "train_samples_per_iteration": 0,
        "score_each_iteration": True,
        "classification_stop": -1.0,
        "regression_stop": -1.0,
    },
}
"""The values of each preset, by name of parameter."""

WITHOUT: dict[str, tuple[str, ...]] = {
    "holdout_share": ("validation_frame",),
    "ensemble": ("initial_weights", "initial_biases", "pretrained_autoencoder", "export_checkpoints_dir", "keep_state"),
    "numeric_encoding": ("pretrained_autoencoder", "sparse"),
}
"""Parameters whose values a preset leaves as they are if the user gives one of those that they cannot go with."""


def is_default(name: str, value: Any) -> bool:
    """Whether a parameter has its default; a list may also be a tuple with the same entries."""
    default = declared()[name].default
    if isinstance(default, list) and isinstance(value, list | tuple):
        return list(value) == default
    return value is default or (isinstance(value, str | int | float) and value == default)


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a user gave, with those of the preset among them for all parameters that he did not give.

    Parameters
    ----------
    values : by parameter name, of their declared types.
    """
    preset = PRESETS[values.get("preset", "none")]
    if not preset:
        return dict(values)
    changed = {name for name, value in values.items() if not is_default(name, value)}
    dropped = {name for name, others in WITHOUT.items() if changed & set(others)}
    if update_rule_of(values.get("update_rule", "AUTO"), values.get("adaptive_rate", True)).name != "ADADELTA":
        dropped |= {"rho", "epsilon"}
    if values.get("standardize") is False:
        dropped.add("numeric_encoding")
    if values.get("hidden") == []:
        dropped.add("ensemble")
    return {name: value for name, value in preset.items() if name not in dropped} | dict(values)
