"""What is measured: jobs, who does each of them, and the targets."""

from __future__ import annotations

from typing import Any, NamedTuple

THREADS = 2

Task = dict[str, Any]


class Contender(NamedTuple):
    """Somebody who does a job.

    name : in the report; unique within a job.
    peer : the module ``peers/with_PEER.py``, or ``program``: the command line of h2olite.
    task : what it is asked to do, besides table, seed and threads.
    is_fresh : whether each repetition has a new process, whose start counts. Otherwise one process does all.
    setup : a task to do once before.
    """

    name: str
    peer: str
    task: Task
    is_fresh: bool = False
    setup: Task | None = None


class Target(NamedTuple):
    """How many times as good as the best of some others a contender shall be; without others, its most seconds."""

    value: float
    against: tuple[str, ...] = ()
    of: str = "h2olite"


class Job(NamedTuple):
    """Something to measure.

    name : what ``--jobs`` takes.
    title : what it is, for people; ``{table}`` stands for the table.
    table : see `tables.find_table`.
    measure : ``rows_per_second`` of training, ``seconds``, or ``seconds_to_goal``.
    most_repeats : for jobs that take long and vary little.
    """

    name: str
    title: str
    table: str
    measure: str
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...]
    most_repeats: int = 100


def training(**settings: Any) -> Task:
    """Train a 200-200 rectifier network."""
    return {"do": "train", "hidden": [200, 200], "batch": 1, "epochs": 1, "threads": THREADS} | settings


def mini_batches(size: int) -> Job:
    """Mini-batches against PyTorch: same size, update rule and inputs, and first weights drawn alike."""
    task = training(batch=size, epochs=10, optimiser="adadelta")
    ours = task | {"settings": {"sparse_from": 1.0}, "start": "fan-in"}
    return Job(
        f"batch-{size}",
        f"{{table}}, 10 epochs, ADADELTA, mini-batches of {size}",
        "digits",
        "rows_per_second",
        (
            Contender("h2olite", "h2olite", ours),
            Contender("PyTorch", "torch", task),
            Contender("scikit-learn (Adam)", "sklearn", task),
        ),
        (Target({32: 2, 128: 1.5, 512: 1.2}[size], ("PyTorch",)),),
    )


def whole_command(name: str, ratio: float, *others: Target) -> Job:
    """From a CSV file to a model file with default parameters, starts included."""
    task = {"do": "command", "threads": THREADS}
    return Job(
        name,
        "{table}, CSV file to model file, defaults, start included",
        name,
        "seconds",
        (Contender("h2olite", "program", task, True), Contender("H2O", "h2o", task, True)),
        (Target(ratio, ("H2O",)), *others),
    )


def first_run() -> Job:
    """From a CSV file to a model file with nothing compiled before."""
    task = {"do": "command", "threads": THREADS}
    return Job(
        "first",
        "{table}, CSV file to model file, the first run of all, start included",
        "iris",
        "seconds",
        (
            Contender("h2olite", "program", task | {"do": "first command"}, True),
            Contender("H2O", "h2o", task, True),
        ),
        (Target(1, ("H2O",)),),
    )


def fits(n_fits: int = 300) -> Job:
    """Many small trainings in one process: what a fit costs beside its rows."""
    task = {"do": "fits", "n_fits": n_fits, "hidden": [50], "epochs": 10, "batch": 32, "threads": THREADS}
    return Job(
        "fits",
        f"{n_fits} fits of {{table}}, 50 units, 10 epochs, mini-batches of 32",
        "iris",
        "seconds",
        (Contender("h2olite", "h2olite", task), Contender("scikit-learn", "sklearn", task)),
        (Target(1, ("scikit-learn",)),),
    )


def two_programs() -> Job:
    """Two trainings that share the cores, next to one after the other."""
    task = training(do="two commands", epochs=10, batch=1)
    at_once, in_turn = "h2olite, both at once", "h2olite, one after the other"
    return Job(
        "two",
        "{table}, two commands of two threads each, 10 epochs",
        "digits",
        "seconds",
        (
            Contender(at_once, "program", task | {"at_once": True}, True),
            Contender(in_turn, "program", task | {"at_once": False}, True),
        ),
        (Target(0.87, (in_turn,), of=at_once),),
        most_repeats=3,
    )


def one_row_at_a_time(name: str, table: str, ratio: float, title: str, **settings: Any) -> Job:
    """One row at a time: against H2O, and on two threads against one."""
    task = training(**settings)
    return Job(
        name,
        f"{{table}}, {title}, one row at a time",
        table,
        "rows_per_second",
        (
            Contender("h2olite", "h2olite", task),
            Contender("h2olite, one thread", "h2olite", task | {"threads": 1}),
            Contender("H2O", "h2o", task),
        ),
        (Target(ratio, ("H2O",)), Target(1.7, ("h2olite, one thread",))),
    )


def race_on_digits() -> Job:
    """Who first classifies all but 5 % of the test digits rightly."""
    task = training(epochs=8, goal=0.05, goal_measure="classification_error", look=2000)
    adam = tuple(
        Contender(f"PyTorch, Adam, {size}", "torch", task | {"batch": size, "optimiser": "adam"})
        for size in (32, 128, 512)
    )
    sklearn = Contender("scikit-learn, Adam, 200", "sklearn", task | {"batch": 200})
    # Steps grow sooner, as mean gradients of many rows allow.
    fastest = Contender("h2olite, 32, epsilon 1e-6", "h2olite", task | {"batch": 32, "settings": {"epsilon": 1e-6}})
    others = (*(contender.name for contender in adam), sklearn.name)
    return Job(
        "race-digits",
        "{table}, training time to a test error of 5 %",
        "digits",
        "seconds_to_goal",
        (
            Contender("h2olite", "h2olite", task),
            fastest,
            *adam,
            sklearn,
        ),
        (Target(1, others), Target(1.5, others, of=fastest.name)),
    )


def race_on_flights(goal: float = 0.3) -> Job:
    """Who first comes down to a loss on test flights."""
    task = training(goal=goal, goal_measure="logloss", look=20_000)
    return Job(
        "race-flights",
        f"{{table}}, training time to a test logloss of {goal:g}",
        "flights-200000",
        "seconds_to_goal",
        (Contender("h2olite", "h2olite", task), Contender("H2O", "h2o", task)),
        (Target(10, ("H2O",)),),
    )


def scoring() -> Job:
    """From a CSV file to a CSV file of predictions."""
    task, setup = {"do": "predict", "threads": THREADS}, {"do": "save", "hidden": [200, 200], "threads": THREADS}
    return Job(
        "scoring",
        "{table}, predictions by 200-200, CSV file to CSV file",
        "flights-1000000",
        "seconds",
        (
            Contender("h2olite", "program", task, True, setup),
            Contender("H2O, without its start", "h2o", task, True, setup | {"epochs": 0.1}),
            Contender("scikit-learn and pandas", "sklearn", task, True, setup),
        ),
        (Target(10, ("H2O, without its start",)), Target(5, ("scikit-learn and pandas",))),
        most_repeats=3,
    )


def growth(n_rows: int = 10_000_000, fewer: int = 1_000_000) -> Job:
    """Ten times as many rows."""
    task = training(do="command", l1=1e-5, l2=1e-5)
    more = task | {"table": f"flights-{n_rows}", "epochs": fewer / n_rows}
    return Job(
        "growth",
        f"{n_rows:,} flights against {fewer:,}, {fewer:,} of them trained on",
        f"flights-{fewer}",
        "rows_per_second",
        (
            Contender(f"h2olite, {fewer:,}", "program", task, True),
            Contender(f"h2olite, {n_rows:,}", "program", more, True),
        ),
        (Target(0.9, (f"h2olite, {fewer:,}",), of=f"h2olite, {n_rows:,}"),),
        most_repeats=2,
    )


JOBS = (
    one_row_at_a_time("digits", "digits", 25, "3 epochs", epochs=3),
    one_row_at_a_time("flights", "flights-1000000", 10, "1 epoch, l1=l2=1e-5", l1=1e-5, l2=1e-5),
    whole_command("adult", 10),
    whole_command("airlines", 10),
    whole_command("iris", 3, Target(1.5)),
    first_run(),
    whole_command("prostate", 3, Target(1.5)),
    *map(mini_batches, (32, 128, 512)),
    fits(),
    two_programs(),
    race_on_digits(),
    race_on_flights(),
    scoring(),
    growth(),
)
