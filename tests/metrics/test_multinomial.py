import json

import numpy as np
import pytest
from sklearn import metrics as reference

from h2olite.errors import ParameterError
from h2olite.metrics import BinomialMetrics, MultinomialMetrics

LEVELS = ("a", "b", "c", "d")


def sample(n=300, seed=0):
    random = np.random.default_rng(seed)
    actual = random.choice(4, n, p=[0.5, 0.3, 0.19, 0.01])
    actual[:4] = range(4)
    probabilities = random.dirichlet(np.ones(4), n)
    probabilities[np.arange(n), actual] += 0.3
    return actual, probabilities / probabilities.sum(axis=1, keepdims=True)


def measure(actual, probabilities, **options):
    return MultinomialMetrics.from_predictions(actual, probabilities, levels=LEVELS, **options)


@pytest.mark.parametrize("weighting", ["none", "whole", "fractions"])
def test_agrees_with_scikit_learn(weighting):
    actual, probabilities = sample()
    random = np.random.default_rng(1)
    weights = {"none": None, "whole": random.integers(1, 4, 300), "fractions": random.random(300)}[weighting]
    by_weight = {"sample_weight": weights}
    metrics = measure(actual, probabilities, weights=weights)
    labels = probabilities.argmax(axis=1)
    p_actual = probabilities[np.arange(300), actual]
    expected = {
        "logloss": reference.log_loss(actual, probabilities, **by_weight),
        "mse": reference.mean_squared_error(np.ones(300), p_actual, **by_weight),
        "error": reference.zero_one_loss(actual, labels, **by_weight),
        "mean_per_class_error": 1 - reference.balanced_accuracy_score(actual, labels, **by_weight),
    }
    assert {key: metrics[key] for key in expected} == pytest.approx(expected, rel=1e-12)
    hits = [reference.top_k_accuracy_score(actual, probabilities, k=k, **by_weight) for k in (1, 2, 3)]
    assert metrics["hit_ratios"] == pytest.approx([*hits, 1], rel=1e-12)
    matrix = reference.confusion_matrix(actual, labels, **by_weight)
    np.testing.assert_allclose(metrics.confusion_matrix().matrix, matrix, rtol=1e-12)
    variance = np.cov(actual, aweights=weights, ddof=0)
    assert metrics.r2() == pytest.approx(1 - metrics.mse() / variance, rel=1e-12)


AUC_TYPES = {
    "MACRO_OVR": {"multi_class": "ovr", "average": "macro"},
    "WEIGHTED_OVR": {"multi_class": "ovr", "average": "weighted"},
    "MACRO_OVO": {"multi_class": "ovo", "average": "macro"},
    "WEIGHTED_OVO": {"multi_class": "ovo", "average": "weighted"},
}


@pytest.mark.parametrize("auc_type", AUC_TYPES)
def test_every_type_of_auc_agrees_with_scikit_learn(auc_type):
    actual, probabilities = sample()
    expected = reference.roc_auc_score(actual, probabilities, **AUC_TYPES[auc_type])
    assert measure(actual, probabilities, auc_type=auc_type).auc() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("auc_type", ["MACRO_OVR", "WEIGHTED_OVR"])
def test_weighted_rows_agree_with_scikit_learn(auc_type):
    actual, probabilities = sample()
    weights = np.random.default_rng(1).random(300)
    expected = reference.roc_auc_score(actual, probabilities, sample_weight=weights, **AUC_TYPES[auc_type])
    assert measure(actual, probabilities, auc_type=auc_type, weights=weights).auc() == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("auc_type", AUC_TYPES)
def test_whole_weights_count_like_repeated_rows(auc_type):
    actual, probabilities = sample()
    weights = np.random.default_rng(1).integers(1, 4, 300)
    weighted = measure(actual, probabilities, auc_type=auc_type, weights=weights)
    repeated = measure(actual.repeat(weights), probabilities.repeat(weights, axis=0), auc_type=auc_type)
    assert weighted.auc() == pytest.approx(repeated.auc(), rel=1e-12)
    assert weighted.pr_auc() == pytest.approx(repeated.pr_auc(), rel=1e-12)


def test_tables_hold_every_class_every_pair_and_all_means():
    actual, probabilities = sample()
    metrics = measure(actual, probabilities, auc_type="WEIGHTED_OVO")
    table = metrics.multinomial_auc_table().set_index("type")
    assert list(table.index) == [
        *["a vs Rest", "b vs Rest", "c vs Rest", "d vs Rest", "Macro OVR", "Weighted OVR"],
        *["a vs b", "a vs c", "a vs d", "b vs c", "b vs d", "c vs d", "Macro OVO", "Weighted OVO"],
    ]
    assert table.loc["b vs Rest", "auc"] == pytest.approx(reference.roc_auc_score(actual == 1, probabilities[:, 1]))
    rows = np.isin(actual, [1, 2])
    pair = [reference.roc_auc_score(actual[rows] == c, probabilities[rows, c]) for c in (1, 2)]
    assert table.loc["b vs c", "auc"] == pytest.approx(np.mean(pair))
    assert table.loc["b vs c", ["first_class_domain", "second_class_domain"]].tolist() == ["b", "c"]
    assert metrics.auc() == table.loc["Weighted OVO", "auc"]
    pr_table = metrics.multinomial_aucpr_table().set_index("type")
    two = BinomialMetrics.from_predictions((actual == 1).astype(int), probabilities[:, 1], levels=("rest", "b"))
    assert pr_table.loc["b vs Rest", "auc_pr"] == pytest.approx(two.pr_auc(), rel=1e-12)
    assert metrics.pr_auc() == pr_table.loc["Weighted OVO", "auc_pr"]


def test_a_class_without_rows_is_left_out_of_the_means():
    actual, probabilities = sample()
    present = actual != 3
    metrics = measure(actual[present], probabilities[present], auc_type="MACRO_OVR")
    table = metrics.multinomial_auc_table().set_index("type")["auc"]
    assert np.isnan(table["d vs Rest"])
    assert np.isnan(table["a vs d"])
    assert metrics.auc() == pytest.approx(table[["a vs Rest", "b vs Rest", "c vs Rest"]].mean())
    assert table["Macro OVO"] == pytest.approx(table[["a vs b", "a vs c", "b vs c"]].mean())


def test_without_a_type_there_is_no_auc():
    metrics = measure(*sample())
    assert np.isnan([metrics.auc(), metrics.pr_auc()]).all()
    assert metrics.multinomial_auc_table() is metrics.multinomial_aucpr_table() is None
    assert "auc" not in metrics.to_json()


def test_of_equally_probable_classes_the_first_is_predicted():
    metrics = measure(np.array([0, 1, 3]), np.full((3, 4), 0.25))
    assert metrics["error"] == pytest.approx(2 / 3)
    assert metrics["hit_ratios"] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1])


def test_a_class_without_rows_has_no_error():
    metrics = measure(np.array([0, 1]), np.array([[0.7, 0.1, 0.1, 0.1], [0.7, 0.1, 0.1, 0.1]]))
    assert metrics.mean_per_class_error() == 0.25
    assert metrics.error() == 0.5


def test_one_class_leaves_only_r2_undefined():
    document = measure(np.zeros(3, int), np.eye(4)[[0, 0, 1]]).to_json()
    assert [key for key, value in document.items() if value is None] == ["r2"]


def test_missing_rows_and_rows_of_weight_0_are_left_out():
    actual, probabilities = sample(50)
    more = np.vstack((probabilities, np.full((3, 4), 0.25)))
    more[-1, 2] = np.nan
    metrics = measure(np.append(actual, [-1, 0, 0]), more, weights=np.append(np.ones(51), [0, 1]))
    assert metrics.to_json() == measure(actual, probabilities).to_json()
    assert metrics.nobs() == 50


def test_perfect_predictions_have_no_error():
    metrics = measure(np.arange(4), np.eye(4))
    assert [metrics[key] for key in ("mse", "logloss", "error", "mean_per_class_error")] == [0, 0, 0, 0]
    assert metrics["hit_ratios"] == [1, 1, 1, 1]


def test_hit_ratios_end_at_the_tenth_class():
    metrics = MultinomialMetrics.from_predictions(
        np.arange(12), np.full((12, 12), 1 / 12), levels=tuple("abcdefghijkl")
    )
    table = metrics.hit_ratio_table()
    assert list(table["k"]) == list(range(1, 11))
    np.testing.assert_allclose(table["hit_ratio"], np.arange(1, 11) / 12)


def test_json_is_strict_and_comes_back():
    metrics = measure(*sample(), auc_type="MACRO_OVO")
    document = metrics.to_json()
    loaded = MultinomialMetrics.from_json(json.loads(json.dumps(document, allow_nan=False)))
    assert loaded.to_json() == document
    assert repr(loaded) == repr(metrics)


@pytest.mark.parametrize("metric", ["AUC", "deviance", "lift_top_group"])
def test_a_stopping_metric_without_a_value_is_an_error(metric):
    with pytest.raises(ParameterError, match=f"for a Multinomial model; got '{metric}'"):
        measure(*sample()).stopping_value(metric)


def test_printed_metrics_end_with_the_confusion_matrix():
    assert repr(measure(np.array([0, 1]), np.eye(4)[[0, 2]])).splitlines() == [
        "Multinomial metrics on 2 rows",
        "logloss               17.2694",
        "mean_per_class_error  0.25",
        "error                 0.5",
        "mse                   0.5",
        "rmse                  0.707107",
        "r2                    -1",
        "",
        "Confusion Matrix (Act/Pred)",
        "       a  b  c  d   Error   Rate",
        "a      1  0  0  0  0.0000  0 / 1",
        "b      0  0  1  0  1.0000  1 / 1",
        "c      0  0  0  0          0 / 0",
        "d      0  0  0  0          0 / 0",
        "Total  1  0  1  0  0.5000  1 / 2",
    ]
