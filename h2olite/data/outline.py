"""What encoders must know of a table that nobody sees as a whole: exact summaries of its parts, which can be merged."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np

from h2olite.errors import DataError

from .adaptation import listed
from .encoding import RowEncoder, by_size
from .response import ResponseEncoder, unusable_response
from .sparse import scaling_of
from .summary import NumericSummary, count_levels, summarise
from .table import TRUTH, Column, Kind, Table, order_of_levels


@dataclasses.dataclass(frozen=True, eq=False)
class Outline:
    """What is known of the columns of a part of a table.

    Attributes
    ----------
    n_rows, n_usable : all rows, and those that have a response and a weight above 0.
    kinds : of the columns, in order; None of a column of nothing but missing values.
    levels : of each categorical column, and how many rows have them.
    missing : how many of the usable rows lack a value, by categorical column.
    numbers : statistics of the numeric columns, in order; rows count by their weights, and those of weight 0 do not.
    plain : the same, where all rows count alike.
    response : of a numeric response, less its offsets; weighted. None of classes, or where all values are missing.
    used : how many of the usable rows have each class; empty of numbers.
    """

    n_rows: int
    n_usable: int
    kinds: dict[str, Kind | None]
    levels: dict[str, dict[str, int]]
    missing: dict[str, int]
    numbers: NumericSummary
    plain: NumericSummary
    response: NumericSummary | None
    used: dict[str, int]

    @classmethod
    def of(
        cls, table: Table, response: str, weights: np.ndarray | None = None, offsets: np.ndarray | None = None
    ) -> Outline:
        """The outline of a part.

        weights, offsets : of the rows, shape (n_rows,), if there are any. Offsets are subtracted from numbers.
        """
        target, usable = table[response], rows_in_use(table, response, weights)
        categorical = {name: column for name, column in table.columns.items() if column.levels is not None}
        numeric = [column.values for column in table.columns.values() if column.levels is None]
        kinds: dict[str, Kind | None] = {
            name: column.kind if column.n_missing < table.n_rows else None for name, column in table.columns.items()
        }
        plain = summarise(numeric)
        net = None
        if kinds[response] in ("numeric", "time"):
            net = summarise([target.values if offsets is None else target.values - offsets], weights)
        return cls(
            n_rows=table.n_rows,
            n_usable=int(np.count_nonzero(usable)),
            kinds=kinds,
            levels={name: _counted(column, column.values) for name, column in categorical.items()},
            missing={name: int(np.count_nonzero(column.values[usable] < 0)) for name, column in categorical.items()},
            numbers=plain if weights is None else summarise(numeric, weights),
            plain=plain,
            response=net,
            used=_counted(target, target.values[usable]) if target.is_categorical else {},
        )

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.kinds)

    @property
    def numeric(self) -> list[str]:
        """The names of the columns that `numbers` are of."""
        return [name for name in self.kinds if name not in self.levels]

    def kind(self, name: str) -> Kind:
        """The kind of a column; numeric if it has no value."""
        return self.kinds[name] or ("categorical" if name in self.levels else "numeric")

    def levels_of(self, name: str) -> tuple[str, ...]:
        """The levels of a categorical column that rows have; both truth values always."""
        counts = self.levels[name]
        return TRUTH if tuple(counts) == TRUTH else tuple(level for level, n in counts.items() if n)

    def extremes(self, name: str) -> Table:
        """A table of two rows: of each column the smallest and the largest number, or the first and the last level.

        It has the columns of the whole table, their kinds and levels, and whether they are constant or missing.
        """
        columns = {}
        for place, column in enumerate(self.numeric):
            own = self.plain.take([place])
            ends = [own.low[0], own.high[0]] if own.count[0] else [np.nan, np.nan]
            columns[column] = Column(np.array(ends, np.float64), is_time=self.kinds[column] == "time")
        for column, counts in self.levels.items():
            levels = self.levels_of(column)
            used = [code for code, level in enumerate(levels) if counts[level]] or [-1]
            columns[column] = Column(np.array([used[0], used[-1]], np.int32), levels)
        return Table(name, {column: columns[column] for column in self.kinds}, 2)

    def n_missing(self, name: str) -> int:
        """How many rows lack a value of a column."""
        present = (
            sum(self.levels[name].values()) if name in self.levels else int(self.plain.count[self.numeric.index(name)])
        )
        return self.n_rows - present

    @property
    def digest(self) -> str:
        """A text that differs for tables with other columns, levels or statistics."""
        known = repr((self.n_rows, self.n_usable, self.kinds, self.levels, self.missing, self.used)).encode()
        arrays = (getattr(self.plain, field.name).tobytes() for field in dataclasses.fields(self.plain))
        return hashlib.blake2b(b"".join([known, *arrays]), digest_size=16).hexdigest()


def rows_in_use(table: Table, response: str, weights: np.ndarray | None) -> np.ndarray:
    """Which rows have a response and a weight above 0: bool, shape (n_rows,)."""
    target = table[response]
    usable = target.values >= 0 if target.is_categorical else ~np.isnan(target.values)
    return usable if weights is None else usable & (weights > 0)


def mixed_columns(outlines: Iterable[Outline]) -> set[str]:
    """The columns that hold text in some parts and numbers in others."""
    kinds: dict[str, set[Kind]] = {}
    for outline in outlines:
        for name, kind in outline.kinds.items():
            kinds.setdefault(name, set()).update(() if kind is None else (kind,))
    return {name for name, own in kinds.items() if len(own) > 1 and "categorical" in own}


def merged(outlines: Mapping[str, Outline], forced: Container[str] = ()) -> Outline:
    """The outline of a table by those of its parts.

    The order of the columns is that of the first part. A categorical column has the levels of all parts: in the order
    of the first if all are the same, otherwise sorted as in a table in memory.

    Parameters
    ----------
    outlines : by the names of the parts, in order; at least one.
    forced : columns that were made categorical because somebody asked for it.

    Raises
    ------
    DataError : the parts do not have the same columns, or a column holds text in one and numbers in another.
    """
    parts = list(outlines.values())
    names = parts[0].names
    for part, outline in outlines.items():
        different = set(outline.kinds) ^ set(names)
        if different:
            name = min(different)
            has, lacks = (part, next(iter(outlines))) if name in outline.kinds else (next(iter(outlines)), part)
            raise DataError(
                f"the parts of a table must have the same columns; {has} has a column {name!r} and {lacks} has none; "
                "read the table anew, or drop the column."
            )
    text = mixed_columns(parts)
    if text:
        raise DataError(
            f"columns must hold text or numbers in all parts of a table; {listed(text)} hold text in some and numbers "
            "in others; name them in factors."
        )
    kinds = {name: _common({outline.kinds[name] for outline in parts}) for name in names}
    categorical = [name for name in names if _is_categorical(name, kinds[name], parts)]
    numeric = [name for name in names if name not in categorical]
    responses = [outline.response for outline in parts if outline.response is not None]
    used = _levels_of([outline.used for outline in parts if outline.used], forced=True)
    return Outline(
        n_rows=sum(outline.n_rows for outline in parts),
        n_usable=sum(outline.n_usable for outline in parts),
        kinds=kinds,
        levels={
            name: _levels_of([outline.levels[name] for outline in parts if outline.kinds[name]], forced=name in forced)
            for name in categorical
        },
        # A part of nothing but missing values may have taken them for numbers.
        missing={name: sum(outline.missing.get(name, outline.n_usable) for outline in parts) for name in categorical},
        numbers=functools.reduce(NumericSummary.merge, (_aligned(part, part.numbers, numeric) for part in parts)),
        plain=functools.reduce(NumericSummary.merge, (_aligned(part, part.plain, numeric) for part in parts)),
        response=functools.reduce(NumericSummary.merge, responses) if responses else None,
        used=used,
    )


def row_encoder(
    outline: Outline,
    predictors: Sequence[str],
    *,
    max_categorical_features: int,
    hash_seed: int,
    use_all_factor_levels: bool,
    standardize: bool,
    sparse: bool,
    sparse_from: float,
    skips_missing: bool,
) -> RowEncoder:
    """The encoder that `RowEncoder.fit` would make of the whole table, without recoding or curves; see there.

    skips_missing : whether rows that lack a predictor are not trained on.

    Raises
    ------
    DataError : a number is infinite, or too large to standardise.
    """
    numeric = [name for name in predictors if name not in outline.levels]
    places = {name: place for place, name in enumerate(outline.numeric)}
    summary = outline.numbers.take([places[name] for name in numeric])
    unusable = np.flatnonzero(~np.isfinite(summary.squares))
    if unusable.size:
        name = numeric[unusable[0]]
        raise DataError(
            f"column {name!r} must hold finite numbers of moderate size; got {_range_of(outline, name)}; leave the "
            "column out or make such values missing."
        )
    ordered = [name for name in predictors if name in outline.levels]
    ordered = by_size(ordered, [len(outline.levels_of(name)) for name in ordered])
    scaling, _ = scaling_of(summary, standardize=standardize, sparse=sparse, sparse_from=sparse_from)
    encoder = RowEncoder(
        predictors=(*ordered, *numeric),
        levels=tuple(outline.levels_of(name) for name in ordered),
        use_all_factor_levels=use_all_factor_levels,
        **scaling._asdict(),
        missing_seen=np.array([outline.missing[name] > 0 and not skips_missing for name in ordered], np.bool_),
        times=tuple(name for name in numeric if outline.kinds[name] == "time"),
    )
    if encoder.n_categorical_inputs <= max_categorical_features:
        return encoder
    return dataclasses.replace(encoder, n_slots=max_categorical_features, hash_seed=hash_seed)


def response_encoder(outline: Outline, name: str, *, standardize: bool) -> ResponseEncoder:
    """The encoder that `ResponseEncoder.fit` would make of the whole table.

    Raises
    ------
    DataError : the response is missing in all rows, constant or infinite.
    """
    if name in outline.levels:
        used = [level for level, n in outline.used.items() if n]
        if len(used) < 2:
            raise unusable_response("the table", name, used[0] if used else None)
        return ResponseEncoder(name, outline.levels_of(name))
    plain = outline.plain.take([outline.numeric.index(name)])
    low, high = float(plain.low[0]), float(plain.high[0])
    if not low < high or outline.response is None:
        raise unusable_response("the table", name, f"{low:g}" if plain.count[0] else None)
    if not np.isfinite(outline.response.squares[0]):
        raise DataError(
            f"response {name!r} must hold finite numbers of moderate size; got {_range_of(outline, name)}; make such "
            "values missing."
        )
    if not standardize:
        return ResponseEncoder(name)
    summary = outline.response
    return ResponseEncoder(name, None, float(summary.mean[0]), float(1.0 / (summary.deviation[0] or 1.0)))


def _counted(column: Column, values: np.ndarray) -> dict[str, int]:
    """The levels of a column, in order, and how many of these values have each."""
    levels = column.levels or ()
    return dict(zip(levels, count_levels(values, len(levels))[:-1].tolist(), strict=True))


def _common(kinds: set[Kind | None]) -> Kind | None:
    """The kind of a column by those of its parts, which are not mixed."""
    known = kinds - {None}
    return "numeric" if len(known) > 1 else next(iter(known), None)


def _is_categorical(name: str, kind: Kind | None, parts: Sequence[Outline]) -> bool:
    """Whether a column is categorical; one without any value is what the first part takes it for."""
    return kind == "categorical" or (kind is None and name in parts[0].levels)


def _levels_of(counts: Sequence[dict[str, int]], *, forced: bool) -> dict[str, int]:
    """The levels of all parts, in order, and how many rows have them."""
    total: dict[str, int] = {}
    for own in counts:
        for level, n in own.items():
            total[level] = total.get(level, 0) + n
    if len({tuple(own) for own in counts}) <= 1:
        return total
    levels = list(total)
    return {levels[i]: total[levels[i]] for i in order_of_levels(levels, forced=forced)}


def _aligned(part: Outline, summary: NumericSummary, numeric: Sequence[str]) -> NumericSummary:
    """The statistics of these columns; nothing of those that the part has taken for categorical ones."""
    places = {name: place for place, name in enumerate(part.numeric)}
    nothing = NumericSummary.of(np.empty((1, 0)))
    known = [summary.take([places[name]]) if name in places else nothing for name in numeric]
    return NumericSummary.joined(known) if known else NumericSummary.of(np.empty((0, 0)))


def _range_of(outline: Outline, name: str) -> str:
    """The smallest and the largest number of a column, in words."""
    own = outline.plain.take([outline.numeric.index(name)])
    return f"{own.low[0]:g} to {own.high[0]:g}"
