"""`Model`, the class of trained networks that users work with: predictions, metrics, weights and files."""

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
from .pictures.plots import Plots
from .trained.background import BACKGROUND
from .trained.contributions import Attribution, Style
from .trained.evaluation import curves, measure, measure_parts, model_performance, predict_observed
from .trained.explain import permutation_importance
from .trained.h2o_names import H2ONames
from .trained.importance import IMPORTANCE_COLUMNS, column_importance, ranked, usual_spreads
from .trained.layers import describe_layers
from .trained.report import report
from .trained.scoring import Reconstruction

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ColumnsOf = Callable[[Table, Adaptation], dict[str, np.ndarray]]
"""A function that computes columns for the rows of a table, by name."""


class Model(H2ONames, Plots):
    """A trained network, with the encoders of its inputs and response.

    `h2olite.deeplearning`, `h2olite.load_model` and `h2olite.import_mojo` make models. A model can be pickled. Many
    threads can predict with one model at the same time. The attribute `path` is the file that the model was last read
    from or written to. It is None if there is no such file.
    """

    def reset_threshold(self, threshold: float) -> float:
        """Set the threshold of a model of two classes, and return the previous one.

        The second class is predicted if its probability is at least the threshold. Predictions, model files and exports
        use the new threshold. The metrics of the training stay as they are.

        Parameters
        ----------
        threshold : the new threshold, from 0 to 1.

        Returns
        -------
        before : the previous threshold.

        Raises
        ------
        ParameterError : the threshold is not a probability, or the model does not have two classes.
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
        test_data : any frame (see `h2olite.data.frames.as_table`), or one row as a Series or a dict of single values.
            If a column is missing, all its values are missing. A level that training has not seen counts as missing.
            A warning tells of both.

        Returns
        -------
        predictions : DataFrame with one row for each row of the frame, in the same order. The column ``predict`` has
            the predicted class or number. A classifier adds one column of probabilities for each class. Its name is the
            class, with a ``p`` in front if the class is a whole number. An autoencoder has no column ``predict``. It
            has one column for each input, whose name is ``reconstr_`` and the name of the input.

        Raises
        ------
        DataError : the frame has none of the predictors, lacks the offsets that the model needs, or has text in a
            column that was numeric in training.
        """
        return self._frame_of(test_data, self.predict_columns)

    def anomaly(self, test_data: Any, per_feature: bool = False) -> pd.DataFrame:
        """Compute the reconstruction errors of an autoencoder for every row of a frame.

        A large error means that the row is unusual.

        Parameters
        ----------
        test_data : any frame, as for `predict`.
        per_feature : return the error of every input, not their mean.

        Returns
        -------
        errors : DataFrame with one column ``Reconstruction.MSE``. It is the mean of (output - input)^2 over the inputs,
            as they are encoded. If numbers were standardised, their errors are in units of the range of their column.
            With `per_feature`, there is one column ``reconstr_<input>.SE`` for each input, which is (output - input)^2.

        Raises
        ------
        DataError : the model is not an autoencoder. Errors of `predict` can occur too.
        """
        return self._frame_of(test_data, functools.partial(self.anomaly_columns, per_feature=per_feature))

    def anomaly_columns(self, table: Table, adaptation: Adaptation, *, per_feature: bool) -> dict[str, np.ndarray]:
        """Compute the columns of `anomaly` for a table."""
        if not isinstance(self.scoring, Reconstruction):
            raise DataError(
                f"anomaly needs an autoencoder; {self.model_id} is a {self.category} model; train one with autoencoder."
            )
        with self.passing(table, adaptation) as (engine, rows):
            return self.scoring.anomaly(engine, self.objective, rows, per_feature=per_feature)

    def deepfeatures(self, test_data: Any, layer: int) -> pd.DataFrame:
        """Compute the activations of a hidden layer for every row of a frame.

        Parameters
        ----------
        test_data : any frame, as for `predict`.
        layer : the number of the hidden layer. The first hidden layer is 0.

        Returns
        -------
        features : DataFrame with one column ``DF.L<layer + 1>.C<unit + 1>`` for each unit. If training dropped the
            units of the layer with probability p, their activations are multiplied by 1 - p.

        Raises
        ------
        DataError : there is no such layer. Errors of `predict` can occur too.
        """
        return self._frame_of(test_data, functools.partial(self.deepfeatures_columns, layer=layer))

    def deepfeatures_columns(self, table: Table, adaptation: Adaptation, *, layer: int) -> dict[str, np.ndarray]:
        """Compute the columns of `deepfeatures` for a table."""
        n_hidden = self.network.n_layers - 1
        if not 0 <= layer < n_hidden:
            known = f"from 0 to {n_hidden - 1}" if n_hidden else "hidden, of which the model has none"
            raise DataError(f"the layer of deep features must be {known}; got {layer}.")
        # Up to this layer the network is like an autoencoder in that its outputs are activated.
        objective = self.objective._replace(autoencoder=True)
        with self.passing(table, adaptation, self.network.up_to(layer)) as (engine, rows):
            features = engine.predict(objective, rows)
        return {f"DF.L{layer + 1}.C{unit}": column for unit, column in enumerate(features.T, 1)}

    def predict_contributions(
        self,
        test_data: Any,
        background_frame: Any = None,
        output_format: str = "compact",
        output_per_reference: bool = False,
        output_space: bool = False,
        *,
        method: str = "DeepSHAP",
        n_permutations: int = 10,
        seed: int = -1,
    ) -> pd.DataFrame:
        """Compute what each column adds to the prediction of every row of a frame.

        A row is compared with every row of the background, and the contributions are the means. They add up to the
        prediction, together with the column ``BiasTerm``, which is the mean prediction of the background. Predictions
        are on the scale of the linear output: the logarithm of the odds of the second of two classes, the logarithm of
        the mean where the distribution has a log link (poisson, gamma, tweedie), otherwise the predicted number. Of
        more classes, the softmax of the sums is the probabilities.

        Parameters
        ----------
        test_data : any frame, as for `predict`.
        background_frame : any frame, whose rows stand for the usual ones. The time is proportional to their number.
            If it is not given, they are the training rows that the model keeps (see the parameter `background_rows`).
        output_format : ``"compact"`` for one contribution of each column; ``"original"`` for one of each input of the
            network, such as of each level of a categorical column.
        output_per_reference : do not take the mean over the background rows. There are columns ``RowIdx`` and
            ``BackgroundRowIdx`` and a row for each pair.
        output_space : scale the contributions of a row so that they add up to its probability, or predicted number.
        method : ``"DeepSHAP"`` divides differences layer by layer, which is fast. ``"permutation"`` estimates Shapley
            values from random orders of the columns, and ``"exact"`` computes them from all sets of at most 12 columns.
        n_permutations : of ``"permutation"``, the number of random orders. Each is used in both directions.
        seed : of the random orders. -1 draws one.

        Returns
        -------
        contributions : DataFrame with a column for each predictor, and ``BiasTerm``. For three or more classes, there
            is such a set of columns for each class, with ``.`` and the class behind each name.

        Raises
        ------
        DataError : the model is an autoencoder, there is no background row, `output_space` is asked for with three or
            more classes, or there are too many columns for the method. Errors of `predict` can occur too.
        ParameterError : `output_format` or `method` is not one of those above.

        References
        ----------
        Lundberg and Lee 2017 (DeepSHAP); Shrikumar, Greenside and Kundaje 2017 (rescale rule); Castro, Gomez and Tejada
        2009 (random orders). Names as in H2O.
        """
        if output_format not in ("compact", "original"):
            raise ParameterError(f'output_format must be "compact" or "original"; got {output_format!r}.')
        style = Style(output_format == "original", output_per_reference, output_space, method, n_permutations, seed)
        attribution = self.attribution(background_frame, style)
        return self._frame_of(test_data, attribution.columns)

    def attribution(self, background_frame: Any, style: Style) -> Attribution:
        """Return what divides predictions among columns, in comparison with a background, or the one it keeps."""
        table = None
        if background_frame is not None:
            table = rows_to_predict(background_frame, self.schema, "background_frame", csv=self.csv)
        adaptation = Adaptation(BACKGROUND if table is None else table.name)
        attribution = Attribution(self, table, adaptation, style)
        adaptation.warn(stacklevel=4)
        return attribution

    def transform_blocks(self, blocks: Iterable[Block], columns_of: ColumnsOf) -> Iterator[pa.Table]:
        """Compute columns for a table that is read block by block.

        Parameters
        ----------
        blocks : the blocks of the table (see `h2olite.data.reader.read_blocks`).
        columns_of : the method that computes the columns, such as `predict_columns`.

        Yields
        ------
        columns : an Arrow table for each block. The columns of the block that are to be kept come first.

        Raises
        ------
        DataError : a column to keep has the name of a computed column. Errors of `predict` can occur too.
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
        """Return the importance of every input, the most important input first.

        Parameters
        ----------
        use_pandas : return a DataFrame, not a list of tuples.
        by_column : return one row for each column of the table, not for each input. These importances can be compared
            whatever the number of levels of a column is (see `h2olite.trained.importance.column_importance`).

        Returns
        -------
        importances : rows of variable, relative importance, scaled importance and percentage (see
            `h2olite.trained.importance.gedeon_importance`). None if the model was trained without variable_importances.

        Raises
        ------
        DataError : max_categorical_features made several levels share an input. The importance of such an input has no
            meaning.
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
    download_mojo = download_mojo

    def export_onnx(self, path: str | os.PathLike[str]) -> str:
        """Write the model to an ONNX file, and return the path of the file (see `h2olite.formats.onnx.export_onnx`).

        Raises
        ------
        MissingExtraError : the package onnx is not installed.
        DataError : ONNX cannot express the model, or the file cannot be written.
        """
        from .formats.onnx import export_onnx

        return export_onnx(self, path)

    save_mojo = download_mojo

    def scoring_history(self) -> pd.DataFrame:
        """Return the scoring history: one row for every time that training measured the model."""
        import pandas as pd

        return pd.DataFrame(self.history)

    score_history = scoring_history

    def summary(self) -> pd.DataFrame:
        """Return one row for each layer: units, type, dropout, penalties, learning rate and statistics of weights."""
        import pandas as pd

        return pd.DataFrame(describe_layers(self))

    get_summary = summary

    def weights(self, matrix_id: int = 0) -> pd.DataFrame:
        """Return the weights into a layer: one row for each unit, and one column for each input of the layer.

        A Maxout layer has two rows for each unit: first the rows of channel 0 of all units, then those of channel 1.

        Parameters
        ----------
        matrix_id : the number of the layer. The first hidden layer is 0, and the output layer is the last one.

        Raises
        ------
        DataError : there is no such layer.
        """
        import pandas as pd

        weights = self.network.weights(self._layer(matrix_id))
        below = self.encoder.input_names if matrix_id == 0 else [f"C{i + 1}" for i in range(len(weights))]
        n_inputs, n_channels, n_units = weights.shape
        return pd.DataFrame(weights.reshape(n_inputs, n_channels * n_units).T, columns=list(below))

    def biases(self, vector_id: int = 0) -> pd.DataFrame:
        """Return the biases of a layer: one row for each row of its `weights`.

        Parameters
        ----------
        vector_id : the number of the layer, as for `weights`.

        Raises
        ------
        DataError : there is no such layer.
        """
        import pandas as pd

        return pd.DataFrame({"C1": self.network.biases(self._layer(vector_id)).reshape(-1)})

    def report(self) -> dict[str, Any]:
        """Return all facts about the model as plain values. ``h2olite train --json`` prints the same object."""
        return report(self)

    def __repr__(self) -> str:
        """Return a line that describes the model, and all metrics of its training."""
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
        """Write the model to one file, and return the path of the file.

        Parameters
        ----------
        path : the file to write.
        keep_state : keep in the file what training needs to go on as if it had not ended. If it is not given, the
            property `keeps_state` decides.

        Returns
        -------
        path : the file that was written, as text.

        Raises
        ------
        DataError : the file cannot be written.
        """
        write_artifact(path, *contents(self, keep_state))
        self.path = os.fspath(path)
        return self.path

    def _frame_of(self, test_data: Any, columns_of: ColumnsOf) -> pd.DataFrame:
        """Compute columns for every row of a frame, and warn of what the frame lacks."""
        table = rows_to_predict(test_data, self.schema, csv=self.csv)
        adaptation = Adaptation(table.name)
        frame = self._as_frame(columns_of(table, adaptation))
        adaptation.warn(stacklevel=3)
        return frame

    def _layer(self, index: int) -> int:
        """Return the index. Raise a DataError if there is no layer of weights with this index."""
        if not 0 <= index < self.network.n_layers:
            raise DataError(f"the layer must be from 0 to {self.network.n_layers - 1}; got {index}.")
        return index


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model from a file that `Model.save` or ``h2olite train`` has written.

    Reading a file never runs code from the file.

    Raises
    ------
    ArtifactError : the file is not a model file, it is damaged, or a newer version of h2olite wrote it.
    """
    return load(path, Model)


def import_mojo(path: str | os.PathLike[str]) -> Model:
    """Read a model from a MOJO of H2O's deep learning.

    Reading a file never runs code from the file. The model predicts as H2O does. It can be the checkpoint or the
    pretrained autoencoder of a training. A MOJO has no scoring history, no metrics, and no parameters that matter in
    training only. So the model has none of these.

    Raises
    ------
    ArtifactError : the file is not a MOJO, it is damaged, it is of another algorithm, or its version is too new.
    """
    return read_mojo(path, Model)
