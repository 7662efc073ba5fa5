"""Grid search: a model for every combination of hyper-parameters, as far as the criteria allow."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from h2olite.data.splits import draw_seed, random_stream
from h2olite.data.table import Table
from h2olite.errors import H2OLiteError, ParameterError
from h2olite.fitting.cross_validation import Watch, fit_with_folds
from h2olite.fitting.preparation import Warn, response_name, with_classes
from h2olite.kinds.stopping_metrics import STOPPING_METRICS
from h2olite.settings.parameters import (
    FRAMES,
    NOT_SEARCHED,
    Parameters,
    Relative,
    SearchCriteria,
    changed,
    counted,
    declared,
    nearest,
)
from h2olite.settings.presets import PRESETS
from h2olite.settings.validation import read, resolve, validate
from h2olite.training.stopping import has_converged

from .grid import Failure, Grid, Trial
from .journal import Journal

NOT_DECISIVE = ("nthreads", "verbose", "quiet_mode")
"""Parameters that may change when a search goes on."""


def search(
    hyper_parameters: Mapping[str, Sequence[Any]],
    parameters: Parameters,
    criteria: SearchCriteria,
    training: Table,
    validation: Table | None = None,
    *,
    grid_id: str | None = None,
    folder: Path | None = None,
    watch: Watch | None = None,
    tell: Callable[[Trial | Failure], None] | None = None,
    warn: Warn | None = None,
) -> Grid:
    """Train models with different hyper-parameters.

    Parameters
    ----------
    hyper_parameters : the values to try, by name of parameter.
    parameters : all others; those that are searched have their defaults. Rules between parameters are checked model by
        model.
    criteria : which combinations are tried, and when to end.
    training, validation : the tables.
    grid_id : name of the grid; that of the folder, or ``"grid"``, if not given.
    folder : where every model and what has been done are written at once; made if need be. A search that was ended
        there goes on where it was: finished models are not trained again, failed ones are.
    watch : is told of progress within the running model; when it returns False, the search ends and that model is none
        of its models.
    tell : is told of every model that has been trained now or has failed.
    warn : is told what looks wrong with the tables before training begins.

    Raises
    ------
    ParameterError : hyper-parameters cannot be searched, or the folder holds another search.
    H2OLiteError : not a single model could be trained; the error is that of the first one.
    """
    started = time.perf_counter()
    hyper_parameters = _checked(hyper_parameters, parameters, criteria)
    grid_id = grid_id or (folder.name if folder else "grid")
    seed = draw_seed(criteria.seed)
    journal = None
    if folder is not None:
        settings = settings_of(parameters, training, validation) | {
            "the search's hyper-parameters": json.loads(json.dumps(hyper_parameters, default=repr)),
            "the search's strategy": criteria.strategy,
            "the search's seed": criteria.seed,
        }
        journal = Journal.open(folder, settings, seed)
        seed = journal.seed
    grid = Grid(grid_id, list(hyper_parameters), [], [])
    first_error: Exception | None = None
    seen: set[str] = set()
    number = n_repeated = 0

    for combination in combinations(hyper_parameters, criteria.strategy, seed):
        settled = _settled(parameters, combination, training)
        if settled in seen and combination.get("seed") != -1:  # which is another seed every time
            n_repeated += 1
            continue
        seen.add(settled)
        number += 1
        left = criteria.max_runtime_secs - (time.perf_counter() - started) if criteria.max_runtime_secs else math.inf
        if left <= 0 or (criteria.max_models and len(grid) == criteria.max_models):
            break
        trial = journal.find(combination) if journal else None
        if trial is None:
            try:
                own_parameters = validate(vars(parameters) | combination | {"model_id": f"{grid_id}_model_{number}"})
                if journal:
                    journal.file_of(own_parameters.model_id or "")  # a file that is in the way is better known before
                model = fit_with_folds(
                    _limited(own_parameters, criteria, number, left), training, validation, watch, warn
                )
            except (H2OLiteError, MemoryError) as error:
                first_error = first_error or error
                grid.failures.append(Failure(combination, str(error) or "there is not enough memory."))
                if tell is not None:
                    tell(grid.failures[-1])
                continue
            if model.stopped_by == "interrupted":
                grid.interrupted = True
                grid.unfinished = Trial.of(model, combination)
                break
            grid.warnings += [sentence for sentence in model.record.warnings if sentence not in grid.warnings]
            trial = journal.keep(model, combination) if journal else Trial.of(model, combination)
            if tell is not None:
                tell(trial)
        grid.trials.append(trial)
        if criteria.strategy == "RandomDiscrete" and _has_converged(grid.trials, criteria):
            break
    if n_repeated:
        grid.warnings.append(
            f"{counted(n_repeated, 'combination')} left out: one before has the same settings, maybe in other words; "
            "search seed with several values to train the same settings again."
        )
    if first_error is not None and not grid.trials and not grid.interrupted:
        raise type(first_error)(f"no model of the grid could be trained; the first error: {first_error}")
    return grid.get_grid()


def _settled(parameters: Parameters, combination: dict[str, Any], training: Table) -> str:
    """The settings of a model as a text that is the same for those that come to the same."""
    try:
        checked = validate(vars(parameters) | combination)
        name = None if checked.autoencoder else response_name(checked, training)
        levels = None if name is None else with_classes(checked, training, name)[name].levels
        settled = resolve(checked, None if levels is None else len(levels))
    except H2OLiteError:  # which the training of the model will tell
        return repr(sorted(combination.items()))
    return repr([_identity(value) for name, value in vars(settled).items() if name not in FRAMES])


def _identity(value: Any) -> Any:
    """The value if it is plain, or what tells the object apart; such as a table, whose text may be cut short."""
    if isinstance(value, list):
        return [_identity(entry) for entry in value]
    return value if value is None or isinstance(value, str | int | float) else id(value)


def _limited(parameters: Parameters, criteria: SearchCriteria, number: int, seconds: float) -> Parameters:
    """The parameters of a model, with what the search still has of time and with its seed if the model has none."""
    limit = min(parameters.max_runtime_secs or math.inf, seconds)
    return dataclasses.replace(
        parameters,
        max_runtime_secs=limit if math.isfinite(limit) else 0.0,
        seed=(criteria.seed + number) % 2**63 if criteria.seed != -1 and parameters.seed == -1 else parameters.seed,
    )


def combinations(hyper_parameters: Mapping[str, Sequence[Any]], strategy: str, seed: int) -> Iterator[dict[str, Any]]:
    """The combinations of values to try, in order, none twice."""
    names, values = list(hyper_parameters), list(hyper_parameters.values())
    if strategy == "Sequential":
        chosen: Iterator[tuple[Any, ...]] = zip(*values, strict=True)
    elif strategy == "Cartesian":
        chosen = itertools.product(*values)
    else:
        chosen = _drawn(values, seed)
    return (dict(zip(names, combination, strict=True)) for combination in chosen)


def _drawn(values: Sequence[Sequence[Any]], seed: int) -> Iterator[tuple[Any, ...]]:
    """All combinations in random order (Fisher-Yates shuffling that keeps only what has moved)."""
    random = random_stream(seed, "grid")
    total = math.prod(map(len, values))
    moved: dict[int, int] = {}
    for i in range(total):
        j = int(random.integers(i, total))
        at_i = moved.pop(i, i)
        index = at_i if j == i else moved.get(j, j)
        if j != i:
            moved[j] = at_i
        combination = []
        for options in reversed(values):
            index, place = divmod(index, len(options))
            combination.append(options[place])
        yield tuple(reversed(combination))


def _checked(
    hyper_parameters: Mapping[str, Sequence[Any]], parameters: Parameters, criteria: SearchCriteria
) -> dict[str, list[Any]]:
    """The values to try as their declared types, as far as they can be read as such."""
    faults = []
    checked = {}
    for name, values in hyper_parameters.items():
        parameter = declared().get(name)
        if parameter is None:
            faults.append(f"{name!r} is not a parameter{nearest(name, declared())}")
        elif name in NOT_SEARCHED:
            faults.append(f"{name} cannot be a hyper-parameter; it is the same for all models of a grid.")
        elif isinstance(values, str) or not hasattr(values, "__len__") or len(values) == 0:
            faults.append(f"hyper-parameter {name} must have a list of values to try; got {values!r}.")
        elif getattr(parameters, name) not in (parameter.default, PRESETS[parameters.preset].get(name)):
            faults.append(f"{name} is both a hyper-parameter and set to {getattr(parameters, name)}; choose one.")
        else:
            checked[name] = [_typed(name, value) for value in values]
    if not hyper_parameters:
        faults.append(
            "a grid needs at least one hyper-parameter, such as l1 with the values 0 and 1e-4 (--grid-l1 0,1e-4)."
        )
    sizes = {name: len(values) for name, values in checked.items()}
    if criteria.strategy == "Sequential" and len(set(sizes.values())) > 1:
        faults.append(f"strategy Sequential needs equally many values of each hyper-parameter; got {sizes}.")
    if faults:
        raise ParameterError(" ".join(faults))
    return checked


def _typed(name: str, value: Any) -> Any:
    """The value as its declared type; one that cannot be read as that stays, for its model to fail."""
    try:
        read_value = getattr(read(Parameters, {name: value}), name)
    except ParameterError:
        return value
    return str(read_value) if isinstance(read_value, Relative) else read_value


def _has_converged(trials: Sequence[Trial], criteria: SearchCriteria) -> bool:
    """Whether more models no longer give a better metric, averaged over the best ones."""
    if criteria.stopping_rounds == 0:
        return False
    metric = trials[0].stopping_metric if criteria.stopping_metric == "AUTO" else criteria.stopping_metric
    key = STOPPING_METRICS[metric].key if metric in STOPPING_METRICS else None
    if key not in trials[0].metrics:
        raise ParameterError(f"the search's stopping_metric must be one that its models have; got {metric}.")
    values = [trial.metrics[key] for trial in trials if not math.isnan(trial.metrics[key])]
    best_last = sorted(values, reverse=not STOPPING_METRICS[metric].more_is_better)
    return has_converged(
        best_last, metric=metric, rounds=criteria.stopping_rounds, tolerance=criteria.stopping_tolerance
    )


def settings_of(parameters: Parameters, training: Table, validation: Table | None = None) -> dict[str, Any]:
    """What parameters and tables decide of a search, by a name for messages, as JSON has it."""
    given = {name: value for name, value in changed(parameters).items() if name not in (*FRAMES, *NOT_DECISIVE)}
    given |= {name: str(value) for name, value in given.items() if isinstance(value, Relative)}
    tables = {"training_frame": training.fingerprint, "validation_frame": validation and validation.fingerprint}
    plain: dict[str, Any] = json.loads(json.dumps(given | tables, default=repr))
    return plain
