"""The page on the names of h2o-py, against h2o-py itself where it is installed."""

import importlib.util
import inspect
from pathlib import Path

import pytest

from h2olite.parameters import declared

DOCS = Path(__file__).parent.parent / "docs"

spec = importlib.util.spec_from_file_location("h2o_py_names", DOCS / "h2o_py.py")
page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(page)


def names_of(*classes):
    return {name for kind in classes for name in dir(kind) if not name.startswith("_")}


@pytest.mark.filterwarnings("ignore")
def test_names_are_those_of_h2o_py():
    h2o = pytest.importorskip("h2o", reason="h2o-py is not installed")
    from h2o.estimators import H2ODeepLearningEstimator
    from h2o.grid import H2OGridSearch
    from h2o.model.metrics.binomial import H2OBinomialModelMetrics
    from h2o.model.metrics.multinomial import H2OMultinomialModelMetrics
    from h2o.model.metrics.regression import H2ORegressionModelMetrics
    from h2o.model.models.autoencoder import H2OAutoEncoderModel
    from h2o.model.models.binomial import H2OBinomialModel
    from h2o.model.models.multinomial import H2OMultinomialModel
    from h2o.model.models.regression import H2ORegressionModel

    if h2o.__version__ != page.VERSION:
        pytest.skip(f"the page is about h2o-py {page.VERSION}")
    parameters = set(inspect.signature(H2ODeepLearningEstimator.__init__).parameters) & set(declared())
    models = names_of(
        H2ODeepLearningEstimator, H2OBinomialModel, H2OMultinomialModel, H2ORegressionModel, H2OAutoEncoderModel
    )
    metrics = names_of(H2OBinomialModelMetrics, H2OMultinomialModelMetrics, H2ORegressionModelMetrics)
    assert {kind: set(names.split()) for kind, names in page.NAMES.items()} == {
        "Models": models - parameters,
        "Grids": names_of(H2OGridSearch),
        "Metrics": metrics,
    }
