"""When the network is measured."""

from __future__ import annotations

from h2olite.kernels.updates import Rule
from h2olite.settings.parameters import Parameters

MOST_ROWS_PER_ITERATION = 100_000

LEAST_ROWS_PER_MEASUREMENT = 4000
"""Rows trained on, after which it is worth measuring a network that trains quickly: measuring takes some milliseconds
however few the rows, and rows of small networks some microseconds each."""

MEASURED_PER_TRAINED = 4
"""About how many rows are measured in the time that one is trained on."""

SLOW_MEASUREMENT = 1.0
"""Seconds of measuring from which on only the clock decides about the next time."""

INTERVALS_BETWEEN_AVERAGES = 4
"""Rows of a replica between two averages, in the least intervals at which the running average of weights takes little
time: 128 rows, and more where a row uses few of the weights. Twice as many train up to 3 % faster, and learn less with
eight replicas or more."""


def rows_per_iteration(parameters: Parameters, n_rows: int, batch_size: int) -> int:
    """Rows trained between two opportunities to score.

    Automatic (-2): a tenth of all epochs, at most 10 epochs and 100,000 rows, in whole mini-batches. H2O's choice also
    depends on the measured speed of the machine; for tables that train within seconds it comes to the same.
    """
    wanted = parameters.train_samples_per_iteration
    total = parameters.epochs * n_rows
    if wanted > 0:
        return wanted
    if wanted == -2:
        rows = int(min(10 * n_rows, max(1, total / 10), MOST_ROWS_PER_ITERATION))
        return -(-rows // batch_size) * batch_size
    return n_rows


def rows_between_averages(parameters: Parameters, rule: Rule) -> int:
    """Rows of each replica between two averages."""
    return parameters.averaging_rows or INTERVALS_BETWEEN_AVERAGES * int(rule.interval)


def measurement_is_due(
    parameters: Parameters, n_rows: int, *, seconds: float, took: float, trained: int, measured: int
) -> bool:
    """Whether the model is to be measured after an iteration that is neither the first nor the last.

    It is by the clock, and in quick trainings, so that stopping_rounds can act there, by the rows trained on.

    Parameters
    ----------
    parameters : their score_interval, score_duty_cycle and stopping_rounds decide.
    n_rows : of an epoch.
    seconds, trained : since the last measurement, and rows trained on since.
    took, measured : its seconds, and its rows.
    """
    if parameters.score_each_iteration:
        return True
    if seconds > parameters.score_interval and took < parameters.score_duty_cycle * seconds:
        return True
    if parameters.stopping_rounds == 0 or took > SLOW_MEASUREMENT:
        return False
    is_affordable = measured <= parameters.score_duty_cycle * MEASURED_PER_TRAINED * trained
    return is_affordable and trained >= max(n_rows, LEAST_ROWS_PER_MEASUREMENT)
