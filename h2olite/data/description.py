"""What a table holds: a look at each column before training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.display import bars, visible
from h2olite.errors import DataError

from .advice import advice_on_columns
from .frames import as_table
from .predictors import choose_predictors, find_columns
from .splits import random_stream
from .summary import count_levels
from .table import Column, Table

if TYPE_CHECKING:
    import pandas as pd

N_BARS = 12
"""Bars of a distribution."""

FENCE = 3.0
"""Interquartile ranges beyond the quartiles from where a number is an outlier (Tukey 1977, far out)."""

EXTREME = 30.0
"""Interquartile ranges from the median from where outliers are worth a remark."""

MOST_LEVELS = 5
"""Levels that are told, the most frequent first."""

MOST_ROWS = 100_000
"""Rows by which a column is judged alone."""

MOST_GROUPS, ROWS_PER_GROUP = 100, 20
"""Groups that the numbers of a column fall into when it is judged alone, and the rows of each at the least."""

MOST_CLASSES = 20
"""Classes of the response that columns are judged by: the most frequent."""

TOO_GOOD = 0.98
"""Share of the response's variance that a column may take away alone. Beyond it, the column was probably made from the
response."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Description:
    """What a table holds, made by `h2olite.describe`.

    Attributes
    ----------
    name : of the table.
    n_rows : rows.
    columns : a mapping for each column, with these keys:

        - ``column``, ``type`` (``numeric``, ``categorical`` or ``time``), ``missing`` (rows), ``distinct`` (values)
        - of numbers: ``mean``, ``deviation``, ``low``, ``quartile_1``, ``median``, ``quartile_3``, ``high``, ``zeros``
          and ``outliers`` (rows); outliers are 3 interquartile ranges or more beyond the quartiles
        - ``shares`` : of 12 equally wide ranges of numbers, from the first to the last that are no outliers, or of the
          most frequent levels
        - ``levels`` : the most frequent levels
        - ``alone`` : of predictors, if there is a response: what share of its variance the column takes away alone,
          by the mean response for each level or each of up to 100 ranges, on other rows than the means are from. Of
          classes, it is the variance of their indicators
    remarks : sentences on what looks wrong.
    """

    name: str
    n_rows: int
    columns: list[dict[str, Any]]
    remarks: list[str]

    def table(self) -> pd.DataFrame:
        """The columns as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def report(self) -> dict[str, Any]:
        """Plain values: the object that ``h2olite describe --json`` prints."""
        return {"table": self.name, "rows": self.n_rows, "columns": self.columns, "remarks": self.remarks}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each column as people read it, with bars for the distribution."""
        return [
            {
                "column": visible(column["column"]),
                "type": column["type"],
                "missing": column["missing"] or None,
                "distinct": column["distinct"],
                "distribution": bars(column["shares"]),
                "low": column.get("low"),
                "median": column.get("median"),
                "high": column.get("high"),
                "outliers": column.get("outliers") or None,
                "alone": None if (alone := column.get("alone")) is None else round(alone, 3),
                "levels": visible(", ".join(column["levels"])) if column.get("levels") else None,
            }
            for column in self.columns
        ]

    def __repr__(self) -> str:
        """The columns and the remarks."""
        import pandas as pd

        frame = pd.DataFrame(self.rows(), dtype=object).dropna(axis=1, how="all")
        shown = frame.where(frame.notna(), "").to_string(index=False)
        return "\n".join([f"{visible(self.name)}: {self.n_rows:,} rows", shown, *map(visible, self.remarks)])


def describe(table: Any, y: str | int | None = None, *, factors: Sequence[str] = (), csv: Any = None) -> Description:
    """Look at each column of a table: its type, its distribution, and what looks wrong.

    Parameters
    ----------
    table : as the ``training_frame`` of `h2olite.deeplearning`.
    y : the response, by name or 0-based index. With it, each other column is judged alone: one that nearly tells the
        response was probably made from it, and will not be known when predictions are needed.
    factors : columns that are categorical.
    csv : options of `h2olite.Csv`, for a file.

    Returns
    -------
    description : h2olite.Description

    Raises
    ------
    DataError
        The table cannot be read, or has no such column.

    Examples
    --------
    >>> import h2olite
    >>> description = h2olite.describe("datasets/penguins.csv", "species")
    >>> description.columns[0]["levels"]
    ['Adelie', 'Gentoo', 'Chinstrap']
    """
    table = as_table(table, name="table", factors=factors, csv=csv)
    response = None if y is None else find_columns(table, [y])[0]
    columns = [describe_column(name, column) for name, column in table.columns.items()]
    remarks = table.remarks_on(table.columns)
    try:
        predictors, said = choose_predictors(table, others=[response] if response else [])
        remarks += said
    except DataError as error:
        predictors, remarks = [], [*remarks, str(error)]
    remarks += advice_on_columns(table, predictors, response, factors)
    remarks += [
        f"column {column['column']!r} of {table.name} has {column['outliers']:,} numbers far outside the others, up to "
        f"{max(column['high'], column['low'], key=abs):g}; numeric_encoding Robust or Quantile bounds them."
        for column in columns
        if column.get("outliers", 0) and is_extreme(column)
    ]
    if response is not None:
        judge_alone(table, response, predictors, columns)
        remarks += [
            f"column {column['column']!r} of {table.name} nearly tells the response {response!r} by itself; leave it "
            "out (ignored_columns) if it was made from the response, or is not known when a prediction is needed."
            for column in columns
            if column.get("alone", 0.0) > TOO_GOOD
        ]
    return Description(table.name, table.n_rows, columns, remarks)


def describe_column(name: str, column: Column) -> dict[str, Any]:
    """What `Description.columns` has of a column."""
    told: dict[str, Any] = {"column": name, "type": column.kind, "missing": column.n_missing}
    if column.levels is not None:
        counts = count_levels(column.values, len(column.levels))[:-1]
        first = np.argsort(-counts, kind="stable")[: min(MOST_LEVELS, np.count_nonzero(counts))]
        return told | {
            "distinct": int(np.count_nonzero(counts)),
            "shares": (np.sort(counts)[::-1][:N_BARS] / max(counts.sum(), 1)).tolist(),
            "levels": [column.levels[i] for i in first],
        }
    numbers = np.sort(column.values[np.isfinite(column.values)])
    if numbers.size == 0:
        return told | {"distinct": 0, "shares": []}
    low, first, median, third, high = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]).tolist()
    fences = (first - FENCE * (third - first), third + FENCE * (third - first)) if third > first else (low, high)
    begin, end = np.searchsorted(numbers, fences[0]), np.searchsorted(numbers, fences[1], side="right")
    counts = np.histogram(numbers[begin:end], N_BARS)[0]
    return told | {
        "distinct": 1 + int(np.count_nonzero(numbers[1:] != numbers[:-1])),
        "mean": float(numbers.mean()),
        "deviation": float(numbers.std(ddof=1)) if numbers.size > 1 else 0.0,
        "low": low,
        "quartile_1": first,
        "median": median,
        "quartile_3": third,
        "high": high,
        "zeros": int(np.count_nonzero(numbers == 0)),
        "outliers": int(numbers.size - (end - begin)),
        "shares": (counts / numbers.size).tolist(),
    }


def is_extreme(column: dict[str, Any]) -> bool:
    """Whether the farthest number of a column is more than `EXTREME` interquartile ranges from its median."""
    farthest = max(column["high"] - column["median"], column["median"] - column["low"])
    return bool(farthest > EXTREME * (column["quartile_3"] - column["quartile_1"]))


def judge_alone(table: Table, response: str, predictors: Sequence[str], columns: Sequence[dict[str, Any]]) -> None:
    """Add to the columns that are predictors what each takes away alone."""
    target = table[response]
    rows = np.flatnonzero(target.values >= 0 if target.levels is not None else np.isfinite(target.values))
    rows = random_stream(1, "alone").permutation(rows)[:MOST_ROWS]
    if rows.size < 4:
        return
    of_means, others = rows[: rows.size // 2], rows[rows.size // 2 :]
    for column in columns:
        if column["column"] in predictors:
            groups, n_groups = grouped(table[column["column"]], of_means)
            column["alone"] = taken_away(target, groups, n_groups, of_means, others)


def grouped(column: Column, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """Every row's group, and their number: levels, or ranges with about equally many of these rows; missing last."""
    if column.levels is not None:
        return np.where(column.values >= 0, column.values, len(column.levels)), len(column.levels) + 1
    known = column.values[rows][~np.isnan(column.values[rows])]
    if known.size == 0:
        return np.zeros(column.values.size, np.int64), 1
    n_groups = min(max(known.size // ROWS_PER_GROUP, 2), MOST_GROUPS)
    ends = np.unique(np.quantile(known, np.linspace(0, 1, n_groups + 1)[1:-1], method="lower"))
    groups = np.searchsorted(ends, column.values)
    return np.where(np.isnan(column.values), ends.size + 1, groups), ends.size + 2


def taken_away(target: Column, groups: np.ndarray, n_groups: int, of_means: np.ndarray, others: np.ndarray) -> float:
    """The share of the response's variance that its mean in each group takes away; of classes, of their indicators'.

    of_means, others : indices of the rows that means are taken of, and of those that are judged.
    """
    here, there = groups[of_means], groups[others]
    counts = np.bincount(here, minlength=n_groups)
    error = usual_error = 0.0
    for values in indicators(target):
        mean = values[of_means].mean()
        sums = np.bincount(here, values[of_means] - mean, n_groups)
        means = mean + np.divide(sums, counts, out=np.zeros(n_groups), where=counts > 0)
        error += float(np.square(values[others] - means[there]).sum())
        usual_error += float(np.square(values[others] - mean).sum())
    return 0.0 if usual_error == 0 else max(1 - error / usual_error, 0.0)


def indicators(target: Column) -> Iterator[np.ndarray]:
    """The numbers, or of each of the most frequent classes whether a row is of it."""
    if target.levels is None:
        yield target.values
        return
    counts = count_levels(target.values, len(target.levels))[:-1]
    for level in np.argsort(-counts, kind="stable")[:MOST_CLASSES]:
        yield (target.values == level).astype(np.float64)
