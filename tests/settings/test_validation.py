import dataclasses
import re
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse

from h2olite.errors import ParameterError
from h2olite.settings.parameters import Parameters, declared
from h2olite.settings.validation import resolve, validate, wants_classes


def refuses(message, **given):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        validate(given)


def test_nothing_given_gives_the_defaults():
    assert dataclasses.asdict(validate({})) == dataclasses.asdict(Parameters())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", 3, 3.0),
        ("epochs", np.float32(0.5), 0.5),
        ("max_w2", 10, 10.0),
        ("max_w2", float("inf"), float("inf")),
        ("seed", np.int64(7), 7),
        ("seed", 7.0, 7),
        ("hidden", 200, [200]),
        ("hidden", (128, 64), [128, 64]),
        ("hidden", np.array([3, 2]), [3, 2]),
        ("hidden", pd.Series([3, 2]), [3, 2]),
        ("hidden", [], []),
        ("standardize", np.False_, False),
        ("activation", "tanh", "Tanh"),
        ("distribution", "GAUSSIAN", "gaussian"),
        ("initial_weight_distribution", "uniform_adaptive", "UniformAdaptive"),
        ("missing_values_handling", "mean-imputation", "MeanImputation"),
        ("x", "age", ["age"]),
        ("x", ("age", 3), ["age", 3]),
        ("y", np.int64(4), 4),
        ("hidden_dropout_ratios", None, None),
    ],
)
def test_values_become_the_declared_type(name, value, expected):
    read = getattr(validate({name: value}), name)
    assert read == expected
    assert type(read) is type(expected)


def test_list_items_are_plain_python_numbers():
    assert [type(units) for units in validate({"hidden": np.array([3, 2])}).hidden] == [int, int]


def test_frames_pass_untouched():
    frame = pd.DataFrame({"a": [1.0]})
    assert validate({"training_frame": frame}).training_frame is frame


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": "3"}, "epochs must be a number; got '3'."),
        ({"epochs": True}, "epochs must be a number; got True."),
        ({"epochs": float("nan")}, "epochs must be a number; got nan."),
        ({"epochs": None}, "epochs must be a number; got None."),
        ({"seed": 1.5}, "seed must be a whole number; got 1.5."),
        ({"seed": np.True_}, "seed must be a whole number; got np.True_."),
        ({"seed": 2**63}, "seed must fit in 64 bits; got 9223372036854775808."),
        ({"seed": -(2**63) - 1}, "seed must fit in 64 bits; got -9223372036854775809."),
        ({"mini_batch_size": -123456789}, "mini_batch_size must be >= 1; got -123456789."),
        ({"rho": 1.000000001}, "rho must be > 0 and < 1; got 1.000000001."),
        ({"hidden": [-12345678]}, "every entry of hidden must be >= 1; got -12345678."),
        ({"hidden": [3, "4"]}, "hidden must be a list of whole numbers; got [3, '4']."),
        ({"hidden": "200"}, "hidden must be a list of whole numbers; got '200'."),
        ({"standardize": "yes"}, "standardize must be True or False; got 'yes'."),
        ({"standardize": 1}, "standardize must be True or False; got 1."),
        ({"model_id": 3}, "model_id must be a text; got 3."),
        ({"x": [1.5]}, "x must be a list of column names or 0-based indices; got [1.5]."),
        ({"factors": [1]}, "factors must be a list of names; got [1]."),
    ],
)
def test_wrong_types_are_refused(given, message):
    refuses(message, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden": np.zeros((500, 2))}, "hidden must be a list of whole numbers; got ndarray of shape (500, 2)."),
        (
            {"l1": pd.Series(np.ones(500))},
            "l1 must be a number or a multiple such as 0.1x; got Series of shape (500,).",
        ),
        ({"hidden": ["a"] * 500}, "hidden must be a list of whole numbers; got ['a', 'a', 'a', 'a', 'a', 'a', ...]."),
        ({"seed": "7" * 500}, "seed must be a whole number; got '777777777777...7777777777777'."),
        ({"seed": pa.table({"a": [1]})}, "seed must be a whole number; got Table of shape (1, 1)."),
        ({"seed": types.SimpleNamespace(a="1" * 500)}, "seed must be a whole number; got SimpleNamespace."),
    ],
)
def test_a_large_value_is_told_by_what_it_is_or_how_it_begins(given, message):
    refuses(message, **given)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("y", np.zeros(3)),
        ("y", pd.Series(["u", "v"])),
        ("y", {"a": [1]}),
        ("x", pd.DataFrame({"a": [1]})),
        ("x", np.zeros((2, 1), int)),
        ("x", scipy.sparse.eye(3, format="csr")),
        ("x", {"a": [1]}),
    ],
)
def test_data_in_place_of_columns_names_are_led_to_the_frame_or_the_estimators(name, data):
    with pytest.raises(ParameterError, match=r"; give data as training_frame, or use DeepLearningClassifier or .*\.$"):
        validate({name: data})


@pytest.mark.parametrize("names", [pd.Index(["a", "b"]), np.array(["a", "b"]), {"a": 1, "b": 2}.keys()])
def test_names_of_columns_may_be_any_sequence(names):
    assert validate({"x": names}).x == ["a", "b"]


@pytest.mark.parametrize("value", [{100: 50}, pd.Series([5.0]).to_dict()])
def test_a_mapping_is_no_list(value):
    refuses(f"hidden must be a list of whole numbers; got {value!r}.", hidden=value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"l1": -1}, "l1 must be >= 0; got -1."),
        ({"l2": float("inf")}, "l2 must be finite; got inf."),
        ({"max_w2": 0}, "max_w2 must be > 0; got 0."),
        ({"input_dropout_ratio": 1}, "input_dropout_ratio must be >= 0 and < 1; got 1."),
        ({"hidden": [10, 0]}, "every entry of hidden must be >= 1; got 0."),
        ({"epochs": -0.5}, "epochs must be >= 0; got -0.5."),
        ({"train_samples_per_iteration": -3}, "train_samples_per_iteration must be >= -2; got -3."),
        ({"rho": 0}, "rho must be > 0 and < 1; got 0."),
        ({"mini_batch_size": 0}, "mini_batch_size must be >= 1; got 0."),
        ({"score_duty_cycle": 2}, "score_duty_cycle must be >= 0 and <= 1; got 2."),
        ({"stopping_tolerance": 1}, "stopping_tolerance must be >= 0 and < 1; got 1."),
    ],
)
def test_values_out_of_range_are_refused(given, message):
    refuses(message, **given)


@pytest.mark.parametrize("parameter", [parameter for parameter in declared().values() if parameter.within is not None])
def test_every_range_is_enforced_at_both_ends(parameter):
    low, high, low_open, high_open = parameter.within
    for end, is_open, beyond in ((low, low_open, -1), (high, high_open, 1)):
        if np.isfinite(end):
            outside = end if is_open else end + beyond
            with pytest.raises(ParameterError, match=f"{parameter.name} must be"):
                validate({parameter.name: [outside] if parameter.is_list else outside})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hiden": 3}, "'hiden' is not a parameter; did you mean 'hidden'?"),
        ({"qqq": 3}, "'qqq' is not a parameter; `h2olite params` lists them."),
        (
            {"max_confusion_matrix_size": 20},
            "max_confusion_matrix_size is deprecated in H2O and changes no result; leave it out.",
        ),
    ],
)
def test_unknown_names_are_refused(given, message):
    refuses(message, **given)


def test_unknown_enum_value_names_the_choices_and_the_nearest():
    refuses(
        "missing_values_handling must be one of MeanImputation, Skip; got 'MeanImputaton'; "
        "did you mean 'MeanImputation'?",
        missing_values_handling="MeanImputaton",
    )


@pytest.mark.parametrize(
    ("name", "word", "meant"),
    [("activation", "ReLU", "Rectifier"), ("loss", "mse", "Quadratic"), ("distribution", "normal", "gaussian")],
)
def test_names_of_other_libraries_lead_to_ours(name, word, meant):
    with pytest.raises(ParameterError, match=f"^{name} must be .*; got '{word}'; did you mean '{meant}'\\?$"):
        validate({name: word})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", "ModifiedHuber"),
        ("distribution", "modified_huber"),
        ("distribution", "quasibinomial"),
        ("distribution", "custom"),
    ],
)
def test_values_h2o_itself_does_not_support_say_so(name, value):
    with pytest.raises(ParameterError, match=rf"^{name} {value} is not supported; .*choose"):
        validate({name: value})


def test_mean_square_means_quadratic_with_a_warning():
    with pytest.warns(FutureWarning, match="MeanSquare is deprecated; it means Quadratic"):
        assert validate({"loss": "MeanSquare"}).loss == "Quadratic"


def test_all_faults_come_in_one_message():
    refuses(
        "'hiden' is not a parameter; did you mean 'hidden'? l1 must be >= 0; got -1. rate must be a number; got 'x'.",
        hiden=3,
        l1=-1,
        rate="x",
    )


def test_faults_of_one_value_do_not_hide_those_between_values():
    refuses(
        "l1 must be >= 0; got -1. "
        "x and ignored_columns cannot both be given; name the predictors or those to leave out.",
        l1=-1,
        x=["a"],
        ignored_columns=["b"],
    )


def test_relations_are_not_judged_by_defaults_in_place_of_unreadable_values():
    refuses(
        "hidden must be a list of whole numbers; got 'many'.",
        hidden="many",
        activation="TanhWithDropout",
        hidden_dropout_ratios=[0.1, 0.2, 0.3],
    )


@pytest.mark.parametrize(
    ("given", "n_classes", "distribution", "loss"),
    [
        ({}, 2, "bernoulli", "CrossEntropy"),
        ({}, 3, "multinomial", "CrossEntropy"),
        ({"loss": "Quadratic"}, 3, "multinomial", "Quadratic"),
        ({}, None, "gaussian", "Quadratic"),
        ({"loss": "Quadratic"}, None, "gaussian", "Quadratic"),
        ({"loss": "Absolute"}, None, "laplace", "Absolute"),
        ({"loss": "Quantile"}, None, "quantile", "Quantile"),
        ({"loss": "Huber"}, None, "huber", "Huber"),
        ({"distribution": "huber"}, None, "huber", "Huber"),
        ({"distribution": "tweedie"}, None, "tweedie", "Automatic"),
    ],
)
def test_automatic_distribution_and_loss_follow_each_other(given, n_classes, distribution, loss):
    p = resolve(validate(given), n_classes)
    assert (p.distribution, p.loss) == (distribution, loss)


@pytest.mark.parametrize(("n_classes", "metric"), [(2, "logloss"), (5, "logloss"), (None, "deviance")])
def test_automatic_stopping_metric_follows_the_response(n_classes, metric):
    assert resolve(validate({}), n_classes).stopping_metric == metric


def test_dropout_activations_get_ratios_of_a_half():
    p = validate({"activation": "TanhWithDropout", "hidden": [5, 4, 3]})
    assert resolve(p, None).hidden_dropout_ratios == [0.5, 0.5, 0.5]
    assert resolve(validate({"activation": "Tanh"}), None).hidden_dropout_ratios is None


def test_reproducible_means_one_thread_and_scored_epochs():
    p = resolve(validate({"reproducible": True, "nthreads": 4}), None)
    assert (p.nthreads, p.score_each_iteration, p.train_samples_per_iteration) == (1, True, -1)


def test_resolving_leaves_the_given_parameters_alone():
    p = validate({"reproducible": True})
    resolve(p, 2)
    assert (p.distribution, p.loss, p.score_each_iteration) == ("AUTO", "Automatic", False)


def test_resolved_parameters_pass_validation_again():
    p = resolve(validate({"activation": "TanhWithDropout", "reproducible": True}), 3)
    given = {field.name: getattr(p, field.name) for field in dataclasses.fields(p)}
    assert dataclasses.asdict(validate(given)) == dataclasses.asdict(p)


@pytest.mark.parametrize(
    ("given", "wants"), [({}, False), ({"loss": "CrossEntropy"}, True), ({"distribution": "bernoulli"}, True)]
)
def test_class_loss_or_distribution_wants_a_categorical_response(given, wants):
    assert wants_classes(validate(given)) is wants
