"""From raw keyword values to checked `Parameters`, and from AUTO to what it stands for.

A check of one value comes from its declaration. A check that relates several is a small function, listed in
`RULES` (parameters alone), `RESPONSE_RULES` (what they mean for a given response) or `IDLE_RULES` (warnings).
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import warnings as python_warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from h2olite.errors import ParameterError
from h2olite.parameters import FRAMES, Declared, Parameters, declared, folded, nearest

COLUMNS = ("x", "y")
"""Parameters that name columns and take 0-based indices as well."""

OWN_LOSS = {"gaussian": "Quadratic", "laplace": "Absolute", "quantile": "Quantile", "huber": "Huber"}
"""The one loss of each distribution of a numeric response that has one."""

DEVIANCE_ONLY = ("poisson", "gamma", "tweedie")
"""Distributions that minimise their own deviance, for which no name exists in `loss`."""

CLASS_DISTRIBUTIONS = ("bernoulli", "multinomial")
CLASS_LOSSES = ("Automatic", "CrossEntropy", "Quadratic")

STOPPING_METRICS = {
    "regression": ("deviance", "MSE", "RMSE", "MAE", "RMSLE"),
    "two classes": (
        *("logloss", "MSE", "RMSE", "AUC", "AUCPR"),
        *("lift_top_group", "misclassification", "mean_per_class_error"),
    ),
    "many classes": ("logloss", "MSE", "RMSE", "misclassification", "mean_per_class_error"),
}
"""What can be measured, and so watched for early stopping, by kind of response; the first is AUTO's choice."""

UNSUPPORTED = {
    ("loss", "ModifiedHuber"): "loss ModifiedHuber is not supported; for a numeric response choose Huber.",
    ("distribution", "modified_huber"): "distribution modified_huber is not supported; choose huber.",
    ("distribution", "quasibinomial"): "distribution quasibinomial is not supported; choose bernoulli.",
    ("distribution", "custom"): "distribution custom is not supported; choose one that `h2olite params` lists.",
    ("categorical_encoding", "Enum"): "categorical_encoding Enum is not supported; choose OneHotInternal.",
    ("categorical_encoding", "OneHotExplicit"): "categorical_encoding OneHotExplicit is not supported; "
    "choose OneHotInternal.",
}
"""Values that H2O knows by name and does not support either."""

SGD_SETTINGS = (
    *("rate", "rate_annealing", "rate_decay"),
    *("momentum_start", "momentum_ramp", "momentum_stable", "nesterov_accelerated_gradient"),
)
ADADELTA_SETTINGS = ("rho", "epsilon")


class Response(NamedTuple):
    """What the rules need to know of the response column."""

    name: str
    n_classes: int | None
    lowest: float | None

    @property
    def kind(self) -> str:
        """The key in `STOPPING_METRICS`."""
        if self.n_classes is None:
            return "regression"
        return "two classes" if self.n_classes <= 2 else "many classes"


def validate(given: Mapping[str, Any]) -> Parameters:
    """Checked parameters from keyword values; what is not given has its default.

    Parameters
    ----------
    given : values by parameter name. Numbers may be of any numeric type, lists any iterable or a single item,
        enum values are matched without regard to case, ``_`` and ``-``.

    Raises
    ------
    ParameterError
        One message for all faults: unknown names, wrong types, values out of range, parameters that do not act
        yet, and combinations that contradict each other.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    readable = True
    for name, value in given.items():
        parameter = declared().get(name)
        if parameter is None:
            faults.append(_unknown(name))
            continue
        try:
            values[name] = _read(parameter, value)
        except ValueError as reason:
            faults.append(str(reason) if parameter.acts else _not_implemented(parameter))
            readable = False
        else:
            faults.extend(_faults(parameter, values[name]))
    checked = Parameters(**values)
    if readable:  # otherwise the rules would judge defaults in place of what was meant
        faults.extend(fault for rule in RULES for fault in rule(checked))
    _refuse(faults)
    return checked


def check_response(
    p: Parameters, n_classes: int | None, *, name: str = "the response", lowest: float | None = None
) -> None:
    """Refuse parameters that do not go with the response.

    Parameters
    ----------
    p : the parameters, before or after `resolve`.
    n_classes : number of levels of a categorical response, None for a numeric one.
    name : name of the response column, for the message.
    lowest : smallest value of a numeric response, where known.

    Raises
    ------
    ParameterError
        One message for all faults.
    """
    response = Response(name, n_classes, lowest)
    _refuse([fault for rule in RESPONSE_RULES for fault in rule(p, response)])


def warnings(p: Parameters) -> list[str]:
    """One sentence for each parameter that was changed but has no effect."""
    return [sentence for rule in IDLE_RULES for sentence in rule(p)]


def wants_classes(p: Parameters) -> bool:
    """Whether loss or distribution ask for a categorical response."""
    return p.distribution in CLASS_DISTRIBUTIONS or p.loss == "CrossEntropy"


def resolve(p: Parameters, n_classes: int | None) -> Parameters:
    """The parameters with every automatic choice made.

    The distribution follows the number of classes, or for a numeric response (`n_classes` None) the loss, and the
    loss follows the distribution; it stays Automatic where the distribution has a deviance of its own (poisson,
    gamma, tweedie). Activations with dropout get ratios of 0.5. `reproducible` means one thread and iterations of
    one epoch, each of them scored.
    """
    distribution = _distribution(p, n_classes)
    default_loss = OWN_LOSS.get(distribution, "Automatic") if n_classes is None else "CrossEntropy"
    changes: dict[str, Any] = {
        "distribution": distribution,
        "loss": default_loss if p.loss == "Automatic" else p.loss,
    }
    if p.stopping_metric == "AUTO":
        changes["stopping_metric"] = STOPPING_METRICS[Response("", n_classes, None).kind][0]
    if p.activation.endswith("WithDropout") and p.hidden_dropout_ratios is None:
        changes["hidden_dropout_ratios"] = [0.5] * len(p.hidden)
    if p.reproducible:
        changes |= {"nthreads": 1, "score_each_iteration": True}
        if p.train_samples_per_iteration == -2:
            changes["train_samples_per_iteration"] = -1
    return dataclasses.replace(p, **changes)


def _distribution(p: Parameters, n_classes: int | None) -> str:
    """The distribution that AUTO stands for; the number of classes decides between bernoulli and multinomial."""
    if n_classes is not None:
        return "bernoulli" if n_classes <= 2 else "multinomial"
    if p.distribution != "AUTO":
        return p.distribution
    return next((name for name, loss in OWN_LOSS.items() if loss == p.loss), "gaussian")


def _read(parameter: Declared, value: Any) -> Any:
    """The value as its declared type; a ValueError says what it must be."""
    if parameter.name in FRAMES or (value is None and parameter.optional):
        return value
    if not parameter.is_list:
        return _read_item(parameter, value, value)
    single = isinstance(value, str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    return [_read_item(parameter, item, value) for item in ([value] if single else value)]


def _read_item(parameter: Declared, item: Any, value: Any) -> Any:
    """One entry of `value` (the value itself where it is no list) as the declared type."""
    is_bool = isinstance(item, bool) or type(item).__name__ in ("bool", "bool_")  # NumPy's bool is no bool
    is_number = isinstance(item, numbers.Real) and not is_bool and item == item  # NaN is unlike itself
    if isinstance(item, numbers.Integral) and abs(int(item)) >= 2**63:
        raise ValueError(f"{parameter.name} must fit in 64 bits; got {item}.")
    if parameter.choices is not None and isinstance(item, str):
        return _read_choice(parameter, item)
    if parameter.type is object:
        return item
    if parameter.type is bool and is_bool:
        return bool(item)
    if parameter.type is float and is_number:
        return float(item)
    if parameter.type is int or parameter.name in COLUMNS:
        if is_number and (isinstance(item, numbers.Integral) or float(item).is_integer()):
            return int(item)
    if parameter.type is str and parameter.choices is None and isinstance(item, str):
        return str(item)
    raise ValueError(f"{parameter.name} must be {_kind(parameter)}; got {value!r}.")


def _read_choice(parameter: Declared, word: str) -> str:
    """The enum value that was meant, in its declared spelling."""
    choices = parameter.choices or ()
    by_folded = {folded(choice): choice for choice in choices}
    if folded(word) in by_folded:
        return by_folded[folded(word)]
    if parameter.name == "loss" and folded(word) == "meansquare":
        python_warnings.warn("loss MeanSquare is deprecated; it means Quadratic.", FutureWarning, stacklevel=6)
        return "Quadratic"
    for (name, unsupported), sentence in UNSUPPORTED.items():
        if (name, folded(unsupported)) == (parameter.name, folded(word)):
            raise ValueError(sentence)
    raise ValueError(f"{parameter.name} must be {_kind(parameter)}; got {word!r}{nearest(word, choices)}")


def _kind(parameter: Declared) -> str:
    """What a value must be, in words."""
    if parameter.choices is not None:
        return f"one of {', '.join(parameter.choices)}"
    if parameter.name in COLUMNS:
        return "a list of column names or 0-based indices" if parameter.is_list else "a column name or 0-based index"
    singular, plural = {
        bool: ("True or False", ""),
        int: ("a whole number", "whole numbers"),
        float: ("a number", "numbers"),
        str: ("a text", "names"),
        object: ("a table", "tables"),
    }[parameter.type]
    return f"a list of {plural}" if parameter.is_list else singular


def _faults(parameter: Declared, value: Any) -> Iterator[str]:
    """What is wrong with a value of the right type."""
    if not parameter.acts:
        if value != parameter.default:
            yield _not_implemented(parameter)
    elif parameter.within is not None and value is not None:
        entries = value if parameter.is_list else [value]
        outside = [entry for entry in entries if entry not in parameter.within]
        if outside:
            rule = "must be finite" if math.isinf(outside[0]) else parameter.within.rule()
            subject = f"every entry of {parameter.name}" if parameter.is_list else parameter.name
            yield f"{subject} {rule}; got {outside[0]:g}."


def _unknown(name: str) -> str:
    """Why a keyword is refused."""
    if name == "max_confusion_matrix_size":
        return "max_confusion_matrix_size is deprecated in H2O and changes no result; leave it out."
    return f"{name!r} is not a parameter{nearest(name, declared(), '; `h2olite params` lists them.')}"


def _not_implemented(parameter: Declared) -> str:
    return f"{parameter.name} is not implemented yet; leave it at its default ({parameter.default})."


def _refuse(faults: list[str]) -> None:
    """Raise one error for all faults, if there are any."""
    if faults:
        raise ParameterError(" ".join(faults))


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


def hidden_dropout_ratios_need_a_dropout_activation(p: Parameters) -> Iterator[str]:
    """Only the activations WithDropout drop hidden units."""
    if p.hidden_dropout_ratios is not None and not p.activation.endswith("WithDropout"):
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
        yield f"tweedie_power must be > 1 and < 2; got {p.tweedie_power:g}."


def loss_goes_with_the_distribution(p: Parameters) -> Iterator[str]:
    """The distribution decides the gradient, so another loss would be a lie (H2O lets it pass for gaussian)."""
    if p.distribution == "AUTO":
        return
    if p.distribution in DEVIANCE_ONLY:
        allowed: tuple[str, ...] = ("Automatic",)
    elif p.distribution in CLASS_DISTRIBUTIONS:
        allowed = CLASS_LOSSES
    else:
        allowed = ("Automatic", OWN_LOSS[p.distribution])
    if p.loss not in allowed:
        yield f"loss with distribution {p.distribution} must be {' or '.join(allowed)}; got {p.loss}."


def custom_stopping_metric_needs_a_function(p: Parameters) -> Iterator[str]:
    """Without custom_metric_func there is no custom metric to watch."""
    if p.stopping_metric.startswith("custom") and p.custom_metric_func is None:
        yield f"stopping_metric {p.stopping_metric} needs custom_metric_func; choose another metric."


RULES = (
    x_excludes_ignored_columns,
    response_cannot_be_ignored,
    column_is_either_factor_or_numeric,
    hidden_dropout_ratios_need_a_dropout_activation,
    hidden_dropout_ratios_are_one_per_layer,
    tweedie_power_lies_between_one_and_two,
    loss_goes_with_the_distribution,
    custom_stopping_metric_needs_a_function,
)


def class_settings_need_classes(p: Parameters, response: Response) -> Iterator[str]:
    """Cross-entropy, bernoulli and multinomial are about classes."""
    if response.n_classes is None:
        for name, wanted in (("loss", ("CrossEntropy",)), ("distribution", CLASS_DISTRIBUTIONS)):
            if getattr(p, name) in wanted:
                yield (
                    f"{name} {getattr(p, name)} needs a categorical response and {response.name} is numeric; "
                    "name it in factors to make it categorical."
                )


def number_settings_need_numbers(p: Parameters, response: Response) -> Iterator[str]:
    """All other distributions and losses are about numbers."""
    if response.n_classes is not None:
        if p.distribution not in ("AUTO", *CLASS_DISTRIBUTIONS):
            yield f"distribution {p.distribution} needs a numeric response and {response.name} is categorical."
        if p.loss not in CLASS_LOSSES:
            yield f"loss {p.loss} needs a numeric response and {response.name} is categorical."


def deviances_need_their_range(p: Parameters, response: Response) -> Iterator[str]:
    """Counts and amounts are not negative, and the gamma deviance of 0 is infinite."""
    if response.lowest is None or p.distribution not in DEVIANCE_ONLY:
        return
    if response.lowest < 0 or (p.distribution == "gamma" and response.lowest == 0):
        sign = "> 0" if p.distribution == "gamma" else ">= 0"
        yield f"{response.name} must be {sign} for distribution {p.distribution}; got {response.lowest:g}."


def stopping_metric_is_measured(p: Parameters, response: Response) -> Iterator[str]:
    """It also picks the best model, so this matters without early stopping too."""
    measured = STOPPING_METRICS[response.kind]
    if p.stopping_metric not in ("AUTO", *measured) and not p.stopping_metric.startswith("custom"):
        kinds = {
            "regression": "a numeric response",
            "two classes": "a response of two classes",
            "many classes": f"a response of {response.n_classes} classes",
        }
        yield (
            f"stopping_metric for {kinds[response.kind]} must be one of {', '.join(measured)}; got {p.stopping_metric}."
        )


RESPONSE_RULES = (
    class_settings_need_classes,
    number_settings_need_numbers,
    deviances_need_their_range,
    stopping_metric_is_measured,
)


def other_update_rule_is_idle(p: Parameters) -> Iterator[str]:
    """ADADELTA and SGD have settings of their own."""
    idle, state = (SGD_SETTINGS, "on") if p.adaptive_rate else (ADADELTA_SETTINGS, "off")
    for name in _changed(p, idle):
        yield f"{name} has no effect while adaptive_rate is {state}; pass adaptive_rate={not p.adaptive_rate}."


def stopping_settings_are_idle_without_rounds(p: Parameters) -> Iterator[str]:
    """Without stopping_rounds nothing is stopped, yet the metric still tells which model is best."""
    if p.stopping_rounds == 0:
        for name in _changed(p, ("stopping_metric", "stopping_tolerance")):
            picks = name == "stopping_metric" and p.overwrite_with_best_model
            effect = "only picks the best model" if picks else "has no effect"
            yield f"{name} {effect} while stopping_rounds is 0; pass stopping_rounds to stop early."


def settings_of_other_distributions_are_idle(p: Parameters) -> Iterator[str]:
    """Each of the three belongs to one distribution."""
    owners = {"quantile_alpha": "quantile", "huber_alpha": "huber", "tweedie_power": "tweedie"}
    for name in _changed(p, owners):
        if _distribution(p, None) != owners[name]:
            yield f"{name} has no effect without distribution {owners[name]}; pass distribution={owners[name]!r}."


def scale_is_idle_for_uniform_adaptive(p: Parameters) -> Iterator[str]:
    """UniformAdaptive takes its width from the layer sizes."""
    if p.initial_weight_distribution == "UniformAdaptive" and _changed(p, ("initial_weight_scale",)):
        yield (
            "initial_weight_scale has no effect on UniformAdaptive initial weights; "
            "pass initial_weight_distribution='Uniform' or 'Normal'."
        )


IDLE_RULES = (
    other_update_rule_is_idle,
    stopping_settings_are_idle_without_rounds,
    settings_of_other_distributions_are_idle,
    scale_is_idle_for_uniform_adaptive,
)


def _changed(p: Parameters, names: Iterable[str]) -> list[str]:
    """Those of the names whose value is not the default."""
    return [name for name in names if getattr(p, name) != declared()[name].default]
