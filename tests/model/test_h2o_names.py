"""Names of h2o-py on models, grids and metrics."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.metrics import BinomialMetrics

CANCER = "datasets/breast_cancer.csv"
SMALL = {"hidden": [5], "epochs": 2, "seed": 1, "reproducible": True}


@pytest.fixture(scope="module")
def cancer():
    table = pd.read_csv(CANCER).iloc[::2]
    return h2olite.deeplearning(y=table.columns[-1], training_frame=table, validation_frame=table[:90], **SMALL)


@pytest.fixture(scope="module")
def penguins():
    return h2olite.deeplearning(y="species", training_frame="datasets/penguins.csv", nfolds=2, **SMALL)


@pytest.fixture(scope="module")
def diabetes():
    return h2olite.deeplearning(y="progression", training_frame="datasets/diabetes.csv", **SMALL)


CRITERIA = [
    *("F1", "F2", "F0point5", "accuracy", "precision", "recall", "sensitivity", "tpr", "specificity", "tnr"),
    *("fallout", "fpr", "missrate", "fnr", "mcc", "error", "max_per_class_error"),
]


@pytest.mark.parametrize("name", CRITERIA)
def test_criteria_of_two_classes_are_those_of_the_metrics(cancer, name):
    get = getattr(cancer, name)
    of_metrics = getattr(cancer.training_metrics, name)
    assert get() == of_metrics()
    assert get(0.3) == get([0.3]) == get(thresholds=[0.3], train=True) == of_metrics([0.3])
    assert get([0.2, 0.8], valid=True) == getattr(cancer.validation_metrics, name)([0.2, 0.8])
    assert get(train=True, valid=True) == {"train": of_metrics(), "valid": getattr(cancer.validation_metrics, name)()}
    assert get(0.3, False, True) == getattr(cancer.validation_metrics, name)(0.3)
    assert list(inspect.signature(get).parameters) == ["thresholds", "train", "valid", "xval"]


def test_getters_that_choose_thresholds(cancer):
    metrics = cancer.training_metrics
    assert cancer.metric("f1", [0.4]) == metrics.metric("f1", [0.4])
    assert cancer.find_threshold_by_max_metric("f1", valid=True) == cancer.default_threshold()
    assert cancer.find_idx_by_threshold(0.5) == metrics.find_idx_by_threshold(0.5)
    assert cancer.roc() == (metrics.fprs, metrics.tprs)
    pd.testing.assert_frame_equal(cancer.thresholds_and_metric_scores(), metrics.thresholds_and_metric_scores())
    with pytest.raises(TypeError, match="missing a required argument: 'metric'"):
        cancer.metric()


def test_getters_of_other_categories(penguins, diabetes):
    assert penguins.error(xval=True) == penguins.cross_validation_metrics["error"]
    with pytest.raises(AttributeError, match="metrics of category Multinomial have no F1"):
        penguins.F1()
    with pytest.raises(AttributeError, match="metrics of category Regression have no roc"):
        diabetes.roc()


def test_parameters_are_told_as_asked_for_and_as_they_acted(cancer, diabetes):
    assert cancer.actual_params["hidden"] == [5]
    assert cancer.actual_params["distribution"] == "bernoulli"
    assert diabetes.default_params["hidden"] == [200, 200]
    assert diabetes.params["epochs"] == {"default": 10.0, "actual": 2.0}
    assert cancer.params.keys() == cancer.actual_params.keys()


def test_identity_type_and_time(cancer, penguins, diabetes):
    assert [model.type for model in (cancer, penguins, diabetes)] == ["classifier", "classifier", "regressor"]
    assert cancer.key == cancer.model_id
    assert diabetes.response_column == "progression"
    assert cancer.algo == "deeplearning"
    assert cancer.run_time == round(1000 * cancer.record.seconds["total"])
    usual = h2olite.deeplearning(training_frame="datasets/wine.csv", autoencoder=True, **SMALL)
    assert (usual.type, usual.response_column, usual.respmul()) == ("unsupervised", None, None)


def test_encoding_is_told(penguins, diabetes):
    table = pd.read_csv("datasets/diabetes.csv").drop(columns="progression")
    numeric = list(diabetes.encoder.numeric)
    np.testing.assert_allclose(1 / np.array(diabetes.normmul()), table[numeric].std(), rtol=1e-6)
    assert len(diabetes.normsub()) == len(numeric)
    response = pd.read_csv("datasets/diabetes.csv")["progression"]
    assert diabetes.respsub() == pytest.approx([response.mean()])
    assert diabetes.respmul() == pytest.approx([1 / response.std()])
    assert penguins.respsub() is None
    assert penguins.catoffsets()[0] == 0
    assert penguins.catoffsets()[-1] == sum(name.partition(".")[2] != "" for name in penguins.encoder.input_names)


def test_deviances_and_likelihoods_are_those_of_their_formulas(cancer, penguins, diabetes):
    for model, table, response in (
        (cancer, pd.read_csv(CANCER).iloc[::2], None),
        (penguins, pd.read_csv("datasets/penguins.csv"), "species"),
    ):
        metrics = model.training_metrics
        shares = (table.iloc[:, -1] if response is None else table[response]).value_counts(normalize=True)
        assert model.null_deviance() == pytest.approx(-2 * len(table) * (shares * np.log(shares)).sum())
        assert model.residual_deviance() == pytest.approx(2 * len(table) * metrics["logloss"])
        assert model.loglikelihood() == pytest.approx(-model.residual_deviance() / 2)
    response = pd.read_csv("datasets/diabetes.csv")["progression"]
    assert diabetes.null_deviance() == pytest.approx(((response - response.mean()) ** 2).sum())
    assert diabetes.residual_deviance() == pytest.approx(diabetes.mse() * len(response))
    errors = response - diabetes.predict("datasets/diabetes.csv")["predict"]
    density = -(errors**2) / (2 * diabetes.mse()) - math.log(math.sqrt(2 * math.pi * diabetes.mse()))
    assert diabetes.loglikelihood() == pytest.approx(density.sum(), rel=1e-6)
    n_parameters = diabetes.report()["weights"]["nonzero"] + 6
    assert diabetes.aic() == pytest.approx(2 * n_parameters - 2 * diabetes.loglikelihood())
    assert cancer.aic(train=True, valid=True).keys() == {"train", "valid"}


def test_deviances_that_are_not_known_are_none():
    model = h2olite.deeplearning(
        y="progression", training_frame="datasets/diabetes.csv", distribution="poisson", **SMALL
    )
    assert model.residual_deviance() == pytest.approx(442 * model.mean_residual_deviance())
    assert (model.null_deviance(), model.loglikelihood(), model.aic()) == (None, None, None)
    usual = h2olite.deeplearning(training_frame="datasets/wine.csv", autoencoder=True, **SMALL)
    assert (usual.residual_deviance(), usual.null_deviance(), usual.loglikelihood()) == (None, None, None)


def test_other_names_of_the_same(penguins, tmp_path):
    assert penguins.xval_keys() == [model.model_id for model in penguins.xvals]
    assert penguins.get_xval_models() == penguins.xvals
    assert penguins.get_xval_models(penguins.xval_keys()[1]) is penguins.xvals[1]
    assert penguins.get_xval_models("none") is None
    pd.testing.assert_frame_equal(penguins.score_history(), penguins.scoring_history())
    pd.testing.assert_frame_equal(penguins.get_summary(), penguins.summary())
    assert h2olite.import_mojo(penguins.save_mojo(tmp_path / "m.zip")).category == "Multinomial"


def test_grids_are_asked_for_all_their_models():
    table = pd.read_csv(CANCER).iloc[::4]
    response = table.columns[-1]
    grid = h2olite.grid({"l1": [0, 1e-3]}, y=response, training_frame=table, **SMALL)
    assert grid[grid.model_ids[1]].model_id == grid[1].model_id == grid.model_ids[1]
    with pytest.raises(KeyError, match="grid has no model 'grid_model_9'; did you mean 'grid_model_"):
        grid["grid_model_9"]
    for told in (
        grid.predict(table),
        grid.model_performance(table),
        grid.scoring_history(),
        grid.summary(),
        grid.varimp(),
    ):
        assert list(told) == grid.model_ids
    pd.testing.assert_frame_equal(grid.predict(table)[grid.model_ids[0]], grid[0].predict(table))
    assert isinstance(grid.model_performance(table)[grid.model_ids[0]], BinomialMetrics)
    assert grid.F1(0.5) == {model.model_id: model.F1(0.5) for model in grid}
    assert grid.catoffsets() == {model.model_id: model.catoffsets() for model in grid}
    assert grid.weights(1)[grid.model_ids[1]].equals(grid[1].weights(1))
    assert grid.aic().keys() == set(grid.model_ids)
