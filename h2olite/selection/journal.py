"""What a search has done so far, kept in a folder so that it can go on after whatever ended it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from h2olite.errors import DataError, ParameterError
from h2olite.fitting.checkpoint import place_for_model
from h2olite.formats.archive import replacing
from h2olite.formats.soundness import check_json
from h2olite.model import Model
from h2olite.settings.parameters import FRAMES

from .candidates import Candidate
from .grid import Trial
from .space import is_within_space

FILE, TUNING_FILE = "grid.json", "tuning.json"

NOT_WRITTEN = ("path", "_model")
"""Attributes of a trial that follow from its model_id and the folder."""


class _Trial(TypedDict):
    hyper_parameters: dict[str, Any]
    model_id: str
    metrics: dict[str, Any]
    stopping_metric: str
    epochs: float
    seconds: float


class _Stored(TypedDict):
    settings: dict[str, Any]
    seed: int
    trials: list[_Trial]


@dataclasses.dataclass
class Journal:
    """The finished models of a search, each a file beside the journal's own.

    Attributes
    ----------
    folder : where they are.
    settings : all that decides which models are trained; the same search goes on, another one is refused.
    seed : of the search.
    trials : the finished models.
    """

    folder: Path
    settings: dict[str, Any]
    seed: int
    trials: list[Trial] = dataclasses.field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, settings: dict[str, Any], seed: int) -> Journal:
        """The journal in the folder, or a new one.

        Raises
        ------
        ParameterError : the folder holds another search.
        DataError : the journal is damaged, or the folder cannot be made.
        """
        path = folder / FILE
        if not path.exists():
            _make(folder)
            journal = cls(folder, settings, seed)
            journal._write()
            return journal
        with _told_as_damage(path):
            stored = _read(path, _Stored)
            journal = cls(folder, stored["settings"], stored["seed"])
            for trial in stored["trials"]:
                journal.trials.append(Trial(**trial, path=journal.file_of(trial["model_id"])))
        _refuse_other(folder, journal.settings, settings)
        return journal

    def find(self, hyper_parameters: Mapping[str, Any]) -> Trial | None:
        """The finished model of these hyper-parameters, if its file is still there."""
        for trial in self.trials:
            if trial.hyper_parameters == hyper_parameters and self.file_of(trial.model_id).exists():
                return trial
        return None

    def keep(self, model: Model, hyper_parameters: Mapping[str, Any]) -> Trial:
        """Write a finished model and note it."""
        path = self.file_of(model.model_id)
        model.save(path)
        trial = Trial.of(model, hyper_parameters, path)
        self.trials.append(trial)
        self._write()
        return trial

    def file_of(self, model_id: str) -> Path:
        """Where a model is or will be; never outside the folder, and never in the place of another file."""
        if model_id != os.path.basename(model_id):
            raise DataError(f"model_id must be good for a file name; got {model_id!r}; choose another grid_id.")
        return place_for_model(self.folder, model_id)

    def _write(self) -> None:
        """Replace the file."""
        trials = [
            {name: value for name, value in vars(trial).items() if name not in NOT_WRITTEN} for trial in self.trials
        ]
        document = {"settings": self.settings, "seed": self.seed, "trials": trials}
        _write(self.folder / FILE, document)


class _Candidate(TypedDict):
    settings: dict[str, Any]
    losses: list[float | None]
    seconds: float
    n_networks: int
    error: str | None


class _StoredTuning(TypedDict):
    settings: dict[str, Any]
    seed: int
    seconds: float
    sort_metric: str
    candidates: list[_Candidate]


@dataclasses.dataclass
class TuningJournal:
    """What a search for good settings has tried.

    Attributes
    ----------
    folder : where its file is; None if it has none.
    settings : all that decides what is tried; the same search goes on, another one is refused.
    seed : of the search.
    seconds : that the search has taken so far.
    sort_metric : what the losses are; empty before the first.
    candidates : what has been tried.
    """

    folder: Path | None
    settings: dict[str, Any]
    seed: int
    seconds: float = 0.0
    sort_metric: str = ""
    candidates: list[Candidate] = dataclasses.field(default_factory=list)

    @classmethod
    def open(cls, folder: Path | None, settings: dict[str, Any], seed: int) -> TuningJournal:
        """The journal in the folder, or a new one; raises what `Journal.open` does."""
        if folder is None or not (folder / TUNING_FILE).exists():
            if folder is not None:
                _make(folder)
            journal = cls(folder, settings, seed)
            journal.write(0.0)
            return journal
        path = folder / TUNING_FILE
        with _told_as_damage(path):
            stored = _read(path, _StoredTuning)
            candidates = [
                Candidate(
                    one["settings"],
                    {fold: math.nan if loss is None else loss for fold, loss in enumerate(one["losses"])},
                    one["seconds"],
                    one["n_networks"],
                    one["error"],
                )
                for one in stored["candidates"]
            ]
            if not all(candidate.losses and is_within_space(candidate.settings) for candidate in candidates):
                raise ValueError("it has settings that no search tries")
        _refuse_other(folder, stored["settings"], settings)
        return cls(folder, stored["settings"], stored["seed"], stored["seconds"], stored["sort_metric"], candidates)

    def write(self, seconds: float) -> None:
        """Replace the file, with the seconds that the search has taken so far."""
        self.seconds = seconds
        if self.folder is None:
            return
        candidates = [
            vars(one) | {"losses": [loss if math.isfinite(loss) else None for loss in one.losses.values()]}
            for one in self.candidates
        ]
        document = {name: value for name, value in vars(self).items() if name != "folder"} | {"candidates": candidates}
        _write(self.folder / TUNING_FILE, document)


def _read(path: Path, kind: Any) -> Any:
    """What the file of a search holds; raises a ValueError unless it has the members of this kind (a TypedDict)."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    check_json(stored, kind, path.name)
    return stored


@contextlib.contextmanager
def _told_as_damage(path: Path) -> Iterator[None]:
    """Tell errors of what a file holds as damage of the file."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error!r}); search in another folder.") from error


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Replace the file of a search."""
    with replacing(path) as stream:
        stream.write(json.dumps(document, indent=1, default=repr).encode())


def _make(folder: Path) -> None:
    """Make the folder, unless there is one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"folder {folder} cannot be made: {error.strerror}; choose another place.") from error


def _refuse_other(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise unless the settings of the search that the folder holds are those of this one."""
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old != new:
            values = ["the default" if value is None else value for value in (old, new)]
            fault = "its contents differ" if name in FRAMES else "it was {}, and is {} now".format(*values)
            raise ParameterError(
                f"{folder} holds another search ({name}: {fault}); repeat that one or choose another folder."
            )
