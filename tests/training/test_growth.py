"""How penalties that make zeros grow in a new training."""

import numpy as np
import pytest

import h2olite
from h2olite.fitting import learning
from h2olite.training import penalties
from h2olite.training.penalties import FIRST_GROUP_PACE, FIRST_L1_PACE, LAST_PACE, SAFE_GROUP, SAFE_L1

SETTINGS = {"y": "y", "hidden": [8], "seed": 1, "nthreads": 1, "reproducible": True, "stopping_rounds": 0}
STRENGTH = 0.01


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    x = random.standard_normal((400, 4))
    y = np.where(x[:, 0] * x[:, 1] + 0.5 * random.standard_normal(400) > 0, "b", "a")
    return {f"x{i}": column for i, column in enumerate(x.T)} | {"y": y}


@pytest.fixture
def rules(monkeypatch):
    """The rule when the penalties act, by the rows seen."""
    noted, step_and_screen = {}, learning.Team.step_and_screen

    def note(self, rule, screened_rows):
        noted.setdefault(self.network.rows_seen, rule)
        return step_and_screen(self, rule, screened_rows)

    monkeypatch.setattr(learning.Team, "step_and_screen", note)
    return noted


def train(table, **given):
    return h2olite.deeplearning(training_frame=table, **SETTINGS | given)


@pytest.mark.parametrize(
    ("name", "safe", "pace"),
    [("l1", SAFE_L1, FIRST_L1_PACE), ("input_group_l1", SAFE_GROUP / np.sqrt(8), FIRST_GROUP_PACE)],
)
def test_a_strong_penalty_grows_from_a_safe_strength_in_the_first_third(table, rules, name, safe, pace):
    train(table, epochs=20, **{name: STRENGTH})
    strengths = [float(getattr(rule, name)) for rule in rules.values()]
    paces = [float(rule.pace) for rule in rules.values()]
    assert len(rules) == 20
    assert strengths[0] == pytest.approx(safe)
    assert strengths == sorted(strengths)
    assert strengths[3] == pytest.approx(safe + (STRENGTH - safe) * 3 / 7)
    assert strengths[7:] == pytest.approx([STRENGTH] * 13)
    assert paces == sorted(paces, reverse=True)
    assert paces[0] == pytest.approx(pace)
    assert paces[-1] == pytest.approx(LAST_PACE, abs=0.1)


def test_a_weak_penalty_has_its_strength_at_once(table, rules):
    train(table, epochs=5, l1=1e-5)
    assert {float(rule.l1) for rule in rules.values()} == {float(np.float32(1e-5))}
    assert all(abs(rule.pace - 1) < 0.1 for rule in rules.values())


def test_without_hidden_layers_nothing_grows(table, rules):
    train(table, epochs=5, l1=STRENGTH, hidden=[])
    assert {(float(rule.l1), float(rule.pace)) for rule in rules.values()} == {(float(np.float32(STRENGTH)), 1.0)}


def test_the_rate_of_sgd_stays_as_it_was_asked_for(table, rules):
    train(table, epochs=5, l1=STRENGTH, adaptive_rate=False, rate=0.01)
    assert {float(rule.pace) for rule in rules.values()} == {1.0}
    assert len({float(rule.l1) for rule in rules.values()}) > 2


def test_a_model_of_a_penalty_that_still_grows_is_not_the_best(table):
    given = {"epochs": 20, "train_samples_per_iteration": 400, "score_each_iteration": True, "l1": STRENGTH}
    model = train(table, validation_frame=table, **given)
    values = model.record.stopping_values
    # A model that has seen 7 epochs was trained by what held before the last of them.
    assert values[1:8] == [None] * 7
    assert None not in values[8:]
    assert model.record.best_epochs > 7
    known = train(table, validation_frame=table, **given | {"l1": 1e-5}).record.stopping_values
    assert None not in known[1:]


@pytest.mark.filterwarnings("ignore:classification_stop")
def test_right_predictions_do_not_end_training_before_the_penalty_has_grown(table):
    simple = table | {"y": np.where(table["x0"] > 0, "b", "a")}
    given = {"epochs": 20, "train_samples_per_iteration": 400, "score_each_iteration": True, "classification_stop": 0.4}
    assert train(simple, l1=1e-5, **given).record.epochs < 7
    late = train(simple, l1=STRENGTH, **given)
    assert late.stopped_by == "classification_stop"
    assert late.record.epochs > 7


def test_training_metrics_do_not_end_training_while_the_penalty_shrinks_the_weights(table):
    given = {"train_samples_per_iteration": 400, "score_each_iteration": True, "stopping_rounds": 1, "l1": STRENGTH}
    settled = train(table, epochs=40, stopping_tolerance=0.5, **given)
    assert settled.record.epochs == 40
    judged = train(table, epochs=40, stopping_tolerance=0.5, validation_frame=table, **given)
    assert judged.stopped_by == "stopping_rounds"
    assert 14 < judged.record.epochs < 40


def test_only_an_interrupted_training_goes_on_with_growing(table, rules):
    checkpoint = train(table, epochs=4, l1=STRENGTH)
    rules.clear()
    train(table, epochs=20, l1=STRENGTH, checkpoint=checkpoint)
    assert {(float(rule.l1), float(rule.pace)) for rule in rules.values()} == {(float(np.float32(STRENGTH)), 1.0)}
    rules.clear()
    checkpoint.record.stopped_by = "interrupted"
    train(table, epochs=20, l1=STRENGTH, checkpoint=checkpoint)
    assert min(rule.l1 for rule in rules.values()) == pytest.approx(SAFE_L1 + (STRENGTH - SAFE_L1) * 4 / 7)
    assert max(rule.l1 for rule in rules.values()) == pytest.approx(STRENGTH)


def test_a_penalty_grows_by_the_time_that_is_limited(table, rules):
    model = train(table, epochs=1e9, l1=STRENGTH, max_runtime_secs=0.5, reproducible=False)
    assert model.stopped_by == "max_runtime_secs"
    assert min(rule.l1 for rule in rules.values()) == pytest.approx(SAFE_L1)
    assert max(rule.l1 for rule in rules.values()) == pytest.approx(STRENGTH)


@pytest.mark.filterwarnings("ignore:classification_stop")
def test_where_training_may_stop_a_penalty_grows_within_ten_epochs_or_a_million_rows(table, rules):
    train(table, epochs=100_000, l1=STRENGTH, stopping_rounds=3, max_runtime_secs=0.0, classification_stop=0.45)
    assert min(rule.l1 for rule in rules.values()) == pytest.approx(SAFE_L1)
    assert rules[240_000].l1 < 0.8 * STRENGTH
    assert rules[350_400].l1 == pytest.approx(STRENGTH, rel=1e-3)


def of_products(x):
    score = 3 * x[:, 0] * x[:, 1] + 3 * x[:, 2] * x[:, 3] + 4 * np.sin(2 * x[:, 4]) + 2 * (x[:, 5] ** 2 - 1)
    return score + 4 * (x[:, 6] - x[:, 7] + x[:, 8] - x[:, 9])


def of_waves(x):
    return 4 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 4 * (x[:, 2] - 0.5) ** 2 - 4 + 3 * x[:, 3] + 2 * x[:, 4]


@pytest.mark.parametrize(("score", "l1", "epochs", "most"), [(of_waves, 1e-3, 40, 0.97), (of_products, 5e-3, 20, 0.95)])
def test_penalties_that_grow_end_nearer_to_the_optimum(monkeypatch, score, l1, epochs, most):
    random = np.random.default_rng(3)
    x = random.standard_normal((4000, 100))
    classes = random.random(4000) < 1 / (1 + np.exp(-score(x)))
    table = {f"x{i}": column for i, column in enumerate(x.T)} | {"y": np.where(classes, "b", "a")}

    def objective():
        found = train(table, hidden=[64, 32], epochs=epochs, l1=l1).report()["objective"]
        return found["loss"] + found["penalty"]

    growing = objective()
    monkeypatch.setattr(penalties, "SAFE_L1", 1.0)
    monkeypatch.setattr(penalties, "FIRST_L1_PACE", 1.0)
    monkeypatch.setattr(penalties, "LAST_PACE", 1.0)
    assert growing < most * objective()
