"""How surely columns have to do with a response."""

import numpy as np
import pandas as pd
import pytest

from h2olite.data.frames import as_table
from h2olite.selection.screening import MOST_ROWS, evidence

SURE = 5.0
"""Evidence that noise does not have."""


def noise(n_columns, n_rows=600, seed=0):
    x = np.random.default_rng(seed).random((n_rows, n_columns))
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(n_columns)])


def found(frame, y):
    columns = list(frame)
    return evidence(as_table(frame.assign(y=y)), columns, "y", 1)


def surest(frame, y, n):
    """The columns of most evidence, after a check that only they are sure."""
    of_columns = found(frame, y)
    first = set(sorted(of_columns, key=lambda name: -of_columns[name])[:n])
    assert {name for name, value in of_columns.items() if value > SURE} == first
    return first


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        (lambda f: f.x3 > 0.4, {"x3"}),
        (lambda f: np.abs(f.x3 - 0.5) > 0.2, {"x3"}),
        (lambda f: np.sin(12 * f.x5) > 0, {"x5"}),
        (lambda f: (f.x1 > 0.5) ^ (f.x2 > 0.5), {"x1", "x2"}),
        (lambda f: np.hypot(f.x0 - 0.5, f.x9 - 0.5) < 0.3, {"x0", "x9"}),
    ],
    ids=["step", "valley", "waves", "xor", "disc"],
)
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_columns_that_matter_alone_or_in_pairs_are_found_among_noise(formula, names, kind):
    frame = noise(40)
    y = formula(frame)
    y = np.where(y, "b", "a") if kind == "classes" else y + 0.1 * noise(1, seed=1).x0
    assert surest(frame, y, len(names)) == names


def test_pairs_may_be_levels_and_numbers_with_missing_cells():
    frame = noise(20)
    frame["c"] = np.where(frame.x3 > 0.5, "high", "low")
    frame["d"] = np.where(frame.x4 > 0.5, frame.x4, np.nan)
    y = np.where((frame.c == "high") ^ (frame.x7 > 0.5), "b", "a")
    assert surest(frame.drop(columns="x3"), y, 2) == {"c", "x7"}
    assert surest(frame, np.where(frame.d.isna(), "b", "a"), 2) == {"x4", "d"}


def test_one_of_many_classes_is_enough():
    frame = noise(20)
    y = np.where(frame.x2 > 0.8, "z", noise(1, seed=4).x0.mul(5).astype(int).astype(str))
    assert surest(frame, y, 1) == {"x2"}


def test_noise_of_any_shape_has_no_evidence():
    random = np.random.default_rng(2)
    n = 1000
    frame = pd.DataFrame(
        {f"heavy{i}": random.standard_cauchy(n) for i in range(30)}
        | {f"rare{i}": np.where(random.random(n) < 0.005, random.random(n), 0) for i in range(30)}
        | {f"level{i}": random.integers(0, 300, n).astype(str) for i in range(30)}
        | {"constant": np.ones(n), "names": [f"n{i}" for i in range(n)]}
    )
    for y in (random.standard_cauchy(n), np.where(random.random(n) < 0.03, "b", "a")):
        assert max(found(frame, y).values()) < SURE


def test_of_many_rows_a_sample_is_looked_at_and_rows_without_response_are_not():
    frame = noise(5, n_rows=MOST_ROWS + 500)
    y = np.where(np.arange(len(frame)) % 2 == 0, np.nan, frame.x1)
    assert surest(frame, y, 1) == {"x1"}
    assert found(frame, frame.x1) == found(frame, frame.x1)
