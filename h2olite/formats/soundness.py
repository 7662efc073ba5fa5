"""Whether the contents of a file fit together, whoever wrote it, before anything is made of them."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import NoneType
from typing import Any, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np

from h2olite.data.csv_options import CsvOptions
from h2olite.data.curves import Knots, PiecewiseLinear, Quantile
from h2olite.data.encoding import RowEncoder
from h2olite.kernels.lanes import LANES
from h2olite.kernels.layout import Layout
from h2olite.kinds.update_rules import update_rule_of
from h2olite.metrics import AutoEncoderMetrics, BinomialMetrics, Metrics, MultinomialMetrics, RegressionMetrics
from h2olite.network.network import Network
from h2olite.settings.parameters import FRAMES, FUNCTIONS, MODELS, Parameters
from h2olite.settings.plain import given_of
from h2olite.settings.validation import read
from h2olite.trained.layers import RATES
from h2olite.trained.parts import are_distinct, require
from h2olite.trained.record import DURATIONS, TrainingRecord
from h2olite.training.history import history_row

from .background import StoredBackground

SIMPLE = frozenset({int, float, str, bool})

LARGEST_HEIGHT = 20.0
"""Normal quantiles, and differences of two, are below it: that of the least float64 is -38, but no rank is as small."""

MOST_COUNTED = 2**53
"""Rows that a training may have seen: what is counted from there on still fits in 64 bits, and in a float64."""

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


class _Bent(TypedDict):
    kind: str
    bent: list[bool]


class _Curves(_Bent, total=False):
    knots: list[list[float]]
    heights: list[list[float]]
    origin: list[int]
    missing: list[bool]


class _EncoderOfOlderFiles(TypedDict):
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


class _Encoder(_EncoderOfOlderFiles, total=False):
    curves: _Curves | None


class _Response(TypedDict):
    name: str
    levels: list[str] | None
    subtrahend: float
    multiplier: float


class _Source(TypedDict):
    path: str
    csv: CsvOptions


class _Frame(TypedDict):
    source: _Source | None
    rows: int
    columns: dict[str, str]
    digest: str


class _Origin(TypedDict):
    given: dict[str, Any] | None
    training_frame: _Frame
    validation_frame: _Frame | None
    packages: dict[str, str]


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
    history: list[dict[str, Any]]
    importances: list[float] | None
    shares: list[list[float]] | None
    record: TrainingRecord
    rows_seen: int
    cross_validation: _CrossValidation | None


class _Document(_Needed, total=False):
    threshold: float | None
    column_importances: list[float] | None
    rates: list[dict[str, float]] | None
    background: StoredBackground | None
    n_updates: int


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
    require(kind is not None, f"{where} is not as it must be")
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
        require(_required(kind) <= value.keys(), f"{where} lacks something")
        require(is_typeddict(kind) or value.keys() <= hints.keys(), f"{where} has something unknown")
        for key in hints.keys() & value.keys():
            check_json(value[key], hints[key], f"{where}.{key}")


def check_like(value: Any, example: Any, where: str) -> None:
    """Refuse a value of JSON that is not built like an example.

    Mappings must have its keys, lists entries like its first one; text must be text, and a number a number or None.

    Raises
    ------
    ValueError : says where the first difference is.
    """
    if isinstance(example, dict):
        require(isinstance(value, dict) and example.keys() <= value.keys(), f"{where} lacks something")
        for key, inner in example.items():
            check_like(value[key], inner, f"{where}.{key}")
    elif isinstance(example, list):
        require(isinstance(value, list), f"{where} is no list")
        for item in value:
            check_like(item, example[0], where)
    else:
        kinds = (str,) if isinstance(example, str) else (float, NoneType)
        require(any(_is_of(value, kind) for kind in kinds), f"{where} is not as it must be")


def check_document(document: Any) -> None:
    """Refuse a document whose values are not of the types that the model's parts have.

    Raises
    ------
    ValueError : says where the first such value is.
    """
    check_json(document, _Document, "document")
    record = document["record"]
    require(record["seconds"].keys() >= set(DURATIONS), "a duration is missing")
    counts = [document["rows_seen"], document.get("n_updates", 0)]
    counts += [value for name, value in record.items() if type(value) in (int, float) and name != "largest_output"]
    require(all(0 <= count <= MOST_COUNTED for count in counts), "a number of rows, inputs or epochs is out of range")
    if record.get("origin") is not None:
        check_json(record["origin"], _Origin, "origin")
        checked_parameters(given_of(record["origin"]))
    require(bool(document["encoder"]["predictors"] or record.get("unused")), "there are no predictors")
    check_history(document["history"])
    threshold = document.get("threshold")
    require(threshold is None or 0 <= threshold <= 1, "the threshold is no probability")
    check_json(record.get("csv", {}), CsvOptions, "document.record.csv")
    CsvOptions(**record.get("csv", {})).check()
    folds = document["cross_validation"]
    for of_fold in (folds and folds["models"]) or ():
        require(of_fold.get("cross_validation") is None, "a fold's model is cross-validated itself")
    for shares in document["shares"] or ():
        require(all(0 <= share <= 1 for share in shares) and any(shares), "shares are not from 0 to 1")


def checked_parameters(stored: Mapping[str, Any]) -> Parameters:
    """The parameters of a document, if each can have its value; functions stay names, so that nothing is imported.

    Raises
    ------
    ValueError : they cannot.
    """
    names = {name: value for name, value in stored.items() if name in (*FUNCTIONS, *MODELS, *FRAMES)}
    check_json(names, dict[str, str | None], "parameters")
    others = {name: value for name, value in stored.items() if name not in names}
    return dataclasses.replace(read(Parameters, others), **names)


def check_encoder(encoder: RowEncoder) -> None:
    """Refuse an encoder that could not encode rows.

    Raises
    ------
    ValueError : says what is wrong.
    """
    numeric = encoder.numeric
    require(are_distinct(encoder.predictors), "two predictors have the same name")
    require(len(encoder.levels) <= len(encoder.predictors), "there are levels of no predictor")
    require(all(map(are_distinct, encoder.levels)), "two levels of a predictor are the same")
    statistics = (encoder.subtrahend, encoder.multiplier, encoder.imputed)
    require(all(numbers.shape == (len(numeric),) for numbers in statistics), "numeric predictors lack their numbers")
    require(bool(encoder.multiplier.all()), "a predictor is multiplied by 0")
    with np.errstate(over="ignore"):
        missing = ((encoder.imputed - encoder.subtrahend) * encoder.multiplier).astype(np.float32)
    require(bool(np.isfinite(missing).all()), "a missing number cannot be encoded")
    check_curves(encoder)
    require(encoder.missing_seen.shape == (len(encoder.levels),), "missing_seen is not as many as levels")
    require(set(encoder.times) <= set(numeric), "a time is no numeric predictor")
    # Levels are hashed where that makes them fewer inputs.
    require(encoder.n_slots is None or 0 < encoder.n_slots < encoder.cat_offsets[-1], "n_slots is no number of inputs")
    levels = dict(zip(encoder.categorical, encoder.levels, strict=True))
    made = [new for replacement in encoder.recoding.replacements.values() for new in replacement.columns]
    require(are_distinct(made) and set(made) <= set(encoder.predictors), "what columns become is no predictor")
    for replacement in encoder.recoding.replacements.values():
        require(are_distinct(replacement.levels), "two levels to replace are the same")
        for new, column in replacement.columns.items():
            n_rows = len(replacement.levels) + replacement.with_unseen + 1
            require(column.values.shape == (n_rows,), "a level is not replaced")
            require(column.levels == levels.get(new), "what a column becomes has other levels")
            if column.levels is not None:
                codes = column.values
                require(bool(((codes >= -1) & (codes < len(column.levels))).all()), "a level becomes none that exists")


def check_curves(encoder: RowEncoder) -> None:
    """Refuse curves that could not encode the numeric predictors.

    Raises
    ------
    ValueError : says what is wrong.
    """
    curves = encoder.curves
    if curves is None:
        return
    n_numeric = len(encoder.numeric)
    require(curves.bent.shape == (n_numeric,), "curves are of other predictors")
    require(
        not any(curves.bent[j] for j, name in enumerate(encoder.numeric) if name in encoder.recoding.sources),
        "what a level becomes is bent",
    )
    if not isinstance(curves, Knots):
        return
    require(len(curves.knots) == n_numeric, "a predictor lacks its knots")
    for knots, is_bent in zip(curves.knots, curves.bent, strict=True):
        require(
            knots.ndim == 1 and bool(np.isfinite(knots).all() and (np.diff(knots) > 0).all()), "knots do not ascend"
        )
        require(knots.size > 1 if is_bent else knots.size == 0, "a predictor has knots exactly where it is bent")
    if isinstance(curves, Quantile):
        require(list(map(np.shape, curves.heights)) == list(map(np.shape, curves.knots)), "a knot has no height")
        largest = max((np.abs(heights).max(initial=0.0) for heights in curves.heights), default=0.0)
        require(bool(largest < LARGEST_HEIGHT), "a height is no normal quantile")
    if isinstance(curves, PiecewiseLinear):
        require(curves.origin.shape == curves.missing.shape == (n_numeric,), "curves are of other predictors")
        require(not (curves.missing & ~curves.bent).any(), "what is not bent has an input for missing numbers")
        for knots, origin in zip(curves.knots, curves.origin.tolist(), strict=True):
            require(
                origin == -1 or (0 <= origin < knots.size and knots[origin] == 0), "the knot without a hat is not 0"
            )


def check_column_importances(importances: Sequence[float] | None, encoder: RowEncoder) -> None:
    """Refuse importances of other columns than the encoder's.

    Raises
    ------
    ValueError : they are not as many.
    """
    require(importances is None or encoder.n_slots is None, "columns that share inputs have importances")
    require(importances is None or len(importances) == len(encoder.column_groups), "a column has no importance")


def check_rates(rates: Sequence[Mapping[str, float]] | None, layout: Layout) -> None:
    """Refuse learning rates that are not those of the layers.

    Raises
    ------
    ValueError : they are not.
    """
    if rates is not None:
        require(len(rates) == len(layout.widths), "there are rates of other layers")
        require(all(set(of_layer) in (set(), set(RATES)) for of_layer in rates), "rates are not what they must be")


def check_numbers(network: Network, parameters: Parameters) -> None:
    """Refuse numbers that training would have ended at, or that it could not go on from.

    Raises
    ------
    ValueError : says what is wrong.
    """
    layer = network.unbounded_layer(largest_target=np.inf)  # how large the responses were is not known
    require(layer is None, f"the weights of layer {(layer or 0) + 1} are beyond all bounds")
    state = [network.iterate, network.first, network.second, network.activity, network.last]
    require(all(flat is None or bool(np.isfinite(flat).all()) for flat in state), "what training left is not finite")
    rule = update_rule_of(parameters.update_rule, parameters.adaptive_rate)
    squares = (getattr(network, memory) for memory in rule.squares)
    require(all(bool((flat >= 0).all()) for flat in squares), "a mean of squares is below 0")


def check_metrics(values: Mapping[str, Any], kind: type[Metrics], classes: Sequence[str] | None) -> None:
    """Refuse metrics that are not laid out as those of a measurement are, or of other classes.

    Raises
    ------
    ValueError : says what is wrong.
    """
    check_json(values, dict[str, Metric], "metrics")
    check_like(values, _example(kind.category), "metrics")
    check_json(values["nobs"], float, "nobs")
    if kind is BinomialMetrics:
        check_json(values["threshold"], float, "threshold")
        require(0 <= values["threshold"] <= 1, "the threshold is no probability")
        require(bool(values["thresholds_and_metric_scores"]), "there are no thresholds")
        named = {row["metric"] for row in values["max_criteria_and_metric_scores"]}
        criteria = {row["metric"] for row in _example(kind.category)["max_criteria_and_metric_scores"]}
        require(criteria <= named, "a criterion is missing")
    if classes is not None:
        confusion = values["confusion_matrix"]
        check_json(confusion, _ConfusionMatrix, "confusion_matrix")
        require(confusion["labels"] == list(classes), "the confusion matrix is of other classes")
        sizes = {len(classes), len(confusion["matrix"]), *map(len, confusion["matrix"])}
        require(sizes == {len(classes)}, "the confusion matrix is not square")


def check_history(history: Sequence[Mapping[str, Scalar]]) -> None:
    """Refuse a scoring history with rows that no measurement writes.

    Raises
    ------
    ValueError : says what is wrong.
    """
    usual = history_row(0.0, 0.0, 0, 0, 0.0)
    for row in history:
        check_like(row, usual, "history")
        numbers = [row[name] for name in row if name != "timestamp"]
        require(all(_is_of(number, float) or number is None for number in numbers), "a measurement is no number")
        require(None not in itemgetter("duration", "epochs")(row), "a measurement has no time")


def check_folds(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray], columns: Sequence[str]) -> None:
    """Refuse what is told of cross-validation if its parts are not of the same folds and rows.

    columns : of the predictions.

    Raises
    ------
    ValueError : says what is wrong.
    """
    by_fold, models, kept = document["by_fold"], document["models"], document["predictions"]
    require(bool(by_fold) and all(fold.keys() == by_fold[0].keys() for fold in by_fold), "folds were measured unlike")
    require(models is None or len(models) == len(by_fold), "models are not as many as folds")
    require(kept is None or list(kept) == list(columns), "predictions have other columns")
    folds = arrays.get("folds")
    lengths = {len(folds)} if folds is not None else set()
    if folds is not None:
        require(folds.ndim == 1 and folds.dtype.kind == "i", "folds are no numbers")
        require(bool(((folds >= 0) & (folds < len(by_fold))).all()), "a row is of no fold")
    for i, name in enumerate(kept or ()):
        values = arrays[f"predictions.{i}"]
        require(values.ndim == 1 and values.dtype.kind in "if", "predictions are no numbers")
        lengths.add(len(values))
        if name == "predict" and len(columns) > 1:
            require(values.dtype.kind == "i", "predictions are no classes")
            require(bool(((values >= -1) & (values < len(columns) - 1)).all()), "a predicted class does not exist")
    require(len(lengths) <= 1 and (kept is None or folds is not None), "folds and predictions are not as many")


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
    own = [arrays[f"layer{i}.{part}"].size for i in range(1, len(layout.sizes)) for part in ("weights", "biases")]
    require(layout.weights[-1] <= LANES * sum(own), "there are too few weights")  # whose rows are padded to LANES
    require(importances is None or len(importances) == layout.sizes[0], "importances are not as many as inputs")
    require(
        shares is None or [len(of_classes) for of_classes in shares] == [layout.sizes[-1]] * 2,
        "shares are not as many as classes",
    )


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value is of a kind, whatever is in it; numbers must be finite and fit in 64 bits."""
    if kind is Any:
        return True
    if kind in (int, float):
        is_whole = type(value) is int and abs(value) < 2**63
        return is_whole or (kind is float and type(value) is float and math.isfinite(value))
    if kind in (str, bool, NoneType):
        return type(value) is kind
    return isinstance(value, get_origin(kind) or dict)


@functools.cache
def _example(category: str) -> dict[str, Any]:
    """Metrics of models of this category, as a file keeps them."""
    actual, probabilities = np.array([0, 1]), np.array([[0.8, 0.2], [0.2, 0.8]])
    match category:
        case "Binomial":
            return BinomialMetrics.from_predictions(actual, probabilities[:, 1], levels=("a", "b")).to_json()
        case "Multinomial":
            return MultinomialMetrics.from_predictions(actual, probabilities, levels=("a", "b")).to_json()
        case "Regression":
            return RegressionMetrics.from_predictions(actual.astype(np.float64), probabilities[:, 1]).to_json()
    return AutoEncoderMetrics.from_errors(actual.astype(np.float64)).to_json()


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
