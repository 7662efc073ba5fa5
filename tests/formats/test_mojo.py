"""MOJOs hold what the model predicts, or are refused."""

import zipfile

import numpy as np
import odd_names
import pandas as pd
import pytest
from zoo import KINDS, model_of, table_of

import h2olite
from h2olite import deeplearning, import_mojo
from h2olite.errors import ArtifactError, DataError

pytestmark = pytest.mark.filterwarnings(
    "ignore:a MOJO has no offsets", "ignore:H2O cannot predict from a MOJO of an autoencoder"
)


def ini(path):
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("model.ini").decode().split("\n")
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "model.zip"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "hashed" and "numeric_encoding" not in KINDS[kind]])
def test_an_exported_model_predicts_the_same_once_imported(kind, target):
    model, frame = model_of(kind), table_of(kind)
    again = import_mojo(model.download_mojo(target))
    if "offset" in frame:
        frame = frame.assign(offset=0.0)
    if model.encoder.times:  # which a MOJO knows as numbers
        frame["when"] = (frame["when"] - pd.Timestamp(0)) / pd.Timedelta(1, "ms")
        expected = model.predict(table_of(kind).assign(offset=0.0))
    else:
        expected = model.predict(frame)
    predictions = again.predict(frame)
    if model.classes is not None:
        assert predictions.pop("predict").tolist() == expected.pop("predict").tolist()
    largest = max(1.0, expected.abs().to_numpy().max())
    np.testing.assert_allclose(predictions, expected, rtol=0, atol=1e-6 * largest)


def test_labels_are_equal_where_a_probability_is_the_threshold(target):
    model, frame = model_of("Rectifier"), table_of("Rectifier")
    predictions = model.predict(frame)
    assert predictions["yes"].eq(model.default_threshold()).any()
    assert import_mojo(model.download_mojo(target)).default_threshold() < model.default_threshold()


def test_numbers_that_readers_take_for_real_have_a_point_or_an_exponent(target):
    model = deeplearning(
        y="species",
        training_frame="datasets/iris.csv",
        hidden=[2],
        epochs=0,
        initial_weights=[np.ones((2, 4)), None],
        initial_biases=[np.zeros(2), None],
        seed=1,
    )
    settings = ini(model.download_mojo(target))
    assert settings["weight_layer0"] == f"[{', '.join(['1.0'] * 8)}]"
    assert settings["bias_layer0"] == "[0.0, 0.0]"
    assert settings["hidden_dropout_ratios"] == "[0.0, 0.0]"


def test_the_same_model_gives_the_same_bytes(tmp_path):
    first, second = (model_of("penguins").download_mojo(tmp_path / name) for name in ("1.zip", "2.zip"))
    with open(first, "rb") as one, open(second, "rb") as other:
        assert one.read() == other.read()


def test_odd_names_and_levels_survive(target):
    frame = odd_names.table()
    model = deeplearning(y=odd_names.RESPONSE, training_frame=frame, hidden=[3], epochs=1, seed=1)
    again = import_mojo(model.download_mojo(target))
    assert again.classes == model.classes
    assert again.encoder.input_names == model.encoder.input_names
    assert list(again.schema) == odd_names.COLUMNS


@pytest.mark.parametrize(
    "name", ["", " led by a blank", "ended by a blank ", "two\nlines", "a\rreturn", "#sharp", "[domains]"]
)
def test_names_that_lines_cannot_hold_are_refused(name, target):
    frame = pd.DataFrame({name: np.arange(20.0), "y": np.arange(20.0) ** 2})
    model = deeplearning(y="y", training_frame=frame, hidden=[2], epochs=1, seed=1)
    with pytest.raises(ArtifactError, match="the name of a column in a MOJO must not"):
        model.download_mojo(target)
    assert not target.exists()


def test_hashed_inputs_are_refused(target):
    with pytest.raises(ArtifactError, match=r"cannot hold inputs that levels are hashed to, of which .* has 6"):
        model_of("hashed").download_mojo(target)


def test_a_recoded_autoencoder_is_refused(target):
    model = deeplearning(
        training_frame=table_of("autoencoder")[["colour", "a"]],
        autoencoder=True,
        categorical_encoding="Binary",
        hidden=[2],
        epochs=1,
        seed=1,
    )
    with pytest.raises(ArtifactError, match="cannot hold an autoencoder of recoded columns such as 'colour:0'"):
        model.download_mojo(target)


def test_a_model_of_nothing_is_refused(target):
    frame = table_of("pruned")[["a", "b", "amount"]]
    model = deeplearning(y="amount", training_frame=frame, hidden=[2], epochs=20, l1=10.0, seed=1)
    assert not model.schema
    with pytest.raises(ArtifactError, match=r"must have a predictor; .* makes use of none"):
        model.download_mojo(target)


def test_what_h2o_does_otherwise_is_said(target):
    with pytest.warns(UserWarning, match=r"a MOJO has no offsets; this one predicts .* where 'offset' is 0\."):
        model_of("offset").download_mojo(target)
    with pytest.warns(UserWarning, match="H2O cannot predict from a MOJO of an autoencoder with categorical columns"):
        model_of("autoencoder").download_mojo(target)
    frame = table_of("autoencoder")[["a", "b"]]
    model = deeplearning(training_frame=frame, autoencoder=True, standardize=False, hidden=[2], epochs=1, seed=1)
    with pytest.warns(UserWarning, match="takes a missing one as 0; .* takes it as the mean of training"):
        model.download_mojo(target)


def test_a_failed_export_leaves_the_old_file(monkeypatch, target):
    target.write_bytes(b"old")
    monkeypatch.setattr(h2olite.formats.mojo, "_write", lambda *arguments: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(DataError, match=r"model\.zip cannot be written: full"):
        model_of("penguins").download_mojo(target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["model.zip"]


@pytest.mark.parametrize("encoding", ["Robust", "Quantile", "PiecewiseLinear"])
def test_bent_numbers_have_no_place_in_a_mojo(encoding, target):
    sentence = f"a MOJO cannot hold numbers that are encoded by numeric_encoding {encoding}, as it only shifts"
    with pytest.raises(ArtifactError, match=sentence):
        model_of(f"{encoding} numbers").download_mojo(target)
