import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from h2olite.data.reader import read_table

FOLDER = Path(__file__).parents[1] / "datasets"
LISTED = {
    name: (int(rows), int(columns), checksum)
    for name, rows, columns, checksum in re.findall(
        r"^\| (\S+) \| (\d+) \| (\d+) \| `(\w+)` \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
}
RESPONSES = {"breast_cancer": 2, "digits": 10, "iris": 3, "penguins": 3, "wine": 3}


def test_the_readme_lists_every_table_in_both_formats():
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".csv", ".parquet")}
    assert set(LISTED) == files
    assert len(files) == 12


@pytest.mark.parametrize("name", LISTED)
def test_files_are_those_of_the_readme(name):
    rows, columns, checksum = LISTED[name]
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == checksum
    table = read_table(FOLDER / name)
    assert (table.n_rows, len(table.names)) == (rows, columns)


@pytest.mark.parametrize("name", sorted({Path(name).stem for name in LISTED}))
def test_csv_and_parquet_are_the_same_table(name):
    csv, parquet = (read_table(FOLDER / f"{name}.{extension}") for extension in ("csv", "parquet"))
    assert csv.names == parquet.names
    for column in csv.names:
        assert csv[column].levels == parquet[column].levels
        np.testing.assert_array_equal(csv[column].values, parquet[column].values)


@pytest.mark.parametrize(("name", "n_classes"), RESPONSES.items())
def test_classes_are_text_in_the_last_column(name, n_classes):
    table = read_table(FOLDER / f"{name}.csv")
    assert len(table[table.names[-1]].levels) == n_classes


def test_penguins_have_categorical_predictors_with_missing_values():
    table = read_table(FOLDER / "penguins.csv")
    assert table["sex"].levels == ("FEMALE", "MALE")
    assert (table["sex"].values == -1).sum() == 11
    assert np.isnan(table["body_mass_g"].values).sum() == 2
