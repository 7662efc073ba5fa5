"""How far training is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from h2olite.settings.parameters import Parameters

from .console import Console

if TYPE_CHECKING:
    from h2olite.training.trainer import Progress

LONGEST_BAR, SHORTEST_BAR = 24, 4
"""Characters of the progress bar; with less room there is none."""

LEAST_SECONDS = 1.0
"""How long training must be watched before the time left is told: its first blocks are small, and so slow."""

YEAR = 365 * 86400
"""Seconds in a year."""

METRICS = ("logloss", "deviance", "mse")
"""What is told of the newest measurement: the first of these it has."""


class Watch:
    """Tells of a training's progress, and ends it after a signal.

    Parameters
    ----------
    console : where to.
    parameters : their verbose and quiet_mode say how much to tell.
    note : a sentence to begin with; it waits for training so that an error before stands alone.
    """

    def __init__(self, console: Console, parameters: Parameters, note: str | None) -> None:
        self.console, self.parameters, self.note = console, parameters, note
        self._newest: dict[str, Any] = {}
        self._clock = Clock(parameters.max_runtime_secs)

    def __call__(self, progress: Progress) -> bool:
        """Take note of the progress; False when training should end."""
        self.console.interruption.defer()
        if self.note:
            self.console.say(self.note)
            self.note = None
        self._newest = progress.row or self._newest
        left = self._clock.seconds_left(progress.epochs, progress.total_epochs)
        if self.parameters.verbose and progress.row:
            from h2olite.training.history import history_line

            self.console.say(history_line(progress.row), "score", **progress.row)
        if not self.parameters.quiet_mode:
            told = told_of(progress, self._newest, left)
            self.console.status(progress_line(told, self.console.width), **told)
        return self.console.interruption.signal is None


class Clock:
    """Tells how long a training will go on, by how fast it has been since it was first watched.

    Parameters
    ----------
    limit : max_runtime_secs, 0 for none.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._began = self._from = self._epochs = 0.0
        self._is_watching = False

    def seconds_left(self, epochs: float, total: float) -> float | None:
        """Seconds until all epochs are trained or the limit is reached, None while that cannot be told.

        Epochs that were trained before, as until a checkpoint, do not count; fewer epochs than before are those of
        another training.
        """
        now = time.monotonic()
        if not self._is_watching or epochs < self._epochs:
            self._began, self._from, self._is_watching = now, epochs, True
        self._epochs = epochs
        if epochs >= total:
            return 0.0
        passed = now - self._began
        if passed < LEAST_SECONDS or epochs <= self._from:
            return None
        left = passed * (total - epochs) / (epochs - self._from)
        return min(left, max(self._limit - passed, 0.0)) if self._limit else left


def told_of(progress: Progress, measured: Mapping[str, Any], left: float | None) -> dict[str, Any]:
    """How far training is, how fast, for how long still, and how good the model was when last measured, by name."""
    share = min(1.0, progress.epochs / progress.total_epochs) if progress.total_epochs else 1.0
    told = {
        "epoch": progress.epochs,
        "epochs": progress.total_epochs,
        "share": share,
        "rows_per_second": progress.rows_per_second,
        "seconds": progress.seconds,
        "seconds_left": left,
    }
    for metric in METRICS:
        names = [f"training_{metric}", f"validation_{metric}"]
        if known := {name: measured[name] for name in names if measured.get(name) is not None}:
            return told | known
    return told


def progress_line(told: Mapping[str, Any], width: int | None = None) -> str:
    """What `told_of` tells, in one line.

    On a terminal of some width it begins with a bar; where there is no room, first that shrinks, then parts of the end
    are left out.
    """
    parts = ["epoch " + "/".join(f"{n:.3g}" if n < 100 else f"{n:,.0f}" for n in (told["epoch"], told["epochs"]))]
    if told["seconds_left"] is not None:
        parts.append(f"{clock(told['seconds_left'])} left")
    for name in told:
        frame, _, metric = name.partition("_")
        if frame in ("training", "validation"):
            parts.append(f"{metric if frame == 'training' else frame} {told[name]:.4g}")
    parts.append(f"{told['rows_per_second']:,.0f} rows/s")
    if width is None:
        return ", ".join(parts)
    while len(", ".join(parts)) >= width and len(parts) > 1:
        parts.pop()
    size = min(width - len(", ".join(parts)) - 4, LONGEST_BAR)  # two brackets, a blank, and the last column stays free
    done = round(size * told["share"])
    bar = f"[{'#' * done}{'.' * (size - done)}] " if size >= SHORTEST_BAR else ""
    return f"{bar}{', '.join(parts)}"


def clock(seconds: float) -> str:
    """A duration as m:ss or h:mm:ss; what nobody waits for as so many years."""
    if seconds >= YEAR:
        return "many years" if seconds > 1000 * YEAR else f"{seconds / YEAR:.0f} years"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
