"""Charts of text, and pictures of what commands print."""

import pytest
from program import DATASETS, run

import h2olite


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    file = tmp_path_factory.mktemp("charts") / "m.h2olite"
    h2olite.deeplearning(
        y="species", training_frame=DATASETS / "penguins.csv", hidden=[5], seed=1, reproducible=True
    ).save(file)
    return file


def test_importances_are_bars_of_text(model):
    lines = run("varimp", model, "--by-column", "--chart").stdout.splitlines()[1:]
    rows = h2olite.load_model(model).varimp(by_column=True)
    assert [line.split()[0] for line in lines] == [row[0] for row in rows]
    assert [line.count("█") for line in lines] == [round(40 * row[2]) for row in rows]


def test_the_history_is_a_line_of_bars(model):
    title, _, line = run("history", model, "--chart").stdout.splitlines()
    history = h2olite.load_model(model).scoring_history()["training_logloss"].dropna()
    assert title == "logloss by epochs, 1 to 10"
    first, bars, last = line.split()[1:]
    assert len(bars) == len(history)
    assert (float(first), float(last)) == pytest.approx((history.iloc[0], history.iloc[-1]), rel=1e-3)


@pytest.mark.parametrize("command", [("varimp",), ("history",), ("evaluate", DATASETS / "penguins.csv")], ids=str)
def test_what_is_printed_is_drawn_as_well(model, tmp_path, command):
    pytest.importorskip("matplotlib")
    name, *table = command
    plain = run(name, model, *table)
    result = run(name, model, *table, "--plot", tmp_path / "p.svg")
    assert (result.exit_code, result.stdout) == (0, plain.stdout)
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")
    refused = run(name, model, *table, "--plot", tmp_path / "p.gif")
    assert refused.exit_code == 1
    assert "a picture's extension must be one of .svg, .png, .pdf" in refused.stderr


def test_a_report_is_written_beside_the_working_directory_and_replaced_only_if_it_is_one(model, tmp_path, monkeypatch):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        result = run("report", model, DATASETS / "penguins.csv", "--group-by", "island")
        assert (result.exit_code, result.stderr) == (0, "The report is written to m.html.\n")
    page = (tmp_path / "m.html").read_text()
    assert "Groups of island" in page
    assert f"h2olite train {DATASETS / 'penguins.csv'}" in page
    (tmp_path / "m.html").write_text("notes")
    result = run("report", model)
    assert (result.exit_code, (tmp_path / "m.html").read_text()) == (1, "notes")
    assert "holds no report that h2olite has written" in result.stderr


def test_a_report_needs_a_model_and_one_table_at_most(model):
    result = run("report", DATASETS / "iris.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    result = run("report", model, DATASETS / "iris.csv", DATASETS / "wine.csv")
    assert result.exit_code == 2
    assert "name at most one table; got 2: " in result.stderr
