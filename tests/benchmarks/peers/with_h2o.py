"""Real H2O, driven from Python, with a server of its own."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

import h2o
from h2o.estimators import H2ODeepLearningEstimator
from serving import VALIDATION_ROWS, Result, Task, seconds_to, serve

WARM_UP_ROWS = 20_000
"""Rows trained before the first clock runs, so that Java has compiled what it runs often."""


def run(task: Task, done: Callable[[], None]) -> Result:
    """Train, save a model, or predict a file by one."""
    start_server(task["threads"])
    return {"train": train, "command": command, "save": save, "predict": predict}[task["do"]](task, done)


@functools.cache
def start_server(threads: int) -> None:
    """Start H2O and connect to it."""
    h2o.init(nthreads=threads, port=54_000, strict_version_check=False, bind_to_localhost=True)
    h2o.no_progress()


@functools.cache
def frame_of(path: str, response: str) -> h2o.H2OFrame:
    """A table in the server, its response a factor."""
    frame = h2o.import_file(path)
    frame[response] = frame[response].asfactor()
    return frame


def estimator(task: Task, **settings: float) -> H2ODeepLearningEstimator:
    """What a task wants to be trained."""
    names = ("hidden", "epochs", "l1", "l2", "seed")
    return H2ODeepLearningEstimator(**{name: task[name] for name in names if name in task}, **settings)


def train(task: Task, done: Callable[[], None]) -> Result:
    """Train on a table and measure the model on its test rows."""
    training, test = (frame_of(task[part], task["response"]) for part in ("train", "test"))
    warm_up(task["train"], task["response"])
    settings, frames = {"stopping_rounds": 0}, {"training_frame": training}
    if "goal" in task:
        settings |= {"train_samples_per_iteration": task["look"], "score_each_iteration": True, "score_interval": 0}
        settings |= {"score_duty_cycle": 1, "score_validation_samples": VALIDATION_ROWS}
        settings |= {"overwrite_with_best_model": False}
        frames |= {"validation_frame": test}
    model = estimator(task, **settings)
    started = time.perf_counter()
    model.train(y=task["response"], **frames)
    seconds = time.perf_counter() - started
    loss = model.model_performance(test).logloss()
    history = model.scoring_history().to_dict("records")[1:]
    result = {"rows_per_second": float(history[-1]["training_speed"].split()[0]), "seconds": seconds, "loss": loss}
    return result | {"seconds_to_goal": seconds_to(task, history)} if "goal" in task else result


@functools.cache
def warm_up(path: str, response: str) -> None:
    """Train a little."""
    frame = frame_of(path, response)
    estimator({"epochs": WARM_UP_ROWS / frame.nrow, "hidden": [200, 200]}).train(y=response, training_frame=frame)


def command(task: Task, done: Callable[[], None]) -> Result:
    """From a file to a model file, with everything at its default."""
    model = estimator(task)
    model.train(y=task["response"], training_frame=frame_of(task["train"], task["response"]))
    save_model(model, Path(task["model"]))
    done()
    return {"loss": model.model_performance(frame_of(task["test"], task["response"])).logloss()}


def save(task: Task, done: Callable[[], None]) -> Result:
    """Write the file of a model that predicts as slowly as a well-trained one."""
    model = estimator(task)
    model.train(y=task["response"], training_frame=frame_of(task["test"], task["response"]))
    save_model(model, Path(task["model"]))
    return {}


def save_model(model: H2ODeepLearningEstimator, path: Path) -> None:
    """Write a model file."""
    h2o.save_model(model, str(path.parent), force=True, filename=path.name)


def predict(task: Task, done: Callable[[], None]) -> Result:
    """From a file to a file of predictions; the server's start and the model's loading do not count."""
    model = h2o.load_model(task["model"])
    started = time.perf_counter()
    h2o.export_file(model.predict(h2o.import_file(task["train"])), task["output"], force=True)
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    serve(run)
