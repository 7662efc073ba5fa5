"""A trained network with everything that predictions need, and what is known of how it came about."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import EncodedRows, RowEncoder
from h2olite.data.response import ResponseEncoder
from h2olite.data.roles import row_offsets
from h2olite.data.table import Kind, Table
from h2olite.kernels.layout import TILE
from h2olite.machine.threads import usable_threads
from h2olite.metrics import Metrics
from h2olite.network.joining import apart
from h2olite.network.network import Network
from h2olite.predicting.averaged import Averaged
from h2olite.predicting.double_precision import DoublePrecision
from h2olite.predicting.predictor import Predictor
from h2olite.predicting.single_precision import SinglePrecision
from h2olite.settings.parameters import Parameters
from h2olite.settings.plain import functions_by_name
from h2olite.training.task import objective_of

from .parts import check_parts
from .record import TrainingRecord
from .scoring import ClassShares, Reconstruction, scoring_of

UNFINISHED = ("interrupted", "max_runtime_secs")
"""What has ended a training before its time, so that it may well go on."""


@dataclasses.dataclass(eq=False)
class CrossValidation:
    """Models that each learnt from all folds but one, and what they made of that one.

    Attributes
    ----------
    metrics : of the predictions that every row got from the model that did not learn from it.
    by_fold : the numbers of `summarise_fold`, fold by fold.
    models : the fold models, if kept.
    predictions : if kept, the columns of predictions by name, a value for every training row, with index of class in
        ``predict`` of a classifier.
    folds : int32, fold of every training row, if kept or needed to tell whose the predictions are.
    """

    metrics: Metrics
    by_fold: list[dict[str, float]]
    models: Sequence[TrainedNetwork] | None = None
    predictions: dict[str, np.ndarray] | None = None
    folds: np.ndarray | None = None

    def summary(self) -> list[dict[str, Any]]:
        """A row per metric: its mean and standard deviation over the folds that it is defined for, then each fold's."""
        rows = []
        for name in self.by_fold[0]:
            values = np.array([fold[name] for fold in self.by_fold])
            defined = values[~np.isnan(values)]
            rows.append(
                {
                    "metric": name,
                    "mean": float(defined.mean()) if defined.size else np.nan,
                    "sd": float(defined.std(ddof=1)) if defined.size > 1 else 0.0,
                    **{f"cv_{fold}_valid": value for fold, value in enumerate(values.tolist(), 1)},
                }
            )
        return rows

    def predictions_of(self, fold: int) -> dict[str, np.ndarray]:
        """The columns of predictions of one fold's rows, with 0 in all other rows."""
        assert self.predictions is not None
        return {name: np.where(self.folds == fold, values, 0) for name, values in self.predictions.items()}


@dataclasses.dataclass(eq=False)
class TrainedNetwork:
    """A network, the encoders of its inputs and response, and what training has told of it.

    Whoever made it, its parts have been checked to fit together (see `h2olite.trained.parts.check_parts`). It may be
    pickled, and predict in many threads at once. Its `path` is the file that it was last read from or written to, None
    without one. Its `background` are rows of the training table (see `h2olite.trained.background`).
    """

    model_id: str
    parameters: Parameters
    encoder: RowEncoder
    response: ResponseEncoder | None
    network: Network
    training_metrics: Metrics | None
    validation_metrics: Metrics | None
    history: list[dict[str, Any]]
    importances: np.ndarray | None
    record: TrainingRecord
    cross_validation: CrossValidation | None = None
    shares: ClassShares | None = None
    path: str | None = None
    threshold: float | None = None
    column_importances: np.ndarray | None = None
    rates: list[dict[str, float]] | None = None
    background: Table | None = None

    def __post_init__(self) -> None:
        check_parts(self.parameters, self.encoder, self.response, self.network)
        self.scoring = scoring_of(self.encoder, self.response, self.parameters, self.shares)
        self.objective = objective_of(self.parameters)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle keeps: everything, but functions by name, as in a model file; not all can be pickled."""
        state = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return state | {"parameters": dataclasses.replace(self.parameters, **functions_by_name(self.parameters))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @property
    def category(self) -> str:
        """``"Binomial"``, ``"Multinomial"``, ``"Regression"`` or ``"AutoEncoder"``."""
        return self.scoring.category

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The levels of the response; None when it is a number or there is none."""
        return None if self.response is None else self.response.levels

    @property
    def schema(self) -> dict[str, Kind]:
        """The columns that predictions need, and what each must be."""
        return schema_of(self.encoder, self.parameters)

    @property
    def response_schema(self) -> dict[str, Kind]:
        """The columns that measuring the model needs besides: the response and, if there are any, row weights."""
        kind: Kind = "numeric" if self.classes is None else "categorical"
        return ({} if self.response is None else {self.response.name: kind}) | _numeric(self.parameters.weights_column)

    @property
    def csv(self) -> dict[str, Any]:
        """How CSV is read for this model, as far as somebody said so of its training table."""
        return self.record.csv

    @property
    def dtype(self) -> type[np.floating]:
        """Type of the numbers that predictions are made in: float32, or of an imported model, as its maker, float64."""
        return np.float32 if self.record.maker is None else np.float64

    def engine(self, rows: EncodedRows, n_threads: int, network: Network | None = None) -> Predictor:
        """What passes rows like these through the network, or through another one of the same inputs."""
        if network is None and len(self.members) > 1:
            return Averaged(self.network, self.members, rows, n_threads)
        network = network or self.network
        return SinglePrecision(network, rows, n_threads) if self.dtype is np.float32 else DoublePrecision(network)

    @functools.cached_property
    def members(self) -> list[Network]:
        """The networks of an ensemble, or the one network."""
        n_members = self.parameters.ensemble
        return [self.network] if n_members == 1 else apart(self.network, n_members)

    @property
    def stopped_by(self) -> str:
        """The parameter that ended training, or ``"interrupted"``."""
        return self.record.stopped_by

    @property
    def cross_validation_metrics(self) -> Metrics | None:
        """The metrics of every training row's prediction by the model that did not learn from it."""
        return None if self.cross_validation is None else self.cross_validation.metrics

    def default_threshold(self) -> float:
        """Probability from which the second of two classes is predicted: the best F1 on validation, else training.

        That of an imported model is what its maker set; `reset_threshold` sets another one.
        """
        metrics = self.validation_metrics or self.training_metrics
        if self.threshold is None and metrics is not None and self.category == "Binomial":
            return metrics["threshold"]
        return 0.5 if self.threshold is None else self.threshold

    def predict_columns(self, table: Table, adaptation: Adaptation) -> dict[str, np.ndarray]:
        """The columns of `predict` for a table, with indices of classes in the first one."""
        with self.passing(table, adaptation) as (engine, rows):
            outputs = engine.predict(self.objective, rows)
        if self.record.largest_output is not None:
            adaptation.note_extrapolations(outputs[:, 0] - self.record.largest_output)
        return self.columns_of(outputs, row_offsets(table, self.parameters.offset_column))

    def columns_of(self, outputs: np.ndarray, offsets: np.ndarray | None) -> dict[str, np.ndarray]:
        """The columns of `predict` for rows whose outputs are known."""
        if isinstance(self.scoring, Reconstruction):
            return self.scoring.columns(outputs)
        return self.scoring.columns(outputs, self.default_threshold(), offsets)

    @contextlib.contextmanager
    def passing(
        self, table: Table, adaptation: Adaptation, network: Network | None = None
    ) -> Iterator[tuple[Predictor, EncodedRows]]:
        """What passes the rows of a table through the network, or through another one, and these rows."""
        rows = self.encoder.encode_rows(table, adaptation, self.dtype)
        n_threads = min(usable_threads(), 1 + table.n_rows // (8 * TILE))
        with self.engine(rows, n_threads, network) as engine:
            yield engine, rows

    @property
    def keeps_state(self) -> bool:
        """Whether the model's file keeps what training needs to go on exactly; see the parameter keep_state."""
        given = (self.record.origin or {}).get("given") or {}  # the checkpoints of a path are nobody's wish
        asked = self.parameters.keep_state or self.parameters.export_checkpoints_dir or "checkpoint" in given
        return bool(asked) or self.stopped_by in UNFINISHED


def schema_of(encoder: RowEncoder, parameters: Parameters) -> dict[str, Kind]:
    """The columns that predictions with an encoder need, and what each must be."""
    return encoder.schema | _numeric(parameters.offset_column)


def _numeric(name: str | None) -> dict[str, Kind]:
    """The schema of a numeric column that there may be."""
    return {} if name is None else {name: "numeric"}
