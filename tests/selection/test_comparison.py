import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.errors import ParameterError

SMALL = {"hidden": [5], "epochs": 2, "reproducible": True}


def table(n_rows=200, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=n_rows)
    noisy = x + random.normal(scale=0.3, size=n_rows)
    return pd.DataFrame(
        {
            "x": x,
            "noise": random.normal(size=n_rows),
            "number": noisy,
            "two": np.where(noisy > 0, "yes", "no"),
            "three": np.select([noisy < -0.5, noisy > 0.5], ["low", "high"], "middle"),
            "w": random.integers(0, 3, n_rows),
        }
    )


def pair(response, frame, **given):
    """A model that knows what matters and one that does not."""
    return {
        x: h2olite.deeplearning(x=[x], y=response, training_frame=frame, seed=1, **SMALL, **given)
        for x in ("noise", "x")
    }


@pytest.mark.parametrize("response", ["number", "two", "three"])
def test_values_are_the_models_metrics_and_the_better_model_is_found(response):
    frame = table()
    models = pair(response, frame)
    comparison = h2olite.compare(models, frame, n_resamples=100)
    rows = comparison.as_data_frame()
    for name, model in models.items():
        # A fresh measurement takes the threshold of this table; here errors are those of what is predicted.
        threshold = {"threshold": model.default_threshold()} if response == "two" else {}
        metrics = model.model_performance(frame, **threshold)
        own = rows[rows["model"] == name]
        assert own["value"].tolist() == pytest.approx([metrics[metric] for metric in own["metric"]])
    second = rows[rows["model"] == "x"]
    assert set(second["verdict"]) == {"better"}
    first_values = rows.loc[rows["model"] == "noise", "value"].to_numpy()
    np.testing.assert_allclose(second["difference"], second["value"] - first_values)
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()


def test_the_same_seed_draws_the_same_intervals():
    frame = table()
    models = pair("two", frame)
    first, again, other = (h2olite.compare(models, frame, n_resamples=20, seed=seed).rows() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_model_against_itself_does_not_differ():
    frame = table()
    model = pair("three", frame)["x"]
    rows = h2olite.compare({"a": model, "b": model}, frame, n_resamples=20).rows()
    assert {(row["difference"], row["verdict"]) for row in rows if row["model"] == "b"} == {(0.0, "unclear")}


def test_rows_are_weighed_by_the_first_models_weights_column():
    frame = table()
    models = pair("number", frame, weights_column="w")
    rows = h2olite.compare(models, frame, n_resamples=10).rows()
    assert rows[0]["value"] == pytest.approx(models["noise"].model_performance(frame).rmse())
    with pytest.warns(UserWarning, match="has no weights_column 'w'"):
        unweighted = h2olite.compare(models, frame.drop(columns="w"), n_resamples=10).rows()
    assert unweighted[0]["value"] != pytest.approx(rows[0]["value"])


def test_the_deviance_of_a_distribution_that_all_share_is_compared():
    frame = table()
    frame["number"] = np.exp(frame["number"])
    models = pair("number", frame, distribution="gamma")
    rows = h2olite.compare(models, frame, n_resamples=10).rows()
    assert rows[0]["metric"] == "mean_residual_deviance"
    assert rows[0]["value"] == pytest.approx(models["noise"].model_performance(frame).mean_residual_deviance())


def test_a_column_may_be_a_number_to_one_model_and_a_category_to_another(tmp_path):
    frame = table()
    frame["x"] = frame["x"].round()
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = {"x": ["x"], "y": "three", "training_frame": tmp_path / "t.csv", "seed": 1, **SMALL}
    models = {"number": h2olite.deeplearning(**given), "category": h2olite.deeplearning(factors=["x"], **given)}
    rows = h2olite.compare(models, tmp_path / "t.csv", n_resamples=10).rows()
    assert rows[0]["value"] == pytest.approx(models["number"].model_performance(tmp_path / "t.csv").logloss())
    assert rows[1]["value"] == pytest.approx(models["category"].model_performance(tmp_path / "t.csv").logloss())


def test_what_cannot_be_compared_is_refused(tmp_path):
    frame = table()
    model, other = pair("two", frame).values()
    for single in ([model], model, model.save(tmp_path / "single.h2olite"), tmp_path / "single.h2olite"):
        with pytest.raises(ParameterError, match="must be two or more; got 1"):
            h2olite.compare(single, frame)
    with pytest.raises(ParameterError, match="must have distinct names"):
        h2olite.compare([model, model], frame)
    for n_resamples in (0, 10**11):
        with pytest.raises(ParameterError, match=f"n_resamples must be from 1 to 1000000; got {n_resamples}"):
            h2olite.compare([model, other], frame, n_resamples=n_resamples)
    number = h2olite.deeplearning(y="number", training_frame=frame, seed=1, **SMALL)
    with pytest.raises(ParameterError, match="must predict the same response"):
        h2olite.compare([model, number], frame)
    fewer = h2olite.deeplearning(y="three", training_frame=frame[frame["three"] != "low"], seed=1, **SMALL)
    more = h2olite.deeplearning(y="three", training_frame=frame, seed=1, **SMALL)
    with pytest.raises(
        ParameterError, match=r"must know the same classes; .* has high, middle, the first one high, low"
    ):
        h2olite.compare([more, fewer], frame)
    auto = h2olite.deeplearning(training_frame=frame, autoencoder=True, seed=1, **SMALL)
    with pytest.raises(ParameterError, match="must predict a response"):
        h2olite.compare([model, auto], frame)
