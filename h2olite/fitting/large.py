"""From a table that is larger than memory to encoded rows in a scratch file, and a sample of them in memory."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import NONE
from h2olite.data.roles import row_offsets
from h2olite.data.splits import complete_rows
from h2olite.data.stored import LargeTable
from h2olite.data.table import Table
from h2olite.errors import LackOfMemoryError
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.machine.memory import size_text
from h2olite.machine.scratch import ScratchFile
from h2olite.settings.parameters import Parameters
from h2olite.training.source import RowSource
from h2olite.training.stored import ROWS, StoredRows, StoredSource

from .checkpoint import refuse_new_classes
from .footprint import ENCODED, estimate_memory
from .preparation import Preparation, prepare

READING = 200 << 20
"""Bytes that reading leaves behind, and what compiling the kernels takes."""

LEAST_BLOCKS = 8
"""Blocks of the smallest window: rows of fewer would not be mixed."""


@dataclasses.dataclass(frozen=True, eq=False)
class StoredPreparation(Preparation):
    """What training on a large table starts from: as a `Preparation`, its sample.

    Attributes
    ----------
    stored : all rows that can be trained on.
    places : int64, where each row of the sample is among them; -1 where it cannot be trained on.
    window_bytes : how much of them is in memory at a time, and read for the next time.
    """

    stored: StoredRows
    places: np.ndarray
    window_bytes: float

    def dealt(self, parameters: Parameters) -> Preparation:
        """The same with the choices among rows that these parameters make, which differ in the seed."""
        dealt = super().dealt(parameters)
        n_held_out = 0 if dealt.held_out is None else int(dealt.held_out.sum())
        return dataclasses.replace(dealt, n_usable=self.stored.n_rows - n_held_out)

    @functools.cached_property
    def source(self) -> RowSource:
        """What training takes its rows from."""
        held_out = np.empty(0, np.int64) if self.held_out is None else np.flatnonzero(self.held_out)
        return StoredSource(
            self.stored,
            self.rows,
            self.training.sample,
            (held_out, self.places[held_out]),
            self.window_bytes,
            shuffle=self.parameters.shuffle_training_data,
            seed=self.parameters.seed,
        )

    def close(self) -> None:
        """Remove the rows."""
        self.stored.close()


def prepare_large(parameters: Parameters, training: LargeTable, validation: Table | None) -> Preparation:
    """Settle everything by the sample and by statistics of all rows, and encode all rows.

    The rows of the table are no longer in a scratch file then.

    Raises
    ------
    ParameterError, DataError : as `prepare`.
    LackOfMemoryError : max_memory is too little, or the disk has no space for the rows.
    """
    window_bytes = window_of(parameters, training, validation)
    prepared = prepare(parameters, training, validation)
    scratch = ScratchFile(training.scratch)
    try:
        n_columns = len(prepared.encoder.predictors) + 2
        scratch.refuse_lack_of_space(ENCODED * n_columns * training.n_rows_in_all, f"training on {training.name}")
        stored, places, missing_seen = _encode(prepared, training, scratch)
    except BaseException:
        scratch.close()
        raise
    training.all_rows.close()
    checkpoint = parameters.checkpoint
    encoder = prepared.encoder if checkpoint else dataclasses.replace(prepared.encoder, missing_seen=missing_seen)
    fields = {field.name: getattr(prepared, field.name) for field in dataclasses.fields(Preparation)}
    window_bytes /= parameters.ensemble
    large = StoredPreparation(**fields | {"encoder": encoder}, stored=stored, places=places, window_bytes=window_bytes)
    return large.dealt(prepared.parameters)


def window_of(parameters: Parameters, training: LargeTable, validation: Table | None) -> float:
    """The bytes of a window, of which two are in memory.

    Raises
    ------
    LackOfMemoryError : too little is left for a window.
    """
    needed = estimate_memory(parameters, training, validation).total + READING
    window = (training.max_memory - needed) / 2
    least = LEAST_BLOCKS * ROWS * (ENCODED * len(training.columns) + 24) * parameters.ensemble
    if window < least:
        raise LackOfMemoryError(
            f"training on {training.name} needs about {size_text(needed + 2 * least)} of memory at the least, with its "
            f"rows in a scratch file; it may take {size_text(training.max_memory)}: give more max_memory, or use "
            "smaller hidden layers."
        )
    return window


def _encode(
    prepared: Preparation, training: LargeTable, scratch: ScratchFile
) -> tuple[StoredRows, np.ndarray, np.ndarray]:
    """All rows to train on; where the sample is among them; which categorical columns lack a value in some."""
    parameters, encoder, response = prepared.parameters, prepared.encoder, prepared.response
    log_link = DISTRIBUTIONS[parameters.distribution].link == "log"
    stored = StoredRows(scratch, encoder.n_categorical_inputs)
    adaptation = Adaptation(training.name)
    missing_seen = np.zeros(len(encoder.categorical), np.bool_)
    sampled, first = training.sampled, 0
    places = np.full(sampled.size, -1, np.int64)
    for block in training.all_rows.tables():
        usable = np.ones(block.n_rows, np.bool_)
        if parameters.missing_values_handling == "Skip":
            usable = complete_rows(block, encoder.schema)
        offsets = row_offsets(block, parameters.offset_column)
        target = NONE
        if response is not None:
            target, _ = response.encode(block, adaptation, offsets=None if log_link else offsets)
            refuse_new_classes(adaptation, response.name)
            usable &= ~np.isnan(target)
        kept = np.flatnonzero(usable)
        begin, end = np.searchsorted(sampled, (first, first + block.n_rows))
        of_block = sampled[begin:end] - first
        places[begin:end] = np.where(usable[of_block], stored.n_rows + np.cumsum(usable)[of_block] - 1, -1)
        first += block.n_rows
        if not kept.size:
            continue
        rows = encoder.encode_rows(block if kept.size == block.n_rows else block.take(kept), adaptation)
        if response is not None:
            rows = rows._replace(target=target[kept])
        if offsets is not None and log_link:
            rows = rows._replace(offsets=offsets[kept].astype(np.float32))
        stored.append(rows)
        for i, name in enumerate(encoder.categorical):
            missing_seen[i] |= bool((block[name].values[kept] < 0).any())
    return stored, places, missing_seen
