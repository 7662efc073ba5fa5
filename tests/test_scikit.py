import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import h2olite
from h2olite import DeepLearningClassifier, DeepLearningRegressor
from h2olite.errors import DataError, ParameterError

SMALL = {"hidden": [20], "epochs": 30, "seed": 1, "reproducible": True}

UNEQUAL = {
    "check_sample_weight_equivalence_on_dense_data": "a row of weight 2 is visited once, its copy at another time"
}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [DeepLearningClassifier(**SMALL), DeepLearningRegressor(**SMALL)],
    expected_failed_checks=lambda estimator: UNEQUAL,
)
def test_estimators_keep_scikit_learns_contract(estimator, check):
    check(estimator)


def test_parameters_are_those_of_the_declaration():
    parameters = DeepLearningClassifier(l1=1e-4).get_params()
    assert parameters["l1"] == 1e-4
    assert parameters["hidden"] == (200, 200)
    assert parameters.keys() >= {"rho", "activation", "nthreads"}
    assert not parameters.keys() & {"x", "y", "training_frame", "weights_column", "checkpoint"}
    assert clone(DeepLearningClassifier(hidden=[3])).hidden == [3]
    assert DeepLearningRegressor().set_params(epochs=2).epochs == 2
    with pytest.raises(TypeError, match="unexpected keyword argument 'hiden'"):
        DeepLearningClassifier(hiden=[3])


def test_faulty_parameters_are_told_when_fitting():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ParameterError, match=r"^l1 must be >= 0; got -1\.$"):
        DeepLearningClassifier(l1=-1).fit(X, y)


def test_classifier_is_the_model_of_the_same_table():
    X, y = load_iris(return_X_y=True, as_frame=True)
    classifier = DeepLearningClassifier(**SMALL).fit(X, y)
    model = h2olite.deeplearning(y="target", training_frame=X.assign(target=y.astype(str)), **SMALL)
    np.testing.assert_array_equal(classifier.predict_proba(X), model.predict(X).to_numpy()[:, 1:].astype(float))
    np.testing.assert_array_equal(classifier.predict(X), model.predict(X)["predict"].astype(int))
    assert classifier.score(X, y) > 0.9


def test_regressor_is_the_model_of_the_same_table():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    regressor = DeepLearningRegressor(**SMALL).fit(X, y)
    model = h2olite.deeplearning(y="target", training_frame=X.assign(target=y), **SMALL)
    np.testing.assert_array_equal(regressor.predict(X), model.predict(X)["predict"])
    assert regressor.score(X, y) > 0.4


def test_text_columns_of_data_frames_are_levels_and_a_column_may_be_called_response():
    table = pd.DataFrame({"response": ["a", "b", "c"] * 20, "weights": np.arange(60.0)})
    y = table["response"] == "a"
    classifier = DeepLearningClassifier(**SMALL).fit(table, y, sample_weight=np.ones(60))
    assert classifier.classes_.tolist() == [False, True]
    assert classifier.score(table, y) > 0.9
    assert classifier.predict(table).dtype == bool


def test_rows_of_weight_zero_are_not_learnt_from():
    X, y = load_iris(return_X_y=True)
    counted = np.arange(150) % 3 > 0
    other = np.where(counted[:, np.newaxis], X, 100 * X)
    first, second = (DeepLearningClassifier(**SMALL).fit(rows, y, sample_weight=counted) for rows in (X, other))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_one_class_is_refused():
    with pytest.raises(DataError, match=r"^y must hold at least 2 classes; got one class, 'a'; give rows of another"):
        DeepLearningClassifier().fit(np.ones((3, 1)), np.array(["a"] * 3, object))


def test_pipelines_cross_validation_and_grid_search_work():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), DeepLearningClassifier(**SMALL))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.85
    search = GridSearchCV(DeepLearningClassifier(**SMALL), {"l1": [0, 1e-3], "hidden": [[5], [10]]}, cv=2).fit(X, y)
    assert search.best_params_.keys() == {"l1", "hidden"}


def test_fitted_estimator_can_be_pickled():
    X, y = load_iris(return_X_y=True)
    classifier = DeepLearningClassifier(**SMALL).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict(X), classifier.predict(X))


def test_scikit_learn_is_loaded_only_for_its_estimators():
    code = "import sys, h2olite, h2olite.estimator; assert 'sklearn' not in sys.modules; print(h2olite.__version__)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_scikit_learn_is_told():
    code = "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None; import h2olite\n"
    code += "try: h2olite.DeepLearningClassifier\nexcept h2olite.MissingExtraError as error: print(error)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown == "estimators for scikit-learn need scikit-learn 1.6 or newer: pip install 'h2olite[sklearn]'.\n"
