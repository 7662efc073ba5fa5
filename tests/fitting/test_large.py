"""Tables larger than memory: what is known of them is exact, and a window that holds all rows changes no bit."""

import warnings

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data import frames
from h2olite.data.large import read_large
from h2olite.data.reader import read_table
from h2olite.errors import DataError, LackOfMemoryError, ParameterError
from h2olite.machine import memory
from h2olite.settings.large_tables import bytes_of
from h2olite.training import stored

N_ROWS = 9000
pytestmark = pytest.mark.filterwarnings("ignore:columns of|rows of")

SHORT = {"seed": 3, "hidden": [12, 12], "nthreads": 1, "score_each_iteration": True, "epochs": 1.3}


@pytest.fixture(scope="module")
def table():
    """Columns of every kind, with missing values, and text that comes late."""
    random = np.random.default_rng(1)
    made = pd.DataFrame(
        {
            "a": random.normal(size=N_ROWS),
            "b": random.choice(["x", "y", "zz", None], N_ROWS),
            "code": random.integers(0, 30, N_ROWS),
            "time": pd.date_range("2020-01-01", periods=N_ROWS, freq="h"),
            "exposure": random.random(N_ROWS),
            "gaps": np.where(random.random(N_ROWS) < 0.1, np.nan, random.random(N_ROWS)),
            "late": np.where(np.arange(N_ROWS) < 5000, "3", "text"),
            "constant": 1,
        }
    )
    made["count"] = random.poisson(np.exp(made.a * 0.3 + made.exposure))
    made["class"] = np.where(made.a + (made.b == "x") > 0.5, "Y", "N")
    made.loc[::700, "class"] = None
    made["number"] = made.a * 3 + 5
    made.loc[5::700, "number"] = np.nan
    return made


@pytest.fixture(scope="module")
def files(table, tmp_path_factory):
    """The table in files of several formats, in a folder too."""
    folder = tmp_path_factory.mktemp("large")
    table.to_csv(folder / "t.csv", index=False)
    table.to_parquet(folder / "t.parquet")
    levels = pd.CategoricalDtype(["zz", "y", "unused", "x"])
    table.assign(b=table.b.astype(levels)).to_parquet(folder / "levels.parquet")
    (folder / "parts").mkdir()
    for i, part in enumerate(np.array_split(np.arange(N_ROWS), 3)):
        table.iloc[part].to_csv(folder / "parts" / f"{i}.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    """Has the table be several blocks, so that its text comes after blocks of numbers."""
    for module in ("large", "stored"):
        monkeypatch.setattr(f"h2olite.data.{module}.ROWS", 1024)


@pytest.fixture
def always(monkeypatch):
    """Has every table be larger than what may be taken, if that is given."""
    monkeypatch.setattr(frames, "IDLE", 1e18)


def both(path, **parameters):
    """The models of a table in memory, and of one in a scratch file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        in_memory = h2olite.deeplearning(training_frame=str(path), **SHORT | parameters)
        from_file = h2olite.deeplearning(training_frame=str(path), **SHORT | parameters, max_memory="4GB")
    digests = {model.record.origin["training_frame"]["digest"] for model in (in_memory, from_file)}
    assert len(digests) == 2  # only one of the tables was in memory
    return in_memory, from_file


CASES = [
    {"y": "class"},
    {"y": "class", "numeric_encoding": "PiecewiseLinear", "l1": "0.1x"},
    {"y": "class", "missing_values_handling": "Skip", "factors": ["code"], "mini_batch_size": 32},
    {"y": "count", "distribution": "poisson", "offset_column": "exposure", "x": ["a", "b"]},
    {"y": "number", "offset_column": "exposure", "replicas": 3},
    {"y": "number", "distribution": "laplace", "standardize": False},
    {"y": "class", "ensemble": 2, "max_categorical_features": 5},
    {"y": "number", "holdout_share": 0.3},
    {"y": "class", "preset": "accurate", "missing_values_handling": "Skip"},
    {"autoencoder": True, "ignored_columns": ["class"]},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case))
@pytest.mark.parametrize("name", ["t.csv", "levels.parquet"])
@pytest.mark.proves("max_memory")
def test_window_that_holds_the_table_gives_the_bits_of_memory(files, always, name, case):
    in_memory, from_file = both(files / name, **case)
    np.testing.assert_array_equal(from_file.network.theta, in_memory.network.theta)
    told = ("training_metrics", "validation_metrics", "rows", "usable", "columns", "variable_importances", "warnings")
    ours, theirs = from_file.report(), in_memory.report()
    assert {key: ours.get(key) for key in told} == {key: theirs.get(key) for key in told}
    assert from_file.encoder.to_json() == in_memory.encoder.to_json()


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "levels.parquet", "parts", "parts/*.csv"])
def test_columns_are_what_they_are_in_memory(files, name):
    whole, large = read_table(files / name), read_large(files / name, sample_rows=100)
    assert (large.n_rows, large.n_rows_in_all) == (100, N_ROWS)
    for column in whole.names:
        ours, theirs = large.all_rows.columns[column], whole[column]
        used = (
            None
            if theirs.levels is None
            else tuple(np.array(theirs.levels)[np.unique(theirs.values[theirs.values >= 0])])
        )
        assert (ours.kind, ours.levels, ours.n_missing) == (theirs.kind, used, theirs.n_missing)
        assert large[column].has_values(2) == theirs.has_values(2)
        if used is None:
            np.testing.assert_array_equal(large.all_rows.read(column, slice(None)), theirs.values)
        else:
            texts = np.array([*theirs.levels, None])[theirs.values]
            np.testing.assert_array_equal(np.array([*used, None])[large.all_rows.read(column, slice(None))], texts)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    "values", [["y", "x"], ["true", "false"], [True, False], [1.5, 2.0], ["2020-01-01", "2021-01-01"]]
)
@pytest.mark.parametrize("n_missing", [1024, 1500, 3000])
def test_column_whose_first_rows_lack_a_value_is_what_it_is_in_memory(tmp_path, ending, values, n_missing):
    column = pd.Series([None] * n_missing + values * 700, dtype=object)
    made = pd.DataFrame({"late": column, "other": np.arange(column.size) % 7})
    path = tmp_path / f"t.{ending}"
    made.to_csv(path, index=False) if ending == "csv" else made.to_parquet(path)
    whole, large = read_table(path), read_large(path)
    assert (large["late"].kind, large["late"].levels) == (whole["late"].kind, whole["late"].levels)
    for name in whole.names:
        np.testing.assert_array_equal(large.all_rows.read(name, slice(None)), whole[name].values)
    made["late"] = column.shift(-1)
    made.to_csv(path, index=False) if ending == "csv" else made.to_parquet(path)
    assert read_large(path).fingerprint != large.fingerprint


def test_files_without_any_value_of_a_column_come_before_those_with_text(tmp_path):
    for i, text in enumerate(["a,b\n", "a,b\n,1\n,2\n", "a,b\nx,1\ny,2\n"]):
        (tmp_path / f"{i}.csv").write_text(text)
    whole, large = read_table(tmp_path), read_large(tmp_path)
    assert large["a"].levels == whole["a"].levels == ("x", "y")
    np.testing.assert_array_equal(large["a"].values, [-1, -1, 0, 1])


def test_statistics_are_those_of_all_rows_and_not_of_the_sample(files, always, monkeypatch):
    monkeypatch.setattr(frames, "SAMPLE_ROWS", 500)
    in_memory, from_file = both(files / "t.parquet", y="number", score_training_samples=400)
    assert from_file.encoder.to_json() == in_memory.encoder.to_json()
    assert from_file.response.to_json() == in_memory.response.to_json()
    assert (from_file.record.rows, from_file.record.usable) == (in_memory.record.rows, in_memory.record.usable)
    assert from_file.training_metrics.nobs() < 500
    assert from_file.mse() < 1.5 * in_memory.mse() + 0.1


@pytest.mark.parametrize("threads", [1, 2])
def test_small_windows_learn_as_well_whatever_the_threads(files, always, monkeypatch, threads):
    monkeypatch.setattr(stored, "ROWS", 128)
    windows, init = [], stored.StoredSource.__init__

    def small(self, kept, rows, sample, left_out, window_bytes, **options):
        init(self, kept, rows, sample, left_out, kept.nbytes / 7, **options)
        windows.append(self.n_windows)

    monkeypatch.setattr(stored.StoredSource, "__init__", small)
    settings = {"y": "class", "nthreads": threads, "epochs": 4}
    in_memory, from_file = both(files / "t.csv", **settings)
    _, again = both(files / "t.csv", **settings)
    assert windows == [7, 7]
    np.testing.assert_array_equal(from_file.network.theta, again.network.theta)
    assert (from_file.network.theta != in_memory.network.theta).any()
    assert from_file.logloss() < 1.2 * in_memory.logloss()


def test_training_goes_on_from_a_checkpoint(files, always):
    first, from_file = both(files / "t.csv", y="class", epochs=1, keep_state=True)
    models = [
        h2olite.deeplearning(training_frame=str(files / "t.csv"), checkpoint=model, epochs=2.5, max_memory=limit)
        for model, limit in ((first, None), (from_file, "4GB"))
    ]
    np.testing.assert_array_equal(models[0].network.theta, models[1].network.theta)


def test_rows_are_held_out_of_the_sample_of_a_larger_table(files, always, monkeypatch):
    monkeypatch.setattr(frames, "SAMPLE_ROWS", 500)
    given = {"y": "class", "holdout_share": 0.2, "score_training_samples": 400}
    _, model = both(files / "t.parquet", **given)
    assert 90 <= model.validation_metrics.nobs() <= 110
    assert model.record.usable == N_ROWS - 13 - model.validation_metrics.nobs()


def test_validation_table_that_does_not_fit_is_sampled(files, always, monkeypatch):
    monkeypatch.setattr(frames, "SAMPLE_ROWS", 1000)
    given = {"y": "class", "training_frame": str(files / "t.csv"), "validation_frame": str(files / "t.parquet")}
    with pytest.warns(
        UserWarning, match=r"^t.parquet has 9,000 rows; the model is measured on 1,000 of them, drawn at"
    ):
        model = h2olite.deeplearning(**given, **SHORT, score_training_samples=1000, max_memory="4GB")
    assert 990 <= model.validation_metrics.nobs() <= 1000


def test_columns_that_are_left_out_may_hold_anything(files, always):
    given = {"training_frame": str(files / "t.csv"), "validation_frame": str(files / "t.csv"), "max_memory": "4GB"}
    model = h2olite.deeplearning(y="class", ignored_columns=["b", "late", "time"], **given, **SHORT)
    assert not {"b", "late", "time"} & set(model.schema)


def test_validation_table_is_read_in_the_same_way(files, always):
    in_memory, from_file = both(files / "t.csv", y="class", validation_frame=str(files / "t.parquet"))
    assert from_file.validation_metrics["logloss"] == in_memory.validation_metrics["logloss"]
    assert from_file.validation_metrics.nobs() == in_memory.validation_metrics.nobs()


def test_table_that_fits_is_read_into_memory(files, monkeypatch):
    monkeypatch.setattr(frames, "read_large", None)
    model = h2olite.deeplearning(y="class", training_frame=str(files / "t.csv"), max_memory="1GB", **SHORT)
    assert model.record.rows == N_ROWS


def test_table_larger_than_memory_needs_no_parameter(files, monkeypatch):
    monkeypatch.setattr(frames, "available_memory", lambda: 600e3)
    monkeypatch.setattr(frames, "SHARE", 1000)
    with pytest.warns(
        UserWarning, match=r"^t.csv is larger than the memory that is left; its rows are in a scratch file"
    ):
        h2olite.deeplearning(y="class", training_frame=str(files / "t.csv"), **SHORT)


@pytest.mark.proves("scratch")
def test_scratch_file_is_in_the_folder_that_is_named(files, always, tmp_path):
    with pytest.raises(
        ParameterError, match=r"^scratch must be a folder that files can be written to; got '.*nowhere'"
    ):
        h2olite.deeplearning(
            y="class", training_frame=str(files / "t.csv"), max_memory="4GB", scratch=str(tmp_path / "nowhere"), **SHORT
        )


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"nfolds": 3}, "nfolds cannot be combined with a table larger than memory"),
        ({"weights_column": "exposure"}, "weights_column cannot be combined with a table larger"),
        ({"balance_classes": True}, "balance_classes cannot be combined"),
        ({"categorical_encoding": "Eigen"}, "categorical_encoding of a table larger than memory must be AUTO"),
        ({"max_memory": "much"}, "max_memory must be a size such as 2GB or 800MB; got 'much'"),
        ({"max_memory": "0GB"}, "max_memory must be a size"),
    ],
)
def test_what_cannot_be_combined_is_refused(files, always, more, fault):
    given = {"y": "class", "training_frame": str(files / "t.csv"), "max_memory": "4GB"} | SHORT | more
    with pytest.raises(ParameterError, match=rf"^{fault}"):
        h2olite.deeplearning(**given)


def test_grids_and_frames_in_memory_are_refused(files, table):
    with pytest.raises(ParameterError, match=r"^max_memory and scratch are for the training of one model"):
        h2olite.grid({"l1": [0, 1e-4]}, y="class", training_frame=str(files / "t.csv"), max_memory="4GB")
    with pytest.raises(ParameterError, match=r"^max_memory needs tables in files"):
        h2olite.deeplearning(y="class", training_frame=table, max_memory="4GB")


def test_too_little_memory_says_how_much_is_needed(files, always):
    with pytest.raises(LackOfMemoryError, match=r"^training on t.csv needs about \d+ MB of memory at the least"):
        h2olite.deeplearning(y="class", training_frame=str(files / "t.csv"), max_memory="100MB", **SHORT)


def test_text_among_numbers_has_its_line(files, always):
    with pytest.raises(DataError, match=r"^column 'late' of t.csv: .* \(first: 'text', line 5002\)"):
        h2olite.deeplearning(
            y="class", training_frame=str(files / "t.csv"), max_memory="4GB", numeric=["late"], **SHORT
        )


def test_numeric_classes_must_be_named_in_factors(files, always):
    given = {"y": "code", "training_frame": str(files / "t.csv"), "max_memory": "4GB", "distribution": "multinomial"}
    with pytest.raises(DataError, match=r"^column 'code' of t.csv is numeric, .* name it in factors"):
        h2olite.deeplearning(**given, **SHORT)
    assert h2olite.deeplearning(**given, factors=["code"], **SHORT).category == "Multinomial"


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2e9), ("1.5 GiB", 1.5 * 2**30), ("800m", 8e8), ("7", 7), (".5kb", 500), ("3T", 3e12)]
)
def test_sizes_are_read(text, size):
    assert bytes_of(text) == size


def test_memory_of_the_machine_bounds_the_window(files, monkeypatch):
    monkeypatch.setattr(frames, "TRAINED_CELL", 1e9)
    monkeypatch.setattr(memory, "available_memory", lambda: 1e6)
    monkeypatch.setattr(frames, "available_memory", lambda: 1e6)
    with pytest.raises(LackOfMemoryError, match=r"^training on t.csv needs about"):
        h2olite.deeplearning(y="class", training_frame=str(files / "t.csv"), max_memory="4GB", **SHORT)
