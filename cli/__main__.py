"""The program's start: ``h2olite`` and ``python -m h2olite_cli``."""

from __future__ import annotations

from .signals import end_at_signals


def run() -> None:
    """Run the program; what takes a moment to load is loaded when signals are handled."""
    end_at_signals()
    from .main import main

    main(prog_name="h2olite")


if __name__ == "__main__":
    run()
