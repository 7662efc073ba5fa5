"""Where training starts from: random numbers, an autoencoder's hidden layers, or weights of the user's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from h2olite.data.csv_options import Csv
from h2olite.data.frames import as_table
from h2olite.data.splits import random_stream
from h2olite.errors import ParameterError
from h2olite.kernels.layout import Layout
from h2olite.metrics.base import weighted_quantile
from h2olite.network.network import Network, initial_network
from h2olite.parameters import Parameters

from .model import Model
from .scoring import LOG_LINK


def starting_network(
    parameters: Parameters,
    layout: Layout,
    input_names: Sequence[str],
    *,
    absent_inputs: np.ndarray,
    output_bias: float = 0.0,
) -> Network:
    """The network that training starts from.

    Parameters
    ----------
    parameters : resolved parameters; their pretrained_autoencoder is a model.
    layout : the network's.
    input_names : the name of each input.
    absent_inputs : see `initial_network`.
    output_bias : of the output unit of a regression, see `best_constant`.

    Raises
    ------
    ParameterError : the given weights or layers are not of the network's shape; one message for all of them.
    DataError : a file of weights cannot be read.
    """
    network = initial_network(
        layout,
        parameters.activation,
        parameters.initial_weight_distribution,
        parameters.initial_weight_scale,
        random_stream(parameters.seed, "initial weights"),
        absent_inputs=absent_inputs,
        averaged=parameters.averaging_window > 0,
    )
    if output_bias:
        network.biases(network.n_layers - 1)[...] = output_bias
    if parameters.pretrained_autoencoder is not None:
        copy_hidden_layers(network, parameters.pretrained_autoencoder, input_names)
    faults = [
        *_set_layers(network, "initial_weights", parameters.initial_weights),
        *_set_layers(network, "initial_biases", parameters.initial_biases),
    ]
    if faults:
        raise ParameterError(" ".join(faults))
    network.iterate[:] = network.theta
    return network


def best_constant(
    parameters: Parameters, target: np.ndarray, weights: np.ndarray | None = None, offsets: np.ndarray | None = None
) -> float:
    """The linear output that would have the least loss if it were the same for all rows.

    From an output of 0, training would first have to find the level of a response that is not standardised: ADADELTA
    moves a bias by its own small steps, however far the level is.

    Parameters
    ----------
    parameters : the distribution decides: the logarithm of the mean with a log link, a quantile for ``"quantile"``, the
        median for ``"laplace"``, otherwise the mean.
    target, weights, offsets : of the rows to train on, shape (n_rows,), target and offsets in training units; offsets
        of a log link only.
    """
    target = target.astype(np.float64)
    weights = np.ones(target.size) if weights is None else weights
    if parameters.distribution in LOG_LINK:
        if offsets is None:
            return float(np.log(np.average(target, weights=weights)))
        shift = float(offsets.max())  # exponentials of large offsets would overflow
        means = np.average(np.stack([target, np.exp(offsets - shift)]), axis=1, weights=weights)
        return float(np.log(means[0]) - np.log(means[1]) - shift)
    if parameters.distribution in ("quantile", "laplace"):
        probability = parameters.quantile_alpha if parameters.distribution == "quantile" else 0.5
        return float(weighted_quantile(target, probability, weights))
    return float(np.average(target, weights=weights))


def copy_hidden_layers(network: Network, autoencoder: Model, input_names: Sequence[str]) -> None:
    """Let the hidden layers of a network be those of an autoencoder.

    Raises
    ------
    ParameterError : they differ in inputs, units or channels, or it is no autoencoder.
    """
    if not autoencoder.parameters.autoencoder:
        raise ParameterError(
            f"pretrained_autoencoder must be an autoencoder; got a {autoencoder.category} model; train one with "
            "autoencoder."
        )
    sizes, wanted = (n.layout.sizes[:-1].tolist() for n in (autoencoder.network, network))
    if sizes != wanted:
        raise ParameterError(
            f"pretrained_autoencoder must have {_shape(wanted)} inputs and hidden units; got {_shape(sizes)}; train it "
            "on the same predictors with the same hidden."
        )
    if list(autoencoder.encoder.input_names) != list(input_names):
        other, own = next(
            pair for pair in zip(autoencoder.encoder.input_names, input_names, strict=True) if len({*pair}) > 1
        )
        raise ParameterError(
            f"pretrained_autoencoder must have the same inputs; got {other!r} where {own!r} is wanted; train it on the "
            "same predictors."
        )
    if autoencoder.network.layout.widths[:-1].tolist() != network.layout.widths[:-1].tolist():
        raise ParameterError(
            "pretrained_autoencoder must have a Maxout activation exactly when the new model has one; got "
            f"{autoencoder.parameters.activation}."
        )
    for layer in range(network.n_layers - 1):
        network.weights(layer)[...] = autoencoder.network.weights(layer)
        network.biases(layer)[...] = autoencoder.network.biases(layer)


def _set_layers(network: Network, parameter: str, tables: Sequence[Any] | None) -> list[str]:
    """Copy the given weights or biases into the network; says what is wrong with those that do not fit."""
    faults = []
    for layer, table in enumerate(tables or ()):
        if table is None:
            continue
        if parameter == "initial_weights":
            place = network.weights(layer)
            shape = (place[0].size, len(place))
        else:
            place = network.biases(layer)
            shape = (place.size, 1)
        given = read_matrix(table, f"{parameter} of layer {layer + 1}")
        if given.shape == shape:
            place[...] = given.T.reshape(place.shape)
        else:
            faults.append(
                f"{parameter} of layer {layer + 1} must have {shape[0]} rows and {shape[1]} columns; "
                f"got {given.shape[0]} and {given.shape[1]}."
            )
    return faults


def read_matrix(source: Any, name: str) -> np.ndarray:
    """The numbers of a file, a DataFrame or an array: float32, two-dimensional; a vector is one column.

    Raises
    ------
    ParameterError : there are not only finite numbers.
    DataError : the file cannot be read.
    """
    try:
        if isinstance(source, str | os.PathLike | Csv):
            columns = as_table(source).columns
            text = [column for column in columns if columns[column].levels is not None]
            if text:
                raise ValueError(f"column {text[0]!r} is text")
            source = np.column_stack([column.values for column in columns.values()])
        matrix = np.asarray(source, np.float32)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must hold numbers; {error}.") from None
    if not np.isfinite(matrix).all():
        raise ParameterError(f"{name} must hold finite numbers; some are missing, infinite or too large.")
    if matrix.ndim not in (1, 2):
        raise ParameterError(f"{name} must be a table or a vector; got {matrix.ndim} dimensions.")
    return matrix[:, np.newaxis] if matrix.ndim == 1 else matrix


def _shape(sizes: Sequence[int]) -> str:
    """Layer sizes as text, such as ``4-10-10``."""
    return "-".join(map(str, sizes))
