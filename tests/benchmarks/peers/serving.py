"""How a peer's process talks to the benchmark: a JSON object a line, tasks on stdin and results on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Task = dict[str, Any]
Result = dict[str, Any]

DONE = json.dumps("done")
"""Says that a task is done, while its outcome is still to be measured."""


VALIDATION_ROWS = 10_000
"""The most test rows that tell how far the goal is."""


def serve(run: Callable[[Task, Callable[[], None]], Result]) -> None:
    """Run tasks until stdin ends.

    Parameters
    ----------
    run : gets a task and a function to call when what the task asks for is done, before its outcome is measured.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print to stdout
    for line in sys.stdin:
        result = run(json.loads(line), lambda: print(DONE, file=answers))
        print(json.dumps(result), file=answers)


def seconds_to(task: Task, history: Iterable[Mapping[str, Any]]) -> float | None:
    """Seconds of training, without scoring, until a scoring history has the task's goal; None if it never does."""
    for row in history:
        if row[f"validation_{task['goal_measure']}"] <= task["goal"]:
            return row["samples"] / float(str(row["training_speed"]).split()[0])
    return None
