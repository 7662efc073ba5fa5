import numpy as np
import pytest
from examples import network, objective, table

from h2olite.network.joining import apart, is_joint, join
from h2olite.predicting.averaged import Averaged
from h2olite.predicting.double_precision import DoublePrecision
from h2olite.predicting.single_precision import SinglePrecision

CASES = [
    (loss, activation, hidden)
    for loss in ("gaussian", "cross-entropy of 4", "cross-entropy of 20")
    for activation, hidden in (("Rectifier", (6, 5)), ("Maxout", (6, 5)), ("Tanh", (3,)), ("Rectifier", (20, 4, 7)))
]


def members_of(loss, activation, hidden, n=3):
    return [network(loss, activation, hidden, seed=seed) for seed in range(n)]


@pytest.mark.parametrize(("loss", "activation", "hidden"), CASES)
def test_a_joint_network_has_the_mean_output_of_its_members_and_so_have_its_parts(loss, activation, hidden):
    members, rows = members_of(loss, activation, hidden), table(40, loss)
    joint, goal = join(members), objective(loss, activation, hidden)
    linear = objective("gaussian", activation, hidden)
    mean = np.mean([DoublePrecision(member).predict(linear, rows) for member in members], axis=0)
    np.testing.assert_allclose(DoublePrecision(joint).predict(linear, rows), mean, atol=1e-6)
    expected = DoublePrecision(joint).predict(goal, rows)
    with SinglePrecision(joint, rows, 1) as whole, Averaged(joint, apart(joint, 3), rows, 1) as parts:
        np.testing.assert_allclose(whole.predict(goal, rows), expected, atol=2e-5)
        np.testing.assert_allclose(parts.predict(goal, rows), expected, atol=2e-5)
        order = np.array([7, 3, 3, 31])
        np.testing.assert_array_equal(parts.predict(goal, rows, order), parts.predict(goal, rows)[order])


def test_rows_are_predicted_by_those_members_alone_that_did_not_learn_from_them():
    members, rows, goal = members_of("gaussian", "Rectifier", (6, 5)), table(12), objective()
    held_out = [np.arange(12) % 2 == 0, np.arange(12) % 3 == 0, np.zeros(12, np.bool_)]
    outputs = np.array([DoublePrecision(member).predict(goal, rows)[:, 0] for member in members])
    with Averaged(join(members), members, rows, 1, held_out) as engine:
        predicted = engine.predict(goal, rows, np.array([0, 2, 3]))[:, 0]
    np.testing.assert_allclose(predicted, [outputs[:2, 0].mean(), outputs[0, 2], outputs[1, 3]], atol=1e-5)


def test_members_come_back_but_for_the_biases_of_the_outputs():
    members = members_of("cross-entropy of 4", "Maxout", (6, 5))
    for member, again in zip(members, apart(join(members), 3), strict=True):
        for layer in range(3):
            np.testing.assert_allclose(again.weights(layer), member.weights(layer), rtol=1e-6)
        np.testing.assert_array_equal(again.biases(1), member.biases(1))
        mean = np.mean([other.biases(2) for other in members], axis=0)
        np.testing.assert_allclose(again.biases(2), mean, rtol=1e-6)


def test_weights_between_members_are_found():
    joint = join(members_of("gaussian", "Rectifier", (6, 5)))
    assert is_joint(joint, 3)
    assert is_joint(joint, 1)
    joint.weights(1)[0, 0, 5] = 1e-30
    assert not is_joint(joint, 3)
