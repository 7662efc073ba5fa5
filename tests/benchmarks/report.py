"""What was measured, as text: ratios with their spread, targets met or not, the machine and the versions."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jobs import Job, Target

Results = dict[str, list[dict[str, Any]]]
"""By contender, the result of each repetition."""

PACKAGES = ("h2olite", "numba", "numpy", "pyarrow", "h2o", "torch", "scikit-learn", "pandas")

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

TARGETS_HEADER = """\
| job | h2olite | against | | ratio | target | met | test logloss | not worse |
|---|---|---|---|---|---|---|---|---|"""
RESULTS_HEADER = "| job | contender | rows/s | seconds | test logloss | peak memory |\n|---|---|---|---|---|---|"


class Finished(NamedTuple):
    """A job that was done, on the table called so."""

    job: Job
    table: str
    results: Results

    @property
    def title(self) -> str:
        """What was done."""
        return self.job.title.format(table=self.table)

    def values(self, name: str, measure: str) -> list[float]:
        """A contender's measurements, as far as there are any; what it did not reach is infinitely long."""
        found = [result[measure] for result in self.results.get(name, []) if measure in result]
        return [math.inf if value is None else value for value in found]


def target_line(finished: Finished, target: Target) -> str | None:
    """One target's line of the table, None if nobody to compare with was there."""
    job = finished.job
    ours = finished.values(target.of, "seconds" if not target.against else job.measure)
    if not ours:
        return None
    if not target.against:
        met = _yes(statistics.median(ours) <= target.value)
        return _row(finished.title, _amount(ours, "seconds"), "", "", "", f"{target.value:g} s", met, "", "")
    others = [name for name in target.against if finished.values(name, job.measure)]
    if not others:
        return None
    faster = max if job.measure == "rows_per_second" else min
    other = faster(others, key=lambda name: statistics.median(finished.values(name, job.measure)))
    theirs = finished.values(other, job.measure)
    ratios = sorted(_ratio(a, b, job.measure) for a, b in zip(ours, theirs, strict=True))
    ratio = statistics.median(ratios)
    losses = [statistics.mean(finished.values(name, "loss") or [math.nan]) for name in (target.of, other)]
    comparable = job.measure != "seconds_to_goal" and not any(map(math.isnan, losses))
    return _row(
        finished.title,
        _amount(ours, job.measure),
        other,
        _amount(theirs, job.measure),
        f"**{ratio:.3g}** ({ratios[0]:.3g} to {ratios[-1]:.3g})",
        f"{target.value:g}",
        _yes(ratio >= target.value),
        f"{losses[0]:.4g}, {losses[1]:.4g}" if comparable else "",
        _yes(float(f"{losses[0]:.3g}") <= float(f"{losses[1]:.3g}")) if comparable else "",
    )


def result_lines(finished: Finished) -> Iterable[str]:
    """A line for each contender of a job."""
    for name, results in finished.results.items():
        losses = finished.values(name, "loss")
        yield _row(
            finished.title,
            name,
            _spread(finished.values(name, "rows_per_second"), ",.0f"),
            _spread(finished.values(name, "seconds_to_goal") or finished.values(name, "seconds"), ".3g"),
            f"{statistics.mean(losses):.4g}" if losses else "",
            f"{max(result['peak'] for result in results) / 1e6:,.0f} MB",
        )


def machine() -> str:
    """What this ran on, with which versions, and when."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text() if cpuinfo.exists() else "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    if shutil.which("java"):
        versions += subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()[:1]
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: {model[1] if model else platform.processor()}, {cores} cores, "
        f"{memory:.0f} GB, {platform.system()}, Python {platform.python_version()}, {', '.join(versions)}."
    )


def page(finished: Sequence[Finished], repeats: int) -> str:
    """All tables."""
    targets = [target_line(one, target) for one in finished for target in one.job.targets]
    lines = [line for one in finished for line in result_lines(one)]
    said = f"{machine()} Up to {repeats} repetitions, each with another seed."
    return "\n".join([said, "", TARGETS_HEADER, *filter(None, targets), "", RESULTS_HEADER, *lines])


def write(section: str, text: str, path: Path = PAGE) -> None:
    """Put the text in place of a section of a page, which comments mark."""
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _ratio(ours: float, theirs: float, measure: str) -> float:
    """How many times as good as theirs ours is; 0 for what was never reached."""
    if math.isinf(ours):
        return 0.0
    return ours / theirs if measure == "rows_per_second" else theirs / ours


def _amount(values: Sequence[float], measure: str) -> str:
    """The median, with its unit."""
    median = statistics.median(values)
    if measure == "rows_per_second":
        return f"{median:,.0f} rows/s"
    return "never" if math.isinf(median) else f"{median:.3g} s"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _spread(values: Sequence[float], form: str) -> str:
    """Median, least and most."""
    if not values:
        return ""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})".replace("inf", "never")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
