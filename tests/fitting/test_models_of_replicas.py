"""Models of networks that were trained as copies and averaged."""

import warnings

import numpy as np
import pandas as pd
import pytest

import h2olite

GIVEN = {"hidden": [20, 20], "epochs": 6, "seed": 5, "replicas": 2, "averaging_rows": 16, "classification_stop": -1.0}

TABLES = {"penguins": "species", "diabetes": "progression", "breast_cancer": "diagnosis"}


def train(table="penguins", frame=None, **given):
    given = {"y": TABLES[table], "training_frame": f"datasets/{table}.csv" if frame is None else frame} | given
    return h2olite.deeplearning(**GIVEN | given)


def state(model):
    """All that training moves."""
    network = model.network
    return np.concatenate([network.theta, network.iterate, network.first, network.second])


CASES = {
    "classes": {},
    "a regression": {"table": "diabetes"},
    "a regression without hidden layers": {"table": "diabetes", "hidden": []},
    "mini-batches": {"table": "breast_cancer", "mini_batch_size": 32},
    "dropout": {"activation": "RectifierWithDropout", "input_dropout_ratio": 0.1},
    "l1": {"l1": 1e-3},
    "input_group_l1": {"table": "breast_cancer", "input_group_l1": 1e-3},
    "input_group_l1 in mini-batches": {"table": "breast_cancer", "input_group_l1": 1e-3, "mini_batch_size": 8},
    "l2 and max_w2": {"l2": 1e-4, "max_w2": 2.0},
    "SGD": {"adaptive_rate": False, "rate": 0.002, "momentum_start": 0.5, "rate_annealing": 1e-5},
    "Adam": {"update_rule": "Adam", "mini_batch_size": 8, "rate_schedule": "Cosine"},
    "AdamW with l1": {"update_rule": "AdamW", "l1": 1e-3, "l2": 1e-2, "rate_schedule": "CosLog"},
    "no average of weights": {"averaging_window": 0.0},
    "many replicas": {"replicas": 7},
    "elastic averages": {"elastic_averaging": True, "elastic_averaging_regularization": 1.0},
    "Huber": {"table": "diabetes", "distribution": "huber"},
    "an ensemble": {"ensemble": 2},
    "folds": {"nfolds": 2},
    "held out rows": {"holdout_share": 0.3, "stopping_rounds": 2, "epochs": 30},
    "row weights": {"table": "diabetes", "weights_column": "counts"},
}


@pytest.mark.proves("replicas")
@pytest.mark.parametrize("case", CASES)
def test_any_number_of_threads_gives_the_same_bits_and_the_number_of_replicas_counts(case):
    given = {"score_each_iteration": True, "keep_state": "ensemble" not in case} | CASES[case]
    if case == "row weights":
        frame = pd.read_csv("datasets/diabetes.csv")
        frame["counts"] = 1.0 + np.arange(len(frame)) % 3
        given["frame"] = frame
    one, two, again = (train(nthreads=n, **given) for n in (1, 2, 2))
    np.testing.assert_array_equal(state(one), state(two))
    np.testing.assert_array_equal(state(two), state(again))
    assert one.record.samples == two.record.samples > 0
    assert not np.array_equal(state(one), state(train(nthreads=1, **given | {"replicas": 3})))


def test_one_replica_is_the_usual_training():
    usual = h2olite.deeplearning(
        y="species", training_frame="datasets/penguins.csv", hidden=[20, 20], epochs=6, seed=5, nthreads=1
    )
    np.testing.assert_array_equal(train(replicas=1, averaging_rows=0, nthreads=1).network.theta, usual.network.theta)


@pytest.mark.proves("averaging_rows")
def test_replicas_are_averaged_as_often_as_asked_for():
    often, seldom, chosen, same = (train("diabetes", averaging_rows=n).network.theta for n in (8, 64, 0, 128))
    assert not np.array_equal(often, seldom)
    np.testing.assert_array_equal(chosen, same)  # a row uses all weights here


@pytest.mark.proves("elastic_averaging", "elastic_averaging_moving_rate", "elastic_averaging_regularization")
def test_elastic_averages_let_replicas_differ_by_their_settings():
    given = {"replicas": 3, "epochs": 20, "nthreads": 1}
    elastic = given | {"elastic_averaging": True, "elastic_averaging_regularization": 1.0}
    usual, ours, slow, loose = (
        train(**given),
        train(**elastic),
        train(**elastic | {"elastic_averaging_moving_rate": 0.3}),
        train(**elastic | {"elastic_averaging_regularization": 0.1}),
    )
    models = [usual, ours, slow, loose]
    assert len({model.network.theta.tobytes() for model in models}) == 4
    assert ours.training_metrics.numbers()["logloss"] < 0.1


def test_averaging_rows_without_replicas_is_told_to_do_nothing():
    with pytest.warns(UserWarning, match="^averaging_rows has no effect while replicas is 1; pass replicas.$"):
        train(replicas=1)


@pytest.mark.parametrize(
    ("given", "metric", "most"),
    [
        ({"table": "penguins"}, "logloss", 0.1),
        ({"table": "breast_cancer", "epochs": 20}, "logloss", 0.1),
        ({"table": "diabetes", "epochs": 30}, "r2", None),
        ({"table": "breast_cancer", "mini_batch_size": 32, "epochs": 60}, "logloss", 0.1),
        ({"table": "breast_cancer", "adaptive_rate": False, "epochs": 20}, "logloss", 0.1),
        ({"table": "penguins", "replicas": 8, "epochs": 30}, "logloss", 0.1),
    ],
)
def test_replicas_learn(given, metric, most):
    value = train(**given).training_metrics.numbers()[metric]
    assert value > 0.4 if most is None else value < most


@pytest.mark.parametrize("penalty", ["l1", "input_group_l1"])
def test_penalties_make_exact_zeros_of_weights_that_replicas_do_not_need(penalty):
    frame = pd.read_csv("datasets/breast_cancer.csv")
    noise = [f"noise{k}" for k in range(10)]
    frame[noise] = np.random.default_rng(0).normal(size=(len(frame), 10))
    model = train(frame=frame, y="diagnosis", epochs=100, replicas=3, averaging_rows=0, **{penalty: 0.01})
    assert model.training_metrics.numbers()["auc"] > 0.97
    if penalty == "l1":
        assert 0.2 < (model.network.weights(0) == 0).mean() < 0.95
    else:  # the model has no inputs that it does not use
        assert len(model.record.unused) >= 15


def test_early_stopping_and_the_best_model_are_those_of_the_mean():
    frame = pd.read_csv("datasets/diabetes.csv")
    model = train(
        frame=frame[:200],
        y="progression",
        validation_frame=frame[200:],
        epochs=1000,
        stopping_rounds=3,
        score_each_iteration=True,
        train_samples_per_iteration=0,
    )
    assert model.record.stopped_by == "stopping_rounds"
    history = [row["validation_rmse"] for row in model.history if row.get("validation_rmse") is not None]
    again = model.model_performance(frame[200:]).numbers()["rmse"]
    assert again == pytest.approx(min(history), rel=1e-5)


def test_training_goes_on_from_a_checkpoint_with_any_number_of_replicas():
    first = train(keep_state=True)
    for replicas in (1, 2, 3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = train(checkpoint=first, epochs=12, replicas=replicas, keep_state=True)
        assert model.record.samples == 2 * first.record.samples
        assert model.training_metrics.numbers()["logloss"] < first.training_metrics.numbers()["logloss"]


def test_an_interrupted_training_leaves_a_checkpoint_to_go_on_from(tmp_path):
    model = train(export_checkpoints_dir=str(tmp_path), model_id="m", score_each_iteration=True)
    again = h2olite.load_model(tmp_path / "m.h2olite")
    np.testing.assert_array_equal(state(again), state(model))


def test_replicas_of_an_autoencoder_reconstruct():
    given = {"training_frame": "datasets/breast_cancer.csv", "y": None, "ignored_columns": ["diagnosis"]}
    given |= {"autoencoder": True, "activation": "Tanh", "sparsity_beta": 0.01, "average_activation": 0.1}
    one, two = (train(**given, epochs=20, nthreads=n, score_each_iteration=True) for n in (1, 2))
    np.testing.assert_array_equal(one.network.theta, two.network.theta)
    assert one.training_metrics.numbers()["mse"] < 0.5 * one.history[0]["training_mse"]
