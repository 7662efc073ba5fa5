"""Training on many machines by Dask: `deeplearning` and estimators whose tables are on the workers of a cluster.

Importing it needs Dask with its distributed scheduler.
"""

from __future__ import annotations

from h2olite.errors import MissingExtraError

try:
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise MissingExtraError(f"training on a cluster needs Dask ({error}): pip install 'h2olite[dask]'.") from error

from .api import deeplearning, fit, predict

__all__ = ["deeplearning", "fit", "predict"]
