import json
import math

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import DataError, ParameterError
from h2olite.selection.grid import Failure, Trial
from h2olite.selection.search import combinations

FIXED = {"epochs": 1, "seed": 1, "reproducible": True}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] > 0, "yes", "no")})


@pytest.fixture(scope="module")
def grid(table):
    return h2olite.grid({"hidden": [[3], [4, 4]], "l1": [0, 0.01, -1]}, y="y", training_frame=table, **FIXED)


def search(table, hyper_params, **search_criteria):
    given = FIXED | {"hidden": [3]}
    given = {name: value for name, value in given.items() if name not in hyper_params}
    return h2olite.grid(hyper_params, y="y", training_frame=table, search_criteria=search_criteria, **given)


def test_every_combination_is_trained_in_the_users_order_and_sorted_best_first(grid):
    values = [trial.metrics["logloss"] for trial in grid.trials]
    assert values == sorted(values)
    assert len(grid) == 4
    by_number = sorted(grid.trials, key=lambda trial: trial.model_id)
    assert [trial.model_id for trial in by_number] == [f"grid_model_{k}" for k in (1, 2, 4, 5)]
    assert [tuple(trial.hyper_parameters.values()) for trial in by_number] == [
        ([3], 0),
        ([3], 0.01),
        ([4, 4], 0),
        ([4, 4], 0.01),
    ]
    assert grid.get_hyperparams_dict("grid_model_2") == {"hidden": [3], "l1": 0.01}
    assert grid.get_hyperparams(0) == list(grid.trials[0].hyper_parameters.values())


def test_models_are_those_that_training_one_by_one_gives(grid, table):
    for model in grid:
        settings = grid.get_hyperparams_dict(model.model_id)
        alone = h2olite.deeplearning(y="y", training_frame=table, **FIXED, **settings)
        pd.testing.assert_frame_equal(model.predict(table), alone.predict(table))
        assert grid.logloss()[model.model_id] == alone.logloss()


def test_failing_models_are_recorded_and_the_search_goes_on(grid):
    assert grid.failed_params == [{"hidden": [3], "l1": -1}, {"hidden": [4, 4], "l1": -1}]
    assert grid.failure_details == ["l1 must be >= 0; got -1."] * 2


def test_table_shows_hyper_parameters_model_and_metric(grid):
    table = grid.sorted_metric_table()
    assert list(table.columns) == ["hidden", "l1", "model_ids", "logloss"]
    assert set(table["hidden"]) == {3, "[4, 4]"}
    assert grid.sorted_metric_table(use_pandas=False) == table.to_numpy().tolist()
    assert repr(grid).startswith("Hyper-Parameter Search Summary: ordered by increasing logloss\n")
    assert repr(grid).endswith("\n2 failed; see failure_details")


def test_grid_can_be_sorted_by_another_metric_best_first_or_as_asked(grid):
    aucs = grid.get_grid("auc")
    values = [trial.metrics["auc"] for trial in aucs.trials]
    assert values == sorted(values, reverse=True)
    assert aucs.model_ids == aucs.get_grid("auc", decreasing=True).model_ids
    assert [trial.metrics["auc"] for trial in grid.get_grid("auc", decreasing=False).trials] == sorted(values)
    with pytest.raises(ParameterError, match=r"^models are sorted by one of nobs, .*; got 'ac'; did you mean 'auc'\?$"):
        grid.get_grid("ac")


def test_models_without_the_metric_come_last(grid):
    undefined = Trial({"l1": 9}, "x", grid.trials[0].metrics | {"logloss": math.nan}, "logloss", 1.0, 1.0)
    grid = h2olite.Grid("g", ["l1"], [undefined, *grid.trials], [])
    assert grid.model_ids[-1] == "x"


def test_cross_validation_decides_before_validation_and_training(table):
    given = {"y": "y", "training_frame": table, "validation_frame": table.iloc[:30], "hidden": [3], **FIXED}
    folded = h2olite.grid({"l1": [0]}, nfolds=2, **given)
    plain = h2olite.grid({"l1": [0]}, **given)
    assert folded.trials[0].metrics["logloss"] == folded[0].logloss(xval=True)
    assert plain.trials[0].metrics["logloss"] == plain[0].logloss(valid=True)


def test_random_search_draws_every_combination_once_and_repeats_for_a_seed():
    values = {"a": [1, 2, 3], "b": "xy", "c": [0]}
    drawn = list(combinations(values, "RandomDiscrete", 1))
    in_order = list(combinations(values, "Cartesian", 1))
    assert in_order[0] == {"a": 1, "b": "x", "c": 0}
    assert in_order[1] == {"a": 1, "b": "y", "c": 0}
    assert sorted(map(str, drawn)) == sorted(map(str, in_order))
    assert drawn == list(combinations(values, "RandomDiscrete", 1))
    assert drawn not in (in_order, list(combinations(values, "RandomDiscrete", 2)))


def test_random_search_draws_one_by_one_from_more_combinations_than_fit_in_memory():
    drawn = combinations({name: range(1000) for name in "abcde"}, "RandomDiscrete", 1)
    assert len({tuple(next(drawn).values()) for _ in range(50)}) == 50


def test_sequential_search_takes_values_side_by_side(table):
    grid = search(table, {"l1": [0, 0.01], "rho": [0.9, 0.95]}, strategy="sequential")
    assert sorted(grid.get_hyperparams(i) for i in range(2)) == [[0, 0.9], [0.01, 0.95]]
    message = r"^strategy Sequential needs equally many values of each hyper-parameter; got \{'l1': 1, 'rho': 2\}\.$"
    with pytest.raises(ParameterError, match=message):
        search(table, {"l1": [0], "rho": [0.9, 0.95]}, strategy="Sequential")


def test_max_models_counts_models_that_could_be_trained(table):
    grid = search(table, {"l1": [-1, 0, 0.01, 0.02]}, max_models=2)
    assert sorted(trial.hyper_parameters["l1"] for trial in grid.trials) == [0, 0.01]
    assert len(grid.failures) == 1


def test_time_limit_of_the_search_ends_the_running_model_and_begins_no_other(table):
    hyper_params = {"epochs": [1e9, 2e9], "stopping_rounds": [0], "classification_stop": [-1]}
    assert [model.stopped_by for model in search(table, hyper_params, max_runtime_secs=0.3)] == ["max_runtime_secs"]


def test_random_search_ends_when_the_best_models_no_longer_improve(table):
    rhos = np.linspace(0.9, 0.99, 40).tolist()
    criteria = {"stopping_rounds": 2, "stopping_tolerance": 0.5, "seed": 1}
    assert len(search(table, {"rho": rhos}, strategy="RandomDiscrete", **criteria)) < 40


def test_search_seed_gives_models_seeds_of_their_own_unless_they_have_one(table):
    given = {"y": "y", "training_frame": table, "hidden": [3], "epochs": 1, "search_criteria": {"seed": 10}}
    seeds = {model.model_id: model.parameters.seed for model in h2olite.grid({"l1": [0, 0.01]}, **given)}
    assert seeds == {"grid_model_1": 11, "grid_model_2": 12}
    assert [model.parameters.seed for model in h2olite.grid({"l1": [0]}, seed=5, **given)] == [5]


@pytest.mark.parametrize(
    ("hyper_params", "message"),
    [
        ({}, "^a grid needs at least one hyper-parameter, such as l1 "),
        ({"hiden": [1]}, r"^'hiden' is not a parameter; did you mean 'hidden'\?"),
        ({"y": ["a"]}, "^y cannot be a hyper-parameter; it is the same for all models of a grid."),
        ({"l1": []}, r"^hyper-parameter l1 must have a list of values to try; got \[\]\."),
        ({"l1": 0.1}, r"^hyper-parameter l1 must have a list of values to try; got 0\.1\."),
        ({"epochs": [1]}, r"^epochs is both a hyper-parameter and set to 2\.0; choose one\.$"),
    ],
)
def test_hyper_parameters_that_cannot_be_searched_are_refused(table, hyper_params, message):
    with pytest.raises(ParameterError, match=message):
        h2olite.grid(hyper_params, y="y", training_frame=table, epochs=2)


def test_checkpoint_is_refused(table):
    with pytest.raises(ParameterError, match=r"^checkpoint cannot be given for a grid; search first, then go on with "):
        h2olite.grid({"l1": [0]}, y="y", training_frame=table, checkpoint="model.h2olite")


def test_unknown_criteria_are_refused(table):
    with pytest.raises(ParameterError, match=r"^'max_model' is not a parameter; did you mean 'max_models'\?$"):
        search(table, {"l1": [0]}, max_model=3)
    with pytest.raises(ParameterError, match=r"^the search's stopping_metric must be one that its models have; got "):
        search(table, {"l1": [0]}, strategy="RandomDiscrete", stopping_rounds=1, stopping_metric="RMSLE")


def test_search_without_a_single_model_is_an_error(table):
    with pytest.raises(ParameterError, match=r"^no model of the grid could be trained; the first error: l1 must be "):
        search(table, {"l1": [-1]})
    with pytest.raises(DataError, match=r"^no model of the grid could be trained; the first error: .* no column 'z'"):
        h2olite.grid({"l1": [0]}, y="z", training_frame=table)


def test_folder_keeps_models_as_soon_as_they_are_trained_and_the_same_search_goes_on(table, tmp_path):
    folder = tmp_path / "deep" / "search"

    def run(**criteria):
        return h2olite.grid(
            {"l1": [0, 0.01, -1, 0.02]},
            y="y",
            training_frame=table,
            hidden=[3],
            epochs=1,
            search_criteria=criteria,
            directory=folder,
        )

    first = run(max_models=2)
    files = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.h2olite")}
    assert sorted(files) == ["search_model_1.h2olite", "search_model_2.h2olite"]
    whole = run()
    assert len(whole) == 3
    assert {name: (folder / name).stat().st_mtime_ns for name in files} == files
    again = run()
    assert again.model_ids == whole.model_ids
    assert set(first.model_ids) < set(whole.model_ids)
    assert again.failed_params == [{"l1": -1}]
    assert again[0].predict(table).equals(whole[0].predict(table))


def test_random_search_without_seed_goes_on_with_the_same_draws(table, tmp_path):
    def run(max_models):
        return h2olite.grid(
            {"rho": np.linspace(0.9, 0.99, 30)},
            y="y",
            training_frame=table,
            hidden=[3],
            epochs=1,
            search_criteria={"strategy": "RandomDiscrete", "max_models": max_models},
            directory=tmp_path,
            grid_id="g",
        )

    assert set(run(2).model_ids) == {"g_model_1", "g_model_2"}
    assert set(run(3).model_ids) == {"g_model_1", "g_model_2", "g_model_3"}
    assert len(list(tmp_path.glob("*.h2olite"))) == 3


def test_model_whose_file_is_gone_is_trained_again(table, tmp_path):
    given = {"y": "y", "training_frame": table, "hidden": [3], "epochs": 1, "directory": tmp_path, "grid_id": "g"}
    h2olite.grid({"l1": [0, 0.01]}, **given)
    (tmp_path / "g_model_1.h2olite").unlink()
    assert len(h2olite.grid({"l1": [0, 0.01]}, **given).models) == 2


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"epochs": 2}, r"epochs: it was 1\.0, and is 2\.0 now"),
        ({"rho": 0.9}, r"rho: it was the default, and is 0\.9 now"),
        ({"hyper_params": {"l1": [0, 1]}}, r"the search's hyper-parameters: it was \{'l1': \[0\.0\]\}, and is "),
        ({"search_criteria": {"strategy": "RandomDiscrete"}}, "the search's strategy: it was Cartesian, and is Random"),
        ({"training_frame": {"a": [1.0, 2.0], "y": ["no", "yes"]}}, "training_frame: its contents differ"),
    ],
)
def test_another_search_in_the_same_folder_is_refused(table, tmp_path, change, fault):
    given = {"hyper_params": {"l1": [0]}, "y": "y", "training_frame": table, "hidden": [3], "epochs": 1}
    h2olite.grid(**given, directory=tmp_path)
    with pytest.raises(ParameterError, match=rf" holds another search \({fault}.*; repeat that one or choose another"):
        h2olite.grid(**given | change, directory=tmp_path)


def test_what_does_not_change_models_may_differ_when_a_search_goes_on(table, tmp_path):
    given = {"y": "y", "training_frame": table, "hidden": [3], "epochs": 1, "directory": tmp_path}
    h2olite.grid({"l1": [0]}, nthreads=1, **given)
    assert len(h2olite.grid({"l1": [0]}, nthreads=2, quiet_mode=True, **given)) == 1


OUTSIDE = {
    "settings": {},
    "seed": 1,
    "trials": [
        {"hyper_parameters": {}, "model_id": "../m", "metrics": {}, "stopping_metric": "", "epochs": 1, "seconds": 1}
    ],
}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[1]", "[" * 100_000, '{"settings": {}, "seed": 1e999, "trials": []}'),
        *('{"settings": {}, "seed": 1, "trials": [{"model_id": "a"}]}', json.dumps(OUTSIDE)),
    ],
    ids=["nothing", "empty", "a list", "deep", "infinite", "half a trial", "a model elsewhere"],
)
def test_damaged_journal_is_told(table, tmp_path, text):
    (tmp_path / "grid.json").write_text(text)
    with pytest.raises(DataError, match=r"grid\.json is damaged .*; search in another folder\.$"):
        h2olite.grid({"l1": [0]}, y="y", training_frame=table, directory=tmp_path)


def test_folder_that_cannot_be_made_is_told(table, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"^folder .*file cannot be made: File exists; choose another place\.$"):
        h2olite.grid({"l1": [0]}, y="y", training_frame=table, directory=tmp_path / "file")


def test_report_is_plain_json(grid):
    report = json.loads(json.dumps(grid.report()))
    assert report["sort_metric"] == "logloss"
    assert report["models"][0].keys() >= {"model_id", "path", "hyper_parameters", "metric"}
    assert report["models"][0]["metric"] == grid.trials[0].metrics["logloss"]
    assert report["failures"][0] == {"hyper_parameters": {"hidden": [3], "l1": -1}, "error": "l1 must be >= 0; got -1."}
    assert isinstance(grid.failures[0], Failure)


@pytest.mark.parametrize(
    ("hyper_params", "n_models"),
    [
        ({"l1": [0, 1e-3, 0.0, 0.001]}, 2),
        ({"activation": ["Tanh", "tanh", "RectifierWithDropout"], "hidden_dropout_ratios": [None, [0.5]]}, 2),
        ({"distribution": ["AUTO", "bernoulli"], "loss": ["Automatic", "CrossEntropy"]}, 1),
        ({"categorical_encoding": ["OneHotInternal", "AUTO", "Binary"]}, 2),
        ({"hidden": [[3], 3, [3, 3]]}, 2),
        ({"seed": [5, -1, -1, 5]}, 3),
    ],
)
@pytest.mark.parametrize("strategy", ["Cartesian", "RandomDiscrete"])
@pytest.mark.filterwarnings("ignore:.* left out. one before has the same settings")
def test_settings_that_come_to_the_same_are_trained_once(table, hyper_params, n_models, strategy, recwarn):
    found = search(table, hyper_params, strategy=strategy, seed=1)
    assert len(found) == n_models
    assert {trial.model_id for trial in found.trials} <= {f"grid_model_{k}" for k in range(1, 9)}
    told = [warning for warning in found.warnings if "left out: one before has the same settings" in warning]
    n_all = math.prod(map(len, hyper_params.values()))
    assert len(told) == (n_models + len(found.failures) < n_all)


@pytest.mark.filterwarnings("ignore:.* left out. one before has the same settings")
def test_settings_side_by_side_are_trained_once(table):
    found = search(table, {"l1": [0, 1e-3, 0], "hidden": [[3], [3], 3]}, strategy="Sequential")
    assert sorted(trial.hyper_parameters["l1"] for trial in found.trials) == [0, 1e-3]
    assert found.warnings[-1].startswith("1 combination left out: ")


def test_search_with_a_negative_seed_gives_models_seeds_of_their_own(table):
    found = search(table, {"seed": [-2, -3]})
    assert {model.parameters.seed for model in found} == {-2, -3}
    settings = {"y": "y", "training_frame": table, "epochs": 1, "hidden": [3], "reproducible": True}
    grids = [h2olite.grid({"l1": [0, 1e-3]}, search_criteria={"seed": -7}, **settings) for _ in range(2)]
    (seeds, again) = [sorted(model.parameters.seed for model in grid) for grid in grids]
    assert seeds == again
    assert len(set(seeds)) == 2
