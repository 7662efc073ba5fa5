"""h2olite, trained in Python."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from columns import matrices
from serving import VALIDATION_ROWS, Result, Task, seconds_to, serve

from h2olite.api import deeplearning
from h2olite.data.reader import read_table
from h2olite.scikit import DeepLearningClassifier

read = functools.cache(read_table)


def run(task: Task, done: Callable[[], None]) -> Result:
    """Train on a table and measure the model on its test rows, or only train, many times."""
    if task["do"] == "fits":
        return fits(task)
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
    if task.get("start") == "fan-in":
        settings |= first_weights(
            [matrices(task).x.shape[1], *task["hidden"], len(test[task["response"]].levels)], task["seed"]
        )
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


def fits(task: Task) -> Result:
    """Train the same small network again and again."""
    x, y, _, _ = matrices(task)
    settings = {"hidden": task["hidden"], "epochs": task["epochs"], "mini_batch_size": task["batch"]}
    settings |= {"nthreads": task["threads"], "stopping_rounds": 0}
    DeepLearningClassifier(**settings).fit(x, y)  # so that the kernels are there
    started = time.perf_counter()
    for seed in range(task["n_fits"]):
        DeepLearningClassifier(**settings, seed=seed).fit(x, y)
    return {"seconds": time.perf_counter() - started}


def first_weights(sizes: list[int], seed: int) -> dict[str, Any]:
    """Weights and biases from U(-r, r), r = 1 / sqrt(units below), as PyTorch's linear layers start."""
    random = np.random.default_rng(seed)

    def draw(below: int, shape: tuple[int, int]) -> np.ndarray:
        return random.uniform(-(below**-0.5), below**-0.5, shape)

    layers = list(itertools.pairwise(sizes))
    return {
        "initial_weights": [draw(below, (above, below)) for below, above in layers],
        "initial_biases": [draw(below, (above, 1)) for below, above in layers],
    }


if __name__ == "__main__":
    serve(run)
