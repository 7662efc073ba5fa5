"""Numbers from predictions."""

from .autoencoder import AutoEncoderMetrics
from .base import Metrics
from .binomial import BinomialMetrics
from .confusion import ConfusionMatrix
from .multinomial import MultinomialMetrics
from .regression import RegressionMetrics

__all__ = [
    "AutoEncoderMetrics",
    "BinomialMetrics",
    "ConfusionMatrix",
    "Metrics",
    "MultinomialMetrics",
    "RegressionMetrics",
]
