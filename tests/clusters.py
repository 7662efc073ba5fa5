"""Clusters of processes on this machine, and tables for them."""

import contextlib
import importlib

import numpy as np
import pandas as pd


@contextlib.contextmanager
def cluster_of(n_workers, **settings):
    """A client of a new cluster with so many processes of one thread."""
    import distributed

    options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"} | settings
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        client.run(importlib.import_module, "h2olite.dask.work")
        yield client


def flights(n_rows, seed=0):
    """A table with levels, numbers, missing values and two classes."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "carrier": random.choice(list("ABCDEFGH"), n_rows),
            "hour": random.uniform(0, 24, n_rows),
            "distance": random.exponential(700, n_rows).round(),
        }
    )
    late = np.sin(frame.hour / 4) + (frame.carrier < "C") + frame.distance / 2000 + random.normal(0, 0.5, n_rows)
    frame["late"] = np.where(late > 1, "Y", "N")
    frame.loc[random.random(n_rows) < 0.05, "distance"] = np.nan
    return frame


def parts_of(frame, n_parts):
    """The frame in so many parts of about equal length."""
    return [frame.iloc[rows] for rows in np.array_split(np.arange(len(frame)), n_parts)]


def frame_of(parts):
    """A Dask DataFrame whose partitions are these frames, as they are."""
    import dask
    import dask.dataframe as dd

    return dd.from_delayed([dask.delayed(part) for part in parts], meta=parts[0].iloc[:0], verify_meta=False)
