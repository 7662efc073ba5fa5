"""Models side by side on the same rows, and how much of what divides them may be chance."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.frames import as_table
from h2olite.data.splits import draw_seed, random_stream
from h2olite.data.table import Kind, Table
from h2olite.errors import ParameterError
from h2olite.kinds.stopping_metrics import MORE_IS_BETTER
from h2olite.metrics.base import measured
from h2olite.metrics.bootstrap import Statistics, bootstrap, class_statistics, interval, number_statistics
from h2olite.metrics.regression import residual_deviance
from h2olite.model import Model, load_model
from h2olite.trained.evaluation import Predicted
from h2olite.trained.scoring import predicted_classes

if TYPE_CHECKING:
    import pandas as pd

OWN_DEVIANCE = ("poisson", "gamma", "tweedie", "quantile")
"""Distributions whose deviance is none of the other metrics and a sum over rows."""

DEVIANCE_SETTINGS = ("distribution", "quantile_alpha", "tweedie_power")
"""Parameters that the deviance depends on; only one that all models share can be compared."""

MOST_RESAMPLES = 1_000_000
"""Tables that are drawn for intervals at the most."""

Models = Mapping[str, Model] | Iterable[Model | str | os.PathLike[str]]
"""Models by name; or models, called by their model_id, and files, called by their path."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Metrics of models on the same rows, with 95 % intervals.

    Attributes
    ----------
    names : of the models.
    category, response : of all models.
    n_rows : rows measured.
    n_resamples : tables drawn for the intervals.
    values : float64 (n_models,), by name of metric.
    resamples : float64 (n_resamples, n_models), by name of metric.
    """

    names: list[str]
    category: str
    response: str
    n_rows: int
    n_resamples: int
    values: dict[str, np.ndarray]
    resamples: dict[str, np.ndarray]

    def rows(self) -> list[dict[str, Any]]:
        """A row per metric and model: its value, the difference to the first model, and their intervals.

        The ``verdict`` on a difference is ``"better"`` or ``"worse"`` where 0 is outside its interval, else
        ``"unclear"``; that of the first model is None, as are its differences.
        """
        return [self._row(metric, model) for metric in self.values for model in range(len(self.names))]

    def as_data_frame(self) -> pd.DataFrame:
        """The `rows` as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def report(self) -> dict[str, Any]:
        """The comparison as plain values: the object that ``h2olite compare --json`` prints."""
        return {
            "category": self.category,
            "response": self.response,
            "rows": self.n_rows,
            "resamples": self.n_resamples,
            "models": self.names,
            "metrics": self.rows(),
        }

    def __repr__(self) -> str:
        """The table of `rows`."""
        return f"{self.category} models of {self.response} on {self.n_rows} rows\n{self.as_data_frame()}"

    def _row(self, metric: str, model: int) -> dict[str, Any]:
        """One of the `rows`."""
        values, resamples = self.values[metric], self.resamples[metric]
        low, high = interval(resamples[:, model])
        row = {"metric": metric, "model": self.names[model], "value": float(values[model]), "low": low, "high": high}
        if model == 0:
            names = ("difference", "difference_low", "difference_high", "verdict")
            return row | dict.fromkeys(names)
        low, high = interval(resamples[:, model] - resamples[:, 0])
        verdict = "unclear"
        if low > 0 or high < 0:
            verdict = "better" if (low > 0) == (metric in MORE_IS_BETTER) else "worse"
        difference = float(values[model] - values[0])
        return row | {"difference": difference, "difference_low": low, "difference_high": high, "verdict": verdict}


def compare(models: Models, test_data: Any, *, n_resamples: int = 1000, seed: int = 1) -> Comparison:
    """Measure models on the same rows, and how sure their differences are.

    The intervals are those of a paired bootstrap: rows are drawn with replacement, the same ones for all models. Errors
    of two classes are those of what each model predicts, at its own default threshold. Rows without response or with
    a weight of 0, by the first model's weights_column, are left out.

    Parameters
    ----------
    models : two or more models of the same response, or their files; a mapping names them. The others are held against
        the first one.
    test_data : any frame that holds the response (see `h2olite.data.frames.as_table`).
    n_resamples : tables drawn, at most 1,000,000.
    seed : of the drawing; -1 draws one.

    Returns
    -------
    comparison : h2olite.Comparison

    Raises
    ------
    ParameterError : the models cannot be compared.
    DataError : the frame lacks the response, or what `Model.predict` raises.

    Examples
    --------
    >>> import h2olite
    >>> models = {
    ...     l1: h2olite.deeplearning(
    ...         y="species", training_frame="datasets/iris.csv", hidden=[10], l1=float(l1), seed=1, reproducible=True
    ...     )
    ...     for l1 in ("0", "0.1")
    ... }
    >>> comparison = h2olite.compare(models, "datasets/iris.csv")
    >>> [row["verdict"] for row in comparison.rows() if row["metric"] == "logloss"]
    [None, 'worse']
    """
    if not 1 <= n_resamples <= MOST_RESAMPLES:
        raise ParameterError(f"n_resamples must be from 1 to {MOST_RESAMPLES}; got {n_resamples}.")
    named = _named(models)
    first, *others = named.values()
    for name, model in named.items():
        _refuse_unlike(first, model, name)
    table = as_table(test_data, name="test_data", schema=shared_schema(named.values()), csv=shared_csv(named.values()))
    predicted = [_predict(model, table) for model in (first, *others)]
    stacked = np.concatenate([part.predictions.reshape(table.n_rows, -1) for part in predicted], axis=1)
    actual, stacked, weights = measured(predicted[0].actual, stacked, predicted[0].weights)
    predictions = np.moveaxis(stacked.reshape(len(actual), len(named), -1), 1, 0)
    statistics = _statistics([first, *others], actual, predictions)
    return Comparison(
        list(named),
        first.category,
        str(first.parameters.y),
        len(actual),
        n_resamples,
        statistics(weights),
        bootstrap(statistics, weights, n_resamples, random_stream(draw_seed(seed), "bootstrap")),
    )


def shared_schema(models: Iterable[Model]) -> dict[str, Kind]:
    """What a table's columns must be for all models: a column that any of them takes as categorical is read so."""
    schema: dict[str, Kind] = {}
    for model in models:
        for name, kind in (model.schema | model.response_schema).items():
            schema[name] = kind if schema.get(name) != "categorical" else "categorical"
    return schema


def shared_csv(models: Iterable[Model]) -> dict[str, Any]:
    """How CSV is read for all models: of each option, as the first model whose training table's reader set it."""
    options: dict[str, Any] = {}
    for model in models:
        options = model.csv | options
    return options


def _named(models: Models) -> dict[str, Model]:
    """The models, read from their files where need be, by distinct names."""
    if isinstance(models, Mapping):
        pairs = list(models.items())
    else:
        given = [models] if isinstance(models, Model | str | os.PathLike) else list(models)
        pairs = [(m.model_id, m) if isinstance(m, Model) else (os.fspath(m), load_model(m)) for m in given]
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ParameterError("models to compare must have distinct names; give a dict of models by name.")
    if len(named) < 2:
        raise ParameterError(f"models to compare must be two or more; got {len(named)}.")
    return named


def _refuse_unlike(first: Model, model: Model, name: str) -> None:
    """Raise a ParameterError unless the model predicts what the first one does."""
    if model.response is None or first.response is None:
        raise ParameterError(f"models to compare must predict a response; {name} is an autoencoder.")
    if model.response.name != first.response.name:
        raise ParameterError(
            f"models to compare must predict the same response; {name} predicts {model.response.name!r}, the first "
            f"one {first.response.name!r}."
        )
    if set(model.classes or ()) != set(first.classes or ()):
        raise ParameterError(
            f"models to compare must know the same classes; {name} has {_classes(model)}, the first one "
            f"{_classes(first)}."
        )


def _classes(model: Model) -> str:
    """The classes of a model in words."""
    return "none, as it predicts numbers" if model.classes is None else ", ".join(model.classes)


def _predict(model: Model, table: Table) -> Predicted:
    """What the model predicts, with warnings about what it does not find in the table."""
    adaptation = Adaptation(table.name)
    predicted = model.predict_observed(table, adaptation)
    adaptation.warn(stacklevel=3)
    return predicted


def _statistics(models: Sequence[Model], actual: np.ndarray, predictions: np.ndarray) -> Statistics:
    """The metrics of models whose predictions are of shape (n_models, n_rows, n_classes or 1)."""
    classes = models[0].classes
    if classes is None:
        numbers = predictions[:, :, 0]
        settings = [{name: getattr(model.parameters, name) for name in DEVIANCE_SETTINGS} for model in models]
        deviances = None
        if settings[0]["distribution"] in OWN_DEVIANCE and all(other == settings[0] for other in settings):
            deviances = residual_deviance(actual, numbers, **settings[0], huber_delta=0.0)
        return number_statistics(actual, numbers, deviances)
    probabilities = np.empty_like(predictions)
    predicted = np.empty(predictions.shape[:2], np.int64)
    for i, model in enumerate(models):
        order = [classes.index(name) for name in model.classes or ()]
        probabilities[i][:, order] = predictions[i]
        predicted[i] = np.take(order, predicted_classes(predictions[i], model.default_threshold()))
    return class_statistics(actual, probabilities, predicted)
