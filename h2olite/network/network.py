"""A network's parameters, the update rule's memory of them, and named views of both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from h2olite.kernels.layout import Layout, State
from h2olite.kernels.penalties import IN, OUT, Screening
from h2olite.kinds.activations import Activation
from h2olite.settings.parameters import WeightDistribution

from .topology import aligned_zeros, first_layers, lay_out

LARGEST_WEIGHT, LARGEST_BIAS = 1e10, 1e5
"""Beyond these a network counts as unstable, as in H2O."""


@dataclasses.dataclass(eq=False)
class Network:
    """All parameters in one flat vector, with what the update rule remembers of each.

    Attributes
    ----------
    layout : where each layer lies.
    theta : float32 (n_parameters,), per layer the weights, then the biases: what predicts.
    iterate : the parameters that training moves. theta itself, or theta is a running average of them.
    first, second : float32 (n_parameters,), what the update rule remembers: ADADELTA's means of squared gradients and
        squared steps, the momentum, or Adam's means of gradients and squared gradients.
    activity : float32, the running average of every unit's activation, where sparsity_beta asks for it, otherwise 0.
    rows_seen, n_updates : rows trained on so far, and updates made.
    last : theta as training left it, where another one, the best measured, has taken its place.
    doubles : the biases of every layer, float64 (n_channels, n_units), where theta holds them rounded: those of H2O.
    has_state : whether training can go on exactly: false of a file that keeps only what predicts. The update rule then
        remembers nothing.
    """

    layout: Layout
    theta: np.ndarray
    iterate: np.ndarray
    first: np.ndarray
    second: np.ndarray
    activity: np.ndarray
    rows_seen: int = 0
    n_updates: int = 0
    last: np.ndarray | None = None
    doubles: list[np.ndarray] | None = None
    has_state: bool = True

    @classmethod
    def zeros(cls, layout: Layout, *, averaged: bool) -> Network:
        """A network of this layout whose parameters are all 0; `averaged` keeps theta apart from the iterate."""

        def zeros() -> np.ndarray:
            return aligned_zeros(int(layout.weights[-1]))

        theta = zeros()
        activity = aligned_zeros(int(layout.units[-1]))
        return cls(layout, theta, zeros() if averaged else theta, zeros(), zeros(), activity)

    @property
    def n_layers(self) -> int:
        """Layers of weights: the hidden layers and the output layer."""
        return int(self.layout.widths.size)

    @property
    def n_channels(self) -> int:
        """The pre-activations of a hidden unit: 2 in a Maxout network, otherwise 1."""
        return max((self.layout.widths[:-1] // self.layout.padded[1:-1]).tolist(), default=1)

    def weights(self, layer: int, of: np.ndarray | None = None) -> np.ndarray:
        """A view of the weights into a layer, 0 being the first hidden layer: (n_inputs, n_channels, n_units).

        n_channels is 2 in the hidden layers of a Maxout network, otherwise 1. ``of`` is another flat array than theta.
        """
        layout = self.layout
        (n_inputs, n_units), (below, above) = layout.sizes[layer : layer + 2], layout.padded[layer : layer + 2]
        flat = self._layer(layer, of)[: -layout.widths[layer]]
        if layer == layout.n_input_major:
            return flat.reshape(n_units, 1, below)[:, :, :n_inputs].T
        return flat.reshape(n_inputs, layout.widths[layer] // above, above)[:, :, :n_units]

    def biases(self, layer: int, of: np.ndarray | None = None) -> np.ndarray:
        """A view of the biases of a layer: (n_channels, n_units)."""
        flat = self._layer(layer, of)[-self.layout.widths[layer] :]
        return flat.reshape(-1, self.layout.padded[layer + 1])[:, : self.layout.sizes[layer + 1]]

    def double_biases(self, layer: int) -> np.ndarray:
        """The biases of a layer as precisely as they are known: float64 (n_channels, n_units)."""
        return self.biases(layer).astype(np.float64) if self.doubles is None else self.doubles[layer]

    def unbounded_layer(self, largest_target: float = 0.0) -> int | None:
        """The first layer with a weight or bias that is not finite or beyond all bounds, None without one.

        largest_target : the largest absolute response as it is trained on. The output layer has to reach it: its bounds
            are at least ten times that.
        """
        for layer in range(self.n_layers):
            weights, biases = self.weights(layer), self.biases(layer)
            largest = max(weights.max(initial=0), -weights.min(initial=0))  # without a copy, as np.abs would make
            least = 10 * largest_target if layer == self.n_layers - 1 else 0.0
            if not (largest < max(LARGEST_WEIGHT, least) and np.abs(biases).max(initial=0) < max(LARGEST_BIAS, least)):
                return layer
        return None

    @property
    def is_averaged(self) -> bool:
        """Whether theta is a running average of what training moves."""
        return self.iterate is not self.theta

    def state(self, screening: Screening | None = None) -> State:
        """What training moves, as views; with what is known of the weights for penalties that make zeros, if any."""
        mean = self.theta if self.is_averaged else np.empty(0, np.float32)
        memories = self.first, self.second, self.activity
        return State(self.iterate, mean, *memories, screening, self.rows_seen, self.n_updates)

    def predicting_by(self, theta: np.ndarray) -> Network:
        """The same network with other parameters to predict by; it keeps its own for training to go on."""
        iterate = self.iterate if self.is_averaged else theta
        return dataclasses.replace(self, theta=theta, iterate=iterate, last=self.theta)

    def resumed(self, *, averaged: bool) -> Network:
        """A copy in the state that training left, to train on."""
        theta = self.theta if self.last is None else self.last
        iterate = self.iterate if self.is_averaged else theta
        network = Network.zeros(self.layout, averaged=averaged)
        network.theta[:] = theta
        network.iterate[:] = iterate
        network.first[:] = self.first
        network.second[:] = self.second
        network.activity[:] = self.activity
        network.rows_seen = self.rows_seen
        network.n_updates = self.n_updates if self.has_state else 0  # Adam corrects memories that start at 0
        return network

    def forgetting_zeros(self) -> Network:
        """The same network, where the update rule has no memory of weights that are 0, as of new ones."""
        idle = (self.theta == 0) & (self.iterate == 0) & (self.last is None or self.last == 0)
        first, second = (np.where(idle, np.float32(0), memory) for memory in (self.first, self.second))
        return dataclasses.replace(self, first=first, second=second)

    def up_to(self, layer: int) -> Network:
        """The network that ends with a layer, 0 being the first hidden layer; it shares the parameters."""
        return dataclasses.replace(self, layout=first_layers(self.layout, layer + 1))

    def with_inputs(self, inputs: np.ndarray) -> Network:
        """A copy that has only some of the inputs: int64, their indices."""
        layout = lay_out(
            [inputs.size, *self.layout.sizes[1:].tolist()],
            n_channels=self.n_channels,
        )
        arrays = self.to_arrays()
        for name in arrays:
            if name.startswith("layer1.weights"):
                arrays[name] = arrays[name][inputs]
        return Network.from_arrays(layout, arrays, self.rows_seen, self.n_updates)

    def to_arrays(self, *, state: bool = True) -> dict[str, np.ndarray]:
        """Copies of weights and biases by name, as a model file keeps them, with or without the state of training.

        That is the update rule's memory of each, and what training moves where that is not what predicts.
        """
        arrays = {
            name: view.copy(order="C")
            for layer in range(self.n_layers)
            for name, view in self._named(layer, state=state and self.has_state).items()
        }
        arrays |= {f"layer{i}.biases.double": biases for i, biases in enumerate(self.doubles or (), 1)}
        return arrays | ({"activity": self.activity.copy()} if self.activity.any() else {})

    @classmethod
    def from_arrays(
        cls, layout: Layout, arrays: Mapping[str, np.ndarray], rows_seen: int, n_updates: int = 0
    ) -> Network:
        """The network that `to_arrays` was called on.

        Raises
        ------
        KeyError, ValueError
            An array is missing, or not of the layout's shape.
        """
        network = cls.zeros(layout, averaged="layer1.weights.iterate" in arrays)
        network.rows_seen, network.n_updates = rows_seen, n_updates
        network.has_state = any(name.endswith((".first", ".second", ".iterate", ".last")) for name in arrays)
        if "activity" in arrays:
            if arrays["activity"].shape != network.activity.shape or arrays["activity"].dtype != np.float32:
                raise ValueError(f"activity must be float32 {network.activity.shape}")
            network.activity[:] = arrays["activity"]
        if "layer1.weights.last" in arrays:
            network.last = np.zeros_like(network.theta)
        for layer in range(network.n_layers):
            for name, view in network._named(layer, state=network.has_state).items():
                if arrays[name].shape != view.shape or arrays[name].dtype != np.float32:
                    raise ValueError(f"{name} must be float32 {view.shape}")
                view[...] = arrays[name]
        if "layer1.biases.double" in arrays:
            network.doubles = [arrays[f"layer{i}.biases.double"] for i in range(1, network.n_layers + 1)]
            for layer, exact in enumerate(network.doubles):
                rounded = network.biases(layer)
                if exact.shape != rounded.shape or not np.array_equal(exact.astype(np.float32), rounded):
                    raise ValueError("biases in double precision must be those that the others are rounded from")
        return network

    def _named(self, layer: int, *, state: bool) -> dict[str, np.ndarray]:
        """Views of what belongs to a layer: what predicts, and maybe the state of training."""
        kinds = {"": self.theta}
        if state:
            kinds |= {".first": self.first, ".second": self.second}
            kinds |= {".iterate": self.iterate} if self.is_averaged else {}
            kinds |= {} if self.last is None else {".last": self.last}
        return {
            f"layer{layer + 1}.{part}{kind}": view(layer, flat)
            for kind, flat in kinds.items()
            for part, view in (("weights", self.weights), ("biases", self.biases))
        }

    def _layer(self, layer: int, of: np.ndarray | None) -> np.ndarray:
        """The flat part that a layer has: its weights, then its biases, with their padding."""
        flat = self.theta if of is None else of
        return flat[self.layout.weights[layer] : self.layout.weights[layer + 1]]


def new_screening(network: Network, columns: np.ndarray) -> Screening:
    """What is known of weights for penalties that make zeros before any acted; weights of 0 are out, biases never are.

    columns : int64, where the inputs of each column start, and the number of inputs.
    """
    out, accumulated, rates_sum = (aligned_zeros(network.iterate.size) for _ in range(3))
    out[:] = OUT  # and what is only padding stays so
    for layer in range(network.n_layers):
        network.weights(layer, out)[network.weights(layer, network.iterate) != 0] = IN
        network.biases(layer, out)[...] = IN
    return Screening(
        columns, out, accumulated, rates_sum, np.array([network.rows_seen], np.int64), np.zeros(1, np.int64)
    )


def no_screening(network: Network) -> Screening:
    """The same without a weight: what kernels with such penalties are compiled for."""
    nothing = np.empty(0, np.float32)
    last_step, n_updates = np.array([network.rows_seen], np.int64), np.zeros(1, np.int64)
    return Screening(np.empty(0, np.int64), nothing, nothing, nothing, last_step, n_updates)


def initial_network(
    layout: Layout,
    activation: Activation,
    distribution: WeightDistribution,
    scale: float,
    random: np.random.Generator,
    *,
    absent_inputs: np.ndarray,
    averaged: bool,
) -> Network:
    """A network with random weights.

    UniformAdaptive draws from U(-r, r) with r = sqrt(6 / (units below + units above)) (Glorot and Bengio 2010); Uniform
    from U(-scale, scale), Normal from N(0, scale^2). Biases start at 0.5 in the first and 1 in further hidden layers of
    Rectifier and Maxout, otherwise at 0. (H2O draws the output layer of a classifier from 4 times that range, which
    starts training with confident wrong answers.)

    absent_inputs : indices of inputs that no training row has. Their weights start, and stay, at 0, so that a level or
    missing value first met at scoring adds nothing instead of noise.
    averaged : whether the network predicts by a running average of its parameters.
    """
    network = Network.zeros(layout, averaged=averaged)
    last = network.n_layers - 1
    for layer in range(network.n_layers):
        weights = network.weights(layer)
        if distribution == "Normal":
            weights[...] = random.normal(0.0, scale, weights.shape)
        else:
            below, above = layout.sizes[layer], layout.sizes[layer + 1]
            width = np.sqrt(6.0 / (below + above)) if distribution == "UniformAdaptive" else scale
            weights[...] = random.uniform(-width, width, weights.shape)
        if layer < last:
            network.biases(layer)[...] = activation.first_bias if layer == 0 else activation.bias
    network.weights(0)[absent_inputs] = 0.0
    network.iterate[:] = network.theta
    return network
