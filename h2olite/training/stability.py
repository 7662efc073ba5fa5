"""Networks whose weights grow without end, and settings that keep them from it."""

from __future__ import annotations

from h2olite.errors import TrainingError
from h2olite.kinds.update_rules import update_rule_of
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters

USUAL_MAX_W2 = 10
"""What the manual of H2O advises for rectifiers."""


def refuse_instability(network: Network, parameters: Parameters, epochs: float, largest_target: float = 0.0) -> None:
    """Check that weights and biases are finite and within bounds.

    Parameters
    ----------
    network, epochs : what has been trained, and how long.
    parameters : decide what may help.
    largest_target : see `Network.unbounded_layer`.

    Raises
    ------
    TrainingError : they are not; the message says what may help this network.
    """
    layer = network.unbounded_layer(largest_target)
    if layer is not None:
        raise TrainingError(
            f"training is unstable: the weights of layer {layer + 1} have grown beyond all bounds after "
            f"{epochs:.3g} epochs; use {ways_out(parameters)}."
        )


def ways_out(parameters: Parameters) -> str:
    """What steadies a network, as far as these parameters do not have it already: ``"standardize, or ..."``."""
    ways = []
    if not parameters.standardize:
        ways.append("standardize")
    rule = update_rule_of(parameters.update_rule, parameters.adaptive_rate)
    if rule.rate is not None:
        ways.append(f"a smaller {rule.rate} (it is {getattr(parameters, rule.rate):g})")
    if not rule.adaptive_rate:
        if max(parameters.momentum_start, parameters.momentum_stable) > 0:
            ways.append("less momentum (momentum_start, momentum_stable)")
        ways.append("adaptive_rate")
    if parameters.hidden and not parameters.activation.startswith("Tanh"):
        ways.append("a bounded activation (Tanh)")
    if parameters.max_w2 > USUAL_MAX_W2:
        ways.append(f"max_w2 (such as {USUAL_MAX_W2})")
    ways.append("l2" if parameters.l2 == 0 else f"a larger l2 (it is {parameters.l2:g})")
    if parameters.mini_batch_size == 1:
        ways.append("mini_batch_size (such as 32)")
    return ", ".join(ways[:-1]) + f" or {ways[-1]}" if len(ways) > 1 else ways[0]
