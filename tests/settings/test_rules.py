import re

import pytest

from h2olite.errors import ParameterError
from h2olite.settings.validation import check_response, resolve, validate, warnings


def refuses(message, **given):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        validate(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"y": "a", "ignored_columns": ["a", "b"]},
            "the response 'a' cannot be one of ignored_columns.",
        ),
        (
            {"factors": ["a"], "numeric": ["b", "a"]},
            "column 'a' cannot be in both factors and numeric.",
        ),
        ({"nfolds": 1}, "nfolds must be 0 or >= 2; got 1."),
        (
            {"nfolds": 3, "fold_column": "f"},
            "nfolds and fold_column cannot both be given; got 3 and 'f'.",
        ),
        (
            {"fold_assignment": "Modulo"},
            "fold_assignment needs nfolds and no fold_column; got fold_assignment Modulo.",
        ),
        (
            {"fold_assignment": "Random", "fold_column": "f"},
            "fold_assignment needs nfolds and no fold_column; got fold_assignment Random.",
        ),
        (
            {"fold_column": "f", "y": "f"},
            "y and fold_column must be different columns; both are 'f'.",
        ),
        (
            {"hidden_dropout_ratios": [0.1, 0.2]},
            "hidden_dropout_ratios need an activation WithDropout; got activation Rectifier.",
        ),
        (
            {"activation": "TanhWithDropout", "hidden_dropout_ratios": [0.1]},
            "hidden_dropout_ratios must have one entry per hidden layer; got 1 for 2 layers.",
        ),
        (
            {"distribution": "tweedie", "tweedie_power": 2},
            "tweedie_power must be > 1 and < 2; got 2.",
        ),
        (
            {"distribution": "poisson", "loss": "Quadratic"},
            "loss with distribution poisson must be Automatic; got Quadratic.",
        ),
        (
            {"distribution": "laplace", "loss": "Huber"},
            "loss with distribution laplace must be Automatic or Absolute; got Huber.",
        ),
        (
            {"distribution": "gaussian", "loss": "Absolute"},
            "loss with distribution gaussian must be Automatic or Quadratic; got Absolute.",
        ),
        (
            {"distribution": "bernoulli", "loss": "Quantile"},
            "loss with distribution bernoulli must be Automatic or CrossEntropy or Quadratic; got Quantile.",
        ),
        (
            {"weights_column": "w", "offset_column": "w"},
            "weights_column and offset_column must be different columns; both are 'w'.",
        ),
        (
            {"class_sampling_factors": [1, 2]},
            "class_sampling_factors need balance_classes; pass balance_classes=True.",
        ),
        (
            {"numeric_encoding": "Robust", "standardize": False},
            "numeric_encoding Robust needs standardize; leave one of them out.",
        ),
        (
            {"numeric_encoding": "Quantile", "sparse": True},
            "numeric_encoding Quantile cannot be combined with sparse; columns of mostly zeros stay sparse without it "
            "(sparse_from).",
        ),
        (
            {"numeric_encoding": "PiecewiseLinear", "autoencoder": True},
            "numeric_encoding with autoencoder must be Standardize, as an autoencoder reconstructs numbers in the "
            "units of their columns; got PiecewiseLinear.",
        ),
        (
            {"update_rule": "Adam", "adaptive_rate": False},
            "update_rule must be AUTO or SGD without adaptive_rate; got Adam; leave one of them out.",
        ),
        (
            {"label_smoothing": 0.1, "autoencoder": True},
            "label_smoothing cannot be combined with autoencoder, which has no classes; leave one of them out.",
        ),
        (
            {"label_smoothing": 0.1, "loss": "Quadratic"},
            "label_smoothing needs loss CrossEntropy; got Quadratic; leave one of them out.",
        ),
        (
            {"elastic_averaging": True, "sparse": True},
            "elastic_averaging and sparse cannot be combined; leave one of them out.",
        ),
        (
            {"elastic_averaging": True, "replicas": 2, "l1": 1e-3},
            "elastic_averaging cannot be combined with l1 in replicas; leave one of them out.",
        ),
        (
            {"elastic_averaging": True, "replicas": 2, "input_group_l1": 1e-3},
            "elastic_averaging cannot be combined with input_group_l1 in replicas; leave one of them out.",
        ),
        (
            {"stopping_metric": "custom_increasing"},
            "stopping_metric custom_increasing needs custom_metric_func; choose another metric.",
        ),
    ],
)
def test_contradictions_are_refused(given, message):
    refuses(message, **given)


@pytest.mark.proves("col_major")
def test_col_major_is_refused_like_in_h2o():
    assert validate({"col_major": False}).col_major is False
    refuses("col_major was removed from H2O; leave it out.", col_major=True)


def test_auc_may_stop_training_of_several_classes_if_its_type_is_chosen():
    check_response(validate({"stopping_metric": "AUCPR", "auc_type": "MACRO_OVR"}), 3)


@pytest.mark.proves("max_w2")
@pytest.mark.parametrize(("activation", "limit"), [("Rectifier", 1000.0), ("Tanh", 3.4028235e38)])
def test_infinite_max_w2_is_bounded_for_rectifiers_only(activation, limit):
    assert resolve(validate({"max_w2": float("inf"), "activation": activation}), None).max_w2 == limit


def test_tweedie_power_is_checked_only_with_tweedie():
    assert validate({"tweedie_power": 3.0}).tweedie_power == 3.0


def test_two_fitting_dropout_ratios_pass():
    given = {"activation": "MaxoutWithDropout", "hidden": [5, 4, 3], "hidden_dropout_ratios": [0, 0.2, 0.5]}
    assert validate(given).hidden_dropout_ratios == [0.0, 0.2, 0.5]


@pytest.mark.parametrize(
    ("given", "n_classes", "message"),
    [
        (
            {"loss": "CrossEntropy"},
            None,
            "loss CrossEntropy needs a categorical response and age is numeric; name it in factors to make it "
            "categorical.",
        ),
        (
            {"label_smoothing": 0.1},
            None,
            "label_smoothing needs a categorical response and age is numeric; name it in factors to make it "
            "categorical.",
        ),
        (
            {"distribution": "multinomial"},
            None,
            "distribution multinomial needs a categorical response and age is numeric; name it in factors to make it "
            "categorical.",
        ),
        (
            {"distribution": "gaussian"},
            2,
            "distribution gaussian needs a numeric response and age is categorical; name it in numeric if its cells "
            "are numbers.",
        ),
        (
            {"loss": "Huber"},
            3,
            "loss Huber needs a numeric response and age is categorical; name it in numeric if its cells are numbers.",
        ),
        (
            {"weights_column": "age"},
            None,
            "weights_column cannot be the response 'age' too; name another column as one of the two.",
        ),
        ({"offset_column": "o"}, 2, "offset_column needs a numeric response and age is categorical."),
        (
            {"balance_classes": True},
            None,
            "balance_classes needs a categorical response and age is numeric; name it in factors to make it "
            "categorical.",
        ),
        (
            {"score_validation_sampling": "Stratified"},
            None,
            "score_validation_sampling Stratified needs a categorical response and age is numeric; name it in factors "
            "to make it categorical.",
        ),
        (
            {"balance_classes": True, "class_sampling_factors": [1, 2]},
            3,
            "class_sampling_factors must have one entry per class of age; got 2 for 3 classes.",
        ),
        (
            {"stopping_metric": "deviance"},
            2,
            "stopping_metric for a response of two classes must be one of logloss, MSE, RMSE, AUC, AUCPR, "
            "lift_top_group, misclassification, mean_per_class_error; got deviance.",
        ),
        (
            {"stopping_metric": "AUC"},
            7,
            "stopping_metric for a response of 7 classes must be one of logloss, MSE, RMSE, misclassification, "
            "mean_per_class_error; got AUC.",
        ),
        (
            {"auc_type": "MACRO_OVO"},
            51,
            "auc_type MACRO_OVO needs at most 50 classes and age has 51; leave it out.",
        ),
        (
            {"stopping_metric": "logloss"},
            None,
            "stopping_metric for a numeric response must be one of deviance, MSE, RMSE, MAE, RMSLE; got logloss.",
        ),
    ],
)
def test_settings_that_do_not_go_with_the_response_are_refused(given, n_classes, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        check_response(validate(given), n_classes, name="age")


@pytest.mark.parametrize(
    ("distribution", "lowest", "sign"),
    [("poisson", -1, ">= 0"), ("tweedie", -0.5, ">= 0"), ("gamma", -1, "> 0"), ("gamma", 0, "> 0")],
)
def test_deviances_refuse_responses_outside_their_range(distribution, lowest, sign):
    message = f"^n must be {sign} for distribution {distribution}; got {lowest:g}"
    with pytest.raises(ParameterError, match=message):
        check_response(validate({"distribution": distribution}), None, name="n", lowest=lowest)


@pytest.mark.parametrize(("distribution", "lowest"), [("poisson", 0), ("gamma", 0.1), ("gaussian", -5)])
def test_responses_inside_the_range_pass(distribution, lowest):
    check_response(validate({"distribution": distribution}), None, lowest=lowest)


def test_number_of_classes_not_the_name_decides_between_bernoulli_and_multinomial():
    for name, n_classes in (("bernoulli", 3), ("multinomial", 2)):
        p = validate({"distribution": name})
        check_response(p, n_classes)
        assert resolve(p, n_classes).distribution == ("bernoulli" if n_classes == 2 else "multinomial")


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({}, []),
        ({"rate": 0.1}, ["rate has no effect while adaptive_rate is on; pass adaptive_rate=False."]),
        ({"rate": 0.1, "adaptive_rate": False}, []),
        (
            {"rho": 0.9, "adaptive_rate": False},
            ["rho has no effect while adaptive_rate is off; pass adaptive_rate=True."],
        ),
        ({"update_rule": "SGD", "rate": 0.1}, []),
        ({"update_rule": "AdamW", "adam_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-6}, []),
        ({"beta1": 0.5}, ["beta1 has no effect with update_rule ADADELTA; pass update_rule='Adam'."]),
        ({"update_rule": "Adam", "rate": 0.1}, ["rate has no effect with update_rule Adam; pass adam_rate."]),
        (
            {"update_rule": "Adam", "rho": 0.9},
            ["rho has no effect with update_rule Adam; pass update_rule='ADADELTA'."],
        ),
        ({"update_rule": "SGD", "adam_rate": 0.1}, ["adam_rate has no effect with update_rule SGD; pass rate."]),
        (
            {"update_rule": "SGD", "epsilon": 1},
            ["epsilon has no effect with update_rule SGD; pass update_rule='ADADELTA'."],
        ),
        (
            {"stopping_rounds": 0, "stopping_tolerance": 0.1},
            ["stopping_tolerance has no effect while stopping_rounds is 0; pass stopping_rounds to stop early."],
        ),
        (
            {"stopping_rounds": 0, "stopping_metric": "MSE"},
            [
                "stopping_metric only picks the best model while stopping_rounds is 0; "
                "pass stopping_rounds to stop early."
            ],
        ),
        (
            {"stopping_rounds": 0, "stopping_metric": "MSE", "overwrite_with_best_model": False},
            ["stopping_metric has no effect while stopping_rounds is 0; pass stopping_rounds to stop early."],
        ),
        (
            {"huber_alpha": 0.5},
            ["huber_alpha has no effect without distribution huber; pass distribution='huber'."],
        ),
        ({"quantile_alpha": 0.9, "loss": "Quantile"}, []),
        ({"diagnostics": False}, ["diagnostics has no effect: the statistics of the layers are always there."]),
        (
            {"elastic_averaging": True, "averaging_rows": 5},
            [
                "averaging_rows has no effect while replicas is 1; pass replicas.",
                "elastic_averaging has no effect while replicas is 1; pass replicas.",
            ],
        ),
        (
            {"elastic_averaging_moving_rate": 0.5, "replicas": 2},
            [
                "elastic_averaging_moving_rate has no effect without elastic_averaging; pass elastic_averaging=True.",
            ],
        ),
        ({"elastic_averaging": True, "elastic_averaging_regularization": 1.0, "replicas": 2}, []),
        (
            {"single_node_mode": True},
            ["single_node_mode has no effect; h2olite.dask trains on several machines, by replicas."],
        ),
        (
            {"max_w2": float("inf")},
            ["max_w2 inf becomes 1000 with Rectifier, as in H2O; leave it out for no limit."],
        ),
        ({"max_w2": float("inf"), "activation": "Tanh"}, []),
        (
            {"keep_cross_validation_predictions": True},
            ["keep_cross_validation_predictions has no effect without cross-validation; pass nfolds or fold_column."],
        ),
        (
            {"max_after_balance_size": 2},
            ["max_after_balance_size has no effect without balance_classes; pass balance_classes=True."],
        ),
        ({"max_after_balance_size": 2, "balance_classes": True}, []),
        (
            {"score_validation_sampling": "Stratified"},
            [
                "score_validation_sampling has no effect while score_validation_samples is 0, which takes all rows; "
                "pass score_validation_samples."
            ],
        ),
        (
            {"initial_weight_scale": 2},
            [
                "initial_weight_scale has no effect on UniformAdaptive initial weights; "
                "pass initial_weight_distribution='Uniform' or 'Normal'."
            ],
        ),
    ],
)
def test_changed_values_without_effect_are_told(given, sentences):
    assert warnings(validate(given), None) == sentences


@pytest.mark.parametrize(
    ("given", "n_classes", "sentences"),
    [
        ({"auc_type": "MACRO_OVR"}, 3, []),
        (
            {"auc_type": "MACRO_OVR"},
            2,
            ["auc_type has no effect on the metrics of age, which has not more than two classes."],
        ),
        ({"gainslift_bins": 5}, 2, []),
        (
            {"gainslift_bins": 5},
            None,
            ["gainslift_bins has no effect on the metrics of age, which has not two classes."],
        ),
    ],
)
def test_metrics_that_the_response_does_not_have_are_told(given, n_classes, sentences):
    assert warnings(validate(given), n_classes, name="age") == sentences
