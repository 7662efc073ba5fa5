"""Tables from objects of Python: DataFrames, Arrow data, dicts of arrays, matrices, paths."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from h2olite.errors import DataError
from h2olite.settings.parameters import Parameters, brief

from .advice import without_unused_levels
from .arrow import refuse_repeated, table_from_arrow, validated
from .csv_options import Csv, CsvOptions
from .reader import read_table
from .sparse import SparseNumbers
from .table import Kind, NoRowsError, Table, forced_kinds, matched_names


def as_table(
    frame: Any,
    *,
    name: str = "training_frame",
    factors: Collection[str] = (),
    numeric: Collection[str] = (),
    schema: Mapping[str, Kind] | None = None,
    csv: CsvOptions | Mapping[str, Any] | None = None,
) -> Table:
    """Convert a frame to a Table. The frame itself is never changed.

    Parameters
    ----------
    frame : Table, path, Csv, pandas.DataFrame, Arrow data, mapping, ndarray or sparse matrix
        A path is one for `read_table`; a Csv has options, too. Arrow data is a pyarrow Table or RecordBatch, or an
        object with the Arrow PyCapsule interface, such as a Polars DataFrame. A mapping is from names to 1-D arrays. An
        ndarray has shape (n_rows, n_columns). Its columns are named C1, C2, ..., as are those of SciPy's sparse
        matrices and arrays. These stay sparse.
    name : str
        The name of the frame in messages.
    factors : iterable of str
        Columns that are categorical.
    numeric : iterable of str
        Columns that must be numeric.
    schema : mapping of str to Kind, optional
        The kinds of the columns of a file, as far as it has these columns (see `read_table`).
    csv : CsvOptions or mapping, optional
        How to read CSV. Options of the frame itself override these.

    Raises
    ------
    DataError
        If it is not a frame, or a column does not have the required kind.
    """
    if isinstance(frame, Csv):
        csv, frame = frame.over(csv), frame.path
    if isinstance(frame, (str, os.PathLike)):
        return read_table(frame, factors=factors, numeric=numeric, schema=schema, csv=CsvOptions().over(csv))
    kinds = forced_kinds(factors, numeric)
    if isinstance(frame, Table):
        return frame.convert(kinds)
    if hasattr(frame, "tocsr"):
        return _sparse_table(frame, name).convert(kinds)
    part = _as_arrow(frame, name)
    part = part.rename_columns(matched_names(part.column_names, schema or ()))
    return table_from_arrow([part], name=name, kinds=kinds)


def _sparse_table(matrix: Any, name: str) -> Table:
    """The table of one of SciPy's sparse matrices."""
    numbers = SparseNumbers.of(matrix, name)
    return Table(name, numbers.named([f"C{i}" for i in range(1, numbers.n_columns + 1)]), numbers.n_rows)


def rows_to_predict(
    frame: Any, schema: Mapping[str, Kind], name: str = "test_data", csv: CsvOptions | Mapping[str, Any] | None = None
) -> Table:
    """Convert a frame to predict to a Table. It may also be a single row, a list of rows, or empty.

    frame : as in `as_table`. A pandas Series, or a mapping from names to single values, is one row. A list of such
        mappings is several rows.
    """
    try:
        return as_table(_columns_of_rows(frame), name=name, schema=schema, csv=csv)
    except NoRowsError as error:
        return error.table(name, schema)


def _columns_of_rows(frame: Any) -> Any:
    """Columns in place of single rows, anything else as it is."""
    series = getattr(sys.modules.get("pandas"), "Series", None)
    if series is not None and isinstance(frame, series):
        return {str(column): [value] for column, value in frame.items()}
    if hasattr(frame, "tocsr"):  # some sparse matrices are mappings too
        return frame
    if isinstance(frame, Mapping) and frame and not any(map(_is_column, frame.values())):
        # an array without dimensions is the cell in it
        return {name: [cell[()] if isinstance(cell, np.ndarray) else cell] for name, cell in frame.items()}
    if isinstance(frame, list) and frame and all(isinstance(row, Mapping) for row in frame):
        names = dict.fromkeys(column for row in frame for column in row)
        return {column: [row.get(column) for row in frame] for column in names}
    return frame


def _is_column(value: Any) -> bool:
    """Whether a value of a mapping is a column rather than one cell."""
    return hasattr(value, "__len__") and not isinstance(value, str | bytes) and getattr(value, "ndim", 1) > 0


def training_tables(
    parameters: Parameters, csv: CsvOptions | None = None, tell: Callable[[Any], None] | None = None
) -> tuple[Table, Table | None]:
    """The training table, and the validation table, which is read in the same way.

    Levels that no row of a training frame has are left out, with a remark. The levels of a Table stay as they are.
    `tell` is called for every frame before it is read.

    Raises
    ------
    DataError
        If a frame cannot be read or there is none to train on.
    """
    frame, checkpoint = parameters.training_frame, parameters.checkpoint
    if frame is None:
        raise DataError("training_frame is missing; give a DataFrame, an Arrow table, arrays or a path.")
    if tell is not None:
        tell(frame)
    training = as_table(
        frame,
        factors=parameters.factors or (),
        numeric=parameters.numeric or (),
        schema=checkpoint and checkpoint.schema | checkpoint.response_schema,
        csv=(csv or CsvOptions()).over(checkpoint and checkpoint.csv),
    )
    if not isinstance(frame, Table):  # whose levels are what they are meant to be
        training = without_unused_levels(training)
    frame = parameters.validation_frame
    if frame is None:
        return training, None
    if tell is not None:
        tell(frame)
    schema = {name: column.kind for name, column in training.columns.items()}
    return training, as_table(frame, name="validation_frame", schema=schema, csv=training.csv or csv)


def _as_arrow(frame: Any, name: str) -> pa.Table:
    """The frame as Arrow data, whose memory has been checked: it may be from a damaged file, or of another library."""
    try:
        return validated(_unchecked_arrow(frame, name))
    except (pa.ArrowException, UnicodeError) as error:
        raise DataError(f"{name} is damaged: {error}; read or make it again.") from None


def _unchecked_arrow(frame: Any, name: str) -> pa.Table:
    """The frame as Arrow data, with nothing copied that need not be."""
    # Who has a DataFrame has imported pandas; another thread may be about to, and has come to no DataFrame yet.
    data_frame = getattr(sys.modules.get("pandas"), "DataFrame", None)
    is_pandas = data_frame is not None and isinstance(frame, data_frame)
    if not is_pandas and (hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__")):
        with contextlib.suppress(pa.ArrowInvalid):  # a lone column has the interface too
            return pa.table(frame)
    if is_pandas:
        columns = [(str(column), values) for column, values in frame.items()]
    elif isinstance(frame, Mapping):
        columns = [(str(column), values) for column, values in frame.items()]
    elif isinstance(frame, np.ndarray) and frame.ndim == 2:
        columns = [(f"C{i}", values) for i, values in enumerate(frame.T, 1)]
    else:
        shape = f" of shape {frame.shape}" if isinstance(frame, np.ndarray) else ""
        raise DataError(
            f"{name} must be a DataFrame, an Arrow table, a dict of arrays, a 2-D array or a path; "
            f"got {type(frame).__name__}{shape}."
        )
    refuse_repeated([column for column, _ in columns], name)
    arrays = {column: _array(values, column, name) for column, values in columns}
    for column, array in arrays.items():
        first = arrays[columns[0][0]]
        if len(array) != len(first):
            raise DataError(
                f"the columns of {name} must be equally long; got {len(first)} rows of {columns[0][0]!r} and "
                f"{len(array)} of {column!r}."
            )
    return pa.table(arrays)


def _array(values: Any, column: str, name: str) -> pa.Array:
    """One column as an Arrow array, with pandas' missing values as nulls."""
    if isinstance(values, (str, bytes, int, float)) or values is None or getattr(values, "ndim", 1) == 0:
        raise DataError(
            f"column {column!r} of {name} must be an array or a list of values; got {brief(values)}; put it in a list."
        )
    try:
        if isinstance(values, (pa.Array, pa.ChunkedArray)):
            return values
        is_sparse = hasattr(getattr(values, "dtype", None), "fill_value")  # as pandas' own type alone has
        return pa.array(values.sparse.to_dense() if is_sparse else values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"column {column!r} of {name} must hold values of one type ({error}); convert it, for example to text."
        ) from None
