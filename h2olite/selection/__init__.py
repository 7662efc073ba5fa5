"""Training many models: over folds, over settings."""
