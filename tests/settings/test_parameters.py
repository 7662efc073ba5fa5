import dataclasses
import inspect

import pytest

from h2olite.settings.parameters import GROUPS, Interval, Parameters, declared, nearest

H2O_DEFAULTS = {
    "activation": "Rectifier",
    "hidden": [200, 200],
    "epochs": 10.0,
    "train_samples_per_iteration": -2,
    "seed": -1,
    "adaptive_rate": True,
    "rho": 0.99,
    "epsilon": 1e-8,
    "rate": 0.005,
    "rate_annealing": 1e-6,
    "rate_decay": 1.0,
    "momentum_start": 0.0,
    "momentum_ramp": 1e6,
    "momentum_stable": 0.0,
    "nesterov_accelerated_gradient": True,
    "input_dropout_ratio": 0.0,
    "hidden_dropout_ratios": None,
    "l1": 0.0,
    "l2": 0.0,
    "max_w2": 3.4028235e38,
    "initial_weight_distribution": "UniformAdaptive",
    "initial_weight_scale": 1.0,
    "loss": "Automatic",
    "distribution": "AUTO",
    "quantile_alpha": 0.5,
    "tweedie_power": 1.5,
    "huber_alpha": 0.9,
    "score_interval": 5.0,
    "score_training_samples": 10000,
    "score_validation_samples": 0,
    "score_duty_cycle": 0.1,
    "classification_stop": 0.0,
    "regression_stop": 1e-6,
    "stopping_rounds": 5,
    "stopping_metric": "AUTO",
    "stopping_tolerance": 0.0,
    "max_runtime_secs": 0.0,
    "missing_values_handling": "MeanImputation",
    "mini_batch_size": 1,
    "use_all_factor_levels": True,
    "standardize": True,
    "overwrite_with_best_model": True,
    "ignore_const_cols": True,
    "variable_importances": True,
    "nfolds": 0,
    "max_after_balance_size": 5.0,
    "max_categorical_features": 2**31 - 1,
    "elastic_averaging_regularization": 0.001,
    "gainslift_bins": -1,
}

H2O_NAMES = """
    x y training_frame model_id validation_frame nfolds keep_cross_validation_models
    keep_cross_validation_predictions keep_cross_validation_fold_assignment fold_assignment fold_column
    ignore_const_cols score_each_iteration weights_column offset_column balance_classes class_sampling_factors
    max_after_balance_size checkpoint pretrained_autoencoder overwrite_with_best_model use_all_factor_levels
    standardize activation hidden epochs train_samples_per_iteration target_ratio_comm_to_comp seed
    adaptive_rate rho epsilon rate rate_annealing rate_decay momentum_start momentum_ramp momentum_stable
    nesterov_accelerated_gradient input_dropout_ratio hidden_dropout_ratios l1 l2 max_w2
    initial_weight_distribution initial_weight_scale initial_weights initial_biases loss distribution
    quantile_alpha tweedie_power huber_alpha score_interval score_training_samples score_validation_samples
    score_duty_cycle classification_stop regression_stop stopping_rounds stopping_metric stopping_tolerance
    max_runtime_secs score_validation_sampling diagnostics fast_mode force_load_balance variable_importances
    replicate_training_data single_node_mode shuffle_training_data missing_values_handling quiet_mode
    autoencoder sparse col_major average_activation sparsity_beta max_categorical_features reproducible
    export_weights_and_biases mini_batch_size categorical_encoding elastic_averaging
    elastic_averaging_moving_rate elastic_averaging_regularization export_checkpoints_dir auc_type
    custom_metric_func gainslift_bins verbose ignored_columns
""".split()
"""The parameters of R's h2o.deeplearning in its order, then that of Python alone."""


@pytest.mark.parametrize(("name", "default"), H2O_DEFAULTS.items())
def test_defaults_are_those_of_h2o(name, default):
    assert declared()[name].default == default


def test_only_shuffling_differs_from_h2os_defaults():
    assert Parameters().shuffle_training_data is True
    assert "H2O's default is False" in declared()["shuffle_training_data"].help


def test_every_parameter_stands_in_a_group_and_has_a_sentence_of_help():
    for parameter in declared().values():
        assert parameter.group in GROUPS
        assert parameter.help.endswith(".")


def test_every_group_has_parameters():
    assert {parameter.group for parameter in declared().values()} == set(GROUPS)


def test_every_default_is_allowed():
    for parameter in declared().values():
        entries = parameter.default if parameter.is_list else [parameter.default]
        for entry in entries or ():
            if parameter.within is not None:
                assert entry in parameter.within, parameter.name
            if parameter.choices is not None:
                assert entry in parameter.choices, parameter.name


def test_what_h2o_does_not_have_is_marked_as_our_own():
    assert [parameter.name for parameter in declared().values() if not parameter.own] == H2O_NAMES


def test_declarations_know_lists_enums_and_optional_values():
    hidden, ratios, activation = (declared()[name] for name in ("hidden", "hidden_dropout_ratios", "activation"))
    assert (hidden.type, hidden.is_list, hidden.optional, hidden.choices) == (int, True, False, None)
    assert (ratios.type, ratios.is_list, ratios.optional) == (float, True, True)
    assert activation.type is str
    assert activation.choices is not None
    assert activation.choices[0] == "Tanh"


def test_two_models_do_not_share_a_list():
    first, second = Parameters(), Parameters()
    first.hidden.append(3)
    assert second.hidden == [200, 200]


def test_first_three_parameters_may_be_positional_as_in_r():
    kinds = {name: p.kind for name, p in inspect.signature(Parameters).parameters.items()}
    assert [name for name, kind in kinds.items() if kind is not inspect.Parameter.KEYWORD_ONLY] == [
        "x",
        "y",
        "training_frame",
    ]
    assert list(kinds) == [field.name for field in dataclasses.fields(Parameters)]


@pytest.mark.parametrize(
    ("text", "inside", "outside", "rule"),
    [
        ("[0, 1)", 0, 1, "must be >= 0 and < 1"),
        ("(0, 1]", 1, 0, "must be > 0 and <= 1"),
        ("(0, inf)", 1e300, float("inf"), "must be > 0"),
        ("(0, inf]", float("inf"), 0, "must be > 0"),
        ("[-1, inf)", -1, -1.5, "must be >= -1"),
        ("(-inf, inf)", -1e300, float("-inf"), "must be finite"),
    ],
)
def test_interval_reads_mathematical_notation(text, inside, outside, rule):
    interval = Interval.parse(text)
    assert inside in interval
    assert outside not in interval
    assert float("nan") not in interval
    assert interval.rule() == rule


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("hiden", "; did you mean 'hidden'?"),
        ("Hidden_Dropout-Ratio", "; did you mean 'hidden_dropout_ratios'?"),
        ("zzz", "."),
    ],
)
def test_nearest_name_ignores_case_and_dashes(word, hint):
    assert nearest(word, declared()) == hint
