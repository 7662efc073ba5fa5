import math

import pytest

from h2olite.machine import control_groups
from h2olite.machine.threads import usable_threads


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Puts this process into a control group."""

    def put(membership, folder, files):
        inside = tmp_path / folder
        inside.mkdir(parents=True)
        for name, text in files.items():
            (inside / name).write_text(f"{text}\n")
        (tmp_path / "membership").write_text(f"1:name=systemd:/\n{membership}\n")
        monkeypatch.setattr(control_groups, "CGROUPS", tmp_path)
        monkeypatch.setattr(control_groups, "MEMBERSHIP", tmp_path / "membership")

    return put


@pytest.mark.parametrize(
    ("membership", "root", "files", "available"),
    [
        ("0::/jobs/7", "", {"memory.max": "1000", "memory.current": "700"}, [400]),
        ("0::/jobs/7", "", {"memory.max": "1000", "memory.current": "700", "memory.stat": "anon 600"}, [300]),
        ("0::/jobs/7", "", {"memory.max": "max", "memory.current": "700"}, []),
        ("4:cpu,memory:/jobs/7", "memory", {"memory.limit_in_bytes": "1000", "memory.usage_in_bytes": "700"}, [400]),
        ("4:cpu:/jobs/7", "memory", {"memory.limit_in_bytes": "1000", "memory.usage_in_bytes": "700"}, []),
    ],
)
@pytest.mark.parametrize("folder", ["jobs", "jobs/7"])
def test_memory_is_what_a_limit_leaves_and_what_can_be_had_again(place, membership, root, files, available, folder):
    place(membership, f"{root}/{folder}".lstrip("/"), {"memory.stat": "anon 600\ninactive_file 100"} | files)
    assert list(control_groups.available_memory()) == available


@pytest.mark.parametrize(
    ("membership", "root", "files", "cores"),
    [
        ("0::/jobs/7", "", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/jobs/7", "", {"cpu.max": "max 100000"}, math.inf),
        ("4:cpu,cpuacct:/jobs/7", "cpu", {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"}, 0.5),
        ("4:cpu,cpuacct:/jobs/7", "cpu", {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, math.inf),
        ("4:memory:/jobs/7", "cpu", {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"}, math.inf),
    ],
)
@pytest.mark.parametrize("folder", ["jobs", "jobs/7"])
def test_cores_are_those_of_the_smallest_quota(place, monkeypatch, membership, root, files, cores, folder):
    place(membership, f"{root}/{folder}".lstrip("/"), files)
    assert control_groups.usable_cores() == cores
    monkeypatch.delenv("H2OLITE_NTHREADS", raising=False)
    if cores < 2:
        assert usable_threads() == 1


def test_without_control_groups_nothing_is_limited(monkeypatch, tmp_path):
    monkeypatch.setattr(control_groups, "MEMBERSHIP", tmp_path / "none")
    assert list(control_groups.available_memory()) == []
    assert control_groups.usable_cores() == math.inf
