import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from program import DATASETS, run

import h2olite

IRIS = DATASETS / "iris.csv"
SMALL = ("-y", "species", "--hidden", "8", "--epochs", "3", "--seed", "1", "--nthreads", "1")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_model_is_written_and_what_was_tried_is_printed():
    result = run("tune", IRIS, *SMALL, "--max-models", 8)
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, len(rows) + 1)]
    assert {"numeric_encoding", "l1", "folds", "logloss", "standard_error"} <= set(rows[0])
    assert "hidden" not in rows[0]
    assert "the preset accurate: loss " in result.stderr
    assert "the model of the best is written to iris.h2olite." in result.stderr
    assert h2olite.load_model("iris.h2olite").parameters.numeric_encoding == rows[0]["numeric_encoding"]


def test_json_has_all_of_it(tmp_path):
    result = run("tune", IRIS, *SMALL, "--max-models", 4, "-o", "m.h2olite", "--directory", "d", "--json", "--quiet")
    report = json.loads(result.stdout)
    assert report["tried"][0]["rank"] == 1
    assert report["model"]["path"] == "m.h2olite"
    assert (tmp_path / "d" / "tuning.json").exists()


@pytest.mark.parametrize("option", ["--nfolds", "--preset", "--validation-frame", "--autoencoder"])
def test_what_the_command_sets_is_no_option(option):
    assert run("tune", IRIS, option, "2").exit_code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_search_goes_on_after_its_end(tmp_path, number):
    command = [sys.executable, "-m", "h2olite_cli", "tune", str(IRIS), *SMALL, "--max-models", "40", "--epochs", "60"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    journal = tmp_path / "iris_tuning" / "tuning.json"
    while process.poll() is None and not (journal.exists() and json.loads(journal.read_text())["candidates"]):
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    if number == signal.SIGINT:
        assert "Stopped by SIGINT; the same command goes on with the time that is left." in said
    assert not (tmp_path / "iris.h2olite").exists()
    before = json.loads(journal.read_text())["candidates"]
    again = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    after = json.loads(journal.read_text())["candidates"]
    assert [one["settings"] for one in after[: len(before)]] == [one["settings"] for one in before]
    assert len(after) > len(before)
    assert len(list(csv.DictReader(io.StringIO(again.stdout)))) == len(after)
    assert (tmp_path / "iris.h2olite").exists()
