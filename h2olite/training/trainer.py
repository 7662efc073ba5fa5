"""The training loop: iterations of rows, measurements between them, and the reasons to end."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.kinds.distributions import HUBER
from h2olite.kinds.stopping_metrics import STOPPING_METRICS
from h2olite.metrics import Metrics
from h2olite.metrics.base import weighted_quantile
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters

from .history import history_row
from .penalties import PenaltySchedule, rows_planned
from .schedule import measurement_is_due, rows_per_iteration
from .source import RowSource
from .stability import refuse_instability
from .stopping import reason_to_stop
from .task import AVERAGING_INTERVAL, scheduled
from .team import Team

BLOCK_SECONDS = 0.2
"""Time that a block of rows should take: how long an interruption or a time limit may wait."""

FIRST_ROWS = 32
"""Rows of the first block, before it is known how long they take."""

ENDLESS = 2.0**62
"""Rows that no training reaches: more epochs than that are as good as any number."""

LOOKS = 20
"""How often the average looks at the weights, at the least, by the time that all rows so far count for it. It matters
where looking is slow, with thousands of levels: fewer looks there leave the last tenth of the rows with one or none."""

MOST_ERRORS = 1 << 20
"""About how many errors of reconstructed inputs Huber's delta is taken from."""

LEAST_GAIN_OF_LAST = 0.25
"""Part of the training loss by which the last weights must be better than their average to be preferred."""


class Progress(NamedTuple):
    """How far training is, after a block of rows."""

    epochs: float
    total_epochs: float
    rows_seen: int
    rows_per_second: float
    seconds: float
    row: dict[str, Any] | None
    """The newest row of the scoring history, when the model has just been measured."""


class Measurement(NamedTuple):
    """What the model is worth at one moment."""

    training: Metrics
    validation: Metrics | None

    @property
    def decisive(self) -> Metrics:
        """The metrics that choose the best model and stop training."""
        return self.validation or self.training

    def worst(self, key: str) -> float:
        """The larger one of an error of the training and of the validation rows."""
        return max(metrics[key] for metrics in self if metrics is not None)


class Best(NamedTuple):
    """The best parameters measured."""

    loss: float
    theta: np.ndarray
    measurement: Measurement
    epochs: float


@dataclasses.dataclass(frozen=True, eq=False)
class Past:
    """What training knows of the time before, when it goes on from a checkpoint.

    Attributes
    ----------
    theta, measurement : what the checkpoint predicts by, and its worth on the present tables.
    value : the stopping metric when that training ended; NaN where it was not measured.
    best_epochs : how much was trained until then.
    epochs, iterations : how much was trained in all.
    seconds_training, seconds_scoring : spent.
    history : rows of the scoring history.
    values : the stopping metric at every scoring, oldest first; NaN where it was not measured.
    """

    theta: np.ndarray
    measurement: Measurement
    value: float
    best_epochs: float
    epochs: float
    iterations: int
    seconds_training: float
    seconds_scoring: float
    history: list[dict[str, Any]]
    values: list[float]


@dataclasses.dataclass(eq=False)
class Trainer:
    """Trains a network on encoded rows.

    Attributes
    ----------
    team : threads that share the network.
    objective, rule : what is minimised, and how.
    source : what the rows come from.
    columns : int64, where the inputs of each predictor start, and the number of inputs.
    parameters : resolved parameters: none of them AUTO.
    measure : scores the network as it is.
    watch : is told of progress after every block of rows; training ends when it returns False.
    keep : is called with the trainer after every measurement.
    past : where training goes on from; the network is then as it was left.
    history : the scoring history so far.
    values : the stopping metric at every scoring so far, NaN where it was not measured.
    """

    team: Team
    objective: Objective
    rule: Rule
    source: RowSource
    columns: np.ndarray
    parameters: Parameters
    measure: Callable[[], Measurement]
    watch: Callable[[Progress], bool | None] | None = None
    keep: Callable[[Trainer], None] | None = None
    past: Past | None = None

    def __post_init__(self) -> None:
        # An autoencoder is measured before training too, see `run`.
        self.history = [] if self.objective.autoencoder else [history_row(0.0, 0.0, 0, 0, 0.0)]
        self.values = [] if self.objective.autoencoder else [math.nan]
        self.measurement: Measurement | None = None
        self.iterations = 0
        self.seconds_training = self.seconds_scoring = 0.0
        self._started = time.perf_counter()
        self._seconds_before = 0.0
        self._rows_elsewhere = 0
        self._block = -(-FIRST_ROWS // self.team.batch_size) * self.team.batch_size
        rows_per_epoch = self.source.rows_per_epoch
        past_epochs = 0.0 if self.past is None else self.past.epochs
        self.rule = scheduled(self.rule, self._network.rows_seen, past_epochs, self.parameters, rows_per_epoch)
        planned = rows_planned(self.parameters, rows_per_epoch)
        self._penalties = PenaltySchedule(self.team, self.rule, self.columns, rows_per_epoch, planned)
        self._largest_target = self.source.largest_target
        self._is_growing = False
        self._best: Best | None = None
        self._scored_at, self._scored_rows = -math.inf, self._network.rows_seen
        self._scoring_took = 0.0
        if self.past is not None:
            self._go_on_from(self.past)

    def _go_on_from(self, past: Past) -> None:
        """Take up a training where it was left.

        What was measured before counts only if the checkpoint is worth now what it was then: other tables or another
        metric would compare what cannot be compared.
        """
        self.iterations = past.iterations
        self.seconds_training, self.seconds_scoring = past.seconds_training, past.seconds_scoring
        # The last row but for the measurements' is of the best parameters, at the end of training.
        self.history = past.history[: len(past.values)]
        self._seconds_before = past.history[-1]["duration"] if past.history else 0.0
        self.source.taken = round(past.epochs * self.source.rows_per_epoch)
        self._rows_elsewhere = self._network.rows_seen - self.source.taken
        value = self._value_of(past.measurement)
        self.values = list(past.values) if value in (past.value, *past.values) else [math.nan] * len(past.values)
        self._note_if_best(value, past.theta, past.measurement, past.best_epochs)

    @property
    def _network(self) -> Network:
        return self.team.network

    @property
    def epochs(self) -> float:
        """Passes over the usable rows so far, or over other tables before."""
        return (self._network.rows_seen - self._rows_elsewhere) / self.source.rows_per_epoch

    def so_far(self) -> tuple[Network, Measurement, float]:
        """The network as it would be if training ended after the last measurement, what it is worth, and its epochs."""
        assert self.measurement is not None
        best = self._best
        if best is None:
            return self._network, self.measurement, self.epochs
        if np.array_equal(best.theta, self._network.theta):
            return self._network, self.measurement, best.epochs
        return self._network.predicting_by(best.theta), best.measurement, best.epochs

    def run(self) -> str:
        """Train until there is a reason to end; the network is then the best one measured, if so asked.

        Returns
        -------
        reason : ``"epochs"`` when all were trained, the name of another parameter that ended training, or
            ``"interrupted"``.

        Raises
        ------
        TrainingError
            The weights have grown beyond all bounds.
        """
        # 0.07 epochs of 100 rows are 7 rows, though 0.07 * 100 is 7.000000000000001.
        total = self._rows_elsewhere + math.ceil(
            round(min(self.parameters.epochs * self.source.rows_per_epoch, ENDLESS), 6)
        )
        size = self.team.rows_at_once or rows_per_iteration(
            self.parameters, self.source.rows_per_epoch, self.team.batch_size
        )
        reason = self._score() if self.objective.autoencoder and self.past is None else None
        while self._network.rows_seen < total and reason is None:
            self.iterations += 1
            reason = self._iterate(min(self._network.rows_seen + size, total))
            if reason or self._network.rows_seen >= total or self._score_is_due():
                reason = self._score() or reason
        if self.measurement is None:
            self._score()
        self._try_last_weights()
        self._restore_best()
        return reason or "epochs"

    def _iterate(self, end: int) -> str | None:
        """Train until `end` rows have been seen, block by block."""
        if self.objective.loss == HUBER:
            self.objective = self.objective._replace(shape=self._huber_delta())
        network = self._network
        interval = max(min(int(self.rule.interval), end // LOOKS), AVERAGING_INTERVAL)
        screening = self._penalties.next_screening(end)
        while network.rows_seen < end:
            size = min(self.team.rows_at_once or self._block, screening - network.rows_seen)
            started = time.perf_counter()
            rule = self._penalties.rule._replace(interval=np.int64(interval))
            self._is_growing = self._penalties.is_growing
            self.team.train(self.objective, rule, *self.source.take(size))
            if network.rows_seen == screening:
                if self._penalties.screening_is_due():
                    self._let_penalties_act()
                screening = self._penalties.next_screening(end)
            took = time.perf_counter() - started
            self.seconds_training += took
            if took < BLOCK_SECONDS / 2 and size == self._block:
                self._block *= 2
            elif took > 2 * BLOCK_SECONDS:
                batch_size = self.team.batch_size
                self._block = max(self._block // 2 // batch_size, 1) * batch_size
            if self.watch is not None and self.watch(self._progress(None)) is False:
                return "interrupted"
            limit, seconds = self.parameters.max_runtime_secs, time.perf_counter() - self._started
            if limit and seconds > limit / 2 and self.source.is_alike:
                self.source.weigh()
            if limit and seconds > limit:
                return "max_runtime_secs"
        return None

    def _let_penalties_act(self) -> None:
        """Let the penalties that make zeros act, and be stronger from now on if they grow."""
        self._penalties.act()
        limit = self.parameters.max_runtime_secs
        self._penalties.proceed((time.perf_counter() - self._started) / limit if limit else 0.0)

    def _huber_delta(self) -> np.float32:
        """The huber_alpha-quantile of the absolute residuals at present, in training units."""
        block = self.source.sample()
        if self.objective.autoencoder:
            n_errors = block.order.size * int(self._network.layout.sizes[0])
            block = self.source.sample(1 + n_errors // MOST_ERRORS)
            errors = self.team.reconstruction_errors(self.objective, *block)
        else:
            errors = self.team.predict(self.objective, *block)
            errors[:, 0] -= block.rows.target[block.order]
        weights = self.source.weights_of(block)
        delta = weighted_quantile(
            np.abs(errors).ravel(), self.parameters.huber_alpha, np.repeat(weights, errors.shape[1])
        )
        return np.float32(np.maximum(delta, np.finfo(np.float32).tiny))

    def _score_is_due(self) -> bool:
        """Whether the model is to be measured after an iteration that is not the last."""
        if self.measurement is None:
            return True
        return measurement_is_due(
            self.parameters,
            self.source.rows_per_epoch,
            seconds=time.perf_counter() - self._scored_at,
            took=self._scoring_took,
            trained=self._network.rows_seen - self._scored_rows,
            measured=sum(metrics.nobs() for metrics in self.measurement if metrics is not None),
        )

    def _score(self) -> str | None:
        """Measure the network, remember it if it is the best so far, and say why training should stop, if it should."""
        self._scored_at, self._scored_rows = time.perf_counter(), self._network.rows_seen
        if self._penalties.is_active:
            self._let_penalties_act()
        refuse_instability(self._network, self.parameters, self.epochs, self._largest_target)
        measurement = self._record()
        # A model of weaker penalties than asked for is no candidate, and tells nothing of when to stop.
        value = math.nan if self._is_growing else self._value_of(measurement)
        self.values.append(value)
        if not self._is_growing:
            self._note_if_best(value, self._network.theta, measurement, self.epochs)
        if self.keep is not None:
            self.keep(self)
        self._scoring_took = time.perf_counter() - self._scored_at
        if self._is_growing:
            return None
        reason = reason_to_stop(
            self.parameters,
            self.values,
            metric=self.parameters.stopping_metric,
            error=None if measurement.training.numbers().get("error") is None else measurement.worst("error"),
            mse=measurement.worst("mse"),
        )
        if reason == "stopping_rounds" and self._penalties.is_settling and not self._can_tell(measurement):
            return None  # the training loss rises while the penalties shrink the weights
        if reason is not None and self.source.is_alike:
            self.source.weigh()
            self.values = [math.nan] * len(self.values)  # what rows of equal weight have reached does not count
            return None
        return reason

    def _may_go_back(self, measurement: Measurement) -> bool:
        """Whether an earlier model may be better than a later one.

        Training metrics cannot tell under a penalty: they only see that the early model, not yet shrunk, fits closer.
        """
        return self.parameters.overwrite_with_best_model and self._can_tell(measurement)

    def _can_tell(self, measurement: Measurement) -> bool:
        """Whether these metrics can tell the better one of two models of this training."""
        return measurement.validation is not None or not (self._penalties.is_active or self.rule.l2 > 0)

    def _note_if_best(self, value: float, theta: np.ndarray, measurement: Measurement, epochs: float) -> None:
        """Remember parameters that are better than all before, if training may end with them."""
        loss = self._loss_of(value)
        if self._may_go_back(measurement) and not (self._best and loss >= self._best.loss):
            self._best = Best(loss, theta.copy(), measurement, epochs)

    def _record(self) -> Measurement:
        """Measure the network and append a row to the history."""
        started = time.perf_counter()
        self.measurement = self.measure()
        now = time.perf_counter()
        self.seconds_scoring += now - started
        row = history_row(
            self._seconds(now),
            self.epochs,
            self.iterations,
            self._network.rows_seen,
            self._rows_per_second(),
            training=self.measurement.training,
            validation=self.measurement.validation,
        )
        self.history.append(row)
        if self.watch is not None:
            self.watch(self._progress(row))
        return self.measurement

    def _try_last_weights(self) -> None:
        """Let the model predict by the last weights, if these are better than their running average.

        They are while weights still move in one direction, which the average lags behind. Training metrics cannot tell
        under a penalty, and must be clearly better: they also are if the last rows are known by heart.
        """
        network, measurement = self._network, self.measurement
        assert measurement is not None
        if not self._can_tell(measurement) or np.array_equal(network.theta, network.iterate):
            return
        average = self._best.loss if self._best else self._loss_of(self._value_of(measurement))
        self.team.network = network.predicting_by(network.iterate)
        started = time.perf_counter()
        try:
            last = self.measure()
        finally:
            self.team.network = network
        self.seconds_scoring += time.perf_counter() - started
        loss = self._loss_of(self._value_of(last))
        margin = 0.0 if last.validation is not None else LEAST_GAIN_OF_LAST * abs(average)
        if loss < average - margin:
            self._best = Best(loss, network.iterate.copy(), last, self.epochs)

    def _value_of(self, measurement: Measurement) -> float:
        """The stopping metric."""
        return measurement.decisive.stopping_value(self.parameters.stopping_metric)

    def _loss_of(self, value: float) -> float:
        """What is to shrink: the stopping metric, its sign changed where more is better."""
        return -value if STOPPING_METRICS[self.parameters.stopping_metric].more_is_better else value

    def _restore_best(self) -> None:
        """Go back to the best parameters measured, unless they are the last ones."""
        network, *_ = self.so_far()
        if network is not self._network:
            self.team.network = network
            self._record()

    def _seconds(self, now: float) -> float:
        """Seconds since training began, without the time between an earlier training and this one."""
        return self._seconds_before + now - self._started

    def _rows_per_second(self) -> float:
        return self._network.rows_seen / self.seconds_training if self.seconds_training else 0.0

    def _progress(self, row: dict[str, Any] | None) -> Progress:
        return Progress(
            self.epochs,
            self.parameters.epochs,
            self._network.rows_seen,
            self._rows_per_second(),
            self._seconds(time.perf_counter()),
            row,
        )
