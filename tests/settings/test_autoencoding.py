import re

import pytest

from h2olite.errors import ParameterError
from h2olite.settings.validation import resolve, validate, warnings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        *(
            ({name: value}, f"{name} cannot be given for an autoencoder, which has no response; leave it out.")
            for name, value in {
                "y": "a",
                "offset_column": "a",
                "nfolds": 3,
                "fold_column": "a",
                "balance_classes": True,
                "custom_metric_func": len,
            }.items()
        ),
        (
            {"loss": "CrossEntropy"},
            "loss CrossEntropy needs a response, which an autoencoder has not; choose another loss.",
        ),
        (
            {"categorical_encoding": "SortByResponse"},
            "categorical_encoding SortByResponse needs a response, which an autoencoder has not; choose another "
            "categorical_encoding.",
        ),
        (
            {"score_validation_sampling": "Stratified"},
            "score_validation_sampling Stratified needs a response, which an autoencoder has not; choose another "
            "score_validation_sampling.",
        ),
        *(
            (
                {"distribution": name},
                f"distribution of an autoencoder must be one of AUTO, gaussian, laplace, quantile, huber; got {name}.",
            )
            for name in ("bernoulli", "multinomial", "poisson", "gamma", "tweedie")
        ),
        *(
            (
                {"activation": name},
                f"activation of an autoencoder must be Tanh, Rectifier or ExpRectifier; got {name}.",
            )
            for name in ("Maxout", "MaxoutWithDropout")
        ),
        ({"stopping_metric": "AUC"}, "stopping_metric of an autoencoder must be MSE; got AUC."),
        (
            {"sparsity_beta": 0.1},
            "average_activation must be > 0 for activation Rectifier; got 0.",
        ),
        (
            {"sparsity_beta": 0.1, "average_activation": -1, "activation": "Tanh"},
            "average_activation must be > -1 and < 1 for activation Tanh; got -1.",
        ),
        (
            {"sparsity_beta": 0.1, "average_activation": 1, "activation": "ExpRectifierWithDropout"},
            "average_activation must be > -1 and < 1 for activation ExpRectifierWithDropout; got 1.",
        ),
    ],
)
def test_what_does_not_go_with_an_autoencoder_is_refused(given, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        validate({"autoencoder": True} | given)


@pytest.mark.parametrize(
    "given",
    [
        {"loss": "Huber"},
        {"distribution": "laplace", "activation": "ExpRectifierWithDropout", "input_dropout_ratio": 0.2},
        {"sparsity_beta": 0.1, "average_activation": 0.1},
        {"sparsity_beta": 0.1, "average_activation": -0.9, "activation": "Tanh"},
        {"stopping_metric": "MSE", "weights_column": "w"},
    ],
)
def test_what_goes_with_an_autoencoder_passes(given):
    assert validate({"autoencoder": True} | given).autoencoder


def test_sparsity_is_refused_without_an_autoencoder():
    with pytest.raises(ParameterError, match=r"^sparsity_beta needs an autoencoder; pass autoencoder=True\.$"):
        validate({"sparsity_beta": 0.1})


def test_autoencoders_have_inputs_for_all_levels_and_watch_the_mse():
    resolved = resolve(validate({"autoencoder": True, "use_all_factor_levels": False, "loss": "Absolute"}), None)
    assert resolved.use_all_factor_levels
    assert resolved.stopping_metric == "MSE"
    assert resolved.distribution == "laplace"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, None),
        (
            {"average_activation": 0.1},
            "average_activation has no effect while sparsity_beta is 0; pass sparsity_beta.",
        ),
        (
            {"use_all_factor_levels": False},
            "use_all_factor_levels is always on for an autoencoder, which reconstructs every level; leave it out.",
        ),
    ],
)
def test_settings_without_effect_are_told(given, sentence):
    assert warnings(validate({"autoencoder": True} | given), None) == ([] if sentence is None else [sentence])
