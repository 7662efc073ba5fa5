import json

import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite
from h2olite_cli import console
from h2olite_cli.train import table_stem

REPORT_KEYS = {
    *("model_id", "path", "category", "response", "rows", "predictors", "inputs", "seed", "epochs", "samples"),
    *("iterations", "training_speed", "seconds", "stopped_by", "training_metrics", "validation_metrics"),
    *("cross_validation_metrics", "scoring_history", "variable_importances", "layers", "weights", "features"),
    "warnings",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fails_in_one_line(result, line, folder, *kept):
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {line}\n")
    assert sorted(path.name for path in folder.iterdir()) == sorted(kept)


def test_json_report_has_every_promised_key(penguins):
    report = json.loads(penguins.result.stdout)
    assert report.keys() >= REPORT_KEYS
    assert report["seconds"].keys() == {"read", "encode", "compile", "train", "score", "total"}
    assert report["weights"].keys() == {"total", "nonzero", "zero_share"}
    assert report["features"].keys() == {"total", "used", "unused"}
    assert report["variable_importances"][0].keys() == {
        "variable",
        "relative_importance",
        "scaled_importance",
        "percentage",
    }
    assert report["path"] == str(penguins.path)
    assert (report["category"], report["response"], report["rows"], report["predictors"]) == (
        "Multinomial",
        "species",
        344,
        6,
    )
    assert report["validation_metrics"] is None
    assert report["seconds"]["total"] >= report["seconds"]["read"] > 0


def test_without_options_the_last_column_is_learnt_and_the_model_named_like_the_table(folder):
    result = run("train", DATASETS / "iris.csv", *SMALL)
    assert result.exit_code == 0
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0] == "Response: species, the last column; name another one with -y."
    assert lines[-1] == "Model written to iris.h2olite."
    assert [path.name for path in folder.iterdir()] == ["iris.h2olite"]


def test_named_response_needs_no_note(folder):
    result = run("train", DATASETS / "iris.csv", "-y", "petal_width", *SMALL)
    assert "Response:" not in result.stderr
    assert h2olite.load_model("iris.h2olite").category == "Regression"


def test_columns_may_be_given_by_index(folder):
    run("train", DATASETS / "iris.csv", "-y", "3", "-x", "0,petal_length", *SMALL)
    model = h2olite.load_model("iris.h2olite")
    assert model.parameters.y == "petal_width"
    assert [row[0] for row in sorted(model.varimp())] == ["petal_length", "sepal_length"]


def test_quiet_says_nothing(folder):
    result = run("train", DATASETS / "wine.csv", "--quiet", *SMALL)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_command_line_and_python_train_the_same_model(penguins):
    frame = pd.read_csv(DATASETS / "penguins.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *arguments, **options: None)
        model = h2olite.deeplearning(y="species", training_frame=frame, hidden=8, epochs=3, seed=1, reproducible=True)
    pd.testing.assert_frame_equal(model.predict(frame), h2olite.load_model(penguins.path).predict(frame))


def test_command_line_goes_before_parameter_file(folder):
    (folder / "p.toml").write_text("hidden = [3]\nl1 = 0.5\n")
    run("train", DATASETS / "iris.csv", "--params", "p.toml", *SMALL)
    parameters = h2olite.load_model("iris.h2olite").parameters
    assert (parameters.hidden, parameters.l1) == ([8], 0.5)


def test_table_may_come_from_standard_input(folder):
    result = run("train", "-", "-y", "species", *SMALL, stdin=(DATASETS / "iris.csv").read_bytes())
    assert result.exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["model.h2olite"]


def test_csv_options_reach_both_tables(folder):
    text = "1;2;x\n?;4;y\n5;6;x\n7;8;y\n"
    (folder / "t.csv").write_text(text)
    (folder / "v.csv").write_text(text)
    options = ("--sep", ";", "--no-header", "--na-string", "?", "--validation-frame", "v.csv")
    result = run("train", "t.csv", *options, *SMALL)
    assert result.exit_code == 0
    model = h2olite.load_model("t.h2olite")
    assert model.parameters.y == "C3"
    assert list(model.encoder.numeric) == ["C1", "C2"]
    assert model.validation_metrics is not None


def test_binary_numbers_get_a_hint_and_factor_makes_them_classes(folder):
    (folder / "t.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    assert "response 'y' holds only 0 and 1" in run("train", "t.csv", *SMALL).stderr
    for options in (["--factor", "y"], ["--distribution", "bernoulli"], ["--loss", "CrossEntropy"]):
        assert run("train", "t.csv", *options, *SMALL).exit_code == 0
        assert h2olite.load_model("t.h2olite").category == "Binomial"


def test_idle_parameters_are_warned_of(folder):
    result = run("train", DATASETS / "iris.csv", "--rate", "0.1", *SMALL)
    assert "Warning: rate has no effect while adaptive_rate is on; pass adaptive_rate=False.\n" in result.stderr


@pytest.mark.proves("quiet_mode")
def test_quiet_mode_tells_no_progress(folder, monkeypatch):
    monkeypatch.setattr(console, "PLAIN_INTERVAL", 0)
    told = [
        "epoch " in run("train", DATASETS / "iris.csv", *options, *SMALL).stderr.split("\n\n")[0]
        for options in ([], ["--quiet-mode"])
    ]
    assert told == [True, False]


@pytest.mark.proves("verbose")
def test_verbose_prints_every_measurement(folder):
    result = run("train", DATASETS / "iris.csv", "--verbose", *SMALL)
    assert [line.split("  ")[3] for line in result.stderr.splitlines() if line.startswith("timestamp")] == [
        "epochs 1",
        "epochs 2",
        "epochs 3",
    ]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--l1", "-1", "--rho", "2"], "l1 must be >= 0; got -1. rho must be > 0 and < 1; got 2."),
        (
            ["--loss", "huber", "--distribution", "gaussian"],
            "loss with distribution gaussian must be Automatic or Quadratic; got Huber.",
        ),
        (
            ["--activation", "tanhh"],
            "activation must be one of Tanh, TanhWithDropout, Rectifier, RectifierWithDropout, Maxout, "
            "MaxoutWithDropout, ExpRectifier, ExpRectifierWithDropout; got 'tanhh'; did you mean 'Tanh'?",
        ),
        (["--params", "none.toml"], "none.toml: No such file or directory."),
        (["-o", "none/m.h2olite"], "there is no folder none to write m.h2olite into; make it first."),
    ],
)
def test_bad_parameters_and_outputs_are_refused_before_the_table_is_read(folder, arguments, line):
    fails_in_one_line(run("train", "missing.csv", *arguments), line, folder)


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("a,y\n1,2\n2,3\n", ["-y", "z1"], r"t.csv has no column 'z1'"),
        ("a,y\n1,x\n2,z\n", ["--distribution", "gaussian"], "distribution gaussian needs a numeric response"),
        ("a,y\n1,2\n2,2\n", [], "response 'y' of t.csv must have at least two values"),
        ("a,y\n1,2\n1,3\n", [], "t.csv has no usable predictor"),
        ("a,y\n1,2\n1\n", [], "t.csv, line 3: every row must have 2 cells"),
        ("", [], "t.csv is empty"),
    ],
)
def test_bad_tables_are_told_in_one_line_and_nothing_is_written(folder, text, options, line):
    (folder / "t.csv").write_text(text)
    result = run("train", "t.csv", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {line}")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


def test_failure_under_json_is_an_object(folder):
    result = run("train", "missing.csv", "--json")
    assert result.exit_code == 1
    assert "missing.csv" in json.loads(result.stdout)["error"]


@pytest.mark.parametrize(
    ("table", "stem"),
    [
        ("iris.csv", "iris"),
        ("../data/iris_train.csv.gz", "iris_train"),
        ("a.b.PARQUET", "a.b"),
        ("folder/", "folder"),
        ("parts/part-*.csv", "part"),
        ("s3://bucket/flights.arrow", "flights"),
        ("stream.arrows", "stream"),
        ("-", "model"),
        ("*.csv", "model"),
    ],
)
def test_model_is_called_like_its_table(table, stem):
    assert table_stem(table) == stem
