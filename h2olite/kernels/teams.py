"""Teams of threads that pass the same rows through one network. Each thread owns weights that no other thread uses.

The weights of a layer are divided: a member of the team owns the weights out of some inputs of the layer. The output of
the layer is the sum of the contributions of the members. Threads exchange only these sums and the gradients at hidden
units, a few hundred numbers for each row. Weights stay in the cache of the core that changes them.

The number of parts of a sum depends on the network alone, and one thread may compute several parts. Therefore any
number of threads gives the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .atomics import give_way, load_acquire, store_release
from .compiling import kernel, span

PATIENCE = 4096
"""Looks at a slower thread's arrival, some microseconds, before the core is offered to others."""

GONE = np.int64(2**62)
"""The arrivals of a member that will not come: others stop waiting for it."""


class Member(NamedTuple):
    """One thread's place in its team.

    place, n_members : which one of how many.
    first_part, last_part, n_parts : the parts of the weights that are its own, from the first to the one before the
        last, and how many there are. Sums are of parts, so that they do not depend on the number of threads.
    bounds : int64 (n_layers, n_parts + 1), where the parts of each layer's inputs start, and where the last one ends:
        of the first layer the numeric inputs, of others the padded units, divided into whole registers.
    level_bounds : int64 (n_parts + 1,), the same of categorical inputs.
    arrivals : int64 (n_members, 16), how often each has arrived at a meeting; a row is more than a cache line.
    exchange : float32 (2, n_parts, n), what is told to the others; used in turns, so that one half can be read while
        the other is written.
    """

    place: int
    n_members: int
    first_part: int
    last_part: int
    n_parts: int
    bounds: np.ndarray
    level_bounds: np.ndarray
    arrivals: np.ndarray
    exchange: np.ndarray


@kernel
def meet(member):
    """Wait until all members have come here as often as this one; what they wrote before can then be read."""
    arrivals = member.arrivals
    meeting = arrivals[member.place, 0] + 1
    store_release(arrivals, member.place, meeting)
    for other in range(member.n_members):
        looks = 0
        while load_acquire(arrivals, other) < meeting:
            looks += 1
            if looks > PATIENCE:
                give_way()


@kernel
def give(member, slot, z):
    """Put z where the others find it after the next meeting."""
    turn = (member.arrivals[member.place, 0] + 1) % 2
    n_rows, width = z.shape
    for r in range(n_rows):
        zero, whole = span(0, width)
        row = np.uint64(r * width)
        for u in range(zero, whole):
            member.exchange[turn, slot, row + u] = z[r, u]


@kernel
def add_up(member, z, n_slots, begin, end, period):
    """Meet, and fill z with the sum of what was given, in columns begin to end of every period of columns."""
    exchange = member.exchange
    turn = (member.arrivals[member.place, 0] + 1) % 2
    n_rows, width = z.shape
    meet(member)
    for r in range(n_rows):
        row = np.uint64(r * width)
        for channel in range(0, width, period):
            first, last = span(channel + begin, channel + end)
            for u in range(first, last):
                z[r, u] = exchange[turn, 0, row + u]
            for slot in range(1, n_slots):
                for u in range(first, last):
                    z[r, u] += exchange[turn, slot, row + u]


@kernel
def gather(member, z, begin, end, period):
    """Meet, and complete z, of which each member has columns begin to end of every period of columns."""
    exchange = member.exchange
    turn = (member.arrivals[member.place, 0] + 1) % 2
    n_rows, width = z.shape
    for r in range(n_rows):
        for start in range(r * width, (r + 1) * width, period):
            first, last = span(start + begin, start + end)
            row, offset = np.uint64(r), np.uint64(r * width)
            for i in range(first, last):
                exchange[turn, 0, i] = z[row, i - offset]
    meet(member)
    for r in range(n_rows):
        for start in range(r * width, (r + 1) * width, period):
            row, offset = np.uint64(r), np.uint64(r * width)
            for first, last in (span(start, start + begin), span(start + end, start + period)):
                for i in range(first, last):
                    z[row, i - offset] = exchange[turn, 0, i]
