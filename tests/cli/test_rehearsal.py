import json

import numpy as np
import pandas as pd
import pytest
from program import DATASETS, run

import h2olite
from h2olite.settings.parameters import declared


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rehearsed(*arguments):
    result = run("train", *arguments, "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_dry_run_tells_what_would_be_trained_and_writes_nothing(folder):
    arguments = (DATASETS / "penguins.csv", "-y", "species", "--hidden", "8,4", "--ignore", "island")
    text = run("train", *arguments, "--dry-run").stdout
    titles = ["classification of species from 344 rows", "network 7-8-4-3, 100 weights", "Columns", "Parameters other"]
    titles += ["Memory at the peak", "Time: about 0:0", "This was a dry run: nothing is written."]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert max(map(len, text.splitlines())) <= 80
    assert list(folder.iterdir()) == []


def test_dry_run_as_json_has_columns_parameters_memory_and_time(folder):
    report = rehearsed(DATASETS / "penguins.csv", "-y", "species", "--ignore", "island", "--distribution", "AUTO")
    by_name = {column["name"]: column for column in report["columns"]}
    assert by_name["island"]["role"] == "ignored"
    assert by_name["species"] == {
        "name": "species",
        "type": "categorical",
        "levels": ["Adelie", "Chinstrap", "Gentoo"],
        "missing": 0,
        "role": "response",
    }
    assert (by_name["sex"]["role"], by_name["sex"]["missing"]) == ("predictor", 11)
    assert (report["category"], report["rows"], report["sizes"]) == ("Multinomial", 344, [7, 200, 200, 3])
    assert report["parameters"].keys() == declared().keys() - {"training_frame", "validation_frame"}
    assert (report["parameters"]["distribution"], report["parameters"]["seed"]) == ("multinomial", -1)
    assert report["memory"]["total"] == sum(value for name, value in report["memory"].items() if name != "total")
    assert report["seconds"] == pytest.approx(report["rows_to_train"] / report["rows_per_second"])
    assert report["rows_to_train"] == pytest.approx(3440)


def test_dry_run_warns_as_training_does(folder):
    result = run("train", DATASETS / "iris.csv", "--rate", "0.1", "--dry-run")
    assert "Warning: rate has no effect while adaptive_rate is on; pass adaptive_rate=False." in result.stderr
    assert "Response: species, the last column" in result.stderr


def test_folds_and_checkpoints_change_what_there_is_to_train(folder):
    table = DATASETS / "iris.csv"
    assert rehearsed(table, "--nfolds", "3", "--epochs", "4", "--hidden", "3")["rows_to_train"] == pytest.approx(1800)
    run("train", table, "--hidden", "3", "--epochs", "4", "--quiet", "-o", "m.h2olite")
    left = rehearsed(table, "--checkpoint", "m.h2olite", "--epochs", "10", "--hidden", "3")["rows_to_train"]
    assert left == pytest.approx(900)


def test_speed_is_that_of_going_on_and_not_of_the_checkpoint(folder):
    table = DATASETS / "iris.csv"
    model = h2olite.deeplearning(y="species", training_frame=table, hidden=[3], epochs=1)
    model.record.seconds["train"] = model.history[-1]["duration"] = 1e9
    model.save("m.h2olite")
    report = rehearsed(table, "--checkpoint", "m.h2olite", "--epochs", "10", "--hidden", "3")
    assert report["rows_per_second"] > 1


def test_columns_have_the_role_that_training_gives_them(folder):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.random(50) for name in ("x", "other", "w", "o", "y")}).assign(constant=1)
    frame.to_csv("t.csv", index=False)
    options = ("--weights-column", "w", "--offset-column", "o", "-y", "y", "--hidden", "3")
    roles = {column["name"]: column["role"] for column in rehearsed("t.csv", *options)["columns"]}
    assert roles == {
        **{"x": "predictor", "other": "predictor", "w": "weights", "o": "offset"},
        **{"y": "response", "constant": "left out"},
    }
    chosen = rehearsed("t.csv", *options, "-x", "x")["columns"]
    assert {column["role"] for column in chosen if column["name"] in ("other", "constant")} == {"ignored"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-y", "specis"], "iris.csv has no column 'specis'; did you mean 'species'?"),
        (["--distribution", "gaussian"], "distribution gaussian needs a numeric response"),
        (["--l1", "-1"], "l1 must be >= 0; got -1."),
        (["--nfolds", "1000"], "nfolds must be at most the number of rows of iris.csv, 150; got 1000."),
    ],
)
def test_dry_run_finds_the_faults_that_training_would(folder, arguments, line):
    for extra in (["--dry-run"], []):
        result = run("train", DATASETS / "iris.csv", *arguments, *extra)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"Error: {line}")


def test_unknown_names_in_a_parameter_file_are_told_with_the_file(folder):
    for name, text in (
        ("p.toml", 'hiden = [3]\n"stoping-rounds" = 2\n'),
        ("p.json", '{"hiden": 3, "stoping-rounds": 2}'),
    ):
        (folder / name).write_text(text)
        result = run("train", DATASETS / "iris.csv", "--params", name)
        assert result.stderr == (
            f"Error: {name}: 'hiden' is not a parameter; did you mean 'hidden'? 'stoping_rounds' is not a parameter; "
            "did you mean 'stopping_rounds'?\n"
        )


def test_all_parameters_may_stand_in_a_file(folder):
    given = {name: p.default for name, p in declared().items() if p.default is not None and name != "training_frame"}
    (folder / "p.json").write_text(json.dumps(given | {"hidden": [3], "epochs": 1}))
    assert run("train", DATASETS / "iris.csv", "--params", "p.json", "-o", "m.h2olite").exit_code == 0
    assert h2olite.load_model("m.h2olite").parameters.hidden == [3]


def test_environment_sets_the_number_of_threads(monkeypatch):
    from h2olite.machine.threads import usable_threads

    monkeypatch.setenv("H2OLITE_NTHREADS", "7")
    assert usable_threads() == 7
    monkeypatch.setenv("H2OLITE_NTHREADS", "0")
    assert usable_threads() < 1000
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert usable_threads() == 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1000")
    assert usable_threads() < 1000
    monkeypatch.setenv("H2OLITE_NTHREADS", "two")
    result = run("train", DATASETS / "iris.csv", "--hidden", "3")
    assert result.exit_code == 1
    assert result.stderr.endswith("H2OLITE_NTHREADS must be a number of threads, 0 for all cores; got 'two'.\n")
