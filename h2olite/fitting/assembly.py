"""From what training has done so far to a model."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from typing import Any

import numpy as np

import h2olite
from h2olite.data.predictors import find_columns
from h2olite.data.table import Table
from h2olite.model import Model
from h2olite.settings.parameters import FRAMES, MODELS, Parameters
from h2olite.trained.background import background_rows
from h2olite.trained.importance import column_importance, gedeon_importance, input_spreads, number_covariances
from h2olite.trained.network import schema_of
from h2olite.trained.record import TrainingRecord
from h2olite.training.stopping import idle_rounds
from h2olite.training.trainer import Trainer

from .checkpoint import file_in
from .origin import model_id_of
from .preparation import Preparation

NONE = np.empty(0, np.int64)


class Clock:
    """When the steps of a training ended, by `time.perf_counter`."""

    def __init__(self) -> None:
        self.started = self.encoded = self.compiled = time.perf_counter()

    def note_encoded(self) -> None:
        """Encoding has ended."""
        self.encoded = time.perf_counter()

    def note_compiled(self) -> None:
        """Compiling has ended."""
        self.compiled = time.perf_counter()

    def seconds(self, trainer: Trainer, earlier: float) -> dict[str, float]:
        """Seconds of each step so far; `earlier` are those of the checkpoint, whose epochs count too."""
        return {
            "read": 0.0,
            "encode": self.encoded - self.started,
            "compile": self.compiled - self.encoded,
            "train": trainer.seconds_training,
            "score": trainer.seconds_scoring,
            "total": earlier + time.perf_counter() - self.started,
        }


@dataclasses.dataclass(eq=False)
class Assembly:
    """What a model is made of besides that which training changes.

    Attributes
    ----------
    prepared : what training started from.
    table : the training table.
    origin : what to record of parameters and tables.
    clock : of this training.
    """

    prepared: Preparation
    table: Table
    origin: dict[str, Any] | None
    clock: Clock

    def __post_init__(self) -> None:
        parameters = self.prepared.parameters
        self.model_id = parameters.model_id or model_id_of(self.origin if parameters.reproducible else None)
        self._file = parameters.export_checkpoints_dir and file_in(parameters.export_checkpoints_dir, self.model_id)

    def model(self, trainer: Trainer, stopped_by: str) -> Model:
        """The model as training has left it so far."""
        prepared, encoder = self.prepared, self.prepared.encoder
        network, measurement, best_epochs = trainer.so_far()
        checkpoint: Model | None = prepared.parameters.checkpoint
        sample = prepared.training.sample
        idle = idle_rounds(prepared.parameters, trainer.values, trainer.iterations) if stopped_by == "epochs" else []
        record = TrainingRecord(
            version=h2olite.__version__,
            rows=self.table.n_rows_in_all,
            sampled=sample.size if sample.size < prepared.n_usable else None,
            epochs=trainer.epochs,
            samples=network.rows_seen,
            iterations=trainer.iterations,
            stopped_by=stopped_by,
            stopping_values=[value if math.isfinite(value) else None for value in trainer.values],
            seconds=self.clock.seconds(trainer, checkpoint.record.seconds["total"] if checkpoint else 0.0),
            warnings=prepared.warnings + idle,
            unused=checkpoint.record.unused if checkpoint else [],
            pruned_inputs=checkpoint.record.pruned_inputs if checkpoint else 0,
            origin=self.origin,
            usable=prepared.n_usable,
            best_epochs=best_epochs,
            csv=dict(self.table.csv or {}),
        )
        # Inputs that no row of a checkpoint has had have weights of 0 and so no importance.
        absent = NONE if checkpoint else prepared.absent_inputs
        spreads, covariances = self.spreads or (None, None)
        return Model(
            model_id=self.model_id,
            parameters=self.stored,
            encoder=encoder,
            response=prepared.response,
            network=network,
            training_metrics=measurement.training,
            validation_metrics=measurement.validation,
            history=trainer.history,
            importances=None if spreads is None else gedeon_importance(network, absent),
            record=record,
            shares=prepared.shares,
            column_importances=None if spreads is None else column_importance(network, encoder, spreads, covariances),
            background=self.background,
        )

    def keep(self, trainer: Trainer) -> None:
        """Write the model so far as a checkpoint, if that is asked for."""
        if self._file is not None:
            self.model(trainer, "interrupted").save(self._file)

    @functools.cached_property
    def spreads(self) -> tuple[np.ndarray, dict[int, np.ndarray]] | None:
        """What importances of columns need of the rows; None where there are no importances."""
        prepared = self.prepared
        if not prepared.parameters.variable_importances or prepared.encoder.n_slots is not None:
            return None
        rows = prepared.rows, prepared.trained, prepared.encoder, prepared.training.observed.weights
        return input_spreads(*rows), number_covariances(*rows)

    @functools.cached_property
    def background(self) -> Table | None:
        """The training rows that the model keeps; an autoencoder predicts nothing to compare with theirs."""
        prepared, parameters = self.prepared, self.prepared.parameters
        if parameters.autoencoder:
            return None
        schema = schema_of(prepared.encoder, parameters)
        return background_rows(self.table, prepared.usable, schema, parameters.background_rows, parameters.seed)

    @functools.cached_property
    def stored(self) -> Parameters:
        """The parameters as a model keeps them: columns and models by name, no tables."""
        parameters, response = self.prepared.parameters, self.prepared.response
        changes: dict[str, Any] = dict.fromkeys((*FRAMES, "initial_weights", "initial_biases"))
        changes |= {name: getattr(parameters, name) and getattr(parameters, name).model_id for name in MODELS}
        changes["x"] = parameters.x and find_columns(self.table, parameters.x)
        changes["y"] = None if response is None else response.name
        return dataclasses.replace(parameters, **changes)
