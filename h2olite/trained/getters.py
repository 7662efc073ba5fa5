"""The getters of a model's metrics, by h2o-py's names and flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from h2olite.metrics import Metrics

if TYPE_CHECKING:
    from .folds import CrossValidation


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

    def _metric(self, name: str, train: bool, valid: bool, xval: bool) -> Any:
        """What the getter of a metric gives."""
        raise NotImplementedError


class ModelMetrics(MetricGetters):
    """The metrics of a model."""

    training_metrics: Metrics | None
    validation_metrics: Metrics | None
    cross_validation: CrossValidation | None

    @property
    def cross_validation_metrics(self) -> Metrics | None:
        """The metrics of every training row's prediction by the model that did not learn from it."""
        return None if self.cross_validation is None else self.cross_validation.metrics

    def _metric(self, name: str, train: bool, valid: bool, xval: bool) -> Any:
        """One value, or a dict by frame when several are asked for."""

        def get(metrics: Metrics) -> Any:
            if not hasattr(metrics, name):
                raise AttributeError(f"metrics of category {metrics.category} have no {name}.")
            return getattr(metrics, name)()

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
