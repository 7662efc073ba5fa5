"""Several networks as one whose linear outputs are the means of theirs.

The hidden layers of the joint network have the units of all members side by side, and weights of 0 between units of
different members. The weights into the outputs are those of the members over their number, and so are the biases.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .network import Network
from .topology import lay_out


def join(networks: Sequence[Network]) -> Network:
    """The joint network of members of the same shape; what training knows of them is left out."""
    layout, n_members = networks[0].layout, len(networks)
    sizes = layout.sizes.tolist()
    wide = [sizes[0], *(n_members * size for size in sizes[1:-1]), sizes[-1]]
    joint = Network.zeros(lay_out(wide, n_channels=networks[0].n_channels), averaged=False)
    for member, network in enumerate(networks):
        for layer in range(network.n_layers):
            inputs, outputs = _own(network, layer, member)
            divisor = np.float32(n_members if layer == network.n_layers - 1 else 1)
            joint.weights(layer)[inputs, :, outputs] += network.weights(layer) / divisor
            joint.biases(layer)[:, outputs] += network.biases(layer) / divisor
    joint.rows_seen = sum(network.rows_seen for network in networks)
    joint.has_state = False
    return joint


def apart(joint: Network, n_members: int) -> list[Network]:
    """The members of a joint network as they were, but for the biases of the outputs, of which each has the mean."""
    sizes = joint.layout.sizes.tolist()
    narrow = [sizes[0], *(size // n_members for size in sizes[1:-1]), sizes[-1]]
    layout = lay_out(narrow, n_channels=joint.n_channels)
    networks = []
    for member in range(n_members):
        network = Network.zeros(layout, averaged=False)
        for layer in range(network.n_layers):
            inputs, outputs = _own(network, layer, member)
            factor = np.float32(n_members if layer == network.n_layers - 1 else 1)
            network.weights(layer)[...] = joint.weights(layer)[inputs, :, outputs] * factor
            network.biases(layer)[...] = joint.biases(layer)[:, outputs]
        networks.append(network)
    return networks


def is_joint(network: Network, n_members: int) -> bool:
    """Whether the network has no weight other than 0 between units of different members."""
    sizes = network.layout.sizes
    for layer in range(1, network.n_layers - 1 if n_members > 1 else 1):
        below, above = (np.arange(size) // (size // n_members) for size in sizes[layer : layer + 2].tolist())
        if network.weights(layer).transpose(0, 2, 1)[below[:, np.newaxis] != above].any():
            return False
    return True


def _own(network: Network, layer: int, member: int) -> tuple[slice, slice]:
    """The inputs and outputs that a member has in a layer of the joint network."""
    below, above = network.layout.sizes[layer : layer + 2].tolist()
    inputs = slice(None) if layer == 0 else slice(member * below, (member + 1) * below)
    is_output = layer == network.n_layers - 1
    return inputs, slice(None) if is_output else slice(member * above, (member + 1) * above)
