"""What is done with the models of a session: measured, asked, saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from h2olite.errors import DataError
from h2olite.metrics import BinomialMetrics, Metrics, MultinomialMetrics, RegressionMetrics
from h2olite.metrics.confusion import ConfusionMatrix
from h2olite.settings.parameters import changed
from h2olite.trained.report import report

from . import transfer
from .columns import as_factor, for_model
from .frames import from_numbers
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

    from h2olite.model import Model


SHOWN = frozenset({"nthreads", "y", "x", "model_id", "seed"})
"""Parameters that the caller shows or leaves out anyway."""


def describe(store: Store, model: Model) -> dict[str, Any]:
    """Everything that the caller shows of a model."""
    folds = model.cross_validation_models() or []
    described = report(model) | {
        "classes": model.classes,
        "default_threshold": model.default_threshold() if model.category == "Binomial" else None,
        "cross_validation_models": [fold.model_id for fold in folds],
        "has_fold_predictions": model.cross_validation is not None and model.cross_validation.predictions is not None,
        "predictors_names": list(model.encoder.schema),
        "changed": [name for name in changed(model.parameters) if name not in SHOWN],
    }
    for name in ("training_metrics", "validation_metrics", "cross_validation_metrics"):
        metrics: Metrics | None = getattr(model, name)
        described[name] = None if metrics is None else describe_metrics(metrics)
    return described


def describe_metrics(metrics: Metrics) -> dict[str, Any]:
    """The values of metrics, with the confusion matrix as a table."""
    values = metrics.to_json() | {"category": metrics.category}
    if isinstance(metrics, BinomialMetrics | MultinomialMetrics):
        values["table"] = describe_confusion(metrics.confusion_matrix())
    return values


def describe_confusion(confusion: Any) -> dict[str, Any]:
    """A confusion matrix as R lays it out: labels, columns, errors, rates."""
    assert isinstance(confusion, ConfusionMatrix)  # of one threshold
    frame = confusion.as_data_frame()
    return {
        "labels": list(confusion.labels),
        "columns": [frame[label].tolist() for label in confusion.labels],
        "Error": frame["Error"].tolist(),
        "Rate": frame["Rate"].tolist(),
        "title": confusion.title,
    }


def get(store: Store, key: str) -> dict[str, Any]:
    """Describe a model that is held."""
    return describe(store, store.model(key))


def keys(store: Store) -> list[str]:
    """The keys of the models that are held."""
    return sorted(store.models)


def from_pandas(frame: pd.DataFrame) -> pa.Table:
    """Predictions and the like as a frame: classes as a factor, numbers as they are."""
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if hasattr(values, "cat"):
            codes = values.cat.codes.to_numpy().astype("int32")
            levels = pa.array([str(level) for level in values.cat.categories], pa.string())
            columns[str(name)] = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), levels)
        else:
            columns[str(name)] = from_numbers(values.to_numpy("float64"), whole=values.dtype.kind in "iu")
    return pa.table(columns)


def predict(store: Store, model: Model, frame: pa.Table) -> pa.Table:
    """A prediction for each row."""
    return from_pandas(model.predict(for_model(frame)))


def anomaly(store: Store, model: Model, frame: pa.Table, per_feature: bool = False) -> pa.Table:
    """How badly an autoencoder reconstructs each row."""
    return from_pandas(model.anomaly(for_model(frame), per_feature=per_feature))


def deepfeatures(store: Store, model: Model, frame: pa.Table, layer: int) -> pa.Table:
    """The activations of a hidden layer, counted from 0, for each row."""
    return from_pandas(model.deepfeatures(for_model(frame), int(layer)))


def performance(
    store: Store, model: Model, frame: pa.Table, auc_type: str | None = None, threshold: float | None = None
) -> dict[str, Any]:
    """The metrics of a model on a frame."""
    metrics = model.model_performance(for_model(frame), auc_type=auc_type, threshold=threshold)
    assert metrics is not None  # as there is a frame
    return describe_metrics(metrics)


def make_metrics(
    store: Store,
    predicted: pa.Table,
    actuals: pa.Table,
    domain: Sequence[str] | None = None,
    distribution: str | None = None,
    weights: pa.Table | None = None,
) -> dict[str, Any]:
    """The metrics of any predictions: probabilities of the second of two classes, of all of more, or numbers."""
    weigh = None if weights is None else transfer.numbers_of(weights.column(0))
    numbers = np.column_stack([transfer.numbers_of(column) for column in predicted.columns])
    column = actuals.column(0)
    if domain is None and not pa.types.is_dictionary(column.type):
        return describe_metrics(
            RegressionMetrics.from_predictions(
                transfer.numbers_of(column), numbers[:, 0], weights=weigh, distribution=distribution or "gaussian"
            )
        )
    encoded = transfer.as_dictionary(as_factor(store, actuals).column(0))
    levels = encoded.dictionary.to_pylist()
    labels = tuple(domain or levels)
    lookup = np.array([*(labels.index(level) if level in labels else -1 for level in levels), -1], np.int32)
    actual = lookup[encoded.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)]
    if len(labels) == 2:
        return describe_metrics(
            BinomialMetrics.from_predictions(actual, numbers[:, -1], levels=(labels[0], labels[1]), weights=weigh)
        )
    if numbers.shape[1] != len(labels):
        raise DataError(f"predicted must have {len(labels)} columns, one for each class; got {numbers.shape[1]}.")
    return describe_metrics(MultinomialMetrics.from_predictions(actual, numbers, levels=labels, weights=weigh))


def varimp(store: Store, model: Model) -> list[dict[str, Any]] | None:
    """How much each input matters."""
    names = ("variable", "relative_importance", "scaled_importance", "percentage")
    rows: Any = model.varimp()
    return None if rows is None else [dict(zip(names, row, strict=True)) for row in rows]


def weights(store: Store, model: Model, layer: int) -> pa.Table:
    """The weights into a layer, 0 being the first hidden one."""
    return from_pandas(model.weights(int(layer)))


def biases(store: Store, model: Model, layer: int) -> pa.Table:
    """The biases of a layer."""
    return from_pandas(model.biases(int(layer)))


def fold_predictions(store: Store, model: Model) -> list[dict[str, Any]] | None:
    """Each fold's predictions of its hold-out rows, as frames."""
    frames = model.cross_validation_predictions()
    if frames is None:
        return None
    tables = [from_pandas(frame) for frame in frames]
    return [transfer.keep(store, table) for table in tables]


def holdout_predictions(store: Store, model: Model) -> pa.Table | None:
    """A prediction of each training row by the model that did not learn from it."""
    frame = model.cross_validation_holdout_predictions()
    return None if frame is None else from_pandas(frame)


def fold_assignment(store: Store, model: Model) -> pa.Table | None:
    """The fold of each training row."""
    frame = model.cross_validation_fold_assignment()
    return None if frame is None else from_pandas(frame)


def reset_threshold(store: Store, model: Model, threshold: float) -> float:
    """Set the default threshold, and give the one before."""
    return model.reset_threshold(float(threshold))


def save(store: Store, model: Model, path: str, force: bool = False) -> str:
    """Write a model to a file."""
    _refuse_existing(path, force)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return os.path.abspath(model.save(path))


def load(store: Store, path: str) -> dict[str, Any]:
    """Read a model from a file, keep and describe it."""
    from h2olite import load_model

    model = load_model(path)
    store.keep_model(model)
    return describe(store, model)


def download_mojo(store: Store, model: Model, path: str, force: bool = True) -> str:
    """Write a model as a MOJO."""
    _refuse_existing(path, force)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return os.path.abspath(model.download_mojo(path))


def import_mojo(store: Store, path: str, model_id: str | None = None) -> dict[str, Any]:
    """Read a MOJO, keep and describe it."""
    from h2olite import import_mojo as read_mojo

    model = read_mojo(path)
    if model_id is not None:
        model.model_id = model_id
    store.keep_model(model)
    return describe(store, model)


def export_onnx(store: Store, model: Model, path: str, force: bool = True) -> str:
    """Write a model as an ONNX file."""
    _refuse_existing(path, force)
    return os.path.abspath(model.export_onnx(path))


def _refuse_existing(path: str, force: bool) -> None:
    """Raise where a file would be replaced that is not to be."""
    if os.path.exists(path) and not force:
        raise DataError(f"{path} is there; name another file, or pass force = TRUE to replace it.")


OPERATIONS = {
    "get_model": get,
    "models": keys,
    "predict": predict,
    "anomaly": anomaly,
    "deepfeatures": deepfeatures,
    "performance": performance,
    "make_metrics": make_metrics,
    "varimp": varimp,
    "weights": weights,
    "biases": biases,
    "fold_predictions": fold_predictions,
    "holdout_predictions": holdout_predictions,
    "fold_assignment": fold_assignment,
    "reset_threshold": reset_threshold,
    "save": save,
    "load": load,
    "download_mojo": download_mojo,
    "import_mojo": import_mojo,
    "export_onnx": export_onnx,
}
