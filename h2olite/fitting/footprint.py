"""How much memory training takes, by the size of its tables and of its network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from h2olite.data.curves import n_bins
from h2olite.data.predictors import choose_predictors
from h2olite.data.recoding import MOST_LEVELS
from h2olite.data.sparse import SparseColumn
from h2olite.data.table import Column, Table
from h2olite.kernels.layout import TILE
from h2olite.kinds.activations import activation_of
from h2olite.machine.memory import refuse_lack_of_memory
from h2olite.machine.threads import usable_threads
from h2olite.model import Model
from h2olite.network.topology import lay_out
from h2olite.settings.parameters import Parameters
from h2olite.settings.validation import other_roles
from h2olite.trained.scoring import ERRORS_AT_A_TIME
from h2olite.training.team import parts_of

from .preparation import response_name, with_classes

PROGRAM = 220 << 20
"""Bytes of Python with NumPy, Arrow and the kernels; compiling these the first time takes 100 MB more."""

READ = 2
"""What reading takes of a table's own size: Arrow's memory of it is not all given back."""

PER_COLUMN = 18 << 10
"""Bytes that Arrow takes for a column of whatever length."""

COPIES = 9
"""Arrays as large as the network's parameters, at the peak: the parameters, their average and two memories of the
update rule, the best ones measured, and at the end those that importances are taken from, as float64."""

COPIES_OF_PENALISED = 3
"""As many more of them under penalties that make zeros."""

COPIES_OF_REPLICA = 4
"""As many for each replica: the parameters, their average and two memories of the update rule."""

ENCODED = 4
"""Bytes of a predictor in an encoded row."""

ENCODED_SPARSE = 8
"""The same of one that is not 0, where rows are encoded without their zeros."""

ENTRIES_OF_PIECES = 3
"""Inputs other than 0 that PiecewiseLinear makes of a cell: two hats and a position."""

PIECES_OF_SPARSE = 3
"""About how many inputs it gives a column of a sparse matrix, which often has few different numbers."""

SAMPLED_ROWS = 1000
"""About how many rows tell how many different numbers a column has."""

PER_ROW = 40
"""Bytes of a row beside its predictors: its response as learnt and as observed, and its places in orders of rows."""

PER_ROW_SCORED, PER_OUTPUT_SCORED, PER_ERROR_SCORED = 96, 24, 20
"""Bytes that measuring takes for a row and each of its outputs, and for an error of an autoencoder."""


class MemoryEstimate(NamedTuple):
    """Bytes that a training takes at its peak, by what they are for.

    program : Python, libraries and kernels.
    tables : the tables, with what reading them leaves behind.
    rows : the rows as they are encoded, in the folds of cross-validation too.
    network : the parameters and copies of them, and the threads' scratch memory.
    scoring : predictions and errors while the model is measured.
    """

    program: int
    tables: int
    rows: int
    network: int
    scoring: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)

    @property
    def to_come(self) -> int:
        """What training takes once the tables have been read."""
        return self.rows + self.network + self.scoring


def estimate_memory(parameters: Parameters, training: Table, validation: Table | None = None) -> MemoryEstimate:
    """The memory that a training takes at its peak, within a factor of about 1.5.

    It takes a moment and next to no memory itself, whatever the table.

    Parameters
    ----------
    parameters : checked parameters; their frames are not looked at.
    training, validation : the tables.

    Raises
    ------
    ParameterError : there would be more weights than a network may have.
    DataError : the tables lack a column.
    """
    checkpoint: Model | None = parameters.checkpoint
    threads = parameters.nthreads or usable_threads()
    folds = min(parameters.nfolds or threads, threads) if parameters.nfolds or parameters.fold_column else 0
    n_predictors, n_inputs, n_outputs = _sizes(parameters, training)
    layout = (
        lay_out([n_inputs, *parameters.hidden, n_outputs], n_channels=activation_of(parameters.activation).n_channels)
        if checkpoint is None
        else checkpoint.network.layout
    )
    tables = [table for table in (training, validation) if table is not None]
    n_rows = sum(table.n_rows for table in tables)
    scored = min(training.n_rows, parameters.score_training_samples or training.n_rows)
    if validation is not None:
        scored += min(validation.n_rows, parameters.score_validation_samples or validation.n_rows)
    if folds:
        scored += training.n_rows // (parameters.nfolds or folds) * folds
    batch_size = min(parameters.mini_batch_size, n_rows)
    scratch = threads * max(TILE, batch_size) * int(layout.units[-1] + layout.slopes[-1])
    n_parts = parts_of(layout, n_predictors, batch_size)
    if n_parts > 1:
        scratch += max(folds, 1) * 2 * n_parts * batch_size * int(layout.widths.max())
    penalised = COPIES_OF_PENALISED * bool(parameters.l1 or parameters.input_group_l1)
    copies = COPIES + penalised
    if parameters.replicas > 1:
        copies += parameters.replicas * (COPIES_OF_REPLICA + penalised)
    n_networks = parameters.ensemble  # all are kept, and at the end their joint matrices, with zeros between them
    joint = n_networks**2 * int(layout.weights[-1]) if n_networks > 1 else 0
    return MemoryEstimate(
        program=PROGRAM,
        tables=sum(map(_read, tables)) + folds * _size(training),
        rows=(1 + folds) * (sum(_encoded(table, n_predictors, parameters) for table in tables) + n_rows * PER_ROW),
        network=4 * (max(folds, 1) * (copies * n_networks * int(layout.weights[-1]) + 4 * joint) + scratch),
        scoring=PER_ERROR_SCORED * min(scored * n_inputs, ERRORS_AT_A_TIME)
        if parameters.autoencoder
        else scored * (PER_ROW_SCORED + PER_OUTPUT_SCORED * n_outputs),
    )


def refuse_too_large_training(parameters: Parameters, training: Table, validation: Table | None) -> None:
    """Raise if training needs more memory than this process may still take.

    Raises
    ------
    LackOfMemoryError, and what `estimate_memory` raises.
    """
    refuse_lack_of_memory(
        f"training on {training.name}",
        estimate_memory(parameters, training, validation).to_come,
        "train on fewer rows or columns, with smaller hidden layers or max_categorical_features, or on a larger "
        "machine",
    )


def _sizes(parameters: Parameters, training: Table) -> tuple[int, int, int]:
    """The numbers of encoded predictors, of inputs and of outputs."""
    checkpoint: Model | None = parameters.checkpoint
    if checkpoint is not None:  # whatever the new rows hold
        return len(checkpoint.encoder.predictors), checkpoint.encoder.n_inputs, int(checkpoint.network.layout.sizes[-1])
    name = None if parameters.autoencoder else response_name(parameters, training)
    others = [*filter(None, [name]), *other_roles(parameters), *(parameters.ignored_columns or ())]
    predictors, _ = choose_predictors(
        training, x=parameters.x, others=others, ignore_const_cols=parameters.ignore_const_cols
    )
    n_levels = [len(levels) for name in predictors if (levels := training[name].levels) is not None]
    numeric = [training[name] for name in predictors if training[name].levels is None]
    n_numeric = len(numeric)
    n_columns, n_indicators = len(n_levels), sum(n_levels) + len(n_levels)
    match parameters.categorical_encoding:
        case "Binary":
            n_columns = n_indicators = sum(map(int.bit_length, n_levels))
        case "Eigen" | "LabelEncoder":
            n_indicators = n_columns
        case "EnumLimited":
            n_indicators = sum(min(n, MOST_LEVELS + 1) + 1 for n in n_levels)
    of_numbers = sum(map(_inputs_of, numeric)) if parameters.numeric_encoding == "PiecewiseLinear" else n_numeric
    n_inputs = of_numbers + min(n_indicators, parameters.max_categorical_features)
    if name is None:
        return n_columns + n_numeric, n_inputs, n_inputs
    levels = with_classes(parameters, training, name)[name].levels
    return n_columns + n_numeric, n_inputs, 1 if levels is None else len(levels)


def _inputs_of(column: Column) -> int:
    """About how many inputs PiecewiseLinear gives a numeric column, by some of its rows."""
    if isinstance(column, SparseColumn):
        return PIECES_OF_SPARSE
    return (
        min(np.unique(column.values[:: 1 + column.values.size // SAMPLED_ROWS]).size, n_bins(column.values.size) + 1)
        + 1
    )


def _size(table: Table) -> int:
    """The bytes of a table's columns."""
    return sum(column.nbytes for column in table.columns.values())


def _read(table: Table) -> int:
    """The bytes of a table with what reading it leaves behind; sparse columns are the caller's."""
    return sum(
        column.nbytes if isinstance(column, SparseColumn) else READ * column.nbytes + PER_COLUMN
        for column in table.columns.values()
    )


def _encoded(table: Table, n_predictors: int, parameters: Parameters) -> int:
    """The bytes of a table's predictors as they are encoded."""
    sparse = [column for column in table.columns.values() if isinstance(column, SparseColumn)]
    n_dense = max(n_predictors - len(sparse), 0)
    if parameters.numeric_encoding == "PiecewiseLinear":
        return ENTRIES_OF_PIECES * (sum(column.nbytes for column in sparse) + table.n_rows * ENCODED_SPARSE * n_dense)
    if not sparse:
        return table.n_rows * ENCODED * n_dense
    is_centred = parameters.standardize and not parameters.sparse
    n_centred = sum(is_centred and column.zero_share < parameters.sparse_from for column in sparse)
    return sum(column.nbytes for column in sparse) + table.n_rows * ENCODED_SPARSE * (n_dense + n_centred)
