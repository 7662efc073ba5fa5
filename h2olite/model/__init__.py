"""Fitting, using, measuring and keeping a model."""
