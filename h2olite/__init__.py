"""Deep learning on tables with the parameters of h2o.deeplearning."""

__version__ = "0.1.0"
