import sys
from pathlib import Path

import pytest
from program import run

from h2olite import import_mojo, load_model

MOJO = Path(__file__).parent.parent / "mojos" / "prostate_cat_na"


def test_export_writes_a_mojo(penguins, tmp_path):
    target = tmp_path / "penguins.zip"
    result = run("export", penguins.path, "-o", target)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Model written to {target}.\n")
    assert import_mojo(target).classes == load_model(penguins.path).classes


def test_export_writes_an_onnx_file(penguins, tmp_path):
    onnx = pytest.importorskip("onnx", reason="h2olite[onnx] is not installed")
    target = tmp_path / "penguins.onnx"
    result = run("export", penguins.path, "-o", target)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Model written to {target}.\n")
    assert [column.name for column in onnx.load(target).graph.input] == list(load_model(penguins.path).schema)


def test_a_format_is_named_where_the_extension_does_not_tell_it(penguins, tmp_path):
    target = tmp_path / "penguins.model"
    result = run("export", penguins.path, "-o", target)
    line = f"Error: {target}: the extension must be one of .zip, .onnx; or name a --format.\n"
    assert (result.exit_code, result.stderr) == (1, line)
    assert run("export", penguins.path, "-o", target, "--format", "MOJO").exit_code == 0
    assert import_mojo(target).category == "Multinomial"


def test_export_names_the_extra_that_onnx_needs(penguins, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "h2olite.formats.onnx", raising=False)
    result = run("export", penguins.path, "-o", tmp_path / "penguins.onnx", "--format", "onnx")
    assert result.exit_code == 1
    assert result.stderr == "Error: ONNX export needs onnx: pip install 'h2olite[onnx]'.\n"
    assert list(tmp_path.iterdir()) == []


def test_import_writes_a_model_file_that_other_commands_take(tmp_path):
    target = tmp_path / "prostate.h2olite"
    result = run("import", MOJO / "model.zip", "-o", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"Binomial model of CAPSULE, network 16-6-5-2, made by H2O 3.46.0.6\nModel written to {target}.\n" in (
        result.stderr
    )
    predicted = run("predict", target, MOJO / "input.csv", "--quiet").stdout.splitlines()
    expected = (MOJO / "h2o_predictions.csv").read_text().splitlines()
    assert len(predicted) == len(expected)
    for line, wanted in zip(predicted[1:], expected[1:], strict=True):
        (label, *shares), (wanted_label, *wanted_shares) = line.split(","), wanted.split(",")
        assert label == wanted_label
        assert [*map(float, shares)] == pytest.approx([*map(float, wanted_shares)], abs=1e-9)
    shown = run("show", target)
    assert "imported; made by H2O 3.46.0.6, how and how well is not in the file" in shown.output
    assert "Scoring history" not in shown.output
    for command in (["show", target, "--json"], ["varimp", target], ["weights", target, "--layer", "1"]):
        assert run(*command).exit_code == 0
    assert run("evaluate", target, MOJO / "input.csv").stdout.startswith("Binomial metrics on 40 rows")


def test_import_names_the_model_file_after_the_mojo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("import", MOJO / "model.zip").exit_code == 0
    assert load_model("model.h2olite").category == "Binomial"


def test_an_imported_model_has_no_history(tmp_path):
    target = tmp_path / "prostate.h2olite"
    run("import", MOJO / "model.zip", "-o", target)
    result = run("history", target)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has no scoring history; it was imported" in result.stderr
    assert "was imported; no command of h2olite makes it" in run("show", target, "--command").stderr


def test_what_is_no_mojo_is_refused_in_one_line(penguins):
    result = run("import", penguins.path)
    assert result.exit_code == 1
    reason = "must be a MOJO of H2O; got a model file of h2olite, which needs no import"
    assert result.stderr == f"Error: {penguins.path} {reason}.\n"
