"""The update rules, one record each. Their formulas stand in `h2olite.kernels.updates`."""

from __future__ import annotations

from typing import NamedTuple


class UpdateRule(NamedTuple):
    """What is known of an update rule.

    name : as papers call it.
    adaptive_rate : the value of the parameter that chooses it.
    settings : the parameters that act on it alone.
    """

    name: str
    adaptive_rate: bool
    settings: tuple[str, ...]


ADADELTA = UpdateRule("ADADELTA", True, ("rho", "epsilon"))
SGD = UpdateRule(
    "SGD",
    False,
    (
        *("rate", "rate_annealing", "rate_decay"),
        *("momentum_start", "momentum_ramp", "momentum_stable", "nesterov_accelerated_gradient"),
    ),
)

UPDATE_RULES = {rule.adaptive_rate: rule for rule in (ADADELTA, SGD)}
"""All update rules, by the value of `adaptive_rate`."""
