import datetime
import decimal
import sys
import types

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from h2olite.data.frames import as_table
from h2olite.errors import DataError

NAN = np.nan


def column(values, **kwargs):
    return as_table(pa.table({"a": values}), **kwargs)["a"]


@pytest.mark.parametrize(
    "arrow_type",
    [pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.decimal128(5, 2), pa.decimal256(5, 2)],
    ids=str,
)
def test_every_type_of_number_is_float64(arrow_type):
    found = column(pa.array([1.0, None, 3.0]).cast(arrow_type))
    assert found.kind == "numeric"
    assert found.values.dtype == np.float64
    np.testing.assert_array_equal(found.values, [1.0, NAN, 3.0])


@pytest.mark.parametrize(
    "arrow_type",
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.dictionary("int8", "string")],
    ids=str,
)
def test_every_type_of_text_is_categorical(arrow_type):
    found = column(pa.array(["a", None, "b", "a"]).cast(arrow_type))
    assert found.levels == ("a", "b")
    assert found.values.dtype == np.int32
    assert found.values.tolist() == [0, -1, 1, 0]


def test_levels_of_text_are_sorted_by_code_point():
    assert column(["b", "é", "B", "10", "9"]).levels == ("10", "9", "B", "b", "é")


@pytest.mark.parametrize("dictionary", [["z", "b", "a"], [3, 1, 2], [0.5, 1.0, -1.0]])
def test_dictionaries_keep_their_order_and_unused_values(dictionary):
    found = column(pa.DictionaryArray.from_arrays(pa.array([2, 1, None]), pa.array(dictionary)))
    assert found.levels == tuple(str(value).removesuffix(".0") for value in dictionary)
    assert found.values.tolist() == [2, 1, -1]


def test_chunks_with_different_dictionaries_share_their_levels():
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", "a"]).dictionary_encode()]
    found = column(pa.chunked_array(chunks))
    assert [found.levels[i] for i in found.values] == ["b", "a", "c", "a"]


def test_booleans_have_both_levels_even_if_one_is_never_used():
    found = column([True, None, True])
    assert found.levels == ("False", "True")
    assert found.values.tolist() == [1, -1, 1]


def test_booleans_can_be_forced_to_numbers():
    assert column([True, False], numeric=["a"]).values.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([datetime.date(1970, 1, 2), None]),
        pa.array([datetime.datetime(1970, 1, 2), None], pa.timestamp("ns")),
        pa.array([datetime.datetime(1970, 1, 2), None], pa.timestamp("s", "Europe/Berlin")),
    ],
    ids=lambda values: str(values.type),
)
def test_times_are_milliseconds_since_the_epoch(values):
    found = column(values)
    assert found.kind == "time"
    np.testing.assert_array_equal(found.values, [86_400_000.0, NAN])


def test_durations_are_plain_milliseconds():
    found = column(pa.array([datetime.timedelta(seconds=2)]))
    assert (found.kind, found.values.tolist()) == ("numeric", [2000.0])


def test_a_column_of_nothing_but_missing_values_is_numeric():
    assert column(pa.nulls(2)).kind == "numeric"
    assert column(pa.nulls(2), factors=["a"]).levels == ()


def test_run_length_encoded_columns_are_read():
    assert column(pa.RunEndEncodedArray.from_arrays([2, 3], [5, 7])).values.tolist() == [5.0, 5.0, 7.0]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([10, 2, None], ("2", "10")),
        ([2**60, 2**60 + 1], (str(2**60), str(2**60 + 1))),
        ([10.0, 2.0], ("2", "10")),
        ([0.5, 2.0], ("0.5", "2")),
        (["10", "2"], ("2", "10")),
        (["10", "2x"], ("10", "2x")),
        ([decimal.Decimal("1.50")], ("1.5",)),
    ],
)
def test_forced_factors_are_ordered_by_number_if_all_levels_are_integers(values, levels):
    assert column(pa.array(values), factors=["a"]).levels == levels


def test_text_that_spells_numbers_can_be_forced_to_numbers():
    np.testing.assert_array_equal(column(["1", " 2.5", None], numeric=["a"]).values, [1.0, 2.5, NAN])


def test_text_in_a_numeric_column_is_refused_with_its_row():
    with pytest.raises(DataError, match=r"'a' of valid: 1 value is not a number \(first: 'x', row 1\)"):
        column(["1", "x"], numeric=["a"], name="valid")


def test_a_nested_column_is_refused_by_name():
    with pytest.raises(DataError, match=r"column 'a' of training_frame must hold numbers, .*; got list<.*int64>"):
        column([[1], [2]])


def test_bytes_that_are_no_text_are_refused_by_name():
    with pytest.raises(DataError, match="column 'a' of training_frame must hold"):
        column([b"\xff"])


def test_repeated_names_are_refused():
    with pytest.raises(DataError, match="training_frame must name every column once; got 'a' 2 times"):
        as_table(pa.table([[1], [2]], names=["a", "a"]))
    with pytest.raises(DataError, match="got 'a' 2 times"):
        as_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_frame_without_rows_is_refused():
    with pytest.raises(DataError, match="training_frame has no rows"):
        as_table(pd.DataFrame({"a": []}))


def test_an_unknown_factor_is_refused_with_the_nearest_name():
    with pytest.raises(DataError, match=r"training_frame has no column 'Age'; did you mean 'age'\?"):
        as_table({"age": [1]}, factors=["Age"])


def test_pandas_columns_of_every_kind():
    frame = pd.DataFrame(
        {
            "float": [1.5, NAN],
            "nullable": pd.array([1, None], dtype="Int64"),
            "text": ["x", None],
            "object": pd.Series(["x", NAN], dtype=object),
            "category": pd.Categorical(["b", None], categories=["b", "a"]),
            "numbers": pd.Categorical([10, 2], categories=[10, 2, 5]),
            "bool": [True, False],
            "time": pd.to_datetime(["1970-01-01 00:00:01", None]),
            "sparse": pd.arrays.SparseArray([0.0, 2.0]),
            7: [1, 2],
        }
    ).set_axis([5, 5])
    before = frame.copy()
    table = as_table(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert table.n_rows == 2
    assert table.names == [*frame.columns[:-1], "7"]
    levels = {name: table[name].levels for name in table.names if table[name].is_categorical}
    assert levels == {
        "text": ("x",),
        "object": ("x",),
        "category": ("b", "a"),
        "numbers": ("10", "2", "5"),
        "bool": ("False", "True"),
    }
    np.testing.assert_array_equal(table["float"].values, [1.5, NAN])
    np.testing.assert_array_equal(table["nullable"].values, [1.0, NAN])
    np.testing.assert_array_equal(table["time"].values, [1000.0, NAN])
    np.testing.assert_array_equal(table["sparse"].values, [0.0, 2.0])


@pytest.mark.parametrize("values", [[1, "x"], [1j, 2j], [{"b": 1}, 2]], ids=str)
def test_a_pandas_column_of_no_one_type_is_refused_by_name(values):
    with pytest.raises(DataError, match="column 'a' of training_frame must hold values of one type"):
        as_table(pd.DataFrame({"a": pd.Series(values)}))


def test_polars_frames_keep_the_order_of_enums():
    frame = pl.DataFrame(
        {"enum": pl.Series(["b", "a"], dtype=pl.Enum(["z", "b", "a"])), "text": ["y", "x"], "number": [1, None]}
    )
    table = as_table(frame)
    assert table["enum"].levels == ("z", "b", "a")
    assert table["text"].levels == ("x", "y")
    np.testing.assert_array_equal(table["number"].values, [1.0, NAN])


def test_a_record_batch_is_a_frame():
    assert as_table(pa.record_batch({"a": [1, 2]}))["a"].values.tolist() == [1.0, 2.0]


def test_a_dict_may_hold_lists_and_arrays_of_any_library():
    table = as_table(
        {"list": [1, None], "numpy": np.array(["x", "y"]), "arrow": pa.array([1, 2]), "polars": pl.Series([1, 2])}
    )
    np.testing.assert_array_equal(table["list"].values, [1.0, NAN])
    assert table["numpy"].levels == ("x", "y")
    assert table["arrow"].values.tolist() == table["polars"].values.tolist() == [1.0, 2.0]


def test_frames_are_read_while_another_thread_is_importing_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", types.ModuleType("pandas"))
    assert as_table({"x": pa.array([1, 2])}, name="t").n_rows == 2


@pytest.mark.parametrize("cell", ["xy", b"xy", 3, 2.5, True, None, np.float64(3), np.array(3), np.str_("xy")])
def test_a_single_value_is_no_column_of_a_training_frame(cell):
    with pytest.raises(DataError, match=r"^column 'a' of t must be an array or a list of values; got .*; put it in a"):
        as_table({"a": cell, "b": [1, 2]}, name="t")


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="must be equally long; got 2 rows of 'a' and 1 of 'b'"):
        as_table({"a": [1, 2], "b": [1]})


def test_the_columns_of_a_matrix_are_numbered_from_one():
    table = as_table(np.array([[1, 2], [3, 4]], np.float32))
    assert table.names == ["C1", "C2"]
    assert table["C2"].values.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("frame", "got"),
    [(np.zeros(3), r"ndarray of shape \(3,\)"), ([1, 2], "list"), (None, "NoneType"), (pd.Series([1]), "Series")],
    ids=["vector", "list", "None", "Series"],
)
def test_what_is_no_frame_is_refused(frame, got):
    with pytest.raises(DataError, match=rf"^training_frame must be a DataFrame, .* or a path; got {got}\.$"):
        as_table(frame)


def test_a_table_stays_itself_but_for_forced_columns():
    table = as_table({"a": [1, 2]})
    assert as_table(table)["a"] is table["a"]
    assert as_table(table, factors=["a"])["a"].levels == ("1", "2")


def test_a_path_is_read(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("a,b\n01,x\n")
    table = as_table(path, factors=["a"])
    assert (table.name, table["a"].levels) == ("train.csv", ("01",))
    assert as_table(str(path)).names == ["a", "b"]
