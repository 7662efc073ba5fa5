import os
import subprocess
import sys

import pytest

from h2olite.errors import LackOfMemoryError
from h2olite.machine import memory
from h2olite.machine.memory import available_memory, refuse_lack_of_memory, size_text


def test_no_more_is_available_than_the_machine_has():
    assert 0 < available_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_limit_on_addresses_counts():
    limit = 2 << 30
    program = "from h2olite.machine.memory import available_memory; print(available_memory())"
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {limit >> 10} && exec "$0" -c "$1"', sys.executable, program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 0 < float(done.stdout) < limit - memory.THREADS_ADDRESSES


def test_the_least_that_a_control_group_leaves_counts(monkeypatch):
    monkeypatch.setattr(memory.control_groups, "available_memory", lambda: iter([3000, 2000]))
    assert available_memory() == 2000


def test_what_does_not_fit_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2.5e8)
    refuse_lack_of_memory("reading t.csv", 2e8, "take less")
    line = "reading t.csv needs about 3.2 GB of memory; this process may take 250 MB more; take less."
    with pytest.raises(LackOfMemoryError, match=f"^{line}$"):
        refuse_lack_of_memory("reading t.csv", 3.2e9, "take less")


def test_sizes_are_read_easily():
    assert [size_text(n) for n in (0, 2_400_000, 999e6, 1e9, 12.34e9)] == [
        "0 MB",
        "2 MB",
        "999 MB",
        "1.0 GB",
        "12.3 GB",
    ]
