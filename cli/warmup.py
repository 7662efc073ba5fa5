"""`h2olite warmup`."""

from __future__ import annotations

import itertools
import time

import click

from .console import JSON, QUIET, Command, Console
from .streams import print_json


@click.command(
    cls=Command,
    params=[JSON, QUIET],
    examples=["h2olite warmup"],
)
@click.pass_obj
def warmup(console: Console, as_json: bool) -> None:
    """Compile the kernels now, so that no later command has to wait for it.

    Run it, for example, while an image is built or before tests. The machine code is kept in the folder that
    H2OLITE_CACHE_DIR names, otherwise in the user's cache folder. It serves networks of every size. It is valid only
    for this installation, with its Python and Numba, and for this kind of processor.
    """
    started = time.perf_counter()
    from h2olite.kernels.caching import CACHE_FOLDER

    if CACHE_FOLDER is None:
        raise PermissionError(
            "no folder for machine code is writable, and out of reach of other users; name one in H2OLITE_CACHE_DIR."
        )
    before = n_compiled()
    train_in_every_way()
    n_new = n_compiled() - before
    seconds = time.perf_counter() - started
    done = f"Compiled {n_new} kernels" if n_new else "Nothing left to compile: loaded the kernels"
    console.say(f"{done} in {seconds:.1f} s.", "compiled", compiled=n_new, seconds=seconds)
    console.say(f"The machine code is in {CACHE_FOLDER}.")
    if as_json:
        print_json({"compiled": n_new, "seconds": seconds, "folder": str(CACHE_FOLDER)})


def n_compiled() -> int:
    """How many of the kernels that training and prediction call this process has compiled."""
    from h2olite.kernels import averaging, rows, sparse

    functions = [*vars(averaging).values(), *vars(rows).values(), *vars(sparse).values()]
    return sum(len(kernel.stats.cache_misses) for kernel in {f for f in functions if hasattr(f, "stats")})


def train_in_every_way() -> None:
    """Train a network of a handful of weights in every way that may need a kernel of its own, and predict by it."""
    from h2olite import deeplearning

    numbers, classes = [1.0, 2.0, 3.0, 4.0], ["a", "b", "a", "b"]
    table = {"x": numbers, "y": classes}
    for l1, mini_batch_size in itertools.product((0.0, 1e-5), (1, 32)):
        model = deeplearning(
            y="y",
            training_frame=table,
            hidden=[2],
            epochs=1,
            l1=l1,
            mini_batch_size=mini_batch_size,
        )
        model.predict(table)
    deeplearning(y="y", training_frame=table, hidden=[2], epochs=1, replicas=2)
    # A large network of zeros, for it is scored by kernels of its own where there are many rows.
    deeplearning(
        y="y",
        training_frame={"x": numbers * 512, "y": classes * 512},
        hidden=[150, 150],
        epochs=0.1,
        l1=1.0,
    )
