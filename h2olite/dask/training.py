"""The whole way from a table on a cluster to a model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from distributed import Future

from h2olite.data.frames import as_table
from h2olite.data.outline import Outline, response_encoder, row_encoder
from h2olite.data.predictors import find_columns
from h2olite.data.splits import draw_seed, random_stream, sample_rows
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError, TrainingError
from h2olite.fitting.assembly import Assembly, Clock
from h2olite.fitting.cross_validation import idle_parameters
from h2olite.fitting.fit import finish
from h2olite.fitting.learning import train_network
from h2olite.fitting.origin import origin_of
from h2olite.fitting.preparation import Preparation, choose_columns, prepare, resolve_for
from h2olite.kernels.updates import Rule
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.model import Model
from h2olite.network.network import Network
from h2olite.settings.parameters import Parameters, changed, counted
from h2olite.settings.validation import wants_classes
from h2olite.training.shards import deal
from h2olite.training.team import weights_in_use
from h2olite.training.trainer import Progress, Trainer

from .cluster import Cluster, homes
from .parts import Parts, joined
from .source import ClusterSource, Extent
from .team import ClusterTeam
from .work import PartFacts, Plan, Roles, encode, facts_of, sample_of, shard_of, size_of

MOST_REPLICAS = 8
"""Replicas if their number is not given, or as many as there are parts with rows. More learn less from each row."""

WORK_OF_ROUND = 400_000_000
"""Weights that a replica passes between two averages, rows times weights in use: some tenths of a second. To send
weights and to give tasks takes some hundredths."""

LEAST_ROWS, ROWS_PER_WEIGHT = 128, 0.125
"""Rows of a replica between two averages: at the least, and for each weight that is sent."""

LEAST_ROUNDS = 10
"""Rounds in an epoch, unless they would be too short."""

ABSENT = {
    "nfolds": "train in one process, or measure on a validation_frame",
    "fold_column": "train in one process, or measure on a validation_frame",
    "checkpoint": "train on in one process",
    "pretrained_autoencoder": "train in one process",
    "autoencoder": "train in one process",
    "balance_classes": "give weights by weights_column",
    "class_sampling_factors": "give weights by weights_column",
    "holdout_share": "give other rows as validation_frame",
    "l1": "use l2, or train in one process",
    "input_group_l1": "use l2, or train in one process",
    "elastic_averaging": "leave it out",
    "max_memory": "its workers hold all encoded rows in memory; leave it out",
    "scratch": "its workers hold all encoded rows in memory; leave it out",
    "preset": "give the parameters that it would set",
}
"""What a cluster cannot do yet, and what to do instead."""

LIMITED: dict[str, tuple[Any, ...]] = {
    "ensemble": (1,),
    "numeric_encoding": ("Standardize",),
    "categorical_encoding": ("AUTO", "OneHotInternal"),
}
"""Parameters of which a cluster knows some values only."""


def refuse_absent(parameters: Parameters) -> None:
    """Refuse what a cluster cannot do yet.

    Raises
    ------
    ParameterError : one message for all faults.
    """
    given = changed(parameters, None)
    faults = [f"{name} cannot be used on a cluster; {advice}." for name, advice in ABSENT.items() if name in given]
    faults += [
        f"{name} must be {' or '.join(map(str, known))} on a cluster; got {getattr(parameters, name)}; leave it out, "
        "or train in one process."
        for name, known in LIMITED.items()
        if getattr(parameters, name) not in known
    ]
    if parameters.score_training_samples == 0:
        faults.append("score_training_samples must be 1 or more on a cluster: its rows are measured in one process.")
    if faults:
        raise ParameterError(" ".join(faults))


@dataclasses.dataclass(frozen=True, eq=False)
class OnCluster(Preparation):
    """What training starts from: a sample of the rows is here, all of them are on workers.

    Attributes
    ----------
    extent : of all rows.
    """

    extent: Extent

    @property
    def rows_alike(self) -> int:
        """Rows at the start of a training that count alike, see `Preparation.rows_alike`."""
        return super().rows_alike // self.trained.size * self.extent.n_rows

    @functools.cached_property
    def source(self) -> ClusterSource:
        """What training takes its rows from."""
        return ClusterSource(self.rows, self.training.sample, self.passes, self.extent, alike=self.rows_alike)


@dataclasses.dataclass(eq=False)
class ClusterAssembly(Assembly):
    """What a model is made of besides that which training changes; `n_rows` are all rows of the table."""

    n_rows: int = 0

    def model(self, trainer: Trainer, stopped_by: str) -> Model:
        """The model as training has left it so far."""
        model = super().model(trainer, stopped_by)
        model.record.rows = self.n_rows
        return model


def fit_on_cluster(
    parameters: Parameters,
    cluster: Cluster,
    watch: Callable[[Progress], bool | None] | None = None,
    warn: Callable[[list[str]], None] | None = None,
) -> Model:
    """Train a model on a table whose parts are on workers.

    Raises
    ------
    ParameterError : the parameters do not go with the table, or with a cluster.
    DataError : the table does not hold what training needs.
    TrainingError : training became unstable, or the cluster was lost.
    """
    frame, to_validate = parameters.training_frame, parameters.validation_frame
    parameters = dataclasses.replace(parameters, training_frame=None, validation_frame=None)
    refuse_absent(parameters)
    clock = Clock()
    cluster.await_workers()
    parameters = dataclasses.replace(parameters, seed=draw_seed(parameters.seed))
    factors = list(parameters.factors or ())
    if wants_classes(parameters) and isinstance(parameters.y, str) and parameters.y not in factors:
        factors.append(parameters.y)
    parts = Parts(frame, cluster, factors, parameters.numeric or ())
    names = Table(parts.name, dict.fromkeys(parts.names), 0)  # type: ignore[arg-type]
    name = parts.names[-1] if parameters.y is None else find_columns(names, [parameters.y])[0]
    roles = Roles(name, parameters.weights_column, parameters.offset_column)
    find_columns(names, filter(None, roles))
    outline = parts.outline(roles)
    whole = outline.extremes(parts.name)
    columns = choose_columns(parameters, whole, name)
    resolved = resolve_for(parameters, whole, name, columns.levels)
    plan = plan_of(resolved, outline, columns.predictors, roles)
    warnings = list(columns.warnings)
    if parts.n_empty:
        warnings.append(f"{counted(parts.n_empty, 'part')} of {parts.n_parts} of {parts.name} have no rows.")

    planned = cluster.place(plan)
    encoded = [cluster.submit(encode, table, planned) for table in parts.tables]
    facts: list[PartFacts] = cluster.results([cluster.submit(facts_of, part, planned) for part in encoded], "encoding")
    n_usable = sum(own.n_rows for own in facts)
    if not n_usable:
        raise DataError(
            f"{parts.name} has no row to train on: none of {outline.n_rows:,} has a response and a weight above 0; "
            "fill in missing values."
        )
    if n_missing := outline.n_missing(name):
        warnings.append(
            f"rows of {parts.name} that lack the response {name!r} are left out: {n_missing:,} of {outline.n_rows:,}."
        )
    sample = sampled(cluster, parts, planned, plan, facts, outline, resolved)
    validation = validation_table(to_validate, outline)
    prepared = prepare(
        dataclasses.replace(parameters, x=columns.predictors, y=name, ignore_const_cols=False, factors=None),
        sample,
        validation,
        encoders=(plan.encoder, plan.response),
    )
    prepared.warnings[:0] = warnings
    if warn is not None:
        warn(prepared.warnings)

    shards = shards_of(cluster, encoded, facts, resolved)
    parts.tables, encoded = [], []  # Dask keeps them no longer, and makes them anew if a worker is lost
    extent = Extent(
        sizes=shards.sizes,
        passes=shards.passes,
        has_weights=has_weights(facts),
        largest_target=max(own.largest_target for own in facts),
        present=np.logical_or.reduce([own.present for own in facts]),
    )
    fields = {field.name: getattr(prepared, field.name) for field in dataclasses.fields(prepared)}
    own = dataclasses.replace(
        prepared.parameters,
        **{key: getattr(parameters, key) for key in ("x", "ignore_const_cols", "factors")},
        replicas=len(shards.sizes),
    )
    fields |= {"n_usable": n_usable, "parameters": own}
    on_cluster = OnCluster(**fields, extent=extent)
    origin = origin_of(parameters, sample, validation)
    origin["training_frame"] |= {
        "source": parts.source and {"path": parts.source, "csv": dict(parts.csv or {})},
        "rows": outline.n_rows,
        "digest": outline.digest,
    }
    assembly = ClusterAssembly(on_cluster, sample, origin, clock, n_rows=outline.n_rows)
    teams: list[ClusterTeam] = []

    def make_team(prepared: Preparation, network: Network, rule: Rule, n_threads: int) -> ClusterTeam:
        parameters, rows = prepared.parameters, prepared.rows
        n_used = weights_in_use(network.layout, rows.levels.shape[1] + rows.numbers_in_use())
        teams.append(
            ClusterTeam(
                network,
                rows,
                n_threads,
                min(parameters.mini_batch_size, *shards.sizes, n_usable),
                cluster=cluster,
                shards=shards.futures,
                sizes=shards.sizes,
                source=on_cluster.source,
                homes=shards.homes,
                rows_at_once=rows_of_round(parameters, network, n_used, n_usable),
            )
        )
        return teams[-1]

    model = train_network(assembly, watch, make_team)
    (team,) = teams
    check_seen(team.seen, model)
    origin["cluster"] = {
        "parts": parts.n_parts - parts.n_empty,
        "replicas": len(shards.sizes),
        "rows_by_worker": dict(sorted(team.seen.items())),
    }
    model.record.warnings += team.remarks
    model = finish(model, on_cluster, sample)
    model.record.warnings[:0] = idle_parameters(dataclasses.replace(parameters, replicas=own.replicas), model)
    return model


def plan_of(parameters: Parameters, outline: Outline, predictors: list[str], roles: Roles) -> Plan:
    """How parts are encoded, with resolved parameters."""
    log_link = DISTRIBUTIONS[parameters.distribution].link == "log"
    skips = parameters.missing_values_handling == "Skip"
    encoder = row_encoder(
        outline,
        predictors,
        max_categorical_features=parameters.max_categorical_features,
        hash_seed=parameters.seed,
        use_all_factor_levels=parameters.use_all_factor_levels,
        standardize=parameters.standardize,
        sparse=parameters.sparse,
        sparse_from=parameters.sparse_from,
        skips_missing=skips,
    )
    response = response_encoder(outline, roles.response, standardize=parameters.standardize and not log_link)
    return Plan(encoder, response, roles, subtracts=not log_link, skips=skips)


def sampled(
    cluster: Cluster,
    parts: Parts,
    planned: Future,
    plan: Plan,
    facts: list[PartFacts],
    outline: Outline,
    parameters: Parameters,
) -> Table:
    """The rows to measure the model on, drawn from all rows that can be trained on: here."""
    starts = np.cumsum([0, *(own.n_rows for own in facts)])
    random = random_stream(parameters.seed, "scoring sample")
    rows = sample_rows(int(starts[-1]), parameters.score_training_samples, random)
    columns = [column for column in outline.names if column in {*plan.encoder.schema, *filter(None, plan.roles)}]
    futures = []
    for part, table in enumerate(parts.tables):
        chosen = rows[np.searchsorted(rows, starts[part]) : np.searchsorted(rows, starts[part + 1])] - starts[part]
        if chosen.size:
            futures.append(cluster.submit(sample_of, table, planned, chosen, columns))
    return joined(cluster.results(futures, "drawing a sample"), outline, parts.name)


def validation_table(frame: Any, outline: Outline) -> Table | None:
    """The validation table, which must be in the memory of this process.

    Raises
    ------
    DataError : it is a Dask DataFrame.
    """
    if frame is None:
        return None
    if hasattr(frame, "dask"):
        raise DataError(
            "validation_frame must be a table in the memory of this process, or a path; got a Dask DataFrame; give "
            "some of its rows, for example frame.sample(frac=0.01).compute()."
        )
    schema = {name: outline.kind(name) for name in outline.names}
    return as_table(frame, name="validation_frame", schema=schema)


def has_weights(facts: list[PartFacts]) -> bool:
    """Whether rows have different weights."""
    present = [own for own in facts if own.n_rows]
    return min(own.least for own in present) < max(own.most for own in present)


class Shards(NamedTuple):
    """The rows of each replica, on workers.

    futures : of `h2olite.training.shards.Shard`.
    sizes, passes : rows of each, and how many of them an epoch passes when weights count.
    homes : the worker of each.
    """

    futures: list[Future]
    sizes: list[int]
    passes: list[float]
    homes: list[str]


def shards_of(cluster: Cluster, encoded: list[Future], facts: list[PartFacts], parameters: Parameters) -> Shards:
    """Bring the rows of each replica together: on workers that have some of them, as many rows on each.

    Raises
    ------
    ParameterError : there are more replicas than parts with rows.
    TrainingError : rows are missing.
    """
    sizes = [own.n_rows for own in facts]
    n_present = sum(size > 0 for size in sizes)
    n_replicas = min(n_present, MOST_REPLICAS) if parameters.replicas == 1 else parameters.replicas
    if n_replicas > n_present:
        raise ParameterError(
            f"replicas must be at most the number of parts with rows to train on, {n_present}; got {n_replicas}; "
            "divide the table into more parts, for example by repartition."
        )
    n_rows = sum(sizes)
    mean_weight = sum(own.weight for own in facts) / n_rows if has_weights(facts) else None
    dealt = deal(sizes, n_replicas)
    near = cluster.rows_near(dict(enumerate(encoded)), sizes, dealt)
    placed = homes(
        [sum(sizes[part] for part in own) for own in dealt], cluster.await_workers(), [None] * n_replicas, near
    )
    futures = [
        cluster.submit(
            shard_of,
            mean_weight,
            parameters.shuffle_training_data,
            parameters.seed,
            replica,
            *(encoded[part] for part in own),
            worker=home,
        )
        for replica, (own, home) in enumerate(zip(dealt, placed, strict=True))
    ]
    found = cluster.results([cluster.submit(size_of, shard) for shard in futures], "bringing rows together")
    if sum(size for size, _ in found) != n_rows:
        raise TrainingError(
            f"the replicas have {sum(size for size, _ in found):,} rows of {n_rows:,}; the table has changed while it "
            "was read; train again."
        )
    return Shards(futures, [size for size, _ in found], [passes for _, passes in found], placed)


def rows_of_round(parameters: Parameters, network: Network, n_used: int, n_usable: int) -> int:
    """Rows of all replicas in a round; `n_used` weights are those that a row uses, of `n_usable` rows."""
    wanted, n_replicas = parameters.train_samples_per_iteration, parameters.replicas
    if parameters.averaging_rows:
        return n_replicas * parameters.averaging_rows
    if wanted > 0:
        return wanted
    if wanted in (0, -1):
        return n_usable
    each = max(WORK_OF_ROUND / n_used, ROWS_PER_WEIGHT * network.theta.size, LEAST_ROWS)
    return int(min(each * n_replicas, max(n_usable / LEAST_ROUNDS, LEAST_ROWS * n_replicas)))


def check_seen(seen: dict[str, int], model: Model) -> None:
    """Check that workers have trained on as many rows as the model has seen.

    Raises
    ------
    TrainingError : they have not.
    """
    if sum(seen.values()) != model.record.samples:
        raise TrainingError(
            f"workers trained on {sum(seen.values()):,} rows, and the model counts {model.record.samples:,}; "
            "train again."
        )
