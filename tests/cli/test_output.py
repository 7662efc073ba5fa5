import io
import types
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h2olite.data.reader import read_table
from h2olite.errors import DataError
from h2olite_cli.output import (
    RESULT_FORMATS,
    Destination,
    destination,
    write_table,
)
from h2olite_cli.places import refuse_unwritable


def block(labels, numbers):
    return pa.table({"predict": pa.array(labels).dictionary_encode(), "a,b": numbers})


BLOCKS = [block(["x", None], [0.1, 2.0]), block(['say "y"'], [np.nan])]


def test_csv_quotes_only_what_needs_it(tmp_path):
    assert write_table(BLOCKS, destination(tmp_path / "out.csv")) == 3
    assert (tmp_path / "out.csv").read_text() == 'predict,"a,b"\nx,0.1\n,2\n"say ""y""",nan\n'


@pytest.mark.parametrize("name", ["out.parquet", "out.arrow", "out.feather"])
def test_binary_formats_hold_all_blocks(tmp_path, name):
    blocks = [BLOCKS[0], BLOCKS[0]]
    write_table(blocks, destination(tmp_path / name))
    if name.endswith("parquet"):
        read = pq.read_table(tmp_path / name)
    else:
        with pa.OSFile(str(tmp_path / name)) as file:
            read = pa.ipc.open_file(file).read_all()
    assert read.to_pydict() == pa.concat_tables(blocks).to_pydict()


def test_error_half_way_leaves_the_old_file_and_nothing_else(tmp_path):
    def failing():
        yield BLOCKS[0]
        raise DataError("row 3 is bad.")

    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(DataError, match="row 3 is bad"):
        write_table(failing(), destination(tmp_path / "out.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "old"


def test_target_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*/none to write m into; make it first"):
        refuse_unwritable(tmp_path / "none" / "m")


@pytest.mark.parametrize(("target", "what"), [("/", "folder"), ("/dev/null", "device")])
def test_target_that_is_no_file_is_refused(target, what):
    with pytest.raises(FileExistsError, match=f"^{target} is a {what}; name a file to write"):
        refuse_unwritable(Path(target))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where nobody can write files")
def test_target_in_an_unwritable_folder_is_refused():
    with pytest.raises(PermissionError, match=r"^the folder /proc is not writable .*; choose another"):
        refuse_unwritable(Path("/proc/m"))


def test_unknown_extension_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"out.xlsx: the extension must be one of .csv, .csv.gz, .* or name a --format"):
        destination(tmp_path / "out.xlsx", None)
    with pytest.raises(DataError, match=r"must be one of [^;]*\.arrows\.$"):
        destination(tmp_path / "out.xlsx")


@pytest.mark.parametrize(
    ("name", "to", "expected"),
    [
        ("out.CSV", None, ".csv"),
        ("model.1.csv", None, ".csv"),
        ("out.csv.gz", None, ".csv.gz"),
        ("out.parquet", None, ".parquet"),
        ("out.dat", "arrows", ".arrows"),
        ("out.csv", "parquet", ".parquet"),
        (None, "csv.gz", ".csv.gz"),
        (None, None, ".csv"),
    ],
)
def test_a_format_asked_for_comes_before_the_extension(tmp_path, name, to, expected):
    assert destination(name and tmp_path / name, to).format == expected


@pytest.mark.parametrize("extension", RESULT_FORMATS)
def test_what_is_written_can_be_read_again(tmp_path, extension):
    path = tmp_path / f"out{extension}"
    write_table(BLOCKS, destination(path))
    table = read_table(path)
    assert table["a,b"].values.tolist()[:2] == [0.1, 2.0]
    assert table["predict"].levels is not None


@pytest.mark.parametrize("extension", RESULT_FORMATS)
def test_standard_output_holds_what_a_file_would(capfdbinary, monkeypatch, extension):
    write_table(BLOCKS, Destination(None, extension))
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(capfdbinary.readouterr().out)))
    assert read_table("-")["a,b"].values.tolist()[:2] == [0.1, 2.0]


def test_an_error_half_way_puts_no_parquet_on_standard_output(capfdbinary):
    def failing():
        yield BLOCKS[0]
        raise DataError("row 3 is bad.")

    with pytest.raises(DataError, match="row 3 is bad"):
        write_table(failing(), Destination(None, ".parquet"))
    assert capfdbinary.readouterr().out == b""
