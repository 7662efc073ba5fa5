from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

import h2olite
from h2olite.errors import ParameterError

DATASETS = Path(__file__).parent.parent.parent / "datasets"
IRIS = pd.read_csv(DATASETS / "iris.csv")


def initial(**given):
    """A model before the first row: its weights are the initial ones."""
    settings = {"y": "species", "training_frame": IRIS, "hidden": [3, 2], "epochs": 0, "seed": 1} | given
    return h2olite.deeplearning(**settings)


def autoencoder(**given):
    """The same of the predictors alone."""
    return initial(y=None, training_frame=IRIS.drop(columns="species"), autoencoder=True, **given)


def weights(model):
    return [model.weights(layer) for layer in range(model.network.n_layers)]


def biases(model):
    return [model.biases(layer) for layer in range(model.network.n_layers)]


def as_files(frames, folder):
    paths = []
    for i, frame in enumerate(frames):
        paths.append(str(folder / f"{i}.csv"))
        frame.to_csv(paths[-1], index=False)
    return paths


@pytest.mark.proves("initial_weights", "initial_biases")
@pytest.mark.parametrize("activation", ["Tanh", "Maxout"])
@pytest.mark.parametrize("form", ["frames", "arrays", "files"])
def test_weights_of_one_model_start_another(activation, form, tmp_path):
    first = initial(activation=activation, epochs=1)
    given = [*weights(first), *biases(first)]
    if form == "arrays":
        given = [frame.to_numpy() for frame in given]
    elif form == "files":
        given = as_files(given, tmp_path)
    model = initial(activation=activation, seed=2, initial_weights=given[:3], initial_biases=given[3:])
    for frame, expected in zip([*weights(model), *biases(model)], [*weights(first), *biases(first)], strict=True):
        pd.testing.assert_frame_equal(frame, expected)
    pd.testing.assert_frame_equal(model.predict(IRIS), first.predict(IRIS))


def test_layers_without_given_weights_start_as_usual():
    usual = initial()
    model = initial(initial_weights=[None, np.full((2, 3), 0.5), None], initial_biases=[None, None, [1, 2, 3]])
    assert (model.weights(1) == 0.5).all(axis=None)
    assert model.biases(2)["C1"].tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(model.weights(0), usual.weights(0))
    pd.testing.assert_frame_equal(model.biases(1), usual.biases(1))


def test_training_starts_from_the_given_weights():
    given = np.linspace(-1, 1, 12).reshape(3, 4)
    for window in (0, 0.1):
        slow = {"adaptive_rate": False, "rate": 1e-6, "epochs": 1, "averaging_window": window}
        model = initial(initial_weights=[given, None, None], **slow)
        np.testing.assert_allclose(model.weights(0), given, atol=0.01)
        assert not np.array_equal(model.weights(0), given.astype(np.float32))


def test_all_wrong_shapes_are_told_with_layer_and_both_shapes():
    with pytest.raises(ParameterError) as caught:
        initial(initial_weights=[np.zeros((4, 3)), None, np.zeros((3, 3))], initial_biases=[None, np.zeros(3), None])
    assert str(caught.value) == (
        "initial_weights of layer 1 must have 3 rows and 4 columns; got 4 and 3. "
        "initial_weights of layer 3 must have 3 rows and 2 columns; got 3 and 3. "
        "initial_biases of layer 2 must have 2 rows and 1 columns; got 3 and 1."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"initial_weights": [None, None]}, "initial_weights must have 3 entries, .*; got 2."),
        ({"initial_weights": np.zeros((3, 4))}, "initial_weights must have 3 entries, .*; got 1."),
        ({"initial_biases": [["a"], None, None]}, "initial_biases of layer 1 must hold numbers; could not convert"),
        ({"initial_biases": [[np.nan] * 3, None, None]}, "initial_biases of layer 1 must hold finite numbers"),
        ({"initial_biases": [[], None, None]}, "initial_biases of layer 1 must have 3 rows and 1 columns; got 0 and 1"),
        ({"initial_biases": [0.5, None, None]}, "initial_biases of layer 1 must be a table or .*; got 0 dimensions"),
    ],
)
def test_unusable_weights_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        initial(**given)


def test_text_in_a_file_of_weights_is_refused(tmp_path):
    (tmp_path / "w.csv").write_text("a,b\n1,2\nx,3\n")
    with pytest.raises(ParameterError, match=r"initial_weights of layer 1 must hold numbers; column 'a' is text."):
        initial(initial_weights=[tmp_path / "w.csv", None, None])


@pytest.mark.proves("pretrained_autoencoder")
def test_hidden_layers_of_the_autoencoder_are_copied(tmp_path):
    pretrained = autoencoder(epochs=1)
    path = pretrained.save(tmp_path / "m.h2olite")
    usual, model = initial(seed=2), initial(seed=2, pretrained_autoencoder=path)
    for layer in (0, 1):
        pd.testing.assert_frame_equal(model.weights(layer), pretrained.weights(layer))
        pd.testing.assert_frame_equal(model.biases(layer), pretrained.biases(layer))
    pd.testing.assert_frame_equal(model.weights(2), usual.weights(2))
    assert model.parameters.pretrained_autoencoder == pretrained.model_id


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden": [3]}, "pretrained_autoencoder must have 4-3 inputs and hidden units; got 4-3-2"),
        ({"activation": "Maxout"}, "must have a Maxout activation exactly when the new model has one; got Rectifier."),
        (
            {"training_frame": IRIS.rename(columns={"petal_width": "width"})},
            "must have the same inputs; got 'petal_width' where 'width' is wanted",
        ),
    ],
)
def test_autoencoders_that_do_not_fit_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        initial(pretrained_autoencoder=autoencoder(), **given)


def test_other_models_are_no_pretrained_autoencoders():
    with pytest.raises(ParameterError, match=r"must be an autoencoder; got a Multinomial model;"):
        initial(pretrained_autoencoder=initial())


@pytest.mark.proves("export_weights_and_biases")
def test_weights_can_always_be_read():
    for exports in (False, True):
        model = initial(export_weights_and_biases=exports)
        assert [frame.shape for frame in weights(model)] == [(3, 4), (2, 3), (3, 2)]


def counted():
    """Responses of several kinds, not standardised, with weights and offsets."""
    random = np.random.default_rng(1)
    o = random.normal(size=300)
    y = random.gamma(2, 500 * np.exp(o))
    return pd.DataFrame({"x": random.normal(size=300), "o": o, "w": random.integers(0, 4, 300) * 1.0, "y": y})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"distribution": "poisson"}, lambda f: np.log(f["y"].mean())),
        ({"distribution": "gamma", "weights_column": "w"}, lambda f: np.log(np.average(f["y"], weights=f["w"]))),
        ({"distribution": "tweedie", "offset_column": "o"}, lambda f: np.log(f["y"].sum() / np.exp(f["o"]).sum())),
        (
            {"distribution": "poisson", "offset_column": "o", "weights_column": "w"},
            lambda f: np.log((f["w"] * f["y"]).sum() / (f["w"] * np.exp(f["o"])).sum()),
        ),
        ({"standardize": False}, lambda f: f["y"].mean()),
        ({"standardize": False, "distribution": "laplace"}, lambda f: f["y"].median()),
        (
            {"standardize": False, "distribution": "quantile", "quantile_alpha": 0.9},
            lambda f: f["y"].quantile(0.9),
        ),
        ({}, lambda f: 0.0),
    ],
    ids=lambda given: " ".join(map(str, given.values())) if isinstance(given, dict) else "",
)
def test_a_response_that_is_not_standardised_starts_from_its_best_constant(given, expected):
    frame = counted()
    model = h2olite.deeplearning(["x"], "y", frame, hidden=[3], epochs=0, seed=1, **given)
    assert float(model.biases(1).iloc[0, 0]) == pytest.approx(expected(frame), rel=1e-5)


def test_given_biases_take_the_place_of_the_best_constant():
    model = h2olite.deeplearning(
        ["x"], "y", counted(), distribution="gamma", hidden=[3], epochs=0, seed=1, initial_biases=[None, [2.5]]
    )
    assert float(model.biases(1).iloc[0, 0]) == 2.5


@pytest.mark.parametrize("distribution", ["poisson", "gamma", "tweedie"])
@pytest.mark.parametrize("scale", [1e-3, 1, 1e4])
def test_a_log_linear_model_comes_close_to_its_least_deviance_in_any_unit(distribution, scale):
    frame = pd.DataFrame({"g": list("abcd") * 5})
    frame["y"] = scale * np.random.default_rng(0).gamma(20, np.resize([0.05, 0.2, 0.5, 2.0], 20))
    settings = {"hidden": [], "epochs": 5000, "seed": 1, "stopping_rounds": 0, "distribution": distribution}
    model = h2olite.deeplearning(["g"], "y", frame, **settings)
    means = frame.groupby("g")["y"].transform("mean").to_numpy()
    power = {"poisson": 1, "gamma": 2, "tweedie": 1.5}[distribution]
    least = reference.mean_tweedie_deviance(frame["y"], means, power=power)
    assert model.mean_residual_deviance() < 1.02 * least
