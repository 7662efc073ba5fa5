"""What workers do. Each function is a task: it takes and gives what Dask can move from one worker to another."""

from __future__ import annotations

import signal
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pyarrow import parquet

from h2olite.data.adaptation import Adaptation
from h2olite.data.arrow import table_from_arrow, validated
from h2olite.data.content import reading_as_named
from h2olite.data.csv_options import CsvOptions
from h2olite.data.delimited import CsvFile
from h2olite.data.encoding import RowEncoder
from h2olite.data.files import File
from h2olite.data.frames import as_table
from h2olite.data.outline import Outline, rows_in_use
from h2olite.data.reader import TypedFile
from h2olite.data.response import ResponseEncoder
from h2olite.data.roles import row_offsets, row_weights
from h2olite.data.splits import complete_rows
from h2olite.data.table import NoRowsError, Table, forced_kinds
from h2olite.kernels.layout import State
from h2olite.model import Model
from h2olite.training.averaging import Learning, Result
from h2olite.training.shards import EncodedPart, Shard, Step, train_shard


class FilePart(NamedTuple):
    """A file of a table, or some row groups of a Parquet file.

    groups : the row groups; empty for all.
    csv : how to read CSV.
    """

    file: File
    groups: tuple[int, ...] = ()
    csv: CsvOptions = CsvOptions()


class Roles(NamedTuple):
    """The columns that are no predictors."""

    response: str
    weights: str | None
    offsets: str | None


class Plan(NamedTuple):
    """How parts are encoded.

    subtracts : whether offsets are subtracted from the response, and not added to what the network gives.
    skips : whether rows that lack a predictor are left out.
    """

    encoder: RowEncoder
    response: ResponseEncoder
    roles: Roles
    subtracts: bool
    skips: bool


class PartFacts(NamedTuple):
    """What is known of an encoded part.

    n_rows : that can be trained on.
    present : bool (n_categorical_inputs,), the inputs of levels that they have.
    largest_target : the largest absolute response, as it is trained on.
    weight, least, most : the sum of the weights, the smallest and the largest of them; 1 each if there are none.
    """

    n_rows: int
    present: np.ndarray
    largest_target: float
    weight: float
    least: float
    most: float


class Common(NamedTuple):
    """What all replicas of a round start with, and how they learn; without scratch memory."""

    state: State
    learning: Learning


class Answer(NamedTuple):
    """What a replica has made of its rows, and the worker where it was."""

    result: Result
    worker: str


def same(value: Any) -> Any:
    """The value: as a task, it is on some worker, and anew on another one if that is lost."""
    return value


def part_of(frame: Any, number: int, factors: Collection[str], numeric: Collection[str]) -> Table | None:
    """A part as a table; None if it has no row."""
    try:
        if isinstance(frame, FilePart):
            return _read(frame, factors, numeric)
        return as_table(frame, name=f"part {number}", factors=factors, numeric=numeric)
    except NoRowsError:
        return None


def _read(part: FilePart, factors: Collection[str], numeric: Collection[str]) -> Table:
    """A file, or some row groups of it."""
    kinds = forced_kinds(factors, numeric)
    file = part.file
    if part.groups:
        with reading_as_named(file), file.open_seekable() as source:
            data = validated(parquet.ParquetFile(source).read_row_groups(list(part.groups)))
        return table_from_arrow([data], name=file.name, kinds=kinds)
    if file.format in (".parquet", ".arrow", ".feather", ".arrows"):
        return table_from_arrow([TypedFile(file).read()], name=file.name, kinds=kinds)
    csv = CsvFile(file, part.csv)
    as_text = {name for name, kind in kinds.items() if kind == "categorical"}
    return table_from_arrow([csv.read(as_text)], name=file.name, kinds=kinds, keep_order=False, csv=part.csv.given())


def names_of(part: Table | None) -> list[str] | None:
    """The names of the columns; None without a row."""
    return None if part is None else part.names


def outline_of(part: Table | None, roles: Roles) -> Outline | None:
    """The outline of a part; None without a row."""
    if part is None:
        return None
    return Outline.of(part, roles.response, weights_of(part, roles), row_offsets(part, roles.offsets))


def weights_of(part: Table, roles: Roles) -> np.ndarray | None:
    """The weights of the rows of a part, all of which may be 0."""
    name = roles.weights
    if name is not None and part[name].levels is None and not part[name].values.any():
        return part[name].values
    return row_weights(part, name)


def usable_of(part: Table, plan: Plan) -> np.ndarray:
    """The rows of a part that can be trained on, int64."""
    usable = rows_in_use(part, plan.roles.response, weights_of(part, plan.roles))
    if plan.skips:
        usable &= complete_rows(part, plan.encoder.schema)
    return np.flatnonzero(usable)


def encode(part: Table | None, plan: Plan) -> EncodedPart | None:
    """The rows of a part that can be trained on, encoded; None if there are none."""
    if part is None:
        return None
    rows = usable_of(part, plan)
    if not rows.size:
        return None
    part = part.take(rows)
    adaptation = Adaptation(part.name)
    offsets, weights = row_offsets(part, plan.roles.offsets), weights_of(part, plan.roles)
    target, _ = plan.response.encode(part, adaptation, offsets=offsets if plan.subtracts else None)
    encoded = plan.encoder.encode_rows(part, adaptation)._replace(target=target)
    if offsets is not None and not plan.subtracts:
        encoded = encoded._replace(offsets=offsets.astype(np.float32))
    return EncodedPart(encoded, np.empty(0) if weights is None else weights)


def facts_of(part: EncodedPart | None, plan: Plan) -> PartFacts:
    """What is known of an encoded part."""
    n_levels = plan.encoder.n_categorical_inputs
    present = np.zeros(n_levels + 1, np.bool_)  # the last one is where -1, no input, leads
    if part is None:
        return PartFacts(0, present[:-1], 0.0, 0.0, np.inf, -np.inf)
    for column in part.rows.levels.T:
        present[column] = True
    n_rows = len(part.rows.levels)
    weights = part.weights if part.weights.size else np.ones(1)
    return PartFacts(
        n_rows=n_rows,
        present=present[:-1],
        largest_target=float(np.abs(part.rows.target).max()),
        weight=float(part.weights.sum()) if part.weights.size else float(n_rows),
        least=float(weights.min()),
        most=float(weights.max()),
    )


def sample_of(part: Table, plan: Plan, chosen: np.ndarray, columns: Sequence[str]) -> Table:
    """Some of the rows that can be trained on, by their places among these: only these columns."""
    some = part.take(usable_of(part, plan)[chosen])
    return Table("sample", {name: some[name] for name in columns}, some.n_rows)


def shard_of(mean_weight: float | None, shuffle: bool, seed: int, replica: int, *parts: EncodedPart) -> Shard:
    """The rows of a replica."""
    return Shard(parts, mean_weight, shuffle=shuffle, seed=seed, replica=replica)


def size_of(shard: Shard) -> tuple[int, float]:
    """The rows of a shard, and how many an epoch passes when their weights count."""
    return shard.n_rows, shard.passes


def train(shard: Shard, common: Common, step: Step) -> Answer:
    """Let a replica train on its next rows."""
    from distributed import get_worker

    return Answer(train_shard(shard, common.state, common.learning, step), get_worker().address)


def predicted(frame: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The predictions of a partition, with its index."""
    return model.predict(frame).set_axis(frame.index, axis=0)


def ignore_interruption() -> None:
    """Have this process ignore Ctrl-C, which a terminal sends to all processes of a program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
