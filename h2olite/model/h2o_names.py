"""What h2o-py calls things that models have under other names or as parts of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.metrics import Metrics
from h2olite.parameters import declared

from .record import stored

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model

TYPES = {"Binomial": "classifier", "Multinomial": "classifier", "Regression": "regressor"}


class H2ONames:
    """Names of h2o-py for a model; what is not here, and why not, is told in the documentation.

    All of them are about a `Model`, which has this for a base.
    """

    algo = "deeplearning"

    @property
    def type(self: Model) -> str:  # type: ignore[misc]
        """``"classifier"``, ``"regressor"`` or ``"unsupervised"``."""
        return TYPES.get(self.category, "unsupervised")

    @property
    def key(self: Model) -> str:  # type: ignore[misc]
        """The model_id."""
        return self.model_id

    @property
    def response_column(self: Model) -> str | None:  # type: ignore[misc]
        """The response's column; None for an autoencoder."""
        return None if self.response is None else self.response.name

    @property
    def actual_params(self: Model) -> dict[str, Any]:  # type: ignore[misc]
        """The parameters by name as they acted: automatic choices made, columns and other models by name, no tables."""
        return stored(self.parameters)

    @property
    def default_params(self) -> dict[str, Any]:
        """The default of every parameter, by name."""
        return {name: parameter.default for name, parameter in declared().items()}

    @property
    def params(self: Model) -> dict[str, dict[str, Any]]:  # type: ignore[misc]
        """By name of parameter a dict of its ``default`` and its ``actual`` value."""
        default, actual = self.default_params, self.actual_params
        return {name: {"default": default[name], "actual": value} for name, value in actual.items()}

    @property
    def run_time(self: Model) -> int:  # type: ignore[misc]
        """Milliseconds that training took in all."""
        return round(1000 * self.record.seconds["total"])

    def normmul(self: Model) -> list[float]:  # type: ignore[misc]
        """What the numeric predictors are multiplied by, in the order of the inputs."""
        return self.encoder.multiplier.tolist()

    def normsub(self: Model) -> list[float]:  # type: ignore[misc]
        """What is subtracted from the numeric predictors before that."""
        return self.encoder.subtrahend.tolist()

    def respmul(self: Model) -> list[float] | None:  # type: ignore[misc]
        """What a numeric response is multiplied by for training; None of others."""
        return None if self.response is None or self.classes is not None else [self.response.multiplier]

    def respsub(self: Model) -> list[float] | None:  # type: ignore[misc]
        """What is subtracted from a numeric response before that; None of others."""
        return None if self.response is None or self.classes is not None else [self.response.subtrahend]

    def catoffsets(self: Model) -> list[int]:  # type: ignore[misc]
        """The first input of each categorical predictor, and the first numeric one."""
        return self.encoder.cat_offsets.tolist()

    def aic(self: Model, train: bool = False, valid: bool = False, xval: bool = False) -> Any:  # type: ignore[misc]
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

        return self._of_frames(train, valid, xval, of)

    def score_history(self: Model) -> pd.DataFrame:  # type: ignore[misc]
        """`scoring_history`."""
        return self.scoring_history()

    def get_summary(self: Model) -> pd.DataFrame:  # type: ignore[misc]
        """`summary`."""
        return self.summary()

    def save_mojo(self: Model, path: str | os.PathLike[str]) -> str:  # type: ignore[misc]
        """`download_mojo`."""
        return self.download_mojo(path)

    @property
    def xvals(self: Model) -> list[Model] | None:  # type: ignore[misc]
        """`cross_validation_models`."""
        return self.cross_validation_models()

    def xval_keys(self: Model) -> list[str] | None:  # type: ignore[misc]
        """The names of `cross_validation_models`."""
        models = self.cross_validation_models()
        return None if models is None else [model.model_id for model in models]

    def get_xval_models(self: Model, key: str | None = None) -> Any:  # type: ignore[misc]
        """`cross_validation_models`, or the one of that name; None without one."""
        models = self.cross_validation_models()
        if key is None:
            return models
        return next((model for model in models or () if model.model_id == key), None)
