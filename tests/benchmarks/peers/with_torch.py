"""PyTorch on the CPU, with a loop over mini-batches as its users write it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import torch
from columns import logloss, matrices
from serving import Result, Task, serve

OPTIMISERS = {
    # ADADELTA as H2O and h2olite have it
    "adadelta": lambda parameters: torch.optim.Adadelta(parameters, lr=1.0, rho=0.99, eps=1e-8),
    "adam": lambda parameters: torch.optim.Adam(parameters, fused=True),
}


def run(task: Task, done: Callable[[], None]) -> Result:
    """Train on a table and measure the model on its test rows."""
    torch.set_num_threads(task["threads"])
    torch.manual_seed(task["seed"])
    x, y, x_test, y_test = map(torch.from_numpy, matrices(task))
    sizes = [x.shape[1], *task["hidden"]]
    layers = []
    for n_inputs, n_units in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n_inputs, n_units), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], int(y.max()) + 1))
    optimiser = OPTIMISERS[task["optimiser"]](network.parameters())
    n_batches = -(-len(x) // task["batch"])
    seconds, seconds_to_goal, seen, next_look = 0.0, None, 0, task.get("look", float("inf"))
    for _ in range(task["epochs"]):
        started = time.perf_counter()
        order = torch.randperm(len(x))
        for number in range(n_batches):
            rows = order[number * task["batch"] : (number + 1) * task["batch"]]
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimiser.step()
            seen += len(rows)
            if seen >= next_look:
                seconds += time.perf_counter() - started
                next_look += task["look"]
                if seconds_to_goal is None and error(network, x_test, y_test) <= task["goal"]:
                    seconds_to_goal = seconds
                started = time.perf_counter()
        seconds += time.perf_counter() - started
    with torch.no_grad():
        loss = logloss(network(x_test).softmax(1).numpy(), y_test.numpy())
    result = {"rows_per_second": seen / seconds, "seconds": seconds, "loss": loss}
    return result | {"seconds_to_goal": seconds_to_goal} if "goal" in task else result


@torch.no_grad()
def error(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of rows that are classified wrongly."""
    return float((network(x).argmax(1) != y).float().mean())


if __name__ == "__main__":
    serve(run)
