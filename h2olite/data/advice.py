"""Warnings about a table before training, each with advice."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from h2olite.errors import DataError

from .notation import find_notation
from .summary import count_levels
from .table import TRUTH, Remark, Table

MOST_TEXT = 0.05
"""Share of cells that are no numbers up to which a categorical column was probably meant to be numeric."""

FEW_ROWS = 50
"""Rows below which it may be chance that no text occurs twice."""

FEW_CLASSES = 20
"""Classes up to which a response is taken as meant, however few rows there are."""

SAMPLE_LEVELS = 500
"""Levels of a column that are looked at to find the notation of its numbers, evenly spread over all."""

YEARS = (1800, 2200)
"""Whole numbers from and below which names of columns are years."""


def advice_on_columns(
    table: Table, predictors: Iterable[str], response: str | None, factors: Collection[str]
) -> Iterator[str]:
    """A sentence for each text column that is probably not meant as text, if it is not in `factors`."""
    for name in filter(None, [*predictors, response]):
        if table[name].levels is None or name in factors:
            continue
        yield from (
            advice_on_notation(table, name)
            or advice_on_kinds(table, name)
            or ([] if name == response else advice_on_identifiers(table, name))
        )


def advice_on_notation(table: Table, name: str) -> list[str]:
    """A sentence if most cells of a categorical column are numbers in another notation."""
    column = table[name]
    levels = column.levels or ()
    counts = count_levels(column.values, len(levels))[:-1]
    places = np.unique(np.linspace(0, max(len(levels) - 1, 0), SAMPLE_LEVELS).astype(np.int64))[: len(levels)]
    texts = [levels[i] for i in places]
    finding = find_notation(texts, counts[places].tolist(), table.notation)
    if finding is None:
        return []
    row = int((column.values == places[finding.example]).argmax())
    advice = finding.advice(table.notation, from_csv=table.csv is not None)
    return [
        f"column {name!r} of {table.name} is categorical, though most of its {int(counts.sum()):,} cells are numbers "
        f"in another notation (such as {texts[finding.example]!r}, {table.place(row)}); {advice}, "
        "or name the column in factors if it is meant so."
    ]


def advice_on_kinds(table: Table, name: str) -> list[str]:
    """A sentence if a few cells of text, or one text among many numbers, make a column categorical."""
    column = table[name]
    levels = column.levels or ()
    counts = count_levels(column.values, len(levels))[:-1]
    n_cells = int(counts.sum())
    text = (i for i, level in enumerate(levels) if not table.notation.is_number(level))
    few = np.array([*itertools.islice(text, int(MOST_TEXT * n_cells) + 1)], np.int64)
    n_numbers = n_cells - int(counts[few].sum())
    is_mark = few.size == 1 and len(levels) > FEW_CLASSES and 2 * n_numbers > n_cells  # such as "?" where a cell lacks
    if n_numbers == n_cells or (n_numbers < (1 - MOST_TEXT) * n_cells and not is_mark):
        return []
    row = int(np.isin(column.values, few).argmax())
    first = levels[column.values[row]]
    option = "" if table.csv is None else f" (--na-string {shlex.quote(first)})"
    return [
        f"column {name!r} of {table.name} is categorical, though {n_numbers:,} of its {n_cells:,} cells are "
        f"numbers (the first that is not: {first!r}, {table.place(row)}); correct that, make it missing{option}, "
        "or name the column in factors if it is meant so."
    ]


def advice_on_identifiers(table: Table, name: str) -> list[str]:
    """A sentence if the text of a column is different in every row."""
    values = table[name].values
    n_cells = int((values >= 0).sum())
    if not FEW_ROWS <= n_cells == np.unique(values[values >= 0]).size:
        return []
    return [
        f"column {name!r} of {table.name} is text that is another one in every row, which tells nothing of new "
        "rows; leave it out by ignored_columns, or name it in factors if it is meant so."
    ]


def refuse_classes_of_rows(table: Table, name: str, factors: Collection[str]) -> None:
    """Check that a text response does not have a class for nearly every row, if it is not in `factors`.

    Raises
    ------
    DataError
        If there are more than `FEW_CLASSES` classes, and fewer than two rows for each.
    """
    column = table[name]
    if column.levels is None or name in factors:
        return
    present = column.values[column.values >= 0]
    n_classes = np.unique(present).size
    if n_classes <= FEW_CLASSES or 2 * n_classes <= present.size:
        return
    said = [*advice_on_notation(table, name), *advice_on_kinds(table, name)]
    advice = said[0] if said else f"choose another response, or name it in factors (--factor {name}) if it is meant so."
    advice = advice.removesuffix(".")
    raise DataError(
        f"response {name!r} of {table.name} must have fewer classes than rows to learn from; it is text with "
        f"{n_classes:,} classes in {present.size:,} rows: {advice}."
    )


def without_unused_levels(table: Table) -> Table:
    """Remove the levels that no row has, and give remarks on them. The order of the others stays.

    The two truth values are never removed.
    """
    columns, remarks = dict(table.columns), list(table.remarks)
    for name, column in table.columns.items():
        if column.levels is None or column.levels == TRUTH:
            continue
        used = count_levels(column.values, len(column.levels))[:-1] > 0
        if used.all():
            continue
        columns[name] = column.with_levels(used)
        if np.count_nonzero(used) < 2:
            continue  # as a constant it is left out, or refused as a response
        remarks.append(remark_on_unused(name, table.name, column.levels, used))
    return replace(table, columns=columns, remarks=tuple(remarks))


def remark_on_unused(name: str, table_name: str, levels: Sequence[str], used: np.ndarray) -> Remark:
    """A remark on levels that no row has; `used` is a mask over all levels."""
    unused = np.flatnonzero(~used)
    what = "a level" if unused.size == 1 else f"{unused.size:,} levels"
    return Remark(
        name,
        f"column {name!r} of {table_name} declares {what} that no row has, left out of the model (such as "
        f"{levels[unused[0]]!r}); a row that has one later counts as missing.",
    )


def advice_on_header(table: Table) -> Remark | None:
    """A remark if the column names of a CSV file look like values, as if the file had no header."""
    numbers = [table.notation.number(name) for name in table.names]
    if _are_counted([number for number in numbers if number is not None]):
        return None
    alike = 0
    for number, column in zip(numbers, table.columns.items(), strict=True):
        name, values = column
        if values.levels is None:
            if number is None and not (values.is_time and any(map(str.isdigit, name))):
                return None
            alike += 1
        else:
            alike += number is None and name in values.levels
    if 2 * alike < len(numbers):
        return None
    return Remark(
        None,
        f"the first line of {table.name} has been taken for names of columns but looks like values "
        f"({', '.join(map(repr, table.names[:3]))}, ...); pass --no-header (in Python, header=False to h2olite.Csv) if "
        "it is a row, --header if it names columns.",
    )


def _are_counted(numbers: list[float]) -> bool:
    """Whether numbers are years, or count in equal steps as names of columns do."""
    if not numbers:
        return False
    if all(number.is_integer() and YEARS[0] <= number < YEARS[1] for number in numbers):
        return True
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return len(numbers) > 2 and len(steps) == 1 and steps != {0.0}
