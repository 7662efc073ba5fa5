"""Running contenders in processes of their own, with their time and their largest memory."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

from jobs import THREADS, Contender, Task
from processor import instruction_set

PEERS = Path(__file__).parent / "peers"
MODULES = {"h2olite": "h2olite", "program": "h2olite_cli", "h2o": "h2o", "torch": "torch", "sklearn": "sklearn"}

WITHOUT_AVX512 = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy and scikit-learn
    "JAVA_TOOL_OPTIONS": "-XX:UseAVX=2",
}
"""What keeps the other contenders from AVX-512 where h2olite is kept from it."""

Result = dict[str, Any]


class PeerError(Exception):
    """A contender's process has failed."""


def missing(peer: str) -> str | None:
    """What a peer lacks to be run here, None if nothing."""
    if importlib.util.find_spec(MODULES[peer]) is None:
        return f"{MODULES[peer]} is not installed (pip install '.[bench]')"
    if peer == "h2o" and shutil.which("java") is None:
        return "H2O needs Java 17 on the PATH"
    return None


class Process:
    """A process that is measured.

    Attributes
    ----------
    peak : largest memory in bytes of the process or of a process it has started, whichever is larger; 0 while it runs.
    """

    def __init__(self, arguments: list[str], threads: int, **variables: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | environment(threads) | variables,
            process_group=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        self.peak = 0

    def send(self, task: Task) -> None:
        """Give the process a task, as a line with a JSON object."""
        print(json.dumps(task), file=self.stdin, flush=True)

    def answer(self) -> Any:
        """What the process says next: that it is done, or a result."""
        line = self.stdout.readline()
        if not line:
            self.end()
            raise PeerError("it ended without an answer")
        return json.loads(line)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and those it has started."""
        os.killpg(self._process.pid, number)

    def end(self) -> None:
        """Wait for the end of the process."""
        self.stdin.close()
        self.stdout.read()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        if self._process.returncode:
            self._errors.seek(0)
            raise PeerError(self._errors.read().strip().rpartition("\n")[2])


@functools.cache
def environment(threads: int) -> dict[str, str]:
    """The variables that tell every library its threads and its vector instructions."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(names, str(threads)) | (WITHOUT_AVX512 if instruction_set() == "AVX2" else {})


class Runner(Protocol):
    """Does a contender's tasks."""

    def run(self, task: Task) -> Result:
        """Do a task."""

    def end(self) -> int:
        """End what is still running; gives its largest memory in bytes."""


class Lasting:
    """One process does all tasks; its start does not count. While others work it is stopped, not to take their time."""

    def __init__(self, contender: Contender) -> None:
        self._process = start_peer(contender)
        self._process.signal(signal.SIGSTOP)

    def run(self, task: Task) -> Result:
        """Do a task."""
        self._process.signal(signal.SIGCONT)
        self._process.send(task)
        result = self._process.answer()
        self._process.signal(signal.SIGSTOP)
        return result

    def end(self) -> int:
        """End the process; gives its largest memory in bytes."""
        self._process.signal(signal.SIGCONT)
        self._process.end()
        return self._process.peak


class Fresh:
    """A new process for each task; its start counts, unless it says itself how many seconds count."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender

    def run(self, task: Task) -> Result:
        """Do a task."""
        started = time.perf_counter()
        process = start_peer(self._contender)
        process.send(task)
        result: Result = {}
        if (answer := process.answer()) == "done":  # and yet to be measured
            result["seconds"] = time.perf_counter() - started
            answer = process.answer()
        process.end()
        return result | answer | {"peak": process.peak}

    def end(self) -> int:
        """Nothing is left to end."""
        return 0


class Program(Fresh):
    """h2olite's command line."""

    def run(self, task: Task) -> Result:
        """Do a task."""
        if task["do"] == "predict":
            return call("predict", task["model"], task["train"], "-o", task["output"])[1]
        if task["do"] == "first command":
            with tempfile.TemporaryDirectory() as cache:
                return self._train(task, H2OLITE_CACHE_DIR=cache)
        if task["do"] == "two commands":
            return self._train_two(task)
        return self._train(task)

    def _train(self, task: Task, **variables: str) -> Result:
        """Train a model, and measure it on the test rows."""
        report, result = call(*self._training(task), **variables)
        evaluation, _ = call("evaluate", task["model"], task["test"], "--json")
        loss = json.loads(evaluation)["metrics"]["logloss"]
        return result | {"rows_per_second": json.loads(report)["training_speed"], "loss": loss}

    def _train_two(self, task: Task) -> Result:
        """Train two models, at the same time or one after the other."""
        started = time.perf_counter()
        twice = [self._training(task | {"model": f"{task['model']}-{i}"}) for i in range(2)]
        if task["at_once"]:
            processes = [Process(["-m", "h2olite_cli", *arguments], task["threads"]) for arguments in twice]
            for process in processes:
                process.end()
            peak = sum(process.peak for process in processes)
        else:
            peak = max(call(*arguments)[1]["peak"] for arguments in twice)
        return {"seconds": time.perf_counter() - started, "peak": peak}

    def _training(self, task: Task) -> list[str]:
        """The arguments of a training."""
        table = task["test"] if task["do"] == "save" else task["train"]
        options = [f"--factor={task['response']}", f"--nthreads={task['threads']}", "--json", "--quiet"]
        options += [f"--{name}={task[name]}" for name in ("epochs", "l1", "l2", "seed") if name in task]
        options += [f"--hidden={','.join(map(str, task['hidden']))}"] if "hidden" in task else []
        return ["train", table, "-y", task["response"], "-o", task["model"], *options]


def runner_of(contender: Contender) -> Runner:
    """Who does the contender's tasks."""
    if contender.peer == "program":
        return Program(contender)
    return Fresh(contender) if contender.is_fresh else Lasting(contender)


def start_peer(contender: Contender) -> Process:
    """A process of the contender's peer, ready for tasks."""
    return Process([str(PEERS / f"with_{contender.peer}.py")], contender.task["threads"])


def call(*arguments: str, **variables: str) -> tuple[str, Result]:
    """Run h2olite with these arguments and variables; gives what it prints, and its seconds and largest memory."""
    started = time.perf_counter()
    process = Process(["-m", "h2olite_cli", *arguments], THREADS, **variables)
    printed = process.stdout.read()
    process.end()
    seconds = time.perf_counter() - started
    return printed, {"seconds": seconds, "peak": process.peak}
