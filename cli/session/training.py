"""Models, grids and paths trained in a session."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h2olite import jobs
from h2olite.data.frames import training_tables
from h2olite.selection.segments import train_by_segment
from h2olite.settings.parameters import Parameters, SearchCriteria, declared
from h2olite.settings.validation import read, read_shared

from .columns import for_model
from .models import describe
from .store import Store

if TYPE_CHECKING:
    from h2olite.selection.grid import Grid
    from h2olite.training.trainer import Progress

PROGRESS_SECONDS = 0.1
"""Least time between two events of progress."""


class Watch:
    """Tells the caller of a training's progress, and ends it when the caller says so.

    verbose : tell every measurement too.
    """

    def __init__(self, store: Store, verbose: bool) -> None:
        self._store, self._verbose = store, verbose
        self._last = 0.0

    def __call__(self, progress: Progress) -> bool:
        """Take note of the progress; False when training should end."""
        if self._verbose and progress.row:
            from h2olite.training.history import history_line

            self._store.tell("measured", text=history_line(progress.row))
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            share = progress.epochs / progress.total_epochs if progress.total_epochs else 1.0
            self._store.tell("progress", share=min(share, 1.0))
        return not self._store.stopped()


def train(store: Store, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Train a model, keep it, and describe it."""
    given = prepared(store, parameters)
    checked = jobs.check(given)
    model = jobs.train(checked, watch=Watch(store, checked.verbose))
    if given.get("model_id") is None:
        model.model_id = new_model_id()
        for number, fold in enumerate(model.cross_validation_models() or (), 1):
            fold.model_id = f"{model.model_id}_cv_{number}"
    store.keep_model(model)
    return describe(store, model) | {"interrupted": model.stopped_by == "interrupted"}


def prepared(store: Store, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as `h2olite.deeplearning` takes them, with the session's number of threads."""
    given = {name: for_model(value) if isinstance(value, pa.Table) else value for name, value in parameters.items()}
    given.setdefault("nthreads", store.nthreads)
    return given


def search(
    store: Store,
    hyper_parameters: Mapping[str, Any],
    parameters: Mapping[str, Any],
    criteria: Mapping[str, Any] | None = None,
    grid_id: str | None = None,
    directory: str | None = None,
    check: bool = False,
) -> dict[str, Any]:
    """Train a grid, keep its models, and describe it.

    check : whether a value out of its range is an error at once.
    """
    shared: Parameters = read_shared(prepared(store, parameters))
    values = {name: item if isinstance(item, list) else [item] for name, item in hyper_parameters.items()}
    if check:
        for name, choices in values.items():
            for choice in choices:
                read_shared({name: choice})
    grid = jobs.search(
        values,
        shared,
        read(SearchCriteria, criteria or {}),
        grid_id=grid_id,
        folder=directory,
        watch=Watch(store, shared.verbose),
    )
    for model in grid:
        store.keep_model(model)
    store.grids[grid.grid_id] = grid
    return describe_grid(grid)


def sorted_grid(store: Store, grid_id: str, sort_by: str | None = None, decreasing: bool | None = None) -> Any:
    """Describe a grid, sorted by a metric."""
    grid = store.grid(grid_id)
    return describe_grid(grid if sort_by is None and decreasing is None else grid.get_grid(sort_by or "", decreasing))


def describe_grid(grid: Grid) -> dict[str, Any]:
    """What the caller is to know of a grid."""
    return {
        "grid_id": grid.grid_id,
        "hyper_names": grid.hyper_names,
        "model_ids": grid.model_ids,
        "sort_metric": grid.sort_metric,
        "decreasing": grid.decreasing,
        "table": grid.table(),
        "failed": grid.failed_params,
        "failures": grid.failure_details,
        "interrupted": grid.interrupted,
    }


def train_segments(store: Store, segments: Sequence[str], parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Train a model for the rows of every segment, keep them, and tell a row for each."""
    checked = jobs.check(prepared(store, parameters))
    training, validation = training_tables(checked)
    without_tables = dataclasses.replace(checked, training_frame=None, validation_frame=None)
    watch = Watch(store, checked.verbose)
    trained = train_by_segment(list(segments), without_tables, training, validation, watch)
    prefix = new_model_id()
    for number, segment in enumerate(trained, 1):
        if segment.model is not None:
            segment.model.model_id = f"{prefix}_segment_{number}"
            store.keep_model(segment.model)
    return trained.as_frame().to_dict("records")  # type: ignore[return-value]


def new_model_id() -> str:
    """A name for a model that nobody has named."""
    return f"DeepLearning_model_R_{time.time_ns() // 1000}"


def path(
    store: Store, strengths: Mapping[str, Any], parameters: Mapping[str, Any], options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Train a regularisation path, keep its models, and describe it.

    options : ``validation_share``, ``choice`` and ``refit`` of `h2olite.regularization_path`.
    """
    from h2olite.selection.path import read_strengths

    read_in = read_strengths({name: strengths.get(name) for name in ("l1", "l2", "input_group_l1")})
    strongest = {name: values[-1] for name, values in read_in.items()}
    checked = jobs.check(prepared(store, parameters) | strongest)
    found = jobs.trace(read_in, checked, watch=Watch(store, checked.verbose), **(options or {}))
    model = found.model
    for point in found.points:
        store.keep_model(point.model)
    store.keep_model(model)
    return {
        "names": found.names,
        "rows": found.rows(),
        "model_ids": [point.model.model_id for point in found.points],
        "best": found.best + 1,
        "best_1se": found.best_1se + 1,
        "chosen": found.chosen + 1,
        "model": describe(store, model),
        "sort_metric": found.sort_metric,
        "interrupted": found.interrupted,
    }


def parameters(store: Store) -> list[dict[str, Any]]:
    """Every parameter of a training: name, default, what it does."""
    return [
        {"name": parameter.name, "default": parameter.default, "own": parameter.own, "help": parameter.help}
        for parameter in declared().values()
    ]


def compare(store: Store, models: Sequence[Any], frame: pa.Table, n_resamples: int = 1000, seed: int = 1) -> Any:
    """Hold models against each other on a frame."""
    from h2olite import compare as compare_models

    return compare_models(models, for_model(frame), n_resamples=int(n_resamples), seed=int(seed)).rows()


def select_predictors(store: Store, parameters: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Any:
    """Which columns to keep, and the model of them if it is asked for.

    options : ``columns``, ``resamples`` and ``refit`` of `h2olite.select`.
    """
    checked = jobs.check(prepared(store, parameters))
    found = jobs.select(checked, watch=Watch(store, checked.verbose), **(options or {}))
    if found.model is not None:
        store.keep_model(found.model)
    return found.report() | {"model": None if found.model is None else describe(store, found.model)}


def tune(store: Store, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The model of the best settings that a search has found, and what it has tried.

    options : ``max_runtime_secs``, ``max_models`` and ``folder`` of `h2olite.jobs.tune`.
    """
    checked = jobs.check({**prepared(store, parameters), "preset": "accurate"})
    found = jobs.tune(checked, parameters, watch=Watch(store, checked.verbose), **options)
    if found.model is not None:
        store.keep_model(found.model)
    return found.report() | {"model": None if found.model is None else describe(store, found.model)}


OPERATIONS = {
    "tune": tune,
    "select_predictors": select_predictors,
    "train": train,
    "search": search,
    "grid": sorted_grid,
    "train_segments": train_segments,
    "path": path,
    "parameters": parameters,
    "compare": compare,
}
