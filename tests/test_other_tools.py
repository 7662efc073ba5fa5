"""Tools of others explain our models: text columns and missing values included."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from h2olite.scikit import DeepLearningClassifier, DeepLearningRegressor

DATASETS = Path(__file__).parents[1] / "datasets"
PENGUINS = pd.read_csv(DATASETS / "penguins.csv")
SETTINGS = {"hidden": [8], "epochs": 5, "seed": 1, "reproducible": True}
KNOWN = PENGUINS.dropna(subset=["body_mass_g"]).reset_index(drop=True)
X, Y = KNOWN.drop(columns="body_mass_g"), KNOWN["body_mass_g"]


@pytest.fixture(scope="module")
def regressor():
    return DeepLearningRegressor(**SETTINGS).fit(X, Y)


def test_permutation_importance_of_scikit_learn(regressor):
    inspection = pytest.importorskip("sklearn.inspection")
    assert X.isna().to_numpy().any()
    found = inspection.permutation_importance(regressor, X, Y, n_repeats=3, random_state=1)
    assert found.importances_mean.shape == (X.shape[1],)
    assert found.importances_mean.max() > 0


@pytest.mark.parametrize(("column", "kind"), [("flipper_length_mm", "both"), ("species", "average")])
def test_partial_dependence_of_scikit_learn(regressor, column, kind):
    inspection = pytest.importorskip("sklearn.inspection")
    given = {"categorical_features": ["species", "island", "sex"]} if column == "species" else {}
    found = inspection.partial_dependence(regressor, X, [column], kind=kind, grid_resolution=5, **given)
    (own,) = regressor.model_.partial_plot(X, [column], user_splits={column: found["grid_values"][0].tolist()})
    np.testing.assert_allclose(found["average"][0], own["mean_response"], rtol=1e-5)


def mixed_mask(mask, row):
    """A masker of shap for columns of any type: what is masked has the values of usual rows."""
    usual = X.head(10).copy()
    for place in np.flatnonzero(mask):
        usual[usual.columns[place]] = row[place]
    return (usual,)


def test_shap_explains_text_and_missing_values_as_exact_contributions_do(regressor):
    shap = pytest.importorskip("shap", reason="shap is not installed")

    def predicted(frame):
        return regressor.model_.predict(pd.DataFrame(frame, columns=X.columns))["predict"].to_numpy()

    explainer = shap.explainers.Exact(predicted, mixed_mask)
    explained = explainer(X.head(3).to_numpy(dtype=object))
    own = regressor.model_.predict_contributions(X.head(3), X.head(10), method="exact")
    np.testing.assert_allclose(explained.values, own[list(X.columns)], atol=0.05)
    np.testing.assert_allclose(explained.base_values, own["BiasTerm"], rtol=1e-5)


@pytest.mark.parametrize("kind", ["Permutation", "Kernel"])
def test_shap_explains_estimators_of_numbers(kind):
    shap = pytest.importorskip("shap", reason="shap is not installed")
    cancer = pd.read_csv(DATASETS / "breast_cancer.csv")
    x, y = cancer.iloc[:, :5], cancer.iloc[:, -1]
    classifier = DeepLearningClassifier(**SETTINGS).fit(x, y)

    def second(frame):
        return classifier.predict_proba(pd.DataFrame(frame, columns=x.columns))[:, 1]

    usual = x.head(20)
    if kind == "Permutation":
        values = shap.explainers.Permutation(second, shap.maskers.Independent(usual), seed=1)(x.head(3)).values
    else:
        values = shap.KernelExplainer(second, usual).shap_values(x.head(3), silent=True)
    predicted = classifier.predict_proba(x.head(3))[:, 1] - classifier.predict_proba(usual)[:, 1].mean()
    np.testing.assert_allclose(values.sum(axis=1), predicted, atol=1e-5)
