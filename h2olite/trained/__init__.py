"""A trained network with its encoders: what it predicts, how good it is, and what it consists of."""
