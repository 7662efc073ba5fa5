"""A trained model: predictions, metrics, what it consists of, and its file."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.arrow import to_arrow
from h2olite.data.encoding import EncodedRows, RowEncoder
from h2olite.data.frames import rows_to_predict
from h2olite.data.reader import Block
from h2olite.data.response import ResponseEncoder
from h2olite.data.roles import row_offsets
from h2olite.data.table import Kind, Table
from h2olite.errors import DataError, ParameterError
from h2olite.kernels.layout import TILE
from h2olite.metrics import Metrics
from h2olite.metrics.binomial import check_threshold
from h2olite.network.network import Network
from h2olite.parameters import Parameters, counted
from h2olite.training.double_precision import DoublePrecision
from h2olite.training.engine import Engine
from h2olite.training.workers import Workers, usable_threads

from .artifact import write_artifact
from .evaluation import curves, measure, measure_parts, model_performance, predict_observed
from .explain import partial_plot, permutation_importance
from .folds import Contents, CrossValidation
from .getters import ModelMetrics
from .h2o_names import H2ONames
from .importance import IMPORTANCE_COLUMNS, column_importance, ranked, usual_spreads
from .layers import describe_layers, rates_of
from .mojo import download_mojo
from .record import TrainingRecord, functions_by_name, report, stop_clock, stored
from .scoring import ClassShares, Reconstruction, objective_of, scoring_of
from .soundness import check_model

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

UNFINISHED = ("interrupted", "max_runtime_secs")
"""What has ended a training before its time, so that it may well go on."""

ColumnsOf = Callable[[Table, Adaptation], dict[str, np.ndarray]]
"""Computes columns for the rows of a table."""


@dataclasses.dataclass(eq=False)
class Model(H2ONames, ModelMetrics):
    """A trained network with everything needed to use it; made by `h2olite.deeplearning` or `h2olite.load_model`.

    Whoever made it, its parts have been checked to fit together (see `h2olite.model.soundness.check_model`). A model
    may be pickled, and predict in many threads at once. Its `path` is the file that it was last read from or written
    to, None without one.
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

    def __post_init__(self) -> None:
        check_model(self.parameters, self.encoder, self.response, self.network)
        self._scoring = scoring_of(self.encoder, self.response, self.parameters, self.shares)
        self._objective = objective_of(self.parameters)

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
        return self._scoring.category

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The levels of the response; None when it is a number or there is none."""
        return None if self.response is None else self.response.levels

    @property
    def schema(self) -> dict[str, Kind]:
        """The columns that predictions need, and what each must be."""
        return self.encoder.schema | _numeric(self.parameters.offset_column)

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

    def engine(self, rows: EncodedRows, n_threads: int, network: Network | None = None) -> Engine:
        """What passes rows like these through the network, or through another one of the same inputs."""
        network = network or self.network
        return Workers(network, rows, n_threads) if self.dtype is np.float32 else DoublePrecision(network)

    @property
    def stopped_by(self) -> str:
        """The parameter that ended training, or ``"interrupted"``."""
        return self.record.stopped_by

    def default_threshold(self) -> float:
        """Probability from which the second of two classes is predicted: the best F1 on validation, else training.

        That of an imported model is what its maker set; `reset_threshold` sets another one.
        """
        metrics = self.validation_metrics or self.training_metrics
        if self.threshold is None and metrics is not None and self.category == "Binomial":
            return metrics["threshold"]
        return 0.5 if self.threshold is None else self.threshold

    def reset_threshold(self, threshold: float) -> float:
        """Set the probability from which the second of two classes is predicted, and give the one before.

        Predictions, files and exports go by it; the metrics of training stay as they were measured.

        Raises
        ------
        ParameterError : it is no probability, or the model has not two classes.
        """
        if self.category != "Binomial":
            raise ParameterError(f"a threshold needs two classes; {self.model_id} is a {self.category} model.")
        check_threshold(threshold)
        before, self.threshold = self.default_threshold(), float(threshold)
        return before

    def predict(self, test_data: Any) -> pd.DataFrame:
        """Predict every row of a frame.

        Parameters
        ----------
        test_data : any frame (see `h2olite.data.frames.as_table`), or one row: a Series or a dict of single values.
            Missing columns, missing values and unseen levels are treated as missing, with a warning.

        Returns
        -------
        predictions : DataFrame, one row per row, in order. ``predict``, and for a classifier one column of
            probabilities per class, named as the class, with a ``p`` in front if that is a whole number.
            An autoencoder has no ``predict`` but, for every input, ``reconstr_`` and its name.

        Raises
        ------
        DataError : the frame has no predictor at all, no offsets though the model needs them, or text where training
            had numbers.
        """
        return self._frame_of(test_data, self.predict_columns)

    def predict_columns(self, table: Table, adaptation: Adaptation) -> dict[str, np.ndarray]:
        """The columns of `predict` for a table, with indices of classes in the first one."""
        with self._engine(table, adaptation) as (engine, rows):
            outputs = engine.predict(self._objective, rows)
        if self.record.largest_output is not None:
            adaptation.note_extrapolations(outputs[:, 0] - self.record.largest_output)
        return self.columns_of(outputs, row_offsets(table, self.parameters.offset_column))

    def columns_of(self, outputs: np.ndarray, offsets: np.ndarray | None) -> dict[str, np.ndarray]:
        """The columns of `predict` for rows whose outputs are known."""
        if isinstance(self._scoring, Reconstruction):
            return self._scoring.columns(outputs)
        return self._scoring.columns(outputs, self.default_threshold(), offsets)

    def anomaly(self, test_data: Any, per_feature: bool = False) -> pd.DataFrame:
        """How badly an autoencoder reconstructs every row of a frame, as a measure of how unusual the row is.

        Parameters
        ----------
        test_data : any frame, as for `predict`.
        per_feature : tell the error of every input.

        Returns
        -------
        errors : DataFrame with a column ``Reconstruction.MSE``, the mean over the inputs of (output - input)^2 as they
            are encoded (numbers in units of their range if standardised), or with a column ``reconstr_<input>.SE`` per
            input, (output - input)^2.

        Raises
        ------
        DataError : the model is no autoencoder, or what `predict` raises.
        """
        return self._frame_of(test_data, functools.partial(self.anomaly_columns, per_feature=per_feature))

    def anomaly_columns(self, table: Table, adaptation: Adaptation, *, per_feature: bool) -> dict[str, np.ndarray]:
        """The columns of `anomaly` for a table."""
        if not isinstance(self._scoring, Reconstruction):
            raise DataError(
                f"anomaly needs an autoencoder; {self.model_id} is a {self.category} model; train one with autoencoder."
            )
        with self._engine(table, adaptation) as (engine, rows):
            return self._scoring.anomaly(engine, self._objective, rows, per_feature=per_feature)

    def deepfeatures(self, test_data: Any, layer: int) -> pd.DataFrame:
        """The activations of a hidden layer for every row of a frame.

        Parameters
        ----------
        test_data : any frame, as for `predict`.
        layer : 0 is the first hidden layer.

        Returns
        -------
        features : DataFrame with a column ``DF.L<layer + 1>.C<unit + 1>`` per unit. Units that training dropped with
            probability p are multiplied by 1 - p.

        Raises
        ------
        DataError : there is no such layer, or what `predict` raises.
        """
        return self._frame_of(test_data, functools.partial(self.deepfeatures_columns, layer=layer))

    def deepfeatures_columns(self, table: Table, adaptation: Adaptation, *, layer: int) -> dict[str, np.ndarray]:
        """The columns of `deepfeatures` for a table."""
        n_hidden = self.network.n_layers - 1
        if not 0 <= layer < n_hidden:
            known = f"from 0 to {n_hidden - 1}" if n_hidden else "hidden, of which the model has none"
            raise DataError(f"the layer of deep features must be {known}; got {layer}.")
        # Up to this layer the network is like an autoencoder in that its outputs are activated.
        objective = self._objective._replace(autoencoder=True)
        with self._engine(table, adaptation, self.network.up_to(layer)) as (engine, rows):
            features = engine.predict(objective, rows)
        return {f"DF.L{layer + 1}.C{unit}": column for unit, column in enumerate(features.T, 1)}

    def transform_blocks(self, blocks: Iterable[Block], columns_of: ColumnsOf) -> Iterator[pa.Table]:
        """Compute columns block by block (see `h2olite.data.reader.read_blocks`), behind the columns to keep.

        columns_of : what to compute, such as `predict_columns`.
        """
        import pyarrow as pa

        adaptation = None
        for block in blocks:
            adaptation = adaptation or Adaptation(block.table.name)
            columns = {name: to_arrow(values) for name, values in columns_of(block.table, adaptation).items()}
            if self.classes is not None and "predict" in columns:
                columns["predict"] = to_arrow(self.classes).take(columns["predict"])
            taken = columns.keys() & set(block.kept.column_names)
            if taken:
                raise DataError(
                    f"column {min(taken)!r} cannot be kept: a column of the result has that name; rename it in "
                    f"{block.table.name}."
                )
            computed = pa.table(columns)
            for i, name in enumerate(block.kept.column_names):
                computed = computed.add_column(i, name, block.kept[name])
            yield computed
        if adaptation is not None:
            adaptation.warn()

    model_performance = model_performance
    measure = measure
    measure_parts = measure_parts
    predict_observed = predict_observed
    curves = curves

    def varimp(
        self, use_pandas: bool = False, by_column: bool = False
    ) -> list[tuple[str, float, float, float]] | pd.DataFrame | None:
        """How much each input matters, most important first: variable, relative and scaled importance, percentage.

        None for a model trained without variable_importances. See `h2olite.model.importance.gedeon_importance`.

        by_column : one row per column of the table instead, comparable whatever the number of levels; see
            `h2olite.model.importance.column_importance`.

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
        if by_column:
            columns = self.column_importances
            if columns is None:  # as in files of other programs and older versions
                columns = column_importance(self.network, self.encoder, usual_spreads(self.encoder))
            rows = ranked(columns, [name for (name,) in self.encoder.column_groups])
        else:
            rows = ranked(self.importances, self.encoder.input_names)
        if not use_pandas:
            return rows
        import pandas as pd

        return pd.DataFrame(rows, columns=list(IMPORTANCE_COLUMNS))

    permutation_importance = permutation_importance
    partial_plot = partial_plot
    download_mojo = download_mojo

    def export_onnx(self, path: str | os.PathLike[str]) -> str:
        """Write the model as an ONNX file, and give its path (see `h2olite.model.onnx.export_onnx`).

        Raises
        ------
        MissingExtraError : onnx is not installed.
        DataError : the model cannot be an ONNX graph, or the file cannot be written.
        """
        from .onnx import export_onnx

        return export_onnx(self, path)

    def scoring_history(self) -> pd.DataFrame:
        """One row for every time the model was measured."""
        import pandas as pd

        return pd.DataFrame(self.history)

    def summary(self) -> pd.DataFrame:
        """The layers: units, type, dropout, penalties, learning rates and statistics of weights and biases."""
        import pandas as pd

        return pd.DataFrame(describe_layers(self))

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

    def report(self) -> dict[str, Any]:
        """Everything about the model as plain values: the object that ``h2olite train --json`` prints."""
        return report(self)

    def __repr__(self) -> str:
        """The headline: what it is, and how good on what it was measured on."""
        of = "" if self.response is None else f" of {self.response.name}"
        shape = "-".join(str(size) for size in self.network.layout.sizes.tolist())
        frames = {
            "training": self.training_metrics,
            "validation": self.validation_metrics,
            "cross-validation": self.cross_validation_metrics,
        }
        origin = counted(self.record.epochs, "epoch") if self.record.maker is None else f"made by {self.record.maker}"
        return "\n".join(
            [
                f"{self.model_id}: {self.category} model{of}, network {shape}, {origin}",
                *(f"\n{name}: {metrics}" for name, metrics in frames.items() if metrics is not None),
            ]
        )

    @property
    def keeps_state(self) -> bool:
        """Whether the model's file keeps what training needs to go on exactly; see the parameter keep_state."""
        asked = self.parameters.keep_state or self.parameters.checkpoint or self.parameters.export_checkpoints_dir
        return bool(asked) or self.stopped_by in UNFINISHED

    def save(self, path: str | os.PathLike[str], keep_state: bool | None = None) -> str:
        """Write the model to one file and give its path.

        keep_state : keep what training needs to go on exactly; if not given, as `keeps_state` says.

        Raises
        ------
        DataError : the file cannot be written.
        """
        write_artifact(path, *self.contents(keep_state))
        self.path = os.fspath(path)
        return self.path

    def contents(self, keep_state: bool | None = None) -> Contents:
        """The document and the arrays that a model file keeps."""
        state = self.keeps_state if keep_state is None else keep_state
        document: dict[str, Any] = {
            "model_id": self.model_id,
            "parameters": stored(self.parameters),
            "encoder": self.encoder.to_json(),
            "response": self.response and self.response.to_json(),
            "training_metrics": self.training_metrics and self.training_metrics.to_json(),
            "validation_metrics": self.validation_metrics and self.validation_metrics.to_json(),
            "history": self.history,
            "importances": None if self.importances is None else self.importances.tolist(),
            "shares": self.shares,
            "threshold": self.threshold,
            "column_importances": None if self.column_importances is None else self.column_importances.tolist(),
            "rates": None if state and self.network.has_state else rates_of(self),
            "record": dataclasses.asdict(self.record),
            "rows_seen": self.network.rows_seen,
            "cross_validation": None,
        }
        stop_clock(document)
        arrays = self.network.to_arrays(state=state)
        if self.cross_validation is not None:
            document["cross_validation"], of_folds = self.cross_validation.contents()
            arrays |= {f"cv.{name}": array for name, array in of_folds.items()}
        return document, arrays

    def _as_frame(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Columns of predictions as a DataFrame, with a classifier's classes by name."""
        import pandas as pd

        frame = pd.DataFrame(columns)
        if self.classes is not None and "predict" in columns:
            frame["predict"] = pd.Categorical.from_codes(columns["predict"], pd.Index(self.classes))
        return frame

    def _frame_of(self, test_data: Any, columns_of: ColumnsOf) -> pd.DataFrame:
        """What is computed for every row of a frame, with warnings about what the frame lacks."""
        table = rows_to_predict(test_data, self.schema, csv=self.csv)
        adaptation = Adaptation(table.name)
        frame = self._as_frame(columns_of(table, adaptation))
        adaptation.warn(stacklevel=3)
        return frame

    @contextlib.contextmanager
    def _engine(
        self, table: Table, adaptation: Adaptation, network: Network | None = None
    ) -> Iterator[tuple[Engine, EncodedRows]]:
        """What passes the rows of a table through the network, or through another one, and these rows."""
        rows = self.encoder.encode_rows(table, adaptation, self.dtype)
        n_threads = min(usable_threads(), 1 + table.n_rows // (8 * TILE))
        with self.engine(rows, n_threads, network) as engine:
            yield engine, rows

    def _layer(self, index: int) -> int:
        """The index, if there is such a layer of weights."""
        if not 0 <= index < self.network.n_layers:
            raise DataError(f"the layer must be from 0 to {self.network.n_layers - 1}; got {index}.")
        return index


def _numeric(name: str | None) -> dict[str, Kind]:
    """The schema of a numeric column that there may be."""
    return {} if name is None else {name: "numeric"}
