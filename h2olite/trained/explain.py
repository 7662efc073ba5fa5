"""What a model makes of its predictors, found out by changing them in a table and predicting again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.frames import as_table
from h2olite.data.splits import draw_seed, random_stream, sample_rows
from h2olite.data.table import Column, Table
from h2olite.errors import DataError, ParameterError
from h2olite.kinds.stopping_metrics import STOPPING_METRICS
from h2olite.metrics.base import Metrics
from h2olite.settings.parameters import folded, nearest

from .evaluation import measure
from .importance import IMPORTANCE_COLUMNS
from .network import TrainedNetwork
from .scoring import probability_names

if TYPE_CHECKING:
    import pandas as pd


AUTO_METRIC = {"Binomial": "AUC", "Multinomial": "logloss", "Regression": "RMSE"}
"""What AUTO stands for, as in H2O."""


def permutation_importance(
    model: TrainedNetwork,
    frame: Any,
    metric: str = "AUTO",
    n_samples: int = 10_000,
    n_repeats: int = 1,
    features: Iterable[str] | None = None,
    seed: int = -1,
    use_pandas: bool = False,
) -> list[tuple[Any, ...]] | pd.DataFrame:
    """How much worse a metric gets when the values of a predictor are dealt anew to the rows.

    Parameters
    ----------
    frame : any frame that holds the response (see `h2olite.data.frames.as_table`).
    metric : a stopping metric, or PR_AUC for AUCPR. AUTO is the AUC of two classes, logloss of more, RMSE of numbers.
    n_samples : rows to take at random; all for -1.
    n_repeats : how often each predictor is permuted.
    features : predictors to look at; all if not given.
    seed : of the samples and permutations; -1 draws one.
    use_pandas : give a DataFrame instead of a list of tuples.

    Returns
    -------
    rows : most important predictor first: variable, relative_importance (by how much the metric got worse, which may be
        negative by chance), scaled_importance (that over the largest), percentage (the share of the sum of all, with
        negative ones as 0). With several repeats: variable, then run_1, run_2, ..., the relative importances.

    Raises
    ------
    ParameterError : the metric is not measured for this model.
    DataError : there is no such predictor.

    References
    ----------
    Breiman (2001), Random forests.
    """
    _refuse_autoencoder(model, "permutation_importance")
    seed = draw_seed(seed)
    table = as_table(frame, name="frame", schema=model.schema | model.response_schema, csv=model.csv)
    table = table.take(sample_rows(table.n_rows, max(n_samples, 0), random_stream(seed, "permutation sample")))
    names = _predictors(model, features)

    adaptation = Adaptation(table.name)

    metrics = measure(model, table, adaptation)
    chosen = _known_metric(metrics, metric)

    def loss(metrics: Metrics) -> float:
        value = metrics.stopping_value(chosen)
        return -value if STOPPING_METRICS[chosen].more_is_better else value

    usual = loss(metrics)
    losses = np.empty((len(names), n_repeats))
    for i, name in enumerate(names):
        for repeat in range(n_repeats):
            order = random_stream(seed, "permutation", i, repeat).permutation(table.n_rows)
            permuted = _with_column(table, name, table[name].take(order))
            losses[i, repeat] = loss(measure(model, permuted, adaptation)) - usual
    adaptation.warn()
    if n_repeats == 1:
        largest, total = losses.max() or 1.0, losses.clip(min=0).sum() or 1.0
        columns = [losses, losses / largest, losses.clip(min=0) / total]
        titles = list(IMPORTANCE_COLUMNS)
    else:
        columns = [losses]
        titles = ["variable", *(f"run_{repeat + 1}" for repeat in range(n_repeats))]
    numbers = np.column_stack(columns).tolist()
    rows = [(names[i], *numbers[i]) for i in np.argsort(-losses.mean(axis=1), kind="stable")]
    if not use_pandas:
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=titles)


def partial_plot(
    model: TrainedNetwork,
    frame: Any,
    cols: Iterable[str] | None = None,
    nbins: int = 20,
    targets: Iterable[str] | None = None,
    include_na: bool = False,
    user_splits: Mapping[str, Sequence[Any]] | None = None,
    row_index: int | None = None,
) -> list[pd.DataFrame]:
    """The tables of `Model.partial_plot`, where the arguments are told.

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine.
    """
    import pandas as pd

    _refuse_autoencoder(model, "partial_plot")
    table = as_table(frame, name="frame", schema=model.schema, csv=model.csv)
    if row_index is not None and not 0 <= row_index < table.n_rows:
        raise DataError(f"row_index must be from 0 to {table.n_rows - 1}; got {row_index}.")
    averaged = table if row_index is None else table.take(np.array([row_index]))
    responses = response_columns(model, targets)
    splits = user_splits or {}
    tables = []
    for name in _predictors(model, cols):
        rows: dict[str, list[tuple[Any, ...]]] = {response: [] for response in responses}
        for value, code in _codes(table, name, nbins, splits.get(name), include_na):
            predictions = model.predict_columns(with_constant(averaged, name, code), Adaptation(table.name))
            for response in responses:
                predicted = predictions[response]
                deviation = predicted.std(ddof=1) if averaged.n_rows > 1 else 0.0
                rows[response].append((value, predicted.mean(), deviation, deviation / np.sqrt(averaged.n_rows)))
        titles = [name, "mean_response", "stddev_response", "std_error_mean_response"]
        tables += [pd.DataFrame(rows[response], columns=titles) for response in responses]
    return tables


def with_constant(table: Table, name: str, code: float) -> Table:
    """The table with one value in all rows of a column."""
    column = table[name]
    values = np.full(table.n_rows, code, np.float64 if column.levels is None else np.int32)
    return _with_column(table, name, Column(values, column.levels, column.is_time))


def codes_of(model: TrainedNetwork, table: Table, name: str, nbins: int) -> list[tuple[Any, float]]:
    """The values that a predictor is to take, and how its column keeps each.

    Raises
    ------
    DataError : there is no such predictor, or the model is an autoencoder.
    """
    _refuse_autoencoder(model, "a picture of dependence")
    (name,) = _predictors(model, [name])
    return _codes(table, name, nbins, None, include_na=False)


def _codes(
    table: Table, name: str, nbins: int, splits: Sequence[Any] | None, include_na: bool
) -> list[tuple[Any, float]]:
    """The values that a column is to take, and how it keeps each."""
    column = table[name]
    if column.levels is None:
        numbers = _spread(column.values, nbins) if splits is None else map(float, splits)
        by_value: dict[Any, float] = {number: number for number in numbers}
        missing = np.nan
    else:
        known = {level: code for code, level in enumerate(column.levels)}
        levels = known if splits is None else [str(level) for level in splits]
        for level in levels:
            if level not in known:
                raise DataError(f"column {name!r} of {table.name} has no level {level!r}{nearest(level, known)}")
        by_value = {level: known[level] for level in levels}
        missing = -1
    if include_na:
        by_value[None] = missing
    return list(by_value.items())


def _spread(values: np.ndarray, count: int) -> list[float]:
    """So many numbers evenly from the least to the largest of these, or the distinct ones if they are fewer."""
    distinct = np.unique(values[~np.isnan(values)])
    chosen = distinct if distinct.size <= count else np.linspace(distinct[0], distinct[-1], count)
    return chosen.tolist()


def response_columns(model: TrainedNetwork, targets: Iterable[str] | None) -> list[str]:
    """The columns of predictions to look at."""
    levels = model.classes
    if levels is None:
        return ["predict"]
    if targets is None:
        targets = levels[1:] if len(levels) == 2 else levels
    chosen = [targets] if isinstance(targets, str) else list(targets)
    for target in chosen:
        if target not in levels:
            raise DataError(f"{target!r} is no class of {model.parameters.y!r}{nearest(target, levels)}")
    names = probability_names(levels)
    return [names[target] for target in chosen]


def _refuse_autoencoder(model: TrainedNetwork, what: str) -> None:
    """Predictors explain a response."""
    if model.response is None:
        raise DataError(f"{what} needs a model of a response; {model.model_id} is an autoencoder.")


def _predictors(model: TrainedNetwork, names: Iterable[str] | None) -> list[str]:
    """The predictors asked for, all if None."""
    known = model.encoder.schema
    chosen = list(known) if names is None else [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if name not in known:
            raise DataError(f"{name!r} is no predictor of {model.model_id}{nearest(name, known)}")
    return chosen


def _known_metric(metrics: Metrics, name: str) -> str:
    """The metric in its usual spelling."""
    measured = [metric for metric, known in STOPPING_METRICS.items() if known.key in metrics]
    by_folded = {folded(metric): metric for metric in measured} | {"auto": AUTO_METRIC[metrics.category]}
    if "AUCPR" in measured:
        by_folded["prauc"] = "AUCPR"
    if folded(name) not in by_folded:
        raise ParameterError(
            f"metric must be one of AUTO, {', '.join(measured)} for a {metrics.category} model; got {name!r}."
        )
    return by_folded[folded(name)]


def _with_column(table: Table, name: str, column: Column) -> Table:
    """The table with one column replaced."""
    return dataclasses.replace(table, columns=table.columns | {name: column})
