"""scikit-learn: its MLPClassifier, alone or in a pipeline with pandas."""

from __future__ import annotations

import pickle
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from columns import logloss, matrices
from serving import Result, Task, serve
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def run(task: Task, done: Callable[[], None]) -> Result:
    """Train, save a pipeline, or predict a file by one."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    return {"train": train, "fits": fits, "save": save, "predict": predict}[task["do"]](task, done)


def train(task: Task, done: Callable[[], None]) -> Result:
    """Train on a table and measure the model on its test rows."""
    x, y, x_test, y_test = matrices(task)
    network = MLPClassifier(task["hidden"], batch_size=task["batch"], random_state=task["seed"])
    random, classes = np.random.default_rng(task["seed"]), np.unique(y)
    look = task.get("look", len(x))
    seconds, seconds_to_goal = 0.0, None
    for _ in range(task["epochs"]):
        order = random.permutation(len(x))
        for start in range(0, len(x), look):
            started = time.perf_counter()
            rows = order[start : start + look]
            network.partial_fit(x[rows], y[rows], classes=classes)
            seconds += time.perf_counter() - started
            if (
                "goal" in task
                and seconds_to_goal is None
                and (network.predict(x_test) != y_test).mean() <= task["goal"]
            ):
                seconds_to_goal = seconds
    loss = logloss(network.predict_proba(x_test), y_test)
    result = {"rows_per_second": task["epochs"] * len(x) / seconds, "seconds": seconds, "loss": loss}
    return result | {"seconds_to_goal": seconds_to_goal} if "goal" in task else result


def fits(task: Task, done: Callable[[], None]) -> Result:
    """Train the same small network again and again."""
    x, y, _, _ = matrices(task)
    started = time.perf_counter()
    for seed in range(task["n_fits"]):
        MLPClassifier(task["hidden"], batch_size=task["batch"], max_iter=task["epochs"], random_state=seed).fit(x, y)
    return {"seconds": time.perf_counter() - started}


def save(task: Task, done: Callable[[], None]) -> Result:
    """Write the file of a pipeline that predicts as slowly as a well-trained one."""
    frame = pd.read_csv(task["test"])
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    pipeline = make_pipeline(columns, MLPClassifier(task["hidden"], max_iter=1))
    pipeline.fit(frame.drop(columns=task["response"]), frame[task["response"]])
    Path(task["model"]).write_bytes(pickle.dumps(pipeline))
    return {}


def predict(task: Task, done: Callable[[], None]) -> Result:
    """From a file to a file of predictions."""
    pipeline = pickle.loads(Path(task["model"]).read_bytes())
    probabilities = pipeline.predict_proba(pd.read_csv(task["train"]))
    classes = pipeline.classes_
    predicted = pd.DataFrame(probabilities, columns=classes)
    predicted.insert(0, "predict", classes[probabilities.argmax(axis=1)])
    predicted.to_csv(task["output"], index=False)
    done()
    return {}


if __name__ == "__main__":
    serve(run)
