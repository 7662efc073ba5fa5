"""What cross-validation tells about a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.metrics import BinomialMetrics, ConfusionMatrix, Metrics, MultinomialMetrics

if TYPE_CHECKING:
    from .model import Model

SUMMARISED = (
    *("auc", "lift_top_group", "logloss", "mae", "mean_per_class_error", "mean_residual_deviance", "mse"),
    *("pr_auc", "r2", "rmse", "rmsle"),
)
"""Metrics that the summary gives as they are."""

AT_THRESHOLD = ("f0point5", "f1", "f2", "mcc", "precision", "recall", "specificity")
"""Criteria of two classes that the summary gives at the threshold of the largest F1."""

Contents = tuple[dict[str, Any], dict[str, np.ndarray]]
"""A document and named arrays, as a model file keeps them."""


@dataclasses.dataclass(eq=False)
class CrossValidation:
    """Models that each learnt from all folds but one, and what they made of that one.

    Attributes
    ----------
    metrics : of the predictions that every row got from the model that did not learn from it.
    by_fold : the numbers of `summarise_fold`, fold by fold.
    models : the fold models, if kept.
    predictions : if kept, the columns of predictions by name, a value for every training row, with index of class in
        ``predict`` of a classifier.
    folds : int32, fold of every training row, if kept or needed to tell whose the predictions are.
    """

    metrics: Metrics
    by_fold: list[dict[str, float]]
    models: list[Model] | None = None
    predictions: dict[str, np.ndarray] | None = None
    folds: np.ndarray | None = None

    def summary(self) -> list[dict[str, Any]]:
        """A row per metric: its mean and standard deviation over the folds that it is defined for, then each fold's."""
        rows = []
        for name in self.by_fold[0]:
            values = np.array([fold[name] for fold in self.by_fold])
            defined = values[~np.isnan(values)]
            rows.append(
                {
                    "metric": name,
                    "mean": float(defined.mean()) if defined.size else np.nan,
                    "sd": float(defined.std(ddof=1)) if defined.size > 1 else 0.0,
                    **{f"cv_{fold}_valid": value for fold, value in enumerate(values.tolist(), 1)},
                }
            )
        return rows

    def predictions_of(self, fold: int) -> dict[str, np.ndarray]:
        """The columns of predictions of one fold's rows, with 0 in all other rows."""
        assert self.predictions is not None
        return {name: np.where(self.folds == fold, values, 0) for name, values in self.predictions.items()}

    def contents(self) -> Contents:
        """What a model file keeps of it."""
        document: dict[str, Any] = {
            "metrics": self.metrics.to_json(),
            "by_fold": [
                {name: None if np.isnan(value) else value for name, value in fold.items()} for fold in self.by_fold
            ],
            "predictions": None if self.predictions is None else list(self.predictions),
            "models": None,
        }
        arrays = {}
        if self.folds is not None:
            arrays["folds"] = self.folds
        for i, values in enumerate((self.predictions or {}).values()):
            arrays[f"predictions.{i}"] = values
        if self.models is not None:
            document["models"] = []
            for fold, model in enumerate(self.models):
                described, named = model.contents()
                document["models"].append(described)
                arrays |= {f"{fold}.{name}": array for name, array in named.items()}
        return document, arrays

    @classmethod
    def restored(
        cls,
        document: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        kind: type[Metrics],
        restore: Callable[..., Model],
    ) -> CrossValidation:
        """What `contents` told; `restore` makes a fold model of its contents."""
        models = document["models"]
        predictions = document["predictions"]
        named: dict[str, dict[str, np.ndarray]] = {}  # in one pass, as there may be many folds
        for name, array in arrays.items():
            fold, _, own = name.partition(".")
            named.setdefault(fold, {})[own] = array
        return cls(
            metrics=kind.from_json(document["metrics"]),
            by_fold=[
                {name: np.nan if value is None else value for name, value in fold.items()}
                for fold in document["by_fold"]
            ],
            models=models and [restore(described, named.get(str(fold), {})) for fold, described in enumerate(models)],
            predictions=predictions and {name: arrays[f"predictions.{i}"] for i, name in enumerate(predictions)},
            folds=arrays.get("folds"),
        )


def within(arrays: Mapping[str, np.ndarray], prefix: object) -> dict[str, np.ndarray]:
    """The arrays whose names begin with the prefix and a dot, without those."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def summarise_fold(metrics: Metrics) -> dict[str, float]:
    """The numbers about one fold that its summary lists, in alphabetical order."""
    values = {name: value for name, value in metrics.numbers().items() if name in SUMMARISED}
    if isinstance(metrics, BinomialMetrics | MultinomialMetrics):
        stored = metrics["confusion_matrix"]
        confusion = ConfusionMatrix(tuple(stored["labels"]), np.array(stored["matrix"], np.float64))
        wrong = metrics["error"]
        values |= {
            "accuracy": 1 - wrong,
            "err": wrong,
            "err_count": wrong * float(confusion.matrix.sum()),
            "max_per_class_error": float(np.nanmax(confusion.per_class_error())),
            "mean_per_class_accuracy": 1 - metrics["mean_per_class_error"],
        }
    if isinstance(metrics, BinomialMetrics):
        values |= {name: metrics.metric(name, metrics["threshold"])[0][1] for name in AT_THRESHOLD}
    return dict(sorted(values.items()))
