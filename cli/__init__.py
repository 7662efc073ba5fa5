"""The command line of h2olite."""
