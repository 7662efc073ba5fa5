"""The confusion matrix, as data and as H2O prints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.display import visible

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 80
"""Characters a printed line may take."""

MOST_CLASSES = 12
"""Rows a printed matrix may take; of more classes, those with the most errors are shown."""

LONGEST_LABEL = 20
"""Characters shown of a class's name."""


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """How often each class was taken for each other one.

    Attributes
    ----------
    labels : the names of the classes.
    matrix : ndarray of float64, shape (n_classes, n_classes); sum of the weights of the rows of each actual class
        (matrix row) by predicted class (matrix column).
    title : a line that says which predictions were counted.
    """

    labels: tuple[str, ...]
    matrix: np.ndarray
    title: str = "Confusion Matrix (Act/Pred)"

    @classmethod
    def from_classes(
        cls, actual: np.ndarray, predicted: np.ndarray, weights: np.ndarray, labels: tuple[str, ...]
    ) -> ConfusionMatrix:
        """Count pairs of class indices."""
        k = len(labels)
        counts = np.bincount(np.asarray(actual, np.int64) * k + predicted, weights, minlength=k * k)
        return cls(tuple(labels), counts.reshape(k, k))

    def error(self) -> float:
        """Share of all rows predicted wrongly."""
        return float(self._wrong().sum() / self.matrix.sum())

    def mean_per_class_error(self) -> float:
        """Mean of the classes' shares of wrongly predicted rows; a class without rows has none."""
        return float(np.nan_to_num(self.per_class_error()).mean())

    def per_class_error(self) -> np.ndarray:
        """Share of each class's rows predicted wrongly; NaN for a class without rows."""
        rows = self.matrix.sum(axis=1)
        return np.divide(self._wrong(), rows, out=np.full(len(rows), np.nan), where=rows > 0)

    def to_list(self) -> list[list[float]]:
        """The matrix as nested lists, of whole numbers where the weights are."""
        whole = (self.matrix == np.rint(self.matrix)).all()
        return (self.matrix.astype(np.int64) if whole else self.matrix).tolist()

    def to_json(self) -> dict[str, Any]:
        """The labels and the matrix for `json.dumps`."""
        return {"labels": list(self.labels), "matrix": self.to_list()}

    def as_data_frame(self) -> pd.DataFrame:
        """One row per actual class and a total; one column per predicted class, then Error and Rate."""
        import pandas as pd

        matrix = np.array(self.to_list())
        cells = np.vstack((matrix, matrix.sum(axis=0)))
        frame = pd.DataFrame(cells, index=[*self.labels, "Total"], columns=list(self.labels))
        frame["Error"] = [*self.per_class_error(), self.error()]
        frame["Rate"] = self._rates()
        return frame

    def __repr__(self) -> str:
        """The table with its title; of more classes than fit, the errors of the worst ones."""
        errors = [*self.per_class_error(), self.error()]
        labels = [visible(label)[:LONGEST_LABEL] for label in self.labels]
        columns = [
            ["", *labels, "Total"],
            *(
                [label, *map(_count, column), _count(column.sum())]
                for label, column in zip(labels, self.matrix.T, strict=True)
            ),
            ["Error", *("" if np.isnan(error) else f"{error:.4f}" for error in errors)],
            ["Rate", *self._rates()],
        ]
        heading = self.title
        if len(self.labels) > MOST_CLASSES or _width(columns) > MOST_COLUMNS:
            worst = np.argsort(-self._wrong(), kind="stable")[:MOST_CLASSES]
            lines = [0, *(worst + 1), len(self.labels) + 1]
            columns = [[column[line] for line in lines] for column in (columns[0], *columns[-2:])]
            heading += f"\nThe {len(worst)} of {len(self.labels)} classes with the most errors"
        return "\n".join([heading, *_lines(columns)])

    def _wrong(self) -> np.ndarray:
        """Each class's wrongly predicted rows."""
        return self.matrix.sum(axis=1, where=~np.eye(len(self.labels), dtype=bool))

    def _rates(self) -> list[str]:
        """Wrong and all rows of each class, then of all together."""
        wrong, rows = self._wrong(), self.matrix.sum(axis=1)
        pairs = zip([*wrong, wrong.sum()], [*rows, rows.sum()], strict=True)
        return [f"{_count(part)} / {_count(whole)}" for part, whole in pairs]


def _count(rows: float) -> str:
    """A sum of row weights, with decimals only where it has some."""
    return f"{rows:.0f}" if rows == round(rows) else f"{rows:.2f}"


def _width(columns: list[list[str]]) -> int:
    """Characters of a line of the table."""
    return sum(max(map(len, column)) for column in columns) + 2 * (len(columns) - 1)


def _lines(columns: list[list[str]]) -> list[str]:
    """Lay out text columns, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
