"""Training on a Dask cluster for `h2olite train`: one that runs already, or one of processes of this machine."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .console import Console
from .options import Option, column_of
from .progress import Watch

if TYPE_CHECKING:
    from h2olite.data.csv_options import CsvOptions
    from h2olite.model import Model
    from h2olite.settings.parameters import Parameters

SECTION = "Clusters"

CONNECT_SECONDS = 30
"""How long a scheduler may take to answer."""


def cluster_options() -> list[click.Parameter]:
    """The options that say where training is."""
    return [
        Option(
            ["--scheduler"],
            metavar="ADDRESS",
            help="Train on the Dask cluster of this scheduler, such as tcp://host:8786. TABLE must be a path that its "
            "workers can read.",
            section=SECTION,
        ),
        Option(
            ["--workers"],
            type=click.IntRange(min=1),
            metavar="N",
            help="Train on a Dask cluster of so many processes on this machine.",
            section=SECTION,
        ),
    ]


def train_on_cluster(
    console: Console, parameters: Parameters, csv: CsvOptions, scheduler: str | None, n_workers: int | None
) -> Model:
    """The model that a cluster trains on the files of the table.

    Raises
    ------
    MissingExtraError : Dask is not installed.
    TrainingError : the scheduler does not answer.
    """
    import h2olite.dask
    from h2olite.data.csv_options import Csv

    if csv.given():
        parameters.training_frame = Csv(parameters.training_frame, **csv.given())
    if parameters.x is not None:
        parameters.x = [column_of(name) for name in parameters.x]
    if parameters.y is not None:
        parameters.y = column_of(parameters.y)
    console.status(f"Reading {parameters.training_frame} on the cluster")
    with client_of(scheduler, n_workers) as client:
        return h2olite.dask.fit(parameters, client, watch=Watch(console, parameters, None))


@contextlib.contextmanager
def client_of(scheduler: str | None, n_workers: int | None) -> Iterator[Any]:
    """A client of the cluster, which ends with it if it is on this machine alone."""
    from distributed import Client, LocalCluster

    from h2olite.dask.work import ignore_interruption
    from h2olite.errors import TrainingError

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says is also said by h2olite, in sentences
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            raise TrainingError(
                f"the scheduler {scheduler} does not answer: {str(error).partition(chr(10))[0].rstrip('.')}; give the "
                "address that `dask scheduler` has printed."
            ) from None
        with client:
            yield client
        return
    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=n_workers, **settings) as cluster, Client(cluster) as client:
        # Ctrl-C in a terminal reaches all of its processes, and is for this one.
        client.run(ignore_interruption)
        yield client
