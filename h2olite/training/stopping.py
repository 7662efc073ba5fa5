"""When training ends early: good enough, or no longer getting better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from h2olite.parameters import Parameters

MORE_IS_BETTER = frozenset({"AUC", "AUCPR", "lift_top_group", "custom_increasing"})
"""Stopping metrics that are to grow; all others are to shrink."""

UNBOUNDED = frozenset({"deviance", "lift_top_group", "custom", "custom_increasing"})
"""Stopping metrics for which 0 is not the end of the scale."""

Reason = Literal["classification_stop", "regression_stop", "stopping_rounds"]


def reason_to_stop(
    parameters: Parameters, values: Sequence[float], *, metric: str, error: float | None, mse: float
) -> Reason | None:
    """The name of the parameter that ends training after a scoring, or None to go on.

    Parameters
    ----------
    parameters : its classification_stop, regression_stop, stopping_rounds and stopping_tolerance decide.
    values : the stopping metric at every scoring so far, oldest first; NaN where it was not measured.
    metric : the stopping metric, resolved: not ``"AUTO"``.
    error : share of rows predicted wrongly, of the validation rows if there are any, as for the stopping metric; None
        when the response is no class.
    mse : mean squared error of the same rows; matters only without classes.
    """
    if error is not None and error <= parameters.classification_stop:
        return "classification_stop"
    if error is None and mse <= parameters.regression_stop:
        return "regression_stop"
    if has_converged(values, metric=metric, rounds=parameters.stopping_rounds, tolerance=parameters.stopping_tolerance):
        return "stopping_rounds"
    return None


def idle_rounds(parameters: Parameters, values: Sequence[float], n_iterations: int) -> list[str]:
    """A sentence on stopping_rounds that could not act, though measuring every iteration they could have by half-time.

    values : the stopping metric at every scoring; NaN where it was not measured.
    """
    n_measured = sum(map(math.isfinite, values))
    if not n_measured < 2 * parameters.stopping_rounds <= n_iterations // 2:
        return []
    return [
        f"stopping_rounds {parameters.stopping_rounds} could not act: the model was measured {n_measured} times in "
        f"{n_iterations} iterations, as measuring takes time; pass score_each_iteration to stop as soon as it gets no "
        "better."
    ]


def has_converged(values: Sequence[float], *, metric: str, rounds: int, tolerance: float) -> bool:
    """Whether the moving average of a metric has stopped improving.

    Of the last 2 k values (k = `rounds`) the means of all k + 1 runs of k values are taken. The metric has converged
    when none of the later means is better than the first by more than tolerance * abs(first mean), or when the first is
    0 and cannot get lower. It has not when one of the means is not finite, when they differ in sign (0 has one of its
    own), or when there are fewer than 2 k + 1 values.

    Parameters
    ----------
    values : the metric at every scoring so far, oldest first.
    metric : its name, which tells whether more is better and whether 0 is the least it can be.
    rounds : scorings to average over; 0 never converges.
    tolerance : relative improvement that counts as one.
    """
    if rounds == 0 or len(values) < 2 * rounds + 1:
        return False
    recent = values[-2 * rounds :]
    means = [sum(recent[start : start + rounds]) / rounds for start in range(rounds + 1)]
    first, *later = means
    if not all(map(math.isfinite, means)):
        return False
    if first == 0 and metric not in UNBOUNDED:
        return True
    if len({(mean > 0) - (mean < 0) for mean in means}) > 1:
        return False
    gain = max(later) - first if metric in MORE_IS_BETTER else first - min(later)
    return gain <= tolerance * abs(first)
