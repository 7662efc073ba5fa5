"""The functions for Python that train on a cluster, and predict there."""

from __future__ import annotations

from typing import Any

import dask.dataframe as dd
from distributed import Client

from h2olite.api import print_measurement
from h2olite.errors import DataError, ParameterError
from h2olite.fitting.preparation import Warn
from h2olite.jobs import Watch, check, trained_by
from h2olite.model import Model
from h2olite.settings.parameters import Parameters

from .cluster import Cluster, client_of
from .training import fit_on_cluster
from .work import predicted

TIMEOUT = 600.0
"""Seconds that a wait for the cluster takes at the most."""


def deeplearning(
    client: Client | None = None,
    x: Any = None,
    y: Any = None,
    training_frame: Any = None,
    *,
    timeout: float = TIMEOUT,
    **given: Any,
) -> Model:
    """Train a neural network on a table whose parts are on the workers of a Dask cluster.

    Parameters
    ----------
    client
        The client of the cluster; if not given, the one that the program has.
    x, y, training_frame
        The predictors, the response and the table: a Dask DataFrame, or a file, folder, glob or URI that every worker
        can read.
    timeout
        Seconds that a wait for the cluster takes at the most.
    **given
        The other parameters of `h2olite.deeplearning`, but for those that a cluster does not know yet. A
        `validation_frame` is a table in this process. `replicas` is the number of copies of the network; without it,
        there are as many as parts of the table, up to 8. They are averaged every `averaging_rows` rows of each.

    Returns
    -------
    model : h2olite.Model
        An ordinary model. The same parts, replicas and seed give the same bits, whatever workers there are.

    Raises
    ------
    ParameterError, DataError, TrainingError
        As for `h2olite.deeplearning`; a TrainingError also where the cluster is lost or does not answer in time.
    """
    if not timeout > 0:
        raise ParameterError(f"timeout must be > 0; got {timeout!r}.")
    parameters = check({"x": x, "y": y, "training_frame": training_frame} | given)
    return fit(parameters, client_of(client), timeout, watch=print_measurement if parameters.verbose else None)


def fit(parameters: Parameters, client: Client, timeout: float = TIMEOUT, *, watch: Watch | None = None) -> Model:
    """Train with checked parameters, as `h2olite.jobs.train` does."""
    cluster = Cluster(client, timeout)

    def way(parameters: Parameters, watch: Watch, warn: Warn) -> Model:
        return fit_on_cluster(parameters, cluster, watch, warn)

    return trained_by(way, parameters, watch)


def predict(model: Model, frame: Any) -> dd.DataFrame:
    """Predict the rows of a Dask DataFrame, lazily: each partition where it is.

    Parameters
    ----------
    model : a trained model.
    frame : a Dask DataFrame with the model's predictors.

    Returns
    -------
    predictions : dask.dataframe.DataFrame
        The columns that ``model.predict`` gives, with the partitions and the index of the frame.

    Raises
    ------
    DataError : it is no Dask DataFrame; when it is computed, what ``model.predict`` raises.
    """
    if not isinstance(frame, dd.DataFrame):
        raise DataError(f"frame must be a Dask DataFrame; got {type(frame).__name__}; model.predict takes others.")
    return frame.map_partitions(predicted, model, meta=predicted(frame._meta, model))
