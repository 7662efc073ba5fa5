import datetime
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import h2olite
from h2olite.data.frames import as_table
from h2olite.data.reader import read_blocks

QUICK = {"hidden": [3], "epochs": 1, "seed": 1}
COUNTS = np.arange(1, 41)


def every_door(array, folder):
    """A column of an Arrow array by every way into the package."""
    table = pa.table({"t": array, "y": np.linspace(0, 1, len(array))})
    pq.write_table(table, folder / "t.parquet")
    feather.write_feather(table, folder / "t.feather")
    yield from (table, table.to_pandas(), table.to_pandas(types_mapper=pd.ArrowDtype), pl.DataFrame(table))
    yield from (folder / "t.parquet", folder / "t.feather", {"t": array, "y": table["y"].to_numpy()})


@pytest.mark.parametrize(
    ("arrow_type", "per_ms"),
    [
        (pa.duration("us"), 1e3),
        (pa.duration("ns"), 1e6),
        (pa.time64("us"), 1e3),
        (pa.time64("ns"), 1e6),
        (pa.timestamp("us"), 1e3),
        (pa.timestamp("ns", "UTC"), 1e6),
        (pa.timestamp("ms"), 1),
        (pa.duration("s"), 1e-3),
    ],
    ids=str,
)
def test_times_shorter_than_a_millisecond_keep_their_fractions_by_every_door(tmp_path, arrow_type, per_ms):
    counts = COUNTS * 1000 if arrow_type == pa.time64("ns") else COUNTS  # Python's times of day have microseconds
    for frame in every_door(pa.array(counts, pa.int64()).cast(arrow_type), tmp_path):
        np.testing.assert_allclose(as_table(frame)["t"].values, counts / per_ms, rtol=1e-15)
    model = h2olite.deeplearning(y="y", training_frame=frame, **QUICK)
    assert model.record.warnings == []
    assert list(model.schema) == ["t"]


def test_fractions_of_text_times_and_of_missing_ones_are_kept(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("t,d\n1970-01-01 00:00:00.000250,1\n,2\n1970-01-01 00:00:00.000500,3\n")
    np.testing.assert_array_equal(as_table(path)["t"].values, [0.25, np.nan, 0.5])
    frame = {"t": np.array([250, "NaT", 500], "m8[us]"), "s": pd.array([None, 1, 2]).astype("timedelta64[ns]")}
    np.testing.assert_array_equal(as_table(frame)["t"].values, [0.25, np.nan, 0.5])


def test_times_of_day_in_csv_keep_their_fractions_whole_and_in_blocks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("t,s\n12:00:00.5,a\n00:00:00.000250,\n,b\n00:01,12:00:00.5\n")
    expected = [43_200_500.0, 0.25, np.nan, 60_000.0]
    table = as_table(path)
    np.testing.assert_array_equal(table["t"].values, expected)
    assert (table["t"].kind, table["s"].kind) == ("time", "categorical")
    (block,) = read_blocks(path, {"t": "time"})
    np.testing.assert_array_equal(block.table["t"].values, expected)
    assert as_table(path, factors=["t"])["t"].kind == "categorical"


def test_microseconds_of_our_days_stay_apart():
    now = np.datetime64("2026-11-26T12:00:00", "us")
    table = as_table({"t": now + np.arange(1000)})
    assert np.unique(table["t"].values).size == 1000
    assert table.remarks == ()
    before = as_table({"t": np.datetime64("1960-01-01", "us") - np.arange(3)})["t"].values
    np.testing.assert_allclose(np.diff(before), -1e-3, rtol=0.2)


@pytest.mark.parametrize(
    ("values", "n_left"),
    [
        (pa.array([2**53 + i for i in range(40)]), 21),
        (pa.array([2**63 + i for i in range(40)], pa.uint64()), 1),
        (pa.array([Decimal(10**20 + i) for i in range(40)]), 1),
        (pa.array([-(2**60) - 1, -(2**60)] * 20), 1),
    ],
    ids=["int64", "uint64", "decimal", "negative"],
)
def test_whole_numbers_that_become_equal_are_told_by_every_door(tmp_path, values, n_left):
    n_exact = len(set(values.to_pylist()))
    doors = list(every_door(values, tmp_path))
    path = tmp_path / "t.csv"
    path.write_text("t,y\n" + "".join(f"{value},{i}\n" for i, value in enumerate(values.to_pylist())))
    for frame in [*doors, path]:
        (remark,) = as_table(frame).remarks
        assert remark.column == "t"
        assert (
            f"{n_exact} different values have become {n_left}; name it in factors if they are labels" in remark.sentence
        )
        assert as_table(frame, factors=["t"]).remarks == ()
    with warnings.catch_warnings(record=True, action="always") as told:
        h2olite.deeplearning(y="y", x=["t", "x"], training_frame=with_another(path), **QUICK)
    assert str(told[0].message).startswith("column 't' of t.csv holds whole numbers beyond 2^53")
    assert len(told) == 1 + (n_left == 1)  # the second one says that it is constant, and so left out


def with_another(path):
    """The same file with a column more."""
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},x", *(f"{line},{i % 7}" for i, line in enumerate(lines[1:]))]))
    return path


def test_whole_numbers_are_told_where_only_the_end_of_a_long_csv_has_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("t,y\n" + "1,2\n" * 400_000 + "9007199254740993,3\n9007199254740992,4\n")
    (remark,) = as_table(path).remarks
    assert "3 different values have become 2" in remark.sentence


def test_large_numbers_that_stay_apart_are_no_matter(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1e300,9007199254740994,0.5\n-3e20,9007199254740992,12345678901234567890.25\n")
    for frame in (path, {"a": np.array([2**60, 2**61]), "b": np.array([1e300, 2e300])}, {"a": [2**53, 1]}):
        assert as_table(frame).remarks == ()


def test_nanoseconds_that_float64_cannot_tell_apart_are_told():
    start = np.datetime64("2026-11-26T12:00:00", "ns")
    (remark,) = as_table({"t": start + np.arange(100)}).remarks
    assert "holds times closer to each other than float64 can tell apart: 100 different values" in remark.sentence
    assert as_table({"t": np.arange(100).astype("m8[ns]")}).remarks == ()
    assert as_table({"t": [datetime.datetime(2026, 11, 26, 12, 0, 0, i) for i in range(9)]}).remarks == ()
