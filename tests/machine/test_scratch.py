"""The scratch file: what is written is read again, it has no name, and a full disk says so."""

import resource
import subprocess
import sys

import numpy as np
import pytest

from h2olite.errors import LackOfMemoryError, ParameterError
from h2olite.machine.scratch import ScratchFile, scratch_folder


def test_arrays_are_read_as_they_were_written(tmp_path):
    random, file = np.random.default_rng(0), ScratchFile(str(tmp_path))
    arrays = [random.random((50, 3)), random.integers(0, 9, 7).astype(np.int32), np.empty(0, np.float32)]
    begins = [file.write(array) for array in arrays]
    assert file.size == sum(array.nbytes for array in arrays)
    for array, begin in zip(arrays, begins, strict=True):
        again = np.empty_like(array)
        file.read_into(again, begin)
        np.testing.assert_array_equal(again, array)
    assert list(tmp_path.iterdir()) == []
    file.close()


def test_file_is_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert scratch_folder(str(tmp_path)) == str(tmp_path)
    assert scratch_folder() != "/var/tmp"
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    assert scratch_folder() == "/var/tmp"


def test_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(
        ParameterError, match=r"^scratch must be a folder that files can be written to; got '.*nowhere'"
    ):
        ScratchFile(str(tmp_path / "nowhere"))


def test_table_that_the_disk_has_no_room_for_is_refused_at_once(tmp_path):
    with pytest.raises(LackOfMemoryError, match=r"^training on t needs about 1000000000.0 GB in a scratch file; the d"):
        ScratchFile(str(tmp_path)).refuse_lack_of_space(1e18, "training on t")


def test_disk_that_becomes_full_says_so(tmp_path):
    program = (
        "import sys, numpy as np; from h2olite.machine.scratch import ScratchFile; "
        "file = ScratchFile(sys.argv[1]); [file.write(np.zeros(1000)) for _ in range(10)]"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.stderr.splitlines()[-1] == (
        f"h2olite.errors.LackOfMemoryError: the scratch file in {tmp_path} cannot grow beyond 0 MB (File too large): "
        "free space on its disk, or name a folder on another disk as scratch."
    )
