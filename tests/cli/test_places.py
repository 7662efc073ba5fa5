"""Outputs of all commands: never an input, and never in the place of what h2olite has not written."""

import io
import os
import stat
import zipfile
from pathlib import Path

import click
import pytest
from program import DATASETS, SMALL, run
from test_every_command import ARGUMENTS, INPUTS

import h2olite
from h2olite.errors import DataError, ParameterError
from h2olite_cli.main import COMMANDS, main
from h2olite_cli.places import Input, Output

OPTIONS = {name: main.get_command(None, name).params for name in COMMANDS}

NAMES = {"MODEL": "new.h2olite", "OUT": "new.csv", "FILE": "new.zip", "PICTURE": "new.svg"}
"""A file for an option, by what stands for it in the help."""

OUTPUTS = [
    (name, option.opts[0], NAMES[option.metavar])
    for name, options in OPTIONS.items()
    for option in options
    if isinstance(option.type, Output) and not option.type.is_folder
]
"""Every option of every command that names a file to write, and such a file."""

FOLDER_OUTPUTS = [("grid", "-o"), ("tune", "--directory")]

each_output = pytest.mark.parametrize(("name", "flag", "file"), OUTPUTS)


def zipped(member, text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(member, text)
    return stream.getvalue()


FOREIGN = {
    "table": (DATASETS / "iris.csv").read_bytes(),
    "typed table": (DATASETS / "penguins.parquet").read_bytes(),
    "book": zipped("[Content_Types].xml", "<Types/>"),
    "archive of a model": zipped("model.json", '{"format": "of another program"}'),
    "MOJO of H2O": (Path(__file__).parent.parent / "mojos" / "prostate_maxout" / "model.zip").read_bytes(),
    "letter": b"Dear h2olite,\nleave me alone.\n",
    "picture": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "bytes": bytes(range(256)),
}
"""Files that h2olite has not written."""


@pytest.fixture
def folder(tmp_path, monkeypatch, inputs):
    """A working directory with the inputs, which are links so that they cannot be harmed unseen."""
    monkeypatch.chdir(tmp_path)
    for name in INPUTS:
        (tmp_path / name).write_bytes((inputs / name).read_bytes())
    return tmp_path


def writing(name, flag, target, *more):
    """Run a command with the output in question, and no other one unless it must have it."""
    arguments = [*ARGUMENTS[name]]
    if "-o" in arguments:
        at = arguments.index("-o")
        del arguments[at : at + 2]
    return run(name, *arguments, flag, target, *more)


OF_OTHERS = (("r-install", "--library"),)
"""Folders that other programs write to, by their own rules."""


def test_every_path_is_declared_as_input_or_output():
    for name, options in OPTIONS.items():
        for option in options:
            if (name, option.opts[0]) in OF_OTHERS:
                continue
            kind = getattr(option.type, "item", option.type)
            assert isinstance(kind, Input | Output) or not isinstance(kind, click.Path | click.File), (name, option)


def test_every_output_is_tested():
    outputs = [
        (name, option.opts[0])
        for name, options in OPTIONS.items()
        for option in options
        if isinstance(option.type, Output)
    ]
    assert sorted(outputs) == sorted([*((name, flag) for name, flag, _ in OUTPUTS), *FOLDER_OUTPUTS])
    assert {name for name, options in OPTIONS.items() if any("--force" in option.opts for option in options)} == {
        name for name, _, _ in OUTPUTS
    }


@each_output
def test_an_output_replaces_what_the_command_has_written_and_keeps_its_mode(folder, name, flag, file):
    more = ["--format", "mojo"] if name == "export" else []
    for mode in (None, 0o640, 0o606):
        if mode is not None:
            os.chmod(file, mode)
        result = writing(name, flag, file, *more)
        assert result.exit_code == 0, result.stderr
        assert mode is None or stat.S_IMODE(os.stat(file).st_mode) == mode


@each_output
def test_an_output_replaces_no_foreign_file_unless_that_is_asked_for(folder, name, flag, file):
    for content in FOREIGN.values():
        Path(file).write_bytes(content)
        result = writing(name, flag, file)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {file} holds no ")
        assert result.stderr.endswith(" that h2olite has written; name another file, or pass --force to replace it.\n")
        assert Path(file).read_bytes() == content
    assert writing(name, flag, file, "--force").exit_code == 0
    assert Path(file).read_bytes() != content


@each_output
def test_an_output_replaces_an_empty_file_but_no_protected_one(folder, name, flag, file):
    Path(file).touch(mode=0o444)
    result = writing(name, flag, file)
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {file} is write-protected; name another file, or pass --force to replace it.\n",
    )
    os.chmod(file, 0o644)
    assert writing(name, flag, file).exit_code == 0
    assert os.path.getsize(file)


@each_output
@pytest.mark.parametrize("way", ["name", "other name", "symbolic link", "hard link"])
def test_an_output_is_never_an_input(folder, name, flag, file, way):
    for source in {*INPUTS} & {*ARGUMENTS[name]}:
        before = Path(source).read_bytes()
        target = {"name": Path(source), "other name": Path("..", folder.name, source)}.get(way, Path("link" + file))
        if way == "symbolic link":
            target.symlink_to(source)
        elif way == "hard link":
            os.link(source, target)
        result = writing(name, flag, target, "--force")
        assert result.exit_code == 1
        assert f"{target} is the " in result.stderr
        assert " that is read; name another file to write." in result.stderr
        assert Path(source).read_bytes() == before
        if "link" in way:
            target.unlink()


@each_output
def test_an_output_through_a_link_goes_where_the_link_points(folder, name, flag, file):
    (folder / "elsewhere").mkdir()
    link = Path("link" + file)
    link.symlink_to(folder / "elsewhere" / file)
    assert writing(name, flag, link).exit_code == 0
    assert link.is_symlink()
    assert (folder / "elsewhere" / file).stat().st_size


TABLE_COMMANDS = [
    (name, flag, file) for name, flag, file in OUTPUTS if "penguins.csv" in ARGUMENTS[name] and file.endswith(".csv")
]


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("source", ["parts", "parts/", "parts/*.csv", "par*/*", "./parts/../parts", "file://{}/parts"])
@pytest.mark.parametrize(("name", "flag", "file"), TABLE_COMMANDS)
def test_an_output_is_no_part_of_a_table_of_many_files(folder, name, flag, file, source, is_there):
    (folder / "parts").mkdir()
    for part in ("a.csv", *(["x.csv"] if is_there else [])):
        (folder / "parts" / part).write_bytes((folder / "penguins.csv").read_bytes())
    arguments = [word if word != "penguins.csv" else source.format(folder) for word in ARGUMENTS[name]]
    result = run(name, *arguments, flag, "parts/x.csv", "--force")
    assert result.exit_code == 1
    assert "parts/x.csv is, or would be, in " in result.stderr
    assert (folder / "parts" / "x.csv").exists() == is_there
    assert run(name, *arguments, flag, "beside.csv").exit_code == 0


def test_standard_streams_are_inputs_and_outputs_too(folder, program_folder):
    def shell(line):
        path = f"{program_folder}:{os.environ['PATH']}"
        return os.system(f"PATH={path}; {line} 2> errors") >> 8, Path("errors").read_text()

    before = Path("penguins.csv").read_bytes()
    assert shell("h2olite predict penguins.h2olite - -o penguins.csv --force < penguins.csv") == (
        1,
        "Error: penguins.csv is the table that is read; name another file to write.\n",
    )
    assert shell("h2olite predict penguins.h2olite penguins.csv >> penguins.csv") == (
        1,
        "Error: standard output goes to penguins.csv, the table that is read; write to another file.\n",
    )
    assert Path("penguins.csv").read_bytes() == before


def test_inputs_that_a_parameter_file_names_are_inputs(folder):
    for name, value in (
        ("checkpoint", '"penguins.h2olite"'),
        ("validation_frame", '"penguins.h2olite"'),
        ("initial_weights", '["penguins.h2olite"]'),
    ):
        Path("p.toml").write_text(f"{name} = {value}\n")
        result = run("train", DATASETS / "penguins.csv", "--params", "p.toml", "-o", "penguins.h2olite", "--force")
        assert result.exit_code == 1
        assert "penguins.h2olite is the " in result.stderr
    result = run("path", DATASETS / "penguins.csv", "--params", "p.toml", "-o", "p.toml", "--force")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: p.toml is a file that is read; name another file to write.\n",
    )


def test_a_checkpoint_is_not_replaced_by_the_default_output(folder):
    result = run("train", "penguins.csv", "--checkpoint", "penguins.h2olite", "--epochs", "6")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: penguins.h2olite is the model that is read; name another file to write.\n",
    )
    (folder / "kept").mkdir()
    os.link("penguins.h2olite", "kept/x.h2olite")
    result = run("train", "penguins.csv", "--checkpoint", "kept", "--epochs", "6", "-o", "kept/new.h2olite")
    assert "kept/new.h2olite is, or would be, in kept, the model that is read" in result.stderr


def test_two_outputs_are_two_files(folder):
    result = run("path", "penguins.csv", "--l1", "1e-3,1e-2", "--refit", "x.csv", "-o", "./x.csv")
    assert (result.exit_code, result.stderr) == (1, "Error: x.csv is given for two outputs; name a file for each.\n")


@pytest.mark.parametrize("content", FOREIGN)
def test_models_that_go_into_a_folder_replace_models_only(folder, content):
    search = ("grid", "penguins.csv", "--grid-l1", "0,1e-3", "-o", "kept", *SMALL)
    training = ("train", "penguins.csv", "--export-checkpoints-dir", "kept", "--model-id", "kept_model_1", *SMALL)
    (folder / "kept").mkdir()
    stranger = folder / "kept" / "kept_model_1.h2olite"
    stranger.write_bytes(FOREIGN[content])
    result = run(*training)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: kept/kept_model_1.h2olite is there and is no model; choose another folder")
    result = run(*search)
    assert (result.exit_code, "1 model in kept, 1 failed" in result.stderr) == (0, True)
    assert stranger.read_bytes() == FOREIGN[content]


def test_python_refuses_to_replace_an_input_of_the_same_call_only(tmp_path):
    given = {
        "training_frame": DATASETS / "penguins.csv",
        "hidden": [5],
        "epochs": 1,
        "export_checkpoints_dir": str(tmp_path),
    }
    model = h2olite.deeplearning(**given, model_id="m")
    (tmp_path / "notes").write_text("notes")
    model.save(tmp_path / "notes")  # whoever names a file in a program means it
    file = tmp_path / "m.h2olite"
    with pytest.raises(
        ParameterError, match="checkpoint must not be the file that export_checkpoints_dir and model_id"
    ):
        h2olite.deeplearning(**given | {"epochs": 2}, model_id="m", checkpoint=file)
    assert h2olite.deeplearning(**given | {"epochs": 2}, checkpoint=tmp_path).model_id in ("m", model.model_id)
    file.write_text("notes")
    with pytest.raises(DataError, match=r"m\.h2olite is there and is no model; choose another folder or model_id"):
        h2olite.deeplearning(**given, model_id="m")
