import bz2
import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from h2olite.data import files
from h2olite.data.csv_options import CsvOptions
from h2olite.data.reader import read_blocks, read_table
from h2olite.errors import DataError, ParameterError

NAN = np.nan


def parquet_bytes(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def arrow_bytes(**columns):
    sink = io.BytesIO()
    feather.write_feather(pa.table(columns), sink)
    return sink.getvalue()


def stream_bytes(**columns):
    sink = io.BytesIO()
    table = pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def words(column):
    """The levels of a categorical column's rows, None where missing."""
    return [None if i < 0 else column.levels[i] for i in column.values]


def test_numbers_are_numeric_and_text_is_categorical(written):
    table = read_table(written("train.csv", "a,b,c\n1,x,0.5\n,y,1e3\n-2,NA,nan\n"))
    assert (table.name, table.n_rows, table.names) == ("train.csv", 3, ["a", "b", "c"])
    np.testing.assert_array_equal(table["a"].values, [1.0, NAN, -2.0])
    assert words(table["b"]) == ["x", "y", None]
    np.testing.assert_array_equal(table["c"].values, [0.5, 1000.0, NAN])


def test_text_in_the_last_row_makes_a_column_categorical_with_its_original_spellings(written):
    rows = 200_000
    column = read_table(written("t.csv", "a\n" + "007\n1.50\n" * (rows // 2) + "late\n"))["a"]
    assert column.levels == ("007", "1.50", "late")
    assert words(column)[-2:] == ["1.50", "late"]


def test_text_in_the_last_row_of_a_numeric_column_is_refused_with_its_line(written):
    rows = 200_000
    source = written("train.csv", "age,b\n" + "30,x\n" * rows + "n/x,x\n")
    message = (
        r"^column 'age' of train.csv: 1 value is not a number \(first: 'n/x', line 200002\); "
        r"correct it or make it missing \(--na-string n/x\)\.$"
    )
    with pytest.raises(DataError, match=message):
        read_table(source, numeric=["age"])
    column = read_table(source, numeric=["age"], csv=CsvOptions(na_strings=("n/x",)))["age"]
    assert np.isnan(column.values[-1])


def test_lines_are_counted_with_blank_lines_and_line_ends_in_cells(written):
    source = written("t.csv", 'a,b\n\n1,"two\r\nlines"\n\n"x",1\n')
    with pytest.raises(DataError, match=r"first: 'x', line 6"):
        read_table(source, numeric=["a"])


def test_factors_keep_the_text_as_written(written):
    table = read_table(written("t.csv", "a,b\n01,2.50\n1,2.5\n10,x\n"), factors=["a", "b"])
    assert table["a"].levels == ("01", "1", "10")
    assert table["b"].levels == ("2.5", "2.50", "x")


def test_truth_values_of_csv_keep_their_spelling(written):
    assert read_table(written("t.csv", "a\ntrue\nFALSE\n"))["a"].levels == ("FALSE", "true")


def test_dates_and_times_are_numeric(written):
    table = read_table(
        written("t.csv", "date,time,both,zone\n1970-01-02,00:01,1970-01-01 00:00:01.5,1970-01-01T01:00Z\n")
    )
    assert {name: table[name].values.tolist() for name in table.names} == {
        "date": [86_400_000.0],
        "time": [60_000.0],
        "both": [1500.0],
        "zone": [3_600_000.0],
    }
    assert {table[name].kind for name in table.names} == {"time"}


def test_blanks_around_numbers_do_not_matter(written):
    np.testing.assert_array_equal(read_table(written("t.csv", "a,b\n 1 , 2\n3,\n4, NA\n"))["b"].values, [2.0, NAN, NAN])


def test_infinite_numbers_are_read(written):
    table = read_table(written("t.csv", "a,b\n1,inf\n-inf,2\n"))
    assert {name: table[name].values.tolist() for name in "ab"} == {"a": [1.0, -np.inf], "b": [np.inf, 2.0]}


def test_crlf_bom_and_quotes(written):
    table = read_table(written("t.csv", b'\xef\xbb\xbfa,"b ""c"""\r\n1,"x,y"\r\n2,"l1\nl2"\r\n'))
    assert table.names == ["a", 'b "c"']
    assert words(table['b "c"']) == ["x,y", "l1\nl2"]


@pytest.mark.parametrize("separator", list(",;\t|"))
def test_the_separator_is_the_most_frequent_one_outside_quotes(written, separator):
    table = read_table(
        written("t.csv", separator.join(['"a,;\t|,;\t|,;\t|"', "b", "c"]) + "\n" + separator.join("123"))
    )
    assert [column.values.item() for column in table.columns.values()] == [1.0, 2.0, 3.0]


def test_the_separator_of_tsv_is_the_tab(written):
    assert read_table(written("t.tsv", "a\tb,c,d\n1\t2\n")).names == ["a", "b,c,d"]


def test_a_separator_given_is_taken(written):
    source = written("t.csv", "a b,c\n1 2\n")
    assert read_table(source, csv=CsvOptions(separator=" ")).names == ["a", "b,c"]
    with pytest.raises(DataError, match="--sep must be one character, no quote and no line end; got '::'"):
        read_table(source, csv=CsvOptions(separator="::"))


def test_without_a_header_columns_are_numbered_and_the_first_row_counts(written):
    table = read_table(written("t.csv", "1,x\n2,y\n"), csv=CsvOptions(header=False))
    assert table.names == ["C1", "C2"]
    assert table["C1"].values.tolist() == [1.0, 2.0]
    assert table.place(1) == "line 2"


def test_strings_for_missing_come_on_top_of_the_usual_ones(written):
    table = read_table(written("t.csv", "a,b\n1,x\n-9,?\nNA,null\n"), csv=CsvOptions(na_strings=("?", "-9")))
    np.testing.assert_array_equal(table["a"].values, [1.0, NAN, NAN])
    assert words(table["b"]) == ["x", None, None]


def test_bytes_of_another_encoding_are_refused_with_line_and_way_out(written):
    source = written("t.csv", "a,b\n1,x\n2,é\n".encode("latin1"))
    with pytest.raises(DataError, match=r"^t.csv, line 3: the text must be UTF-8; .* such as --encoding latin1\.$"):
        read_table(source)
    assert words(read_table(source, csv=CsvOptions(encoding="latin1"))["b"]) == ["x", "é"]
    with pytest.raises(DataError, match="--encoding must be one that Python knows for text; got 'klingon'"):
        read_table(source, csv=CsvOptions(encoding="klingon"))


def test_utf_16_is_read(written):
    source = written("t.csv", "a,b\n1,é\n".encode("utf-16"))
    assert words(read_table(source, csv=CsvOptions(encoding="utf-16"))["b"]) == ["é"]


def test_a_very_wide_table_is_read(written):
    width = 30_000
    line = ",".join(["1.2345678901234567"] * width)
    table = read_table(written("t.csv", ",".join(f"c{i}" for i in range(width)) + f"\n{line}\n{line}\n"))
    assert (len(table.names), table.n_rows) == (width, 2)


@pytest.mark.parametrize("content", ["a,b\n", "a,b"])
def test_names_without_rows_are_no_table_to_learn_from_but_give_a_block(written, content):
    source = written("t.csv", content)
    with pytest.raises(DataError, match=r"^t.csv has no rows; a table needs at least one\.$"):
        read_table(source)
    (block,) = read_blocks(source, {"a": "numeric", "c": "numeric"}, keep=["b"])
    assert (block.table.n_rows, block.table.names, block.kept.column_names) == (0, ["a"], ["b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "^t.csv is empty; a table needs"),
        (b"\xef\xbb\xbf\n\n", "^t.csv is empty; a table needs"),
        ("a,b\n1,2\n\n3\n", r"^t.csv, line 4: every row must have 2 cells as the first one has; got 1\.$"),
        ('a,b\n"1\n",2\n3,4,5\n', r"^t.csv, line 4: every row must have 2 cells as the first one has; got 3\.$"),
        ("a,b,a\n1,2,3\n", r"^t.csv must name every column once; got 'a' 2 times: rename them\.$"),
    ],
)
def test_bad_csv_is_refused_in_one_sentence(written, content, message):
    source = written("t.csv", content)
    with pytest.raises(DataError, match=message):
        read_table(source)
    with pytest.raises(DataError, match=message):
        list(read_blocks(source, {"a": "numeric", "b": "numeric"}))


def test_a_missing_file_is_refused_with_the_nearest_name(written):
    written("train.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"^there is no file trian.csv; did you mean 'train.csv'\?$"):
        read_table("trian.csv")
    with pytest.raises(DataError, match=r"^there is no file nowhere/x\*.csv\.$"):
        read_table("nowhere/x*.csv")


def test_an_unknown_extension_is_refused(written):
    with pytest.raises(DataError, match=r"^t.xls must end in .csv, .tsv, .parquet, .*, .bz2; rename it"):
        read_table(written("t.xls", "a\n1\n"))


def test_a_file_that_may_not_be_read_is_refused(written, monkeypatch):
    def refuse(file):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.File, "open", refuse)
    with pytest.raises(DataError, match=r"^t.csv cannot be read: Permission denied\.$"):
        read_table(written("t.csv", "a\n1\n"))


def test_an_unknown_scheme_is_refused():
    with pytest.raises(DataError, match=r"^gopher://x/t.csv cannot be read"):
        read_table("gopher://x/t.csv")


def test_a_uri_is_read(written):
    source = written("t.csv", "a,b\n1,2")
    assert read_table(f"file://{source}")["b"].values.tolist() == [2.0]


def test_an_unknown_column_is_refused_with_the_nearest_name(written):
    source = written("t.csv", "age,b\n1,x\n")
    with pytest.raises(DataError, match=r"t.csv has no column 'Age'; did you mean 'age'\?"):
        read_table(source, factors=["Age"])
    with pytest.raises(DataError, match=r"t.csv has no column 'zz'"):
        read_table(source, numeric=["zz"])
    with pytest.raises(ParameterError, match="'age' cannot be in both"):
        read_table(source, factors=["age"], numeric=["age"])


COMPRESSED = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}
PLAIN = {
    "csv": b"a,b\n1,x\n2,y\n",
    "tsv": b"a\tb\n1\tx\n2\ty\n",
    "parquet": parquet_bytes(a=[1, 2], b=["x", "y"]),
    "arrow": stream_bytes(a=[1, 2], b=["x", "y"]),
    "feather": arrow_bytes(a=[1, 2], b=["x", "y"]),
}


@pytest.mark.parametrize("compression", ["", *COMPRESSED])
@pytest.mark.parametrize("form", PLAIN)
def test_every_format_and_compression_is_read_whole_and_in_blocks(written, form, compression):
    data = COMPRESSED.get(compression, bytes)(PLAIN[form])
    source = written(f"t.{form}.{compression}".rstrip("."), data)
    table = read_table(source)
    assert table["a"].values.tolist() == [1.0, 2.0]
    assert words(table["b"]) == ["x", "y"]
    blocks = list(read_blocks(source, {"b": "categorical", "a": "numeric"}, rows=1, keep=["b"]))
    assert [block.table["a"].values.tolist() for block in blocks] == [[1.0], [2.0]]
    assert [words(block.table["b"]) for block in blocks] == [["x"], ["y"]]
    assert [block.kept.to_pydict() for block in blocks] == [{"b": ["x"]}, {"b": ["y"]}]


@pytest.mark.parametrize("form", ["csv.gz", "parquet", "arrow", "feather"])
def test_a_truncated_file_is_refused(written, form):
    data = gzip.compress(np.random.default_rng(1).bytes(9999)) if form == "csv.gz" else PLAIN[form]
    source = written(f"t.{form}", data[: len(data) * 2 // 3])
    with pytest.raises(DataError, match=f"^t.{form} cannot be read"):
        read_table(source)
    with pytest.raises(DataError, match=f"^t.{form} cannot be read"):
        list(read_blocks(source, {"a": "numeric"}))


def test_members_of_a_concatenated_gzip_file_are_all_read(written):
    source = written("t.csv.gz", gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"))
    assert read_table(source)["a"].values.tolist() == [1.0, 2.0]


def test_typed_dictionaries_keep_their_order_but_text_is_sorted(written):
    dictionary = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["b", "a", "unused"]))
    table = read_table(written("t.parquet", parquet_bytes(a=dictionary, b=["y", "x"])))
    assert table["a"].levels == ("b", "a", "unused")
    assert table["b"].levels == ("x", "y")
    assert table.place(1) == "row 1"


def test_a_folder_is_one_table_of_its_files_sorted_by_name(written):
    written(
        "d/b.csv",
        "b,a\ny,2\n",
        "d/a.parquet",
        parquet_bytes(a=[1], b=["x"]),
        "d/notes.txt",
        "no table",
        "d/_skipped.csv",
        "",
    )
    table = read_table("d")
    assert (table.name, table.names) == ("d", ["a", "b"])
    assert table["a"].values.tolist() == [1.0, 2.0]
    assert words(table["b"]) == ["x", "y"]


def test_a_glob_is_one_table(written):
    written("d/a1.csv", "a\n1\n", "d/a2.csv", "a\n2\n", "d/b.csv", "a\n3\n", "e/a1.csv", "a\n4\n")
    assert read_table("d/a?.csv")["a"].values.tolist() == [1.0, 2.0]
    assert read_table("*/a1.csv")["a"].values.tolist() == [1.0, 4.0]


def test_text_in_one_file_makes_numbers_of_another_levels_as_written(written):
    written("d/a.csv", "a,b\n01,1\n", "d/b.csv", "a,b\nx,\n", "d/c.csv", "a,b\n1.0,2.5\n")
    table = read_table("d")
    assert words(table["a"]) == ["01", "x", "1.0"]
    np.testing.assert_array_equal(table["b"].values, [1.0, NAN, 2.5])
    with pytest.raises(DataError, match=r"column 'a' of d: 1 value is not a number \(first: 'x', line 2 of b.csv\)"):
        read_table("d", numeric=["a"])


def test_files_with_other_columns_are_no_part_of_a_table(written):
    written("d/a.csv", "a,b\n1,2\n", "d/b.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"same columns; a.csv has a column 'b' and b.csv has none"):
        read_table("d")


def test_a_folder_without_tables_is_refused(written):
    written("d/notes.txt", "")
    with pytest.raises(DataError, match=r"^folder d holds no table; name files .csv"):
        read_table("d")


def test_standard_input_is_csv(piped):
    piped(b"a;b\n1;x\n2;y\n")
    table = read_table("-")
    assert table.name == "standard input"
    assert words(table["b"]) == ["x", "y"]


def arrow_bytes(table, new):
    stream = io.BytesIO()
    with new(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return stream.getvalue()


@pytest.mark.parametrize("compress", [None, "gzip", "zstd", "bz2"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow file", "arrow stream"])
def test_standard_input_is_what_its_first_bytes_say(piped, kind, compress):
    table = pa.table({"PAR1": [1.5, 2.0, 3.0], "b": ["x", "y", "x"]})
    data = {
        "csv": b"PAR1,b\n1.5,x\n2,y\n3,x\n",
        "parquet": parquet_bytes(**table.to_pydict()),
        "arrow file": arrow_bytes(table, pa.ipc.new_file),
        "arrow stream": arrow_bytes(table, pa.ipc.new_stream),
    }[kind]
    if compress:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, compress) as stream:
            stream.write(data)
        data = sink.getvalue().to_pybytes()
    piped(data)
    whole = read_table("-")
    assert whole["PAR1"].values.tolist() == [1.5, 2.0, 3.0]
    assert words(whole["b"]) == ["x", "y", "x"]
    piped(data)
    blocks = list(read_blocks("-", {"PAR1": "numeric"}, rows=2, keep=["b"]))
    assert [value for block in blocks for value in block.table["PAR1"].values.tolist()] == [1.5, 2.0, 3.0]
    assert [value for block in blocks for value in block.kept["b"].to_pylist()] == ["x", "y", "x"]


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"PAR1\0", b"ARROW1\0\0", b"\xff\xff\xff\xff"])
def test_damaged_standard_input_is_an_error(piped, start):
    piped(start + b"nonsense")
    with pytest.raises(DataError, match=r"^standard input cannot be read"):
        read_table("-")


def test_long_standard_input_is_read_once_and_told_apart_by_line(piped, monkeypatch):
    monkeypatch.setattr(files, "HEAD", 10)
    data = b"a,b\n" + b"1,x\n" * 10
    piped(data)
    assert read_table("-").n_rows == 10
    piped(data)
    assert sum(block.table.n_rows for block in read_blocks("-", {"b": "categorical"}, rows=3)) == 10
    piped(data + b"y,x\n")
    with pytest.raises(DataError, match=r"'a' of standard input: 1 value is not a number \(first: 'y', line 12\)"):
        read_table("-", numeric=["a"])
    piped(data + b"1\n")
    with pytest.raises(DataError, match=r"^standard input cannot be read, .*Row #12: Expected 2 columns, got 1: 1\.$"):
        read_table("-")


def test_a_schema_forces_the_columns_that_exist(written):
    schema = {"a": "categorical", "absent": "numeric"}
    table = read_table(written("t.csv", "a,b\n01,1\n"), schema=schema)
    assert words(table["a"]) == ["01"]
    assert table["b"].kind == "numeric"


def test_blocks_match_digits_with_text_levels_and_lack_absent_columns(written):
    (block,) = read_blocks(
        written("t.csv", "a,b\n01,2\nNA, 3 \n"), {"a": "categorical", "b": "numeric", "c": "numeric"}
    )
    assert block.table.names == ["a", "b"]
    assert words(block.table["a"]) == ["01", None]
    assert block.table["b"].values.tolist() == [2.0, 3.0]


def test_blocks_read_times_as_the_whole_table_does(written):
    text = "a,b,c,d\n1970-01-02,00:01,1970-01-01T00:00:01.5Z,86400000\n9999-12-31,,,\n"
    source = written("t.csv", text)
    (block,) = read_blocks(source, dict.fromkeys("abcd", "time"))
    whole = read_table(source)
    for name in "abcd":
        np.testing.assert_array_equal(block.table[name].values, whole[name].values)
        assert block.table[name].kind == "time"


def test_kept_cells_are_the_text_as_written(written):
    source = written("t.csv", "a,b\n01,NA\n,?\n")
    (block,) = read_blocks(source, {"b": "categorical"}, keep=["b", "a"], csv=CsvOptions(na_strings=("?",)))
    assert words(block.table["b"]) == [None, None]
    assert block.kept.to_pydict() == {"b": ["NA", "?"], "a": ["01", ""]}


def test_text_in_a_numeric_column_of_a_later_block_is_refused_with_its_line(written):
    source = written("t.csv", "a,b\n" + "1,x\n" * 10 + "oops,x\n")
    blocks = read_blocks(source, {"a": "numeric"}, rows=3)
    assert [next(blocks).table.n_rows for _ in range(3)] == [3, 3, 3]
    with pytest.raises(DataError, match=r"column 'a' of t.csv: 1 value is not a number \(first: 'oops', line 12\)"):
        next(blocks)


def test_a_kept_column_must_exist(written):
    with pytest.raises(DataError, match=r"t.csv has no column 'ID'; did you mean 'id'\?"):
        list(read_blocks(written("t.csv", "id,a\n1,2\n"), {"a": "numeric"}, keep=["ID"]))


def test_blocks_of_a_folder_name_the_file_at_fault(written):
    written("d/a.csv", "a\n1\n", "d/b.csv", "a\n1\nx\n")
    with pytest.raises(DataError, match=r"column 'a' of b.csv: 1 value is not a number \(first: 'x', line 3\)"):
        list(read_blocks("d", {"a": "numeric"}))


def test_nested_columns_are_refused_only_if_wanted(written):
    source = written("t.parquet", parquet_bytes(a=[[1], [2]], b=[1, 2]))
    with pytest.raises(DataError, match=r"column 'a' of t.parquet must hold numbers, .* got list<"):
        read_table(source)
    (block,) = read_blocks(source, {"b": "numeric"})
    assert block.table.names == ["b"]


@pytest.mark.parametrize(
    ("cell", "last", "expected"),
    [
        ("1", "2", 2.0),
        ("1", "2.5", 2.5),
        ("1", "x", "x"),
        ("1", "", None),
        ("", "7", 7.0),
        ("", "x", "x"),
        ("2024-01-01", "2024-01-02", 1704153600000.0),
        ("2024-01-01", "later", "later"),
        ("x", "1", "1"),
    ],
)
def test_the_last_row_of_a_long_file_counts_as_much_as_its_start(tmp_path, cell, last, expected):
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + f"{cell},0123456789\n" * 100_000 + f"{last},1\n")
    column = read_table(path)["a"]
    assert column.is_categorical == isinstance(expected, str)
    value = column.values[-1]
    if column.is_categorical:
        assert column.levels[value] == expected
    else:
        np.testing.assert_equal(value, np.nan if expected is None else expected)


def test_a_wrong_line_of_a_long_file_is_named(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1,0123456789\n" * 100_000 + "1,2,3\n")
    with pytest.raises(DataError, match=r"long\.csv, line 100002: every row must have 2 cells"):
        read_table(path)
