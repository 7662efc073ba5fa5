import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import h2olite
from h2olite.data.csv_options import Csv, CsvOptions
from h2olite.data.reader import read_blocks, read_table
from h2olite.errors import DataError

QUICK = {"hidden": [3], "epochs": 1, "seed": 1}

TEXT = "a,b\n" + "1,x\n2,y\n" * 50


def written_by(write, *rest, **options):
    """The bytes that a function writes."""
    sink = io.BytesIO()
    write(*rest, sink, **options)
    return sink.getvalue()


def workbook():
    """The start of what spreadsheets are."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return sink.getvalue()


TABLE = pa.table({"a": [1, 2], "b": ["x", "y"]})
CONTENTS = {
    "gzip; rename it t.csv.gz": gzip.compress(TEXT.encode(), mtime=0),
    "bz2; rename it t.csv.bz2": bz2.compress(TEXT.encode()),
    "zstd; rename it t.csv.zst": pa.compress(TEXT.encode(), codec="zstd", asbytes=True),
    "Parquet; rename it t.parquet": written_by(pq.write_table, TABLE),
    "Arrow; rename it t.arrow": written_by(feather.write_feather, TABLE),
    r"a spreadsheet \(such as .xlsx\); save it as CSV or Parquet": workbook(),
    "xz; save it": lzma.compress(TEXT.encode()),
    r"NumPy \(.npy\); save it": written_by(lambda sink: np.save(sink, np.eye(3))),
    "SQLite; save it": b"SQLite format 3\0" + bytes(range(100)),
    r"Excel \(.xls\); save it": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
    "JSON; save it": b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]',
    "HTML; save it": b"<!DOCTYPE html><html><body>not found</body></html>",
    "XML; save it": b'<?xml version="1.0"?><rows/>',
    r"a pointer of Git LFS \(git lfs pull gets the file\)": b"version https://git-lfs.github.com/spec/v1\noid 1\n",
    "zero bytes, which text has not": b"a,b\n1,x\n\0\0\0,y\n" * 20,
}


@pytest.mark.parametrize("held", CONTENTS)
def test_a_file_that_is_no_csv_is_refused_with_what_it_is(written, held):
    source = written("t.csv", CONTENTS[held])
    for read in (read_table, lambda source: list(read_blocks(source, {"a": "numeric"}))):
        with pytest.raises(DataError, match=rf"^t\.csv is named \.csv but holds {held}"):
            read(source)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv.gz", TEXT.encode(), r"^t.csv.gz is named .csv.gz but holds text; rename it t.csv\.$"),
        ("t.csv.zst", CONTENTS["gzip; rename it t.csv.gz"], "is named .csv.zst but holds gzip; rename it t.csv.gz"),
        ("t.parquet", TEXT.encode(), r"is named .parquet but holds text; rename it t.csv\.$"),
        ("t.parquet", written_by(feather.write_feather, TABLE), "holds Arrow; rename it t.arrow"),
        ("t.feather", written_by(pq.write_table, TABLE), "is named .feather but holds Parquet; rename it t.parquet"),
        ("t.arrow", b'{"a": 1}\n{"a": 2}\n' * 10, "is named .arrow but holds JSON; save it as CSV or Parquet"),
        ("t.arrows", gzip.compress(TEXT.encode(), mtime=0), "holds gzip; rename it t.arrows.gz"),
    ],
)
def test_a_file_of_another_format_than_its_name_says_is_told_what_it_is(written, name, content, message):
    with pytest.raises(DataError, match=message):
        read_table(written(name, content))


def test_columns_may_be_called_as_formats_begin(written):
    for name in ("PAR1", "ORC", "BZh", "RDX3", "Obj", "Rar!", "%PDF"):
        assert read_table(written("t.csv", f"{name},b\n1,x\n2,y\n")).names == [name, "b"]


@pytest.mark.parametrize(
    ("written_as", "to_pass"),
    [("utf-16", "utf-16"), ("utf-32", "utf-32"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)
@pytest.mark.parametrize("given", [None, "latin1", "cp1252"])
def test_text_of_wide_characters_is_refused_and_read_with_the_encoding_named(written, written_as, to_pass, given):
    source = written("t.csv", TEXT.encode(written_as))
    with pytest.raises(
        DataError, match=rf"t.csv is {to_pass.upper()}, by its first bytes, not .*--encoding {to_pass}\.$"
    ):
        read_table(source, csv=CsvOptions(encoding=given))
    assert read_table(source, csv=CsvOptions(encoding=to_pass))["a"].values.tolist() == [1.0, 2.0] * 50


@pytest.mark.parametrize("width", ["utf-16", "utf-32"])
@pytest.mark.parametrize(("order", "mark"), [("le", "\ufeff"), ("be", "\ufeff"), ("le", ""), ("be", "")])
def test_wide_characters_are_read_by_the_order_of_their_bytes_only(written, width, order, mark):
    source = written("t.csv", f"{mark}{TEXT}".encode(f"{width}-{order}"))
    wrong = [f"{width}-{'be' if order == 'le' else 'le'}", *([] if mark else [width])]
    for encoding in wrong:
        found = width if mark else f"{width}-{order}"
        with pytest.raises(DataError, match=rf"^t\.csv is {found.upper()}, by its .*; pass --encoding {found}\.$"):
            read_table(source, csv=CsvOptions(encoding=encoding))
    for encoding in [f"{width}-{order}", *([width] if mark else [])]:
        table = read_table(source, csv=CsvOptions(encoding=encoding))
        assert (table.names[0], table["a"].values.tolist()) == ("a", [1.0, 2.0] * 50)


def test_utf_16_is_not_found_where_it_is_not(written):
    source = written("t.csv", TEXT.encode())
    with pytest.raises(DataError, match=r"t\.csv is not UTF-16, as it has no zero bytes; pass no --encoding"):
        read_table(source, csv=CsvOptions(encoding="utf-16"))
    with pytest.raises(DataError, match=r"t\.csv is UTF-8, by its first bytes, not ISO8859-1; pass --encoding utf-8"):
        read_table(written("t.csv", TEXT.encode("utf-8-sig")), csv=CsvOptions(encoding="latin1"))


def remarks(table):
    return [remark.sentence for remark in table.remarks]


@pytest.mark.parametrize(
    "first",
    ["5.1,3.5,setosa", "0.5,-1,versicolor", "1e-3,7,virginica", "-9,12,setosa"],
)
def test_a_first_line_of_values_is_told_unless_somebody_says_what_it_is(written, first):
    rows = "4.9,3,setosa\n5.8,2.7,versicolor\n6.3,3.3,virginica\n" * 5
    source = written("t.csv", f"{first}\n{rows}")
    (sentence,) = remarks(read_table(source))
    assert sentence.startswith("the first line of t.csv has been taken for names of columns but looks like values (")
    assert "pass --no-header (in Python, header=False to h2olite.Csv)" in sentence
    assert remarks(read_table(source, csv=CsvOptions(header=True))) == []
    table = read_table(source, csv=CsvOptions(header=False))
    assert (remarks(table), table.n_rows, table.names) == ([], 16, ["C1", "C2", "C3"])


def test_a_first_line_of_words_that_occur_below_is_told(written):
    assert remarks(read_table(written("t.csv", "yes,no,red\nno,yes,red\nyes,yes,blue\nno,no,green\n")))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4\n",
        "country,2019,2020\nx,1,2\ny,3,4\n",
        "0,1,2\n5.5,6,7\n8,9,1\n",
        "id,1,2,3\na,5,6,7\n",
        "3d,x2\n1,2\n",
        "name,sex\nann,f\nbob,m\n",
        "2024-01,2024-02\n1,2\n",
    ],
)
def test_names_that_could_be_values_are_no_matter(written, text):
    assert remarks(read_table(written("t.csv", text))) == []


def test_repeated_values_in_the_first_line_are_told_to_be_a_row(written):
    with pytest.raises(
        DataError, match=r"got '0' 2 times: rename them, or pass --no-header if the first line is a row"
    ):
        read_table(written("t.csv", "0,0,5\n1,0,7\n"))


def test_a_column_that_is_not_there_is_explained_by_the_header(written):
    source = written("t.csv", "5.1,3.5,setosa\n4.9,3,setosa\n6.3,3.3,virginica\n")
    with pytest.raises(DataError, match=r"has no column 'species'.* the first line of t.csv has been taken for names"):
        h2olite.deeplearning(y="species", training_frame=source, **QUICK)


@pytest.mark.parametrize(
    ("separator", "to_pass"), [(":", ":"), ("^", r"'\^'"), ("~", "'~'"), (" ", "' '"), ("\x01", r"'\\x01'")]
)
def test_another_separator_is_named(written, separator, to_pass):
    source = written("t.csv", ("a,b,c\n" + "1,x,5\n2,y,6\n" * 50).replace(",", separator))
    with pytest.raises(DataError, match=rf"t.csv must have several cells in a line; .* pass --sep {to_pass}\.$"):
        read_table(source)
    for typed in (separator, repr(separator)[1:-1]):
        assert read_table(source, csv=CsvOptions(separator=typed)).names == ["a", "b", "c"]


def test_names_longer_than_the_csv_module_reads_by_default_are_read(written):
    assert read_table(written("t.csv", "a" * 140_000 + ",b\n1,2\n")).names == ["a" * 140_000, "b"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_wrong_separator_that_is_given_is_refused(written, separator):
    wrong = "|" if separator != "|" else ";"
    source = written("t.csv", TEXT.replace(",", separator))
    with pytest.raises(DataError, match=r"with the separator '.' it has one, with '.*' it has 2 in each of the first"):
        read_table(source, csv=CsvOptions(separator=wrong))


def test_a_line_that_tells_the_separator_is_no_row(written):
    source = written("t.csv", "sep=;\r\na;b\r\n1;x\r\n")
    with pytest.raises(DataError, match=r"begins with its separator, 'sep=;', .*; pass --comment sep= --sep ';'\.$"):
        read_table(source)
    assert read_table(source, csv=CsvOptions(comment="sep=", separator=";")).names == ["a", "b"]


def test_the_separator_is_the_one_that_gives_all_lines_equally_many_cells(written):
    table = read_table(written("t.csv", "name, first, and last;age\nann;1\nbob, or so;2\n"))
    assert table.names == ["name, first, and last", "age"]
    table = read_table(written("t.csv", "1,5;2,5;x\n1;2,5;y\n"), csv=CsvOptions(header=False, decimal=","))
    assert table["C1"].values.tolist() == [1.5, 1.0]


def test_tables_of_one_column_are_read(written):
    for text in ("a\n1\n2\n", "when\n12:30\n12:45\n", "first name\nann lee\nbob ray\n", "a\nx;y\nz\n"):
        assert len(read_table(written("t.csv", text)).names) == 1


def test_blanks_around_names_are_no_part_of_them(written):
    source = written("t.csv", 'a , b,"c d\t"\n1,2,x\n3,4,y\n')
    table = read_table(source, factors=["b"])
    assert table.names == ["a", "b", "c d"]
    assert table["b"].levels == ("2", "4")
    (block,) = read_blocks(source, {"b": "numeric"}, keep=["c d"])
    assert (block.table.names, block.kept.column_names) == (["b"], ["c d"])


def test_names_with_blanks_in_one_table_are_those_without_in_another(written):
    frame = pd.read_csv(written("t.csv", "a, b,y\n" + "1,x,0.5\n2,z,1.5\n" * 5))
    assert list(frame.columns) == ["a", " b", "y"]
    model = h2olite.deeplearning(y="y", training_frame=frame, **QUICK)
    expected = model.predict(frame)
    for other in ("t.csv", frame.rename(columns=str.strip), pa.table(frame.rename(columns=str.strip).to_dict("list"))):
        pd.testing.assert_frame_equal(model.predict(other), expected)


def test_txt_is_read_but_is_no_part_of_a_folder(written):
    source = written("d/t.txt", "a;b\n1;x\n2;y\n", "d/u.csv", "a,b\n5,z\n")
    assert read_table(source)["a"].values.tolist() == [1.0, 2.0]
    assert read_table("d/*.txt").n_rows == 2
    assert read_table("d").n_rows == 1


@pytest.mark.parametrize(("mark", "encoding"), [("#", "utf-8"), ("//", "latin1"), ("%", "utf-16"), (";", "utf-8-sig")])
def test_comments_are_left_out_and_counted(written, mark, encoding):
    text = f'{mark} made, by me\na,b\n{mark} "quoted\n1,"é\n{mark} in a cell"\n\n{mark}\n2,y\n{mark} the end'
    source = written("t.csv", text.encode(encoding))
    csv = CsvOptions(comment=mark, encoding=encoding if encoding != "utf-8" else None)
    table = read_table(source, csv=csv)
    assert table["a"].values.tolist() == [1.0, 2.0]
    assert table["b"].levels == ("y", f"é\n{mark} in a cell")
    assert [table.place(row) for row in (0, 1)] == ["line 4", "line 8"]
    blocks = list(read_blocks(source, {"a": "numeric"}, csv=csv))
    assert [value for block in blocks for value in block.table["a"].values] == [1.0, 2.0]


@pytest.mark.parametrize("mark", ["#", "%", "!"])
def test_comments_that_nobody_spoke_of_are_told(written, mark):
    for text in (f"{mark} made, by, me\na,b\n1,2\n", f"a,b\n1,2\n{mark} the end\n"):
        with pytest.raises(DataError, match=rf"if lines that begin with '{mark}' are comments, pass --comment "):
            read_table(written("t.csv", text))


def test_standard_input_has_comments_too(piped):
    piped(b"# made by me\na,b\n1,x\n")
    assert read_table("-", csv=CsvOptions(comment="#"))["a"].values.tolist() == [1.0]


def test_comments_and_names_are_those_of_training(written):
    source = written("t.csv", "#c\n" + "1,x,0.5\n2,y,1\n" * 10)
    model = h2olite.deeplearning(training_frame=Csv(source, comment="#", header=False), **QUICK)
    assert len(model.predict(source)) == 20
