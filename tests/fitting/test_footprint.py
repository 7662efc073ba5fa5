import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from h2olite.data.reader import read_table
from h2olite.errors import LackOfMemoryError
from h2olite.fitting.footprint import estimate_memory
from h2olite.fitting.preparation import prepare
from h2olite.jobs import check, train
from h2olite.machine import memory
from h2olite.training.task import layout_of

TRAINED = """
import re, sys
from pathlib import Path
import h2olite
h2olite.deeplearning(training_frame=sys.argv[1], y="y", hidden=[1000, 1000], epochs=0.001, seed=1)
print(int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024)
"""
"""The peak of getrusage would be that of the process that starts this one, if it is larger."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A Parquet file of 4 million numbers and a column of two levels."""
    random = np.random.default_rng(0)
    columns = {f"x{i}": random.random(200_000) for i in range(20)}
    path = tmp_path_factory.mktemp("wide") / "t.parquet"
    pq.write_table(pa.table(columns | {"y": np.where(columns["x0"] > 0.5, "a", "b")}), path)
    return path


def test_estimate_is_near_the_peak_that_is_measured(wide):
    done = subprocess.run([sys.executable, "-c", TRAINED, wide], capture_output=True, text=True, check=True)
    estimate = estimate_memory(check({"y": "y", "hidden": [1000, 1000]}), read_table(wide))
    assert int(done.stdout) / 1.5 < estimate.total < int(done.stdout) * 1.5
    assert estimate.total - estimate.program > 100e6


@pytest.mark.parametrize("encoding", ["AUTO", "Binary", "Eigen", "LabelEncoder", "EnumLimited", "SortByResponse"])
@pytest.mark.parametrize("table", ["penguins", "iris"])
def test_network_is_counted_as_it_will_be(monkeypatch, encoding, table):
    sizes = []
    monkeypatch.setattr("h2olite.fitting.footprint.lay_out", lambda units, **_: sizes.extend(units) or made)
    training = read_table(f"datasets/{table}.csv")
    parameters = check({"y": training.names[0], "hidden": [7], "categorical_encoding": encoding})
    prepared = prepare(parameters, training, None)
    made = layout_of(prepared.encoder, prepared.response, prepared.parameters)
    estimate_memory(parameters, training)
    assert sizes == made.sizes.tolist()


@pytest.mark.parametrize(
    "more",
    [
        {"hidden": [400]},
        {"score_training_samples": 0},
        {"nfolds": 3},
        {"mini_batch_size": 5000},
        {"replicas": 2},
    ],
)
def test_more_to_do_takes_more(wide, more):
    base = {"y": "y", "hidden": [20], "nthreads": 2}
    table = read_table(wide)
    assert estimate_memory(check(base | more), table).to_come > estimate_memory(check(base), table).to_come


def test_validation_rows_take_memory_too(wide):
    table, parameters = read_table(wide), check({"y": "y"})
    assert estimate_memory(parameters, table, table).rows == 2 * estimate_memory(parameters, table).rows


@pytest.mark.parametrize("folds", [{}, {"nfolds": 3}])
def test_training_that_would_not_fit_is_refused_before_it_begins(wide, monkeypatch, folds):
    parameters = check({"training_frame": read_table(wide), "y": "y", "hidden": [3000, 3000], **folds})
    monkeypatch.setattr(memory, "available_memory", lambda: 100e6)
    monkeypatch.setattr("h2olite.fitting.fit.prepare", None)
    with pytest.raises(LackOfMemoryError, match=r"^training on t.parquet needs about .* of memory; .* 100 MB more"):
        train(parameters)


@pytest.mark.parametrize("extension", ["parquet", "arrow", "csv"])
def test_table_that_would_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch, extension):
    path = tmp_path / f"t.{extension}"
    table = pa.table({"a": np.arange(100_000) / 7, "b": np.arange(100_000)})
    writers = {"parquet": pq.write_table, "arrow": pa.feather.write_feather, "csv": pa.csv.write_csv}
    writers[extension](table, path)
    monkeypatch.setattr(memory, "available_memory", lambda: 1e6)
    with pytest.raises(LackOfMemoryError, match=f"^reading t.{extension} needs about [2-4] MB of memory"):
        read_table(path)
