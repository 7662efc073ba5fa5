"""Which columns of a table a network needs."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.splits import deal_folds, draw_seed, random_stream
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError
from h2olite.fitting.fit import fit
from h2olite.fitting.origin import origin_of
from h2olite.fitting.preparation import Warn, choose_columns, look_at, response_name, with_classes
from h2olite.fitting.together import JointProgress, Watch
from h2olite.kinds.stopping_metrics import STOPPING_METRICS
from h2olite.machine.threads import usable_threads
from h2olite.model import Model
from h2olite.pictures.canvas import refuse_undrawable, save
from h2olite.settings.parameters import SET_BY_SELECT, Parameters
from h2olite.settings.presets import is_default

from .path import metrics_of_training
from .pictures import draw_columns
from .ranking import METHODS, N_TRAININGS
from .tracing import OF_ONE_TRAINING, faults_of_given, with_enough_epochs

if TYPE_CHECKING:
    import pandas as pd

CALM: dict[str, Any] = {"mini_batch_size": 32, "rho": 0.95, "epsilon": 1e-6}
"""How all networks are trained, where the user has not said otherwise: in a quarter of the time, with less noise."""

MOST_RESAMPLES = 1000
"""Half tables at the most: each of them takes several trainings."""

MEASURED: dict[str, Any] = {
    "holdout_share": 0.15,
    "epochs": 60.0,
    "train_samples_per_iteration": 0,
    "score_each_iteration": True,
    "classification_stop": -1.0,
}
"""How networks are trained besides whose losses are compared. They stop early, so that more columns do not only mean
more to learn by heart."""

MOST_SHADOWS = 50
"""Shuffled columns that are ranked among the others."""

SMALL_SIZES = (1, 2, 3, 4)
"""Numbers of columns that are tried, besides twice the last but one again and again, and all columns."""


class Tried(NamedTuple):
    """A way to rank columns, and a number of first columns, with the losses of the models on the other half tables.

    losses : float64 (n_halves,).
    """

    method: str
    n_columns: int
    losses: np.ndarray

    @property
    def loss(self) -> float:
        """The mean of the losses."""
        return float(self.losses.mean())

    @property
    def standard_error(self) -> float:
        """The standard error of the mean loss."""
        return float(self.losses.std(ddof=1)) / math.sqrt(self.losses.size)


class Half(NamedTuple):
    """What one half of the table has shown.

    rankings : by method, all columns and shadows in order.
    losses : by method and number of columns.
    sort_metric : what the losses are.
    """

    rankings: dict[str, list[str]]
    losses: dict[tuple[str, int], float]
    sort_metric: str


@dataclasses.dataclass(eq=False, repr=False)
class Selection:
    """Columns that a network needs, made by `h2olite.select`.

    Attributes
    ----------
    names : the chosen columns, the most needed one first.
    ranking : all columns in this order.
    method : how they were ranked: ``"path"``, ``"screening"`` or ``"autoencoder"``.
    shares : by column, in what share of the half tables it is among the chosen number of columns.
    false_columns : how many of the chosen columns are expected to be noise.
    tried : what was tried, with the losses.
    sort_metric : what the losses are: ``"logloss"`` of classes, ``"mean_residual_deviance"`` of numbers.
    model : trained on the chosen columns of all rows, if `refit` was asked for.
    warnings : sentences about the table and the models.
    """

    names: list[str]
    ranking: list[str]
    method: str
    shares: dict[str, float]
    false_columns: float
    tried: list[Tried]
    sort_metric: str
    model: Model | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        """Number of chosen columns."""
        return len(self.names)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each column, in the order of the ranking: its rank, its share, and whether it is chosen."""
        chosen = set(self.names)
        return [
            {"rank": rank, "column": name, "share": self.shares[name], "chosen": name in chosen}
            for rank, name in enumerate(self.ranking, 1)
        ]

    def table(self) -> pd.DataFrame:
        """`rows` as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def losses(self) -> list[dict[str, Any]]:
        """A row for each method and number of columns that was tried: the mean loss and its standard error."""
        return [
            {
                "method": tried.method,
                "columns": tried.n_columns,
                "loss": tried.loss,
                "standard_error": tried.standard_error,
            }
            for tried in self.tried
        ]

    def plot(self, target: str | os.PathLike[str]) -> None:
        """Draw the losses against the number of columns, and the shares of the first columns.

        target : a .svg, .png or .pdf file.

        Raises
        ------
        ParameterError : the extension is another one.
        MissingExtraError : matplotlib is not installed.
        """
        refuse_undrawable(target)
        save(draw_columns(self.losses(), self.rows(), len(self.names), self.sort_metric), target)

    def report(self, file: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """The selection as plain values: the object that ``h2olite select --json`` prints.

        Parameters
        ----------
        file : where the model is written, if it is.
        """
        return {
            "columns": self.names,
            "method": self.method,
            "false_columns": self.false_columns,
            "sort_metric": self.sort_metric,
            "ranking": self.rows(),
            "tried": self.losses(),
            "path": None if file is None else os.fspath(file),
        }

    def __repr__(self) -> str:
        """The chosen columns and how sure they are."""
        return (
            f"{len(self.names)} of {len(self.ranking)} columns by {self.method}, of which {self.false_columns:.1f} are "
            f"expected to be noise\n{self.table().head(len(self.names)).to_string(index=False)}"
        )


def select_columns(
    parameters: Parameters,
    training: Table,
    *,
    columns: int | None = None,
    resamples: int = 6,
    refit: bool = False,
    watch: Watch | None = None,
    warn: Warn | None = None,
) -> Selection:
    """Choose the columns that a network needs.

    Parameters
    ----------
    parameters : those of the network.
    training : the table.
    columns : how many columns to choose; None for as few as are about as good as any number.
    resamples : how many half tables to rank columns on; an even number.
    refit : whether to train a model on the chosen columns of all rows.
    watch : is told of progress; when it returns False, there is no selection.
    warn : is told what looks wrong with the table before training begins.

    Raises
    ------
    ParameterError : parameters do not go with this, or with the table.
    DataError, TrainingError : as for `fit`.
    KeyboardInterrupt : a watch has ended it.
    """
    look_at(parameters, training, warn, at_columns=True)
    name = response_name(parameters, training)
    training = with_classes(parameters, training, name)
    parameters = dataclasses.replace(
        parameters, y=name, seed=draw_seed(parameters.seed), model_id=parameters.model_id or "selection"
    )
    _, candidates, levels, said = choose_columns(parameters, training, name)
    _refuse(parameters, len(candidates), columns, resamples)
    parameters = with_values(parameters, CALM)
    origin = origin_of(parameters, training, None) | {"given": None}
    response = training[name].values
    present = np.flatnonzero(~np.isnan(response) if levels is None else response >= 0)
    rows = training.take(present)
    if rows.n_rows < 2 * resamples:
        raise DataError(
            f"select needs at least {2 * resamples} rows with a response; {training.name} has {rows.n_rows}."
        )
    sizes = sizes_to_try(len(candidates)) if columns is None else [columns]
    methods = [method for method in METHODS if method != "autoencoder" or len(candidates) > rows.n_rows]
    n_in_halves = resamples * trainings_of_half(methods, sizes)
    n_last = max(N_TRAININGS.values()) + 1
    epochs = with_enough_epochs(parameters, rows.n_rows // 2).epochs
    together = JointProgress(watch, [epochs] * (n_in_halves + n_last))
    halves = look_at_halves(parameters, rows, candidates, methods, sizes, resamples, together)
    tried = [
        Tried(method, size, np.array([half.losses[method, size] for half in halves]))
        for method in methods
        for size in sizes
    ]
    chosen = choose(tried)
    last = [together.of(n_in_halves + i) for i in range(n_last)]
    ranking = METHODS[chosen.method](with_enough_epochs(parameters, rows.n_rows), rows, candidates, last[:-1])
    names = ranking[: chosen.n_columns]
    refuse_interrupted(together)
    model = None
    if refit:
        model = fit(measured(parameters, names, training.n_rows), training, None, last[-1], origin=origin)
        said = said + model.record.warnings
        refuse_interrupted(together)
    return Selection(
        names,
        ranking,
        chosen.method,
        shares_of(halves, chosen, candidates),
        false_columns(halves, chosen, candidates),
        tried,
        halves[0].sort_metric,
        model,
        list(dict.fromkeys(said)),
    )


def trainings_of_half(methods: Sequence[str], sizes: Sequence[int]) -> int:
    """How many trainings a half takes at the most."""
    return sum(N_TRAININGS[method] for method in methods) + len(methods) * len(sizes)


def look_at_halves(
    parameters: Parameters,
    rows: Table,
    candidates: Sequence[str],
    methods: Sequence[str],
    sizes: Sequence[int],
    resamples: int,
    together: JointProgress,
) -> list[Half]:
    """What so many half tables show. Two after one another have all rows, and classes are divided evenly.

    Raises
    ------
    KeyboardInterrupt : a watch has ended it.
    """
    response = rows[str(parameters.y)]
    classes = response.values if response.is_categorical else None
    n_threads = parameters.nthreads or usable_threads()
    at_once = min(resamples, n_threads)
    of_half = dataclasses.replace(parameters, nthreads=n_threads // at_once)
    n_trainings = trainings_of_half(methods, sizes)

    def look(number: int) -> Half | None:
        pair, part = divmod(number, 2)
        folds = deal_folds(rows.n_rows, 2, "Stratified", parameters.seed + pair, classes)
        own, other = (rows.take(np.flatnonzero((folds == part) == is_own)) for is_own in (True, False))
        trainings = range(number * n_trainings, (number + 1) * n_trainings)
        half = look_at_half(of_half, own, other, candidates, methods, sizes, [together.of(i) for i in trainings])
        for training in trainings:
            together.finish(training)
        return None if together.interrupted else half

    halves = together.results(look, resamples, at_once)
    refuse_interrupted(together)
    return halves


def look_at_half(
    parameters: Parameters,
    own: Table,
    other: Table,
    candidates: Sequence[str],
    methods: Sequence[str],
    sizes: Sequence[int],
    watches: Sequence[Watch],
) -> Half:
    """Rank the columns, and as many shuffled ones, on one half; measure models of the first columns on the other half.

    watches : one for each training.
    """
    own, shadows = with_shadows(own, candidates, parameters.seed)
    to_rank = with_enough_epochs(parameters, own.n_rows)
    spare = iter(watches)
    rankings, losses = {}, {}
    known: dict[frozenset[str], float] = {}
    sort_metric = ""
    for method in methods:
        own_watches = [next(spare) for _ in range(N_TRAININGS[method])]
        rankings[method] = METHODS[method](to_rank, own, [*candidates, *shadows], own_watches)
        ranked = [name for name in rankings[method] if name not in shadows]
        for size, watch in zip(sizes, spare, strict=False):
            names = frozenset(ranked[:size])
            if names not in known:
                model = fit(measured(parameters, ranked[:size], own.n_rows), own, None, watch, prune=False)
                known[names] = model.measure(other, Adaptation(other.name)).stopping_value("AUTO")
                sort_metric = STOPPING_METRICS[metrics_of_training(model).auto_stopping_metric].key
            losses[method, size] = known[names]
    return Half(rankings, losses, sort_metric)


def measured(parameters: Parameters, names: list[str], n_rows: int) -> Parameters:
    """The parameters of a model of these columns whose loss is compared with others."""
    enough = with_enough_epochs(parameters, n_rows).epochs
    changed = with_values(parameters, MEASURED)
    return dataclasses.replace(changed, x=names, epochs=max(changed.epochs, enough))


def with_values(parameters: Parameters, values: Mapping[str, Any]) -> Parameters:
    """The parameters with these values where the user has not given others."""
    own = {name: value for name, value in values.items() if is_default(name, getattr(parameters, name))}
    return dataclasses.replace(parameters, **own)


def with_shadows(table: Table, candidates: Sequence[str], seed: int) -> tuple[Table, dict[str, str]]:
    """The table with shuffled copies of some columns, which tell nothing of the response, and whose copies they are."""
    random = random_stream(seed, "shadows")
    some = random.permutation(len(candidates))[:MOST_SHADOWS]
    columns, shadows = dict(table.columns), {}
    for index in some.tolist():
        name = candidates[index]
        shadow = f"{name} shuffled"
        while shadow in columns:
            shadow += "'"
        columns[shadow] = table[name].take(random.permutation(table.n_rows))
        shadows[shadow] = name
    return dataclasses.replace(table, columns=columns), shadows


def choose(tried: Sequence[Tried]) -> Tried:
    """The fewest columns whose loss is within one standard error of the lowest; of several methods, the better one.

    References
    ----------
    Breiman, Friedman, Olshen and Stone 1984.
    """
    best = min(tried, key=lambda one: one.loss)
    about_as_good = [one for one in tried if one.loss <= best.loss + best.standard_error]
    return min(about_as_good, key=lambda one: (one.n_columns, one.loss))


def shares_of(halves: Sequence[Half], chosen: Tried, candidates: Sequence[str]) -> dict[str, float]:
    """In what share of the half tables each column is among the chosen number of columns.

    References
    ----------
    Meinshausen and Buehlmann 2010; Shah and Samworth 2013 (halves in pairs without common rows).
    """
    counts = dict.fromkeys(candidates, 0)
    for half in halves:
        ranked = [name for name in half.rankings[chosen.method] if name in counts]
        for name in ranked[: chosen.n_columns]:
            counts[name] += 1
    return {name: count / len(halves) for name, count in counts.items()}


def false_columns(halves: Sequence[Half], chosen: Tried, candidates: Sequence[str]) -> float:
    """How many of the chosen columns are expected to be noise, by the shadows that come before the last of them."""
    real, n_before = set(candidates), 0
    for half in halves:
        n_real = 0
        for name in half.rankings[chosen.method]:
            n_real += name in real
            if n_real == chosen.n_columns:
                break
            n_before += name not in real
    n_shadows = len(halves[0].rankings[chosen.method]) - len(real)
    return min(n_before / len(halves) * len(real) / n_shadows, float(chosen.n_columns))


def sizes_to_try(n_columns: int) -> list[int]:
    """Numbers of columns, ascending, up to all of them."""
    sizes = [*SMALL_SIZES]
    while sizes[-1] < n_columns:
        sizes.append(2 * sizes[-2])
    return [*(size for size in sizes if size < n_columns), n_columns]


def refuse_interrupted(together: JointProgress) -> None:
    """Raise a KeyboardInterrupt if a watch has ended the trainings."""
    if together.interrupted:
        raise KeyboardInterrupt("the selection was interrupted; it has no result before its end.")


def _refuse(parameters: Parameters, n_candidates: int, columns: int | None, resamples: int) -> None:
    """Raise a ParameterError for all that does not go with a selection of columns."""
    faults = faults_of_given(parameters, OF_ONE_TRAINING, "select, which trains many models")
    faults += faults_of_given(parameters, SET_BY_SELECT, "select, which divides the rows and sets penalties by itself")
    if columns is not None and not 1 <= columns <= n_candidates:
        faults.append(f"columns must be from 1 to {n_candidates}, the number of predictors; got {columns}.")
    if not 2 <= resamples <= MOST_RESAMPLES or resamples % 2:
        faults.append(f"resamples must be an even number from 2 to {MOST_RESAMPLES}; got {resamples}.")
    if faults:
        raise ParameterError(" ".join(faults))
