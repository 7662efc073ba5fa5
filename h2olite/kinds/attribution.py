"""The methods that divide predictions among columns."""

from __future__ import annotations

METHODS = DEEP_SHAP, PERMUTATION, EXACT = ("DeepSHAP", "permutation", "exact")
"""Layer by layer, by random orders of the columns, and by all sets of columns."""
