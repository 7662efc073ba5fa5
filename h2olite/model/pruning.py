"""What a model makes no use of leaves it."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.network.network import Network

from .model import Model


def pruned(model: Model) -> Model:
    """The model without the predictors that cannot reach an output; it predicts the same, and without their columns.

    An autoencoder keeps all: it reconstructs what it makes no use of too. The update rule forgets about weights of 0.
    """
    model = dataclasses.replace(model, network=model.network.forgetting_zeros())
    if model.parameters.autoencoder:
        return model
    encoder = model.encoder
    used = used_groups(model.network, encoder)
    if used.all():
        return model
    kept = np.flatnonzero(used[encoder.input_groups])
    unused = list(itertools.chain(*itertools.compress(encoder.column_groups, ~used)))
    record = dataclasses.replace(
        model.record,
        unused=[*model.record.unused, *unused],
        pruned_inputs=model.record.pruned_inputs + encoder.n_inputs - kept.size,
    )
    return dataclasses.replace(
        model,
        encoder=encoder.select(encoder.schema.keys() - set(unused)),
        network=model.network.with_inputs(kept),
        importances=None if model.importances is None else model.importances[kept],
        column_importances=None if model.column_importances is None else model.column_importances[used],
        record=record,
    )


def used_groups(network: Network, encoder: RowEncoder) -> np.ndarray:
    """Which of the encoder's column groups have a weight other than 0 on a way to an output: bool (n_groups,)."""
    reaches = np.ones(network.layout.sizes[-1], np.bool_)
    for layer in range(network.n_layers - 1, -1, -1):
        reaches = (network.weights(layer)[:, :, reaches] != 0).any(axis=(1, 2))
    used = np.zeros(len(encoder.column_groups), np.bool_)
    used[encoder.input_groups[reaches]] = True
    return used
