"""Metrics of predicted probabilities of several classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from h2olite.settings.parameters import AucType

from .areas import class_areas
from .base import Metrics, log_loss, measured, r_squared, scalar, weighted_mean
from .confusion import ConfusionMatrix

if TYPE_CHECKING:
    import pandas as pd

MOST_HITS = 10
"""How many of the most probable classes hit ratios go up to."""


class MultinomialMetrics(Metrics):
    """How well class probabilities fit the actual classes.

    The predicted class is the most probable one. If several classes tie, it is the first of them.
    """

    category = "Multinomial"
    auto_stopping_metric = "logloss"
    first_shown = ("logloss", "auc", "pr_auc", "mean_per_class_error", "error", "mse", "rmse", "r2")

    @classmethod
    def from_predictions(
        cls,
        actual: np.ndarray,
        probabilities: np.ndarray,
        *,
        levels: tuple[str, ...],
        weights: np.ndarray | None = None,
        auc_type: AucType = "NONE",
    ) -> MultinomialMetrics:
        """Compute the metrics of predictions.

        Parameters
        ----------
        actual : ndarray of int, shape (n_rows,); class indices, -1 for missing.
        probabilities : ndarray of float, shape (n_rows, n_classes).
        levels : names of the classes.
        weights : ndarray of float, shape (n_rows,); row weights. Rows of weight 0 are left out, as are missing ones.
        auc_type : the mean that the AUC and the PR AUC are; with AUTO and NONE there are none.

        Raises
        ------
        DataError
            If no row is left to measure.
        """
        actual, probabilities, weights = measured(actual, probabilities, weights)
        p_actual = np.take_along_axis(probabilities, actual[:, None], axis=1)
        # Of equally probable classes the first ranks highest, as it does when predicting.
        ahead = np.arange(len(levels)) < actual[:, None]
        rank = np.sum((probabilities > p_actual) | (ahead & (probabilities == p_actual)), axis=1)
        by_rank = np.bincount(rank, weights, minlength=len(levels))
        mse = weighted_mean((1 - p_actual[:, 0]) ** 2, weights)
        confusion = ConfusionMatrix.from_classes(actual, probabilities.argmax(axis=1), weights, levels)
        areas = {} if auc_type in ("AUTO", "NONE") else class_areas(actual, probabilities, weights, levels, auc_type)
        return cls(
            {
                "nobs": len(actual),
                "mse": mse,
                "rmse": math.sqrt(mse),
                "r2": r_squared(mse, actual, weights),
                "logloss": log_loss(p_actual[:, 0], weights),
                "mean_per_class_error": confusion.mean_per_class_error(),
                "error": confusion.error(),
                "confusion_matrix": confusion.to_json(),
                "hit_ratios": (np.cumsum(by_rank)[:MOST_HITS] / by_rank.sum()).tolist(),
                **areas,
            }
        )

    logloss = scalar("logloss", "Mean of -log of the actual class's probability, each at least 1e-15.")
    mean_per_class_error = scalar("mean_per_class_error", "Mean of the classes' errors; of no rows, none is wrong.")
    error = scalar("error", "Share of rows predicted wrongly.")

    def auc(self) -> float:
        """The AUC: the mean that auc_type has chosen; NaN without auc_type."""
        return self._values.get("auc", math.nan)

    def pr_auc(self) -> float:
        """The PR AUC: the mean that auc_type has chosen; NaN without auc_type."""
        return self._values.get("pr_auc", math.nan)

    aucpr = pr_auc

    def multinomial_auc_table(self) -> pd.DataFrame | None:
        """The AUC of each class against the rest and of each pair of classes, with their means; None without auc_type.

        The AUC of a pair is the mean of two AUCs: of each class against the other one, by its own probability. A class
        without rows has no AUC, and is left out of the means.

        References
        ----------
        Hand and Till (2001), A simple generalisation of the area under the ROC curve for multiple class problems.
        """
        return self._areas("multinomial_auc_table")

    def multinomial_aucpr_table(self) -> pd.DataFrame | None:
        """The PR AUCs, laid out as in `multinomial_auc_table`; None without auc_type."""
        return self._areas("multinomial_aucpr_table")

    def confusion_matrix(self) -> ConfusionMatrix:
        """How many rows of each class were predicted as each class."""
        stored = self["confusion_matrix"]
        return ConfusionMatrix(tuple(stored["labels"]), np.array(stored["matrix"], np.float64))

    def hit_ratio_table(self) -> pd.DataFrame:
        """The share of rows whose class is among the k most probable classes, for k up to 10."""
        import pandas as pd

        return pd.DataFrame({"k": range(1, len(self["hit_ratios"]) + 1), "hit_ratio": self["hit_ratios"]})

    def _areas(self, key: str) -> pd.DataFrame | None:
        """One of the tables of areas."""
        import pandas as pd

        return pd.DataFrame(self[key]) if key in self else None

    def __repr__(self) -> str:
        """The most important numbers and the confusion matrix, as text."""
        return f"{super().__repr__()}\n\n{self.confusion_matrix()!r}"
