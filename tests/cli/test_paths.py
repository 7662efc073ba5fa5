import csv
import io
import json

from program import DATASETS, run

import h2olite

WINE = DATASETS / "wine.csv"
SMALL = ("-y", "cultivar", "--l1", "1e-3:1e-1:3", "--hidden", "8", "--epochs", "10", "--seed", "1", "--reproducible")


def test_table_is_printed_and_the_choices_are_said():
    result = run("path", WINE, *SMALL)
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [float(row["l1"]) for row in rows] == [0.001, 0.01, 0.1]
    assert list(rows[0])[1:] == [
        *("training_loss", "validation_loss", "standard_error", "nonzero", "zero_share", "features_used", "choice")
    ]
    chosen = " ".join(row["choice"] for row in rows).split()
    assert sorted(chosen) == ["best", "best_1se"]
    assert "Lowest loss: l1 " in result.stderr
    assert "Sparsest within one standard error: l1 " in result.stderr


def test_refit_writes_the_chosen_model_of_all_rows(tmp_path):
    target = tmp_path / "sparse.h2olite"
    result = run("path", WINE, *SMALL, "--refit", target, "--choice", "BEST", "--json", "--quiet")
    report = json.loads(result.stdout)
    assert result.stderr == ""
    assert report["sort_metric"] == "logloss"
    assert report["best"] in report["models"]
    assert report["best_1se"] in report["models"]
    assert {"l1", "l2", "nonzero", "zero_share", "features_used", "hyper_parameters", "metric"} <= set(report["best"])
    assert [model["path"] for model in report["models"] if model["path"]] == [str(target)]
    model = h2olite.load_model(target)
    assert model.parameters.l1 == report["best"]["l1"]
    assert model.record.rows == 178


def test_table_and_picture_are_written(tmp_path):
    result = run("path", WINE, *SMALL, "-o", tmp_path / "path.parquet", "--plot", tmp_path / "path.svg", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "path.svg").read_text().startswith("<?xml")
    table = h2olite.data.frames.as_table(tmp_path / "path.parquet")
    assert table["l1"].values.tolist() == [0.001, 0.01, 0.1]


def test_strengths_that_cannot_be_read_are_refused():
    result = run("path", WINE, "--l1", "1e-3:x:4")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: l1 must be numbers >= 0, or LOW:HIGH:N with LOW > 0, such as 1e-6:1e-2:13, or multiples such as "
        "0.001x:1x:13; got '1e-3:x:4'.\n"
    )


def test_output_is_a_table_and_no_model():
    result = run("path", WINE, "-o", "wine.h2olite")
    assert result.exit_code == 2
    assert "-o takes a table of the strengths; write the model by --refit wine.h2olite." in result.stderr


def test_picture_of_unknown_kind_is_refused_before_training(tmp_path):
    result = run("path", WINE, "--plot", tmp_path / "path.bmp")
    assert result.exit_code == 1
    assert "a picture's extension must be one of .svg, .png, .pdf" in result.stderr
