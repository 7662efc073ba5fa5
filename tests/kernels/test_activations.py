"""Exponentials and hyperbolic tangents are those of the mathematics, to two or three of float32's last digits."""

import numpy as np
import pytest
from examples import from_python

from h2olite.kernels import activations

FUNCTIONS = {
    "exp": (activations.exp, np.exp, [(-87, 87), (-1, 1)]),
    "expm1": (activations.expm1, np.expm1, [(-87, 87), (-1, 1), (-1e-3, 1e-3)]),
    "tanh": (activations.tanh, np.tanh, [(-20, 20), (-1, 1), (-1e-3, 1e-3), (-1e-30, 1e-30)]),
}


def compiled(kernel):
    """A kernel for arrays."""
    one = from_python(kernel)
    return lambda x: np.array([one(value) for value in x], np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_are_two_units_of_the_last_place_at_the_most(name):
    kernel, exact, ranges = FUNCTIONS[name]
    for low, high in ranges:
        x = np.linspace(low, high, 20_001).astype(np.float32)
        expected = exact(x.astype(np.float64))
        errors = np.abs(compiled(kernel)(x) - expected) / np.spacing(np.abs(expected).astype(np.float32))
        assert errors.max() < 2.5, (low, high)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_number_stays_none(name):
    assert np.isnan(from_python(FUNCTIONS[name][0])(np.float32(np.nan)))


def test_beyond_the_range_values_are_bounded_and_never_infinite():
    ends = np.array([-np.inf, -1e30, -200, 200, 1e30, np.inf], np.float32)
    exp, expm1, tanh = (compiled(FUNCTIONS[name][0])(ends) for name in ("exp", "expm1", "tanh"))
    np.testing.assert_array_equal(exp[:3], 0)
    np.testing.assert_allclose(exp[3:], np.exp(87), rtol=1e-6)
    np.testing.assert_array_equal(expm1[:3], -1)
    np.testing.assert_allclose(expm1[3:], np.exp(87), rtol=1e-6)
    np.testing.assert_array_equal(tanh, [-1, -1, -1, 1, 1, 1])


def test_zero_keeps_its_sign_in_tanh_as_in_the_systems_function():
    zeros = compiled(activations.tanh)(np.array([0.0, -0.0], np.float32))
    np.testing.assert_array_equal(np.signbit(zeros), [False, True])
