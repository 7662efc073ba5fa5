"""What resolved parameters mean for the kernels: the layout of the network, the objective, and the update rule."""

from __future__ import annotations

import numpy as np

from h2olite.data.encoding import EncodedRows, RowEncoder
from h2olite.data.response import ResponseEncoder
from h2olite.kernels.layout import Layout
from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.kinds.activations import activation_of
from h2olite.kinds.distributions import CROSS_ENTROPY, DISTRIBUTIONS
from h2olite.kinds.rate_schedules import RATE_SCHEDULES
from h2olite.kinds.update_rules import update_rule_of
from h2olite.network.network import Network
from h2olite.network.topology import lay_out
from h2olite.settings.parameters import Parameters

from .averaging import Elastic

LARGEST = float(np.finfo(np.float32).max)

AVERAGING_INTERVAL = 32
"""Least rows between two looks at the weights for their average, which costs about a fifth of training on one row."""


def layout_of(encoder: RowEncoder, response: ResponseEncoder | None, parameters: Parameters) -> Layout:
    """The layout of a network: an output per class, one for a number, or as many outputs as inputs.

    That of an ensemble has the units of all its networks.
    """
    n_outputs = encoder.n_inputs if response is None else max(response.n_classes, 1)
    hidden = [parameters.ensemble * n_units for n_units in parameters.hidden]
    return lay_out([encoder.n_inputs, *hidden, n_outputs], n_channels=activation_of(parameters.activation).n_channels)


def single(number: float) -> np.float32:
    """A number as kernels take it; one that is too large becomes their largest."""
    return np.float32(np.clip(number, -LARGEST, LARGEST))


def objective_of(parameters: Parameters) -> Objective:
    """The objective that resolved parameters describe; Huber's delta starts at 1 and follows the residuals later."""
    distribution = DISTRIBUTIONS[parameters.distribution]
    code = distribution.code(parameters.loss)
    shape = 0.0 if distribution.shape is None else getattr(parameters, distribution.shape)
    if code == CROSS_ENTROPY:
        shape = parameters.label_smoothing
    hidden_ratios = parameters.hidden_dropout_ratios or [0.0] * len(parameters.hidden)
    return Objective(
        loss=code,
        shape=np.float32(1.0 if distribution.name == "huber" else shape),
        activation=activation_of(parameters.activation).code,
        dropout=np.array([parameters.input_dropout_ratio, *hidden_ratios, 0.0], np.float32),
        seed=np.uint64(parameters.seed % 2**64),
        autoencoder=parameters.autoencoder,
        average_activation=single(parameters.average_activation),
        sparsity_beta=single(parameters.sparsity_beta),
    )


def rule_of(parameters: Parameters, rows: EncodedRows, network: Network) -> Rule:
    """The update rule that resolved parameters describe.

    Its interval is that of averages which take little time next to training, which leaves the weights of absent levels
    and zeros alone.
    """
    n_numeric = rows.numbers.shape[1]
    n_levels = int(network.layout.sizes[0]) - n_numeric
    n_idle = max(n_levels - rows.levels.shape[1], 0) + n_numeric - rows.numbers_in_use()
    idle = n_idle * int(network.layout.widths[0])
    interval = AVERAGING_INTERVAL * network.theta.size // (network.theta.size - idle)
    kind = update_rule_of(parameters.update_rule, parameters.adaptive_rate)
    return Rule(
        kind=kind.code,
        rho=single(parameters.rho),
        epsilon=single(parameters.epsilon),
        rate=single(getattr(parameters, kind.rate) if kind.rate else 0.0),
        beta1=single(parameters.beta1),
        beta2=single(parameters.beta2),
        annealing=single(parameters.rate_annealing),
        decay=single(parameters.rate_decay),
        momentum_start=single(parameters.momentum_start),
        momentum_ramp=single(parameters.momentum_ramp),
        momentum_stable=single(parameters.momentum_stable),
        nesterov=parameters.nesterov_accelerated_gradient,
        l1=single(parameters.l1),
        input_group_l1=single(parameters.input_group_l1),
        l2=single(parameters.l2),
        max_w2=single(parameters.max_w2),
        fast=parameters.fast_mode,
        window=single(parameters.averaging_window),
        interval=np.int64(interval),
        proximal_interval=np.int64(0),
        pace=np.float32(1),
        schedule=RATE_SCHEDULES[parameters.rate_schedule].code,
        schedule_start=np.float64(0),
        schedule_rows=np.float64(np.inf),
    )


def scheduled(rule: Rule, rows_seen: int, past_epochs: float, parameters: Parameters, rows_per_epoch: int) -> Rule:
    """The same rule with its schedule over all epochs, of which some are past after so many rows seen."""
    return rule._replace(
        schedule_start=np.float64(rows_seen - round(past_epochs * rows_per_epoch)),
        schedule_rows=np.float64(max(parameters.epochs * rows_per_epoch, 1.0)),
    )


def elastic_of(parameters: Parameters) -> Elastic | None:
    """The elastic averaging that resolved parameters describe, if any."""
    if not parameters.elastic_averaging:
        return None
    return Elastic(
        single(parameters.elastic_averaging_moving_rate), single(parameters.elastic_averaging_regularization)
    )
