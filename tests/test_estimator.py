"""What is learnt from what: frames, columns and their types, through the public door."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import h2olite
from h2olite.data.frames import as_table
from h2olite.errors import DataError

SMALL = {"hidden": [4], "epochs": 2, "seed": 1, "reproducible": True}


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": random.normal(50, 20, 60).round(3),
            "code": random.integers(1, 4, 60).astype(float),
            "colour": random.choice(["red", "green", "blue"], 60),
            "same": 1.0,
            "price": random.normal(size=60).round(3),
        }
    )


def train(frame, **given):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *arguments, **options: None)  # of the constant column
        return h2olite.deeplearning(training_frame=frame, **SMALL | given)


def encoded(model, frame):
    """The numbers that the network sees of the rows."""
    return model.encoder.encode(as_table(frame))[1]


@pytest.mark.proves("training_frame")
def test_a_table_teaches_the_same_whatever_holds_it(frame, tmp_path):
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    forms = [pa.Table.from_pandas(frame), pl.from_pandas(frame), dict(frame.items()), path, str(path)]
    expected = train(frame).predict(frame)
    for form in forms:
        pd.testing.assert_frame_equal(train(form).predict(form), expected)
    assert not train(frame[:30]).predict(frame).equals(expected)


@pytest.mark.proves("x", "ignored_columns")
@pytest.mark.parametrize(
    "given", [{"x": ["size", "code"]}, {"x": [1, 0]}, {"ignored_columns": ["colour"]}, {"x": ["code", "size", "price"]}]
)
def test_predictors_are_those_named_or_not_ignored(frame, given):
    assert train(frame, **given).encoder.predictors == ("size", "code")


@pytest.mark.proves("y")
@pytest.mark.parametrize(
    ("y", "name", "category"),
    [(None, "price", "Regression"), ("colour", "colour", "Multinomial"), (1, "code", "Regression")],
)
def test_the_response_is_the_column_named_or_the_last_one(frame, y, name, category):
    model = train(frame, y=y)
    assert (model.response.name, model.category) == (name, category)
    assert name not in model.encoder.predictors


@pytest.mark.proves("ignore_const_cols")
def test_constant_columns_are_left_out_unless_asked_for(frame):
    assert "same" not in train(frame).encoder.predictors
    assert "same" in train(frame, ignore_const_cols=False).encoder.predictors


def test_columns_left_out_are_told(frame):
    with pytest.warns(UserWarning, match="'same'"):
        h2olite.deeplearning(training_frame=frame, **SMALL)


@pytest.mark.proves("factors")
def test_factors_are_learnt_by_level(frame):
    assert train(frame).encoder.n_inputs == 2 + 4
    model = train(frame, factors=["code"])
    assert {"code.1", "code.2", "code.3", "code.missing(NA)"} <= set(model.encoder.input_names)
    assert train(frame, y="code", factors=["code"]).category == "Multinomial"


@pytest.mark.proves("numeric")
def test_numeric_columns_are_learnt_as_numbers_or_refused(frame):
    spelt = frame.assign(size=frame["size"].astype(str))
    assert train(spelt).encoder.numeric == ("code",)
    model = train(spelt, numeric=["size"])
    pd.testing.assert_frame_equal(model.predict(spelt), train(frame).predict(frame))
    with pytest.raises(DataError, match="column 'colour' of training_frame: 60 values are not numbers"):
        train(frame, numeric=["colour"])


@pytest.mark.proves("use_all_factor_levels")
def test_the_first_level_has_an_input_only_if_all_do(frame):
    assert "colour.blue" in train(frame).encoder.input_names
    assert "colour.blue" not in train(frame, use_all_factor_levels=False).encoder.input_names


@pytest.mark.proves("standardize")
def test_standardised_numbers_have_mean_0_and_deviation_1_and_others_are_as_they_were(frame):
    numbers = encoded(train(frame), frame)
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(numbers.std(axis=0, ddof=1), 1, rtol=1e-5)
    raw = encoded(train(frame, standardize=False), frame)
    np.testing.assert_array_equal(raw, frame[["size", "code"]].to_numpy(np.float32))


@pytest.mark.proves("sparse")
def test_sparse_numbers_are_scaled_and_zero_stays_zero(frame):
    thin = frame.assign(size=frame["size"].where(frame.index % 3 == 0, 0.0))
    numbers = encoded(train(thin, sparse=True), thin)[:, 0]
    np.testing.assert_allclose(numbers, thin["size"] / thin["size"].std(), rtol=1e-5)
    assert (numbers == 0).sum() == 40


@pytest.mark.proves("distribution", "loss")
@pytest.mark.parametrize("given", [{"distribution": "multinomial"}, {"loss": "CrossEntropy"}])
def test_whole_numbers_are_classes_for_a_loss_of_classes_and_others_are_refused(frame, given):
    assert train(frame, y="code", **given).response.levels == ("1", "2", "3")
    assert train(frame, y="code", nfolds=2, **given).category == "Multinomial"
    with pytest.raises(h2olite.ParameterError, match="needs a categorical response and price is numeric"):
        train(frame, y="price", **given)


def test_all_faults_come_in_one_error_before_the_table_is_read():
    message = "l1 must be >= 0; got -1. stopping_metric custom needs custom_metric_func"
    with pytest.raises(h2olite.ParameterError, match=message):
        h2olite.deeplearning(training_frame="missing.csv", l1=-1, stopping_metric="custom")


@pytest.mark.parametrize("seed", [-2, -(2**31) - 1, -(2**63), 2**63 - 1])
def test_any_whole_number_is_a_seed(seed, tmp_path):
    settings = {"hidden": [4], "epochs": 1, "reproducible": True, "input_dropout_ratio": 0.1}
    first, again, other = (
        h2olite.deeplearning(training_frame="datasets/iris.csv", seed=of, **settings) for of in (seed, seed, seed ^ 1)
    )
    assert first.parameters.seed == first.report()["seed"] == seed
    np.testing.assert_array_equal(first.network.theta, again.network.theta)
    assert (first.network.theta != other.network.theta).any()
    assert h2olite.load_model(first.save(tmp_path / "m.h2olite")).parameters.seed == seed


@pytest.mark.parametrize(
    ("given", "became"),
    [
        ({"nfolds": 2}, {"fold_assignment": "Random", "auc_type": "NONE", "distribution": "multinomial"}),
        ({"y": "petal_width"}, {"categorical_encoding": "OneHotInternal", "loss": "Quadratic"}),
        ({"y": "petal_width", "distribution": "laplace"}, {"loss": "Absolute", "stopping_metric": "deviance"}),
        ({"autoencoder": True}, {"stopping_metric": "MSE", "distribution": "gaussian"}),
        ({"categorical_encoding": "Binary", "auc_type": "AUTO"}, {"categorical_encoding": "Binary"}),
    ],
)
def test_model_tells_what_was_asked_and_what_every_automatic_choice_became(given, became, tmp_path):
    model = h2olite.deeplearning(training_frame="datasets/iris.csv", hidden=[3], epochs=0.1, seed=1, **given)
    model = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    assert {name: getattr(model.parameters, name) for name in became} == became
    open_choices = {name for name, value in vars(model.parameters).items() if value in ("AUTO", "Automatic")}
    assert open_choices == (set() if "nfolds" in given else {"fold_assignment"})  # without folds nothing is dealt
    asked = {name: value for name, value in given.items() if value != "AUTO"}
    assert model.record.origin["given"] == asked | {"hidden": [3], "epochs": 0.1, "seed": 1}


def test_cross_validated_model_is_gone_on_from_without_folds():
    settings = {"training_frame": "datasets/iris.csv", "hidden": [3]}
    model = h2olite.deeplearning(nfolds=2, epochs=0.1, **settings)
    longer = h2olite.deeplearning(checkpoint=model, nfolds=0, epochs=0.2, training_frame="datasets/iris.csv")
    assert longer.record.epochs == pytest.approx(0.2)
