"""Deep learning on tables with the parameters of h2o.deeplearning.

Importing the package loads next to nothing; the first use of a name loads what it needs.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  pandas needs it, which cannot be had once the main thread has ended
import importlib
from typing import TYPE_CHECKING, Any

from .errors import (
    ArtifactError,
    DataError,
    H2OLiteError,
    LackOfMemoryError,
    MissingExtraError,
    ParameterError,
    TrainingError,
)

if TYPE_CHECKING:
    from .api import deeplearning, grid, regularization_path, select, train_segments, tune
    from .data.csv_options import Csv
    from .data.description import Description, describe
    from .model import Model, import_mojo, load_model
    from .scikit import DeepLearningClassifier, DeepLearningRegressor
    from .selection.columns import Selection
    from .selection.comparison import Comparison, compare
    from .selection.grid import Grid
    from .selection.path import RegularizationPath
    from .selection.segments import SegmentModels
    from .selection.tuning import Tuning
    from .trained.scorer import Scorer

__version__ = "0.1.0"

__all__ = [
    "ArtifactError",
    "Comparison",
    "Csv",
    "DataError",
    "DeepLearningClassifier",
    "DeepLearningRegressor",
    "Description",
    "Grid",
    "H2OLiteError",
    "LackOfMemoryError",
    "MissingExtraError",
    "Model",
    "ParameterError",
    "RegularizationPath",
    "Scorer",
    "SegmentModels",
    "Selection",
    "TrainingError",
    "Tuning",
    "compare",
    "deeplearning",
    "describe",
    "grid",
    "import_mojo",
    "load_model",
    "regularization_path",
    "select",
    "train_segments",
    "tune",
]

_HOMES = {
    "compare": "selection.comparison",
    "deeplearning": "api",
    "describe": "data.description",
    "grid": "api",
    "import_mojo": "model",
    "load_model": "model",
    "regularization_path": "api",
    "select": "api",
    "train_segments": "api",
    "tune": "api",
    "Comparison": "selection.comparison",
    "Csv": "data.csv_options",
    "Description": "data.description",
    "Grid": "selection.grid",
    "Model": "model",
    "RegularizationPath": "selection.path",
    "Scorer": "trained.scorer",
    "Selection": "selection.columns",
    "SegmentModels": "selection.segments",
    "Tuning": "selection.tuning",
    "DeepLearningClassifier": "scikit",
    "DeepLearningRegressor": "scikit",
}
"""Where the names that are loaded on first use live."""


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name == "dask":
        return importlib.import_module(".dask", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
