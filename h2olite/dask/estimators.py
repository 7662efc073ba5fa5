"""Estimators with the habits of scikit-learn and of LightGBM's Dask estimators, whose rows are on a cluster."""

from __future__ import annotations

from typing import Any, Self

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from distributed import Client

from h2olite.errors import DataError, ParameterError
from h2olite.jobs import check
from h2olite.model import Model
from h2olite.scikit import (
    CLASS_WEIGHT,
    OF_SCIKIT_LEARN,
    DeepLearningClassifier,
    DeepLearningRegressor,
    constructor_of,
)
from h2olite.settings.presets import is_default

from .api import TIMEOUT, fit
from .cluster import client_of

RESPONSE, WEIGHTS = "response", "weights"

ABSENT = ("warm_start", "validation_fraction", "class_weight")
"""Parameters of the estimators in memory that a cluster does not know."""


class _OnCluster:
    """What both estimators share. `client` and `timeout` are attributes, so that they are no parameters to tune."""

    client: Client | None = None
    timeout: float = TIMEOUT
    _local: type[DeepLearningClassifier] | type[DeepLearningRegressor]
    model_: Model

    def _train(self: Any, X: Any, y: Any, sample_weight: Any, eval_set: Any) -> None:
        """Train on rows, their responses and their weights, in partitions that go together."""
        for name in ABSENT:
            if getattr(self, name, None):
                raise ParameterError(f"{name} cannot be used on a cluster; leave it out.")
        frame, names = _joined(X, y, sample_weight)
        given = {name: value for name, value in self.get_params().items() if name not in _own()}
        given = {name: value for name, value in given.items() if not is_default(name, value)}
        given |= {"seed": self._seed(), "y": names[0]}
        if names[1] is not None:
            given["weights_column"] = names[1]
        if isinstance(self, DeepLearningClassifier):
            given["factors"] = [names[0]]
        if eval_set is not None:
            given["validation_frame"] = _local_rows(eval_set, names)
        parameters = check(given | {"training_frame": frame})
        self.model_ = fit(parameters, client_of(self.client), self.timeout)
        self.n_features_in_ = frame.shape[1] - sum(name is not None for name in names)
        self._columns = [column for column in map(str, frame.columns) if column not in names]
        if isinstance(X, dd.DataFrame) and all(isinstance(column, str) for column in frame.columns):
            self.feature_names_in_ = np.array(self._columns, dtype=object)

    def to_local(self: Any) -> Any:
        """The estimator for rows in memory, with the same parameters and model."""
        local = self._local(**self.get_params())
        for name in ("model_", "classes_", "n_features_in_", "feature_names_in_", "_columns"):
            if hasattr(self, name):
                setattr(local, name, getattr(self, name))
        return local

    def _lazily(self: Any, X: Any, method: str, meta: Any) -> Any:
        """What the local estimator's method gives for each partition, lazily."""
        local = self.to_local()
        if isinstance(X, da.Array):
            axes = {"drop_axis": 1} if meta.ndim == 1 else {"chunks": (X.chunks[0], (meta.shape[1],))}
            return _in_rows(X).map_blocks(_of_block, local, method, meta=meta, dtype=meta.dtype, **axes)
        if not isinstance(X, dd.DataFrame):
            raise DataError(f"X must be a Dask DataFrame or Array; got {type(X).__name__}; to_local() takes others.")
        if meta.ndim == 1:
            return X.map_partitions(_of_partition, local, method, meta=pd.Series(meta, name="predict"))
        columns = [str(name) for name in self.classes_]
        return X.map_partitions(_of_partition, local, method, columns, meta=pd.DataFrame(meta, columns=columns))


class DaskDeepLearningClassifier(_OnCluster, DeepLearningClassifier):
    """A network that classifies rows on a Dask cluster.

    Parameters
    ----------
    **parameters
        Those of `h2olite.DeepLearningClassifier` that a cluster knows.

    Attributes
    ----------
    client : the cluster's; if None, the one that the program has. It is no parameter, and a clone has None.
    timeout : seconds that a wait for the cluster takes at the most.
    model_ : the trained model.
    classes_ : ndarray, the classes, sorted.
    """

    _local = DeepLearningClassifier

    def __init__(self, client: Client | None = None, **parameters: Any) -> None:
        """Take the client and the parameters as they are; ``fit`` checks them."""
        super().__init__(**parameters)
        self.client = client

    __init__.__signature__ = constructor_of(OF_SCIKIT_LEARN | CLASS_WEIGHT)  # type: ignore[attr-defined]

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train on rows and their classes.

        Parameters
        ----------
        X : Dask DataFrame or Array.
        y, sample_weight : Dask Series or Array, with the partitions of X.
        eval_set : (X, y) or (X, y, sample_weight) in memory: rows to measure the model on.

        Raises
        ------
        ParameterError, DataError, TrainingError : as for `h2olite.dask.deeplearning`.
        """
        present = (
            client_of(self.client)
            .compute(y.unique() if isinstance(y, dd.Series) else da.unique(y))
            .result(timeout=self.timeout)
        )
        values = np.asarray(pd.Series(present).dropna())
        self.classes_ = np.unique(values)
        self._train(X, y, sample_weight, eval_set)
        return self

    def predict(self, X: Any) -> Any:
        """The most probable class of each row, lazily: a Dask Series or Array."""
        return self._lazily(X, "predict", np.empty(0, self.classes_.dtype))

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes, lazily, in the order of `classes_`: a Dask DataFrame or Array."""
        return self._lazily(X, "predict_proba", np.empty((0, len(self.classes_))))


class DaskDeepLearningRegressor(_OnCluster, DeepLearningRegressor):
    """A network that predicts numbers for rows on a Dask cluster.

    Parameters
    ----------
    **parameters
        Those of `h2olite.DeepLearningRegressor` that a cluster knows.

    Attributes
    ----------
    client, timeout, model_ : as those of `DaskDeepLearningClassifier`.
    """

    _local = DeepLearningRegressor

    def __init__(self, client: Client | None = None, **parameters: Any) -> None:
        """Take the client and the parameters as they are; ``fit`` checks them."""
        super().__init__(**parameters)
        self.client = client

    __init__.__signature__ = constructor_of(OF_SCIKIT_LEARN)  # type: ignore[attr-defined]

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train on rows and their numbers; takes and raises what `DaskDeepLearningClassifier.fit` does."""
        self._train(X, y, sample_weight, eval_set)
        return self

    def predict(self, X: Any) -> Any:
        """The predicted number of each row, lazily: a Dask Series or Array."""
        return self._lazily(X, "predict", np.empty(0))


def _own() -> set[str]:
    """The parameters that are the estimator's own, and none of training."""
    return {*ABSENT, "random_state"}


def _joined(X: Any, y: Any, sample_weight: Any) -> tuple[dd.DataFrame, tuple[str, str | None]]:
    """One frame of rows, responses and weights, and the names of the latter two."""
    frame = _as_frame(X)
    columns = {*map(str, frame.columns)}
    names = (_free(RESPONSE, columns), None if sample_weight is None else _free(WEIGHTS, columns))
    added = {names[0]: y} if names[1] is None else {names[0]: y, names[1]: sample_weight}
    for name, values in added.items():
        what = "y" if name == names[0] else "sample_weight"
        if not isinstance(values, dd.Series | da.Array):
            raise DataError(f"{what} must be a Dask Series or Array; got {type(values).__name__}.")
        if values.npartitions != frame.npartitions:
            raise DataError(
                f"{what} must have the partitions of X, {frame.npartitions}; got {values.npartitions}; "
                "divide them alike."
            )
    parts = [frame.to_delayed(), *(_as_series(values).to_delayed() for values in added.values())]
    meta = frame._meta.assign(**{name: pd.Series(dtype=values.dtype) for name, values in added.items()})
    pieces = [_beside(names, *own) for own in zip(*parts, strict=True)]
    return dd.from_delayed(pieces, meta=meta, verify_meta=False), names


@dask.delayed
def _beside(names: tuple[str, str | None], rows: pd.DataFrame, *values: pd.Series) -> pd.DataFrame:
    """Columns of a partition next to each other, whatever their indices are."""
    for own in values:
        if len(own) != len(rows):
            raise DataError(
                f"the partitions of X, y and sample_weight must have the same rows; got {len(rows)} and {len(own)}; "
                "divide them alike."
            )
    given = filter(None, names)
    return rows.assign(**{name: np.asarray(own) for name, own in zip(given, values, strict=True)})


def _as_frame(X: Any) -> dd.DataFrame:
    """Rows as a Dask DataFrame; the columns of an array are called C1, C2, ..."""
    if isinstance(X, dd.DataFrame):
        return X
    if isinstance(X, da.Array) and X.ndim == 2:
        return dd.from_dask_array(_in_rows(X), columns=[f"C{i}" for i in range(1, X.shape[1] + 1)])
    raise DataError(f"X must be a Dask DataFrame or a 2-D Dask Array; got {type(X).__name__}.")


def _as_series(values: Any) -> dd.Series:
    return values if isinstance(values, dd.Series) else dd.from_dask_array(values)


def _in_rows(X: da.Array) -> da.Array:
    """An array whose blocks hold whole rows."""
    return X if X.numblocks[1] == 1 else X.rechunk({1: -1})


def _free(name: str, columns: set[str]) -> str:
    """The name, lengthened until no column has it."""
    while name in columns:
        name += "_"
    return name


def _local_rows(eval_set: Any, names: tuple[str, str | None]) -> pd.DataFrame:
    """The rows to measure on, with their responses and weights."""
    sets = eval_set if isinstance(eval_set, list) else [eval_set]
    if len(sets) != 1 or not isinstance(sets[0], tuple) or len(sets[0]) not in (2, 3):
        raise ParameterError(
            "eval_set must be one set of rows in memory: (X, y), (X, y, sample_weight), or a list of one such tuple."
        )
    X, y, *weights = sets[0]
    if any(hasattr(part, "dask") for part in sets[0]):
        raise DataError(
            "eval_set must be in the memory of this process; got a Dask collection; compute some of its rows."
        )
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X, columns=[f"C{i}" for i in range(1, X.shape[1] + 1)])
    frame = frame.assign(**{names[0]: np.asarray(y)})
    if names[1] is None:
        return frame
    return frame.assign(**{names[1]: np.asarray(weights[0]) if weights else np.ones(len(frame))})


def _of_block(block: np.ndarray, local: Any, method: str) -> np.ndarray:
    """What the local estimator gives for a block of an array."""
    return getattr(local, method)(block)


def _of_partition(
    frame: pd.DataFrame, local: Any, method: str, columns: list[str] | None = None
) -> pd.Series | pd.DataFrame:
    """What the local estimator gives for a partition, with its index."""
    if frame.empty:
        values = np.empty((0, len(columns))) if columns else np.empty(0)
    else:
        values = getattr(local, method)(frame)
    if columns is None:
        return pd.Series(values, index=frame.index, name="predict")
    return pd.DataFrame(values, index=frame.index, columns=columns)
