"""Estimators for scikit-learn: a network behind ``fit``, ``predict`` and ``predict_proba``."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import Any, Self

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.frames import as_table
from h2olite.data.table import Column, Table
from h2olite.errors import DataError, MissingExtraError
from h2olite.estimator import train
from h2olite.parameters import Declared, declared
from h2olite.validation import validate

try:
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

RESPONSE, WEIGHTS = "response", "weights"


@functools.cache
def taken() -> dict[str, Declared]:
    """The parameters of the constructors by name."""
    return {name: parameter for name, parameter in declared().items() if name not in NOT_TAKEN}


class _DeepLearning(BaseEstimator):
    """What both estimators share."""

    def __init__(self, **parameters: Any) -> None:
        """Take the parameters as they are; ``fit`` checks them."""
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
        """What scikit-learn may expect: missing values are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _read(self, X: Any, y: Any, sample_weight: Any) -> tuple[Table, np.ndarray, np.ndarray | None]:
        """The rows to train on, their responses and their weights."""
        table = self._table(X, reset=True)
        y = column_or_1d(y, warn=True)
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
        self.model_ = train(validate(given | roles | {"training_frame": table}))

    def _table(self, X: Any, *, reset: bool) -> Table:
        """The rows as a table: a data frame with its types, anything else as numbers."""
        if hasattr(X, "__arrow_c_stream__"):
            validate_data(self, X, reset=reset, skip_check_array=True)
        else:
            least = 2 if reset else 1
            X = validate_data(
                self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=least
            )
        return as_table(X, name="X")

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

    Notes
    -----
    Rows may be in an array of numbers or in a data frame, whose text and categorical columns are levels. ``predict``
    gives the most probable class, as is usual in scikit-learn, where `h2olite.Model.predict` goes by the threshold of
    the largest F1.

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
        X : array of numbers or data frame, shape (n_rows, n_columns); NaN is missing.
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
