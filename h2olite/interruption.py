"""Ctrl-C while Python code trains: the first one ends training with the model so far."""

from __future__ import annotations

import signal
import threading
import types
from collections.abc import Callable
from typing import Any, Self


class Interruption:
    """SIGINT while a block of code trains, as far as Python handles it itself and the block is in the main thread.

    Before training has begun, SIGINT raises KeyboardInterrupt, as ever. From the first call of a watcher that
    `watching` gives, the first SIGINT is only noted, and the watcher has training end. A second one raises
    KeyboardInterrupt. A program with a handler of its own keeps it.
    """

    def __init__(self) -> None:
        self.noted = False
        self._deferred = False
        self._handles = False

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()  # no other thread may set handlers
        self._handles = is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._handles:
            signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._handles:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def watching(self, watch: Callable[[Any], bool | None] | None) -> Callable[[Any], bool]:
        """A watcher of training that also ends it after a SIGINT; `watch` is another one that it tells."""

        def tell(progress: Any) -> bool:
            self._deferred = True
            goes_on = watch is None or watch(progress) is not False
            return goes_on and not self.noted

        return tell

    def _receive(self, number: int, frame: types.FrameType | None) -> None:
        if not self._deferred or self.noted:
            raise KeyboardInterrupt
        self.noted = True
