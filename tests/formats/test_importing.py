"""Models imported from MOJOs predict what H2O predicted, and are models like others; hostile files are refused."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from h2olite import deeplearning, import_mojo, load_model
from h2olite.errors import ArtifactError
from h2olite.formats import archive, importing
from h2olite.trained.scorer import Scorer

MOJOS = Path(__file__).parent.parent / "mojos"
FOLDERS = sorted(folder.name for folder in MOJOS.iterdir() if folder.is_dir())

pytestmark = pytest.mark.filterwarnings("ignore:column .* has levels that training did not have")


def mojo(name):
    return MOJOS / name / "model.zip"


def rows_of(name):
    return MOJOS / name / "input.csv"


def assert_same(predictions, expected, tolerance=1e-12):
    assert list(predictions) == list(expected)
    labels = [name for name in expected if not pd.api.types.is_numeric_dtype(expected[name])]
    for name in labels:
        assert predictions[name].astype(str).tolist() == expected[name].tolist()
    np.testing.assert_allclose(
        predictions.drop(columns=labels), expected.drop(columns=labels), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_predictions_are_those_of_h2o(name):
    expected = pd.read_csv(MOJOS / name / "h2o_predictions.csv")
    # H2O's dropout ratios are doubles, those of the network single precision.
    tolerance = 1e-7 if name == "prostate_dropout" else 1e-12
    assert_same(import_mojo(mojo(name)).predict(rows_of(name)), expected, tolerance)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_model_file_keeps_an_imported_model(name, tmp_path):
    model = import_mojo(mojo(name))
    again = load_model(model.save(tmp_path / "m.h2olite"))
    pd.testing.assert_frame_equal(again.predict(rows_of(name)), model.predict(rows_of(name)))
    assert again.report() == model.report()


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.filterwarnings("ignore:H2O cannot predict", "ignore:the MOJO takes levels", "ignore:a MOJO has no offsets")
def test_an_imported_model_is_exported_as_it_was(name, tmp_path):
    frame = pd.read_csv(rows_of(name), dtype={"RACE": str, "DPROS": str})
    if name == "enc_Binary":
        frame = frame.iloc[2:]  # before are levels that only this encoding makes something of
    model = import_mojo(mojo(name))
    again = import_mojo(model.download_mojo(tmp_path / "m.zip"))
    if name == "prostate_psa_offset":
        frame["of"] = 0.0
    expected = model.predict(frame)
    if model.classes is not None:
        expected["predict"] = expected["predict"].astype(str)
    assert_same(again.predict(frame), expected, 1e-6)
    assert again.record.maker.startswith("h2olite ")


def test_settings_are_written_as_h2o_writes_them(tmp_path):
    def settings(path):
        with zipfile.ZipFile(path) as archive:
            lines = archive.read("model.ini").decode().split("\n")
        return dict(line.split(" = ", 1) for line in lines if " = " in line), lines[lines.index("[columns]") :]

    (own, sections), (expected, expected_sections) = (
        settings(path)
        for path in (import_mojo(mojo("prostate_maxout")).download_mojo(tmp_path / "m.zip"), mojo("prostate_maxout"))
    )
    assert sections == expected_sections
    for key in own.keys() & expected.keys() - {"default_threshold", "prior_class_distrib"}:
        if key.startswith("weight_layer"):
            assert np.array_equal(*(np.array(json.loads(text[key]), np.float32) for text in (own, expected)))
        else:
            assert own[key] == expected[key]


def test_what_a_mojo_does_not_hold_is_absent():
    model = import_mojo(mojo("prostate_cat_na"))
    assert model.training_metrics is model.auc() is None
    assert model.scoring_history().empty
    assert {model.report()[name] for name in ("rows", "epochs", "stopped_by", "scoring_history")} == {None}
    assert model.report()["maker"] == "H2O 3.46.0.6"
    assert "made by H2O 3.46.0.6" in repr(model)
    assert "mean_rate" not in model.summary()


def test_name_and_unused_inputs_are_found_in_what_h2o_tells_people():
    model = import_mojo(mojo("prostate_cat_na"))
    assert model.model_id.startswith("DeepLearning_model_python_")
    assert {row[0] for row in model.varimp() if row[1] == 0} == {"DCAPS.missing(NA)"}
    assert import_mojo(mojo("prostate_maxout")).model_id == "model"


def test_an_imported_model_is_measured():
    metrics = import_mojo(mojo("prostate_cat_na")).model_performance(rows_of("prostate_cat_na"))
    assert 0.8 < metrics.auc() < 1


def test_single_rows_are_scored_as_tables():
    for name in ("prostate_cat_na", "enc_Binary"):
        model = import_mojo(mojo(name))
        frame = pd.read_csv(rows_of(name))
        scorer = Scorer(model)
        expected = model.predict(frame)
        for i, row in enumerate(frame.head(6).to_dict("records")):
            prediction = scorer.predict(row)
            assert prediction["predict"] == expected["predict"][i]
            assert prediction["pos"] == pytest.approx(expected["pos"][i], abs=1e-12)


def test_a_warning_says_what_becomes_of_unseen_levels():
    with pytest.warns(UserWarning, match=r"'DPROS' .* training did not have, all given one number: 'd9'\."):
        import_mojo(mojo("enc_Binary")).predict(rows_of("enc_Binary"))
    with pytest.warns(UserWarning, match=r"'DPROS' .* training did not have, treated as missing: 'd9'\."):
        import_mojo(mojo("prostate_cat_na")).predict(rows_of("prostate_cat_na"))


def test_training_goes_on_from_an_imported_model():
    before = import_mojo(mojo("iris_rectifier"))
    frame = pd.read_csv(rows_of("iris_rectifier"))
    model = deeplearning(training_frame=frame, checkpoint=before, epochs=2, seed=1, stopping_rounds=0)
    assert model.record.maker is None
    assert model.record.epochs == pytest.approx(2, abs=0.1)
    assert model.logloss() <= before.model_performance(frame).logloss()


def test_training_goes_on_from_an_imported_autoencoder():
    before = import_mojo(mojo("iris_ae_numeric"))
    model = deeplearning(training_frame=rows_of("iris_ae_numeric"), checkpoint=before, epochs=3, seed=1)
    assert model.mse() <= before.model_performance(rows_of("iris_ae_numeric")).mse()


def test_an_imported_autoencoder_lends_its_hidden_layers():
    pretrained = import_mojo(mojo("iris_ae_numeric"))
    settings = {"hidden": [2], "activation": "Tanh", "epochs": 0, "seed": 1}
    model = deeplearning(
        y="class", training_frame=rows_of("iris_rectifier"), pretrained_autoencoder=pretrained, **settings
    )
    assert np.array_equal(model.network.weights(0), pretrained.network.weights(0))


def changed(source, target, changes=(), members=(), without=()):
    """A copy of a MOJO with texts in model.ini replaced, members added or replaced, and others left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        kept = {name: old.read(name) for name in old.namelist() if name not in without} | dict(members)
        text = kept["model.ini"].decode()
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        for name, content in (kept | {"model.ini": text.encode()}).items():
            new.writestr(name, content)
    return target


@pytest.fixture
def target(tmp_path):
    return tmp_path / "changed.zip"


def test_version_1_00_has_no_encodings(target):
    changes = [("mojo_version = 1.10", "mojo_version = 1.00"), ("_genmodel_encoding = AUTO", "")]
    model = import_mojo(changed(mojo("prostate_cat_na"), target, changes))
    assert_same(model.predict(rows_of("prostate_cat_na")), pd.read_csv(MOJOS / "prostate_cat_na/h2o_predictions.csv"))


def test_newer_versions_are_refused(target):
    changed(mojo("iris_rectifier"), target, [("mojo_version = 1.10", "mojo_version = 1.20")])
    with pytest.raises(ArtifactError, match=r"must be of version 1\.10 or older; got 1\.20"):
        import_mojo(target)


def test_another_algorithm_is_named(target):
    changes = [("algo = deeplearning", "algo = gbm"), ("Deep Learning", "Gradient Boosting Machine")]
    changed(mojo("iris_rectifier"), target, changes)
    with pytest.raises(ArtifactError, match=r"must be a MOJO of deeplearning; got one of gbm\."):
        import_mojo(target)


def test_columns_that_are_times_are_read_as_times(target):
    details = {
        "model_id": {"name": "m"},
        "output": {
            "names": ["sepal_len", "sepal_wid", "petal_len", "petal_wid", "class"],
            "column_types": ["Time", *["Numeric"] * 3, "Enum"],
            "variable_importances": None,
        },
    }
    changed(mojo("iris_rectifier"), target, members={importing.DETAILS: json.dumps(details)})
    assert import_mojo(target).schema["sepal_len"] == "time"


def test_escaped_levels_are_read_as_they_were(target):
    members = {"domains/d001.txt": "two\\nlines\n back\\\\slash\n\n"}
    model = import_mojo(changed(mojo("prostate_cat_na"), target, members=members))
    assert model.encoder.levels[1] == ("two\nlines", " back\\slash", "")


@pytest.mark.parametrize("path", [rows_of("iris_rectifier"), MOJOS], ids=["no zip file", "folder"])
def test_other_files_are_no_mojos(path):
    with pytest.raises(
        ArtifactError, match=r"must be a MOJO of H2O; got something else|cannot be read: Is a directory"
    ):
        import_mojo(path)


def test_a_model_file_is_no_mojo(target):
    import_mojo(mojo("iris_rectifier")).save(target)
    with pytest.raises(ArtifactError, match="must be a MOJO of H2O; got a model file of h2olite, which needs"):
        import_mojo(target)


@pytest.mark.parametrize("member", ["notes.txt", "model.json"])
def test_another_zip_is_no_mojo(member, target):
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(member, "{}")
    with pytest.raises(ArtifactError, match="must be a MOJO of H2O; got another kind of zip file"):
        import_mojo(target)


DAMAGES = {
    "an unknown category": ("category = Binomial", "category = Clustering"),
    "an unknown activation": ("activation = Rectifier", "activation = Sigmoid"),
    "a setting twice": ("nums = 4", "nums = 4\nnums = 4"),
    "a column twice": ("\nPSA\n", "\nVOL\n"),
    "a missing setting": ("cats = 3", ""),
    "a negative count": ("cats = 3", "cats = -3"),
    "too many columns": ("nums = 4", "nums = 40"),
    "a huge count": ("0: 4 d000.txt", "0: 999999999999999999 d000.txt"),
    "a number of 5000 digits": ("cats = 3", f"cats = {'9' * 5000}"),
    "another member's path": ("d000.txt", "../../../../etc/passwd"),
    "a response without levels": ("7: 2 d003.txt", ""),
    "offsets of other levels": ("cat_offsets = [0, 5, 9, 12]", "cat_offsets = [0, 5, 9, 13]"),
    "huge layers": ("neural_network_sizes = [16, 6, 5, 2]", "neural_network_sizes = [16, 1000000000, 5, 2]"),
    "many layers": ("neural_network_sizes = [16, 6, 5, 2]", f"neural_network_sizes = [16, {'6, ' * 10_000} 2]"),
    "no layers": ("neural_network_sizes = [16, 6, 5, 2]", "neural_network_sizes = []"),
    "a layer of negative size": ("neural_network_sizes = [16, 6, 5, 2]", "neural_network_sizes = [16, -6, 5, 2]"),
    "too few weights": ("weight_layer1 = [", "weight_layer1 = [] #"),
    "text among weights": ("weight_layer1 = [", "weight_layer1 = [x, "),
    "a weight that is no number": ("bias_layer1 = [0", "bias_layer1 = [NaN"),
    "a weight beyond single precision": ("bias_layer1 = [0", "bias_layer1 = [1e300"),
    "a threshold that is no number": ("default_threshold = ", "default_threshold = NaN, "),
    "a ratio above 1": ("hidden_dropout_ratios = [0.0", "hidden_dropout_ratios = [1.5"),
    "too few ratios": ("hidden_dropout_ratios = [0.0, 0.0, 0.0]", "hidden_dropout_ratios = [0.0]"),
    "a scale of 0": ("norm_mul = [0.15320807124060337", "norm_mul = [0.0"),
    "a line without value": ("[info]", "[info]\nnonsense"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_refused(damage, target):
    with pytest.raises(ArtifactError, match=r"MOJO .*changed\.zip is damaged \(.+\); get it again\."):
        import_mojo(changed(mojo("prostate_cat_na"), target, [DAMAGES[damage]]))


MEMBERS = {
    "levels twice": {"domains/d000.txt": "d1\nd1\nd3\nd4\n"},
    "too few levels": {"domains/d000.txt": "d1\nd2\n"},
    "endless levels": {"domains/d000.txt": "\n" * 50_000_000},
    "large JSON": {importing.DETAILS: f"[{'[],' * 1_000_000}0]"},
    "bytes that are no text": {"domains/d000.txt": b"\xff\xfe\n"},
    "deep JSON": {importing.DETAILS: "[" * 1_000_000},
    "JSON of another kind": {importing.DETAILS: "[1, 2]"},
}


@pytest.mark.parametrize("case", MEMBERS)
def test_damaged_members_are_refused(case, target):
    with pytest.raises(ArtifactError, match=r"is damaged \(.+\); get it again\."):
        import_mojo(changed(mojo("prostate_cat_na"), target, members=MEMBERS[case]))


def test_a_missing_member_is_refused(target):
    with pytest.raises(ArtifactError, match=r"is damaged .*no item named 'domains/d001.txt' in the archive"):
        import_mojo(changed(mojo("prostate_cat_na"), target, without=["domains/d001.txt"]))


def test_endless_settings_are_refused(monkeypatch, target):
    monkeypatch.setattr(importing, "FREE_LINES", 1000)
    with pytest.raises(ArtifactError, match=r"model\.ini has more than \d+ lines"):
        import_mojo(changed(mojo("iris_rectifier"), target, [("[info]", "#\n" * 500_000)]))


@pytest.mark.parametrize("setting", ["neural_network_sizes", "cat_offsets"])
def test_lists_longer_than_anything_needs_are_refused_before_they_are_read(setting, target):
    with zipfile.ZipFile(mojo("iris_rectifier")) as whole:
        lines = whole.read("model.ini").decode().splitlines()
    (line,) = (line for line in lines if line.startswith(setting))
    longer = (line, f"{line[:-1]}, {', '.join(['x'] * 100)}]")
    with pytest.raises(ArtifactError, match=rf"{setting} has more than \d+ entries"):
        import_mojo(changed(mojo("iris_rectifier"), target, [longer]))


def test_zip_bombs_are_refused(monkeypatch, target):
    monkeypatch.setattr(archive, "most_unpacked", lambda size: 10 * size)
    with pytest.raises(ArtifactError, match="claim to unpack to more than"):
        import_mojo(changed(mojo("iris_rectifier"), target, members={"zeros": bytes(1 << 20)}))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_truncated_files_are_refused(share, target):
    content = mojo("prostate_cat_na").read_bytes()
    target.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ArtifactError, match="is damaged"):
        import_mojo(target)
