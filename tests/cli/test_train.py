from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from h2olite_cli.main import main
from h2olite_cli.train import progress_line, table_stem


def run(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.mark.parametrize(
    ("table", "stem"),
    [
        ("iris.csv", "iris"),
        ("../data/iris_train.csv.gz", "iris_train"),
        ("a.b.PARQUET", "a.b"),
        ("folder/", "folder"),
        ("parts/part-*.csv", "part"),
        ("s3://bucket/flights.arrow", "flights"),
        ("-", "model"),
        ("*.csv", "model"),
    ],
)
def test_model_is_called_like_its_table(table, stem):
    assert table_stem(table) == stem


def progress(**changes):
    known = {"epochs": 2.5, "total_epochs": 10.0, "rows_per_second": 12345.6, "seconds": 30.0, "row": None}
    return SimpleNamespace(**known | changes)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "epoch 2.5 of 10, 12,346 rows/s, 1:30 left"),
        ({"epochs": 0.0}, "epoch 0 of 10, 12,346 rows/s"),
        ({"total_epochs": 0.0, "epochs": 0.0}, "epoch 0 of 0, 12,346 rows/s, 0:00 left"),
        ({"seconds": 3600.0}, "epoch 2.5 of 10, 12,346 rows/s, 3:00:00 left"),
        (
            {"row": {"training_logloss": 0.123456, "validation_logloss": 0.2}},
            "epoch 2.5 of 10, 12,346 rows/s, 1:30 left, validation logloss 0.2",
        ),
        (
            {"row": {"training_rmse": 1.0, "training_deviance": 0.123456}},
            "epoch 2.5 of 10, 12,346 rows/s, 1:30 left, training deviance 0.1235",
        ),
    ],
)
def test_progress_tells_epoch_speed_time_left_and_newest_measurement(changes, line):
    assert progress_line(progress(**changes), with_bar=False) == line


def test_progress_bar_fills_with_the_epochs():
    line = progress_line(progress(), with_bar=True)
    assert line.startswith("[######..................] epoch 2.5")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--l1", "-1", "--rho", "2"], "l1 must be >= 0; got -1. rho must be > 0 and < 1; got 2."),
        (["--nfolds", "5"], "nfolds is not implemented yet; leave it at its default (0)."),
        (
            ["--loss", "huber", "--distribution", "gaussian"],
            "loss with distribution gaussian must be Automatic or Quadratic; got Huber.",
        ),
        (["--params", "none.toml"], "none.toml: No such file or directory."),
    ],
)
def test_bad_parameters_are_refused_before_the_table_is_read(arguments, line):
    result = run("missing.csv", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {line}\n")


def test_bad_output_is_refused_before_the_table_is_read(tmp_path):
    result = run("missing.csv", "-o", tmp_path / "none" / "m.h2olite")
    assert result.exit_code == 1
    assert result.stderr == f"Error: there is no folder {tmp_path}/none to write m.h2olite into; make it first.\n"
