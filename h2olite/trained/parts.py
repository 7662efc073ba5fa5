"""Whether the parts of a trained network are made for one another: what the kernels take for granted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.data.response import ResponseEncoder
from h2olite.network.joining import is_joint
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters
from h2olite.settings.validation import check_settled
from h2olite.training.task import layout_of


def check_parts(
    parameters: Parameters, encoder: RowEncoder, response: ResponseEncoder | None, network: Network
) -> None:
    """Refuse a model whose parts are not made for one another; every model passes here before kernels run on it.

    The rules between parameters are those of training, and the network has the shape that encoder, response and
    parameters give it: what the kernels take for granted.

    Raises
    ------
    ValueError : says what is wrong.
    """
    check_response(response, parameters)
    curves = encoder.curves
    require(curves is None or curves.kind == parameters.numeric_encoding, "numbers are of another numeric_encoding")
    roles = {response and response.name, parameters.weights_column, parameters.fold_column}
    require(roles.isdisjoint(encoder.schema), "a predictor is the response, or a column of weights or folds")
    layout = layout_of(encoder, response, parameters)
    shapes: tuple[tuple[Any, ...], ...] = (network.layout, layout)
    require(all(np.array_equal(*fields) for fields in zip(*shapes, strict=True)), "the network has another shape")
    require(is_joint(network, parameters.ensemble), "the networks of an ensemble are not apart")
    require(not parameters.autoencoder or encoder.n_inputs > 0, "an autoencoder has nothing to reconstruct")
    for flat in (network.theta, network.iterate, network.first, network.second, network.last):
        require(flat is None or _are_floats(flat, layout.weights[-1]), "the network has other numbers than its shape")
    require(_are_floats(network.activity, layout.units[-1]), "activity is not of the network's units")


def check_response(response: ResponseEncoder | None, parameters: Parameters) -> None:
    """Refuse a response that the parameters are not for, and parameters that training would refuse.

    Raises
    ------
    ValueError : says what is wrong.
    """
    require(parameters.autoencoder == (response is None), "autoencoders have no response, and others need one")
    if response is None:
        check_settled(parameters, None)
        return
    require(response.levels is None or len(response.levels) > 1, "there must be two classes or more")
    require(are_distinct(response.levels or ()), "two classes are the same")
    require(response.multiplier != 0, "the response is multiplied by 0")
    with np.errstate(over="ignore"):
        largest = abs(response.subtrahend) + np.float64(np.finfo(np.float32).max) / abs(response.multiplier)
    require(bool(np.isfinite(largest)), "predictions may be infinite")  # of whatever float32 a network ends in
    check_settled(parameters, None if response.levels is None else response.n_classes, name=response.name)


def _are_floats(flat: np.ndarray, size: int) -> bool:
    """Whether these are so many numbers as the kernels take them."""
    return flat.dtype == np.float32 and flat.shape == (size,) and flat.flags.c_contiguous


def are_distinct(names: Sequence[str]) -> bool:
    """Whether no two are the same."""
    return len(set(names)) == len(names)


def require(holds: bool, otherwise: str) -> None:
    """Raise a ValueError unless something holds."""
    if not holds:
        raise ValueError(otherwise)
