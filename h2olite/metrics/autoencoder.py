"""Metrics of reconstructed inputs."""

from __future__ import annotations

import math

import numpy as np

from h2olite.errors import DataError

from .base import Metrics, weighted_mean


class AutoEncoderMetrics(Metrics):
    """How well an autoencoder reproduces its encoded inputs."""

    category = "AutoEncoder"
    auto_stopping_metric = "MSE"
    first_shown = ("mse", "rmse")

    @classmethod
    def from_errors(cls, errors: np.ndarray, weights: np.ndarray | None = None) -> AutoEncoderMetrics:
        """Compute the metrics of reconstructions.

        Parameters
        ----------
        errors : ndarray of float, shape (n_rows,); each row's mean squared error over the inputs.
        weights : ndarray of float, shape (n_rows,); row weights. Rows of weight 0 are left out.

        Raises
        ------
        DataError
            No row is left to measure.
        """
        weights = np.ones(len(errors)) if weights is None else np.asarray(weights, np.float64)
        counts = weights > 0
        if not counts.any():
            raise DataError("metrics need at least 1 row with a weight above 0; got none; give a table with such rows.")
        mse = weighted_mean(errors[counts], weights[counts])
        return cls({"nobs": int(counts.sum()), "mse": mse, "rmse": math.sqrt(mse), "r2": math.nan})
