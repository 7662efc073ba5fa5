"""How commands read CSV, and when they tell what is wrong with it."""

import json

import numpy as np
import pandas as pd
import pytest
from program import SMALL, run

import h2olite.api
from h2olite import jobs
from h2olite.errors import ArtifactError
from h2olite.formats.artifact import read_artifact, write_artifact


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with tables of the same numbers in several notations."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"a": random.normal(size=80) * 1e4, "b": random.normal(size=80)})
    frame["y"] = frame["a"] / 1e4 + frame["b"]
    frame = frame.round(3)
    frame.to_csv("plain.csv", index=False)
    frame.to_csv("comma.csv", index=False, sep=";", decimal=",")
    lines = [";".join(frame.columns), *(";".join(f"{value:_.3f}" for value in row) for row in frame.to_numpy())]
    grouped = "\n".join(lines).replace(".", ",").replace("_", ".")
    (tmp_path / "grouped.csv").write_text(f"# made by a program; of numbers\n{grouped}\n# the end\n")
    (tmp_path / "bare.csv").write_text((tmp_path / "plain.csv").read_text().partition("\n")[2])
    return tmp_path


OPTIONS = {
    "comma.csv": ["--decimal", ","],
    "grouped.csv": ["--decimal", ",", "--thousands", ".", "--comment", "#"],
    "bare.csv": ["--no-header"],
}


@pytest.mark.parametrize("table", OPTIONS)
def test_what_training_was_told_of_csv_every_command_takes_unless_told_otherwise(folder, table):
    options = OPTIONS[table]
    assert run("train", table, "-o", "m.h2olite", *options, *SMALL).exit_code == 0
    plain = run("train", "plain.csv", "-o", "plain.h2olite", *SMALL)
    assert plain.exit_code == 0
    expected = run("predict", "plain.h2olite", "plain.csv").stdout
    assert run("predict", "m.h2olite", table).stdout == expected
    assert run("predict", "m.h2olite", table, *options).stdout == expected
    assert run("predict", "m.h2olite", "-", stdin=(folder / table).read_bytes()).stdout == expected
    assert json.loads(run("evaluate", "m.h2olite", table, "--json").stdout)["rows"] == 80
    if table != "bare.csv":
        assert run("predict", "m.h2olite", "plain.csv", "--decimal", ".", "--thousands", "").stdout == expected
        assert "pass --decimal ." in run("predict", "m.h2olite", "plain.csv").stderr
    line = run("show", "m.h2olite", "--command").stdout
    assert all(option in line for option in options if option not in ",.#")


def test_compared_models_are_measured_on_a_table_read_as_for_training(folder):
    for seed in (1, 2):
        run("train", "comma.csv", "-o", f"{seed}.h2olite", "--decimal", ",", "--hidden", "3", "--epochs", "1")
    compared = run("compare", "1.h2olite", "2.h2olite", "comma.csv", "--resamples", "10", "--json")
    assert json.loads(compared.stdout)["rows"] == 80


def test_models_of_folds_grids_and_paths_read_csv_alike(folder):
    run("grid", "comma.csv", "--decimal", ",", "--grid-hidden", "3;4", "--nfolds", "2", "-o", "grid", *SMALL[2:])
    run("path", "comma.csv", "--decimal", ",", "--l1", "1e-4,1e-3", "--refit", "path.h2olite", "-o", "path.csv", *SMALL)
    for path in [*folder.glob("grid/*.h2olite"), folder / "path.h2olite"]:
        model = h2olite.load_model(path)
        assert model.csv == {"decimal": ","}
        assert len(model.predict("comma.csv")) == 80


@pytest.mark.parametrize("csv", [{"decimal": 5}, {"separator": ["a"]}, {"colour": "x"}, {"na_strings": [1]}, []])
def test_a_model_file_with_options_that_are_none_is_refused(folder, csv):
    run("train", "plain.csv", "-o", "m.h2olite", *SMALL)
    document, arrays = read_artifact("m.h2olite")
    document["record"]["csv"] = csv
    write_artifact("m.h2olite", document, arrays)
    with pytest.raises(ArtifactError, match=r"m\.h2olite is damaged"):
        h2olite.load_model("m.h2olite")


def doubtful():
    """A table that much is to be said of."""
    n = 60
    return {
        "price": [f"{i},5" for i in range(n)],
        "id": [f"u{i}" for i in range(n)],
        "same": [1.0] * n,
        "large": [2**60 + i % 2 for i in range(n)],
        "level": pd.Categorical(["a", "b"] * (n // 2), ["a", "b", "c"]),
        "x": np.arange(float(n)) % 7,
        "y": [None, *np.arange(1.0, n)],
    }


@pytest.mark.parametrize("given", [{}, {"nfolds": 2}, {"nfolds": 2, "fold_assignment": "Modulo"}], ids=str)
@pytest.mark.filterwarnings("always")
def test_warnings_of_data_come_before_training(monkeypatch, given):
    events = []
    monkeypatch.setattr("warnings.showwarning", lambda message, *rest: events.append(str(message)))
    given = given | {"l1": 0.1, "rate": 0.1, "hidden": [3], "epochs": 2, "seed": 1}
    parameters = jobs.check({"y": "y", "training_frame": doubtful()} | given)
    jobs.train(parameters, watch=lambda progress: events.append("trained"))
    before = events[: events.index("trained")]
    for part in ("another notation", "text that is another one", "constant or missing", "2^53", "declares", "rate "):
        assert sum(part in sentence for sentence in before) == 1, (part, events)
    if not given.get("nfolds"):
        assert any("lack the response" in sentence for sentence in before)
    assert len(set(events)) == len([event for event in events if event != "trained"]) + 1  # each is told once


@pytest.mark.filterwarnings("always")
def test_grids_and_paths_warn_before_training_and_once(monkeypatch):
    for train in (
        lambda: h2olite.grid({"l1": [0, 0.1]}, y="y", training_frame=doubtful(), hidden=[3], epochs=1, verbose=True),
        lambda: h2olite.regularization_path(
            y="y", training_frame=doubtful(), l1="1e-3,1e-2", hidden=[3], epochs=1, verbose=True
        ),
    ):
        events = []
        monkeypatch.setattr("warnings.showwarning", lambda message, *rest, to=events: to.append(str(message)))
        monkeypatch.setattr(h2olite.api, "print_measurement", lambda progress, to=events: to.append("trained"))
        train()
        before = events[: events.index("trained")]
        assert sum("another notation" in event for event in events) == 1
        assert sum("another notation" in event for event in before) == 1


def test_a_warning_blames_who_called_the_package():
    with pytest.warns(UserWarning, match="another notation") as told:
        h2olite.deeplearning(y="x", x=["price"], training_frame=doubtful(), hidden=[3], epochs=1)
    assert {warning.filename for warning in told} == {__file__}


def test_the_shell_is_warned_before_progress(folder):
    result = run("train", "comma.csv", "-y", "y", "--factor", "y", "--epochs", "1", "--hidden", "3", "--verbose")
    lines = result.stderr.splitlines()
    first = next(i for i, line in enumerate(lines) if "epoch" in line)
    warned = [i for i, line in enumerate(lines) if "in another notation" in line]
    assert len(warned) == 2
    assert max(warned) < first
