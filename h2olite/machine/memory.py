"""The memory that this process may still take, and the refusal of what would not fit."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from h2olite.errors import LackOfMemoryError

from . import control_groups

THREADS_ADDRESSES = 768 << 20
"""Addresses that the threads of readers and of training reserve and mostly never use."""


def available_memory() -> float:
    """Bytes that this process may take before it is refused or ended or the machine swaps; inf where nobody tells.

    The least of what the machine has, what the control groups of containers and schedulers leave, and the limit on
    the process's addresses (``ulimit -v``).
    """
    return min([*_of_machine(), *control_groups.available_memory(), *_of_addresses()], default=math.inf)


def refuse_lack_of_memory(what: str, needed: float, way_out: str) -> None:
    """Raise unless so many bytes are available for something.

    Raises
    ------
    LackOfMemoryError
        They are not.
    """
    available = available_memory()
    if needed > available:
        raise LackOfMemoryError(
            f"{what} needs about {size_text(needed)} of memory; this process may take {size_text(available)} more; "
            f"{way_out}."
        )


def size_text(n_bytes: float) -> str:
    """A number of bytes for people: ``3.2 GB``."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{max(n_bytes, 0) / 1e6:.0f} MB"


def _of_machine() -> Iterator[float]:
    """What can be had without swapping."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            yield from (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except OSError:  # not Linux: all memory is as much as can be told
        if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_addresses() -> Iterator[float]:
    """What a limit on addresses leaves."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            yield max(most - pages * resource.getpagesize() - THREADS_ADDRESSES, 0)
    except (ImportError, OSError):  # Windows has no such limits, others do not show the use
        return
