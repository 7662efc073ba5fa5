"""``python -m h2olite_cli.session``."""

from .protocol import main

main()
