import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from program import DATASETS, SMALL, run

import h2olite

IRIS = DATASETS / "iris.csv"
LONG = ("--epochs", "400", "--classification-stop", "-1", "--stopping-rounds", "0", "--seed", "1", "--nthreads", "1")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_table_is_printed_best_first_and_models_are_kept(folder):
    result = run("grid", IRIS, "--grid-l1", "0,0.01", "--grid-hidden", "5;6,7", "--epochs", "2", "--seed", "1")
    assert result.exit_code == 0
    rows = rows_of(result.stdout)
    assert list(rows[0]) == ["l1", "hidden", "model_ids", "logloss"]
    assert {(row["l1"], row["hidden"]) for row in rows} == {
        (l1, hidden) for l1 in ("0.0", "0.01") for hidden in ("5", "[6, 7]")
    }
    losses = [float(row["logloss"]) for row in rows]
    assert losses == sorted(losses)
    for row in rows:
        assert h2olite.load_model(folder / "iris_grid" / f"{row['model_ids']}.h2olite").logloss() == float(
            row["logloss"]
        )
    lines = [line for line in result.stderr.splitlines() if not line.startswith("epoch ")]  # of slow machines
    assert lines[0] == "Response: species, the last column; name another one with -y."
    assert lines[1].startswith("l1 0.0, hidden [5]: logloss ")
    assert lines[-1] == "4 models in iris_grid, 0 failed."


def test_json_lists_models_and_failures(tmp_path):
    result = run("grid", IRIS, "--grid-l1", "-1,0", "--grid-standardize", "off", "-o", tmp_path, "--json", *SMALL)
    report = json.loads(result.stdout)
    (model,) = report["models"]
    assert model["hyper_parameters"] == {"l1": 0, "standardize": False}
    assert model["path"] == str(tmp_path / f"{model['model_id']}.h2olite")
    assert report["sort_metric"] == "logloss"
    assert report["failures"] == [
        {"hyper_parameters": {"l1": -1, "standardize": False}, "error": "l1 must be >= 0; got -1."}
    ]
    assert "l1 -1.0, standardize False: failed: l1 must be >= 0; got -1.\n" in result.stderr


def test_search_criteria_are_options(tmp_path):
    result = run(
        *("grid", IRIS, "--grid-rho", "0.9,0.91,0.92,0.93", "--strategy", "randomdiscrete", "--max-models", "2"),
        *("--search-seed", "3", "-o", tmp_path, "--quiet", *SMALL),
    )
    assert len(rows_of(result.stdout)) == 2
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "a grid needs at least one hyper-parameter, such as l1 with the values 0 and 1e-4 (--grid-l1 0,1e-4)."),
        (["--grid-epochs", "1"], "epochs is both a hyper-parameter and set to 3.0; choose one."),
        (["--grid-l1", "0", "--max-models", "-1"], "max_models must be >= 0; got -1."),
        (["--grid-l1", "-1"], "no model of the grid could be trained; the first error: l1 must be >= 0; got -1."),
    ],
)
def test_unusable_searches_fail_in_one_line(tmp_path, arguments, line):
    result = run("grid", IRIS, *arguments, "-o", tmp_path, "--quiet", *SMALL)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {line}\n")


def test_what_cannot_be_searched_is_no_option():
    result = run("grid", IRIS, "--grid-nfolds", "2")
    assert result.exit_code == 2
    assert "No such option" in result.stderr


def start(folder):
    """Start a search of six models in a process of its own; returns when the first model is finished."""
    command = [sys.executable, "-m", "h2olite_cli", "grid", str(IRIS), "-o", str(folder), *LONG]
    command += ["--grid-l1", "0,1e-5,1e-4,1e-3,1e-2,1e-1", "--hidden", "40,40"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    journal = folder / "grid.json"
    while process.poll() is None and not (journal.exists() and json.loads(journal.read_text())["trials"]):
        time.sleep(0.01)
    return process, command


def finished(folder):
    """When each finished model was written."""
    trials = json.loads((folder / "grid.json").read_text())["trials"]
    return {trial["model_id"]: (folder / f"{trial['model_id']}.h2olite").stat().st_mtime_ns for trial in trials}


def test_same_command_after_a_kill_trains_only_the_models_that_are_missing(tmp_path):
    process, command = start(tmp_path)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    before = finished(tmp_path)
    assert 1 <= len(before) < 6
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    after = finished(tmp_path)
    assert len(rows_of(again.stdout)) == len(after) == 6
    assert {model_id: after[model_id] for model_id in before} == before
    assert len([line for line in again.stderr.splitlines() if line.startswith("l1 ")]) == 6 - len(before)


def test_sigint_ends_the_search_and_prints_the_finished_models(tmp_path):
    process, _ = start(tmp_path)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130
    assert "Stopped by SIGINT; the same command goes on with the models that are missing.\n" in stderr
    assert len(rows_of(stdout)) == len(finished(tmp_path)) < 6
