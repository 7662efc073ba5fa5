"""What there is to choose from: one record for each activation, distribution, update rule and stopping metric."""
