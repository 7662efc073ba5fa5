import json

import numpy as np
import pytest

from h2olite.data.adaptation import Adaptation
from h2olite.data.encoding import RowEncoder
from h2olite.data.recoding import Recoding
from h2olite.data.table import Column, Table
from h2olite.errors import DataError

NAN = np.nan
ENCODINGS = ("Binary", "Eigen", "LabelEncoder", "SortByResponse", "EnumLimited")


def text(*values, levels=None):
    levels = tuple(sorted({value for value in values if value is not None})) if levels is None else tuple(levels)
    return Column(np.array([-1 if value is None else levels.index(value) for value in values], np.int32), levels)


def table_of(name="train.csv", **columns):
    return Table(name, columns, len(next(iter(columns.values())).values))


def numbers(count):
    return Column(np.arange(count, dtype=np.float64))


def recoded(column, encoding, response=None, weights=None):
    """The columns in the place of one."""
    table = table_of(c=column)
    n_rows = table.n_rows
    response = np.zeros(n_rows) if response is None else np.array(response, np.float64)
    recoding = Recoding.fit(table, ["c"], encoding, response, weights)
    return recoding.apply(table, Adaptation("train.csv")).columns


def cells(column):
    """The levels of a column's rows, None where missing."""
    return [None if code < 0 else column.levels[code] for code in column.values]


@pytest.mark.parametrize("encoding", ["AUTO", "OneHotInternal"])
def test_one_hot_columns_stay_as_they_are(encoding):
    column = text("a", "b")
    assert recoded(column, encoding) == {"c": column}


def test_binary_digits_count_levels_from_1_and_missing_as_0():
    columns = recoded(text("a", "b", "c", "d", None), "Binary")
    assert list(columns) == ["c:0", "c:1", "c:2"]
    assert [column.values.tolist() for column in columns.values()] == [
        [1, 0, 1, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
    ]


@pytest.mark.parametrize(("n_levels", "n_digits"), [(2, 2), (3, 2), (4, 3), (7, 3), (8, 4)])
def test_binary_has_as_many_digits_as_the_number_of_levels(n_levels, n_digits):
    assert len(recoded(text(*map(str, range(n_levels))), "Binary")) == n_digits


def test_binary_columns_come_after_the_other_predictors():
    table = table_of(a=text("x", "y"), b=numbers(2), c=text("x", "y"))
    recoding = Recoding.fit(table, table.names, "Binary", np.zeros(2))
    assert recoding.names(table.names) == ["b", "a:0", "a:1", "c:0", "c:1"]


@pytest.mark.parametrize("encoding", ["Eigen", "LabelEncoder", "EnumLimited"])
def test_a_column_for_a_column_takes_its_place(encoding):
    table = table_of(a=text(*"abcdefghijkl"), b=numbers(12))
    recoding = Recoding.fit(table, table.names, encoding, np.zeros(12))
    assert recoding.names(table.names)[1] == "b"


def test_labels_are_the_indices_of_levels():
    (column,) = recoded(text("b", None, "a", "c"), "LabelEncoder").values()
    np.testing.assert_array_equal(column.values, [1, NAN, 0, 2])


def test_labels_are_the_whole_numbers_that_levels_spell():
    (column,) = recoded(text("30", None, "-5", levels=["-5", "30"]), "LabelEncoder").values()
    np.testing.assert_array_equal(column.values, [30, NAN, -5])


@pytest.mark.parametrize("counts", [(1, 4), (5, 1, 3), (2, 0, 7, 1, 1)])
def test_eigen_is_a_leading_eigenvector_that_grows_with_the_order_of_levels(counts):
    levels = [f"l{i}" for i in range(len(counts))]
    column = text(*np.repeat(levels, counts), None, levels=levels)
    (entries,) = recoded(column, "Eigen").values()
    vector = np.array([entries.values[cells(column).index(level)] for level in levels if level in cells(column)])
    d = np.array([count for count in counts if count])
    matrix = (np.diag(d) - np.outer(d, d) / d.sum()) / np.sqrt(np.outer(d, d))
    np.testing.assert_allclose(matrix @ vector, np.linalg.eigvalsh(matrix)[-1] * vector, atol=1e-12)
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert vector @ np.arange(d.size) > 0
    assert np.isnan(entries.values[-1])


def test_levels_are_sorted_by_their_mean_response_and_those_without_one_come_last():
    column = text("a", "a", "b", "c", "d", None)
    (column,) = recoded(column, "SortByResponse", [5, 7, 1, 6, NAN, 0]).values()
    assert column.levels == ("b", "a", "c", "d")
    assert cells(column) == ["a", "a", "b", "c", "d", None]


def test_mean_responses_are_weighted():
    column = text("a", "a", "b")
    (column,) = recoded(column, "SortByResponse", [0, 9, 5], np.array([1.0, 3.0, 1.0])).values()
    assert column.levels == ("b", "a")


def many(*counts):
    """A column with levels l00, l01, ... that occur so often."""
    return text(*(f"l{i:02}" for i, count in enumerate(counts) for _ in range(count)))


def test_the_ten_most_frequent_levels_stay_by_decreasing_count():
    columns = recoded(many(*range(2, 14)), "EnumLimited")
    assert list(columns) == ["c.top_10_levels"]
    column = columns["c.top_10_levels"]
    assert column.levels == (*(f"l{i:02}" for i in range(11, 1, -1)), "other")
    assert cells(column)[:5] == ["other"] * 5
    assert cells(column)[5] == "l02"


def test_levels_that_occur_once_are_among_the_others():
    (column,) = recoded(many(*[1] * 8, 3, 2, 2), "EnumLimited").values()
    assert column.levels == ("l08", "l09", "l10", "other")


def test_a_level_called_other_is_one_of_the_others():
    column = text(*["other"] * 5, *(f"l{i:02}" for i in range(10) for _ in range(2)))
    (column,) = recoded(column, "EnumLimited").values()
    assert column.levels == (*(f"l{i:02}" for i in range(10)), "other")
    assert cells(column)[0] == "other"


def test_ten_levels_are_not_too_many():
    column = many(*[1] * 10)
    assert recoded(column, "EnumLimited") == {"c": column}


def test_missing_stays_missing_among_frequent_levels():
    (column,) = recoded(text(*"aabbccddeeffgghhiijjkl", None), "EnumLimited").values()
    assert cells(column)[-3:] == ["other", "other", None]


def test_a_new_name_that_is_taken_is_an_error():
    table = Table("train.csv", {"c": text("x", "y"), "c:1": numbers(2)}, 2)
    with pytest.raises(DataError, match=r"column 'c' of train\.csv cannot become 'c:1' by .* Binary: .* rename one"):
        Recoding.fit(table, table.names, "Binary", np.zeros(2))


def training():
    random = np.random.default_rng(0)
    return table_of(
        city=text(*random.choice([f"city{i}" for i in range(15)], 200)),
        code=text(*random.choice(["3", "10", "20"], 200), levels=["3", "10", "20"]),
        x=Column(random.normal(size=200)),
    )


def encoder_of(table, encoding, **options):
    recoding = Recoding.fit(table, table.names, encoding, np.arange(table.n_rows, dtype=np.float64))
    return RowEncoder.fit(table, table.names, recoding=recoding, **options)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_schema_names_the_original_columns(encoding):
    schema = encoder_of(training(), encoding).schema
    assert schema == {"city": "categorical", "code": "categorical", "x": "numeric"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_unseen_levels_absent_columns_and_missing_values_are_encoded_alike(encoding):
    encoder = encoder_of(training(), encoding)
    x = numbers(2)
    adaptation = Adaptation("test.csv")
    unseen = encoder.encode(table_of(city=text("atlantis", "city1"), code=text("3", "7"), x=x), adaptation)
    missing = encoder.encode(table_of(city=text(None, "city1"), code=text("3", None), x=x))
    absent = encoder.encode(table_of(x=x, code=text("3", None)))
    for i in (0, 1):
        np.testing.assert_array_equal(unseen[i], missing[i])
        np.testing.assert_array_equal(absent[i][0], missing[i][0])
    assert [sentence.split(" has levels")[0] for sentence in adaptation.warnings()] == [
        "column 'city' of test.csv",
        "column 'code' of test.csv",
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_stored_recoding_encodes_rows_in_blocks_bit_for_bit_the_same(encoding):
    table = training()
    encoder = encoder_of(table, encoding)
    again = RowEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    blocks = [again.encode(table.take(rows)) for rows in np.split(np.arange(200), [50, 120])]
    for i, whole in enumerate(encoder.encode(table)):
        np.testing.assert_array_equal(np.concatenate([block[i] for block in blocks]), whole, strict=True)
    assert again.to_json() == encoder.to_json()


@pytest.mark.parametrize("use_all", [True, False])
def test_levels_are_hashed_to_slots_when_they_are_too_many(use_all):
    one_hot = encoder_of(training(), "AUTO", use_all_factor_levels=use_all)
    width = one_hot.n_categorical_inputs
    encoder = encoder_of(
        training(), "AUTO", use_all_factor_levels=use_all, max_categorical_features=width - 1, hash_seed=4
    )
    assert encoder.n_inputs == width
    assert encoder.input_names == (*(f"slot.{i}" for i in range(width - 1)), "x")
    levels, hashed = one_hot.encode(training())[0], encoder.encode(training())[0]
    np.testing.assert_array_equal(hashed < 0, levels < 0)
    slots = dict(zip(levels.ravel().tolist(), hashed.ravel().tolist(), strict=True))
    assert [slots[level] for level in levels.ravel()] == hashed.ravel().tolist()
    assert set(slots.values()) - {-1} <= set(range(width - 1))
    again = RowEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    np.testing.assert_array_equal(again.encode(training())[0], hashed, strict=True)


def test_levels_that_are_few_enough_are_not_hashed():
    encoder = encoder_of(training(), "AUTO")
    same = encoder_of(training(), "AUTO", max_categorical_features=encoder.n_categorical_inputs)
    assert same.input_names == encoder.input_names


@pytest.mark.parametrize(
    ("encoding", "n_slots", "groups"),
    [
        ("AUTO", None, {("city",): 16, ("code",): 4, ("x",): 1}),
        ("Binary", None, {("x",): 1, ("city",): 4, ("code",): 2}),
        ("AUTO", 9, {("city", "code"): 9, ("x",): 1}),
    ],
)
def test_inputs_are_grouped_by_original_column_and_hashed_columns_together(encoding, n_slots, groups):
    encoder = encoder_of(training(), encoding, max_categorical_features=n_slots)
    assert encoder.column_groups == list(groups)
    assert np.diff(encoder.column_starts).tolist() == list(groups.values())
    assert np.bincount(encoder.input_groups).tolist() == list(groups.values())


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_some_of_the_original_columns_are_encoded_as_before(encoding):
    table = training()
    encoder = encoder_of(table, encoding)
    some = encoder.select({"code", "x"})
    assert some.schema.keys() == {"code", "x"}
    levels, values = some.encode(table_of(code=table["code"], x=table["x"]))
    kept = np.isin(encoder.predictors, some.predictors)
    all_levels, all_values = encoder.encode(table)
    np.testing.assert_array_equal(values, all_values[:, kept[len(encoder.levels) :]])
    shift = encoder.n_categorical_inputs - some.n_categorical_inputs
    np.testing.assert_array_equal(levels + shift, all_levels[:, kept[: len(encoder.levels)]])


def test_without_hashed_columns_nothing_is_hashed():
    assert encoder_of(training(), "AUTO", max_categorical_features=3).select({"x"}).n_inputs == 1
