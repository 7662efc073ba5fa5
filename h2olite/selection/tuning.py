"""The search for good settings within a time: many are tried on a few rows of the table, and the good ones on more."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.splits import draw_seed, random_stream, sample_rows
from h2olite.data.table import Table
from h2olite.errors import H2OLiteError, ParameterError
from h2olite.fitting.cross_validation import assign_folds
from h2olite.fitting.fit import fit
from h2olite.fitting.origin import origin_of
from h2olite.fitting.preparation import Warn, response_name, with_classes
from h2olite.fitting.together import JointProgress, Watch
from h2olite.kinds.stopping_metrics import MORE_IS_BETTER, STOPPING_METRICS
from h2olite.machine.threads import usable_threads
from h2olite.model import Model
from h2olite.settings.parameters import SET_BY_TUNE, Parameters, counted
from h2olite.settings.validation import validate

from .candidates import Candidate, mean_loss
from .journal import TuningJournal
from .search import settings_of
from .space import Settings, free_dimensions, parameters_of, proposed
from .tracing import faults_of_given

if TYPE_CHECKING:
    import pandas as pd

FOLDS_OF_RUNGS = (1, 2, 5)
"""On how many folds settings are measured, at first and each time they are among the better ones."""

MEMBERS = 3
"""Networks that are averaged on the last rung, if the model is an ensemble: settings gain unequally by the average."""

BETTER_SHARE = 3
"""One in so many goes on to more folds."""

MOST_ROWS = 10_000
"""Rows of larger tables that the search looks at. The model itself learns from all rows."""

LEAST_AT_ONCE = 4
"""Trainings that are decided on together."""

LEAST_SECONDS = 1.0
"""For the training of the model, if the search has taken all of the time."""

N_NETWORKS, SHARE_OF_MODEL = 10, 0.2
"""Networks of the model, if nobody says how many and their training takes at most this share of the time."""

N_GOOD = 3
"""How many of the best settings new ones are made of."""


@dataclasses.dataclass(eq=False, repr=False)
class Tuning:
    """What `h2olite.tune` has tried, and the model of the best settings.

    Attributes
    ----------
    model : trained with the best settings on all rows; None if the search was interrupted.
    candidates : the settings that were tried, those measured on most folds first, and of these the best first.
    sort_metric : what the losses are: ``"logloss"`` of classes, ``"mean_residual_deviance"`` of numbers.
    seconds : how long everything took.
    interrupted : whether the search was ended from outside.
    warnings : sentences about the table and the model.
    """

    model: Model | None
    candidates: list[Candidate]
    sort_metric: str
    seconds: float
    interrupted: bool = False
    warnings: list[str] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        """Number of settings that were tried."""
        return len(self.candidates)

    @property
    def best(self) -> Settings:
        """The settings of the model."""
        return self.candidates[0].settings

    def rows(self) -> list[dict[str, Any]]:
        """A row for the settings that were tried: rank, settings, on how many folds, the mean loss and its error."""
        return [
            {
                "rank": rank,
                **{name: _shown(value) for name, value in candidate.settings.items()},
                "folds": len(candidate.losses),
                self.sort_metric: -candidate.loss if self.sort_metric in MORE_IS_BETTER else candidate.loss,
                "standard_error": candidate.standard_error,
                "seconds": candidate.seconds,
            }
            for rank, candidate in enumerate(self.candidates, 1)
        ]

    def table(self) -> pd.DataFrame:
        """`rows` as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def report(self) -> dict[str, Any]:
        """The search as plain values: the object that ``h2olite tune --json`` prints."""
        rows = [{name: _finite(value) for name, value in row.items()} for row in self.rows()]
        return {
            "sort_metric": self.sort_metric,
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "tried": rows,
            "model": self.model and self.model.report(),
        }

    def __repr__(self) -> str:
        """A line, and the table of what was tried."""
        return f"{counted(len(self), 'setting')} tried in {self.seconds:.0f} s\n{self.table()}"


def tune(
    parameters: Parameters,
    training: Table,
    given: Collection[str] = (),
    *,
    max_runtime_secs: float = 300.0,
    max_models: int = 0,
    folder: Path | None = None,
    watch: Watch | None = None,
    tell: Callable[[Candidate], None] | None = None,
    warn: Warn | None = None,
) -> Tuning:
    """Search for settings, and train a model with the best.

    Each training learns from the rows outside a fold, and is measured on the fold. All settings are measured on one
    fold. The better third of them goes on to another fold, and the better third of these to all five (asynchronous
    successive halving; Li et al. 2020), where the means of `MEMBERS` networks are measured. New settings are planned at
    first, then random, or changes of good ones.

    Parameters
    ----------
    parameters : with the values of the preset `accurate`.
    given : the names of those that the user gave, which are not tried.
    max_runtime_secs : seconds for all together, the last training included.
    max_models : trainings of the search at the most; 0 for no limit.
    folder : where what has been tried is written at once; a search that was ended there goes on.
    watch : is told of the progress of the trainings that run at the time; when it returns False, the search ends.
    tell : is told of settings each time that they have been measured on more folds.
    warn : is told what looks wrong with the table.

    Raises
    ------
    ParameterError : parameters do not go with a search, or the folder holds another one.
    H2OLiteError : not a single training came to its end; the error is that of the first one.
    """
    started = time.perf_counter()
    _refuse(parameters, max_runtime_secs, max_models)
    name = response_name(parameters, training)
    training = with_classes(parameters, training, name)
    journal = TuningJournal.open(folder, settings_of(parameters, training), draw_seed(parameters.seed))
    parameters = dataclasses.replace(parameters, y=name, seed=journal.seed)
    search = _Search(parameters, given, training, journal, watch, max_runtime_secs)
    started -= journal.seconds
    ends = started + max_runtime_secs
    search.run(started, ends, max_models or math.inf, tell)
    found = Tuning(None, search.ranked(), journal.sort_metric, time.perf_counter() - started, search.interrupted)
    if found.interrupted:
        return found
    if found.candidates[0].error is not None:
        raise ParameterError(f"no settings could be trained with: {found.candidates[0].error} Change what they share.")
    best = dataclasses.replace(search.with_settings(found.best), ensemble=search.n_networks)
    model = _model(best, training, max(ends - time.perf_counter(), LEAST_SECONDS), watch, warn)
    found.seconds = time.perf_counter() - started
    if model.stopped_by == "interrupted":
        found.interrupted = True
    else:
        found.model, found.warnings = model, model.record.warnings
    return found


def _model(parameters: Parameters, training: Table, seconds: float, watch: Watch | None, warn: Warn | None) -> Model:
    """The model with these parameters, trained for so many seconds at the most."""
    limited = dataclasses.replace(parameters, max_runtime_secs=seconds)
    model = fit(limited, training, None, watch, origin=origin_of(parameters, training, None), warn=warn)
    if model.stopped_by == "max_runtime_secs":
        model.record.warnings.append(
            "the time of the search has ended the training of the model, which may be better with a larger "
            "max_runtime_secs."
        )
    return dataclasses.replace(model, parameters=dataclasses.replace(model.parameters, max_runtime_secs=0.0))


class _Job(NamedTuple):
    """A training of the search: settings, the fold that they are measured on, and how many networks are averaged."""

    candidate: Candidate
    fold: int
    n_networks: int


class _Search:
    """The state of a search.

    Parameters
    ----------
    parameters : with a seed, and the response by name.
    given : the names of those that the user gave.
    training : the table.
    journal : what has been tried, which it adds to.
    watch : of all trainings.
    max_runtime_secs : seconds for the search and for the training of the model.
    """

    def __init__(
        self,
        parameters: Parameters,
        given: Collection[str],
        training: Table,
        journal: TuningJournal,
        watch: Watch | None,
        max_runtime_secs: float,
    ) -> None:
        self.interrupted = False
        self._max_runtime_secs, self._has_own_ensemble = max_runtime_secs, "ensemble" in given
        self._parameters, self._watch, self._journal = parameters, watch, journal
        self._free = free_dimensions(parameters, given)
        rows = sample_rows(training.n_rows, MOST_ROWS, random_stream(parameters.seed, "tuning rows"))
        self._table = training.take(rows) if rows.size < training.n_rows else training
        self._share = self._table.n_rows / training.n_rows
        n_folds = min(FOLDS_OF_RUNGS[-1], self._table.n_rows)
        assert isinstance(parameters.y, str)
        is_class = self._table[parameters.y].is_categorical
        dealt = {"nfolds": n_folds, "fold_assignment": "Stratified" if is_class else parameters.fold_assignment}
        self._folds = assign_folds(dataclasses.replace(parameters, **dealt), self._table)  # type: ignore[arg-type]
        self._rungs = sorted({min(n, int(self._folds.max()) + 1) for n in FOLDS_OF_RUNGS})
        self._n_threads = parameters.nthreads or usable_threads()

    def run(self, started: float, ends: float, max_models: float, tell: Callable[[Candidate], None] | None) -> None:
        """Try settings until the time is needed for the model, or until there were enough trainings."""
        n_done = sum(candidate.n_networks for candidate in self.candidates)
        while n_done < max_models and not self.interrupted:
            jobs = self._next_jobs(max_models - n_done)
            if not jobs:
                break
            self._do(jobs, ends - self._seconds_of_model())
            n_done += sum(job.n_networks for job in jobs)
            self._journal.write(time.perf_counter() - started)
            if tell is not None:
                for candidate in dict.fromkeys(job.candidate for job in jobs if job.candidate.losses):
                    tell(candidate)
            if time.perf_counter() + self._seconds_of_model() + self._seconds_of_batch() > ends:
                break

    @property
    def candidates(self) -> list[Candidate]:
        """What has been tried, in order."""
        return self._journal.candidates

    def ranked(self) -> list[Candidate]:
        """The candidates: those that did not fail, then those on more folds, then the better ones first."""
        return sorted(self.candidates, key=lambda one: (one.error is not None, -len(one.losses), one.loss))

    def with_settings(self, settings: Settings) -> Parameters:
        """The parameters with these settings.

        Raises
        ------
        ParameterError : they cannot go together.
        """
        return validate(vars(self._parameters) | parameters_of(settings, self._parameters))

    def _next_jobs(self, most: float) -> list[_Job]:
        """What to train next: enough for all threads, and `most` networks at the most."""
        jobs: list[_Job] = []
        planned: set[Candidate] = set()
        while len(jobs) < max(LEAST_AT_ONCE, self._n_threads) and most >= 1:
            promoted = self._promoted(planned)
            candidate, n_folds = promoted or (self._new(), self._rungs[0])
            further = [] if candidate is None else self._jobs_of(candidate, n_folds)
            n_networks = sum(job.n_networks for job in further)
            if candidate is None or n_networks > most:
                break
            jobs += further
            planned.add(candidate)
            most -= n_networks
        return jobs

    def _jobs_of(self, candidate: Candidate, n_folds: int) -> list[_Job]:
        """What measures a candidate on so many folds; on all of them anew, as an ensemble if the model is one."""
        is_last = n_folds == self._rungs[-1]
        n_networks = min(MEMBERS, self._parameters.ensemble) if is_last else 1
        first = len(candidate.losses) if n_networks == 1 else 0
        return [_Job(candidate, fold, n_networks) for fold in range(first, n_folds)]

    def _promoted(self, planned: Collection[Candidate]) -> tuple[Candidate, int] | None:
        """A candidate that is to be measured on more folds and not planned yet, and on how many."""
        for rung in range(len(self._rungs) - 1, 0, -1):
            n_before = self._rungs[rung - 1]
            reached = [one for one in self.candidates if len(one.losses) >= n_before and one.error is None]
            better = sorted(reached, key=lambda one: _mean_of_first(one, n_before))[: len(reached) // BETTER_SHARE]
            for candidate in dict.fromkeys([*self.candidates[:1], *better]):
                if len(candidate.losses) == n_before and candidate.error is None and candidate not in planned:
                    return candidate, self._rungs[rung]
        return None

    def _new(self) -> Candidate | None:
        """Settings that have not been tried; None if all have."""
        random = random_stream(self._parameters.seed, "settings", len(self.candidates))
        good = [candidate.settings for candidate in self.ranked()[:N_GOOD] if candidate.losses]
        settings = proposed([candidate.settings for candidate in self.candidates], good, self._free, random)
        if settings is None:
            return None
        self.candidates.append(Candidate(settings))
        return self.candidates[-1]

    def _do(self, jobs: Sequence[_Job], ends: float) -> None:
        """Train, and note the losses; one thread for each job. What takes too long is not measured."""
        at_once = min(len(jobs), self._n_threads)
        together = JointProgress(self._watch, [self._parameters.epochs] * len(jobs))

        def train(number: int) -> tuple[float | None, float]:
            job = jobs[number]
            candidate = job.candidate
            if together.interrupted or candidate.error is not None:
                return None, 0.0
            started = time.perf_counter()
            try:
                loss = self._loss(job, together.of(number), self._n_threads // at_once, ends)
            except (H2OLiteError, MemoryError) as error:
                candidate.error, loss = str(error) or "there is not enough memory.", math.inf
            finally:
                together.finish(number)
            return loss, time.perf_counter() - started

        results = together.results(train, len(jobs), at_once)
        self.interrupted = together.interrupted
        for candidate in dict.fromkeys(job.candidate for job in jobs):
            own = [(job, *result) for job, result in zip(jobs, results, strict=True) if job.candidate is candidate]
            losses = {job.fold: loss for job, loss, _ in own if loss is not None}
            if len(losses) == len(own) or candidate.error is not None:  # of what was interrupted, nothing counts
                candidate.losses |= losses
                candidate.seconds += sum(seconds for *_, seconds in own)
                candidate.n_networks += sum(job.n_networks for job, *_ in own)
        self.candidates[:] = [candidate for candidate in self.candidates if candidate.losses]

    def _loss(self, job: _Job, watch: Watch, n_threads: int, ends: float) -> float | None:
        """The loss on the rows of a fold of networks that have learnt from the others; None if it was interrupted.

        The very first settings are measured in any case.
        """
        candidate, fold = job.candidate, job.fold
        is_first = not self.candidates[0].losses and candidate is self.candidates[0]
        if time.perf_counter() >= ends and not is_first:
            return None
        inside = self._folds == fold
        outside, held_out = self._table.take(~inside), self._table.take(inside)
        parameters = dataclasses.replace(
            self.with_settings(candidate.settings),
            ensemble=job.n_networks,
            nthreads=n_threads,
            variable_importances=False,
            background_rows=0,
            seed=(self._parameters.seed + fold) % 2**63,
            max_runtime_secs=max(ends - time.perf_counter(), LEAST_SECONDS),
        )
        model = fit(parameters, outside, None, watch, prune=False)
        if model.stopped_by == "interrupted" or (model.stopped_by == "max_runtime_secs" and not is_first):
            return None
        metrics = model.measure(held_out, Adaptation(held_out.name))
        chosen = self._parameters.stopping_metric
        metric = metrics.auto_stopping_metric if chosen == "AUTO" else chosen
        self._journal.sort_metric = STOPPING_METRICS[metric].key
        value = metrics.stopping_value(metric)
        return -value if STOPPING_METRICS[metric].more_is_better else value

    @property
    def n_networks(self) -> int:
        """Networks of the model: more than the preset's, where their training takes little of the time."""
        is_quick = self._seconds_of(N_NETWORKS) <= SHARE_OF_MODEL * self._max_runtime_secs
        return N_NETWORKS if is_quick and not self._has_own_ensemble else self._parameters.ensemble

    def _seconds_of_model(self) -> float:
        """About how long the training of the model takes with the best settings so far; 0 before there are any."""
        return self._seconds_of(self.n_networks)

    def _seconds_of(self, n_networks: int) -> float:
        """About how long the training of a model of so many networks takes."""
        best = next(iter(self.ranked()), None)
        if best is None or not best.losses:
            return 0.0
        seconds = best.seconds / best.n_networks / self._share
        return 1.2 * seconds * math.ceil(n_networks / self._n_threads)

    def _seconds_of_batch(self) -> float:
        """About how long the next trainings take."""
        times = [candidate.seconds / candidate.n_networks for candidate in self.candidates]
        return float(np.mean(times or [0.0])) * max(LEAST_AT_ONCE / self._n_threads, 1.0)


def _mean_of_first(candidate: Candidate, n_folds: int) -> float:
    """The mean loss on the first folds."""
    return mean_loss([candidate.losses[fold] for fold in range(n_folds)])


def _shown(value: Any) -> Any:
    """A value for a cell of a table."""
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _finite(value: Any) -> Any:
    """The value, or None of a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refuse(parameters: Parameters, max_runtime_secs: float, max_models: int) -> None:
    """Raise a ParameterError for all that does not go with a search."""
    faults = faults_of_given(parameters, SET_BY_TUNE, "tune, which sets it by itself")
    if not 0 < max_runtime_secs < math.inf:
        faults.append(f"max_runtime_secs must be above 0; got {max_runtime_secs:g}.")
    if max_models < 0:
        faults.append(f"max_models must be >= 0; got {max_models}.")
    if faults:
        raise ParameterError(" ".join(faults))
