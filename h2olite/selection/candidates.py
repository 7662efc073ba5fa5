"""Settings that a search for good settings has tried."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from .space import Settings, told


@dataclasses.dataclass(eq=False)
class Candidate:
    """Settings that have been tried.

    Attributes
    ----------
    settings : see `h2olite.selection.space`.
    losses : the loss on each fold that they were measured on; infinite where training failed.
    seconds, n_networks : what the trainings took on one core, and how many networks they trained.
    error : why a training failed.
    """

    settings: Settings
    losses: dict[int, float] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    n_networks: int = 0
    error: str | None = None

    def __str__(self) -> str:
        """What differs from the first settings."""
        return told(self.settings)

    @property
    def loss(self) -> float:
        """The mean over the folds."""
        return mean_loss(list(self.losses.values()))

    @property
    def standard_error(self) -> float:
        """Of the mean over the folds; NaN with a single one."""
        n = len(self.losses)
        return float(np.std(list(self.losses.values()), ddof=1) / math.sqrt(n)) if n > 1 else math.nan


def mean_loss(losses: Sequence[float]) -> float:
    """The mean of those that are defined; infinite if none is, as the AUC of rows of one class."""
    defined = [loss for loss in losses if not math.isnan(loss)]
    return float(np.mean(defined)) if defined else math.inf
