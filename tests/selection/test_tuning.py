"""The search for good settings."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.selection.candidates import Candidate
from h2olite.selection.tuning import FOLDS_OF_RUNGS

DATASETS = Path(__file__).parents[2] / "datasets"
IRIS = pd.read_csv(DATASETS / "iris.csv")
SMALL = {"hidden": [8], "epochs": 3, "seed": 1, "nthreads": 1, "ensemble": 2}


def search(frame=IRIS, y="species", **given):
    return h2olite.tune(y=y, training_frame=frame, **SMALL | {"max_models": 24} | given)


@pytest.fixture(scope="module")
def tuning():
    return search()


def test_better_settings_are_measured_on_more_folds(tuning):
    n_folds = [len(candidate.losses) for candidate in tuning.candidates]
    assert set(n_folds) == set(FOLDS_OF_RUNGS)
    assert n_folds == sorted(n_folds, reverse=True)
    assert sum(n_folds) <= 24
    assert n_folds.count(1) > n_folds.count(5)
    first = {n: [c.losses[0] for c in tuning.candidates if len(c.losses) == n] for n in FOLDS_OF_RUNGS}
    assert np.mean(first[5]) < np.mean(first[1])
    for candidate in tuning.candidates:
        assert list(candidate.losses) == list(range(len(candidate.losses)))
        assert all(map(math.isfinite, candidate.losses.values()))


def test_the_preset_is_measured_on_all_folds_and_the_best_is_no_worse(tuning):
    (preset,) = [candidate for candidate in tuning.candidates if str(candidate) == "the preset accurate"]
    assert len(preset.losses) == 5
    assert tuning.candidates[0].loss <= preset.loss


def test_the_model_has_the_best_settings_and_what_the_user_gave(tuning):
    model = tuning.model
    for name, value in tuning.best.items():
        if name not in ("hidden_dropout", "activation", "update_rule"):
            assert getattr(model.parameters, name) == value
    assert (model.parameters.hidden, model.parameters.ensemble, model.parameters.epochs) == ([8], 2, 3)
    assert model.parameters.max_runtime_secs == 0
    assert model.record.origin["given"]["hidden"] == [8]
    assert "max_runtime_secs" not in model.record.origin["given"]
    assert (model.predict(IRIS)["predict"] == IRIS["species"]).mean() > 0.8


def test_losses_are_those_of_rows_that_the_networks_have_not_learnt_from(tuning):
    from h2olite.fitting.cross_validation import assign_folds

    best = tuning.candidates[0]
    parameters = tuning.model.parameters
    given = {name: value for name, value in tuning.best.items() if name != "hidden_dropout"}
    given |= {"activation": parameters.activation, "hidden_dropout_ratios": parameters.hidden_dropout_ratios}
    table = h2olite.data.frames.as_table(IRIS)
    folds = assign_folds(dataclasses.replace(parameters, nfolds=5, fold_assignment="Stratified"), table)
    settings = SMALL | {"preset": "accurate", "variable_importances": False} | given
    alone = h2olite.deeplearning(y="species", training_frame=IRIS[folds != 0], **settings)
    assert alone.model_performance(IRIS[folds == 0]).logloss() == pytest.approx(best.losses[0], rel=1e-6)


def test_the_same_seed_tries_the_same(tuning):
    again = search()
    assert [str(candidate) for candidate in again.candidates] == [str(candidate) for candidate in tuning.candidates]
    assert [one.losses for one in again.candidates] == [one.losses for one in tuning.candidates]
    pd.testing.assert_frame_equal(again.model.predict(IRIS), tuning.model.predict(IRIS))


@pytest.mark.parametrize(("seconds", "n_networks"), [(300, 10), (0.02, 5)])
def test_model_has_more_networks_where_they_take_little_of_the_time(seconds, n_networks):
    own = {name: value for name, value in SMALL.items() if name != "ensemble"}
    found = h2olite.tune(y="species", training_frame=IRIS, max_models=1, max_runtime_secs=seconds, **own)
    assert found.model.parameters.ensemble == n_networks


def test_a_search_that_was_ended_goes_on(tuning, tmp_path):
    half = search(directory=tmp_path / "s", max_models=12)
    document = json.loads((tmp_path / "s" / "tuning.json").read_text())
    assert sum(len(one["losses"]) for one in document["candidates"]) == sum(len(one.losses) for one in half.candidates)
    whole = search(directory=tmp_path / "s")
    assert {str(one) for one in half.candidates} <= {str(one) for one in whole.candidates}
    assert [one.losses for one in whole.candidates] == [one.losses for one in tuning.candidates]
    with pytest.raises(h2olite.ParameterError, match=r"holds another search \(epochs: it was 3.*, and is 4.* now\)"):
        search(directory=tmp_path / "s", epochs=4)
    document["candidates"][0]["settings"]["hidden"] = [10**6]
    (tmp_path / "s" / "tuning.json").write_text(json.dumps(document))
    with pytest.raises(h2olite.DataError, match="settings that no search tries"):
        search(directory=tmp_path / "s")
    (tmp_path / "s" / "tuning.json").write_text('{"settings": {}, "candidates": [{}]}')
    with pytest.raises(h2olite.DataError, match="is damaged"):
        search(directory=tmp_path / "s")


def test_seconds_of_a_search_that_was_ended_count(tmp_path, monkeypatch):
    from h2olite.selection import tuning as module

    search(directory=tmp_path / "s", max_models=4)
    monkeypatch.setattr(module, "LEAST_SECONDS", 1e-6)
    path = tmp_path / "s" / "tuning.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"seconds": 1e6}))
    with pytest.warns(UserWarning, match="the time of the search has ended the training of the model"):
        found = search(directory=tmp_path / "s", max_models=0, max_runtime_secs=60)
    assert found.model is not None


def test_regressions_and_other_metrics_are_searched_too():
    penguins = pd.read_csv(DATASETS / "penguins.csv").dropna(subset=["body_mass_g"])
    numbers = search(penguins, "body_mass_g", max_models=4)
    assert numbers.sort_metric == "mean_residual_deviance"
    assert numbers.rows()[0]["mean_residual_deviance"] > 0
    two = search(penguins.dropna(), "sex", max_models=4, stopping_metric="AUC")
    assert two.sort_metric == "auc"
    assert 0.5 < two.rows()[0]["auc"] <= 1
    assert two.table()["auc"].iloc[0] == two.rows()[0]["auc"]


def test_failed_settings_are_told_and_do_not_end_the_search(monkeypatch):
    from h2olite.selection import tuning as module

    usual = module.fit

    def fit(parameters, *given, **named):
        if parameters.numeric_encoding == "Quantile":
            raise h2olite.TrainingError("it exploded.")
        return usual(parameters, *given, **named)

    monkeypatch.setattr(module, "fit", fit)
    found = search(max_models=12)
    failed = [candidate for candidate in found.candidates if candidate.error]
    assert failed
    assert all(candidate.settings["numeric_encoding"] == "Quantile" for candidate in failed)
    assert found.report()["tried"][-1]["logloss"] is None
    monkeypatch.setattr(module, "fit", lambda *given, **named: (_ for _ in ()).throw(h2olite.TrainingError("no.")))
    with pytest.raises(
        h2olite.ParameterError, match=r"no settings could be trained with: no\. Change what they share\."
    ):
        search(max_models=4)


def test_settings_that_failed_come_after_all_others():
    from h2olite.selection.tuning import _Search

    failed, sound = Candidate({}, {0: 0.1, 1: math.inf}, error="no."), Candidate({}, {0: 0.9})
    search_of = object.__new__(_Search)
    search_of._journal = type("Journal", (), {"candidates": [failed, sound]})()
    assert search_of.ranked() == [sound, failed]


def test_a_loss_that_is_not_defined_on_a_fold_does_not_count():
    assert Candidate({}, {0: 0.5, 1: math.nan}).loss == 0.5
    assert Candidate({}, {0: math.nan}).loss == math.inf


def test_an_interrupted_training_of_the_model_gives_none(monkeypatch):
    from h2olite.selection import tuning as module

    usual = module._model

    def interrupted(*given):
        model = usual(*given)
        model.record.stopped_by = "interrupted"
        return model

    monkeypatch.setattr(module, "_model", interrupted)
    found = search(max_models=4)
    assert (found.model, found.interrupted) == (None, True)


def test_a_search_ends_when_all_settings_were_tried():
    from h2olite.selection.space import SPACE

    fixed = {"activation": "Tanh", "numeric_encoding": "Standardize", "update_rule": "ADADELTA"}
    fixed |= {"input_dropout_ratio": 0, "l1": 0, "mini_batch_size": 32, "rate_schedule": "Constant", "rho": 0.95}
    found = search(epsilon=1e-6, max_models=0, **fixed)
    assert len(found) == len(SPACE["l2"])


def test_larger_tables_are_searched_on_a_sample(monkeypatch):
    from h2olite.selection import tuning as module

    monkeypatch.setattr(module, "MOST_ROWS", 60)
    seen = []
    usual = module.fit
    monkeypatch.setattr(module, "fit", lambda p, table, *a, **k: seen.append(table.n_rows) or usual(p, table, *a, **k))
    search(max_models=4)
    assert sorted(seen) == [48, 48, 48, 48, 150]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nfolds": 3}, "nfolds cannot be given for tune, which sets it by itself"),
        ({"validation_frame": IRIS}, "validation_frame cannot be given for tune"),
        ({"autoencoder": True, "y": None}, "preset accurate cannot be combined with autoencoder"),
        ({"preset": "none"}, "preset cannot be given for tune, which starts from accurate"),
        ({"max_runtime_secs": 0}, "max_runtime_secs must be above 0; got 0"),
        ({"max_models": -1}, "max_models must be >= 0; got -1"),
    ],
)
def test_what_does_not_go_with_a_search_is_refused(given, message):
    with pytest.raises(h2olite.ParameterError, match=message):
        search(**given)


def test_one_fold_has_no_standard_error():
    assert math.isnan(Candidate({}, {0: 1.0}).standard_error)
    assert Candidate({}, {0: 1.0, 1: 3.0}).standard_error == pytest.approx(1.0)
    assert Candidate({}).loss == math.inf
