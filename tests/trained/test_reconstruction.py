"""Autoencoders through the public door: what they learn, reconstruct, measure and keep."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import DataError

PENGUINS = pd.read_csv(Path(__file__).parent.parent.parent / "datasets" / "penguins.csv")
SETTINGS = {"autoencoder": True, "hidden": [8, 3, 8], "activation": "Tanh", "reproducible": True, "seed": 1}


def autoencoder(frame=PENGUINS, **given):
    return h2olite.deeplearning(training_frame=frame, **(SETTINGS | given))


@pytest.fixture(scope="module")
def model():
    return autoencoder(epochs=30)


@pytest.fixture(scope="module")
def line():
    """Rows near a line in ten dimensions."""
    random = np.random.default_rng(0)
    columns = np.outer(random.uniform(-1, 1, 400), np.linspace(-1, 1, 10)) + random.normal(0, 0.01, (400, 10))
    return pd.DataFrame(columns, columns=[f"x{i}" for i in range(10)])


@pytest.mark.proves("autoencoder")
def test_one_unit_learns_rows_near_a_line_and_tells_others(line):
    model = autoencoder(line, hidden=[1], epochs=60)
    variance = model.history[0]["training_mse"]
    assert model.mse() < 0.05 * variance
    strange = line.head(20).sample(frac=1, axis=1, random_state=1).set_axis(line.columns, axis=1)
    usual, unusual = (model.anomaly(rows)["Reconstruction.MSE"] for rows in (line, strange))
    assert unusual.median() > usual.quantile(0.99)


def test_inputs_are_encoded_by_their_range(model):
    numbers = PENGUINS.select_dtypes("number")
    width = numbers.max() - numbers.min()
    np.testing.assert_allclose(model.encoder.multiplier, 1 / width)
    np.testing.assert_allclose(model.encoder.subtrahend, numbers.mean())


def test_predictions_reconstruct_every_input_in_the_units_of_its_column(model):
    predictions = model.predict(PENGUINS)
    assert predictions.columns.tolist() == [f"reconstr_{name}" for name in model.encoder.input_names]
    assert abs(predictions["reconstr_body_mass_g"] - PENGUINS["body_mass_g"]).median() < 400
    agrees = (predictions["reconstr_sex.MALE"] > 0.5) == (PENGUINS["sex"] == "MALE")
    assert agrees.mean() > 0.9


def test_errors_are_those_of_the_reconstruction(model):
    by_feature = model.anomaly(PENGUINS, per_feature=True)
    assert by_feature.columns.tolist() == [f"reconstr_{name}.SE" for name in model.encoder.input_names]
    predictions = model.predict(PENGUINS)
    mass = model.encoder.numeric.index("body_mass_g")
    error = (predictions["reconstr_body_mass_g"] - PENGUINS["body_mass_g"]) * model.encoder.multiplier[mass]
    known = PENGUINS["body_mass_g"].notna()
    np.testing.assert_allclose(by_feature["reconstr_body_mass_g.SE"][known], error[known] ** 2, atol=1e-6)
    adelie = predictions["reconstr_species.Adelie"] - (PENGUINS["species"] == "Adelie")
    np.testing.assert_allclose(by_feature["reconstr_species.Adelie.SE"], adelie**2, atol=1e-6)
    errors = model.anomaly(PENGUINS)
    assert errors.columns.tolist() == ["Reconstruction.MSE"]
    np.testing.assert_allclose(errors["Reconstruction.MSE"], by_feature.mean(axis=1))


def test_metrics_are_those_of_the_rows_errors_on_any_frame(model):
    for frame in (PENGUINS, PENGUINS.head(20)):
        metrics = model.model_performance(frame)
        assert metrics.mse() == pytest.approx(model.anomaly(frame)["Reconstruction.MSE"].mean())
        assert metrics.nobs() == len(frame)
    assert model.mse() == pytest.approx(model.model_performance(PENGUINS).mse())
    assert model.category == "AutoEncoder"
    assert model.report()["response"] is None


def test_means_over_many_inputs_do_not_depend_on_how_many_rows_are_in_memory(model, monkeypatch):
    whole = model.anomaly(PENGUINS)
    monkeypatch.setattr("h2olite.trained.scoring.ERRORS_AT_A_TIME", 100)
    np.testing.assert_allclose(model.anomaly(PENGUINS), whole, rtol=1e-6)


def test_first_measurement_is_before_training_and_may_be_the_best(model):
    assert (model.history[0]["epochs"], model.history[0]["samples"]) == (0, 0)
    assert model.history[0]["training_mse"] > model.mse()
    diverging = {"adaptive_rate": False, "rate": 30.0, "averaging_window": 0, "epochs": 2}
    untrained, best = autoencoder(epochs=0), autoencoder(**diverging)
    assert best.history[0]["training_mse"] < min(row["training_mse"] for row in best.history[1:-1])
    pd.testing.assert_frame_equal(best.weights(0), untrained.weights(0))


@pytest.mark.proves("sparsity_beta", "average_activation")
@pytest.mark.parametrize("wanted", [-0.5, 0.5])
def test_hidden_units_are_pulled_to_the_wanted_average(wanted):
    settings = {"hidden": [8], "epochs": 30, "sparsity_beta": 1.0, "overwrite_with_best_model": False}
    pulled = autoencoder(average_activation=wanted, **settings).deepfeatures(PENGUINS, 0).mean()
    free = autoencoder(**(settings | {"sparsity_beta": 0.0})).deepfeatures(PENGUINS, 0).mean()
    assert abs(pulled - wanted).mean() < 0.5 * abs(free - wanted).mean()


@pytest.mark.proves("input_dropout_ratio")
def test_denoising_restores_what_is_missing_better(line):
    frame = pd.concat([line] * 3, ignore_index=True)
    plain, denoising = (autoencoder(frame, hidden=[10], epochs=30, input_dropout_ratio=r) for r in (0.0, 0.3))
    errors = []
    for model in (plain, denoising):
        gone = line.assign(x0=np.nan)
        error = model.predict(gone)["reconstr_x0"] - line["x0"]
        errors.append((error**2).mean())
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("loss", ["Quadratic", "Absolute", "Quantile", "Huber"])
@pytest.mark.parametrize("activation", ["RectifierWithDropout", "Tanh", "ExpRectifier"])
def test_all_losses_and_activations_learn(loss, activation):
    model = autoencoder(activation=activation, loss=loss, epochs=10, hidden=[20])
    assert model.mse() < 0.8 * model.history[0]["training_mse"]


def test_rectified_outputs_are_not_pushed_to_inputs_below_0_for_ever():
    model = autoencoder(activation="Rectifier", hidden=[20], epochs=100, overwrite_with_best_model=False)
    assert max(abs(model.network.weights(layer)).max() for layer in (0, 1)) < 3
    assert model.mse() < 0.5 * model.history[0]["training_mse"]


def test_row_of_weight_2_counts_like_two(line):
    weights = np.arange(400) % 3
    weighted = autoencoder(line.assign(w=weights), weights_column="w", epochs=0)
    repeated = autoencoder(line.loc[line.index.repeat(weights)], epochs=0)
    np.testing.assert_allclose(weighted.encoder.subtrahend, repeated.encoder.subtrahend)
    assert weighted.mse() == pytest.approx(repeated.mse())
    assert weighted.encoder.predictors == repeated.encoder.predictors


def test_levels_that_share_inputs_are_reconstructed_together():
    model = autoencoder(max_categorical_features=4, epochs=2)
    inputs = model.predict(PENGUINS)
    assert [name for name in inputs if "slot" in name] == [f"reconstr_slot.{i}" for i in range(4)]
    assert model.mse() < model.history[0]["training_mse"]


def test_validation_rows_are_reconstructed_too():
    model = autoencoder(PENGUINS.head(300), validation_frame=PENGUINS.tail(44), epochs=2)
    errors = model.anomaly(PENGUINS.tail(44))["Reconstruction.MSE"]
    assert model.mse(valid=True) == pytest.approx(errors.mean())


def test_saved_model_is_the_same(model, tmp_path):
    loaded = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    for function in ("predict", "anomaly"):
        pd.testing.assert_frame_equal(getattr(loaded, function)(PENGUINS), getattr(model, function)(PENGUINS))
    assert loaded.mse() == model.mse()
    assert loaded.response is None


def test_training_goes_on_as_if_it_had_not_ended(tmp_path):
    sparse = {"sparsity_beta": 0.1, "average_activation": 0.1}
    path = autoencoder(epochs=2, keep_state=True, **sparse).save(tmp_path / "m.h2olite")
    longer = h2olite.deeplearning(training_frame=PENGUINS, checkpoint=path, epochs=4)
    whole = autoencoder(epochs=4, **sparse)
    assert np.array_equal(longer.network.theta, whole.network.theta)
    assert np.array_equal(longer.network.activity, whole.network.activity)


def test_unused_predictors_stay_since_they_are_reconstructed():
    model = autoencoder(epochs=1, l1=10.0)
    assert set(model.encoder.schema) == set(PENGUINS)
    assert len(model.predict(PENGUINS).columns) == 15


@pytest.mark.parametrize("activation", ["Tanh", "Rectifier", "Maxout", "TanhWithDropout"])
@pytest.mark.parametrize("layer", [0, 1])
def test_deep_features_of_any_model_are_its_hidden_activations(activation, layer):
    numbers = PENGUINS.select_dtypes("number").dropna().reset_index(drop=True)
    model = h2olite.deeplearning(
        y="body_mass_g", training_frame=numbers, hidden=[5, 17], activation=activation, epochs=1, seed=1
    )
    a = (numbers[list(model.encoder.numeric)] - model.encoder.subtrahend) * model.encoder.multiplier
    for below in range(layer + 1):
        z = a.to_numpy() @ model.weights(below).to_numpy().T + model.biases(below).to_numpy().T
        if activation == "Maxout":
            a = pd.DataFrame(np.maximum(*np.hsplit(z, 2)))
        else:
            a = pd.DataFrame(np.tanh(z) if activation.startswith("Tanh") else np.maximum(z, 0))
        a *= 0.5 if activation.endswith("WithDropout") else 1
    features = model.deepfeatures(numbers, layer)
    assert features.columns.tolist() == [f"DF.L{layer + 1}.C{unit}" for unit in range(1, (5, 17)[layer] + 1)]
    np.testing.assert_allclose(features, a, atol=1e-5)


@pytest.mark.parametrize("layer", [-1, 3])
def test_deep_features_of_no_hidden_layer_are_refused(model, layer):
    with pytest.raises(DataError, match=f"^the layer of deep features must be from 0 to 2; got {layer}.$"):
        model.deepfeatures(PENGUINS, layer)


def test_predictors_of_an_autoencoder_explain_nothing(model):
    for function in (model.permutation_importance, model.partial_plot):
        with pytest.raises(DataError, match=r"needs a model of a response; DeepLearning_model_.* is an autoencoder\.$"):
            function(PENGUINS)


def test_only_autoencoders_tell_anomalies():
    model = h2olite.deeplearning(y="species", training_frame=PENGUINS, hidden=[2], epochs=0)
    with pytest.raises(DataError, match=r"^anomaly needs an autoencoder; .* is a Multinomial model;"):
        model.anomaly(PENGUINS)
