"""SciPy's sparse matrices through the public door: the models of the same tables with their zeros, in less memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

import h2olite
from h2olite.data.encoding import RowEncoder
from h2olite.data.frames import as_table
from h2olite.errors import DataError, LackOfMemoryError

SMALL = {"hidden": [6, 4], "epochs": 3, "seed": 1, "reproducible": True}


def matrix(n_rows=120, n_columns=40, density=0.1, seed=0, classes=0):
    """Numbers of mostly zeros, and last a response that depends on them."""
    random = np.random.default_rng(seed)
    x = random.normal(1, 1, (n_rows, n_columns)) * (random.random((n_rows, n_columns)) < density)
    y = x @ random.normal(size=n_columns) + random.normal(size=n_rows) / 10
    if classes:
        y = np.searchsorted(np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]), y)
    return sparse.csr_array(np.column_stack([x, y]))


def assert_same_model(rows, dense, **settings):
    """Check that a sparse matrix gives the bits of the model of an array, and of its predictions."""
    ours, same = (h2olite.deeplearning(training_frame=frame, **SMALL | settings) for frame in (rows, dense))
    np.testing.assert_array_equal(ours.network.theta, same.network.theta)
    assert ours.training_metrics.to_json() == same.training_metrics.to_json()
    for frame in (rows, dense):
        got, expected = ours.predict(frame), same.predict(dense)
        if ours.parameters.autoencoder:  # whose outputs are turned into the units of columns by float64 statistics
            np.testing.assert_allclose(got, expected, rtol=1e-14)
        else:
            np.testing.assert_array_equal(got, expected)
    return ours, same


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mini_batch_size": 8},
        {"nfolds": 3, "keep_cross_validation_predictions": True},
        {"autoencoder": True, "input_dropout_ratio": 0.2},
        {"l1": 1e-3, "l2": 1e-3},
        {"sparse": True},
        {"sparse_from": 1.0},
        {"standardize": False, "activation": "Tanh"},
        {"fast_mode": False, "adaptive_rate": False, "rate": 0.01},
        {"ignored_columns": ["C3", "C7"], "y": "C5"},
        {"x": [9, 4, 2], "y": 40},
        {"max_w2": 0.5, "activation": "MaxoutWithDropout"},
        {"weights_column": "C2", "fold_column": "C1"},
    ],
)
def test_a_sparse_matrix_gives_the_model_of_the_table_with_its_zeros(settings):
    rows = matrix()
    if "fold_column" in settings:
        rows = sparse.hstack([(np.arange(120) % 3)[:, None], 1 + np.arange(120)[:, None] % 4, rows]).tocsr()
    assert_same_model(rows, rows.toarray(), **settings)


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_in_a_sparse_matrix(classes):
    rows = matrix(classes=classes)
    ours, _ = assert_same_model(rows, rows.toarray(), factors=["C41"], balance_classes=True)
    assert ours.classes == tuple(map(str, range(classes)))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr"])
@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_every_format_is_taken_and_left_as_it_is(kind, make):
    given = make(matrix().toarray()).asformat(kind)
    before = given.copy()
    assert_same_model(given, before.toarray())
    assert type(given) is type(before)
    assert (given != before).nnz == 0


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint64, np.bool_])
def test_numbers_of_every_type_are_taken(dtype):
    rows = sparse.csr_array((10 * np.abs(matrix(density=0.3).toarray()[:, :40])).astype(dtype))
    rows = sparse.hstack([rows, sparse.csr_array(np.arange(120)[:, None] % 5)]).tocsr()
    assert_same_model(rows, rows.toarray().astype(np.float64))


def test_entries_in_any_order_some_twice_and_some_zero_count_as_they_do_for_scipy():
    rows = matrix().tocoo()
    order = np.random.default_rng(0).permutation(rows.nnz)
    data, row, column = (np.concatenate([part[order], part[order[:50]]]) for part in (rows.data, *rows.coords))
    data[:20] = 0
    starts = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=120))))
    by_row = np.argsort(row, kind="stable")
    untidy = sparse.csr_matrix((data[by_row], column[by_row], starts), shape=rows.shape)
    stored = untidy.data.copy()
    assert_same_model(untidy, untidy.toarray())
    np.testing.assert_array_equal(untidy.data, stored)


def test_arrays_that_may_not_be_written_are_read():
    rows = matrix()
    for array in (rows.data, rows.indices, rows.indptr):
        array.flags.writeable = False
    assert_same_model(rows, rows.toarray())


@pytest.mark.parametrize("handling", ["MeanImputation", "Skip"])
def test_missing_numbers_are_entries(handling):
    rows = matrix(density=0.4)
    rows.data[np.flatnonzero(rows.indices == 5)[::2]] = np.nan
    rows.data[np.flatnonzero(rows.indices == 8)[:3]] = np.nan
    settings = {"missing_values_handling": handling, "sparse_from": 0.65}
    if handling == "Skip":
        settings["ignored_columns"] = ["C6"]
    assert_same_model(rows, rows.toarray(), **settings)


def test_columns_with_many_numbers_are_centred_as_in_a_table():
    rows = matrix()
    ages = np.random.default_rng(1).normal(40, 10, (120, 2))
    mixed = sparse.hstack([ages, rows]).tocsr()
    ours, _ = assert_same_model(mixed, mixed.toarray())
    assert (np.flatnonzero(ours.encoder.subtrahend) == [0, 1]).all()


def test_columns_without_another_value_are_left_out():
    rows = matrix()
    full = sparse.hstack([sparse.csr_array((120, 3)), np.full((120, 1), 7.0), rows]).tocsr()
    with pytest.warns(UserWarning, match=r"constant or missing in all rows: 'C1', 'C2', 'C3', 'C4'\.$"):
        ours, _ = assert_same_model(full, full.toarray())
    assert ours.encoder.predictors == tuple(f"C{i}" for i in range(5, 45))


def test_validation_rows_may_be_of_the_other_kind():
    rows, other = matrix(), matrix(seed=2)
    models = [
        h2olite.deeplearning(training_frame=training, validation_frame=validation, **SMALL)
        for training in (rows, rows.toarray())
        for validation in (other, other.toarray())
    ]
    assert len({str(model.validation_metrics.to_json()) for model in models}) == 1


def test_rows_with_fewer_columns_are_predicted_as_if_the_others_were_missing():
    rows = matrix()
    model = h2olite.deeplearning(training_frame=rows, **SMALL)
    with pytest.warns(UserWarning, match="lacks 20 predictors, treated as missing"):
        ours, same = (model.predict(frame) for frame in (rows[:, :20], rows[:, :20].toarray()))
    np.testing.assert_array_equal(ours, same)


def test_a_model_of_a_sparse_matrix_is_explained_saved_and_trained_on(tmp_path):
    rows = matrix()
    settings = SMALL | {"reproducible": False, "nthreads": 1}
    model = h2olite.deeplearning(training_frame=rows, **settings)
    loaded = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    dense = rows.toarray()
    assert model.permutation_importance(rows, seed=1) == model.permutation_importance(dense, seed=1)
    for ours, same in zip(*(model.partial_plot(frame, cols=["C2"]) for frame in (rows, dense)), strict=True):
        np.testing.assert_array_equal(ours, same)
    np.testing.assert_array_equal(model.deepfeatures(rows, 0), model.deepfeatures(dense, 0))
    further = [h2olite.deeplearning(training_frame=of, checkpoint=model, epochs=5) for of in (rows, dense)]
    assert further[0].training_metrics.to_json() == further[1].training_metrics.to_json()


def test_anomalies_of_sparse_rows_are_those_of_their_table():
    rows = matrix()
    model = h2olite.deeplearning(training_frame=rows, autoencoder=True, **SMALL)
    for per_feature in (False, True):
        ours, same = (model.anomaly(frame, per_feature=per_feature) for frame in (rows, rows.toarray()))
        np.testing.assert_array_equal(ours, same)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (matrix().astype(np.complex128), r"^training_frame must be a matrix of real numbers .* of complex128"),
        (sparse.csr_array((5, 0)), r"^training_frame must be a matrix .* with a column or more; .* shape \(5, 0\)\.$"),
        (
            matrix() * np.inf,
            r"^column 'C\d+' of training_frame must hold finite numbers of moderate size; got -?inf in ",
        ),
        (matrix() * 1e300, r"^(column|response) 'C\d+' of training_frame must hold finite numbers of moderate size; "),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_matrices_that_cannot_be_learnt_from_are_refused(rows, message):
    with pytest.raises(DataError, match=message):
        h2olite.deeplearning(training_frame=rows, **SMALL)


def test_a_matrix_too_large_for_memory_is_refused():
    with pytest.raises(LackOfMemoryError, match=r"^training_frame needs about 8\d+\.\d GB of memory; "):
        h2olite.deeplearning(training_frame=sparse.coo_array((10**11, 10**6)), **SMALL)


def test_reading_and_encoding_take_no_more_than_twice_the_matrix():
    rows = sparse.random_array((40_000, 3_000), density=0.01, format="csr", random_state=np.random.default_rng(0))
    size = rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes
    rows.has_canonical_format  # noqa: B018 - SciPy remembers it
    tracemalloc.start()
    try:
        table = as_table(rows)
        encoded = RowEncoder.fit(table, table.names, sparse_from=0.5).encode_rows(table)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert encoded.entries.size == rows.nnz
    assert peak < 2 * size


def test_other_numbers_have_another_fingerprint():
    rows = matrix()
    other, moved = rows.copy(), rows.copy()
    other.data[3] += 1
    moved.indices[rows.indptr[1] - 1] = 40 if rows.indices[rows.indptr[1] - 1] != 40 else 39
    prints = [as_table(of).fingerprint for of in (rows, rows.copy(), other, rows[::-1])]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
