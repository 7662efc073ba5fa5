"""The models of a search over settings, best first."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from h2olite.errors import ParameterError
from h2olite.metrics import Metrics
from h2olite.metrics.base import STOPPING_KEYS
from h2olite.model.getters import MetricGetters
from h2olite.model.loading import load_model
from h2olite.model.model import Model
from h2olite.parameters import nearest

if TYPE_CHECKING:
    import pandas as pd

MORE_IS_BETTER = frozenset({"auc", "pr_auc", "gini", "r2", "lift_top_group", "kolmogorov_smirnov"})
"""Metrics whose largest value is the best; of all others it is the smallest."""


@dataclasses.dataclass(eq=False)
class Trial:
    """A finished model of a grid, and with what it was trained.

    Attributes
    ----------
    hyper_parameters : its values, by name.
    model_id : its name.
    metrics : its cross-validation metrics, or else those of validation or training: the numbers among them, by name.
    stopping_metric : what AUTO stands for with such metrics.
    epochs, seconds : how much and how long it was trained.
    path : its file, None when there is none.
    """

    hyper_parameters: dict[str, Any]
    model_id: str
    metrics: dict[str, float]
    stopping_metric: str
    epochs: float
    seconds: float
    path: Path | None = None
    _model: Model | None = None

    @classmethod
    def of(cls, model: Model, hyper_parameters: Mapping[str, Any], path: Path | None = None) -> Trial:
        """The trial of a model; the model itself is kept unless it has a file."""
        metrics = decisive_metrics(model)
        return cls(
            hyper_parameters=dict(hyper_parameters),
            model_id=model.model_id,
            metrics=metrics.numbers(),
            stopping_metric=metrics.auto_stopping_metric,
            epochs=model.record.epochs,
            seconds=model.record.seconds["total"],
            path=path,
            _model=None if path else model,
        )

    @property
    def sort_metric(self) -> str:
        """The metric that models of this kind are sorted by unless told otherwise."""
        return STOPPING_KEYS[self.stopping_metric]

    def model(self) -> Model:
        """The model, read from its file if need be."""
        if self._model is None:
            assert self.path is not None
            self._model = load_model(self.path)
        return self._model


@dataclasses.dataclass
class Failure:
    """A model of a grid that could not be trained, and why."""

    hyper_parameters: dict[str, Any]
    error: str


def decisive_metrics(model: Model) -> Metrics:
    """The metrics by which models are compared: of cross-validation, or else validation or training."""
    metrics = model.cross_validation_metrics or model.validation_metrics or model.training_metrics
    assert metrics is not None  # only imported models have none
    return metrics


def _of_each(name: str) -> Callable[..., dict[str, Any]]:
    """Make a method that calls a method of every model of a grid."""

    def get(self: Grid, *given: Any, **named: Any) -> dict[str, Any]:
        return {model.model_id: getattr(model, name)(*given, **named) for model in self}

    get.__name__ = name
    get.__doc__ = f"What `h2olite.Model.{name}` gives of every model, by model_id."
    return get


@dataclasses.dataclass(eq=False, repr=False)
class Grid(MetricGetters):
    """The models that a search has trained, best first.

    Attributes
    ----------
    grid_id : its name, with which those of its models begin.
    hyper_names : the hyper-parameters searched.
    trials : the finished models.
    failures : the models that could not be trained.
    warnings : sentences about the models trained, each one once.
    interrupted : whether the search was ended from outside.
    unfinished : the model whose training that ended.
    sort_metric : what the models are sorted by: ``"logloss"`` of classes, ``"mean_residual_deviance"`` of numbers
        unless told otherwise.
    decreasing : whether the model with the largest value comes first; best first unless told otherwise.
    """

    grid_id: str
    hyper_names: list[str]
    trials: list[Trial]
    failures: list[Failure]
    warnings: list[str] = dataclasses.field(default_factory=list)
    interrupted: bool = False
    unfinished: Trial | None = None
    sort_metric: str = ""
    decreasing: bool | None = None

    def __post_init__(self) -> None:
        if self.trials:
            metrics = self.trials[0].metrics
            name = self.sort_metric = self.sort_metric or self.trials[0].sort_metric
            if name not in metrics:
                raise ParameterError(
                    f"models are sorted by one of {', '.join(metrics)}; got {name!r}{nearest(name, metrics)}"
                )
        if self.decreasing is None:
            self.decreasing = self.sort_metric in MORE_IS_BETTER
        self.trials = sorted(self.trials, key=self._rank)

    def _rank(self, trial: Trial) -> tuple[bool, float]:
        """What to sort by; undefined metrics come last."""
        value = trial.metrics[self.sort_metric]
        return math.isnan(value), -value if self.decreasing else value

    def get_grid(self, sort_by: str = "", decreasing: bool | None = None) -> Grid:
        """The grid sorted by another metric, such as ``"auc"``; best first unless `decreasing` says otherwise.

        Raises
        ------
        ParameterError : the models have no such metric.
        """
        return dataclasses.replace(self, sort_metric=sort_by, decreasing=decreasing)

    def __len__(self) -> int:
        """Number of finished models."""
        return len(self.trials)

    def __getitem__(self, index: int | str) -> Model:
        """A model by its rank, 0 being the best, or by its name.

        Raises
        ------
        IndexError, KeyError : there is no such model.
        """
        if isinstance(index, str):
            if index not in self.model_ids:
                raise KeyError(f"{self.grid_id} has no model {index!r}{nearest(index, self.model_ids)}")
            index = self.model_ids.index(index)
        return self.trials[index].model()

    def __iter__(self) -> Iterator[Model]:
        """The models, best first."""
        return (trial.model() for trial in self.trials)

    @property
    def models(self) -> list[Model]:
        """The models, best first."""
        return list(self)

    @property
    def model_ids(self) -> list[str]:
        """The names of the models, best first."""
        return [trial.model_id for trial in self.trials]

    @property
    def failed_params(self) -> list[dict[str, Any]]:
        """The hyper-parameters that no model could be trained with."""
        return [failure.hyper_parameters for failure in self.failures]

    @property
    def failure_details(self) -> list[str]:
        """Why not, for each of `failed_params`."""
        return [failure.error for failure in self.failures]

    def get_hyperparams_dict(self, model: int | str) -> dict[str, Any]:
        """The hyper-parameters of a model, given its rank or model_id."""
        index = self.model_ids.index(model) if isinstance(model, str) else model
        return self.trials[index].hyper_parameters

    def get_hyperparams(self, model: int | str) -> list[Any]:
        """The values of the hyper-parameters of a model, given its rank or model_id."""
        return list(self.get_hyperparams_dict(model).values())

    predict, model_performance, scoring_history = map(_of_each, ("predict", "model_performance", "scoring_history"))
    summary, varimp, weights, biases = map(_of_each, ("summary", "varimp", "weights", "biases"))
    deepfeatures, catoffsets, normmul, normsub = map(_of_each, ("deepfeatures", "catoffsets", "normmul", "normsub"))
    respmul, respsub, is_cross_validated = map(_of_each, ("respmul", "respsub", "is_cross_validated"))
    xval_keys, get_xval_models = map(_of_each, ("xval_keys", "get_xval_models"))

    def table(self) -> list[dict[str, Any]]:
        """A row per model: hyper-parameters (a single layer as its number of units), model_ids and the metric."""
        return [
            {name: _shown(value) for name, value in trial.hyper_parameters.items()}
            | {"model_ids": trial.model_id, self.sort_metric: trial.metrics[self.sort_metric]}
            for trial in self.trials
        ]

    def sorted_metric_table(self, use_pandas: bool = True) -> pd.DataFrame | list[list[Any]]:
        """`table` as a DataFrame, or as a list of rows."""
        if not use_pandas:
            return [list(row.values()) for row in self.table()]
        import pandas as pd

        return pd.DataFrame(self.table(), columns=[*self.hyper_names, "model_ids", self.sort_metric])

    def _metric(self, name: str, train: bool, valid: bool, xval: bool, *arguments: Any) -> dict[str, Any]:
        """The metric of every model by model_id, as the model's getter gives it."""
        flags = {"train": train, "valid": valid, "xval": xval}
        return {model.model_id: getattr(model, name)(*arguments, **flags) for model in self.models}

    def report(self) -> dict[str, Any]:
        """The grid as plain values: the object that ``h2olite grid --json`` prints."""
        return {
            "grid_id": self.grid_id,
            "sort_metric": self.sort_metric,
            "models": [
                {
                    "model_id": trial.model_id,
                    "path": trial.path and str(trial.path),
                    "hyper_parameters": trial.hyper_parameters,
                    "metric": trial.metrics[self.sort_metric],
                    "metrics": trial.metrics,
                    "epochs": trial.epochs,
                    "seconds": trial.seconds,
                }
                for trial in self.trials
            ],
            "failures": [dataclasses.asdict(failure) for failure in self.failures],
        }

    def __repr__(self) -> str:
        """The table of models."""
        order = "decreasing" if self.decreasing else "increasing"
        title = f"Hyper-Parameter Search Summary: ordered by {order} {self.sort_metric}"
        failed = f"\n{len(self.failures)} failed; see failure_details" if self.failures else ""
        return f"{title}\n{self.sorted_metric_table()}{failed}"


def _shown(value: Any) -> Any:
    """A value for a cell of the table."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 else str(value)
    return value
