"""The signals that end the program, from its first moments on."""

from __future__ import annotations

import os
import signal
import sys
import types

LOG_FORMAT = "H2OLITE_LOG_FORMAT"
"""The environment variable that stands for --log-format."""

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def end_at_signals() -> None:
    """Have signals, as far as they are not ignored, end the program with exit code 128 + signal.

    So they do until a command takes them over (see `h2olite_cli.console.Interruption`): while modules are loaded and
    the command line is read, there is nothing to clean up.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: types.FrameType | None) -> None:
    options = {argument.partition("=")[0] for argument in sys.argv[1:]}
    if not options & {"--quiet", "--log-format"} and LOG_FORMAT not in os.environ:
        try:
            os.write(2, f"Ended by {signal.Signals(number).name}.\n".encode())
        except OSError:  # nobody reads it
            pass
    os._exit(128 + number)
