"""The activations of hidden layers, one record each. Their formulas stand in `h2olite.kernels.activations`."""

from __future__ import annotations

from typing import Literal, NamedTuple

ActivationChoice = Literal[
    "Tanh",
    "TanhWithDropout",
    "Rectifier",
    "RectifierWithDropout",
    "Maxout",
    "MaxoutWithDropout",
    "ExpRectifier",
    "ExpRectifierWithDropout",
]
"""The values of the parameter `activation`: every activation, without and with dropout of hidden units."""

DROPOUT = "WithDropout"

TANH, RECTIFIER, EXP_RECTIFIER, MAXOUT = range(4)
"""The numbers by which kernels tell activations apart."""


class Activation(NamedTuple):
    """What is known of an activation.

    name : as users write it, without dropout.
    code : its number in the kernels.
    first_bias, bias : where the biases of the first hidden layer start, and those of further ones, as in H2O.
    n_channels : pre-activations of one unit, of which the largest passes.
    onnx : the ONNX operator that computes it.
    low, high : the open interval of the mean activations that a hidden unit can have.
    reconstructs : whether an autoencoder's outputs may have it.
    """

    name: str
    code: int
    first_bias: float
    bias: float
    n_channels: int
    onnx: str
    low: float
    high: float
    reconstructs: bool


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("Tanh", TANH, 0.0, 0.0, 1, "Tanh", -1.0, 1.0, True),
        Activation("Rectifier", RECTIFIER, 0.5, 1.0, 1, "Relu", 0.0, float("inf"), True),
        Activation("Maxout", MAXOUT, 0.5, 1.0, 2, "Max", float("-inf"), float("inf"), False),
        Activation("ExpRectifier", EXP_RECTIFIER, 0.0, 0.0, 1, "Elu", -1.0, 1.0, True),
    )
}
"""All activations by name."""


def activation_of(choice: str) -> Activation:
    """The record of a value of the parameter `activation`, with or without dropout.

    Raises
    ------
    KeyError : there is no such activation.
    """
    return ACTIVATIONS[choice.removesuffix(DROPOUT)]


def drops_units(choice: str) -> bool:
    """Whether a value of the parameter `activation` drops hidden units."""
    return choice.endswith(DROPOUT)
