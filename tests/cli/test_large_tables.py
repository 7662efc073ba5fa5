"""Tables larger than the memory allowed, for real: nothing is left of the scratch file, however training ends."""

import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from program import DATASETS, run

import h2olite

PROGRAM = [sys.executable, "-m", "h2olite_cli"]
LIMITED = ("-y", "y", "--max-memory", "600MB", "--hidden", "5", "--seed", "1", "--stopping-rounds", "0")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A small file of 20 million cells, which would take 400 MB in memory."""
    random = np.random.default_rng(0)
    numbers = [np.repeat(random.random(1000), 1000) for _ in range(20)]
    columns = {f"x{i}": column for i, column in enumerate(numbers)}
    path = tmp_path_factory.mktemp("wide") / "t.parquet"
    pq.write_table(pa.table(columns | {"y": np.where(numbers[0] + numbers[1] > 1, "a", "b")}), path)
    return path


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A folder for scratch files."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def start(table, scratch, *options, **streams):
    arguments = ["train", table, *LIMITED, "--scratch", scratch, *options]
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **streams
    )


def scratch_files_of(process, scratch):
    """The files in a folder that a process has open, whether they have names or not."""
    places = f"/proc/{process.pid}/fd"
    return [link for fd in os.listdir(places) if (link := os.readlink(f"{places}/{fd}")).startswith(str(scratch))]


def test_table_is_trained_on_and_nothing_is_left(table, scratch):
    process = start(table, scratch, "--epochs", "0.2")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert list(scratch.iterdir()) == []
    model = h2olite.load_model("t.h2olite")
    assert model.record.rows == 1_000_000
    assert model.auc() > 0.9
    assert model.parameters.max_memory == "600MB"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_scratch_file_goes_with_the_process(table, scratch, number, code):
    process = start(table, scratch, "--epochs", "1e9", "--export-checkpoints-dir", scratch.parent, "--model-id", "m")
    while process.poll() is None and not (scratch.parent / "m.h2olite").exists():  # that is, training goes on
        time.sleep(0.05)
    assert len(scratch_files_of(process, scratch)) == 1
    assert list(scratch.iterdir()) == []
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert list(scratch.iterdir()) == []
    assert (scratch.parent / "t.h2olite").exists() == (number != signal.SIGKILL)


def test_full_disk_is_told(table, scratch):
    process = start(
        table,
        scratch,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000_000, 50_000_000)),
    )
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert f"Error: the scratch file in {scratch} cannot grow beyond " in err
    assert "File too large" in err
    assert list(scratch.iterdir()) == []


def test_error_leaves_nothing(table, scratch):
    process = start(table, scratch, "--offset-column", "x3")
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "offset_column needs a numeric response and y is categorical" in err
    assert list(scratch.iterdir()) == []


def test_standard_input_of_any_length_is_read_block_by_block(scratch):
    text = (DATASETS / "penguins.csv").read_text()
    options = ("--hidden", "5", "--epochs", "2", "--seed", "1", "--reproducible", "--scratch", scratch)
    result = run("train", "-", *options, "--max-memory", "1GB", "-o", "a.h2olite", stdin=text)
    assert result.exit_code == 0, result.stderr
    assert run("train", DATASETS / "penguins.csv", *options, "-o", "b.h2olite").exit_code == 0
    np.testing.assert_array_equal(*(h2olite.load_model(f"{name}.h2olite").network.theta for name in "ab"))


def test_dry_run_is_refused_with_a_way_out(table, scratch):
    result = run("train", table, *LIMITED, "--dry-run")
    assert result.exit_code != 0
    assert "max_memory and scratch are for the training of one model; leave them out here." in result.stderr
