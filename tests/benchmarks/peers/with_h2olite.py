"""h2olite, trained in Python."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from serving import VALIDATION_ROWS, Result, Task, seconds_to, serve

from h2olite.data.reader import read_table
from h2olite.estimator import deeplearning

read = functools.cache(read_table)


def run(task: Task, done: Callable[[], None]) -> Result:
    """Train on a table and measure the model on its test rows."""
    train, test = (read(task[part], factors=(task["response"],)) for part in ("train", "test"))
    settings = dict(task.get("settings", {}))
    if "goal" in task:
        settings |= {
            "validation_frame": test,
            "train_samples_per_iteration": task["look"],
            "score_each_iteration": True,
            "overwrite_with_best_model": False,
            "score_validation_samples": VALIDATION_ROWS,
        }
    started = time.perf_counter()
    model = deeplearning(
        y=task["response"],
        training_frame=train,
        hidden=task["hidden"],
        epochs=task["epochs"],
        mini_batch_size=task["batch"],
        l1=task.get("l1", 0.0),
        l2=task.get("l2", 0.0),
        nthreads=task["threads"],
        seed=task["seed"],
        stopping_rounds=0,
        **settings,
    )
    seconds = time.perf_counter() - started
    metrics = model.model_performance(test)
    result = {"rows_per_second": model.report()["training_speed"], "seconds": seconds, "loss": metrics.logloss()}
    if "goal" in task:
        result["seconds_to_goal"] = seconds_to(task, model.history[1:])
    return result


if __name__ == "__main__":
    serve(run)
