"""`python -m h2olite_cli` is `h2olite`."""

from .main import main

main(prog_name="h2olite")
