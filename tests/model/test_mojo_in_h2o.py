"""H2O itself imports the MOJOs of h2olite and predicts what h2olite does."""

import secrets
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import odd_names
import pandas as pd
import pytest
from zoo import KINDS, model_of, simulated, table_of

from h2olite import deeplearning, import_mojo

pytestmark = [
    pytest.mark.h2o,
    pytest.mark.skipif(shutil.which("java") is None, reason="H2O needs Java"),
    pytest.mark.filterwarnings("ignore"),
]

IN_MOJOS = [kind for kind in KINDS if kind not in ("hashed", "autoencoder", "autoencoder without first levels")]
"""The kinds of models that H2O can predict from; `download_mojo` refuses the others, or warns."""


@pytest.fixture(scope="session")
def h2o():
    """H2O's client, connected to a server of this session's own."""
    client = pytest.importorskip("h2o")
    jar = Path(client.__file__).parent / "backend" / "bin" / "h2o.jar"
    port, name = 54_000 + 2 * secrets.randbelow(500), f"h2olite-{secrets.token_hex(4)}"
    command = ["java", "-Xmx1g", "-jar", jar, "-ip", "127.0.0.1", "-baseport", str(port), "-name", name]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "-nthreads", "1"], stdout=quiet, stderr=quiet) as server:
        for _ in range(120):
            try:
                client.connect(url=f"http://127.0.0.1:{port}", verbose=False, strict_version_check=False)
                break
            except client.exceptions.H2OConnectionError:
                time.sleep(0.5)
        client.no_progress()
        yield client
        client.connection().close()
        server.terminate()


def predicted_by_h2o(h2o, mojo, frame):
    """H2O's predictions for the rows of a DataFrame, in which times become milliseconds and truth values text."""
    columns, types = {}, {}
    for name, values in frame.items():
        if pd.api.types.is_datetime64_any_dtype(values):
            values = (values - pd.Timestamp(0)) / pd.Timedelta(1, "ms")
        is_number = pd.api.types.is_numeric_dtype(values) and values.dtype != bool
        columns[name] = values if is_number else values.map(lambda value: None if pd.isna(value) else str(value))
        types[name] = "real" if is_number else "enum"
    rows = h2o.H2OFrame(pd.DataFrame(columns), column_types=types)
    return h2o.import_mojo(str(mojo)).predict(rows).as_data_frame(use_pandas=True)


def assert_h2o_predicts(h2o, mojo, model, frame):
    expected = model.predict(frame)
    frame = frame[list(model.encoder.schema)]
    if "code" in frame and model.encoder.schema["code"] == "categorical":
        frame = frame.astype({"code": str})
    predictions = predicted_by_h2o(h2o, mojo, frame)
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
    frame.loc[2, ["a", "b", "when"]] = None
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
