"""When the penalties that make zeros act, and how strongly.

They act in proximal steps, and in screenings that decide which weights are 0. Weights of 0 are a local optimum of every
network with a hidden layer: where all weights into a layer are 0, those out of it have no gradient, and the other way
round. A network that meets a strong penalty at the start ends there, or loses columns that it never had time to learn.
Therefore the strength grows in a new training of such a network.

ADADELTA's steps are short where gradients are noisy: too short for weights to follow a penalty that grows. Therefore
its steps are longer at first. They are shorter at the end, so that the weights come to rest.

References: Lemhadri, Ruan, Abraham and Tibshirani 2021 (from dense to sparse); Loshchilov and Hutter 2017 (the cosine).
"""

from __future__ import annotations

import math

import numpy as np

from h2olite.kernels.penalties import IN
from h2olite.kernels.updates import Rule
from h2olite.kinds.update_rules import ADADELTA
from h2olite.network.network import new_screening
from h2olite.settings.parameters import Parameters

from .task import AVERAGING_INTERVAL
from .team import Team, makes_zeros

ROWS_PER_SCREENING = 4096
"""Rows by whose mean gradients weights are screened, but an epoch at the most: enough to tell a weight's own direction
from that of single rows."""

LEAST_ROWS_PER_STEP, MOST_ROWS_PER_STEP = 32, 256
"""Rows between two proximal steps, but for `WORK_OF_STEP`. More would take too much from weights worth keeping; fewer
take time."""

MOST_SHRINKAGE = 8.0
"""About how much a step may take, at a rate of 1, from the norm of a column or from a weight, in updates by single
rows; a step of the least rows may take more."""

WORK_OF_STEP = 16
"""Updates that take about 20 times as long as a step on as many weights. In networks with thousands of levels, steps
are on many more weights than updates are, and must be rare."""

SAFE_L1, SAFE_GROUP = 2e-4, 1e-3
"""Strength of l1 and of input_group_l1 that a network takes from the start, and where the strength begins to grow. With
1e-3, networks under an l1 of 1e-3 and 3e-3 end up to a third further from the optimum."""

GROWTH = 0.35
"""Share of a training in which the strength grows, linearly. With 0.5 and 40 epochs, networks end further from the
optimum."""

FIRST_L1_PACE, FIRST_GROUP_PACE, LAST_PACE = 8.0, 4.0, 0.1
"""How many of its steps a weight takes at once: at the start under l1 and under input_group_l1, and at the end. With a
first pace of 4, networks under l1 end further from the optimum; with 12, some of them. With a first pace of 8,
input_group_l1 removes columns that are worth keeping."""

PACED = 1e-3
"""Strength, l1 and input_group_l1 together, from which the pace is as above. With weaker ones it is nearer to 1."""

LEAST_PLANNED_EPOCHS, LEAST_PLANNED_ROWS = 10, 1_000_000
"""For how long a training is planned at the least, whichever is more, if it may stop before its epochs are over."""


def rows_planned(parameters: Parameters, rows_per_epoch: int) -> float:
    """Rows in which a new training takes penalties that make zeros from weak to strong; 0 where it does not.

    They are all rows of its epochs if nothing may end it before. Without hidden layers there is only one optimum, and
    nothing to plan. A training that goes on from a checkpoint has learnt what the columns are worth, unless that was a
    new training that was interrupted: it then goes on as planned.
    """
    checkpoint = parameters.checkpoint
    is_new = checkpoint is None or (
        checkpoint.record.stopped_by == "interrupted" and not checkpoint.parameters.checkpoint
    )
    if not (parameters.hidden and is_new):
        return 0.0
    rows = parameters.epochs * rows_per_epoch
    if parameters.stopping_rounds:
        rows = min(rows, max(LEAST_PLANNED_EPOCHS * rows_per_epoch, LEAST_PLANNED_ROWS))
    return rows


class PenaltySchedule:
    """When l1 and input_group_l1 act on the network that a team trains.

    Parameters
    ----------
    team : trains the network, and lets the penalties act on it.
    rule : the update rule, with the strengths of the penalties.
    columns : int64, where the inputs of each predictor start, and the number of inputs.
    rows_per_epoch : rows that an epoch passes.
    planned : rows in which the penalties grow and the steps shorten (see `rows_planned`); 0 if they do not.

    Attributes
    ----------
    rule : the same as it is at present, with the rows between two proximal steps.
    is_growing : whether the penalties are weaker than asked for.
    is_settling : whether they have grown or still grow, and the steps still shorten.
    """

    def __init__(self, team: Team, rule: Rule, columns: np.ndarray, rows_per_epoch: int, planned: float) -> None:
        self._team = team
        batch_size = team.batch_size
        self._rows_per_screening = min(rows_per_epoch, -(-ROWS_PER_SCREENING // batch_size) * batch_size)
        self._full = self.rule = rule._replace(proximal_interval=np.int64(self._rows_per_step(rule, columns)))
        self._planned = planned if makes_zeros(rule) else 0.0
        self._root_of_units = math.sqrt(math.prod(team.network.weights(0).shape[1:]))
        self.is_growing = self.is_settling = False
        self.proceed(0.0)
        team.screening = new_screening(team.network, columns) if makes_zeros(rule) else None
        self._screened_at = team.network.rows_seen

    @property
    def is_active(self) -> bool:
        """Whether there are such penalties."""
        return self._team.screening is not None

    def proceed(self, share_of_time: float) -> None:
        """Set the strength and the pace of what comes next, by the rows seen, or by the time that is limited and spent.

        With s the strength asked for, a the safe one and t the share of the plan that is done, the strength is
        min(s, a + (s - a) t / GROWTH). The pace falls from the first to the last as half a cosine. With s below
        PACED, it differs from 1 only by the share s / PACED of that: a very weak penalty changes little.
        """
        if not self._planned:
            return
        full = self._full
        done = min(max(self._team.network.rows_seen / self._planned, share_of_time), 1.0)
        l1, group = float(full.l1), float(full.input_group_l1) * self._root_of_units
        strength = l1 + group
        safe = (l1 * SAFE_L1 + group * SAFE_GROUP) / strength
        start = min(safe / strength, 1.0)
        grown = min(start + (1 - start) * done / GROWTH, 1.0)
        self.is_growing = grown < 1.0
        self.is_settling = start < 1.0 and done < 1.0
        pace = 1.0
        if full.kind == ADADELTA:
            first = (l1 * FIRST_L1_PACE + group * FIRST_GROUP_PACE) / strength
            falling = LAST_PACE + (first - LAST_PACE) * (1 + math.cos(math.pi * done)) / 2
            pace += min(strength / PACED, 1.0) * (falling - 1.0)
        self.rule = full._replace(
            l1=np.float32(full.l1 * grown),
            input_group_l1=np.float32(full.input_group_l1 * grown),
            pace=np.float32(pace),
        )

    def _rows_per_step(self, rule: Rule, columns: np.ndarray) -> int:
        """Rows between two proximal steps, in whole mini-batches; 0 without penalties."""
        largest = int(np.diff(columns).max(initial=0)) * math.prod(self._team.network.weights(0).shape[1:])
        strength = max(float(rule.l1), float(rule.input_group_l1) * math.sqrt(largest))
        if strength == 0:
            return 0
        wanted = min(max(MOST_SHRINKAGE / strength, LEAST_ROWS_PER_STEP), MOST_ROWS_PER_STEP)
        rows = int(max(wanted, WORK_OF_STEP * int(rule.interval) / AVERAGING_INTERVAL))
        batch_size = self._team.batch_size
        return min(-(-rows // batch_size) * batch_size, self._rows_per_screening)

    def next_screening(self, end: int) -> int:
        """Rows seen at the next screening, stretched or shortened so that no small rest is left before `end`.

        It must not depend on the blocks, whose sizes depend on the clock.
        """
        if not self.is_active or end - self._team.network.rows_seen < 1.5 * self._rows_per_screening:
            return end
        return self._screened_at + self._rows_per_screening

    def screening_is_due(self) -> bool:
        """Whether enough rows have been seen since the last screening."""
        rows = self._team.network.rows_seen - self._screened_at
        return self.is_active and rows >= self._rows_per_screening

    def act(self) -> None:
        """Take a proximal step for all rows so far; screen the weights if there were at least half of the rows."""
        network, screening = self._team.network, self._team.screening
        assert screening is not None
        rows = network.rows_seen - self._screened_at
        is_screening = 2 * rows >= self._rows_per_screening
        self._team.step_and_screen(self.rule, rows if is_screening else 0)
        if is_screening:
            self._screened_at = network.rows_seen
        # An average of weights that are mostly zero is never zero, but a weight that is zero now is meant to be; one
        # that is newly in does not count yet. Without averaging theta is the iterate, and such a weight begins at 0.
        network.theta[screening.out > IN] = 0
