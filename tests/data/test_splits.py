import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h2olite.data.splits import (
    RowOrder,
    balance,
    complete_rows,
    deal_folds,
    divide_weights,
    random_stream,
    read_folds,
    sample_by_class,
    sample_rows,
    settle_seed,
    training_rows,
)
from h2olite.data.table import Column, Table
from h2olite.errors import DataError

NAN = np.nan


def table_of(**columns):
    return Table("train.csv", columns, len(next(iter(columns.values())).values))


def test_streams_repeat_for_a_seed_and_differ_by_purpose_number_and_seed():
    def draw(*key):
        return random_stream(*key).random()

    assert draw(1, "row order", 2) == draw(1, "row order", 2)
    assert len({draw(1, "row order", 2), draw(1, "row order", 3), draw(1, "scoring", 2), draw(2, "row order", 2)}) == 4


@given(
    n_rows=st.integers(1, 12),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**63),
    counts=st.lists(st.integers(0, 30), max_size=6),
    weighted=st.booleans(),
)
def test_row_order_does_not_depend_on_how_many_rows_are_taken_at_a_time(n_rows, shuffle, seed, counts, weighted):
    passes = 2 * np.arange(1, n_rows + 1) / (n_rows + 1) if weighted else None
    order = RowOrder(n_rows, shuffle, seed, passes)
    taken = np.concatenate([np.empty(0, np.int64), *(order.take(count) for count in counts)])
    np.testing.assert_array_equal(taken, RowOrder(n_rows, shuffle, seed, passes).take(sum(counts)))
    assert order.taken == sum(counts)


def test_every_epoch_visits_every_row_once_in_an_order_of_its_own():
    epochs = RowOrder(50, shuffle=True, seed=3).take(150).reshape(3, 50)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(50), (3, 1)))
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 3


def test_unshuffled_order_repeats_the_tables():
    assert RowOrder(3, shuffle=False, seed=3).take(7).tolist() == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "weights",
    [
        np.random.default_rng(0).lognormal(sigma=2, size=300),
        np.where(np.arange(300) < 3, 99.0, 1.0),
        np.arange(300) + 0.5,
    ],
    ids=["lognormal", "rare", "growing"],
)
def test_rows_are_passed_as_often_as_wanted_in_every_epoch_and_ever_more_exactly(weights, shuffle):
    passes, _ = divide_weights(weights, np.arange(300))
    epochs = RowOrder(300, shuffle, 4, passes).take(300 * 40).reshape(40, 300)
    counts = np.array([np.bincount(epoch, minlength=300) for epoch in epochs])
    assert (np.abs(counts - passes) < 1 + 1e-9).all()
    assert np.abs(counts.sum(axis=0) - 40 * passes).max() < 3  # by chance it would be some 10


def test_without_shuffling_the_passes_of_a_row_are_spread_over_the_epoch():
    epoch = RowOrder(8, shuffle=False, seed=1, passes=np.array([1.0, 1, 1, 1, 1, 1, 2, 0])).take(8)
    assert np.diff(np.flatnonzero(epoch == 6)) >= 3
    assert np.sort(epoch).tolist() == [0, 1, 2, 3, 4, 5, 6, 6]
    assert epoch[epoch != 6].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("unit", [1.0, 1e-300, 1e306])
def test_weights_are_divided_into_passes_and_bounded_factors(unit):
    weights = np.array([0.0, 1, 2, 5, 1, 91]) * unit
    passes, factors = divide_weights(weights, np.arange(1, 6))
    assert passes[1:].mean() == pytest.approx(1)
    np.testing.assert_allclose(passes * factors * 20, weights / unit, rtol=1e-6)
    assert 0 <= factors.min() < factors.max() < 2
    assert passes[1:].min() > 0.5


@pytest.mark.parametrize("weights", [None, np.full(4, 0.1), np.array([3.0, 3, 0, 3])])
def test_rows_that_count_alike_are_passed_once_each(weights):
    passes, factors = divide_weights(weights, np.array([0, 1, 3]))
    assert passes.size == factors.size == 0


def test_taken_rows_belong_to_the_caller():
    order = RowOrder(3, shuffle=False, seed=3)
    order.take(2)[:] = 7
    assert order.take(4).tolist() == [2, 0, 1, 2]
    assert order.take(1).dtype == np.int64


def test_sampled_rows_are_different_ascending_and_repeat_for_a_seed():
    rows = sample_rows(1000, 100, random_stream(5, "score training"))
    assert rows.shape == (100,)
    assert (np.diff(rows) > 0).all()
    assert 0 <= rows[0] < 100 < 900 < rows[-1] < 1000
    np.testing.assert_array_equal(rows, sample_rows(1000, 100, random_stream(5, "score training")))


@pytest.mark.parametrize("size", [0, 4, 9])
def test_all_rows_are_taken_when_no_fewer_are_asked_for(size):
    assert sample_rows(4, size, random_stream(5, "score training")).tolist() == [0, 1, 2, 3]


def test_sampling_by_class_keeps_the_shares_and_at_least_one_row_of_each_class():
    classes = np.random.default_rng(0).permutation(np.repeat([0, 1, 3], [900, 99, 1]))
    rows = sample_by_class(classes, 100, random_stream(5, "score validation"))
    assert (np.diff(rows) > 0).all()
    assert np.bincount(classes[rows]).tolist() == [90, 10, 0, 1]
    np.testing.assert_array_equal(rows, sample_by_class(classes, 100, random_stream(5, "score validation")))


@pytest.mark.parametrize("size", [0, 4, 9])
def test_sampling_by_class_takes_all_rows_when_no_fewer_are_asked_for(size):
    assert sample_by_class(np.array([0, 1, 1, 1]), size, random_stream(5, "")).tolist() == [0, 1, 2, 3]


CLASSES = np.random.default_rng(0).permutation(np.repeat([0, 1, 3], [60, 20, 9]))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [60, 60, 0, 60]),
        ({"most": 90}, [30, 30, 0, 30]),
        ({"factors": [0.5, 1.25, 7, 2]}, [30, 25, 0, 18]),
        ({"factors": [1, 1, 1, 1], "most": 44.5}, [30, 10, 0, 4]),
        ({"factors": [1, 1, 1, 0.01]}, [60, 20, 0, 1]),
    ],
)
def test_balancing_takes_as_many_rows_of_each_class_as_wanted(given, expected):
    rows = balance(CLASSES, 4, **given, random=random_stream(5, "class balance"))
    assert np.bincount(CLASSES[rows], minlength=4).tolist() == expected


def test_balancing_takes_the_rows_of_a_class_equally_often_and_in_random_order():
    rows = balance(CLASSES, 4, random=random_stream(5, "class balance"))
    times = np.bincount(rows)
    assert set(times[CLASSES == 3]) == {6, 7}  # 60 rows from 9
    assert set(times[CLASSES != 3]) == {1, 3}
    assert abs(np.corrcoef(np.arange(rows.size), CLASSES[rows])[0, 1]) < 0.2


def test_a_row_is_complete_when_no_predictor_is_missing():
    table = table_of(
        number=Column(np.array([1.0, NAN, 3.0, 4.0])),
        text=Column(np.array([0, 0, -1, 0], np.int32), ("a",)),
        other=Column(np.full(4, NAN)),
    )
    assert complete_rows(table, ["number", "text"]).tolist() == [True, False, False, True]
    assert complete_rows(table, []).tolist() == [True] * 4


def test_rows_to_train_on_have_response_weight_and_all_predictors():
    table = table_of(number=Column(np.arange(4.0)))
    target = np.array([NAN, 1.0, 2.0, 3.0], np.float32)
    weights = np.array([1.0, 0.0, 2.0, 0.5])
    complete = np.array([True, True, False, True])
    assert training_rows(table).tolist() == [0, 1, 2, 3]
    assert training_rows(table, target=target).tolist() == [1, 2, 3]
    assert training_rows(table, target=target, weights=weights).tolist() == [2, 3]
    assert training_rows(table, target=target, weights=weights, complete=complete).tolist() == [3]


def test_no_row_to_train_on_is_an_error_that_says_what_rows_need():
    table = table_of(number=Column(np.arange(2.0)))
    with pytest.raises(DataError, match=r"train\.csv has no row to train on: none of 2 has a response and all predict"):
        training_rows(table, target=np.array([NAN, 1.0]), complete=np.array([True, False]))


@pytest.mark.proves("fold_assignment")
@pytest.mark.parametrize("assignment", ["Random", "Modulo", "Stratified"])
def test_folds_differ_by_at_most_one_row_and_repeat_for_a_seed(assignment):
    classes = np.array([0] * 17 + [1] * 6)
    folds = deal_folds(23, 5, assignment, seed=1, classes=classes)
    assert sorted(np.bincount(folds).tolist()) == [4, 4, 5, 5, 5]
    np.testing.assert_array_equal(folds, deal_folds(23, 5, assignment, seed=1, classes=classes))


@pytest.mark.proves("fold_assignment")
def test_modulo_deals_rows_in_turn_and_random_by_the_seed():
    np.testing.assert_array_equal(deal_folds(7, 3, "Modulo", seed=1), [0, 1, 2, 0, 1, 2, 0])
    np.testing.assert_array_equal(deal_folds(50, 3, "AUTO", seed=1), deal_folds(50, 3, "Random", seed=1))
    assert (deal_folds(50, 3, "Random", seed=1) != deal_folds(50, 3, "Random", seed=2)).any()


@pytest.mark.proves("fold_assignment")
@given(st.lists(st.integers(-1, 3), min_size=4, max_size=60), st.integers(2, 4), st.integers(0, 9))
def test_stratified_folds_spread_every_class_evenly(classes, n_folds, seed):
    classes = np.array(classes)
    folds = deal_folds(classes.size, n_folds, "Stratified", seed, classes)
    for value in np.unique(classes):
        counts = np.bincount(folds[classes == value], minlength=n_folds)
        assert counts.max() - counts.min() <= 1


@pytest.mark.proves("fold_column")
@pytest.mark.parametrize(
    "column",
    [
        Column(np.array([2010.0, 2012, 2010, 2011])),
        Column(np.array([1, 4, 1, 2], np.int32), levels=("a", "b", "c", "d", "e")),
    ],
    ids=["numbers with holes", "unused levels"],
)
def test_distinct_values_of_a_fold_column_are_the_folds(column):
    np.testing.assert_array_equal(read_folds(table_of(fold=column), "fold"), [0, 2, 0, 1])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (Column(np.array([1.0, NAN, 2])), r"whole numbers >= 0; got a missing value in row 1; give every row a fold\."),
        (Column(np.array([1.0, 2, 0.5])), r"whole numbers >= 0; got 0\.5 in row 2; "),
        (Column(np.array([1.0, 2, -3])), r"whole numbers >= 0; got -3 in row 2; "),
        (Column(np.array([0, -1, 1], np.int32), levels=("a", "b")), r"got a missing value in row 1; "),
        (Column(np.array([3.0, 3, 3])), r"at least 2 different folds; got 1; use nfolds to have rows dealt\."),
    ],
)
def test_unusable_fold_columns_are_refused(column, message):
    with pytest.raises(DataError, match=rf"^fold_column 'fold' of train\.csv must hold .*{message}"):
        read_folds(table_of(fold=column), "fold")


@pytest.mark.parametrize("seed", [-2, -(2**31), -(2**63), 2**63 - 1, 0])
def test_every_seed_of_64_bits_but_one_is_a_seed_of_its_own(seed):
    assert settle_seed(seed) == seed
    numbers = [random_stream(of, "row order").random() for of in (seed, seed, seed ^ 1)]
    assert numbers[0] == numbers[1] != numbers[2]
