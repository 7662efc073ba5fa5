"""How long is trained, when the model is measured, and which model remains, through the public door."""

import itertools
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.encoding import NONE, EncodedRows
from h2olite.errors import TrainingError
from h2olite.fitting import learning
from h2olite.training import team, trainer

QUICK = {"hidden": [3], "seed": 1}
PATIENT = {"stopping_rounds": 0, "classification_stop": -1, "regression_stop": -1}
"""No early end."""


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 2))
    y = x[:, 0] - x[:, 1] + random.normal(size=3000)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y, "sign": np.where(y > 0, "plus", "minus")})


def train(frame, **given):
    settings = {"training_frame": frame, "x": ["a", "b"], "y": "y", "epochs": 2} | QUICK | PATIENT
    return h2olite.deeplearning(**settings | given)


@pytest.mark.proves("epochs")
@pytest.mark.parametrize("epochs", [0, 0.035, 0.5, 3])
def test_so_many_epochs_are_trained(frame, epochs):
    model = train(frame[:200], epochs=epochs)
    assert (model.record.epochs, model.record.samples) == (epochs, round(200 * epochs))
    assert model.stopped_by == "epochs"
    assert model.training_metrics.nobs() == 200


@pytest.mark.proves("train_samples_per_iteration")
@pytest.mark.parametrize(("rows", "iterations"), [(150, 4), (0, 3), (-1, 3), (-2, 10)])
def test_an_iteration_has_as_many_rows_as_asked_for(frame, rows, iterations):
    model = train(frame[:200], epochs=3, train_samples_per_iteration=rows)
    assert model.record.iterations == iterations


@pytest.mark.proves("mini_batch_size")
@pytest.mark.parametrize(("batch", "iterations"), [(1, 10), (20, 10), (64, 4)])
def test_automatic_iterations_cut_no_mini_batch(frame, batch, iterations):
    assert train(frame[:200], epochs=1, mini_batch_size=batch).record.iterations == iterations


def test_mini_batches_larger_than_the_table_hold_its_rows_once(frame):
    settings = {"epochs": 3, "l2": 0.1, "shuffle_training_data": False}
    whole, larger = (train(frame[:200], mini_batch_size=size, **settings) for size in (200, 10**15))
    np.testing.assert_array_equal(larger.network.theta, whole.network.theta)


def scorings(frame, **given):
    """The iterations after which the model was measured, of ten."""
    model = train(frame[:200], epochs=10, train_samples_per_iteration=0, **given)
    return model.scoring_history()["iterations"].tolist()[1:]


@pytest.mark.proves("score_interval", "score_duty_cycle")
def test_measurements_wait_for_the_interval_and_the_duty_cycle(frame):
    # A share of 1 is never reached; a share of 0 always is.
    assert scorings(frame, score_interval=0, score_duty_cycle=1) == list(range(1, 11))
    assert scorings(frame, score_interval=1e6, score_duty_cycle=1) == [1, 10]
    assert scorings(frame, score_interval=0, score_duty_cycle=0) == [1, 10]


@pytest.mark.proves("score_training_samples", "score_validation_samples")
def test_so_many_rows_are_measured(frame):
    model = train(frame, validation_frame=frame[:500], score_training_samples=300, score_validation_samples=70)
    assert (model.training_metrics.nobs(), model.validation_metrics.nobs()) == (300, 70)
    model = train(frame, validation_frame=frame[:500], score_training_samples=0)
    assert (model.training_metrics.nobs(), model.validation_metrics.nobs()) == (3000, 500)


@pytest.mark.proves("classification_stop", "regression_stop")
@pytest.mark.parametrize(
    ("y", "given", "stopped_by"),
    [
        ("sign", {"classification_stop": 0.99}, "classification_stop"),
        ("sign", {"classification_stop": 0.001}, "epochs"),
        ("y", {"regression_stop": 99}, "regression_stop"),
        ("y", {"regression_stop": 0.001}, "epochs"),
    ],
)
def test_training_stops_when_it_is_good_enough(frame, y, given, stopped_by):
    assert train(frame[:200], y=y, **given).stopped_by == stopped_by


def easy(frame):
    """Rows that can be predicted without error, as others cannot."""
    y = frame["a"] - frame["b"]
    clear = frame.assign(y=y, sign=np.where(y > 0, "plus", "minus"))[y.abs() > 0.5]
    return clear[:60]


@pytest.mark.proves("classification_stop", "regression_stop")
@pytest.mark.parametrize(
    ("y", "given"),
    [
        ("sign", {"classification_stop": 0}),
        ("sign", {"classification_stop": 0.05}),
        ("y", {"regression_stop": 0.1}),
    ],
)
def test_training_rows_that_are_learnt_do_not_end_a_training_while_validation_rows_are_not(frame, y, given):
    settings = {"y": y, "epochs": 300} | given
    assert train(easy(frame), **settings).stopped_by == next(iter(given))
    assert train(easy(frame), validation_frame=frame[1000:1400], **settings).stopped_by == "epochs"


@pytest.mark.proves("stopping_rounds")
@pytest.mark.parametrize("y", ["sign", "y"])
@pytest.mark.parametrize("given", [{}, {"mini_batch_size": 8}, {"stopping_rounds": 2}])
def test_a_quick_training_is_ended_by_its_stopping_rounds_at_the_same_moment_each_time(frame, y, given):
    settings = {
        "stopping_rounds": 3,
        "stopping_tolerance": 0.01,
        "epochs": 2000,
        "train_samples_per_iteration": 1000,
    } | given
    first, second = (train(easy(frame), y=y, validation_frame=frame[1000:1400], **settings) for _ in range(2))
    assert first.stopped_by == second.stopped_by == "stopping_rounds"
    assert first.record.epochs == second.record.epochs < 1900
    np.testing.assert_array_equal(first.network.theta, second.network.theta)


@pytest.mark.proves("score_duty_cycle", "score_training_samples")
def test_quick_trainings_are_measured_as_often_as_the_duty_cycle_allows(frame):
    def measured(**given):
        model = train(frame[:1000], epochs=100, train_samples_per_iteration=0, **{"stopping_rounds": 500} | given)
        return len(model.scoring_history())

    few = measured(score_duty_cycle=0.01)
    assert 4 <= few < measured(score_duty_cycle=0.1) - 15
    assert measured(score_duty_cycle=0.01, score_training_samples=100) > few + 15
    assert measured(stopping_rounds=0) <= 4


class Values:
    """A metric that takes one value after the other, whatever the predictions."""

    def __init__(self, *values):
        self.values = iter(values)

    def __call__(self, actual, predicted, weights):
        return next(self.values)


def measured_as(frame, *values, **given):
    """A training whose measurements give these values."""
    each = {"train_samples_per_iteration": 0, "score_each_iteration": True, "epochs": 8}
    own = {"stopping_metric": "custom", "custom_metric_func": Values(*values), "averaging_window": 0}
    return train(frame[:200], **each | own | given)


@pytest.mark.proves("stopping_rounds", "stopping_tolerance", "stopping_metric")
@pytest.mark.parametrize(
    ("given", "iterations"),
    [
        ({"stopping_rounds": 1}, 5),  # 9 8 7 6 6
        ({"stopping_rounds": 2}, 7),  # 6.5 6 6.5: no better than the first
        ({"stopping_rounds": 1, "stopping_tolerance": 0.11}, 5),  # 8 is better than 9 by a ninth
        ({"stopping_rounds": 1, "stopping_tolerance": 0.12}, 2),
        ({"stopping_rounds": 5}, 8),
    ],
)
def test_training_stops_when_the_metric_no_longer_improves(frame, given, iterations):
    model = measured_as(frame, 9, 8, 7, 6, 6, 7, 8, 9, 9, overwrite_with_best_model=False, **given)
    assert model.record.iterations == iterations


@pytest.mark.proves("overwrite_with_best_model")
def test_the_best_model_measured_remains_if_asked_for(frame):
    values = (5, 1, 2, 3, 4, 5, 6, 7, 8)
    with pytest.warns(UserWarning, match="stopping_metric only picks the best model"):
        best = measured_as(frame, *values)
    with pytest.warns(UserWarning, match="stopping_metric has no effect"):
        last = measured_as(frame, *values, overwrite_with_best_model=False)
    history = best.scoring_history()["training_rmse"].tolist()
    assert best.rmse() == history[2]
    assert last.rmse() == last.scoring_history()["training_rmse"].tolist()[8] == history[8]
    assert best.record.epochs == last.record.epochs == 8


@pytest.mark.proves("max_runtime_secs")
def test_training_ends_after_its_time_and_is_measured(frame):
    model = train(frame[:200], epochs=1e9, max_runtime_secs=0.2)
    assert model.stopped_by == "max_runtime_secs"
    assert 0 < model.record.epochs < 1e9
    assert model.scoring_history()["samples"].tolist()[-1] == model.record.samples


@pytest.mark.proves("validation_frame")
def test_validation_decides_which_model_is_best(frame):
    tiny, other = frame[:20], frame[1000:1500]
    options = {"hidden": [50], "epochs": 200, "score_each_iteration": True}
    model = train(tiny, validation_frame=other, **options)
    history = model.scoring_history()
    assert model.mean_residual_deviance(valid=True) == history["validation_deviance"].min()
    assert model.mean_residual_deviance() > history["training_deviance"].min()
    expected = model.model_performance(other).rmse()
    assert model.rmse(valid=True) == pytest.approx(expected)


@pytest.mark.proves("reproducible")
def test_reproducible_trainings_have_the_same_bits(frame):
    models = [train(frame, reproducible=True, nthreads=4) for _ in range(2)]
    np.testing.assert_array_equal(models[0].network.theta, models[1].network.theta)
    assert models[0].scoring_history()["epochs"].tolist()[:3] == [0, 1, 2]


@pytest.fixture
def threads(monkeypatch):
    """The numbers of threads that trainings used."""
    seen = []

    class Watched(learning.Team):
        def __init__(self, network, rows, n_threads, batch_size):
            seen.append(n_threads)
            super().__init__(network, rows, n_threads, batch_size)

    monkeypatch.setattr(learning, "Team", Watched)
    monkeypatch.setattr(learning, "usable_threads", lambda: 3)
    return seen


@pytest.mark.proves("nthreads", "force_load_balance", "reproducible")
def test_as_many_threads_train_as_asked_for(frame, threads):
    for given in ({}, {"nthreads": 2}, {"force_load_balance": False}, {"reproducible": True}):
        train(frame, **given)
    assert threads == [3, 2, 1, 1]


def test_no_more_threads_train_than_have_enough_to_do(frame):
    few, many = (train(frame, nthreads=4, hidden=hidden).network for hidden in ([10], [200, 200]))
    rows = EncodedRows(*(np.zeros((2000, n), kind) for n, kind in ((0, np.int32), (2, np.float32))), *[NONE] * 3)
    for network, n_members in ((few, 1), (many, 2)):
        with learning.Team(network, rows, 4) as threads:
            assert [len(crew) for crew in threads._crews] == [*range(n_members, 0, -1)]


@pytest.mark.proves("nthreads")
def test_any_number_of_threads_gives_the_same_bits(frame):
    settings = {"hidden": [200, 200], "epochs": 1, "max_w2": 5, "mini_batch_size": 4}
    one, two, many = (train(frame, nthreads=n, **settings).network.theta for n in (1, 2, 5))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, many)


def test_blocks_that_take_too_long_are_cut_between_mini_batches(frame, monkeypatch):
    settings = {"hidden": [5], "epochs": 3, "mini_batch_size": 12}
    expected = train(frame, **settings).network.theta
    monkeypatch.setattr(trainer, "BLOCK_SECONDS", 0)
    np.testing.assert_array_equal(train(frame, **settings).network.theta, expected)


def test_the_average_looks_twenty_times_at_the_weights_of_many_levels(monkeypatch):
    random, intervals, trained = np.random.default_rng(0), set(), learning.Team.train

    def note(self, objective, rule, *rest):
        intervals.add(int(rule.interval))
        return trained(self, objective, rule, *rest)

    levels = [f"level {i}" for i in random.integers(0, 1500, 3000)]
    frame = pd.DataFrame({"a": levels, "b": random.normal(size=3000), "y": random.normal(size=3000)})
    monkeypatch.setattr(learning.Team, "compile", lambda self, *_: None)  # which trains on no rows
    monkeypatch.setattr(learning.Team, "train", note)
    train(frame, epochs=2, train_samples_per_iteration=0)
    assert intervals == {3000 // trainer.LOOKS, 6000 // trainer.LOOKS}


@pytest.mark.parametrize(
    ("weight", "bias", "is_refused"),
    [(9e9, 9e4, False), (2e10, 0, True), (-2e10, 0, True), (0, 2e5, True), (0, -2e5, True), (np.nan, 0, True)],
)
def test_parameters_beyond_all_bounds_are_refused(frame, monkeypatch, weight, bias, is_refused):
    trained = learning.Team.train

    def spoil(self, *arguments):
        trained(self, *arguments)
        self.network.theta[:] = 0
        self.network.weights(1)[0, 0, 0], self.network.biases(1)[0, 0] = weight, bias

    monkeypatch.setattr(learning.Team, "train", spoil)
    with pytest.raises(TrainingError, match="weights of layer 2 have grown") if is_refused else nullcontext():
        train(frame[:200])


def test_blocks_grow_no_longer_than_iterations_are(frame, monkeypatch):
    trainers, iterate = [], trainer.Trainer._iterate
    monkeypatch.setattr(trainer.Trainer, "_iterate", lambda self, end: trainers.append(self) or iterate(self, end))
    train(frame[:200], epochs=50, train_samples_per_iteration=100)
    assert len(trainers) == 100
    assert trainers[-1]._block <= 200


def test_a_thread_that_fails_ends_the_training_of_all(frame, monkeypatch):
    def fail(*arguments):
        if arguments[-1].member.place == 1:
            raise MemoryError("no room")
        return trained(*arguments)

    trained = team.kernels.train_rows
    monkeypatch.setattr(team.kernels, "train_rows", fail)
    monkeypatch.setattr(team, "is_compiled", lambda *_: True)
    with pytest.raises(MemoryError, match="no room"):
        train(frame, nthreads=2, hidden=[200, 200])


def test_watching_may_end_training(frame):
    calls = itertools.count()
    parameters = {"training_frame": frame[:200], "y": "y", "epochs": 1e9} | QUICK | PATIENT
    model = h2olite.jobs.train(h2olite.jobs.check(parameters), watch=lambda progress: next(calls) < 3)
    assert model.stopped_by == "interrupted"
    assert model.training_metrics.nobs() == 200


@pytest.mark.parametrize("given", [{}, {"l1": 1e-3}, {"mini_batch_size": 100}])
def test_how_fast_the_machine_is_does_not_change_the_model(monkeypatch, given):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=5000), "y": random.normal(size=5000)})
    fast = train(frame, x=["a"], reproducible=True, **given)
    monkeypatch.setattr(trainer, "BLOCK_SECONDS", 0.0)  # blocks of rows stay as short as they begin
    slow = train(frame, x=["a"], reproducible=True, **given)
    np.testing.assert_array_equal(fast.network.theta, slow.network.theta)


@pytest.fixture
def steps(monkeypatch):
    """How often penalties that make zeros act: rows between steps, rows seen, and rows that weights are screened by."""
    noted, step_and_screen = [], learning.Team.step_and_screen

    def note(self, rule, screened_rows):
        noted.append((int(rule.proximal_interval), self.network.rows_seen, screened_rows))
        return step_and_screen(self, rule, screened_rows)

    monkeypatch.setattr(learning.Team, "compile", lambda self, *_: None)  # which settles nothing
    monkeypatch.setattr(learning.Team, "step_and_screen", note)
    return noted


@pytest.mark.parametrize(
    ("rows", "epochs", "screened"),
    [
        # Once an epoch; the rest is too little.
        (1000, 5.2, [(200, 200), (400, 200), (600, 200), (800, 200), (1000, 200), (1000, 0), (1040, 0)]),
        (290, 1.45, [(290, 290), (290, 0)]),  # stretched
        (300, 1.5, [(200, 200), (300, 100)]),  # shortened
        (60, 1.2, [(60, 0), (120, 120), (180, 0), (240, 120)]),  # whenever the model is measured, if there are enough
    ],
)
def test_weights_are_judged_by_an_epoch_if_possible(frame, steps, rows, epochs, screened):
    settings = {"train_samples_per_iteration": rows, "score_each_iteration": True, "epochs": epochs}
    train(frame[:200], l1=1e-3, **settings)
    assert [of_rows for _, *of_rows in steps] == [list(pair) for pair in screened]


@pytest.mark.parametrize(("batch_size", "screened"), [(1, [4096, 8192, 12_288, 15_000]), (500, [4500, 9000, 15_000])])
def test_weights_of_long_tables_are_judged_by_whole_mini_batches(frame, steps, batch_size, screened):
    long = pd.concat([frame] * 5, ignore_index=True)
    train(long, l1=1e-3, epochs=1, train_samples_per_iteration=0, mini_batch_size=batch_size)
    assert [seen for _, seen, n_rows in steps if n_rows] == screened


@pytest.mark.parametrize(
    ("given", "proximal_interval"),
    [
        ({"l1": 1e-3}, 256),
        ({"l1": 0.125}, 64),
        ({"l1": 0.125, "mini_batch_size": 48}, 96),
        ({"l1": 1.0}, 32),
        ({"l1": 1.0, "mini_batch_size": 2000}, 2000),
        ({"input_group_l1": 0.0625, "hidden": [4]}, 64),
        ({"input_group_l1": 0.0625, "hidden": [2], "activation": "Maxout"}, 64),  # two channels each
    ],
    ids=str,
)
def test_stronger_penalties_act_more_often(frame, steps, given, proximal_interval):
    train(frame, **given)
    assert {proximal_interval for proximal_interval, *_ in steps} == {proximal_interval}


def test_penalties_act_rarely_on_the_weights_of_many_levels(frame, steps):
    levels = pd.Series([f"level {i}" for i in np.random.default_rng(0).integers(0, 1500, 3000)])
    train(frame.assign(a=levels), l1=0.1)
    assert {proximal_interval for proximal_interval, *_ in steps} == {3000}


@pytest.mark.proves("averaging_window")
@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize("slow", [{"y": "y"}, {"y": "sign"}, {"y": "far", "distribution": "poisson"}])
def test_the_last_weights_are_the_model_where_their_average_lags_behind(frame, slow, overwrite, validated):
    table = frame[:300].assign(far=np.exp(frame["a"] / 2 + 3))
    table["sign"] = np.where(table["a"] > 0, "plus", "minus")
    table["y"] = table["a"] * 3
    given = {"epochs": 3, "averaging_window": 1.0, "overwrite_with_best_model": overwrite} | slow
    given |= {"validation_frame": table[:100]} if validated else {}
    model = train(table, **given)
    np.testing.assert_array_equal(model.network.theta, model.network.iterate)
    assert model.network.last is not None
    assert (model.network.last != model.network.theta).any()
    loss = "logloss" if slow["y"] == "sign" else "mean_residual_deviance"
    assert model.training_metrics[loss] == pytest.approx(model.model_performance(table)[loss])


def test_the_average_stays_the_model_where_it_is_better(frame):
    for given in ({}, {"validation_frame": frame[1000:2000]}, {"l2": 1e-3}):
        network = train(frame[:1000], epochs=10, adaptive_rate=False, rate=0.1, **given).network
        assert (network.theta != network.iterate).any()
