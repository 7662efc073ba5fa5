"""What h2o-py calls things that models have under other names or as parts of them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from h2olite.metrics import Metrics
from h2olite.settings.parameters import declared
from h2olite.settings.plain import stored

from .getters import ModelMetrics

TYPES = {"Binomial": "classifier", "Multinomial": "classifier", "Regression": "regressor"}


class H2ONames(ModelMetrics):
    """Names of h2o-py for a model; what is not here, and why not, is told in the documentation.

    `Model` has this for a base.
    """

    algo = "deeplearning"

    @property
    def type(self) -> str:
        """``"classifier"``, ``"regressor"`` or ``"unsupervised"``."""
        return TYPES.get(self.category, "unsupervised")

    @property
    def key(self) -> str:
        """The model_id."""
        return self.model_id

    @property
    def response_column(self) -> str | None:
        """The response's column; None for an autoencoder."""
        return None if self.response is None else self.response.name

    @property
    def actual_params(self) -> dict[str, Any]:
        """The parameters by name as they acted: automatic choices made, columns and other models by name, no tables."""
        return stored(self.parameters)

    @property
    def default_params(self) -> dict[str, Any]:
        """The default of every parameter, by name."""
        return {name: parameter.default for name, parameter in declared().items()}

    @property
    def params(self) -> dict[str, dict[str, Any]]:
        """By name of parameter a dict of its ``default`` and its ``actual`` value."""
        default, actual = self.default_params, self.actual_params
        return {name: {"default": default[name], "actual": value} for name, value in actual.items()}

    @property
    def run_time(self) -> int:
        """Milliseconds that training took in all."""
        return round(1000 * self.record.seconds["total"])

    def normmul(self) -> list[float]:
        """What the numeric predictors are multiplied by, in the order of the inputs."""
        return self.encoder.multiplier.tolist()

    def normsub(self) -> list[float]:
        """What is subtracted from the numeric predictors before that."""
        return self.encoder.subtrahend.tolist()

    def respmul(self) -> list[float] | None:
        """What a numeric response is multiplied by for training; None of others."""
        return None if self.response is None or self.classes is not None else [self.response.multiplier]

    def respsub(self) -> list[float] | None:
        """What is subtracted from a numeric response before that; None of others."""
        return None if self.response is None or self.classes is not None else [self.response.subtrahend]

    def catoffsets(self) -> list[int]:
        """The first input of each categorical predictor, and the first numeric one."""
        return self.encoder.cat_offsets.tolist()

    def aic(self, train: bool = False, valid: bool = False, xval: bool = False) -> Any:
        """Akaike's criterion 2 k - 2 log likelihood, where k are the weights and biases that are not 0.

        None where there is no likelihood. A network's parameters are more than it makes use of, so compare only
        networks of the same shape.
        """
        network = self.network
        n_used = sum(
            int(np.count_nonzero(part(layer)))
            for layer in range(network.n_layers)
            for part in (network.weights, network.biases)
        )

        def of(metrics: Metrics) -> float | None:
            likelihood = metrics.loglikelihood()
            return None if likelihood is None else 2 * n_used - 2 * likelihood

        return self.of_frames(train, valid, xval, of)

    @property
    def xvals(self) -> list[Self] | None:
        """`cross_validation_models`."""
        return self.cross_validation_models()

    def xval_keys(self) -> list[str] | None:
        """The names of `cross_validation_models`."""
        models = self.cross_validation_models()
        return None if models is None else [model.model_id for model in models]

    def get_xval_models(self, key: str | None = None) -> Any:
        """`cross_validation_models`, or the one of that name; None without one."""
        models = self.cross_validation_models()
        if key is None:
            return models
        return next((model for model in models or () if model.model_id == key), None)
