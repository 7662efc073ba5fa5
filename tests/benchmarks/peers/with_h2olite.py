"""h2olite, trained in Python."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from serving import Result, Task, serve

from h2olite.data.reader import read_table
from h2olite.estimator import deeplearning

read = functools.cache(read_table)


def run(task: Task, done: Callable[[], None]) -> Result:
    """Train on a table and measure the model on its test rows."""
    train, test = (read(task[part], factors=(task["response"],)) for part in ("train", "test"))
    settings = {}
    if "goal" in task:
        settings = {
            "validation_frame": test,
            "train_samples_per_iteration": task["look"],
            "score_each_iteration": True,
            "overwrite_with_best_model": False,
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
        result["seconds_to_goal"] = seconds_to(task["goal"], model.scoring_history().to_dict("records"))
    return result


def seconds_to(goal: float, history: list[dict[str, float]]) -> float | None:
    """Seconds of training until the error on the test rows was at most `goal`."""
    for row in history:
        if row["validation_classification_error"] <= goal:
            return row["samples"] / row["training_speed"]
    return None


if __name__ == "__main__":
    serve(run)
