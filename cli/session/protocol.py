"""Requests in, answers out: the loop of a session."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import queue
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import h2olite
from h2olite.errors import ParameterError
from h2olite.settings.parameters import nearest

from ..console import COMPILING, PLAIN_INTERVAL
from .store import Store

Operation = Callable[..., Any]


class Session:
    """Does what the lines of `requests` ask, one after the other, and writes to `answers`.

    A thread of its own reads the requests, so that ``{"stop": true}`` is heard during a training, and a caller
    that was killed is missed at once.
    """

    def __init__(self, requests: Iterable[str], answers: IO[str]) -> None:
        self._requests, self._answers = requests, answers
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._current: Any = None
        self.store = Store(self._tell, self._stop.is_set)

    def serve(self) -> None:
        """Answer requests until there are no more, or one of them was ``"shutdown"``."""
        threading.Thread(target=self._read, daemon=True).start()
        while (line := self._lines.get()) is not None:
            self._stop.clear()
            if self.answer(line) == "shutdown":
                return

    def answer(self, line: str) -> str | None:
        """Do what one line asks and write the answer; gives the name of the operation."""
        op = None
        try:
            request = json.loads(line)
            self._current, op = request.get("id"), request["op"]
            self.store.forget(request.get("free") or ())
            with _caught_warnings() as caught, self._relaying():
                result = self._do(op, request.get("args") or {})
            answer = {"id": self._current, "result": result} | ({"warnings": caught} if caught else {})
        except Exception as error:  # whatever an operation meets, the session goes on
            answer = {"id": self._current, "error": _described(error)}
        self._write(answer)
        return op

    def _do(self, op: str, arguments: dict[str, Any]) -> Any:
        """The result of an operation: a new frame is kept, and described."""
        operation = find_operation(op)
        key = arguments.pop("destination_frame", None)
        result = operation(self.store, **self.store.resolved(arguments))
        if op in CONTROL:
            return result
        import pyarrow as pa

        from .transfer import keep

        return keep(self.store, result, key) if isinstance(result, pa.Table) else result

    @contextlib.contextmanager
    def _relaying(self) -> Iterator[None]:
        """Tell the caller what h2olite logs, such as that it compiles now."""
        handler = logging.Handler()
        next_at = time.monotonic() + PLAIN_INTERVAL

        def emit(record: logging.LogRecord) -> None:
            """Tell it; how far compiling is, as seldom as where lines of progress stay."""
            nonlocal next_at
            if record.name == COMPILING:
                if time.monotonic() < next_at:
                    return
                next_at = time.monotonic() + PLAIN_INTERVAL
            self._tell("note", text=record.getMessage())

        handler.emit = emit  # type: ignore[method-assign]
        logger = logging.getLogger("h2olite")
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)

    def _read(self) -> None:
        """Put every line into the queue, and take note of what cannot wait for its turn."""
        for line in self._requests:
            if line.strip() == '{"stop":true}' or line.strip() == '{"stop": true}':
                self._stop.set()
            elif line.strip():
                self._lines.put(line)
        self._lines.put(None)
        self._leave_with_reader()

    def _leave_with_reader(self) -> None:
        """End the process, whatever it is doing, as soon as nobody is left to read the answers."""
        with contextlib.suppress(AttributeError, OSError, ValueError):  # no poll, or answers that are no pipe
            poll = select.poll()
            poll.register(self._answers.fileno(), 0)  # errors alone, which cannot be left out
            poll.poll()
            os._exit(0)

    def _tell(self, event: str, **fields: Any) -> None:
        """Write an event about the running operation."""
        self._write({"id": self._current, "event": event, **fields})

    def _write(self, message: dict[str, Any]) -> None:
        """Write one line."""
        try:
            self._answers.write(json.dumps(plain(message), ensure_ascii=False, allow_nan=False) + "\n")
            self._answers.flush()
        except BrokenPipeError:
            os._exit(0)


def find_operation(name: str) -> Operation:
    """The operation of a name; the modules of operations are loaded when the first is asked for.

    Raises
    ------
    ParameterError : there is none.
    """
    if name in CONTROL:
        return CONTROL[name]
    from . import cells, columns, explanations, frames, models, rows, training

    tables = (frames, rows, cells, columns, models, training, explanations)
    operations: dict[str, Operation] = {key: value for module in tables for key, value in module.OPERATIONS.items()}
    if name not in operations:
        raise ParameterError(f"there is no operation {name!r}{nearest(name, operations)}")
    return operations[name]


def start(store: Store, nthreads: int = -1, max_mem_size: float | None = None) -> dict[str, Any]:
    """Set how the session is to work, and say what it is.

    nthreads : threads of a training; -1 or 0 for all cores that this process may use.
    max_mem_size : bytes that the session may take; None for no limit but the machine's.
    """
    store.nthreads = max(int(nthreads), 0)
    if max_mem_size is not None:
        limit_memory(int(max_mem_size))
    return version(store)


def limit_memory(size: int) -> None:
    """Let this process take at most so many bytes besides those that it began with.

    Raises
    ------
    ParameterError : this system knows no such limit.
    """
    try:
        import resource
    except ImportError:
        raise ParameterError("max_mem_size cannot be kept on this system; leave it out.") from None
    from h2olite.machine.memory import THREADS_ADDRESSES

    with open("/proc/self/statm", encoding="ascii") as statm:
        taken = int(statm.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + THREADS_ADDRESSES + size, most))


def version(store: Store) -> dict[str, Any]:
    """What the session is: version, process, threads, Python."""
    return {
        "version": h2olite.__version__,
        "pid": os.getpid(),
        "nthreads": store.nthreads or n_cores(),
        "python": sys.executable,
        "python_version": ".".join(map(str, sys.version_info[:3])),
    }


def n_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shutdown(store: Store) -> None:
    """Nothing more: the loop ends after the answer."""


CONTROL: dict[str, Operation] = {"start": start, "version": version, "shutdown": shutdown}
"""Operations that need no frames, so that a session starts without loading what works on them."""


def plain(value: Any) -> Any:
    """The value for `json.dumps`: NaN as null, infinite numbers as text, NumPy's numbers as Python's."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    return value


@contextlib.contextmanager
def _caught_warnings() -> Iterator[list[str]]:
    """Collect the sentences that are warned of, each once."""
    sentences: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("always", FutureWarning)
        yield sentences
    sentences.extend(dict.fromkeys(str(warning.message) for warning in caught))


def _described(error: Exception) -> dict[str, Any]:
    """The error for the caller: one sentence; where nobody meant to raise it, also where it came from."""
    expected = isinstance(error, h2olite.H2OLiteError | OSError)
    message = str(error) if expected else f"{type(error).__name__}: {error}"
    described = {"class": type(error).__name__, "message": message}
    return described if expected else described | {"trace": "".join(traceback.format_exception(error))}


def main() -> None:
    """Serve whoever has started this process."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller's Ctrl-C is told by a line
    try:
        answers = io.TextIOWrapper(_answers(), encoding="utf-8", newline="\n", write_through=True)
        Session(_requests(), answers).serve()
    finally:
        signal.signal(signal.SIGINT, before)


def _requests() -> Iterable[str]:
    """The lines of the standard input.

    They are not read through its buffer: a thread that waits there when the interpreter ends would abort it.
    """
    try:
        number = sys.stdin.fileno()
    except OSError:  # not the process's own
        yield from io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="\n")
        return
    pieces: list[bytes] = []
    while piece := os.read(number, 1 << 16):
        *ends, rest = piece.split(b"\n")
        for end in ends:
            yield b"".join([*pieces, end]).decode()
            pieces.clear()
        pieces.append(rest)
    yield b"".join(pieces).decode()


def _answers() -> IO[bytes]:
    """Where answers go: the standard output, on which nothing else that is printed is to stand among them."""
    try:
        number = sys.stdout.fileno()
    except OSError:  # not the process's own
        return sys.stdout.buffer
    answers = os.fdopen(os.dup(number), "wb")
    os.dup2(sys.stderr.fileno(), number)
    return answers
