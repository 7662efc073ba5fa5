import json

import boosting
import numpy as np
import pandas as pd
import pytest
from boosting import CHOOSING, JUDGING, Source


def test_no_table_both_chooses_values_and_judges_them():
    assert not {source.name for source in CHOOSING} & {source.name for source in JUDGING}
    assert len(set(CHOOSING)) + len(set(JUDGING)) == len(CHOOSING) + len(JUDGING)


@pytest.mark.parametrize("name", ["steps", "rare", "outliers", "zeros"])
def test_simulated_tables_are_the_same_every_time_and_what_they_are_called(name):
    train, test = boosting.tables_of(Source("simulated", name), None)
    again, _ = boosting.tables_of(Source("simulated", name), None)
    pd.testing.assert_frame_equal(train, again)
    assert len(train) == boosting.MOST_ROWS or len(train) < 5000
    assert not pd.merge(train, test).size
    if name == "rare":
        assert 0.005 < (train["y"] == "=b").mean() < 0.03
    if name == "zeros":
        assert (train.iloc[:, :-1] == 0).to_numpy().mean() > 0.5


def test_losses_are_log_losses_of_the_right_class_and_roots_of_mean_squares():
    actual = pd.Series(["b", "a", "b"])
    shares = np.array([[0.5, 0.5], [0.25, 0.75], [0.0, 1.0]])
    assert boosting.loss(actual, shares, ["a", "b"]) == pytest.approx(-np.log([0.5, 0.25, 1.0]).mean(), abs=1e-5)
    assert boosting.loss(pd.Series([1.0, 3.0]), np.array([1.0, 1.0]), None) == pytest.approx(np.sqrt(2))


def test_ratios_are_of_means_over_seeds_on_tables_that_both_have(tmp_path, monkeypatch):
    def row(table, contender, seed, loss):
        sizes = {"rows": 9, "test_rows": 900, "columns": 3}
        return sizes | {
            "table": table,
            "purpose": "judging",
            "contender": contender,
            "seed": seed,
            "loss": loss,
            "seconds": 1,
        }

    rows = [row("t", "h2olite accurate", seed, loss) for seed, loss in ((1, 1.0), (2, 3.0))]
    rows += [row("t", "LightGBM", 1, 4.0), row("u", "LightGBM", 1, 1.0)]
    np.testing.assert_allclose(boosting.ratios(rows, "h2olite accurate", "LightGBM"), [0.5])
    page, results = tmp_path / "page.md", tmp_path / "results.jsonl"
    page.write_text("<!-- judging -->\n<!-- end of judging -->\n<!-- choosing -->\nkept\n<!-- end of choosing -->\n")
    results.write_text("".join(json.dumps(one) + "\n" for one in rows))
    monkeypatch.setattr(boosting, "PAGE", page)
    boosting.write(results)
    text = page.read_text()
    assert "| LightGBM | 1 | **0.500** (0.500 to 0.500) | **0.500** (0.500 to 0.500) | 0.500 | 0.500 |" in text
    assert "| t | 9 | 900 | 3 | **2** | 4 |" in text
    assert "kept" in text
