"""The twin's gradients, by which the kernels are judged, are those of the stated objective."""

import naive
import numpy as np
import pytest
from examples import ACTIVATIONS, AUTOENCODERS, LOSSES, N_INPUTS, network, objective, table


def finite_differences(layers, value, h=1e-5):
    """The derivative of value() by every parameter of every layer."""
    found = []
    for layer in layers:
        derivative = np.empty_like(layer.parameters)
        for index in np.ndindex(derivative.shape):
            middle = layer.parameters[index]
            layer.parameters[index] = middle + h
            above = value()
            layer.parameters[index] = middle - h
            derivative[index] = (above - value()) / (2 * h)
            layer.parameters[index] = middle
        found.append(derivative)
    return found


@pytest.mark.parametrize("hidden", [(), (5,), (4, 3)], ids=lambda hidden: f"{len(hidden)} hidden")
@pytest.mark.parametrize("dropout", [0.0, 0.4], ids=["all units", "dropout"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_agree_with_finite_differences(activation, loss, dropout, hidden):
    goal = objective(loss, activation, hidden)
    layers = naive.layers_of(network(loss, activation, hidden))
    data = table(3, loss, weights=True, offsets=LOSSES[loss][2] == 1)
    masks = [naive.keep(dropout, 1, 0, 3, layer, units) for layer, units in enumerate(hidden, start=1)]
    check(layers, goal, data, masks)


@pytest.mark.parametrize("loss", AUTOENCODERS["loss"])
@pytest.mark.parametrize("activation", AUTOENCODERS["activation"])
def test_gradients_of_autoencoders_are_those_of_outputs_that_move_as_if_linear(activation, loss):
    goal = objective(loss, activation, autoencoder=True)
    layers = naive.layers_of(network(loss, activation, n_outputs=N_INPUTS))
    data = naive.with_inputs_as_target(table(3, weights=True), N_INPUTS)
    data.target[...] += 0.01  # away from a Rectifier's outputs of 0, at which the quantile loss would have a kink
    masks = [naive.keep(0.4, 1, 0, 3, layer, units) for layer, units in enumerate((6, 5), start=1)]
    check(layers, goal, data, masks)


def check(layers, goal, data, masks, l2=0.01):
    """Compare the twin's gradients with finite differences of the objective."""
    around = naive.outputs(layers, goal, data, masks)
    expected = finite_differences(layers, lambda: naive.objective_value(layers, goal, data, masks, l2, around))
    for layer, gradient, derivative in zip(layers, naive.gradients(layers, goal, data, masks), expected, strict=True):
        # The differences themselves are exact to about 1e-10: the rounding of the objective divided by h.
        np.testing.assert_allclose(naive.with_decay(gradient, layer, l2), derivative, rtol=1e-5, atol=2e-9)
