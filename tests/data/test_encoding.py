import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import h2olite
from h2olite.data import summary
from h2olite.data.adaptation import Adaptation
from h2olite.data.advice import advice_on_columns, advice_on_identifiers, advice_on_kinds
from h2olite.data.encoding import EncodedRows, RowEncoder
from h2olite.data.frames import as_table
from h2olite.data.predictors import choose_predictors, find_columns
from h2olite.data.response import ResponseEncoder
from h2olite.data.table import Column, Table
from h2olite.errors import DataError

NAN = np.nan


def number(*values, is_time=False):
    return Column(np.array(values, np.float64), is_time=is_time)


def text(*values, levels=None):
    levels = tuple(sorted({value for value in values if value is not None})) if levels is None else tuple(levels)
    return Column(np.array([-1 if value is None else levels.index(value) for value in values], np.int32), levels)


def table_of(name="train.csv", **columns):
    n_rows = len(next(iter(columns.values())).values)
    return Table(name, columns, n_rows, lambda row: f"line {row + 2}")


def sized(*sizes):
    """A table with categorical columns c0, c1, ... of these numbers of levels."""
    return table_of(
        **{f"c{i}": text("0", levels=[str(level) for level in range(size)]) for i, size in enumerate(sizes)}
    )


def small():
    return table_of(
        age=number(20, NAN, 40, 60),
        city=text("Rome", "Oslo", None, "Rome"),
        size=text("S", "M", "L", "S", levels=["S", "M", "L"]),
    )


def fitted(table, **options):
    return RowEncoder.fit(table, table.names, **options)


def test_categorical_predictors_come_first_with_most_levels_first():
    assert fitted(small()).predictors == ("size", "city", "age")


@pytest.mark.parametrize(
    ("sizes", "order"),
    [((3, 2, 3, 5), "c3 c2 c0 c1"), ((2, 2, 2), "c0 c1 c2"), ((2, 2, 3), "c2 c1 c0"), ((2, 3, 3, 4), "c3 c2 c1 c0")],
)
def test_ties_of_level_counts_keep_the_order_of_the_exchange_sort(sizes, order):
    assert " ".join(fitted(sized(*sizes)).predictors) == order


def test_numeric_predictors_keep_the_order_of_the_table():
    table = table_of(b=number(1, 2), c=text("x", "y"), a=number(3, 4))
    assert fitted(table).predictors == ("c", "b", "a")


def test_every_level_and_missing_have_an_input():
    encoder = fitted(small())
    assert encoder.input_names == (
        *("size.S", "size.M", "size.L", "size.missing(NA)"),
        *("city.Oslo", "city.Rome", "city.missing(NA)", "age"),
    )
    assert encoder.cat_offsets.tolist() == [0, 4, 7]
    assert encoder.n_inputs == 8
    levels, _ = encoder.encode(small())
    assert levels.tolist() == [[0, 5], [1, 4], [2, 6], [0, 5]]


def test_first_level_has_no_input_without_use_all_factor_levels():
    encoder = fitted(small(), use_all_factor_levels=False)
    assert encoder.input_names == ("size.M", "size.L", "size.missing(NA)", "city.Rome", "city.missing(NA)", "age")
    assert encoder.cat_offsets.tolist() == [0, 3, 5]
    levels, _ = encoder.encode(small())
    assert levels.tolist() == [[-1, 3], [0, -1], [1, 4], [-1, 3]]


def test_numbers_are_standardised_with_n_minus_1_and_missing_ones_become_the_mean():
    _, numbers = fitted(small()).encode(small())
    np.testing.assert_allclose(numbers[:, 0], [-1.0, 0.0, 0.0, 1.0], atol=1e-7)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"sparse": True}, [1.0, 2.0, 2.0, 3.0]),
        ({"by_range": True}, [-0.5, 0.0, 0.0, 0.5]),
        ({"by_range": True, "sparse": True}, [0.5, 1.0, 1.0, 1.5]),
        ({"standardize": False}, [20.0, 40.0, 40.0, 60.0]),
        ({"standardize": False, "sparse": True}, [20.0, 40.0, 40.0, 60.0]),
    ],
)
def test_missing_numbers_become_the_mean_however_numbers_are_scaled(options, expected):
    _, numbers = fitted(small(), **options).encode(small())
    np.testing.assert_allclose(numbers[:, 0], expected, rtol=1e-6)


def test_a_constant_number_is_centred_and_not_scaled():
    table = table_of(a=number(0.1, 0.1, 0.1))
    for by_range in (False, True):
        assert fitted(table, by_range=by_range).multiplier.tolist() == [1.0]
    encoder = fitted(table)
    np.testing.assert_allclose(encoder.encode(table)[1], 0.0, atol=1e-7)


def test_weights_enter_mean_and_deviation():
    values, weights = np.array([1.0, 2.0, 4.0, 50.0]), np.array([1.0, 2.0, 0.5, 0.0])
    encoder = fitted(table_of(a=Column(values)), weights=weights)
    mean = (1 * 1 + 2 * 2 + 0.5 * 4) / 3.5
    variance = (1 * (1 - mean) ** 2 + 2 * (2 - mean) ** 2 + 0.5 * (4 - mean) ** 2) / 3.5 * 3 / 2
    assert encoder.subtrahend[0] == pytest.approx(mean, rel=1e-15)
    assert encoder.imputed[0] == pytest.approx(mean, rel=1e-15)
    assert encoder.multiplier[0] == pytest.approx(1 / np.sqrt(variance), rel=1e-15)


def test_encoder_knows_whether_training_activated_the_missing_input():
    assert fitted(small()).missing_seen.tolist() == [False, True]
    assert fitted(small(), rows=np.array([0, 1, 3])).missing_seen.tolist() == [False, False]


def test_encoder_knows_which_numbers_are_times():
    assert fitted(table_of(a=number(1, 2), when=number(3, 4, is_time=True))).times == ("when",)


@pytest.mark.parametrize("columns", [["age"], ["city", "size"], ["age", "city", "size"]])
def test_arrays_are_what_the_kernels_take(columns):
    table = table_of(**{name: small()[name] for name in columns})
    for column in table.columns.values():
        column.values.flags.writeable = False
    levels, numbers = fitted(table).encode(table)
    target, actual = ResponseEncoder.fit(small(), "city").encode(small())
    assert (levels.dtype, numbers.dtype, target.dtype, actual.dtype) == (np.int32, np.float32, np.float32, np.float64)
    assert (levels.shape, numbers.shape) == ((4, len(columns) - ("age" in columns)), (4, int("age" in columns)))
    for array in (levels, numbers, target):
        assert array.flags.c_contiguous
        assert array.flags.writeable
    assert EncodedRows(levels, numbers).weights.shape == (0,)


def test_an_empty_block_encodes_to_empty_arrays():
    levels, numbers = fitted(small()).encode(small().take(np.array([], np.int64)))
    assert (levels.shape, numbers.shape) == ((0, 2), (0, 1))


def test_unseen_levels_and_missing_ones_share_an_input_and_unseen_ones_are_told():
    test = table_of("test.csv", age=number(1, 2, 3), city=text("Rome", "Bonn", None), size=text("M", "M", "M"))
    adaptation = Adaptation("test.csv")
    levels, _ = fitted(small(), use_all_factor_levels=False).encode(test, adaptation)
    assert levels.tolist() == [[0, 3], [0, 4], [0, 4]]
    assert adaptation.warnings() == [
        "column 'city' of test.csv has levels that training did not have, treated as missing: 'Bonn'."
    ]


def test_levels_no_row_has_are_not_told():
    adaptation = Adaptation("test.csv")
    test = table_of("test.csv", city=text("Rome", levels=["Bonn", "Rome"]), age=number(1), size=text("S"))
    fitted(small()).encode(test, adaptation)
    assert adaptation.warnings() == []


def test_at_most_five_unseen_levels_are_told_over_all_blocks():
    train = table_of(city=text("Rome", "Oslo"))
    adaptation = Adaptation("test.csv")
    for block in (text("A", "Rome", "B"), text("A", "C", "D", "E"), text("F"), text("G")):
        fitted(train).encode(table_of("test.csv", city=block), adaptation)
    assert adaptation.warnings() == [
        "column 'city' of test.csv has levels that training did not have, treated as missing: "
        "'A', 'B', 'C', 'D', 'E' and others."
    ]


def test_levels_are_matched_by_name_whatever_their_order():
    test = table_of("test.csv", size=text("L", "S", levels=["L", "S"]), city=text("Oslo", "Oslo"), age=number(1, 2))
    levels, _ = fitted(small()).encode(test)
    assert levels.tolist() == [[2, 4], [0, 4]]


def test_absent_predictors_are_treated_as_missing_and_told():
    adaptation = Adaptation("test.csv")
    levels, numbers = fitted(small()).encode(table_of("test.csv", size=text("M", "L")), adaptation)
    assert levels.tolist() == [[1, 6], [2, 6]]
    assert numbers.tolist() == [[0.0], [0.0]]
    assert adaptation.warnings() == ["test.csv lacks 2 predictors, treated as missing: 'city', 'age'."]


def test_a_table_without_any_predictor_is_an_error():
    with pytest.raises(
        DataError, match=r"test\.csv has none of the model's predictors \('size', 'city', 'age'\); give"
    ):
        fitted(small()).encode(table_of("test.csv", y=number(1)))


def test_numbers_are_matched_with_text_levels_by_their_text():
    encoder = fitted(table_of(code=text("1", "2.5", "n/a")))
    adaptation = Adaptation("test.csv")
    levels, _ = encoder.encode(table_of("test.csv", code=number(2.5, 1.0, NAN, 7.0)), adaptation)
    assert levels.tolist() == [[1], [0], [3], [3]]
    assert adaptation.warnings() == [
        "column 'code' of test.csv has levels that training did not have, treated as missing: '7'."
    ]


@pytest.mark.parametrize("city", [number(NAN, 3), text(None, "3"), text("3", "4.5")], ids=["typed", "CSV", "all"])
def test_numbers_where_no_training_level_looks_like_one_are_an_error(city):
    encoder = fitted(table_of(city=text("Rome", "Oslo", "Bonn")))
    with pytest.raises(
        DataError,
        match=re.escape(
            "column 'city' of test.csv holds numbers but held text in training (such as 'Bonn', 'Oslo' and 1 more)"
        ),
    ):
        encoder.encode(table_of("test.csv", city=city))


def test_a_column_missing_in_all_rows_fits_any_type():
    levels, numbers = fitted(small()).encode(table_of(age=text(None), city=number(NAN), size=text(None)))
    assert levels.tolist() == [[3, 6]]
    assert numbers.tolist() == [[0.0]]


def test_text_where_training_had_numbers_is_an_error_with_the_first_place():
    with pytest.raises(DataError, match=r"column 'age' of test\.csv: .*'old', line 3"):
        fitted(small()).encode(table_of("test.csv", age=text("20", "old", None)))


def too_large(value):
    return re.escape(
        f"column 'age' of train.csv must hold finite numbers of moderate size; got {value:g} in line 3; leave"
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e200])
def test_no_encoder_is_fitted_to_infinite_and_huge_numbers(value):
    table = table_of(age=number(1, value, NAN))
    with pytest.raises(DataError, match=too_large(value)):
        fitted(table)
    with pytest.raises(DataError, match=too_large(value)):
        ResponseEncoder.fit(table, "age")


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e200, 1e100])
def test_infinite_numbers_and_those_beyond_float32_are_not_encoded(value):
    table = table_of(age=number(1, value, NAN))
    with pytest.raises(DataError, match=too_large(value)):
        fitted(small()).encode(table)
    with pytest.raises(DataError, match=too_large(value)):
        ResponseEncoder.fit(small(), "age").encode(table)


def test_infinite_numbers_in_unused_columns_do_no_harm():
    table = table_of(age=number(1, 2), unused=number(np.inf, 1))
    assert np.isfinite(RowEncoder.fit(table, ["age"]).encode(table)[1]).all()


cells = st.integers(-1, 3)
floats = st.one_of(st.just(NAN), st.floats(-1e6, 1e6))


@given(
    rows=st.lists(st.tuples(cells, cells, floats, floats), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    use_all=st.booleans(),
)
def test_encoding_by_blocks_equals_encoding_at_once(rows, cuts, use_all):
    a, b, x, y = zip(*rows, strict=True)
    levels = ("a", "b", "c", "d")
    columns = {"a": Column(np.array(a, np.int32), levels), "x": number(*x)}
    table = table_of(**columns, b=Column(np.array(b, np.int32), levels), y=number(*y))
    encoder = fitted(table, use_all_factor_levels=use_all)
    whole = encoder.encode(table)
    parts = [encoder.encode(table.take(part)) for part in np.split(np.arange(len(rows)), sorted(cuts))]
    for i in (0, 1):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), whole[i], strict=True)


def test_tile_size_changes_no_encoding(monkeypatch):
    table = table_of(**{f"x{j}": Column(np.random.default_rng(j).normal(size=50)) for j in range(3)})
    encoder = fitted(table)
    whole = encoder.encode(table)[1]
    monkeypatch.setattr(summary, "TILE_CELLS", 10)
    np.testing.assert_array_equal(encoder.encode(table)[1], whole)


@pytest.mark.parametrize("use_all", [True, False])
def test_a_stored_encoder_encodes_bit_for_bit_the_same(use_all):
    encoder = fitted(small(), use_all_factor_levels=use_all)
    stored = json.loads(json.dumps(encoder.to_json(), allow_nan=False))
    again = RowEncoder.from_json(stored)
    for mine, others in zip(again.encode(small()), encoder.encode(small()), strict=True):
        np.testing.assert_array_equal(mine, others, strict=True)
    assert again.input_names == encoder.input_names
    assert again.to_json() == encoder.to_json()


@pytest.mark.parametrize(("name", "standardize"), [("city", False), ("age", True), ("age", False)])
def test_a_stored_response_encoder_encodes_bit_for_bit_the_same(name, standardize):
    encoder = ResponseEncoder.fit(small(), name, standardize=standardize)
    again = ResponseEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert again.to_json() == encoder.to_json()
    np.testing.assert_array_equal(again.encode(small())[0], encoder.encode(small())[0], strict=True)


def test_a_categorical_response_becomes_class_indices():
    encoder = ResponseEncoder.fit(small(), "city")
    target, actual = encoder.encode(small())
    assert encoder.n_classes == 2
    np.testing.assert_array_equal(target, np.array([1, 0, NAN, 1], np.float32))
    np.testing.assert_array_equal(actual, target.astype(np.float64))


@pytest.mark.parametrize(("standardize", "expected"), [(True, [-1, NAN, 0, 1]), (False, [20, NAN, 40, 60])])
def test_a_numeric_response_is_standardised_on_demand_and_kept_for_metrics(standardize, expected):
    encoder = ResponseEncoder.fit(small(), "age", standardize=standardize)
    target, actual = encoder.encode(small())
    assert encoder.n_classes == 0
    np.testing.assert_allclose(target, expected, atol=1e-7)
    np.testing.assert_array_equal(actual, [20, NAN, 40, 60])


def test_response_statistics_are_weighted():
    encoder = ResponseEncoder.fit(table_of(y=number(1, 3, 9)), "y", standardize=True, weights=np.array([3.0, 1.0, 0.0]))
    assert encoder.subtrahend == 1.5
    assert encoder.multiplier == pytest.approx(1 / np.sqrt((3 * 0.25 + 2.25) / 4 * 2), rel=1e-15)


def test_numbers_are_matched_with_a_categorical_response():
    encoder = ResponseEncoder.fit(table_of(y=text("0", "1")), "y")
    target, _ = encoder.encode(table_of("test.csv", y=number(1, NAN, 0)))
    np.testing.assert_array_equal(target, np.array([1, NAN, 0], np.float32))


def test_unseen_response_levels_are_missing_and_told():
    adaptation = Adaptation("test.csv")
    target, _ = ResponseEncoder.fit(small(), "city").encode(table_of("test.csv", city=text("Bonn", "Oslo")), adaptation)
    np.testing.assert_array_equal(target, np.array([NAN, 0], np.float32))
    assert adaptation.warnings() == [
        "column 'city' of test.csv has levels that training did not have, treated as missing: 'Bonn'."
    ]


def test_a_response_without_any_known_level_is_an_error():
    with pytest.raises(
        DataError, match=r"response 'city' of test\.csv has no level that the model knows \('Oslo', 'Rome'"
    ):
        ResponseEncoder.fit(small(), "city").encode(table_of("test.csv", city=text("Bonn", None)))


def test_a_response_missing_in_all_rows_of_a_test_table_is_none():
    target, _ = ResponseEncoder.fit(small(), "city").encode(table_of("test.csv", city=text(None, None)))
    np.testing.assert_array_equal(target, np.array([NAN, NAN], np.float32))


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (number(2, 2, NAN), "is '2' in all rows"),
        (number(NAN, NAN), "is missing in all rows"),
        (text("a", None, levels=["a", "b"]), "is 'a' in all rows"),
        (text(None, None, levels=["a", "b"]), "is missing in all rows"),
    ],
)
def test_a_response_with_nothing_to_learn_is_an_error(column, fault):
    with pytest.raises(DataError, match=rf"response 'y' of train\.csv must have at least two values .* it {fault};"):
        ResponseEncoder.fit(table_of(y=column), "y")


def test_columns_are_found_by_name_and_index():
    assert find_columns(small(), ["size", 0]) == ["size", "age"]


def test_all_unknown_columns_are_named_at_once():
    message = (
        "train.csv has no column 'sizes'; did you mean 'size'? train.csv has no column 3: it has 3, counted from 0."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        find_columns(small(), ["sizes", 0, 3])


def test_predictors_are_all_columns_but_the_others():
    assert choose_predictors(small(), others=["city"]) == (["age", "size"], [])


def test_predictors_come_in_table_order_and_never_include_the_response():
    assert choose_predictors(small(), x=["size", "city", 0], others=["city"]) == (["age", "size"], [])


@pytest.fixture
def with_useless():
    return table_of(
        good=number(1, 2, NAN),
        same=number(7, NAN, 7),
        one=text("a", None, "a", levels=["a", "b"]),
        none=number(NAN, NAN, NAN),
        empty=text(None, None, None),
    )


def test_constant_and_missing_columns_are_left_out_with_one_warning(with_useless):
    assert choose_predictors(with_useless) == (
        ["good"],
        [
            "columns of train.csv left out because they are constant or missing in all rows: "
            "'same', 'one', 'none', 'empty'."
        ],
    )


def test_constant_columns_stay_when_asked_for_and_missing_ones_never(with_useless):
    assert choose_predictors(with_useless, ignore_const_cols=False) == (
        ["good", "same", "one"],
        ["columns of train.csv left out because they are missing in all rows: 'none', 'empty'."],
    )


@pytest.mark.parametrize(("n_text", "is_told"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_column_that_few_of_its_cells_make_categorical_is_told(n_text, is_told):
    column = text("7", None, *("n/a", "nil", "no")[:n_text], *map(str, range(39 - n_text)))
    table = table_of(age=column, size=number(*[1] * 41))
    for csv, option in ((None, ""), ({}, " (--na-string n/a)")):
        sentence = (
            f"column 'age' of train.csv is categorical, though {40 - n_text} of its 40 cells are numbers (the first "
            f"that is not: 'n/a', line 4); correct that, make it missing{option}, or name the column in factors if it "
            "is meant so."
        )
        assert advice_on_kinds(dataclasses.replace(table, csv=csv), "age") == [sentence] * is_told


def test_a_column_meant_to_be_categorical_is_not_told():
    table = table_of(age=text("n/a", *map(str, range(50))))
    assert list(advice_on_columns(table, ["age"], None, ["age"])) == []


def test_at_most_ten_columns_left_out_are_named():
    table = table_of(good=number(1, 2), **{f"c{i}": number(0, 0) for i in range(13)})
    _, (warning,) = choose_predictors(table)
    assert warning.endswith("'c8', 'c9' and 3 more.")


def test_no_usable_predictor_is_an_error(with_useless):
    match = r"train\.csv has no usable predictor \(constant or missing in all rows: 'same', 'none'\); name other"
    with pytest.raises(DataError, match=match):
        choose_predictors(with_useless, x=["same", "none"])
    with pytest.raises(DataError, match=r"train\.csv has no usable predictor; name other columns as x\."):
        choose_predictors(with_useless, others=with_useless.names)


@pytest.mark.proves("sparse_from")
@pytest.mark.parametrize(("sparse_from", "centred"), [(0.5, [False, True]), (0.75, [False, True]), (0.8, [True, True])])
def test_columns_of_mostly_zeros_are_scaled_only_and_miss_nothing_but_zeros(sparse_from, centred):
    table = table_of(often=number(0, 0, 0, 4, NAN), seldom=number(0, 1, 2, 3, NAN))
    numbers = RowEncoder.fit(table, table.names, sparse_from=sparse_from).encode(table, Adaptation("t"))[1]
    for column, name, is_centred in zip(numbers.T, table.names, centred, strict=True):
        values = table[name].values
        filled = np.nan_to_num(values, nan=np.nanmean(values) if is_centred else 0.0)
        expected = (filled - np.nanmean(values) * is_centred) / np.nanstd(values, ddof=1)
        np.testing.assert_allclose(column, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("given", [{"sparse": True}, {"standardize": False}, {"sparse_from": 1.0}])
def test_otherwise_missing_numbers_are_the_mean_also_among_zeros(given):
    table = table_of(x=number(0, 0, 0, 4, NAN))
    assert RowEncoder.fit(table, ["x"], **{"sparse_from": 0.5} | given).imputed[0] == 1.0


def test_text_that_is_another_one_in_every_row_is_told():
    names = [f"u{i}" for i in range(60)]
    table = as_table({"id": names, "twice": [*names[1:], "u1"], "gap": [*names[:-1], None], "size": np.arange(60.0)})
    told = list(advice_on_columns(table, table.names, None, []))
    assert [sentence.split(" of ")[0] for sentence in told] == ["column 'id'", "column 'gap'"]
    assert told[0].endswith("leave it out by ignored_columns, or name it in factors if it is meant so.")
    assert list(advice_on_columns(table, table.names, None, ["id", "gap"])) == []
    assert advice_on_identifiers(as_table({"id": names[:40]}), "id") == []


def test_training_warns_of_identifiers_among_its_predictors():
    table = {"id": [f"u{i}" for i in range(60)], "x": np.arange(60.0), "y": np.arange(60.0) % 7}
    with pytest.warns(UserWarning, match=r"^column 'id' of training_frame is text that is another one in every row"):
        h2olite.deeplearning(y="y", training_frame=table, hidden=[3], epochs=1)
