"""The part of an ONNX graph that encodes numbers: scaled, and bent by curves if there are some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from h2olite.data.curves import CLIP, HAT, SPREAD, PiecewiseLinear, Quantile, Robust
from h2olite.data.encoding import RowEncoder
from h2olite.errors import MissingExtraError

try:
    from onnx import NodeProto, TensorProto, helper, numpy_helper
except ImportError as error:
    raise MissingExtraError("ONNX export needs onnx: pip install 'h2olite[onnx]'.") from error


class Graph:
    """A graph in the making; what adds a value gives its name."""

    def __init__(self, inputs: Iterable[str]) -> None:
        self._taken = set(inputs)
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, *inputs: str, name: str = "", domain: str = "", **attributes: Any) -> str:
        """What an operator makes of its inputs."""
        name = self._free(name or f"{operator}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, values: Any, dtype: Any = np.float64) -> str:
        """An array; of strings if the dtype is object."""
        name = self._free(f"constant_{len(self.constants)}")
        self.constants.append(numpy_helper.from_array(np.array(values, dtype, order="C"), name))
        return name

    def cast(self, value: str, to: int) -> str:
        """The value in another type."""
        return self.add("Cast", value, to=to)

    def _free(self, name: str) -> str:
        """The name, with as many _ behind it as make it a new one."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def encode_numbers(graph: Graph, encoder: RowEncoder, own: Sequence[int]) -> str:
    """The inputs of some of the numeric predictors, side by side: float32 (n, n_inputs)."""
    curves = encoder.curves
    names = [encoder.numeric[i] for i in own]
    if isinstance(curves, PiecewiseLinear):
        parts = [_pieces(graph, encoder, curves, i) for i in own]
        return graph.cast(graph.add("Concat", *parts, axis=1), TensorProto.FLOAT)
    values = graph.add("Concat", *names, axis=1)
    known = graph.add("Where", graph.add("IsNaN", values), graph.constant([encoder.imputed[own]]), values)
    values = graph.add("Sub", known, graph.constant([encoder.subtrahend[own]]))
    values = graph.add("Mul", values, graph.constant([encoder.multiplier[own]]))
    if isinstance(curves, Robust):
        thirds = graph.add("Div", values, graph.constant(CLIP))
        lengths = graph.add("Sqrt", graph.add("Add", graph.add("Mul", thirds, thirds), graph.constant(1.0)))
        values = graph.add("Where", graph.constant([curves.bent[own]], bool), graph.add("Div", values, lengths), values)
    if isinstance(curves, Quantile):
        parts = [
            _interpolated(graph, encoder.numeric[i], encoder.imputed[i], curves.knots[i], curves.heights[i])
            if curves.bent[i]
            else graph.add("Gather", values, graph.constant([place], np.int64), axis=1)
            for place, i in enumerate(own)
        ]
        values = graph.add("Concat", *parts, axis=1)
    return graph.cast(values, TensorProto.FLOAT)


def _interpolated(graph: Graph, name: str, imputed: float, knots: np.ndarray, heights: np.ndarray) -> str:
    """What is linear between knots, and constant beyond: double (n, 1)."""
    known = graph.add("Where", graph.add("IsNaN", name), graph.constant([[imputed]]), name)
    shares = _shares(graph, known, knots)
    rises = graph.add("MatMul", shares, graph.constant(np.diff(heights)[:, np.newaxis]))
    return graph.add("Add", rises, graph.constant([[heights[0]]]))


def _shares(graph: Graph, values: str, knots: np.ndarray) -> str:
    """How much of each interval between knots lies below a number, from 0 to 1: double (n, n_intervals)."""
    bounded = graph.add("Min", graph.add("Max", values, graph.constant([[knots[0]]])), graph.constant([[knots[-1]]]))
    ways = graph.add("Sub", bounded, graph.constant([knots[:-1]]))
    shares = graph.add("Div", ways, graph.constant([np.diff(knots)]))
    return graph.add("Min", graph.add("Max", shares, graph.constant(0.0)), graph.constant(1.0))


def _pieces(graph: Graph, encoder: RowEncoder, curves: PiecewiseLinear, i: int) -> str:
    """The inputs of one predictor: double (n, width)."""
    name, knots, origin = encoder.numeric[i], curves.knots[i], int(curves.origin[i])
    is_missing = graph.add("IsNaN", name)
    known = graph.add("Where", is_missing, graph.constant([[encoder.imputed[i]]]), name)
    if not curves.bent[i]:
        scaled = graph.add("Sub", known, graph.constant([[encoder.subtrahend[i]]]))
        return graph.add("Mul", scaled, graph.constant([[encoder.multiplier[i]]]))
    shares = _shares(graph, known, knots)
    n_intervals = knots.size - 1
    # The hat of a knot is the share of the interval before it less that of the interval behind it; the first one's, 1
    # less that.
    to_hats = HAT * (np.eye(n_intervals, knots.size, 1) - np.eye(n_intervals, knots.size))
    to_position = np.full((n_intervals, 1), 2 * SPREAD / n_intervals)
    constants = np.append(HAT * (np.arange(knots.size) == 0), -SPREAD)
    if origin >= 0:
        to_hats = np.delete(to_hats, origin, axis=1)
        constants = np.append(np.delete(constants[:-1], origin), -2 * SPREAD * origin / n_intervals)
    values = graph.add("MatMul", shares, graph.constant(np.hstack([to_hats, to_position])))
    values = graph.add("Add", values, graph.constant([constants]))
    if curves.missing[i]:
        values = graph.add("Where", is_missing, graph.constant([np.zeros(constants.size)]), values)
        values = graph.add("Concat", values, graph.cast(is_missing, TensorProto.DOUBLE), axis=1)
    return values
