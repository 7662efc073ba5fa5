import shlex

import pandas as pd
import pytest
from program import DATASETS, SMALL, run

import h2olite
from h2olite_cli.command_line import command_line


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with some tables."""
    monkeypatch.chdir(tmp_path)
    for name in ("iris", "penguins", "breast_cancer"):
        (tmp_path / f"{name}.csv").write_bytes((DATASETS / f"{name}.csv").read_bytes())
    pd.read_csv("iris.csv").rename(columns={"petal_width": "width, cm", "sepal_width": "it's"}).to_csv(
        "odd names.csv", index=False, sep=";", na_rep="?"
    )
    (tmp_path / "p.toml").write_text('hidden = [4]\nactivation = "tanh"\n')
    run("train", "iris.csv", "-o", "start.h2olite", *SMALL)
    run("train", "iris.csv", "--autoencoder", "--ignore", "species", "-o", "auto.h2olite", *SMALL)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("iris.csv --epochs 0.5 --reproducible --seed 5", "iris.csv -y species --epochs 0.5 --seed 5 --reproducible"),
        ("iris.csv --epochs 1 --reproducible --l1 0", None),
        ("iris.csv -x 0,3 -y 4 --params p.toml --epochs 1 --reproducible --no-standardize", None),
        (
            "'odd names.csv' --sep ';' --na-string '?' --ignore \"\\\"width, cm\\\",it's\" --epochs 1 --reproducible",
            None,
        ),
        ("penguins.csv -y species --validation-frame penguins.csv --factor species --epochs 1 --reproducible", None),
        ("breast_cancer.csv --nfolds 2 --hidden 5 --epochs 1 --reproducible --fold-assignment modulo", None),
        ("iris.csv --checkpoint start.h2olite --epochs 5", "iris.csv --checkpoint start.h2olite --epochs 5"),
        ("iris.csv --pretrained-autoencoder auto.h2olite --hidden 8 --epochs 1 --reproducible", None),
        ("penguins.csv --autoencoder --hidden 3 --epochs 1 --reproducible", None),
    ],
)
def test_the_command_that_a_model_tells_trains_it_again(folder, monkeypatch, typed, told):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = run("train", *shlex.split(typed), "-o", "first.h2olite")
    assert first.exit_code == 0, first.stderr
    line = run("show", "first.h2olite", "--command").stdout
    assert told is None or line == f"h2olite train {told}\n"
    program, *words = shlex.split(line)
    assert program == "h2olite"
    assert run(*words, "-o", "again.h2olite").exit_code == 0
    assert (folder / "again.h2olite").read_bytes() == (folder / "first.h2olite").read_bytes()


def test_models_of_a_grid_tell_the_command_that_trains_each(folder):
    run("grid", "iris.csv", "--grid-hidden", "3;4,2", "-o", "grid", *SMALL[2:])
    for path in (folder / "grid").glob("*.h2olite"):
        words = shlex.split(run("show", path, "--command").stdout)
        run(*words[1:], "-o", "again.h2olite")
        model, again = h2olite.load_model(path), h2olite.load_model("again.h2olite")
        assert (again.model_id, again.parameters.hidden) == (model.model_id, model.parameters.hidden)
        pd.testing.assert_frame_equal(again.predict("iris.csv"), model.predict("iris.csv"))


def test_models_of_data_in_memory_or_of_a_path_have_no_command(folder):
    h2olite.deeplearning(y="species", training_frame=pd.read_csv("iris.csv"), hidden=[3], epochs=1).save("m.h2olite")
    result = run("show", "m.h2olite", "--command")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "was trained on data in memory, which no command can name; see show --json." in result.stderr
    run("path", "iris.csv", "--l1", "1e-3,1e-2", "--refit", "m.h2olite", *SMALL)
    result = run("show", "m.h2olite", "--command")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "was trained together with other models, or imported; no command makes it." in result.stderr


def test_one_entry_given_without_a_list_is_written_as_one():
    model = h2olite.deeplearning(y="species", training_frame=str(DATASETS / "iris.csv"), hidden=5, epochs=1)
    assert "--hidden 5" in command_line(model)
