"""Copies of one network that train side by side, each on its own share of the rows, and are averaged now and then."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.averaging import meet_others
from h2olite.kernels.layout import State, Workspace
from h2olite.kernels.penalties import step_and_screen
from h2olite.kernels.rows import Objective
from h2olite.kernels.teams import GONE, Member
from h2olite.kernels.updates import Rule
from h2olite.network.network import Network

from .averaging import (
    ALONE,
    Elastic,
    Learning,
    average_stacks,
    fits,
    learning_of,
    pass_over,
    rule_of_copy,
    stacks_of,
    start,
)
from .source import Block
from .team import Team


class Stretch(NamedTuple):
    """Rows up to the next average.

    orders : the rows of each replica.
    n_rows : how many rows each will have had since the last common state.
    ends_round : whether the replicas go on from the average.
    """

    orders: list[np.ndarray]
    n_rows: list[int]
    ends_round: bool


class Replicas(Team):
    """Threads each of which trains copies of a network apart from the others.

    The mini-batches of all rows are dealt to the replicas in turn. After `averaging_rows` of each, their parameters and
    memories are averaged, and all go on from there. Between two such averages, `network` is the mean of the replicas as
    they are, which changes nothing in them. So the result does not depend on the size of blocks.

    Parameters
    ----------
    n_replicas : copies, divided among at most as many threads. The number of threads changes no bit.
    averaging_rows : rows of each replica between two averages, in whole mini-batches.
    elastic : if given, the replicas are pulled towards the mean instead of going on from it. It cannot be combined with
        penalties that make zeros: the center of weights that have become 0 is not 0.
    """

    def __init__(
        self,
        network: Network,
        rows: EncodedRows,
        n_threads: int,
        batch_size: int = 1,
        *,
        n_replicas: int,
        averaging_rows: int,
        elastic: Elastic | None = None,
    ) -> None:
        super().__init__(network, rows, n_threads, batch_size)
        self._n_replicas = n_replicas
        self._batches_each = max(-(-averaging_rows // self.batch_size), 1)
        n_members = min(n_threads, n_replicas)
        arrivals = np.zeros((n_members, 16), np.int64)
        alone = self._alone[0].member
        self._members = [alone._replace(place=k, n_members=n_members, arrivals=arrivals) for k in range(n_members)]
        self._stacks = stacks_of(network.state(), n_replicas)
        self._states: list[State] = []
        self._elastic, self._center = elastic, network.iterate
        self._common: Network | None = None  # the network that the replicas come from, if they need not start again
        self._n_batches, self._n_rows = 0, [0] * n_replicas  # since the replicas were equal

    def train(self, objective: Objective, rule: Rule, rows: EncodedRows, order: np.ndarray) -> None:
        """Train on these rows, in this order; the network is then the mean of the replicas."""
        self.check(objective, rows)
        if self._common is not self.network:
            self._start()
        network = self.network
        learning = Learning(network.layout, objective, rule, self.batch_size, self._alone[0])
        learnings = [learning_of(learning, replica, self._n_replicas) for replica in range(self._n_replicas)]
        stretches, mean, stacks = self._deal(order), network.state(self.screening), self._stacks
        self._members[0].arrivals[:] = 0  # of a training that failed
        together, elastic = threading.Barrier(len(self._members)), self._elastic

        def run(member: Member, work: Workspace) -> None:
            replicas = range(member.place, self._n_replicas, member.n_members)
            try:
                together.wait()
                for stretch in stretches:
                    for replica in replicas:
                        blocks = [Block(rows, stretch.orders[replica])]
                        own = learnings[replica]._replace(work=work)
                        self._states[replica] = pass_over(self._states[replica], blocks, own)
                    if elastic is None:
                        average_stacks(member, mean, stacks, stretch.n_rows, hands_out=stretch.ends_round)
                    else:
                        average_stacks(member, mean, stacks, stretch.n_rows, hands_out=False)
                        if member.place == 0:
                            elastic.move(self._center, mean.theta)
                            if stretch.ends_round:
                                self._center[:] = mean.theta
                        meet_others(member)
                        for replica in replicas if stretch.ends_round else ():
                            elastic.pull(self._states[replica], self._center, learnings[replica], self._batches_each)
            except BaseException:
                member.arrivals[member.place] = GONE  # or the others would wait for it
                raise

        self._common = None  # until all is well
        try:
            self._run(run, zip(self._members, self._alone, strict=False))
        except BaseException:
            together.abort()  # an interruption may have kept some members from being called
            raise
        self._common = network
        network.rows_seen += order.size
        network.n_updates += -(-order.size // self.batch_size)

    def call_others(self, objective: Objective, rule: Rule) -> None:
        """Call the kernels that average, for them to be compiled."""
        common = self.network.state(self.screening)
        state = start(common)
        average_stacks(ALONE, state, stacks_of(common, 1), [1], hands_out=False)
        if self._elastic is not None:
            meet_others(ALONE)
            learning = Learning(self.network.layout, objective, rule, self.batch_size, self._alone[0])
            self._elastic.pull(state, state.theta, learning, 0)

    def step_and_screen(self, rule: Rule, screened_rows: int) -> None:
        """Let the penalties that make zeros act for all updates, and screen the weights by the last rows, if any."""
        if self._common is not self.network:
            super().step_and_screen(rule, screened_rows)
            return
        layout, own_rule = self.network.layout, rule_of_copy(rule, self._n_replicas)
        for state in self._states:
            step_and_screen(layout, state, own_rule, 0)
        mean = self.network.state(self.screening)
        average_stacks(ALONE, mean, self._stacks, self._n_rows, hands_out=False)
        step_and_screen(layout, mean, own_rule, -(-screened_rows // self._n_replicas))
        self._common = None  # the replicas start again from what this has made

    def _start(self) -> None:
        """Let all replicas begin from the network."""
        common = self.network.state(self.screening)
        n = self._n_replicas
        if not fits(self._stacks, common):
            self._stacks = stacks_of(common, n)
        self._states = [start(common, n, self._stacks, replica) for replica in range(n)]
        self._center = common.theta.copy()
        self._n_batches, self._n_rows = 0, [0] * self._n_replicas

    def _deal(self, order: np.ndarray) -> list[Stretch]:
        """Divide rows into stretches, and each of these among the replicas, one mini-batch after the other."""
        n, size, stretches, begin = self._n_replicas, self.batch_size, [], 0
        while begin < order.size:
            left = self._batches_each * n - self._n_batches
            stretch = order[begin : begin + left * size]
            n_batches = -(-stretch.size // size)
            orders = [
                batches_of(stretch, (replica - self._n_batches) % n, n, size) for replica in range(self._n_replicas)
            ]
            n_rows = [before + own.size for before, own in zip(self._n_rows, orders, strict=True)]
            ends_round = n_batches == left
            stretches.append(Stretch(orders, n_rows, ends_round))
            self._n_batches = 0 if ends_round else self._n_batches + n_batches
            self._n_rows = [0] * n if ends_round else n_rows
            begin += stretch.size
        return stretches


def batches_of(order: np.ndarray, first: int, step: int, batch_size: int) -> np.ndarray:
    """The rows of the first-th mini-batch and every step-th after it; only the last one may be short."""
    n_whole = order.size // batch_size
    whole = order[: n_whole * batch_size].reshape(n_whole, batch_size)[first::step].ravel()
    is_last = n_whole % step == first % step and n_whole >= first
    rest = order[n_whole * batch_size :] if is_last else order[:0]
    return np.ascontiguousarray(np.concatenate([whole, rest]) if rest.size else whole)
