"""Every Numba function of the package, and nothing else."""
