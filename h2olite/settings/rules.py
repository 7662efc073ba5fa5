"""Rules that relate several parameters, one small function each, which yields a sentence for each breach.

`RULES` are about parameters alone, `RESPONSE_RULES` about what they mean for a given response; breaking these is an
error. `h2olite.settings.idle_rules` finds parameters that were changed to no effect.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from h2olite.kinds.activations import RECTIFIER, activation_of, drops_units
from h2olite.kinds.distributions import CLASS_LOSSES, DISTRIBUTIONS, OF_CLASSES, OF_NUMBERS
from h2olite.kinds.update_rules import UPDATE_RULES

from .parameters import Parameters, exactly

DISTRIBUTED_SETTINGS = ("replicate_training_data", "single_node_mode", "target_ratio_comm_to_comp")
"""Parameters that are about several machines."""

ELASTIC_SETTINGS = ("elastic_averaging_moving_rate", "elastic_averaging_regularization")
"""Settings of elastic averaging."""

MOST_AUC_CLASSES = 50
"""Classes up to which AUCs of pairs are computed, as in H2O: their number grows with the square."""

WATCHED = {
    "regression": ("deviance", "MSE", "RMSE", "MAE", "RMSLE"),
    "two classes": (
        *("logloss", "MSE", "RMSE", "AUC", "AUCPR"),
        *("lift_top_group", "misclassification", "mean_per_class_error"),
    ),
    "many classes": ("logloss", "MSE", "RMSE", "misclassification", "mean_per_class_error"),
}
"""What can be measured, and so watched for early stopping, by kind of response; the first is AUTO's choice."""

ROLES = ("weights_column", "offset_column", "fold_column")
"""Parameters that name a column which is neither predictor nor response."""

FILE_NAME = re.compile(r"[^/\\\0]{1,200}")
"""What a model may be called whose file is called like it."""


class Response(NamedTuple):
    """What the rules need to know of the response column."""

    name: str
    n_classes: int | None
    lowest: float | None

    @property
    def kind(self) -> str:
        """The key in `WATCHED`."""
        if self.n_classes is None:
            return "regression"
        return "two classes" if self.n_classes <= 2 else "many classes"


def x_excludes_ignored_columns(p: Parameters) -> Iterator[str]:
    """Either name says which columns are predictors."""
    if p.x is not None and p.ignored_columns is not None:
        yield "x and ignored_columns cannot both be given; name the predictors or those to leave out."


def response_cannot_be_ignored(p: Parameters) -> Iterator[str]:
    """The response is needed."""
    if p.y in (p.ignored_columns or ()):
        yield f"the response {p.y!r} cannot be one of ignored_columns."


def column_is_either_factor_or_numeric(p: Parameters) -> Iterator[str]:
    """A column has one type."""
    for name in p.factors or ():
        if name in (p.numeric or ()):
            yield f"column {name!r} cannot be in both factors and numeric."


def column_has_one_role(p: Parameters) -> Iterator[str]:
    """Response, weights, offsets and folds are four things."""
    for first, second in itertools.combinations(("y", *ROLES), 2):
        if getattr(p, first) is not None and getattr(p, first) == getattr(p, second):
            yield f"{first} and {second} must be different columns; both are {getattr(p, first)!r}."


def class_sampling_factors_need_balance_classes(p: Parameters) -> Iterator[str]:
    """They are settings of it."""
    if p.class_sampling_factors is not None and not p.balance_classes:
        yield "class_sampling_factors need balance_classes; pass balance_classes=True."


def hidden_dropout_ratios_need_a_dropout_activation(p: Parameters) -> Iterator[str]:
    """Only the activations WithDropout drop hidden units."""
    if p.hidden_dropout_ratios is not None and not drops_units(p.activation):
        yield f"hidden_dropout_ratios need an activation WithDropout; got activation {p.activation}."


def hidden_dropout_ratios_are_one_per_layer(p: Parameters) -> Iterator[str]:
    """Each hidden layer has its own ratio."""
    if p.hidden_dropout_ratios is not None and len(p.hidden_dropout_ratios) != len(p.hidden):
        yield (
            "hidden_dropout_ratios must have one entry per hidden layer; "
            f"got {len(p.hidden_dropout_ratios)} for {len(p.hidden)} layers."
        )


def tweedie_power_lies_between_one_and_two(p: Parameters) -> Iterator[str]:
    """Other powers are other distributions, or none; H2O checks this whatever the distribution."""
    if p.distribution == "tweedie" and not 1 < p.tweedie_power < 2:
        yield f"tweedie_power must be > 1 and < 2; got {exactly(p.tweedie_power)}."


def loss_goes_with_the_distribution(p: Parameters) -> Iterator[str]:
    """The distribution decides the gradient, so another loss would be a lie (H2O lets it pass for gaussian)."""
    if p.distribution == "AUTO":
        return
    allowed = dict.fromkeys(("Automatic", *DISTRIBUTIONS[p.distribution].losses))
    if p.loss not in allowed:
        yield f"loss with distribution {p.distribution} must be {' or '.join(allowed)}; got {p.loss}."


def custom_stopping_metric_needs_a_function(p: Parameters) -> Iterator[str]:
    """Without custom_metric_func there is no custom metric to watch."""
    if p.stopping_metric.startswith("custom") and not callable(p.custom_metric_func):
        yield f"stopping_metric {p.stopping_metric} needs custom_metric_func; choose another metric."


def nfolds_are_none_or_several(p: Parameters) -> Iterator[str]:
    """One fold would leave nothing to learn from."""
    if p.nfolds == 1:
        yield "nfolds must be 0 or >= 2; got 1."


def folds_come_from_one_place(p: Parameters) -> Iterator[str]:
    """Either rows are dealt to nfolds folds, or a column says where they are."""
    if p.fold_column is not None and p.nfolds:
        yield f"nfolds and fold_column cannot both be given; got {p.nfolds} and {p.fold_column!r}."
    if p.fold_assignment != "AUTO" and (p.fold_column is not None or not p.nfolds):
        yield f"fold_assignment needs nfolds and no fold_column; got fold_assignment {p.fold_assignment}."


def initial_layers_are_one_per_layer(p: Parameters) -> Iterator[str]:
    """The output layer has weights too."""
    for name in ("initial_weights", "initial_biases"):
        entries, wanted = getattr(p, name), len(p.hidden) + 1
        if entries is not None and len(entries) != wanted:
            yield f"{name} must have {wanted} entries, one per hidden layer and one for the output; got {len(entries)}."


def exported_model_needs_a_file_name(p: Parameters) -> Iterator[str]:
    """The file is called like the model."""
    if p.export_checkpoints_dir is not None and p.model_id is not None and not FILE_NAME.fullmatch(p.model_id):
        yield f"model_id must be good for a file name while export_checkpoints_dir is given; got {p.model_id!r}."


def col_major_was_removed(p: Parameters) -> Iterator[str]:
    """H2O keeps the name, and refuses it."""
    if p.col_major:
        yield "col_major was removed from H2O; leave it out."


def elastic_averaging_excludes_others(p: Parameters) -> Iterator[str]:
    """H2O refuses `sparse`; and the center of weights that penalties have made 0 is not 0 at once."""
    if p.elastic_averaging and p.sparse:
        yield "elastic_averaging and sparse cannot be combined; leave one of them out."
    for name in ("l1", "input_group_l1") if p.elastic_averaging and p.replicas > 1 else ():
        if getattr(p, name):
            yield f"elastic_averaging cannot be combined with {name} in replicas; leave one of them out."


def label_smoothing_needs_cross_entropy(p: Parameters) -> Iterator[str]:
    """Only the targets of cross-entropy are probabilities that could be shared among classes."""
    if not p.label_smoothing:
        return
    if p.autoencoder:
        yield "label_smoothing cannot be combined with autoencoder, which has no classes; leave one of them out."
    elif p.loss not in ("Automatic", "CrossEntropy"):
        yield f"label_smoothing needs loss CrossEntropy; got {p.loss}; leave one of them out."


def update_rule_goes_with_adaptive_rate(p: Parameters) -> Iterator[str]:
    """Without adaptive_rate, the rule is SGD; with it, which is the default, a rule may be named."""
    if p.update_rule != "AUTO" and not p.adaptive_rate and UPDATE_RULES[p.update_rule].adaptive_rate:
        yield f"update_rule must be AUTO or SGD without adaptive_rate; got {p.update_rule}; leave one of them out."


def validation_rows_come_from_one_place(p: Parameters) -> Iterator[str]:
    """Two sets of rows cannot both decide."""
    if p.holdout_share and p.validation_frame is not None:
        yield "holdout_share and validation_frame cannot both be given; leave one of them out."


def members_of_an_ensemble_have_starts_of_their_own(p: Parameters) -> Iterator[str]:
    """What makes an average better than its parts is that they differ."""
    if p.ensemble == 1:
        return
    if not p.hidden:
        yield "ensemble needs hidden layers: the mean of networks without them is one network without them."
    for name in ("initial_weights", "initial_biases", "pretrained_autoencoder"):
        if getattr(p, name) is not None:
            yield f"{name} cannot be combined with ensemble, whose networks start from weights of their own."
    if p.autoencoder:
        yield "ensemble cannot be combined with autoencoder, whose outputs are activated; leave one of them out."
    for name in ("export_checkpoints_dir", "keep_state"):
        if getattr(p, name):
            yield (
                f"{name} cannot be combined with ensemble, as training does not go on from an ensemble; leave one of "
                "them out."
            )


def preset_needs_a_response(p: Parameters) -> Iterator[str]:
    """Its values were chosen for predictions."""
    if p.preset != "none" and p.autoencoder:
        yield f"preset {p.preset} cannot be combined with autoencoder; leave one of them out."


def numeric_encoding_needs_standardize(p: Parameters) -> Iterator[str]:
    """What is bent has been scaled first, and zeros that stay zeros have not been centred."""
    if p.numeric_encoding == "Standardize":
        return
    if not p.standardize:
        yield f"numeric_encoding {p.numeric_encoding} needs standardize; leave one of them out."
    if p.sparse:
        yield (
            f"numeric_encoding {p.numeric_encoding} cannot be combined with sparse; columns of mostly zeros stay "
            "sparse without it (sparse_from)."
        )
    for name in ("autoencoder", "pretrained_autoencoder"):
        if getattr(p, name):
            yield (
                f"numeric_encoding with {name} must be Standardize, as an autoencoder reconstructs numbers in the "
                f"units of their columns; got {p.numeric_encoding}."
            )


RULES = (
    preset_needs_a_response,
    x_excludes_ignored_columns,
    response_cannot_be_ignored,
    column_is_either_factor_or_numeric,
    column_has_one_role,
    class_sampling_factors_need_balance_classes,
    hidden_dropout_ratios_need_a_dropout_activation,
    hidden_dropout_ratios_are_one_per_layer,
    tweedie_power_lies_between_one_and_two,
    loss_goes_with_the_distribution,
    custom_stopping_metric_needs_a_function,
    nfolds_are_none_or_several,
    folds_come_from_one_place,
    initial_layers_are_one_per_layer,
    exported_model_needs_a_file_name,
    col_major_was_removed,
    elastic_averaging_excludes_others,
    label_smoothing_needs_cross_entropy,
    update_rule_goes_with_adaptive_rate,
    validation_rows_come_from_one_place,
    members_of_an_ensemble_have_starts_of_their_own,
    numeric_encoding_needs_standardize,
)


def class_settings_need_classes(p: Parameters, response: Response) -> Iterator[str]:
    """Cross-entropy, bernoulli and multinomial are about classes."""
    if response.n_classes is None:
        for name, wanted in (("loss", ("CrossEntropy",)), ("distribution", OF_CLASSES)):
            if getattr(p, name) in wanted:
                yield (
                    f"{name} {getattr(p, name)} needs a categorical response and {response.name} is numeric; "
                    "name it in factors to make it categorical."
                )


def label_smoothing_needs_classes(p: Parameters, response: Response) -> Iterator[str]:
    """A number has no other levels to share its target with."""
    if p.label_smoothing and response.n_classes is None:
        yield (
            f"label_smoothing needs a categorical response and {response.name} is numeric; name it in factors to make "
            "it categorical."
        )


def number_settings_need_numbers(p: Parameters, response: Response) -> Iterator[str]:
    """All other distributions and losses are about numbers."""
    if response.n_classes is not None:
        for name, allowed in (("distribution", ("AUTO", *OF_CLASSES)), ("loss", ("Automatic", *CLASS_LOSSES))):
            if getattr(p, name) not in allowed:
                yield (
                    f"{name} {getattr(p, name)} needs a numeric response and {response.name} is categorical; "
                    "name it in numeric if its cells are numbers."
                )


def deviances_need_their_range(p: Parameters, response: Response) -> Iterator[str]:
    """Counts and amounts are not negative, and the gamma deviance of 0 is infinite."""
    if response.lowest is None or p.distribution not in DISTRIBUTIONS:
        return
    lowest = DISTRIBUTIONS[p.distribution].lowest
    if lowest and (response.lowest < 0 or (lowest == "> 0" and response.lowest == 0)):
        yield f"{response.name} must be {lowest} for distribution {p.distribution}; got {exactly(response.lowest)}."


def stopping_metric_is_measured(p: Parameters, response: Response) -> Iterator[str]:
    """It also picks the best model, so this matters without early stopping too."""
    measured = WATCHED[response.kind]
    if response.kind == "many classes" and wants_multinomial_auc(p):
        measured = (*measured, "AUC", "AUCPR")
    if p.stopping_metric not in ("AUTO", *measured) and not p.stopping_metric.startswith("custom"):
        kinds = {
            "regression": "a numeric response",
            "two classes": "a response of two classes",
            "many classes": f"a response of {response.n_classes} classes",
        }
        yield (
            f"stopping_metric for {kinds[response.kind]} must be one of {', '.join(measured)}; got {p.stopping_metric}."
        )


def stratified_folds_need_classes(p: Parameters, response: Response) -> Iterator[str]:
    """Only classes can be spread evenly."""
    if p.fold_assignment == "Stratified" and response.n_classes is None:
        yield f"fold_assignment Stratified needs a categorical response and {response.name} is numeric; choose Random."


def response_has_no_other_role(p: Parameters, response: Response) -> Iterator[str]:
    """What is learnt cannot also say how; the response may be the last column without being named."""
    for role in ROLES:
        if getattr(p, role) == response.name:
            yield f"{role} cannot be the response {response.name!r} too; name another column as one of the two."


def offsets_need_numbers(p: Parameters, response: Response) -> Iterator[str]:
    """Probabilities have no single output to add to."""
    if p.offset_column is not None and response.n_classes is not None:
        yield f"offset_column needs a numeric response and {response.name} is categorical."


def sampling_by_class_needs_classes(p: Parameters, response: Response) -> Iterator[str]:
    """What is balanced or sampled by class has classes."""
    stratified = p.score_validation_sampling == "Stratified"
    settings = {"balance_classes": p.balance_classes, "score_validation_sampling Stratified": stratified}
    for setting, is_on in settings.items():
        if is_on and response.n_classes is None:
            yield (
                f"{setting} needs a categorical response and {response.name} is numeric; "
                "name it in factors to make it categorical."
            )


def class_sampling_factors_are_one_per_class(p: Parameters, response: Response) -> Iterator[str]:
    """Each class is sampled by a factor of its own."""
    factors = p.class_sampling_factors
    if factors is not None and response.n_classes not in (None, len(factors)):
        yield (
            f"class_sampling_factors must have one entry per class of {response.name}; "
            f"got {len(factors)} for {response.n_classes} classes."
        )


def wants_multinomial_auc(p: Parameters) -> bool:
    """Whether AUCs of more than two classes are asked for."""
    return p.auc_type not in ("AUTO", "NONE")


def multinomial_auc_needs_few_classes(p: Parameters, response: Response) -> Iterator[str]:
    """There is an AUC for every pair of classes."""
    if wants_multinomial_auc(p) and response.n_classes is not None and response.n_classes > MOST_AUC_CLASSES:
        yield (
            f"auc_type {p.auc_type} needs at most {MOST_AUC_CLASSES} classes and {response.name} has "
            f"{response.n_classes}; leave it out."
        )


RESPONSE_RULES = (
    response_has_no_other_role,
    offsets_need_numbers,
    sampling_by_class_needs_classes,
    class_sampling_factors_are_one_per_class,
    class_settings_need_classes,
    label_smoothing_needs_classes,
    number_settings_need_numbers,
    deviances_need_their_range,
    stopping_metric_is_measured,
    stratified_folds_need_classes,
    multinomial_auc_needs_few_classes,
)


def becomes_bounded(p: Parameters) -> bool:
    """Whether H2O puts a limit in place of an infinite max_w2, for fear of rectifiers that grow without bound."""
    return p.max_w2 == math.inf and activation_of(p.activation).code == RECTIFIER


def distribution_of(p: Parameters, n_classes: int | None) -> str:
    """The distribution that AUTO stands for; the number of classes decides between bernoulli and multinomial."""
    if n_classes is not None:
        return "bernoulli" if n_classes <= 2 else "multinomial"
    if p.distribution != "AUTO":
        return p.distribution
    return next((name for name in OF_NUMBERS if DISTRIBUTIONS[name].loss == p.loss != "Automatic"), "gaussian")
