"""The parameters of a network and their places in memory."""
