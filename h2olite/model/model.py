"""A trained model: predictions, metrics, what it consists of, and its file."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import EncodedRows, ResponseEncoder, RowEncoder
from h2olite.data.frames import as_table
from h2olite.data.reader import Block
from h2olite.data.roles import row_offsets, row_weights
from h2olite.data.table import Kind, Table
from h2olite.errors import ArtifactError, DataError
from h2olite.functions import function_name
from h2olite.metrics import BinomialMetrics, Metrics, MultinomialMetrics, RegressionMetrics
from h2olite.network.network import Network
from h2olite.network.topology import lay_out
from h2olite.parameters import FRAMES, FUNCTIONS, Parameters, declared
from h2olite.training.workers import TILE, Workers, usable_threads
from h2olite.validation import validate

from .artifact import read_artifact, write_artifact
from .explain import partial_plot, permutation_importance
from .folds import Contents, CrossValidation, within
from .getters import MetricGetters
from .importance import IMPORTANCE_COLUMNS, ranked
from .layers import describe_layers
from .scoring import ClassShares, Observed, Scoring, objective_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

METRICS = {kind.category: kind for kind in (BinomialMetrics, MultinomialMetrics, RegressionMetrics)}


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


@dataclasses.dataclass(eq=False)
class Model(MetricGetters):
    """A trained network with everything needed to use it; made by `h2olite.deeplearning` or `h2olite.load_model`.

    A model may be pickled, and predict in many threads at once.
    """

    model_id: str
    parameters: Parameters
    encoder: RowEncoder
    response: ResponseEncoder
    network: Network
    training_metrics: Metrics
    validation_metrics: Metrics | None
    history: list[dict[str, Any]]
    importances: np.ndarray | None
    record: TrainingRecord
    cross_validation: CrossValidation | None = None
    shares: ClassShares | None = None

    def __post_init__(self) -> None:
        self._scoring = Scoring(self.response, self.parameters, self.shares)
        self._objective = objective_of(self.parameters)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle keeps: everything, but functions by name, as in a model file; not all can be pickled."""
        state = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return state | {"parameters": dataclasses.replace(self.parameters, **_functions_by_name(self.parameters))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @property
    def category(self) -> str:
        """``"Binomial"``, ``"Multinomial"`` or ``"Regression"``."""
        return self._scoring.category

    @property
    def schema(self) -> dict[str, Kind]:
        """The columns that predictions need, and what each must be."""
        return self.encoder.schema | _numeric(self.parameters.offset_column)

    @property
    def response_schema(self) -> dict[str, Kind]:
        """The columns that measuring the model needs besides: the response and, if there are any, row weights."""
        kind: Kind = "numeric" if self.response.levels is None else "categorical"
        return {self.response.name: kind} | _numeric(self.parameters.weights_column)

    @property
    def stopped_by(self) -> str:
        """The parameter that ended training, or ``"interrupted"``."""
        return self.record.stopped_by

    def default_threshold(self) -> float:
        """Probability from which the second of two classes is predicted: the best F1 on validation, else training."""
        metrics = self.validation_metrics or self.training_metrics
        return metrics["threshold"] if self.category == "Binomial" else 0.5

    def predict(self, test_data: Any) -> pd.DataFrame:
        """Predict every row of a frame.

        Parameters
        ----------
        test_data : any frame (see `h2olite.data.frames.as_table`). Missing columns, missing values and unseen levels
            are treated as missing, with a warning.

        Returns
        -------
        predictions : DataFrame, one row per row, in order. ``predict``, and for a classifier one column of
            probabilities per class, named as the class, with a ``p`` in front if that is a whole number.

        Raises
        ------
        DataError : the frame has no predictor at all, no offsets though the model needs them, or text where training
            had numbers.
        """
        table = as_table(test_data, name="test_data", schema=self.schema)
        adaptation = Adaptation(table.name)
        predictions = self._as_frame(self.predict_columns(table, adaptation))
        _warn(adaptation)
        return predictions

    def predict_columns(self, table: Table, adaptation: Adaptation) -> dict[str, np.ndarray]:
        """The columns of `predict` for a table, with indices of classes in the first one."""
        offsets = row_offsets(table, self.parameters.offset_column)
        return self._scoring.columns(self._outputs(table, adaptation), self.default_threshold(), offsets)

    def predict_blocks(self, blocks: Iterable[Block]) -> Iterator[pa.Table]:
        """Predict a table block by block (see `h2olite.data.reader.read_blocks`), behind the columns to keep."""
        import pyarrow as pa

        adaptation = None
        for block in blocks:
            adaptation = adaptation or Adaptation(block.table.name)
            columns: dict[str, Any] = dict(self.predict_columns(block.table, adaptation))
            if self.response.levels is not None:
                columns["predict"] = pa.array(self.response.levels).take(pa.array(columns["predict"]))
            predictions = pa.table(columns)
            for i, name in enumerate(block.kept.column_names):
                predictions = predictions.add_column(i, name, block.kept[name])
            yield predictions
        if adaptation is not None:
            _warn(adaptation)

    def model_performance(
        self,
        test_data: Any = None,
        train: bool = False,
        valid: bool = False,
        xval: bool = False,
        auc_type: str | None = None,
    ) -> Metrics | None:
        """The metrics on a frame that holds the response; without one, those of training, or of the frame asked for.

        A model trained with a weights_column weighs the frame's rows by it, if it is there.
        `auc_type` chooses the AUC of several classes on the frame; that of training if not given.
        """
        if test_data is None:
            return self._of_frames(train, valid, xval, lambda metrics: metrics)
        table = as_table(test_data, name="test_data", schema=self.schema | self.response_schema)
        adaptation = Adaptation(table.name)
        metrics = self.measure(table, adaptation, auc_type)
        _warn(adaptation)
        return metrics

    def measure(self, table: Table, adaptation: Adaptation, auc_type: str | None = None) -> Metrics:
        """The metrics on a table that holds the response."""
        if self.response.name not in table:
            raise DataError(f"{table.name} has no response {self.response.name!r}, which metrics need.")
        scoring = self._scoring
        if auc_type is not None:
            chosen = validate({"auc_type": auc_type}).auc_type
            scoring = dataclasses.replace(scoring, parameters=dataclasses.replace(self.parameters, auc_type=chosen))
        observed = Observed(
            self.response.encode(table, adaptation)[1],
            row_weights(table, self.parameters.weights_column, adaptation),
            row_offsets(table, self.parameters.offset_column),
        )
        return scoring.metrics(self._outputs(table, adaptation), observed)

    def varimp(self, use_pandas: bool = False) -> list[tuple[str, float, float, float]] | pd.DataFrame | None:
        """How much each input matters, most important first: variable, relative and scaled importance, percentage.

        None for a model trained without variable_importances. See `h2olite.model.importance.gedeon_importance`.

        Raises
        ------
        DataError : max_categorical_features let several levels share an input, whose importance would mean nothing.
        """
        if self.encoder.n_slots is not None:
            raise DataError(
                f"variable importances of {self.model_id} would mean nothing: its {self.encoder.n_slots} inputs for "
                "levels are shared by hashing; train without max_categorical_features."
            )
        if self.importances is None:
            return None
        rows = ranked(self.importances, self.encoder.input_names)
        if not use_pandas:
            return rows
        import pandas as pd

        return pd.DataFrame(rows, columns=list(IMPORTANCE_COLUMNS))

    permutation_importance = permutation_importance
    partial_plot = partial_plot

    def scoring_history(self) -> pd.DataFrame:
        """One row for every time the model was measured."""
        import pandas as pd

        return pd.DataFrame(self.history)

    def summary(self) -> pd.DataFrame:
        """The layers: units, type, dropout, penalties, learning rates and statistics of weights and biases."""
        import pandas as pd

        return pd.DataFrame(describe_layers(self.network, self.parameters, self.category, self.record.pruned_inputs))

    def weights(self, matrix_id: int = 0) -> pd.DataFrame:
        """The weights into a layer, 0 being the first hidden layer: a row per unit, a column per input of the layer.

        Maxout layers have two rows per unit: first those of channel 0 of all units, then those of channel 1.
        """
        import pandas as pd

        weights = self.network.weights(self._layer(matrix_id))
        below = self.encoder.input_names if matrix_id == 0 else [f"C{i + 1}" for i in range(len(weights))]
        n_inputs, n_channels, n_units = weights.shape
        return pd.DataFrame(weights.reshape(n_inputs, n_channels * n_units).T, columns=list(below))

    def biases(self, vector_id: int = 0) -> pd.DataFrame:
        """The biases of a layer, one row per row of its `weights`."""
        import pandas as pd

        return pd.DataFrame({"C1": self.network.biases(self._layer(vector_id)).reshape(-1)})

    def is_cross_validated(self) -> bool:
        """Whether the model was cross-validated."""
        return self.cross_validation is not None

    def cross_validation_models(self) -> list[Model] | None:
        """The models of the folds; None unless keep_cross_validation_models."""
        return None if self.cross_validation is None else self.cross_validation.models

    def cross_validation_metrics_summary(self) -> pd.DataFrame | None:
        """One row per metric: mean, standard deviation, and the value of each fold's model on its hold-out rows."""
        import pandas as pd

        if self.cross_validation is None:
            return None
        return pd.DataFrame(self.cross_validation.summary()).set_index("metric")

    def cross_validation_holdout_predictions(self) -> pd.DataFrame | None:
        """A prediction for every training row by the model that did not learn from it.

        None unless keep_cross_validation_predictions.
        """
        folds = self.cross_validation
        return None if folds is None or folds.predictions is None else self._as_frame(folds.predictions)

    def cross_validation_predictions(self) -> list[pd.DataFrame] | None:
        """Each fold's hold-out predictions, with 0 (of classes: the first one) in rows of other folds.

        None unless keep_cross_validation_predictions.
        """
        folds = self.cross_validation
        if folds is None or folds.predictions is None:
            return None
        return [self._as_frame(folds.predictions_of(fold)) for fold in range(len(folds.by_fold))]

    def cross_validation_fold_assignment(self) -> pd.DataFrame | None:
        """The fold of every training row, from 0; None unless keep_cross_validation_fold_assignment."""
        import pandas as pd

        folds = self.cross_validation
        kept = folds is not None and self.parameters.keep_cross_validation_fold_assignment
        return pd.DataFrame({"fold_assignment": folds.folds}) if folds is not None and kept else None

    def report(self) -> dict[str, Any]:
        """Everything about the model as plain values: the object that ``h2olite train --json`` prints."""
        record = self.record
        theta = [self.network.weights(layer) for layer in range(self.network.n_layers)]
        total = sum(weights.size for weights in theta) + record.pruned_inputs * theta[0].shape[1] * theta[0].shape[2]
        nonzero = sum(int(np.count_nonzero(weights)) for weights in theta)
        seconds = record.seconds["train"]
        return {
            "model_id": self.model_id,
            "path": None,
            "category": self.category,
            "response": self.response.name,
            "rows": record.rows,
            "predictors": len(self.encoder.schema) + len(record.unused),
            "inputs": self.encoder.n_inputs + record.pruned_inputs,
            "seed": self.parameters.seed,
            "epochs": record.epochs,
            "samples": record.samples,
            "iterations": record.iterations,
            "training_speed": record.samples / seconds if seconds else 0.0,
            "seconds": record.seconds,
            "stopped_by": record.stopped_by,
            "training_metrics": self.training_metrics.to_json(),
            "validation_metrics": self.validation_metrics and self.validation_metrics.to_json(),
            "cross_validation_metrics": self.cross_validation_metrics and self.cross_validation_metrics.to_json(),
            "cross_validation_metrics_summary": self.cross_validation and self.cross_validation.summary(),
            "scoring_history": self.history,
            "variable_importances": [
                dict(zip(IMPORTANCE_COLUMNS, row, strict=True))
                for row in (() if self.importances is None else ranked(self.importances, self.encoder.input_names))
            ],
            "layers": describe_layers(self.network, self.parameters, self.category, self.record.pruned_inputs),
            "weights": {"total": total, "nonzero": nonzero, "zero_share": 1 - nonzero / total},
            "features": {
                "total": len(self.encoder.schema) + len(record.unused),
                "used": len(self.encoder.schema),
                "unused": record.unused,
            },
            "parameters": _stored(self.parameters),
            "version": record.version,
            "warnings": record.warnings,
        }

    def __repr__(self) -> str:
        """The headline: what it is, and how good on what it was measured on."""
        shape = "-".join(str(size) for size in self.network.layout.sizes.tolist())
        frames = {
            "training": self.training_metrics,
            "validation": self.validation_metrics,
            "cross-validation": self.cross_validation_metrics,
        }
        return "\n".join(
            [
                f"{self.model_id}: {self.category} model of {self.response.name}, network {shape}, "
                f"{self.record.epochs:.4g} epochs",
                *(f"\n{name}: {metrics}" for name, metrics in frames.items() if metrics is not None),
            ]
        )

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the model to one file and give its path.

        Raises
        ------
        DataError : the file cannot be written.
        """
        write_artifact(path, *self.contents())
        return os.fspath(path)

    def contents(self) -> Contents:
        """The document and the arrays that a model file keeps."""
        document = {
            "model_id": self.model_id,
            "parameters": _stored(self.parameters),
            "encoder": self.encoder.to_json(),
            "response": self.response.to_json(),
            "training_metrics": self.training_metrics.to_json(),
            "validation_metrics": self.validation_metrics and self.validation_metrics.to_json(),
            "history": self.history,
            "importances": None if self.importances is None else self.importances.tolist(),
            "shares": self.shares,
            "record": dataclasses.asdict(self.record),
            "rows_seen": self.network.rows_seen,
            "cross_validation": None,
        }
        arrays = self.network.to_arrays()
        if self.cross_validation is not None:
            document["cross_validation"], of_folds = self.cross_validation.contents()
            arrays |= {f"cv.{name}": array for name, array in of_folds.items()}
        return document, arrays

    def _as_frame(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Columns of predictions as a DataFrame, with a classifier's classes by name."""
        import pandas as pd

        frame = pd.DataFrame(columns)
        if self.response.levels is not None:
            frame["predict"] = pd.Categorical.from_codes(columns["predict"], pd.Index(self.response.levels))
        return frame

    def _outputs(self, table: Table, adaptation: Adaptation) -> np.ndarray:
        """The network's outputs for every row of a table."""
        rows = EncodedRows(*self.encoder.encode(table, adaptation))
        n_threads = min(usable_threads(), 1 + table.n_rows // (8 * TILE))
        with Workers(self.network, rows, n_threads) as workers:
            return workers.predict(self._objective, rows)

    def _layer(self, index: int) -> int:
        """The index, if there is such a layer of weights."""
        if not 0 <= index < self.network.n_layers:
            raise DataError(f"the layer must be from 0 to {self.network.n_layers - 1}; got {index}.")
        return index


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model from a file that `Model.save` or ``h2olite train`` wrote; nothing in the file is executed.

    Raises
    ------
    ArtifactError : the file is no model, damaged, or written by a newer version.
    """
    document, arrays = read_artifact(path)
    try:
        return _restored(document, arrays)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ArtifactError(f"{os.fspath(path)} is damaged: its parts do not fit together ({error!r}).") from error


def _restored(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    """The model of a file's contents."""
    parameters = Parameters(**document["parameters"])
    encoder = RowEncoder.from_json(document["encoder"])
    response = ResponseEncoder.from_json(document["response"])
    layout = lay_out(
        [encoder.n_inputs, *parameters.hidden, max(response.n_classes, 1)],
        maxout=parameters.activation.startswith("Maxout"),
    )
    metrics = METRICS[Scoring(response, parameters).category]
    validation = document["validation_metrics"]
    importances = document["importances"]
    folds = document["cross_validation"]
    shares = document["shares"]
    return Model(
        model_id=document["model_id"],
        parameters=parameters,
        encoder=encoder,
        response=response,
        network=Network.from_arrays(layout, arrays, document["rows_seen"]),
        training_metrics=metrics.from_json(document["training_metrics"]),
        validation_metrics=None if validation is None else metrics.from_json(validation),
        history=document["history"],
        importances=None if importances is None else np.array(importances),
        record=TrainingRecord(**document["record"]),
        cross_validation=folds and CrossValidation.restored(folds, within(arrays, "cv"), metrics, _restored),
        shares=None if shares is None else ClassShares(*map(tuple, shares)),
    )


def _stored(parameters: Parameters) -> dict[str, Any]:
    """The parameters that a model file keeps: all but the tables, and functions by name."""
    values = {name: getattr(parameters, name) for name in declared() if name not in FRAMES}
    return values | _functions_by_name(parameters)


def _functions_by_name(parameters: Parameters) -> dict[str, Any]:
    """The names of the functions among the parameters."""
    functions = {name: getattr(parameters, name) for name in FUNCTIONS}
    return {name: function_name(function) for name, function in functions.items() if callable(function)}


def _numeric(name: str | None) -> dict[str, Kind]:
    """The schema of a numeric column that there may be."""
    return {} if name is None else {name: "numeric"}


def _warn(adaptation: Adaptation) -> None:
    """Warn of what the model did not know or find."""
    for sentence in adaptation.warnings():
        warnings.warn(sentence, stacklevel=3)
