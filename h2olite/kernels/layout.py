"""The places of layers in the flat arrays, the scratch memory of a thread, and views of both.

Layer l computes z = x W + b from the activations x (n_rows, n_inputs) of the layer before. W and b are one matrix of
shape (n_inputs + 1, width). Its last row is the bias: the weight out of an input that is always 1. The matrix is stored
by inputs, so an input of 0 skips one contiguous row. Every row of weights, activations and gradients is padded with
zeros to whole vector registers (see `h2olite.kernels.lanes`).

With few outputs, such rows would be mostly padding. The matrix of such an output layer is stored by outputs instead,
(n_outputs, n_inputs), followed by the biases. It is small. Therefore every member of a team computes all of it, on its
own copy, and does not wait for the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .compiling import kernel, matrix, view
from .teams import Member

NARROW = 16
"""Outputs up to which the output layer lies output-major."""

PAGE = 64
"""Numeric inputs that are looked at together for whether a mini-batch has any of them."""

TILE = 32
"""Rows predicted together: their activations stay in the cache while a row of weights serves all of them."""


class Layout(NamedTuple):
    """Where the layers lie in the flat arrays; all int64 arrays.

    sizes : (n_layers + 1,) units of each layer, the inputs first.
    padded : (n_layers + 1,) the same, rounded up to a multiple of LANES.
    widths : (n_layers,) columns of each weight matrix: its padded units, for Maxout once per channel.
    weights : (n_layers + 1,) where each layer's matrix starts among the parameters, and their number.
    units : (n_layers + 2,) where each layer's activations start in a workspace of one row, and their number.
    slopes : (n_layers + 1,) the same for the pre-activations and slopes of each layer of weights.
    n_input_major : layers of weights that lie input-major: all, or all but the output layer.

    The outputs have a place among the activations too, for networks whose outputs are activated.
    """

    sizes: np.ndarray
    padded: np.ndarray
    widths: np.ndarray
    weights: np.ndarray
    units: np.ndarray
    slopes: np.ndarray
    n_input_major: int


class State(NamedTuple):
    """What training moves: the parameters of a network, and all that is remembered of them.

    theta : float32 (n_parameters,), the parameters that learn.
    mean : float32 (n_parameters,), the running average of theta, or (0,) without averaging.
    first, second : float32 (n_parameters,), the update rule's memories of each parameter.
    activity : float32, the running average of every unit's activation, kept where sparsity_beta asks for it.
    screening : of the penalties that make zeros (`h2olite.kernels.penalties.Screening`). None without such penalties:
        what is compiled then has no code for them.
    rows_seen, n_updates : rows trained on before, and updates made.
    """

    theta: np.ndarray
    mean: np.ndarray
    first: np.ndarray
    second: np.ndarray
    activity: np.ndarray
    screening: Any
    rows_seen: int
    n_updates: int


Outer = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The parameters of an output-major layer, and the update rule's two memories of them."""


class Workspace(NamedTuple):
    """One thread's scratch memory for mini-batches of up to `capacity` rows.

    numbers : float32 (capacity, n_numeric); levels : int32 (capacity, n_categorical): the rows' inputs after dropout.
    lists : int8 (1,), whether the rows are sparse, so that it is listed where their numbers are.
    present : int8 (n_numeric,), then 1 for the numbers that are other than 0 in any row of the mini-batch.
    pages : int8 (n_pages,), then 1 for every PAGE of them of which some are.
    units, slopes : float32, activations and pre-activations (later slopes, then gradients) of all layers.
    total : float32 (most inputs or outputs at a time, widest layer), the gradients of their weights.
    scales : float32 (widest layer,), scratch space of `bound_incoming`.
    ones : float32 (capacity, 1), the bias's input.
    active, values : int32 and float32 (largest layer,), the inputs in use, and their values.
    first, following : int32 (n_categorical_inputs,) and (capacity, n_categorical): for each level, the list of cells
        with it; cell (r, c) has number r * n_categorical + c, and -1 ends the list.
    outer : float32, views of the state in the first thread of a team, copies in the others.
    member : the thread's place in its team.
    """

    numbers: np.ndarray
    levels: np.ndarray
    lists: np.ndarray
    present: np.ndarray
    pages: np.ndarray
    units: np.ndarray
    slopes: np.ndarray
    total: np.ndarray
    scales: np.ndarray
    ones: np.ndarray
    active: np.ndarray
    values: np.ndarray
    first: np.ndarray
    following: np.ndarray
    outer: Outer
    member: Member


@view
def layer_weights(layout, theta, layer):
    """The weight matrix of an input-major layer, its bias in the last row, as a view of the parameters."""
    return matrix(theta, layout.weights[layer], layout.sizes[layer] + 1, layout.widths[layer])


@view
def narrow_layer(layout, theta):
    """The flat part of the parameters that an output-major layer has, empty if there is none."""
    return theta[layout.weights[layout.n_input_major] :]


@view
def narrow_weights(layout, outer):
    """The weight matrix (n_outputs, padded inputs) of an output-major layer."""
    last = layout.n_input_major
    return matrix(outer, 0, layout.sizes[last + 1], layout.padded[last])


@view
def narrow_biases(layout, outer):
    """The biases (1, padded outputs) of an output-major layer."""
    last = layout.n_input_major
    return matrix(outer, layout.sizes[last + 1] * layout.padded[last], 1, layout.widths[last])


@view
def rows_of(layout, theta, layer):
    """The weights of a layer without the biases: a row for each input, or for each output of an output-major layer."""
    is_narrow = np.int64(layer == layout.n_input_major)
    n_rows = layout.sizes[layer + is_narrow]
    return matrix(theta, layout.weights[layer], n_rows, layout.padded[layer] if is_narrow else layout.widths[layer])


@view
def layer_units(layout, layer, work, n_rows):
    """The activations (n_rows, padded units) of a layer; layer 1 is the first hidden one."""
    return matrix(work.units, layout.units[layer] * n_rows, n_rows, layout.padded[layer])


@view
def layer_slopes(layout, layer, work, n_rows):
    """The pre-activations, slopes or gradients (n_rows, width) of a layer of weights; layer 0 is the first."""
    return matrix(work.slopes, layout.slopes[layer] * n_rows, n_rows, layout.widths[layer])


@kernel
def own_inputs(layout, layer, member):
    """The rows of an input-major layer's weights that are the member's own: the first, and the one after the last.

    Categorical inputs apart, see `own_levels`. The bias, an input that is always 1, belongs to the last part.
    """
    return inputs_of(layout, layer, member, member.first_part, member.last_part)


@kernel
def inputs_of(layout, layer, member, first_part, last_part):
    """The same for parts, from the first to the one before the last."""
    bounds, n_inputs = member.bounds, layout.sizes[layer]
    return min(bounds[layer, first_part], n_inputs), min(bounds[layer, last_part], n_inputs)


@kernel
def own_units(layer, member):
    """The padded units of a hidden layer that are the member's own: the first, and the one after the last."""
    return member.bounds[layer, member.first_part], member.bounds[layer, member.last_part]


@kernel
def own_levels(member):
    """The first categorical input that is the member's own, and the one after the last."""
    return member.level_bounds[member.first_part], member.level_bounds[member.last_part]


@kernel
def has_bias(member):
    """Whether the biases are the member's own."""
    return member.last_part == member.n_parts
