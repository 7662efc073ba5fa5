"""`h2olite warmup`."""

from __future__ import annotations

import itertools
import time
from typing import Any

import click

from .console import JSON, QUIET, Command, Console
from .streams import print_json

PORTABLE = click.Option(
    ["--portable"],
    is_flag=True,
    help="Also make machine code for other processors: on x86 for all with AVX2 (x86-64-v3), and all with AVX-512 "
    "(x86-64-v4); on ARM for all of 64 bits.",
)


@click.command(
    cls=Command,
    params=[PORTABLE, JSON, QUIET],
    examples=["h2olite warmup", "h2olite warmup --portable"],
)
@click.pass_obj
def warmup(console: Console, portable: bool, as_json: bool) -> None:
    """Compile the kernels now, so that no later command has to wait for it.

    Run it, for example, while an image is built or before tests. The machine code is kept in the folder that
    H2OLITE_CACHE_DIR names, otherwise in the user's cache folder. It serves networks of every size. It is valid only
    for this installation, with its Python and Numba, and for the processors that are listed at the end. The first
    training on another kind of processor needs about a third of the time to compile, and keeps its machine code beside
    the rest.
    """
    started = time.perf_counter()
    from h2olite.kernels.caching import CACHE_FOLDER

    if CACHE_FOLDER is None:
        raise PermissionError(
            "no folder for machine code is writable, and out of reach of other users; name one in H2OLITE_CACHE_DIR."
        )
    before = n_here()
    train_in_every_way()
    n_new = n_here() - before
    n_for_others = keep_for_others() if portable else 0
    seconds = time.perf_counter() - started
    done = f"Compiled {n_new} kernels" if n_new else "Nothing left to compile: loaded the kernels"
    if n_for_others:
        done = f"Compiled {n_new} kernels, and {n_for_others} for other processors,"
    console.say(f"{done} in {seconds:.1f} s.", "compiled", compiled=n_new, seconds=seconds)
    console.say(f"The machine code is in {CACHE_FOLDER}.")
    processors = served()
    names = [f"{name} (this one)" if here else name for name, _, here in processors]
    console.say(f"It serves processors of the kind {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}.")
    if as_json:
        report = [{"name": name, "kernels": n, "this": here} for name, n, here in processors]
        print_json({"compiled": n_new, "seconds": seconds, "folder": str(CACHE_FOLDER), "processors": report})


def served() -> list[tuple[str, int, bool]]:
    """The kinds of processors that there is machine code for: name, number of kernels, whether it is this one."""
    from h2olite.kernels import rows
    from h2olite.kernels.caching import served_processors

    return served_processors(rows.train_rows)


def n_here() -> int:
    """How many of the kernels that training and prediction call are there for this processor."""
    return sum(n for _, n, here in served() if here)


def keep_for_others() -> int:
    """Keep machine code of all entries for the other processors of this architecture; return how many were made."""
    return sum(kernel._cache.keep_for_others(kernel.signatures, kernel.targetctx.codegen()) for kernel in entries())


def entries() -> set[Any]:
    """The kernels that Python calls, and that have been called."""
    from h2olite.kernels import averaging, penalties, rows, sparse
    from h2olite.kernels.caching import CheckedCache

    modules = averaging, penalties, rows, sparse
    functions = {f for module in modules for f in vars(module).values() if hasattr(f, "stats")}
    return {function for function in functions if isinstance(function._cache, CheckedCache) and function.signatures}


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
