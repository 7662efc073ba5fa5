"""One row at a time: a dict in, a dict out, in microseconds."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import EncodedRows
from h2olite.data.frames import as_table
from h2olite.data.notation import PLAIN
from h2olite.data.table import Table, number_text
from h2olite.training.task import objective_of

from .network import TrainedNetwork
from .tabulation import tabulate

LARGEST = float(np.finfo(np.float32).max)
"""Larger numbers cannot be encoded."""

NUMBERS = frozenset({float, int, np.float64, np.float32, np.int64, np.int32})
"""Types of numbers; bool is not among them, for it is categorical."""


class _Unusual(Exception):
    """A value that only the long way through a table makes sense of, or refuses."""


class Scorer:
    """Predicts of one row at a time what `Model.predict` does of a table, in a fraction of the time.

    Making one takes a moment: it loads the kernels and encodes every level. Many threads may use it at once, and it may
    be pickled.

    Parameters
    ----------
    model : Model
        What predicts; it must not be changed afterwards.
    """

    def __init__(self, model: TrainedNetwork) -> None:
        self._model = model
        encoder = model.encoder
        self._predictors = frozenset(encoder.schema)
        self._n_categorical = len(encoder.categorical)
        self._curves = encoder.curves
        has_own = getattr(encoder.curves, "missing", np.zeros(len(encoder.numeric), np.bool_)).tolist()
        first = (self._n_categorical + encoder.number_starts).tolist()
        inputs = [*range(self._n_categorical), *first]
        numeric = list(
            zip(
                encoder.numeric,
                itertools.count(),
                first,
                encoder.subtrahend.tolist(),
                encoder.multiplier.tolist(),
                strict=False,
            )
        )
        self._numeric = [column for column in numeric if column[0] not in encoder.recoding.sources]
        self._missing = [-1.0] * self._n_categorical + [0.0] * int(encoder.number_starts[-1])
        for column, imputed, with_own in zip(numeric, encoder.imputed.tolist(), has_own, strict=True):
            self._put_number(math.nan if with_own else imputed, column, self._missing)
        self._categorical = []
        for recoded in tabulate(encoder):
            *encoded, missing = recoded.encoded.tolist()
            by_level = dict(zip(recoded.levels, encoded, strict=True))
            places = [inputs[place] for place in recoded.places]
            self._categorical.append((recoded.name, places, by_level, recoded.unseen.tolist()))
            _put(missing, places, self._missing)
        self._objective = objective_of(model.parameters)
        self._of_thread = threading.local()
        self._outputs(self._missing)

    def __reduce__(self) -> tuple[type[Scorer], tuple[TrainedNetwork]]:
        """A pickle keeps the model; scratch memory is of a process and thread."""
        return Scorer, (self._model,)

    def predict(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Predict one row.

        Parameters
        ----------
        row : values by the names of columns: text, numbers, None or NaN. Missing columns, missing values and unseen
            levels are treated as missing, without a warning; columns that the model does not know are ignored.

        Returns
        -------
        prediction : the columns of `Model.predict`, as str and float by name.

        Raises
        ------
        DataError : as `Model.predict`.
        """
        try:
            encoded, offsets = self._encode(row), self._offsets(row)
        except (_Unusual, OverflowError):
            known = {name: [row[name]] for name in self._model.schema if name in row}
            table = as_table(known, name="the row") if known else Table("the row", {}, 1)
            columns = self._model.predict_columns(table, Adaptation(table.name))
        else:
            columns = self._model.columns_of(self._outputs(encoded), offsets)
        prediction = {name: values.item() for name, values in columns.items()}
        if self._model.classes is not None:
            prediction["predict"] = self._model.classes[prediction["predict"]]
        return prediction

    def _encode(self, row: Mapping[str, Any]) -> list[float]:
        """The row's predictors, ordered and encoded as by the encoder."""
        if self._predictors.isdisjoint(row):
            raise _Unusual
        encoded = self._missing.copy()
        for name, places, by_level, unseen in self._categorical:
            value: Any = row.get(name)
            if type(value) in NUMBERS and value == value:
                value = number_text(float(value))
            elif type(value) is bool:
                value = str(value)
            if type(value) is str:
                if value not in by_level and PLAIN.is_number(value):
                    raise _Unusual
                _put(by_level.get(value, unseen), places, encoded)
            elif not _is_missing(value):
                raise _Unusual
        for column in self._numeric:
            value = row.get(column[0])
            if _is_missing(value):
                continue
            if type(value) not in NUMBERS:
                raise _Unusual
            self._put_number(float(value), column, encoded)
        return encoded

    def _put_number(self, value: float, column: tuple[str, int, int, float, float], encoded: list[float]) -> None:
        """Put the inputs of a number in their places."""
        _, j, place, subtrahend, multiplier = column
        scaled = (value - subtrahend) * multiplier
        if self._curves is None:
            encoded[place] = scaled
            if not -LARGEST <= scaled <= LARGEST:
                raise _Unusual
        else:
            if math.isinf(value):
                raise _Unusual
            inputs = self._curves.inputs_of(j, scaled, value)
            encoded[place : place + len(inputs)] = inputs

    def _offsets(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """The row's offset, None where the model has no offsets."""
        name = self._model.parameters.offset_column
        if name is None:
            return None
        offset: Any = row.get(name)
        if type(offset) not in NUMBERS or not -LARGEST <= offset <= LARGEST:
            raise _Unusual
        return np.array([offset], np.float64)

    def _outputs(self, encoded: list[float]) -> np.ndarray:
        """The network's outputs, (1, n_outputs)."""
        levels, numbers = encoded[: self._n_categorical], encoded[self._n_categorical :]
        rows = EncodedRows(np.array([levels], np.int32), np.array([numbers], self._model.dtype))
        if not hasattr(self._of_thread, "engine"):
            self._of_thread.engine = self._model.engine(rows, n_threads=1)
        return self._of_thread.engine.predict(self._objective, rows)


def _put(values: list[float], places: list[int], encoded: list[float]) -> None:
    """Put each value in its place."""
    for value, place in zip(values, places, strict=True):
        encoded[place] = value


def _is_missing(value: Any) -> bool:
    """Whether this is None or NaN."""
    return value is None or (type(value) in NUMBERS and value != value)
