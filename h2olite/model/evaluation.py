"""How good a model is on a table that it is given."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.frames import as_table
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError
from h2olite.metrics import Metrics
from h2olite.metrics.base import measured
from h2olite.metrics.curves import Costs, ThresholdCurve
from h2olite.validation import validate

from .scoring import Observed, Reconstruction, Scoring

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model


class Predicted(NamedTuple):
    """What a model predicts for all rows of a table, next to what happened.

    actual : indices of classes, -1 for missing, or numbers, NaN for missing.
    predictions : float64, (n_rows, n_classes) or (n_rows,).
    weights : how much each row counts, None for all the same.
    """

    actual: np.ndarray
    predictions: np.ndarray
    weights: np.ndarray | None


def model_performance(
    model: Model,
    test_data: Any = None,
    train: bool = False,
    valid: bool = False,
    xval: bool = False,
    auc_type: str | None = None,
    threshold: float | None = None,
    costs: Costs | None = None,
) -> Metrics | None:
    """The metrics on a frame that holds the response; without one, those of training, or of the frame asked for.

    A model trained with a weights_column weighs the frame's rows by it, if it is there.

    Parameters
    ----------
    test_data : any frame (see `h2olite.data.frames.as_table`).
    train, valid, xval : which metrics of training to give.
    auc_type : the AUC of several classes on the frame; that of training if not given.
    threshold : probability from which the second of two classes is predicted; where F1 is largest if not given.
    costs : what a false positive and a false negative cost. Adds ``expected_cost``, the mean per row, to the metrics;
        without a threshold, that of least expected cost is taken.

    Raises
    ------
    DataError : the frame lacks the response, or what `predict` raises.
    ParameterError : threshold or costs are no such numbers, or there are not two classes or no frame.
    """
    if test_data is None:
        if threshold is not None or costs is not None:
            raise ParameterError("threshold and costs need test_data; give a frame to measure the model on.")
        return model._of_frames(train, valid, xval, lambda metrics: metrics)
    table, adaptation = _adapted(model, test_data)
    metrics = model.measure(table, adaptation, auc_type, threshold, costs)
    adaptation.warn()
    return metrics


def measure(
    model: Model,
    table: Table,
    adaptation: Adaptation,
    auc_type: str | None = None,
    threshold: float | None = None,
    costs: Costs | None = None,
) -> Metrics:
    """The metrics on a table that holds the response, if the model has one; see `model_performance`."""
    if model.category != "Binomial" and (threshold is not None or costs is not None):
        raise ParameterError(f"threshold and costs need two classes; {model.model_id} is a {model.category} model.")
    scoring = model._scoring
    if isinstance(scoring, Scoring):
        parameters = model.parameters
        if auc_type is not None:
            parameters = dataclasses.replace(parameters, auc_type=validate({"auc_type": auc_type}).auc_type)
        scoring = dataclasses.replace(scoring, parameters=parameters, threshold=threshold, costs=costs)
    observed = _observed(model, table, adaptation)
    with model._engine(table, adaptation) as (engine, rows):
        return scoring.metrics(engine, model._objective, rows, np.arange(table.n_rows), observed)


def measure_parts(model: Model, table: Table, adaptation: Adaptation, parts: Sequence[np.ndarray]) -> list[Metrics]:
    """The metrics on some rows of a table, given by their indices, and on others, which `measure` would encode anew."""
    observed = _observed(model, table, adaptation)
    with model._engine(table, adaptation) as (engine, rows):
        return [model._scoring.metrics(engine, model._objective, rows, part, observed) for part in parts]


def predict_observed(model: Model, table: Table, adaptation: Adaptation) -> Predicted:
    """What a model with a response predicts for a table that holds it, next to what happened."""
    scoring = model._scoring
    if isinstance(scoring, Reconstruction):
        raise DataError(f"{model.model_id} is an autoencoder, which predicts no response; measure it with evaluate.")
    actual, weights, offsets = _observed(model, table, adaptation)
    assert actual is not None  # as there is a response
    with model._engine(table, adaptation) as (engine, rows):
        predictions = scoring.predictions(engine.predict(model._objective, rows), offsets)
    return Predicted(scoring.observed(actual), predictions, weights)


def curves(model: Model, test_data: Any) -> pd.DataFrame:
    """What follows from every possible threshold on a frame that holds the response: ROC, precision and recall.

    Returns
    -------
    curves : DataFrame, a row per distinct probability, from high to low: ``class``, the one that is predicted from
        ``threshold`` on; then ``tpr``, ``fpr``, ``precision``, ``recall`` and the other columns of
        `BinomialMetrics.thresholds_and_metric_scores`. Of two classes it is the second one; of more, each is held
        against the rest.

    Raises
    ------
    DataError : the model does not predict classes, or what `model_performance` raises.
    """
    import pandas as pd

    classes = classes_of_curves(model)
    table, adaptation = _adapted(model, test_data)
    actual, probabilities, weights = measured(*model.predict_observed(table, adaptation))
    adaptation.warn()
    shown = {1: classes[1]} if len(classes) == 2 else dict(enumerate(classes))
    parts = []
    for index, name in shown.items():
        curve = ThresholdCurve.from_predictions(actual == index, probabilities[:, index], weights)
        parts.append(pd.DataFrame({"class": name, **curve.table()}))
    return pd.concat(parts, ignore_index=True)


def classes_of_curves(model: Model) -> tuple[str, ...]:
    """The classes that `curves` are about.

    Raises
    ------
    DataError : the model predicts none.
    """
    if model.classes is None:
        raise DataError(f"curves need classes; {model.model_id} is a {model.category} model.")
    return model.classes


def _adapted(model: Model, frame: Any) -> tuple[Table, Adaptation]:
    """The table of a frame, and where to note what the model does not find in it."""
    table = as_table(frame, name="test_data", schema=model.schema | model.response_schema, csv=model.csv)
    return table, Adaptation(table.name)


def _observed(model: Model, table: Table, adaptation: Adaptation) -> Observed:
    """What happened in the rows of a table, which must hold the response if the model has one."""
    if model.response is not None and model.response.name not in table:
        raise DataError(f"{table.name} has no response {model.response.name!r}, which metrics need.")
    return Observed.of(table, model.response, model.parameters, adaptation)
