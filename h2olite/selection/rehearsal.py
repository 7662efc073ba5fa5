"""What a training would be: everything settled and checked, its need of memory and time, and no model."""

from __future__ import annotations

import dataclasses
from typing import Any

from h2olite.data.table import Table
from h2olite.fitting.cross_validation import assign_folds, idle_parameters
from h2olite.fitting.fit import fit
from h2olite.fitting.footprint import MemoryEstimate, estimate_memory
from h2olite.fitting.preparation import look_at, with_classes
from h2olite.model import Model
from h2olite.settings.parameters import Parameters
from h2olite.settings.plain import stored
from h2olite.settings.rules import ROLES
from h2olite.trained.report import count_weights
from h2olite.training.task import layout_of

PROBE = 0.5
"""Seconds of training by which its speed is measured."""


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """What a training would be.

    Attributes
    ----------
    category, response : of the model.
    rows : of the training table.
    columns : a row per column: ``name``, ``type``, ``levels`` (None of numbers), ``missing`` values, ``role``.
    sizes : inputs, units of the hidden layers, outputs.
    weights : how many there are.
    parameters : all of them, with every automatic choice made.
    memory : bytes at the peak.
    rows_per_second : measured while training for half a second.
    rows_to_train : rows that all epochs, in all folds, go through at most.
    warnings : sentences for the user.
    """

    category: str
    response: str | None
    rows: int
    columns: list[dict[str, Any]]
    sizes: list[int]
    weights: int
    parameters: dict[str, Any]
    memory: MemoryEstimate
    rows_per_second: float
    rows_to_train: float
    warnings: list[str]

    @property
    def seconds(self) -> float:
        """A rough guess at the time that training takes if nothing but the epochs ends it, scoring left out."""
        return self.rows_to_train / self.rows_per_second if self.rows_per_second else 0.0

    def report(self) -> dict[str, Any]:
        """The rehearsal as plain values: the object that ``h2olite train --dry-run --json`` prints."""
        plain = dataclasses.asdict(self)
        return plain | {"memory": self.memory._asdict() | {"total": self.memory.total}, "seconds": self.seconds}


def rehearse(parameters: Parameters, training: Table, validation: Table | None = None) -> Rehearsal:
    """Prepare a training, and begin it to see how fast it is; takes and raises what `fit` does."""
    look_at(parameters, training, None)
    n_folds = 0
    if parameters.nfolds or parameters.fold_column:
        n_folds = int(assign_folds(dataclasses.replace(parameters, seed=0), training).max()) + 1

    checkpoint: Model | None = parameters.checkpoint
    before = (0.0, 0, 0.0) if checkpoint is None else _trained(checkpoint)
    end = PROBE + (checkpoint.history[-1]["duration"] if checkpoint and checkpoint.history else 0.0)
    probe = dataclasses.replace(parameters, export_checkpoints_dir=None, stopping_rounds=0, ensemble=1)
    model = fit(probe, training, validation, lambda progress: progress.seconds < end, prune=False)
    resolved = dataclasses.replace(
        model.parameters,
        export_checkpoints_dir=parameters.export_checkpoints_dir,
        stopping_rounds=parameters.stopping_rounds,
        ensemble=parameters.ensemble,
        seed=parameters.seed,
    )
    response = None if model.response is None else model.response.name
    epochs, samples, seconds = (now - then for now, then in zip(_trained(model), before, strict=True))
    per_epoch = samples / epochs if epochs else 0.0
    return Rehearsal(
        category=model.category,
        response=response,
        rows=training.n_rows,
        columns=_columns(model, parameters, with_classes(parameters, training, response)),
        sizes=layout_of(model.encoder, model.response, resolved).sizes.tolist(),
        weights=parameters.ensemble * count_weights(model)["total"],
        parameters=stored(resolved),
        memory=estimate_memory(parameters, training, validation),
        rows_per_second=samples / seconds if seconds else 0.0,
        # The folds together train on all rows but one fold's, as often as there are folds.
        rows_to_train=(parameters.epochs - before[0]) * per_epoch * (n_folds or 1) * parameters.ensemble,
        warnings=idle_parameters(parameters, model) + model.record.warnings,
    )


def _trained(model: Model) -> tuple[float, int, float]:
    """For how many epochs, rows and seconds a model has been trained."""
    return model.record.epochs, model.record.samples, model.record.seconds["train"]


def _columns(model: Model, parameters: Parameters, table: Table) -> list[dict[str, Any]]:
    """What each column holds, and what for."""
    roles = {getattr(parameters, role): role.removesuffix("_column") for role in ROLES}
    roles |= dict.fromkeys(parameters.ignored_columns or (), "ignored")
    roles |= dict.fromkeys(model.encoder.schema, "predictor")
    if model.response is not None:
        roles[model.response.name] = "response"
    unused = "left out" if parameters.x is None else "ignored"
    return [
        {
            "name": name,
            "type": column.kind,
            "levels": column.levels and list(column.levels),
            "missing": column.n_missing,
            "role": roles.get(name, unused),
        }
        for name, column in table.columns.items()
    ]
