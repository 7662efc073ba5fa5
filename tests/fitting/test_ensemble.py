"""Several networks as one model, and rows that are held out of training."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.splits import hold_out
from h2olite.fitting.ensemble import seed_of
from h2olite.formats import artifact

GIVEN = {"hidden": [12, 8], "epochs": 4, "seed": 7, "reproducible": True}


def frame(n_rows=400, seed=0):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"a": random.normal(size=n_rows), "b": random.choice(list("xyz"), n_rows)})
    table["amount"] = np.exp(0.5 * table["a"] + (table["b"] == "x") + random.normal(0, 0.1, n_rows))
    table["kind"] = np.where(table["a"] + random.normal(0, 0.5, n_rows) > 1.2, "rare", "usual")
    return table


def train(y="amount", table=None, **given):
    x = ["a", "b"]
    return h2olite.deeplearning(x=x, y=y, training_frame=frame() if table is None else table, **GIVEN | given)


def linear(model, table):
    """The linear output of a regression, or the logarithm of the odds."""
    predicted = model.predict(table)
    if model.classes is None:
        values = predicted["predict"].to_numpy()
        return np.log(values) if model.parameters.distribution == "gamma" else values
    return np.log(predicted["usual"] / predicted["rare"]).to_numpy()


@pytest.mark.proves("ensemble")
@pytest.mark.parametrize(
    ("y", "given"),
    [
        ("amount", {}),
        ("amount", {"distribution": "gamma"}),
        ("kind", {}),
        ("kind", {"activation": "MaxoutWithDropout"}),
        ("amount", {"numeric_encoding": "PiecewiseLinear", "mini_batch_size": 16}),
    ],
)
def test_an_ensemble_averages_the_outputs_of_networks_with_seeds_of_their_own(y, given, tmp_path):
    model, test = train(y, ensemble=3, **given), frame(60, 1)
    members = [train(y, **given | {"seed": seed_of(7, k)}) for k in range(3)]
    mean = np.mean([linear(member, test) for member in members], axis=0)
    np.testing.assert_allclose(linear(model, test), mean, atol=2e-5 * (1 + np.abs(mean).max()))
    assert np.std([linear(member, test) for member in members], axis=0).min() > 0
    assert model.network.layout.sizes.tolist()[1:-1] == [36, 24]
    assert [member["seed"] for member in model.record.members] == [seed_of(7, k) for k in range(3)]
    again = h2olite.load_model(model.save(tmp_path / "m.h2olite"))
    pd.testing.assert_frame_equal(again.predict(test), model.predict(test))
    row = test.iloc[0].to_dict()
    assert h2olite.Scorer(again).predict(row) == again.predict(test.head(1)).iloc[0].to_dict()


@pytest.mark.parametrize("y", ["amount", "kind"])
def test_an_ensemble_is_one_mojo(y, tmp_path):
    model, test = train(y, ensemble=3), frame(60, 1)
    imported = h2olite.import_mojo(model.download_mojo(tmp_path / "m.zip"))
    np.testing.assert_allclose(linear(imported, test), linear(model, test), rtol=1e-4, atol=1e-5)


def test_any_number_of_threads_gives_the_same_ensemble():
    given = {"ensemble": 3, "holdout_share": 0.2, "score_each_iteration": True, "reproducible": False}
    ours, theirs = (train(nthreads=n, **given) for n in (1, 3))
    pd.testing.assert_frame_equal(ours.predict(frame()), theirs.predict(frame()))
    assert ours.validation_metrics["mse"] == theirs.validation_metrics["mse"]


def test_history_members_and_importances_are_told():
    model = train(ensemble=2, holdout_share=0.25)
    history = model.scoring_history()
    assert history["member"].tolist() == sorted([1, 2] * (len(history) // 2))
    assert {"training_rmse", "validation_rmse"} <= set(history.columns)
    report = model.report()
    assert [set(member) for member in report["members"]] == [
        {"seed", "epochs", "best_epochs", "stopped_by", "stopping_value"}
    ] * 2
    assert {row[0] for row in model.varimp(by_column=True)} == {"a", "b"}
    assert report["weights"]["total"] == 2 * (model.encoder.n_inputs * 12 + 12 * 8 + 8)
    layers = report["layers"]
    assert all(layer["zero_share"] < 0.3 for layer in layers[1:])
    assert all(math.isfinite(layer["mean_rate"]) for layer in layers[1:])


def test_penalties_are_those_of_one_network_on_average():
    model = train(ensemble=3, l1=1e-4, l2=1e-4)
    members = [train(l1=1e-4, l2=1e-4, seed=seed_of(7, k)) for k in range(3)]
    expected = np.mean([[layer["penalty"] for layer in m.report()["layers"][1:]] for m in members], axis=0)
    np.testing.assert_allclose([layer["penalty"] for layer in model.report()["layers"][1:]], expected, rtol=1e-4)


@pytest.mark.proves("holdout_share")
def test_held_out_rows_are_not_learnt_from_and_decide_when_to_stop():
    table = frame().assign(held=0.0)
    model = train(table=table, holdout_share=0.25)
    held = hold_out(400, 0.25, 7)
    assert held.sum() == 100
    assert model.validation_metrics.nobs() == 100
    assert model.record.usable == 300
    part = train(table=table[~held], y="amount", validation_frame=table[held])
    # Only the statistics of the columns come from all rows.
    assert part.validation_metrics["mse"] == pytest.approx(model.validation_metrics["mse"], rel=0.2)
    changed = table.assign(amount=np.where(held, table["amount"].to_numpy()[::-1], table["amount"]))
    same = [m.parameters.seed for m in (model, train(table=changed, holdout_share=0.25))]
    assert same == [7, 7]


def test_each_class_is_held_out_alike_and_none_as_a_whole():
    classes = np.repeat([0, 1, 2], [900, 95, 1])
    held = hold_out(996, 0.15, 3, classes)
    assert np.bincount(classes[held], minlength=3).tolist() == [135, 14, 0]
    assert hold_out(2, 0.01, 3).sum() == 1
    assert hold_out(3, 0.01, 3, np.array([0, 1, 1])).sum() == 1


def test_validation_metrics_of_an_ensemble_are_of_networks_that_did_not_learn_from_the_row():
    random = np.random.default_rng(0)
    noise = pd.DataFrame(
        {"a": random.normal(size=200), "b": random.choice(list("xyz"), 200), "amount": random.normal(size=200)}
    )
    given = {"hidden": [64, 64], "epochs": 500, "overwrite_with_best_model": False, "stopping_rounds": 0}
    given |= {"numeric_encoding": "PiecewiseLinear", "table": noise}
    model = train(ensemble=4, holdout_share=0.3, **given)
    held = [hold_out(200, 0.3, seed_of(7, k)) for k in range(4)]
    assert model.validation_metrics.nobs() == np.logical_or.reduce(held).sum()
    assert model.training_metrics["r2"] > 0.2  # what was learnt by heart
    assert model.validation_metrics["r2"] < 0.05


def test_folds_and_held_out_rows_go_together():
    model = train("kind", nfolds=3, ensemble=2, holdout_share=0.2, keep_cross_validation_models=True)
    assert model.cross_validation_metrics.nobs() == 400
    assert [fold.parameters.ensemble for fold in model.cross_validation_models()] == [2, 2, 2]
    fold_errors = [row["logloss"] for row in model.cross_validation.by_fold]
    assert np.mean(fold_errors) == pytest.approx(model.cross_validation_metrics["logloss"], rel=0.05)
    assert (
        model.validation_metrics.nobs()
        == np.logical_or.reduce(
            [hold_out(400, 0.2, seed_of(7, k), (frame()["kind"] == "usual").to_numpy()) for k in range(2)]
        ).sum()
    )


def test_an_interrupted_ensemble_is_of_the_networks_that_had_begun():
    def watch(progress):
        return False

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = h2olite.jobs.train(
            h2olite.jobs.check(
                {"x": ["a", "b"], "y": "amount", "training_frame": frame(), "ensemble": 5, "nthreads": 2, "hidden": [9]}
            ),
            watch=watch,
        )
    n_networks = model.parameters.ensemble
    assert n_networks <= 2
    assert model.network.layout.sizes[1] == 9 * n_networks
    assert model.stopped_by == "interrupted"
    assert any(f"the ensemble has {n_networks} of them" in str(warning.message) for warning in caught)


def test_unused_columns_leave_an_ensemble_only_if_no_network_uses_them():
    table = frame().assign(noise=np.random.default_rng(3).normal(size=400))
    given = GIVEN | {"epochs": 60, "input_group_l1": 0.02, "ensemble": 2}
    model = h2olite.deeplearning(x=["a", "b", "noise"], y="amount", training_frame=table, **given)
    assert model.record.unused == ["noise"]
    assert model.predict(table.drop(columns="noise")).equals(model.predict(table))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden": []}, "ensemble needs hidden layers"),
        ({"autoencoder": True}, "ensemble cannot be combined with autoencoder"),
        ({"export_checkpoints_dir": "x"}, "export_checkpoints_dir cannot be combined with ensemble"),
        ({"keep_state": True}, "keep_state cannot be combined with ensemble"),
        ({"initial_biases": [None] * 3}, "initial_biases cannot be combined with ensemble"),
    ],
)
def test_what_does_not_go_with_an_ensemble_is_refused(given, message):
    values = {"training_frame": frame()[["a", "b"]], "ensemble": 2, "hidden": [5, 5]} | given
    with pytest.raises(h2olite.ParameterError, match=message):
        h2olite.deeplearning(**values)


def test_networks_that_are_too_large_together_are_refused_before_training(monkeypatch):
    monkeypatch.setattr("h2olite.fitting.ensemble.train_network", lambda *_: pytest.fail("has begun to train"))
    with pytest.raises(
        h2olite.ParameterError, match=r"at most 100,000,000 weights and biases; got 4\d\d,\d\d\d,\d\d\d"
    ):
        train(ensemble=100, hidden=[200, 200])


def test_training_does_not_go_on_from_an_ensemble_nor_to_one(tmp_path):
    model = train(ensemble=2)
    with pytest.raises(h2olite.ParameterError, match="training cannot go on from an ensemble"):
        h2olite.deeplearning(training_frame=frame(), checkpoint=model, epochs=9)
    one = train(keep_state=True)
    with pytest.raises(h2olite.ParameterError, match="ensemble must be as in the checkpoint"):
        h2olite.deeplearning(training_frame=frame(), checkpoint=one, epochs=9, ensemble=2)
    with pytest.raises(h2olite.ParameterError, match="holdout_share and validation_frame cannot both be given"):
        train(holdout_share=0.1, validation_frame=frame(9))


def test_training_goes_on_with_the_same_rows_held_out():
    one = train(keep_state=True, holdout_share=0.2)
    longer = h2olite.deeplearning(x=["a", "b"], y="amount", training_frame=frame(), checkpoint=one, epochs=6)
    assert longer.validation_metrics.nobs() == 80
    with pytest.raises(h2olite.ParameterError, match="holdout_share and seed must be as in the checkpoint"):
        h2olite.deeplearning(x=["a", "b"], y="amount", training_frame=frame(), checkpoint=one, epochs=6, seed=8)


def test_a_file_with_weights_between_the_networks_is_refused(tmp_path):
    path = train(ensemble=2).save(tmp_path / "m.h2olite")
    document, arrays = artifact.read_artifact(path)
    arrays["layer2.weights"] = np.ones_like(arrays["layer2.weights"])
    artifact.write_artifact(path, document, arrays)
    with pytest.raises(h2olite.ArtifactError, match="the networks of an ensemble are not apart"):
        h2olite.load_model(path)
