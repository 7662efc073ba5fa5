"""What a session holds: frames, models and grids by their keys."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from h2olite.errors import DataError
from h2olite.settings.parameters import nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from h2olite.model import Model
    from h2olite.selection.grid import Grid
    from h2olite.selection.path import RegularizationPath

Held = TypeVar("Held")

TEMPORARY = "RTMP_"
"""How the keys of frames begin that nobody has named."""


class Store:
    """Frames, models and grids by key, and how the session is to work.

    Attributes
    ----------
    frames, models, grids, paths : what is held, by key.
    nthreads : threads of a training that does not say how many; 0 for all.
    tell : called with an event while an operation runs.
    stopped : whether the running training is to end.
    """

    def __init__(self, tell: Callable[..., None], stopped: Callable[[], bool]) -> None:
        self.frames: dict[str, pa.Table] = {}
        self.models: dict[str, Model] = {}
        self.grids: dict[str, Grid] = {}
        self.paths: dict[str, RegularizationPath] = {}
        self.nthreads = 0
        self.tell, self.stopped = tell, stopped
        self._numbers = itertools.count(1)

    def keep_frame(self, table: pa.Table, key: str | None = None) -> str:
        """Hold a frame, under a key of its own if there is none, and give the key."""
        key = key or f"{TEMPORARY}{next(self._numbers)}"
        self.frames[key] = table
        return key

    def keep_model(self, model: Model) -> str:
        """Hold a model and those of its folds, and give its key."""
        for fold in model.cross_validation_models() or ():
            self.models[fold.model_id] = fold
        self.models[model.model_id] = model
        return model.model_id

    def frame(self, key: str) -> pa.Table:
        """The frame of a key."""
        return _find(self.frames, key, "frame")

    def model(self, key: str) -> Model:
        """The model of a key."""
        return _find(self.models, key, "model")

    def grid(self, key: str) -> Grid:
        """The grid of a key."""
        return _find(self.grids, key, "grid")

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of what is held under these keys, if it is."""
        for key in keys:
            for held in (self.frames, self.models, self.grids, self.paths):
                held.pop(key, None)

    def resolved(self, value: Any) -> Any:
        """Arguments with frames and models in the place of references to them."""
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(kind, key)] = value.items()
            if kind == "frame" and isinstance(key, str):
                return self.frame(key)
            if kind == "model" and isinstance(key, str):
                return self.model(key)
        return {name: self.resolved(item) for name, item in value.items()}


def _find(held: dict[str, Held], key: str, what: str) -> Held:
    """What is held under a key."""
    if key not in held:
        raise DataError(f"the session holds no {what} {key!r}{nearest(key, held, '; h2o.ls() lists what it holds.')}")
    return held[key]
