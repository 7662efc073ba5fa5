"""Whether the contents of a file fit together, whoever wrote it, before anything is made of them."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np

from h2olite.data.csv_options import CsvOptions
from h2olite.data.encoding import RowEncoder
from h2olite.data.response import ResponseEncoder
from h2olite.kernels.lanes import LANES
from h2olite.kernels.layout import Layout
from h2olite.metrics import BinomialMetrics, Metrics
from h2olite.parameters import FRAMES, FUNCTIONS, MODELS, Parameters
from h2olite.validation import read

from .record import DURATIONS, TrainingRecord
from .scoring import REGRESSION_LOSSES

SIMPLE = frozenset({int, float, str, bool})

Scalar = str | bool | float | None


class _ConfusionMatrix(TypedDict):
    labels: list[str]
    matrix: list[list[float]]


Metric = float | str | list[float | dict[str, Scalar] | None] | _ConfusionMatrix | None


class _Column(TypedDict):
    values: list[float | None]
    levels: list[str] | None


class _Recoded(TypedDict):
    levels: list[str]
    columns: dict[str, _Column]


class _Replacement(_Recoded, total=False):
    with_unseen: bool


class _Encoder(TypedDict):
    predictors: list[str]
    levels: list[list[str]]
    use_all_factor_levels: bool
    subtrahend: list[float]
    multiplier: list[float]
    imputed: list[float]
    missing_seen: list[bool]
    times: list[str]
    recoding: dict[str, _Replacement]
    n_slots: int | None
    hash_seed: int


class _Response(TypedDict):
    name: str
    levels: list[str] | None
    subtrahend: float
    multiplier: float


class _CrossValidation(TypedDict):
    metrics: dict[str, Any]
    by_fold: list[dict[str, float | None]]
    predictions: list[str] | None
    models: list[dict[str, Any]] | None


class _Needed(TypedDict):
    model_id: str
    parameters: dict[str, Any]
    encoder: _Encoder
    response: _Response | None
    training_metrics: dict[str, Any] | None
    validation_metrics: dict[str, Any] | None
    history: list[dict[str, Scalar]]
    importances: list[float] | None
    shares: list[list[float]] | None
    record: TrainingRecord
    rows_seen: int
    cross_validation: _CrossValidation | None


class _Document(_Needed, total=False):
    threshold: float | None


def check_json(value: Any, hint: Any, where: str) -> None:
    """Refuse a value of JSON that is not what a type hint says, or that has such a value in it.

    Parameters
    ----------
    value : what `json.loads` gave.
    hint : a simple type, list[...], dict[str, ...], a TypedDict, a dataclass, a union of these, or Any.
    where : what the message calls the value.

    Raises
    ------
    ValueError : says where the first such value is.
    """
    kind = next((kind for kind in _options(hint) if _is_of(value, kind)), None)
    _require(kind is not None, f"{where} is not as it must be")
    inner = get_args(kind)
    if get_origin(kind) is list:
        for i, item in enumerate(value):
            if inner[0] not in SIMPLE or not _is_of(item, inner[0]):  # many lists are long, and of numbers or text
                check_json(item, inner[0], f"{where}[{i}]")
    elif get_origin(kind) is dict:
        for key, item in value.items():
            check_json(item, inner[1], f"{where}.{key}")
    elif is_typeddict(kind) or dataclasses.is_dataclass(kind):
        hints = _hints_of(kind)
        _require(_required(kind) <= value.keys(), f"{where} lacks something")
        for key in hints.keys() & value.keys():
            check_json(value[key], hints[key], f"{where}.{key}")


def check_document(document: Any) -> None:
    """Refuse a document whose values are not of the types that the model's parts have.

    Raises
    ------
    ValueError : says where the first such value is.
    """
    check_json(document, _Document, "document")
    record = document["record"]
    _require(record["seconds"].keys() >= set(DURATIONS), "a duration is missing")
    _require(0 <= record.get("pruned_inputs", 0) < 2**31, "pruned_inputs is no number of inputs")
    check_json(record.get("csv", {}), CsvOptions, "document.record.csv")
    CsvOptions(**record.get("csv", {})).check()
    folds = document["cross_validation"]
    for of_fold in (folds and folds["models"]) or ():
        _require(of_fold.get("cross_validation") is None, "a fold's model is cross-validated itself")
    for shares in document["shares"] or ():
        _require(all(0 <= share <= 1 for share in shares) and any(shares), "shares are not from 0 to 1")


def checked_parameters(stored: Mapping[str, Any]) -> Parameters:
    """The parameters of a document, if each can have its value; functions stay names, so that nothing is imported.

    Raises
    ------
    ValueError : they cannot.
    """
    names = {name: value for name, value in stored.items() if name in (*FUNCTIONS, *MODELS, *FRAMES)}
    check_json(names, dict[str, str | None], "parameters")
    others = {name: value for name, value in stored.items() if name not in names}
    parameters = dataclasses.replace(read(Parameters, others), **names)
    ratios = parameters.hidden_dropout_ratios
    _require(ratios is None or len(ratios) == len(parameters.hidden), "dropout ratios are not as many as hidden layers")
    return parameters


def check_encoder(encoder: RowEncoder) -> None:
    """Refuse an encoder that could not encode rows.

    Raises
    ------
    ValueError : says what is wrong.
    """
    numeric = encoder.numeric
    _require(_are_distinct(encoder.predictors), "two predictors have the same name")
    _require(len(encoder.levels) <= len(encoder.predictors), "there are levels of no predictor")
    _require(all(map(_are_distinct, encoder.levels)), "two levels of a predictor are the same")
    statistics = (encoder.subtrahend, encoder.multiplier, encoder.imputed)
    _require(all(numbers.shape == (len(numeric),) for numbers in statistics), "numeric predictors lack their numbers")
    _require(bool(encoder.multiplier.all()), "a predictor is multiplied by 0")
    with np.errstate(over="ignore"):
        missing = ((encoder.imputed - encoder.subtrahend) * encoder.multiplier).astype(np.float32)
    _require(bool(np.isfinite(missing).all()), "a missing number cannot be encoded")
    _require(encoder.missing_seen.shape == (len(encoder.levels),), "missing_seen is not as many as levels")
    _require(set(encoder.times) <= set(numeric), "a time is no numeric predictor")
    _require(encoder.n_slots is None or 0 < encoder.n_slots < 2**31, "n_slots is no number of inputs")
    levels = dict(zip(encoder.categorical, encoder.levels, strict=True))
    made = [new for replacement in encoder.recoding.replacements.values() for new in replacement.columns]
    _require(_are_distinct(made) and set(made) <= set(encoder.predictors), "what columns become is no predictor")
    for replacement in encoder.recoding.replacements.values():
        _require(_are_distinct(replacement.levels), "two levels to replace are the same")
        for new, column in replacement.columns.items():
            n_rows = len(replacement.levels) + replacement.with_unseen + 1
            _require(column.values.shape == (n_rows,), "a level is not replaced")
            _require(column.levels == levels.get(new), "what a column becomes has other levels")
            if column.levels is not None:
                codes = column.values
                _require(bool(((codes >= -1) & (codes < len(column.levels))).all()), "a level becomes none that exists")


def check_response(response: ResponseEncoder | None, parameters: Parameters) -> None:
    """Refuse a response that the parameters are not for.

    Raises
    ------
    ValueError : says what is wrong.
    """
    _require(parameters.autoencoder == (response is None), "autoencoders have no response, and others need one")
    if response is not None:
        are_numbers = parameters.distribution in REGRESSION_LOSSES
        _require(are_numbers == (response.levels is None), f"distribution {parameters.distribution} is for others")
        _require(response.levels is None or len(response.levels) > 1, "there must be two classes or more")
        _require(_are_distinct(response.levels or ()), "two classes are the same")
        _require(response.multiplier != 0, "the response is multiplied by 0")


def check_metrics(values: Mapping[str, Any], kind: type[Metrics], classes: Sequence[str] | None) -> None:
    """Refuse metrics that could not be shown, or predicted by.

    Raises
    ------
    ValueError : says what is wrong.
    """
    check_json(values, dict[str, Metric], "metrics")
    for key in ("nobs", "mse", *(key for key in kind.first_shown if key in values)):
        check_json(values.get(key, ""), float | None, key)
    if kind is BinomialMetrics:
        check_json(values.get("threshold"), float, "threshold")
        for table in ("thresholds_and_metric_scores", "max_criteria_and_metric_scores"):
            check_json(values.get(table), list[dict[str, Scalar]], table)
    if classes is not None:
        confusion = values.get("confusion_matrix", {})
        check_json(confusion, _ConfusionMatrix, "confusion_matrix")
        _require(confusion["labels"] == list(classes), "the confusion matrix is of other classes")
        sizes = {len(classes), len(confusion["matrix"]), *map(len, confusion["matrix"])}
        _require(sizes == {len(classes)}, "the confusion matrix is not square")


def check_sizes(
    layout: Layout,
    arrays: Mapping[str, np.ndarray],
    importances: Sequence[float] | None,
    shares: Sequence[Sequence[float]] | None,
) -> None:
    """Refuse a layout of more parameters than there are numbers, before it takes memory, and parts of other sizes.

    Raises
    ------
    ValueError : says what is wrong.
    """
    # A row of weights is padded to a multiple of LANES.
    _require(layout.weights[-1] <= LANES * sum(array.size for array in arrays.values()), "there are too few weights")
    _require(importances is None or len(importances) == layout.sizes[0], "importances are not as many as inputs")
    _require(
        shares is None or [len(of_classes) for of_classes in shares] == [layout.sizes[-1]] * 2,
        "shares are not as many as classes",
    )


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value is of a kind, whatever is in it; numbers must be finite and fit in 64 bits."""
    if kind is Any:
        return True
    if kind is int:
        return type(value) is int and abs(value) < 2**63
    if kind is float:
        return type(value) in (int, float) and abs(value) < math.inf
    if kind in (str, bool, types.NoneType):
        return type(value) is kind
    return isinstance(value, get_origin(kind) or dict)


@functools.cache
def _options(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the one hint."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


@functools.cache
def _hints_of(kind: Any) -> dict[str, Any]:
    """The type hint of each key."""
    return get_type_hints(kind)


def _required(kind: Any) -> frozenset[str]:
    """The keys that must be there."""
    if is_typeddict(kind):
        return kind.__required_keys__
    empty = dataclasses.MISSING
    return frozenset(
        field.name for field in dataclasses.fields(kind) if field.default is empty and field.default_factory is empty
    )


def _are_distinct(names: Sequence[str]) -> bool:
    """Whether no two are the same."""
    return len(set(names)) == len(names)


def _require(holds: bool, otherwise: str) -> None:
    """Raise a ValueError unless something holds."""
    if not holds:
        raise ValueError(otherwise)
