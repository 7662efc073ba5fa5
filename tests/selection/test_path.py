import builtins
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

import h2olite
from h2olite.pictures.canvas import refuse_undrawable
from h2olite.selection import pictures, tracing
from h2olite.selection.path import Point, RegularizationPath, read_strengths
from h2olite.selection.pictures import draw
from h2olite.selection.tracing import Itinerary
from h2olite.settings.parameters import Parameters

SETTINGS = {"hidden": [16], "epochs": 20, "nthreads": 1, "seed": 1}


def simulate(n_rows=1000, seed=0):
    """Classes that the first two of eight columns decide."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n_rows, 8))
    score = 3 * x[:, 0] + 3 * np.sin(2 * x[:, 1])
    labels = np.where(random.random(n_rows) < 1 / (1 + np.exp(-score)), "yes", "no")
    return {f"x{i}": column for i, column in enumerate(x.T)} | {"y": labels}


@pytest.fixture(scope="module")
def path():
    """A path of group penalties that ends with an empty model."""
    return h2olite.regularization_path(
        y="y", training_frame=simulate(), input_group_l1="1e-3:0.5:9", nfolds=4, **SETTINGS
    )


@pytest.mark.parametrize(
    ("given", "strengths"),
    [
        ("1e-4:1e-2:3", [1e-4, 1e-3, 1e-2]),
        ("1e-3,0,1e-3", [0, 1e-3]),
        (0.5, [0.5]),
        (np.array([2, 1]), [1, 2]),
        ([0.1], [0.1]),
    ],
)
def test_strengths_are_read_in_ascending_order(given, strengths):
    assert read_strengths({"l1": None, "l2": given}) == {"l2": strengths}


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("0.1x:10X:3", ["0.1x", "1x", "10x"]),
        ("0.5x, 0", ["0.0", "0.5x"]),
        (["1e-3x", 0.2], ["0.001x", "0.2"]),
        ("2x", ["2x"]),
    ],
)
def test_strengths_may_be_multiples(given, texts):
    (strengths,) = read_strengths({"l1": given}).values()
    assert list(map(str, strengths)) == texts


def test_without_strengths_the_path_takes_l1_from_weak_until_nothing_is_left():
    path = h2olite.regularization_path(y="y", training_frame=simulate(), **SETTINGS)
    features_used = path.table()["features_used"].tolist()
    assert path.names == ["l1"]
    assert features_used[-1] == 0
    assert features_used[-2] > 0
    assert {point.losses.size for point in path.points} == {5}  # folds


def test_the_strengths_of_a_path_may_be_multiples_of_the_strongest():
    absolute, relative = (
        h2olite.regularization_path(y="y", training_frame=simulate(), l1=l1, **SETTINGS) for l1 in (0.02, "0.1x")
    )
    (strength,) = relative.table()["l1"]
    assert 0.001 < strength < 0.2
    assert strength != absolute.table()["l1"][0]


@pytest.mark.parametrize(
    "given",
    [
        *("0:1:3", "1:2", "a", "1:2:x", [], [-1], [math.nan], "1e-3:inf:4", [[0.1, "b"]], "1:2:0"),
        *("x", "-1x", "0.1x:1:3", "0.1:1x:3", "nanx", "1xx"),
    ],
)
def test_other_strengths_are_refused(given):
    with pytest.raises(h2olite.ParameterError, match="l1 must be numbers >= 0, or LOW:HIGH:N"):
        read_strengths({"l1": given})


def test_stronger_penalties_leave_fewer_weights_and_columns(path):
    table = path.table()
    assert table["input_group_l1"].is_monotonic_increasing
    assert table["features_used"].is_monotonic_decreasing
    assert table["nonzero"].iloc[-1] < table["nonzero"].iloc[0]
    assert table["features_used"].iloc[[0, -1]].tolist() == [8, 0]


def test_the_columns_that_matter_stay_longest(path):
    assert set(path.model.encoder.predictors) == {"x0", "x1"}
    norms = path.column_norms()
    assert (norms.iloc[-1] == 0).all()
    assert (norms[["x2", "x3", "x4", "x5", "x6", "x7"]].iloc[path.best_1se] == 0).all()


def test_models_tell_of_predictors_that_have_left(path):
    features = path.points[-1].model.report()["features"]
    assert (features["total"], features["used"]) == (8, 0)
    assert len(set(features["unused"])) == 8


def test_cross_validation_gives_mean_and_standard_error_of_the_folds(path):
    point, row = path.points[0], path.rows()[0]
    assert len(point.losses) == 4
    assert row["validation_loss"] == point.losses.mean()
    assert row["standard_error"] == pytest.approx(np.std(point.losses, ddof=1) / 2)


def made_of(losses_and_weights):
    """A path whose points have these losses, standard errors of 0.1 and numbers of weights."""
    path = RegularizationPath(["l1"], [])
    path._rows = [
        {"l1": strength, "validation_loss": loss, "standard_error": 0.1, "nonzero": nonzero}
        for strength, (loss, nonzero) in enumerate(losses_and_weights)
    ]
    path.points = [Point(None, np.zeros(1))] * len(path._rows)
    return path


@pytest.mark.parametrize(
    ("points", "best", "best_1se"),
    [
        ([(1.0, 9), (0.9, 8), (0.95, 7), (1.1, 1)], 1, 2),
        ([(1.0, 9), (0.9, 5), (0.95, 7), (1.1, 1)], 1, 1),
        ([(1.0, 9), (1.05, 9), (1.09, 9), (1.2, 9)], 0, 2),
    ],
    ids=["sparser within", "best is sparsest", "equally many weights"],
)
def test_choices_follow_the_rule_of_one_standard_error(points, best, best_1se):
    path = made_of(points)
    assert (path.best, path.best_1se) == (best, best_1se)


def test_models_go_on_from_weaker_ones_before_their_last_tenth_of_the_epochs(path):
    epochs = np.diff([20, *(point.model.record.epochs for point in path.points)])
    tenths = epochs / 2
    np.testing.assert_allclose(tenths, tenths.round(), atol=1e-6)
    assert tenths.min() == pytest.approx(0)
    assert 1 <= tenths.max() <= 9
    assert path.points[1].model.parameters.checkpoint is not None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_l2_shrinks_the_weights_all_along_a_path(seed):
    path = h2olite.regularization_path(y="y", training_frame=simulate(), l2="1e-5:0.1:9", **SETTINGS | {"seed": seed})
    networks = [point.model.network for point in path.points]
    norms = [math.hypot(*(np.linalg.norm(network.weights(i)) for i in range(2))) for network in networks]
    assert (np.diff(norms) < 0).all()


def test_strengths_that_do_nothing_differ_in_nothing():
    path = h2olite.regularization_path(y="y", training_frame=simulate(), l2=[0, 1e-12, 1e-11], **SETTINGS)
    losses = [point.loss for point in path.points]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-4)


def test_combinations_go_on_from_the_next_weaker_one():
    itinerary = Itinerary({"l1": [0, 1, 2], "l2": [3, 4]}, Parameters())
    assert itinerary.places == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert itinerary.leading_to((2, 1)) == [(0, 0), (1, 0), (2, 0), (2, 1)]


def test_all_combinations_of_strengths_are_tried():
    path = h2olite.regularization_path(y="y", training_frame=simulate(), l1="1e-4,1e-3", l2=[0, 0.01], **SETTINGS)
    assert path.names == ["l1", "l2"]
    assert [list(point.strengths.values()) for point in path.points] == [
        [1e-4, 0, 0],
        [1e-4, 0.01, 0],
        [1e-3, 0, 0],
        [1e-3, 0.01, 0],
    ]


def test_hold_out_rows_are_not_trained_on_unless_refitted():
    arguments = {"y": "y", "training_frame": simulate(), "l1": "1e-3,1e-2", "validation_share": 0.25} | SETTINGS
    path = h2olite.regularization_path(**arguments)
    assert path.model is path.points[path.best_1se].model
    assert (path.model.record.rows, path.model.validation_metrics.nobs()) == (750, 250)
    refitted = h2olite.regularization_path(**arguments, refit=True, choice="best")
    assert refitted.model.record.rows == 1000
    assert refitted.model.parameters.l1 == refitted.rows()[refitted.best]["l1"]


def test_validation_frame_judges_models_of_all_rows():
    path = h2olite.regularization_path(
        y="y", training_frame=simulate(), validation_frame=simulate(200, 1), l1="1e-3,1e-2", refit=True, **SETTINGS
    )
    assert path.refitted is None
    assert path.model.record.rows == 1000
    for point in path.points:
        assert len(point.losses) == 10
        assert point.loss == pytest.approx(point.model.logloss(valid=True))


def test_regression_is_judged_by_deviance():
    table = simulate()
    table["y"] = table["x0"] + 0.1 * table["x1"]
    path = h2olite.regularization_path(y="y", training_frame=table, l1="1e-3,1", **SETTINGS)
    assert path.sort_metric == "mean_residual_deviance"
    assert path.best == 0


def test_autoencoders_are_judged_by_their_reconstruction():
    latent = simulate()["x0"]
    table = {f"x{i}": (i + 1) * latent for i in range(4)}
    path = h2olite.regularization_path(
        training_frame=table, autoencoder=True, activation="Tanh", l1="1e-4,1", **SETTINGS
    )
    assert path.sort_metric == "mse"
    assert path.best == 0


def test_rows_without_a_response_judge_nothing():
    table = simulate()
    table["y"] = np.where(np.arange(1000) % 3 == 0, None, table["y"])
    path = h2olite.regularization_path(
        y="y", training_frame=simulate(), validation_frame=table, l1="1e-3,1e-2", **SETTINGS
    )
    assert path.points[0].loss == pytest.approx(path.points[0].model.logloss(valid=True), rel=1e-3)


def test_paths_repeat_themselves(path):
    again = h2olite.regularization_path(
        y="y", training_frame=simulate(), input_group_l1="1e-3:0.5:9", nfolds=4, **SETTINGS
    )
    assert again.rows() == path.rows()


def test_what_does_not_go_with_a_path_is_told_at_once(tmp_path):
    with pytest.raises(h2olite.ParameterError) as error:
        h2olite.regularization_path(
            y="y", training_frame=simulate(), export_checkpoints_dir=str(tmp_path), validation_share=1, choice="worst"
        )
    assert str(error.value) == (
        "export_checkpoints_dir cannot be given for a path, whose models go on from one another; leave it out. "
        "validation_share must be in (0, 1); got 1. "
        "choice must be one of best_1se, best; got 'worst'."
    )


@pytest.mark.parametrize("extension", ["svg", "png"])
def test_pictures_are_drawn(path, tmp_path, extension):
    target = tmp_path / f"path.{extension}"
    path.plot(target)
    beginning = target.read_bytes()[:60]
    assert {"svg": b"<?xml", "png": b"\x89PNG"}[extension] in beginning


def test_the_penalty_with_most_strengths_runs_along_the_axis_and_the_picture_names_the_others():
    strengths = {"l1": "1e-4:0.1:3", "l2": [0, 1e-3]}
    path = h2olite.regularization_path(y="y", training_frame=simulate(), **strengths, **SETTINGS | {"epochs": 2})
    above, below, _ = draw(path.drawn()).axes
    assert below.get_xlabel() == "l1"
    labels = [text.get_text() for text in above.get_legend().get_texts()]
    assert {"l2 0", "l2 0.001", f"best (l2 {path.rows()[path.best]['l2']:g})"} <= set(labels)
    assert below.get_ylabel().endswith(f"\nl2 {path.rows()[path.chosen]['l2']:g}")


def test_the_picture_names_the_predictors_that_stay_longest(path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_NAMED", 2)
    _, below, _ = draw(path.drawn()).axes
    assert {text.get_text() for text in below.get_legend().get_texts()} == {"x0", "x1"}


def test_pictures_of_other_kinds_are_refused(path):
    with pytest.raises(h2olite.ParameterError, match=r"a picture's extension must be one of \.svg, \.png, \.pdf; got"):
        path.plot("path.bmp")


def test_without_matplotlib_the_extra_is_named(path, tmp_path, monkeypatch):
    real = builtins.__import__

    def fail(name, *arguments):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(h2olite.MissingExtraError, match=r"pip install 'h2olite\[plot\]'"):
        path.plot(tmp_path / "path.svg")
    with pytest.raises(h2olite.MissingExtraError, match=r"pip install 'h2olite\[plot\]'"):
        refuse_undrawable(tmp_path / "path.svg")


@pytest.fixture
def clock(monkeypatch):
    """Time that goes on by a second whenever the path looks at it."""
    monkeypatch.setattr(tracing, "time", SimpleNamespace(perf_counter=itertools.count().__next__))


@pytest.mark.parametrize("folds", [{}, {"nfolds": 2}], ids=str)
def test_a_path_ends_with_the_strengths_that_are_done_when_its_time_is_over(clock, folds):
    with pytest.warns(UserWarning, match=r"max_runtime_secs=200 ended the path after \d+ of 300 strengths\."):
        path = h2olite.regularization_path(
            y="y", training_frame=simulate(), l1="1e-5:1e-2:300", max_runtime_secs=200, refit=True, **folds, **SETTINGS
        )
    assert path.interrupted
    assert 0 < len(path) < 300
    assert path.model.stopped_by == "epochs"


def test_a_path_without_time_for_its_first_strength_is_an_error(clock):
    with pytest.raises(h2olite.TrainingError, match="must be long enough for the first strength; 1 s were over before"):
        h2olite.regularization_path(y="y", training_frame=simulate(), l1="1e-3", max_runtime_secs=1, **SETTINGS)
