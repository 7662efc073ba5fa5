import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.data.frames import as_table
from h2olite.data.splits import deal_folds
from h2olite.errors import DataError, ParameterError
from h2olite.metrics import BinomialMetrics
from h2olite.selection.cross_validation import JointProgress, assign_folds, train
from h2olite.training.trainer import Progress
from h2olite.validation import validate

SMALL = {"hidden": [4], "epochs": 2, "seed": 1, "reproducible": True}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 2))
    label = np.where(x[:, 0] + random.normal(size=90) > 0, "yes", "no")
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "fold": np.arange(90) // 30, "y": label})


@pytest.fixture(scope="module")
def validated(table):
    return h2olite.deeplearning(
        y="y",
        training_frame=table,
        ignored_columns=["fold"],
        nfolds=3,
        keep_cross_validation_predictions=True,
        keep_cross_validation_fold_assignment=True,
        **SMALL,
    )


@pytest.mark.proves("nfolds", "keep_cross_validation_predictions", "keep_cross_validation_fold_assignment")
def test_every_row_is_predicted_by_the_model_that_did_not_learn_from_it(validated, table):
    folds = validated.cross_validation_fold_assignment()["fold_assignment"]
    predictions = validated.cross_validation_holdout_predictions()
    assert len(validated.cross_validation_models()) == 3
    for fold, model in enumerate(validated.cross_validation_models()):
        inside = folds == fold
        own = model.predict(table[inside]).set_index(table.index[inside])
        pd.testing.assert_frame_equal(predictions[inside], own)
        assert model.record.rows == (~inside).sum()
        assert model.model_id == f"{validated.model_id}_cv_{fold + 1}"


@pytest.mark.proves("nfolds")
def test_cross_validation_metrics_are_those_of_all_hold_out_predictions_together(validated, table):
    p1 = validated.cross_validation_holdout_predictions()["yes"]
    metrics = BinomialMetrics.from_predictions((table["y"] == "yes").to_numpy(np.int64), p1, levels=("no", "yes"))
    assert validated.auc(xval=True) == metrics.auc()
    assert validated.model_performance(xval=True).to_json() == metrics.to_json()
    assert validated.report()["cross_validation_metrics"] == metrics.to_json()
    assert validated.logloss(train=True, xval=True) == {"train": validated.logloss(), "xval": metrics.logloss()}


def test_predictions_of_a_fold_are_zero_in_all_other_rows(validated):
    holdout = validated.cross_validation_holdout_predictions()
    folds = validated.cross_validation_fold_assignment()["fold_assignment"]
    frames = validated.cross_validation_predictions()
    assert len(frames) == 3
    for fold, frame in enumerate(frames):
        pd.testing.assert_frame_equal(frame[folds == fold], holdout[folds == fold])
        assert (frame.loc[folds != fold, ["no", "yes"]] == 0).all(axis=None)
    assert sum(frame["yes"] for frame in frames).tolist() == holdout["yes"].tolist()


def test_summary_holds_mean_and_deviation_of_the_fold_models_metrics(validated):
    summary = validated.cross_validation_metrics_summary()
    aucs = [model.auc(valid=True) for model in validated.cross_validation_models()]
    assert list(summary.columns) == ["mean", "sd", "cv_1_valid", "cv_2_valid", "cv_3_valid"]
    assert list(summary.index) == sorted(summary.index)
    np.testing.assert_allclose(summary.loc["auc"], [np.mean(aucs), np.std(aucs, ddof=1), *aucs])
    assert {"accuracy", "err_count", "f0point5", "mcc", "precision", "recall", "specificity"} <= set(summary.index)
    assert summary.loc["accuracy", "cv_1_valid"] == pytest.approx(1 - summary.loc["err", "cv_1_valid"])


def test_undefined_metric_of_a_fold_is_left_out_of_mean_and_deviation(table):
    one_class = table.assign(y=np.where(np.arange(90) < 30, "yes", table["y"]))
    model = h2olite.deeplearning(y="y", training_frame=one_class, fold_column="fold", **SMALL)
    auc = model.cross_validation_metrics_summary().loc["auc"]
    assert np.isnan(auc["cv_1_valid"])
    assert auc["mean"] == pytest.approx((auc["cv_2_valid"] + auc["cv_3_valid"]) / 2)


@pytest.mark.proves("fold_column")
def test_fold_column_says_the_folds_and_is_no_predictor(table):
    model = h2olite.deeplearning(
        y="y", training_frame=table, fold_column="fold", keep_cross_validation_fold_assignment=True, **SMALL
    )
    assert model.cross_validation_fold_assignment()["fold_assignment"].tolist() == table["fold"].tolist()
    assert [model.encoder.predictors for model in (model, *model.cross_validation_models())] == [("a", "b")] * 4


@pytest.mark.proves("fold_assignment")
@pytest.mark.parametrize("assignment", ["Random", "Modulo", "Stratified"])
def test_rows_are_dealt_as_asked(table, assignment):
    parameters = validate({"y": "y", "nfolds": 3, "fold_assignment": assignment, "seed": 5})
    folds = assign_folds(parameters, as_table(table))
    by_class = pd.crosstab(folds, table["y"])
    spread = (by_class.max() - by_class.min()).max()
    assert (folds.tolist() == (np.arange(90) % 3).tolist()) == (assignment == "Modulo")
    assert (spread <= 1) == (assignment == "Stratified")


@pytest.mark.proves("keep_cross_validation_models")
def test_only_what_is_asked_for_is_kept(table):
    model = h2olite.deeplearning(y="y", training_frame=table, nfolds=2, keep_cross_validation_models=False, **SMALL)
    assert model.is_cross_validated()
    assert model.cross_validation_models() is None
    assert model.cross_validation_predictions() is None
    assert model.cross_validation_holdout_predictions() is None
    assert model.cross_validation_fold_assignment() is None
    assert model.cross_validation_metrics_summary() is not None


def test_model_without_folds_has_nothing_of_cross_validation(table):
    model = h2olite.deeplearning(y="y", training_frame=table, **SMALL)
    assert not model.is_cross_validated()
    assert model.cross_validation_models() is None
    assert model.cross_validation_metrics_summary() is None
    assert model.auc(xval=True) is None
    assert model.report()["cross_validation_metrics"] is None


def test_model_file_keeps_the_cross_validation(validated, table, tmp_path):
    loaded = h2olite.load_model(validated.save(tmp_path / "model.h2olite"))
    pd.testing.assert_frame_equal(
        loaded.cross_validation_holdout_predictions(), validated.cross_validation_holdout_predictions()
    )
    pd.testing.assert_frame_equal(
        loaded.cross_validation_metrics_summary(), validated.cross_validation_metrics_summary()
    )
    pd.testing.assert_frame_equal(
        loaded.cross_validation_fold_assignment(), validated.cross_validation_fold_assignment()
    )
    assert loaded.report() == validated.report()
    for own, other in zip(loaded.cross_validation_models(), validated.cross_validation_models(), strict=True):
        pd.testing.assert_frame_equal(own.predict(table), other.predict(table))


@pytest.mark.proves("nfolds")
def test_model_on_all_rows_trains_for_the_mean_of_its_folds_epochs_without_stopping_early(table):
    settings = SMALL | {"epochs": 60, "hidden": [20]}
    model = h2olite.deeplearning(y="y", training_frame=table, nfolds=3, stopping_rounds=1, **settings)
    epochs = [fold.record.epochs for fold in model.cross_validation_models()]
    assert "stopping_rounds" in {fold.stopped_by for fold in model.cross_validation_models()}
    assert model.parameters.epochs == np.mean(epochs) < 60
    assert model.record.epochs == pytest.approx(model.parameters.epochs, abs=1)
    assert (model.parameters.stopping_rounds, model.parameters.overwrite_with_best_model) == (0, False)
    assert all(fold.parameters.overwrite_with_best_model for fold in model.cross_validation_models())


def test_without_early_stopping_all_models_train_for_the_epochs_given(table):
    model = h2olite.deeplearning(y="y", training_frame=table, nfolds=2, stopping_rounds=0, **SMALL)
    assert model.record.epochs == model.parameters.epochs == 2


def test_reproducible_folds_do_not_depend_on_how_many_are_trained_at_once(table):
    def predictions(nthreads):
        model = h2olite.deeplearning(
            y="y",
            training_frame=table,
            nfolds=3,
            keep_cross_validation_predictions=True,
            nthreads=nthreads,
            **SMALL,
        )
        return model.cross_validation_holdout_predictions()

    pd.testing.assert_frame_equal(predictions(1), predictions(3))


def test_numeric_response_that_is_to_be_classes_has_the_same_levels_in_every_fold(table):
    ages = table.assign(y=np.where(np.arange(90) < 3, 7, np.arange(90) % 2))
    model = h2olite.deeplearning(y="y", training_frame=ages, fold_column="fold", distribution="multinomial", **SMALL)
    assert [fold.response.levels for fold in model.cross_validation_models()] == [("0", "1", "7")] * 3


def test_more_folds_than_rows_are_refused(table):
    message = r"^nfolds must be at most the number of rows of training_frame, 90; got 91\.$"
    with pytest.raises(DataError, match=message):
        h2olite.deeplearning(y="y", training_frame=table, nfolds=91, **SMALL)


def test_fold_that_cannot_be_trained_is_named(table):
    sorted_table = table.assign(y=np.where(table["fold"] == 1, "yes", "no"))
    with pytest.raises(DataError, match=r"^in fold 2 of 3: response 'y' of training_frame outside fold 2 must have "):
        h2olite.deeplearning(y="y", training_frame=sorted_table, fold_column="fold", **SMALL)


def test_stratified_folds_need_classes(table):
    with pytest.raises(ParameterError, match=r"^fold_assignment Stratified needs a categorical response and a is nu"):
        h2olite.deeplearning(y="a", training_frame=table, nfolds=3, fold_assignment="stratified", **SMALL)


def test_interrupted_folds_give_the_model_that_learnt_most_and_say_so(table):
    seen = []

    def watch(progress):
        seen.append(progress)
        return len(seen) < 3

    parameters = validate(SMALL | {"y": "y", "nfolds": 3, "epochs": 50})
    model = train(parameters, as_table(table), watch=watch)
    assert model.stopped_by == "interrupted"
    assert not model.is_cross_validated()
    assert model.record.warnings == [
        "cross-validation was interrupted; this is the model of one of the 3 folds, which has not learnt from that "
        "fold's rows."
    ]


def test_joint_progress_adds_up_trainings_and_counts_those_that_ended_early():
    told = []
    joint = JointProgress(told.append, [10.0] * 3)
    progress = Progress(
        epochs=4.0, total_epochs=10.0, rows_seen=400, rows_per_second=1.0, seconds=1.0, row={"epochs": 4}
    )
    joint.of(0)(progress)
    assert (told[-1].epochs, told[-1].total_epochs, told[-1].rows_seen, told[-1].row) == (4, 30, 400, None)
    joint.finish(0)
    joint.of(2)(progress)
    assert (told[-1].epochs, told[-1].total_epochs, told[-1].row) == (8, 24, {"epochs": 4})


def test_settings_of_early_stopping_act_on_the_folds_and_warn_of_nothing(table, recwarn):
    h2olite.deeplearning(
        y="y", training_frame=table, ignored_columns=["fold"], nfolds=2, stopping_metric="AUC", **SMALL
    )
    assert [str(warning.message) for warning in recwarn] == []


def test_folds_take_weights_and_offsets():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=120), "o": random.normal(size=120), "w": random.integers(0, 3, 120)})
    frame["y"] = frame["x"] + frame["o"]
    given = {"weights_column": "w", "offset_column": "o", "keep_cross_validation_predictions": True, "nfolds": 3}
    model = h2olite.deeplearning(y="y", training_frame=frame, **given, **SMALL)
    squares = (model.cross_validation_holdout_predictions()["predict"] - frame["y"]) ** 2
    assert model.mse(xval=True) == pytest.approx(np.average(squares, weights=frame["w"]))


def test_cross_validation_metrics_weigh_rows(table):
    weighted = table.assign(w=np.where(np.arange(90) % 2, 0.0, 3.0))
    model = h2olite.deeplearning(
        y="y",
        training_frame=weighted,
        fold_column="fold",
        weights_column="w",
        keep_cross_validation_predictions=True,
        **SMALL,
    )
    counted = weighted["w"] > 0
    p1 = model.cross_validation_holdout_predictions().loc[counted, "yes"]
    actual = (table.loc[counted, "y"] == "yes").to_numpy(np.int64)
    metrics = BinomialMetrics.from_predictions(actual, p1, levels=("no", "yes"))
    assert model.model_performance(xval=True).nobs() == 45
    assert model.logloss(xval=True) == pytest.approx(metrics.logloss())


def test_only_the_model_on_all_rows_is_exported(table, tmp_path):
    model = h2olite.deeplearning(
        y="y", training_frame=table, fold_column="fold", export_checkpoints_dir=str(tmp_path), model_id="m", **SMALL
    )
    assert [path.stem for path in tmp_path.glob("*.h2olite")] == [model.model_id]
    assert h2olite.load_model(next(tmp_path.glob("*.h2olite"))).is_cross_validated()


def without_response(table, rows):
    """A small table in which these rows have no response, as text and as a number."""
    labels = np.where(np.arange(12) % 3 == 0, "yes", "no")
    small = table.iloc[:12].assign(y=labels, fold=np.arange(12) // 2, number=np.arange(12.0), w=1.0)
    small.loc[rows, "y"] = None
    small.loc[rows, "number"] = np.nan
    return small


@pytest.mark.parametrize("y", ["y", "number"])
@pytest.mark.parametrize("assignment", ["Random", "Modulo"])
@pytest.mark.filterwarnings("ignore:rows of training_frame that lack the response")
def test_leave_one_out_leaves_out_rows_that_have_a_response(table, y, assignment):
    frame = without_response(table, [2, 5, 11])[["a", "b", y]]
    with pytest.warns(UserWarning, match=r"^cross-validation has 9 folds instead of 12: the others would have no row"):
        model = h2olite.deeplearning(
            y=y,
            training_frame=frame,
            nfolds=12,
            fold_assignment=assignment,
            keep_cross_validation_predictions=True,
            **SMALL,
        )
    assert len(model.cross_validation_models()) == 9
    assert model.model_performance(xval=True)["nobs"] == 9
    assert model.cross_validation_holdout_predictions().notna().all(axis=None)


@pytest.mark.filterwarnings("ignore:rows of training_frame that lack the response")
def test_fold_of_a_column_without_a_response_is_no_fold_and_its_rows_are_predicted(table, recwarn):
    model = h2olite.deeplearning(
        y="y",
        x=["a", "b"],
        training_frame=without_response(table, [2, 3, 6]),
        fold_column="fold",
        keep_cross_validation_predictions=True,
        keep_cross_validation_fold_assignment=True,
        **SMALL,
    )
    assert [fold.record.usable for fold in model.cross_validation_models()] == [7, 7, 8, 7, 7]
    assert model.cross_validation_holdout_predictions()["yes"].between(0, 1).all()
    assert model.cross_validation_fold_assignment()["fold_assignment"].tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert any(warning.startswith("cross-validation has 5 folds instead of 6") for warning in model.record.warnings)


def test_fold_whose_rows_all_weigh_nothing_is_no_fold(table):
    frame = without_response(table, [])
    frame.loc[[4, 5, 7], "w"] = 0
    with pytest.warns(UserWarning, match=r"^cross-validation has 5 folds instead of 6"):
        model = h2olite.deeplearning(
            y="y", x=["a", "b"], training_frame=frame, fold_column="fold", weights_column="w", **SMALL
        )
    assert model.model_performance(xval=True)["nobs"] == 9


def test_folds_stay_as_they_were_where_every_row_can_be_measured(table):
    parameters = validate({"y": "y", "nfolds": 4, "seed": 5})
    np.testing.assert_array_equal(assign_folds(parameters, as_table(table)), deal_folds(90, 4, "Random", 5))


def test_folds_differ_by_one_row_to_measure_at_most(table):
    parameters = validate({"y": "number", "nfolds": 4, "seed": 5})
    frame = without_response(table, [0, 1, 2, 7, 9])
    folds = assign_folds(parameters, as_table(frame))
    assert sorted(np.bincount(folds[frame["number"].notna()])) == [1, 2, 2, 2]


def test_part_of_the_table_that_a_fold_cannot_train_on_is_named(table):
    frame = without_response(table, [1, 3, 5]).assign(y=lambda frame: np.where(frame.index == 7, "yes", "no"))
    message = r"^in fold 4 of 6: response 'y' of training_frame outside fold 4 must have at least two values"
    with pytest.raises(DataError, match=message):
        h2olite.deeplearning(y="y", x=["a", "b"], training_frame=frame, fold_column="fold", **SMALL)


def test_one_fold_with_a_response_is_too_few(table):
    frame = without_response(table, list(range(2, 12)))
    message = (
        r"^fold_column 'fold' of training_frame must hold at least 2 different folds with rows to learn from; got 1;"
    )
    with pytest.raises(DataError, match=message):
        h2olite.deeplearning(y="y", x=["a", "b"], training_frame=frame, fold_column="fold", **SMALL)
