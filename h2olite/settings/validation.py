"""From raw keyword values to checked `Parameters`, and from AUTO to what it stands for.

A check of one value comes from its declaration. A check that relates several is one of the small functions in
`h2olite.settings.rules`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import numbers
import warnings as python_warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from h2olite.errors import ParameterError
from h2olite.kinds.activations import drops_units
from h2olite.kinds.distributions import DISTRIBUTIONS, OF_CLASSES
from h2olite.kinds.update_rules import update_rule_of

from . import autoencoding, continuing
from .functions import load_function
from .idle_rules import IDLE_RESPONSE_RULES, IDLE_RULES
from .large_tables import max_memory_is_a_size
from .parameters import (
    FRAMES,
    FUNCTIONS,
    MODELS,
    Declared,
    Parameters,
    Relative,
    SearchCriteria,
    brief,
    declared,
    exactly,
    folded,
    nearest,
)
from .presets import filled
from .rules import (
    RESPONSE_RULES,
    ROLES,
    RULES,
    WATCHED,
    Response,
    becomes_bounded,
    distribution_of,
)

Declaration = TypeVar("Declaration", Parameters, SearchCriteria)

COLUMNS = ("x", "y")
"""Parameters that name columns and take 0-based indices as well."""

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

SETTLED = ("distribution", "loss", "hidden_dropout_ratios", "stopping_metric", "use_all_factor_levels")
"""Parameters that a model has no choice left of."""

OTHER_NAMES = {
    **{"relu": "Rectifier", "elu": "ExpRectifier"},
    **{"mse": "Quadratic", "mae": "Absolute", "logloss": "CrossEntropy"},
    **{"normal": "gaussian", "binomial": "bernoulli"},
}
"""What other libraries call some values, to say what may be meant."""

OTHER_PARAMETERS = {
    **{"hidden_layer_sizes": "hidden", "max_iter": "epochs", "alpha": "l2", "n_jobs": "nthreads"},
    **{"random_state": "seed", "batch_size": "mini_batch_size", "learning_rate_init": "rate", "lr": "rate"},
    **{"learning_rate": "rate", "weight_decay": "l2", "dropout": "hidden_dropout_ratios", "momentum": "momentum_start"},
    **{"class_weight": "balance_classes", "early_stopping": "stopping_rounds", "n_iter_no_change": "stopping_rounds"},
    **{"tol": "stopping_tolerance"},
}
"""What other libraries call some parameters, to say which may be meant."""


def validate(given: Mapping[str, Any], checkpoint: continuing.Checkpoint | None = None) -> Parameters:
    """Checked parameters from keyword values; what is not given has its default, or is as in the checkpoint.

    Parameters
    ----------
    given : values by parameter name. Numbers may be of any numeric type, lists any iterable or a single item,
        enum values are matched without regard to case, ``_`` and ``-``.
    checkpoint : of the training that goes on, if one does.

    Raises
    ------
    ParameterError
        One message for all faults: unknown names, wrong types, values out of range, parameters that do not act
        yet, and combinations that contradict each other.
    """
    values, faults, readable = _read_all(Parameters, given)
    values = filled(values)
    if checkpoint is not None and "adaptive_rate" in values:  # which then chooses, and not the name in the checkpoint
        values = {"update_rule": "AUTO"} | values
    checked = dataclasses.replace(
        Parameters() if checkpoint is None else continuing.inherited(checkpoint.parameters), **values
    )
    if readable:  # otherwise the rules would check defaults in place of what was meant
        changes = []
        if checkpoint is not None:
            # Files of earlier versions leave some choices open.
            kept = checkpoint._replace(parameters=resolve(checkpoint.parameters, checkpoint.n_classes))
            changes = continuing.faults(resolve(checked, checkpoint.n_classes), kept)
        faults.extend(changes or _contradictions(checked))
    _refuse(faults)
    return checked


def read(declaration: type[Declaration], given: Mapping[str, Any]) -> Declaration:
    """What `validate` gives, for any declaration, without the rules between parameters."""
    values, faults, _ = _read_all(declaration, given)
    _refuse(faults)
    return declaration(**values)


def read_shared(given: Mapping[str, Any]) -> Parameters:
    """The parameters that all models of a grid share; the rules between them are checked model by model."""
    if given.get("checkpoint") is not None:
        raise ParameterError("checkpoint cannot be given for a grid; search first, then go on with the best model.")
    values, faults, _ = _read_all(Parameters, given)
    _refuse(faults)
    return Parameters(**filled(values))


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
    _refuse(_contradictions_to(p, Response(name, n_classes, lowest)))


def check_settled(p: Parameters, n_classes: int | None, *, name: str = "the response") -> None:
    """Refuse the parameters of a model if training would have refused them, or made other choices for this response.

    Parameters
    ----------
    p : the parameters as a model keeps them. Its functions may be there by name alone, and the model of a fold keeps
        how folds were dealt, though it has none itself.
    n_classes, name : as in `check_response`; of an autoencoder None, and any name.

    Raises
    ------
    ParameterError
        One message for all faults.
    """
    changes: dict[str, Any] = {name: len for name in FUNCTIONS if isinstance(getattr(p, name), str)}  # any will do
    if not p.nfolds and p.fold_column is None:
        changes["fold_assignment"] = "AUTO"
    meant, settled = dataclasses.replace(p, **changes), resolve(p, n_classes)
    _refuse(
        [
            *_contradictions(meant),
            *([] if p.autoencoder else _contradictions_to(meant, Response(name, n_classes, None))),
            *(
                f"{choice} of a model must be settled, here as {getattr(settled, choice)}; got {getattr(p, choice)}."
                for choice in SETTLED
                if getattr(settled, choice) != getattr(p, choice)
            ),
        ]
    )


def warnings(p: Parameters, n_classes: int | None, *, name: str = "the response") -> list[str]:
    """One sentence for each parameter that was changed but has no effect on a response, as in `check_response`."""
    response = Response(name, n_classes, None)
    return [
        *(sentence for rule in (*IDLE_RULES, *autoencoding.IDLE_RULES) for sentence in rule(p)),
        *(sentence for rule in IDLE_RESPONSE_RULES for sentence in rule(p, response)),
    ]


def other_roles(p: Parameters) -> list[str]:
    """The columns besides the response that are no predictors because they have another role."""
    return [column for role in ROLES if (column := getattr(p, role)) is not None]


def wants_classes(p: Parameters) -> bool:
    """Whether loss or distribution ask for a categorical response."""
    return p.distribution in OF_CLASSES or p.loss == "CrossEntropy"


def resolve(p: Parameters, n_classes: int | None) -> Parameters:
    """The parameters with every automatic choice made.

    The distribution follows the number of classes, or for a numeric response (`n_classes` None) the loss, and the
    loss follows the distribution; it stays Automatic where the distribution has a deviance of its own (poisson,
    gamma, tweedie). Activations with dropout get ratios of 0.5, autoencoders inputs for all levels. `reproducible`
    means one thread and iterations of one epoch, each of them scored. The update rule is named. Folds are dealt at
    random, levels have an input each and several classes have no mean AUC unless asked for.
    """
    distribution = distribution_of(p, n_classes)
    changes: dict[str, Any] = {
        "distribution": distribution,
        "loss": DISTRIBUTIONS[distribution].loss if p.loss == "Automatic" else p.loss,
    }
    if p.autoencoder:
        changes |= {"use_all_factor_levels": True, "stopping_metric": autoencoding.STOPPING_METRIC}
    elif p.stopping_metric == "AUTO":
        changes["stopping_metric"] = WATCHED[Response("", n_classes, None).kind][0]
    if p.categorical_encoding == "AUTO":
        changes["categorical_encoding"] = "OneHotInternal"
    if p.auc_type == "AUTO":
        changes["auc_type"] = "NONE"
    if p.fold_assignment == "AUTO" and p.nfolds:
        changes["fold_assignment"] = "Random"
    if drops_units(p.activation) and p.hidden_dropout_ratios is None:
        changes["hidden_dropout_ratios"] = [0.5] * len(p.hidden)
    if becomes_bounded(p):
        changes["max_w2"] = 1000.0
    elif math.isinf(p.max_w2):
        changes["max_w2"] = declared()["max_w2"].default  # the largest number of the weights' type
    rule = update_rule_of(p.update_rule, p.adaptive_rate)
    changes |= {"update_rule": rule.name, "adaptive_rate": rule.adaptive_rate}
    if p.reproducible:
        changes |= {"nthreads": 1, "score_each_iteration": True}
        if p.train_samples_per_iteration == -2:
            changes["train_samples_per_iteration"] = -1
    return dataclasses.replace(p, **changes)


def _read_all(declaration: type, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], bool]:
    """The values as their declared types, what is wrong with them, and whether all had the right type."""
    faults: list[str] = []
    values: dict[str, Any] = {}
    readable = True
    known = declared(declaration)
    for name, value in given.items():
        parameter = known.get(name)
        if parameter is None:
            faults.append(unknown(name, known))
            continue
        try:
            values[name] = _read(parameter, value)
        except ValueError as reason:
            faults.append(str(reason))
            readable = False
        else:
            faults.extend(_faults(parameter, values[name]))
    return values, faults, readable


def _read(parameter: Declared, value: Any) -> Any:
    """The value as its declared type; a ValueError says what it must be."""
    if parameter.name in (*FRAMES, *MODELS) or (value is None and parameter.optional):
        return value
    if not parameter.is_list:
        return _read_item(parameter, value, value)
    if parameter.type is not object and (isinstance(value, Mapping) or len(getattr(value, "shape", ())) > 1):
        raise ValueError(_wrong_type(parameter, value))  # its items are names of columns, or rows
    single = isinstance(value, str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    if parameter.type is object:  # tables may be iterable themselves
        single = not isinstance(value, list | tuple)
    return [_read_item(parameter, item, value) for item in ([value] if single else value)]


def _read_item(parameter: Declared, item: Any, value: Any) -> Any:
    """One entry of `value` (the value itself where it is no list) as the declared type."""
    is_bool = isinstance(item, bool) or type(item).__name__ in ("bool", "bool_")  # NumPy's bool is no bool
    is_number = isinstance(item, numbers.Real) and not is_bool and item == item  # NaN is unlike itself
    if isinstance(item, numbers.Integral) and not -(2**63) <= int(item) < 2**63:
        raise ValueError(f"{parameter.name} must fit in 64 bits; got {item}.")
    if parameter.choices is not None and isinstance(item, str):
        return _read_choice(parameter, item)
    if parameter.type is object:
        return None if isinstance(item, str) and not item else item  # as between two commas
    if parameter.name in FUNCTIONS and (isinstance(item, str) or callable(item)):
        return load_function(parameter.name, item)
    if parameter.type is bool and is_bool:
        return bool(item)
    if parameter.relative and isinstance(item, str | Relative):
        with contextlib.suppress(ValueError):
            return Relative.parse(str(item))
    elif parameter.type is float and is_number:
        return float(item)
    if parameter.type is int or parameter.name in COLUMNS:
        if is_number and (isinstance(item, numbers.Integral) or float(item).is_integer()):
            return int(item)
    if parameter.type is str and parameter.choices is None and isinstance(item, str):
        return str(item)
    raise ValueError(_wrong_type(parameter, value))


def _wrong_type(parameter: Declared, value: Any) -> str:
    """Why a value is refused that is of another type."""
    hint = ""
    if parameter.name in COLUMNS and (isinstance(value, Mapping) or len(getattr(value, "shape", ())) > 0):
        hint = "; give data as training_frame, or use DeepLearningClassifier or DeepLearningRegressor"
    return f"{parameter.name} must be {_kind(parameter)}; got {brief(value)}{hint}."


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
    meant = OTHER_NAMES.get(folded(word), word)
    raise ValueError(f"{parameter.name} must be {_kind(parameter)}; got {brief(word)}{nearest(meant, choices)}")


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
    if parameter.relative:
        singular += " or a multiple such as 0.1x"
    return f"a list of {plural}" if parameter.is_list else singular


def _faults(parameter: Declared, value: Any) -> Iterator[str]:
    """What is wrong with a value of the right type."""
    if parameter.within is not None and value is not None:
        entries = value if parameter.is_list else [value]
        outside = [entry for entry in entries if entry not in parameter.within]
        if outside:
            rule = "must be finite" if math.isinf(outside[0]) else parameter.within.rule()
            subject = f"every entry of {parameter.name}" if parameter.is_list else parameter.name
            yield f"{subject} {rule}; got {exactly(outside[0])}."


def unknown(name: str, known: Iterable[str]) -> str:
    """Why a keyword is refused."""
    if name == "max_confusion_matrix_size":
        return "max_confusion_matrix_size is deprecated in H2O and changes no result; leave it out."
    return f"{name!r} is not a parameter{meant(name, known, '; `h2olite params` lists them.')}"


def meant(name: str, known: Iterable[str], otherwise: str = ".") -> str:
    """What `nearest` gives for the name of a parameter, which may be another library's."""
    return nearest(OTHER_PARAMETERS.get(name, name), known, otherwise)


def _contradictions(p: Parameters) -> list[str]:
    """What is wrong with parameters that each are right."""
    return [fault for rule in (*RULES, max_memory_is_a_size, *autoencoding.RULES) for fault in rule(p)]


def _contradictions_to(p: Parameters, response: Response) -> list[str]:
    """Why parameters do not go with a response."""
    return [fault for rule in RESPONSE_RULES for fault in rule(p, response)]


def _refuse(faults: list[str]) -> None:
    """Raise one error for all faults, if there are any."""
    if faults:
        raise ParameterError(" ".join(faults))
