"""H2O itself imports the MOJOs of h2olite and predicts what h2olite does."""

import shutil

import h2o_server
import numpy as np
import odd_names
import pytest
from zoo import KINDS, model_of, simulated, table_of

from h2olite import deeplearning, import_mojo

pytestmark = [
    pytest.mark.h2o,
    pytest.mark.skipif(shutil.which("java") is None, reason="H2O needs Java"),
    pytest.mark.filterwarnings("ignore"),
]

IN_MOJOS = [
    kind
    for kind in KINDS
    if kind not in ("hashed", "autoencoder", "autoencoder without first levels")
    and "numeric_encoding" not in KINDS[kind]
]
"""The kinds of models that H2O can predict from; `download_mojo` refuses the others, or warns."""


@pytest.fixture(scope="session")
def h2o():
    """H2O's client, connected to a server of this session's own."""
    pytest.importorskip("h2o")
    with h2o_server.started() as client:
        yield client


def assert_h2o_predicts(h2o, mojo, model, frame):
    expected = model.predict(frame)
    frame = frame[list(model.encoder.schema)]
    if "code" in frame and model.encoder.schema["code"] == "categorical":
        frame = frame.astype({"code": str})
    predictions = h2o_server.predict(h2o, mojo, frame)
    assert list(predictions) == list(expected)
    if model.classes is not None:
        assert predictions.pop("predict").astype(str).tolist() == expected.pop("predict").astype(str).tolist()
    largest = max(1.0, expected.abs().to_numpy().max())
    np.testing.assert_allclose(predictions, expected, rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize("kind", [kind for kind in IN_MOJOS if not kind.startswith("offset")])
def test_h2o_predicts_what_the_model_does(h2o, kind, tmp_path):
    model = model_of(kind)
    mojo = model.download_mojo(tmp_path / "model.zip")
    assert_h2o_predicts(h2o, mojo, model, table_of(kind))


@pytest.mark.parametrize("kind", [kind for kind in IN_MOJOS if "table" not in KINDS[kind]])
def test_missing_and_unseen_values_are_as_the_model_takes_them(h2o, kind, tmp_path):
    frame = simulated().head(8).astype({"flag": object})
    frame.loc[0, "colour"] = "atlantis"
    frame.loc[1, ["colour", "many", "flag"]] = None
    frame.loc[2, ["a", "b", "when", "rare"]] = None
    frame["offset"] = 0.0  # which a MOJO takes all offsets to be
    model = model_of(kind)
    assert_h2o_predicts(h2o, model.download_mojo(tmp_path / "model.zip"), model, frame)


@pytest.mark.parametrize("kind", ["iris", "poisson", "balanced classes", "autoencoder of numbers", "Maxout"])
def test_h2o_predicts_the_same_from_an_imported_model(h2o, kind, tmp_path):
    model = import_mojo(model_of(kind).download_mojo(tmp_path / "first.zip"))
    assert_h2o_predicts(h2o, model.download_mojo(tmp_path / "second.zip"), model, table_of(kind))


def test_names_and_levels_reach_h2o(h2o, tmp_path):
    model = deeplearning(y=odd_names.RESPONSE, training_frame=odd_names.table(), hidden=[3], epochs=1, seed=1)
    output = h2o.import_mojo(model.download_mojo(tmp_path / "model.zip"))._model_json["output"]
    assert output["names"] == [*odd_names.COLUMNS, odd_names.RESPONSE]
    assert output["domains"][0] == sorted(odd_names.LEVELS)
    assert output["domains"][-1] == list(model.classes)
