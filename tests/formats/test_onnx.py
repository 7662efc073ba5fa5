"""ONNX files predict in onnxruntime what the model predicts."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from zoo import KINDS, model_of, simulated, table_of

import h2olite
from h2olite.errors import DataError, MissingExtraError

pytest.importorskip("onnx", reason="h2olite[onnx] is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


MOJOS = Path(__file__).parents[1] / "mojos"


def session_of(model, path):
    return onnxruntime.InferenceSession(model.export_onnx(path), providers=["CPUExecutionProvider"])


def fed(values, kind):
    """A column as the graph wants it: strings, or doubles with times in milliseconds."""
    if kind == "tensor(string)":
        values = values.map(lambda value: "" if pd.isna(value) else str(value)).to_numpy(object)
    elif pd.api.types.is_datetime64_any_dtype(values):
        values = (values - pd.Timestamp(0)) / pd.Timedelta(1, "ms")
    return np.array(values, object if kind == "tensor(string)" else float).reshape(-1, 1)


def run(session, frame):
    """The columns that the graph makes of a frame, by name."""
    feed = {column.name: fed(frame[column.name], column.type) for column in session.get_inputs()}
    results = [values.reshape(len(frame), -1) for values in session.run(None, feed)]
    names = json.loads(session.get_modelmeta().custom_metadata_map["columns"])
    return pd.DataFrame(dict(zip(names, (column for values in results for column in values.T), strict=True)))


def assert_predicts(session, model, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unseen levels
        expected = model.predict(frame)
    if model.classes is not None:
        expected["predict"] = expected["predict"].astype(object)
    # Sums of float32 are as exact as their terms are large, also where they nearly cancel.
    largest = np.abs(expected.select_dtypes("number").to_numpy()).max()
    pd.testing.assert_frame_equal(
        run(session, frame), expected, rtol=1e-5, atol=1e-6 * max(largest, 10), check_dtype=False
    )


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_predicts_what_the_model_does(kind, tmp_path):
    model, frame = model_of(kind), table_of(kind)
    session = session_of(model, tmp_path / "m.onnx")
    assert_predicts(session, model, frame)
    assert_predicts(session, model, frame.iloc[[3]])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "table" not in KINDS[kind]])
def test_missing_and_unseen_values_are_as_the_model_takes_them(kind, tmp_path):
    frame = simulated().head(8).astype({"flag": object})
    frame["colour"] = [None, "atlantis", "", "RED", "ä", " red", "red ", "blue"]
    frame["many"] = ["other", "level 99", "level 03", None, "", "level 00", "level 14", "level"]
    frame["flag"] = [None, "true", "True", "False", "true", "", "no", "TRUE"]
    frame["code"] = frame["code"].astype(
        str if "factors" in KINDS[kind] and "code" in KINDS[kind]["factors"] else float
    )
    frame["a"], frame["b"] = [np.nan, 1e6, -1e6, 0, 1, 2, 3, np.nan], np.nan
    frame.loc[2:4, "when"], frame["rare"] = pd.NaT, [np.nan, 0, 5, np.nan, -3, 0, 1e6, 12.5]
    assert_predicts(session_of(model_of(kind), tmp_path / "m.onnx"), model_of(kind), frame)


@pytest.mark.parametrize("mojo", sorted(MOJOS.glob("*/model.zip")), ids=lambda path: path.parent.name)
def test_imported_models_become_onnx_too(mojo, tmp_path):
    model = h2olite.import_mojo(mojo)
    texts = {name: str for name, kind in model.schema.items() if kind == "categorical"}
    frame = pd.read_csv(mojo.parent / "input.csv", dtype=texts)
    assert_predicts(session_of(model, tmp_path / "m.onnx"), model, frame)


NAMES = ["predict", "probabilities", "constant_0", "Concat_1", 'a b\n"c"', "größe", "/x:0", "n"]


def test_columns_may_be_called_anything(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.normal(size=60) for name in NAMES})
    frame["Concat_1"] = random.choice(["x", "y"], 60)
    frame["y"] = np.where(frame["predict"] > 0, "yes", "no")
    model = h2olite.deeplearning(y="y", training_frame=frame, hidden=[4], epochs=2, seed=1, reproducible=True)
    session = session_of(model, tmp_path / "m.onnx")
    assert [output.name for output in session.get_outputs()] == ["predict_", "probabilities_"]
    assert_predicts(session, model, frame)


def test_inputs_and_outputs_are_as_documented(tmp_path):
    session = session_of(model_of("offset"), tmp_path / "m.onnx")
    inputs = {column.name: (column.type, column.shape) for column in session.get_inputs()}
    assert inputs == {
        **{name: ("tensor(string)", ["n", 1]) for name in ("colour", "many", "flag")},
        **{name: ("tensor(double)", ["n", 1]) for name in ("code", "a", "b", "when", "offset")},
    }
    assert [(output.name, output.type, output.shape) for output in session.get_outputs()] == [
        ("predict", "tensor(double)", ["n"])
    ]
    session = session_of(model_of("penguins"), tmp_path / "m.onnx")
    assert [(output.name, output.type, output.shape) for output in session.get_outputs()] == [
        ("predict", "tensor(string)", ["n"]),
        ("probabilities", "tensor(double)", ["n", 3]),
    ]
    session = session_of(model_of("autoencoder"), tmp_path / "m.onnx")
    assert [output.name for output in session.get_outputs()] == ["reconstruction"]


def test_the_same_model_gives_the_same_bytes(tmp_path):
    first, second = (model_of("penguins").export_onnx(tmp_path / name) for name in ("1.onnx", "2.onnx"))
    assert Path(first).read_bytes() == Path(second).read_bytes()


def test_a_column_without_a_name_cannot_be_an_input(tmp_path):
    frame = simulated()[["a", "b", "two"]].rename(columns={"b": ""})
    model = h2olite.deeplearning(y="two", training_frame=frame, hidden=[2], epochs=1, seed=1)
    with pytest.raises(DataError, match="which needs named inputs: it has a column without a name"):
        model.export_onnx(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "h2olite.formats.onnx", raising=False)
    with pytest.raises(MissingExtraError, match=r"ONNX export needs onnx: pip install 'h2olite\[onnx\]'\."):
        model_of("iris").export_onnx(tmp_path / "m.onnx")
