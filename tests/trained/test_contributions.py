"""Contributions add up to predictions, and divide them as Shapley values do."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import DataError, ParameterError
from h2olite.kinds.distributions import DISTRIBUTIONS, OF_NUMBERS

DATASETS = Path(__file__).parents[2] / "datasets"
PENGUINS = pd.read_csv(DATASETS / "penguins.csv")
RESPONSES = {
    "iris": "species",
    "penguins": "species",
    "wine": None,
    "diabetes": None,
    "breast_cancer": None,
}


def train(frame, y, **settings):
    given = {"hidden": [8, 6], "epochs": 10, "seed": 1, "reproducible": True}
    return h2olite.deeplearning(y=y, training_frame=frame, **given | settings)


def predictions_of(model, contributions):
    """What contributions of columns add up to, as probabilities or numbers, (n_rows, n_outputs)."""
    if model.category == "Regression":
        linear = contributions.sum(axis=1).to_numpy()[:, None]
        return np.exp(linear) if DISTRIBUTIONS[model.parameters.distribution].link == "log" else linear
    if model.category == "Binomial":
        return 1 / (1 + np.exp(-contributions.sum(axis=1).to_numpy()[:, None]))
    sums = [contributions[[n for n in contributions if n.endswith(f".{level}")]].sum(axis=1) for level in model.classes]
    exponentials = np.exp(np.column_stack(sums))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def expected(model, frame):
    """The predictions to compare with those."""
    columns = model.predict(frame)
    probabilities = columns.drop(columns="predict").to_numpy()
    if model.category == "Regression":
        return columns[["predict"]].to_numpy()
    return probabilities[:, 1:] if model.category == "Binomial" else probabilities


def assert_adds_up(model, frame, background, **options):
    got = predictions_of(model, model.predict_contributions(frame, background, **options))
    wanted = expected(model, frame)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("name", RESPONSES)
def test_contributions_add_up_on_the_datasets(name):
    frame = pd.read_csv(DATASETS / f"{name}.csv")
    y = RESPONSES[name] or frame.columns[-1]
    assert_adds_up(train(frame, y), frame.head(50), frame.tail(20))


@pytest.mark.parametrize("y", ["species", "sex", "body_mass_g"])
@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "Tanh"},
        {"activation": "Maxout"},
        {"activation": "ExpRectifier"},
        {"activation": "RectifierWithDropout", "input_dropout_ratio": 0.1},
        {"hidden": []},
        {"hidden": [5]},
        {"categorical_encoding": "Eigen"},
        {"categorical_encoding": "Binary"},
        {"categorical_encoding": "EnumLimited"},
        {"max_categorical_features": 3},
        {"numeric_encoding": "PiecewiseLinear"},
        {"ensemble": 2, "holdout_share": 0.2},
        {"standardize": False, "hidden": [4], "epochs": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("output_format", ["compact", "original"])
def test_contributions_add_up_with_every_activation_and_encoding(settings, y, output_format):
    frame = PENGUINS.dropna(subset=[y])
    if settings.get("standardize") is False and y != "body_mass_g":
        pytest.skip("numbers that are not standardised make probabilities of 0 and 1")
    assert_adds_up(train(frame, y, **settings), frame.head(60), frame.tail(9), output_format=output_format)


@pytest.mark.parametrize("distribution", OF_NUMBERS)
def test_contributions_add_up_with_every_distribution_and_offsets(distribution):
    frame = PENGUINS.dropna(subset=["body_mass_g"]).assign(body_mass_g=lambda f: f.body_mass_g / 4000)
    frame["o"] = np.linspace(-0.1, 0.1, len(frame))
    model = train(frame, "body_mass_g", distribution=distribution, offset_column="o")
    assert_adds_up(model, frame.head(60), frame.tail(9))
    values = model.predict_contributions(frame.head(5), frame.tail(9))
    np.testing.assert_allclose(values["o"], frame["o"].head(5).to_numpy() - frame["o"].tail(9).mean())


def test_corrections_of_balanced_classes_belong_to_the_bias():
    frame = PENGUINS.dropna(subset=["sex"])
    rare = pd.concat([frame[frame.sex == "MALE"], frame[frame.sex != "MALE"].head(30)])
    assert_adds_up(train(rare, "sex", balance_classes=True), rare, rare.head(7))


def test_a_mojo_has_contributions_that_add_up(tmp_path):
    frame = PENGUINS.dropna(subset=["sex"])
    train(frame, "sex").download_mojo(tmp_path / "m.zip")
    assert_adds_up(h2olite.import_mojo(tmp_path / "m.zip"), frame, frame.head(7))


@pytest.mark.parametrize("y", ["sex", "body_mass_g"])
def test_on_the_scale_of_the_response_they_add_up_to_the_prediction_itself(y):
    frame = PENGUINS.dropna(subset=[y])
    model = train(frame, y, **({"distribution": "gamma"} if y == "body_mass_g" else {}))
    sums = model.predict_contributions(frame, frame.head(9), output_space=True).sum(axis=1)
    np.testing.assert_allclose(sums, expected(model, frame)[:, -1], rtol=1e-5)


def test_contributions_are_the_means_over_background_rows():
    frame = PENGUINS.dropna(subset=["sex"])
    model = train(frame, "sex")
    pairs = model.predict_contributions(frame.head(4), frame.tail(6), output_per_reference=True)
    assert len(pairs) == 24
    means = pairs.groupby("RowIdx").mean().drop(columns="BackgroundRowIdx")
    np.testing.assert_allclose(means, model.predict_contributions(frame.head(4), frame.tail(6)), atol=1e-12)
    alone = model.predict_contributions(frame.head(4), frame.tail(6).iloc[[2]])
    np.testing.assert_allclose(pairs[pairs.BackgroundRowIdx == 2].iloc[:, 2:], alone, atol=1e-12)


def exact_shapley(model, row, reference, columns, linear=lambda predicted: predicted[0]):
    """Shapley values by all coalitions: of columns in a coalition the row's values, of others the reference's.

    linear : from the columns of a prediction to what is divided.
    """

    def margin(coalition):
        mixed = {name: row[name] if name in coalition else reference[name] for name in columns}
        return linear(model.predict(pd.DataFrame([mixed])).iloc[0].tolist())

    values, n = dict.fromkeys(columns, 0.0), len(columns)
    for name in columns:
        others = [other for other in columns if other != name]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for coalition in itertools.combinations(others, size):
                values[name] += weight * (margin({*coalition, name}) - margin(coalition))
    return values


@pytest.mark.parametrize(
    ("hidden", "activation", "share"), [([], "Tanh", 1e-4), ([10], "Tanh", 0.2), ([6, 4], "Maxout", 0.3)]
)
def test_contributions_are_near_the_exact_shapley_values(hidden, activation, share):
    frame = PENGUINS.dropna().reset_index(drop=True)
    columns = ["island", "culmen_length_mm", "culmen_depth_mm", "flipper_length_mm"]
    model = train(frame, "body_mass_g", x=columns, hidden=hidden, activation=activation)
    for i, j in [(3, 200), (150, 7)]:
        got = model.predict_contributions(frame.iloc[[i]], frame.iloc[[j]]).iloc[0]
        wanted = exact_shapley(model, frame.iloc[i], frame.iloc[j], columns)
        largest = max(map(abs, wanted.values()))
        for name in columns:
            assert got[name] == pytest.approx(wanted[name], abs=share * largest)


@pytest.mark.parametrize("activation", ["Rectifier", "Tanh", "Maxout", "ExpRectifier"])
@pytest.mark.parametrize("y", ["body_mass_g", "sex"])
def test_exact_contributions_are_the_shapley_values_of_the_predictions(y, activation):
    frame = PENGUINS.dropna().reset_index(drop=True)
    columns = ["island", "species", "culmen_length_mm", "flipper_length_mm"]
    model = train(frame, y, x=columns, activation=activation)
    space = {} if y == "body_mass_g" else {"linear": lambda row: np.log(row[-1] / row[-2])}
    for i, j in [(3, 200), (150, 7)]:
        got = model.predict_contributions(frame.iloc[[i]], frame.iloc[[j]], method="exact").iloc[0]
        wanted = exact_shapley(model, frame.iloc[i], frame.iloc[j], columns, **space)
        assert got[columns].to_numpy() == pytest.approx(
            np.array([wanted[name] for name in columns]), rel=1e-3, abs=1e-3
        )


EIGHT = {"wine": 8, "diabetes": 8, "breast_cancer": 8}


@pytest.mark.parametrize("name", EIGHT)
@pytest.mark.parametrize("activation", ["Rectifier", "Tanh", "Maxout"])
def test_contributions_of_eight_columns_are_near_the_exact_ones(name, activation):
    frame = pd.read_csv(DATASETS / f"{name}.csv")
    y = frame.columns[-1]
    model = train(frame, y, x=list(frame.columns[:8]), activation=activation, hidden=[20, 20])
    fast, exact = (model.predict_contributions(frame.head(100), method=method) for method in ("DeepSHAP", "exact"))
    names = [column for column in exact if not column.startswith("BiasTerm")]
    difference = np.abs(fast[names] - exact[names]).to_numpy().mean() / np.abs(exact[names]).to_numpy().mean()
    assert difference < 0.25  # the rescale rule is no Shapley value; see docs/explaining.md for how far it is


def test_random_orders_come_nearer_to_the_exact_values_the_more_there_are():
    frame = PENGUINS.dropna()
    model = train(frame, "species")
    rows = frame.head(20)
    exact = model.predict_contributions(rows, method="exact")
    few, many = (
        np.abs(model.predict_contributions(rows, method="permutation", n_permutations=n, seed=1) - exact).to_numpy()
        for n in (1, 100)
    )
    assert many.mean() < 0.3 * few.mean()
    again = model.predict_contributions(rows, method="Permutation", n_permutations=100, seed=1)
    assert np.abs(again - exact).to_numpy() == pytest.approx(many)


@pytest.mark.parametrize("method", ["permutation", "exact"])
@pytest.mark.parametrize(
    ("y", "settings"),
    [
        ("species", {"hidden": []}),
        ("sex", {"activation": "Maxout", "hidden": [5]}),
        ("body_mass_g", {"categorical_encoding": "Eigen", "activation": "TanhWithDropout"}),
        ("sex", {"max_categorical_features": 3}),
        ("species", {"ensemble": 2, "holdout_share": 0.2, "numeric_encoding": "PiecewiseLinear"}),
    ],
    ids=str,
)
def test_contributions_of_other_methods_add_up(method, y, settings):
    frame = PENGUINS.dropna(subset=[y])
    model = train(frame, y, **settings)
    assert_adds_up(model, frame.head(30), frame.tail(9), method=method)
    if method == "permutation":
        assert_adds_up(model, frame.head(10), frame.tail(9), method=method, output_format="original")


def test_methods_are_for_so_many_columns():
    cancer = pd.read_csv(DATASETS / "breast_cancer.csv")
    model = train(cancer, cancer.columns[-1])
    with pytest.raises(DataError, match="method exact is for at most 12 columns or inputs; got 30; use DeepSHAP"):
        model.predict_contributions(cancer, method="exact")
    with pytest.raises(ParameterError, match="method must be one of DeepSHAP, permutation, exact; got 'kernel'"):
        model.predict_contributions(cancer, method="kernel")
    for n_permutations in (0, 2.5, 10**9):
        said = f"n_permutations must be a whole number from 1 to 22222 with 30 columns or inputs; got {n_permutations}"
        with pytest.raises(ParameterError, match=said):
            model.predict_contributions(cancer, method="permutation", n_permutations=n_permutations)


def test_two_linear_pieces_are_divided_by_hand():
    frame = pd.DataFrame({"a": [0.0, 2.0, 1.0, 1.0], "b": [0.0, 1.0, 3.0, 2.0], "y": [0.0, 1.0, 2.0, 3.0]})
    model = train(
        frame,
        "y",
        hidden=[1],
        activation="Rectifier",
        epochs=0,
        standardize=False,
        averaging_window=0,
        initial_weights=[pd.DataFrame([[1.0, -1.0]], columns=["a", "b"]), pd.DataFrame([[2.0]])],
        initial_biases=[pd.DataFrame([[0.5]]), pd.DataFrame([[0.0]])],
    )
    # z is 0.5 + 2 - 1 = 1.5 against 0.5 + 1 - 3 = -1.5; the unit is 1.5 against 0, so the ratio is 1.5 / 3.
    got = model.predict_contributions(frame.iloc[[1]], frame.iloc[[2]]).iloc[0]
    scale = got.sum() - got["BiasTerm"]
    assert got["a"] / scale == pytest.approx(1 / 3)
    assert got["b"] / scale == pytest.approx(2 / 3)


def test_sparse_rows_have_the_contributions_of_dense_ones():
    sparse = pytest.importorskip("scipy.sparse")
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 12)) * (random.random((60, 12)) < 0.3)
    x[:, -1] = x[:, 0] * x[:, 1] + x[:, 2]
    model = train(sparse.csr_array(x), 11)
    got = model.predict_contributions(sparse.csr_array(x), sparse.csr_array(x[:9]))
    np.testing.assert_allclose(got, model.predict_contributions(x, x[:9]), atol=1e-9)


def test_what_has_no_contributions_is_refused_with_a_way_out():
    model = train(PENGUINS, "species")
    with pytest.raises(ParameterError, match='output_format must be "compact" or "original"; got \'long\''):
        model.predict_contributions(PENGUINS, PENGUINS, output_format="long")
    with pytest.raises(DataError, match="background_frame must have a row or more to compare with"):
        model.predict_contributions(PENGUINS, PENGUINS.head(0))
    with pytest.raises(DataError, match=r"are for two classes; .* has 3; leave output_space"):
        model.predict_contributions(PENGUINS, PENGUINS, output_space=True)
    usual = h2olite.deeplearning(training_frame=PENGUINS, autoencoder=True, hidden=[3], epochs=1)
    with pytest.raises(DataError, match="is an autoencoder; use anomaly"):
        usual.predict_contributions(PENGUINS, PENGUINS)
    assert model.predict_contributions(PENGUINS.head(0), PENGUINS.head(3)).shape == (0, 21)
