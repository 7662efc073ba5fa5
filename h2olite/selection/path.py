"""A regularisation path: models of growing penalties, and which of them to take."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.errors import ParameterError
from h2olite.kinds.stopping_metrics import STOPPING_METRICS
from h2olite.metrics.base import Metrics
from h2olite.model import Model
from h2olite.pictures.canvas import refuse_undrawable, save
from h2olite.settings.parameters import PENALTIES, PointChoice, Relative, declared
from h2olite.trained.report import count_weights

from .pictures import Drawn, draw

if TYPE_CHECKING:
    import pandas as pd

BY_ITSELF = {"l1": "0.001x:10x:17"}
"""The path when no penalty is given; it ends where nothing is left."""


@dataclasses.dataclass(eq=False)
class Point:
    """One point of a path.

    Attributes
    ----------
    model : trained with these strengths.
    losses : float64, the loss of every fold's hold-out rows, or of every part of the validation rows.
    """

    model: Model
    losses: np.ndarray

    @property
    def strengths(self) -> dict[str, float]:
        """How strong each penalty is."""
        return {name: getattr(self.model.parameters, name) for name in PENALTIES}

    @property
    def loss(self) -> float:
        """The mean of the losses."""
        return float(self.losses.mean())

    @property
    def standard_error(self) -> float:
        """The standard error of the loss, NaN if there is but one part."""
        n_parts = self.losses.size
        return float(self.losses.std(ddof=1)) / math.sqrt(n_parts) if n_parts > 1 else math.nan

    def column_norms(self) -> dict[str, float]:
        """The norm of the weights out of each predictor that the model uses."""
        return column_norms(self.model)

    def row(self) -> dict[str, float]:
        """Its numbers: strengths, losses, and how sparse the model is."""
        weights = count_weights(self.model)
        return self.strengths | {
            "training_loss": metrics_of_training(self.model).stopping_value("AUTO"),
            "validation_loss": self.loss,
            "standard_error": self.standard_error,
            "nonzero": weights["nonzero"],
            "zero_share": weights["zero_share"],
            "features_used": len(self.model.encoder.schema),
        }


@dataclasses.dataclass(eq=False, repr=False)
class RegularizationPath:
    """Models from weak to strong penalties, made by `h2olite.regularization_path`.

    Attributes
    ----------
    names : the penalties that vary, the one that varies fastest last.
    points : one for every strength, or combination of strengths.
    choice : which of them `model` is.
    warnings : sentences about the models, each once.
    interrupted : whether it was ended from outside, so that strengths are missing.
    refitted : the chosen model once trained on all rows, where the points' models are not.
    """

    names: list[str]
    points: list[Point]
    choice: PointChoice = "best_1se"
    warnings: list[str] = dataclasses.field(default_factory=list)
    interrupted: bool = False
    refitted: Model | None = None

    def __post_init__(self) -> None:
        self._rows = [point.row() for point in self.points]

    @property
    def sort_metric(self) -> str:
        """What the losses are: ``"logloss"`` of classes, ``"mean_residual_deviance"`` of numbers."""
        return STOPPING_METRICS[metrics_of_training(self.points[0].model).auto_stopping_metric].key

    @property
    def best(self) -> int:
        """The index of the point with the lowest validation loss."""
        return min(range(len(self.points)), key=lambda i: self._rows[i]["validation_loss"])

    @property
    def best_1se(self) -> int:
        """The index of the sparsest point whose validation loss is within one standard error of the best.

        That is the one with the fewest weights that are not 0; of several, the one with the strongest penalties.
        References: Breiman, Friedman, Olshen and Stone 1984.
        """
        best = self._rows[self.best]
        limit = best["validation_loss"] + np.nan_to_num(best["standard_error"])
        within = [i for i, row in enumerate(self._rows) if row["validation_loss"] <= limit]
        return min(within, key=lambda i: (self._rows[i]["nonzero"], *(-self._rows[i][name] for name in self.names)))

    @property
    def chosen(self) -> int:
        """The index of the point that `choice` names."""
        return self.best if self.choice == "best" else self.best_1se

    @property
    def model(self) -> Model:
        """The chosen model: trained on all rows if it was refitted, else on those that were not held out."""
        return self.refitted or self.points[self.chosen].model

    def __len__(self) -> int:
        """Number of points."""
        return len(self.points)

    def rows(self) -> list[dict[str, Any]]:
        """A row per point: the strengths that vary, the losses, how sparse the model is, and the names of choices."""
        marks = {self.best: "best", self.best_1se: "best_1se"}
        if len(marks) == 1:
            marks[self.best] = "best best_1se"
        left_out = {name for name in PENALTIES if name not in self.names}
        return [
            {name: value for name, value in row.items() if name not in left_out} | {"choice": marks.get(i, "")}
            for i, row in enumerate(self._rows)
        ]

    def table(self) -> pd.DataFrame:
        """`rows` as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def column_norms(self) -> pd.DataFrame:
        """The norm of the weights out of each predictor: a row per point, 0 where a predictor is not used."""
        import pandas as pd

        return pd.DataFrame([point.column_norms() for point in self.points]).fillna(0.0)

    def drawn(self) -> Drawn:
        """What a picture shows of the path."""
        return Drawn(
            self.names, self.rows(), self.column_norms(), self.best, self.best_1se, self.chosen, self.sort_metric
        )

    def plot(self, target: str | os.PathLike[str]) -> None:
        """Draw loss, sparsity and column norms against the strength, into a .svg, .png or .pdf file.

        Raises
        ------
        ParameterError : the extension is another one.
        MissingExtraError : matplotlib is not installed.
        """
        refuse_undrawable(target)
        save(draw(self.drawn()), target)

    def report(self, file: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """The path as plain values: the object that ``h2olite path --json`` prints.

        Parameters
        ----------
        file : where the chosen model is written, if it is.
        """
        models = [
            {
                "model_id": point.model.model_id,
                "path": os.fspath(file) if file is not None and i == self.chosen else None,
                "hyper_parameters": {name: row[name] for name in self.names},
                "metric": row["validation_loss"],
                **row,
            }
            for i, (point, row) in enumerate(zip(self.points, self._rows, strict=True))
        ]
        return {
            "sort_metric": self.sort_metric,
            "models": models,
            "best": models[self.best],
            "best_1se": models[self.best_1se],
        }

    def __repr__(self) -> str:
        """The table of points."""
        return f"Regularisation path by {self.sort_metric}\n{self.table().to_string(index=False)}"


def read_strengths(given: Mapping[str, Any]) -> dict[str, list[float]]:
    """The strengths of penalties, ascending, none twice.

    Parameters
    ----------
    given : by name of penalty, None where it is not given: a number, several, or a text of numbers with commas between
        them, or ``"LOW:HIGH:N"`` for N strengths from LOW to HIGH at equal ratios. Of l1 and input_group_l1, numbers
        may be multiples such as ``"0.1x"``, see `h2olite.settings.parameters.Relative`.

    Raises
    ------
    ParameterError : a value is none of these, or a strength is negative or not finite; one message for all.
    """
    named = {name: value for name, value in given.items() if value is not None}
    strengths = {name: _strengths(value, declared()[name].relative) for name, value in named.items()}
    faults = [
        f"{name} must be numbers >= 0, or LOW:HIGH:N with LOW > 0, such as 1e-6:1e-2:13; got {named[name]!r}."
        if not declared()[name].relative
        else f"{name} must be numbers >= 0, or LOW:HIGH:N with LOW > 0, such as 1e-6:1e-2:13, or multiples such as "
        f"0.001x:1x:13; got {named[name]!r}."
        for name, values in strengths.items()
        if not values
    ]
    if faults:
        raise ParameterError(" ".join(faults))
    return strengths


def _strengths(given: Any, may_be_relative: bool) -> list[float]:
    """The strengths of one penalty; none if they cannot be read."""
    try:
        if isinstance(given, str) and ":" in given:
            low, high, number = given.split(":")
            ends = [_strength(low), _strength(high)]
            kind = type(ends[0])
            if type(ends[1]) is not kind:
                return []
            with np.errstate(invalid="ignore"):
                values = [kind(f"{value:.6g}") for value in np.geomspace(ends[0], ends[1], int(number))]
        else:
            values = [_strength(item) for item in (given.split(",") if isinstance(given, str) else np.ravel(given))]
    except (TypeError, ValueError):
        return []
    if not all(math.isfinite(value) and value >= 0 for value in values):
        return []
    if not may_be_relative and any(isinstance(value, Relative) for value in values):
        return []
    return sorted({str(value): value for value in values}.values())


def _strength(item: Any) -> float:
    """One strength, a `Relative` if it is a text that ends with an x."""
    if isinstance(item, str | Relative) and str(item).strip().lower().endswith("x"):
        return Relative.parse(str(item))
    return float(f"{float(item):.6g}")


def column_norms(model: Model) -> dict[str, float]:
    """The norm of the weights out of each predictor of a model."""
    encoder = model.encoder
    squares = np.square(model.network.weights(0), dtype=np.float64).sum(axis=(1, 2))
    norms = np.sqrt(np.bincount(encoder.input_groups, squares, len(encoder.column_groups)))
    return {name: norm for names, norm in zip(encoder.column_groups, norms.tolist(), strict=True) for name in names}


def metrics_of_training(model: Model) -> Metrics:
    """The training metrics, which only an imported model lacks."""
    assert model.training_metrics is not None
    return model.training_metrics
