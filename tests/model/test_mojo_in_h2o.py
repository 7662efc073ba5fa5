"""H2O itself imports MOJOs of h2olite and predicts what h2olite does."""

import secrets
import shutil

import numpy as np
import pandas as pd
import pytest
import odd_names
from kinds import KINDS, PREDICTORS, rows_to_predict, table, train


from h2olite import deeplearning, import_mojo

pytestmark = [
    pytest.mark.h2o,
    pytest.mark.skipif(shutil.which("java") is None, reason="H2O needs Java"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="session")
def server():
    """H2O's client, connected to a server of this session's own."""
    h2o = pytest.importorskip("h2o")
    h2o.init(
        port=54_000 + 2 * secrets.randbelow(500),
        name=f"h2olite-{secrets.token_hex(4)}",
        nthreads=1,
        max_mem_size="1g",
        bind_to_localhost=True,
        start_h2o=True,
        verbose=False,
    )
    h2o.no_progress()
    yield h2o
    h2o.cluster().shutdown()


def predict_with_h2o(server, mojo, rows):
    """The predictions of H2O for the rows of a DataFrame, as text where they are labels."""
    types = {name: "real" if pd.api.types.is_numeric_dtype(rows[name]) else "enum" for name in rows}
    frame = server.H2OFrame(rows, column_types=types, na_strings=[""])
    generic = server.import_mojo(mojo)
    return generic.predict(frame).as_data_frame(use_pandas=True)


def assert_same_predictions(predictions, expected):
    assert list(predictions) == list(expected)
    for name in expected:
        if name == "predict" and not pd.api.types.is_numeric_dtype(expected[name]):
            assert predictions[name].astype(str).tolist() == expected[name].astype(str).tolist()
        else:
            np.testing.assert_allclose(predictions[name], expected[name], rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_h2o_predicts_what_the_model_does(server, kind, tmp_path):
    model = train(kind)
    rows = rows_to_predict()
    mojo = model.download_mojo(tmp_path / "model.zip")
    assert_same_predictions(predict_with_h2o(server, mojo, rows[list(model.encoder.schema)]), model.predict(rows))


def test_odd_names_and_levels_reach_h2o(server, tmp_path):
    frame = odd_names.table()
    model = deeplearning(y="response = ?", training_frame=frame, hidden=[3], epochs=1, seed=1)
    generic = server.import_mojo(model.download_mojo(tmp_path / "model.zip"))
    output = generic._model_json["output"]
    print(output["names"])
    print(output["domains"])
    assert output["names"] == [*odd_names.COLUMNS, "response = ?"]
    assert output["domains"][0] == sorted(odd_names.LEVELS)
    assert output["domains"][-1] == [" leading", "two\nlines"]


def test_labels_are_equal_where_a_probability_is_the_threshold(server, tmp_path):
    model = train("Rectifier")
    rows = table()
    predictions = predict_with_h2o(server, model.download_mojo(tmp_path / "model.zip"), rows[PREDICTORS])
    assert model.predict(rows)["yes"].eq(model.default_threshold()).any()
    assert predictions["predict"].tolist() == model.predict(rows)["predict"].tolist()


@pytest.mark.parametrize("kind", ["Rectifier", "gaussian", "balanced classes", "autoencoder"])
def test_h2o_predicts_the_same_from_an_imported_and_exported_model(server, kind, tmp_path):
    rows = rows_to_predict()
    model = import_mojo(train(kind).download_mojo(tmp_path / "first.zip"))
    mojo = model.download_mojo(tmp_path / "second.zip")
    assert_same_predictions(predict_with_h2o(server, mojo, rows[list(model.encoder.schema)]), model.predict(rows))
