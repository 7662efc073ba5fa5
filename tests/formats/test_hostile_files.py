"""Model files that were damaged or made to do harm are refused, or do none."""

import contextlib
import copy
import io
import json
import sys
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zoo import model_of, table_of

import h2olite
from h2olite.errors import ArtifactError, H2OLiteError
from h2olite_cli.report import describe

KINDS = (
    "penguins",
    "EnumLimited",
    "Binary",
    "balanced classes",
    "autoencoder",
    "offset",
    "hashed",
    "RectifierWithDropout",
)

QUICKLY = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

HOSTILE = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 2, 17, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.5, 1e300, 1e-300]),
    st.sampled_from(
        ["", "a", "../../etc/passwd", "os:system", "a\0b", [], {}, [[]], [None], [0] * 1000, {"a": []}, [1e308]]
    ),
    st.sampled_from([["x", "x"], ["a", 1], [-1], [10**9] * 3, {"__class__": "x"}]),
)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """The members of some models' files, by kind."""
    folder = tmp_path_factory.mktemp("models")
    return {kind: members_of(model_of(kind).save(folder / "m.h2olite")) for kind in KINDS}


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


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


def use(path, kind):
    """Load a file; if it is a model, do with it what people do."""
    frame = table_of(kind).head(5)
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.suppress(H2OLiteError):
        warnings.simplefilter("ignore")
        model = h2olite.load_model(path)
        model.report(), model.summary(), model.weights(0), model.scoring_history(), repr(model), describe(model)
        model.save(path)
        h2olite.Scorer(model).predict(frame.iloc[0].to_dict())
        model.predict(frame)
        model.varimp()


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
    (("encoder", "n_slots"), 10**9, "the network must have at most 100,000,000 weights"),
    (("encoder", "n_slots"), -3, "n_slots is no number of inputs"),
    (("encoder", "times"), ["sex"], "a time is no numeric predictor"),
    (("parameters", "hidden"), [7, 5, 5], "layer3.weights|KeyError|must be float32"),
    (("parameters", "hidden"), [10**9], "the network must have at most 100,000,000 weights"),
    (("parameters", "hidden"), [-7, 5], "every entry of hidden must be"),
    (("parameters", "hidden"), [9000, 9000], "there are too few weights"),
    (("parameters", "hidden_dropout_ratios"), [0.5], "dropout ratios are not as many as hidden layers"),
    (("parameters", "activation"), "Sine", "activation must be one of"),
    (("parameters", "epochs"), "nan", "epochs must be a number"),
    (("parameters", "autoencoder"), True, "autoencoders have no response"),
    (("parameters", "distribution"), "gaussian", "distribution gaussian is for others"),
    (("parameters", "custom_metric_func"), ["os:abort"], "parameters.custom_metric_func is not as it must be"),
    (("response", "levels"), ["Adelie", "Adelie", "Gentoo"], "two classes are the same"),
    (("response", "levels"), ["Adelie"], "there must be two classes or more"),
    (("training_metrics", "confusion_matrix", "matrix"), [[1, 2]], "the confusion matrix is not square"),
    (("training_metrics", "logloss"), "small", "logloss is not as it must be"),
    (("importances",), [1.0], "importances are not as many as inputs"),
    (("rows_seen",), 2**70, "document.rows_seen is not as it must be"),
    (("record", "pruned_inputs"), -1, "pruned_inputs is no number of inputs"),
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
