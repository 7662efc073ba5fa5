"""Model files and MOJOs whose meaning was changed, and all that people do with a model.

``python tests/mutants.py FIRST LAST`` tries the mutants of these numbers, and says which of them do harm.
"""

import contextlib
import copy
import functools
import io
import json
import random
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np
from zoo import DATASETS, KINDS, model_of, table_of

import h2olite
from h2olite.errors import H2OLiteError
from h2olite.settings.parameters import declared
from h2olite_cli.command_line import command_line
from h2olite_cli.models import history
from h2olite_cli.report import describe, describe_training

ODD = [
    *(None, True, False, 0, -1, 1, 2, 3, 15, 16, 17, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**30),
    *(0.5, -0.5, 1e5, 1e300, -1e300, 1e-300, 1e38),
    *("", "a", "yes", "../../etc/passwd", "os:system", "a\0b", "layer1.weights"),
    *([], {}, [[]], [None], [0] * 100, {"a": []}, [1e308], ["x", "x"], ["a", 1], [-1], [10**9] * 3, {"__class__": "x"}),
]

WORDS = sorted({choice for parameter in declared().values() for choice in parameter.choices or ()})

KINDS_OF_FILES = {
    **KINDS,
    "Maxout of three classes": {"y": "three", "activation": "Maxout", "hidden": [20, 18]},
    "Maxout for a number": {"y": "amount", "activation": "MaxoutWithDropout"},
    "sparse autoencoder": {"autoencoder": True, "activation": "Tanh", "sparsity_beta": 0.1, "average_activation": 0.1},
    "momentum": {"y": "two", "adaptive_rate": False, "rate": 0.01, "momentum_stable": 0.5},
    "sparse weights": {"y": "three", "l1": 0.01, "hidden": [40, 40], "epochs": 10},
    "best of several": {"y": "two", "overwrite_with_best_model": True, "epochs": 6, "score_each_iteration": True},
    "cross-validated": {
        "y": "two",
        "nfolds": 2,
        "keep_cross_validation_models": True,
        "keep_cross_validation_predictions": True,
        "keep_cross_validation_fold_assignment": True,
        "fold_assignment": "Modulo",
        "epochs": 1,
    },
    "many classes of a file": {"table": "digits", "y": "digit", "hidden": [9], "epochs": 0.1},
}


def table_for(kind):
    """What a model learns from."""
    return table_of(kind if kind in KINDS else KINDS_OF_FILES[kind].get("table", "Tanh"))


@functools.cache
def trained(kind):
    """The trained model of a kind."""
    if kind in KINDS:
        return model_of(kind)
    given = {name: value for name, value in KINDS_OF_FILES[kind].items() if name != "table"}
    usual = {"hidden": [7, 5], "epochs": 3, "seed": 1, "reproducible": True, "score_training_samples": 0}
    if "table" not in KINDS_OF_FILES[kind]:
        usual["x"] = ["colour", "many", "flag", "code", "a", "b", "when"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = DATASETS / f"{name}.csv" if (name := KINDS_OF_FILES[kind].get("table")) else table_for(kind)
        return h2olite.deeplearning(training_frame=source, **usual | given)


@functools.cache
def members_of(kind, extension):
    """The members of a model's file, or of its MOJO; none if there is no MOJO of such models."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, f"m.{extension}")
        try:
            model = trained(kind)
            model.save(path, keep_state=True) if extension == "h2olite" else model.download_mojo(path)
        except H2OLiteError:
            return {}
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def zip_of(path, members):
    """Write the members as a file."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(array):
    """The bytes of an array's member."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0))
    return stream.getvalue()


def mutant_of(kind, extension, chance):
    """The members of a file with one to three changes of its meaning; `chance` is a random.Random."""
    members = dict(members_of(kind, extension))
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        if extension == "zip":
            members = changed_mojo(members, chance)
        elif chance.random() < 0.7:
            document = json.loads(members["model.json"])
            members["model.json"] = json.dumps(changed_document(document, chance)).encode()
        else:
            members = changed_arrays(members, chance)
    return members


def changed_document(document, chance):
    """A copy of a document with one change."""
    document = copy.deepcopy(document)
    places = list(places_in(document))
    if not places:
        return {}
    inner, key = chance.choice(places)
    value = inner[key]
    change = chance.randrange(8)
    if change == 0:
        del inner[key]
    elif change == 1:
        inner[key] = chance.choice(ODD)
    elif change == 2 and isinstance(value, list) and value:
        inner[key] = chance.choice([value[1:], value + value[:1], value[::-1], value * 2, [value[0]] * len(value), []])
    elif change == 3:
        other, other_key = chance.choice(places)
        inner[key] = copy.deepcopy(other[other_key])
    elif change == 4:
        with contextlib.suppress(KeyError, IndexError, TypeError):  # as another model has it in this place
            others = json.loads(members_of(chance.choice(list(KINDS_OF_FILES)), "h2olite")["model.json"])
            path = path_to(document, inner, key)
            for step in path:
                others = others[step]
            inner[key] = others
    elif isinstance(value, str):
        inner[key] = chance.choice(WORDS)
    elif isinstance(value, bool):
        inner[key] = not value
    elif isinstance(value, int | float):
        inner[key] = chance.choice([value + 1, value - 1, value * 2, -value, 0, value * 16, 0.5, 2**31 - 1])
    elif value is None:
        inner[key] = chance.choice([0.5, 1, [0.5, 0.5], "a", [7, 5], ["a"], "amount", "two"])
    return document


def places_in(value):
    """Every value of a document, by the list or mapping that it is in and its place there; some of long lists."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(min(len(value), 4)):
            yield value, key
            yield from places_in(value[key])


def path_to(document, inner, key):
    """The keys that lead to a place."""

    def search(value, path):
        if value is inner:
            return [*path, key]
        if isinstance(value, dict | list):
            for step in value if isinstance(value, dict) else range(min(len(value), 4)):
                found = search(value[step], [*path, step])
                if found:
                    return found
        return None

    return search(document, []) or []


def changed_arrays(members, chance):
    """The members with one change of arrays."""
    names = [name for name in members if name.endswith(".npy")]
    if not names:
        return members
    name, other = chance.choice(names), chance.choice(names)
    array = np.load(io.BytesIO(members[name]))
    members = dict(members)
    match chance.randrange(9):
        case 0:
            members[name], members[other] = members[other], members[name]
        case 1:
            del members[name]
        case 2:
            members[name] = npy(array[:-1] if array.ndim else array)
        case 3:
            members[name] = npy(np.concatenate([array, array]) if array.ndim else array)
        case 4:
            members[name] = npy(array.astype(chance.choice(["f4", "f8", "f2", "i4", "i8", "u1", "?"])))
        case 5:
            members[name] = npy(array.T)
        case 6:
            members[name] = npy(np.full_like(array, chance.choice([0, 1])))
        case 7 if array.dtype.kind == "f" and array.size:
            array.flat[chance.randrange(array.size)] = chance.choice([np.nan, np.inf, -1.0, 1e38, 1e9, -1e9])
            members[name] = npy(array)
        case 8 if array.size:
            array.flat[chance.randrange(array.size)] = chance.choice([0, 1, 2, 100])
            members[name] = npy(array)
    return members


def changed_mojo(members, chance):
    """The members of a MOJO with one change of its lines."""
    members = dict(members)
    if not members:
        return members
    name = chance.choice([*(["model.ini"] * 5 if "model.ini" in members else []), *members])
    lines = members[name].decode().split("\n")
    numbers = [i for i, line in enumerate(lines) if line.strip()]
    if not numbers:
        return members
    i, j = chance.choice(numbers), chance.choice(numbers)
    before, sign, after = lines[i].partition(" = ")
    match chance.randrange(9):
        case 0:
            del lines[i]
        case 1:
            lines.insert(i, lines[i])
        case 2:
            lines[i], lines[j] = lines[j], lines[i]
        case 3 if sign:
            values = [*WORDS, "null", "true", "false", "0", "-1", "2", "17", "1e300", "[]", "[1, 2]", "[0, 1, 2]"]
            values += ["Binomial", "Multinomial", "Regression", "AutoEncoder", "modified_huber", "OneHotInternal"]
            lines[i] = f"{before} = {chance.choice(values)}"
        case 4 if sign and after.startswith("["):
            entries = after.strip("[]").split(", ")
            entries[chance.randrange(len(entries))] = chance.choice(["0", "1", "nan", "1e11", "-1", "5", "", "x"])
            lines[i] = f"{before} = [{', '.join(entries)}]"
        case 5 if sign and after.startswith("["):
            entries = after.strip("[]").split(", ")
            lines[i] = f"{before} = [{', '.join(chance.choice([entries[1:], entries * 2, entries[::-1]]))}]"
        case 6:
            other = members_of(chance.choice(list(KINDS_OF_FILES)), "zip").get(name)
            if other:
                theirs = dict(line.partition(" = ")[::2] for line in other.decode().split("\n"))
                lines[i] = f"{before}{sign}{theirs.get(before, after)}"
        case 7:
            del members[chance.choice([*members])]
            return members
        case _:
            lines[i] = chance.choice(["", "a", "# a", "[info]", "[columns]", lines[i] + "x", "1: 3 d001.txt"])
    members[name] = "\n".join(lines).encode()
    return members


def use(path, kind):
    """Load or import a file; if it is a model, do with it what people do. Gives whether it was one."""
    frame = table_for(kind).head(60)
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            model = h2olite.load_model(path) if Path(path).suffix == ".h2olite" else h2olite.import_mojo(path)
        except H2OLiteError:
            return False
        for act in acts(model, frame, Path(path)):
            with contextlib.suppress(H2OLiteError):
                act()
    return True


def acts(model, frame, path):
    """What people do with a model, each as a function to call."""
    few = frame.head(5)
    again = path.with_name("again.h2olite")

    def goes_on():
        epochs = min(max(model.record.epochs, 0.0), 1e6) + 0.1
        changes = {"checkpoint": model, "epochs": epochs, "max_runtime_secs": 1.0, "nthreads": 1, "reproducible": False}
        changes["export_checkpoints_dir"] = None
        if model.validation_metrics is not None:
            changes["validation_frame"] = frame
        h2olite.deeplearning(y=model.parameters.y, training_frame=frame, **changes).predict(few)

    def serves_as_start():
        h2olite.deeplearning(
            y="two",
            x=model.parameters.x,
            training_frame=frame,
            pretrained_autoencoder=model,
            hidden=model.parameters.hidden,
            activation=model.parameters.activation,
            epochs=0.1,
            nthreads=1,
        )

    yield from (
        lambda: command_line(model),
        lambda: json.dumps(model.report(), allow_nan=True),
        lambda: (describe(model), describe_training(model), repr(model)),
        model.summary,
        model.scoring_history,
        lambda: history.callback(str(path), None, False) if path.suffix == ".h2olite" else None,
        lambda: (model.weights(0), model.biases(0)),
        model.varimp,
        lambda: model.varimp(use_pandas=True, by_column=True),
        lambda: h2olite.load_model(model.save(again)).predict(few),
        lambda: h2olite.Scorer(model).predict(few.iloc[0].to_dict()),
        lambda: check_predictions(model, frame),
        lambda: model.model_performance(frame),
        lambda: model.anomaly(few, per_feature=True),
        lambda: model.anomaly(frame),
        lambda: model.deepfeatures(few, 0),
        lambda: model.partial_plot(few, [next(iter(model.schema))]),
        model.cross_validation_metrics_summary,
        model.cross_validation_predictions,
        model.cross_validation_fold_assignment,
        lambda: [fold.predict(few) for fold in model.cross_validation_models() or ()],
        lambda: h2olite.import_mojo(model.download_mojo(path.with_name("again.zip"))).predict(few),
        goes_on,
        *([serves_as_start] if model.parameters.autoencoder else []),
    )


def check_predictions(model, frame):
    """Predictions are classes, and numbers."""
    predictions = model.predict(frame)
    assert len(predictions) == len(frame)
    assert not predictions.select_dtypes("number").isna().any(axis=None), "predictions are missing"


def mutant(number, folder):
    """Write the mutant of a number; gives its path and kind."""
    chance = random.Random(number)
    kind = chance.choice(list(KINDS_OF_FILES))
    extension = "zip" if chance.random() < 0.25 and members_of(kind, "zip") else "h2olite"
    path = Path(folder, f"m.{extension}")
    return zip_of(path, mutant_of(kind, extension, chance)), kind


def main(first, last):
    """Try the mutants of these numbers."""
    n_models, faults = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            print(number, file=sys.stderr, flush=True, end="\r")
            path, kind = mutant(number, folder)
            try:
                n_models += use(path, kind)
            except Exception:
                text = traceback.format_exc().strip().split("\n")
                faults.setdefault((text[-1][:100], *text[-4:-1]), []).append((number, kind))
    for text, numbers in faults.items():
        print(len(numbers), numbers[:3], *text, sep="\n")
    print(f"{last - first} mutants, {n_models} of them models, {sum(map(len, faults.values()))} did harm", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
