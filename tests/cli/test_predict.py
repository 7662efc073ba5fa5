import gzip
import io
import re

import pandas as pd
import pyarrow as pa
import pytest
from program import DATASETS, SMALL, run
from pyarrow import csv, feather, ipc, parquet

import h2olite
from h2olite.errors import ParameterError

TABLE = DATASETS / "penguins.csv"


@pytest.fixture
def expected(penguins):
    """What the model predicts from Python."""
    return h2olite.load_model(penguins.path).predict(TABLE).astype({"predict": str})


def test_csv_on_stdout_equals_pythons_predictions(penguins, expected):
    result = run("predict", penguins.path, TABLE)
    assert (result.exit_code, result.stderr) == (0, "")
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(result.stdout)), expected)


@pytest.mark.parametrize(
    ("name", "read"), [("p.csv", pd.read_csv), ("p.parquet", pd.read_parquet), ("p.arrow", pd.read_feather)]
)
def test_extension_chooses_the_format(penguins, expected, tmp_path, name, read):
    result = run("predict", penguins.path, TABLE, "-o", tmp_path / name)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    pd.testing.assert_frame_equal(read(tmp_path / name), expected)


def test_parquet_gives_the_same_predictions_as_csv(penguins):
    from_csv = run("predict", penguins.path, TABLE)
    assert run("predict", penguins.path, DATASETS / "penguins.parquet").stdout == from_csv.stdout


def test_keep_copies_columns_in_front(penguins):
    lines = run("predict", penguins.path, TABLE, "--keep", "island,body_mass_g").stdout.splitlines()
    assert lines[0] == "island,body_mass_g,predict,Adelie,Chinstrap,Gentoo"
    assert lines[1].startswith("Torgersen,3750.0,Adelie,")


def test_a_column_named_like_a_prediction_cannot_be_kept(penguins, tmp_path):
    table = tmp_path / "named.csv"
    table.write_text("island,predict\nDream,1\n")
    result = run("predict", penguins.path, table, "--keep", "predict")
    assert result.exit_code == 1
    assert "column 'predict' cannot be kept: a column of the result has that name" in result.stderr


def test_a_column_to_keep_named_twice_is_kept_once(penguins):
    twice, once = (run("predict", penguins.path, TABLE, "--keep", names).stdout for names in ("sex,sex", "sex"))
    assert once.startswith("sex,predict,")
    assert twice == once


def test_table_may_come_from_standard_input(penguins):
    result = run("predict", penguins.path, "-", stdin=TABLE.read_bytes())
    assert result.stdout == run("predict", penguins.path, TABLE).stdout


@pytest.mark.parametrize(("option", "read"), [("parquet", pd.read_parquet), ("arrow", pa.ipc.open_stream)])
def test_typed_tables_go_in_and_out_by_pipe(penguins, expected, option, read):
    table = DATASETS / "penguins.parquet"
    result = run("predict", penguins.path, "-", "--format", option, stdin=table.read_bytes())
    assert (result.exit_code, result.stderr) == (0, "")
    frame = read(io.BytesIO(result.stdout_bytes))
    pd.testing.assert_frame_equal(frame if option == "parquet" else frame.read_pandas(), expected)


def test_an_error_in_a_late_row_leaves_no_file(penguins, tmp_path):
    text = TABLE.read_text()
    table = tmp_path / "long.csv.gz"
    rows = text.partition("\n")[2] * 250
    table.write_bytes(
        gzip.compress((text.partition("\n")[0] + "\n" + rows + "Dream,much,1,1,1,MALE,Gentoo\n").encode())
    )
    result = run("predict", penguins.path, table, "-o", tmp_path / "p.parquet")
    assert result.exit_code == 1
    assert "1 value is not a number (first: 'much', line 86002); correct it" in result.stderr
    assert list(tmp_path.iterdir()) == [table]


def test_lacking_predictors_are_warned_of_unless_quiet(penguins):
    text = "island,sex\nDream,MALE\n"
    result = run("predict", penguins.path, "-", stdin=text)
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: standard input lacks 4 predictors, treated as missing: ")
    assert run("predict", penguins.path, "-", "--quiet", stdin=text).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            [TABLE, "-o", "p.xlsx"],
            "p.xlsx: the extension must be one of .csv, .csv.gz, .parquet, .arrow, .feather, .arrows; or name a "
            "--format",
        ),
        ([TABLE, "--keep", "ilsand"], "penguins.csv has no column 'ilsand'; did you mean 'island'?"),
        (["missing.csv"], "there is no file missing.csv"),
    ],
)
def test_errors_are_one_line_and_write_nothing(penguins, tmp_path, monkeypatch, arguments, line):
    monkeypatch.chdir(tmp_path)
    result = run("predict", penguins.path, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.rstrip(".\n") == f"Error: {line}".rstrip(".")
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_model_is_an_error():
    result = run("predict", TABLE, TABLE)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {TABLE} must be a model file of h2olite")


def test_threshold_divides_two_classes(tmp_path):
    path, table = tmp_path / "m.h2olite", DATASETS / "breast_cancer.csv"
    assert run("train", table, "-o", path, *SMALL).exit_code == 0
    own, low, high = (
        pd.read_csv(io.StringIO(run("predict", path, table, *given).stdout))
        for given in ((), ("--threshold", "0.01"), ("--threshold", "0.99"))
    )
    assert low["predict"].eq("malignant").equals(low["malignant"] >= 0.01)
    assert high["predict"].eq("malignant").equals(high["malignant"] >= 0.99)
    pd.testing.assert_frame_equal(low.drop(columns="predict"), own.drop(columns="predict"))
    model = h2olite.load_model(path)
    before = model.default_threshold()
    with pytest.raises(ParameterError, match=r"threshold must be >= 0 and <= 1; got 2\."):
        model.reset_threshold(2)
    assert model.reset_threshold(0.01) == before
    pd.testing.assert_frame_equal(model.predict(table).astype({"predict": str}), low)
    model.save(path)
    assert h2olite.load_model(path).default_threshold() == 0.01


def test_threshold_is_for_two_classes(penguins):
    result = run("predict", penguins.path, TABLE, "--threshold", "0.5")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch("Error: a threshold needs two classes; .* is a Multinomial model\\.\n", result.stderr)


@pytest.mark.parametrize("extension", ["csv", "csv.gz", "parquet", "feather", "arrows"])
@pytest.mark.parametrize("command", [("predict",), ("features", "--layer", "1")], ids=["predict", "features"])
def test_of_a_table_without_rows_only_the_header_is_written(penguins, tmp_path, extension, command):
    empty = tmp_path / f"empty.{extension}"
    rows = csv.read_csv(TABLE)[:0]
    writers = {
        "parquet": parquet.write_table,
        "feather": feather.write_feather,
        "arrows": lambda rows, path: ipc.new_stream(path, rows.schema).close(),
    }
    writers.get(extension, lambda rows, path: rows.to_pandas().to_csv(path, index=False))(rows, empty)
    name, *options = command
    header = run(name, penguins.path, TABLE, *options).stdout.partition("\n")[0]
    result = run(name, penguins.path, empty, *options)
    assert (result.exit_code, result.stdout) == (0, f"{header}\n")
    kept = run(name, penguins.path, empty, *options, "--keep", "island,sex")
    assert (kept.exit_code, kept.stdout) == (0, f"island,sex,{header}\n")
    assert run(name, penguins.path, empty, *options, "-o", tmp_path / "out.parquet").exit_code == 0
    assert parquet.read_table(tmp_path / "out.parquet").column_names == header.split(",")


def test_a_file_without_rows_beside_others_adds_none(tmp_path):
    model, folder = tmp_path / "m.h2olite", tmp_path / "parts"
    folder.mkdir()
    text = (DATASETS / "iris.csv").read_text()
    (folder / "1.csv").write_text(text)
    (folder / "2.csv").write_text(text.partition("\n")[0])
    assert run("train", folder / "1.csv", *SMALL, "-o", model).exit_code == 0
    assert run("predict", model, folder).stdout == run("predict", model, folder / "1.csv").stdout
    assert run("predict", model, "-", stdin=text.partition("\n")[0]).stdout.count("\n") == 1


def test_contributions_need_no_background_where_the_model_keeps_rows(penguins, tmp_path):
    model = h2olite.load_model(penguins.path)
    usual = run("contributions", penguins.path, TABLE)
    assert (usual.exit_code, usual.stderr) == (0, "")
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(usual.stdout)), model.predict_contributions(TABLE))
    exact = run("contributions", penguins.path, TABLE, "--method", "EXACT", "--background-rows", 5)
    rows = model.background.take(pd.Series([0, 24, 49, 74, 99]).to_numpy())
    found = pd.read_csv(io.StringIO(exact.stdout))
    pd.testing.assert_frame_equal(found, model.predict_contributions(TABLE, rows, method="exact"))
    model.background = None
    path = model.save(tmp_path / "m.h2olite")
    refused = run("contributions", path, TABLE)
    assert refused.exit_code == 1
    assert "keeps no training rows to compare with; pass a background_frame (--background)" in refused.stderr


def test_random_orders_have_a_seed(penguins):
    given = ("contributions", penguins.path, TABLE, "--method", "permutation", "--permutations", 2)
    first, again, other = (run(*given, "--seed", seed).stdout for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("source", ["file", "-"])
def test_contributions_are_drawn(penguins, tmp_path, source):
    pytest.importorskip("matplotlib")
    table, text = (TABLE, None) if source == "file" else ("-", TABLE.read_text())
    result = run(
        "contributions", penguins.path, table, "--plot", tmp_path / "c.svg", "-o", tmp_path / "c.csv", stdin=text
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert "culmen_length_mm" in (tmp_path / "c.svg").read_text()
    assert len(pd.read_csv(tmp_path / "c.csv")) == len(pd.read_csv(TABLE))
    refused = run("contributions", penguins.path, table, "--plot", tmp_path / "d.svg", "--by-input", stdin=text)
    assert refused.exit_code == 2
    assert "--plot draws contributions of columns; leave out --by-input" in refused.stderr
