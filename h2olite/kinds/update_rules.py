"""The update rules, one record each. Their formulas stand in `h2olite.kernels.updates`."""

from __future__ import annotations

from typing import Literal, NamedTuple

UpdateRuleChoice = Literal["AUTO", "ADADELTA", "SGD", "Adam", "AdamW"]
"""The values of the parameter `update_rule`. AUTO follows `adaptive_rate`."""

ADADELTA, SGD, ADAM, ADAMW = range(4)
"""The numbers by which kernels tell update rules apart."""


class UpdateRule(NamedTuple):
    """What is known of an update rule.

    name : as users write it.
    code : its number in the kernels.
    adaptive_rate : the value of that parameter which goes with it. AUTO chooses the first rule that has the value.
    settings : the parameters that act on it, of those that do not act on every rule.
    rate : the parameter that is its learning rate; None if it has none.
    squares : its memories that are means of squares, and so never below 0.
    minimises_l2 : whether l2 is part of its gradients. Otherwise weights shrink beside them.
    """

    name: str
    code: int
    adaptive_rate: bool
    settings: tuple[str, ...]
    rate: str | None
    squares: tuple[str, ...]
    minimises_l2: bool


_SGD_SETTINGS = (
    *("rate", "rate_annealing", "rate_decay"),
    *("momentum_start", "momentum_ramp", "momentum_stable", "nesterov_accelerated_gradient"),
)
_ADAM_SETTINGS = ("adam_rate", "beta1", "beta2", "epsilon")

UPDATE_RULES = {
    rule.name: rule
    for rule in (
        UpdateRule("ADADELTA", ADADELTA, True, ("rho", "epsilon"), None, ("first", "second"), True),
        UpdateRule("SGD", SGD, False, _SGD_SETTINGS, "rate", (), True),
        UpdateRule("Adam", ADAM, True, _ADAM_SETTINGS, "adam_rate", ("second",), True),
        UpdateRule("AdamW", ADAMW, True, _ADAM_SETTINGS, "adam_rate", ("second",), False),
    )
}
"""All update rules by name."""


def update_rule_of(choice: str, adaptive_rate: bool) -> UpdateRule:
    """The record that the parameters `update_rule` and `adaptive_rate` mean."""
    if choice != "AUTO":
        return UPDATE_RULES[choice]
    return next(rule for rule in UPDATE_RULES.values() if rule.adaptive_rate == adaptive_rate)
