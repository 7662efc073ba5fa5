"""Write the tables of this folder, as CSV and Parquet, from what scikit-learn brings along.

``python datasets/make.py [FOLDER]`` needs scikit-learn and prints the rows of the README's table of checksums. The CSV
files are the same with every version; Parquet files carry the version of pyarrow that wrote them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
from importlib import resources
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import datasets

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
MEASURED = ["culmen_length_mm", "culmen_depth_mm", "flipper_length_mm", "body_mass_g"]


def iris() -> pd.DataFrame:
    """Lengths and widths of flowers in centimetres, and their species."""
    return labelled(datasets.load_iris(), "species")


def wine() -> pd.DataFrame:
    """Chemical analyses of wines, and which of three growers made them."""
    return labelled(datasets.load_wine(), "cultivar")


def breast_cancer() -> pd.DataFrame:
    """Measures of cell nuclei in breast tissue, and the diagnosis."""
    return labelled(datasets.load_breast_cancer(), "diagnosis")


def digits() -> pd.DataFrame:
    """Handwritten digits as 8 x 8 counts of ink from 0 to 16, and which digit each is."""
    bunch = datasets.load_digits()
    frame = pd.DataFrame(bunch.data.astype(int), columns=bunch.feature_names)
    return frame.assign(digit=[DIGITS[i] for i in bunch.target])


def diabetes() -> pd.DataFrame:
    """Patients at the start of a year, and how far their illness had progressed at its end."""
    names = "age sex body_mass_index blood_pressure total_cholesterol ldl hdl cholesterol_hdl_ratio log_triglycerides"
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    return frame.set_axis([*names.split(), "glucose", "progression"], axis="columns")


def penguins() -> pd.DataFrame:
    """Sizes, sex and island of penguins, some missing, and their species."""
    packed = resources.files("sklearn.datasets.tests.data.openml.id_42585") / "data-v1-dl-21854866.arff.gz"
    _, _, rows = gzip.decompress(packed.read_bytes()).decode().partition("@DATA\n")
    names = ["species", "island", *MEASURED, "sex"]
    frame = pd.DataFrame(
        ([None if cell in ("?", "_") else cell for cell in row] for row in csv.reader(io.StringIO(rows)) if row),
        columns=names,
    )
    frame = frame.astype(dict.fromkeys(MEASURED, float))
    return frame[[*names[1:], "species"]]


def labelled(bunch: datasets.Bunch, response: str) -> pd.DataFrame:
    """The numbers under plain names, and behind them each row's class by name."""
    names = [str(name).removesuffix(" (cm)").replace(" ", "_").replace("/", "_") for name in bunch.feature_names]
    frame = pd.DataFrame(bunch.data, columns=names)
    return frame.assign(**{response: [str(bunch.target_names[i]) for i in bunch.target]})


def write(folder: Path) -> None:
    """Write every table into the folder and print each file's line of the README."""
    for make in (breast_cancer, diabetes, digits, iris, penguins, wine):
        frame = make()
        frame.to_csv(folder / f"{make.__name__}.csv", index=False, lineterminator="\n")
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{make.__name__}.parquet")
        for path in (folder / f"{make.__name__}.csv", folder / f"{make.__name__}.parquet"):
            checksum = hashlib.sha256(path.read_bytes()).hexdigest()
            print(f"| {path.name} | {len(frame)} | {len(frame.columns)} | `{checksum}` |")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
