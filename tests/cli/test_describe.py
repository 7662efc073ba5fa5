import json

from program import DATASETS, run

import h2olite

PENGUINS = DATASETS / "penguins.csv"


def test_columns_are_shown_with_bars_and_warnings():
    result = run("describe", PENGUINS, "-y", "species")
    assert result.exit_code == 0
    assert "penguins.csv: 344 rows, 7 columns" in result.stdout
    line = next(line for line in result.stdout.splitlines() if "flipper" in line)
    assert line.split()[:4] == ["flipper_length_mm", "numeric", "2", "55"]
    assert "█" in line


def test_json_and_tables_hold_the_same(tmp_path):
    report = json.loads(run("describe", PENGUINS, "-y", "6", "--json", "-o", tmp_path / "d.parquet").stdout)
    assert report["rows"] == 344
    table = h2olite.data.frames.as_table(tmp_path / "d.parquet")
    assert table["median"].values[1] == report["columns"][1]["median"]
    assert "alone" in report["columns"][0]
    assert "alone" not in report["columns"][6]


def test_warnings_come_on_stderr(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n" + "".join(f"{i},{i * 2},1\n" for i in range(2000)))
    result = run("describe", tmp_path / "t.csv", "-y", "b")
    assert "columns of t.csv left out because they are constant or missing in all rows: 'c'." in result.stderr
    assert "column 'a' of t.csv nearly tells the response 'b' by itself" in result.stderr


def test_an_unknown_response_is_refused():
    result = run("describe", PENGUINS, "-y", "specie")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has no column 'specie'; did you mean 'species'?" in result.stderr
