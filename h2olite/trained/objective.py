"""What training has minimised, and how much of it the penalties are.

The objective is the mean loss + l1 * sum |w| + l2 / 2 * sum w^2 over all weights w, without biases,
+ input_group_l1 * the sum over the predictors of sqrt(number of weights) * norm of the weights out of its inputs.
With AdamW there is no term of l2: what its shrinking minimises is not known.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.kinds.update_rules import update_rule_of
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters

from .network import TrainedNetwork

UNFINISHED = 0.25
"""Share of the objective from which on penalties are far from done when training errors end the training."""


def penalties(model: TrainedNetwork, parameters: Parameters) -> list[float]:
    """What l1, l2 and input_group_l1 of these parameters add to the mean loss, by layer of weights.

    Of an ensemble it is the mean over its networks, each of which was penalised for itself.
    """
    by_network = [_penalties(network, model.encoder, parameters) for network in model.members]
    return np.mean(by_network, axis=0).tolist()


def _penalties(network: Network, encoder: RowEncoder, parameters: Parameters) -> list[float]:
    """What the penalties on one network add."""
    weights = [network.weights(layer).astype(np.float64) for layer in range(network.n_layers)]
    rule = update_rule_of(parameters.update_rule, parameters.adaptive_rate)
    l2 = parameters.l2 if rule.minimises_l2 else 0.0
    added = [parameters.l1 * float(np.abs(w).sum()) + l2 / 2 * float(np.square(w).sum()) for w in weights]
    if parameters.input_group_l1:
        squares = np.square(weights[0]).sum(axis=(1, 2))
        for start, end in itertools.pairwise(encoder.column_starts):
            n_weights = weights[0][start:end].size
            added[0] += parameters.input_group_l1 * np.sqrt(n_weights * squares[start:end].sum())
    return [float(of_layer) for of_layer in added]


def training_loss(model: TrainedNetwork) -> float | None:
    """The mean loss on the training rows, of a standardised response where training standardises it.

    None if the metrics do not tell it: for an autoencoder, and for classes under loss Quadratic or with
    label_smoothing.
    """
    if model.training_metrics is None or model.response is None:
        return None
    if model.response.levels is not None:
        is_told = model.parameters.loss != "Quadratic" and not model.parameters.label_smoothing
        return model.training_metrics["logloss"] if is_told else None
    power = DISTRIBUTIONS[model.parameters.distribution].power
    return float(model.training_metrics["mean_residual_deviance"] * model.response.multiplier**power)


def describe_penalties(model: TrainedNetwork) -> list[dict[str, float | None]]:
    """What the penalties add to the mean loss, by layer, and their share of the objective; None if it is not known."""
    added, loss = penalties(model, model.parameters), training_loss(model)
    total = sum(added)
    return [
        {
            "penalty": of_layer,
            "penalty_share": None if loss is None else of_layer / (loss + total) if of_layer else 0.0,
        }
        for of_layer in added
    ]


def describe_objective(model: TrainedNetwork) -> dict[str, float | None]:
    """The training loss, what the penalties add to it, and their share of both; None where that is not known."""
    by_layer, loss = describe_penalties(model), training_loss(model)
    penalty, share = (sum(row[name] or 0.0 for row in by_layer) for name in ("penalty", "penalty_share"))
    return {"loss": loss, "penalty": penalty, "penalty_share": None if loss is None else share}


def advice_on_penalties(model: TrainedNetwork) -> Iterator[str]:
    """Sentences on penalties that had no time to do what they are for."""
    share = describe_objective(model)["penalty_share"]
    if share is None:
        return
    if model.stopped_by in ("classification_stop", "regression_stop") and share > UNFINISHED:
        yield (
            f"{model.stopped_by} ended training when the training rows were predicted without error, before the "
            f"penalties had done their part; pass {model.stopped_by}=-1 to train on."
        )
