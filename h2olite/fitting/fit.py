"""The whole way from tables to a trained model."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import h2olite
from h2olite.data.encoding import EncodedRows
from h2olite.data.predictors import find_columns
from h2olite.data.table import Table
from h2olite.kernels.updates import Rule
from h2olite.metrics import Metrics
from h2olite.model import Model
from h2olite.network.network import Network
from h2olite.settings.parameters import FRAMES, MODELS, Parameters
from h2olite.trained.importance import column_importance, gedeon_importance, input_spreads
from h2olite.trained.objective import advice_on_penalties
from h2olite.trained.record import TrainingRecord
from h2olite.trained.scoring import LOG_LINK, layout_of, objective_of, single
from h2olite.training.stopping import idle_rounds
from h2olite.training.trainer import AVERAGING_INTERVAL, Measurement, Progress, Trainer
from h2olite.training.workers import Workers, usable_threads

from .checkpoint import advice_on_state, file_in, past_of
from .failure import advice_on_failure
from .footprint import refuse_too_large_training
from .origin import model_id_of
from .preparation import Measured, Warn, prepare
from .pruning import pruned
from .starting import starting_network

SMALL_TABLE = 10_000
"""Rows below which force_load_balance=False trains on one thread."""


def fit(
    parameters: Parameters,
    training: Table,
    validation: Table | None = None,
    watch: Callable[[Progress], bool | None] | None = None,
    *,
    origin: dict[str, Any] | None = None,
    prune: bool = True,
    warn: Warn | None = None,
) -> Model:
    """Train a model.

    Parameters
    ----------
    parameters : checked parameters; their frames are not looked at.
    training, validation : the tables.
    watch : is told of progress after every block of rows; training ends when it returns False.
    origin : what to record of parameters and tables.
    prune : whether predictors that cannot reach an output leave the model, so that training cannot bring them back.
    warn : is told what looks wrong with the tables before training begins.

    Raises
    ------
    ParameterError : the parameters do not go with the response.
    DataError : the tables do not hold what training needs.
    TrainingError : training became unstable.
    LackOfMemoryError : it needs more memory than there is.
    """
    started = time.perf_counter()
    refuse_too_large_training(parameters, training, validation)
    prepared = prepare(parameters, training, validation)
    if warn is not None:
        warn(prepared.warnings)
    parameters, response, encoder, rows = prepared.parameters, prepared.response, prepared.encoder, prepared.rows
    stored = _without_objects(parameters, training, None if response is None else response.name)
    model_id = parameters.model_id or model_id_of(origin if parameters.reproducible else None)
    file = parameters.export_checkpoints_dir and file_in(parameters.export_checkpoints_dir, model_id)
    checkpoint: Model | None = parameters.checkpoint
    if checkpoint is None:
        absent = prepared.absent_inputs
        network = starting_network(
            parameters,
            layout_of(encoder, response, parameters),
            encoder.input_names,
            absent_inputs=absent,
            output_bias=prepared.output_bias,
        )
    else:
        absent = np.empty(0, np.int64)  # inputs that no row has had have weights of 0 and so no importance
        network = checkpoint.network
    explains = parameters.variable_importances and encoder.n_slots is None
    of_rows = prepared.training.observed.weights
    spreads = input_spreads(rows, prepared.trained, encoder, of_rows) if explains else None
    objective = objective_of(parameters)
    rule = rule_of(parameters, rows, network)
    encoded = time.perf_counter()

    with Workers(network, rows, _n_threads(parameters, prepared.trained.size), parameters.mini_batch_size) as workers:
        workers.compile(objective, rule, rows)
        compiled = time.perf_counter()

        def measure() -> Measurement:
            def metrics(on: Measured) -> Metrics:
                return prepared.scoring.metrics(workers, objective, *on)

            return Measurement(metrics(prepared.training), prepared.validation and metrics(prepared.validation))

        past, earlier = None, 0.0
        if checkpoint is not None:
            earlier = checkpoint.record.seconds["total"]  # as the seconds of training are those of all its epochs
            past = past_of(checkpoint, measure())
            prepared.warnings.extend(advice_on_state(checkpoint))
            workers.network = network.resumed(averaged=parameters.averaging_window > 0)

        def model(stopped_by: str) -> Model:
            """The model as training has left it so far."""
            network, measurement, best_epochs = trainer.so_far()
            sample = prepared.training.sample
            idle = idle_rounds(parameters, trainer.values, trainer.iterations) if stopped_by == "epochs" else []
            record = TrainingRecord(
                version=h2olite.__version__,
                rows=training.n_rows,
                sampled=sample.size if sample.size < prepared.n_usable else None,
                epochs=trainer.epochs,
                samples=network.rows_seen,
                iterations=trainer.iterations,
                stopped_by=stopped_by,
                stopping_values=[value if math.isfinite(value) else None for value in trainer.values],
                seconds={
                    "read": 0.0,
                    "encode": encoded - started,
                    "compile": compiled - encoded,
                    "train": trainer.seconds_training,
                    "score": trainer.seconds_scoring,
                    "total": earlier + time.perf_counter() - started,
                },
                warnings=prepared.warnings + idle,
                unused=checkpoint.record.unused if checkpoint else [],
                pruned_inputs=checkpoint.record.pruned_inputs if checkpoint else 0,
                origin=origin,
                usable=prepared.n_usable,
                best_epochs=best_epochs,
                csv=dict(training.csv or {}),
            )
            return Model(
                model_id=model_id,
                parameters=stored,
                encoder=encoder,
                response=response,
                network=network,
                training_metrics=measurement.training,
                validation_metrics=measurement.validation,
                history=trainer.history,
                importances=gedeon_importance(network, absent) if explains else None,
                record=record,
                shares=prepared.shares,
                column_importances=None if spreads is None else column_importance(network, encoder, spreads),
            )

        def keep() -> None:
            if file is not None:
                model("interrupted").save(file)

        trainer = Trainer(
            workers,
            objective,
            rule,
            rows,
            prepared.trained,
            prepared.passes,
            prepared.training.sample,
            encoder.column_starts,
            parameters,
            measure,
            watch,
            keep,
            past,
        )
        trained = model(trainer.run())
        if parameters.distribution in LOG_LINK:
            outputs = workers.predict(objective, rows, prepared.training.sample)
            trained.record.largest_output = float(outputs.max())
        if not prune:
            return trained
        if not training.is_batch:  # of whose few rows a constant may know more
            trained.record.warnings += advice_on_failure(trained, prepared)
        trained = pruned(trained)
        trained.record.warnings += advice_on_penalties(trained)
        return trained


def rule_of(parameters: Parameters, rows: EncodedRows, network: Network) -> Rule:
    """The update rule that resolved parameters describe.

    Its interval is that of averages which take little time next to training, which leaves the weights of absent levels
    and zeros alone.
    """
    n_numeric = rows.numbers.shape[1]
    n_levels = int(network.layout.sizes[0]) - n_numeric
    n_idle = max(n_levels - rows.levels.shape[1], 0) + n_numeric - rows.numbers_in_use()
    idle = n_idle * int(network.layout.widths[0])
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
        max_w2=single(parameters.max_w2),
        fast=parameters.fast_mode,
        window=single(parameters.averaging_window),
        interval=np.int64(interval),
        payment=np.int64(0),
    )


def _without_objects(parameters: Parameters, training: Table, response: str | None) -> Parameters:
    """The parameters as a model keeps them: columns and models by name, no tables."""
    changes: dict[str, Any] = dict.fromkeys((*FRAMES, "initial_weights", "initial_biases"))
    changes |= {name: getattr(parameters, name) and getattr(parameters, name).model_id for name in MODELS}
    changes |= {"x": parameters.x and find_columns(training, parameters.x), "y": response}
    return dataclasses.replace(parameters, **changes)


def _n_threads(parameters: Parameters, n_rows: int) -> int:
    """Threads to train with."""
    if not parameters.force_load_balance and n_rows < SMALL_TABLE:
        return 1
    return parameters.nthreads or usable_threads()
