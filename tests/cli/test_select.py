import csv
import io
import json

import pytest
from program import DATASETS, run

import h2olite

IRIS = DATASETS / "iris.csv"
SMALL = ("-y", "species", "--columns", "2", "--resamples", "2", "--hidden", "8", "--epochs", "20", "--seed", "1")


def test_the_ranking_is_printed_and_the_choice_is_said():
    result = run("select", IRIS, *SMALL)
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert {row["column"] for row in rows if row["chosen"] == "true"} == {"petal_length", "petal_width"}
    assert "2 of 4 columns by " in result.stderr
    assert "of them are expected to be noise." in result.stderr


def test_the_model_of_the_columns_is_written_with_table_and_picture(tmp_path):
    model, table, picture = tmp_path / "two.h2olite", tmp_path / "ranking.parquet", tmp_path / "s.svg"
    result = run("select", IRIS, *SMALL, "--refit", model, "-o", table, "--plot", picture, "--json", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert report["path"] == str(model)
    assert set(h2olite.load_model(model).encoder.predictors) == set(report["columns"])
    assert len(h2olite.data.frames.as_table(table)["rank"].values) == 4
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize("option", ["--nfolds", "--input-group-l1", "--validation-frame", "--max-runtime-secs"])
def test_what_the_command_sets_is_no_option(option):
    assert run("select", IRIS, option, "2").exit_code == 2


def test_a_model_is_no_table_of_the_ranking():
    result = run("select", IRIS, "-o", "iris.h2olite")
    assert "-o takes a table of the ranking; write the model by --refit iris.h2olite." in result.stderr
