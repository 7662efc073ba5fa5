"""Rows that are kept without their zeros give the bits of the same rows with them."""

import numpy as np
import pytest
from examples import network, objective, predict, rule, table, train, without_zeros

from h2olite.kernels import rows as kernels
from h2olite.network.topology import workspace

HIDDEN = (20, 5)


@pytest.mark.parametrize("loss", ["cross-entropy of 2", "gaussian"])
@pytest.mark.parametrize("n_parts", [1, 4])
@pytest.mark.parametrize("batch_size", [1, 9, 40])
@pytest.mark.parametrize(
    ("settings", "input_dropout"), [({"adaptive": True, "fast": True}, 0.0), ({"fast": True}, 0.3), ({}, 0.0)]
)
def test_training_and_predicting_pass_what_is_not_zero(loss, n_parts, batch_size, settings, input_dropout):
    data = table(50, loss, weights=True)
    nets = [network(loss, "Rectifier", HIDDEN) for _ in range(2)]
    goal, how = objective(loss, "Rectifier", HIDDEN, input_dropout=input_dropout), rule(rate=0.01, **settings)
    for net, rows in zip(nets, (data, without_zeros(data)), strict=True):
        train(net, goal, how, rows, batch_size=batch_size, n_parts=n_parts)
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)
    np.testing.assert_array_equal(predict(nets[0], goal, data), predict(nets[0], goal, without_zeros(data)))


def test_one_workspace_serves_rows_of_both_kinds_in_turn():
    data = table(70, "gaussian")
    net, goal = network("gaussian", "Tanh", HIDDEN), objective("gaussian", "Tanh", HIDDEN)
    scratch = workspace(net.layout, data.levels.shape[1], data.numbers.shape[1], 32)

    def predicted(rows):
        outputs = np.empty((70, 1), np.float32)
        kernels.predict_rows(net.layout, net.theta, goal, rows, np.arange(70), outputs, scratch)
        return outputs

    with_zeros_kept = without_zeros(data)
    with_zeros_kept.entries[::7] = 0
    zeroed = data._replace(numbers=with_zeros_kept.dense(np.arange(70)))
    for rows, same in ((without_zeros(data), data), (data, data), (with_zeros_kept, zeroed), (data, data)):
        np.testing.assert_array_equal(predicted(rows), predict(net, goal, same))


def test_numbers_in_use_are_those_of_a_row_only_where_few_are_not_zero():
    data = table(40, "gaussian")
    assert data.numbers_in_use() == without_zeros(data).numbers_in_use() == data.numbers.shape[1]
    numbers = np.zeros((30, 200), np.float32)
    numbers[:, :3] = numbers[::2, 10:12] = 1
    few = data._replace(levels=data.levels[:30], numbers=numbers)
    assert few.numbers_in_use() == without_zeros(few).numbers_in_use() == 4
