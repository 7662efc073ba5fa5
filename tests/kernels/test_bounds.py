"""Kernels read and write no memory but their own, and rely on nothing that is left in scratch memory."""

import dataclasses

import examples
import numpy as np
import pytest
from examples import LEVELS, N_INPUTS, N_NUMERIC, network, objective, predict, rule, table, train, without_zeros

GUARD = 64
"""Numbers around an array that nobody may touch, more than a vector register has."""


class Fences:
    """Copies of arrays, with guards around them: NaN, which spoils what it is read for, or -1."""

    def __init__(self):
        self.memory = []

    def around(self, array, *, keep=True):
        """The array inside guards; what it holds may be replaced by what spoils sums."""
        guard = np.nan if array.dtype == np.float32 else -1
        memory = np.full(array.size + 2 * GUARD, guard, array.dtype)
        inside = memory[GUARD : GUARD + array.size].reshape(array.shape)
        if keep:
            inside[...] = array
        self.memory.append(memory)
        return inside

    def workspace(self, *shape):
        """Scratch memory that holds nothing of use, but for what is never written."""
        work = make_workspace(*shape)
        return work._replace(
            **{
                name: self.around(array, keep=name in ("ones", "first"))
                for name, array in work._asdict().items()
                if name not in ("outer", "member")
            }
        )

    def hold(self):
        """Whether nobody has touched the guards."""
        guards = [edge for memory in self.memory for edge in (memory[:GUARD], memory[-GUARD:])]
        return all(np.isnan(guard).all() if guard.dtype == np.float32 else (guard == -1).all() for guard in guards)


make_workspace, make_exchange = examples.workspace, examples.exchange_of


@pytest.mark.parametrize("n_parts", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 9])
@pytest.mark.parametrize("activation", ["Rectifier", "Maxout"])
@pytest.mark.parametrize(
    ("n_outputs", "hidden", "columns"),
    [
        (2, (1,), "levels"),
        (2, (1, 1), "numbers"),
        (16, (3,), "both"),
        (17, (33, 2), "both"),
        (4, (), "levels"),
        (4, (2, 50), "numbers"),
        (3, (20,), "sparse"),
    ],
)
def test_kernels_keep_to_their_own_memory(n_outputs, hidden, columns, activation, batch_size, n_parts, monkeypatch):
    data = table(20, "cross-entropy of 2")
    if columns == "levels":
        data = data._replace(numbers=data.numbers[:, :0])
    elif columns == "numbers":
        data = data._replace(levels=data.levels[:, :0])
    elif columns == "sparse":
        data = without_zeros(data)
    n_inputs = {"levels": sum(LEVELS), "numbers": N_NUMERIC}.get(columns, N_INPUTS)
    loss = "cross-entropy of 2"
    net = network(loss, activation, hidden, n_inputs=n_inputs, n_outputs=n_outputs)
    goal, how = objective(loss, activation, hidden, input_dropout=0.1), rule(adaptive=True, max_w2=0.7)
    fences = Fences()
    flats = {name: fences.around(getattr(net, name)) for name in ("theta", "first", "second", "activity")}
    fenced = dataclasses.replace(net, **flats, iterate=flats["theta"])
    train(net, goal, how, data, batch_size=batch_size, n_parts=n_parts)
    outputs = predict(net, goal, data)

    monkeypatch.setattr(examples, "workspace", fences.workspace)
    monkeypatch.setattr(examples, "exchange_of", lambda *shape: fences.around(make_exchange(*shape), keep=False))
    train(fenced, goal, how, data, batch_size=batch_size, n_parts=n_parts)
    np.testing.assert_array_equal(predict(fenced, goal, data), outputs)
    for name in flats:
        np.testing.assert_array_equal(getattr(fenced, name), getattr(net, name))
    assert fences.hold()
