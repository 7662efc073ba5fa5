"""One line says what is wrong, however odd the input is: closed streams, deep files, huge numbers, long cells."""

import subprocess
import sys

import pytest
from program import DATASETS, SMALL, run

import h2olite
from h2olite.settings.parameters import declared

PROGRAM = [sys.executable, "-m", "h2olite_cli"]
IRIS = DATASETS / "iris.csv"
OUT_IS_CLOSED = "Error: standard output is closed; leave it open, or send it to /dev/null.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(streams, *arguments):
    """Run the program with a shell's redirections: exit code, stdout, stderr."""
    command = ["sh", "-c", f'"$0" "$@" {streams}', *PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "MODEL"),
        ("varimp", "MODEL"),
        ("predict", "MODEL", "TABLE"),
        ("predict", "MODEL", "TABLE", "--format", "parquet"),
        ("evaluate", "MODEL", "TABLE", "--json"),
        ("train", "TABLE", "--json"),
        ("grid", "TABLE", "--grid-l1", "0,1"),
        ("path", "TABLE"),
        ("params",),
        ("completion", "bash"),
    ],
    ids=" ".join,
)
def test_closed_standard_output_is_an_error_before_the_work(folder, penguins, arguments):
    files = {"MODEL": penguins.path, "TABLE": DATASETS / "penguins.csv"}
    assert shell(">&-", *(files.get(word, word) for word in arguments)) == (1, "", OUT_IS_CLOSED)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("streams", [">&-", "<&-", ">&- <&-", "2>&-", ">&- <&- 2>&-"])
def test_files_are_written_whole_when_standard_streams_are_closed(penguins, streams):
    table = DATASETS / "penguins.csv"
    assert shell(streams, "predict", penguins.path, table, "-o", "closed.csv")[0] == 0
    assert run("predict", penguins.path, table, "-o", "open.csv").exit_code == 0
    with open("closed.csv") as closed, open("open.csv") as usual:
        assert closed.read() == usual.read()


@pytest.mark.parametrize("command", ["train", "predict", "evaluate"])
def test_closed_standard_input_is_an_error(penguins, command):
    code, out, err = shell("<&-", command, *([] if command == "train" else [penguins.path]), "-")
    message = "standard input is closed; name a file instead of -, or send a table to it."
    assert (code, out, err) == (1, "", f"Error: {message}\n")


def nested(before, after, number=100_000):
    return before * number + after * number


def dotted(*parts, blank=""):
    return f"{blank}.{blank}".join(parts * (200_000 // len(parts)))


DEEP = {
    "lists.toml": f"hidden = {nested('[', ']')}",
    "lists.json": '{"hidden": ' + nested("[", "]") + "}",
    "tables.toml": f"x = {nested('{a = ', '}')}",
    "tables.json": nested('{"a": ', "}"),
    "open.json": "[" * 100_000,
    "key.toml": dotted("a") + " = 1",
    "quoted key.toml": dotted('"a b"') + " = 1",
    "blanks.toml": dotted("a", "'b'", blank=" ") + " = 1",
    "header.toml": f"[{dotted('a')}]",
    "inline.toml": "x = { " + dotted("a") + " = 1 }",
}


@pytest.mark.parametrize("name", DEEP)
def test_parameter_files_that_are_too_deep_are_refused_at_once(folder, name):
    (folder / name).write_text(DEEP[name])
    result = run("train", IRIS, "--params", name)
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {name} must hold parameter names and values; got tables that are too deep.\n",
    )


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("digits.toml", f"epochs = {'9' * 5000}", "is not valid TOML: Exceeds the limit"),
        ("digits.json", f'{{"epochs": {"9" * 5000}}}', "is not valid JSON: Exceeds the limit"),
        ("twice.toml", "epochs = 1\nepochs = 2", "is not valid TOML: Cannot overwrite a value"),
        ("large.toml", "# " + "x" * (17 << 20), "must have at most 16 MiB; got more"),
        ("list.json", "[]", "must hold parameter names and values; got a list"),
        ("bytes.toml", b"\xff\xfe", "is not valid TOML: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_parameter_files_that_are_none_are_told_in_one_line(folder, name, content, fault):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("train", IRIS, "--params", name)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {name} {fault}")
    assert result.stderr.count("\n") == 1


def test_a_parameter_file_may_list_many_columns_and_numbers(folder):
    text = f"ignored_columns = {[f'a.b.c.d.{i}' for i in range(5000)]}\nhidden_dropout_ratios = [{'0.5, ' * 300}]\n"
    (folder / "p.toml").write_text(text)
    assert "must hold parameter names" not in run("train", IRIS, "--params", "p.toml").stderr


HUGE = [
    "1e308",
    "-1e308",
    "5e-324",
    "1e400",
    "nan",
    "9223372036854775808",
    "-9223372036854775809",
    "9" * 400,
    "9" * 5000,
]

NEEDED = {
    "class_sampling_factors": ["--balance-classes"],
    "max_after_balance_size": ["--balance-classes"],
    "quantile_alpha": ["-y", "sepal_width", "--distribution", "quantile"],
    "tweedie_power": ["-y", "sepal_width", "--distribution", "tweedie"],
    "huber_alpha": ["-y", "sepal_width", "--distribution", "huber"],
    "sparsity_beta": ["--autoencoder"],
    "average_activation": ["--autoencoder"],
    **{
        name: ["--no-adaptive-rate"]
        for name in ("rate", "rate_annealing", "rate_decay", "momentum_start", "momentum_ramp", "momentum_stable")
    },
}
"""Options that a parameter acts with."""

LIMITED = ("--hidden", "3", "--seed", "1", "--max-runtime-secs", "0.05", "--quiet", "-o", "m.h2olite")


@pytest.mark.parametrize("name", [name for name, parameter in declared().items() if parameter.type in (int, float)])
def test_numbers_of_any_size_train_or_are_refused_in_one_line(name):
    for value in HUGE:
        given = ",".join([value] * 3) if name == "class_sampling_factors" else value
        result = run("train", IRIS, *LIMITED, *NEEDED.get(name, ()), f"--{name.replace('_', '-')}={given}")
        assert result.exit_code in (0, 1, 2)
        assert "Traceback" not in result.stderr, (value, result.stderr)
        assert result.exit_code != 1 or result.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [("--dry-run",), ("--dry-run", "--json"), ("--nfolds", "2"), ("--max-w2", "inf")])
def test_epochs_without_end_are_epochs(options):
    result = run("train", IRIS, *LIMITED, "--activation", "tanh", "--epochs", "1e308", *options)
    assert result.exit_code == 0, result.stderr
    if options == ("--dry-run",):
        assert "Time: about many years for all epochs" in result.stdout
    elif "--max-w2" in options:
        model = h2olite.load_model("m.h2olite")
        assert model.parameters.max_w2 == declared()["max_w2"].default
        assert "--max-w2 inf" in run("show", "m.h2olite", "--command").stdout


def test_sampling_factors_count_by_their_ratios_where_they_are_huge():
    def shares(*factors):
        text = ",".join(factors)
        given = ("--balance-classes", "--class-sampling-factors", text, "--max-after-balance-size", "2")
        assert run("train", IRIS, *SMALL, "-o", "m.h2olite", *given).exit_code == 0
        return h2olite.load_model("m.h2olite").shares

    assert shares("1e308", "1e308", "5e307") == shares("100", "100", "50")


def test_balancing_that_needs_more_memory_than_there_is_is_refused_before():
    given = ("--class-sampling-factors", "1e12,1,1", "--max-after-balance-size", "1e308", "--balance-classes")
    result = run("train", IRIS, *LIMITED, *given)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: balancing the classes needs about ")


ROWS = "".join(f"{i},{i % 3},{'yn'[i % 2]}\n" for i in range(60))


def trained(folder, text, *options):
    (folder / "t.csv").write_text(text)
    return run("train", "t.csv", *SMALL, "--quiet", "-o", "m.h2olite", *options)


def test_names_and_cells_may_be_long(folder):
    name = "n" * 200_000
    assert trained(folder, f"{name},b,y\n{ROWS}").exit_code == 0
    assert name in h2olite.load_model("m.h2olite").schema
    assert trained(folder, f"a,{name}\n1,x\n2,y\n3,x\n").exit_code == 0
    assert trained(folder, f"a,b,y\n{ROWS}7,1,{'z' * 900_000}\n").exit_code == 0
    assert trained(folder, f"a,b,y\n{ROWS}7,{'9' * 5000},y\n", "--factor", "b").exit_code == 0
    assert h2olite.load_model("m.h2olite").encoder.levels[0][-1] == "9" * 5000


@pytest.mark.parametrize("command", ["train", "predict"])
@pytest.mark.parametrize("is_quoted", [True, False])
def test_a_row_longer_than_can_be_read_is_told_by_its_line(folder, command, is_quoted):
    long = '"' + ROWS * 6000 if is_quoted else "z" * 5_000_000 + "\n"
    model = h2olite.deeplearning(y="y", training_frame={"a": [1.0, 2, 3, 4], "y": list("ynyn")}, hidden=[2], epochs=1)
    model.save("m.h2olite")
    (folder / "t.csv").write_text(f"a,b,y\n{ROWS}7,1,{long}{ROWS}")
    result = run(command, *(["m.h2olite"] if command == "predict" else []), "t.csv", "-o", "new.csv")
    assert result.exit_code == 1
    assert "t.csv, line 62: a row must have at most 1,048,576 characters; got " in result.stderr
    assert result.stderr.endswith(": close the quote that opens in it, or take the long cell out.\n")


@pytest.mark.parametrize("source", ["t.csv", "-"])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_quote_that_is_never_closed_does_not_swallow_the_rest(folder, penguins, source, column):
    cells = ["7", "1", "y"]
    cells[column] = '"' + cells[column]
    text = f"a,b,y\n{ROWS}{','.join(cells)}\n1,2,y\n3,4,n\n"
    (folder / "t.csv").write_text(text)
    result = run("train", source, "-o", "m.h2olite", stdin=text)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "line 62" in result.stderr


@pytest.mark.parametrize("end", ['"two\nlines"\n', '"two\nlines"', '"a ""quoted""\nline"\n', '5" pipe\n', "x"])
def test_rows_that_end_well_are_all_read(folder, end):
    assert trained(folder, f"a,b,y\n{ROWS}7,1,{end}", "--json").exit_code == 0
    assert h2olite.load_model("m.h2olite").record.rows == 61


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", ""),
        ("predict", "", "t.csv"),
        ("show", ""),
        ("train", "t.csv", "-o", ""),
        ("train", "t.csv", "--params", ""),
    ],
)
def test_an_empty_path_is_wrong_usage_and_not_the_working_directory(folder, arguments):
    (folder / "t.csv").write_text(f"a,b,y\n{ROWS}")
    result = run(*arguments)
    assert (result.exit_code, result.stderr.splitlines()[-1].endswith("a path must not be empty.")) == (2, True)


def test_long_arguments_are_wrong_usage():
    result = run("train", IRIS, f"--nfolds={'9' * 5000}")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
