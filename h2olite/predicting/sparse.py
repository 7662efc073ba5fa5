"""Networks most of whose weights are 0, as the kernels score by them."""

from __future__ import annotations

import numpy as np

from h2olite.kernels.layout import TILE
from h2olite.kernels.sparse import SparseLayers, SparseWorkspace
from h2olite.network.network import Network
from h2olite.network.topology import aligned_zeros

LEAST_ZERO_SHARE, LEAST_WEIGHTS = 0.85, 20_000
"""Where the sparse kernel is clearly faster: at 90 % of zeros 1.4 to 2.1 times as fast in layers of 200 units, as the
processor has it, and less in small ones, where other work counts as much (``tests/benchmarks/sparsity.py``)."""

LEAST_ROWS = 2048
"""Finding the weights that are not 0 takes as long as some hundred rows."""


def is_sparse(network: Network, n_levels: int) -> bool:
    """Whether so many weights are 0 that leaving them out is faster; the first inputs are those of levels.

    The weights of levels do not count, as only those of a row's own levels are looked up anyway.
    """
    weights = [network.weights(layer)[n_levels if layer == 0 else 0 :] for layer in range(network.n_layers)]
    n_weights = sum(of_layer.size for of_layer in weights)
    if n_weights < LEAST_WEIGHTS:
        return False
    return sum(map(np.count_nonzero, weights)) <= (1 - LEAST_ZERO_SHARE) * n_weights


def sparse_layers(network: Network, n_levels: int) -> SparseLayers:
    """The weights of a network that are not 0, and its biases; the first inputs are those of levels."""
    matrices = [network.weights(layer).T.reshape(network.biases(layer).size, -1) for layer in range(network.n_layers)]
    levels, matrices[0] = matrices[0][:, :n_levels].T, matrices[0][:, n_levels:]
    level_starts, level_columns, level_weights = _compress([levels])
    starts, inputs, weights = _compress(matrices)
    return SparseLayers(
        sizes=network.layout.sizes,
        columns=np.cumsum([0, *map(len, matrices)]),
        starts=starts,
        inputs=inputs,
        weights=weights,
        level_starts=level_starts,
        level_columns=level_columns,
        level_weights=level_weights,
        biases=np.concatenate([network.biases(layer).T.ravel() for layer in range(network.n_layers)]),
    )


def sparse_workspace(layers: SparseLayers, n_numeric: int) -> SparseWorkspace:
    """Scratch memory for one thread."""
    most_inputs = max(n_numeric, *layers.sizes[1:].tolist())
    most_columns = int(np.diff(layers.columns).max())
    return SparseWorkspace(
        activations=aligned_zeros(most_inputs * TILE).reshape(-1, TILE), linear=aligned_zeros(most_columns * TILE)
    )


def _compress(matrices: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compressed sparse rows of matrices below each other: where each row starts, and its columns and values."""
    places = [np.nonzero(matrix) for matrix in matrices]
    lengths = [np.bincount(rows, minlength=len(matrix)) for (rows, _), matrix in zip(places, matrices, strict=True)]
    return (
        np.concatenate(([0], np.cumsum(np.concatenate(lengths)))),
        np.concatenate([columns for _, columns in places]).astype(np.int32),
        np.concatenate([matrix[place] for matrix, place in zip(matrices, places, strict=True)]),
    )
