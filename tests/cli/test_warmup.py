import json
import os
import platform
import shutil
import subprocess
import sys

import pytest
from program import run

from h2olite.kernels.caching import CACHE_FOLDER
from h2olite.kernels.processors import AVX2, processor_of
from h2olite.kernels.rows import train_rows

OTHER_NETWORKS = """
import numpy as np
from click.testing import CliRunner
import h2olite
from h2olite.kernels import averaging, penalties, rows, sparse
from h2olite_cli.main import main

def compiled():
    kernels = (
        rows.train_rows,
        rows.predict_rows,
        penalties.step_and_screen,
        sparse.predict_sparse_rows,
        averaging.average_states,
    )
    return [len(kernel.signatures) for kernel in kernels]

CliRunner().invoke(main, ["warmup"], catch_exceptions=False)
after_warmup = compiled()
numbers = np.random.default_rng(1).standard_normal((60, 4))
table = {f"x{i}": column for i, column in enumerate(numbers.T)} | {"c": ["a", "b", "c"] * 20, "w": np.ones(60)}
for settings in (
    {"y": "c", "hidden": [5, 4, 3], "activation": "MaxoutWithDropout", "l1": 1e-3},
    {"y": "x0", "distribution": "huber", "weights_column": "w", "adaptive_rate": False},
    {"y": "x0", "offset_column": "x1", "mini_batch_size": 7, "averaging_window": 0},
    {"autoencoder": True, "activation": "Tanh", "sparsity_beta": 0.1, "replicas": 2},
    {"y": "c", "replicas": 3, "l1": 1e-3, "averaging_rows": 4},
    {"y": "x0", "replicas": 3, "averaging_window": 0, "mini_batch_size": 7},
):
    h2olite.deeplearning(training_frame=table, **{"hidden": [6], "epochs": 1} | settings).predict(table)
long = {name: np.tile(column, 40) for name, column in table.items()}
h2olite.deeplearning(training_frame=long, y="c", x=["x0", "x1"], hidden=[200, 200], epochs=0.1, l1=1.0).predict(long)
print(after_warmup, compiled())
"""


def test_a_second_time_finds_everything_compiled():
    run("warmup")
    result = run("warmup", "--json")
    report = json.loads(result.stdout)
    assert report.pop("seconds") > 0
    processors = report.pop("processors")
    assert report == {"compiled": 0, "folder": str(CACHE_FOLDER)}
    (this,) = [processor for processor in processors if processor["this"]]
    assert this["name"] == processor_of(train_rows.targetctx.codegen()).name
    assert this["kernels"] >= 6
    assert "It serves processors of the kind " in result.stderr
    assert f"{this['name']} (this one)" in result.stderr
    assert result.stderr.startswith("Nothing left to compile: loaded the kernels in ")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="is about levels of x86-64")
def test_portable_code_serves_other_processors_without_a_compiler(tmp_path):
    script = [sys.executable, "-P", "-c", "from h2olite_cli.main import main; main()", "warmup"]
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "H2OLITE_CACHE_DIR": str(tmp_path)}
    avx2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+" + ",+".join(sorted(AVX2))}

    def warm(*options, **environment):
        finished = subprocess.run(
            [*script, "--json", *options], env=os.environ | paths | environment, capture_output=True, text=True
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout), finished.stderr

    shutil.copytree(CACHE_FOLDER, tmp_path / CACHE_FOLDER.name)
    warm("--portable")
    report, messages = warm(**avx2)
    levels = {(p["name"], p["kernels"]) for p in report["processors"]}
    assert levels >= {("x86-64-v3", 6), ("x86-64-v4", 6)}
    assert report["compiled"] == 0
    assert "Compiling" not in messages


def test_quiet_says_nothing():
    assert run("warmup", "--quiet").output == ""


def test_what_a_warmup_compiles_serves_every_other_network():
    paths = os.pathsep.join(path for path in sys.path if path)
    script = [sys.executable, "-P", "-c", OTHER_NETWORKS]
    finished = subprocess.run(script, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert finished.stdout == "[2, 1, 1, 1, 1] [2, 1, 1, 1, 1]\n", finished.stderr


def test_a_folder_that_cannot_be_written_is_an_error(monkeypatch):
    monkeypatch.setattr("h2olite.kernels.caching.CACHE_FOLDER", None)
    result = run("warmup")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: no folder for machine code is writable, and out of reach of other users; name one in "
        "H2OLITE_CACHE_DIR.\n"
    )
