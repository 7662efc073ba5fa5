import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import DataError, ParameterError


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    strong, weak, noise = random.normal(size=(3, 400))
    group = random.choice(["a", "b", "c"], 400)
    y = 3 * strong + weak + np.where(group == "c", 2, 0) + 0.1 * random.normal(size=400)
    sign = np.where(y > 0, "plus", "minus")
    return pd.DataFrame({"strong": strong, "weak": weak, "noise": noise, "group": group, "y": y, "sign": sign})


def train(frame, y, **given):
    settings = {"hidden": [20], "epochs": 30, "seed": 1, "reproducible": True}
    return h2olite.deeplearning(["strong", "weak", "noise", "group"], y, frame, **settings | given)


@pytest.fixture(scope="module")
def regression(frame):
    return train(frame, "y")


@pytest.fixture(scope="module")
def binomial(frame):
    return train(frame, "sign")


def test_predictors_that_matter_are_important(regression, frame):
    table = regression.permutation_importance(frame, seed=1, use_pandas=True)
    assert list(table.columns) == ["variable", "relative_importance", "scaled_importance", "percentage"]
    assert set(table["variable"]) == {"strong", "weak", "noise", "group"}
    assert table["variable"].tolist()[::3] == ["strong", "noise"]
    assert table["scaled_importance"].iloc[0] == 1
    assert table["percentage"].sum() == pytest.approx(1)
    rows = regression.permutation_importance(frame, seed=1)
    assert rows == [tuple(row) for row in table.itertuples(index=False)]


def test_importance_is_the_loss_of_the_metric(regression, frame):
    usual = regression.model_performance(frame).mae()
    name, loss, *_ = regression.permutation_importance(frame, "MAE", features=["strong"], seed=3)[0]
    assert name == "strong"
    lost = [
        regression.model_performance(frame.assign(strong=frame["strong"].sample(frac=1).to_numpy())).mae() - usual
        for _ in range(5)
    ]
    assert loss == pytest.approx(np.mean(lost), rel=0.3)


@pytest.mark.parametrize("metric", ["AUTO", "auc", "PR_AUC", "logloss", "mean_per_class_error"])
def test_importance_is_positive_whether_more_of_the_metric_is_better_or_less(binomial, frame, metric):
    assert binomial.permutation_importance(frame, metric, features=["strong"], seed=1)[0][1] > 0


def test_repeats_have_a_column_each(regression, frame):
    table = regression.permutation_importance(frame, n_repeats=3, n_samples=100, seed=1, use_pandas=True)
    assert list(table.columns) == ["variable", "run_1", "run_2", "run_3"]
    assert table["run_1"].iloc[0] != table["run_2"].iloc[0]
    means = table.drop(columns="variable").mean(axis=1)
    assert means.is_monotonic_decreasing


def test_same_seed_gives_the_same_importances(regression, frame):
    first, second, other = (regression.permutation_importance(frame, n_samples=50, seed=seed) for seed in (1, 1, 2))
    assert first == second != other


def test_the_frame_stays_as_it_was(regression, frame):
    before = frame.copy()
    regression.permutation_importance(frame)
    regression.partial_plot(frame, ["strong"])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"metric": "beauty"}, ParameterError, "metric must be one of AUTO, deviance, .*; got 'beauty'"),
        ({"metric": "AUC"}, ParameterError, "metric must be .* for a Regression model; got 'AUC'"),
        ({"features": ["stron"]}, DataError, "'stron' is no predictor of .*; did you mean 'strong'"),
    ],
)
def test_importances_that_cannot_be_found_are_refused(regression, frame, given, error, message):
    with pytest.raises(error, match=message):
        regression.permutation_importance(frame, **given)


def test_partial_dependence_is_the_mean_prediction_with_the_value_in_every_row(regression, frame):
    (table,) = regression.partial_plot(frame, cols=["strong"], nbins=5)
    assert list(table.columns) == ["strong", "mean_response", "stddev_response", "std_error_mean_response"]
    ends = frame["strong"].min(), frame["strong"].max()
    np.testing.assert_allclose(table["strong"], np.linspace(*ends, 5))
    predictions = regression.predict(frame.assign(strong=table["strong"][1]))["predict"]
    assert table["mean_response"][1] == pytest.approx(predictions.mean(), rel=1e-6)
    assert table["stddev_response"][1] == pytest.approx(predictions.std(), rel=1e-5)
    assert table["std_error_mean_response"][1] == pytest.approx(predictions.std() / 20, rel=1e-5)
    assert table["mean_response"].is_monotonic_increasing


def test_levels_are_gone_through_and_missing_on_demand(regression, frame):
    (table,) = regression.partial_plot(frame, ["group"], include_na=True)
    assert table["group"].tolist()[:3] == ["a", "b", "c"]
    assert pd.isna(table["group"][3])
    missing = regression.predict(frame.assign(group=None))["predict"]
    assert table["mean_response"][3] == pytest.approx(missing.mean(), rel=1e-6)
    assert table["mean_response"][2] > table["mean_response"][0] + 1


def test_values_may_be_given(regression, frame):
    tables = regression.partial_plot(frame, ["strong", "group"], user_splits={"strong": [0, 1], "group": ["c"]})
    assert [table.iloc[:, 0].tolist() for table in tables] == [[0, 1], ["c"]]


def test_few_distinct_numbers_are_gone_through_as_they_are(regression, frame):
    (table,) = regression.partial_plot(frame.assign(weak=frame["weak"].round()), ["weak"])
    assert table["weak"].tolist() == sorted(frame["weak"].round().unique())


def test_one_row_gives_its_conditional_expectation(regression, frame):
    (table,) = regression.partial_plot(frame, ["strong"], nbins=3, row_index=7)
    changed = frame.iloc[[7] * 3].assign(strong=table["strong"].to_numpy())
    np.testing.assert_allclose(table["mean_response"], regression.predict(changed)["predict"], rtol=1e-6)
    assert (table["stddev_response"] == 0).all()


def test_of_two_classes_the_second_one_is_told_unless_asked_otherwise(binomial, frame):
    plus, minus = (binomial.partial_plot(frame, ["strong"], targets=targets)[0] for targets in (None, ["minus"]))
    np.testing.assert_allclose(plus["mean_response"] + minus["mean_response"], 1)
    assert plus["mean_response"].is_monotonic_increasing


def test_of_more_classes_each_has_a_table(frame):
    model = train(frame.assign(y=pd.cut(frame["y"], 3, labels=["1", "2", "3"])), "y", epochs=2)
    tables = model.partial_plot(frame, ["weak", "group"])
    assert len(tables) == 6
    np.testing.assert_allclose(sum(table["mean_response"] for table in tables[:3]), 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cols": ["grop"]}, "'grop' is no predictor of .*; did you mean 'group'"),
        ({"targets": ["pluss"]}, "'pluss' is no class of 'sign'; did you mean 'plus'"),
        ({"cols": ["group"], "user_splits": {"group": ["z"]}}, "column 'group' of frame has no level 'z'"),
        ({"row_index": 400}, "row_index must be from 0 to 399; got 400"),
    ],
)
def test_partial_dependence_that_cannot_be_found_is_refused(binomial, frame, given, message):
    with pytest.raises(DataError, match=message):
        binomial.partial_plot(frame, **given)
