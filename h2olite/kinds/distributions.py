"""The distributions of a response and the losses they minimise, one record each.

Gradients stand in `h2olite.kernels.losses`, deviances in `h2olite.metrics.regression`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

DistributionChoice = Literal[
    "AUTO",
    "bernoulli",
    "multinomial",
    "gaussian",
    "poisson",
    "gamma",
    "tweedie",
    "laplace",
    "quantile",
    "huber",
]
"""The values of the parameter `distribution`."""

LossChoice = Literal["Automatic", "CrossEntropy", "Quadratic", "Huber", "Absolute", "Quantile"]
"""The values of the parameter `loss`."""

CROSS_ENTROPY, CLASS_QUADRATIC, GAUSSIAN, LAPLACE, QUANTILE, HUBER, POISSON, GAMMA, TWEEDIE = range(9)
"""The numbers by which kernels tell losses apart."""


class Distribution(NamedTuple):
    """What is known of a distribution.

    name : as users write it.
    losses : values of the parameter `loss` that go with it, with the kernels' code of each; the first is what
        Automatic stands for. A distribution that minimises its own deviance has the one loss ``Automatic``.
    link : what the linear output f means: ``"softmax"`` of several outputs, the mean itself, or log(mean) = f.
    shape : the parameter that sets its shape, if it has one.
    lowest : the range that the response must lie in: ``">= 0"``, ``"> 0"`` or any number.
    power : the power of the response's unit that its loss is in, for a response that may be standardised.
    """

    name: str
    losses: dict[str, int]
    link: Literal["softmax", "identity", "log"]
    shape: str | None = None
    lowest: Literal["", ">= 0", "> 0"] = ""
    power: int = 2

    @property
    def is_of_classes(self) -> bool:
        """Whether the response is a class."""
        return self.link == "softmax"

    @property
    def loss(self) -> str:
        """The value of `loss` that Automatic stands for."""
        return next(iter(self.losses))

    def code(self, loss: str) -> int:
        """The kernels' code of a loss that goes with the distribution, Automatic included."""
        return self.losses[self.loss if loss == "Automatic" else loss]


CLASS_LOSSES = {"CrossEntropy": CROSS_ENTROPY, "Quadratic": CLASS_QUADRATIC}

DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in (
        Distribution("bernoulli", CLASS_LOSSES, "softmax"),
        Distribution("multinomial", CLASS_LOSSES, "softmax"),
        Distribution("gaussian", {"Quadratic": GAUSSIAN}, "identity"),
        Distribution("laplace", {"Absolute": LAPLACE}, "identity", power=1),
        Distribution("quantile", {"Quantile": QUANTILE}, "identity", shape="quantile_alpha", power=1),
        Distribution("huber", {"Huber": HUBER}, "identity", shape="huber_alpha"),
        Distribution("poisson", {"Automatic": POISSON}, "log", lowest=">= 0"),
        Distribution("gamma", {"Automatic": GAMMA}, "log", lowest="> 0"),
        Distribution("tweedie", {"Automatic": TWEEDIE}, "log", shape="tweedie_power", lowest=">= 0"),
    )
}
"""All distributions by name."""

OF_CLASSES = tuple(name for name, distribution in DISTRIBUTIONS.items() if distribution.is_of_classes)
OF_NUMBERS = tuple(name for name, distribution in DISTRIBUTIONS.items() if not distribution.is_of_classes)
