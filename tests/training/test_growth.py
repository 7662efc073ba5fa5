"""How penalties that make zeros grow in a new training."""

import numpy as np
import pytest

import h2olite
from h2olite.fitting import learning
from h2olite.training import penalties
from h2olite.training.penalties import FIRST_PACE, LAST_PACE, SAFE

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


@pytest.mark.parametrize(("name", "safe"), [("l1", SAFE), ("input_group_l1", SAFE / np.sqrt(8))])
def test_a_strong_penalty_grows_from_a_safe_strength_in_the_first_half(table, rules, name, safe):
    train(table, epochs=20, **{name: STRENGTH})
    strengths = [float(getattr(rule, name)) for rule in rules.values()]
    paces = [float(rule.pace) for rule in rules.values()]
    assert len(rules) == 20
    assert strengths[0] == pytest.approx(safe)
    assert strengths == sorted(strengths)
    assert strengths[len(rules) // 4] == pytest.approx((safe + STRENGTH) / 2, rel=0.2)
    assert strengths[len(rules) // 2 + 1 :] == pytest.approx([STRENGTH] * (len(rules) - len(rules) // 2 - 1))
    assert paces == sorted(paces, reverse=True)
    assert paces[0] == pytest.approx(FIRST_PACE)
    assert paces[-1] == pytest.approx(LAST_PACE, abs=0.1)


def test_a_weak_penalty_has_its_strength_at_once(table, rules):
    train(table, epochs=5, l1=1e-5)
    assert {float(rule.l1) for rule in rules.values()} == {float(np.float32(1e-5))}
    assert all(abs(rule.pace - 1) < 0.05 for rule in rules.values())


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
    # A model that has seen 10 epochs was trained by what held before the last of them.
    assert values[1:11] == [None] * 10
    assert None not in values[11:]
    assert model.record.best_epochs > 10
    known = train(table, validation_frame=table, **given | {"l1": 1e-5}).record.stopping_values
    assert None not in known[1:]


@pytest.mark.filterwarnings("ignore:classification_stop")
def test_right_predictions_do_not_end_training_before_the_penalty_has_grown(table):
    simple = table | {"y": np.where(table["x0"] > 0, "b", "a")}
    given = {"epochs": 20, "train_samples_per_iteration": 400, "score_each_iteration": True, "classification_stop": 0.4}
    assert train(simple, l1=1e-5, **given).record.epochs < 10
    late = train(simple, l1=STRENGTH, **given)
    assert late.stopped_by == "classification_stop"
    assert late.record.epochs > 10


def test_only_an_interrupted_training_goes_on_with_growing(table, rules):
    checkpoint = train(table, epochs=4, l1=STRENGTH)
    rules.clear()
    train(table, epochs=20, l1=STRENGTH, checkpoint=checkpoint)
    assert {(float(rule.l1), float(rule.pace)) for rule in rules.values()} == {(float(np.float32(STRENGTH)), 1.0)}
    rules.clear()
    checkpoint.record.stopped_by = "interrupted"
    train(table, epochs=20, l1=STRENGTH, checkpoint=checkpoint)
    assert min(rule.l1 for rule in rules.values()) == pytest.approx(SAFE + (STRENGTH - SAFE) * 0.4)
    assert max(rule.l1 for rule in rules.values()) == pytest.approx(STRENGTH)


def test_a_penalty_grows_by_the_time_that_is_limited(table, rules):
    model = train(table, epochs=1e9, l1=STRENGTH, max_runtime_secs=0.5, reproducible=False)
    assert model.stopped_by == "max_runtime_secs"
    assert min(rule.l1 for rule in rules.values()) == pytest.approx(SAFE)
    assert max(rule.l1 for rule in rules.values()) == pytest.approx(STRENGTH)


@pytest.mark.filterwarnings("ignore:classification_stop")
def test_where_training_may_stop_a_penalty_grows_within_ten_epochs_or_a_million_rows(table, rules):
    train(table, epochs=100_000, l1=STRENGTH, stopping_rounds=3, max_runtime_secs=0.0, classification_stop=0.45)
    assert min(rule.l1 for rule in rules.values()) == pytest.approx(SAFE)
    assert rules[240_000].l1 < 0.6 * STRENGTH
    assert rules[500_400].l1 == pytest.approx(STRENGTH, rel=1e-3)  # 500,000 rows


def test_penalties_that_grow_end_nearer_to_the_optimum(monkeypatch):
    random = np.random.default_rng(3)
    x = random.standard_normal((4000, 100))
    score = 3 * x[:, 0] * x[:, 1] + 3 * x[:, 2] * x[:, 3] + 4 * np.sin(2 * x[:, 4]) + 2 * (x[:, 5] ** 2 - 1)
    score += 4 * (x[:, 6] - x[:, 7] + x[:, 8] - x[:, 9])
    classes = random.random(4000) < 1 / (1 + np.exp(-score))
    table = {f"x{i}": column for i, column in enumerate(x.T)} | {"y": np.where(classes, "b", "a")}

    def objective():
        found = train(table, hidden=[64, 32], epochs=20, l1=5e-3).report()["objective"]
        return found["loss"] + found["penalty"]

    growing = objective()
    monkeypatch.setattr(penalties, "SAFE", 1.0)
    monkeypatch.setattr(penalties, "FIRST_PACE", 1.0)
    monkeypatch.setattr(penalties, "LAST_PACE", 1.0)
    assert growing < 0.95 * objective()
