import math

import numpy as np
import pytest
from sklearn import metrics as reference

from h2olite.metrics import BinomialMetrics, MultinomialMetrics, RegressionMetrics
from h2olite.metrics.bootstrap import bootstrap, class_statistics, interval, number_statistics

N_ROWS = 300


def classes(n_classes, seed=0):
    """Actual classes, and probabilities by two models of which the second one knows less."""
    random = np.random.default_rng(seed)
    actual = random.integers(n_classes, size=N_ROWS)
    scores = [random.normal(size=(N_ROWS, n_classes)) + hint * np.eye(n_classes)[actual] for hint in (2, 1)]
    probabilities = np.round([np.exp(s) / np.exp(s).sum(axis=1, keepdims=True) for s in scores], 2) + 1e-3
    return actual, probabilities / probabilities.sum(axis=2, keepdims=True)


def numbers(seed=0):
    random = np.random.default_rng(seed)
    actual = random.gamma(2, 1, N_ROWS)
    return actual, actual * random.gamma(5, 0.2, (2, N_ROWS))


@pytest.mark.parametrize("weights", [np.ones(N_ROWS), np.random.default_rng(3).random(N_ROWS)], ids=["ones", "some"])
def test_statistics_are_the_metrics(weights):
    actual, probabilities = classes(2)
    values = class_statistics(actual, probabilities, (probabilities[:, :, 1] >= 0.5).astype(int))(weights)
    for model, p in enumerate(probabilities):
        metrics = BinomialMetrics.from_predictions(actual, p[:, 1], levels=("a", "b"), weights=weights, threshold=0.5)
        assert {name: of[model] for name, of in values.items()} == pytest.approx({n: metrics[n] for n in values})

    actual, probabilities = classes(3)
    values = class_statistics(actual, probabilities, probabilities.argmax(axis=2))(weights)
    for model, p in enumerate(probabilities):
        metrics = MultinomialMetrics.from_predictions(actual, p, levels=("a", "b", "c"), weights=weights)
        assert {name: of[model] for name, of in values.items()} == pytest.approx({n: metrics[n] for n in values})

    actual, predicted = numbers()
    values = number_statistics(actual, predicted, None)(weights)
    for model, f in enumerate(predicted):
        metrics = RegressionMetrics.from_predictions(actual, f, weights=weights)
        assert {name: of[model] for name, of in values.items()} == pytest.approx({n: metrics[n] for n in values})


def test_every_resample_is_measured_as_scikit_learn_does():
    actual, probabilities = classes(2)
    predicted = probabilities.argmax(axis=2)
    drawn = bootstrap(class_statistics(actual, probabilities, predicted), np.ones(N_ROWS), 20, np.random.default_rng(1))
    random = np.random.default_rng(1)
    for resample in range(20):
        rows = random.integers(N_ROWS, size=N_ROWS)
        for model in (0, 1):
            p1 = probabilities[model, rows, 1]
            expected = {
                "logloss": reference.log_loss(actual[rows], p1),
                "auc": reference.roc_auc_score(actual[rows], p1),
                "error": 1 - reference.accuracy_score(actual[rows], predicted[model, rows]),
                "mean_per_class_error": 1 - reference.balanced_accuracy_score(actual[rows], predicted[model, rows]),
            }
            assert {name: drawn[name][resample, model] for name in expected} == pytest.approx(expected)


def test_intervals_are_as_wide_as_the_standard_error_says():
    actual, predicted = numbers()
    drawn = bootstrap(number_statistics(actual, predicted, None), np.ones(N_ROWS), 2000, np.random.default_rng(1))
    low, high = interval(drawn["mae"][:, 0])
    sizes = np.abs(predicted[0] - actual)
    assert (low + high) / 2 == pytest.approx(sizes.mean(), rel=0.02)
    assert high - low == pytest.approx(2 * 1.96 * sizes.std() / math.sqrt(N_ROWS), rel=0.1)


def test_undefined_values_are_left_out_of_intervals():
    assert interval(np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert np.isnan(interval(np.full(3, np.nan))).all()
