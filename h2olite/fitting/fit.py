"""The whole way from tables to a trained model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from h2olite.data.stored import LargeTable
from h2olite.data.table import Table
from h2olite.model import Model
from h2olite.settings.parameters import Parameters
from h2olite.trained.objective import advice_on_penalties
from h2olite.training.trainer import Progress

from .assembly import Assembly, Clock
from .ensemble import train_ensemble
from .failure import advice_on_failure
from .footprint import refuse_too_large_training
from .large import prepare_large
from .learning import train_network
from .preparation import Preparation, Warn, prepare
from .pruning import pruned
from .strongest import with_absolute_strengths


def fit(
    parameters: Parameters,
    training: Table,
    validation: Table | None = None,
    watch: Callable[[Progress], bool | None] | None = None,
    *,
    origin: dict[str, Any] | None = None,
    prune: bool = True,
    warn: Warn | None = None,
) -> Model:
    """Train a model.

    Parameters
    ----------
    parameters : checked parameters; their frames are not looked at.
    training, validation : the tables.
    watch : is told of progress after every block of rows; training ends when it returns False.
    origin : what to record of parameters and tables.
    prune : whether predictors that cannot reach an output leave the model, so that training cannot bring them back.
    warn : is told what looks wrong with the tables before training begins.

    Raises
    ------
    ParameterError : the parameters do not go with the response.
    DataError : the tables do not hold what training needs.
    TrainingError : training became unstable.
    LackOfMemoryError : it needs more memory than there is.
    """
    clock = Clock()
    if isinstance(training, LargeTable):
        prepared = prepare_large(parameters, training, validation)
    else:
        refuse_too_large_training(parameters, training, validation)
        prepared = prepare(parameters, training, validation)
    with contextlib.closing(prepared):
        prepared = with_absolute_strengths(prepared)
        if warn is not None:
            warn(prepared.warnings)
        assembly = Assembly(prepared, training, origin, clock)
        learn = train_network if prepared.parameters.ensemble == 1 else train_ensemble
        trained = learn(assembly, watch)
        return finish(trained, prepared, training) if prune else trained


def finish(trained: Model, prepared: Preparation, training: Table) -> Model:
    """The model without what it makes no use of, and with advice on what went wrong."""
    if not training.is_batch:  # of whose few rows a constant may know more
        trained.record.warnings += advice_on_failure(trained, prepared)
    trained = pruned(trained)
    trained.record.warnings += advice_on_penalties(trained)
    return trained
