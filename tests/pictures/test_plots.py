"""What pictures of models show is what the model says."""

import numpy as np
import pandas as pd
import pytest

import h2olite

pytest.importorskip("matplotlib")

N = 200
NASTY = "_$a_$ <script>\x1b[1m"
SETTINGS = {"hidden": [8], "epochs": 20, "seed": 1, "reproducible": True}


def frame(kind):
    random = np.random.default_rng(0)
    x = random.standard_normal((N, 3))
    table = pd.DataFrame(x, columns=["a", "b", NASTY])
    table["c"] = np.where(random.random(N) < 0.3, None, np.where(x[:, 0] > 0, "high", "low"))
    score = 2 * x[:, 0] + x[:, 1]
    table["y"] = {
        "Regression": score,
        "Binomial": np.where(score > 0, "yes", "no"),
        "Multinomial": np.array(["r", "g", "b"])[np.digitize(score, [-1, 1])],
    }[kind]
    return table


@pytest.fixture(scope="module", params=["Regression", "Binomial", "Multinomial"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    return h2olite.deeplearning(y="y", training_frame=frame(kind), validation_frame=frame(kind), **SETTINGS)


def lines_of(figure):
    return figure.axes[0].get_lines()


def test_importances_are_those_of_the_columns(model):
    axes = model.varimp_plot(3).axes[0]
    rows = model.varimp(by_column=True)[:3]
    assert [bar.get_width() for bar in axes.patches] == [row[2] for row in rows]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [row[0].replace("\x1b", "\\x1b") for row in rows]


@pytest.mark.parametrize("n_repeats", [1, 3])
def test_permutation_importances_are_drawn(model, kind, n_repeats):
    given = {"n_repeats": n_repeats, "seed": 1}
    bars = model.permutation_importance_plot(frame(kind), num_of_features=2, **given).axes[0].patches
    rows = model.permutation_importance(frame(kind), **given)[:2]
    expected = [row[1] if n_repeats == 1 else np.mean(row[1:]) for row in rows]
    assert [bar.get_width() for bar in bars] == pytest.approx(expected)


def test_the_learning_curve_is_the_history(model):
    metric = {"Regression": "deviance"}.get(model.category, "logloss")
    training, validation, *_ = lines_of(model.learning_curve_plot())
    history = model.scoring_history().dropna(subset=[f"training_{metric}"])
    assert training.get_xdata().tolist() == history["epochs"].tolist()
    assert training.get_ydata().tolist() == history[f"training_{metric}"].tolist()
    assert validation.get_ydata().tolist() == history[f"validation_{metric}"].tolist()
    rmse = lines_of(model.learning_curve_plot("RMSE"))[0]
    assert rmse.get_ydata().tolist() == history["training_rmse"].tolist()


def test_partial_dependence_is_that_of_the_tables_and_single_rows_have_their_lines(model, kind):
    table = frame(kind)
    target = None if kind == "Regression" else model.classes[-1]
    for column in ("a", "c"):
        (expected,) = model.partial_plot(table, [column], nbins=20, targets=target and [target])
        mean = lines_of(model.pd_plot(table, column, target))[0]
        assert mean.get_ydata() == pytest.approx(expected["mean_response"].to_numpy())
    *lines, mean, _ = lines_of(model.ice_plot(table, "a", target))
    assert len(lines) == 50
    (first,) = model.partial_plot(table, ["a"], nbins=20, targets=target and [target], row_index=0)
    assert lines[0].get_ydata() == pytest.approx(first["mean_response"].to_numpy())


def test_partial_plot_draws_its_tables(model, kind, tmp_path):
    table = frame(kind)
    tables = model.partial_plot(table, ["a", "c"])
    figure = model.partial_plot(table, ["a", "c"], plot=True)
    assert len(figure.axes) == len(tables) == 2 * (3 if kind == "Multinomial" else 1)
    for axes, expected in zip(figure.axes, tables, strict=True):
        means, deviations = expected["mean_response"].to_numpy(), expected["stddev_response"].to_numpy()
        assert axes.get_lines()[0].get_ydata() == pytest.approx(means)
        if axes.get_xlabel() == "a":
            corners = axes.collections[0].get_paths()[0].vertices[:, 1]
            assert (corners.min(), corners.max()) == pytest.approx(
                ((means - deviations).min(), (means + deviations).max())
            )
        else:
            (bars,) = axes.collections
            ends = np.array([segment[:, 1] for segment in bars.get_segments()])
            assert ends == pytest.approx(np.column_stack([means - deviations, means + deviations]))
    plain = model.partial_plot(table, "a", plot=True, plot_stddev=False, save=tmp_path / "p.svg")
    assert not plain.axes[0].collections
    assert (tmp_path / "p.svg").stat().st_size > 1000


def test_the_learning_curve_has_a_line_for_each_fold(kind):
    model = h2olite.deeplearning(
        y="y", training_frame=frame(kind), nfolds=3, keep_cross_validation_models=True, **SETTINGS
    )
    metric = {"Regression": "deviance"}.get(kind, "logloss")
    drawn = [np.asarray(line.get_ydata()).tolist() for line in lines_of(model.learning_curve_plot())]
    for fold in model.cross_validation_models():
        history = fold.scoring_history().dropna(subset=[f"validation_{metric}"])
        assert history[f"validation_{metric}"].tolist() in drawn


def test_contributions_compare_with_the_rows_that_the_model_keeps(model, kind):
    table = frame(kind)
    suffix = f".{model.classes[-1]}" if kind == "Multinomial" else ""
    found = model.predict_contributions(table)
    axes = model.shap_summary_plot(table, top_n_features=1).axes[0]
    (name,) = [label.get_text().replace("\\x1b", "\x1b") for label in axes.get_yticklabels()]
    assert np.asarray(axes.collections[0].get_offsets())[:, 0] == pytest.approx(found[f"{name}{suffix}"].to_numpy())


def test_contributions_are_those_of_the_model(model, kind):
    table = frame(kind)
    suffix = f".{model.classes[-1]}" if kind == "Multinomial" else ""
    found = model.predict_contributions(table, table.iloc[:50])
    axes = model.shap_summary_plot(table, table.iloc[:50], top_n_features=2).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == 2
    for name, points in zip(names, axes.collections, strict=True):
        name = name.replace("\\x1b", "\x1b")
        assert np.asarray(points.get_offsets())[:, 0] == pytest.approx(found[f"{name}{suffix}"].to_numpy())
    bars = model.shap_explain_row_plot(table, 7, table.iloc[:50]).axes[0].patches
    sizes = [found.iloc[7][name] for name in found if name.endswith(suffix) and not name.startswith("BiasTerm")]
    assert [bar.get_width() for bar in bars] == pytest.approx(sorted(sizes, key=lambda size: -abs(size)))


def test_residuals_curves_and_calibration_are_those_of_the_rows(model, kind):
    table = frame(kind)
    if kind == "Regression":
        (points,) = model.residual_analysis_plot(table).axes[0].collections
        predicted = model.predict(table)["predict"].to_numpy()
        assert np.asarray(points.get_offsets()) == pytest.approx(np.column_stack([predicted, table["y"] - predicted]))
        for refused in (model.roc_plot, model.calibration_plot, model.confusion_matrix_plot):
            with pytest.raises(h2olite.DataError, match="classes"):
                refused(table)
        return
    curves = model.curves(table)
    for plot, x, y in ((model.roc_plot, "fpr", "tpr"), (model.pr_plot, "recall", "precision")):
        for line, (_, curve) in zip(lines_of(plot(table)), curves.groupby("class", sort=False), strict=False):
            assert line.get_xdata()[1:] == pytest.approx(curve[x].to_numpy(), nan_ok=True)
            assert line.get_ydata()[1:] == pytest.approx(curve[y].to_numpy(), nan_ok=True)
    lift = lines_of(model.gains_lift_plot(table))[0]
    assert lift.get_xdata()[-1] == pytest.approx(1)
    assert lift.get_ydata()[-1] == pytest.approx(1)
    shares = lines_of(model.calibration_plot(table))[1]
    assert len(shares.get_xdata()) <= 10
    numbers = [int(text.get_text().replace(",", "")) for text in model.confusion_matrix_plot(table).axes[0].texts]
    assert numbers == np.asarray(model.model_performance(table).confusion_matrix().matrix).ravel().tolist()
    with pytest.raises(h2olite.DataError, match="residuals need a regression"):
        model.residual_analysis_plot(table)


def test_calibrated_probabilities_lie_on_the_diagonal():
    from h2olite.pictures.numbers import Judged, calibration_of

    random = np.random.default_rng(0)
    p = random.random(50_000)
    actual = (random.random(p.size) < p).astype(int)
    found = calibration_of(Judged(None, np.arange(p.size), actual, np.column_stack([1 - p, p]), np.ones(p.size)))
    assert found.observed == pytest.approx(found.predicted, abs=0.03)
    assert found.weights.sum() == p.size


def test_everything_is_explained_and_written(model, kind, tmp_path):
    table = frame(kind)
    figures = model.explain(table)
    usual = {"varimp_plot", "learning_curve_plot", "shap_summary_plot"}
    of_kind = {"residual_analysis_plot"} if kind == "Regression" else {"roc_plot", "pr_plot", "calibration_plot"}
    assert usual | of_kind <= set(figures)
    assert sum(name.startswith("ice_plot ") for name in figures) == 4
    assert len(model.explain_row(table, 3)) == 5
    for extension in ("svg", "png", "pdf"):
        target = tmp_path / f"p.{extension}"
        model.pd_plot(table, NASTY, save=target)
        assert target.stat().st_size > 1000
    with pytest.raises(h2olite.ParameterError, match="extension must be one of"):
        model.pd_plot(table, "a", save=tmp_path / "p.gif")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda model, table: model.pd_plot(table, "z"), "'z' is no predictor"),
        (lambda model, table: model.shap_explain_row_plot(table, N), f"row_index must be from 0 to {N - 1}; got {N}"),
        (lambda model, table: model.explain_row(table, -1), "row_index must be from 0"),
        (
            lambda model, table: model.explain(table.drop(columns="y")),
            "has no response 'y', by which",
        ),
    ],
)
def test_what_is_not_there_is_refused(model, kind, draw, message):
    with pytest.raises(h2olite.DataError, match=message):
        draw(model, frame(kind))


def test_an_unknown_metric_is_refused(model):
    with pytest.raises(h2olite.ParameterError, match="metric must be AUTO or one of"):
        model.learning_curve_plot("gini")


def test_without_matplotlib_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(h2olite.MissingExtraError, match=r"pip install 'h2olite\[plot\]'"):
        model.varimp_plot()


def test_an_autoencoder_has_a_learning_curve_and_a_histogram_of_errors():
    table = frame("Regression")
    model = h2olite.deeplearning(training_frame=table, autoencoder=True, **SETTINGS)
    assert len(lines_of(model.learning_curve_plot())[0].get_xdata()) > 1
    figures = model.explain(table)
    assert set(figures) == {"learning_curve_plot", "reconstruction_plot"} | ({"varimp_plot"} & set(figures))
    bars = figures["reconstruction_plot"].axes[0].patches
    errors = model.anomaly(table)["Reconstruction.MSE"]
    assert sum(bar.get_height() for bar in bars) == len(table)
    assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(errors.max())
    with pytest.raises(h2olite.DataError, match="is an autoencoder"):
        model.roc_plot(table)
