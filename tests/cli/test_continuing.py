import json
import subprocess
import sys
import time

import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite

ENDLESS = ("--epochs", "1e9", "--stopping-rounds", "0", "--classification-stop", "-1", "--hidden", "5", "--seed", "1")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def newest(folder):
    return max(folder.glob("*.h2olite"), key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.proves("checkpoint", "export_checkpoints_dir")
def test_a_killed_training_goes_on_from_its_last_measurement(folder):
    command = ["train", str(DATASETS / "iris.csv"), "-y", "species", "--export-checkpoints-dir", "kept", *ENDLESS]
    kept = folder / "kept"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "h2olite_cli",
            *command,
            "--score-each-iteration",
            "--quiet",
            "--train-samples-per-iteration",
            "1500",
        ]
    )
    for _ in range(600):
        if kept.exists() and list(kept.glob("*.h2olite")) and h2olite.load_model(newest(kept)).record.iterations > 3:
            break
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    assert process.wait() == -9
    left = h2olite.load_model(newest(kept))
    epochs = left.record.epochs + 20

    result = run(*command[: -len(ENDLESS)], "--checkpoint", "kept", "--epochs", epochs, "--json", "--quiet")
    report = json.loads(result.stdout)
    assert report["epochs"] == epochs
    measured = [row["epochs"] for row in left.history]
    assert [row["epochs"] for row in report["scoring_history"]][: len(measured)] == measured
    assert report["model_id"] == left.model_id
    assert [path.name for path in kept.glob("*.h2olite")] == [f"{left.model_id}.h2olite"]


def test_checkpoint_refusals_come_before_the_table_is_read(folder):
    run("train", DATASETS / "iris.csv", "-o", "m.h2olite", *SMALL)
    result = run("train", "missing.csv", "--checkpoint", "m.h2olite", "--hidden", "9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: hidden must be as in the checkpoint ([8]); got [9]. epochs must be > 3, the epochs trained until the "
        "checkpoint; got 3.\n"
    )


def test_weights_of_one_model_start_another_by_files(folder):
    run("train", DATASETS / "iris.csv", "-o", "a.h2olite", *SMALL)
    for layer in ("1", "2"):
        run("weights", "a.h2olite", "--layer", layer, "-o", f"w{layer}.csv")
    run("train", DATASETS / "iris.csv", "-o", "b.h2olite", *SMALL, "--epochs", "0", "--initial-weights", "w1.csv,")
    a, b = h2olite.load_model("a.h2olite"), h2olite.load_model("b.h2olite")
    pd.testing.assert_frame_equal(a.weights(0), b.weights(0))
    assert not a.weights(1).equals(b.weights(1))
