"""Several networks that learn side by side, and become one whose outputs are the means of theirs."""

from __future__ import annotations

import collections
import dataclasses
import math
import time
from collections.abc import Sequence

import numpy as np

from h2olite.data.splits import random_stream
from h2olite.machine.threads import usable_threads
from h2olite.model import Model
from h2olite.network.joining import join
from h2olite.network.network import Network
from h2olite.predicting.averaged import Averaged
from h2olite.trained.importance import column_importance, gedeon_importance
from h2olite.trained.layers import rates_of
from h2olite.training.task import layout_of, objective_of
from h2olite.training.trainer import Measurement

from .assembly import NONE, Assembly, Clock
from .learning import largest_output, measure_network, train_network
from .preparation import Preparation
from .together import JointProgress, Watch

REASONS = ("interrupted", "max_runtime_secs")
"""What ended the training of the ensemble if it ended that of one network."""


def train_ensemble(assembly: Assembly, watch: Watch | None = None) -> Model:
    """Train the networks of an ensemble, and make one model of them.

    The first network has the seed of the ensemble, and so is the network that there would be without the others. Each
    network has its own validation rows, if a share of the rows is held out. If training is interrupted before some
    networks have begun, there are fewer.

    Parameters
    ----------
    assembly, watch : see `train_network`.

    Raises
    ------
    ParameterError : the networks together have too many weights.
    TrainingError : training became unstable.
    """
    prepared, clock = assembly.prepared, assembly.clock
    parameters = prepared.parameters
    layout_of(prepared.encoder, prepared.response, parameters)  # raises before any training if it is too large
    n_threads = parameters.nthreads or usable_threads()
    at_once = min(parameters.ensemble, n_threads)
    clock.note_encoded()
    clock.note_compiled()
    alone = dataclasses.replace(
        parameters,
        ensemble=1,
        nthreads=n_threads // at_once,
        max_runtime_secs=parameters.max_runtime_secs / math.ceil(parameters.ensemble / at_once),
    )
    together = JointProgress(watch, [parameters.epochs] * parameters.ensemble)
    dealt: dict[int, Preparation] = {}

    def train_member(member: int) -> Model | None:
        if together.interrupted:
            return None
        own = prepared.dealt(dataclasses.replace(alone, seed=seed_of(parameters.seed, member)))
        dealt[member] = own
        try:
            return train_network(Assembly(own, assembly.table, None, Clock()), together.of(member))
        finally:
            together.finish(member)

    started = time.perf_counter()
    models = together.results(train_member, parameters.ensemble, at_once)
    seconds = time.perf_counter() - started
    trained = joined(assembly, models, [dealt[member] for member in sorted(dealt)][: len(models)])
    trained.record.seconds |= {"train": seconds, "total": time.perf_counter() - clock.started}
    return trained


def seed_of(seed: int, member: int) -> int:
    """The seed of a member: the ensemble's own of the first one."""
    return seed if member == 0 else int(random_stream(seed, "members", member).integers(2**63 - 1))


def joined(assembly: Assembly, models: Sequence[Model], dealt: Sequence[Preparation]) -> Model:
    """The model of an ensemble.

    Its training metrics are those of all rows that can be trained on. With holdout_share, each row that one or more
    networks did not learn from is predicted by these networks alone, and the validation metrics are of these
    predictions.

    models, dealt : of each network, and what it learnt from.
    """
    prepared = assembly.prepared
    n_members = len(models)
    parameters = dataclasses.replace(assembly.stored, ensemble=n_members)
    members = [model.network for model in models]
    network = join(members)
    measurement = measure_members(prepared, network, members, [own.held_out for own in dealt])
    spreads, covariances = assembly.spreads or (None, None)
    records = [model.record for model in models]
    warnings = dict.fromkeys(sentence for record in records for sentence in record.warnings)
    if n_members < prepared.parameters.ensemble:
        warnings[f"training ended before all networks had begun: the ensemble has {n_members} of them."] = None
    record = dataclasses.replace(
        records[0],
        sampled=None,
        epochs=float(np.mean([record.epochs for record in records])),
        best_epochs=float(np.mean([record.best_epochs or record.epochs for record in records])),
        samples=sum(record.samples for record in records),
        iterations=sum(record.iterations for record in records),
        stopped_by=_reason([record.stopped_by for record in records]),
        stopping_values=[],
        warnings=list(warnings),
        origin=assembly.origin,
        usable=prepared.usable.size,
        violations=[max(of_layer) for of_layer in zip(*(record.violations for record in records), strict=True)],
        members=[_described(model) for model in models],
    )
    model = dataclasses.replace(
        models[0],
        model_id=assembly.model_id,
        parameters=parameters,
        network=network,
        training_metrics=measurement.training,
        validation_metrics=measurement.validation,
        history=[row | {"member": k} for k, model in enumerate(models, 1) for row in model.history],
        importances=None if spreads is None else gedeon_importance(network, NONE),
        record=record,
        column_importances=None
        if spreads is None
        else column_importance(network, prepared.encoder, spreads, covariances),
        rates=_mean_rates(models),
        background=assembly.background,
    )
    if record.largest_output is not None:  # the first network's
        with model.engine(prepared.rows, usable_threads()) as engine:
            record.largest_output = largest_output(prepared, engine, model.objective)
    return model


def measure_members(
    prepared: Preparation, joint: Network, members: Sequence[Network], held_out: Sequence[np.ndarray | None]
) -> Measurement:
    """What a joint network is worth; each row that some members did not learn from is predicted by these alone.

    held_out : bool (n_rows,) of each member, the rows of the training table that it did not learn from, or None.
    """
    objective = objective_of(prepared.parameters)
    everywhere = prepared.dealt(dataclasses.replace(prepared.parameters, holdout_share=0.0))
    n_threads = prepared.parameters.nthreads or usable_threads()
    with Averaged(joint, members, prepared.rows, n_threads) as engine:
        measurement = measure_network(everywhere, engine, objective)
    masks = [mask for mask in held_out if mask is not None]
    if not masks:
        return measurement
    rows = np.flatnonzero(np.logical_or.reduce(masks))
    of_rows = prepared.training._replace(sample=rows)
    with Averaged(joint, members, prepared.rows, n_threads, masks) as engine:
        validation = prepared.scoring.metrics(engine, objective, *of_rows)
    return measurement._replace(validation=validation)


def _reason(reasons: Sequence[str]) -> str:
    """What ended the training of an ensemble: what cut a network short, or what ended most of them."""
    cut = [reason for reason in REASONS if reason in reasons]
    return cut[0] if cut else collections.Counter(reasons).most_common(1)[0][0]


def _described(model: Model) -> dict[str, float | str]:
    """What a record tells of a member."""
    record, metrics = model.record, model.validation_metrics
    described: dict[str, float | str] = {
        "seed": model.parameters.seed,
        "epochs": record.epochs,
        "best_epochs": record.epochs if record.best_epochs is None else record.best_epochs,
        "stopped_by": record.stopped_by,
    }
    if metrics is not None:
        described["stopping_value"] = metrics.stopping_value(model.parameters.stopping_metric)
    return described


def _mean_rates(models: Sequence[Model]) -> list[dict[str, float]]:
    """The learning rates of each layer, averaged over the networks."""
    of_layers = zip(*(rates_of(model) for model in models), strict=True)
    return [{key: float(np.mean([rates[key] for rates in layer])) for key in layer[0]} for layer in of_layers]
