"""`h2olite train` on a Dask cluster."""

import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite

pytest.importorskip("distributed", reason="needs h2olite[dask]")
pytest.importorskip("dask.dataframe", reason="needs h2olite[dask]")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the penguins in three files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "birds").mkdir()
    penguins = pd.read_csv(DATASETS / "penguins.csv")
    for number in range(3):
        penguins[number::3].to_parquet(tmp_path / "birds" / f"{number}.parquet", index=False)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_workers_and_a_scheduler_train_the_same_model(folder):
    result = run("train", "birds", "-y", "species", "--workers", "2", "--json", *SMALL)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["rows"], report["category"]) == (344, "Multinomial")
    assert "Model written to birds.h2olite." in result.stderr
    from distributed import LocalCluster

    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=1, **settings) as cluster:
        address = cluster.scheduler_address
        there = run("train", "birds", "-y", "species", "--scheduler", address, "-o", "there.h2olite", *SMALL)
    assert there.exit_code == 0, there.stderr
    models = [h2olite.load_model(name) for name in ("birds.h2olite", "there.h2olite")]
    assert models[0].network.theta.tobytes() == models[1].network.theta.tobytes()


@pytest.mark.parametrize(
    ("given", "message", "code"),
    [
        (["--scheduler", "tcp://127.0.0.1:1", "--workers", "2"], "--scheduler and --workers cannot both be given", 2),
        (["--workers", "2", "--dry-run"], "--dry-run cannot look at a table on a cluster", 2),
        (["--workers", "0"], "0 is not in the range x>=1", 2),
        (["--scheduler", "tcp://127.0.0.1:1"], "the scheduler tcp://127.0.0.1:1 does not answer", 1),
        (["--workers", "1", "--nfolds", "3"], "nfolds cannot be used on a cluster", 1),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_is_refused(folder, monkeypatch, given, message, code):
    monkeypatch.setattr("h2olite_cli.cluster.CONNECT_SECONDS", 1)
    result = run("train", "birds", "-y", "species", *given, *SMALL)
    assert result.exit_code == code
    assert message in result.stderr.replace("\n", " ")


def test_interruption_of_the_whole_terminal_keeps_the_model_so_far(folder):
    command = [sys.executable, "-m", "h2olite_cli", "train", "birds", "-y", "species", "--workers", "1"]
    options = [
        "--hidden",
        "8",
        "--epochs",
        "1e6",
        "--stopping-rounds",
        "0",
        "--classification-stop",
        "-1",
        "--log-format",
        "text",
    ]
    lines = []
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        for line in process.stderr:
            lines.append(line)
            if "epoch" in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait(60) == 130, "".join(lines) + rest
    assert "Stopped by SIGINT" in rest
    assert h2olite.load_model("birds.h2olite").record.stopped_by == "interrupted"
