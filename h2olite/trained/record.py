"""How a model came about."""

from __future__ import annotations

import dataclasses
from typing import Any

import h2olite

DURATIONS = ("read", "encode", "compile", "train", "score", "total")
"""What a record tells the seconds of."""


@dataclasses.dataclass
class TrainingRecord:
    """How a model came about.

    Attributes
    ----------
    version : of h2olite.
    rows : of the training table.
    sampled : rows that the training metrics are from, None for all.
    epochs, samples, iterations : how much was trained.
    stopped_by : the parameter that ended training, or ``"interrupted"``.
    stopping_values : the stopping metric at every scoring, oldest first; None where it was not measured.
    seconds : spent on ``read``, ``encode``, ``compile``, ``train``, ``score``, and in ``total``.
    warnings : sentences for the user.
    unused : predictors that left the model because none of their weights could reach an output.
    pruned_inputs : the number of their inputs.
    origin : what it was made of (see `h2olite.fitting.origin.origin_of`); None for one of several models of a whole.
    maker : who made the model, if it was imported; then nothing is known of the training.
    usable : rows of the training table that can be trained on; None if not known, as in older files.
    best_epochs : epochs until the model that was kept, fewer than `epochs` if it was an earlier one; None likewise.
    largest_output : the largest linear output of the rows that the training metrics are from, without their offsets, if
        the distribution has a log link; None otherwise, and in older files.
    members : of an ensemble, for each network its seed, epochs, best_epochs, stopped_by and, if it was validated, the
        stopping metric of its validation rows as stopping_value.
    violations : how far each layer is from an optimum under penalties that make zeros (see
        `h2olite.training.optimality.violations`); empty without them, and in older files.
    csv : how CSV of the training table was read, as far as somebody said so; other tables are read likewise.
    """

    version: str
    rows: int
    sampled: int | None
    epochs: float
    samples: int
    iterations: int
    stopped_by: str
    stopping_values: list[float | None]
    seconds: dict[str, float]
    warnings: list[str]
    unused: list[str] = dataclasses.field(default_factory=list)
    pruned_inputs: int = 0
    origin: dict[str, Any] | None = None
    maker: str | None = None
    usable: int | None = None
    best_epochs: float | None = None
    largest_output: float | None = None
    violations: list[float] = dataclasses.field(default_factory=list)
    csv: dict[str, Any] = dataclasses.field(default_factory=dict)
    members: list[dict[str, float | str]] = dataclasses.field(default_factory=list)

    @classmethod
    def imported(cls, maker: str) -> TrainingRecord:
        """The record of a model about whose training nothing is known."""
        seconds = dict.fromkeys(DURATIONS, 0.0)
        return cls(h2olite.__version__, 0, None, 0.0, 0, 0, "import", [], seconds, [], maker=maker)
