import os
import subprocess

import pytest
from program import run


def completed(*words, folder, shell="bash"):
    """What pressing Tab after these words offers."""
    script = (
        'eval "$(h2olite completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _h2olite_completion h2olite;'
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shell, "-c", script, shell, *words],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["h2olite", "ev"], ["evaluate"]),
        (["h2olite", "train", "t.csv", "--stopping-t"], ["--stopping-tolerance"]),
        (["h2olite", "train", "--activation", "tanhw"], ["TanhWithDropout"]),
        (["h2olite", "grid", "--grid-activation", "Tanh,Maxo"], ["Tanh,Maxout", "Tanh,MaxoutWithDropout"]),
        (["h2olite", "params", "l"], ["loss", "l1", "l2", "label_smoothing"]),
        (["h2olite", "completion", "f"], ["fish"]),
    ],
)
def test_bash_completes_commands_options_and_values(program_folder, words, offered):
    assert sorted(completed(*words, folder=program_folder)) == sorted(offered)


def test_files_are_completed_where_tables_and_models_go(monkeypatch):
    for words in (["predict", "m"], ["predict", "m.h2olite", "t"], ["train", "t.csv", "--validation-frame", "v"]):
        monkeypatch.setenv("COMP_WORDS", " ".join(["h2olite", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        monkeypatch.setenv("_H2OLITE_COMPLETE", "bash_complete")
        assert run().stdout.strip() == f"file,{words[-1]}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_every_shell(shell):
    result = run("completion", shell)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_H2OLITE_COMPLETE={shell}_complete" in result.stdout
