"""Training on many machines by Dask: `deeplearning` and estimators whose tables are on the workers of a cluster.

Importing it needs Dask with its distributed scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from h2olite.errors import MissingExtraError

try:
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise MissingExtraError(f"training on a cluster needs Dask ({error}): pip install 'h2olite[dask]'.") from error

from .api import deeplearning, fit, predict

if TYPE_CHECKING:
    from .estimators import DaskDeepLearningClassifier, DaskDeepLearningRegressor

__all__ = ["DaskDeepLearningClassifier", "DaskDeepLearningRegressor", "deeplearning", "fit", "predict"]


def __getattr__(name: str) -> Any:
    """Load the estimators, which need scikit-learn, on first use."""
    if name not in ("DaskDeepLearningClassifier", "DaskDeepLearningRegressor"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import estimators

    return getattr(estimators, name)
