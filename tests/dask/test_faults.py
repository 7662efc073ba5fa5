"""Workers that are lost, late or slow while a cluster trains: training goes on, and says so."""

import dataclasses
import os
import signal
import threading
import time

import pytest
from clusters import cluster_of, flights, frame_of, parts_of

import h2olite
from h2olite import jobs
from h2olite.dask import api
from h2olite.dask.cluster import Cluster, homes
from h2olite.dask.work import FilePart
from h2olite.errors import TrainingError

SETTINGS = {"y": "late", "hidden": [16], "epochs": 10, "seed": 4, "replicas": 4, "reproducible": True}


def train(client, frame, watch=None, timeout=120.0, **given):
    parameters = jobs.check({"training_frame": frame} | SETTINGS | given)
    parameters = dataclasses.replace(parameters, train_samples_per_iteration=1000)
    return api.fit(parameters, client, timeout, watch=watch)


def once(rows_seen, act):
    """A watcher that acts once, when so many rows have been seen."""
    done = []

    def watch(progress):
        if progress.rows_seen >= rows_seen and not done:
            done.append(True)
            act()

    return watch


def theta(model):
    return model.network.theta.tobytes()


@pytest.fixture(scope="module")
def whole():
    """A table, and the weights that a cluster without faults learns from it."""
    frame = frame_of(parts_of(flights(4000), 6))
    with cluster_of(2) as client:
        return frame, theta(train(client, frame))


@pytest.mark.filterwarnings("ignore:worker .* was lost in round")
@pytest.mark.parametrize("moment", ["while it reads", "between two rounds", "in a round"])
def test_a_killed_worker_changes_no_bit(moment, whole):
    frame, wanted = whole
    with cluster_of(2) as client:
        pids = client.run(os.getpid)
        killed = min(pids)
        delay, rows = {"while it reads": (0.2, 0), "between two rounds": (0, 7000), "in a round": (0.01, 7000)}[moment]
        timer = threading.Timer(delay, os.kill, (pids[killed], signal.SIGKILL))

        def act():
            timer.start()
            if not delay:
                timer.join()

        if not rows:
            timer.start()
        model = train(client, frame, once(rows, act) if rows else None)
        timer.join()
        assert killed not in client.nthreads()
    assert theta(model) == wanted
    assert model.record.samples == 40_000
    assert sum(model.record.origin["cluster"]["rows_by_worker"].values()) == 40_000
    if moment == "between two rounds":
        said = [sentence for sentence in model.record.warnings if "was lost in round" in sentence]
        assert said
        assert killed in said[0]


def test_a_worker_that_joins_late_gets_replicas(whole):
    frame, wanted = whole
    with cluster_of(1) as client:
        first = set(client.nthreads())

        def join():
            client.cluster.scale(2)
            client.wait_for_workers(2, timeout=30)

        model = train(client, frame, once(5000, join))
        by_worker = model.record.origin["cluster"]["rows_by_worker"]
    assert theta(model) == wanted
    assert len(by_worker) == 2
    (late,) = set(by_worker) - first
    assert by_worker[late] == pytest.approx(35_000 / 2, rel=0.1)


@pytest.mark.filterwarnings("ignore:round .* did not answer")
def test_a_worker_that_hangs_is_not_waited_for_without_end(whole):
    frame, _ = whole
    with cluster_of(2) as client:
        pids = client.run(os.getpid)
        stopped = pids[sorted(pids)[0]]

        def hang():
            os.kill(stopped, signal.SIGSTOP)
            threading.Timer(6.0, os.kill, (stopped, signal.SIGCONT)).start()

        model = train(client, frame, once(7000, hang), timeout=4.0)
        os.kill(stopped, signal.SIGCONT)
    said = [sentence for sentence in model.record.warnings if "did not answer" in sentence]
    assert "2 replicas of 4 did not answer (not within 4 seconds); the model has not learnt from 500 rows" in said[0]
    assert model.record.samples == 40_000  # other rows have taken their place


def test_training_ends_when_all_workers_are_lost(whole):
    frame, _ = whole
    with cluster_of(1, processes=True) as client:

        def leave():
            client.cluster.scale(0)
            while client.nthreads():
                time.sleep(0.05)

        with pytest.raises(TrainingError, match="the cluster has no worker; start some"):
            train(client, frame, once(3000, leave), timeout=2.0)


def test_training_ends_when_the_scheduler_is_lost(whole):
    frame, _ = whole
    with cluster_of(1) as client:
        with pytest.raises(TrainingError, match="the scheduler of the cluster does not answer"):
            train(client, frame, once(3000, client.cluster.close), timeout=5.0)


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    frame = flights(500)
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    frame.to_parquet(tmp_path / "b.parquet", index=False)
    with cluster_of(1) as client:
        train(client, tmp_path, epochs=1, replicas=2)
        os.remove(tmp_path / "b.parquet")
        monkeypatch.setattr(
            "h2olite.dask.parts.find_files", lambda _: [_file(tmp_path / n) for n in ("a.parquet", "b.parquet")]
        )
        monkeypatch.setattr("h2olite.dask.parts.parts_of", lambda file, options: [FilePart(file, (), options)])
        with pytest.raises(h2olite.DataError, match=r"b\.parquet cannot be read"):
            train(client, tmp_path, epochs=1)


def _file(path):
    from pyarrow import fs

    from h2olite.data.files import File

    return File(fs.LocalFileSystem(), str(path))


def test_a_wait_has_an_end():
    with cluster_of(1) as client:
        cluster = Cluster(client, 0.5)
        future = cluster.submit(time.sleep, 3)
        with pytest.raises(TrainingError, match=r"napping: 1 task of 1 did not end within 0\.5 seconds"):
            cluster.results([future], "napping")


def test_replicas_are_spread_by_threads_and_stay_where_they_are():
    nowhere = [None] * 4
    assert homes([1] * 4, {"a": 1, "b": 1}, nowhere) == ["a", "b", "a", "b"]
    assert homes([1] * 4, {"a": 3, "b": 1}, nowhere).count("a") == 3
    near = [{"b": 9}, {"b": 9}, {"b": 9}, {"a": 1}]
    assert homes([1] * 4, {"a": 1, "b": 1}, nowhere, near) == ["b", "b", "a", "a"]
    assert homes([1] * 4, {"a": 1, "c": 1}, ["a", "b", "a", "b"]) == ["a", "c", "a", "c"]
    assert homes([1] * 4, {"a": 1, "b": 1, "c": 2}, ["a", "b", "a", "b"]) == ["a", "b", "c", "c"]
