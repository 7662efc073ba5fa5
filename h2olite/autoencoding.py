"""Rules about autoencoders, which have no response, and about the settings that only they have.

They are of the same form as those of `h2olite.rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

from h2olite.parameters import Parameters, declared, exactly

DISTRIBUTIONS = ("AUTO", "gaussian", "laplace", "quantile", "huber")
"""Distributions whose loss can be taken of each reconstructed input."""

STOPPING_METRIC = "MSE"
"""The only thing that is measured; AUTO stands for it."""

ABOUT_RESPONSES = (
    *("y", "offset_column", "nfolds", "fold_column", "balance_classes", "class_sampling_factors"),
    "custom_metric_func",
)
"""Parameters that make no sense without a response."""


def response_settings_need_a_response(p: Parameters) -> Iterator[str]:
    """An autoencoder's rows tell nothing but their inputs."""
    for name in ABOUT_RESPONSES:
        if p.autoencoder and getattr(p, name) != declared()[name].default:
            yield f"{name} cannot be given for an autoencoder, which has no response; leave it out."


def response_choices_need_a_response(p: Parameters) -> Iterator[str]:
    """Some values of other parameters go by the response as well."""
    for name, value in (
        ("loss", "CrossEntropy"),
        ("categorical_encoding", "SortByResponse"),
        ("score_validation_sampling", "Stratified"),
    ):
        if p.autoencoder and getattr(p, name) == value:
            yield f"{name} {value} needs a response, which an autoencoder has not; choose another {name}."


def reconstruction_loss_is_of_errors(p: Parameters) -> Iterator[str]:
    """Inputs are neither classes nor counts."""
    if p.autoencoder and p.distribution not in DISTRIBUTIONS:
        yield f"distribution of an autoencoder must be one of {', '.join(DISTRIBUTIONS)}; got {p.distribution}."


def outputs_have_one_channel(p: Parameters) -> Iterator[str]:
    """The outputs have the hidden activation, and an output is one number."""
    if p.autoencoder and p.activation.startswith("Maxout"):
        yield f"activation of an autoencoder must be Tanh, Rectifier or ExpRectifier; got {p.activation}."


def only_reconstruction_is_measured(p: Parameters) -> Iterator[str]:
    """There is one metric."""
    if p.autoencoder and p.stopping_metric not in ("AUTO", STOPPING_METRIC):
        yield f"stopping_metric of an autoencoder must be {STOPPING_METRIC}; got {p.stopping_metric}."


def sparsity_is_of_autoencoders(p: Parameters) -> Iterator[str]:
    """As in H2O."""
    if p.sparsity_beta > 0 and not p.autoencoder:
        yield "sparsity_beta needs an autoencoder; pass autoencoder=True."


def average_activation_is_in_reach(p: Parameters) -> Iterator[str]:
    """The activation must be able to have such values."""
    if not p.autoencoder or p.sparsity_beta == 0:
        return
    if p.activation.startswith("Rectifier"):
        if p.average_activation <= 0:
            yield f"average_activation must be > 0 for activation {p.activation}; got {exactly(p.average_activation)}."
    elif not -1 < p.average_activation < 1:
        got = exactly(p.average_activation)
        yield f"average_activation must be > -1 and < 1 for activation {p.activation}; got {got}."


RULES = (
    response_settings_need_a_response,
    response_choices_need_a_response,
    reconstruction_loss_is_of_errors,
    outputs_have_one_channel,
    only_reconstruction_is_measured,
    sparsity_is_of_autoencoders,
    average_activation_is_in_reach,
)


def average_activation_is_idle_without_sparsity(p: Parameters) -> Iterator[str]:
    """Nothing pulls activations there."""
    if p.average_activation != 0 and p.sparsity_beta == 0:
        yield "average_activation has no effect while sparsity_beta is 0; pass sparsity_beta."


def levels_have_all_inputs(p: Parameters) -> Iterator[str]:
    """Otherwise the first level of a column could not be reconstructed."""
    if p.autoencoder and not p.use_all_factor_levels:
        yield "use_all_factor_levels is always on for an autoencoder, which reconstructs every level; leave it out."


IDLE_RULES = (average_activation_is_idle_without_sparsity, levels_have_all_inputs)
