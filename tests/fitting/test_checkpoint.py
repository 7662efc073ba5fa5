import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import ArtifactError, DataError, ParameterError
from h2olite.formats import artifact

DATASETS = Path(__file__).parent.parent.parent / "datasets"
IRIS = pd.read_csv(DATASETS / "iris.csv")
CLOCK = ("timestamp", "duration", "training_speed")


def train(frame=IRIS, **given):
    return h2olite.deeplearning(training_frame=frame, **given)


def start(frame=IRIS, **given):
    """A first training; short, and the same each time."""
    return train(frame, **{"y": "species", "hidden": [6, 5], "epochs": 2, "seed": 1, "reproducible": True} | given)


def untimed(model):
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in model.history]


def assert_same(model, other):
    """Both models are in the same state, bit for bit."""
    arrays, others = model.network.to_arrays(), other.network.to_arrays()
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)
    assert untimed(model) == untimed(other)
    assert model.record.stopping_values == other.record.stopping_values
    assert (model.record.epochs, model.record.iterations) == (other.record.epochs, other.record.iterations)
    assert model.training_metrics.to_json() == other.training_metrics.to_json()


@pytest.mark.proves("checkpoint")
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"averaging_window": 0},
        {"l1": 1e-3, "hidden": []},
        {"mini_batch_size": 7},
        {"activation": "TanhWithDropout", "input_dropout_ratio": 0.1},
        {"adaptive_rate": False, "momentum_start": 0.5, "momentum_stable": 0.9, "momentum_ramp": 1000},
        {"update_rule": "Adam", "mini_batch_size": 7},
        {"update_rule": "AdamW", "l2": 0.1},
        {"y": "petal_width", "distribution": "huber"},
        {"balance_classes": True, "class_sampling_factors": [1.0, 2.0, 0.5]},
        {"y": "petal_width", "categorical_encoding": "EnumLimited"},
    ],
    ids=[
        *("defaults", "no average", "l1", "mini-batches", "dropout", "momentum"),
        *("Adam", "AdamW", "huber", "balanced", "EnumLimited"),
    ],
)
def test_six_epochs_and_four_more_are_ten(given, tmp_path):
    path = start(epochs=6, **given).save(tmp_path / "m.h2olite", keep_state=True)
    assert_same(train(checkpoint=path, epochs=10), start(epochs=10, **given))


@pytest.mark.parametrize("averaging_window", [0, 0.1])
def test_training_goes_on_from_the_last_weights_though_the_best_predict(averaging_window, tmp_path):
    given = {"adaptive_rate": False, "rate": 0.3, "averaging_window": averaging_window, "seed": 3, "hidden": 5}
    first = start(epochs=6, **given)
    assert first.network.last is not None
    path = first.save(tmp_path / "m.h2olite", keep_state=True)
    assert_same(h2olite.load_model(path), first)
    assert_same(train(checkpoint=path, epochs=10), start(epochs=10, **given))


def test_six_epochs_and_four_more_are_ten_with_levels_so_many_that_the_average_looks_rarely():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.integers(0, 400, 500).astype(str), "b": random.normal(size=500)})
    given = {"frame": frame, "y": "b", "hidden": 3}
    assert_same(train(frame, checkpoint=start(epochs=6, **given), epochs=10), start(epochs=10, **given))


def test_a_model_is_not_changed_by_going_on_from_it():
    model = start()
    before = {name: array.copy() for name, array in model.network.to_arrays().items()}
    history = untimed(model)
    train(checkpoint=model, epochs=4)
    for name, array in model.network.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])
    assert untimed(model) == history


def test_what_is_not_given_is_as_in_the_checkpoint():
    model = train(checkpoint=start(l2=1e-3, x=["petal_width", "petal_length"]), epochs=3, l1=1e-4)
    p = model.parameters
    assert (p.hidden, p.l1, p.l2, p.y, p.seed, p.reproducible) == ([6, 5], 1e-4, 1e-3, "species", 1, True)
    assert model.schema.keys() == {"petal_length", "petal_width"}
    assert model.record.epochs == 3


def test_predictors_that_left_the_model_stay_away():
    first = start(input_group_l1=0.8, hidden=6, epochs=4)
    assert first.record.unused
    model = train(checkpoint=first, epochs=5, x=[0, 1, 2, 3])
    features = model.report()["features"]
    assert features["unused"][: len(first.record.unused)] == first.record.unused
    assert features["total"] == 4


def test_average_may_be_switched_on_and_off():
    averaged, last = start(), start(averaging_window=0)
    assert not train(checkpoint=averaged, epochs=3, averaging_window=0).network.is_averaged
    assert train(checkpoint=last, epochs=3, averaging_window=0.1).network.is_averaged


def test_all_that_must_not_change_is_told_at_once():
    with pytest.raises(ParameterError) as caught:
        train(
            checkpoint=start(),
            hidden=[9],
            activation="tanh",
            epochs=2,
            validation_frame=IRIS,
            initial_biases=[None, None],
            distribution="AUTO",
        )
    assert str(caught.value) == (
        "activation must be as in the checkpoint (Rectifier); got Tanh. hidden must be as in the checkpoint ([6, 5]); "
        "got [9]. epochs must be > 2, the epochs trained until the checkpoint; got 2. validation_frame must be left "
        "out, as it was until the checkpoint. initial_biases cannot be combined with checkpoint, which has weights "
        "already; leave one of them out."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"standardize": False}, r"standardize must be as in the checkpoint \(True\); got False."),
        ({"rho": 0.9}, r"rho must be as in the checkpoint \(0.99\); got 0.9."),
        ({"balance_classes": True}, r"balance_classes must be as in the checkpoint \(False\); got True."),
        ({"ignored_columns": ["petal_width"]}, "ignored_columns must be as in the checkpoint"),
        ({"y": "petal_width"}, r"y must be as in the checkpoint \('species'\); got 'petal_width'."),
        ({"x": [0, "petal_width"]}, "x must be as in the checkpoint .*; got 'petal_width', 'sepal_length'."),
        ({"nfolds": 3}, "nfolds and fold_column cannot be combined with checkpoint"),
    ],
)
def test_changes_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        train(checkpoint=start(), epochs=4, **given)


def test_the_same_columns_may_be_named_in_another_way():
    model = train(checkpoint=start(), epochs=3, y=4, x=[3, 2, "sepal_length", "sepal_width", "species"])
    assert model.record.epochs == 3


def test_new_rows_are_read_by_the_columns_and_levels_of_the_old_ones():
    old = pd.DataFrame({"a": ["u", "v", "w"] * 20, "b": np.arange(60.0), "y": ["n", "p"] * 30})
    new = pd.DataFrame({"a": ["v", "x"] * 10, "c": 1.0, "y": ["p", "n"] * 10})
    with pytest.warns(UserWarning, match="treated as missing") as said:
        model = train(new, checkpoint=start(old, y="y", hidden=4), epochs=4, classification_stop=-1)
    assert sorted(str(warning.message) for warning in said) == [
        "column 'a' of training_frame has levels that training did not have, treated as missing: 'x'.",
        "training_frame lacks a predictor, treated as missing: 'b'.",
    ]
    assert model.schema == {"a": "categorical", "b": "numeric"}
    assert (model.record.rows, model.record.samples, model.record.epochs) == (20, 160, 4)


def test_new_classes_are_an_error():
    frame = IRIS.assign(species=IRIS["species"].replace("setosa", "rose"))
    with pytest.raises(DataError, match=r"response 'species' of training_frame has levels .* does not know: 'rose'"):
        train(frame, checkpoint=start(), epochs=3)


@pytest.mark.parametrize(
    ("y", "change", "value"),
    [
        ("species", {"species": "setosa"}, "setosa"),
        ("petal_width", {"petal_width": 1.5}, "1.5"),
        ("species", {"species": ["virginica"] + [None] * 149}, "virginica"),
        ("species", {"w": (IRIS["species"] == "versicolor") * 2.0}, "versicolor"),
        ("petal_width", {"w": (np.arange(150) == 3) * 1.0}, "0.2"),
    ],
    ids=["one class", "one number", "one row", "one class of any weight", "one row of any weight"],
)
def test_rows_with_one_value_of_the_response_are_refused_as_at_the_start(y, change, value):
    old = IRIS.assign(w=1.0 + np.arange(150) % 2)
    new = old.assign(**change)
    first = start(old, y=y, weights_column="w")
    for goes_on in (True, False):
        given = {"checkpoint": first, "epochs": 4} if goes_on else {"y": y, "weights_column": "w", "seed": 1}
        with pytest.raises(DataError, match=rf"response '{y}' .* must have at least two values .* is '{value}' in all"):
            train(new, **given)


def test_rows_that_skip_leaves_with_one_class_are_refused():
    frame = IRIS.assign(petal_width=IRIS["petal_width"].where(IRIS["species"] == "setosa"))
    for given in ({"checkpoint": start(missing_values_handling="Skip"), "epochs": 4}, {"y": "species"}):
        with pytest.raises(DataError, match="is 'setosa' in all rows that can be trained on"):
            train(frame, missing_values_handling="Skip", **given)


def test_numbers_in_a_file_are_classes_where_they_were():
    frame = pd.DataFrame({"a": np.arange(40.0), "y": np.arange(40) % 2})
    model = start(frame, y="y", hidden=3, factors=["y"])
    assert train(frame, checkpoint=model, epochs=3).category == "Binomial"


def test_a_better_past_does_not_count_on_other_rows():
    noisy = IRIS.assign(species=np.random.default_rng(0).permutation(IRIS["species"]))
    first = start(epochs=5)
    model = train(noisy, checkpoint=first, epochs=8)
    assert model.record.stopping_values[:6] == [None] * 6
    assert all(value is not None for value in model.record.stopping_values[6:])


@pytest.mark.parametrize("given", [{}, {"overwrite_with_best_model": False}, {"stopping_metric": "misclassification"}])
def test_measurements_before_count_where_the_last_weights_were_the_model(given):
    given = {"validation_frame": IRIS[1::2], "averaging_window": 1.0, "score_each_iteration": True} | given
    first = start(IRIS[::2], epochs=5, **given)
    assert first.network.last is not None
    np.testing.assert_array_equal(first.network.theta, first.network.iterate)
    model = train(IRIS[::2], checkpoint=first, epochs=8, **given)
    assert model.record.stopping_values == start(IRIS[::2], epochs=8, **given).record.stopping_values


def test_sgd_goes_on_with_the_rate_it_had_come_to():
    given = {"adaptive_rate": False, "rate_annealing": 0.01}
    assert train(checkpoint=start(**given), epochs=3).summary()["mean_rate"][1] == pytest.approx(0.005 / 5.5)


def test_the_rates_of_adam_are_told_with_the_corrections_of_its_means():
    given = {"update_rule": "Adam", "hidden": [3], "mini_batch_size": 7, "beta1": 0.8}
    model = train(checkpoint=start(**given), epochs=3)
    n_updates = 3 * -(-150 // 7)
    assert model.network.n_updates == n_updates
    squares = model.network.weights(0, model.network.second).astype(float)
    rates = 0.001 / (1 - 0.8**n_updates) / (np.sqrt(squares / (1 - 0.999**n_updates)) + 1e-8)
    summary = model.summary()
    assert summary["mean_rate"][1] == pytest.approx(rates.mean())
    assert summary["rate_rms"][1] == pytest.approx(rates.std())
    assert summary["momentum"][1] == 0.8


def test_an_interrupted_training_goes_on_with_its_schedule_as_if_it_had_not_been(tmp_path):
    given = {"rate_schedule": "CosLog", "update_rule": "Adam", "model_id": "m"}

    def die(progress):
        if progress.epochs > 4:
            raise KeyboardInterrupt

    parameters = start_parameters(export_checkpoints_dir=str(tmp_path), epochs=8, **given)
    with pytest.raises(KeyboardInterrupt):
        h2olite.jobs.train(parameters, watch=die)
    assert_same(train(checkpoint=tmp_path, epochs=8), start(epochs=8, **given))


def test_the_schedule_is_in_the_rates_that_are_told():
    given = {"update_rule": "SGD", "rate_annealing": 0, "epochs": 4}
    assert start(rate_schedule="Linear", **given).summary()["mean_rate"][1] == 0


@pytest.mark.parametrize(
    ("begun", "given"), [({}, {"update_rule": "ADADELTA"}), ({"adaptive_rate": False}, {"update_rule": "SGD"})]
)
def test_a_rule_may_be_named_that_was_chosen_without_its_name(begun, given):
    assert train(checkpoint=start(**begun), epochs=3, **given).parameters.update_rule == given["update_rule"]


@pytest.mark.parametrize("given", [{"adaptive_rate": True}, {"update_rule": "ADADELTA"}, {"update_rule": "AdamW"}])
def test_training_does_not_go_on_with_another_update_rule(given):
    with pytest.raises(ParameterError, match=r"update_rule must be as in the checkpoint \(SGD\)"):
        train(checkpoint=start(update_rule="SGD"), epochs=3, **given)


@pytest.mark.proves("export_checkpoints_dir")
def test_every_measurement_leaves_a_whole_checkpoint_in_one_file(tmp_path, monkeypatch):
    kept = []
    replacing = os.replace

    def replace(source, target):
        replacing(source, target)
        kept.append(h2olite.load_model(target).record)

    monkeypatch.setattr(artifact.os, "replace", replace)
    model = start(epochs=3, export_checkpoints_dir=str(tmp_path / "new" / "folder"), model_id="m")
    assert [(record.epochs, record.stopped_by) for record in kept] == [
        (1, "interrupted"),
        (2, "interrupted"),
        (3, "interrupted"),
        (3, "epochs"),
    ]
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["m.h2olite"]
    assert_same(h2olite.load_model(tmp_path / "new" / "folder" / "m.h2olite"), model)


@pytest.mark.proves("checkpoint", "export_checkpoints_dir")
def test_training_that_dies_goes_on_from_its_last_measurement(tmp_path):
    def die(progress):
        if progress.epochs > 4:
            raise KeyboardInterrupt

    given = {"adaptive_rate": False, "rate": 0.3, "model_id": "m"}
    parameters = start_parameters(export_checkpoints_dir=str(tmp_path), epochs=8, **given)
    with pytest.raises(KeyboardInterrupt):
        h2olite.jobs.train(parameters, watch=die)
    assert h2olite.load_model(tmp_path / "m.h2olite").record.epochs == 4
    assert_same(train(checkpoint=tmp_path, epochs=8), start(epochs=8, **given))


def start_parameters(**given):
    from h2olite import jobs

    return jobs.check(
        {"training_frame": IRIS, "y": "species", "hidden": [6, 5], "seed": 1, "reproducible": True} | given
    )


def test_the_newest_whole_model_of_a_folder_is_taken_and_replaced(tmp_path):
    for age, (name, epochs) in enumerate([("new", 3), ("old", 2)]):
        path = start(epochs=epochs, model_id=name, keep_state=True).save(tmp_path / f"{name}.h2olite")
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "newest.h2olite").write_bytes(b"PK\x03\x04 torn")
    model = train(checkpoint=tmp_path, export_checkpoints_dir=str(tmp_path), epochs=4)
    assert (model.model_id, model.parameters.checkpoint) == ("new", "new")
    assert h2olite.load_model(tmp_path / "new.h2olite").record.epochs == 4


def test_the_same_folder_to_export_to_may_be_empty_at_first(tmp_path):
    folder = str(tmp_path / "none")
    with pytest.warns(UserWarning, match=r"checkpoint folder .*none holds no model yet: training starts anew\."):
        start(checkpoint=folder, export_checkpoints_dir=folder)
    assert train(checkpoint=folder, export_checkpoints_dir=folder, epochs=3).record.epochs == 3
    assert len(os.listdir(folder)) == 1


def test_missing_checkpoints_are_told(tmp_path):
    with pytest.raises(ArtifactError, match=r"holds no whole model file \(\*.h2olite\); name another checkpoint."):
        train(checkpoint=tmp_path, epochs=3)
    with pytest.raises(ArtifactError, match="cannot be read: No such file"):
        train(checkpoint=tmp_path / "m.h2olite", epochs=3)
    with pytest.raises(ParameterError, match=r"checkpoint must be a model or the path of one; got int."):
        train(checkpoint=3, epochs=3)


def test_a_folder_that_cannot_be_made_is_told_before_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"export_checkpoints_dir .*file cannot be made: File exists"):
        start(export_checkpoints_dir=str(tmp_path / "file"))


def test_a_model_to_export_needs_a_name_for_its_file(tmp_path):
    with pytest.raises(ParameterError, match=r"model_id must be good for a file name .*; got 'a/b'."):
        start(export_checkpoints_dir=str(tmp_path), model_id="a/b")


def test_seconds_of_a_training_that_went_on_are_those_of_both_parts():
    settings = {"y": "species", "training_frame": IRIS, "hidden": [10], "seed": 1, "stopping_rounds": 0}
    first = h2olite.deeplearning(epochs=200, classification_stop=-1, **settings)
    second = h2olite.deeplearning(epochs=201, checkpoint=first, **settings)
    for name in ("train", "total"):
        assert second.record.seconds[name] > first.record.seconds[name]


def arrays_in(path):
    """What the arrays of a model file are, whatever their layers."""
    _, arrays = artifact.read_artifact(path)
    return {name.split(".", 1)[1] for name in arrays if not name.startswith("background.")}


PREDICTING = {"weights", "biases"}


@pytest.mark.proves("keep_state")
@pytest.mark.parametrize(
    "given",
    [{}, {"averaging_window": 0}, {"adaptive_rate": False, "rate": 0.3}, {"validation_frame": IRIS}],
    ids=["defaults", "no average", "best before last", "validated"],
)
def test_a_file_keeps_what_predicts_and_the_state_of_training_on_request(given, tmp_path):
    model = start(epochs=6, hidden=[50, 50], **given)
    small, large = tmp_path / "small.h2olite", tmp_path / "large.h2olite"
    assert arrays_in(model.save(small)) == PREDICTING
    assert arrays_in(model.save(large, keep_state=True)) > PREDICTING
    assert arrays_in(start(epochs=6, keep_state=True, **given).save(tmp_path / "other.h2olite")) > PREDICTING
    assert small.stat().st_size < 0.6 * large.stat().st_size
    for path in (small, large):
        loaded = h2olite.load_model(path)
        pd.testing.assert_frame_equal(loaded.predict(IRIS), model.predict(IRIS))
        assert loaded.network.has_state is (path == large)
        assert loaded.report()["layers"] == model.report()["layers"]  # learning rates among it
        assert (
            h2olite.load_model(loaded.save(tmp_path / "again.h2olite")).report()["layers"] == model.report()["layers"]
        )


def stop_at_once(progress):
    return False


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"max_runtime_secs": 1e-6, "epochs": 1e6}, "max_runtime_secs"),
        ({"export_checkpoints_dir": "kept"}, "epochs"),
        ({"checkpoint": True, "epochs": 4}, "epochs"),
    ],
    ids=["out of time", "exported", "went on"],
)
def test_state_is_kept_where_training_is_likely_to_go_on(given, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "checkpoint" in given:
        model = train(**given | {"checkpoint": start(stopping_rounds=0)})
    else:
        model = start(**{"stopping_rounds": 0, "classification_stop": -1} | given)
    assert model.stopped_by == named
    assert arrays_in(model.save("m.h2olite")) > PREDICTING


def test_state_of_an_interrupted_training_is_kept(tmp_path):
    from h2olite import jobs

    model = jobs.train(start_parameters(epochs=1e6), watch=stop_at_once)
    assert arrays_in(model.save(tmp_path / "m.h2olite")) > PREDICTING


def test_models_of_folds_paths_and_grids_keep_no_state(tmp_path):
    given = {"y": "species", "training_frame": IRIS, "hidden": [5], "epochs": 2, "seed": 1}
    folds = h2olite.deeplearning(nfolds=2, **given)
    path = h2olite.regularization_path(l1="1e-4:1e-2:2", **given)
    h2olite.grid({"l1": [0, 1e-3]}, directory=tmp_path / "grid", **given)
    for model in (folds, path.model):
        model.save(tmp_path / "m.h2olite")
        _, arrays = artifact.read_artifact(tmp_path / "m.h2olite")
        assert not {name for name in arrays if name.endswith(("first", "second", "iterate", "last"))}
    for file in (tmp_path / "grid").glob("*.h2olite"):
        assert arrays_in(file) == PREDICTING


def test_training_goes_on_from_a_file_without_state_with_a_warning(tmp_path):
    first = start(IRIS[::2], epochs=10, stopping_rounds=0)
    path = first.save(tmp_path / "m.h2olite")
    said = r"^the file of .* has its weights, but no state of training: .*; pass keep_state in the first training"
    with pytest.warns(UserWarning, match=said):
        longer = train(IRIS[::2], checkpoint=path, epochs=40)
    assert longer.record.epochs == 40
    assert longer.network.has_state
    assert longer.logloss() < 0.8 * first.logloss()
    with pytest.warns(UserWarning, match=said):
        train(checkpoint=h2olite.load_model(path), epochs=11)


def test_models_in_memory_go_on_exactly_whatever_their_files_keep(tmp_path):
    first = start(epochs=6)
    first.save(tmp_path / "m.h2olite")
    direct = start(epochs=10)
    assert_same(train(checkpoint=first, epochs=10), direct)
    assert_same(train(checkpoint=pickle.loads(pickle.dumps(first)), epochs=10), direct)


def test_adam_without_its_state_starts_its_corrections_anew(tmp_path):
    first = start(epochs=20, update_rule="Adam", stopping_rounds=0, classification_stop=-1)
    read = h2olite.load_model(first.save(tmp_path / "m.h2olite"))
    assert first.network.resumed(averaged=True).n_updates == first.network.n_updates > 0
    assert read.network.resumed(averaged=True).n_updates == 0
