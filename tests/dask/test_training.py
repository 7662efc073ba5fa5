"""Training on clusters of processes: hard partitions, and the same bits whatever workers there are."""

import numpy as np
import pandas as pd
import pytest
from clusters import cluster_of, flights, frame_of, parts_of

import h2olite
from h2olite.errors import DataError, ParameterError

SETTINGS = {"y": "late", "hidden": [16], "epochs": 3, "seed": 4, "score_each_iteration": True}


def train(client, frame, **given):
    return h2olite.dask.deeplearning(client, training_frame=frame, **SETTINGS | given)


def weights_of(model):
    return [model.network.theta.tobytes(), model.network.first.tobytes(), model.network.second.tobytes()]


@pytest.fixture(scope="module")
def test_rows():
    return flights(2000, seed=9)


def test_a_cluster_learns_what_as_many_replicas_learn_in_one_process(client, test_rows):
    frame = flights(8000)
    model = train(client, frame_of(parts_of(frame, 5)), replicas=2, averaging_rows=250)
    alone = h2olite.deeplearning(training_frame=frame, **SETTINGS | {"replicas": 2, "averaging_rows": 250})
    assert model.model_performance(test_rows).logloss() == pytest.approx(
        alone.model_performance(test_rows).logloss(), rel=0.08
    )
    assert model.encoder.levels == alone.encoder.levels
    np.testing.assert_allclose(model.encoder.subtrahend, alone.encoder.subtrahend, rtol=1e-12)
    assert (model.record.rows, model.record.usable, model.record.samples) == (8000, 8000, 24000)
    cluster = model.record.origin["cluster"]
    assert (cluster["parts"], cluster["replicas"]) == (5, 2)
    assert sum(cluster["rows_by_worker"].values()) == 24000
    assert set(cluster["rows_by_worker"]) == set(client.nthreads())


def test_bits_depend_on_parts_and_replicas_and_not_on_workers(client, tmp_path):
    parts = parts_of(flights(3000), 4)
    models = [train(client, frame_of(parts), replicas=3) for _ in range(2)]
    with cluster_of(1, threads_per_worker=2) as one:
        models.append(train(one, frame_of(parts), replicas=3))
    assert len({tuple(weights_of(model)) for model in models}) == 1
    assert models[0].training_metrics.numbers() == models[2].training_metrics.numbers()
    assert weights_of(train(client, frame_of(parts), replicas=2)) != weights_of(models[0])
    models[0].save(tmp_path / "model.h2olite")
    loaded = h2olite.load_model(tmp_path / "model.h2olite")
    pd.testing.assert_frame_equal(loaded.predict(parts[0]), models[2].predict(parts[0]))


def test_partitions_may_be_empty_uneven_and_differ_in_levels_and_order(client):
    frame = flights(3000).sort_values("carrier", ignore_index=True)
    frame["late"] = np.where(frame.index < 300, "cancelled", frame.late)  # a class in one partition only
    frame.loc[2990:, "late"] = None  # a partition without the response
    pieces = [frame[:2000], frame[:0], frame[2000:2010], frame[2010:2990], frame[2990:], frame[:0]]
    pieces[2] = pieces[2][["late", "hour", "distance", "carrier"]]
    pieces[3] = pieces[3].astype({"carrier": "category", "hour": "float32"})
    with pytest.warns(UserWarning, match="part|response") as said:
        model = train(client, frame_of(pieces))
    assert {str(warning.message) for warning in said} == {
        "2 parts of 6 of training_frame have no rows.",
        "rows of training_frame that lack the response 'late' are left out: 10 of 3,000.",
    }
    assert model.classes == ("N", "Y", "cancelled")
    assert model.encoder.levels == (tuple("ABCDEFGH"),)
    assert (model.record.rows, model.record.usable) == (3000, 2990)
    assert model.record.origin["cluster"]["replicas"] == 3
    assert (model.predict(frame[:300]).predict == "cancelled").mean() > 0.5


def test_tables_that_cannot_be_trained_on_are_refused(client):
    frame = flights(100)
    with pytest.raises(DataError, match="has no rows: all of its 2 parts are empty"):
        train(client, frame_of([frame[:0], frame[:0]]))
    with pytest.raises(DataError, match=r"part 1 has a column 'hour' and part 2 has none"):
        train(client, frame_of([frame, frame.drop(columns="hour")]))
    with pytest.raises(DataError, match=r"it is missing in all rows"):
        train(client, frame_of([frame.assign(late=None)] * 2))
    with pytest.raises(DataError, match="has no column 'lat'; did you mean 'late'"):
        train(client, frame_of([frame]), y="lat")
    with pytest.raises(DataError, match="must be a Dask DataFrame, or a path that all workers can read; got DataFrame"):
        train(client, frame)


def test_columns_of_text_and_numbers_are_categorical(client):
    frame = flights(400).assign(code=np.arange(400) % 3)
    mixed = [frame[:200], frame[200:].assign(code=lambda part: "x" + part.code.astype(str))]
    model = train(client, frame_of(mixed))
    assert ("0", "1", "2", "x0", "x1", "x2") in model.encoder.levels


def test_weights_offsets_and_validation_act(client, test_rows):
    frame = flights(3000).assign(w=lambda rows: np.where(rows.hour < 12, 5.0, 0.5), base=1.5)
    frame["delay"] = frame.hour + frame.base + np.random.default_rng(1).normal(size=3000)
    parts = frame_of(parts_of(frame.drop(columns="late"), 3))
    model = train(client, parts, y="delay", weights_column="w", offset_column="base", epochs=20)
    alone = h2olite.deeplearning(
        training_frame=frame.drop(columns="late"),
        **SETTINGS | {"y": "delay", "weights_column": "w", "offset_column": "base", "epochs": 20, "replicas": 3},
    )
    assert model.response.subtrahend == pytest.approx(alone.response.subtrahend)
    assert model.rmse() == pytest.approx(alone.rmse(), rel=0.1)
    moved = model.predict(frame.assign(base=2.5)).predict - model.predict(frame).predict
    np.testing.assert_allclose(moved, 1.0)
    stopped = train(
        client,
        frame_of(parts_of(flights(3000), 3)),
        validation_frame=test_rows,
        stopping_rounds=2,
        stopping_tolerance=0.1,
        epochs=200,
    )
    assert stopped.record.stopped_by == "stopping_rounds"
    assert stopped.validation_metrics.nobs() == 2000


def test_rows_without_weight_or_with_missing_predictors_are_left_out(client):
    frame = flights(1000).assign(w=lambda rows: (rows.hour < 12) * 1.0)
    skipped = train(client, frame_of(parts_of(frame, 2)), weights_column="w", missing_values_handling="Skip")
    wanted = int(((frame.hour < 12) & frame.distance.notna()).sum())
    assert skipped.record.usable == wanted
    nothing = frame.assign(w=[1.0] * 500 + [0.0] * 500)
    assert train(client, frame_of(parts_of(nothing, 2)), weights_column="w").record.usable == 500


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nfolds": 3}, "nfolds cannot be used on a cluster; train in one process, or measure on a validation_frame"),
        ({"l1": 0.1}, "l1 cannot be used on a cluster"),
        ({"autoencoder": True, "y": None}, "autoencoder cannot be used on a cluster"),
        ({"holdout_share": 0.1}, "holdout_share cannot be used on a cluster; give other rows as validation_frame"),
        ({"ensemble": 3}, "ensemble must be 1 on a cluster; got 3"),
        ({"numeric_encoding": "Robust"}, "numeric_encoding must be Standardize on a cluster; got Robust"),
        ({"categorical_encoding": "Eigen"}, "categorical_encoding must be AUTO or OneHotInternal on a cluster"),
        ({"balance_classes": True}, "balance_classes cannot be used on a cluster; give weights by weights_column"),
        ({"score_training_samples": 0}, "score_training_samples must be 1 or more on a cluster"),
        ({"replicas": 5}, "replicas must be at most the number of parts with rows to train on, 2; got 5"),
        ({"hiden": [3]}, "did you mean 'hidden'"),
        ({"timeout": 0}, "timeout must be > 0; got 0"),
    ],
)
def test_what_a_cluster_cannot_do_is_refused(client, given, message):
    with pytest.raises(ParameterError, match=message):
        train(client, frame_of(parts_of(flights(100), 2)), **given)


def test_a_dask_frame_to_validate_on_is_refused(client):
    frame = frame_of(parts_of(flights(100), 2))
    with pytest.raises(DataError, match=r"validation_frame must be a table in the memory of this process"):
        train(client, frame, validation_frame=frame)


def test_files_are_read_by_the_workers(client, tmp_path):
    frame = flights(2000)
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, part in enumerate(parts_of(frame, 4)):
        part.to_parquet(folder / f"{number}.parquet", index=False)
    frame.to_parquet(tmp_path / "whole.parquet", index=False, row_group_size=500)
    model = train(client, folder)
    assert weights_of(train(client, str(folder / "*.parquet"))) == weights_of(model)
    assert model.record.origin["training_frame"]["source"]["path"] == str(folder)
    assert model.record.origin["cluster"]["parts"] == 4
    assert weights_of(train(client, frame_of(parts_of(frame, 4)))) == weights_of(model)
    whole = train(client, tmp_path / "whole.parquet")
    assert whole.record.rows == 2000
    frame[:1000].to_csv(folder / "1.csv", index=False)
    frame[1000:].to_csv(folder / "2.csv", index=False)
    assert train(client, folder / "*.csv").record.origin["cluster"]["parts"] == 2
    with pytest.raises(DataError, match="there is no file"):
        train(client, tmp_path / "absent.parquet")


def test_predictions_are_lazy_and_those_of_the_model(client):
    frame = flights(300)
    model = train(client, frame_of(parts_of(frame, 2)))
    lazily = h2olite.dask.predict(model, frame_of([frame[:100], frame[:0], frame[100:]]))
    assert list(lazily.columns) == ["predict", "N", "Y"]
    pd.testing.assert_frame_equal(lazily.compute(), model.predict(frame), check_dtype=False)
    with pytest.raises(DataError, match="frame must be a Dask DataFrame; got DataFrame"):
        h2olite.dask.predict(model, frame)
