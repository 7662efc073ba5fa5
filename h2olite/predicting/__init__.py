"""Rows through a trained network."""
