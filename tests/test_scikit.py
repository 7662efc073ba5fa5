import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csr_matrix
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import h2olite
from h2olite import DeepLearningClassifier, DeepLearningRegressor
from h2olite.errors import DataError, ParameterError
from h2olite.settings.parameters import declared
from h2olite.settings.validation import OTHER_PARAMETERS, validate
from h2olite.training.workers import usable_threads

SMALL = {"hidden": [20], "epochs": 30, "seed": 1, "reproducible": True}

UNEQUAL = {
    f"check_sample_weight_equivalence_on_{kind}_data": "a row of weight 2 is visited once, its copy at another time"
    for kind in ("dense", "sparse")
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


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("random_state", r"; did you mean 'seed'\?"),
        ("hidden_layer_sizes", r"; did you mean 'hidden'\?"),
        ("epoch", r"; did you mean 'epochs'\?"),
        ("class_weight", r"; set balance_classes, or give sample_weight to fit\."),
        ("weights_column", r"; give sample_weight to fit\."),
        ("validation_frame", r"; it is for h2olite\.deeplearning\."),
        ("zzz", r"\."),
    ],
)
def test_arguments_that_are_no_parameters_are_refused_with_advice(name, advice):
    with pytest.raises(TypeError, match=f"^DeepLearningRegressor got an unexpected keyword argument '{name}'{advice}$"):
        DeepLearningRegressor(**{name: 1})


def test_names_of_other_libraries_lead_to_parameters():
    assert OTHER_PARAMETERS.keys().isdisjoint(declared())
    assert declared().keys() >= set(OTHER_PARAMETERS.values())
    with pytest.raises(ParameterError, match=r"^'random_state' is not a parameter; did you mean 'seed'\?$"):
        validate({"random_state": 1})


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


@pytest.mark.parametrize("make", [csr_matrix, coo_array])
def test_sparse_matrices_are_the_arrays_that_they_stand_for(make):
    X = np.where(np.random.default_rng(1).random((60, 5)) < 0.7, 0.0, 2.0)
    y = X[:, 0] + X[:, 1]
    ours, same = (DeepLearningRegressor(**SMALL).fit(rows, y) for rows in (make(X), X))
    np.testing.assert_array_equal(ours.predict(make(X)), same.predict(X))


def test_a_sparse_matrix_too_large_for_memory_with_its_zeros_is_refused():
    with pytest.raises(h2olite.H2OLiteError, match=r"^X needs about 8000000\.0 GB of memory; .* with their zeros"):
        DeepLearningRegressor().fit(coo_array((10**9, 10**6)), np.zeros(10**9))


def test_one_hot_columns_beside_numbers_can_be_learnt_from():
    table = pd.DataFrame({"colour": list("abcdefgh") * 10, "size": np.arange(80.0)})
    encode = ColumnTransformer([("levels", OneHotEncoder(), ["colour"]), ("numbers", "passthrough", ["size"])])
    pipeline = make_pipeline(encode, DeepLearningClassifier(**SMALL)).fit(table, table["colour"] < "e")
    assert pipeline.score(table, table["colour"] < "e") > 0.9


def test_text_in_an_array_is_told_with_the_way_out():
    with pytest.raises(
        DataError, match=r"^an array X must hold numbers only \(.*'b'\); .* set_output\(transform='pandas'"
    ):
        DeepLearningRegressor().fit(np.array([[1.0, "b"], [2.0, "c"]], object), [1.0, 2.0])


@pytest.mark.parametrize("estimator", [DeepLearningClassifier(), DeepLearningRegressor()])
@pytest.mark.parametrize("missing", [None, np.nan])
def test_rows_without_a_response_are_refused(estimator, missing):
    y = pd.Series([0, 1, missing], dtype=object if missing is None else np.float64)
    with pytest.raises(DataError, match=r"^y must not be NaN; 1 of 3 are: leave those rows out\.$"):
        estimator.fit(np.ones((3, 1)), y)


def test_importances_are_in_the_order_of_the_columns_and_select_them():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X = X.assign(sex=np.where(X["sex"] > 0, "m", "f"), same=1.0)
    with pytest.warns(UserWarning, match="constant or missing in all rows: 'same'"):
        regressor = DeepLearningRegressor(input_group_l1=0.05, **SMALL).fit(X, y)
    importances = dict(zip(X.columns, regressor.feature_importances_, strict=True))
    assert sum(importances.values()) == pytest.approx(1)
    assert importances == dict.fromkeys(X.columns, 0.0) | {
        name: share for name, _, _, share in regressor.model_.varimp(by_column=True)
    }
    assert importances["same"] == 0 == importances[regressor.model_.report()["features"]["unused"][0]]
    assert max(importances, key=importances.get) == "bmi"
    chosen = RFE(DeepLearningRegressor(**SMALL), n_features_to_select=2, step=8).fit(X.drop(columns=["sex", "same"]), y)
    assert "bmi" in chosen.get_feature_names_out()


def test_importances_that_are_not_there_are_told():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(NotFittedError):
        _ = DeepLearningClassifier().feature_importances_
    without = DeepLearningClassifier(variable_importances=False, **SMALL).fit(X, y)
    with pytest.raises(AttributeError, match=r"^feature_importances_ need variable_importances, which are off"):
        _ = without.feature_importances_
    table = pd.DataFrame({"level": [f"l{i}" for i in range(6)] * 5})
    hashed = DeepLearningClassifier(max_categorical_features=2, **SMALL).fit(table, ["a", "b"] * 15)
    with pytest.raises(AttributeError, match="shared by hashing"):
        _ = hashed.feature_importances_


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


def test_processes_of_joblib_share_the_cores():
    n_threads = 2 * joblib.cpu_count()  # each may have less than one
    assert joblib.Parallel(n_jobs=n_threads)([joblib.delayed(usable_threads)()]) == [1]


def test_fitted_estimator_can_be_pickled():
    X, y = load_iris(return_X_y=True)
    classifier = DeepLearningClassifier(**SMALL).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict(X), classifier.predict(X))


def test_scikit_learn_is_loaded_only_for_its_estimators():
    code = "import sys, h2olite, h2olite.api; assert 'sklearn' not in sys.modules; print(h2olite.__version__)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_scikit_learn_is_told():
    code = "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None; import h2olite\n"
    code += "try: h2olite.DeepLearningClassifier\nexcept h2olite.MissingExtraError as error: print(error)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown == "estimators for scikit-learn need scikit-learn 1.6 or newer: pip install 'h2olite[sklearn]'.\n"
