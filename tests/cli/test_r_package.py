"""The R package: installed by `h2olite r-install`, tested by its own tests, and by scripts as R users write them."""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv
import pytest
from program import DATASETS, run

import h2olite
from h2olite_cli.r_install import NEEDED, SOURCE

SCRIPTS = Path(__file__).parent / "r_scripts"
PAGE = Path(__file__).parent.parent.parent / "docs" / "r.md"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def installed(*names):
    """Those of some R packages that R has; None without R."""
    if shutil.which("Rscript") is None:
        return None
    code = f"cat(Filter(function(name) requireNamespace(name, quietly = TRUE), c({', '.join(map(repr, names))})))"
    return subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=False).stdout.split()


INSTALLED = installed(*NEEDED, "testthat", "roxygen2")
MISSING = [name for name in (*NEEDED, "testthat") if name not in (INSTALLED or ())]
REASON = "there is no R" if INSTALLED is None else f"R lacks {', '.join(MISSING)}"
with_r = pytest.mark.skipif(bool(MISSING), reason=REASON)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder that the package is installed into."""
    folder = tmp_path_factory.mktemp("library")
    result = run("r-install", "--library", folder, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"library": str(folder), "python": sys.executable}
    return folder


def r(library, folder, *arguments):
    """Start a script with the package."""
    return start("Rscript", library, folder, *arguments)


def start(program, library, folder, *arguments, **options):
    """Start R with the package, which runs the session by this Python, as `r-install` has recorded."""
    environment = {name: value for name, value in os.environ.items() if name != "H2OLITE_PYTHON"}
    environment |= {"R_LIBS": str(library), "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"}
    return subprocess.Popen(
        [program, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **options,
    )  # fmt: skip


def finish(process):
    """What it printed, once it is done without an error."""
    printed, said = process.communicate(timeout=600)
    assert process.returncode == 0, printed[-2000:] + said[-4000:]
    return printed


@with_r
def test_the_tests_of_the_package_pass(library, tmp_path):
    shutil.copytree(SOURCE / "tests", tmp_path / "tests")
    printed = finish(r(library, tmp_path / "tests", "testthat.R"))
    assert "FAIL 0" in printed


def churn(random):
    n = 600
    table = pd.DataFrame(
        {
            "RowNumber": np.arange(n),
            "CustomerId": random.integers(10**6, 10**7, n),
            "Surname": random.choice(["Li", "O'Hara", "Sm\u00edth"], n),
            "CreditScore": random.integers(350, 850, n),
            "Geography": random.choice(["France", "Spain", "Germany"], n),
            "Gender": random.choice(["Female", "Male"], n),
            "Age": random.integers(18, 80, n),
            "Tenure": random.integers(0, 11, n),
            "Balance": random.normal(8e4, 3e4, n).round(2),
            "NumOfProducts": random.integers(1, 5, n),
            "HasCrCard": random.integers(0, 2, n),
            "IsActiveMember": random.integers(0, 2, n),
            "EstimatedSalary": random.uniform(1e4, 2e5, n).round(2),
        }
    )
    score = 0.1 * (table["Age"] - 45) + (table["Geography"] == "Germany") - table["IsActiveMember"]
    return table.assign(Exited=(score + random.logistic(size=n) > 0.5).astype(int))


def airlines(random):
    n = 1500
    table = pd.DataFrame(
        {
            "Year": random.integers(1987, 1992, n),
            "DayOfWeek": random.integers(1, 8, n),
            "UniqueCarrier": random.choice(["AA", "DL", "UA", "WN"], n),
            "Origin": random.choice(["ATL", "JFK", "ORD", "SFO"], n),
            "Dest": random.choice(["BOS", "DEN", "LAX"], n),
            "Distance": random.integers(100, 2500, n),
        }
    )
    score = (table["Origin"] == "ORD") + 0.3 * (table["DayOfWeek"] > 5) + table["Distance"] / 2000
    return table.assign(IsDepDelayed=np.where(score + random.logistic(size=n) > 1, "YES", "NO"))


def digits(random):
    return pd.read_csv(DATASETS / "digits.csv").iloc[random.permutation(1000)]


def prostate(random):
    n = 380
    table = pd.DataFrame(
        {
            "ID": np.arange(1, n + 1),
            "AGE": random.integers(45, 80, n),
            "RACE": random.integers(0, 3, n),
            "DPROS": random.integers(1, 5, n),
            "DCAPS": random.integers(1, 3, n),
            "PSA": np.where(random.random(n) < 0.02, np.nan, random.gamma(1, 15, n).round(1)),
            "VOL": random.gamma(1, 15, n).round(1),
            "GLEASON": random.integers(4, 10, n),
        }
    )
    score = table["GLEASON"] - 6.5 + table["PSA"].fillna(0) / 20
    table.insert(1, "CAPSULE", (score + random.logistic(size=n) > 0.5).astype(int))
    return table


def insurance(random):
    n = 200
    table = pd.DataFrame(
        {
            "District": random.integers(1, 5, n),
            "Group": random.choice(["1-1.5l", "1.5-2l", "<1l", ">2l"], n),
            "Age": random.choice(["25-29", "30-35", "<25", ">35"], n),
            "Holders": random.integers(3, 400, n),
        }
    )
    return table.assign(Claims=random.poisson(table["Holders"] * (0.1 + 0.1 * (table["Age"] == "<25"))))


@with_r
@pytest.mark.skipif("roxygen2" not in (INSTALLED or ()), reason="R lacks roxygen2")
def test_help_pages_are_those_that_the_source_makes(tmp_path):
    copy = tmp_path / "h2olite"
    shutil.copytree(SOURCE, copy)
    finish(start("Rscript", tmp_path, copy, "-e", "roxygen2::roxygenise()"))
    assert filecmp.cmp(SOURCE / "NAMESPACE", copy / "NAMESPACE", shallow=False)
    compared = filecmp.dircmp(SOURCE / "man", copy / "man")
    assert (compared.left_only, compared.right_only, compared.diff_files) == ([], [], [])


TABLES = {function.__name__: function for function in (churn, airlines, digits, prostate, insurance)}

SETTINGS = {
    "seed": {
        "y": "Species", "hidden": [128] * 3, "l1": 1e-5, "l2": 1e-5, "epochs": 5, "seed": 42,
        "validation_frame": "test.parquet",
    },
    "churn": {"y": "Exited", "activation": "Rectifier", "hidden": [6, 6], "seed": 123, "epochs": 10},
    "airlines": {
        "x": ["Year", "DayOfWeek", "UniqueCarrier", "Origin", "Dest", "Distance"], "y": "IsDepDelayed",
        "validation_frame": "valid.parquet", "hidden": [16, 16], "epochs": 3,
        "stopping_rounds": 3, "stopping_metric": "AUC", "stopping_tolerance": 1e-3, "seed": 7,
    },
    "digits": {
        "y": "digit", "activation": "RectifierWithDropout", "input_dropout_ratio": 0.1,
        "hidden_dropout_ratios": [0.2, 0.2], "hidden": [32, 32], "epochs": 10, "seed": 5,
    },
    "prostate": {
        "x": ["AGE", "RACE", "DPROS", "DCAPS", "PSA", "VOL", "GLEASON"], "y": "CAPSULE",
        "nfolds": 5, "fold_assignment": "Modulo", "hidden": [10, 10], "epochs": 5, "seed": 1,
    },
    "insurance": {
        "x": ["District", "Group", "Age"], "y": "Claims", "distribution": "tweedie",
        "tweedie_power": 1.6, "offset_column": "offset", "hidden": [5, 5], "epochs": 20, "seed": 3,
    },
}  # fmt: skip
"""What Python is to train on the same rows."""


@with_r
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", SETTINGS)
def test_scripts_for_h2o_run_and_predict_what_python_does_bit_for_bit(library, tmp_path, monkeypatch, name):
    if name in TABLES:
        TABLES[name](np.random.default_rng(1)).to_csv(tmp_path / f"{name}.csv", index=False)
    finish(r(library, tmp_path, SCRIPTS / f"{name}.R"))
    monkeypatch.chdir(tmp_path)
    model = h2olite.deeplearning(training_frame="train.parquet", reproducible=True, **SETTINGS[name])
    expected = model.predict("test.parquet")
    predicted = pyarrow.csv.read_csv("predictions.csv")
    assert predicted.column_names == list(expected.columns)
    for column in expected.columns:
        values = predicted[column].to_numpy()
        if expected[column].dtype.kind == "f":
            np.testing.assert_array_equal(values, expected[column].to_numpy())
        else:
            assert list(map(str, values)) == list(expected[column])


@with_r
def test_the_page_on_r_shows_what_r_prints(library, tmp_path):
    shutil.copytree(DATASETS, tmp_path / "datasets")
    shown = PAGE.read_text("utf-8").split("```r\n")[1].split("```")[0]
    code = "".join(line[2:] for line in shown.splitlines(keepends=True) if line.startswith(("> ", "+ ")))
    process = start("R", library, tmp_path, "-q", "--no-save", stdin=subprocess.PIPE)
    printed, said = process.communicate(code, timeout=600)
    assert process.returncode == 0, said
    assert NUMBER.sub("0", printed.removesuffix("> \n")).split() == NUMBER.sub("0", shown).split()
    numbers = [np.array(NUMBER.findall(text), float) for text in (printed, shown)]
    np.testing.assert_allclose(*numbers, rtol=0.1, atol=0.02)


LONG = """
library(h2olite)
h2o.no_progress()
capture.output(info <- h2o.init(nthreads = 1)) -> shown
cat(info$pid, "\\n")
flush(stdout())
model <- h2o.deeplearning(y = "Species", training_frame = as.h2o(iris), epochs = 1e8, hidden = 10, stopping_rounds = 0,
  score_training_samples = 10, classification_stop = -1, export_checkpoints_dir = file.path(getwd(), "checkpoints"))
cat(model@model$stopped_by, "\\n")
cat(nrow(as.data.frame(h2o.predict(model, as.h2o(iris)))), "\\n")
"""


def is_running(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@with_r
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_a_killed_r_leaves_no_session_behind(library, tmp_path):
    process = r(library, tmp_path, "-e", LONG)
    session = int(process.stdout.readline())
    time.sleep(1)
    assert is_running(session)
    process.kill()
    process.communicate()
    assert wait_until(lambda: not is_running(session))


@with_r
def test_ctrl_c_ends_a_training_and_gives_the_model_so_far(library, tmp_path):
    script = tmp_path / "long.R"
    script.write_text(LONG)
    process = r(library, tmp_path, script)
    process.stdout.readline()
    while process.poll() is None and not list(tmp_path.glob("checkpoints/*")):  # until it has been measured
        time.sleep(0.1)
    process.send_signal(2)
    assert finish(process).split() == ["interrupted", "150"]


def test_missing_r_and_missing_packages_are_told(tmp_path):
    result = run("r-install", "--rscript", "no-such-rscript")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: there is no program no-such-rscript; install R, or name its Rscript with --rscript.\n"
    )
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\nprintf FALSE\n")
    program.chmod(0o755)
    result = run("r-install", "--rscript", program)
    assert result.exit_code == 1
    assert 'run install.packages(c("jsonlite", "processx")) in R' in result.stderr


def test_a_failed_installation_is_told_with_r_s_words(tmp_path):
    for name, text in {"Rscript": "printf TRUE", "R": "echo no compiler >&2; exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    result = run("r-install", "--rscript", tmp_path / "Rscript", "--library", tmp_path / "library")
    assert (result.exit_code, result.stderr) == (1, "Error: R CMD INSTALL failed: no compiler.\n")
