"""Which layers a network has and where they lie in the flat arrays of the kernels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from h2olite.errors import ParameterError
from h2olite.kernels.lanes import LANES
from h2olite.kernels.layout import NARROW, PAGE, Layout, Workspace
from h2olite.kernels.passes import GROUP
from h2olite.kernels.teams import Member

MOST_PARAMETERS = 100_000_000
"""Weights and biases that a network may have, as in H2O."""


def lay_out(sizes: Sequence[int], *, n_channels: int = 1) -> Layout:
    """The layout of a network with these units per layer, from the inputs to the outputs.

    Every unit of a hidden layer has n_channels pre-activations.

    Raises
    ------
    ParameterError
        There would be more than MOST_PARAMETERS weights and biases.
    """
    # Python's integers, since wanted sizes may be too large to multiply as int64
    channels = [*([n_channels] * (len(sizes) - 2)), 1]
    total = sum((below + 1) * n * above for below, n, above in zip(sizes, channels, sizes[1:], strict=False))
    if total > MOST_PARAMETERS:
        raise ParameterError(
            f"the network must have at most {MOST_PARAMETERS:,} weights and biases; got {total:,} with layers of "
            f"{'-'.join(map(str, sizes))} units; choose smaller hidden layers or max_categorical_features."
        )
    units = np.array(sizes, np.int64)
    padded = -(-units // LANES) * LANES
    widths = padded[1:].copy()
    widths[:-1] *= n_channels
    lengths = (units[:-1] + 1) * widths
    is_narrow = len(sizes) > 2 and int(sizes[-1]) <= NARROW  # levels look up rows of the first matrix
    if is_narrow:
        lengths[-1] = units[-1] * padded[-2] + widths[-1]
    return Layout(
        sizes=units,
        padded=padded,
        widths=widths,
        weights=_starts(lengths),
        units=_starts(np.concatenate(([0], padded[1:]))),
        slopes=_starts(widths),
        n_input_major=len(channels) - is_narrow,
    )


def first_layers(layout: Layout, n_layers: int) -> Layout:
    """The layout of a network that ends after the first layers of weights, in the same flat arrays."""
    return Layout(
        sizes=layout.sizes[: n_layers + 1],
        padded=layout.padded[: n_layers + 1],
        widths=layout.widths[:n_layers],
        weights=layout.weights[: n_layers + 1],
        units=layout.units[: n_layers + 2],
        slopes=layout.slopes[: n_layers + 1],
        n_input_major=min(layout.n_input_major, n_layers),
    )


def workspace(layout: Layout, n_categorical: int, n_numeric: int, capacity: int) -> Workspace:
    """Scratch memory for one thread that passes mini-batches of up to ``capacity`` rows through the network, alone."""
    n_levels = int(layout.sizes[0]) - n_numeric
    widest = int(layout.widths.max())
    at_a_time = max(int(GROUP), NARROW)
    listed = max(int(layout.sizes.max()), at_a_time)
    (alone,) = members_of_team(layout, [0, n_levels], exchange_of(layout, 1, capacity))
    return Workspace(
        numbers=np.zeros((capacity, n_numeric), np.float32),
        levels=np.zeros((capacity, n_categorical), np.int32),
        lists=np.zeros(1, np.int8),
        present=np.zeros(n_numeric, np.int8),
        pages=np.zeros(-(-n_numeric // PAGE), np.int8),
        units=aligned_zeros(capacity * int(layout.units[-1])),
        slopes=aligned_zeros(capacity * int(layout.slopes[-1])),
        total=aligned_zeros(at_a_time * widest).reshape(-1, widest),
        scales=aligned_zeros(widest),
        ones=np.ones((capacity, 1), np.float32),
        active=np.zeros(listed, np.int32),
        values=np.zeros(listed, np.float32),
        first=np.full(n_levels, -1, np.int32),
        following=np.zeros((capacity, n_categorical), np.int32),
        outer=(np.empty(0, np.float32),) * 3,
        member=alone,
    )


def exchange_of(layout: Layout, n_parts: int, batch_size: int) -> np.ndarray:
    """Where the members of a team tell each other sums of the parts, float32 (2, n_parts, numbers of a mini-batch)."""
    size = batch_size * int(layout.widths.max()) if n_parts > 1 else 0
    return aligned_zeros(2 * n_parts * size).reshape(2, n_parts, size)


def members_of_team(
    layout: Layout, level_bounds: Sequence[int], exchange: np.ndarray, n_members: int = 1
) -> list[Member]:
    """The members of a team.

    level_bounds : the first categorical input of each part of the weights, and the number of these inputs.
    """
    parts = np.arange(len(level_bounds))
    n_parts, n_levels = len(level_bounds) - 1, level_bounds[-1]
    registers = layout.padded[:-1, None] // LANES
    bounds = registers * parts // n_parts * LANES
    bounds[0] = n_levels + (layout.sizes[0] - n_levels) * parts // n_parts
    arrivals = np.zeros((n_members, LANES), np.int64)
    firsts = [n_parts * place // n_members for place in range(n_members + 1)]
    return [
        Member(place, n_members, first, last, n_parts, bounds, np.array(level_bounds, np.int64), arrivals, exchange)
        for place, (first, last) in enumerate(itertools.pairwise(firsts))
    ]


def _starts(lengths: np.ndarray) -> np.ndarray:
    """Where each of consecutive pieces starts, and where the last one ends."""
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def aligned_zeros(size: int) -> np.ndarray:
    """float32 zeros that start at a multiple of a vector register, so that no register crosses a cache line."""
    item = np.dtype(np.float32).itemsize
    memory = np.zeros((size + LANES) * item, np.uint8)
    start = -memory.ctypes.data % (LANES * item)
    return memory[start : start + size * item].view(np.float32)
