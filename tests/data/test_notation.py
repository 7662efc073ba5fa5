import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import h2olite
from h2olite.data.advice import advice_on_columns
from h2olite.data.csv_options import Csv, CsvOptions
from h2olite.data.frames import as_table
from h2olite.data.notation import PLAIN, Notation, find_notation
from h2olite.data.reader import read_blocks, read_table
from h2olite.errors import DataError

QUICK = {"hidden": [3], "epochs": 1, "seed": 1}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5.0),
        (" -1.5e3\t", -1500.0),
        ("+.5", 0.5),
        ("1_000", None),
        ("١٢", None),
        ("1e", None),
        ("1,5", None),
        ("infinity", np.inf),
        ("0x1F", 31.0),
        ("0x1p3", None),
        ("", None),
    ],
)
def test_text_is_a_number_where_arrow_says_so(text, number):
    assert PLAIN.number(text) == number


@pytest.mark.parametrize(
    ("notation", "text", "number"),
    [
        (Notation(","), "1,5", 1.5),
        (Notation(","), "1.5", None),
        (Notation(",", "."), "-1.234.567,8", -1234567.8),
        (Notation(",", "."), "1.5", None),
        (Notation(",", "."), "1.234", 1234.0),
        (Notation(".", ","), "12,34,567.25", 1234567.25),
        (Notation(".", ","), "1,23", None),
        (Notation(".", ","), "1234,567", None),
        (Notation(".", "'"), "1\u2019234'567", 1234567.0),
        (Notation(",", " "), "1\u202f234\u00a0567,5", 1234567.5),
        (Notation(".", "_"), "1_000e2", 100000.0),
    ],
)
def test_a_notation_reads_its_numbers_and_no_others_one_by_one_and_as_arrays(notation, text, number):
    assert notation.number(text) == number
    if number is None:
        with pytest.raises(pa.ArrowInvalid, match="no numbers"):
            notation.numbers(pa.array([text, None]))
    else:
        assert notation.numbers(pa.array([f" {text} ", None])).to_pylist() == [number, None]


@pytest.mark.parametrize(
    ("texts", "notation", "has_signs"),
    [
        (["1,5", "2", "3,25"], Notation(","), False),
        (["1,234", "12"], Notation(".", ","), False),
        (["0,123", "0,5"], Notation(","), False),
        (["1.234,5", "1.234"], Notation(",", "."), False),
        (["1_000", "20"], Notation(".", "_"), False),
        (["\u00a05", "6\u3000"], PLAIN, False),
        (["$5", "€ 6.50"], PLAIN, True),
        (["12 EUR", "CHF 1'200.50"], Notation(".", "'"), True),
        (["5 %", "7,5%"], Notation(","), True),
        (["(1,234.50)", "20"], Notation(".", ","), True),
        (["\u22125", "4-"], PLAIN, True),
        (["\uff11\uff12", "\u0663"], PLAIN, True),
    ],
)
def test_the_notation_of_most_texts_is_found(texts, notation, has_signs):
    finding = find_notation(texts, [1] * len(texts), PLAIN)
    assert (finding.notation, finding.has_signs) == (notation, has_signs)


@pytest.mark.parametrize(
    "texts",
    [
        ["red", "green", "1,5"],
        ["2024-01-31", "2024-02-01"],
        ["10.0.0.1", "192.168.2.17"],
        ["1.2.3", "1.10.0"],
        ["12:30", "13:45"],
        ["A1", "B2", "C3"],
        ["1,2,3", "4,5"],
        ["18-25", "26-35"],
        ["1", "2", "n/a"],
        ["x" * 100_000 + "EUR"],
    ],
)
def test_text_that_is_no_number_in_any_notation_is_left_alone(texts):
    assert find_notation(texts, [1] * len(texts), PLAIN) is None


def doors(texts, folder):
    """A column of these texts, by every way into the package."""
    path = folder / "t.csv"
    path.write_text("a;b\n" + "".join(f"{text};{i % 2}\n" for i, text in enumerate(texts)))
    pq.write_table(pa.table({"a": texts}), folder / "t.parquet")
    with pa.ipc.new_file(folder / "t.arrow", pa.schema([("a", pa.string())])) as writer:
        writer.write_table(pa.table({"a": texts}))
    yield from (path, folder / "t.parquet", folder / "t.arrow")
    yield from ({"a": np.array(texts)}, {"a": texts}, pd.DataFrame({"a": texts}), pl.DataFrame({"a": texts}))
    yield pa.table({"a": pa.array(texts).dictionary_encode()})


@pytest.mark.parametrize(
    ("texts", "advice"),
    [
        (["1,5", "2,25", "3"], r"pass --decimal , \(in Python, decimal=',' to h2olite.Csv\)"),
        (["1 234,5", "17"], r"pass --decimal , --thousands ' ' \(in Python, decimal=',', thousands=' ' to h2olite"),
        (["£5", "£6"], "take all but the digits out of its cells"),
        (["\u20095", "6"], "name the column in numeric"),
    ],
)
def test_numbers_in_another_notation_are_told_by_every_door(tmp_path, texts, advice):
    for frame in doors(texts * 20, tmp_path):
        table = as_table(frame)
        (sentence,) = advice_on_columns(table, ["a"], None, [])
        assert f"most of its {20 * len(texts)} cells are numbers in another notation (such as" in sentence
        if table.csv is None:
            assert "; convert the column to numbers first, or name the column in factors" in sentence
        else:
            assert re.search(advice, sentence)
        assert list(advice_on_columns(table, ["a"], None, ["a"])) == []


def test_options_for_numbers_are_taken_by_whole_tables_and_blocks_alike(written):
    source = written("t.csv", "a;b;c\n1.234,5;x;1,5\n-2;y;\n12.345.678;z; 3,25\n")
    csv = CsvOptions(decimal=",", thousands=".")
    table = read_table(source, csv=csv)
    expected = {"a": [1234.5, -2.0, 12345678.0], "c": [1.5, np.nan, 3.25]}
    (block,) = read_blocks(source, {"a": "numeric", "b": "categorical", "c": "numeric"}, csv=csv)
    for read in (table, block.table, read_table(source, csv=csv, numeric=["a", "c"])):
        for name, values in expected.items():
            np.testing.assert_array_equal(read[name].values, values)
        assert read["b"].levels == ("x", "y", "z")
    assert read_table(source, csv=csv, factors=["a"])["a"].levels == ("-2", "1.234,5", "12.345.678")


def test_thousands_that_the_separator_of_cells_is_too_are_read_in_quotes(written):
    source = written("t.csv", 'a,b\n"1,234",x\n12,y\n')
    assert read_table(source, csv=CsvOptions(thousands=","))["a"].values.tolist() == [1234.0, 12.0]


def test_a_column_stays_text_where_one_cell_is_no_number_with_the_options(written):
    table = read_table(written("t.csv", "a;b\n1,5;1\n1.5;2\n"), csv=CsvOptions(decimal=","))
    assert table["a"].levels == ("1,5", "1.5")


NO_TEXT = ("rot13", "hex", "zlib", "idna", "punycode", "undefined", "a\0b")
"""What Python knows as encodings, or as no name, and can read no file of text by."""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": "x"}, "--decimal must be one character that is no part of a number; got 'x'"),
        ({"decimal": ",,"}, "--decimal must be one character"),
        ({"thousands": "-"}, "--thousands must be one character that is no part of a number; got '-'"),
        ({"thousands": "."}, "--thousands and --decimal must differ; both are '.': pass another --decimal too"),
        ({"comment": '"'}, "--comment must be the start of a line, no quote"),
        ({"encoding": "klingon", "decimal": "5"}, "--decimal must .* --encoding must be one that Python knows"),
        *(({"encoding": name}, "--encoding must be one that Python knows for text") for name in NO_TEXT),
        ({"encoding": 8}, "encoding of CSV must be a text; got 8"),
        ({"header": 0, "separator": 9}, "separator of CSV must be a text; got 9. header of CSV must be True or False"),
        ({"na_strings": "none"}, "na_strings of CSV must be a list of texts; got 'none'"),
        ({"na_strings": [-999]}, r"na_strings of CSV must be a list of texts; got \[-999\]"),
    ],
)
def test_options_that_cannot_be_used_are_refused_together(written, options, message):
    with pytest.raises(DataError, match=message):
        read_table(written("t.csv", "a,b\n1,2\n"), csv=CsvOptions(**options))


def table_of_prices(folder, n=200):
    """A CSV file of numbers with decimal commas, its response too."""
    random = np.random.default_rng(1)
    rows = zip(random.normal(size=n), random.normal(size=n), strict=True)
    path = folder / "prices.csv"
    path.write_text("a;price\n" + "".join(f"{a:.4f};{a + b:.4f}\n" for a, b in rows).replace(".", ","))
    return path


def test_a_model_reads_other_csv_as_its_training_table_was_read(tmp_path):
    path = table_of_prices(tmp_path)
    model = h2olite.deeplearning(y="price", training_frame=Csv(path, decimal=","), validation_frame=str(path), **QUICK)
    assert model.category == "Regression"
    assert model.validation_metrics["nobs"] == 200
    model.save(tmp_path / "m.h2olite")
    model = h2olite.load_model(tmp_path / "m.h2olite")
    numbers = pd.read_csv(path, sep=";", decimal=",")
    expected = model.predict(numbers)
    pd.testing.assert_frame_equal(model.predict(path), expected)
    pd.testing.assert_frame_equal(model.predict(Csv(path)), expected)
    plain = tmp_path / "plain.csv"
    numbers.to_csv(plain, index=False)
    pd.testing.assert_frame_equal(model.predict(Csv(plain, decimal=".")), expected)
    with pytest.raises(DataError, match=r"200 values are not numbers .*; pass --decimal \. "):
        model.predict(plain)
    assert model.model_performance(path).rmse() == pytest.approx(model.training_metrics.rmse())


@pytest.mark.parametrize(
    "as_frame", [str, lambda path: pd.read_csv(path, sep=";"), lambda path: pl.read_csv(path, separator=";")]
)
def test_a_response_of_text_with_a_class_for_nearly_every_row_is_refused(tmp_path, as_frame):
    frame = as_frame(table_of_prices(tmp_path))
    with pytest.raises(DataError, match=r"^response 'price' of .* classes in 200 rows: .* numbers in another notation"):
        h2olite.deeplearning(y="price", training_frame=frame, **QUICK)


def test_a_response_of_names_is_refused_unless_it_is_named_in_factors():
    table = {"x": np.arange(60.0), "who": [f"u{i // 3 if i < 9 else i}" for i in range(60)]}
    with pytest.raises(DataError, match=r"choose another response, or name it in factors \(--factor who\)"):
        h2olite.deeplearning(y="who", training_frame=table, **QUICK)
    with pytest.raises(DataError, match="choose another response"):
        h2olite.deeplearning(y="who", training_frame=table, nfolds=2, **QUICK)
    model = h2olite.deeplearning(y="who", training_frame=table, factors=["who"], **QUICK)
    assert len(model.classes) == 54


def test_many_classes_with_two_rows_each_and_few_classes_are_learnt():
    for n_classes, repeats in ((30, 2), (20, 1)):
        names = [f"c{i}" for i in range(n_classes)] * repeats
        table = {"x": np.arange(float(len(names))), "y": names}
        assert len(h2olite.deeplearning(y="y", training_frame=table, **QUICK).classes) == n_classes


@pytest.mark.parametrize(("mark", "every"), [("?", 5), ("n/k", 3), ("*", 4)])
def test_one_text_among_many_numbers_is_told_however_often_it_is_there(written, mark, every):
    rows = "".join(f"{mark if i % every == 0 else i / 7},{i % 3}\n" for i in range(100))
    table = read_table(written("t.csv", f"a,b\n{rows}"))
    (sentence,) = advice_on_columns(table, ["a", "b"], None, ())
    assert f"(the first that is not: {mark!r}, line 2)" in sentence
    assert not [*advice_on_columns(table, ["a", "b"], None, ("a",))]


@pytest.mark.parametrize("texts", [("3+",), ("low", "high")], ids=["few numbers", "two texts"])
def test_text_that_is_no_mark_among_many_numbers_is_not_told(written, texts):
    number = (lambda i: i % 3) if len(texts) == 1 else (lambda i: i % 40)
    rows = "".join(f"{texts[i // 4 % len(texts)] if i % 4 == 0 else number(i)},1\n" for i in range(100))
    table = read_table(written("t.csv", f"a,b\n{rows}"))
    assert not [*advice_on_columns(table, ["a", "b"], None, ())]
