"""A model as an ONNX graph that takes the columns of a table as they are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.errors import DataError, MissingExtraError
from h2olite.kernels.losses import LARGEST_EXP
from h2olite.kinds.activations import activation_of
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.trained.network import TrainedNetwork
from h2olite.trained.scoring import lowered
from h2olite.trained.tabulation import TabulatedColumn, tabulate
from h2olite.training.task import objective_of

from .archive import replacing
from .onnx_numbers import Graph, encode_numbers

try:
    import onnx
    from onnx import TensorProto, helper
except ImportError as error:
    raise MissingExtraError("ONNX export needs onnx: pip install 'h2olite[onnx]'.") from error

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
"""Operators that runtimes have had since 2022."""

IR_VERSION = 8
"""Version of the file's layout, as old as the operators."""


def export_onnx(model: TrainedNetwork, path: str | os.PathLike[str]) -> str:
    """Write a model as an ONNX file whose inputs are the columns of a table, and give the path.

    Each column that predictions need is an input of its name and of shape (n, 1). Categorical ones are strings, ""
    where missing and not a level. Numbers are doubles, NaN where missing, and times doubles of milliseconds since 1970.
    Offsets must not be missing.

    The outputs are, of a classifier, ``predict``, strings (n,), and ``probabilities``, doubles (n, n_classes); of a
    regression ``predict``, doubles (n,); of an autoencoder ``reconstruction``, doubles (n, n_inputs). Where a column
    has such a name, the output's ends in ``_``. The metadata's ``columns`` lists the columns of `Model.predict`, which
    the outputs are side by side.

    Raises
    ------
    DataError : the model has no predictors, or one without a name, or the file cannot be written.
    """
    if not model.encoder.schema or not all(model.schema):
        fault = "a column without a name" if model.encoder.schema else "no predictors"
        raise DataError(f"{model.model_id} cannot become an ONNX graph, which needs named inputs: it has {fault}.")
    graph = Graph(model.schema)
    results = list(_results(graph, model, _network_outputs(graph, model)))
    types = {"categorical": TensorProto.STRING, "numeric": TensorProto.DOUBLE, "time": TensorProto.DOUBLE}
    exported = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "h2olite",
            [helper.make_tensor_value_info(name, types[kind], ["n", 1]) for name, kind in model.schema.items()],
            results,
            graph.constants,
        ),
        opset_imports=OPSETS,
        ir_version=IR_VERSION,
        producer_name="h2olite",
        producer_version=model.record.version,
    )
    columns = list(model.columns_of(np.ones((1, model.network.layout.sizes[-1]), np.float32), None))
    helper.set_model_props(exported, {"columns": json.dumps(columns, ensure_ascii=False)})
    onnx.checker.check_model(exported, full_check=True)
    with replacing(path) as stream:
        stream.write(exported.SerializeToString(deterministic=True))
    return os.fspath(path)


def _network_outputs(graph: Graph, model: TrainedNetwork) -> str:
    """What the network gives, float32 (n, n_outputs): linear outputs, or an autoencoder's activated ones."""
    network, objective = model.network, objective_of(model.parameters)
    activation = activation_of(model.parameters.activation).onnx
    for layer in range(network.n_layers):
        n_inputs, n_channels, n_units = network.weights(layer).shape
        weights = network.weights(layer).reshape(n_inputs, -1)
        biases = graph.constant(network.biases(layer).reshape(-1), np.float32)
        if layer == 0:
            value = graph.add("Sum", biases, *_of_columns(graph, model.encoder, weights))
        else:
            value = graph.add("Gemm", value, graph.constant(weights, np.float32), biases)
        if layer == network.n_layers - 1 and not objective.autoencoder:
            break
        channels = [value]
        if n_channels > 1:
            channels = [_columns(graph, value, start, start + n_units) for start in (0, n_units)]
        value = graph.add(activation, *channels)
        if objective.dropout[layer + 1] > 0:
            value = graph.add("Mul", value, graph.constant(1 - objective.dropout[layer + 1], np.float32))
    return value


def _columns(graph: Graph, value: str, start: int, end: int) -> str:
    """Some columns of a matrix."""
    return graph.add("Slice", value, *(graph.constant([number], np.int64) for number in (start, end, 1)))


def _of_columns(graph: Graph, encoder: RowEncoder, weights: np.ndarray) -> Iterator[str]:
    """What the columns add to the first layer's pre-activations, float32 (n, width)."""
    n_categorical, n_inputs = len(encoder.categorical), encoder.n_categorical_inputs
    by_place = {
        place: _looked_up(graph, column, i, is_number=place >= n_categorical)
        for column in tabulate(encoder)
        for i, place in enumerate(column.places)
    }
    if encoder.categorical:
        # An input of 1 adds its weights; -1 stands for no input, and adds a last row of zeros.
        rows = graph.constant(np.vstack([weights[:n_inputs], np.zeros_like(weights[:1])]), np.float32)
        inputs = graph.add("Concat", *(by_place[place] for place in range(n_categorical)), axis=1)
        yield graph.add("ReduceSum", graph.add("Gather", rows, inputs), graph.constant([1], np.int64), keepdims=0)
    own = [i for i in range(len(encoder.numeric)) if n_categorical + i not in by_place]
    of_numbers, starts = weights[n_inputs:], encoder.number_starts
    if own:
        places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in own])
        encoded = encode_numbers(graph, encoder, own)
        yield graph.add("MatMul", encoded, graph.constant(of_numbers[places], np.float32))
    recoded = [i for i in range(len(encoder.numeric)) if n_categorical + i in by_place]
    if recoded:
        encoded = graph.add("Concat", *(by_place[n_categorical + i] for i in recoded), axis=1)
        yield graph.add("MatMul", encoded, graph.constant(of_numbers[starts[recoded]], np.float32))


def _looked_up(graph: Graph, column: TabulatedColumn, i: int, *, is_number: bool) -> str:
    """What a column's levels are encoded as for the i-th predictor made of it: numbers, or inputs of the network."""
    kind, dtype = ("float", np.float64) if is_number else ("int64", np.int64)
    *values, missing = column.encoded[:, i].astype(dtype).tolist()
    by_level = {"": missing} | dict(zip(column.levels, values, strict=True))
    lookup = {
        "keys_strings": list(by_level),
        f"values_{kind}s": list(by_level.values()),
        f"default_{kind}": column.unseen.astype(dtype).tolist()[i],
    }
    return graph.add("LabelEncoder", column.name, domain="ai.onnx.ml", **lookup)


def _results(graph: Graph, model: TrainedNetwork, outputs: str) -> Iterator[onnx.ValueInfoProto]:
    """The outputs of the graph: the predictions that the network's outputs mean."""
    if model.response is None:
        no_numbers = np.zeros(model.encoder.n_categorical_inputs)
        values = graph.cast(outputs, TensorProto.DOUBLE)
        values = graph.add("Div", values, graph.constant([np.append(no_numbers + 1, model.encoder.multiplier)]))
        shifts = graph.constant([np.append(no_numbers, model.encoder.subtrahend)])
        yield _double(graph.add("Add", values, shifts, name="reconstruction"), model.encoder.n_inputs)
    elif model.classes is None:
        values = graph.cast(graph.add("Squeeze", outputs, graph.constant([1], np.int64)), TensorProto.DOUBLE)
        values = graph.add("Div", values, graph.constant(model.response.multiplier))
        values = graph.add("Add", values, graph.constant(model.response.subtrahend))
        if model.parameters.offset_column is not None:
            offsets = graph.add("Squeeze", model.parameters.offset_column, graph.constant([1], np.int64))
            values = graph.add("Add", values, offsets)
        if DISTRIBUTIONS[model.parameters.distribution].link == "log":
            values = graph.add("Exp", graph.add("Min", values, graph.constant(np.log(LARGEST_EXP))))
        yield _double(graph.add("Identity", values, name="predict"))
    else:
        values = graph.cast(graph.add("Softmax", outputs, axis=1), TensorProto.DOUBLE)
        if model.shares is not None:
            values = graph.add("Mul", values, graph.constant([model.shares.correction]))
        total = graph.add("ReduceSum", values, graph.constant([1], np.int64), keepdims=1)
        probabilities = graph.add("Div", values, total, name="probabilities")
        if len(model.classes) == 2:
            second = graph.add("Gather", probabilities, graph.constant(1, np.int64), axis=1)
            threshold = graph.constant(lowered(model.default_threshold(), np.float32))
            reaches = graph.add("GreaterOrEqual", second, threshold)
            indices = graph.cast(reaches, TensorProto.INT64)
        else:
            indices = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
        labels = graph.add("Gather", graph.constant(model.classes, object), indices, name="predict")
        yield helper.make_tensor_value_info(labels, TensorProto.STRING, ["n"])
        yield _double(probabilities, len(model.classes))


def _double(name: str, *n_columns: int) -> onnx.ValueInfoProto:
    """An output of doubles."""
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", *n_columns])
