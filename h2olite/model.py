"""`Model`, the trained network that users hold: predictions, metrics, what it consists of, and its files."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.arrow import to_arrow
from h2olite.data.frames import rows_to_predict
from h2olite.data.reader import Block
from h2olite.data.table import Table
from h2olite.display import visible
from h2olite.errors import DataError, ParameterError
from h2olite.metrics.binomial import check_threshold
from h2olite.settings.parameters import counted

from .formats.artifact import write_artifact
from .formats.contents import contents
from .formats.importing import read_mojo
from .formats.loading import load
from .formats.mojo import download_mojo
from .trained.evaluation import curves, measure, measure_parts, model_performance, predict_observed
from .trained.explain import partial_plot, permutation_importance
from .trained.h2o_names import H2ONames
from .trained.importance import IMPORTANCE_COLUMNS, column_importance, ranked, usual_spreads
from .trained.layers import describe_layers
from .trained.report import report
from .trained.scoring import Reconstruction

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ColumnsOf = Callable[[Table, Adaptation], dict[str, np.ndarray]]
"""Computes columns for the rows of a table."""


class Model(H2ONames):
    """A trained network with everything needed to use it; made by `h2olite.deeplearning` or `h2olite.load_model`.

    A model may be pickled, and predict in many threads at once. Its `path` is the file that it was last read from or
    written to, None without one.
    """

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
        if not isinstance(self.scoring, Reconstruction):
            raise DataError(
                f"anomaly needs an autoencoder; {self.model_id} is a {self.category} model; train one with autoencoder."
            )
        with self.passing(table, adaptation) as (engine, rows):
            return self.scoring.anomaly(engine, self.objective, rows, per_feature=per_feature)

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
        objective = self.objective._replace(autoencoder=True)
        with self.passing(table, adaptation, self.network.up_to(layer)) as (engine, rows):
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

        None for a model trained without variable_importances. See `h2olite.trained.importance.gedeon_importance`.

        by_column : one row per column of the table instead, comparable whatever the number of levels; see
            `h2olite.trained.importance.column_importance`.

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
        """Write the model as an ONNX file, and give its path (see `h2olite.formats.onnx.export_onnx`).

        Raises
        ------
        MissingExtraError : onnx is not installed.
        DataError : the model cannot be an ONNX graph, or the file cannot be written.
        """
        from .formats.onnx import export_onnx

        return export_onnx(self, path)

    save_mojo = download_mojo

    def scoring_history(self) -> pd.DataFrame:
        """One row for every time the model was measured."""
        import pandas as pd

        return pd.DataFrame(self.history)

    score_history = scoring_history

    def summary(self) -> pd.DataFrame:
        """The layers: units, type, dropout, penalties, learning rates and statistics of weights and biases."""
        import pandas as pd

        return pd.DataFrame(describe_layers(self))

    get_summary = summary

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
        of = "" if self.response is None else f" of {visible(self.response.name)}"
        shape = "-".join(str(size) for size in self.network.layout.sizes.tolist())
        frames = {
            "training": self.training_metrics,
            "validation": self.validation_metrics,
            "cross-validation": self.cross_validation_metrics,
        }
        maker = self.record.maker
        origin = counted(self.record.epochs, "epoch") if maker is None else f"made by {visible(maker)}"
        return "\n".join(
            [
                f"{visible(self.model_id)}: {self.category} model{of}, network {shape}, {origin}",
                *(f"\n{name}: {metrics}" for name, metrics in frames.items() if metrics is not None),
            ]
        )

    def save(self, path: str | os.PathLike[str], keep_state: bool | None = None) -> str:
        """Write the model to one file and give its path.

        keep_state : keep what training needs to go on exactly; if not given, as `keeps_state` says.

        Raises
        ------
        DataError : the file cannot be written.
        """
        write_artifact(path, *contents(self, keep_state))
        self.path = os.fspath(path)
        return self.path

    def _frame_of(self, test_data: Any, columns_of: ColumnsOf) -> pd.DataFrame:
        """What is computed for every row of a frame, with warnings about what the frame lacks."""
        table = rows_to_predict(test_data, self.schema, csv=self.csv)
        adaptation = Adaptation(table.name)
        frame = self._as_frame(columns_of(table, adaptation))
        adaptation.warn(stacklevel=3)
        return frame

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
    return load(path, Model)


def import_mojo(path: str | os.PathLike[str]) -> Model:
    """Read a model from a MOJO of H2O's deep learning; nothing in the file is executed.

    The model predicts as H2O does, and may be the checkpoint or the pretrained autoencoder of a training. What a MOJO
    does not hold is absent: scoring history, metrics, and the parameters that only mattered in training.

    Raises
    ------
    ArtifactError : the file is no MOJO, damaged, of another algorithm or of a newer version.
    """
    return read_mojo(path, Model)
