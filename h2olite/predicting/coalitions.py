"""What each input adds to a prediction: Shapley values, in double precision.

A coalition is a set of groups of inputs. Its value is the output of the network for the inputs of a row where they are
in the coalition, and those of a background row where they are not. The Shapley value of a group is the mean, over all
orders of the groups, of the change of the value when the group joins those before it. It is a weighted sum of the
values of coalitions: of all of them, or of those that random orders give.

References: Shapley 1953; Castro, Gomez and Tejada 2009 (random orders); Mitchell, Cooper, Frank and Holmes 2022 (each
order also in reverse).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .contributions import NUMBERS_AT_A_TIME, Explainer, Passed
from .double_precision import later_pre_activations, pre_activations


class Coalitions(NamedTuple):
    """Coalitions of groups, and the weight of their values in the contribution of each group.

    members : float64 (n_coalitions, n_groups), 1 where the coalition has the group.
    weights : float64 (n_groups, n_coalitions).
    """

    members: np.ndarray
    weights: np.ndarray

    @classmethod
    def all_of(cls, n_groups: int) -> Coalitions:
        """All coalitions, whose values give the Shapley values exactly."""
        members = (np.arange(2**n_groups)[:, None] >> np.arange(n_groups) & 1).astype(np.float64)
        of_size = np.array([1.0 / (n_groups * math.comb(n_groups - 1, size)) for size in range(n_groups)])
        sizes = members.sum(axis=1).astype(int)
        left = of_size[np.maximum(sizes - 1, 0)]  # when a group of the coalition joins those before it
        joined = of_size[np.minimum(sizes, n_groups - 1)]  # when another one joins the coalition
        return cls(members, np.where(members == 1, left[:, None], -joined[:, None]).T)

    @classmethod
    def of_orders(cls, n_groups: int, n_orders: int, random: np.random.Generator) -> Coalitions:
        """The coalitions of random orders and of their reverses, whose values give Shapley values on average."""
        n_steps = n_groups + 1
        members, weights = np.zeros((2 * n_orders, n_steps, n_groups)), np.zeros((n_groups, 2 * n_orders, n_steps))
        for k in range(n_orders):
            order = random.permutation(n_groups)
            for way, groups in ((2 * k, order), (2 * k + 1, order[::-1])):
                places = np.empty(n_groups, int)
                places[groups] = np.arange(n_groups)
                members[way] = places < np.arange(n_steps)[:, None]
                weights[groups, way, places[groups]] -= 1.0
                weights[groups, way, places[groups] + 1] += 1.0
        return cls(members.reshape(-1, n_groups), weights.reshape(n_groups, -1) / (2 * n_orders))


class ByCoalitions(Explainer):
    """Divides the differences of outputs by the values of coalitions.

    Parameters
    ----------
    coalitions : of the groups.
    given : what an `Explainer` takes.
    """

    def __init__(self, coalitions: Coalitions, **given: Any) -> None:
        super().__init__(**given)
        self._coalitions = coalitions
        others = self._background
        start = next(pre_activations(self._network, self._layers, self._objective, others.levels, others.numbers))
        self._start, self._shape = start.reshape(len(start), -1), start.shape[1:]
        self._parts = self._parts_of(others)

    def _divide(self, rows: Passed) -> np.ndarray:
        members, weights = self._coalitions
        n_rows, n_others, n_outputs = len(rows.outputs), len(self._start), self._head.shape[1]
        values = np.empty((n_rows, n_others, self._n_groups, n_outputs))
        size = max(NUMBERS_AT_A_TIME // (len(members) * self._start.shape[1]), 1)
        for row, parts in enumerate(self._parts_of(rows)):
            for first in range(0, n_others, size):
                others = slice(first, first + size)
                # The first pre-activations are linear, so that each group changes them by itself.
                linear = self._start[others, None] + members @ (parts - self._parts[others])
                values[row, others] = weights @ self._outputs(linear)
        return values

    def _outputs(self, linear: np.ndarray) -> np.ndarray:
        """The combined outputs by the first pre-activations, (..., n_channels * n_units) of the first layer."""
        last = linear.reshape(-1, *self._shape)
        for later in later_pre_activations(self._network, self._layers, self._objective, last):
            last = later
        return last[:, 0].reshape(*linear.shape[:-1], -1) @ self._head

    def _parts_of(self, rows: Passed) -> np.ndarray:
        """What each group adds to the first pre-activations, float64 (n_rows, n_groups, n_channels * n_units)."""
        first, n_levels = self._layers[0][0], self._n_levels
        parts = np.zeros((len(rows.levels), self._n_groups, first.shape[1]))
        if rows.numbers.shape[1]:
            groups = self._groups[n_levels:]
            starts = np.flatnonzero(np.diff(groups, prepend=-1))
            for row, numbers in enumerate(rows.numbers):
                parts[row, groups[starts]] = np.add.reduceat(numbers[:, None] * first[n_levels:], starts, axis=0)
        for levels in rows.levels.T:
            present = np.flatnonzero(levels >= 0)
            parts[present, self._groups[levels[present]]] += first[levels[present]]
        return parts
