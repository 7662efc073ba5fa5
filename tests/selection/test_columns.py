"""The choice of columns."""

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.frames import as_table
from h2olite.selection.columns import (
    Half,
    Tried,
    choose,
    false_columns,
    shares_of,
    sizes_to_try,
    with_shadows,
)
from h2olite.selection.ranking import by_path

SETTINGS = {"y": "y", "hidden": [20], "seed": 1, "reproducible": True}


def simulate(n_rows=600, n_columns=30, seed=0):
    """Four of thirty columns decide the class, two of them only together."""
    x = np.random.default_rng(seed).standard_normal((n_rows, n_columns))
    score = 3 * x[:, 0] * x[:, 1] + 2 * x[:, 2] - 2 * x[:, 3]
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(n_columns)]).assign(y=np.where(score > 0, "b", "a"))


TRUE = {"x0", "x1", "x2", "x3"}


@pytest.fixture(scope="module")
def selection():
    return h2olite.select(training_frame=simulate(), refit=True, **SETTINGS)


def test_the_columns_that_matter_are_chosen_and_almost_nothing_else(selection):
    assert set(selection.names[:4]) == TRUE
    assert len(selection) <= 6
    assert selection.false_columns <= 2
    assert all(selection.shares[name] >= 5 / 6 for name in TRUE)
    assert np.mean([share for name, share in selection.shares.items() if name not in TRUE]) < 0.2


def test_the_model_knows_the_chosen_columns_only_and_predicts_other_rows(selection):
    assert set(selection.model.encoder.predictors) <= set(selection.names)
    other = simulate(seed=5)
    alone = h2olite.deeplearning(training_frame=simulate(), **SETTINGS)
    assert selection.model.model_performance(other).logloss() < alone.model_performance(other).logloss()


def test_rows_and_report_tell_the_same(selection):
    rows, report = selection.rows(), selection.report("m.h2olite")
    assert [row["column"] for row in rows if row["chosen"]] == selection.names == report["columns"]
    assert [row["rank"] for row in rows] == list(range(1, 31))
    assert report["ranking"] == rows
    assert report["path"] == "m.h2olite"
    chosen = [row for row in report["tried"] if (row["method"], row["columns"]) == (selection.method, len(selection))]
    assert chosen[0]["loss"] <= min(row["loss"] + row["standard_error"] for row in report["tried"])
    assert selection.table()["column"].tolist() == selection.ranking
    assert f"{len(selection)} of 30 columns by" in repr(selection)


def test_the_picture_has_the_losses_and_the_shares(selection, tmp_path):
    pytest.importorskip("matplotlib")
    from h2olite.selection.pictures import draw_columns

    above, below = draw_columns(selection.losses(), selection.rows(), len(selection), selection.sort_metric).axes
    drawn = [(with_errors.get_label(), with_errors.lines[0].get_ydata().tolist()) for with_errors in above.containers]
    told = [(row["method"], row["loss"]) for row in selection.losses()]
    assert [(method, loss) for method, losses in drawn for loss in losses] == told
    widths = [bar.get_width() for bar in below.patches]
    assert widths == [row["share"] for row in selection.rows()[: len(widths)]]
    assert [label.get_text() for label in below.get_yticklabels()] == selection.ranking[: len(widths)]
    selection.plot(tmp_path / "s.png")
    assert (tmp_path / "s.png").stat().st_size > 10_000


def test_a_given_number_of_columns_is_chosen_and_the_same_seed_chooses_the_same():
    first, second = (h2olite.select(training_frame=simulate(200), columns=3, resamples=2, **SETTINGS) for _ in range(2))
    assert len(first) == 3
    assert (first.ranking, first.losses(), first.shares) == (second.ranking, second.losses(), second.shares)
    assert {row["columns"] for row in first.losses()} == {3}


def test_any_number_of_threads_chooses_the_same():
    settings = SETTINGS | {"reproducible": False, "score_each_iteration": True, "columns": 2, "resamples": 4}
    one, two = (
        h2olite.select(training_frame=simulate(100, 6), nthreads=nthreads, epochs=3, **settings) for nthreads in (1, 2)
    )
    assert (one.ranking, one.losses()) == (two.ranking, two.losses())


def test_a_numeric_response_may_have_missing_cells():
    frame = simulate(300)
    frame = frame.assign(y=np.where(np.arange(300) % 5 == 0, np.nan, frame["x2"] - frame["x3"]))
    selection = h2olite.select(training_frame=frame, columns=2, resamples=2, **SETTINGS)
    assert set(selection.names) == {"x2", "x3"}
    assert selection.sort_metric == "mean_residual_deviance"


def test_with_more_columns_than_rows_an_autoencoder_ranks_them_too():
    random = np.random.default_rng(0)
    hidden = random.standard_normal((40, 2))
    x = np.concatenate([hidden @ random.standard_normal((2, 15)), random.standard_normal((40, 45))], axis=1)
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(60)]).assign(y=np.where(hidden[:, 0] > 0, "b", "a"))
    selection = h2olite.select(training_frame=frame, columns=5, resamples=2, epochs=5, **SETTINGS)
    assert [row["method"] for row in selection.losses()] == ["path", "screening", "autoencoder"]


def test_the_path_puts_columns_without_evidence_last(monkeypatch):
    monkeypatch.setattr("h2olite.selection.ranking.LEAST_SCREENED", 5)
    monkeypatch.setattr("h2olite.selection.ranking.ROWS_PER_SCREENED", 10**9)
    frame = simulate()
    parameters = h2olite.jobs.check({"training_frame": frame, "epochs": 20} | SETTINGS)
    parameters.training_frame = None
    ranking = by_path(parameters, as_table(frame), [f"x{i}" for i in range(30)], [lambda _: True] * 12)
    assert set(ranking[:4]) == TRUE
    assert len(ranking) == 30


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": 0}, "columns must be from 1 to 30, the number of predictors; got 0."),
        ({"columns": 31}, "columns must be from 1 to 30, the number of predictors; got 31."),
        ({"resamples": 3}, "resamples must be an even number from 2 to 1000; got 3."),
        ({"input_group_l1": 0.1}, "input_group_l1 cannot be given for select"),
        ({"nfolds": 3}, "nfolds cannot be given for select"),
        ({"validation_frame": simulate()}, "validation_frame cannot be given for select"),
        ({"ensemble": 2}, "ensemble cannot be given for select"),
    ],
)
def test_what_does_not_go_with_it_is_refused(settings, message):
    with pytest.raises(h2olite.ParameterError, match=message):
        h2olite.select(training_frame=simulate(), **SETTINGS | settings)


def test_a_few_rows_are_too_few():
    with pytest.raises(h2olite.DataError, match="select needs at least 12 rows with a response"):
        h2olite.select(training_frame=simulate(11), **SETTINGS)


@pytest.mark.parametrize(
    ("n_columns", "sizes"),
    [(1, [1]), (2, [1, 2]), (5, [1, 2, 3, 4, 5]), (20, [1, 2, 3, 4, 6, 8, 12, 16, 20])],
)
def test_numbers_of_columns_grow_up_to_all(n_columns, sizes):
    assert sizes_to_try(n_columns) == sizes


def tried(method, n_columns, *losses):
    return Tried(method, n_columns, np.array(losses))


def test_the_fewest_columns_within_a_standard_error_are_chosen_by_the_better_method():
    best = tried("path", 8, 1.0, 1.2, 1.4)  # 1.2, and a standard error of 0.115
    far, near = tried("path", 1, 1.4, 1.4, 1.4), tried("path", 2, 1.3, 1.3, 1.3)
    nearer = tried("screening", 2, 1.25, 1.25, 1.25)
    assert choose([best, far, near, nearer]) is nearer
    assert choose([best, far]) is best


def half(*ranking):
    return Half({"path": list(ranking)}, {}, "logloss")


def test_shares_count_halves_and_shadows_tell_of_noise():
    halves = [half("a", "s1", "b", "c", "s2"), half("b", "a", "c", "s2", "s1")]
    chosen = tried("path", 2, 1.0, 1.0)
    assert shares_of(halves, chosen, ["a", "b", "c"]) == {"a": 1.0, "b": 1.0, "c": 0.0}
    # one shadow of two before the second column, in one of two halves, stands for three columns
    assert false_columns(halves, chosen, ["a", "b", "c"]) == pytest.approx(0.75)


def test_shadows_have_the_values_of_their_columns_in_another_order():
    table = as_table(pd.DataFrame({"a": np.arange(50.0), "a shuffled": list("xy") * 25, "y": np.arange(50.0)}))
    wider, shadows = with_shadows(table, ["a", "a shuffled"], 1)
    assert sorted(shadows.values()) == ["a", "a shuffled"]
    assert len(wider.columns) == 5
    for shadow, name in shadows.items():
        assert sorted(wider[shadow].values) == sorted(table[name].values)
        assert (wider[shadow].values != table[name].values).any()
