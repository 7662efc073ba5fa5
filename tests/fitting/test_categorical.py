"""What the parameters for categorical columns do to a whole model."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.reader import read_blocks
from h2olite.errors import DataError

N_LEVELS = 20


def frame(n_rows=600):
    """A response that is the level's effect; levels are in no order of effect."""
    random = np.random.default_rng(0)
    codes = random.integers(N_LEVELS, size=n_rows)
    effects = random.permutation(N_LEVELS) / N_LEVELS
    levels = [f"level{i:02}" for i in range(N_LEVELS)]
    return pd.DataFrame(
        {
            "level": pd.Categorical.from_codes(codes, levels),
            "side": pd.Categorical(random.choice(["left", "right"], n_rows)),
            "x": random.normal(size=n_rows),
            "y": effects[codes],
        }
    )


def train(**parameters):
    return h2olite.deeplearning(
        y="y", training_frame=frame(), hidden=[8], epochs=5, seed=1, reproducible=True, **parameters
    )


@pytest.mark.proves("categorical_encoding")
@pytest.mark.parametrize(
    ("encoding", "inputs"),
    [
        ("AUTO", ["level.level00", "side.left", "x"]),
        ("OneHotInternal", ["level.level00", "side.left", "x"]),
        ("Binary", ["x", "level:0", "side:0"]),
        ("Eigen", ["level.Eigen", "side.Eigen", "x"]),
        ("LabelEncoder", ["level", "side", "x"]),
        ("SortByResponse", ["level.level10", "side.left", "x"]),
        ("EnumLimited", ["level.top_10_levels.level01", "side.left", "x"]),
    ],
)
def test_an_encoding_makes_its_inputs_and_predicts_the_same_after_reloading(encoding, inputs, tmp_path):
    model = train(categorical_encoding=encoding)
    names = model.encoder.input_names
    assert sorted(inputs, key=names.index) == inputs
    test = frame(50).astype({"level": object})
    test.loc[:5, "level"] = [None, "atlantis"] * 3
    again = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    with pytest.warns(UserWarning, match="atlantis"):
        expected = model.predict(test)
    with pytest.warns(UserWarning, match="atlantis"):
        pd.testing.assert_frame_equal(again.predict(test), expected)
    assert model.report()["features"] == {"total": 3, "used": 3, "unused": []}


def test_sorted_levels_are_by_mean_response():
    model = train(categorical_encoding="SortByResponse")
    means = frame().groupby("level", observed=True)["y"].mean().sort_values(kind="stable")
    assert model.encoder.levels[0] == tuple(means.index)


@pytest.mark.proves("max_categorical_features")
def test_hashed_levels_share_inputs_that_still_predict():
    model = train(max_categorical_features=12)
    assert model.encoder.n_inputs == 12 + 1
    assert model.encoder.hash_seed == 1
    assert 0 < model.r2() < train().r2()
    assert model.report()["variable_importances"] == []
    with pytest.raises(DataError, match=r"variable importances of .* 12 inputs .* shared by hashing; train without"):
        model.varimp()


@pytest.mark.proves("use_all_factor_levels")
def test_without_all_factor_levels_the_first_level_is_the_one_without_input():
    model = train(use_all_factor_levels=False)
    assert "level.level00" not in model.encoder.input_names
    test = frame().query("level == 'level00' and side == 'left'").head(1).assign(x=0.0)
    x = (0.0 - model.encoder.subtrahend[0]) * model.encoder.multiplier[0]
    hidden = np.maximum(model.biases(0)["C1"].to_numpy() + x * model.weights(0)["x"].to_numpy(), 0)
    output = hidden @ model.weights(1).to_numpy()[0] + model.biases(1)["C1"][0]
    expected = output / model.response.multiplier + model.response.subtrahend
    assert model.predict(test)["predict"][0] == pytest.approx(expected, rel=1e-5)


def test_recoded_columns_are_predicted_block_by_block_as_at_once(tmp_path):
    path = tmp_path / "t.csv"
    frame().to_csv(path, index=False)
    model = train(categorical_encoding="Binary")
    blocks = model.transform_blocks(read_blocks(path, model.schema, rows=100), model.predict_columns)
    streamed = np.concatenate([block["predict"].to_numpy() for block in blocks])
    np.testing.assert_array_equal(streamed, model.predict(path)["predict"])
