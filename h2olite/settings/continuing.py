"""What training that goes on from a checkpoint takes over from it, and what it may not change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from .parameters import Parameters, declared, exactly

KEPT = (
    *("ignore_const_cols", "use_all_factor_levels", "standardize", "sparse", "sparse_from", "categorical_encoding"),
    *(
        "numeric_encoding",
        "max_categorical_features",
        "activation",
        "hidden",
        "ensemble",
        "autoencoder",
        "sparsity_beta",
    ),
    *("adaptive_rate", "update_rule", "rho", "epsilon", "rate", "rate_annealing", "rate_decay"),
    *("adam_rate", "beta1", "beta2"),
    *("momentum_start", "momentum_ramp", "momentum_stable", "nesterov_accelerated_gradient"),
    *("distribution", "quantile_alpha", "tweedie_power", "huber_alpha"),
    *("balance_classes", "class_sampling_factors", "max_after_balance_size"),
)
"""Parameters on which the network, its inputs, or the update rule's memory of the past depend."""

OWN_START = ("pretrained_autoencoder", "initial_weights", "initial_biases")
"""Parameters that say where training starts from when it does not go on."""


class Checkpoint(NamedTuple):
    """What the rules need to know of a model whose training goes on: how, how long and with what it was trained."""

    parameters: Parameters
    epochs: float
    validated: bool

    @property
    def n_classes(self) -> int | None:
        """A number of classes that goes with the distribution; None for a numeric response."""
        return {"bernoulli": 2, "multinomial": 3}.get(self.parameters.distribution)


def inherited(parameters: Parameters) -> Parameters:
    """The parameters to go on with: those of the checkpoint but for its name, its folds' and where it came from."""
    own = [name for name, parameter in declared().items() if parameter.group == "continuing"]
    reset = (*own, "model_id", "fold_assignment")  # which goes with nfolds only
    return dataclasses.replace(parameters, **{name: declared()[name].default for name in reset})


def faults(p: Parameters, checkpoint: Checkpoint) -> list[str]:
    """Why training cannot go on from a checkpoint with these parameters, in which no choice is left to be made."""
    return [fault for rule in RULES for fault in rule(p, checkpoint)]


def network_and_update_rule_stay(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """Weights and the memory of gradients mean nothing to another network or rule."""
    for name in KEPT:
        value, kept = getattr(p, name), getattr(checkpoint.parameters, name)
        if value != kept:
            yield f"{name} must be as in the checkpoint ({kept}); got {value}."


def ignored_columns_stay(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """They are no inputs of the network."""
    value, kept = p.ignored_columns or [], checkpoint.parameters.ignored_columns or []
    if set(value) != set(kept):
        yield f"ignored_columns must be as in the checkpoint ({kept}); got {value}."


def more_epochs_than_before(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """`epochs` counts from the very beginning."""
    if p.epochs <= checkpoint.epochs:
        least, got = exactly(checkpoint.epochs), exactly(p.epochs)
        yield f"epochs must be > {least}, the epochs trained until the checkpoint; got {got}."


def ensembles_do_not_go_on(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """Their files hold the networks as one, without the memory that the update rule has of each."""
    if checkpoint.parameters.ensemble > 1:
        yield "training cannot go on from an ensemble; train a new one with more epochs."


def held_out_rows_stay(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """Another seed would hold out rows that the network has learnt from."""
    kept = checkpoint.parameters
    if p.holdout_share and (p.holdout_share, p.seed) != (kept.holdout_share, kept.seed):
        yield (
            "holdout_share and seed must be as in the checkpoint "
            f"({exactly(kept.holdout_share)} and {kept.seed}), or rows held out now may have been learnt from; got "
            f"{exactly(p.holdout_share)} and {p.seed}."
        )


def validation_stays(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """Training and validation metrics cannot take turns in one history."""
    had, has = checkpoint.validated, p.validation_frame is not None or p.holdout_share > 0
    if had != has:
        yield f"validation_frame must be {'given' if had else 'left out'}, as it was until the checkpoint."


def cross_validation_needs_a_new_model(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """Models of folds would have seen their hold-out rows."""
    if p.nfolds or p.fold_column is not None:
        yield "nfolds and fold_column cannot be combined with checkpoint; cross-validate a new model."


def checkpoint_is_the_only_start(p: Parameters, checkpoint: Checkpoint) -> Iterator[str]:
    """There are weights already."""
    for name in OWN_START:
        if getattr(p, name) is not None:
            yield f"{name} cannot be combined with checkpoint, which has weights already; leave one of them out."


RULES = (
    network_and_update_rule_stay,
    ignored_columns_stay,
    more_epochs_than_before,
    ensembles_do_not_go_on,
    held_out_rows_stay,
    validation_stays,
    cross_validation_needs_a_new_model,
    checkpoint_is_the_only_start,
)
