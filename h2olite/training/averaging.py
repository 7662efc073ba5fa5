"""Training one network as several copies, each on its own rows, that are averaged: what does not depend on where.

A copy gets the common state (`start`), trains on some rows (`pass_over`), and its state is averaged with those of the
others (`average`). Copies may be threads of this process (`h2olite.training.replicas`), or workers elsewhere. These may
be lost, late, or answer twice: a `Round` tells which results count.

References: McDonald, Hall and Mann 2010 (averages of perceptrons, again and again); Stich 2019 (local SGD).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from h2olite.data.splits import random_stream
from h2olite.errors import TrainingError
from h2olite.kernels import averaging as kernels
from h2olite.kernels.lanes import LANES
from h2olite.kernels.layout import Layout, State, Workspace
from h2olite.kernels.penalties import Screening
from h2olite.kernels.rows import Objective, train_rows
from h2olite.kernels.teams import Member
from h2olite.kernels.updates import Rule
from h2olite.network.topology import aligned_zeros

from .source import Block

_NOWHERE = np.empty(0, np.int64)

ALONE = Member(
    place=0,
    n_members=1,
    first_part=0,
    last_part=1,
    n_parts=1,
    bounds=_NOWHERE.reshape(0, 0),
    level_bounds=_NOWHERE,
    arrivals=np.zeros((1, LANES), np.int64),
    exchange=np.empty((2, 1, 0), np.float32),
)
"""The only member of a team, for averages by one thread."""

MOST_PACE = 16
"""How many times as long the steps of a copy are at the most; otherwise as many times as there are copies.

The mean of n copies moves as far as one of them, with an n-th of the noise. With steps n times as long, all rows
together move it as far, and as noisily, as they would move a single network. With 32 copies and steps 32 times as long,
training on small tables goes astray.

References: Goyal et al. 2017 (the same for mini-batches).
"""

MOST_STEPS = 4
"""How many times as often penalties that make zeros act on a copy at the most, by its own rows. Longer steps need it,
and so does the screening: it looks at what several steps did. A step at every eighth row takes a tenth of the time.
"""


class Learning(NamedTuple):
    """How a copy learns: what `h2olite.kernels.rows.train_rows` is called with besides its state and its rows."""

    layout: Layout
    objective: Objective
    rule: Rule
    batch_size: int
    work: Workspace


def learning_of(learning: Learning, copy: int, n_copies: int) -> Learning:
    """How one of several copies learns.

    A copy counts its own rows only. What depends on the number of rows seen must go n_copies times as fast by them.
    Dropout has random numbers of its own in every copy; the first has those of the network.
    """
    objective, rule = learning.objective, learning.rule
    seed = objective.seed
    if copy:
        seed = np.uint64(random_stream(int(seed), "copies", copy).integers(2**63 - 1))
    return learning._replace(objective=objective._replace(seed=seed), rule=rule_of_copy(rule, n_copies))


def rule_of_copy(rule: Rule, n_copies: int) -> Rule:
    """The update rule by the rows of one of several copies: its steps are longer, see `MOST_PACE`."""
    n = np.float32(n_copies)
    return rule._replace(
        annealing=rule.annealing * n,
        momentum_ramp=rule.momentum_ramp / n,
        schedule_start=rule.schedule_start / n_copies,
        schedule_rows=rule.schedule_rows / n_copies,
        pace=rule.pace * np.float32(min(n_copies, MOST_PACE)),
        proximal_interval=-(-rule.proximal_interval // min(n_copies, MOST_STEPS)),
    )


class Arrays(NamedTuple):
    """The arrays of one or more states; two groups, as `h2olite.kernels.averaging.average_states` takes them.

    learnt : the parameters, their running average, the two memories of the update rule, and the activities of units.
    known : `out`, `accumulated` and `rates_sum` of the penalties that make zeros.
    """

    learnt: tuple[np.ndarray, ...]
    known: tuple[np.ndarray, ...]


def arrays_of(state: State) -> Arrays:
    """The arrays of a state; what there is not, without an element."""
    screening, nothing = state.screening, np.empty(0, np.float32)
    return Arrays(
        (state.theta, state.mean, state.first, state.second, state.activity),
        (nothing,) * 3 if screening is None else (screening.out, screening.accumulated, screening.rates_sum),
    )


def stacks_of(state: State, n_copies: int) -> Arrays:
    """Room for copies of a state, one in each row of the arrays."""
    learnt, known = (
        tuple(aligned_zeros(n_copies * array.size).reshape(n_copies, array.size) for array in group)
        for group in arrays_of(state)
    )
    return Arrays(learnt, known)


def fits(stacks: Arrays, state: State) -> bool:
    """Whether copies of a state have room there."""
    pairs = zip(itertools.chain(*stacks), itertools.chain(*arrays_of(state)), strict=True)
    return all(stack.shape[1] == array.size for stack, array in pairs)


def start(state: State, n_copies: int = 1, room: Arrays | None = None, row: int = 0) -> State:
    """A copy of a state to train on apart from it.

    Parameters
    ----------
    state : the common one.
    n_copies : among how many copies the rows and updates so far were divided; a copy counts its own ones.
    room, row : where the copy is to be, and in which row; new arrays if not given.
    """
    room = stacks_of(state, 1) if room is None else room
    learnt, known = (tuple(stack[row] for stack in group) for group in room)
    for own, common in zip((*learnt, *known), itertools.chain(*arrays_of(state)), strict=True):
        own[:] = common
    rows_seen, n_updates, screening = state.rows_seen // n_copies, state.n_updates // n_copies, state.screening
    if screening is not None:
        out, accumulated, rates_sum = known
        last_step, none = np.array([rows_seen], np.int64), np.zeros(1, np.int64)
        screening = Screening(screening.columns, out, accumulated, rates_sum, last_step, none)
    theta, mean, first, second, activity = learnt
    return State(theta, mean, first, second, activity, screening, rows_seen, n_updates)


def pass_over(state: State, source: Iterable[Block], learning: Learning) -> State:
    """Train on all blocks of a source: the same arrays, which have changed, and the rows seen by then."""
    layout, objective, rule, batch_size, work = learning
    narrow = layout.weights[layout.n_input_major]
    work = work._replace(outer=(state.theta[narrow:], state.first[narrow:], state.second[narrow:]))
    for rows, order in source:
        train_rows(layout, state, objective, rule, rows, order, batch_size, work)
        n_updates = state.n_updates - (-order.size // batch_size)
        state = state._replace(rows_seen=state.rows_seen + order.size, n_updates=n_updates)
    return state


def average(states: Sequence[State], n_rows: Sequence[int]) -> State:
    """The mean of states in new arrays, weighted by the rows that each was trained on; states of 0 rows do not count.

    The rows seen are those of the first state.
    """
    mean = start(states[0])
    stacks = stacks_of(mean, len(states))
    for row, state in enumerate(states):
        start(state, room=stacks, row=row)
    average_stacks(ALONE, mean, stacks, n_rows, hands_out=False)
    return mean


def average_stacks(member: Member, mean: State, stacks: Arrays, n_rows: Sequence[int], *, hands_out: bool) -> None:
    """Fill a state with the mean of copies, as far as it is a member's part, once all members of a team have come here.

    n_rows : of each copy, those of 0 do not count; if all are 0, all count alike.
    hands_out : whether the copies are filled with the mean.
    """
    scratch = np.empty(kernels.PIECE, np.float32)
    counts = np.array(n_rows if any(n_rows) else [1] * len(n_rows), np.float32)
    kernels.average_states(member, tuple(arrays_of(mean)), tuple(stacks), counts, scratch, hands_out)


class Elastic(NamedTuple):
    """Elastic averaging: copies keep their own parameters, and are pulled towards a center, which follows their mean.

    moving_rate : how far the center moves towards the mean at every average, 1 for all of the way.
    strength : of the pull: of the penalty strength / 2 * (w - center)^2 in the mean loss.

    References: Zhang, Choromanska and LeCun 2015.
    """

    moving_rate: np.float32
    strength: np.float32

    def move(self, center: np.ndarray, mean: np.ndarray) -> None:
        """Put the center as it is after this average in the place of the mean."""
        mean -= center
        mean *= self.moving_rate
        mean += center

    def pull(self, state: State, center: np.ndarray, learning: Learning, n_updates: int) -> None:
        """Pull a copy towards the center for so many updates."""
        kernels.pull_together(learning.layout, state, center, learning.rule, np.float32(n_updates), self.strength)


class Result(NamedTuple):
    """What a worker makes of its rows in a round."""

    worker: int
    round: int
    n_rows: int
    state: State


class Outcome(NamedTuple):
    """The end of a round.

    state : the mean of the results, with the rows seen by all.
    lost : the rows of each worker that did not answer; the state has not learnt from them.
    """

    state: State
    lost: dict[int, int]


class Round:
    """One round of training by workers that may be lost, late, or answer twice.

    Parameters
    ----------
    number : of the round; the state that workers start with must be sent with it.
    state : what they start with, each with `start(state, number of workers)`.
    n_rows : the rows that each worker was given, by worker.
    """

    def __init__(self, number: int, state: State, n_rows: Mapping[int, int]) -> None:
        self.number = number
        self._state, self._n_rows = state, dict(n_rows)
        self._results: dict[int, Result] = {}

    @property
    def missing(self) -> list[int]:
        """Workers that have not answered."""
        return [worker for worker in self._n_rows if worker not in self._results]

    def accept(self, result: Result) -> str | None:
        """Take a result; or say why it does not count."""
        if result.round != self.number:
            return f"worker {result.worker}: a result of round {result.round} came in round {self.number}"
        if result.worker not in self._n_rows:
            return f"worker {result.worker}: it has no rows in round {self.number}"
        if result.worker in self._results:
            return f"worker {result.worker}: a second result of round {self.number} came"
        if not 0 < result.n_rows <= self._n_rows[result.worker]:
            given = self._n_rows[result.worker]
            return f"worker {result.worker}: it was given {given} rows, and says that it trained on {result.n_rows}"
        if result.state.theta.shape != self._state.theta.shape or not np.isfinite(result.state.theta).all():
            return f"worker {result.worker}: its weights are not finite, or those of another network"
        self._results[result.worker] = result
        return None

    def close(self) -> Outcome:
        """End the round with the results that came; the order in which they came changes no bit.

        Raises
        ------
        TrainingError : there is no result.
        """
        if not self._results:
            raise TrainingError(
                f"none of {len(self._n_rows)} workers answered in round {self.number}; start them again, and train on "
                "from a checkpoint."
            )
        results = [self._results[worker] for worker in sorted(self._results)]
        n_rows = [result.n_rows for result in results]
        state = average([result.state for result in results], n_rows)
        lost = {worker: self._n_rows[worker] for worker in self.missing}
        n_updates = sum(result.state.n_updates - self._state.n_updates // len(self._n_rows) for result in results)
        rows_seen, n_updates = self._state.rows_seen + sum(n_rows), self._state.n_updates + n_updates
        return Outcome(state._replace(rows_seen=rows_seen, n_updates=n_updates), lost)
