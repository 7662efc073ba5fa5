import numpy as np
import pytest

from h2olite.errors import ParameterError
from h2olite.kernels.lanes import LANES
from h2olite.network.topology import aligned_zeros, lay_out, workspace


def test_layers_follow_each_other_with_whole_registers_per_row():
    layout = lay_out([5, 20, 17])
    np.testing.assert_array_equal(layout.sizes, [5, 20, 17])
    np.testing.assert_array_equal(layout.padded, [16, 32, 32])
    np.testing.assert_array_equal(layout.widths, [32, 32])
    np.testing.assert_array_equal(layout.weights, [0, 6 * 32, 6 * 32 + 21 * 32])
    np.testing.assert_array_equal(layout.units, [0, 0, 32, 64])
    np.testing.assert_array_equal(layout.slopes, [0, 32, 64])
    assert layout.n_input_major == 2


def test_a_narrow_output_layer_lies_output_major():
    layout = lay_out([5, 20, 3])
    np.testing.assert_array_equal(layout.weights, [0, 6 * 32, 6 * 32 + 3 * 32 + 16])
    assert layout.n_input_major == 1
    assert lay_out([5, 3]).n_input_major == 1  # its inputs may be levels


def test_maxout_has_two_channels_in_hidden_layers_only():
    layout = lay_out([5, 20, 7, 3], maxout=True)
    np.testing.assert_array_equal(layout.widths, [64, 32, 16])
    np.testing.assert_array_equal(layout.slopes, [0, 64, 96, 112])
    np.testing.assert_array_equal(layout.units, [0, 0, 32, 48, 64])


def test_without_hidden_layers_inputs_meet_outputs():
    layout = lay_out([5, 1], maxout=True)
    np.testing.assert_array_equal(layout.widths, [16])
    np.testing.assert_array_equal(layout.weights, [0, 6 * 16])
    np.testing.assert_array_equal(layout.units, [0, 0, 16])


def test_layouts_count_in_int64():
    assert {array.dtype for array in lay_out([5, 20, 3])[:-1]} == {np.dtype(np.int64)}


@pytest.mark.parametrize("size", [0, 1, 16, 1000])
def test_aligned_zeros_start_at_a_register(size):
    numbers = aligned_zeros(size)
    assert numbers.shape == (size,)
    assert numbers.dtype == np.float32
    assert not numbers.any()
    assert numbers.flags.c_contiguous
    assert numbers.flags.writeable
    assert numbers.ctypes.data % (4 * LANES) == 0 or size == 0


def test_workspace_holds_a_mini_batch():
    work = workspace(lay_out([9, 20, 3], maxout=True), n_categorical=2, n_numeric=4, capacity=8)
    assert work.levels.shape == (8, 2)
    assert work.numbers.shape == (8, 4)
    assert work.units.size == 8 * (32 + 16)
    assert work.slopes.size == 8 * (64 + 16)


@pytest.mark.parametrize(("maxout", "total"), [(False, "100,000,201"), (True, "200,000,201")])
def test_a_network_of_more_than_a_hundred_million_parameters_is_refused(maxout, total):
    message = f"at most 100,000,000 weights and biases; got {total} with layers of 499999-200-1 units"
    with pytest.raises(ParameterError, match=message):
        lay_out([499_999, 200, 1], maxout=maxout)
    assert lay_out([9, 4_000_000, 10]).sizes.tolist() == [9, 4_000_000, 10]


def test_sizes_beyond_64_bits_are_counted_right():
    total = 4 * 2**40 + (2**40 + 1) * 2**41 + (2**41 + 1)
    with pytest.raises(ParameterError, match=f"got {total:,} with"):
        lay_out([3, 2**40, 2**41, 1])
