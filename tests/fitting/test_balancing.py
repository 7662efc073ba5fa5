import numpy as np
import pandas as pd
import pytest

from h2olite import ParameterError, deeplearning, load_model
from h2olite.data.response import ResponseEncoder
from h2olite.settings.parameters import Parameters
from h2olite.trained.scoring import ClassShares, Scoring

SMALL = {"hidden": [8], "epochs": 5, "seed": 1, "reproducible": True, "stopping_rounds": 0}

FRAME = pd.DataFrame({"x": np.random.default_rng(0).normal(size=2000)})
FRAME["y"] = np.where(np.random.default_rng(1).random(2000) < 1 / (1 + np.exp(3 - FRAME["x"])), "yes", "no")
PRIOR = float((FRAME["y"] == "yes").mean())


def trained(frame=FRAME, **given):
    return deeplearning("x", "y", frame, **SMALL | given)


@pytest.mark.proves("balance_classes")
def test_balanced_classes_are_equally_frequent_and_predictions_have_the_prior():
    model = trained(balance_classes=True)
    assert model.shares.trained == (0.5, 0.5)
    assert model.shares.prior == pytest.approx((1 - PRIOR, PRIOR))
    assert model.record.samples == 5 * 2 * (FRAME["y"] == "no").sum()
    assert model.predict(FRAME)["yes"].mean() == pytest.approx(PRIOR, rel=0.15)
    assert trained().shares is None


def test_metrics_of_balanced_classes_are_those_of_the_table():
    model = trained(balance_classes=True)
    assert model.training_metrics.nobs() == len(FRAME)
    assert model.model_performance(FRAME).to_json() == model.training_metrics.to_json()


def test_probabilities_are_corrected_by_prior_over_trained_share():
    scoring = Scoring(
        ResponseEncoder("y", ("a", "b", "never")), Parameters(), ClassShares((0.9, 0.1, 0), (0.5, 0.5, 0))
    )
    outputs = np.array([[0.5, 0.5, 0], [0.2, 0.6, 0.2]], np.float32)
    expected = np.array([[0.9, 0.1, 0], [0.36 / 0.68, 0.12 / 0.68, 0.2 / 0.68]])
    np.testing.assert_allclose(scoring.predictions(outputs), expected, rtol=1e-6)


@pytest.mark.proves("class_sampling_factors")
def test_factors_say_how_often_each_class_is_taken():
    model = trained(balance_classes=True, class_sampling_factors=[0.5, 2])
    no, yes = round((1 - PRIOR) * 2000) // 2, round(PRIOR * 2000) * 2
    assert model.shares.trained == pytest.approx((no / (no + yes), yes / (no + yes)), abs=1e-3)
    assert model.record.samples == pytest.approx(5 * (no + yes), abs=5)
    assert model.predict(FRAME)["yes"].mean() == pytest.approx(PRIOR, rel=0.15)


@pytest.mark.proves("max_after_balance_size")
def test_balancing_makes_no_more_rows_than_asked_for():
    model = trained(balance_classes=True, max_after_balance_size=0.5)
    assert model.record.samples == 5 * 1000
    assert model.shares.trained == (0.5, 0.5)


def test_balanced_models_are_the_same_from_their_file(tmp_path):
    model = trained(balance_classes=True)
    reloaded = load_model(model.save(tmp_path / "m.h2olite"))
    assert reloaded.shares == model.shares
    pd.testing.assert_frame_equal(reloaded.predict(FRAME), model.predict(FRAME))


def test_weights_of_zero_leave_rows_out_before_balancing():
    frame = FRAME.assign(w=(np.arange(2000) % 2).astype(float))
    model = trained(frame, balance_classes=True, weights_column="w")
    assert model.shares.prior[1] == pytest.approx((frame["y"][frame["w"] > 0] == "yes").mean())


def test_other_weights_are_refused_with_balance_classes():
    with pytest.raises(
        ParameterError, match="balance_classes goes with weights of 0 and 1 only; weights_column 'w' holds"
    ):
        trained(FRAME.assign(w=2.0), balance_classes=True, weights_column="w")


@pytest.mark.proves("score_validation_sampling")
def test_stratified_validation_samples_keep_the_shares_of_the_classes():
    def sampled(how, seed):
        model = trained(
            validation_frame=FRAME, score_validation_samples=100, score_validation_sampling=how, seed=seed, epochs=0.1
        )
        return np.array(model.validation_metrics["confusion_matrix"]["matrix"]).sum(axis=1).tolist()

    assert {tuple(sampled("Stratified", seed)) for seed in range(5)} == {(100 - round(PRIOR * 100), round(PRIOR * 100))}
    assert len({tuple(sampled("Uniform", seed)) for seed in range(5)}) > 1
