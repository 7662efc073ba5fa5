"""Measure how far the predictions of exported and imported models are from the models', and write it to the docs.

``python tests/benchmarks/interchange.py`` needs h2o, Java, onnx and onnxruntime, takes two minutes, and writes the
tables of docs/benchmarks.md anew. The models are those of tests/zoo.py and the MOJOs those of tests/mojos.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import report

import h2olite

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS), str(TESTS / "model")]

import h2o_server  # noqa: E402
from test_onnx import run, session_of  # noqa: E402
from zoo import KINDS, model_of, table_of  # noqa: E402


def difference(predictions: pd.DataFrame, expected: pd.DataFrame) -> str:
    """The largest difference in units of the largest prediction, at least 1, and whether labels differ."""
    labels = [name for name in expected if not pd.api.types.is_numeric_dtype(expected[name])]
    equal = all((predictions[name].astype(str) == expected[name].astype(str)).all() for name in labels)
    numbers = expected.drop(columns=labels)
    largest = max(1.0, numbers.abs().to_numpy().max())
    off = np.abs(predictions[list(numbers)].to_numpy(float) - numbers.to_numpy()).max() / largest
    return f"{off:.0e}" + ("" if equal else ", other labels")


def exports(h2o: Any, folder: Path) -> list[str]:
    """A row for every kind of model: what H2O and onnxruntime predict instead."""

    def cell(measure: Callable[[], str]) -> str:
        """What was measured, or that the format refuses the model."""
        try:
            return measure()
        except h2olite.H2OLiteError:
            return "refused"
        except OSError:  # is how H2O's client tells of an exception in the server
            return "H2O cannot"

    rows = ["| model | MOJO in H2O | ONNX in onnxruntime |", "|---|---|---|"]
    for kind in KINDS:
        model, frame = model_of(kind), table_of(kind)
        expected = model.predict(frame)
        columns = frame[list(model.encoder.schema)]
        columns = columns.astype(
            {name: str for name in columns if name == "code" and model.schema[name] == "categorical"}
        )
        without_offsets = model.predict(frame.assign(offset=0.0)) if "offset" in model.schema else expected
        mojo = cell(
            lambda: difference(h2o_server.predict(h2o, model.download_mojo(folder / "m.zip"), columns), without_offsets)  # noqa: B023
        )
        onnx = cell(lambda: difference(run(session_of(model, folder / "m.onnx"), frame), expected))  # noqa: B023
        if without_offsets is not expected:
            mojo += ", offsets being 0"
        rows.append(f"| {kind} | {mojo} | {onnx} |")
    return rows


def imports() -> list[str]:
    """A row for every MOJO of H2O: what H2O predicted and h2olite predicts."""
    rows = ["| MOJO | h2olite |", "|---|---|"]
    for folder in sorted(path.parent for path in (TESTS / "mojos").glob("*/model.zip")):
        predictions = h2olite.import_mojo(folder / "model.zip").predict(folder / "input.csv")
        rows.append(f"| {folder.name} | {difference(predictions, pd.read_csv(folder / 'h2o_predictions.csv'))} |")
    return rows


def main() -> None:
    """Measure all, and put the tables in their places."""
    warnings.simplefilter("ignore")
    with h2o_server.started() as h2o, tempfile.TemporaryDirectory() as folder:
        tables = {"exports": exports(h2o, Path(folder)), "imports": imports()}
    for name, rows in tables.items():
        report.write(name, "\n".join(["", *rows, ""]))


if __name__ == "__main__":
    main()
