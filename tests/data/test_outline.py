"""Summaries of the parts of a table, merged: what encoders must know of the whole."""

import numpy as np
import pandas as pd
import pytest

from h2olite.data.encoding import RowEncoder
from h2olite.data.frames import as_table
from h2olite.data.outline import Outline, merged, response_encoder, row_encoder
from h2olite.data.response import ResponseEncoder
from h2olite.errors import DataError

SETTINGS = {
    "max_categorical_features": 1000,
    "hash_seed": 1,
    "use_all_factor_levels": True,
    "standardize": True,
    "sparse": False,
    "sparse_from": 0.95,
}


def frame(n_rows=1000):
    random = np.random.default_rng(3)
    made = pd.DataFrame(
        {
            "few": random.choice(["b", "a", "c"], n_rows),
            "many": random.choice([f"level {i}" for i in range(40)], n_rows),
            "number": random.normal(3, 2, n_rows),
            "zeros": np.where(random.random(n_rows) < 0.97, 0.0, random.normal(size=n_rows)),
            "weight": random.exponential(size=n_rows).round(1),
            "y": random.normal(10, 3, n_rows),
        }
    )
    made.loc[:9, "number"] = np.nan
    made.loc[5:20, "few"] = None
    return made


def outline_of(parts, response="y", weights=None, **forced):
    """The outline of frames that are parts of a table."""
    tables = [as_table(part, name=f"part {i}", **forced) for i, part in enumerate(parts)]
    own = [None if weights is None else table[weights].values for table in tables]
    return merged(
        {table.name: Outline.of(table, response, w) for table, w in zip(tables, own, strict=True)},
        forced.get("factors", ()),
    )


def split(whole, *places):
    return [part for part in np.split(np.arange(len(whole)), places) for part in [whole.iloc[part]]]


def same(encoder, other):
    """Check that two encoders are the same, but for the last digits of sums."""
    stored, wanted = encoder.to_json(), other.to_json()
    for name in ("subtrahend", "multiplier", "imputed"):
        np.testing.assert_allclose(stored.pop(name), wanted.pop(name), rtol=1e-12)
    assert stored == wanted


@pytest.mark.parametrize("weights", [None, "weight"])
def test_encoders_of_parts_are_those_of_the_whole(weights):
    whole, predictors = frame(), ["few", "many", "number", "zeros"]
    outline = outline_of(split(whole, 3, 400, 990), weights=weights)
    table = as_table(whole)
    own = None if weights is None else table[weights].values
    same(
        row_encoder(outline, predictors, **SETTINGS, skips_missing=False),
        RowEncoder.fit(table, predictors, **SETTINGS, weights=own),
    )
    response = response_encoder(outline, "y", standardize=True)
    wanted = ResponseEncoder.fit(table, "y", standardize=True, weights=own)
    assert response.subtrahend == pytest.approx(wanted.subtrahend, rel=1e-12)
    assert response.multiplier == pytest.approx(wanted.multiplier, rel=1e-12)


def test_columns_are_matched_by_name_and_levels_by_text():
    whole = frame()
    parts = split(whole, 500)
    parts[1] = parts[1][list(reversed(parts[1].columns))].astype({"few": "category", "number": "float32"})
    parts[0] = parts[0].astype({"few": "category"})
    outline, wanted = outline_of(parts), outline_of([whole])
    assert outline.names == wanted.names
    assert outline.levels == wanted.levels
    assert outline.missing == wanted.missing
    np.testing.assert_allclose(outline.numbers.mean, wanted.numbers.mean, rtol=1e-6)


def test_levels_of_equal_parts_keep_their_order_and_others_are_sorted():
    low_high = pd.CategoricalDtype(["low", "high"], ordered=True)
    parts = [pd.DataFrame({"x": pd.Series(["high", "low"], dtype=low_high), "y": [1.0, 2.0]})] * 2
    assert outline_of(parts).levels_of("x") == ("low", "high")
    other = pd.DataFrame({"x": ["high", "middle"], "y": [1.0, 2.0]})
    assert outline_of([*parts, other]).levels_of("x") == ("high", "low", "middle")
    numbers = [pd.DataFrame({"x": [10, 9], "y": [1.0, 2.0]}), pd.DataFrame({"x": [2, 9], "y": [1.0, 2.0]})]
    assert outline_of(numbers, factors=["x"]).levels_of("x") == ("2", "9", "10")


def test_a_part_of_missing_values_takes_the_kind_of_the_others():
    known = pd.DataFrame({"x": ["a", "b"], "n": [1.0, 2.0], "y": ["Y", "N"]})
    unknown = pd.DataFrame({"x": [None, None], "n": [None, None], "y": [None, None]})
    for parts in ([known, unknown], [unknown, known]):
        outline = outline_of(parts)
        assert outline.levels == {"x": {"a": 1, "b": 1}, "y": {"N": 1, "Y": 1}}
        assert outline.kinds == {"x": "categorical", "n": "numeric", "y": "categorical"}
        assert (outline.n_rows, outline.n_usable) == (4, 2)
        assert outline.missing["x"] == 0  # the rows that lack it also lack the response
        encoder = row_encoder(outline, ["x", "n"], **SETTINGS, skips_missing=False)
        assert (encoder.levels, encoder.imputed.tolist()) == ((("a", "b"),), [1.5])


def test_columns_that_differ_between_parts_are_refused():
    one, other = pd.DataFrame({"x": [1], "y": [2.0]}), pd.DataFrame({"z": [1], "y": [2.0]})
    with pytest.raises(DataError, match=r"part 0 has a column 'x' and part 1 has none|part 1 has a column 'z'"):
        outline_of([one, other])
    text = pd.DataFrame({"x": ["a"], "y": [2.0]})
    with pytest.raises(DataError, match=r"'x' hold text in some and numbers in others; name them in factors\."):
        outline_of([one, text])
    assert outline_of([one, text], factors=["x"]).levels_of("x") == ("1", "a")


def test_a_response_without_two_values_is_refused():
    one = pd.DataFrame({"x": [1, 2], "y": ["a", "a"]})
    with pytest.raises(DataError, match="it is 'a' in all rows"):
        response_encoder(outline_of([one, one]), "y", standardize=True)
    two = outline_of([one, one.assign(y="b")])
    assert response_encoder(two, "y", standardize=True).levels == ("a", "b")
    with pytest.raises(DataError, match="it is '1' in all rows"):
        response_encoder(outline_of([one.assign(y=1.0)]), "y", standardize=True)


def test_extremes_have_what_choices_of_columns_need():
    whole = frame().assign(constant=7, nothing=np.nan)
    table = outline_of(split(whole, 100)).extremes("rows")
    wanted = as_table(whole)
    assert table.names == wanted.names
    for name, column in wanted.columns.items():
        assert (table[name].kind, table[name].levels) == (column.kind, column.levels)
        assert [table[name].has_values(n) for n in (1, 2)] == [column.has_values(n) for n in (1, 2)]
    assert np.nanmin(table["number"].values) == whole.number.min()


def test_infinite_numbers_are_refused():
    with pytest.raises(DataError, match=r"column 'x' must hold finite numbers of moderate size; got 1 to inf"):
        row_encoder(
            outline_of([pd.DataFrame({"x": [1.0, np.inf], "y": [1.0, 2.0]})]), ["x"], **SETTINGS, skips_missing=False
        )
