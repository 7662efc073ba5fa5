"""The training loop: iterations of rows, measurements between them, and the reasons to end."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.data.splits import RowOrder
from h2olite.errors import TrainingError
from h2olite.kernels import rows as kernels
from h2olite.kernels.losses import HUBER
from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.metrics import Metrics
from h2olite.metrics.base import weighted_quantile
from h2olite.network.network import Network
from h2olite.parameters import Parameters

from .history import history_row
from .stopping import MORE_IS_BETTER, reason_to_stop
from .workers import Workers

BLOCK_SECONDS = 0.2
"""Time that a block of rows should take: how long an interruption or a time limit may wait."""

MOST_ROWS_PER_ITERATION = 100_000

MOST_ROWS_PER_PAYMENT = 4096
"""The penalties that make zeros act once an epoch, or after so many rows. Acting at every update would leave few
weights at zero, since the noise of single rows moves them away again; acting too rarely would overshoot."""

LARGEST_WEIGHT, LARGEST_BIAS = 1e10, 1e5
"""Beyond these a network counts as unstable, as in H2O."""


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


@dataclasses.dataclass(eq=False)
class Trainer:
    """Trains a network on encoded rows.

    Attributes
    ----------
    workers : threads that share the network.
    objective, rule : what is minimised, and how.
    rows : the encoded training table.
    usable : int64, indices of the rows to train on, some of them repeatedly if need be; one epoch is their number.
    sample : indices of the rows by which Huber's delta is set.
    columns : int64, where the inputs of each predictor start, and the number of inputs.
    parameters : resolved parameters: none of them AUTO.
    measure : scores the network as it is.
    watch : is told of progress after every block of rows; training ends when it returns False.
    history : the scoring history so far.
    """

    workers: Workers
    objective: Objective
    rule: Rule
    rows: EncodedRows
    usable: np.ndarray
    sample: np.ndarray
    columns: np.ndarray
    parameters: Parameters
    seed: int
    measure: Callable[[], Measurement]
    watch: Callable[[Progress], bool | None] | None = None
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    measurement: Measurement | None = None
    seconds_training: float = 0.0
    seconds_scoring: float = 0.0
    iterations: int = 0

    def __post_init__(self) -> None:
        self._started = time.perf_counter()
        self._order = RowOrder(self.usable.size, self.parameters.shuffle_training_data, self.seed)
        self._block = 256 * self._stride
        self._payment_interval = min(self.usable.size, MOST_ROWS_PER_PAYMENT)
        self._has_penalty = self.rule.l1 > 0 or self.rule.input_group_l1 > 0
        self._paid = self._network.rows_seen
        self._values: list[float] = [math.nan]
        self._best_loss = math.inf
        self._best: np.ndarray | None = None
        self._scored_at = -math.inf
        self._scoring_took = 0.0

    @property
    def _network(self) -> Network:
        return self.workers.network

    @property
    def _stride(self) -> int:
        """Rows that all threads train on with one mini-batch each."""
        return self.workers.n_threads * self.workers.batch_size

    @property
    def epochs(self) -> float:
        """Passes over the usable rows so far."""
        return self._network.rows_seen / self.usable.size

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
        total = math.ceil(self.parameters.epochs * self.usable.size)
        size = rows_per_iteration(self.parameters, self.usable.size)
        self.history.append(history_row(0.0, 0.0, 0, 0, 0.0))
        reason = None
        while self._network.rows_seen < total and reason is None:
            self.iterations += 1
            reason = self._iterate(min(self._network.rows_seen + size, total))
            if reason or self._network.rows_seen >= total or self._score_is_due():
                reason = self._score() or reason
        if self.measurement is None:
            self._score()
        self._restore_best()
        return reason or "epochs"

    def _iterate(self, end: int) -> str | None:
        """Train until `end` rows have been seen, block by block."""
        if self.objective.loss == HUBER:
            self.objective = self.objective._replace(shape=self._huber_delta())
        network = self._network
        while network.rows_seen < end:
            size = min(self._block, end - network.rows_seen)
            if self._has_penalty:
                size = min(size, self._rows_to_payment(end))
            started = time.perf_counter()
            order = self.usable[self._order.take(size)]
            self.workers.train(self.objective, self.rule, self.rows, order, self.seed)
            if self._has_penalty and network.rows_seen - self._paid >= self._payment_interval:
                self._pay_penalties()
            took = time.perf_counter() - started
            self.seconds_training += took
            if took < BLOCK_SECONDS / 2:
                self._block *= 2
            if self.watch is not None and self.watch(self._progress(None)) is False:
                return "interrupted"
            limit = self.parameters.max_runtime_secs
            if limit and time.perf_counter() - self._started > limit:
                return "max_runtime_secs"
        return None

    def _huber_delta(self) -> np.float32:
        """The huber_alpha-quantile of the absolute residuals at present, in training units."""
        outputs = self.workers.predict(self.objective, self.rows, self.sample)[:, 0]
        residuals = np.abs(self.rows.target[self.sample] - outputs)
        weights = self.rows.weights[self.sample] if self.rows.weights.size else np.ones(residuals.size)
        delta = weighted_quantile(residuals, self.parameters.huber_alpha, weights)
        return np.float32(np.maximum(delta, np.finfo(np.float32).tiny))

    def _rows_to_payment(self, end: int) -> int:
        """Rows until the penalties are due, stretched or shortened so that no small rest is left before `end`."""
        left = end - self._network.rows_seen
        due = self._payment_interval - (self._network.rows_seen - self._paid)
        return left if left < 1.5 * self._payment_interval else max(due, 1)

    def _pay_penalties(self) -> None:
        """Let the penalties that make zeros act for the updates since they last did."""
        network = self._network
        n_updates = (network.rows_seen - self._paid) / self.workers.batch_size
        kernels.pay_penalties(
            network.layout,
            network.iterate,
            network.first,
            network.second,
            self.columns,
            self.rule,
            n_updates,
            network.rows_seen,
        )
        self._paid = network.rows_seen
        # An average of weights that are mostly zero is never zero, but a weight that is zero now is meant to be.
        network.theta[network.iterate == 0] = 0

    def _score_is_due(self) -> bool:
        """Whether the model is to be measured after an iteration that is not the last."""
        if self.measurement is None or self.parameters.score_each_iteration:
            return True
        since = time.perf_counter() - self._scored_at
        return since > self.parameters.score_interval and self._scoring_took < self.parameters.score_duty_cycle * since

    def _score(self) -> str | None:
        """Measure the network, remember it if it is the best so far, and say why training should stop, if it should."""
        self._scored_at = time.perf_counter()
        if self._has_penalty:
            self._pay_penalties()
        self._refuse_instability()
        measurement = self._record()
        self._scoring_took = time.perf_counter() - self._scored_at
        metric = self.parameters.stopping_metric
        value = measurement.decisive.stopping_value(metric)
        self._values.append(value)
        loss = -value if metric in MORE_IS_BETTER else value
        if self._may_go_back(measurement) and not loss >= self._best_loss:
            self._best_loss, self._best = loss, self._network.theta.copy()
        is_class = measurement.training.category != "Regression"
        return reason_to_stop(
            self.parameters,
            self._values,
            metric=metric,
            error=measurement.training["error"] if is_class else None,
            mse=measurement.training["mse"],
        )

    def _may_go_back(self, measurement: Measurement) -> bool:
        """Whether an earlier model may be better than a later one.

        Training metrics cannot tell under a penalty: they only see that the early model, not yet shrunk, fits closer.
        """
        penalised = self._has_penalty or self.rule.l2 > 0
        return self.parameters.overwrite_with_best_model and (measurement.validation is not None or not penalised)

    def _record(self) -> Measurement:
        """Measure the network and append a row to the history."""
        started = time.perf_counter()
        self.measurement = self.measure()
        now = time.perf_counter()
        self.seconds_scoring += now - started
        row = history_row(
            now - self._started,
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

    def _restore_best(self) -> None:
        """Go back to the best parameters measured, unless they are the last ones."""
        if self._best is not None and not np.array_equal(self._best, self._network.theta):
            self._network.theta[:] = self._best
            self._record()

    def _refuse_instability(self) -> None:
        """Raise when weights or biases are not finite or beyond all bounds."""
        network = self._network
        for layer in range(network.n_layers):
            weights, biases = network.weights(layer), network.biases(layer)
            if not (np.abs(weights).max(initial=0) < LARGEST_WEIGHT and np.abs(biases).max() < LARGEST_BIAS):
                raise TrainingError(
                    f"training is unstable: the weights of layer {layer + 1} have grown beyond all bounds after "
                    f"{self.epochs:.3g} epochs; use a bounded activation (Tanh), regularisation (max_w2, l1, l2, "
                    "dropout), or a smaller rate (or adaptive_rate)."
                )

    def _rows_per_second(self) -> float:
        return self._network.rows_seen / self.seconds_training if self.seconds_training else 0.0

    def _progress(self, row: dict[str, Any] | None) -> Progress:
        return Progress(
            self.epochs,
            self.parameters.epochs,
            self._network.rows_seen,
            self._rows_per_second(),
            time.perf_counter() - self._started,
            row,
        )


def rows_per_iteration(parameters: Parameters, n_rows: int) -> int:
    """Rows trained between two opportunities to score.

    Automatic (-2): a tenth of all epochs, at most 10 epochs and 100,000 rows. H2O's choice also depends on the measured
    speed of the machine; for tables that train within seconds it comes to the same.
    """
    wanted = parameters.train_samples_per_iteration
    total = parameters.epochs * n_rows
    if wanted > 0:
        return wanted
    if wanted == -2:
        return int(min(10 * n_rows, max(1, total / 10), MOST_ROWS_PER_ITERATION))
    return n_rows
