"""How good and how fast contributions are: ``python tests/benchmarks/contributions.py`` writes the tables of
docs/explaining.md. It needs shap and, for the comparison with H2O, h2o and Java.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import report
import shap
from tables import DATASETS

import h2olite
import h2olite.trained.contributions as attribution

sys.path.append(str(Path(__file__).parents[1]))
import h2o_server

PAGE = Path(__file__).parents[2] / "docs" / "explaining.md"
ACTIVATIONS = ("Rectifier", "Tanh", "Maxout")
BIAS = "BiasTerm"


def main() -> None:
    """Measure, and write the tables."""
    warnings.simplefilter("ignore")
    text = "\n".join([report.machine(), "", *exactness(), "", *speed(), "", *beside_h2o()])
    print(text)
    report.write("contributions", text, PAGE)


def trained() -> Iterator[tuple[str, pd.DataFrame, Any]]:
    """Tables of eight predictors, and models of them."""
    for table, y in (("penguins", "body_mass_g"), ("penguins", "sex"), ("wine", None), ("diabetes", None)):
        frame = pd.read_csv(DATASETS / f"{table}.csv").dropna()
        y = y or str(frame.columns[-1])
        x = [name for name in frame.columns if name != y][:8]
        for activation in ACTIVATIONS:
            for hidden in ([20], [20, 20], [200, 200]):
                model = h2olite.deeplearning(
                    x, y, frame, hidden=hidden, activation=activation, seed=1, reproducible=True, epochs=50
                )
                yield f"{activation} {'-'.join(map(str, hidden))}", frame, model


def difference(found: pd.DataFrame, exact: pd.DataFrame) -> float:
    """The mean difference of contributions, over their mean size."""
    names = [name for name in exact if not name.startswith(BIAS)]
    return float((found[names] - exact[names]).abs().to_numpy().mean() / exact[names].abs().to_numpy().mean())


def exactness() -> list[str]:
    """How far each method is from the exact Shapley values: the mean and the largest of four tables."""
    differences: dict[str, list[list[float]]] = {}
    for network, frame, model in trained():
        rows = frame.head(50)
        exact = model.predict_contributions(rows, method="exact")
        found = [difference(model.predict_contributions(rows), exact)]
        found += [
            difference(model.predict_contributions(rows, method="permutation", n_permutations=n, seed=1), exact)
            for n in (1, 10)
        ]
        differences.setdefault(network, []).append(found)
    lines = ["| network | DeepSHAP | permutation, 1 order | permutation, 10 orders |", "|---|---|---|---|"]
    for network, of_tables in differences.items():
        told = [f"{np.mean(values):.0%} (at most {max(values):.0%})" for values in zip(*of_tables, strict=True)]
        lines.append(f"| {network} | {' | '.join(told)} |")
    return lines


def speed() -> list[str]:
    """Seconds for the same rows, by our methods and by shap's explainer of permutations."""
    random = np.random.default_rng(1)
    x = pd.DataFrame(random.standard_normal((5000, 30)), columns=[f"x{i}" for i in range(30)])
    y = x.x0 * x.x1 + np.sin(2 * x.x2) + x.x3
    model = h2olite.deeplearning(y="y", training_frame=x.assign(y=y), hidden=[200, 200], seed=1, epochs=10)
    usual, rows = x.tail(100), x.head(1000)
    n_few = 20
    few = rows.head(n_few)

    def predicted(values: np.ndarray) -> np.ndarray:
        return model.predict(pd.DataFrame(values, columns=x.columns))["predict"].to_numpy()

    def by_shap(n_evaluations: int) -> pd.DataFrame:
        explainer = shap.explainers.Permutation(predicted, shap.maskers.Independent(usual, max_samples=100), seed=1)
        found = explainer(few, max_evals=n_evaluations, silent=True)
        return pd.DataFrame(found.values, columns=x.columns)

    nearly_exact = model.predict_contributions(few, usual, method="permutation", n_permutations=400, seed=9)
    timed = [
        ("DeepSHAP", rows, lambda: model.predict_contributions(rows, usual)),
        (
            "permutation, 1 order",
            few,
            lambda: model.predict_contributions(few, usual, method="permutation", n_permutations=1, seed=1),
        ),
        ("permutation, 10 orders", few, lambda: model.predict_contributions(few, usual, method="permutation", seed=1)),
        ("shap, 1 order", few, lambda: by_shap(61)),
        ("shap, 10 orders", few, lambda: by_shap(610)),
    ]
    lines = ["| method | seconds for 1,000 rows | difference from 400 orders |", "|---|---|---|"]
    for name, some, work in timed:
        work()
        started = time.perf_counter()
        found = work()
        seconds = (time.perf_counter() - started) * len(rows) / len(some)
        lines.append(f"| {name} | {seconds:.1f} | {difference(found.head(n_few), nearly_exact):.1%} |")
    return lines


def beside_h2o() -> list[str]:
    """Differences from H2O's contributions by H2O's own models, imported as MOJOs."""
    lines = ["| H2O's model | largest contribution | largest difference |", "|---|---|---|"]
    frame = pd.read_csv(DATASETS / "penguins.csv").dropna().reset_index(drop=True)
    with h2o_server.started() as h2o:
        from h2o.estimators import H2ODeepLearningEstimator

        for y in ("body_mass_g", "sex"):
            for activation in ACTIVATIONS:
                table = h2o.H2OFrame(frame)
                table["sex"] = table["sex"].asfactor()
                theirs = H2ODeepLearningEstimator(hidden=[20, 10], epochs=20, seed=1, activation=activation)
                theirs.train(y=y, training_frame=table)
                ours = h2olite.import_mojo(theirs.download_mojo(str(Path("/tmp"))))
                wanted = theirs.predict_contributions(
                    table[50:90, :], background_frame=table[:30, :], output_format="compact", output_per_reference=True
                ).as_data_frame()
                found = of_h2o(ours, frame.iloc[50:90], frame.iloc[:30])
                names = [name for name in wanted if name in found and not name.endswith("RowIdx")]
                wanted = wanted.sort_values(["RowIdx", "BackgroundRowIdx"])[names].to_numpy()
                largest = np.abs(wanted).max()
                gap = np.abs(found[names].to_numpy() - wanted).max()
                lines.append(f"| {y}, {activation} 20-10 | {largest:.4g} | {gap:.1g} |")
    return lines


def of_h2o(model: Any, rows: pd.DataFrame, usual: pd.DataFrame) -> pd.DataFrame:
    """Contributions by background row on H2O's scale.

    For two classes, H2O divides the difference of the probability as it divides that of the second linear output.
    """
    if model.classes is None:
        return model.predict_contributions(rows, usual, output_per_reference=True)
    usual_head = attribution._head
    attribution._head = lambda scoring: (np.array([[0.0], [1.0]]), np.zeros(1))
    linear = model.predict_contributions(rows, usual, output_per_reference=True)
    attribution._head = usual_head
    names = [name for name in linear if not name.endswith("RowIdx") and name != BIAS]
    of_rows, of_usual = (model.predict(some)[model.classes[1]].to_numpy() for some in (rows, usual))
    change = of_rows[linear["RowIdx"]] - of_usual[linear["BackgroundRowIdx"]]
    linear[names] = linear[names].mul(change / linear[names].sum(axis=1), axis=0)
    linear[BIAS] = of_usual[linear["BackgroundRowIdx"]]
    return linear


if __name__ == "__main__":
    main()
