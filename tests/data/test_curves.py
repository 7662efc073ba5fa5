"""Numbers that are bent before the network sees them: robustly, by their ranks, or piecewise linearly."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import h2olite
from h2olite.data.curves import CLIP, HAT, N_BINS, SPREAD, Distinct, PiecewiseLinear
from h2olite.data.encoding import RowEncoder
from h2olite.data.frames import as_table
from h2olite.data.table import Column, Table
from h2olite.errors import DataError
from h2olite.settings.parameters import Parameters

BENT = ("Robust", "Quantile", "PiecewiseLinear")
NUMBERS = st.lists(st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 1.0, -0.0]), min_size=2, max_size=80)


def table(**columns):
    values = {name: Column(np.array(own, np.float64)) for name, own in columns.items()}
    return Table("train.csv", values, len(next(iter(values.values())).values), lambda row: f"line {row + 2}")


def fitted(training, encoding, **options):
    return RowEncoder.fit(training, training.names, numeric_encoding=encoding, **options)


def encoded(encoder, rows, precision=np.float64):
    return encoder.encode(rows, precision=precision)[1]


def test_robust_numbers_have_median_0_and_quartiles_like_a_normal_distribution_and_are_clipped_smoothly():
    x = np.append(np.random.default_rng(0).normal(50, 4, 999), 1e9)
    z = encoded(fitted(table(x=x), "Robust"), table(x=x)).ravel()
    low, median, high = np.quantile(z, (0.25, 0.5, 0.75))
    assert abs(median) < 0.01
    # z / sqrt(1 + (z / 3)^2) at the quartiles 0.6745 of a standard normal distribution
    bent = 0.6745 / np.sqrt(1 + (0.6745 / 3) ** 2)
    assert (low, high) == pytest.approx((-bent, bent), abs=0.06)
    assert 2.99 < z.max() <= CLIP
    assert np.array_equal(np.argsort(z), np.argsort(x))


def test_quantile_numbers_are_the_normal_quantiles_of_their_ranks():
    x = np.exp(np.random.default_rng(0).normal(size=2001))
    z = np.sort(encoded(fitted(table(x=x), "Quantile"), table(x=x)).ravel())
    assert z.mean() == pytest.approx(0, abs=0.01)
    assert np.quantile(z, (0.1, 0.9)) == pytest.approx((-1.2816, 1.2816), abs=0.02)
    beyond = encoded(fitted(table(x=x), "Quantile"), table(x=[-1e30, 1e30])).ravel()
    assert beyond == pytest.approx((z[0], z[-1]))


@given(NUMBERS, NUMBERS, st.sampled_from([0.05, 0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_hats_interpolate_and_the_position_goes_evenly_from_knot_to_knot(training, other, sparse_from):
    encoder = fitted(table(x=training), "PiecewiseLinear", sparse_from=sparse_from)
    curves = encoder.curves
    if not curves.bent[0]:
        assert len(set(training)) == 1
        return
    knots, origin = curves.knots[0], curves.origin[0]
    assert knots.size <= N_BINS + 2
    assert {min(training), max(training)} <= {*knots.tolist()}
    inputs = encoded(encoder, table(x=other))
    bounded = np.clip(other, knots[0], knots[-1])
    hats = np.delete(np.arange(knots.size), origin) if origin >= 0 else np.arange(knots.size)
    steps = 2 * SPREAD / (knots.size - 1)
    expected = [
        *(HAT * np.interp(bounded, knots, np.arange(knots.size) == k) for k in hats),
        steps * np.interp(bounded, knots, np.arange(knots.size)) - (steps * origin if origin >= 0 else SPREAD),
    ]
    np.testing.assert_allclose(inputs, np.array(expected).T, atol=1e-9)
    if origin >= 0:
        assert knots[origin] == 0
        assert not encoded(encoder, table(x=[0.0])).any()


def test_knots_of_a_column_of_mostly_zeros_divide_the_other_numbers():
    random = np.random.default_rng(0)
    x = np.where(random.random(5000) < 0.9, 0.0, random.lognormal(size=5000))
    knots = Distinct.of(x, np.ones(x.size)).knots(N_BINS)
    assert knots.size == N_BINS + 1
    assert np.count_nonzero(knots == 0) == 1
    shares = np.histogram(x[x > 0], knots)[0] / np.count_nonzero(x)
    assert shares.max() < 2 / N_BINS


def test_small_tables_have_fewer_knots():
    sizes = {
        n: fitted(table(x=np.arange(float(n))), "PiecewiseLinear").curves.knots[0].size for n in (20, 100, 256, 999)
    }
    assert sizes == {20: 3, 100: 7, 256: 17, 999: 17}
    weighted = np.where(np.arange(999) < 100, 1.0, 0.0)
    few = fitted(table(x=np.arange(999.0)), "PiecewiseLinear", weights=weighted)
    assert few.curves.knots[0].size == 7


def test_rows_without_weight_make_no_knots_and_repeated_rows_count_like_weights():
    x, w = np.arange(100.0) ** 2, np.tile([1.0, 3.0, 0.0, 1.0], 25)
    weighted = Distinct.of(x, w).knots(7)
    repeated = Distinct.of(np.repeat(x, w.astype(int)), np.ones(int(w.sum()))).knots(7)
    np.testing.assert_array_equal(weighted, repeated)
    assert not set(weighted) & set(x[w == 0])


def test_a_missing_number_has_an_input_of_its_own_only_where_training_had_one():
    training = table(x=[1.0, 2, 3, np.nan], y=[1.0, 2, 3, 3])
    encoder = fitted(training, "PiecewiseLinear")
    assert encoder.input_names == ("x(1)", "x(2)", "x(3)", "x", "x.missing(NA)", "y(1)", "y(2)", "y(3)", "y")
    inputs = encoded(encoder, table(x=[np.nan], y=[np.nan]))[0]
    np.testing.assert_array_equal(inputs[:5], [0, 0, 0, 0, 1])
    np.testing.assert_allclose(inputs[5:], [0, 0.75 * HAT, 0.25 * HAT, 0.25 * SPREAD])  # the mean, 2.25
    untrained = fitted(training, "PiecewiseLinear", rows=np.array([0, 1, 2]))
    assert "x.missing(NA)" not in untrained.input_names


@pytest.mark.parametrize("encoding", BENT)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_numbers_are_refused_though_they_could_be_bounded(encoding, value):
    encoder = fitted(table(x=[1.0, 2, 3, 5]), encoding)
    with pytest.raises(DataError, match=r"column 'x' of train.csv must hold finite numbers .* got -?inf in line 3"):
        encoder.encode(table(x=[1.0, value]))


@pytest.mark.parametrize("encoding", BENT)
def test_rows_are_encoded_alike_one_by_one_together_and_from_a_sparse_matrix(encoding):
    random = np.random.default_rng(3)
    dense = np.where(random.random((400, 6)) < 0.3, random.normal(size=(400, 6)).round(2), 0.0)
    dense[5, 2] = np.nan
    names = [f"C{j + 1}" for j in range(6)]
    as_columns, as_matrix = as_table(pd.DataFrame(dense, columns=names)), as_table(sparse.csr_array(dense))
    ours, theirs = (fitted(of, encoding, sparse_from=0.5) for of in (as_columns, as_matrix))
    assert ours.input_names == theirs.input_names
    for precision in (np.float32, np.float64):
        inputs = encoded(ours, as_columns, precision)
        assert inputs.dtype == precision
        np.testing.assert_array_equal(inputs, encoded(theirs, as_matrix, precision))
        again = [encoded(ours, as_columns.take(np.array([row])), precision)[0] for row in range(400)]
        np.testing.assert_array_equal(inputs, np.array(again))
    rows = theirs.encode_rows(as_matrix)
    per_cell = 3 if encoding == "PiecewiseLinear" else 1
    assert rows.is_sparse
    assert rows.entries.size <= per_cell * np.count_nonzero(dense)


@pytest.mark.parametrize("encoding", BENT)
def test_single_cells_become_what_cells_of_a_table_do(encoding):
    random = np.random.default_rng(4)
    training = table(x=random.normal(size=90), z=np.where(random.random(90) < 0.8, 0, random.normal(size=90)))
    encoder = fitted(training, encoding, sparse_from=0.5)
    values = np.array([-1e200, -1.0, -0.0, 0.0, 1e-300, 0.3, 7.0, 1e200, *training["z"].values])
    inputs = encoded(encoder, table(x=values, z=values))
    for j in range(2):
        own = slice(*encoder.number_starts[j : j + 2])
        scaled = (values - encoder.subtrahend[j]) * encoder.multiplier[j]
        cells = [encoder.curves.inputs_of(j, *cell) for cell in zip(scaled.tolist(), values.tolist(), strict=True)]
        np.testing.assert_array_equal(inputs[:, own], np.array(cells))


@pytest.mark.parametrize("encoding", BENT)
def test_an_encoder_is_what_its_json_says_and_keeps_the_inputs_of_selected_columns(encoding):
    training = table(x=[1.0, 2, 3, 4, np.nan], constant=[7.0] * 5, y=[0.0, 0, 0, 5, 2])
    encoder = fitted(training, encoding, sparse_from=0.5)
    again = RowEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    np.testing.assert_array_equal(encoded(again, training), encoded(encoder, training))
    selected = encoder.select({"y", "constant"})
    names = encoder.input_names
    kept = [i for i, name in enumerate(names) if not name.startswith("x")]
    assert selected.input_names == tuple(names[i] for i in kept)
    np.testing.assert_array_equal(encoded(selected, training), encoded(encoder, training)[:, kept])


def steps(n_rows=1200, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": random.uniform(-1, 1, n_rows), "b": random.standard_cauchy(n_rows)})
    frame["y"] = np.sign(np.sin(9 * frame["a"])) + np.tanh(frame["b"]) + random.normal(0, 0.1, n_rows)
    return frame


GIVEN = {"hidden": [32, 32], "epochs": 40, "seed": 1, "reproducible": True}


@pytest.mark.proves("numeric_encoding")
def test_steps_and_outliers_are_learnt_better_by_bent_numbers():
    train, test = steps(), steps(seed=1)
    losses = {
        encoding: h2olite.deeplearning(training_frame=train, numeric_encoding=encoding, **GIVEN)
        .model_performance(test)
        .rmse()
        for encoding in ("Standardize", *BENT)
    }
    assert losses["PiecewiseLinear"] < 0.7 * losses["Standardize"]
    assert max(losses["Robust"], losses["Quantile"]) < 0.9 * losses["Standardize"]


def test_predictions_do_not_leave_the_training_range_with_their_columns():
    train = steps()
    model = h2olite.deeplearning(training_frame=train, numeric_encoding="PiecewiseLinear", **GIVEN)
    ends = pd.DataFrame({"a": [1.0, train["a"].max()], "b": [1e12, train["b"].max()]})
    at_end, beyond = model.predict(ends.iloc[[1, 0]].assign(a=[train["a"].max(), 50.0]))["predict"]
    assert beyond == at_end


def test_importances_are_told_by_column_and_by_input():
    train = steps().assign(noise=np.random.default_rng(5).normal(size=1200))[["a", "b", "noise", "y"]]
    model = h2olite.deeplearning(training_frame=train, numeric_encoding="PiecewiseLinear", **GIVEN)
    shares = {row[0]: row[3] for row in model.varimp(by_column=True)}
    assert shares.keys() == {"a", "b", "noise"}
    assert shares["noise"] < min(shares["a"], shares["b"])
    assert len(model.varimp()) == model.encoder.n_inputs


def test_group_penalties_count_and_remove_whole_columns():
    train = steps().assign(noise=np.random.default_rng(5).normal(size=1200))[["a", "b", "noise", "y"]]
    model = h2olite.deeplearning(training_frame=train, numeric_encoding="PiecewiseLinear", input_group_l1=0.01, **GIVEN)
    assert model.record.unused == ["noise"]
    assert model.predict(train.drop(columns="noise")).equals(model.predict(train))


def test_folds_and_checkpoints_keep_to_the_encoding(tmp_path):
    train = steps()
    given = GIVEN | {"numeric_encoding": "PiecewiseLinear", "epochs": 4}
    folds = h2olite.deeplearning(training_frame=train, nfolds=3, **given)
    assert folds.model_performance(xval=True).rmse() < train["y"].std()
    whole = h2olite.deeplearning(training_frame=train, keep_state=True, **given)
    part = h2olite.load_model(whole.save(tmp_path / "m.h2olite"))
    longer = h2olite.deeplearning(training_frame=train, checkpoint=part, epochs=6)
    assert longer.parameters.numeric_encoding == "PiecewiseLinear"
    with pytest.raises(h2olite.ParameterError, match="numeric_encoding must be as in the checkpoint"):
        h2olite.deeplearning(training_frame=train, checkpoint=part, epochs=6, numeric_encoding="Robust")


@pytest.mark.parametrize("encoding", BENT)
def test_a_sparse_matrix_trains_and_predicts_as_the_same_columns_with_their_zeros(encoding):
    random = np.random.default_rng(6)
    dense = np.where(random.random((300, 5)) < 0.2, random.normal(size=(300, 5)).round(1), 0.0)
    dense[:, 4] = dense[:, 0] + random.normal(0, 0.1, 300)
    given = {
        "hidden": [8],
        "epochs": 3,
        "seed": 1,
        "reproducible": True,
        "numeric_encoding": encoding,
        "sparse_from": 0.5,
    }
    names = [f"C{j + 1}" for j in range(5)]
    frames = sparse.csr_array(dense), pd.DataFrame(dense, columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (
            h2olite.deeplearning(training_frame=frame, y="C5", **given).predict(frame)["predict"] for frame in frames
        )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_the_declared_choices_are_those_that_there_are_curves_for():
    from h2olite.data.curves import KINDS
    from h2olite.settings.parameters import declared

    assert set(declared()["numeric_encoding"].choices) == {"Standardize", *KINDS}
    assert Parameters().numeric_encoding == "Standardize"
    assert KINDS["PiecewiseLinear"] is PiecewiseLinear
