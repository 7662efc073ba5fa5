"""A look at each column of a table."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.display import bars

RANDOM = np.random.default_rng(1)
N = 600


def frame():
    x = RANDOM.standard_normal(N)
    return pd.DataFrame(
        {
            "number": x,
            "level": np.where(x > 0.5, "high", "low"),
            "gaps": np.where(np.arange(N) % 3 == 0, np.nan, x),
            "constant": np.ones(N),
            "name": [f"n{i}" for i in range(N)],
            "time": pd.date_range("2026-01-01", periods=N, freq="h"),
            "zeros": np.where(np.arange(N) % 2, 0, x),
            "amount": [f"{i},5" for i in range(N)],
        }
    )


def columns_of(table, y=None):
    return {column["column"]: column for column in h2olite.describe(table, y).columns}


def test_numbers_are_those_of_pandas():
    table = frame()
    columns, expected = columns_of(table), table.describe()
    for name in ("number", "gaps", "zeros"):
        keys = ("mean", "deviation", "low", "quartile_1", "median", "quartile_3", "high")
        names = ("mean", "std", "min", "25%", "50%", "75%", "max")
        assert [columns[name][key] for key in keys] == pytest.approx([expected[name][key] for key in names])
        assert columns[name]["distinct"] == table[name].nunique()
    assert (columns["gaps"]["missing"], columns["zeros"]["zeros"]) == (N // 3, N // 2)
    assert {column["type"] for column in columns.values()} == {"numeric", "categorical", "time"}


def test_levels_come_by_frequency_and_shares_add_up():
    columns = columns_of(frame())
    assert columns["level"]["levels"] == ["low", "high"]
    assert sum(columns["level"]["shares"]) == pytest.approx(1)
    assert sum(columns["number"]["shares"]) == pytest.approx(1 - columns["number"]["outliers"] / N)


def test_outliers_do_not_squash_the_distribution_and_are_told():
    x = RANDOM.standard_normal(N)
    x[:3] = 1e9
    (column,) = h2olite.describe({"x": x}).columns
    assert column["outliers"] == 3
    assert max(column["shares"]) < 0.5
    (remark,) = h2olite.describe({"x": x, "y": RANDOM.standard_normal(N)}).remarks
    assert remark.startswith("column 'x' of table has 3 numbers far outside the others, up to 1e+09;")


@pytest.mark.parametrize(
    ("name", "words"),
    [("constant", "left out because they are constant"), ("name", "another one in every row"), ("amount", "notation")],
)
def test_what_training_would_warn_of_is_told_before(name, words):
    remarks = h2olite.describe(frame()).remarks
    assert any(repr(name) in remark and words in remark for remark in remarks)


@pytest.mark.parametrize("of", ["numbers", "classes", "many classes"])
def test_a_column_made_from_the_response_is_suspected_and_no_other(of):
    x = RANDOM.standard_normal((5000, 3))
    score = x[:, 0] + x[:, 1]
    y = {"numbers": score, "classes": np.where(score > 0, "b", "a"), "many classes": np.digitize(score, [-1, 0, 1])}[of]
    y = y if of == "numbers" else y.astype(str)
    made = np.where(RANDOM.random(5000) < 0.001, 0, score * 3 + 1) if of == "numbers" else np.char.add(y, "!")
    table = pd.DataFrame(x, columns=list("abc")).assign(made=made, key=[f"k{i}" for i in range(5000)], y=y)
    found = h2olite.describe(table, "y")
    alone = {column["column"]: column.get("alone") for column in found.columns}
    assert alone["made"] > 0.98
    assert alone["c"] < 0.1 < alone["a"] < 0.7
    assert alone["key"] == 0  # a level for each row tells nothing of others
    assert alone["y"] is None
    assert [remark for remark in found.remarks if "nearly tells" in remark] == [
        "column 'made' of table nearly tells the response 'y' by itself; leave it out (ignored_columns) if it was made "
        "from the response, or is not known when a prediction is needed."
    ]


@pytest.mark.parametrize(
    "table",
    [
        {"x": [np.nan, np.nan], "y": [1.0, 2.0]},
        {"x": [1.0], "y": ["a"]},
        {"x": [np.inf, -np.inf, 1.0], "y": [0.0, np.nan, 1.0]},
        {"x": [1.0, 1.0], "y": [1.0, 1.0]},
    ],
    ids=["missing", "one row", "infinite", "constant"],
)
def test_degenerate_tables_are_described(table):
    for y in (None, "y"):
        found = h2olite.describe(pd.DataFrame(table), y)
        assert len(found.columns) == 2
        assert "x" in repr(found)


def test_bars_are_as_high_as_their_shares():
    assert bars([0, 0.5, 1, 0.001]) == " ▅█▁"
    assert bars([]) == bars([0, 0]) == ""


def test_it_shows_names_without_hidden_characters():
    found = h2olite.describe(pd.DataFrame({"a\x1b[31m": ["x\u202e", "y"], "b": [1.0, 2.0]}))
    assert "\x1b" not in repr(found)
    assert "\u202e" not in repr(found)
