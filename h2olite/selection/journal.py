"""What a search has done so far, kept in a folder so that it can go on after whatever ended it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from h2olite.errors import DataError, ParameterError
from h2olite.fitting.checkpoint import place_for_model
from h2olite.formats.archive import replacing
from h2olite.formats.soundness import check_json
from h2olite.model import Model
from h2olite.settings.parameters import FRAMES

from .grid import Trial

FILE = "grid.json"

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
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DataError(f"folder {folder} cannot be made: {error.strerror}; choose another place.") from error
            journal = cls(folder, settings, seed)
            journal._write()
            return journal
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            check_json(stored, _Stored, FILE)
            journal = cls(folder, stored["settings"], stored["seed"])
            for trial in stored["trials"]:
                journal.trials.append(Trial(**trial, path=journal.file_of(trial["model_id"])))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is damaged ({error!r}); search in another folder.") from error
        journal._refuse_other(settings)
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

    def _refuse_other(self, settings: dict[str, Any]) -> None:
        """Raise unless these are the settings of the search that the folder holds."""
        for name in sorted(self.settings.keys() | settings.keys()):
            before, now = self.settings.get(name), settings.get(name)
            if before != now:
                values = ["the default" if value is None else value for value in (before, now)]
                fault = "its contents differ" if name in FRAMES else "it was {}, and is {} now".format(*values)
                raise ParameterError(
                    f"{self.folder} holds another search ({name}: {fault}); repeat that one or choose another folder."
                )

    def _write(self) -> None:
        """Replace the file."""
        trials = [
            {name: value for name, value in vars(trial).items() if name not in NOT_WRITTEN} for trial in self.trials
        ]
        document = {"settings": self.settings, "seed": self.seed, "trials": trials}
        with replacing(self.folder / FILE) as stream:
            stream.write(json.dumps(document, indent=1, default=repr).encode())
