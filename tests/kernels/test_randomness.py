"""Random numbers depend on their counters only, and otherwise look random."""

import naive
import numpy as np
import pytest
from examples import from_python

from h2olite.kernels import randomness

stream, uniform = map(from_python, (randomness.stream, randomness.uniform))


def draw(seed, row, layer, n):
    start = np.uint64(stream(np.uint64(seed), row, layer))
    return np.array([uniform(start, index) for index in range(n)])


def correlation(one, other):
    return abs(np.corrcoef(one, other)[0, 1])


def test_numbers_are_uniform_from_zero_to_below_one():
    drawn = np.sort(draw(seed=1, row=0, layer=0, n=20_000))
    assert drawn[0] >= 0
    assert drawn[-1] < 1
    # Kolmogorov's distance exceeds 1.95 / sqrt(n) once in a thousand seeds.
    assert abs(drawn - np.linspace(0, 1, drawn.size)).max() < 1.95 / np.sqrt(drawn.size)


def test_same_counter_gives_the_same_number():
    np.testing.assert_array_equal(draw(5, 6, 7, 8), draw(5, 6, 7, 8))


@pytest.mark.parametrize("counter", [(0, 0, 0), (1, 2, 3), (2**64 - 1, 10**12, 9)])
def test_numbers_are_those_of_the_written_formula(counter):
    np.testing.assert_array_equal(draw(*counter, n=5), naive.uniform(*counter, n=5))


@pytest.mark.parametrize("other", [(2, 10, 1), (1, 11, 1), (1, 10, 2)], ids=["seed", "row", "layer"])
def test_streams_that_differ_in_one_counter_are_uncorrelated(other):
    n = 5000
    one, other = draw(1, 10, 1, n + 1), draw(*other, n + 1)
    # A correlation of independent numbers has the standard deviation 1 / sqrt(n).
    for shifted in (other[:-1], other[1:]):
        assert correlation(one[:-1], shifted) < 4 / np.sqrt(n)


def test_consecutive_numbers_are_uncorrelated_along_units_rows_and_layers():
    cube = np.array([[naive.uniform(1, row, layer, 20) for layer in range(10)] for row in range(50)])
    for axis in range(3):
        numbers = np.moveaxis(cube, axis, 0)
        assert correlation(numbers[:-1].ravel(), numbers[1:].ravel()) < 4 / np.sqrt(numbers[1:].size)
