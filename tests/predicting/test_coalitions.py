"""Coalitions and their weights give Shapley values of any game."""

import itertools
import math

import numpy as np
import pytest

from h2olite.predicting.coalitions import Coalitions


def game(n_groups):
    """A value for every coalition, by its members."""
    values = np.random.default_rng(n_groups).standard_normal(2**n_groups)
    return lambda members: values[(np.asarray(members, int) << np.arange(n_groups)).sum(axis=-1)]


def by_orders(value, n_groups, orders):
    """The mean change of the value when a group joins those before it in an order."""
    found = np.zeros(n_groups)
    for order in orders:
        members = np.zeros(n_groups, int)
        for group in order:
            before = value(members)
            members[group] = 1
            found[group] += value(members) - before
    return found / len(orders)


@pytest.mark.parametrize("n_groups", [1, 2, 3, 6])
def test_all_coalitions_give_the_mean_over_all_orders(n_groups):
    members, weights = Coalitions.all_of(n_groups)
    value = game(n_groups)
    orders = list(itertools.permutations(range(n_groups)))
    assert len(orders) == math.factorial(n_groups)
    assert weights @ value(members) == pytest.approx(by_orders(value, n_groups, orders))


def test_random_orders_give_the_mean_over_them_and_their_reverses():
    members, weights = Coalitions.of_orders(5, 4, np.random.default_rng(3))
    random = np.random.default_rng(3)
    orders = [random.permutation(5) for _ in range(4)]
    value = game(5)
    expected = by_orders(value, 5, [*orders, *(order[::-1] for order in orders)])
    assert weights @ value(members) == pytest.approx(expected)


@pytest.mark.parametrize("coalitions", [Coalitions.all_of(4), Coalitions.of_orders(4, 1, np.random.default_rng(0))])
def test_the_shares_add_up_to_the_value_of_all_over_that_of_none(coalitions):
    value = game(4)
    total = value(np.ones(4)) - value(np.zeros(4))
    assert (coalitions.weights @ value(coalitions.members)).sum() == pytest.approx(total)
