"""The kernels do what their NumPy twin does, and their promises about memory, threads and order hold.

One step agrees to a few float32 roundings (6e-8 each) of sums of some ten terms of size 1; over many steps roundings
add up, and ADADELTA, which divides by the size of gradients, lifts them a little.
"""

import naive
import numpy as np
import pytest
from examples import (
    ACTIVATIONS,
    AUTOENCODERS,
    COLUMNS,
    LEVELS,
    LOSSES,
    N_INPUTS,
    copy,
    network,
    objective,
    predict,
    rule,
    step_and_screen,
    table,
    train,
)

from h2olite.kernels import rows
from h2olite.kernels.lanes import LANES
from h2olite.kernels.passes import GROUP
from h2olite.kinds.update_rules import ADADELTA, ADAM, ADAMW, SGD
from h2olite.network.network import new_screening

ONE_STEP = {"rtol": 2e-6, "atol": 2e-6}
MANY_STEPS = {"rtol": 2e-4, "atol": 2e-5}


def assert_same(net, layers, tolerance):
    """The network's parameters and the update rule's memory are the twin's."""
    for ours, theirs in zip(naive.layers_of(net), layers, strict=True):
        for name, array in vars(ours).items():
            np.testing.assert_allclose(array, getattr(theirs, name), **tolerance, err_msg=name)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_step_moves_parameters_by_the_gradient(activation, loss, batch_size):
    net, goal = network(loss, activation), objective(loss, activation)
    data = table(batch_size, loss, weights=True, offsets=LOSSES[loss][2] == 1)
    layers = naive.layers_of(net)
    kept = [np.ones((batch_size, 6)), np.ones((batch_size, 5))]
    expected = naive.gradients(layers, goal, data, kept)
    train(net, goal, rule(), data, batch_size=batch_size)
    for before, after, gradient in zip(layers, naive.layers_of(net), expected, strict=True):
        np.testing.assert_allclose(before.parameters - after.parameters, gradient, **ONE_STEP)


@pytest.mark.parametrize("hidden", [(), (20,), (3, 17, 40)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_any_depth_and_width_trains_as_the_twin(activation, hidden):
    net, goal = network("cross-entropy of 4", activation, hidden), objective("cross-entropy of 4", activation, hidden)
    data, how, layers = table(20, "cross-entropy of 4"), rule(rate=0.05), naive.layers_of(net)
    train(net, goal, how, data, batch_size=5)
    naive.train(layers, goal, how, data, batch_size=5)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "all weights"])
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize(
    "settings",
    [
        {"adaptive": True},
        {"adaptive": True, "rho": 0.9, "epsilon": 1e-6, "l1": 1e-3, "l2": 1e-2},
        {"rate": 0.02, "momentum_start": 0.5, "momentum_ramp": 20, "momentum_stable": 0.9},
        {
            "rate": 0.02,
            "momentum_start": 0.5,
            "momentum_ramp": 20,
            "momentum_stable": 0.9,
            "nesterov": True,
            "l2": 1e-2,
        },
        {"rate": 0.05, "annealing": 0.1, "decay": 0.5, "l1": 1e-3},
        {"rate": 0.05, "max_w2": 0.6},
        {"adaptive": True, "max_w2": 0.4},
        {"kind": ADAM, "rate": 0.01},
        {"kind": ADAM, "rate": 0.02, "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3, "l2": 1e-2, "max_w2": 0.6},
        {"kind": ADAMW, "rate": 0.02, "l2": 0.5},
    ],
    ids=lambda settings: " ".join(name for name in settings),
)
@pytest.mark.parametrize("activation", ["Rectifier", "Maxout"])
def test_update_rules_follow_their_formulas_step_by_step(activation, settings, batch_size, fast):
    net, goal = network(activation=activation, hidden=(6,)), objective(activation=activation, hidden=(6,))
    data, how, layers = table(30, weights=True), rule(fast=fast, **settings), naive.layers_of(net)
    train(net, goal, how, data, batch_size=batch_size, rows_seen=3, n_updates=2)
    naive.train(layers, goal, how, data, batch_size=batch_size, rows_seen=3, n_updates=2)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dropout_trains_as_the_twin(activation, batch_size):
    goal = objective("cross-entropy of 2", activation, input_dropout=0.2, dropout=[0.5, 0.3])
    net, data, how = network("cross-entropy of 2", activation), table(30, "cross-entropy of 2"), rule(adaptive=True)
    layers = naive.layers_of(net)
    train(net, goal, how, data, batch_size=batch_size, rows_seen=100, seed=3)
    naive.train(layers, goal, how, data, batch_size=batch_size, rows_seen=100, seed=3)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("loss", AUTOENCODERS["loss"])
@pytest.mark.parametrize("activation", AUTOENCODERS["activation"])
def test_autoencoders_train_as_the_twin_towards_the_inputs_before_dropout(activation, loss, batch_size):
    goal = objective(loss, activation, input_dropout=0.3, dropout=[0.5, 0.3], autoencoder=True)
    net, data, how = network(loss, activation, n_outputs=N_INPUTS), table(20, weights=True), rule(rate=0.02)
    layers = naive.layers_of(net)
    train(net, goal, how, data, batch_size=batch_size, rows_seen=100, seed=3)
    naive.train(layers, goal, how, data, batch_size=batch_size, rows_seen=100, seed=3)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize(
    "settings",
    [{"adaptive": True}, {"rate": 0.02, "annealing": 0.1}, {"kind": ADAM, "rate": 0.01}],
    ids=["adaptive", "sgd", "adam"],
)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_sparsity_pulls_biases_by_the_running_average_of_activations(batch_size, settings):
    goal = objective(autoencoder=True, average_activation=0.1, sparsity_beta=0.5, dropout=[0.0, 0.5])
    net, data, how = network(n_outputs=N_INPUTS), table(20), rule(**settings)
    layers, activity = naive.layers_of(net), [np.zeros(6), np.zeros(5)]
    train(net, goal, how, data, batch_size=batch_size)
    naive.train(layers, goal, how, data, batch_size=batch_size, seed=7, activity=activity)
    assert_same(net, layers, MANY_STEPS)
    kept = [net.activity[start : start + len(averages)] for start, averages in zip((0, LANES), activity, strict=True)]
    for ours, theirs in zip(kept, activity, strict=True):
        np.testing.assert_allclose(ours, theirs, **MANY_STEPS)


@pytest.mark.parametrize("activation", AUTOENCODERS["activation"])
def test_reconstructions_are_the_twins_and_leave_the_averages_alone(activation):
    goal = objective(activation=activation, dropout=0.2, autoencoder=True, sparsity_beta=0.5)
    net, data = network(activation=activation, n_outputs=N_INPUTS), table(10)
    np.testing.assert_allclose(predict(net, goal, data), naive.predict(naive.layers_of(net), goal, data), **ONE_STEP)
    assert not net.activity.any()


@pytest.mark.parametrize(("batch_size", "interval"), [(1, 1), (1, 5), (4, 6), (8, 3)])
def test_running_average_follows_the_parameters(batch_size, interval):
    net, how, data = network(averaged=True), rule(rate=0.05, window=0.3, interval=interval), table(40)
    layers = naive.layers_of(net)
    means = [layer.parameters.copy() for layer in layers]
    train(net, objective(), how, data, batch_size=batch_size, rows_seen=12)
    naive.train(layers, objective(), how, data, batch_size=batch_size, rows_seen=12, means=means)
    assert_same(net, layers, MANY_STEPS)
    for layer, mean in enumerate(means):
        np.testing.assert_allclose(net.weights(layer), mean[:-1], **MANY_STEPS)
        np.testing.assert_allclose(net.biases(layer), mean[-1], **MANY_STEPS)


@pytest.mark.parametrize("capacity", [1, 3, 32, 100])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predictions_are_the_twins_for_any_partition(activation, loss, capacity):
    net, goal = network(loss, activation), objective(loss, activation, dropout=[0.5, 0.2])
    data = table(40, loss, offsets=LOSSES[loss][2] == 1)
    order = np.random.default_rng(0).permutation(40)[:35]
    expected = naive.predict(naive.layers_of(net), goal, data)[order]
    np.testing.assert_allclose(predict(net, goal, data, order=order, capacity=capacity), expected, **ONE_STEP)


@pytest.mark.parametrize("loss", ["cross-entropy of 4", "cross-entropy of 20", "gaussian"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_prediction_has_the_same_bits_whichever_rows_come_with_it(activation, loss):
    net, goal, data = network(loss, activation, (40, 33)), objective(loss, activation, (40, 33)), table(70, loss)
    together = predict(net, goal, data)
    order = np.random.default_rng(0).permutation(70)
    np.testing.assert_array_equal(predict(net, goal, data, order=order), together[order])
    alone = [predict(net, goal, data, order=np.array([row]), capacity=1)[0] for row in range(70)]
    np.testing.assert_array_equal(alone, together)


def test_scoring_ignores_input_dropout():
    net, data = network(), table(10)
    with_dropout = predict(net, objective(input_dropout=0.5), data)
    np.testing.assert_array_equal(with_dropout, predict(net, objective(), data))


@pytest.mark.parametrize("loss", ["cross-entropy of 4", "quadratic of 4"])
def test_class_probabilities_sum_to_one_even_for_huge_outputs(loss):
    net = network(loss)
    net.biases(net.n_layers - 1)[...] = [1e30, -1e30, 500, 1e30]
    probabilities = predict(net, objective(loss), table(5, loss))
    np.testing.assert_allclose(probabilities, np.tile([0.5, 0, 0, 0.5], (5, 1)))
    np.testing.assert_allclose(predict(network(loss), objective(loss), table(50, loss)).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("loss", ["cross-entropy of 2", "cross-entropy of 4", "quadratic of 4"])
def test_outputs_that_are_no_numbers_spoil_the_weights_rather_than_pass_for_certain(loss):
    net = network(loss)
    net.biases(net.n_layers - 1)[...] = np.nan
    train(net, objective(loss), rule(adaptive=True, fast=True), table(1, loss))
    assert np.isnan(net.weights(net.n_layers - 1)).any()


@pytest.mark.parametrize(("loss", "bias"), [("poisson", 200), ("gamma", -200), ("tweedie", 500), ("tweedie", -500)])
def test_exponentials_are_bounded_at_1e19(loss, bias):
    net, goal, data = network(loss, hidden=()), objective(loss, hidden=()), table(1, loss)
    net.theta[:] = 0
    net.biases(0)[...] = bias
    layers, how = naive.layers_of(net), rule(rate=1e-19)
    train(net, goal, how, data)
    naive.train(layers, goal, how, data)
    assert_same(net, layers, {"rtol": 1e-6})
    assert abs(net.biases(0) - bias).max() > 0.1


def test_a_row_of_weight_two_moves_twice_as_far_and_one_of_weight_zero_not_at_all():
    data = table(1)

    def accumulated(weight):
        net = network()
        before = net.theta.copy()
        train(net, objective(), rule(rate=0.01), data._replace(weights=np.full(1, weight, np.float32)))
        return net.theta - before

    np.testing.assert_allclose(accumulated(2), 2 * accumulated(1), atol=1e-7)
    np.testing.assert_array_equal(accumulated(0), 0)


def test_last_mini_batch_may_be_smaller_and_takes_the_mean_of_its_own_rows():
    net, data = network(), table(5)
    layers = naive.layers_of(net)
    train(net, objective(), rule(rate=0.1), data, batch_size=3)
    naive.train_batch(layers, objective(), rule(rate=0.1), naive.take(data, slice(0, 3)), 0, 7)
    naive.train_batch(layers, objective(), rule(rate=0.1), naive.take(data, slice(3, 5)), 3, 7)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("settings", [{"rate": 0.05}, {"adaptive": True, "l2": 1e-2}, {"adaptive": True, "fast": True}])
@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_columns_that_share_an_input_add_up(settings, batch_size):
    net, goal, how = network(hidden=(6,)), objective(hidden=(6,)), rule(**settings)
    random = np.random.default_rng(1)
    data = table(40)._replace(levels=random.integers(-1, sum(LEVELS), (40, 3)).astype(np.int32))
    assert any(len(set(row)) < 3 for row in data.levels.tolist())
    layers = naive.layers_of(net)
    np.testing.assert_allclose(predict(net, goal, data), naive.predict(layers, goal, data), rtol=1e-5, atol=1e-6)
    train(net, goal, how, data, batch_size=batch_size)
    naive.train(layers, goal, how, data, batch_size=batch_size)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "all weights"])
def test_mini_batches_with_more_levels_than_are_updated_at_a_time_train_as_the_twin(fast):
    n_levels = 5 * int(GROUP)
    net, how = network(hidden=(6,), n_inputs=n_levels + 3), rule(adaptive=True, fast=fast)
    random = np.random.default_rng(1)
    data = table(60)._replace(levels=random.integers(-1, n_levels, (60, 2)).astype(np.int32))
    layers = naive.layers_of(net)
    train(net, objective(hidden=(6,)), how, data, batch_size=20)
    naive.train(layers, objective(hidden=(6,)), how, data, batch_size=20)
    assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("activation", ["Tanh", "ExpRectifier", "Maxout"])
def test_units_at_exactly_zero_learn_where_their_slope_is_not(activation, batch_size):
    net, goal, how = network(activation=activation), objective(activation=activation), rule(rate=0.1, fast=True)
    net.weights(0)[...] = net.biases(0)[...] = 0
    layers = naive.layers_of(net)
    train(net, goal, how, table(4), batch_size=batch_size)
    naive.train(layers, goal, how, table(4), batch_size=batch_size)
    assert net.biases(0).any()
    assert_same(net, layers, MANY_STEPS)


def test_order_chooses_the_rows():
    order = np.array([4, 0, 4, 2])
    data, net, direct = table(6), network(), network()
    train(net, objective(), rule(rate=0.1), data, order=order)
    train(direct, objective(), rule(rate=0.1), naive.take(data, order))
    np.testing.assert_array_equal(net.theta, direct.theta)


@pytest.mark.parametrize("kind", [ADADELTA, SGD, ADAM, ADAMW])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_fast_mode_leaves_weights_without_gradient_and_their_memory_untouched(batch_size, kind):
    net, data = network(), table(4)
    data.levels[data.levels == 2] = 1
    data.numbers[:, 1] = 0
    for flat in (net.first, net.second):
        flat[:] = 0.25
    unused = [2, N_INPUTS - 2]
    before = copy(net)
    how = rule(kind=kind, rate=0.1, momentum_start=0.5, momentum_stable=0.5, l1=0.1, l2=0.1, fast=True)
    train(net, objective(), how, data, batch_size=batch_size)
    for name in ("theta", "first") + ("second",) * (kind != SGD):
        ours, theirs = net.weights(0, of=getattr(net, name)), before.weights(0, of=getattr(before, name))
        np.testing.assert_array_equal(ours[unused], theirs[unused])
        assert (ours != theirs).any(), name


@pytest.mark.parametrize("batch_size", [1, 4])
def test_without_fast_mode_absent_levels_and_zero_inputs_decay(batch_size):
    net, data = network(), table(4)
    data.levels[data.levels == 2] = 1
    data.numbers[:, 1] = 0
    unused = [2, N_INPUTS - 2]
    net.first[:] = 0.5
    before = copy(net)
    train(net, objective(), rule(rate=0.5, l2=0.1, momentum_stable=0.2), data, batch_size=batch_size)
    w, v = before.weights(0)[unused].astype(float), np.float64(0.5)
    for _ in range(4 // batch_size):
        v = 0.2 * v - 0.1 * w
        w = w + (1 - 0.2) * 0.5 * v
    np.testing.assert_allclose(net.weights(0)[unused], w, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(net.weights(0, of=net.first)[unused], v, rtol=1e-5, atol=1e-6)


def test_adam_is_that_of_its_paper_to_the_last_digits():
    # One weight out of one input of 1, to a linear output: its gradient is 2 (w - y).
    net, data = network(hidden=(), n_inputs=1), table(200)._replace(levels=np.empty((200, 0), np.int32))
    data = data._replace(numbers=np.ones((200, 1), np.float32))
    w, b = float(net.weights(0)[0, 0, 0]), float(net.biases(0)[0, 0])
    m, v = np.zeros(2), np.zeros(2)
    for t, y in enumerate(data.target.astype(float), start=1):
        g = np.full(2, 2 * (w + b - y))
        m, v = 0.95 * m + 0.05 * g, 0.98 * v + 0.02 * g**2
        w, b = [w, b] - 0.01 * (m / (1 - 0.95**t)) / (np.sqrt(v / (1 - 0.98**t)) + 1e-6)
    train(net, objective(hidden=()), rule(kind=ADAM, rate=0.01, beta1=0.95, beta2=0.98, epsilon=1e-6), data)
    np.testing.assert_allclose([net.weights(0)[0, 0, 0], net.biases(0)[0, 0]], [w, b], rtol=1e-5)


def test_a_weight_that_rows_use_late_moves_by_a_few_rates_at_the_most():
    net, data, order = network(), table(400), np.arange(400)
    late = data.levels[:, 0] == 2
    order = np.concatenate([order[~late], order[late][:1]])
    how = rule(kind=ADAM, rate=1e-3, fast=True)
    train(net, objective(), how, data, order=order[:-1])
    before = net.weights(0)[2].copy()
    train(net, objective(), how, data, order=order[-1:], n_updates=order.size - 1)
    moves = np.abs(net.weights(0)[2] - before)
    assert 0 < moves.max() <= 1e-3 * 0.1 / np.sqrt(0.001) * 1.001


def test_means_of_gradients_become_zero_and_no_denormal_numbers():
    net, data = network(), table(4)
    data.levels[data.levels == 2] = 1
    net.first[:] = 1e-30
    train(net, objective(), rule(kind=ADAM, rate=0.1), data)
    assert not net.weights(0, of=net.first)[2].any()


def test_without_fast_mode_adadelta_forgets_where_no_gradient_comes():
    net, data = network(), table(4)
    data.levels[data.levels == 2] = 1
    net.first[:], net.second[:] = 0.5, 0.25
    train(net, objective(), rule(adaptive=True, rho=0.9), data)
    np.testing.assert_allclose(net.weights(0, of=net.first)[2], 0.5 * 0.9**4, rtol=1e-6)
    np.testing.assert_allclose(net.weights(0, of=net.second)[2], 0.25 * 0.9**4, rtol=1e-6)


def test_l2_does_not_act_on_biases():
    net, data = network(hidden=()), table(1)
    data = data._replace(target=predict(net, objective(hidden=()), data)[:, 0])
    before = copy(net)
    train(net, objective(hidden=()), rule(l2=0.25), data)
    np.testing.assert_allclose(net.weights(0), 0.75 * before.weights(0), atol=1e-5)
    np.testing.assert_allclose(net.biases(0), before.biases(0), atol=1e-5)


def test_max_w2_bounds_the_squares_into_each_unit_and_channel_and_spares_biases():
    net, goal, bound = network(activation="Maxout"), objective(activation="Maxout"), np.float32(0.5)
    before = copy(net)
    train(net, goal, rule(rate=0, max_w2=bound), table(1))
    for layer in range(net.n_layers):
        squares = (before.weights(layer) ** 2).sum(axis=0)
        shrunk = (net.weights(layer) ** 2).sum(axis=0)
        np.testing.assert_allclose(shrunk, np.minimum(squares, bound), rtol=1e-5)
        np.testing.assert_array_equal(net.biases(layer), before.biases(layer))


def padding(net, flat):
    """The numbers that no unit owns."""
    covered = np.zeros(flat.size, bool)
    for layer in range(net.n_layers):
        net.weights(layer, of=covered)[...] = True
        net.biases(layer, of=covered)[...] = True
    return flat[~covered]


@pytest.mark.parametrize("kind", [ADADELTA, SGD, ADAM, ADAMW])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_padding_stays_zero(activation, kind):
    net, goal = network("cross-entropy of 4", activation), objective("cross-entropy of 4", activation, dropout=0.3)
    how = rule(kind=kind, rate=0.1, l1=0.01, l2=0.01, max_w2=1)
    train(net, goal, how, table(40, "cross-entropy of 4"), batch_size=3)
    step_and_screen(net, new_screening(net, COLUMNS), how, 40, screened_rows=40)
    assert padding(net, net.theta).size > LANES
    for flat in (net.theta, net.first, net.second):
        np.testing.assert_array_equal(padding(net, flat), 0)


def test_numbers_stay_float32():
    net = network()
    train(net, objective(), rule(adaptive=True, l1=0.1), table(10))
    assert {flat.dtype for flat in (net.theta, net.first, net.second)} == {np.dtype(np.float32)}
    assert np.isfinite(net.theta).all()


def test_a_differently_shaped_network_needs_no_compiling():
    train(network(), objective(), rule(), table(3))
    predict(network(), objective(), table(3))
    compiled = len(rows.train_rows.signatures), len(rows.predict_rows.signatures)

    loss, hidden = "cross-entropy of 4", (30, 2, 7)
    net, goal = network(loss, "Maxout", hidden), objective(loss, "Maxout", hidden, dropout=0.5)
    how = rule(adaptive=True, fast=True, l1=0.1)
    train(net, goal, how, table(9, loss, weights=True), batch_size=4)
    predict(net, goal, table(9, loss))
    assert (len(rows.train_rows.signatures), len(rows.predict_rows.signatures)) == compiled


def test_tables_of_one_kind_of_columns_only():
    goal, how, data = objective(), rule(rate=0.05), table(12)
    numeric = data._replace(levels=np.empty((12, 0), np.int32))
    categorical = data._replace(numbers=np.empty((12, 0), np.float32))
    for part, n_inputs in ((numeric, 3), (categorical, 7)):
        net = network(n_inputs=n_inputs)
        layers = naive.layers_of(net)
        train(net, goal, how, part, batch_size=2)
        naive.train(layers, goal, how, part, batch_size=2)
        assert_same(net, layers, MANY_STEPS)


@pytest.mark.parametrize("averaged", [False, True], ids=["last weights", "averaged"])
@pytest.mark.parametrize("cuts", [[12], [4, 20], [4, 8, 12, 16, 20, 24]], ids=str)
def test_same_seed_gives_the_same_bits_however_the_order_is_cut(cuts, averaged):
    goal = objective("cross-entropy of 2", input_dropout=0.1, dropout=0.5)
    how = rule(adaptive=True, l1=1e-3, l2=1e-3, fast=True, interval=6, window=0.8)
    data, whole = table(26, "cross-entropy of 2"), network("cross-entropy of 2", averaged=averaged)
    cut = copy(whole)
    order = np.random.default_rng(1).permutation(26)
    train(whole, goal, how, data, order=order, batch_size=4)
    for part in np.split(order, cuts):
        train(cut, goal, how, data, order=part, batch_size=4, rows_seen=cut.rows_seen)
        cut.rows_seen += part.size
    for name in ("theta", "iterate", "first", "second"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))


def test_another_seed_drops_other_units():
    nets = [network(), network()]
    for seed, net in enumerate(nets):
        train(net, objective(dropout=0.5), rule(rate=0.1), table(5), seed=seed)
    assert (nets[0].theta != nets[1].theta).any()


TEAMS = {
    "numbers and levels": {},
    "deep": {"hidden": (40, 3, 70)},
    "no hidden layer": {"hidden": ()},
    "mini-batches": {"batch_size": 6},  # the last one has 4 rows
    "all weights": {"settings": {"rate": 0.02, "momentum_start": 0.5, "momentum_stable": 0.5, "l2": 0.01}},
    "bounded": {"settings": {"adaptive": True, "fast": True, "max_w2": 0.5}},
    "Adam": {"settings": {"kind": ADAM, "rate": 0.01, "fast": True, "l2": 0.01}, "batch_size": 3},
    "AdamW": {"settings": {"kind": ADAMW, "rate": 0.01, "l2": 0.01}},
    "dropout": {"goal": {"input_dropout": 0.2, "dropout": [0.5, 0.3]}},
    "averaged": {"averaged": True, "settings": {"adaptive": True, "fast": True, "window": 0.8}},
    "many outputs": {"loss": "cross-entropy of 20", "batch_size": 3},
    "autoencoder": {"loss": "gaussian", "goal": {"autoencoder": True, "average_activation": 0.1, "sparsity_beta": 0.5}},
}


@pytest.mark.parametrize("n_members", [2, 3])
@pytest.mark.parametrize("activation", ["Rectifier", "Tanh", "Maxout"])
@pytest.mark.parametrize("team", TEAMS)
def test_a_team_learns_what_one_thread_learns_and_the_same_bits_from_the_same_parts(team, activation, n_members):
    case = {"loss": "cross-entropy of 4", "hidden": (40, 33), "batch_size": 1, "averaged": False, "goal": {}} | TEAMS[
        team
    ]
    loss, hidden = case["loss"], case["hidden"]
    if case["goal"].get("autoencoder") and activation == "Maxout":
        pytest.skip("no autoencoder has Maxout units")
    outputs = {"n_outputs": N_INPUTS} if case["goal"].get("autoencoder") else {}
    how = rule(**case.get("settings", {"adaptive": True, "fast": True}), interval=4)
    data = table(40, loss, weights=True)
    nets = [network(loss, activation, hidden, averaged=case["averaged"], **outputs) for _ in range(3)]
    n_parts = 4 if n_members == 3 else 2
    for net, members, parts in zip(nets, [1, n_members, 1], [1, n_parts, n_parts], strict=True):
        goal = objective(loss, activation, hidden, **case["goal"])
        train(net, goal, how, data, batch_size=case["batch_size"], n_members=members, n_parts=parts)
    alone, together, again = nets
    for name in ("theta", "iterate", "first", "second", "activity"):
        np.testing.assert_array_equal(getattr(together, name), getattr(again, name))
        np.testing.assert_allclose(getattr(together, name), getattr(alone, name), **MANY_STEPS)
