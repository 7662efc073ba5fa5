"""Numbers from predictions."""

from h2olite.metrics.autoencoder import AutoEncoderMetrics
from h2olite.metrics.base import Metrics
from h2olite.metrics.binomial import BinomialMetrics
from h2olite.metrics.confusion import ConfusionMatrix
from h2olite.metrics.multinomial import MultinomialMetrics
from h2olite.metrics.regression import RegressionMetrics

__all__ = [
    "AutoEncoderMetrics",
    "BinomialMetrics",
    "ConfusionMatrix",
    "Metrics",
    "MultinomialMetrics",
    "RegressionMetrics",
]
