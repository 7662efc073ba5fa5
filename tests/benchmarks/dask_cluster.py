"""How much faster two workers of a Dask cluster are than one, and what they learn: flights, one epoch, two replicas.

    python tests/benchmarks/dask_cluster.py FLIGHTS.parquet [--rows 400000]

The table has the columns of the flight benchmark; its last 20,000 rows test. Needs h2olite[dask].
"""

import argparse
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd
from distributed import Client, LocalCluster

import h2olite

RESPONSE = "dep_delayed_15min"
RUNS = 3


def train(folder, n_workers, clients):
    """Rows a second of training, without reading and measuring, and the model."""
    model = h2olite.dask.deeplearning(
        clients[n_workers], y=RESPONSE, training_frame=folder, epochs=1, replicas=2, seed=1, score_interval=1000
    )
    return model.record.samples / model.record.seconds["train"], model


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("flights")
    arguments.add_argument("--rows", type=int, default=400_000)
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    frame = pd.read_parquet(given.flights)
    test, frame = frame[-20_000:], frame[: min(given.rows, len(frame) - 20_000)]
    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(8):
            frame[number::8].to_parquet(Path(folder) / f"{number}.parquet", index=False)
        rates = {1: [], 2: []}
        with LocalCluster(n_workers=1, **settings) as one, LocalCluster(n_workers=2, **settings) as two:
            with Client(one) as first, Client(two) as second:
                clients = {1: first, 2: second}
                for n_workers in clients:
                    train(folder, n_workers, clients)  # for the kernels to be loaded
                for _ in range(RUNS):
                    for n_workers, own in rates.items():
                        rate, model = train(folder, n_workers, clients)
                        own.append(rate)
                        print(f"{n_workers} workers: {rate:,.0f} rows/s", flush=True)
        started = time.perf_counter()
        alone = h2olite.deeplearning(y=RESPONSE, training_frame=frame, epochs=1, replicas=2, seed=1, nthreads=2)
        seconds = time.perf_counter() - started
    medians = {n_workers: statistics.median(own) for n_workers, own in rates.items()}
    print(f"{len(frame):,} rows; {medians[2]:,.0f} / {medians[1]:,.0f} = {medians[2] / medians[1]:.2f}")
    losses = [model.model_performance(test).logloss() for model in (model, alone)]
    print(f"logloss of the cluster {losses[0]:.4f}, of one process {losses[1]:.4f} (in {seconds:.1f} s in all)")


if __name__ == "__main__":
    main()
