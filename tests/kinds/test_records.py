import typing

import pytest

from h2olite.kernels import updates
from h2olite.kinds.activations import ACTIVATIONS, DROPOUT, ActivationChoice, activation_of
from h2olite.kinds.distributions import DISTRIBUTIONS, DistributionChoice, LossChoice
from h2olite.kinds.stopping_metrics import STOPPING_METRICS, StoppingChoice
from h2olite.kinds.update_rules import UPDATE_RULES
from h2olite.metrics import RegressionMetrics
from h2olite.settings.parameters import declared


def test_every_activation_can_be_chosen_with_and_without_dropout():
    choices = typing.get_args(ActivationChoice)
    assert set(choices) == {*ACTIVATIONS, *(name + DROPOUT for name in ACTIVATIONS)}
    assert {activation_of(choice) for choice in choices} == set(ACTIVATIONS.values())


def test_every_distribution_loss_and_stopping_metric_that_can_be_chosen_has_a_record():
    assert set(typing.get_args(DistributionChoice)) == {"AUTO", *DISTRIBUTIONS}
    losses = {loss for distribution in DISTRIBUTIONS.values() for loss in distribution.losses}
    assert set(typing.get_args(LossChoice)) == losses | {"Automatic"}
    assert set(typing.get_args(StoppingChoice)) == {"AUTO", *STOPPING_METRICS}


@pytest.mark.parametrize("records", [ACTIVATIONS, DISTRIBUTIONS, STOPPING_METRICS], ids=["acts", "dists", "metrics"])
def test_records_are_found_by_their_own_names(records):
    assert all(record.name == name for name, record in records.items())


def test_kernels_tell_all_activations_and_losses_apart():
    codes = [activation.code for activation in ACTIVATIONS.values()]
    assert sorted(codes) == list(range(len(codes)))
    losses = {code for distribution in DISTRIBUTIONS.values() for code in distribution.losses.values()}
    assert losses == set(range(len(losses)))


def test_shapes_and_settings_of_kinds_are_parameters():
    names = set(declared())
    assert {distribution.shape for distribution in DISTRIBUTIONS.values() if distribution.shape} <= names
    for rule in UPDATE_RULES.values():
        assert set(rule.settings) <= names
        assert rule.rate is None or rule.rate in rule.settings
    assert sorted(rule.code for rule in UPDATE_RULES.values()) == list(range(len(UPDATE_RULES)))
    assert ("AUTO", *UPDATE_RULES) == declared()["update_rule"].choices
    assert "kind" in updates.Rule._fields


@pytest.mark.parametrize("name", [name for name, record in DISTRIBUTIONS.items() if not record.is_of_classes])
def test_every_distribution_of_numbers_has_a_deviance_that_is_least_at_the_response(name):
    def deviance(predicted):
        return RegressionMetrics.from_predictions(
            [1.0, 2.0, 4.0], predicted, distribution=name
        ).mean_residual_deviance()

    exact = deviance([1.0, 2.0, 4.0])
    assert exact < deviance([1.5, 2.5, 4.5])
    assert exact < deviance([0.5, 1.5, 3.5])
