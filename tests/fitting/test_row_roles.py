import warnings

import numpy as np
import pandas as pd
import pytest

from h2olite import DataError, deeplearning, load_model

LINEAR = {"hidden": [], "epochs": 30, "seed": 1, "reproducible": True, "stopping_rounds": 0}
"""A model without hidden layers, which has one best solution."""


def simulated(n_rows=400, seed=0):
    """A predictor on a curve that no line fits: where the line lies depends on how much each row counts."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, n_rows)
    mean = np.exp(x**2)
    counts = random.integers(0, 4, n_rows) * (x > 0) + 1
    return pd.DataFrame(
        {
            "x": x,
            "w": counts,
            "o": random.normal(scale=3, size=n_rows),
            "gaussian": mean + random.normal(scale=0.1, size=n_rows),
            "huber": mean + random.normal(scale=0.1, size=n_rows),
            "poisson": random.poisson(mean),
            "gamma": random.gamma(2, mean / 2),
            "bernoulli": np.where(random.random(n_rows) < x**2, "yes", "no"),
        }
    )


def trained(frame, y, **given):
    """A linear model of column y on x, with the distribution that y is named after."""
    distribution = y if y in ("gaussian", "huber", "poisson", "gamma", "bernoulli") else "AUTO"
    return deeplearning("x", y, frame, **LINEAR | {"distribution": distribution} | given)


def parameters_of(model):
    return model.network.theta


def numbers_of(model, frame):
    return model.predict(frame).iloc[:, -1].to_numpy()


@pytest.mark.proves("weights_column")
@pytest.mark.parametrize("y", ["gaussian", "huber", "poisson", "bernoulli"])
@pytest.mark.parametrize(
    "rate", [{"adaptive_rate": False, "rate": 0.01}, {"adaptive_rate": True}], ids=["SGD", "ADADELTA"]
)
def test_integer_weights_train_like_repeated_rows(y, rate):
    frame = simulated()
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    until_converged = rate | {"epochs": 60}
    weighted = numbers_of(trained(frame, y, weights_column="w", **until_converged), frame)
    expected = numbers_of(trained(repeated, y, **until_converged), frame)
    unweighted = numbers_of(trained(frame, y, **until_converged), frame)
    assert abs(weighted - expected).max() < 0.1 * abs(unweighted - expected).max()


def curved(n_rows, seed):
    """Four predictors on a surface, and responses of three kinds."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 4))
    surface = np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.7 * abs(x[:, 3])
    noisy = surface + random.normal(scale=0.5, size=n_rows)
    frame = pd.DataFrame(x, columns=list("abcd"))
    return frame.assign(
        number=noisy,
        rare=np.where(noisy > np.quantile(noisy, 0.98), "yes", "no"),
        three=np.select([noisy > 1.7, noisy > 1.3], ["many", "some"], "few"),
    )


@pytest.mark.proves("weights_column")
@pytest.mark.parametrize(
    ("y", "weigh", "given", "limit"),
    [
        ("rare", lambda frame: np.where(frame["rare"] == "yes", 49, 1), {}, 1.1),
        ("three", lambda frame: frame["three"].map({"few": 1, "some": 5, "many": 40}), {}, 1.1),
        ("number", lambda frame: np.where(frame["a"] > 1.5, 20, 1), {"mini_batch_size": 4}, 1.25),
        (
            "number",
            lambda frame: np.resize([1, 1, 1, 1, 1, 1, 1, 60], len(frame)),
            {"shuffle_training_data": False},
            0.8,
        ),
        (
            None,
            lambda frame: np.where(frame["a"] > 1, 30, 1),
            {"autoencoder": True, "activation": "Tanh", "hidden": [2]},
            1.1,
        ),
    ],
    ids=["two classes", "three classes", "a rare region", "heavy rows", "autoencoder"],
)
def test_uneven_weights_train_as_well_as_repeated_rows_with_the_adaptive_rate(y, weigh, given, limit):
    frame, test = curved(1000, 1), curved(4000, 2)
    frame["w"], test["w"] = weigh(frame), weigh(test)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    settings = {"x": list("abcd"), "y": y, "hidden": [20, 20], "seed": 1, "reproducible": True} | given
    epochs = 20 * len(frame) / len(repeated)
    weighted = deeplearning(training_frame=frame, weights_column="w", epochs=20, **settings)
    expected = deeplearning(training_frame=repeated, epochs=epochs, **settings)
    heavy = test.loc[test.index.repeat(test["w"])].assign(w=1)
    loss = "logloss" if y in ("rare", "three") else "mse"
    errors = [model.model_performance(heavy)[loss] for model in (weighted, expected)]
    assert errors[0] < limit * errors[1]


@pytest.mark.proves("weights_column")
@pytest.mark.parametrize("y", ["gaussian", "poisson", "bernoulli"])
def test_rows_of_weight_zero_train_like_their_absence(y):
    frame = simulated()
    frame["w"] = (np.arange(len(frame)) % 3 > 0) * 1.0
    with_zeros = trained(frame, y, weights_column="w")
    np.testing.assert_array_equal(parameters_of(with_zeros), parameters_of(trained(frame[frame["w"] > 0], y)))
    assert with_zeros.training_metrics.nobs() == frame["w"].sum()


def test_only_the_ratios_of_weights_matter():
    frame = simulated()
    frame["tons"], frame["one"] = frame["w"] / 1024, 7
    in_kilos, in_tons = (trained(frame, "gaussian", weights_column=name) for name in ("w", "tons"))
    np.testing.assert_array_equal(parameters_of(in_tons), parameters_of(in_kilos))
    constant = trained(frame, "gaussian", weights_column="one")
    np.testing.assert_array_equal(parameters_of(constant), parameters_of(trained(frame, "gaussian")))


@pytest.mark.parametrize("y", ["gaussian", "bernoulli"])
def test_metrics_are_weighted(y):
    frame = simulated()
    model = trained(frame, y, weights_column="w", validation_frame=frame[:50])
    p = numbers_of(model, frame)
    squares = (p - (frame[y] == "yes" if y == "bernoulli" else frame[y])) ** 2
    assert model.mse() == pytest.approx(np.average(squares, weights=frame["w"]))
    assert model.mse(valid=True) == pytest.approx(np.average(squares[:50], weights=frame["w"][:50]))
    assert model.model_performance(frame[50:]).mse() == pytest.approx(np.average(squares[50:], weights=frame["w"][50:]))


def test_measuring_without_the_weights_warns_and_counts_all_rows_alike():
    frame = simulated()
    model = trained(frame, "gaussian", weights_column="w")
    squares = (numbers_of(model, frame) - frame["gaussian"]) ** 2
    with pytest.warns(UserWarning, match="test_data has no weights_column 'w'; all its rows are given weight 1"):
        metrics = model.model_performance(frame.drop(columns="w"))
    assert metrics.mse() == pytest.approx(squares.mean())


def test_weights_and_offsets_are_no_predictors():
    model = deeplearning(y="gaussian", training_frame=simulated(), weights_column="w", offset_column="o", **LINEAR)
    assert not {"w", "o", "gaussian"} & set(model.encoder.predictors)
    model = deeplearning(["x", "w", "o"], "gaussian", simulated(), weights_column="w", offset_column="o", **LINEAR)
    assert model.encoder.predictors == ("x",)


@pytest.mark.parametrize("role", ["weights_column", "offset_column"])
def test_unknown_columns_are_told_with_what_may_be_meant(role):
    with pytest.raises(DataError, match=r"^training_frame has no column 'wights'; did you mean 'weights'\?$"):
        trained(simulated().rename(columns={"w": "weights"}), "gaussian", **{role: "wights"})


@pytest.mark.proves("offset_column")
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("distribution", ["gaussian", "laplace", "quantile", "huber"])
def test_with_an_identity_link_the_response_less_the_offset_is_learnt(distribution, standardize):
    frame = simulated()
    frame["y"] = frame["gaussian"] + frame["o"]
    frame["net"] = frame["y"] - frame["o"]
    given = {"distribution": distribution, "standardize": standardize}
    model = trained(frame, "y", offset_column="o", **given)
    without = trained(frame, "net", **given)
    np.testing.assert_array_equal(parameters_of(model), parameters_of(without))
    np.testing.assert_array_equal(numbers_of(model, frame), numbers_of(without, frame) + frame["o"])
    assert model.mse() == pytest.approx(without.mse())


@pytest.mark.proves("offset_column")
@pytest.mark.parametrize("distribution", ["poisson", "gamma", "tweedie"])
def test_the_logarithm_of_the_exposure_as_offset_recovers_rates(distribution):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.uniform(-1, 1, 3000), "exposure": random.uniform(0.1, 20, 3000)})
    rate = np.exp(1 + frame["x"])
    mean = rate * frame["exposure"]
    frame["y"] = random.gamma(5, mean / 5) if distribution == "gamma" else random.poisson(mean)
    frame["o"] = np.log(frame["exposure"])
    model = trained(frame, "y", offset_column="o", distribution=distribution)
    np.testing.assert_allclose(numbers_of(model, frame.assign(o=0)), rate, rtol=0.1)
    np.testing.assert_allclose(numbers_of(model, frame), frame["exposure"] * numbers_of(model, frame.assign(o=0)))


def test_offsets_of_any_sign_shift_what_the_link_is_applied_to():
    frame = simulated()
    for y, expected in (("gaussian", lambda p, o: p + o), ("poisson", lambda p, o: p * np.exp(o))):
        model = trained(frame.assign(o=0), y, offset_column="o")
        at_zero = numbers_of(model, frame.assign(o=0))
        for offset in (-2, -0.5, 0.5, 2):
            np.testing.assert_allclose(numbers_of(model, frame.assign(o=offset)), expected(at_zero, offset), rtol=1e-12)


def test_offsets_count_in_validation_metrics_and_survive_the_file(tmp_path):
    frame = simulated()
    model = trained(frame, "poisson", offset_column="o", validation_frame=frame[:50])
    assert model.model_performance(frame[:50]).to_json() == model.validation_metrics.to_json()
    reloaded = load_model(model.save(tmp_path / "m.h2olite"))
    np.testing.assert_array_equal(numbers_of(reloaded, frame), numbers_of(model, frame))


def test_a_frame_without_the_offsets_is_an_error():
    model = trained(simulated(), "gaussian", offset_column="o")
    for use in (model.predict, model.model_performance):
        with pytest.raises(DataError, match="test_data has no offset_column 'o', which the model adds"):
            use(simulated().drop(columns="o"))


@pytest.mark.proves("missing_values_handling")
def test_skip_leaves_rows_with_a_missing_predictor_out_of_training():
    frame = simulated()
    holes = frame.index % 4 == 0
    frame.loc[holes, "x"] = np.nan
    other = frame.assign(bernoulli=frame["bernoulli"].mask(holes, "yes"))
    skipping, imputing = (
        [parameters_of(trained(table, "bernoulli", missing_values_handling=how)) for table in (frame, other)]
        for how in ("Skip", "MeanImputation")
    )
    np.testing.assert_array_equal(*skipping)
    assert not np.array_equal(*imputing)


@pytest.mark.parametrize("y", ["poisson", "gamma", "tweedie"])
@pytest.mark.parametrize("hidden", [[], [10]])
def test_rows_far_outside_the_training_range_of_a_log_link_are_told(y, hidden):
    frame, random = simulated(), np.random.default_rng(1)
    frame["gamma"] = frame["tweedie"] = random.gamma(2, np.exp(2 * frame["x"]))
    frame["poisson"] = random.poisson(frame["gamma"])
    model = deeplearning("x", y, frame, **LINEAR | {"distribution": y, "hidden": hidden, "epochs": 50})
    far = pd.DataFrame({"x": [0.0, 5.0, 4.0]})
    with pytest.warns(
        UserWarning, match=r"^2 rows of test_data are predicted more than twice as much .* up to \S+ times"
    ):
        model.predict(far)
    with pytest.warns(
        UserWarning, match=r"^1 row of test_data is predicted more than twice as much as any training row"
    ):
        model.predict(far[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(frame)
