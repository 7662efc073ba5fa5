"""A model for every segment of a table: the rows that share the values of some columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.advice import without_unused_levels
from h2olite.data.predictors import find_columns
from h2olite.data.table import Table, number_text
from h2olite.errors import H2OLiteError, ParameterError
from h2olite.fitting.cross_validation import Watch, fit_with_folds
from h2olite.fitting.preparation import response_name
from h2olite.model import Model
from h2olite.settings.parameters import Parameters

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False)
class Segment:
    """The rows that share some values, and what was learnt from them.

    Attributes
    ----------
    values : of the segment's columns, as text; None where missing.
    n_rows : of the training table.
    model : None if it could not be trained.
    error : why not.
    """

    values: tuple[str | None, ...]
    n_rows: int
    model: Model | None = None
    error: str | None = None


@dataclasses.dataclass(eq=False)
class SegmentModels:
    """The models of the segments of a table, in the order of the segments' values.

    Attributes
    ----------
    columns : those whose values make the segments.
    segments : what was learnt from each.
    interrupted : whether training was ended from outside, so that segments are missing.
    """

    columns: list[str]
    segments: list[Segment]
    interrupted: bool = False

    def __len__(self) -> int:
        """Number of segments."""
        return len(self.segments)

    def __iter__(self) -> Iterator[Segment]:
        """The segments."""
        return iter(self.segments)

    def __getitem__(self, values: Any) -> Model:
        """The model of the segment with these values: one of each column, or the value itself of a single column.

        Raises
        ------
        KeyError : there is no such segment, or no model of it.
        """
        wanted = tuple(map(_text, values if isinstance(values, tuple) else (values,)))
        found = next((segment for segment in self.segments if segment.values == wanted), None)
        if found is None or found.model is None:
            raise KeyError(
                f"segment {wanted} has no model: {'there are no such rows' if found is None else found.error}"
            )
        return found.model

    def as_frame(self) -> pd.DataFrame:
        """One row per segment: its values, rows, model_id, status (succeeded or failed) and errors."""
        import pandas as pd

        return pd.DataFrame(
            [
                dict(zip(self.columns, segment.values, strict=True))
                | {
                    "rows": segment.n_rows,
                    "model_id": segment.model and segment.model.model_id,
                    "status": "succeeded" if segment.model else "failed",
                    "errors": segment.error,
                }
                for segment in self.segments
            ]
        )


def train_by_segment(
    columns: Sequence[Any], parameters: Parameters, training: Table, validation: Table | None, watch: Watch | None
) -> SegmentModels:
    """Train a model on the rows of every segment, by the same parameters; segments' columns are no predictors.

    Raises
    ------
    ParameterError : a column cannot make segments.
    H2OLiteError : no segment's model could be trained; the error is that of the first one.
    """
    names = find_columns(training, columns)
    response = None if parameters.autoencoder else response_name(parameters, training)
    if not names or response in names:
        raise ParameterError(f"segments must be columns other than the response; got {names}.")
    segments = _rows_of_segments(training, names)
    of_validation = {} if validation is None else _rows_of_segments(validation, names)
    trained = SegmentModels(names, [])
    first_error: Exception | None = None
    ignored = [*(parameters.ignored_columns or ()), *names]
    for number, segment in enumerate(sorted(segments, key=lambda key: [(text is None, text) for text in key]), 1):
        rows = segments[segment]
        measured = validation and validation.take(of_validation.get(segment, np.empty(0, np.int64)))
        own = dataclasses.replace(
            parameters, y=response, ignored_columns=ignored, model_id=f"{parameters.model_id or 'segment'}_{number}"
        )
        try:
            if measured is not None and measured.n_rows == 0:
                raise ParameterError("validation_frame has no rows of this segment.")
            table = training.take(rows)
            # of levels that other segments have there is nothing to remark
            table = dataclasses.replace(without_unused_levels(table), remarks=table.remarks)
            model = fit_with_folds(own, table, measured, watch)
        except (H2OLiteError, MemoryError) as error:
            first_error = first_error or error
            trained.segments.append(Segment(segment, rows.size, error=str(error) or "there is not enough memory."))
            continue
        trained.segments.append(Segment(segment, rows.size, model))
        if model.stopped_by == "interrupted":
            trained.interrupted = True
            break
    if first_error is not None and not any(segment.model for segment in trained):
        raise type(first_error)(f"no segment's model could be trained; the first error: {first_error}")
    return trained


def _rows_of_segments(table: Table, names: Sequence[str]) -> dict[tuple[str | None, ...], np.ndarray]:
    """The indices of the rows of each segment, by the segment's values."""
    texts = []
    for name in names:
        if name not in table:
            raise ParameterError(f"{table.name} has no column {name!r}, which segments are made by.")
        column = table[name].as_categorical()
        levels = [*(column.levels or ()), None]  # the last one is where -1, missing, leads
        texts.append([levels[code] for code in column.values])
    rows: dict[tuple[str | None, ...], list[int]] = {}
    for row, values in enumerate(zip(*texts, strict=True)):
        rows.setdefault(values, []).append(row)
    return {values: np.array(indices) for values, indices in rows.items()}


def _text(value: Any) -> str | None:
    """A value as the levels of a column tell it."""
    if value is None or value != value:
        return None
    return value if isinstance(value, str) else str(value) if isinstance(value, bool) else number_text(float(value))
