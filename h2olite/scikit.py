"""Estimators for scikit-learn: a network behind ``fit``, ``predict`` and ``predict_proba``."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import Any, Self

import numpy as np
import pandas as pd

from h2olite.data.adaptation import Adaptation
from h2olite.data.frames import as_table
from h2olite.data.table import Column, Table
from h2olite.errors import DataError, MissingExtraError
from h2olite.estimator import train
from h2olite.memory import refuse_lack_of_memory
from h2olite.parameters import Declared, declared
from h2olite.validation import meant, validate

try:
    from scipy.sparse import issparse
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import (
        _check_sample_weight,
        check_consistent_length,
        check_is_fitted,
        column_or_1d,
        validate_data,
    )
except ImportError as error:
    raise MissingExtraError(
        "estimators for scikit-learn need scikit-learn 1.6 or newer: pip install 'h2olite[sklearn]'."
    ) from error

NOT_TAKEN = frozenset(
    {
        *("x", "y", "training_frame", "validation_frame", "ignored_columns", "factors", "numeric"),
        *("weights_column", "offset_column", "fold_column", "autoencoder", "checkpoint", "model_id"),
    }
)
"""Parameters that ``fit`` decides, or that have no place in a supervised estimator."""

WAYS_OUT = {
    "weights_column": "; give sample_weight to fit.",
    "class_weight": "; set balance_classes, or give sample_weight to fit.",
}
"""What to do instead of giving some arguments."""

RESPONSE, WEIGHTS = "response", "weights"


@functools.cache
def taken() -> dict[str, Declared]:
    """The parameters of the constructors by name."""
    return {name: parameter for name, parameter in declared().items() if name not in NOT_TAKEN}


class _DeepLearning(BaseEstimator):
    """What both estimators share."""

    def __init__(self, **parameters: Any) -> None:
        """Take the parameters as they are; ``fit`` checks them."""
        for name in parameters.keys() - taken().keys():
            known_elsewhere = "; it is for h2olite.deeplearning." if name in NOT_TAKEN else None
            advice = WAYS_OUT.get(name) or known_elsewhere or meant(name, taken())
            raise TypeError(f"{type(self).__name__} got an unexpected keyword argument {name!r}{advice}")
        bound = inspect.signature(type(self)).bind(**parameters)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            setattr(self, name, value)

    __init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
            *(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=tuple(parameter.default) if isinstance(parameter.default, list) else parameter.default,
                )
                for name, parameter in taken().items()
            ),
        ]
    )

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect: missing values and sparse matrices are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags

    def _read(self, X: Any, y: Any, sample_weight: Any) -> tuple[Table, np.ndarray, np.ndarray | None]:
        """The rows to train on, their responses and their weights."""
        table = self._table(X, reset=True)
        y = column_or_1d(y, warn=True)
        if n_missing := int(pd.isna(y).sum()):
            raise DataError(f"y must not be NaN; {n_missing:,} of {y.size:,} are: leave those rows out.")
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return table, y, sample_weight

    def _fit(self, table: Table, response: Column, weights: np.ndarray | None) -> None:
        """Train the model."""
        roles = {"y": _free(RESPONSE, table)}
        added = {roles["y"]: response}
        if weights is not None:
            roles["weights_column"] = _free(WEIGHTS, table)
            added[roles["weights_column"]] = Column(weights)
        table = dataclasses.replace(table, columns=table.columns | added)
        given = {name: getattr(self, name) for name in taken()}
        if response.levels is not None:  # they are classes, however many there are
            given["factors"] = [roles["y"]]
        self._columns = tuple(name for name in table.names if name not in added)
        self.model_ = train(validate(given | roles | {"training_frame": table}))

    def _table(self, X: Any, *, reset: bool) -> Table:
        """The rows as a table: a data frame with its types, anything else as numbers."""
        if hasattr(X, "__arrow_c_stream__"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return as_table(X, name="X")
        if sparse := issparse(X):
            refuse_lack_of_memory("X", 8.0 * X.shape[0] * X.shape[1], "its columns are held with their zeros")
        least = 2 if reset else 1
        try:
            X = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse=True,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                ensure_min_samples=least,
            )
        except ValueError as error:
            if "could not convert string to float" not in str(error):
                raise
            raise DataError(
                f"an array X must hold numbers only ({error}); give text in a data frame, which transformers make "
                "after set_output(transform='pandas')."
            ) from None
        return as_table(X.toarray() if sparse else X, name="X")

    @property
    def feature_importances_(self) -> np.ndarray:
        """How much each column of the rows matters, float64 (n_features_in_,), 1 in all; see `Model.varimp`.

        Levels of a categorical column are summed; a column that is not in the model has 0.

        Raises
        ------
        AttributeError : the model was trained without importances.
        """
        check_is_fitted(self)
        try:
            rows = self.model_.varimp(by_column=True)
        except DataError as error:
            raise AttributeError(str(error)) from error
        if rows is None:
            raise AttributeError("feature_importances_ need variable_importances, which are off; train with them.")
        assert isinstance(rows, list)  # as it is without use_pandas
        shares = {name: share for name, _, _, share in rows}
        return np.array([shares.get(name, 0.0) for name in self._columns])

    def _predict(self, X: Any) -> dict[str, np.ndarray]:
        """The columns of predictions by name, ``predict`` being the first."""
        check_is_fitted(self)
        table = self._table(X, reset=False)
        return self.model_.predict_columns(table, Adaptation(table.name))


class DeepLearningClassifier(ClassifierMixin, _DeepLearning):
    """A network that classifies.

    Parameters
    ----------
    **parameters
        Those of `h2olite.deeplearning` that are not about columns or other models, with the same defaults.

    Attributes
    ----------
    model_ : h2olite.Model
        The trained model.
    classes_ : ndarray, shape (n_classes,)
        The classes, sorted.
    feature_importances_ : ndarray, shape (n_features_in_,)
        How much each column matters, 1 in all.

    Notes
    -----
    Rows may be in an array or sparse matrix of numbers or in a data frame, whose text and categorical columns are
    levels. ``predict`` gives the most probable class, as is usual in scikit-learn, where `h2olite.Model.predict` goes
    by the threshold of the largest F1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from h2olite import DeepLearningClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> DeepLearningClassifier(hidden=[10], epochs=50, seed=1).fit(X, y).predict_proba(X).shape
    (150, 3)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their classes.

        Parameters
        ----------
        X : array or sparse matrix of numbers, or data frame, shape (n_rows, n_columns); NaN is missing.
        y : array, shape (n_rows,): the classes.
        sample_weight : array, shape (n_rows,): row weights; 1 each if not given.

        Raises
        ------
        ParameterError, DataError : both are ValueErrors.
        """
        table, y, weights = self._read(X, y, sample_weight)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if np.unique(codes if weights is None else codes[weights > 0]).size < 2:
            raise DataError(f"y must hold at least 2 classes; got one class, {y[0]!r}; give rows of another one too.")
        self._fit(table, Column(codes.astype(np.int32), tuple(map(str, self.classes_.tolist()))), weights)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes, float64 (n_rows, n_classes), in the order of `classes_`."""
        return np.column_stack(list(self._predict(X).values())[1:])

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of every row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]


class DeepLearningRegressor(RegressorMixin, _DeepLearning):
    """A network that predicts numbers.

    Parameters
    ----------
    **parameters
        Those of `h2olite.deeplearning` that are not about columns or other models, with the same defaults.

    Attributes
    ----------
    model_ : h2olite.Model
        The trained model.
    feature_importances_ : ndarray, shape (n_features_in_,)
        How much each column matters, 1 in all.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from h2olite import DeepLearningRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> DeepLearningRegressor(hidden=[10], seed=1).fit(X, y).predict(X).shape
    (442,)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their numbers; takes and raises what `DeepLearningClassifier.fit` does."""
        table, y, weights = self._read(X, y, sample_weight)
        self._fit(table, Column(y.astype(np.float64)), weights)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The predicted number of every row, float64 (n_rows,)."""
        return self._predict(X)["predict"]


def _free(name: str, table: Table) -> str:
    """The name, lengthened until no column has it."""
    while name in table:
        name += "_"
    return name
