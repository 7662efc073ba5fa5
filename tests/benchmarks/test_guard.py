import json

import guard
import pytest


@pytest.fixture
def stored(monkeypatch, tmp_path):
    """The file of stored ratios, while the only ratio that is measured is 10."""
    monkeypatch.setattr(guard, "seconds_of", lambda work, n_rows: n_rows * work(n_rows))
    monkeypatch.setattr(guard, "comparisons", lambda: {"a": guard.Comparison(lambda n: 1, 5, lambda n: 10, 2)})
    monkeypatch.setattr(guard, "STORED", tmp_path / "guard.json")
    return guard.STORED


@pytest.mark.parametrize(("before", "code"), [(10, 0), (19, 0), (21, 1)])
def test_only_a_ratio_less_than_half_of_the_stored_one_fails(stored, monkeypatch, capsys, before, code):
    stored.write_text(json.dumps({"a": before}))
    monkeypatch.setattr("sys.argv", ["guard.py"])
    assert guard.main() == code
    assert capsys.readouterr().out == f"a: 10 times as fast (stored: {before}){'  TOO SLOW' * code}\n"


def test_update_stores_the_ratios(stored, monkeypatch):
    monkeypatch.setattr("sys.argv", ["guard.py", "--update"])
    assert guard.main() == 0
    assert json.loads(stored.read_text()) == {"a": 10.0}


def test_both_sides_of_every_comparison_run_and_have_a_stored_ratio():
    comparisons = guard.comparisons()
    assert comparisons.keys() == json.loads(guard.STORED.read_text()).keys()
    for comparison in comparisons.values():
        comparison.ours(128)  # a whole mini-batch
        comparison.theirs(128)
