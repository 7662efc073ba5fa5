"""What a program gives to reach a cluster."""

import pytest
from clusters import cluster_of, flights, frame_of

import h2olite
from h2olite.errors import ParameterError, TrainingError


def train(client, **given):
    return h2olite.dask.deeplearning(client, y="late", training_frame=frame_of([flights(50)]), hidden=[4], **given)


def test_a_client_is_needed_and_a_worker():
    with pytest.raises(ParameterError, match="client is missing, and the program has none"):
        train(None)
    with pytest.raises(ParameterError, match=r"client must be a distributed\.Client; got str"):
        train("tcp://somewhere")
    with cluster_of(0) as client, pytest.raises(TrainingError, match="the cluster has no worker"):
        train(client, timeout=1)


def test_the_client_of_the_program_is_the_default():
    with cluster_of(1):
        assert train(None, epochs=1).record.rows == 50
