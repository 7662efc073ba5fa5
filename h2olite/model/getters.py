"""The getters of a model's metrics, by h2o-py's names and flags."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from h2olite.metrics import Metrics

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from h2olite.parameters import Parameters

    from .folds import CrossValidation
    from .model import Model


def _getter(name: str) -> Callable[..., Any]:
    """Make a method that gives one metric of the training, validation or cross-validation metrics."""

    def get(self: MetricGetters, train: bool = False, valid: bool = False, xval: bool = False) -> Any:
        return self._metric(name, train, valid, xval)

    get.__name__ = name
    get.__doc__ = (
        f"The {name} of the training metrics, or of those asked for; a dict by frame when several are, None for a "
        "frame that there was none of. Of a grid, a dict of these by model_id."
    )
    return get


def _getter_with(name: str, *own: str) -> Callable[..., Any]:
    """Make a getter of what takes arguments itself, before the flags; thresholds may be left out."""
    flags = ("train", "valid", "xval")
    defaults = {argument: None if argument == "thresholds" else inspect.Parameter.empty for argument in own}
    signature = inspect.Signature(
        [
            inspect.Parameter(argument, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
            for argument, default in (
                {"self": inspect.Parameter.empty} | defaults | dict.fromkeys(flags, False)
            ).items()
        ]
    )

    def get(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        self, *arguments = (bound.arguments[argument] for argument in ("self", *own))
        given_ones = [argument for argument in arguments if argument is not None]
        return self._metric(name, *(bound.arguments[flag] for flag in flags), *given_ones)

    get.__name__ = name
    get.__doc__ = f"The {name} of the training metrics, or of those asked for; see `auc`, and {name} of the metrics."
    get.__signature__ = signature  # type: ignore[attr-defined]
    return get


class MetricGetters:
    """Getters for what has training, validation and cross-validation metrics, or consists of such."""

    auc = _getter("auc")
    aucpr = pr_auc = _getter("pr_auc")
    gini = _getter("gini")
    logloss = _getter("logloss")
    mse = _getter("mse")
    rmse = _getter("rmse")
    mae = _getter("mae")
    rmsle = _getter("rmsle")
    r2 = _getter("r2")
    mean_residual_deviance = _getter("mean_residual_deviance")
    mean_per_class_error = _getter("mean_per_class_error")
    confusion_matrix = _getter("confusion_matrix")
    hit_ratio_table = _getter("hit_ratio_table")
    multinomial_auc_table = _getter("multinomial_auc_table")
    multinomial_aucpr_table = _getter("multinomial_aucpr_table")
    gains_lift = _getter("gains_lift")
    kolmogorov_smirnov = _getter("kolmogorov_smirnov")
    custom_metric_name = _getter("custom_metric_name")
    custom_metric_value = _getter("custom_metric_value")
    thresholds_and_metric_scores = _getter("thresholds_and_metric_scores")
    max_criteria_and_metric_scores = _getter("max_criteria_and_metric_scores")
    roc = _getter("roc")
    F1 = _getter_with("F1", "thresholds")
    F2 = _getter_with("F2", "thresholds")
    F0point5 = _getter_with("F0point5", "thresholds")
    accuracy = _getter_with("accuracy", "thresholds")
    precision = _getter_with("precision", "thresholds")
    recall = sensitivity = tpr = _getter_with("recall", "thresholds")
    specificity = tnr = _getter_with("specificity", "thresholds")
    fallout = fpr = _getter_with("fallout", "thresholds")
    missrate = fnr = _getter_with("missrate", "thresholds")
    mcc = _getter_with("mcc", "thresholds")
    error = _getter_with("error", "thresholds")
    max_per_class_error = _getter_with("max_per_class_error", "thresholds")
    metric = _getter_with("metric", "metric", "thresholds")
    find_threshold_by_max_metric = _getter_with("find_threshold_by_max_metric", "metric")
    find_idx_by_threshold = _getter_with("find_idx_by_threshold", "threshold")
    null_deviance = _getter("null_deviance")
    residual_deviance = _getter("residual_deviance")
    loglikelihood = _getter("loglikelihood")
    aic = _getter("aic")

    def _metric(self, name: str, train: bool, valid: bool, xval: bool, *arguments: Any) -> Any:
        """What the getter of a metric gives."""
        raise NotImplementedError


class ModelMetrics(MetricGetters):
    """The metrics of a model."""

    training_metrics: Metrics | None
    validation_metrics: Metrics | None
    cross_validation: CrossValidation | None
    parameters: Parameters

    def _as_frame(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Columns of predictions as a DataFrame."""
        raise NotImplementedError

    @property
    def cross_validation_metrics(self) -> Metrics | None:
        """The metrics of every training row's prediction by the model that did not learn from it."""
        return None if self.cross_validation is None else self.cross_validation.metrics

    def _metric(self, name: str, train: bool, valid: bool, xval: bool, *arguments: Any) -> Any:
        """One value, or a dict by frame when several are asked for."""

        def get(metrics: Metrics) -> Any:
            if not hasattr(metrics, name):
                raise AttributeError(f"metrics of category {metrics.category} have no {name}.")
            return getattr(metrics, name)(*arguments)

        return self._of_frames(train, valid, xval, get)

    def _of_frames(self, train: bool, valid: bool, xval: bool, get: Callable[[Metrics], Any]) -> Any:
        """Apply `get` to the metrics asked for, as h2o-py does: one value, or a dict when several frames are."""
        asked = {"train": train, "valid": valid, "xval": xval}
        frames = {
            "train": self.training_metrics,
            "valid": self.validation_metrics,
            "xval": self.cross_validation_metrics,
        }
        names = [name for name, wanted in asked.items() if wanted] or ["train"]
        values = {name: None if metrics is None else get(metrics) for name in names for metrics in [frames[name]]}
        return values if len(values) > 1 else values[names[0]]

    def is_cross_validated(self) -> bool:
        """Whether the model was cross-validated."""
        return self.cross_validation is not None

    def cross_validation_models(self) -> list[Model] | None:
        """The models of the folds; None unless keep_cross_validation_models."""
        return None if self.cross_validation is None else self.cross_validation.models

    def cross_validation_metrics_summary(self) -> pd.DataFrame | None:
        """One row per metric: mean, standard deviation, and the value of each fold's model on its hold-out rows."""
        import pandas as pd

        if self.cross_validation is None:
            return None
        return pd.DataFrame(self.cross_validation.summary()).set_index("metric")

    def cross_validation_holdout_predictions(self) -> pd.DataFrame | None:
        """A prediction for every training row by the model that did not learn from it.

        None unless keep_cross_validation_predictions.
        """
        folds = self.cross_validation
        return None if folds is None or folds.predictions is None else self._as_frame(folds.predictions)

    def cross_validation_predictions(self) -> list[pd.DataFrame] | None:
        """Each fold's hold-out predictions, with 0 (of classes: the first one) in rows of other folds.

        None unless keep_cross_validation_predictions.
        """
        folds = self.cross_validation
        if folds is None or folds.predictions is None:
            return None
        return [self._as_frame(folds.predictions_of(fold)) for fold in range(len(folds.by_fold))]

    def cross_validation_fold_assignment(self) -> pd.DataFrame | None:
        """The fold of every training row, from 0; None unless keep_cross_validation_fold_assignment."""
        import pandas as pd

        folds = self.cross_validation
        kept = folds is not None and self.parameters.keep_cross_validation_fold_assignment
        return pd.DataFrame({"fold_assignment": folds.folds}) if folds is not None and kept else None
