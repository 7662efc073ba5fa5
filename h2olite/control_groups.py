"""What the control groups of containers and schedulers leave this process of a machine."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows the limits of containers and jobs."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""Where it says which of them this process is in."""


def available_memory() -> Iterator[float]:
    """Bytes that each group with a limit leaves; memory of files that were read can be had again."""
    for folder, version in _groups("memory"):
        limit, usage = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes") if version == 1 else ("memory.max", "memory.current")
        )
        try:
            most, used = (folder / limit).read_text().strip(), int((folder / usage).read_text())
            reclaimable = _entry(folder / "memory.stat", "inactive_file")
        except OSError:  # the root has no limit, and a container may not see its own folder
            continue
        if most != "max":
            yield int(most) - used + reclaimable


def usable_cores() -> float:
    """Cores whose time the group with the smallest quota may use, such as 1.5; inf without one."""
    return min(_quotas(), default=math.inf)


def _quotas() -> Iterator[float]:
    """Cores whose time each group with a quota may use."""
    for folder, version in _groups("cpu"):
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if version == 1 else ("cpu.max",)
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
        except OSError:
            continue
        if quota not in ("max", "-1"):
            yield int(quota) / int(period)


def _groups(controller: str) -> list[tuple[Path, int]]:
    """The folders of the groups around this process that may limit something, with the version of their files."""
    try:
        return _folders(controller, MEMBERSHIP.read_text(), CGROUPS)
    except OSError:
        return []


@functools.lru_cache(maxsize=8)  # they are asked for again and again, and rarely change
def _folders(controller: str, membership: str, top: Path) -> list[tuple[Path, int]]:
    """The folders of `_groups` by what the system tells of the membership."""
    found = []
    for line in membership.splitlines():
        _, controllers, path = line.strip().split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root, version = (top / controller, 1) if controllers else (top, 2)
        group = root / path.lstrip("/")
        found += [(folder, version) for folder in (group, *group.parents) if folder.is_relative_to(root)]
    return found


def _entry(path: Path, name: str) -> int:
    """The number behind a name in a file of names and numbers; 0 if it is not there."""
    return next((int(line.split()[1]) for line in path.read_text().splitlines() if line.split()[:1] == [name]), 0)
