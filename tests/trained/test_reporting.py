"""What is measured, told and kept of a training, through the public door."""

import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn import metrics as reference

import h2olite
from h2olite.errors import ParameterError
from h2olite.trained.scoring import probability_names

SMALL = {"hidden": [5], "epochs": 2, "seed": 1, "reproducible": True}

MODULE = """
import numpy as np

def largest_error(actual, predicted, weights):
    return np.max(np.abs(actual - predicted))

def text(actual, predicted, weights):
    return "large"
"""


@pytest.fixture(scope="module")
def iris():
    frame = datasets.load_iris(as_frame=True).frame.rename(columns=lambda name: name.removesuffix(" (cm)"))
    return frame.assign(target=frame["target"].map(dict(enumerate("abc"))))


@pytest.fixture(scope="module")
def cancer():
    frame = datasets.load_breast_cancer(as_frame=True).frame.iloc[:, -6:]
    return frame.assign(target=frame["target"].map({0: "no", 1: "yes"}))


@pytest.fixture(scope="module")
def diabetes():
    return datasets.load_diabetes(as_frame=True).frame


@pytest.mark.proves("auc_type")
def test_auc_type_gives_a_model_of_three_classes_an_auc(iris):
    model = h2olite.deeplearning(training_frame=iris, validation_frame=iris, auc_type="weighted_ovo", **SMALL)
    probabilities = model.predict(iris)[["a", "b", "c"]]
    expected = reference.roc_auc_score(iris["target"], probabilities, multi_class="ovo", average="weighted")
    assert model.auc() == pytest.approx(expected, rel=1e-6)
    assert model.auc(valid=True) == model.auc()
    assert model.multinomial_auc_table().iloc[-1].tolist()[::3] == ["Weighted OVO", model.auc()]
    assert model.multinomial_aucpr_table().iloc[-1]["auc_pr"] == model.pr_auc()
    history = model.scoring_history()
    assert {"training_auc", "training_pr_auc", "validation_auc", "validation_pr_auc"} <= set(history)
    assert model.auc() in history["training_auc"].tolist()


def test_performance_may_ask_for_another_type_of_auc(iris):
    model = h2olite.deeplearning(training_frame=iris, **SMALL)
    assert np.isnan(model.auc())
    assert "training_auc" not in model.scoring_history()
    expected = reference.roc_auc_score(iris["target"], model.predict(iris)[["a", "b", "c"]], multi_class="ovr")
    assert model.model_performance(iris, auc_type="MACRO_OVR").auc() == pytest.approx(expected, rel=1e-6)


@pytest.mark.proves("auc_type", "stopping_metric")
def test_auc_of_three_classes_picks_the_best_model(iris):
    options = {"auc_type": "MACRO_OVR", "stopping_metric": "AUC", "stopping_rounds": 0, "epochs": 6}
    with pytest.warns(UserWarning, match="stopping_metric only picks the best model"):
        model = h2olite.deeplearning(training_frame=iris, **SMALL | options)
    assert model.auc() == model.scoring_history()["training_auc"].max()


@pytest.mark.proves("gainslift_bins")
@pytest.mark.parametrize(("bins", "groups"), [(-1, 16), (0, 0), (7, 7)])
def test_gainslift_bins_are_the_groups_of_the_table(cancer, bins, groups):
    model = h2olite.deeplearning(training_frame=cancer, gainslift_bins=bins, **SMALL)
    assert len(model.gains_lift()) == len(model.model_performance(cancer).gains_lift()) == groups
    assert 0.5 < model.kolmogorov_smirnov() <= 1


@pytest.mark.proves("custom_metric_func")
def test_custom_metric_is_measured_on_every_frame_and_told_in_the_history(diabetes):
    def largest_error(actual, predicted, weights):
        assert weights.tolist() == [1] * len(actual)
        return np.max(np.abs(actual - predicted))

    model = h2olite.deeplearning(
        training_frame=diabetes, validation_frame=diabetes[:50], custom_metric_func=largest_error, **SMALL
    )
    errors = np.abs(diabetes["target"] - model.predict(diabetes)["predict"])
    assert model.custom_metric_value() == pytest.approx(errors.max(), rel=1e-6)
    assert model.custom_metric_value(valid=True) == pytest.approx(errors[:50].max(), rel=1e-6)
    assert model.model_performance(diabetes[:9]).custom_metric_value() == pytest.approx(errors[:9].max(), rel=1e-6)
    assert model.custom_metric_name().endswith("largest_error")
    assert {"training_custom", "validation_custom"} <= set(model.scoring_history())


def test_custom_metric_of_classes_sees_their_indices_and_probabilities(iris):
    def accuracy(actual, predicted, weights):
        return np.mean(predicted.argmax(axis=1) == actual)

    frame = iris.assign(target=iris["target"].where(iris.index != 3))
    with pytest.warns(UserWarning, match=r"lack the response 'target' are left out: 1 of 150\."):
        model = h2olite.deeplearning(training_frame=frame, custom_metric_func=accuracy, **SMALL)
    assert model.custom_metric_value() == pytest.approx(1 - model.training_metrics["error"])


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module with metrics in the working directory, forgotten afterwards."""
    (tmp_path / "own_metrics.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "own_metrics", raising=False)
    yield "own_metrics"
    sys.modules.pop("own_metrics", None)


def test_custom_metric_may_be_named(diabetes, module, tmp_path):
    model = h2olite.deeplearning(training_frame=diabetes, custom_metric_func=f"{module}:largest_error", **SMALL)
    assert model.custom_metric_name() == "own_metrics:largest_error"
    loaded = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    assert loaded.custom_metric_value() == model.custom_metric_value()
    assert loaded.parameters.custom_metric_func == "own_metrics:largest_error"


def test_a_loaded_model_runs_no_function_named_in_its_file(diabetes, module, tmp_path):
    model = h2olite.deeplearning(training_frame=diabetes, custom_metric_func=f"{module}:largest_error", **SMALL)
    path = model.save(tmp_path / "m.h2olite")
    sys.modules.pop(module)
    performance = h2olite.load_model(path).model_performance(diabetes)
    assert performance.custom_metric_value() is None
    assert module not in sys.modules


def test_a_model_with_a_metric_of_any_kind_can_be_pickled(diabetes):
    model = h2olite.deeplearning(training_frame=diabetes, custom_metric_func=lambda *rows: 1.0, **SMALL)
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(again.predict(diabetes), model.predict(diabetes))
    assert again.custom_metric_value() == 1
    assert again.model_performance(diabetes).custom_metric_value() is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("largest_error", "must be module:function; got 'largest_error'"),
        ("none_such:f", "none_such:f cannot be imported: ModuleNotFoundError"),
        ("own_metrics:f", "must be module:function; module own_metrics has no function 'f'"),
    ],
)
def test_custom_metric_that_cannot_be_found_is_refused(module, name, message):
    with pytest.raises(ParameterError, match=f"^custom_metric_func {message}"):
        h2olite.deeplearning(training_frame="never_read.csv", custom_metric_func=name)


def test_custom_metric_must_return_a_number(diabetes, module):
    with pytest.raises(ParameterError, match="custom_metric_func own_metrics:text must return a number; it fails with"):
        h2olite.deeplearning(training_frame=diabetes, custom_metric_func=f"{module}:text", **SMALL)


@pytest.mark.proves("custom_metric_func", "stopping_metric")
@pytest.mark.parametrize(("metric", "stops"), [("custom", True), ("custom_increasing", False)])
def test_custom_metric_may_stop_training(diabetes, metric, stops):
    seen = []

    def scorings(actual, predicted, weights):
        seen.append(1)
        return float(len(seen))

    model = h2olite.deeplearning(
        training_frame=diabetes,
        custom_metric_func=scorings,
        stopping_metric=metric,
        stopping_rounds=2,
        **SMALL | {"epochs": 9},
    )
    assert (model.stopped_by == "stopping_rounds") is stops


@pytest.mark.proves("score_each_iteration")
def test_every_iteration_is_scored_when_asked_for(diabetes):
    options = {"hidden": [5], "epochs": 4, "seed": 1, "train_samples_per_iteration": 100}
    model = h2olite.deeplearning(training_frame=diabetes, score_each_iteration=True, **options)
    assert model.scoring_history()["iterations"].tolist()[1:19] == list(range(1, 19))
    seldom = h2olite.deeplearning(training_frame=diabetes, **options)
    assert seldom.scoring_history()["iterations"].tolist()[:3] == [0, 1, 18]


def test_a_training_whose_stopping_rounds_could_not_act_says_so(diabetes):
    with pytest.warns(UserWarning, match=r"stopping_rounds 5 could not act: the model was measured 2 times in 30 iter"):
        h2olite.deeplearning(training_frame=diabetes, hidden=[5], epochs=300, seed=1, score_duty_cycle=0)


@pytest.mark.proves("export_weights_and_biases")
@pytest.mark.parametrize("export", [True, False])
def test_weights_and_biases_can_be_read_with_and_without_export(diabetes, export):
    model = h2olite.deeplearning(training_frame=diabetes, export_weights_and_biases=export, **SMALL)
    assert model.weights(0).shape == (5, 10)
    assert model.biases(1).shape == (1, 1)


@pytest.mark.proves("variable_importances")
def test_importances_are_computed_unless_switched_off(diabetes):
    assert len(h2olite.deeplearning(training_frame=diabetes, **SMALL).varimp()) == 10
    assert h2olite.deeplearning(training_frame=diabetes, variable_importances=False, **SMALL).varimp() is None


@pytest.mark.proves("model_id")
def test_a_model_has_the_name_it_was_given(diabetes):
    assert h2olite.deeplearning(training_frame=diabetes, model_id="sugar", **SMALL).model_id == "sugar"


@pytest.mark.proves("diagnostics")
def test_diagnostics_are_there_even_if_switched_off(diabetes):
    with pytest.warns(UserWarning, match="diagnostics has no effect: the statistics of the layers are always there"):
        model = h2olite.deeplearning(training_frame=diabetes, diagnostics=False, **SMALL)
    assert model.summary()["mean_weight"].notna().sum() == 2


@pytest.mark.proves(
    "replicate_training_data",
    "single_node_mode",
    "target_ratio_comm_to_comp",
)
def test_what_is_about_several_machines_is_told_to_wait_for_them_and_changes_nothing(diabetes):
    given = {
        "replicate_training_data": False,
        "single_node_mode": True,
        "target_ratio_comm_to_comp": 0.5,
    }
    sentence = "has no effect; h2olite.dask trains on several machines, by replicas."
    with pytest.warns(UserWarning, match=sentence) as caught:
        model = h2olite.deeplearning(training_frame=diabetes, **SMALL, **given)
    assert [str(warning.message) for warning in caught] == [f"{name} {sentence}" for name in given]
    plain = h2olite.deeplearning(training_frame=diabetes, **SMALL)
    pd.testing.assert_frame_equal(model.predict(diabetes), plain.predict(diabetes))


@pytest.mark.proves("verbose")
def test_verbose_prints_the_history_while_training(diabetes, capsys):
    model = h2olite.deeplearning(training_frame=diabetes, verbose=True, **SMALL)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(model.scoring_history()) - 1 == 2
    assert "epochs 1" in lines[0]


def test_columns_of_probabilities_have_names_of_their_own():
    levels = ["-1", "1", "p1", "predict", "yes"]
    assert probability_names(levels) == {"-1": "p-1", "1": "pp1", "p1": "p1", "predict": "ppredict", "yes": "yes"}


def test_a_class_called_predict_keeps_the_prediction_apart():
    frame = pd.DataFrame({"x": range(20), "y": ["no", "predict"] * 10})
    predictions = h2olite.deeplearning(y="y", training_frame=frame, **SMALL).predict(frame)
    assert predictions.columns.tolist() == ["predict", "no", "ppredict"]
    assert set(predictions["predict"]) <= {"no", "predict"}


def test_a_metric_that_the_category_lacks_is_told(iris):
    model = h2olite.deeplearning(y="target", training_frame=iris, **SMALL)
    with pytest.raises(AttributeError, match=r"^metrics of category Multinomial have no mae\.$"):
        model.mae()
    assert model.mae.__name__ == "mae"
