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
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import h2olite
from h2olite import DeepLearningClassifier, DeepLearningRegressor
from h2olite.errors import DataError, ParameterError
from h2olite.machine.threads import usable_threads
from h2olite.settings.parameters import declared
from h2olite.settings.validation import OTHER_PARAMETERS, validate

SMALL = {"hidden": [20], "epochs": 30, "seed": 1, "reproducible": True}

UNEQUAL = {
    f"check_sample_weight_equivalence_on_{kind}_data": "rows are visited in another order, as by scikit-learn's SGD"
    for kind in ("dense", "sparse")
}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [DeepLearningClassifier(), DeepLearningRegressor()],
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
        ("hidden_layer_sizes", r"; did you mean 'hidden'\?"),
        ("epoch", r"; did you mean 'epochs'\?"),
        ("class_weight", r"; it is for DeepLearningClassifier\."),
        ("checkpoint", r"; set warm_start, or call partial_fit\."),
        ("max_iter", r"; did you mean 'epochs'\?"),
        ("early_stopping", r"; did you mean 'stopping_rounds'\?"),
        ("weights_column", r"; give sample_weight to fit\."),
        ("validation_frame", r"; give eval_set to fit, or set validation_fraction\."),
        ("model_id", r"; it is for h2olite\.deeplearning\."),
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


def test_a_sparse_matrix_too_large_for_memory_is_refused():
    with pytest.raises(h2olite.H2OLiteError, match=r"^X needs about 8001\.0 GB of memory; .* fewer rows or columns"):
        DeepLearningRegressor().fit(coo_array((10**12, 10**6)), np.zeros(2))


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


def test_random_state_is_the_seed_and_meta_estimators_set_it():
    X, y = load_iris(return_X_y=True)
    by_seed, by_state, by_other = (
        DeepLearningClassifier(hidden=[5], epochs=2, **given).fit(X, y).predict_proba(X)
        for given in ({"seed": 7}, {"random_state": 7, "seed": 3}, {"random_state": np.random.RandomState(7)})
    )
    np.testing.assert_array_equal(by_seed, by_state)
    assert not np.array_equal(by_seed, by_other)
    bags = [
        BaggingClassifier(DeepLearningClassifier(hidden=[5], epochs=2), 3, random_state=1).fit(X, y) for _ in range(2)
    ]
    np.testing.assert_array_equal(*(bag.predict_proba(X) for bag in bags))
    assert len({bag.model_.parameters.seed for bag in bags[0].estimators_}) == 3
    with pytest.raises(ValueError, match="cannot be used to seed"):
        DeepLearningClassifier(random_state="a").fit(X, y)


def unequal_classes():
    random = np.random.default_rng(3)
    X = random.normal(size=(1000, 2))
    return X, np.where(X[:, 0] + random.normal(size=1000) > 2.2, "rare", "usual")


def test_class_weights_are_row_weights():
    X, y = unequal_classes()
    weighted = DeepLearningClassifier(class_weight={"rare": 10}, **SMALL).fit(X, y)
    by_rows = DeepLearningClassifier(**SMALL).fit(X, y, sample_weight=np.where(y == "rare", 10.0, 1.0))
    np.testing.assert_array_equal(weighted.predict_proba(X), by_rows.predict_proba(X))
    balanced = DeepLearningClassifier(class_weight="balanced", **SMALL).fit(X, y, sample_weight=np.full(1000, 2.0))
    share = np.mean(y == "rare")
    by_rows.fit(X, y, sample_weight=np.where(y == "rare", 1 / share, 1 / (1 - share)))
    np.testing.assert_allclose(balanced.predict_proba(X), by_rows.predict_proba(X), atol=1e-3)
    plain = DeepLearningClassifier(**SMALL).fit(X, y)
    found = [recall_score(y, classifier.predict(X), pos_label="rare") for classifier in (plain, balanced)]
    assert found[0] < found[1]


def test_class_weights_that_cannot_be_are_refused():
    X, y = unequal_classes()
    with pytest.raises(
        ParameterError, match=r"^class_weight must name classes of y, \['rare' 'usual'\]; got 'rara'\.$"
    ):
        DeepLearningClassifier(class_weight={"rara": 2}).fit(X, y)
    with pytest.raises(ValueError, match="class_weight"):
        DeepLearningClassifier(class_weight="even").fit(X, y)
    with pytest.raises(ParameterError, match="class_weight 'balanced' needs all rows at once"):
        DeepLearningClassifier(class_weight="balanced").partial_fit(X, y)


@pytest.mark.parametrize("Estimator", [DeepLearningClassifier, DeepLearningRegressor])
def test_warm_start_goes_on_where_training_ended(Estimator):
    X, y = load_iris(return_X_y=True)
    half = SMALL | {"epochs": 2, "stopping_rounds": 0}
    twice = Estimator(warm_start=True, **half).fit(X, y).fit(X, y)
    once = Estimator(**half | {"epochs": 4}).fit(X, y)
    assert twice.model_.record.epochs == once.model_.record.epochs == 4
    np.testing.assert_array_equal(twice.predict(X), once.predict(X))
    anew = Estimator(**half).fit(X, y).fit(X, y)
    assert anew.model_.record.epochs == 2
    with pytest.raises(ParameterError, match="hidden must be as in the checkpoint"):
        twice.set_params(hidden=[3]).fit(X, y)
    with pytest.raises(ValueError, match="3 features, but"):
        twice.fit(X[:, :3], y)


def test_warm_start_refuses_other_classes_and_other_validation():
    X, y = load_iris(return_X_y=True)
    classifier = DeepLearningClassifier(warm_start=True, **SMALL).fit(X[:100], y[:100])
    with pytest.raises(DataError, match=r"^y must hold only the classes that the estimator knows, \[0 1\]; got"):
        classifier.fit(X, y)
    with pytest.raises(ParameterError, match=r"^eval_set or validation_fraction must be left out, as it was"):
        classifier.fit(X[:100], y[:100], eval_set=(X[:100], y[:100]))


def test_partial_fit_learns_from_parts_of_a_table():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    order = np.random.default_rng(1).permutation(150)
    classifier = DeepLearningClassifier(hidden=[20], random_state=1)
    for n_calls in range(1, 31):
        rows = order[n_calls % 3 :: 3]
        assert classifier.partial_fit(X[rows], names[rows]) is classifier
        assert classifier.model_.record.samples == 50 * n_calls
    assert classifier.score(X, names) > 0.9
    regressor = DeepLearningRegressor(hidden=[20], random_state=1)
    for _ in range(10):
        for rows in (order[::2], order[1::2]):
            regressor.partial_fit(X[rows, :3], X[rows, 3], sample_weight=np.ones(75))
    assert regressor.score(X[:, :3], X[:, 3]) > 0.8
    for rows in (X[X[:, 3] == 0.2], X[:1], csr_matrix(X[:2])):
        seen = regressor.model_.record.samples
        regressor.partial_fit(rows[:, :3], np.full(rows.shape[0], 0.2))
        assert regressor.model_.record.samples == seen + rows.shape[0]
    counting = DeepLearningRegressor(hidden=[5], distribution="poisson", random_state=1).partial_fit(X, y)
    assert counting.partial_fit(X[:50], np.zeros(50)).predict(X[:50]).max() < 2


def test_partial_fit_knows_classes_that_come_later_and_takes_rows_of_one_class():
    X, y = load_iris(return_X_y=True)
    classifier = DeepLearningClassifier(hidden=[20], random_state=1).partial_fit(X[:100], y[:100], classes=[2, 0, 1])
    assert classifier.predict_proba(X).shape == (150, 3)
    for _ in range(20):
        for rows in (slice(100, 150), slice(0, 50), slice(50, 100)):
            classifier.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    assert set(classifier.predict(X)) == {0, 1, 2}
    classifier.partial_fit(X[:1], y[:1], sample_weight=[2.0])
    with pytest.raises(DataError, match=r"^classes must be those of the first call, \[0 1 2\]; got \[0 1\]\.$"):
        classifier.partial_fit(X[:50], y[:50], classes=[0, 1])
    with pytest.raises(DataError, match=r"got 7; fit a new one, or name all classes in the first partial_fit\.$"):
        classifier.partial_fit(X[:50], y[:50] + 7)
    with pytest.raises(DataError, match="at least 2 classes"):
        DeepLearningClassifier().partial_fit(X[:50], y[:50], classes=[0, 1])
    with pytest.raises(ParameterError, match=r"^partial_fit cannot be combined with validation_fraction"):
        DeepLearningClassifier(validation_fraction=0.1).partial_fit(X, y)


@pytest.mark.parametrize("Estimator", [DeepLearningClassifier, DeepLearningRegressor])
def test_rows_held_out_choose_the_model_and_are_not_learnt_from(Estimator):
    X, y = load_iris(return_X_y=True)
    estimator = Estimator(validation_fraction=0.2, **SMALL).fit(X, y, sample_weight=1 + y)
    assert estimator.model_.record.rows == 120
    assert estimator.model_.validation_metrics["nobs"] == 30
    if Estimator is DeepLearningClassifier:  # every class alike
        assert np.sum(estimator.model_.confusion_matrix(valid=True).matrix, axis=1).tolist() == [10, 20, 30]
    for wrong in (1, -0.1, "a"):
        with pytest.raises(ParameterError, match=r"^validation_fraction must be >= 0 and < 1; got"):
            Estimator(validation_fraction=wrong).fit(X, y)


@pytest.mark.parametrize("Estimator", [DeepLearningClassifier, DeepLearningRegressor])
@pytest.mark.parametrize("weighed", ["rows", "measured rows", "both", "neither"])
def test_rows_of_eval_set_count_by_their_own_weights(Estimator, weighed, recwarn):
    X, y = load_iris(return_X_y=True)
    learnt, measured = slice(0, None, 2), slice(1, None, 2)
    weights = np.where(y == 1, 5.0, 0.5)
    of_rows = weights[learnt] if weighed in ("rows", "both") else None
    of_measured = weights[measured] if weighed in ("measured rows", "both") else None
    estimator = Estimator(**SMALL).fit(X[learnt], y[learnt], of_rows, eval_set=(X[measured], y[measured], of_measured))
    if Estimator is DeepLearningClassifier:
        errors = 1 - estimator.predict_proba(X[measured])[np.arange(75), y[measured]]
    else:
        errors = estimator.predict(X[measured]) - y[measured]
    assert estimator.model_.mse(valid=True) == pytest.approx(np.average(errors**2, weights=of_measured), rel=1e-5)
    assert not [str(warning.message) for warning in recwarn if "weight" in str(warning.message)]


def test_class_weights_are_none_of_eval_set(recwarn):
    X, y = load_iris(return_X_y=True)
    balanced = DeepLearningClassifier(class_weight={0: 9, 1: 1, 2: 1}, **SMALL)
    balanced.fit(X, y, eval_set=(X, y))
    expected = log_loss(y, balanced.predict_proba(X))
    assert balanced.model_.logloss(valid=True) == pytest.approx(expected, rel=1e-5)
    assert not [str(warning.message) for warning in recwarn if "weight" in str(warning.message)]


@pytest.mark.parametrize("Estimator", [DeepLearningClassifier, DeepLearningRegressor])
@pytest.mark.parametrize("as_frame", [False, True])
def test_eval_set_is_measured_and_not_learnt_from(Estimator, as_frame):
    X, y = load_iris(return_X_y=True, as_frame=as_frame)
    odd, even = (slice(start, None, 2) for start in (1, 0))
    tuples = (X[odd], y[odd]), [(X[odd], y[odd])], (X[odd], y[odd], np.ones(75))
    models = [Estimator(**SMALL).fit(X[even], y[even], eval_set=given).model_ for given in tuples]
    assert [model.record.rows for model in models] == [75] * 3
    assert len({model.mse(valid=True) for model in models}) == 1
    estimator = Estimator(**SMALL).fit(X[even], y[even], eval_set=tuples[0])
    expected = estimator.model_.mse(valid=True)
    if Estimator is DeepLearningRegressor:
        assert np.mean((estimator.predict(X[odd]) - y[odd]) ** 2) == pytest.approx(expected, rel=1e-5)
    for wrong in (X, [tuples[0], tuples[0]], [], (X, y, y, y)):
        with pytest.raises(ParameterError, match=r"^eval_set must be one set of rows"):
            estimator.fit(X, y, eval_set=wrong)
    with pytest.raises(ValueError, match=r"features|feature names"):
        estimator.fit(X, y, eval_set=(X.iloc[:, :2] if as_frame else X[:, :2], y))
    with pytest.raises(ParameterError, match=r"^eval_set and validation_fraction cannot be combined; leave one"):
        estimator.set_params(validation_fraction=0.1).fit(X, y, eval_set=tuples[0])


def test_autoencoder_in_a_file_can_be_started_from(tmp_path):
    X, y = load_iris(return_X_y=True, as_frame=True)
    autoencoder = h2olite.deeplearning(training_frame=X, autoencoder=True, hidden=[6], epochs=2, seed=1)
    autoencoder.save(tmp_path / "usual.h2olite")
    given = {"hidden": [6], "epochs": 2, "standardize": False, "random_state": 1, "use_all_factor_levels": True}
    started = DeepLearningClassifier(pretrained_autoencoder=tmp_path / "usual.h2olite", **given).fit(X, y)
    assert started.score(X, y) > DeepLearningClassifier(**given | {"epochs": 0}).fit(X, y).score(X, y)


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
