import numpy as np
import pytest

from h2olite.data.adaptation import Adaptation
from h2olite.data.roles import row_offsets, row_weights
from h2olite.data.table import Column, Table
from h2olite.errors import DataError


def table_of(**columns):
    """A table of one column, whose rows are lines of a file."""
    ((name, values),) = columns.items()
    column = values if isinstance(values, Column) else Column(np.array(values, np.float64))
    return Table("t.csv", {name: column}, len(column.values), lambda row: f"line {row + 2}")


def test_weights_are_the_columns_numbers():
    np.testing.assert_array_equal(row_weights(table_of(w=[0, 2.5, 1]), "w"), [0, 2.5, 1])


def test_offsets_may_have_any_sign():
    np.testing.assert_array_equal(row_offsets(table_of(o=[-3, 0, 0.5]), "o"), [-3, 0, 0.5])


def test_weights_whose_sum_is_beyond_all_numbers_are_refused():
    with pytest.raises(DataError, match=r"^weights_column 'w' of t\.csv must have a finite sum; .* 1e\+308: divide"):
        row_weights(table_of(w=[1e308, 1e308, 1]), "w")
    np.testing.assert_array_equal(row_weights(table_of(w=[1e308, 1, 0]), "w"), [1e308, 1, 0])


@pytest.mark.parametrize("read", [row_weights, row_offsets])
def test_without_a_column_there_are_none(read):
    assert read(table_of(x=[1]), None) is None


@pytest.mark.parametrize(
    ("weights", "found"), [([1, -2], "-2 in line 3"), ([np.nan, 1], "a missing value in line 2"), ([np.inf], "inf")]
)
def test_weights_other_than_finite_numbers_from_zero_up_are_refused(weights, found):
    with pytest.raises(DataError, match=rf"^weights_column 'w' of t\.csv must hold finite numbers >= 0; got {found}"):
        row_weights(table_of(w=weights), "w")


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(DataError, match=r"^weights_column 'w' of t\.csv must have a weight above 0; all are 0\.$"):
        row_weights(table_of(w=[0, 0]), "w")


@pytest.mark.parametrize(("offsets", "found"), [([1, np.nan], "a missing value in line 3"), ([-np.inf], "-inf in")])
def test_offsets_that_are_not_finite_are_refused(offsets, found):
    with pytest.raises(DataError, match=rf"^offset_column 'o' of t\.csv must hold finite numbers; got {found}"):
        row_offsets(table_of(o=offsets), "o")


@pytest.mark.parametrize(("read", "role"), [(row_weights, "weights_column"), (row_offsets, "offset_column")])
def test_text_is_refused(read, role):
    text = Column(np.array([0, 1], np.int32), levels=("high", "low"))
    with pytest.raises(
        DataError, match=rf"^{role} 'c' of t\.csv must be numeric; it is categorical \(such as 'high'\)"
    ):
        read(table_of(c=text), "c")


def test_weights_that_a_table_to_measure_on_lacks_are_one_with_a_warning():
    adaptation = Adaptation("t.csv")
    assert row_weights(table_of(x=[1, 2]), "w", adaptation) is None
    assert adaptation.warnings() == ["t.csv has no weights_column 'w'; all its rows are given weight 1."]


def test_offsets_that_a_table_lacks_are_an_error():
    with pytest.raises(DataError, match=r"^t\.csv has no offset_column 'o', which the model adds; give a table with"):
        row_offsets(table_of(x=[1, 2]), "o")
