"""Model files that were damaged or made to do harm are refused, or do none."""

import copy
import dataclasses
import json
import sys
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import members_of, mutant, npy, trained, use, zip_of
from zoo import table_of

import h2olite
from h2olite.data.encoding import EncodedRows
from h2olite.errors import ArtifactError
from h2olite.training.task import objective_of

KINDS = (
    "penguins",
    "EnumLimited",
    "Binary",
    "balanced classes",
    "autoencoder",
    "offset",
    "hashed",
    "RectifierWithDropout",
    "Quantile numbers",
    "PiecewiseLinear numbers",
)

QUICKLY = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

HOSTILE = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 2, 17, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.5, 1e300, 1e-300]),
    st.sampled_from(
        ["", "a", "../../etc/passwd", "os:system", "a\0b", [], {}, [[]], [None], [0] * 1000, {"a": []}, [1e308]]
    ),
    st.sampled_from([["x", "x"], ["a", 1], [-1], [10**9] * 3, {"__class__": "x"}]),
)


@pytest.fixture(scope="module")
def contents():
    """The members of some models' files, by kind."""
    return {kind: members_of(kind, "h2olite") for kind in KINDS}


def places_in(value, path=()):
    """The keys and indices that lead to every value in a document."""
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value[:5])
        for key, item in items:
            yield from places_in(item, (*path, key))


def with_value(document, path, value):
    """A copy with another value in a place."""
    if not path:
        return value
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


@pytest.mark.parametrize("fifty", range(3))
def test_a_file_of_another_meaning_does_no_harm(fifty, tmp_path):
    for number in range(50 * fifty, 50 * fifty + 50):
        use(*mutant(number, tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_another_one_takes_the_place_of_does_no_harm(kind, contents, tmp_path):
    members = contents[kind]
    whole = json.loads(members["model.json"])
    places = sorted(places_in(whole), key=str)

    @QUICKLY
    @given(place=st.sampled_from(places), value=HOSTILE)
    def check(place, value):
        document = json.dumps(with_value(whole, place, value))
        use(zip_of(tmp_path / "m.h2olite", members | {"model.json": document}), kind)

    check()


@pytest.mark.parametrize("kind", KINDS[:2])
def test_an_array_that_another_one_takes_the_place_of_does_no_harm(kind, contents, tmp_path):
    members = contents[kind]
    arrays = sorted(name for name in members if name != "model.json")
    shapes = st.lists(st.integers(0, 9), max_size=4).map(tuple)

    @QUICKLY
    @given(
        name=st.sampled_from(arrays),
        other=st.one_of(
            st.none(),
            st.tuples(shapes, st.sampled_from(["f4", "f8", "i4", "u1", "?", "f2"])).map(lambda of: np.ones(*of)),
            st.just(np.full((2, 2), np.nan, np.float32)),
        ),
    )
    def check(name, other):
        changed = {key: content for key, content in members.items() if key != name}
        use(zip_of(tmp_path / "m.h2olite", changed if other is None else changed | {name: npy(other)}), kind)

    check()


@pytest.mark.parametrize("kind", KINDS[:1])
def test_changed_bytes_do_no_harm(kind, contents, tmp_path):
    whole = zip_of(tmp_path / "whole", contents[kind]).read_bytes()

    @QUICKLY
    @given(start=st.integers(0, len(whole)), length=st.integers(0, 200), other=st.binary(max_size=200))
    def check(start, length, other):
        (tmp_path / "m.h2olite").write_bytes(whole[:start] + other + whole[start + length :])
        use(tmp_path / "m.h2olite", kind)

    check()


UNSOUND = [
    (("encoder", "predictors"), ["sex"] * 6, "two predictors have the same name"),
    (("encoder", "levels", 0), ["Biscoe", "Dream", 3], r"document.encoder.levels\[0\]\[2\] is not as it must be"),
    (("encoder", "levels", 0), ["Biscoe", "Dream", "Dream"], "two levels of a predictor are the same"),
    (("encoder", "levels", 0), ["Biscoe", "Dream"], "importances are not as many as inputs"),
    (("encoder", "subtrahend"), [0.0] * 5, "numeric predictors lack their numbers"),
    (("encoder", "multiplier", 0), 0, "a predictor is multiplied by 0"),
    (("encoder", "imputed", 0), 1e300, "a missing number cannot be encoded"),
    (("encoder", "missing_seen"), [True], "missing_seen is not as many as levels"),
    (("encoder", "n_slots"), 10**9, "n_slots is no number of inputs"),
    (("encoder", "n_slots"), -3, "n_slots is no number of inputs"),
    (("encoder", "times"), ["sex"], "a time is no numeric predictor"),
    (("parameters", "hidden"), [7, 5, 5], "layer3.weights|KeyError|must be float32|rates of other layers"),
    (("parameters", "hidden"), [10**9], "the network must have at most 100,000,000 weights"),
    (("parameters", "hidden"), [-7, 5], "every entry of hidden must be"),
    (("parameters", "hidden"), [9000, 9000], "there are too few weights"),
    (("parameters", "hidden_dropout_ratios"), [0.5], "hidden_dropout_ratios need an activation WithDropout"),
    (("parameters", "activation"), "Sine", "activation must be one of"),
    (("parameters", "epochs"), "nan", "epochs must be a number"),
    (("parameters", "autoencoder"), True, "autoencoders have no response"),
    (("parameters", "distribution"), "gaussian", "distribution gaussian needs a numeric response"),
    (("parameters", "distribution"), "AUTO", "distribution of a model must be settled, here as multinomial; got AUTO"),
    (("parameters", "distribution"), "bernoulli", "distribution of a model must be settled, here as multinomial"),
    (("parameters", "loss"), "Huber", "loss Huber needs a numeric response"),
    (("parameters", "loss"), "Automatic", "loss of a model must be settled, here as CrossEntropy"),
    (("parameters", "activation"), "Maxout", "must be float32"),
    (("parameters", "sparsity_beta"), 0.5, "sparsity_beta needs an autoencoder"),
    (("parameters", "offset_column"), "body_mass_g", "offset_column needs a numeric response"),
    (("parameters", "weights_column"), "species", "y and weights_column must be different columns"),
    (("parameters", "class_sampling_factors"), [1.0], "class_sampling_factors need balance_classes"),
    (("parameters", "custom_metric_func"), ["os:abort"], "parameters.custom_metric_func is not as it must be"),
    (("response", "levels"), ["Adelie", "Adelie", "Gentoo"], "two classes are the same"),
    (("response", "levels"), ["Adelie"], "there must be two classes or more"),
    (("response", "name"), "sex", "a predictor is the response, or a column of weights or folds"),
    (("parameters", "weights_column"), "sex", "a predictor is the response, or a column of weights or folds"),
    (("response", "multiplier"), 5e-324, "predictions may be infinite"),
    (("response", "multiplier"), -1e-300, "predictions may be infinite"),
    (("training_metrics", "confusion_matrix", "matrix"), [[1, 2]], "the confusion matrix is not square"),
    (("training_metrics", "logloss"), "small", "logloss is not as it must be"),
    (("training_metrics",), {"nobs": 3}, "metrics lacks something"),
    (("history", 0, "duration"), None, "a measurement has no time"),
    (("history", 0), {}, "history lacks something"),
    (("threshold",), 1.5, "the threshold is no probability"),
    (("rows_seen",), 2**63 - 1, "a number of rows, inputs or epochs is out of range"),
    (("rows_seen",), -1, "a number of rows, inputs or epochs is out of range"),
    (("record", "iterations"), {}, "document.record.iterations is not as it must be"),
    (("record", "rows"), [], "document.record.rows is not as it must be"),
    (("record", "epochs"), -1.0, "a number of rows, inputs or epochs is out of range"),
    (("record", "origin", "packages"), ["numpy"], "origin.packages is not as it must be"),
    (("record", "origin", "given"), {"hiden": [3]}, "'hiden' is not a parameter"),
    (("importances",), [1.0], "importances are not as many as inputs"),
    (("rows_seen",), 2**70, "document.rows_seen is not as it must be"),
    (("record", "pruned_inputs"), -1, "a number of rows, inputs or epochs is out of range"),
    (
        ("cross_validation",),
        {"metrics": {}, "by_fold": [], "predictions": None, "models": [{"cross_validation": {}}]},
        "a fold's model is cross-validated itself",
    ),
    (("model_id",), None, "document.model_id is not as it must be"),
]
"""Places in the document of a model of penguins, values that do not fit there, and why."""


@pytest.mark.parametrize(("place", "value", "reason"), UNSOUND)
def test_parts_that_do_not_fit_together_are_refused(place, value, reason, contents, tmp_path):
    whole = json.loads(contents["penguins"]["model.json"])
    document = json.dumps(with_value(whole, ("document", *place), value))
    path = zip_of(tmp_path / "m.h2olite", contents["penguins"] | {"model.json": document})
    with pytest.raises(ArtifactError, match=f"m.h2olite is damaged: its parts do not fit together .*({reason})"):
        h2olite.load_model(path)


UNSOUND_CURVES = [
    ("PiecewiseLinear", ("kind",), "Sine", "KeyError"),
    ("PiecewiseLinear", ("kind",), "Robust", "importances are not as many as inputs"),
    ("Quantile", ("kind",), "Robust", "numbers are of another numeric_encoding"),
    ("PiecewiseLinear", ("bent",), [True], "curves are of other predictors"),
    ("PiecewiseLinear", ("bent", 1), False, "a predictor has knots exactly where it is bent"),
    ("PiecewiseLinear", ("knots",), [], "a predictor lacks its knots"),
    ("PiecewiseLinear", ("knots", 1), [2.0, 1.0], "knots do not ascend"),
    ("PiecewiseLinear", ("knots", 1), [2.0, 2.0], "knots do not ascend"),
    ("PiecewiseLinear", ("knots", 1), [2.0, 10**400], "is not as it must be"),
    ("PiecewiseLinear", ("knots", 1), [], "a predictor has knots exactly where it is bent"),
    ("PiecewiseLinear", ("knots", 1), [1.0, 2.0], "importances are not as many as inputs"),
    ("PiecewiseLinear", ("knots", 1, 0), "0", "is not as it must be"),
    ("PiecewiseLinear", ("origin", 1), 0, "the knot without a hat is not 0"),
    ("PiecewiseLinear", ("origin", 1), 99, "the knot without a hat is not 0"),
    ("PiecewiseLinear", ("origin",), [-1], "curves are of other predictors"),
    ("PiecewiseLinear", ("missing", 1), True, "importances are not as many as inputs"),
    ("Quantile", ("heights", 1), [0.0], "a knot has no height"),
    ("Quantile", ("heights", 1, 0), -1e30, "a height is no normal quantile"),
]
"""Places in the curves of a model, values that do not fit there, and why."""


@pytest.mark.parametrize(("encoding", "place", "value", "reason"), UNSOUND_CURVES)
def test_curves_that_could_not_encode_numbers_are_refused(encoding, place, value, reason, contents, tmp_path):
    members = contents[f"{encoding} numbers"]
    whole = json.loads(members["model.json"])
    document = json.dumps(with_value(whole, ("document", "encoder", "curves", *place), value))
    path = zip_of(tmp_path / "m.h2olite", members | {"model.json": document})
    with pytest.raises(ArtifactError, match=f"m.h2olite is damaged: its parts do not fit together .*({reason})"):
        h2olite.load_model(path)


def test_numbers_beyond_all_bounds_are_refused(contents, tmp_path):
    document = contents["penguins"]["model.json"].replace(b'"rows_seen":', b'"rows_seen":1e999,"more":')
    path = zip_of(tmp_path / "m.h2olite", contents["penguins"] | {"model.json": document})
    with pytest.raises(ArtifactError, match=r"document\.rows_seen is not as it must be"):
        h2olite.load_model(path)


def test_a_function_named_in_a_file_is_not_imported(contents, tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    whole = json.loads(contents["penguins"]["model.json"])
    document = json.dumps(with_value(whole, ("document", "parameters", "custom_metric_func"), "trap:metric"))
    path = zip_of(tmp_path / "m.h2olite", contents["penguins"] | {"model.json": document})
    model = h2olite.load_model(path)
    assert model.model_performance(table_of("penguins")).custom_metric_value() is None
    assert "trap" not in sys.modules


def refused(kind, tmp_path, document=(), arrays=()):
    """Why a file is refused that differs from a model's in these values of the document, and in these arrays."""
    members = dict(members_of(kind, "h2olite"))
    whole = json.loads(members["model.json"])
    for place, value in dict(document).items():
        whole = with_value(whole, ("document", *place), value)
    members |= {"model.json": json.dumps(whole)} | {f"{name}.npy": npy(array) for name, array in dict(arrays).items()}
    with pytest.raises(ArtifactError) as caught:
        h2olite.load_model(zip_of(tmp_path / "m.h2olite", members))
    return str(caught.value)


def test_an_autoencoder_whose_outputs_would_have_two_channels_is_refused(tmp_path):
    whole = trained("autoencoder").network.to_arrays()
    twice = {
        name: np.concatenate([array, array], axis=-2) if name.startswith(("layer1", "layer2")) else array
        for name, array in whole.items()
    }
    reason = refused("autoencoder", tmp_path, {("parameters", "activation"): "Maxout"}, twice)
    assert "activation of an autoencoder must be Tanh, Rectifier or ExpRectifier; got Maxout." in reason


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (("parameters", "distribution"), "poisson", "distribution of an autoencoder must be one of"),
        (("parameters", "distribution"), "AUTO", "distribution of a model must be settled, here as gaussian"),
        (("parameters", "loss"), "CrossEntropy", "loss CrossEntropy needs a response"),
        (("parameters", "use_all_factor_levels"), False, "use_all_factor_levels of a model must be settled"),
        (("parameters", "y"), "two", "y cannot be given for an autoencoder"),
        (("parameters", "nfolds"), 3, "nfolds cannot be given for an autoencoder"),
    ],
)
def test_the_rules_of_autoencoders_hold_for_files_too(place, value, why, tmp_path):
    assert why in refused("autoencoder", tmp_path, {place: value})


@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38, -1e10])
@pytest.mark.parametrize("part", ["weights", "biases"])
def test_weights_that_would_have_ended_training_are_refused(part, number, tmp_path):
    array = trained("penguins").network.to_arrays()[f"layer2.{part}"]
    array.flat[-1] = number
    assert "the weights of layer 2 are beyond all bounds" in refused(
        "penguins", tmp_path, arrays={f"layer2.{part}": array}
    )


@pytest.mark.parametrize(
    ("name", "number", "why"),
    [
        ("layer1.weights.first", np.nan, "what training left is not finite"),
        ("layer2.biases.second", np.inf, "what training left is not finite"),
        ("layer1.weights.second", -1.0, "a mean of squares is below 0"),
    ],
)
def test_a_memory_of_gradients_that_training_could_not_go_on_from_is_refused(name, number, why, tmp_path):
    array = trained("penguins").network.to_arrays()[name]
    array.flat[0] = number
    assert why in refused("penguins", tmp_path, arrays={name: array})


def test_hashed_inputs_are_fewer_than_those_that_are_hashed(tmp_path):
    assert "n_slots is no number of inputs" in refused("hashed", tmp_path, {("encoder", "n_slots"): 20_000_000})
    assert "n_slots is no number of inputs" in refused("numbers only", tmp_path, {("encoder", "n_slots"): 1})


def test_a_model_without_predictors_is_refused_unless_training_left_none(tmp_path):
    nothing = {"predictors": [], "levels": [], "missing_seen": [], "subtrahend": [], "multiplier": [], "imputed": []}
    changes = {("encoder", name): value for name, value in nothing.items()} | {("importances",): []}
    arrays = {
        name: array[:0]
        for name, array in trained("numbers only").network.to_arrays().items()
        if name.startswith("layer1.weights")
    }
    assert "there are no predictors" in refused("numbers only", tmp_path, changes, arrays)


def test_a_model_that_training_left_no_predictor_can_be_shown(tmp_path):
    table = {"a": np.arange(50.0), "y": np.random.default_rng(0).normal(size=50)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = h2olite.deeplearning(y="y", training_frame=table, hidden=[], l1=10.0, epochs=50, seed=1)
    assert model.schema == {}
    loaded = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    assert loaded.report()["weights"]["zero_share"] == 1.0
    assert loaded.predict(table)["predict"].nunique() == 1


def test_a_model_of_parts_that_are_not_made_for_one_another_cannot_be_made():
    model, other = trained("Maxout"), trained("Tanh")
    with pytest.raises(ValueError, match="the network has another shape"):
        dataclasses.replace(model, network=other.network)
    with pytest.raises(ValueError, match="the network has another shape"):
        dataclasses.replace(other, parameters=model.parameters)
    with pytest.raises(ValueError, match="the network has other numbers than its shape"):
        dataclasses.replace(other, network=dataclasses.replace(other.network, first=other.network.first[:-1]))
    model = copy.copy(other)
    state = other.__getstate__() | {"network": trained("Maxout").network}
    with pytest.raises(ValueError, match="the network has another shape"):
        model.__setstate__(state)


def test_kernels_are_not_called_with_an_objective_for_other_layers():
    model, other = trained("Tanh"), trained("Maxout")
    rows = EncodedRows(np.zeros((1, 4), np.int32), np.zeros((1, 3), np.float32))
    with pytest.raises(ValueError, match="the network has not the layers that the objective is for"):
        model.engine(rows, 1).predict(objective_of(other.parameters), rows)
    with pytest.raises(ValueError, match="the network has not the layers that the objective is for"):
        other.engine(rows, 1).predict(objective_of(other.parameters)._replace(autoencoder=True), rows)
    wide = EncodedRows(np.zeros((1, 0), np.int32), np.zeros((1, 99), np.float32))
    with pytest.raises(ValueError, match="the rows have more numbers than the network has inputs"):
        model.engine(rows, 1).predict(objective_of(model.parameters), wide)


def test_memories_whose_rates_are_beyond_all_numbers_can_be_saved_again(tmp_path):
    model = copy.deepcopy(trained("penguins"))
    model.network.first[:] = 0
    model.network.second[:] = 3e38
    model.parameters = dataclasses.replace(model.parameters, epsilon=1e-30)
    assert h2olite.load_model(model.save(tmp_path / "m.h2olite")).rates[0] == {}
