"""From tables and settings to a trained model."""
