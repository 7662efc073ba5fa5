"""The whole way from tables to a trained model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from h2olite.data.table import Table
from h2olite.kernels.rows import Objective
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.machine.threads import usable_threads
from h2olite.metrics import Metrics
from h2olite.model import Model
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters
from h2olite.trained.objective import advice_on_penalties
from h2olite.training.optimality import mean_gradients, violations
from h2olite.training.task import layout_of, objective_of, rule_of
from h2olite.training.team import Team, makes_zeros
from h2olite.training.trainer import Measurement, Past, Progress, Trainer

from .assembly import Assembly, Clock
from .checkpoint import advice_on_state, past_of
from .failure import advice_on_failure
from .footprint import refuse_too_large_training
from .preparation import Measured, Preparation, Warn, prepare
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
    clock = Clock()
    refuse_too_large_training(parameters, training, validation)
    prepared = prepare(parameters, training, validation)
    if warn is not None:
        warn(prepared.warnings)
    parameters = prepared.parameters
    assembly = Assembly(prepared, training, origin, clock)
    network = network_to_train(prepared)
    objective, rule = objective_of(parameters), rule_of(parameters, prepared.rows, network)
    clock.note_encoded()
    n_threads = _n_threads(parameters, prepared.trained.size)
    with Team(network, prepared.rows, n_threads, parameters.mini_batch_size) as team:
        team.compile(objective, rule, prepared.rows)
        clock.note_compiled()

        def measure() -> Measurement:
            return measure_network(prepared, team, objective)

        trainer = Trainer(
            team,
            objective,
            rule,
            prepared.source,
            prepared.encoder.column_starts,
            parameters,
            measure,
            watch,
            assembly.keep,
            take_up(prepared, team, measure),
        )
        trained = assembly.model(trainer, trainer.run())
        if makes_zeros(rule):
            gradients = mean_gradients(trained.network, trainer.objective, rule, prepared.source, n_threads)
            found = violations(trained.network, gradients, rule, prepared.encoder.column_starts)
            trained.record.violations = found
        if DISTRIBUTIONS[parameters.distribution].link == "log":
            outputs = team.predict(objective, *prepared.source.sample())
            trained.record.largest_output = float(outputs.max())
    return finish(trained, prepared, training) if prune else trained


def network_to_train(prepared: Preparation) -> Network:
    """The network that training starts with: a new one, or the checkpoint's."""
    parameters, encoder = prepared.parameters, prepared.encoder
    if parameters.checkpoint is not None:
        return parameters.checkpoint.network
    return starting_network(
        parameters,
        layout_of(encoder, prepared.response, parameters),
        encoder.input_names,
        absent_inputs=prepared.absent_inputs,
        output_bias=prepared.output_bias,
    )


def measure_network(prepared: Preparation, team: Team, objective: Objective) -> Measurement:
    """What the team's network is worth on the training and on the validation rows."""

    def metrics(on: Measured) -> Metrics:
        return prepared.scoring.metrics(team, objective, *on)

    return Measurement(metrics(prepared.training), prepared.validation and metrics(prepared.validation))


def take_up(prepared: Preparation, team: Team, measure: Callable[[], Measurement]) -> Past | None:
    """What training knows of the time before, and its network as it was left then; None for a new training."""
    checkpoint: Model | None = prepared.parameters.checkpoint
    if checkpoint is None:
        return None
    past = past_of(checkpoint, measure())
    prepared.warnings.extend(advice_on_state(checkpoint))
    team.network = checkpoint.network.resumed(averaged=prepared.parameters.averaging_window > 0)
    return past


def finish(trained: Model, prepared: Preparation, training: Table) -> Model:
    """The model without what it makes no use of, and with advice on what went wrong."""
    if not training.is_batch:  # of whose few rows a constant may know more
        trained.record.warnings += advice_on_failure(trained, prepared)
    trained = pruned(trained)
    trained.record.warnings += advice_on_penalties(trained)
    return trained


def _n_threads(parameters: Parameters, n_rows: int) -> int:
    """Threads to train with."""
    if not parameters.force_load_balance and n_rows < SMALL_TABLE:
        return 1
    return parameters.nthreads or usable_threads()
