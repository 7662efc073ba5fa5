"""Means of networks that were trained apart, array by array."""

from __future__ import annotations

import numpy as np

from .compiling import entry, span
from .lanes import choose, multiply_add
from .teams import meet

ZERO, ONE = np.float32(0), np.float32(1)


@entry
def meet_others(member):
    """Wait until all members of a team have come here as often as this one."""
    meet(member)


@entry
def move_towards(mean, values, share, begin, end):
    """Move numbers begin to end of a mean towards others: mean = mean + share (values - mean)."""
    first, last = span(begin, end)
    for k in range(first, last):
        mean[k] = multiply_add(share, values[k] - mean[k], mean[k])


@entry
def keep_most_in(out, other, begin, end):
    """Let a weight be in if it is in one of two networks: out = min(out, other)."""
    first, last = span(begin, end)
    for k in range(first, last):
        out[k] = min(out[k], other[k])


@entry
def collect(sums, others, counted, n_rows, begin, end):
    """Move the means of what the penalties know of each weight towards those of one more network.

    A network counts with its rows where the weight is in, or out, as in the mean: the sums of weights that are in are
    of other quantities than those of weights that are out.

    sums, others : `out`, `accumulated` and `rates_sum` of `h2olite.kernels.penalties.Screening`; `out` is final.
    counted : float32, the rows that count for each weight so far.
    n_rows : float32, rows of the one more network.
    """
    (out, accumulated, rates_sum), (other_out, other_accumulated, other_rates_sum) = sums, others
    first, last = span(begin, end)
    for k in range(first, last):
        rows = choose(other_out[k] == out[k], n_rows, ZERO)
        counted[k] += rows
        share = rows / max(counted[k], ONE)
        accumulated[k] = multiply_add(share, other_accumulated[k] - accumulated[k], accumulated[k])
        rates_sum[k] = multiply_add(share, other_rates_sum[k] - rates_sum[k], rates_sum[k])
