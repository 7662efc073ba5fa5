"""Estimators for scikit-learn: a network behind ``fit``, ``predict`` and ``predict_proba``."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import numbers
from typing import Any, Self

import numpy as np
import pandas as pd

from h2olite.data.adaptation import Adaptation
from h2olite.data.advice import without_unused_levels
from h2olite.data.frames import as_table
from h2olite.data.sparse import refuse_too_large_matrix
from h2olite.data.table import Column, Table
from h2olite.errors import DataError, MissingExtraError, ParameterError
from h2olite.jobs import check, train
from h2olite.model import Model
from h2olite.selection.tracing import held_in
from h2olite.settings.parameters import Declared, declared
from h2olite.settings.presets import is_default
from h2olite.settings.validation import meant

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
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
    "class_weight": "; it is for DeepLearningClassifier.",
    "checkpoint": "; set warm_start, or call partial_fit.",
    "validation_frame": "; give eval_set to fit, or set validation_fraction.",
}
"""What to do instead of giving some arguments."""

OF_SCIKIT_LEARN: dict[str, Any] = {"random_state": None, "warm_start": False, "validation_fraction": 0.0}
"""Parameters that scikit-learn's users know, and their defaults; a classifier has `CLASS_WEIGHT` too."""

CLASS_WEIGHT: dict[str, Any] = {"class_weight": None}

MOST_SEED = 2**31 - 1
"""Seeds drawn from a random state are smaller."""

ONE_EPOCH: dict[str, Any] = {
    **{"overwrite_with_best_model": False, "stopping_rounds": 0, "max_runtime_secs": 0.0},
    **{"classification_stop": -1.0, "regression_stop": -1.0},
}
"""What partial_fit trains with: nothing but its one epoch ends it, and nothing of it is taken back."""

RESPONSE, WEIGHTS = "response", "weights"

Rows = tuple[Table, np.ndarray, np.ndarray | None]
"""Rows, their responses and, if there are any, their weights."""


@functools.cache
def taken() -> dict[str, Declared]:
    """The parameters of the constructors by name."""
    return {name: parameter for name, parameter in declared().items() if name not in NOT_TAKEN}


def constructor_of(own: dict[str, Any]) -> inspect.Signature:
    """The signature of a constructor: the declared parameters, then the estimator's own, by name with a default."""
    defaults = {name: parameter.default for name, parameter in taken().items()} | own
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
            *(
                inspect.Parameter(name, keyword, default=tuple(value) if isinstance(value, list) else value)
                for name, value in defaults.items()
            ),
        ]
    )


class _DeepLearning(BaseEstimator):
    """What both estimators share."""

    def __init__(self, **parameters: Any) -> None:
        """Take the parameters as they are; ``fit`` checks them."""
        signature = inspect.signature(type(self))
        for name in parameters.keys() - signature.parameters.keys():
            known_elsewhere = "; it is for h2olite.deeplearning." if name in NOT_TAKEN else None
            advice = WAYS_OUT.get(name) or known_elsewhere or meant(name, signature.parameters)
            raise TypeError(f"{type(self).__name__} got an unexpected keyword argument {name!r}{advice}")
        bound = signature.bind(**parameters)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            setattr(self, name, value)

    __init__.__signature__ = constructor_of(OF_SCIKIT_LEARN)  # type: ignore[attr-defined]

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect: missing values and sparse matrices are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags

    def _encoded(self, y: np.ndarray) -> Column:
        """Responses as a column."""
        raise NotImplementedError

    def _read(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Rows:
        """The rows, their responses and their weights."""
        table = self._table(X, reset=reset)
        y = column_or_1d(y, warn=True)
        if n_missing := int(pd.isna(y).sum()):
            raise DataError(f"y must not be NaN; {n_missing:,} of {y.size:,} are: leave those rows out.")
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return table, y, sample_weight

    def _start(self) -> Model | None:
        """The model that ``fit`` goes on from, None to start anew."""
        return getattr(self, "model_", None) if self.warm_start else None

    def _fit(
        self,
        rows: Rows,
        eval_set: Any,
        start: Model | None,
        **settings: Any,
    ) -> None:
        """Train the model; `settings` replace parameters of the estimator."""
        table, y, weights = rows
        table = without_unused_levels(table)
        names = (_free(RESPONSE, table), _free(WEIGHTS, table))
        measured = None if eval_set is None else self._read(*_only_set(eval_set), reset=False)
        if measured is not None and (weights is None) != (measured[2] is None):  # then those without have 1 each
            weights, measured = _ones(y, weights), (*measured[:2], _ones(*measured[1:]))
        training = _joined(table, names, self._encoded(y), weights)
        given = {name: getattr(self, name) for name in taken()}
        if self.preset != "none":  # whose values take the place of defaults
            given = {name: value for name, value in given.items() if not is_default(name, value)}
        given |= {"seed": self._seed()} | settings
        given |= {"y": names[0], "weights_column": None if weights is None else names[1]}
        if training[names[0]].levels is not None:  # they are classes, however many there are
            given["factors"] = [names[0]]
        given |= self._tables(training, names, measured, given["seed"])
        if start is not None:
            self._refuse_other_validation(start, given["validation_frame"])
            # What was left to be chosen stays as it was chosen.
            given = {name: value for name, value in given.items() if not (isinstance(value, str) and value == "AUTO")}
            given |= {"checkpoint": start, "epochs": start.record.epochs + given["epochs"]}
        parameters = check(given)
        self._columns = table.names
        self.model_ = train(parameters)

    def _tables(
        self, training: Table, names: tuple[str, str], measured: Rows | None, seed: int
    ) -> dict[str, Table | None]:
        """The table to learn from, and the one to measure on if there is one."""
        share = self.validation_fraction
        if not (isinstance(share, numbers.Real) and 0 <= float(share) < 1):
            raise ParameterError(f"validation_fraction must be >= 0 and < 1; got {share!r}.")
        if measured is not None:
            if share:
                raise ParameterError("eval_set and validation_fraction cannot be combined; leave one of them out.")
            table, y, weights = measured
            return {"training_frame": training, "validation_frame": _joined(table, names, self._encoded(y), weights)}
        if not share:
            return {"training_frame": training, "validation_frame": None}
        kept = held_in(training, names[0], float(share), seed)
        parts = [training.take(np.flatnonzero(rows)) for rows in (kept, ~kept)]
        return dict(zip(("training_frame", "validation_frame"), parts, strict=True))

    def _refuse_other_validation(self, start: Model, validation: Table | None) -> None:
        """Metrics of training and of validation rows cannot take turns in one history."""
        had = start.validation_metrics is not None
        if had != (validation is not None):
            raise ParameterError(
                f"eval_set or validation_fraction must be {'given' if had else 'left out'}, as it was in the training "
                "that goes on; or fit a new estimator."
            )

    def _seed(self) -> int:
        """What `random_state` stands for, or without one `seed`."""
        if self.random_state is None:
            return self.seed
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(MOST_SEED))

    def _partial_fit(self, rows: Rows) -> Self:
        """Train for one more epoch, on these rows."""
        if self.validation_fraction:
            raise ParameterError(
                "partial_fit cannot be combined with validation_fraction: it sees no rows again; set it to 0."
            )
        table, y, weights = rows
        start = getattr(self, "model_", None)
        batch = dataclasses.replace(table, is_batch=start is not None)
        self._fit((batch, y, weights), None, start, epochs=1.0, **ONE_EPOCH)
        return self

    def _table(self, X: Any, *, reset: bool) -> Table:
        """The rows as a table: a data frame with its types, anything else as numbers."""
        if hasattr(X, "__arrow_c_stream__"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return as_table(X, name="X")
        if hasattr(X, "tocsr"):
            refuse_too_large_matrix(X, "X")
        least = 2 if reset else 1
        try:
            X = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse="csr",
                dtype=(np.float64, np.float32),
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
        return as_table(X, name="X")

    @property
    def feature_importances_(self) -> np.ndarray:
        """How much each column of the rows matters, float64 (n_features_in_,), 1 in all; see `Model.varimp`.

        A categorical column counts as one, however many levels it has; a column that is not in the model has 0.

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
    random_state : int or RandomState, optional
        The seed; where it is given, `seed` does not count.
    warm_start : bool
        Have ``fit`` go on from the model that there is, for `epochs` more.
    validation_fraction : float
        Share of the rows to hold out; they choose the model and stop its training, as those of `eval_set` do.
    class_weight : dict or "balanced", optional
        Weights by class, by which row weights are multiplied; ``"balanced"`` gives all classes the same weight in all.

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

    def __init__(self, **parameters: Any) -> None:
        """Take the parameters as they are; ``fit`` checks them."""
        super().__init__(**parameters)

    __init__.__signature__ = constructor_of(OF_SCIKIT_LEARN | CLASS_WEIGHT)  # type: ignore[attr-defined]

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train on rows and their classes; after Ctrl-C the model is the one so far.

        Parameters
        ----------
        X : array or sparse matrix of numbers, or data frame, shape (n_rows, n_columns); NaN is missing.
        y : array, shape (n_rows,): the classes.
        sample_weight : array, shape (n_rows,): row weights; 1 each if not given.
        eval_set : (X, y) or (X, y, sample_weight), or a list of one such tuple: rows to measure the model on, by which
            it is chosen and stops; not learnt from. Their weights are 1 if not given, whatever class_weight says.

        Raises
        ------
        ParameterError, DataError : both are ValueErrors.
        """
        start = self._start()
        table, y, weights = self._read(X, y, sample_weight, reset=start is None)
        check_classification_targets(y)
        if start is None:
            self.classes_ = np.unique(y)
        self._refuse_one_class(y, weights)
        self._fit((table, y, self._weighed(y, weights)), eval_set, start)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train on these rows for one epoch, from where the estimator is.

        The first rows decide how columns are read: their types, levels, means and deviations.

        Parameters
        ----------
        X, y, sample_weight : as for `fit`.
        classes : array: all classes that any call will have, needed in the first call if its `y` lacks some.

        Raises
        ------
        ParameterError, DataError : both are ValueErrors.
        """
        if isinstance(self.class_weight, str):
            raise ParameterError(
                f"class_weight {self.class_weight!r} needs all rows at once, which partial_fit does not see; give the "
                "weights in a dict."
            )
        is_first = not hasattr(self, "model_")
        table, y, weights = self._read(X, y, sample_weight, reset=is_first)
        check_classification_targets(y)
        known = None if classes is None else np.unique(classes)
        if is_first:
            self.classes_ = np.unique(y) if known is None else known
            self._refuse_one_class(y, weights)
        elif known is not None and not np.array_equal(known, self.classes_):
            raise DataError(f"classes must be those of the first call, {self.classes_}; got {known}.")
        return self._partial_fit((table, y, self._weighed(y, weights)))

    def _refuse_one_class(self, y: np.ndarray, weights: np.ndarray | None) -> None:
        """A network cannot start from rows of one class."""
        if np.unique(y if weights is None else y[weights > 0]).size < 2:
            raise DataError(
                f"y must hold at least 2 classes; got one class, {y.tolist()[0]!r}; give rows of another one too."
            )

    def _encoded(self, y: np.ndarray) -> Column:
        """Classes as indices of `classes_`."""
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise DataError(
                f"y must hold only the classes that the estimator knows, {self.classes_}; got {unknown.tolist()[0]!r}; "
                "fit a new one, or name all classes in the first partial_fit."
            )
        codes = np.searchsorted(self.classes_, y)
        return Column(codes.astype(np.int32), tuple(map(str, self.classes_.tolist())))

    def _weighed(self, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        """The rows' weights times those of their classes."""
        if self.class_weight is None:
            return weights
        present, codes = np.unique(y, return_inverse=True)
        of_classes = compute_class_weight(self._class_weights(present), classes=present, y=y)
        return of_classes[codes] * (1.0 if weights is None else weights)

    def _class_weights(self, present: np.ndarray) -> Any:
        """The parameter, as far as it is about classes that there are; one that no row can have is refused."""
        if not isinstance(self.class_weight, dict):
            return self.class_weight
        unknown = set(self.class_weight) - set(self.classes_.tolist())
        if unknown:
            raise ParameterError(
                f"class_weight must name classes of y, {self.classes_}; got {sorted(unknown, key=str)[0]!r}."
            )
        return {label: weight for label, weight in self.class_weight.items() if label in set(present.tolist())}

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
    random_state : int or RandomState, optional
        The seed; where it is given, `seed` does not count.
    warm_start : bool
        Have ``fit`` go on from the model that there is, for `epochs` more.
    validation_fraction : float
        Share of the rows to hold out; they choose the model and stop its training, as those of `eval_set` do.

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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train on rows and their numbers; takes and raises what `DeepLearningClassifier.fit` does."""
        start = self._start()
        self._fit(self._read(X, y, sample_weight, reset=start is None), eval_set, start)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on these rows for one epoch, from where the estimator is; see `DeepLearningClassifier.partial_fit`."""
        return self._partial_fit(self._read(X, y, sample_weight, reset=not hasattr(self, "model_")))

    def _encoded(self, y: np.ndarray) -> Column:
        return Column(y.astype(np.float64))

    def predict(self, X: Any) -> np.ndarray:
        """The predicted number of every row, float64 (n_rows,)."""
        return self._predict(X)["predict"]


def _free(name: str, table: Table) -> str:
    """The name, lengthened until no column has it."""
    while name in table:
        name += "_"
    return name


def _joined(table: Table, names: tuple[str, str], response: Column, weights: np.ndarray | None) -> Table:
    """The table with its response and, if there are any, its row weights, under these names."""
    added = {names[0]: response} | ({} if weights is None else {names[1]: Column(weights)})
    return dataclasses.replace(table, columns=table.columns | added)


def _ones(y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """The rows' weights, 1 each if there are none."""
    return np.ones(y.size) if weights is None else weights


def _only_set(eval_set: Any) -> tuple[Any, Any, Any]:
    """The rows of an `eval_set`, their responses and their weights."""
    sets = eval_set if isinstance(eval_set, list) else [eval_set]
    if len(sets) != 1 or not isinstance(sets[0], tuple) or len(sets[0]) not in (2, 3):
        raise ParameterError(
            "eval_set must be one set of rows: (X, y), (X, y, sample_weight), or a list of one such tuple."
        )
    X, y, *weights = sets[0]
    return X, y, weights[0] if weights else None
