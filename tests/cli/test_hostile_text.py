"""What tables, files and models say reaches no terminal and no log as anything but text."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from program import SMALL, put_stand_ins_for_r, run
from test_every_command import FLAGS

import h2olite
import h2olite_cli
from h2olite.display import HIDDEN, visible, visible_json
from h2olite_cli.main import COMMANDS

NASTY = {
    "screen": "\x1b[2J\x1b[31mred",
    "title": "\x1b]0;owned\x07",
    "c1": "\x9b31mred",
    "line": "a\nError: forged\r\nWARNING forged",
    "back": "safe\b\b\b\bevil",
    "turned": "abc\u202efdc\u2066x",
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "tab": "a\tb",
    "invisible": "\ufeffa\u200bb\U000e0041",
    "null": "a\x00b",
}

RESPONSE = "is it\x1b[5m?\nERROR forged"
"""The name of the response."""

MODEL_ID = "m\x1b[1m\nERROR forged"

COLUMN = "first\x1b[2J\nERROR forged\u202e"
"""The name of a predictor."""

ARGUMENTS = {
    "train": ["t.parquet", "-o", "new.h2olite", "--verbose", "--nfolds", "2", *SMALL],
    "grid": ["t.parquet", "--grid-l1", "0,1e-3", "-o", "grid", *SMALL],
    "path": ["t.parquet", "--l1", "1e-3,1e-2", "--plot", "p.svg", *SMALL],
    "select": ["t.parquet", "--columns", "1", "--resamples", "2", "--plot", "p.svg", *SMALL],
    "tune": ["t.parquet", "-o", "tuned.h2olite", "--max-models", "4", *SMALL],
    "predict": ["m.h2olite", "t.parquet", "--keep", "other"],
    "contributions": ["m.h2olite", "t.parquet", "--background", "t.parquet"],
    "anomaly": ["a.h2olite", "t.parquet", "--per-feature"],
    "features": ["a.h2olite", "t.parquet", "--layer", "1"],
    "evaluate": ["m.h2olite", "t.parquet"],
    "compare": ["m.h2olite", "n.h2olite", "t.parquet", "--resamples", "5"],
    "show": ["m.h2olite"],
    "report": ["m.h2olite", "t.parquet", "-o", "r\x1b[1m.html"],
    "varimp": ["m.h2olite"],
    "history": ["m.h2olite"],
    "weights": ["m.h2olite", "--layer", "1"],
    "export": ["s.h2olite", "-o", "x\x1b[1m.zip"],
    "import": ["x.zip", "-o", "i\x1b[1m.h2olite"],
    "session": [],
    "r-install": ["--library", "library\x1b[1m", "--rscript", "./Rscript"],
    "describe": ["t.parquet"],
    "params": ["\x1b[31ml1\n"],
    "completion": ["bash"],
    "warmup": [],
}
"""Every command with a table and models of nasty names."""


def table(n_rows=100):
    random = np.random.default_rng(0)
    levels = [*NASTY.values(), "plain"]
    return pd.DataFrame(
        {
            COLUMN: random.permutation(np.resize(levels, n_rows)),
            "other": random.normal(size=n_rows),
            "constant\x1b[2J\nERROR forged": 1.0,
            RESPONSE: np.resize(["yes\x1b[2J\nERROR forged", "no\u202e", "so\x9b1m"], n_rows),
        }
    )


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """A folder with the table and the models of the arguments."""
    folder = tmp_path_factory.mktemp("nasty")
    table().to_parquet(folder / "t.parquet")
    for name, more in (("m", {"model_id": MODEL_ID}), ("n", {"l1": 1e-3}), ("a", {"autoencoder": True, "y": None})):
        settings = {"hidden": [5], "epochs": 2, "seed": 1, "reproducible": True, "y": RESPONSE} | more
        with pytest.warns(UserWarning, match="constant"):
            h2olite.deeplearning(training_frame=str(folder / "t.parquet"), **settings).save(folder / f"{name}.h2olite")
    few = {"x": [1.0, 2.0] * 9, "y": ["a\x1b[2J", "b"] * 9}
    simple = h2olite.deeplearning(training_frame=few, hidden=[2], epochs=1)
    simple.save(folder / "s.h2olite")
    simple.download_mojo(folder / "x.zip")
    return folder


@pytest.fixture
def folder(nasty, monkeypatch, tmp_path):
    for path in nasty.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    put_stand_ins_for_r(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def raw(text):
    """What a terminal would obey, and lines that a name has made."""
    forged = re.findall(r"^(?:\S+Z )?(?:Error: |ERROR |WARNING )?forged", text, re.MULTILINE)
    return {*HIDDEN.findall(text.replace("\n", "")), *forged}


PRINTS_CSV = (
    *("grid", "path", "select", "tune", "predict", "contributions"),
    *("anomaly", "features", "varimp", "history", "weights"),
)


def test_every_command_is_tested():
    assert [*ARGUMENTS] == [*COMMANDS]


@pytest.mark.parametrize("log", [(), ("--log-format", "text"), ("--log-format", "json")])
@pytest.mark.parametrize("name", COMMANDS)
def test_names_stay_text_in_all_that_people_read(folder, name, log):
    result = run(name, *ARGUMENTS[name], *log)
    assert result.exit_code == (name == "params") * 1
    assert raw(result.stderr) == set()
    if name not in PRINTS_CSV:
        assert raw(result.stdout) == set()
    if log:
        for line in result.stderr.splitlines():
            assert re.match(r"\{.*\}$" if "json" in log else r"\S+Z (INFO|WARNING|ERROR) ", line), line
            assert not line.startswith("{") or json.loads(line)["time"]


@pytest.mark.parametrize("name", [name for name in COMMANDS if "--json" in FLAGS[name] and name != "warmup"])
def test_json_means_what_the_names_are_and_shows_nothing_raw(folder, name):
    result = run(name, *ARGUMENTS[name], "--json")
    assert result.exit_code == 0
    assert raw(result.stdout) == set()
    assert "\n" not in result.stdout.rstrip("\n")
    if name not in ("grid", "path", "r-install"):  # which tell nothing of the columns
        told = json.dumps(json.loads(result.stdout))
        assert any(json.dumps(text)[1:-1] in told for text in (COLUMN, RESPONSE, MODEL_ID))


@pytest.mark.parametrize(
    ("name", "column"),
    [("varimp", f"{COLUMN}.{NASTY['screen']}"), ("weights", f"{COLUMN}.{NASTY['line']}"), ("predict", "so\x9b1m")],
)
def test_csv_for_programs_is_the_data_as_it_is(folder, name, column):
    result = run(name, *ARGUMENTS[name])
    cells = {cell for row in csv.reader(io.StringIO(result.stdout_bytes.decode(), newline="")) for cell in row}
    assert column in cells


def test_text_leaves_by_the_doors_that_make_it_visible():
    doors = {"streams", "console"}
    for path in Path(h2olite_cli.__file__).parent.glob("*.py"):
        calls = re.findall(r"(?:click\.echo|\bprint|click\.secho|std(?:out|err)\.write)\(", path.read_text())
        assert calls == [] or path.stem in doors, path


def on_a_terminal(*arguments):
    """What a terminal gets from the program on stdout and stderr, with the terminal's own line ends undone."""
    own, of_program = pty.openpty()
    command = [sys.executable, "-m", "h2olite_cli", *arguments]
    environment = os.environ | {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdin=of_program, stdout=of_program, stderr=of_program, env=environment) as process:
        os.close(of_program)
        parts = []
        while True:
            try:
                part = os.read(own, 1 << 16)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
    os.close(own)
    return process.returncode, b"".join(parts).decode().replace("\r\n", "\n").replace("\r\x1b[K", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("name", ["weights", "show", "train"])
def test_a_terminal_gets_nothing_to_obey(folder, name):
    code, text = on_a_terminal(name, *ARGUMENTS[name])
    assert code == 0
    assert {*HIDDEN.findall(text.replace("\n", ""))} == set()
    assert r"\x1b[2J" in text


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("to", ["parquet", "csv.gz"])
def test_a_terminal_gets_no_bytes(folder, to):
    code, text = on_a_terminal("predict", "m.h2olite", "t.parquet", "--format", to)
    assert (code, text) == (
        1,
        "Error: a terminal can show text only, such as --format csv; name a file by -o, or pipe the output.\n",
    )


ERRORS = {
    "file": ["predict", "m.h2olite", "no\x1b[2J\nERROR forged.csv"],
    "file of bytes": ["predict", "m.h2olite", os.fsdecode(b"no\xff\x1b[2J.csv")],
    "model": ["show", "no\x1b[2J\nERROR forged"],
    "output": ["predict", "m.h2olite", "t.parquet", "-o", "no\x1b[2J\nERROR forged/x.csv"],
    "column": ["predict", "m.h2olite", "t.parquet", "--keep", "\x1b[2J\nERROR forged"],
    "parameters": ["train", "t.parquet", "--params", "no\x1b[2J\nERROR forged"],
    "response": ["train", "t.parquet", "-y", "no\x1b[2J\nERROR forged"],
    "enum": ["train", "t.parquet", "--activation", "no\x1b[2J\nERROR forged"],
    "option": ["train", "t.parquet", "--no\x1b[2J\nERROR forged"],
    "command": ["no\x1b[2J\nERROR forged"],
    "option of the program": ["--no\x1b[2J\nERROR forged"],
    "argument": ["show", "m.h2olite", "no\x1b[2J\nERROR forged"],
    "value": ["train", "t.parquet", "--epochs", "no\x1b[2J\nERROR forged"],
}


@pytest.mark.parametrize("more", [(), ("--log-format", "text"), ("--log-format", "json"), ("--debug",), ("--json",)])
@pytest.mark.parametrize("what", ERRORS)
def test_errors_show_names_as_text(folder, what, more):
    result = run(*ERRORS[what], *more)
    assert result.exit_code in (1, 2)
    assert raw(result.stderr) == set()
    assert raw(result.stdout) == set()


def test_a_line_for_a_shell_names_hidden_characters_by_code(folder):
    frame = table().rename(columns={RESPONSE: "it's\\\x1b[5m\n\u202e"})
    frame.to_parquet("odd.parquet")
    assert run("train", "odd.parquet", "-y", "it's\\\x1b[5m\n\u202e", "-o", "o.h2olite", *SMALL).exit_code == 0
    line = run("show", "o.h2olite", "--command").stdout
    assert raw(line) == set()
    assert line.count("\n") == 1
    words = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True).stdout.decode()
    assert words.split("\0")[3:5] == ["-y", "it's\\\x1b[5m\n\u202e"]


@pytest.mark.parametrize("text", ["größe 日本 ä", "👩‍👩‍👧", "می‌خواهم", "a b\xa0c", r"back\slash", "100 %"])
def test_what_people_write_is_shown_as_it_is(text):
    assert visible(text) == text
    assert visible_json(json.dumps(text, ensure_ascii=False)) == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("text", [*NASTY.values(), "half \ud800 pair", 'quote " and \\'])
def test_what_is_hidden_is_shown_by_its_code(text):
    assert HIDDEN.search(visible(text)) is None
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


NAMES_FOR_PICTURES = ["$_$", "$", "$x^2$", "\\$", "_hidden", "a\nb", "\x1b[2J", "$\\frac$", "{", "x_1", "#", "%", "<&>"]


@pytest.mark.parametrize("extension", ["svg", "png", "pdf"])
def test_pictures_show_names_as_they_are(tmp_path, extension, recwarn):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.normal(size=60) for name in NAMES_FOR_PICTURES})
    frame["$y_$"] = frame["$_$"] + frame["_hidden"]
    traced = h2olite.regularization_path(l1=[1e-4, 1e-3], y="$y_$", training_frame=frame, hidden=[3], epochs=1, seed=1)
    traced.plot(tmp_path / f"p.{extension}")
    assert (tmp_path / f"p.{extension}").stat().st_size
    assert [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)] == []
    from h2olite.selection.pictures import MOST_NAMED, draw

    shown = [text.get_text() for text in draw(traced.drawn()).axes[1].get_legend().get_texts()]
    assert len(shown) == MOST_NAMED
    assert {*shown} <= {visible(name) for name in NAMES_FOR_PICTURES}
