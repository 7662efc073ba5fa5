"""Ctrl-C while Python code trains."""

import signal
import threading

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite import DeepLearningClassifier, DeepLearningRegressor
from h2olite.machine.interruption import Interruption

IRIS = "datasets/iris.csv"
ENDLESS = {"epochs": 1e9, "stopping_rounds": 0, "classification_stop": -1, "hidden": [5], "seed": 1}


@pytest.fixture
def interrupting(monkeypatch):
    """Has Ctrl-C come at chosen calls of the watchers of training."""

    def interrupt(*calls):
        watching, told = Interruption.watching, []

        def press(self, watch):
            tell = watching(self, watch)

            def tell_and_press(progress):
                told.append(progress)
                goes_on = tell(progress)
                if len(told) in calls and threading.current_thread() is threading.main_thread():
                    signal.raise_signal(signal.SIGINT)
                return goes_on

            return tell_and_press

        monkeypatch.setattr(Interruption, "watching", press)

    yield interrupt
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_deeplearning_ends_with_the_model_so_far(interrupting):
    interrupting(2)
    with pytest.warns(UserWarning, match=r"^training was interrupted after .* epochs?; this is the model so far\.$"):
        model = h2olite.deeplearning(y="species", training_frame=IRIS, **ENDLESS)
    assert model.stopped_by == "interrupted"
    assert len(model.predict(IRIS)) == 150
    assert model.logloss() > 0


def test_autoencoder_ends_with_the_model_so_far(interrupting):
    interrupting(2)
    with pytest.warns(UserWarning, match="^training was interrupted"):
        model = h2olite.deeplearning(training_frame=IRIS, autoencoder=True, **ENDLESS)
    assert model.stopped_by == "interrupted"
    assert len(model.anomaly(IRIS)) == 150


@pytest.mark.parametrize("Estimator", [DeepLearningClassifier, DeepLearningRegressor])
def test_fit_of_an_estimator_ends_with_the_model_so_far(interrupting, Estimator):
    interrupting(2)
    X, y = np.arange(40.0).reshape(-1, 1), np.arange(40) % 3
    with pytest.warns(UserWarning, match="^training was interrupted"):
        estimator = Estimator(**ENDLESS).fit(X, y)
    assert estimator.predict(X).shape == (40,)
    assert estimator.model_.stopped_by == "interrupted"


def test_grid_ends_with_the_models_so_far(interrupting):
    interrupting(60)
    finite = ENDLESS | {"epochs": 1}
    with pytest.warns(UserWarning, match=r"^the search was interrupted after [1-9]\d* models?; these are its models"):
        grid = h2olite.grid({"l1": (np.arange(20) / 1e6).tolist()}, y="species", training_frame=IRIS, **finite)
    assert grid.interrupted
    assert 0 < len(grid) < 20
    assert {model.stopped_by for model in grid} == {"epochs"}


def test_grid_without_a_finished_model_ends_with_the_one_in_training(interrupting):
    interrupting(2)
    with pytest.warns(UserWarning, match=r"^the search was interrupted after 0 models"):
        grid = h2olite.grid({"l1": [0, 1e-4]}, y="species", training_frame=IRIS, **ENDLESS)
    assert [model.stopped_by for model in grid] == ["interrupted"]


def test_cross_validation_ends_with_a_model_of_a_fold():
    measured = []

    def press_once(actual, predicted, weights):
        measured.append(1)
        if len(measured) == 1:
            signal.raise_signal(signal.SIGINT)  # from a fold's thread; the main thread gets it
        return 0.0

    of_fold = "cross-validation was interrupted; this is the model of one of the 3 folds"
    with pytest.warns(UserWarning, match=of_fold), pytest.warns(UserWarning, match="^training was interrupted"):
        model = h2olite.deeplearning(
            y="species", training_frame=IRIS, nfolds=3, custom_metric_func=press_once, score_interval=0, **ENDLESS
        )
    assert model.stopped_by == "interrupted"


def test_path_ends_with_the_strengths_so_far(interrupting):
    interrupting(45)
    finite = {"hidden": [5], "epochs": 2, "seed": 1}
    with pytest.warns(UserWarning, match=r"^the path was interrupted; it has the \d+ strengths? done so far\.$"):
        path = h2olite.regularization_path(y="species", training_frame=IRIS, l1="1e-6:1e-1:30", **finite)
    assert path.interrupted
    assert 0 < len(path) < 30


def test_path_without_a_strength_is_ended(interrupting):
    interrupting(1)
    with pytest.raises(KeyboardInterrupt, match="before its first strength was done"):
        h2olite.regularization_path(y="species", training_frame=IRIS, l1="1e-6:1e-1:3", **ENDLESS)


def test_second_interruption_raises(interrupting):
    interrupting(1, 2)
    with Interruption() as interruption:
        tell = interruption.watching(None)  # the first press is noted, the second one raises
        tell(None)
        with pytest.raises(KeyboardInterrupt):
            tell(None)


def test_interruption_before_training_raises(monkeypatch):
    def press(*given, **named):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("h2olite.jobs.training_tables", press)
    with pytest.raises(KeyboardInterrupt):
        h2olite.deeplearning(y="species", training_frame=IRIS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handler_of_a_program_is_left_alone(interrupting):
    received = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    try:
        interrupting(1)
        model = h2olite.deeplearning(y="species", training_frame=IRIS, **ENDLESS | {"epochs": 1})
    finally:
        signal.signal(signal.SIGINT, previous)
    assert received == [signal.SIGINT]
    assert model.stopped_by == "epochs"


def test_training_in_another_thread_leaves_handlers_alone():
    models = []
    thread = threading.Thread(
        target=lambda: models.append(
            h2olite.deeplearning(training_frame=pd.DataFrame({"x": range(9), "y": range(9)}), hidden=[2], epochs=1)
        )
    )
    thread.start()
    thread.join()
    assert models[0].stopped_by == "epochs"
