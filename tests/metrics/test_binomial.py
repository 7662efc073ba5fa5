import json

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from h2olite.errors import DataError, ParameterError
from h2olite.metrics import BinomialMetrics

LEVELS = ("no", "yes")


def sample(kind, seed=0, n=400):
    """Actual classes and probabilities that go with them, of a kind that is hard in some way."""
    random = np.random.default_rng(seed)
    actual = (random.random(n) < (0.01 if kind == "rare" else 0.4)).astype(np.int64)
    actual[:2] = 0, 1
    p1 = 1 / (1 + np.exp(-random.normal(2 * actual - 1, 1.5)))
    match kind:
        case "ties":
            p1 = np.round(p1, 1)
        case "extremes":
            p1 = np.clip(np.round(p1, 1) * 1.5 - 0.25, 0, 1)
        case "float32":
            p1 = p1.astype(np.float32)
        case "all tied":
            p1 = np.full(n, 0.5)
        case "worse than chance":
            p1 = 1 - p1
    return actual, p1


KINDS = ["plain", "ties", "extremes", "float32", "rare", "all tied", "worse than chance"]


def drawn_weights(kind, n):
    random = np.random.default_rng(7)
    return {"none": None, "whole": random.integers(1, 5, n), "fractions": random.random(n) + 0.01}[kind]


def measure(actual, p1, **options):
    return BinomialMetrics.from_predictions(actual, p1, levels=LEVELS, **options)


@pytest.mark.parametrize("weighting", ["none", "whole", "fractions"])
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_scikit_learn(kind, weighting):
    actual, p1 = sample(kind)
    weights = drawn_weights(weighting, len(actual))
    metrics = measure(actual, p1, weights=weights)
    p1 = p1.astype(np.float64)
    by_weight = {"sample_weight": weights}
    labels = (p1 >= metrics["threshold"]).astype(int)
    expected = {
        "auc": reference.roc_auc_score(actual, p1, **by_weight),
        "gini": 2 * reference.roc_auc_score(actual, p1, **by_weight) - 1,
        "mse": reference.brier_score_loss(actual, p1, **by_weight),
        "r2": reference.r2_score(actual, p1, **by_weight),
        "logloss": reference.log_loss(actual, np.clip(np.column_stack((1 - p1, p1)), 1e-15, 1), **by_weight),
        "error": reference.zero_one_loss(actual, labels, **by_weight),
        "mean_per_class_error": 1 - reference.balanced_accuracy_score(actual, labels, **by_weight),
    }
    assert {key: metrics[key] for key in expected} == pytest.approx(expected, rel=1e-12, abs=1e-12)
    matrix = reference.confusion_matrix(actual, labels, **by_weight)
    np.testing.assert_allclose(metrics.confusion_matrix().matrix, matrix, rtol=1e-12)


@pytest.mark.parametrize("weighting", ["none", "fractions"])
@pytest.mark.parametrize("kind", ["plain", "ties"])
def test_criteria_agree_with_scikit_learn_at_every_threshold(kind, weighting):
    actual, p1 = sample(kind, n=60)
    weights = drawn_weights(weighting, 60)
    table = measure(actual, p1, weights=weights).thresholds_and_metric_scores()
    assert len(table) == len(np.unique(p1))
    for row in table.itertuples():
        labels = (p1 >= row.threshold).astype(int)
        pair = {"y_true": actual, "y_pred": labels, "sample_weight": weights}
        expected = {
            "f1": reference.f1_score(**pair),
            "f2": reference.fbeta_score(beta=2, **pair),
            "f0point5": reference.fbeta_score(beta=0.5, **pair),
            "accuracy": reference.accuracy_score(**pair),
            "precision": reference.precision_score(**pair),
            "recall": reference.recall_score(**pair),
            "specificity": reference.recall_score(pos_label=0, **pair),
            "absolute_mcc": abs(reference.matthews_corrcoef(**pair)),
            "mean_per_class_accuracy": reference.balanced_accuracy_score(**pair),
        }
        assert {key: getattr(row, key) for key in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert row.tpr == row.recall == pytest.approx(1 - row.fnr)
        assert row.tnr == row.specificity == pytest.approx(1 - row.fpr)
        assert row.min_per_class_accuracy == min(row.tpr, row.tnr)


def test_roc_is_that_of_scikit_learn():
    actual, p1 = sample("ties")
    fpr, tpr, _ = reference.roc_curve(actual, p1, drop_intermediate=False)
    np.testing.assert_allclose(measure(actual, p1).roc(), [fpr[1:], tpr[1:]], rtol=1e-12)


def test_kolmogorov_smirnov_is_the_statistic_of_the_two_sample_test():
    actual, p1 = sample("plain")
    expected = stats.ks_2samp(p1[actual == 0], p1[actual == 1]).statistic
    assert measure(actual, p1).kolmogorov_smirnov() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_weights_count_like_repeated_rows(kind):
    actual, p1 = sample(kind, n=200)
    weights = np.random.default_rng(3).integers(0, 4, 200)
    weights[:2] = 1
    weighted = measure(actual, p1, weights=weights)
    repeated = measure(np.repeat(actual, weights), np.repeat(p1, weights))
    assert weighted.nobs() == np.count_nonzero(weights)
    assert repeated.nobs() == weights.sum()
    for key, value in repeated.to_json().items():
        if isinstance(value, float):
            assert weighted[key] == pytest.approx(value, rel=1e-12), key
    for key in ("gains_lift", "max_criteria_and_metric_scores", "thresholds_and_metric_scores"):
        for left, right in zip(weighted[key], repeated[key], strict=True):
            assert left.pop("metric", None) == right.pop("metric", None)
            assert left == pytest.approx(right, rel=1e-12, abs=1e-12)


def test_missing_rows_and_rows_of_weight_0_are_left_out():
    actual, p1 = sample("plain", n=50)
    spoilt = np.concatenate((actual, [-1, 0, 1, 1]))
    metrics = measure(spoilt, np.append(p1, [0.9, 0.9, np.nan, 0.1]), weights=np.append(np.ones(51), [0, 1, np.nan]))
    assert metrics.to_json() == measure(actual, p1).to_json()


def test_no_row_left_is_an_error():
    with pytest.raises(DataError, match="at least 1 row with a response"):
        measure(np.array([-1, 1]), np.array([0.5, 0.5]), weights=np.array([1, 0]))


def test_perfect_predictions_have_no_error():
    metrics = measure(np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0]))
    perfect = {"mse": 0, "logloss": 0, "auc": 1, "pr_auc": 1, "gini": 1, "r2": 1, "error": 0, "kolmogorov_smirnov": 1}
    assert {key: metrics[key] for key in perfect} == perfect
    assert metrics["threshold"] == 1.0
    assert metrics.confusion_matrix().to_list() == [[1, 0], [0, 2]]


def test_certain_and_wrong_predictions_cost_a_bounded_logloss():
    assert measure(np.array([0, 1]), np.array([1.0, 0.0])).logloss() == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize(("present", "pr_auc"), [(0, 0.0), (1, 1.0)])
def test_what_one_class_leaves_undefined_is_null(present, pr_auc):
    metrics = measure(np.full(3, present), np.array([0.2, 0.5, 0.7]))
    document = metrics.to_json()
    assert [document[key] for key in ("auc", "gini", "r2", "kolmogorov_smirnov")] == [None] * 4
    assert np.isnan(metrics.auc())
    assert metrics.pr_auc() == pr_auc
    assert 0 <= document["error"] <= 1
    assert metrics.find_threshold_by_max_metric("f1") == metrics["threshold"] == (0.7 if present == 0 else 0.2)


def test_the_best_threshold_is_exact_however_many_there_are():
    actual, p1 = sample("plain", n=5000)
    metrics = measure(actual, p1)
    precision, recall, thresholds = reference.precision_recall_curve(actual, p1)
    f1 = 2 * precision * recall / (precision + recall)
    assert metrics["threshold"] == thresholds[f1.argmax()]
    assert metrics.F1() == [[metrics["threshold"], pytest.approx(f1.max(), rel=1e-12)]]
    table = metrics["thresholds_and_metric_scores"]
    assert len(table) <= 400
    for row in metrics["max_criteria_and_metric_scores"]:
        name = row["metric"].removeprefix("max ")
        assert table[row["idx"]]["threshold"] == row["threshold"]
        assert table[row["idx"]][name] == row["value"] == max(line[name] for line in table)


def test_a_thinned_table_follows_the_whole_roc_curve():
    actual, p1 = sample("rare", n=20000)
    fpr, tpr = measure(actual, p1).roc()
    assert (fpr[-1], tpr[-1]) == (1, 1)
    one_row = 1 / actual.sum() + 1 / (len(actual) - actual.sum())
    assert np.max(np.diff(fpr) + np.diff(tpr)) < 2 / 370 + one_row


def test_a_given_threshold_decides_error_and_confusion_matrix():
    actual, p1 = sample("plain")
    metrics = measure(actual, p1, threshold=0.7)
    assert metrics["threshold"] == 0.7
    assert metrics["error"] == pytest.approx(np.mean(actual != (p1 >= 0.7)), rel=1e-12)
    matrix = metrics.confusion_matrix()
    assert matrix.title == "Confusion Matrix (Act/Pred) @ threshold = 0.7"
    assert matrix.to_list() == metrics["confusion_matrix"]["matrix"]
    assert metrics.F1()[0][0] == measure(actual, p1)["threshold"]


def test_above_all_probabilities_nothing_is_positive():
    metrics = measure(np.array([0, 1]), np.array([0.2, 0.6]), threshold=0.9)
    assert metrics.confusion_matrix().to_list() == [[1, 0], [1, 0]]
    assert metrics.recall(0.9) == [[0.9, 0.0]]
    assert metrics.find_idx_by_threshold(0.9) == 0


def test_a_threshold_counts_the_rows_at_or_above_it():
    metrics = measure(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
    assert metrics.metric("tps", [0.8, 0.5, 0.4, 0.0]) == [[0.8, 1], [0.5, 1], [0.4, 2], [0.0, 2]]
    assert [metrics.find_idx_by_threshold(t) for t in (0.8, 0.5, 0.4, 0.0)] == [0, 0, 1, 2]
    assert metrics.precision("all") == [[0.8, 1.0], [0.4, pytest.approx(2 / 3)], [0.1, 0.5]]
    assert metrics.error(0.5) == [[0.5, 0.25]]
    assert metrics.max_per_class_error(0.5) == [[0.5, 0.5]]
    assert metrics.mean_per_class_error(0.5) == [[0.5, 0.25]]
    assert metrics.missrate(0.5) == metrics.fnr(0.5) == metrics.metric("missrate", 0.5)


def test_errors_without_a_threshold_are_the_least_ones():
    actual, p1 = sample("plain")
    metrics = measure(actual, p1)
    for least in (metrics.error, metrics.mean_per_class_error, metrics.max_per_class_error):
        assert least()[0][1] == min(value for _, value in least("all"))


def test_several_confusion_matrices_come_in_a_list():
    actual, p1 = sample("plain")
    metrics = measure(actual, p1)
    at_half, accurate = metrics.confusion_matrix(metrics="accuracy", thresholds=[0.5])
    assert at_half.title == "Confusion Matrix (Act/Pred) @ threshold = 0.5"
    assert accurate.error() == pytest.approx(metrics.error()[0][1], rel=1e-12)


def test_an_unknown_criterion_is_an_error():
    metrics = measure(np.array([0, 1]), np.array([0.2, 0.6]))
    with pytest.raises(ParameterError, match=r"metric must be one of f1, .*; got 'acuracy'; did you mean 'accuracy'\?"):
        metrics.metric("acuracy")


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_that_is_no_probability_is_an_error(threshold):
    metrics = measure(np.array([0, 1]), np.array([0.2, 0.6]))
    with pytest.raises(ParameterError, match="threshold must be >= 0 and <= 1; got"):
        metrics.F1(threshold)


def test_pr_auc_integrates_interpolated_precision():
    actual, p1 = sample("ties")
    counts = [((p1 >= t) & (actual == 1)).sum() for t in np.unique(p1)[::-1]]
    wrong = [((p1 >= t) & (actual == 0)).sum() for t in np.unique(p1)[::-1]]
    recall, precision = [], []
    for (tp0, tp1), (fp0, fp1) in zip(
        np.lib.stride_tricks.sliding_window_view([0, *counts], 2),
        np.lib.stride_tricks.sliding_window_view([0, *wrong], 2),
        strict=True,
    ):
        share = np.linspace(1e-9, 1, 4001)
        tp, fp = tp0 + share * (tp1 - tp0), fp0 + share * (fp1 - fp0)
        recall.extend(tp / counts[-1])
        precision.extend(tp / (tp + fp))
    assert measure(actual, p1).pr_auc() == pytest.approx(np.trapezoid(precision, recall), rel=1e-6)


def test_pr_auc_of_equal_predictions_is_the_share_of_positives():
    assert measure(np.array([0, 1, 0, 0]), np.full(4, 0.5)).pr_auc() == 0.25


def test_gains_lift_groups_end_at_quantiles():
    actual, p1 = sample("plain", n=1000)
    metrics = measure(actual, p1)
    table = metrics.gains_lift()
    assert list(table.columns) == [
        *["group", "cumulative_data_fraction", "lower_threshold", "lift", "cumulative_lift", "response_rate", "score"],
        *["cumulative_response_rate", "cumulative_score", "capture_rate", "cumulative_capture_rate", "gain"],
        *["cumulative_gain", "kolmogorov_smirnov"],
    ]
    ends = [0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    np.testing.assert_allclose(table["cumulative_data_fraction"], ends, atol=0.0011)
    low, high = table.loc[6, "lower_threshold"], table.loc[5, "lower_threshold"]
    group = (p1 >= low) & (p1 < high)
    seventh = {
        "response_rate": actual[group].mean(),
        "lift": actual[group].mean() / actual.mean(),
        "gain": 100 * (actual[group].mean() / actual.mean() - 1),
        "score": p1[group].mean(),
        "capture_rate": actual[group].sum() / actual.sum(),
        "cumulative_capture_rate": actual[p1 >= low].sum() / actual.sum(),
        "cumulative_response_rate": actual[p1 >= low].mean(),
        "cumulative_lift": actual[p1 >= low].mean() / actual.mean(),
        "cumulative_score": p1[p1 >= low].mean(),
        "kolmogorov_smirnov": (p1[actual == 1] >= low).mean() - (p1[actual == 0] >= low).mean(),
    }
    assert table.loc[6, list(seventh)].to_dict() == pytest.approx(seventh, rel=1e-9)
    assert metrics["lift_top_group"] == table.loc[0, "lift"]


@pytest.mark.proves("gainslift_bins")
def test_gains_lift_has_as_many_equal_groups_as_asked_for():
    actual, p1 = sample("plain", n=1000)
    table = measure(actual, p1, gainslift_bins=8).gains_lift()
    np.testing.assert_allclose(np.diff(table["cumulative_data_fraction"], prepend=0), 1 / 8, atol=0.0011)
    top = np.sort(p1)[-125]
    assert table.loc[0, "lift"] == pytest.approx(actual[p1 >= top].mean() / actual.mean())


def test_gains_lift_may_be_left_out():
    actual, p1 = sample("plain")
    metrics = measure(actual, p1, gainslift_bins=0)
    assert metrics.gains_lift().empty
    assert metrics["lift_top_group"] == measure(actual, p1)["lift_top_group"]


def test_gains_lift_keeps_equal_predictions_together():
    metrics = measure(np.array([0, 1, 0, 1] * 10), np.array([0.3, 0.3, 0.3, 0.8] * 10))
    assert [row["lift"] for row in metrics["gains_lift"]] == pytest.approx([2, 2 / 3])


def test_json_is_strict_and_comes_back():
    for actual, p1 in (sample("plain"), (np.zeros(3, int), np.array([0.1, 0.5, 0.5]))):
        document = measure(actual, p1).to_json()
        loaded = BinomialMetrics.from_json(json.loads(json.dumps(document, allow_nan=False)))
        assert loaded.to_json() == document
        assert repr(loaded) == repr(measure(actual, p1))


def test_printed_metrics_fit_a_terminal():
    metrics = measure(np.array([0, 0, 0, 1]), np.array([0.1, 0.6, 0.2, 0.5]))
    assert repr(metrics) == (
        "Binomial metrics on 4 rows\n"
        "logloss               0.484485\n"
        "auc                   0.666667\n"
        "pr_auc                0.306853\n"
        "gini                  0.333333\n"
        "mean_per_class_error  0.166667\n"
        "error                 0.25\n"
        "mse                   0.165\n"
        "rmse                  0.406202\n"
        "r2                    0.12\n"
        "\n"
        "Confusion Matrix (Act/Pred) for max f1 @ threshold = 0.5\n"
        "       no  yes   Error   Rate\n"
        "no      2    1  0.3333  1 / 3\n"
        "yes     0    1  0.0000  0 / 1\n"
        "Total   2    2  0.2500  1 / 4"
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("AUTO", "logloss"),
        ("AUC", "auc"),
        ("AUCPR", "pr_auc"),
        ("misclassification", "error"),
        ("mean_per_class_error", "mean_per_class_error"),
        ("lift_top_group", "lift_top_group"),
        ("RMSE", "rmse"),
    ],
)
def test_every_stopping_metric_has_a_value(name, key):
    metrics = measure(*sample("plain"))
    assert metrics.stopping_value(name) == metrics[key]


def test_a_stopping_metric_of_another_kind_of_response_is_an_error():
    with pytest.raises(ParameterError, match=r"stopping_metric must be one of logloss, .* Binomial model; got 'MAE'"):
        measure(*sample("plain")).stopping_value("MAE")


@pytest.mark.parametrize("weighting", ["none", "fractions"])
@pytest.mark.parametrize("costs", [(1, 5), (5, 1), (0, 1), (1, 0), (1, 1000)])
@pytest.mark.parametrize("kind", ["plain", "ties", "extremes", "rare"])
def test_costs_choose_the_threshold_of_least_expected_cost(kind, costs, weighting):
    actual, p1 = sample(kind)
    weights = drawn_weights(weighting, len(actual))
    metrics = measure(actual, p1, weights=weights, costs=costs)

    def cost(threshold):
        predicted = p1 >= threshold
        paid = np.where(predicted & (actual == 0), costs[0], 0) + np.where(~predicted & (actual == 1), costs[1], 0)
        return np.average(paid, weights=weights)

    assert metrics["expected_cost"] == pytest.approx(cost(metrics["threshold"]))
    assert metrics["expected_cost"] == pytest.approx(min(map(cost, [*p1, 1.0])))
    at_half = measure(actual, p1, weights=weights, costs=costs, threshold=0.5)
    assert (at_half["threshold"], at_half["expected_cost"]) == (0.5, pytest.approx(cost(0.5)))


def test_no_row_is_predicted_positive_where_that_is_cheapest():
    metrics = measure(np.array([0, 1, 0, 0]), np.array([0.9, 0.5, 0.4, 0.3]), costs=(10, 1))
    assert metrics["threshold"] == 1
    assert metrics["confusion_matrix"]["matrix"] == [[3, 0], [1, 0]]


@pytest.mark.parametrize("costs", [(-1, 1), (0, 0), (np.inf, 1), (np.nan, 1)])
def test_costs_must_be_numbers_from_0(costs):
    with pytest.raises(ParameterError, match="costs must be two numbers >= 0, not both 0; got"):
        measure(*sample("plain"), costs=costs)


def test_given_threshold_must_be_a_probability():
    with pytest.raises(ParameterError, match=r"threshold must be >= 0 and <= 1; got 1\.5"):
        measure(*sample("plain"), threshold=1.5)
