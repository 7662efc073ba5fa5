"""When the penalties that make zeros act: in proximal steps, and in screenings that decide which weights are 0."""

from __future__ import annotations

import math

import numpy as np

from h2olite.kernels.penalties import IN
from h2olite.kernels.updates import Rule
from h2olite.network.network import new_screening

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


class PenaltySchedule:
    """When l1 and input_group_l1 act on the network that a team trains.

    Parameters
    ----------
    team : trains the network, and lets the penalties act on it.
    rule : the update rule, with the strengths of the penalties.
    columns : int64, where the inputs of each predictor start, and the number of inputs.
    rows_per_epoch : rows that an epoch passes.

    Attributes
    ----------
    rule : the same, with the rows between two proximal steps.
    """

    def __init__(self, team: Team, rule: Rule, columns: np.ndarray, rows_per_epoch: int) -> None:
        self._team = team
        batch_size = team.batch_size
        self._rows_per_screening = min(rows_per_epoch, -(-ROWS_PER_SCREENING // batch_size) * batch_size)
        self.rule = rule._replace(proximal_interval=np.int64(self._rows_per_step(rule, columns)))
        self._screening = team.screening = new_screening(team.network, columns) if makes_zeros(rule) else None
        self._screened_at = team.network.rows_seen

    @property
    def is_active(self) -> bool:
        """Whether there are such penalties."""
        return self._screening is not None

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
        network = self._team.network
        rows = network.rows_seen - self._screened_at
        is_screening = 2 * rows >= self._rows_per_screening
        self._team.step_and_screen(self.rule, rows if is_screening else 0)
        if is_screening:
            self._screened_at = network.rows_seen
        # An average of weights that are mostly zero is never zero, but a weight that is zero now is meant to be; one
        # that is newly in does not count yet. Without averaging theta is the iterate, and such a weight begins at 0.
        assert self._screening is not None
        network.theta[self._screening.out > IN] = 0
