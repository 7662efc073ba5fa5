from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import h2olite
from h2olite.data.table import Column, Table, forced_kinds
from h2olite.errors import DataError, ParameterError

NUMBERS = Column(np.array([3.0, 10.0, np.nan, 0.5]))
WORDS = Column(np.array([1, 0, -1, 1], np.int32), ("7", "x"))


def table():
    return Table("train.csv", {"size": NUMBERS, "shape": WORDS}, 4, lambda row: f"line {row + 2}")


def test_a_column_knows_its_kind():
    assert [NUMBERS.kind, WORDS.kind, Column(np.zeros(1), is_time=True).kind] == ["numeric", "categorical", "time"]


def test_distinct_numbers_become_levels_without_a_needless_point():
    column = Column(np.array([10.0, 2.0, np.nan, 2.0])).as_categorical()
    assert column.levels == ("2", "10")
    assert column.values.tolist() == [1, 0, -1, 0]
    assert column.values.dtype == np.int32


def test_numbers_with_fractions_become_levels_as_python_spells_them():
    assert NUMBERS.as_categorical().levels == ("0.5", "10", "3")


def test_an_unknown_column_is_refused_with_the_nearest_name():
    with pytest.raises(DataError, match=r"^train.csv has no column 'shapes'; did you mean 'shape'\?$"):
        table()["shapes"]


def test_taken_rows_keep_their_place_in_the_file():
    taken = table().take(np.array([3, 0])).take(np.array([True, False]))
    assert taken.n_rows == 1
    assert taken["size"].values.tolist() == [0.5]
    assert taken["shape"].levels == ("7", "x")
    assert taken.place(0) == "line 5"


def test_levels_that_spell_numbers_convert_to_them():
    spelled = Table("t", {"a": Column(np.array([1, -1, 0], np.int32), ("7", " 1.5 "))}, 3)
    column = spelled.convert({"a": "numeric"})["a"]
    assert column.kind == "numeric"
    np.testing.assert_array_equal(column.values, [1.5, np.nan, 7.0])


def test_text_in_a_numeric_column_is_refused_with_its_count_and_first_place():
    message = (
        r"^column 'shape' of train.csv: 2 values are not numbers \(first: 'x', line 2\); "
        r"correct it or make it missing \(--na-string x\)\.$"
    )
    with pytest.raises(DataError, match=message):
        replace(table(), csv={}).convert({"shape": "numeric"})


@pytest.mark.parametrize("kind", ["pandas", "arrow", "parquet"])
def test_advice_names_no_option_of_csv_for_a_table_of_another_kind(kind, tmp_path):
    frame = pd.DataFrame({"a": ["1", "x"], "y": [1.0, 2.0]})
    frame.to_parquet(tmp_path / "a.parquet")
    source = {"pandas": frame, "arrow": pa.Table.from_pandas(frame), "parquet": tmp_path / "a.parquet"}[kind]
    with pytest.raises(DataError, match=r"'x', row 1\); correct it or make it missing\.$"):
        h2olite.deeplearning(y="y", training_frame=source, numeric=["a"])


def test_unused_levels_need_not_be_numbers():
    column = Table("t", {"a": Column(np.array([0], np.int32), ("7", "x"))}, 1).convert({"a": "numeric"})["a"]
    assert column.values.tolist() == [7.0]


def test_converting_leaves_the_table_as_it_was():
    original = table()
    original.convert({"size": "categorical"})
    assert original["size"].kind == "numeric"


def test_a_column_cannot_be_forced_both_ways():
    assert forced_kinds(["a"], ["b"]) == {"a": "categorical", "b": "numeric"}
    with pytest.raises(ParameterError, match="'a' cannot be in both factors and numeric"):
        forced_kinds(["a"], ["a"])
