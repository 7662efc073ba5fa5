"""From tables and parameters to encoded rows: everything that is settled before training."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.advice import advice_on_columns, refuse_classes_of_rows
from h2olite.data.encoding import NONE, EncodedRows, RowEncoder
from h2olite.data.predictors import choose_predictors, find_columns
from h2olite.data.recoding import Recoding
from h2olite.data.response import ResponseEncoder, refuse_one_value
from h2olite.data.roles import row_offsets, row_weights
from h2olite.data.splits import (
    balance,
    complete_rows,
    divide_weights,
    draw_seed,
    hold_out,
    random_stream,
    sample_by_class,
    sample_rows,
    training_rows,
)
from h2olite.data.stored import LargeTable
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.model import Model
from h2olite.settings.parameters import Parameters
from h2olite.settings.validation import check_response, other_roles, resolve, wants_classes, warnings
from h2olite.trained.scoring import ClassShares, Observed, Reconstruction, Scoring, scoring_of
from h2olite.training.source import RowSource

from .checkpoint import check_columns, refuse_new_classes
from .starting import best_constant

EPOCHS_ALIKE = 0.5
"""Share of the epochs, in whole ones, during which rows count alike: see `Preparation.rows_alike`.

With 4,000 rows and log-normal weights (sigma 2), the weighted test loss is three quarters of that without such epochs.
Where heavy rows are a region of their own, it may be a fifth higher.
"""


class Measured(NamedTuple):
    """The rows of a table that the model is measured on.

    rows : all rows of the table, encoded.
    sample : int64, the indices of those to measure on.
    observed : what happened in all rows.
    """

    rows: EncodedRows
    sample: np.ndarray
    observed: Observed


@dataclasses.dataclass(frozen=True, eq=False)
class Preparation:
    """What training starts from.

    Attributes
    ----------
    parameters : with every automatic choice made, and a seed.
    response, encoder : fitted to the training table, or those of the checkpoint; an autoencoder has no response.
    scoring : what the network's outputs will mean.
    rows : the encoded training table.
    usable : int64, indices of the rows that can be trained on, those held out among them.
    n_usable : how many of them are not held out.
    trained : int64, indices of the rows of one epoch; balanced classes repeat some.
    passes : how often an epoch passes each row, float64 (n_rows,); (0,) for once each.
    training, validation : what to measure the model on.
    held_out : bool (n_rows,), the rows of the training table that are held out; None without holdout_share.
    shares : the classes' shares before and after balancing, None without.
    warnings : sentences for the user.
    """

    parameters: Parameters
    response: ResponseEncoder | None
    encoder: RowEncoder
    scoring: Scoring | Reconstruction
    rows: EncodedRows
    usable: np.ndarray
    n_usable: int
    trained: np.ndarray
    passes: np.ndarray
    training: Measured
    validation: Measured | None
    held_out: np.ndarray | None
    shares: ClassShares | None
    warnings: list[str]

    def dealt(self, parameters: Parameters) -> Preparation:
        """The same with the choices among rows that these parameters make, which differ in the seed."""
        observed, usable = self.training.observed, self.usable
        actual, weights, _ = observed
        classes = None if self.response is None or self.response.levels is None else actual
        learnt, held_out, validation = usable, None, self.validation
        if parameters.holdout_share > 0:
            held_out = np.zeros(len(self.rows.levels), np.bool_)
            of_usable = None if classes is None else classes[usable]
            held_out[usable] = hold_out(usable.size, parameters.holdout_share, parameters.seed, of_usable)
            learnt = usable[~held_out[usable]]
        trained, shares = learnt, None
        if parameters.balance_classes and classes is not None and self.response is not None:
            trained, shares = balance_rows(parameters, learnt, classes, weights, self.response.n_classes)
        passes, factors = divide_weights(weights, learnt)
        rows = self.rows._replace(weights=factors)
        if held_out is not None:
            sample = sample_to_validate(parameters, np.flatnonzero(held_out), actual)
            validation = Measured(rows, sample, observed)
        return dataclasses.replace(
            self,
            parameters=parameters,
            scoring=scoring_of(self.encoder, self.response, parameters, shares),
            rows=rows,
            n_usable=learnt.size,
            trained=trained,
            passes=passes,
            training=Measured(rows, _sample(learnt, parameters.score_training_samples, parameters.seed), observed),
            validation=validation,
            held_out=held_out,
            shares=shares,
            warnings=list(self.warnings),
        )

    @property
    def output_bias(self) -> float:
        """The best constant of a response that is not standardised, otherwise 0."""
        if self.response is None or self.response.levels is not None or self.response.multiplier != 1.0:
            return 0.0
        used = self.trained
        weights, offsets = self.training.observed.weights, self.rows.offsets
        return best_constant(
            self.parameters,
            self.rows.target[used],
            None if weights is None else weights[used],
            offsets[used].astype(np.float64) if offsets.size else None,
        )

    @property
    def rows_alike(self) -> int:
        """Rows at the start of a training that count alike, whatever their weights: half of it, in whole epochs.

        From random weights, rows of many times the mean weight would be learnt by heart before the others count.
        Without hidden layers, nothing is learnt by heart.
        """
        if self.parameters.checkpoint is not None or not self.parameters.hidden:
            return 0
        return int(self.parameters.epochs * EPOCHS_ALIKE) * self.trained.size

    @functools.cached_property
    def source(self) -> RowSource:
        """What training takes its rows from."""
        return RowSource(
            self.rows,
            self.trained,
            self.training.sample,
            self.passes,
            alike=self.rows_alike,
            shuffle=self.parameters.shuffle_training_data,
            seed=self.parameters.seed,
        )

    def close(self) -> None:
        """Remove what is kept elsewhere than in memory: nothing."""

    @functools.cached_property
    def absent_inputs(self) -> np.ndarray:
        """The inputs of categorical columns that no row trained on has."""
        return np.flatnonzero(~self.source.present_levels(self.encoder.n_categorical_inputs))


class Columns(NamedTuple):
    """What the columns of a training table are for.

    response : the column to predict; None for an autoencoder.
    predictors : names in the table's order.
    levels : the response's; None of a number.
    warnings : sentences for the user.
    """

    response: str | None
    predictors: list[str]
    levels: tuple[str, ...] | None
    warnings: list[str]


Warn = Callable[[list[str]], None]
"""Takes sentences for the user, some of which it may have told before."""


def look_at(parameters: Parameters, training: Table, warn: Warn | None, *, at_columns: bool = False) -> None:
    """Tell what looks wrong with parameters and a training table, before anything takes time.

    at_columns : whether to tell of all columns; `prepare` does so where the model of the whole table comes first.

    Raises
    ------
    ParameterError, DataError : the table does not hold what the parameters name, or its response is no response.
    """
    name = None if parameters.autoencoder else response_name(parameters, training)
    if name is not None and parameters.checkpoint is None and not wants_classes(parameters):
        refuse_classes_of_rows(training, name, parameters.factors or ())
    if warn is None:
        return
    training = with_classes(parameters, training, name)
    levels = parameters.checkpoint.classes if parameters.checkpoint else name and training[name].levels
    said = warnings(parameters, len(levels) if levels else None, name=name or "an autoencoder")
    warn(said + (choose_columns(parameters, training, name).warnings if at_columns else []))


def choose_columns(parameters: Parameters, training: Table, name: str | None) -> Columns:
    """The predictors of a training table whose response has this name, and what looks wrong with the columns.

    Raises
    ------
    ParameterError : they are not those of the checkpoint.
    DataError : columns are not in the table, or no predictor is left.
    """
    checkpoint: Model | None = parameters.checkpoint
    if checkpoint is not None:
        check_columns(parameters, checkpoint, training, name)
        return Columns(name, list(checkpoint.schema), checkpoint.classes, [])
    roles = other_roles(parameters)
    others = [*filter(None, [name]), *roles, *(parameters.ignored_columns or ())]
    predictors, said = choose_predictors(
        training, x=parameters.x, others=others, ignore_const_cols=parameters.ignore_const_cols
    )
    ignored = {*find_columns(training, parameters.ignored_columns or ())}
    chosen = training.names if parameters.x is None else find_columns(training, parameters.x)
    looked_at = {*chosen, *filter(None, [name]), *roles} - ignored
    said = training.remarks_on(looked_at) + said
    said += advice_on_columns(training, predictors, name, parameters.factors or ())
    if name is not None:
        said += _advice_on_classes(training, name)
    return Columns(name, predictors, None if name is None else training[name].levels, said)


def prepare(
    parameters: Parameters,
    training: Table,
    validation: Table | None,
    encoders: tuple[RowEncoder, ResponseEncoder] | None = None,
) -> Preparation:
    """Choose columns and rows, resolve parameters and encode the tables.

    encoders : of predictors and response, if the training table is only a sample of what they are fitted to.

    Raises
    ------
    ParameterError : the parameters do not go with the response, or with the checkpoint.
    DataError : the tables do not hold what training needs.
    """
    name = None if parameters.autoencoder else response_name(parameters, training)
    training = with_classes(parameters, training, name)
    validation = validation and with_classes(parameters, validation, name)
    checkpoint: Model | None = parameters.checkpoint
    _, predictors, levels, said = choose_columns(parameters, training, name)
    parameters = resolve_for(parameters, training, name, levels)

    weights = row_weights(training, parameters.weights_column)
    offsets = row_offsets(training, parameters.offset_column)
    log_link = DISTRIBUTIONS[parameters.distribution].link == "log"
    # With an identity link the network learns the response less its offset; with a log link the kernels add the offset.
    subtracted, added = (None, offsets) if log_link else (offsets, None)
    adaptation = Adaptation(training.name)
    known, response = encoders or ((None, None) if checkpoint is None else (checkpoint.encoder, checkpoint.response))
    target, actual = NONE, None
    large = training if isinstance(training, LargeTable) else None
    if name is not None:
        response = response or ResponseEncoder.fit(
            large.response_of_all(name) if large else training,
            name,
            standardize=parameters.standardize and not log_link,
            weights=weights,
            offsets=large.numbers_of_all(parameters.offset_column)
            if large and subtracted is not None and parameters.offset_column
            else subtracted,
        )
        target, actual = response.encode(training, adaptation, offsets=subtracted)
        refuse_new_classes(adaptation, name)
        if n_missing := training[name].n_missing:
            said.append(
                f"rows of {training.name} that lack the response {name!r} are left out: {n_missing:,} of "
                f"{training.n_rows_in_all:,}."
            )
    complete = complete_rows(training, predictors) if parameters.missing_values_handling == "Skip" else None
    usable = training_rows(training, target=actual, weights=weights, complete=complete)
    is_whole = not training.is_batch and not large and encoders is None
    if response is not None and actual is not None and is_whole:
        refuse_one_value(training, response, actual[usable])
    encoder = known
    if encoder is None:
        encoder = RowEncoder.fit(
            training,
            predictors,
            recoding=Recoding.fit(
                training, predictors, parameters.categorical_encoding, NONE if actual is None else actual, weights
            ),
            max_categorical_features=parameters.max_categorical_features,
            hash_seed=parameters.seed,
            use_all_factor_levels=parameters.use_all_factor_levels,
            standardize=parameters.standardize,
            by_range=parameters.autoencoder,
            numeric_encoding=parameters.numeric_encoding,
            sparse=parameters.sparse,
            sparse_from=parameters.sparse_from,
            weights=weights,
            rows=usable,
            summarise=large.summarise if large else None,
        )
    rows = encoder.encode_rows(training, adaptation)._replace(
        target=target, offsets=NONE if added is None else added.astype(np.float32)
    )
    said += adaptation.warnings()
    to_validate = None
    if validation is not None:
        adaptation = Adaptation(validation.name)
        to_validate = prepare_validation(parameters, encoder, response, validation, adaptation)
        if validation.n_rows < validation.n_rows_in_all:
            said.append(
                f"{validation.name} has {validation.n_rows_in_all:,} rows; the model is measured on "
                f"{validation.n_rows:,} of them, drawn at random."
            )
        said += adaptation.warnings()
    if parameters.holdout_share and usable.size < 2:
        raise DataError(
            f"holdout_share needs two rows or more to train on; {training.name} has {usable.size}; leave it out."
        )
    undealt = Preparation(
        parameters=parameters,
        response=response,
        encoder=encoder,
        scoring=scoring_of(encoder, response, parameters),
        rows=rows,
        usable=usable,
        n_usable=usable.size,
        trained=usable,
        passes=np.empty(0),
        training=Measured(rows, usable, Observed(actual, weights, offsets)),
        validation=to_validate,
        held_out=None,
        shares=None,
        warnings=said,
    )
    return undealt.dealt(parameters)


def resolve_for(
    parameters: Parameters, training: Table, name: str | None, levels: tuple[str, ...] | None
) -> Parameters:
    """The parameters with every automatic choice made for this response, if there is one, and a seed."""
    n_classes = None if levels is None else len(levels)
    if name is not None:
        lowest = training[name].lowest if levels is None else None
        check_response(parameters, n_classes, name=name, lowest=lowest)
    return dataclasses.replace(resolve(parameters, n_classes), seed=draw_seed(parameters.seed))


def prepare_validation(
    parameters: Parameters, encoder: RowEncoder, response: ResponseEncoder | None, table: Table, adaptation: Adaptation
) -> Measured:
    """The validation table, encoded as the training table was, and the rows of it to measure on."""
    rows = encoder.encode_rows(table, adaptation)
    observed = Observed.of(table, response, parameters, adaptation)
    usable = training_rows(table, target=observed.actual, weights=observed.weights)
    return Measured(rows, sample_to_validate(parameters, usable, observed.actual), observed)


def sample_to_validate(parameters: Parameters, rows: np.ndarray, actual: np.ndarray | None) -> np.ndarray:
    """Those of these rows, given by their indices, that the model is measured on."""
    return _sample(
        rows,
        parameters.score_validation_samples,
        parameters.seed + 1,
        classes=actual if parameters.score_validation_sampling == "Stratified" else None,
    )


def with_classes(parameters: Parameters, table: Table, name: str | None) -> Table:
    """The table with its response categorical, if loss or distribution ask for classes and it holds whole numbers."""
    if name is None or name not in table or not wants_classes(parameters):
        return table
    values = table[name].values
    is_whole = (values == np.round(values)) | np.isnan(values)
    return table.convert({name: "categorical"}) if is_whole.all() else table


def response_name(parameters: Parameters, training: Table) -> str:
    """The column to predict: the last one if none is named."""
    return training.names[-1] if parameters.y is None else find_columns(training, [parameters.y])[0]


def balance_rows(
    parameters: Parameters, rows: np.ndarray, actual: np.ndarray, weights: np.ndarray | None, n_classes: int
) -> tuple[np.ndarray, ClassShares]:
    """The rows to train on so that classes are as frequent as balance_classes wants, and what that does to shares."""
    if weights is not None and (weights[rows] != 1).any():
        raise ParameterError(
            f"balance_classes goes with weights of 0 and 1 only; weights_column {parameters.weights_column!r} holds "
            "others; weigh the rows or balance the classes, not both."
        )
    classes = actual[rows].astype(np.int64)
    balanced = balance(
        classes,
        n_classes,
        factors=parameters.class_sampling_factors,
        most=parameters.max_after_balance_size * rows.size,
        random=random_stream(parameters.seed, "class balance"),
    )
    return rows[balanced], ClassShares.of(classes, classes[balanced], n_classes)


def _sample(rows: np.ndarray, size: int, seed: int, classes: np.ndarray | None = None) -> np.ndarray:
    """So many of these rows at random, in the proportions of the classes if these are given; all for 0."""
    random = random_stream(seed, "scoring sample")
    return rows[
        sample_rows(rows.size, size, random) if classes is None else sample_by_class(classes[rows], size, random)
    ]


def _advice_on_classes(training: Table, name: str) -> list[str]:
    """A sentence for a numeric response that looks like two classes."""
    values = training[name].values
    if training[name].levels is None and np.isin(values[~np.isnan(values)], (0, 1)).all():
        return [f"response {name!r} holds only 0 and 1 and is taken as a number; name it in factors to classify."]
    return []
