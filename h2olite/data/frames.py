"""Tables from objects of Python: DataFrames, Arrow data, dicts of arrays, matrices, paths."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from h2olite.errors import DataError, ParameterError
from h2olite.machine.memory import available_memory
from h2olite.machine.scratch import scratch_folder
from h2olite.settings.large_tables import bytes_of, needs_all_rows
from h2olite.settings.parameters import Parameters, brief

from .advice import without_unused_levels
from .arrow import refuse_repeated, table_from_arrow, validated
from .csv_options import Csv, CsvOptions
from .large import SAMPLE_ROWS, read_large
from .reader import BYTES_PER_CELL, cells_of, read_table
from .sparse import SparseNumbers
from .stored import LargeTable
from .table import Kind, NoRowsError, Remark, Table, forced_kinds, matched_names

IDLE = 320 << 20
"""Bytes of the program before it reads a table, and of compiling the kernels."""

TRAINED_CELL = BYTES_PER_CELL + 4
"""Bytes of a cell while a table that is in memory is read and encoded."""

SHARE = 0.8
"""Part of the memory that is left which training on a larger table takes by itself."""


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
    parameters: Parameters,
    csv: CsvOptions | None = None,
    tell: Callable[[Any], None] | None = None,
    *,
    may_store: bool = False,
) -> tuple[Table, Table | None]:
    """The training table, and the validation table, which is read in the same way.

    Levels that no row of a training frame has are left out, with a remark. The levels of a Table stay as they are.

    Parameters
    ----------
    parameters : checked parameters.
    csv : how to read CSV.
    tell : is called for every frame before it is read.
    may_store : whether a file that is larger than memory, or than `max_memory`, becomes a `LargeTable`.

    Raises
    ------
    DataError
        If a frame cannot be read or there is none to train on.
    ParameterError
        If `max_memory` is given, and what is done needs all rows in memory.
    """
    frame, checkpoint = parameters.training_frame, parameters.checkpoint
    if frame is None:
        raise DataError("training_frame is missing; give a DataFrame, an Arrow table, arrays or a path.")
    if parameters.max_memory is not None and not may_store:
        raise ParameterError("max_memory and scratch are for the training of one model; leave them out here.")
    if tell is not None:
        tell(frame)
    options = (csv or CsvOptions()).over(checkpoint and checkpoint.csv)
    schema = checkpoint and checkpoint.schema | checkpoint.response_schema
    factors, numeric = parameters.factors or (), parameters.numeric or ()
    stored = _stored(frame, parameters, options, schema, factors, numeric) if may_store else None
    training = stored or as_table(frame, factors=factors, numeric=numeric, schema=schema, csv=options)
    if not isinstance(frame, Table) and stored is None:  # whose levels are what they are meant to be
        training = without_unused_levels(training)
    frame = parameters.validation_frame
    if frame is None:
        return training, None
    if tell is not None:
        tell(frame)
    known = training if stored is None else stored.all_rows
    schema = {name: column.kind for name, column in known.columns.items()}
    of_training = training.csv or csv
    stored = _stored(frame, parameters, CsvOptions().over(of_training), schema) if may_store else None
    return training, stored or as_table(frame, name="validation_frame", schema=schema, csv=of_training)


def _stored(
    frame: Any,
    parameters: Parameters,
    csv: CsvOptions,
    schema: Mapping[str, Kind] | None,
    factors: Collection[str] = (),
    numeric: Collection[str] = (),
) -> LargeTable | None:
    """A frame in a scratch file, if it is a file that is larger than memory or than `max_memory`.

    Raises
    ------
    ParameterError
        If `max_memory` is given, and the frame is none that can be read block by block, or parameters need all rows.
    """
    given = parameters.max_memory
    if isinstance(frame, Csv):
        csv, frame = frame.over(csv), frame.path
    if not isinstance(frame, (str, os.PathLike)):
        if given is not None and not isinstance(frame, Table):
            raise ParameterError(
                f"max_memory needs tables in files, which are read block by block; got {brief(frame)}: give the path "
                "of a file or a folder."
            )
        return None
    n_cells = None if frame == "-" else cells_of(frame, csv)  # which would take what standard input begins with
    most = available_memory() if given is None else bytes_of(given) - IDLE
    if given is None if n_cells is None else n_cells * TRAINED_CELL <= most:
        return None
    faults = list(needs_all_rows(parameters))
    if faults and given is None:
        return None  # reading the table in memory is refused
    if faults:
        raise ParameterError(" ".join(faults))
    large = read_large(
        frame,
        factors=factors,
        numeric=numeric,
        schema=schema,
        csv=csv,
        unneeded=functools.partial(_unneeded, parameters),
        max_memory=min(available_memory() * SHARE + IDLE, np.inf if given is None else bytes_of(given)),
        scratch=parameters.scratch,
        sample_rows=max(parameters.score_training_samples, parameters.score_validation_samples, SAMPLE_ROWS),
    )
    if given is not None:
        return large
    told = (
        f"{large.name} is larger than the memory that is left; its rows are in a scratch file in "
        f"{scratch_folder(parameters.scratch)}, and a part of them is in memory at a time."
    )
    return dataclasses.replace(large, remarks=(*large.remarks, Remark(None, told)))


def _unneeded(parameters: Parameters, names: list[str]) -> set[str]:
    """The columns of a training table that are of no use, of these."""
    roles = [parameters.y, parameters.offset_column, *((names[-1],) if parameters.y is None else ())]
    chosen = names if parameters.x is None else parameters.x
    columns = [*chosen, *(name for name in roles if name is not None)]
    if not all(isinstance(name, str) and name in names for name in columns):
        return set()  # places of columns, or names that are not there, which is told later
    ignored = set(parameters.ignored_columns or ()) - set(map(str, roles))
    return set(names) - (set(map(str, columns)) - ignored)


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
