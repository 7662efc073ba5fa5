"""The rows of one of several replicas, wherever it is, and how many of them it trains on in a round."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.data.splits import RowOrder, divide_relative, random_stream
from h2olite.kernels.layout import State
from h2olite.network.topology import workspace

from .averaging import Learning, Result, learning_of, pass_over, start
from .source import Block


class EncodedPart(NamedTuple):
    """The rows of a part of a table that can be trained on.

    rows : encoded, without weights.
    weights : float64 (n_rows,), row weights as they are given; (0,) for 1 each.
    """

    rows: EncodedRows
    weights: np.ndarray


class Step(NamedTuple):
    """What a replica is to do in a round.

    replica, n_replicas : which one it is, and of how many.
    number : of the round.
    taken, n_rows : rows that it has taken since its order began, and rows to take now.
    alike : whether the weights of rows do not count yet.
    """

    replica: int
    n_replicas: int
    number: int
    taken: int
    n_rows: int
    alike: bool


class Shard:
    """The rows of a replica, in an order that only the seed, the replica and the rows taken so far decide.

    Parameters
    ----------
    parts : whose rows they are; at least one.
    mean_weight : the mean weight of the rows of all replicas; None if all rows count alike.
    shuffle, seed : see `h2olite.data.splits.RowOrder`.
    replica : which one it is.
    """

    def __init__(
        self, parts: Sequence[EncodedPart], mean_weight: float | None, *, shuffle: bool, seed: int, replica: int
    ) -> None:
        joined = (np.concatenate(arrays) for arrays in zip(*(part.rows for part in parts), strict=True))
        self._plain = EncodedRows(*joined)
        self.n_rows = len(self._plain.levels)
        seed = int(random_stream(seed, "replica", replica).integers(2**63 - 1))
        self._order, self._weighted = RowOrder(self.n_rows, shuffle, seed), None
        self._rows, self.passes = self._plain, float(self.n_rows)
        if mean_weight is not None:
            passes, factors = divide_relative(np.concatenate([part.weights for part in parts]) / mean_weight)
            self._rows = self._plain._replace(weights=factors)
            self._weighted = RowOrder(self.n_rows, shuffle, seed, passes)
            self.passes = float(passes.sum())
        self._lock = threading.Lock()

    def take(self, step: Step) -> Block:
        """The rows of a step."""
        is_plain = step.alike or self._weighted is None
        with self._lock:  # a step may be done twice at the same time, if its worker was thought to be lost
            order = self._order if is_plain else self._weighted
            assert order is not None
            order.taken = step.taken
            rows = order.take(step.n_rows)
        return Block(self._plain if is_plain else self._rows, rows)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


def train_shard(shard: Shard, state: State, learning: Learning, step: Step) -> Result:
    """Let a replica train on its next rows, from the common state."""
    state, learning = own_arrays(state), own_arrays(learning)
    block = shard.take(step)
    shape = block.rows.levels.shape[1], block.rows.numbers.shape[1]
    work = workspace(learning.layout, *shape, max(learning.batch_size, 32))
    own = learning_of(learning._replace(work=work), step.replica, step.n_replicas)
    trained = pass_over(start(state, step.n_replicas), [block], own)
    return Result(step.replica, step.number, block.order.size, trained)


def own_arrays(value: Any) -> Any:
    """Copies of all arrays in nested named tuples: what comes from another process may be read-only."""
    if isinstance(value, np.ndarray):
        return np.array(value, order="C")
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(own_arrays, value))
    return value


def deal(parts: Sequence[int], n_shards: int) -> list[list[int]]:
    """Divide parts of a table, in order, into shards with about the same number of rows.

    Parameters
    ----------
    parts : the rows of each part; at least n_shards of them have some.

    Returns
    -------
    shards : the indices of the parts of each; empty parts are in none.
    """
    present = [part for part, n_rows in enumerate(parts) if n_rows]
    shards: list[list[int]] = []
    left, place = sum(parts), 0
    for shard in range(n_shards):
        n_left = n_shards - shard
        last = len(present) - (n_left - 1)  # at least one is left for each of those that follow
        own, n_rows = [present[place]], parts[present[place]]
        place += 1
        while place < last and (n_left == 1 or n_rows + parts[present[place]] / 2 <= left / n_left):
            own.append(present[place])
            n_rows += parts[present[place]]
            place += 1
        left -= n_rows
        shards.append(own)
    return shards


class Dealer:
    """Divides rows to train on among shards, in proportion to their sizes, for ever as exactly as whole rows allow."""

    def __init__(self, sizes: Sequence[float]) -> None:
        self._shares = np.array(sizes, np.float64) / sum(sizes)
        self._due = np.zeros(len(sizes))

    def deal(self, n_rows: int) -> list[int]:
        """How many of the next rows each shard takes."""
        self._due += n_rows * self._shares
        dealt = np.floor(self._due).astype(np.int64)
        dealt[dealt < 0] = 0
        rest = n_rows - int(dealt.sum())
        order = np.argsort(dealt - self._due, kind="stable")
        dealt[order[:rest]] += 1
        self._due -= dealt
        return [int(count) for count in dealt]
