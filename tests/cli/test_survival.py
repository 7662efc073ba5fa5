"""What batch jobs meet, for real: signals, full disks, vanished input, too little memory, jobs side by side."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from program import DATASETS, SMALL, run

import h2olite

PROGRAM = [sys.executable, "-m", "h2olite_cli"]
ENDLESS = ("--epochs", "1e9", "--stopping-rounds", "0", "--classification-stop", "-1", "--hidden", "5")
IRIS = DATASETS / "iris.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    """The penguins, many times over."""
    header, *lines = (DATASETS / "penguins.csv").read_text().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("rows") / "many.csv"
    path.write_text(header + "".join(lines) * 100)
    return path


def start(*arguments, **streams):
    """The running program."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **streams
    )


def wait_for_training(process):
    """Read what it says until training begins, which is after the kernels are compiled, if they are not yet."""
    assert any(line.startswith("Response: ") for line in process.stderr)


def end(process, *numbers):
    """Send signals; the exit code, stdout and stderr."""
    for number in numbers:
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_stops_training_and_keeps_the_model_so_far(folder, number, code):
    process = start("train", IRIS, *ENDLESS, "--json")
    wait_for_training(process)
    returned, out, err = end(process, number)
    assert returned == code
    assert f"Stopped by {number.name} after " in err
    assert json.loads(out)["stopped_by"] == "interrupted"
    assert h2olite.load_model("iris.h2olite").stopped_by == "interrupted"
    assert [path.name for path in folder.iterdir()] == ["iris.h2olite"]


def test_second_signal_ends_training_at_once_and_writes_nothing(folder):
    process = start("train", IRIS, *ENDLESS, "--nfolds", "3")
    wait_for_training(process)
    returned, _, err = end(process, signal.SIGINT, signal.SIGTERM)
    assert (returned, err.splitlines()[-1]) == (143, "Ended by SIGTERM.")
    assert list(folder.iterdir()) == []


def test_signal_before_training_is_told_too(folder, rows):
    process = start("train", "-", *ENDLESS, stdin=subprocess.PIPE)
    process.stdin.write(rows.read_text()[: 1 << 20])
    assert end(process, signal.SIGINT) == (130, "", "Ended by SIGINT.\n")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "moment",
    [
        "h2olite_cli.main",  # the program itself is loaded
        "h2olite_cli.train",  # the command is
        "h2olite_cli.options",  # what the command needs is
        "h2olite.settings.validation",
    ],
)
def test_signal_while_the_program_is_loaded_ends_it_like_any_other(moment, number):
    ended = end_while_loading(moment, number)
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "", f"Ended by {number.name}.\n")


@pytest.mark.parametrize(
    ("options", "log_format"),
    [(["--quiet"], None), (["--log-format", "json"], None), (["--log-format=json"], None), ([], "json")],
)
def test_signal_while_the_program_is_loaded_puts_no_other_line_into_a_log(options, log_format):
    environment = os.environ | ({"H2OLITE_LOG_FORMAT": log_format} if log_format else {})
    ended = end_while_loading("h2olite_cli.train", signal.SIGTERM, options, environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", "")


def end_while_loading(moment, number, options=(), environment=None):
    """Run the program, and send it a signal when it imports some module."""
    code = (
        "import os, signal, sys\n"
        "class Press:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {moment!r}: os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Press())\n"
        f"sys.argv = ['h2olite', 'train', 'iris.csv', *{[*options]}]\n"
        "from h2olite_cli.__main__ import run\n"
        "run()\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_signals_that_are_ignored_stay_so_while_the_program_is_loaded():
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "sys.argv = ['h2olite', '--version']\n"
        "from h2olite_cli.__main__ import run\n"
        "from h2olite_cli.signals import end_at_signals\n"
        "end_at_signals()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "run()\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_time_limit_ends_training_well(folder):
    process = start("train", IRIS, *ENDLESS, "--max-runtime-secs", "0.2")
    assert end(process)[0] == 0
    assert h2olite.load_model("iris.h2olite").stopped_by == "max_runtime_secs"


def test_stopped_grid_goes_on_where_it_was(folder):
    search = ("grid", IRIS, "-o", "grid", *ENDLESS[:-2], "--grid-hidden", "2;3", "--json")
    process = start(*search)
    wait_for_training(process)
    returned, out, err = end(process, signal.SIGTERM)
    assert (returned, json.loads(out)["models"]) == (143, [])
    assert "Stopped by SIGTERM; the same command goes on with the models that are missing." in err


def test_stopped_path_says_that_it_has_no_point_yet():
    process = start("path", IRIS, *ENDLESS, "--json")
    wait_for_training(process)
    returned, out, _ = end(process, signal.SIGINT)
    assert (returned, json.loads(out)) == (130, {"error": "Stopped by SIGINT after 0 points of the path."})


@pytest.fixture(scope="session")
def usual(tmp_path_factory):
    """An autoencoder of the penguins."""
    path = tmp_path_factory.mktemp("models") / "usual.h2olite"
    assert run("train", DATASETS / "penguins.csv", "--autoencoder", "-o", path, *SMALL).exit_code == 0
    return path


@pytest.mark.parametrize(
    ("command", "options", "number", "code"),
    [
        ("predict", ("-o", "old.csv", "--force"), signal.SIGTERM, 143),
        ("evaluate", (), signal.SIGINT, 130),
        ("anomaly", ("-o", "old.csv", "--force"), signal.SIGINT, 130),
        ("features", ("-o", "old.csv", "--force", "--layer", "1"), signal.SIGTERM, 143),
    ],
)
def test_signal_ends_other_commands_at_once_and_leaves_old_files(usual, folder, rows, command, options, number, code):
    (folder / "old.csv").write_text("old")
    process = start(command, usual, "-", *options, stdin=subprocess.PIPE)
    process.stdin.write(rows.read_text()[: 1 << 20])  # more than a pipe holds: when it is written, reading has begun
    assert end(process, number) == (code, "", f"Ended by {number.name}.\n")
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("old.csv", "old")]


def test_reader_who_leaves_ends_predictions_quietly(penguins, rows):
    process = start("predict", penguins.path, rows, "--quiet")
    assert process.stdout.readline().startswith("predict,")
    process.stdout.close()
    with process.stderr:
        assert (process.stderr.read(), process.wait(60)) == ("", 141)


def on_a_small_disk(folder, size, *arguments):
    """Run the program in a folder of its own file system; exit code, stderr, and what is in the folder."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare, to mount a small file system")
    script = 'mount -t tmpfs -o "size=$1" none "$0" || exit 77; cd "$0"; shift; "$@"; echo "$?"; ls -A'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, folder, size, *PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    code, *files = done.stdout.splitlines()
    return int(code), done.stderr, files


FULL = "Error: output {} cannot be written: No space left on device; choose another place.{}\n"


def test_full_disk_is_an_error_and_nothing_of_the_output_is_left(folder, penguins, rows):
    predicting = on_a_small_disk(folder, "16k", "predict", penguins.path, rows, "-o", "out.csv", "--quiet")
    assert predicting == (1, FULL.format("out.csv", ""), [])


@pytest.mark.parametrize("is_full_too", [False, True])
def test_model_for_which_a_disk_has_no_room_is_kept_elsewhere(folder, monkeypatch, tmp_path_factory, is_full_too):
    refuge = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder if is_full_too else refuge))
    code, err, files = on_a_small_disk(folder, "16k", "train", IRIS, *SMALL, "--hidden", "200,200", "--quiet")
    assert (code, files) == (1, [])
    kept = list(refuge.iterdir())
    assert len(kept) == (not is_full_too)
    assert err == FULL.format("iris.h2olite", "".join(f" The model is kept as {path}." for path in kept))
    assert [h2olite.load_model(path).record.epochs for path in kept] == [3] * len(kept)


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="needs /proc, where nobody can write files")
@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("train", ("-o", "/proc/x")),
        ("train", ("-o", "missing/x")),
        ("train", ("-o", ".")),
        ("train", ("--export-checkpoints-dir", "/proc/x")),
        ("grid", ("--grid-l1", "0,1", "-o", "/proc/x")),
        ("path", ("--refit", "/proc/x")),
        ("path", ("--plot", "/proc/x.svg")),
    ],
)
def test_what_cannot_be_written_is_noticed_before_training(folder, command, output):
    result = run(command, IRIS, *ENDLESS, *output)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("truncated", [False, True])
def test_input_that_vanishes_while_it_is_read_is_an_error(folder, penguins, rows, truncated):
    (folder / "parts").mkdir()
    for number in range(1, 5):  # some are read ahead of the results
        os.symlink(rows, folder / "parts" / f"{number}.csv")
    last = folder / "parts" / "5.parquet"
    shutil.copy(DATASETS / "penguins.parquet", last)
    process = start("predict", penguins.path, "parts", "--quiet")
    process.stdout.readline()
    if truncated:
        os.truncate(last, 1000)
    else:
        last.unlink()
    returned, _, err = end(process)
    assert returned == 1
    assert err.startswith("Error: 5.parquet cannot be read")
    assert err.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of addresses are Linux's")
def test_lack_of_memory_is_told_before_it_is_met():
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {3 << 20} && exec "$0" "$@"', *PROGRAM, "train", IRIS, "--hidden", "7000,7000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: training on iris.csv needs about ")


def test_of_two_jobs_that_write_the_same_file_one_wins_whole(folder):
    names = {"first", "second"}
    jobs = [start("train", IRIS, *SMALL, "--hidden", "300,300", "-o", "m", "--model-id", name) for name in names]
    assert [end(job)[0] for job in jobs] == [0, 0]
    assert h2olite.load_model("m").model_id in names
    assert [path.name for path in folder.iterdir()] == ["m"]


def test_a_mistake_in_the_program_is_an_object_under_json_too(folder):
    program = (
        "import h2olite_cli.report\n"
        "def crash(*arguments): raise RuntimeError('broken inside')\n"
        "h2olite_cli.report.describe = crash\n"
        "from h2olite_cli.main import main\n"
        "main()"
    )
    command = [sys.executable, "-c", program, "train", IRIS, *SMALL, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)) == (1, {"error": "RuntimeError: broken inside"})
    assert "Traceback" in done.stderr
