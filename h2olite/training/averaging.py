"""Training one network as several copies, each on its own rows, that are averaged: what does not depend on where.

A copy gets the common state (`start`), trains on some rows (`pass_over`), and its state is averaged with those of the
others (`average`). Copies may be threads of this process (`h2olite.training.replicas`), or workers elsewhere. These may
be lost, late, or answer twice: a `Round` tells which results count.

References: McDonald, Hall and Mann 2010 (averages of perceptrons, again and again); Stich 2019 (local SGD).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from h2olite.data.splits import random_stream
from h2olite.errors import TrainingError
from h2olite.kernels import averaging as kernels
from h2olite.kernels.layout import Layout, State, Workspace
from h2olite.kernels.penalties import Screening
from h2olite.kernels.rows import Objective, train_rows
from h2olite.kernels.updates import Rule
from h2olite.network.topology import aligned_zeros

from .source import Block


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
    """The update rule by the rows of one of several copies."""
    n = np.float32(n_copies)
    return rule._replace(annealing=rule.annealing * n, momentum_ramp=rule.momentum_ramp / n)


def start(state: State, n_copies: int = 1) -> State:
    """A state to train on apart from the common one.

    n_copies : among how many copies the rows seen so far were divided; a copy counts its own ones.
    """
    rows_seen = state.rows_seen // n_copies
    screening = state.screening
    if screening is not None:
        known = map(_copy, (screening.out, screening.accumulated, screening.rates_sum))
        screening = Screening(screening.columns, *known, np.array([rows_seen], np.int64), np.zeros(1, np.int64))
    arrays = map(_copy, (state.theta, state.mean, state.first, state.second, state.activity))
    return State(*arrays, screening, rows_seen)


def pass_over(state: State, source: Iterable[Block], learning: Learning) -> State:
    """Train on all blocks of a source: the same arrays, which have changed, and the rows seen by then."""
    layout, objective, rule, batch_size, work = learning
    narrow = layout.weights[layout.n_input_major]
    work = work._replace(outer=(state.theta[narrow:], state.first[narrow:], state.second[narrow:]))
    for rows, order in source:
        train_rows(layout, state, objective, rule, rows, order, batch_size, work)
        state = state._replace(rows_seen=state.rows_seen + order.size)
    return state


def average(states: Sequence[State], n_rows: Sequence[int]) -> State:
    """The mean of states in new arrays, weighted by the rows that each was trained on; states of 0 rows do not count.

    The rows seen are those of the first state.
    """
    mean = start(states[0])
    average_into(mean, states, n_rows, 0, mean.theta.size)
    average_activity(mean, states, n_rows)
    return mean


def average_into(mean: State, states: Sequence[State], n_rows: Sequence[int], begin: int, end: int) -> None:
    """Fill parameters begin to end of a state, and what is remembered of them, with the mean of states.

    With N_i the rows of the first i states, mean = mean + n_i / N_i (state_i - mean). So the mean of equal numbers is
    this number, to the last bit.
    """
    states, n_rows = _counting(states, n_rows)
    for k, of_mean in enumerate(_parameters(mean)):
        _average(of_mean, [_parameters(state)[k] for state in states], n_rows, begin, end)
    if mean.screening is not None:
        _average_screening(mean.screening, [state.screening for state in states], n_rows, begin, end)


def average_activity(mean: State, states: Sequence[State], n_rows: Sequence[int]) -> None:
    """The same for the running averages of the activations of units."""
    states, n_rows = _counting(states, n_rows)
    _average(mean.activity, [state.activity for state in states], n_rows, 0, mean.activity.size)


def hand_out(mean: State, states: Sequence[State], begin: int, end: int) -> None:
    """Fill parameters begin to end of states, and what is remembered of them, with those of the mean."""
    for state in states:
        for of_mean, own in zip(_parameters(mean), _parameters(state), strict=True):
            own[begin:end] = of_mean[begin:end]
        if mean.screening is not None:
            for known, own in zip(_known(mean.screening), _known(state.screening), strict=True):
                own[begin:end] = known[begin:end]


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
    state : what they start with.
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
        return Outcome(state._replace(rows_seen=self._state.rows_seen + sum(n_rows)), lost)


def _counting(states: Sequence[State], n_rows: Sequence[int]) -> tuple[Sequence[State], Sequence[int]]:
    """The states that have rows, and their rows; all alike if none has."""
    counting = [(state, n) for state, n in zip(states, n_rows, strict=True) if n]
    if not counting:
        return states, [1] * len(states)
    return [state for state, _ in counting], [n for _, n in counting]


def _parameters(state: State) -> tuple[np.ndarray, ...]:
    """The parameters and what is remembered of them; the running average is empty without averaging."""
    return state.theta, state.mean, state.first, state.second


def _known(screening: Screening) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the penalties know of each weight."""
    return screening.out, screening.accumulated, screening.rates_sum


def _average(mean: np.ndarray, arrays: Sequence[np.ndarray], n_rows: Sequence[int], begin: int, end: int) -> None:
    end = min(end, mean.size)
    if begin >= end:
        return
    mean[begin:end] = arrays[0][begin:end]
    total = n_rows[0]
    for values, n in zip(arrays[1:], n_rows[1:], strict=True):
        total += n
        kernels.move_towards(mean, values, np.float32(n / total), begin, end)


def _average_screening(
    mean: Screening, screenings: Sequence[Screening], n_rows: Sequence[int], begin: int, end: int
) -> None:
    """A weight is out if it is out everywhere; see `h2olite.kernels.averaging.collect` for the sums."""
    for known in _known(mean):
        known[begin:end] = 0
    mean.out[begin:end] = screenings[0].out[begin:end]
    for screening in screenings[1:]:
        kernels.keep_most_in(mean.out, screening.out, begin, end)
    counted = np.zeros_like(mean.out)
    for screening, n in zip(screenings, n_rows, strict=True):
        kernels.collect(_known(mean), _known(screening), counted, np.float32(n), begin, end)


def _copy(array: np.ndarray) -> np.ndarray:
    """A copy that starts where vector registers do."""
    copy = aligned_zeros(array.size)
    copy[:] = array
    return copy
