"""What is done to columns cell by cell, and what sums them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from h2olite.data.table import number_text, with_ordered_levels
from h2olite.errors import DataError, ParameterError
from h2olite.settings.parameters import nearest

from . import transfer
from .frames import from_numbers
from .rows import key_columns
from .store import Store

Operand = Any
"""A column, a number, a text, a truth value, or None for a missing one."""

COMPARISONS: dict[str, Callable[..., Any]] = {
    **{"==": pc.equal, "!=": pc.not_equal},
    **{"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal},
}

ARITHMETIC: dict[str, Callable[..., np.ndarray]] = {
    **{"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power},
    **{"%%": np.mod, "%/%": np.floor_divide},
}

KEEP_INTEGERS = frozenset({"+", "-", "*", "%%", "%/%"})
"""What makes integers of integers."""

MATHEMATICS: dict[str, Callable[..., np.ndarray]] = {
    **{name: getattr(np, name) for name in ("abs", "sqrt", "exp", "expm1", "log", "log10", "log2", "log1p", "floor")},
    **{name: getattr(np, name) for name in ("trunc", "sign", "cos", "sin", "tan", "cosh", "sinh", "tanh", "cumsum")},
    **{"cumprod": np.cumprod, "cummin": np.minimum.accumulate, "cummax": np.maximum.accumulate},
    **{"ceiling": np.ceil, "acos": np.arccos, "asin": np.arcsin, "atan": np.arctan, "-": np.negative},
}

TEXTS: dict[str, Callable[..., Any]] = {
    **{"toupper": pc.utf8_upper, "tolower": pc.utf8_lower, "trim": pc.utf8_trim_whitespace},
}


def binary(store: Store, op: str, left: Any, right: Any) -> pa.Table:
    """Two frames, or a frame and one value, cell by cell; a frame of one column goes with every column of the other."""
    frames = [side for side in (left, right) if isinstance(side, pa.Table)]
    widest = max(frames, key=lambda frame: frame.num_columns)
    if len({frame.num_columns for frame in frames} - {1}) > 1 or len({frame.num_rows for frame in frames}) > 1:
        shapes = " and ".join(f"{frame.num_rows} x {frame.num_columns}" for frame in frames)
        raise DataError(f"frames must have equally many rows and columns for {op}; got {shapes}.")
    sides = [_columns(side, widest.num_columns) for side in (left, right)]
    columns = [_binary(op, one, other) for one, other in zip(*sides, strict=True)]
    return pa.table(columns, names=widest.column_names)


def _columns(side: Any, count: int) -> list[Operand]:
    """One operand for each column of the result."""
    if not isinstance(side, pa.Table):
        return [side] * count
    return [side.column(0)] * count if side.num_columns == 1 else list(side.columns)


def _binary(op: str, left: Operand, right: Operand) -> pa.Array:
    """One column of the result."""
    if op in COMPARISONS:
        return COMPARISONS[op](*_comparable(op, left, right)).cast(pa.int32())
    if op in ("&", "|"):
        function = pc.and_kleene if op == "&" else pc.or_kleene
        return function(_truth(left), _truth(right)).cast(pa.int32())
    if op not in ARITHMETIC:
        raise ParameterError(f"frames know no {op!r}.")
    numbers = [_operand(side, op) for side in (left, right)]
    with np.errstate(all="ignore"):
        result = ARITHMETIC[op](*numbers)
    whole = op in KEEP_INTEGERS and all(map(_is_whole, (left, right)))
    return from_numbers(np.asarray(result, np.float64), whole=whole)


def _comparable(op: str, left: Operand, right: Operand) -> tuple[Any, Any]:
    """Both sides as texts, if one is, or as numbers."""
    is_text = [_is_text(side) for side in (left, right)]
    if any(is_text):
        if op not in ("==", "!="):
            raise DataError(f"factors and texts can be compared by == and != only; got {op}: convert them to numbers.")
        if not all(is_text):
            number = right if is_text[0] else left
            if isinstance(number, pa.ChunkedArray):
                raise DataError("a column of numbers and one of texts cannot be compared; convert one by as.numeric.")
        return _as_text(left), _as_text(right)
    return _as_scalar(left), _as_scalar(right)


def _is_text(side: Operand) -> bool:
    """Whether an operand is text or a factor."""
    if isinstance(side, pa.ChunkedArray):
        return transfer.kind_of(side.type) in transfer.INDEXED
    return isinstance(side, str)


def _as_text(side: Operand) -> Any:
    """An operand as text."""
    if isinstance(side, pa.ChunkedArray):
        return side.cast(pa.string())
    if side is None or isinstance(side, str):
        return pa.scalar(side, pa.string())
    return pa.scalar(str(side).upper() if isinstance(side, bool) else number_text(float(side)))


def _as_scalar(side: Operand) -> Any:
    """An operand as numbers."""
    if isinstance(side, pa.ChunkedArray):
        return from_numbers(transfer.numbers_of(side))
    return pa.scalar(None if side is None else float(side), pa.float64())


def _truth(side: Operand) -> Any:
    """An operand as booleans: whether its numbers are not 0."""
    if isinstance(side, pa.ChunkedArray):
        return pc.not_equal(from_numbers(_operand(side, "&")), 0.0)
    return pa.scalar(None if side is None else bool(side), pa.bool_())


def _operand(side: Operand, op: str) -> Any:
    """An operand of arithmetic."""
    if isinstance(side, pa.ChunkedArray):
        return numeric(side, op)
    if isinstance(side, str):
        raise DataError(f"{op} needs numbers; got the text {side!r}.")
    return np.nan if side is None else float(side)


def numeric(column: pa.ChunkedArray, what: str) -> np.ndarray:
    """The numbers of a column.

    Raises
    ------
    DataError : it is a factor or text.
    """
    if transfer.kind_of(column.type) in transfer.INDEXED:
        raise DataError(f"{what} needs numbers; got a column of texts: convert it by as.numeric.")
    return transfer.numbers_of(column)


def _is_whole(side: Operand) -> bool:
    """Whether an operand is of whole numbers."""
    if isinstance(side, pa.ChunkedArray):
        return pa.types.is_integer(side.type) or pa.types.is_boolean(side.type)
    return isinstance(side, int | float) and float(side).is_integer()


def unary(store: Store, op: str, frame: pa.Table) -> pa.Table:
    """Every cell of a frame changed by a function of numbers or texts; ``!`` and ``is.na`` give 0 and 1."""
    return pa.table([_unary(op, column) for column in frame.columns], names=frame.column_names)


def _unary(op: str, column: pa.ChunkedArray) -> Any:
    """One column of the result."""
    if op == "is.na":
        return column.is_null(nan_is_null=True).cast(pa.int32())
    if op == "!":
        return pc.invert(_truth(column)).cast(pa.int32())
    if op in TEXTS:
        changed = TEXTS[op](column.cast(pa.string()))
        return changed.dictionary_encode() if pa.types.is_dictionary(column.type) else changed
    if op not in MATHEMATICS:
        raise ParameterError(f"frames know no {op!r}{nearest(op, MATHEMATICS)}")
    with np.errstate(all="ignore"):
        return from_numbers(np.asarray(MATHEMATICS[op](numeric(column, op)), np.float64), whole=op in ("abs", "-"))


def rounded(store: Store, frame: pa.Table, digits: int = 0, significant: bool = False) -> pa.Table:
    """Numbers to so many digits after the point, or so many significant ones."""

    def shorten(numbers: np.ndarray) -> np.ndarray:
        if not significant:
            return np.round(numbers, int(digits))
        return np.array([float(f"{number:.{max(int(digits), 1)}g}") for number in numbers.tolist()])

    columns = [from_numbers(shorten(numeric(column, "round"))) for column in frame.columns]
    return pa.table(columns, names=frame.column_names)


def ifelse(store: Store, test: pa.Table, yes: Any, no: Any) -> pa.Table:
    """From each row of `yes` or `no`, by whether `test` is not 0; texts and factors give a factor."""
    truth = _truth(test.column(0))
    sides: list[Any] = [side.column(0) if isinstance(side, pa.Table) else side for side in (yes, no)]
    if any(map(_is_text, sides)):
        chosen = pc.if_else(truth, *map(_as_text, sides))
        return pa.table({test.column_names[0]: sorted_factor(pa.chunked_array([chosen]))})
    whole = all(map(_is_whole, sides))
    chosen = pc.if_else(truth, *map(_as_scalar, sides))
    numbers = transfer.numbers_of(pa.chunked_array([chosen] if isinstance(chosen, pa.Array) else chosen.chunks))
    return pa.table({test.column_names[0]: from_numbers(numbers, whole=whole)})


def as_factor(store: Store, frame: pa.Table) -> pa.Table:
    """Columns as factors: texts sorted, numbers by size, as training would take them."""
    return pa.table([_factor(column) for column in frame.columns], names=frame.column_names)


def _factor(column: pa.ChunkedArray) -> Any:
    """One column as a factor."""
    kind = transfer.kind_of(column.type)
    if kind == "factor":
        return column
    if kind == "character":
        return sorted_factor(column)
    if kind == "logical":
        codes = column.cast(pa.int32())
        whole = codes.combine_chunks() if codes.num_chunks != 1 else codes.chunk(0)
        return pa.DictionaryArray.from_arrays(whole, pa.array(["FALSE", "TRUE"]))
    if kind not in ("integer", "integer64", "double"):
        raise DataError("as.factor takes numbers, texts and logical values; got times: convert them first.")
    numbers = transfer.numbers_of(column)
    present = ~np.isnan(numbers)
    distinct, places = np.unique(numbers[present], return_inverse=True)
    codes = np.zeros(len(numbers), np.int32)
    codes[present] = places
    levels = pa.array([number_text(number) for number in distinct.tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=~present), levels)


def for_model(frame: pa.Table) -> pa.Table:
    """A frame whose logical columns are factors of FALSE and TRUE, as R calls these classes."""
    for index, (name, column) in enumerate(zip(frame.column_names, frame.columns, strict=True)):
        if transfer.kind_of(column.type) == "logical":
            frame = frame.set_column(index, name, _factor(column))
    return frame


def sorted_factor(column: pa.ChunkedArray) -> pa.Array:
    """Texts as a factor with its levels by code point."""
    encoded = transfer.as_dictionary(column)
    codes = pc.fill_null(encoded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    ordered = with_ordered_levels(codes, encoded.dictionary.to_pylist(), forced=False)
    return pa.DictionaryArray.from_arrays(
        pa.array(ordered.values, mask=ordered.values < 0), pa.array(list(ordered.levels or ()), pa.string())
    )


def as_numeric(store: Store, frame: pa.Table) -> pa.Table:
    """Columns as numbers: levels that are numbers as these, other factors as the index of the level from 0, as H2O."""
    return pa.table([_numeric(column) for column in frame.columns], names=frame.column_names)


def _numeric(column: pa.ChunkedArray) -> Any:
    """One column as numbers."""
    kind = transfer.kind_of(column.type)
    if kind not in transfer.INDEXED:
        return from_numbers(transfer.numbers_of(column), whole=kind in ("logical", "integer"))
    encoded = transfer.as_dictionary(column)
    numbers = np.array([_number(text) for text in encoded.dictionary.to_pylist()] + [np.nan])
    codes = pc.fill_null(encoded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    if kind == "factor" and np.isnan(numbers[:-1]).any():
        return from_numbers(np.where(codes < 0, np.nan, codes), whole=True)
    return from_numbers(numbers[codes], whole=True)


def _number(text: str) -> float:
    """The number that a text is, else NaN."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def as_character(store: Store, frame: pa.Table) -> pa.Table:
    """Columns as texts."""

    def convert(column: pa.ChunkedArray) -> Any:
        kind = transfer.kind_of(column.type)
        return column.cast(pa.string()) if kind in transfer.INDEXED else _factor(column).cast(pa.string())

    return pa.table([convert(column) for column in frame.columns], names=frame.column_names)


def levels(store: Store, frame: pa.Table) -> list[list[str] | None]:
    """The levels of each column, None for one that is no factor."""
    return [
        transfer.as_dictionary(column).dictionary.to_pylist() if pa.types.is_dictionary(column.type) else None
        for column in frame.columns
    ]


def set_levels(store: Store, frame: pa.Table, levels: Sequence[str], match: bool = False) -> pa.Table:
    """A factor with other levels.

    match : keep every row's text and give the levels this order; otherwise the old levels are renamed, in order.
    """
    encoded = transfer.as_dictionary(frame.column(0))
    old, new = encoded.dictionary.to_pylist(), list(levels)
    if match:
        if not set(old) <= set(new):
            raise DataError(f"the levels must hold those there are; {sorted(set(old) - set(new))[0]!r} is missing.")
        lookup = np.array([*(new.index(level) for level in old), -1], np.int32)
        codes = lookup[pc.fill_null(encoded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)]
        indices: Any = pa.array(codes, mask=codes < 0)
    else:
        if len(new) < len(old):
            raise DataError(f"the levels must be {len(old)} texts, one for each level there is; got {len(new)}.")
        indices = encoded.indices
    return pa.table({frame.column_names[0]: pa.DictionaryArray.from_arrays(indices, pa.array(new, pa.string()))})


REDUCTIONS: dict[str, Callable[..., Any]] = {
    **{"mean": np.mean, "sum": np.sum, "min": np.min, "max": np.max, "median": np.median, "prod": np.prod},
    **{"var": lambda numbers: np.var(numbers, ddof=1) if numbers.size > 1 else np.nan},
    **{"sd": lambda numbers: np.std(numbers, ddof=1) if numbers.size > 1 else np.nan},
    **{"any": lambda numbers: float((numbers != 0).any()), "all": lambda numbers: float((numbers != 0).all())},
}


def reduce(store: Store, frame: pa.Table, op: str, na_rm: bool = False) -> list[float]:
    """One number for each column; NaN for a factor, and where numbers are missing unless `na_rm`."""
    return [_reduced(op, column, na_rm) for column in frame.columns]


def _reduced(op: str, column: pa.ChunkedArray, na_rm: bool) -> float:
    """The number of one column."""
    if transfer.kind_of(column.type) in transfer.INDEXED:
        return np.nan
    numbers = transfer.numbers_of(column)
    missing = np.isnan(numbers)
    if missing.any() and not na_rm:
        return np.nan
    numbers = numbers[~missing]
    if not numbers.size and op not in ("sum", "prod", "any", "all"):
        return np.nan
    return float(REDUCTIONS[op](numbers))


def missing(store: Store, frame: pa.Table) -> list[int]:
    """How many cells of each column are missing."""
    return [column.null_count for column in frame.columns]


def quantile(store: Store, frame: pa.Table, probs: Sequence[float]) -> list[list[float]]:
    """Quantiles of each column, by linear interpolation between order statistics (type 7 of R)."""
    return [np.nanquantile(numeric(column, "quantile"), np.atleast_1d(probs)).tolist() for column in frame.columns]


def correlation(
    store: Store, frame: pa.Table, other: pa.Table | None = None, covariance: bool = False, complete: bool = False
) -> Any:
    """Correlations, or covariances, of all columns of a frame with those of another.

    complete : leave out rows with missing values, which otherwise make NaN.
    """
    right = frame if other is None else other
    left = np.column_stack([numeric(column, "cor") for column in frame.columns])
    values = np.column_stack([left, *(numeric(column, "cor") for column in right.columns)])
    if complete:
        values = values[~np.isnan(values).any(axis=1)]
    with np.errstate(all="ignore"):
        matrix = np.cov(values, rowvar=False) if covariance else np.corrcoef(values, rowvar=False)
    return np.atleast_2d(matrix)[: left.shape[1], left.shape[1] :].tolist()


def scale(store: Store, frame: pa.Table, center: bool = True, scale: bool = True) -> pa.Table:
    """Numeric columns less their means, over their standard deviations; others as they are."""

    def scaled(column: pa.ChunkedArray) -> Any:
        if transfer.kind_of(column.type) in transfer.INDEXED:
            return column
        numbers = transfer.numbers_of(column)
        if center:
            numbers -= np.nanmean(numbers)
        if scale and (deviation := np.nanstd(numbers, ddof=1)) > 0:
            numbers /= deviation
        return from_numbers(numbers)

    return pa.table([scaled(column) for column in frame.columns], names=frame.column_names)


def impute(store: Store, frame: pa.Table, column: str, method: str = "mean", by: Sequence[str] = ()) -> dict[str, Any]:
    """A frame with the missing values of a column filled in, and what with.

    method : ``"mean"``, ``"median"`` or ``"mode"``, the most frequent value.
    by : columns; rows with the same values in them are filled from each other.
    """
    old = frame[column]
    is_text = transfer.kind_of(old.type) in transfer.INDEXED
    if is_text and method != "mode":
        raise ParameterError(f"method must be 'mode' for the factor {column!r}; got {method!r}.")
    if method not in ("mean", "median", "mode"):
        raise ParameterError(f"method must be mean, median or mode; got {method!r}.")
    values = transfer.as_dictionary(old).indices.to_pandas() if is_text else pd.Series(transfer.numbers_of(old))
    function: Any = method if method != "mode" else lambda group: next(iter(group.mode()), np.nan)
    if by:
        number = key_columns(frame, by).groupby(list(by), dropna=False).ngroup()
        fill = values.groupby(number).transform(function)
    else:
        fill = pd.Series(np.full(len(values), values.agg(function), np.float64))
    filled = values.fillna(fill).to_numpy(np.float64)
    if is_text:
        dictionary = transfer.as_dictionary(old).dictionary
        codes = np.nan_to_num(filled, nan=-1).astype(np.int32)
        new: Any = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), dictionary)
    else:
        new = from_numbers(filled, whole=pa.types.is_integer(old.type))
    table = frame.set_column(frame.column_names.index(column), column, new)
    used = sorted(set(fill.dropna().tolist()))
    shown = [dictionary[int(code)].as_py() for code in used] if is_text else used
    return transfer.keep(store, table) | {"values": shown}


def describe(store: Store, frame: pa.Table) -> dict[str, list[Any]]:
    """What each column holds, as h2o.describe tells it."""
    rows = [_described(name, column) for name, column in zip(frame.column_names, frame.columns, strict=True)]
    return {key: [row[key] for row in rows] for key in rows[0]} if rows else {}


def _described(name: str, column: pa.ChunkedArray) -> dict[str, Any]:
    """One row of `describe`."""
    kind = transfer.kind_of(column.type)
    row: dict[str, Any] = {"Label": name, "Missing": column.null_count}
    if kind == "character":
        return (
            row | {"Type": "string"} | dict.fromkeys(("Zeros", "PosInf", "NegInf"), 0) | _extremes(np.array([]), None)
        )
    if kind == "factor":
        encoded = transfer.as_dictionary(column)
        codes = encoded.indices.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
        numbers, cardinality = codes, len(encoded.dictionary)
    else:
        numbers, cardinality = transfer.numbers_of(column), None
        numbers = numbers[~np.isnan(numbers)]
    types = {"factor": "enum", "integer": "int", "integer64": "int", "logical": "enum"}
    types |= {"POSIXct": "time", "Date": "time", "double": "real"}
    return (
        row
        | {"Type": types[kind], "Zeros": int((numbers == 0).sum())}
        | {"PosInf": int(np.isposinf(numbers).sum()), "NegInf": int(np.isneginf(numbers).sum())}
        | _extremes(numbers, 2 if kind == "logical" else cardinality)
    )


def _extremes(numbers: np.ndarray, cardinality: int | None) -> dict[str, Any]:
    """Least, largest, mean and deviation of a column, and its number of levels."""
    of_many = cardinality is not None and cardinality > 2
    return {
        "Min": float(numbers.min()) if numbers.size else np.nan,
        "Max": float(numbers.max()) if numbers.size else np.nan,
        "Mean": float(numbers.mean()) if numbers.size and not of_many else np.nan,
        "Sigma": float(numbers.std(ddof=1)) if numbers.size > 1 and not of_many else np.nan,
        "Cardinality": cardinality,
    }


OPERATIONS = {
    "binary": binary,
    "unary": unary,
    "rounded": rounded,
    "ifelse": ifelse,
    "as_factor": as_factor,
    "as_numeric": as_numeric,
    "as_character": as_character,
    "levels": levels,
    "set_levels": set_levels,
    "reduce": reduce,
    "missing": missing,
    "quantile": quantile,
    "correlation": correlation,
    "scale": scale,
    "impute": impute,
    "describe": describe,
}
