"""Measure h2olite, H2O, PyTorch and scikit-learn side by side and write docs/benchmarks.md.

``pip install '.[bench]'``, Java 17, then ``python tests/benchmarks/run.py``. Contenders do a job in turns, each in a
process of its own; who is not installed is left out. With ``--jobs`` only some jobs are done and no page is written.

The page has a table for each instruction set. On a processor with AVX-512, the table for AVX2 comes from
``NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES= python tests/benchmarks/run.py``. The other libraries are then kept from
AVX-512 as well (`processes.WITHOUT_AVX512`).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import report
from jobs import JOBS, Contender, Job, Task
from processes import PeerError, Result, Runner, call, missing, runner_of
from processor import instruction_set
from tables import Table, find_table


def main() -> None:
    """Read the arguments, do the jobs, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", help=f"some of {','.join(job.name for job in JOBS)}; all if not given")
    parser.add_argument("--repeats", type=int, default=5, help="repetitions, each with another seed (default 5)")
    parser.add_argument("--data", type=Path, help="folder with NAME_train.csv.gz and NAME_test.csv.gz; see tables.py")
    parser.add_argument("--work", type=Path, help="folder that keeps simulated tables; a temporary one if not given")
    arguments = parser.parse_args()
    chosen = arguments.jobs.split(",") if arguments.jobs else [job.name for job in JOBS]
    if unknown := set(chosen) - {job.name for job in JOBS}:
        parser.error(f"there is no job {', '.join(sorted(unknown))}")
    call("warmup", "--quiet")
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        finished = [do(job, arguments.repeats, arguments.data, work) for job in JOBS if job.name in chosen]
    text = report.page(finished, arguments.repeats)
    print(text)
    if not arguments.jobs:
        report.write(f"speed with {instruction_set()}", text)


def do(job: Job, repeats: int, data: Path | None, work: Path) -> report.Finished:
    """Let the contenders do a job in turns."""
    table = find_table(job.table, data, work)
    own_tables = {c.name: find_table(c.task["table"], data, work) for c in job.contenders if "table" in c.task}
    finished = report.Finished(job, table.title, {})
    print(f"\n{finished.title}", flush=True)
    runners: dict[str, Runner] = {}

    def run(contender: Contender, task: Task, seed: int) -> Result | None:
        """What comes of a task; None if it fails, and the contender is then out of the job."""
        own_table = own_tables.get(contender.name, table)
        try:
            return runners[contender.name].run(with_files(task, contender.peer, own_table, seed, work))
        except PeerError as error:
            print(f"  {contender.name} is left out: {error}", flush=True)
            del runners[contender.name]
            finished.results.pop(contender.name, None)
            return None

    for contender in job.contenders:
        if lack := missing(contender.peer):
            print(f"  {contender.name} is left out: {lack}", flush=True)
            continue
        runners[contender.name] = runner_of(contender)
        if contender.setup:
            run(contender, contender.setup, 0)
    for seed in range(1, min(repeats, job.most_repeats) + 1):
        # Another one begins each time: who comes first may find the machine in another state.
        first = seed % len(job.contenders)
        for contender in job.contenders[first:] + job.contenders[:first]:
            if contender.name in runners and (result := run(contender, contender.task, seed)):
                finished.results.setdefault(contender.name, []).append(result)
                figures = ", ".join(f"{name} {value:,.4g}" for name, value in result.items() if value is not None)
                print(f"  {contender.name}: {figures}", flush=True)
    for name, runner in runners.items():
        peak = runner.end()
        for result in finished.results[name]:
            result.setdefault("peak", peak)
    return finished


def with_files(task: Task, peer: str, table: Table, seed: int, work: Path) -> Task:
    """A task with its files and its seed."""
    files = {"train": str(table.train), "test": str(table.test), "response": table.response}
    outputs = {"model": str(work / f"{peer}.model"), "output": str(work / f"{peer}.csv")}
    return task | files | outputs | {"seed": seed}


if __name__ == "__main__":
    main()
