"""The whole way from tables to a trained model, in one function."""

from __future__ import annotations

import dataclasses
import math
import secrets
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import h2olite
from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import NONE, EncodedRows, ResponseEncoder, RowEncoder
from h2olite.data.predictors import choose_predictors, find_columns
from h2olite.data.recoding import Recoding
from h2olite.data.roles import row_offsets, row_weights
from h2olite.data.splits import (
    balance,
    complete_rows,
    random_stream,
    sample_by_class,
    sample_rows,
    settle_seed,
    training_rows,
)
from h2olite.data.table import Table
from h2olite.errors import ParameterError
from h2olite.kernels.updates import Rule
from h2olite.metrics import Metrics
from h2olite.network.network import Network
from h2olite.network.topology import lay_out
from h2olite.parameters import FRAMES, MODELS, Parameters
from h2olite.training.trainer import AVERAGING_INTERVAL, Measurement, Progress, Trainer
from h2olite.training.workers import Workers, usable_threads
from h2olite.validation import check_response, other_roles, resolve, wants_classes

from .checkpoint import check_columns, file_in, past_of, refuse_new_classes
from .importance import gedeon_importance
from .model import Model, TrainingRecord
from .pruning import without_unused_predictors
from .scoring import LOG_LINK, ClassShares, Observed, Scoring, objective_of
from .starting import starting_network

SMALL_TABLE = 10_000
"""Rows below which force_load_balance=False trains on one thread."""

ROWS_PER_THREAD = 1_000
"""With fewer, starting threads costs more than it gains, and updates that cross cost accuracy."""


def fit(
    parameters: Parameters,
    training: Table,
    validation: Table | None = None,
    watch: Callable[[Progress], bool | None] | None = None,
) -> Model:
    """Train a model.

    Parameters
    ----------
    parameters : checked parameters; their frames are not looked at.
    training, validation : the tables.
    watch : is told of progress after every block of rows; training ends when it returns False.

    Raises
    ------
    ParameterError : the parameters do not go with the response.
    DataError : the tables do not hold what training needs.
    TrainingError : training became unstable.
    """
    started = time.perf_counter()
    name = response_name(parameters, training)
    training = with_classes(parameters, training, name)
    validation = validation and with_classes(parameters, validation, name)
    checkpoint: Model | None = parameters.checkpoint
    if checkpoint is None:
        predictors, dropped = choose_predictors(
            training,
            x=parameters.x,
            others=[name, *other_roles(parameters), *(parameters.ignored_columns or ())],
            ignore_const_cols=parameters.ignore_const_cols,
        )
        levels = training[name].levels
    else:
        check_columns(parameters, checkpoint, training, name)
        predictors, dropped = list(checkpoint.schema), []
        levels = checkpoint.response.levels
    values = training[name].values
    n_classes = None if levels is None else len(levels)
    check_response(parameters, n_classes, name=name, lowest=float(np.fmin.reduce(values)) if levels is None else None)
    parameters = dataclasses.replace(
        resolve(parameters, n_classes),
        seed=settle_seed(parameters.seed),
    )
    model_id = parameters.model_id or f"DeepLearning_model_{secrets.token_hex(4)}"
    file = parameters.export_checkpoints_dir and file_in(parameters.export_checkpoints_dir, model_id)
    said = dropped + _advice_on_classes(training, name)

    weights = row_weights(training, parameters.weights_column)
    offsets = row_offsets(training, parameters.offset_column)
    log_link = parameters.distribution in LOG_LINK
    # With an identity link the network learns the response less its offset; with a log link the kernels add the offset.
    subtracted, added = (None, offsets) if log_link else (offsets, None)
    response = (
        checkpoint.response
        if checkpoint
        else ResponseEncoder.fit(
            training, name, standardize=parameters.standardize and not log_link, weights=weights, offsets=subtracted
        )
    )
    adaptation = Adaptation(training.name)
    target, actual = response.encode(training, adaptation, offsets=subtracted)
    refuse_new_classes(adaptation, name)
    skips = parameters.missing_values_handling == "Skip"
    usable = training_rows(
        training, target=target, weights=weights, complete=complete_rows(training, predictors) if skips else None
    )
    trained, shares = usable, None
    if parameters.balance_classes:
        trained, shares = balance_rows(parameters, usable, actual, weights, response.n_classes)
    scoring = Scoring(response, parameters, shares)
    encoder = (
        checkpoint.encoder
        if checkpoint
        else RowEncoder.fit(
            training,
            predictors,
            recoding=Recoding.fit(training, predictors, parameters.categorical_encoding, actual, weights),
            max_categorical_features=parameters.max_categorical_features,
            hash_seed=parameters.seed,
            use_all_factor_levels=parameters.use_all_factor_levels,
            standardize=parameters.standardize,
            sparse=parameters.sparse,
            weights=weights,
            rows=usable,
        )
    )
    rows = EncodedRows(
        *encoder.encode(training, adaptation),
        target,
        relative_weights(weights, usable),
        NONE if added is None else added.astype(np.float32),
    )
    said += adaptation.warnings()
    observed = Observed(actual, weights, offsets)
    if validation is not None:
        adaptation = Adaptation(validation.name)
        validation_rows = EncodedRows(*encoder.encode(validation, adaptation))
        validation_observed = Observed(
            response.encode(validation, adaptation)[1],
            row_weights(validation, parameters.weights_column, adaptation),
            row_offsets(validation, parameters.offset_column),
        )
        said += adaptation.warnings()
        validation_sample = _sample(
            training_rows(validation, target=validation_observed.actual, weights=validation_observed.weights),
            parameters.score_validation_samples,
            parameters.seed + 1,
            classes=validation_observed.actual if parameters.score_validation_sampling == "Stratified" else None,
        )

    layout = lay_out(
        [encoder.n_inputs, *parameters.hidden, max(response.n_classes, 1)],
        maxout=parameters.activation.startswith("Maxout"),
    )
    if checkpoint is None:
        absent = absent_inputs(rows, trained, encoder.n_categorical_inputs)
        network = starting_network(
            parameters,
            layout,
            encoder.input_names,
            classification=response.levels is not None,
            absent_inputs=absent,
        )
    else:
        absent = np.empty(0, np.int64)  # inputs that no row has had have weights of 0 and so no importance
        network = checkpoint.network
    explains = parameters.variable_importances and encoder.n_slots is None
    objective = objective_of(parameters)
    sample = _sample(usable, parameters.score_training_samples, parameters.seed)
    encoded = time.perf_counter()

    with Workers(network, rows, _n_threads(parameters, trained.size), parameters.mini_batch_size) as workers:
        rule = rule_of(parameters, rows, network)
        workers.compile(objective, rule, rows)
        compiled = time.perf_counter()

        def measure() -> Measurement:
            def metrics(rows: EncodedRows, sample: np.ndarray, observed: Observed) -> Metrics:
                return scoring.metrics(workers.predict(objective, rows, sample), observed.take(sample))

            return Measurement(
                metrics(rows, sample, observed),
                None if validation is None else metrics(validation_rows, validation_sample, validation_observed),
            )

        past = None
        if checkpoint is not None:
            past = past_of(checkpoint, measure())
            workers.network = network.resumed(averaged=parameters.averaging_window > 0)

        def model(stopped_by: str) -> Model:
            network, measurement = trainer.so_far()
            seconds = {
                "read": 0.0,
                "encode": encoded - started,
                "compile": compiled - encoded,
                "train": trainer.seconds_training,
                "score": trainer.seconds_scoring,
                "total": time.perf_counter() - started,
            }
            record = TrainingRecord(
                version=h2olite.__version__,
                rows=training.n_rows,
                sampled=sample.size if sample.size < usable.size else None,
                epochs=trainer.epochs,
                samples=network.rows_seen,
                iterations=trainer.iterations,
                stopped_by=stopped_by,
                stopping_values=[value if math.isfinite(value) else None for value in trainer.values],
                seconds=seconds,
                warnings=said,
                unused=checkpoint.record.unused if checkpoint else [],
                pruned_inputs=checkpoint.record.pruned_inputs if checkpoint else 0,
            )
            return Model(
                model_id=model_id,
                parameters=_without_objects(parameters, training, name),
                encoder=encoder,
                response=response,
                network=network,
                training_metrics=measurement.training,
                validation_metrics=measurement.validation,
                history=trainer.history,
                importances=gedeon_importance(network, absent) if explains else None,
                record=record,
                shares=shares,
            )

        def keep() -> None:
            if file is not None:
                model("interrupted").save(file)

        trainer = Trainer(
            workers,
            objective,
            rule,
            rows,
            trained,
            sample,
            encoder.column_starts,
            parameters,
            parameters.seed,
            measure,
            watch,
            keep,
            past,
        )
        return without_unused_predictors(model(trainer.run()))


def with_classes(parameters: Parameters, table: Table, name: str) -> Table:
    """The table with its response categorical, if loss or distribution ask for classes and it holds whole numbers."""
    if not wants_classes(parameters) or name not in table:
        return table
    values = table[name].values
    is_whole = (values == np.round(values)) | np.isnan(values)
    return table.convert({name: "categorical"}) if is_whole.all() else table


def response_name(parameters: Parameters, training: Table) -> str:
    """The column to predict: the last one if none is named."""
    return training.names[-1] if parameters.y is None else find_columns(training, [parameters.y])[0]


def rule_of(parameters: Parameters, rows: EncodedRows, network: Network) -> Rule:
    """The update rule that resolved parameters describe.

    Its interval is that of averages which take little time next to training, which leaves the weights of absent levels
    alone.
    """
    single = np.float32
    n_levels = int(network.layout.sizes[0]) - rows.numbers.shape[1]
    idle = max(n_levels - rows.levels.shape[1], 0) * int(network.layout.widths[0])
    interval = AVERAGING_INTERVAL * network.theta.size // (network.theta.size - idle)
    return Rule(
        adaptive=parameters.adaptive_rate,
        rho=single(parameters.rho),
        epsilon=single(parameters.epsilon),
        rate=single(parameters.rate),
        annealing=single(parameters.rate_annealing),
        decay=single(parameters.rate_decay),
        momentum_start=single(parameters.momentum_start),
        momentum_ramp=single(parameters.momentum_ramp),
        momentum_stable=single(parameters.momentum_stable),
        nesterov=parameters.nesterov_accelerated_gradient,
        l1=single(parameters.l1),
        input_group_l1=single(parameters.input_group_l1),
        l2=single(parameters.l2),
        max_w2=single(min(parameters.max_w2, float(np.finfo(np.float32).max))),
        fast=parameters.fast_mode,
        window=single(parameters.averaging_window),
        interval=np.int64(interval),
    )


def relative_weights(weights: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    """The weights by which gradients are multiplied: their mean over the rows trained on is 1.

    So what is minimised is the weighted mean of the loss, and the learning rate and penalties mean the same whatever
    unit the weights are in.
    """
    return NONE if weights is None else (weights / weights[rows].mean()).astype(np.float32)


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


def absent_inputs(rows: EncodedRows, usable: np.ndarray, n_levels: int) -> np.ndarray:
    """The inputs of categorical columns that no row trained on has."""
    present = np.zeros(n_levels + 1, np.bool_)  # the last one is where -1, no input, leads
    for column in rows.levels.T:
        present[column[usable]] = True
    return np.flatnonzero(~present[:n_levels])


def _without_objects(parameters: Parameters, training: Table, response: str) -> Parameters:
    """The parameters as a model keeps them: columns and models by name, no tables."""
    changes: dict[str, Any] = dict.fromkeys((*FRAMES, "initial_weights", "initial_biases"))
    changes |= {name: getattr(parameters, name) and getattr(parameters, name).model_id for name in MODELS}
    changes |= {"x": parameters.x and find_columns(training, parameters.x), "y": response}
    return dataclasses.replace(parameters, **changes)


def _n_threads(parameters: Parameters, n_rows: int) -> int:
    """Threads to train with."""
    if not parameters.force_load_balance and n_rows < SMALL_TABLE:
        return 1
    return max(min(parameters.nthreads or usable_threads(), n_rows // ROWS_PER_THREAD), 1)


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
