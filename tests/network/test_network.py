import numpy as np
import pytest

from h2olite.kinds.activations import activation_of
from h2olite.network.network import Network, initial_network
from h2olite.network.topology import lay_out

NOTHING = np.arange(0)


def draw(
    sizes,
    activation="Rectifier",
    distribution="UniformAdaptive",
    scale=1.0,
    seed=0,
    absent=NOTHING,
    averaged=False,
):
    return initial_network(
        lay_out(sizes, n_channels=activation_of(activation).n_channels),
        activation_of(activation),
        distribution,
        scale,
        np.random.default_rng(seed),
        absent_inputs=absent,
        averaged=averaged,
    )


@pytest.mark.parametrize(("maxout", "n_channels"), [(False, 1), (True, 2)])
def test_views_have_the_shapes_of_the_layers(maxout, n_channels):
    network = Network.zeros(lay_out([5, 20, 3], n_channels=1 + maxout), averaged=False)
    assert network.n_layers == 2
    assert network.weights(0).shape == (5, n_channels, 20)
    assert network.biases(0).shape == (n_channels, 20)
    assert network.weights(1).shape == (20, 1, 3)
    assert network.biases(1).shape == (1, 3)


@pytest.mark.parametrize("maxout", [False, True])
def test_views_are_writable_and_share_no_number(maxout):
    network = Network.zeros(lay_out([5, 20, 17, 3], n_channels=1 + maxout), averaged=False)
    views = [part(layer) for layer in range(3) for part in (network.weights, network.biases)]
    for view in views:
        view += 1
    assert all((view == 1).all() for view in views)
    assert network.theta.sum() == sum(view.size for view in views)


def test_views_of_the_memory_lie_where_the_parameters_do():
    network = Network.zeros(lay_out([5, 20, 3]), averaged=False)
    network.weights(1, of=network.first)[4, 0, 2] = 7
    assert not network.theta.any()
    network.theta[:] = network.first
    assert network.weights(1)[4, 0, 2] == 7


def test_parameters_and_memory_are_float32():
    network = draw([5, 20, 3])
    flats = (network.theta, network.first, network.second)
    assert {flat.dtype for flat in flats} == {np.dtype(np.float32)}
    assert {flat.shape for flat in flats} == {(6 * 32 + 3 * 32 + 16,)}
    assert not any(flat.any() for flat in flats[1:])


def test_adaptive_weights_are_uniform_in_the_range_of_glorot_and_bengio():
    network = draw([100, 200, 50])
    for layer, units in enumerate((100 + 200, 200 + 50)):
        weights, width = network.weights(layer), np.sqrt(6 / units)
        assert_uniform(weights, width)


def test_uniform_weights_lie_within_the_scale():
    network = draw([100, 200, 50], distribution="Uniform", scale=0.3)
    assert_uniform(network.weights(0), 0.3)
    assert_uniform(network.weights(1), 0.3)


def assert_uniform(weights, width):
    """Weights fill [-width, width] evenly: their mean and variance are within four standard deviations."""
    n = weights.size
    assert 0.99 * width < abs(weights).max() <= np.float32(width)
    assert abs(weights.mean()) < 4 * width / np.sqrt(3 * n)
    assert abs(weights.var() - width**2 / 3) < 4 * width**2 * np.sqrt(4 / 45 / n)


def test_normal_weights_have_the_scale_as_standard_deviation():
    weights = draw([100, 200, 50], distribution="Normal", scale=0.3).weights(0)
    n = weights.size
    assert abs(weights.mean()) < 4 * 0.3 / np.sqrt(n)
    assert abs(weights.std() - 0.3) < 4 * 0.3 / np.sqrt(2 * n)
    assert abs(weights).max() > 0.9


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("Rectifier", [0.5, 1, 1, 0]),
        ("RectifierWithDropout", [0.5, 1, 1, 0]),
        ("Maxout", [0.5, 1, 1, 0]),
        ("MaxoutWithDropout", [0.5, 1, 1, 0]),
        ("Tanh", [0, 0, 0, 0]),
        ("TanhWithDropout", [0, 0, 0, 0]),
        ("ExpRectifier", [0, 0, 0, 0]),
        ("ExpRectifierWithDropout", [0, 0, 0, 0]),
    ],
)
def test_biases_start_by_activation_and_layer(activation, expected):
    network = draw([5, 4, 3, 2, 2], activation)
    for layer, bias in enumerate(expected):
        np.testing.assert_array_equal(network.biases(layer), bias)


def test_without_hidden_layers_the_bias_starts_at_zero():
    np.testing.assert_array_equal(draw([5, 2]).biases(0), 0)


@pytest.mark.parametrize("activation", ["Tanh", "Maxout"])
def test_weights_of_absent_inputs_are_zero(activation):
    weights = draw([5, 8, 2], activation, absent=np.array([1, 4])).weights(0)
    assert not weights[[1, 4]].any()
    assert weights[[0, 2, 3]].all()


def test_absent_inputs_leave_the_other_weights_as_they_are():
    with_all, without = draw([5, 8, 2]), draw([5, 8, 2], absent=np.array([1]))
    np.testing.assert_array_equal(with_all.weights(0)[2:], without.weights(0)[2:])
    np.testing.assert_array_equal(with_all.weights(1), without.weights(1))


def test_same_seed_gives_the_same_weights_and_another_seed_others():
    np.testing.assert_array_equal(draw([5, 8, 2], seed=3).theta, draw([5, 8, 2], seed=3).theta)
    assert (draw([5, 8, 2], seed=3).weights(0) != draw([5, 8, 2], seed=4).weights(0)).all()


def test_an_averaged_network_starts_as_its_own_average():
    network = draw([5, 8, 2], averaged=True)
    np.testing.assert_array_equal(network.iterate, network.theta)
    network.iterate[:] = 0
    assert network.theta.any()


def test_without_average_the_trained_parameters_predict():
    network = draw([5, 8, 2])
    assert network.iterate is network.theta


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize("activation", ["Tanh", "Maxout"])
def test_arrays_bring_back_the_network(activation, averaged):
    network = draw([5, 20, 3], activation, averaged=averaged)
    network.weights(0, of=network.first)[...] = 1
    network.biases(1, of=network.second)[...] = 2
    network.biases(0, of=network.iterate)[...] = 4
    network.activity[...] = 5
    loaded = Network.from_arrays(network.layout, network.to_arrays(), 17)
    assert loaded.rows_seen == 17
    assert (loaded.iterate is loaded.theta) is not averaged
    for name in ("theta", "iterate", "first", "second", "activity"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(network, name))


@pytest.mark.parametrize("layer", [0, 1])
def test_network_up_to_a_layer_has_the_layers_below_it(layer):
    network = draw([5, 20, 7, 3], "Maxout")
    lower = network.up_to(layer)
    assert lower.n_layers == layer + 1
    assert lower.layout.sizes.tolist() == [5, 20, 7][: layer + 2]
    for below in range(layer + 1):
        assert np.shares_memory(lower.weights(below), network.weights(below))
        np.testing.assert_array_equal(lower.weights(below), network.weights(below))


def test_arrays_are_copies():
    network = draw([5, 8, 2])
    network.to_arrays()["layer1.weights"][...] = 0
    assert network.weights(0).all()


@pytest.mark.parametrize("wrong", [np.zeros((8, 1), np.float32), np.zeros((1, 8))], ids=["shape", "type"])
def test_arrays_of_another_layout_are_refused(wrong):
    network = draw([5, 8, 2])
    with pytest.raises(ValueError, match=r"^layer1\.biases must be float32 \(1, 8\)$"):
        Network.from_arrays(network.layout, {**network.to_arrays(), "layer1.biases": wrong}, 0)


def test_a_missing_array_is_refused():
    network = draw([5, 8, 2])
    arrays = network.to_arrays()
    del arrays["layer2.weights"]
    with pytest.raises(KeyError, match=r"layer2\.weights"):
        Network.from_arrays(network.layout, arrays, 0)


def test_arrays_of_a_network_are_copies():
    network = draw([5, 4, 3])
    for array in network.to_arrays().values():
        array[...] = 7
    assert not any((network.weights(layer) == 7).any() or (network.biases(layer) == 7).any() for layer in range(2))
