"""What the penalties do to whole models: the textbook's solutions, exact zeros, columns that leave."""

import os
import warnings

import numpy as np
import pytest
from sklearn.linear_model import Lasso, Ridge

import h2olite

TRUE = np.array([2, -1.5, 1, 0, 0, 0, 0.5, 0])


@pytest.fixture(scope="module")
def linear_table():
    """Standardised predictors and response, so that our penalties and scikit-learn's have the same units."""
    random = np.random.default_rng(0)
    x = random.standard_normal((500, TRUE.size))
    x = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    y = x @ TRUE + 0.5 * random.standard_normal(len(x))
    return x, (y - y.mean()) / y.std(ddof=1)


def coefficients(x, y, **settings):
    """The weights of a network without hidden layers after long training with a falling rate."""
    usual = {"adaptive_rate": False, "rate": 0.01, "rate_annealing": 1e-3, "epochs": 400}
    model = h2olite.deeplearning(
        y="y",
        training_frame={f"x{i}": column for i, column in enumerate(x.T)} | {"y": y},
        hidden=[],
        stopping_rounds=0,
        nthreads=1,
        seed=1,
        **usual | settings,
    )
    return model.weights(0).iloc[0].reindex([f"x{i}" for i in range(x.shape[1])], fill_value=0).to_numpy()


def assert_close(ours, theirs):
    """Relative distance below 1e-3, and the same coefficients exactly zero."""
    assert np.linalg.norm(ours - theirs) < 1e-3 * np.linalg.norm(theirs)
    np.testing.assert_array_equal(ours == 0, theirs == 0)


@pytest.mark.proves("l2")
@pytest.mark.parametrize("l2", [0.1, 1.0])
def test_l2_without_hidden_layers_is_ridge_regression(linear_table, l2):
    x, y = linear_table
    # Ours is mean (f - t)^2 + l2 / 2 sum w^2, theirs sum (f - t)^2 + alpha sum w^2.
    assert_close(coefficients(x, y, l2=l2), Ridge(alpha=l2 / 2 * len(x)).fit(x, y).coef_)


@pytest.mark.proves("l1")
@pytest.mark.parametrize("l1", [0.05, 0.2])
def test_l1_without_hidden_layers_is_the_lasso_down_to_which_weights_are_zero(linear_table, l1):
    x, y = linear_table
    # Ours is mean (f - t)^2 + l1 sum |w|, theirs half of the mean plus alpha sum |w|.
    assert_close(coefficients(x, y, l1=l1), Lasso(alpha=l1 / 2, tol=1e-10).fit(x, y).coef_)


@pytest.mark.parametrize(("batch_size", "n_known"), [(300, 500), (500, 300)])
def test_mini_batches_cut_short_owe_the_penalty_of_whole_ones(linear_table, batch_size, n_known):
    x, y = linear_table
    known = np.where(np.arange(len(y)) < n_known, y, np.nan)
    settings = {"rate": 0.05, "rate_annealing": 1e-4, "epochs": 1000, "mini_batch_size": batch_size}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "rows of training_frame that lack the response")
        ours = coefficients(x, known, l1=0.2, standardize=False, **settings)
    theirs = Lasso(alpha=0.1, tol=1e-10).fit(x[:n_known], y[:n_known]).coef_
    # As an update by 200 rows counts as much as one by 300, the solution is not quite the same.
    assert np.linalg.norm(ours - theirs) < 0.01 * np.linalg.norm(theirs)
    np.testing.assert_array_equal(ours == 0, theirs == 0)


@pytest.mark.proves("input_group_l1")
def test_group_penalty_removes_whole_columns_and_keeps_those_that_matter():
    random = np.random.default_rng(1)
    n_rows = 1500
    x = random.standard_normal((n_rows, 12))
    colour = random.integers(3, size=n_rows)
    noise = random.integers(4, size=n_rows)
    score = 3 * x[:, 0] * x[:, 1] + 3 * np.sin(2 * x[:, 2]) + 3.0 * (colour == 1)
    table = {f"x{i}": column for i, column in enumerate(x.T)}
    table |= {"colour": np.array(["red", "green", "blue"])[colour], "noise": np.array(list("abcd"))[noise]}
    table["y"] = np.where(score > 1, "yes", "no")
    model = h2olite.deeplearning(
        y="y", training_frame=table, hidden=[32, 16], epochs=40, input_group_l1=2e-2, nthreads=1, seed=1
    )
    unused = model.report()["features"]["unused"]
    assert set(unused) == set(table) - {"x0", "x1", "x2", "colour", "y"}


@pytest.mark.parametrize("penalty", [{"l1": 3e-3}, {"input_group_l1": 1e-3}, {"input_group_l1": 1e-2}], ids=str)
def test_what_tells_everything_stays_however_small_the_gradients_have_become(penalty):
    random = np.random.default_rng(1)
    level = random.choice(["a", "b"], 10_000)
    table = {"noise": random.random(10_000), "level": level, "y": level}
    settings = {"hidden": [20], "epochs": 5, "classification_stop": -1, "nthreads": 1, "seed": 1}
    model = h2olite.deeplearning(y="y", training_frame=table, **settings, **penalty)
    report = model.report()
    assert report["features"]["unused"] == ["noise"]
    assert report["objective"]["loss"] + report["objective"]["penalty"] < 0.05


@pytest.mark.proves("l1", "l2")
def test_norm_of_the_weights_falls_with_l2_and_their_number_with_l1(linear_table):
    x, y = linear_table
    table = {f"x{i}": column for i, column in enumerate(x.T)} | {"y": y}

    def weights(**penalty):
        model = h2olite.deeplearning(
            y="y", training_frame=table, hidden=[16, 8], epochs=40, nthreads=1, seed=1, **penalty
        )
        return np.concatenate([model.network.weights(layer).ravel() for layer in range(3)])

    norms = [np.linalg.norm(weights(l2=l2)) for l2 in (0, 1e-3, 1e-2, 1e-1)]
    assert norms == sorted(norms, reverse=True)
    n_weights = 8 * 16 + 16 * 8 + 8
    zeros = [n_weights - np.count_nonzero(weights(l1=l1)) for l1 in (0, 1e-3, 1e-2, 1e-1)]
    assert zeros == sorted(zeros)
    assert zeros[0] == 0
    assert zeros[-1] > 0


def test_unused_predictors_leave_the_model_file_and_are_not_needed_to_predict(linear_table, tmp_path):
    x, y = linear_table
    columns = {f"x{i}": column for i, column in enumerate(x.T)}
    model = h2olite.deeplearning(
        y="y", training_frame=columns | {"y": y}, hidden=[], l1=0.2, adaptive_rate=False, epochs=20, nthreads=1, seed=1
    )
    features = model.report()["features"]
    assert 0 < features["used"] == len(model.encoder.predictors) < features["total"] == 8
    assert model.weights(0).columns.tolist() == list(model.encoder.predictors)
    needed = {name: columns[name] for name in model.encoder.predictors}
    loaded = h2olite.load_model(model.save(tmp_path / "sparse.h2olite"))
    assert loaded.predict(needed).equals(model.predict(columns))
    assert loaded.report()["features"] == features


def test_a_sparse_model_keeps_nothing_of_weights_that_are_0(linear_table, tmp_path):
    x, y = linear_table
    settings = {"y": "y", "hidden": [50], "stopping_rounds": 0, "nthreads": 1, "seed": 1}
    settings["training_frame"] = {f"x{i}": column for i, column in enumerate(x.T)} | {"y": y}
    dense, sparse = (h2olite.deeplearning(epochs=20, l1=l1, **settings) for l1 in (0.0, 0.02))
    network, shares = sparse.network, sparse.report()["weights"]["zero_share"]
    assert shares > 0.5
    assert not network.first[network.theta == 0].any()
    assert not network.second[network.theta == 0].any()
    sizes = [os.path.getsize(model.save(tmp_path / "m.h2olite", keep_state=True)) for model in (dense, sparse)]
    assert sizes[1] < 0.75 * sizes[0]
    more = h2olite.deeplearning(epochs=30, l1=0.02, checkpoint=tmp_path / "m.h2olite", **settings)
    assert more.rmse() == pytest.approx(sparse.rmse(), rel=0.15)
    assert more.report()["weights"]["zero_share"] == pytest.approx(shares, abs=0.1)
    assert all(row["mean_rate"] < 0.1 for row in sparse.report()["layers"][1:])


def test_a_penalty_that_removes_everything_leaves_a_constant_model(linear_table):
    x, y = linear_table
    table = {f"x{i}": column for i, column in enumerate(x.T)} | {"y": y}
    model = h2olite.deeplearning(y="y", training_frame=table, hidden=[5], l1=10, epochs=3, nthreads=1, seed=1)
    assert model.report()["features"]["used"] == 0
    assert model.report()["weights"]["zero_share"] == 1
    predictions = model.predict(table)["predict"]
    assert predictions.nunique() == 1
    assert predictions[0] == pytest.approx(y.mean(), abs=0.3)


@pytest.mark.parametrize("penalty", [{"l1": 0.2}, {"l1": 2.0}, {"input_group_l1": 0.5}], ids=str)
def test_a_classifier_without_weights_predicts_the_shares_of_the_classes(penalty):
    random = np.random.default_rng(2)
    x = random.standard_normal((2000, 4))
    table = {f"x{i}": column for i, column in enumerate(x.T)} | {"y": np.where(x[:, 0] ** 2 > 1.3, "yes", "no")}
    model = h2olite.deeplearning(y="y", training_frame=table, hidden=[32], epochs=10, nthreads=1, seed=1, **penalty)
    assert model.report()["features"]["used"] == 0
    assert model.predict(table)["yes"].mean() == pytest.approx(np.mean(table["y"] == "yes"), abs=0.05)
