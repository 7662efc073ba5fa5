"""Regularisation paths: one strength of penalties after the other, each training going on from the one before."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.roles import row_weights
from h2olite.data.splits import (
    complete_rows,
    deal_folds,
    draw_seed,
    random_stream,
    sample_by_class,
    sample_rows,
    training_rows,
)
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError, TrainingError
from h2olite.fitting.cross_validation import assign_folds
from h2olite.fitting.fit import fit
from h2olite.fitting.origin import origin_of
from h2olite.fitting.preparation import Warn, look_at, prepare, response_name, with_classes
from h2olite.fitting.pruning import pruned
from h2olite.fitting.strongest import absolute
from h2olite.fitting.together import JointProgress, Watch, result_of
from h2olite.machine.threads import Threads, usable_threads
from h2olite.model import Model
from h2olite.settings.parameters import FRAMES, POINT_CHOICES, Parameters, PointChoice, Relative, declared, exactly
from h2olite.settings.validation import warnings
from h2olite.trained.objective import penalties
from h2olite.training.trainer import Progress

from .path import BY_ITSELF, Point, RegularizationPath, metrics_of_training, read_strengths

N_PARTS = 10
"""Parts of validation rows; how much their losses differ gives the standard error."""

PIECE, SETTLED = 0.1, 0.1
"""A model that goes on from weaker penalties is trained for this share of the epochs, again and again until one such
piece changes the penalty and takes from what it adds to the training loss no more than this share; for no more than all
epochs. A penalty that grows is one whose training has gone astray, as it may with more columns than rows."""

MOST_ROWS_OF_FOLDS, FOLDS = 5_000, 5
"""A path that chooses by itself is cross-validated with so many folds where the table has no more rows than that."""

ENOUGH_ROWS, MOST_EPOCHS = 50_000, 500
"""A path that chooses by itself passes so many rows before the second strength, but no more epochs than that."""

OF_ONE_TRAINING = ("checkpoint", "export_checkpoints_dir", "ensemble", "holdout_share")
"""Parameters that cannot be those of all models of a path."""

Place = tuple[int, ...]
"""Where on a path: the index of the strength of each penalty that varies."""


@dataclasses.dataclass(eq=False)
class Itinerary:
    """The order in which strengths are trained, and from where each of them goes on.

    Attributes
    ----------
    strengths : of each penalty that varies, ascending; all combinations are tried, the last penalty varying fastest.
    parameters : all others.
    is_open : whether the strengths may be more than are needed: it ends with the first model that uses no predictor.
    """

    strengths: Mapping[str, Sequence[float]]
    parameters: Parameters
    is_open: bool = False

    def __post_init__(self) -> None:
        self.places: list[Place] = list(np.ndindex(*map(len, self.strengths.values())))

    @property
    def epochs(self) -> list[float]:
        """How long each place is trained, at the least."""
        return [self.parameters.epochs, *(PIECE * self.parameters.epochs for _ in self.places[1:])]

    def before(self, place: Place) -> Place | None:
        """The place that a training goes on from: the next weaker strength of the fastest penalty that has one."""
        for i in reversed(range(len(place))):
            if place[i] > 0:
                return (*place[:i], place[i] - 1, *place[i + 1 :])
        return None

    def leading_to(self, place: Place) -> list[Place]:
        """The places on the way to a place, and itself."""
        before = self.before(place)
        return [*(self.leading_to(before) if before else []), place]

    def travel(self, places: Sequence[Place], training: Table, watches: Sequence[Watch]) -> Iterator[Model]:
        """Train one place after the other, until a watch ends it.

        A place goes on from what the weaker one was before its last piece. Where that piece is enough, both have been
        trained for the same time: weights grow with time, and would hide what a weak penalty does to them.

        Unused predictors stay in the models: one that leaves by chance comes back.
        """
        starts: dict[Place | None, Model] = {}
        for place, watch in zip(places, watches, strict=True):
            starts[place], model = self._train(place, starts.get(self.before(place)), training, watch)
            if model.stopped_by == "interrupted":
                return
            yield model

    def ends_with(self, points: Sequence[Point]) -> bool:
        """Whether the last of these points ends the path, although there are more places."""
        return self.is_open and bool(points) and not points[-1].model.encoder.schema

    def _train(self, place: Place, start: Model | None, training: Table, watch: Watch) -> tuple[Model, Model]:
        """A place's model before its last piece of training, and after it, when penalties hardly shrink it any more."""
        penalties = {name: strengths[i] for (name, strengths), i in zip(self.strengths.items(), place, strict=True)}
        model_id = f"{self.parameters.model_id}_{1 + self.places.index(place)}"
        parameters = dataclasses.replace(self.parameters, model_id=model_id, **penalties)  # type: ignore[arg-type]
        if start is None:
            all_but_a_piece = dataclasses.replace(parameters, epochs=(1 - PIECE) * parameters.epochs)
            start = fit(all_but_a_piece, training, None, watch, prune=False)
        else:
            watch = _watch_from(start, watch)
        before = model = start
        cost, settled = _cost(start, start, parameters), False
        for _ in range(round(1 / PIECE)):
            if settled or model.stopped_by == "interrupted":
                break
            before, model = model, fit(_going_on(parameters, model), training, None, watch, prune=False)
            cost_before, cost = cost, _cost(model, start, parameters)
            settled = _is_settled(cost_before, cost)
        return before, model


class TimeLimit:
    """A watcher that ends the training of a path when its seconds are over; 0 is no limit."""

    def __init__(self, seconds: float, watch: Watch | None) -> None:
        self.is_over = False
        self._seconds, self._watch = seconds, watch
        self._started = time.perf_counter()

    def __call__(self, progress: Progress) -> bool | None:
        """Pass the progress on while there is time."""
        if self._seconds and time.perf_counter() - self._started > self._seconds:
            self.is_over = True
            return False
        return self._watch and self._watch(progress)

    def account(self, n_done: int, n_all: int) -> str:
        """Say how far the path came in its time.

        Raises
        ------
        TrainingError : not even its first strength was done.
        """
        if n_done == 0:
            raise TrainingError(
                f"max_runtime_secs must be long enough for the first strength; {self._seconds:g} s were over before; "
                "give more, or fewer epochs."
            )
        if n_done < n_all:
            return f"max_runtime_secs={self._seconds:g} ended the path after {n_done} of {n_all} strengths."
        return f"max_runtime_secs={self._seconds:g} ended the refit: the model has not learnt from the rows held out."


def trace(
    strengths: Mapping[str, Sequence[float]],
    parameters: Parameters,
    training: Table,
    validation: Table | None = None,
    *,
    validation_share: float = 0.2,
    choice: PointChoice = "best_1se",
    refit: bool = False,
    watch: Watch | None = None,
    warn: Warn | None = None,
) -> RegularizationPath:
    """Train a path of models.

    Parameters
    ----------
    strengths : of the penalties that vary, ascending; all combinations are tried. They may be `Relative`. Without any,
        the path is one of l1 that ends where nothing is left, and is cross-validated on a table of few rows unless
        parameters say on what to measure.
    parameters : all others, checked.
    training, validation : the tables.
    validation_share : of the training table's rows, to hold out if there are neither a validation table nor folds.
    choice : which point's model is the path's.
    refit : train that model on all rows, if rows were held out from it.
    watch : is told of progress; when it returns False, the path ends with the strengths that are done.
    warn : is told what looks wrong with the tables before training begins.

    Raises
    ------
    ParameterError : parameters do not go with a path or with the response.
    DataError, TrainingError : as for `fit`; max_runtime_secs were over before the first strength was done.
    """
    limit = TimeLimit(parameters.max_runtime_secs, watch)
    _refuse(parameters, validation_share, choice)
    look_at(parameters, training, warn, at_columns=True)
    name = None if parameters.autoencoder else response_name(parameters, training)
    training = with_classes(parameters, training, name)
    validation = validation and with_classes(parameters, validation, name)
    levels = None if name is None else training[name].levels
    said = warnings(parameters, None if levels is None else len(levels), name=name or "an autoencoder")
    parameters = dataclasses.replace(parameters, y=name, seed=draw_seed(parameters.seed))
    if not strengths:
        parameters = by_itself(parameters, training, validation)
    folds = assign_folds(parameters, training) if parameters.nfolds or parameters.fold_column else None
    parameters = ended_by_epochs(dataclasses.replace(parameters, model_id=parameters.model_id or "path", nfolds=0))
    # No parameters alone give a model that goes on from others.
    origin = origin_of(parameters, training, validation) | {"given": None}
    is_open, strengths = not strengths, strengths or read_strengths(BY_ITSELF)
    if any(isinstance(value, Relative) for values in strengths.values() for value in values):
        unpenalised = dataclasses.replace(parameters, l1=0.0, l2=0.0, input_group_l1=0.0)
        strengths = absolute(strengths, prepare(unpenalised, training, None))
    itinerary = Itinerary(strengths, parameters, is_open)
    trained = training
    if folds is not None:
        points, interrupted = _cross_validate(itinerary, training, folds, limit)
    else:
        if validation is None:
            kept = held_in(training, name, validation_share, parameters.seed)
            trained, validation = training.take(np.flatnonzero(kept)), training.take(np.flatnonzero(~kept))
        parts = deal_parts(validation, name, parameters.weights_column, N_PARTS)
        points, interrupted = _validate(itinerary, trained, validation, parts, limit)
    said += [sentence for point in points for sentence in point.model.record.warnings]
    path = RegularizationPath(
        names=[name for name, values in strengths.items() if len(values) > 1] or list(strengths),
        points=points,
        choice=choice,
        warnings=list(dict.fromkeys(said)),
        interrupted=interrupted,
    )
    for point in points:
        point.model.record.origin = origin
    if refit and points and trained is not training and not interrupted:
        places = itinerary.leading_to(itinerary.places[path.chosen])
        together = JointProgress(limit, itinerary.epochs[: len(places)])
        models = list(itinerary.travel(places, training, [together.of(i) for i in range(len(places))]))
        path.interrupted = together.interrupted
        if not together.interrupted:
            path.refitted = pruned(models[-1])
            path.refitted.record.origin = origin
    if limit.is_over:
        path.warnings.append(limit.account(len(points), len(itinerary.places)))
    return path


def by_itself(parameters: Parameters, training: Table, validation: Table | None) -> Parameters:
    """The parameters of a path that chooses by itself, where the user has not said otherwise.

    A table of few rows is cross-validated, and is passed over more often.
    """
    says_where = parameters.nfolds or parameters.fold_column or validation is not None
    if not says_where and training.n_rows <= MOST_ROWS_OF_FOLDS:
        parameters = dataclasses.replace(parameters, nfolds=min(FOLDS, training.n_rows))
    return with_enough_epochs(parameters, training.n_rows)


def with_enough_epochs(parameters: Parameters, n_rows: int) -> Parameters:
    """The parameters with more epochs where there are few rows, and the user has not given epochs."""
    if parameters.epochs != declared()["epochs"].default:
        return parameters
    enough = min(-(-ENOUGH_ROWS // max(n_rows, 1)), MOST_EPOCHS)
    return dataclasses.replace(parameters, epochs=max(parameters.epochs, float(enough)))


def ended_by_epochs(parameters: Parameters) -> Parameters:
    """The parameters of a path's trainings: nothing but the epochs ends one, which would skip strengths."""
    return dataclasses.replace(
        parameters,
        stopping_rounds=0,
        classification_stop=-1.0,
        regression_stop=-1.0,
        overwrite_with_best_model=False,
        max_runtime_secs=0.0,
    )


def faults_of_given(parameters: Parameters, names: Sequence[str], reason: str) -> list[str]:
    """A sentence for each of these parameters that is given."""
    return [
        f"{name} cannot be given for {reason}; leave it out."
        for name in names
        if (value := getattr(parameters, name)) is not None
        and (
            name in FRAMES or value != declared()[name].default  # a frame may compare cell by cell
        )
    ]


def _refuse(parameters: Parameters, validation_share: float, choice: str) -> None:
    """Raise a ParameterError for all that does not go with a path."""
    faults = faults_of_given(parameters, OF_ONE_TRAINING, "a path, whose models go on from one another")
    if not 0 < validation_share < 1:
        faults.append(f"validation_share must be in (0, 1); got {exactly(validation_share)}.")
    if choice not in POINT_CHOICES:
        faults.append(f"choice must be one of {', '.join(POINT_CHOICES)}; got {choice!r}.")
    if faults:
        raise ParameterError(" ".join(faults))


def _cost(model: Model, weaker: Model, parameters: Parameters) -> tuple[float, float]:
    """The penalty of a model, and how much more training loss it has than one of weaker penalties."""
    loss, loss_before = (metrics_of_training(of).stopping_value("AUTO") for of in (model, weaker))
    return sum(penalties(model, parameters)), max(loss - loss_before, 0.0)


def _is_settled(before: tuple[float, float], after: tuple[float, float]) -> bool:
    """Whether a piece of training changed the penalty little, and did not take much from what it adds to the loss."""
    return abs(after[0] - before[0]) <= SETTLED * before[0] and after[1] >= (1 - SETTLED) * before[1]


def held_in(table: Table, response: str | None, share: float, seed: int) -> np.ndarray:
    """Which rows to train on when a share is held out, of every class alike; bool, shape (n_rows,)."""
    random = random_stream(seed, "hold-out")
    size = max(1, min(round(share * table.n_rows), table.n_rows - 1))
    if response is None or table[response].levels is None:
        held_out = sample_rows(table.n_rows, size, random)
    else:
        held_out = sample_by_class(table[response].values, size, random)
    kept = np.ones(table.n_rows, np.bool_)
    kept[held_out] = False
    return kept


def deal_parts(table: Table, response: str | None, weights_column: str | None, n_parts: int) -> list[np.ndarray]:
    """The rows of a table that can show how good a model is, dealt to parts: fewer of them if there are few rows."""
    responses = None if response is None else complete_rows(table, [response])
    rows = training_rows(table, weights=row_weights(table, weights_column, Adaptation(table.name)), complete=responses)
    parts = deal_folds(rows.size, min(n_parts, rows.size), "Random", 0)
    return [rows[parts == part] for part in range(parts.max() + 1)]


def _validate(
    itinerary: Itinerary, training: Table, validation: Table, parts: Sequence[np.ndarray], watch: Watch | None
) -> tuple[list[Point], bool]:
    """The points of a path, measured on parts of the validation rows, and whether it was interrupted."""
    together = JointProgress(watch, itinerary.epochs)
    points: list[Point] = []
    for model in itinerary.travel(itinerary.places, training, [together.of(i) for i in range(len(itinerary.places))]):
        adaptation = Adaptation(validation.name)
        of_all, *of_parts = model.measure_parts(validation, adaptation, [np.arange(validation.n_rows), *parts])
        model.validation_metrics = of_all
        model.record.warnings += adaptation.warnings()
        points.append(Point(pruned(model), np.array([of_part.stopping_value("AUTO") for of_part in of_parts])))
        if itinerary.ends_with(points):
            break
    return points, together.interrupted


def _cross_validate(
    itinerary: Itinerary, training: Table, folds: np.ndarray, watch: Watch | None
) -> tuple[list[Point], bool]:
    """The points of a path on all rows, measured by paths without one fold each, and whether it was interrupted."""
    n_folds, n_places = int(folds.max()) + 1, len(itinerary.places)
    n_threads = itinerary.parameters.nthreads or usable_threads()
    at_once = min(n_folds + 1, n_threads)
    itinerary = dataclasses.replace(
        itinerary, parameters=dataclasses.replace(itinerary.parameters, nthreads=n_threads // at_once)
    )
    together = JointProgress(watch, itinerary.epochs * (n_folds + 1))

    def travel(number: int, rows: np.ndarray) -> Iterator[Model]:
        watches = [together.of(number * n_places + i) for i in range(n_places)]
        return itinerary.travel(itinerary.places, training.take(np.flatnonzero(rows)), watches)

    held_out = [training.take(np.flatnonzero(folds == fold)) for fold in range(n_folds)]
    of_folds = [travel(fold, folds != fold) for fold in range(n_folds)]
    of_all = travel(n_folds, np.ones(training.n_rows, np.bool_))

    def judge(fold: int) -> float | None:
        """The loss of the fold's next model on its rows, None if there is no model."""
        try:
            model = next(of_folds[fold], None)
            rows = held_out[fold]
            return None if model is None else model.measure(rows, Adaptation(rows.name)).stopping_value("AUTO")
        except (DataError, TrainingError) as error:
            raise type(error)(f"in fold {fold + 1} of {n_folds}: {error}") from error

    points: list[Point] = []
    with Threads(at_once) as pool:
        try:
            # All go from place to place together, so that none is in vain when the path is ended.
            for _ in itinerary.places:
                if itinerary.ends_with(points):
                    break
                judged = [pool.submit(judge, fold) for fold in range(n_folds)]
                model = result_of(pool.submit(next, of_all, None))
                losses = [result_of(future) for future in judged]
                if model is None or None in losses:
                    break
                points.append(Point(pruned(model), np.array(losses)))
        except BaseException:
            together.interrupt()
            raise
    return points, together.interrupted


def _going_on(parameters: Parameters, checkpoint: Model) -> Parameters:
    """The parameters that go on from a model for a piece."""
    piece = PIECE * parameters.epochs
    epochs = checkpoint.record.epochs + piece
    # The running average must not reach back to the weaker penalties.
    window = parameters.averaging_window * piece / epochs
    return dataclasses.replace(parameters, checkpoint=checkpoint, epochs=epochs, averaging_window=window)


def _watch_from(checkpoint: Model, watch: Watch) -> Watch:
    """A watcher of trainings that go on, which is told only of what comes after the checkpoint."""
    epochs, rows_seen = checkpoint.record.epochs, checkpoint.record.samples

    def watch_rest(progress: Progress) -> bool | None:
        return watch(
            progress._replace(
                epochs=progress.epochs - epochs,
                total_epochs=progress.total_epochs - epochs,
                rows_seen=progress.rows_seen - rows_seen,
            )
        )

    return watch_rest
