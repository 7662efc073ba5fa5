"""Rules that find parameters which were changed to no effect, which is worth a warning.

Each yields a sentence for every such parameter. `IDLE_RULES` are about parameters alone, `IDLE_RESPONSE_RULES` about
what they mean for a given response.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.kinds.update_rules import UPDATE_RULES, update_rule_of

from .parameters import Parameters
from .rules import (
    DISTRIBUTED_SETTINGS,
    ELASTIC_SETTINGS,
    Response,
    becomes_bounded,
    distribution_of,
    wants_multinomial_auc,
)


def other_update_rule_is_idle(p: Parameters) -> Iterator[str]:
    """Update rules have settings of their own."""
    used = update_rule_of(p.update_rule, p.adaptive_rate)
    names = dict.fromkeys(name for rule in UPDATE_RULES.values() for name in rule.settings if name not in used.settings)
    for name in _changed(p, names):
        owners = [rule for rule in UPDATE_RULES.values() if name in rule.settings]
        if p.update_rule == "AUTO" and owners[0] == update_rule_of("AUTO", not p.adaptive_rate):
            state = "on" if p.adaptive_rate else "off"
            yield f"{name} has no effect while adaptive_rate is {state}; pass adaptive_rate={not p.adaptive_rate}."
        elif name in {rule.rate for rule in owners} and used.rate is not None:
            yield f"{name} has no effect with update_rule {used.name}; pass {used.rate}."
        else:
            yield f"{name} has no effect with update_rule {used.name}; pass update_rule={owners[0].name!r}."


def stopping_settings_are_idle_without_rounds(p: Parameters) -> Iterator[str]:
    """Without stopping_rounds nothing is stopped, yet the metric still tells which model is best."""
    if p.stopping_rounds == 0:
        for name in _changed(p, ("stopping_metric", "stopping_tolerance")):
            picks = name == "stopping_metric" and p.overwrite_with_best_model
            effect = "only picks the best model" if picks else "has no effect"
            yield f"{name} {effect} while stopping_rounds is 0; pass stopping_rounds to stop early."


def settings_of_other_distributions_are_idle(p: Parameters) -> Iterator[str]:
    """A shape parameter belongs to one distribution."""
    owners = {distribution.shape: name for name, distribution in DISTRIBUTIONS.items() if distribution.shape}
    for name in _changed(p, owners):
        if distribution_of(p, None) != owners[name]:
            yield f"{name} has no effect without distribution {owners[name]}; pass distribution={owners[name]!r}."


def scale_is_idle_for_uniform_adaptive(p: Parameters) -> Iterator[str]:
    """UniformAdaptive takes its width from the layer sizes."""
    if p.initial_weight_distribution == "UniformAdaptive" and _changed(p, ("initial_weight_scale",)):
        yield (
            "initial_weight_scale has no effect on UniformAdaptive initial weights; "
            "pass initial_weight_distribution='Uniform' or 'Normal'."
        )


def kept_folds_are_idle_without_folds(p: Parameters) -> Iterator[str]:
    """Without cross-validation there is nothing of it to keep."""
    if not p.nfolds and p.fold_column is None:
        for name in _changed(p, ("keep_cross_validation_predictions", "keep_cross_validation_fold_assignment")):
            yield f"{name} has no effect without cross-validation; pass nfolds or fold_column."


def balancing_limit_is_idle_without_balancing(p: Parameters) -> Iterator[str]:
    """It limits what balance_classes makes."""
    if not p.balance_classes and _changed(p, ("max_after_balance_size",)):
        yield "max_after_balance_size has no effect without balance_classes; pass balance_classes=True."


def sampling_method_is_idle_without_a_sample(p: Parameters) -> Iterator[str]:
    """All rows are all rows, however they are drawn."""
    if p.score_validation_samples == 0 and _changed(p, ("score_validation_sampling",)):
        yield (
            "score_validation_sampling has no effect while score_validation_samples is 0, which takes all rows; "
            "pass score_validation_samples."
        )


def settings_of_distributed_training_are_idle(p: Parameters) -> Iterator[str]:
    """Rows are on one machine, or on one of a cluster each; averages come after fixed numbers of rows."""
    for name in _changed(p, DISTRIBUTED_SETTINGS):
        yield f"{name} has no effect; h2olite.dask trains on several machines, by replicas."


def averaging_is_idle_without_replicas(p: Parameters) -> Iterator[str]:
    """One copy has no other to be averaged with."""
    if p.replicas == 1:
        for name in _changed(p, ("averaging_rows", "elastic_averaging", *ELASTIC_SETTINGS)):
            yield f"{name} has no effect while replicas is 1; pass replicas."
    elif not p.elastic_averaging:
        for name in _changed(p, ELASTIC_SETTINGS):
            yield f"{name} has no effect without elastic_averaging; pass elastic_averaging=True."


def metrics_of_other_responses_are_idle(p: Parameters, response: Response) -> Iterator[str]:
    """Each of the two is about one number of classes."""
    if wants_multinomial_auc(p) and response.kind != "many classes":
        yield f"auc_type has no effect on the metrics of {response.name}, which has not more than two classes."
    if response.kind != "two classes":
        for name in _changed(p, ("gainslift_bins",)):
            yield f"{name} has no effect on the metrics of {response.name}, which has not two classes."


def diagnostics_are_always_on(p: Parameters) -> Iterator[str]:
    """The statistics of layers cost next to nothing."""
    if not p.diagnostics:
        yield "diagnostics has no effect: the statistics of the layers are always there."


def metric_named_in_a_file_is_not_run(p: Parameters) -> Iterator[str]:
    """Going on from a model file must not run code that the file names."""
    if isinstance(p.custom_metric_func, str):
        yield f"custom_metric_func {p.custom_metric_func} of the checkpoint is not run; pass it again to measure it."


def infinite_max_w2_is_bounded(p: Parameters) -> Iterator[str]:
    """Not idle, but not what was asked for either."""
    if becomes_bounded(p):
        yield f"max_w2 inf becomes 1000 with {p.activation}, as in H2O; leave it out for no limit."


IDLE_RULES = (
    other_update_rule_is_idle,
    stopping_settings_are_idle_without_rounds,
    settings_of_other_distributions_are_idle,
    scale_is_idle_for_uniform_adaptive,
    kept_folds_are_idle_without_folds,
    balancing_limit_is_idle_without_balancing,
    sampling_method_is_idle_without_a_sample,
    settings_of_distributed_training_are_idle,
    averaging_is_idle_without_replicas,
    diagnostics_are_always_on,
    metric_named_in_a_file_is_not_run,
    infinite_max_w2_is_bounded,
)

IDLE_RESPONSE_RULES = (metrics_of_other_responses_are_idle,)


def _changed(p: Parameters, names: Iterable[str]) -> list[str]:
    """Those of the names whose value is not the default, or not that of the checkpoint."""
    usual = Parameters() if p.checkpoint is None else p.checkpoint.parameters
    return [name for name in names if getattr(p, name) != getattr(usual, name)]
