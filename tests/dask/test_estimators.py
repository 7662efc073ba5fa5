"""Estimators whose rows are on a cluster."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pytest
from clusters import flights

from h2olite import DeepLearningClassifier
from h2olite.dask import DaskDeepLearningClassifier, DaskDeepLearningRegressor
from h2olite.errors import DataError, ParameterError

SETTINGS = {"hidden": [8], "epochs": 3, "seed": 1, "stopping_rounds": 0}


def test_a_classifier_fits_predicts_lazily_and_becomes_a_local_one(client):
    frame = flights(1000)
    rows = dd.from_pandas(frame, npartitions=3)
    X, y = rows.drop(columns="late"), rows["late"]
    estimator = DaskDeepLearningClassifier(client, **SETTINGS).fit(
        X, y, eval_set=(frame[:100].drop(columns="late"), frame.late[:100])
    )
    assert estimator.classes_.tolist() == ["N", "Y"]
    assert estimator.model_.validation_metrics.nobs() == 100
    local = estimator.to_local()
    assert type(local) is DeepLearningClassifier
    own = frame.drop(columns="late")
    np.testing.assert_array_equal(estimator.predict(X).compute(), local.predict(own))
    np.testing.assert_array_equal(estimator.predict_proba(X).compute().to_numpy(), local.predict_proba(own))
    assert (local.predict(own) == frame.late).mean() > 0.7
    assert local.feature_importances_.size == 3


def test_a_regressor_takes_arrays_and_weights(client):
    numbers = np.random.default_rng(1).normal(size=(600, 4))
    X = da.from_array(numbers, chunks=(200, 2))
    y = da.from_array(numbers[:, 0] * 2, chunks=200)
    weights = da.ones(600, chunks=200)
    estimator = DaskDeepLearningRegressor(client, **SETTINGS | {"epochs": 20}).fit(X, y, weights)
    lazily = estimator.predict(X)
    assert lazily.chunks == ((200, 200, 200),)
    np.testing.assert_array_equal(lazily.compute(), estimator.to_local().predict(numbers))
    assert np.corrcoef(lazily.compute(), numbers[:, 0])[0, 1] > 0.9


def test_what_does_not_go_together_is_refused(client):
    rows = dd.from_pandas(flights(100), npartitions=2)
    X, y = rows.drop(columns="late"), rows["hour"]
    with pytest.raises(DataError, match="y must have the partitions of X, 2; got 1"):
        DaskDeepLearningRegressor(client, **SETTINGS).fit(X, y.repartition(npartitions=1))
    with pytest.raises(DataError, match="y must be a Dask Series or Array; got Series"):
        DaskDeepLearningRegressor(client, **SETTINGS).fit(X, y.compute())
    with pytest.raises(ParameterError, match="warm_start cannot be used on a cluster"):
        DaskDeepLearningRegressor(client, warm_start=True, **SETTINGS).fit(X, y)
