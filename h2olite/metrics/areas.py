"""AUC and PR AUC of more than two classes: of each class against the rest, of each pair, and their means."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from h2olite.settings.parameters import AucType

from .curves import ThresholdCurve


def class_areas(
    actual: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, levels: tuple[str, ...], auc_type: AucType
) -> dict[str, Any]:
    """Compute the values ``auc`` and ``pr_auc``, and the tables of all areas.

    The two values are means of the type `auc_type`. The area of a pair is the mean of two areas: of each class against
    the other one, by its own probability. A class without rows has no area, and is left out of the means.

    Parameters
    ----------
    actual : ndarray of int, shape (n_rows,); class indices.
    probabilities : ndarray of float64, shape (n_rows, n_classes).
    weights : ndarray of float64, shape (n_rows,); above 0.
    levels : names of the classes.
    auc_type : the mean to take, over classes (OVR) or pairs (OVO). MACRO counts all of them equally; WEIGHTED counts
        them by the weights of their rows.

    References
    ----------
    Hand and Till (2001), A simple generalisation of the area under the ROC curve for multiple class problems.
    """
    rows_of = [np.flatnonzero(actual == c) for c in range(len(levels))]
    by_class = np.bincount(actual, weights, minlength=len(levels))
    pairs = list(itertools.combinations(range(len(levels)), 2))

    def areas(one: int, others: np.ndarray) -> np.ndarray:
        """AUC and PR AUC of one class against other rows."""
        if not rows_of[one].size or not others.size:
            return np.full(2, np.nan)
        rows = np.concatenate([rows_of[one], others])
        curve = ThresholdCurve.from_predictions(actual[rows] == one, probabilities[rows, one], weights[rows])
        return np.array([curve.auc(), curve.pr_auc()])

    of_classes = np.array([areas(c, np.flatnonzero(actual != c)) for c in range(len(levels))])
    of_pairs = np.array([(areas(a, rows_of[b]) + areas(b, rows_of[a])) / 2 for a, b in pairs])
    by_pair = np.array([by_class[a] + by_class[b] for a, b in pairs])
    means = {
        "MACRO_OVR": _mean(of_classes, np.ones(len(levels))),
        "WEIGHTED_OVR": _mean(of_classes, by_class),
        "MACRO_OVO": _mean(of_pairs, np.ones(len(pairs))),
        "WEIGHTED_OVO": _mean(of_pairs, by_pair),
    }
    # NaN and not None, as everywhere in the values that metrics keep.
    lines: list[tuple[str, Any, Any, np.ndarray]] = [
        *((f"{levels[c]} vs Rest", levels[c], math.nan, found) for c, found in enumerate(of_classes)),
        ("Macro OVR", math.nan, math.nan, means["MACRO_OVR"]),
        ("Weighted OVR", math.nan, math.nan, means["WEIGHTED_OVR"]),
        *(
            (f"{levels[a]} vs {levels[b]}", levels[a], levels[b], found)
            for (a, b), found in zip(pairs, of_pairs, strict=True)
        ),
        ("Macro OVO", math.nan, math.nan, means["MACRO_OVO"]),
        ("Weighted OVO", math.nan, math.nan, means["WEIGHTED_OVO"]),
    ]

    def table(area: int, name: str) -> list[dict[str, Any]]:
        return [
            {"type": kind, "first_class_domain": one, "second_class_domain": other, name: float(found[area])}
            for kind, one, other, found in lines
        ]

    auc, pr_auc = means[auc_type].tolist()
    return {
        "auc": auc,
        "pr_auc": pr_auc,
        "multinomial_auc_table": table(0, "auc"),
        "multinomial_aucpr_table": table(1, "auc_pr"),
    }


def _mean(areas: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of the areas (n, 2) without those that are NaN; NaN if none is left."""
    defined = ~np.isnan(areas[:, 0])
    return np.average(areas[defined], axis=0, weights=weights[defined]) if defined.any() else np.full(2, np.nan)
