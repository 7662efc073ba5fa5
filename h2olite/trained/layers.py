"""The layers of a trained network, for people: sizes, learning rates, statistics of weights and biases."""

from __future__ import annotations

from typing import Any

import numpy as np

from h2olite.kinds.rate_schedules import RATE_SCHEDULES
from h2olite.kinds.update_rules import ADADELTA, ADAM, ADAMW, update_rule_of
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters
from h2olite.training.task import single

from .network import TrainedNetwork
from .objective import describe_penalties

RATES = ("mean_rate", "rate_rms", "momentum")
"""What is told of a layer's steps, which takes the state of training to know."""


def describe_layers(model: TrainedNetwork) -> list[dict[str, Any]]:
    """One row per layer, the inputs first, with H2O's column names.

    The weights of pruned inputs, which the network no longer has, count as zeros.

    mean_rate and rate_rms are mean and standard deviation of ADADELTA's step sizes sqrt((D + epsilon) / (G + epsilon)),
    without those of weights of 0 that it has no memory of, of Adam's rates (see `_rates_of_adam`), or the learning rate
    of SGD; momentum is the one in use at the end, of Adam beta1. Every *_rms is a standard deviation. l1_norm is
    sum |w|, l2_norm sqrt(sum w^2); penalty is what the layer adds to the objective, and penalty_share its share (see
    `h2olite.trained.objective`). violation is how far the layer is from an optimum under penalties that make zeros, in
    units of their strength (see `h2olite.training.optimality.violations`); None without them, and with AdamW.
    """
    network, parameters, of_penalties, rates = (
        model.network,
        model.parameters,
        describe_penalties(model),
        rates_of(model),
    )
    sizes = network.layout.sizes.tolist()
    violations: list[float | None] = [*model.record.violations] or [None] * network.n_layers
    kind = parameters.activation.replace("WithDropout", "Dropout")
    own_outputs = {"Regression": "Linear", "AutoEncoder": parameters.activation.removesuffix("WithDropout")}
    output = own_outputs.get(model.category, "Softmax")
    ratios = parameters.hidden_dropout_ratios or [0.0] * len(parameters.hidden)
    rows: list[dict[str, Any]] = [
        {"layer": 1, "units": sizes[0], "type": "Input", "dropout": 100 * parameters.input_dropout_ratio}
    ]
    for layer, units in enumerate(sizes[1:]):
        is_output = layer == network.n_layers - 1
        biases = network.biases(layer)
        weights = network.weights(layer).astype(np.float64)
        unseen = n_unseen(model, layer)
        n_weights = weights.size + unseen
        mean = weights.sum() / n_weights
        squares = np.square(weights - mean).sum() + unseen * mean**2
        rows.append(
            {
                "layer": layer + 2,
                "units": units,
                "type": output if is_output else kind,
                "dropout": None if is_output else 100 * ratios[layer],
                "l1": parameters.l1,
                "l2": parameters.l2,
                **rates[layer],
                "mean_weight": float(mean),
                "weight_rms": float(np.sqrt(squares / n_weights)),
                "mean_bias": float(biases.mean(dtype=np.float64)),
                "bias_rms": float(biases.std(dtype=np.float64)),
                "zero_share": (n_weights - int(np.count_nonzero(weights))) / n_weights,
                "l1_norm": float(np.abs(weights).sum()),
                "l2_norm": float(np.sqrt(np.square(weights).sum())),
                **of_penalties[layer],
                "violation": violations[layer],
            }
        )
    return rows


def n_unseen(model: TrainedNetwork, layer: int) -> int:
    """How many more weights of 0 a layer has than its matrix: those of pruned inputs.

    Below 0 between hidden layers of an ensemble, whose matrix has zeros in the place of weights between networks.
    """
    network, n_networks = model.network, model.parameters.ensemble
    if layer == 0:
        return model.record.pruned_inputs * network.biases(0).size
    own = network.weights(layer).size // n_networks if layer < network.n_layers - 1 else network.weights(layer).size
    return own - network.weights(layer).size


def rates_of(model: TrainedNetwork) -> list[dict[str, float]]:
    """Learning rate and momentum of each layer, as long as it is known; those of a file without state stand in it."""
    if not model.network.has_state and model.rates is not None:
        return model.rates
    epochs = model.parameters.epochs
    done = min(model.record.epochs / epochs, 1.0) if epochs else 1.0
    factor = RATE_SCHEDULES[model.parameters.rate_schedule].factor(done)
    by_layer = [_rates(model.network, model.parameters, layer) for layer in range(model.network.n_layers)]
    return [
        {name: rate if name == "momentum" else factor * rate for name, rate in of_layer.items()}
        for of_layer in by_layer
    ]


def _rates(network: Network, parameters: Parameters, layer: int) -> dict[str, float]:
    """Learning rate and momentum of a layer at the end of training; none of an update rule that made no step.

    None either where they leave the range of float32, as with memories that no training has left.
    """
    if not network.rows_seen:
        return {}
    rule = update_rule_of(parameters.update_rule, parameters.adaptive_rate)
    if rule.code in (ADAM, ADAMW):
        return _rates_of_adam(network, parameters, layer)
    if rule.code == ADADELTA:
        epsilon = single(parameters.epsilon)
        known = (network.weights(layer) != 0) | (network.weights(layer, network.first) != 0)
        rates = network.weights(layer, network.second)[known] + epsilon
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            rates /= network.weights(layer, network.first)[known] + epsilon
            np.sqrt(rates, out=rates)
        if not rates.size:
            return {"mean_rate": 0.0, "rate_rms": 0.0, "momentum": 0.0}
        if not np.isfinite(rates).all():
            return {}
        mean, deviation = rates.mean(dtype=np.float64), rates.std(dtype=np.float64)
        return {"mean_rate": float(mean), "rate_rms": float(deviation), "momentum": 0.0}
    progress = min(network.rows_seen / parameters.momentum_ramp, 1.0) if parameters.momentum_ramp > 0 else 1.0
    rate = parameters.rate * parameters.rate_decay**layer / (1 + parameters.rate_annealing * network.rows_seen)
    momentum = parameters.momentum_start + (parameters.momentum_stable - parameters.momentum_start) * progress
    return {"mean_rate": rate, "rate_rms": 0.0, "momentum": momentum}


def _rates_of_adam(network: Network, parameters: Parameters, layer: int) -> dict[str, float]:
    """The rates by which Adam multiplies its means of gradients, of the weights that a gradient has reached.

    adam_rate / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon), with t the number of updates.
    """
    n_updates, of_means = network.n_updates, {"momentum": parameters.beta1}
    squares = network.weights(layer, network.second)
    squares = squares[squares > 0].astype(np.float64)
    if not (n_updates and squares.size):
        return {"mean_rate": 0.0, "rate_rms": 0.0} | of_means
    roots = np.sqrt(squares / (1 - parameters.beta2**n_updates))
    rates = parameters.adam_rate / (1 - parameters.beta1**n_updates) / (roots + parameters.epsilon)
    return {"mean_rate": float(rates.mean()), "rate_rms": float(rates.std())} | of_means
