"""A cluster of two processes."""

import importlib.util

import pytest
from clusters import cluster_of

HAS_DASK = all(importlib.util.find_spec(name) for name in ("dask", "distributed"))

collect_ignore_glob = [] if HAS_DASK else ["test_*.py"]
"""Without h2olite[dask], nothing here can even be imported."""


def pytest_report_header():
    return None if HAS_DASK else "tests/dask is left out: it needs h2olite[dask]"


@pytest.fixture(scope="module")
def client():
    with cluster_of(2) as client:
        yield client
