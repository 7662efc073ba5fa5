"""One network, from prepared rows to a model."""

from __future__ import annotations

from collections.abc import Callable

from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.kinds.update_rules import ADAMW
from h2olite.machine.threads import usable_threads
from h2olite.metrics import Metrics
from h2olite.model import Model
from h2olite.network.network import Network
from h2olite.predicting.predictor import Predictor
from h2olite.settings.parameters import Parameters
from h2olite.training.optimality import mean_gradients, violations
from h2olite.training.replicas import Replicas
from h2olite.training.schedule import rows_between_averages
from h2olite.training.task import elastic_of, layout_of, objective_of, rule_of
from h2olite.training.team import Team, makes_zeros
from h2olite.training.trainer import Measurement, Past, Progress, Trainer

from .assembly import Assembly
from .checkpoint import advice_on_state, past_of
from .preparation import Measured, Preparation
from .starting import starting_network

SMALL_TABLE = 10_000
"""Rows below which force_load_balance=False trains on one thread."""


TeamMaker = Callable[[Preparation, Network, Rule, int], Team]
"""Makes a team of prepared rows, the network to train, the update rule, and the number of threads."""


def train_network(
    assembly: Assembly,
    watch: Callable[[Progress], bool | None] | None = None,
    make_team: TeamMaker | None = None,
) -> Model:
    """Train a network on prepared rows, and make a model of it.

    Parameters
    ----------
    assembly : what the model is made of besides.
    watch : is told of progress after every block of rows; training ends when it returns False.
    make_team : makes what trains the network; threads of this process if not given.

    Raises
    ------
    TrainingError : training became unstable.
    """
    prepared, clock = assembly.prepared, assembly.clock
    parameters = prepared.parameters
    network = network_to_train(prepared)
    objective, rule = objective_of(parameters), rule_of(parameters, prepared.rows, network)
    clock.note_encoded()
    n_threads = _n_threads(parameters, prepared.trained.size)
    with (make_team or team_of)(prepared, network, rule, n_threads) as team:
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
        if makes_zeros(rule) and rule.kind != ADAMW:  # whose shrinking is no part of an objective
            gradients = mean_gradients(trained.network, trainer.objective, rule, prepared.source, n_threads)
            trained.record.violations = violations(trained.network, gradients, rule, prepared.encoder.column_starts)
        trained.record.largest_output = largest_output(prepared, team, objective)
    return trained


def team_of(prepared: Preparation, network: Network, rule: Rule, n_threads: int) -> Team:
    """Threads that share one network, or that train copies of it."""
    parameters, rows = prepared.parameters, prepared.rows
    if parameters.replicas == 1:
        return Team(network, rows, n_threads, parameters.mini_batch_size)
    return Replicas(
        network,
        rows,
        n_threads,
        parameters.mini_batch_size,
        n_replicas=parameters.replicas,
        averaging_rows=rows_between_averages(parameters, rule),
        elastic=elastic_of(parameters),
    )


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


def measure_network(prepared: Preparation, predictor: Predictor, objective: Objective) -> Measurement:
    """What a network is worth on the training and on the validation rows."""

    def metrics(on: Measured) -> Metrics:
        return prepared.scoring.metrics(predictor, objective, *on)

    return Measurement(metrics(prepared.training), prepared.validation and metrics(prepared.validation))


def largest_output(prepared: Preparation, predictor: Predictor, objective: Objective) -> float | None:
    """The largest linear output of the rows that stand for all, if the distribution has a log link."""
    if DISTRIBUTIONS[prepared.parameters.distribution].link != "log":
        return None
    return float(predictor.predict(objective, *prepared.source.sample()).max())


def take_up(prepared: Preparation, team: Team, measure: Callable[[], Measurement]) -> Past | None:
    """What training knows of the time before, and its network as it was left then; None for a new training."""
    checkpoint: Model | None = prepared.parameters.checkpoint
    if checkpoint is None:
        return None
    past = past_of(checkpoint, measure())
    prepared.warnings.extend(advice_on_state(checkpoint))
    team.network = checkpoint.network.resumed(averaged=prepared.parameters.averaging_window > 0)
    return past


def _n_threads(parameters: Parameters, n_rows: int) -> int:
    """Threads to train with."""
    if not parameters.force_load_balance and n_rows < SMALL_TABLE:
        return 1
    return parameters.nthreads or usable_threads()
