import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from data.damage import whole

import h2olite
from h2olite.data.frames import as_table
from h2olite.data.reader import read_table
from h2olite.errors import DataError

N_MUTANTS = 60


@pytest.mark.parametrize("kind", ["arrow", "arrows", "feather", "parquet"])
def test_damaged_tables_are_refused_or_read_and_end_no_process(kind):
    path = Path(__file__).with_name("damage.py")
    done = subprocess.run(
        [sys.executable, path, kind, "0", str(N_MUTANTS)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, "wrong" in done.stdout) == (0, False), done.stdout[-1000:] + done.stderr[-1000:]
    assert done.stdout.split()[-1] == str(N_MUTANTS - 1)


def with_data(arrow_type, *buffers, n=4, **more):
    """A table of one column that says what it likes of its memory."""
    array = pa.Array.from_buffers(arrow_type, n, [None, *map(pa.py_buffer, buffers)], **more)
    return pa.table({"a": array, "b": pa.array([1.0] * n)})


ENDS = b"".join(i.to_bytes(4, "little") for i in range(5))
BACK = b"".join(i.to_bytes(4, "little") for i in (0, 3, 1, 2, 4))
DAMAGED = {
    "offsets that go back": with_data(pa.string(), BACK, b"abcd"),
    "bytes that are no UTF-8": with_data(pa.string(), ENDS, b"ab\xff\xfe"),
    "an index behind the dictionary": pa.table(
        {"a": pa.DictionaryArray.from_arrays(pa.array([0, 1, 900, -7], pa.int32()), ["x", "y"], safe=False)}
    ),
    "a decimal of too many digits": with_data(pa.decimal128(3, 0), b"\x7f" * 64),
}


def streamed(table, new, path):
    """A file of a table; writing does not look at the memory that it says."""
    with new(path, table.schema) as writer:
        writer.write_table(table)
    return path


class Foreign:
    """A table of another library, which Arrow's interface gives."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


DOORS = {
    "table": lambda table: table,
    "record batch": lambda table: table.to_batches()[0],
    "other library": Foreign,
    "mapping": lambda table: dict(zip(table.column_names, table.columns, strict=True)),
    "arrays": lambda table: {name: table[name].chunk(0) for name in table.column_names},
    "pandas": lambda table: pd.DataFrame(
        {name: pd.array(table[name], dtype=pd.ArrowDtype(table[name].type)) for name in table.column_names}
    ),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("fault", DAMAGED)
def test_columns_that_point_outside_their_memory_are_refused_in_every_frame(fault, door):
    with pytest.raises(DataError, match=r"^training_frame is damaged: "):
        as_table(door(DAMAGED[fault]))


@pytest.mark.parametrize("fault", DAMAGED)
def test_columns_that_point_outside_their_memory_are_refused_in_files(tmp_path, fault):
    path = streamed(DAMAGED[fault], pa.ipc.new_file, str(tmp_path / "t.arrow"))
    with pytest.raises(DataError, match=r"^t\.arrow cannot be read, it is damaged or of another format: "):
        read_table(path)


def test_bytes_in_a_binary_column_that_are_no_text_are_refused(tmp_path):
    table = pa.table({"a": [b"x", b"\xff"], "y": [1.0, 2.5]})
    with pytest.raises(DataError, match=r"column 'a' of training_frame must hold numbers, text, .* UTF8"):
        h2olite.deeplearning(y="y", training_frame=table, hidden=[3], epochs=1)
    path = streamed(table, pa.ipc.new_stream, str(tmp_path / "t.arrows"))
    with pytest.raises(DataError, match=r"column 'a' of t\.arrows must hold numbers, text, "):
        read_table(path)


@pytest.mark.parametrize("kind", ["arrow", "arrows", "feather"])
def test_names_that_are_no_utf_8_are_refused(tmp_path, kind):
    path = tmp_path / f"t.{kind}"
    path.write_bytes(whole(kind).replace(b"number", b"num\xff\xfer"))
    with pytest.raises(DataError, match=rf"^t\.{kind} cannot be read, it is damaged or of another format: "):
        read_table(path)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows"])
def test_damaged_tables_on_standard_input_are_refused(piped, kind):
    data = whole(kind).replace(b"word3\xc3\xa9", b"word3\xff\xff")
    piped(data)
    with pytest.raises(DataError, match=r"^(column 'text' of )?standard input .*UTF"):
        read_table("-")
