"""A scratch file for what does not fit in memory."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator

import numpy as np

from h2olite.errors import LackOfMemoryError, ParameterError

from .memory import size_text

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system calls a disk, a quota or a file that can take no more."""

LARGE_FOLDER = "/var/tmp"
"""Where Unix keeps large temporary files. The usual folder for them is often in memory."""


def scratch_folder(folder: str | None = None) -> str:
    """The folder for scratch files: the one given, or else that of temporary files."""
    if folder is not None:
        return folder
    if not any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")) and os.access(LARGE_FOLDER, os.W_OK):
        return LARGE_FOLDER
    return tempfile.gettempdir()


class ScratchFile:
    """A file without a name: when it is closed, or the process ends in whatever way, its space is free again.

    Parameters
    ----------
    folder : where its space is taken; that of temporary files if not given.

    Raises
    ------
    ParameterError : no file can be made in the folder.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = scratch_folder(folder)
        self.size = 0
        self._lock = threading.Lock()  # for a place in the file and what is read there
        try:
            self._file = tempfile.TemporaryFile(dir=self.folder, buffering=0)
        except OSError as error:
            raise ParameterError(
                f"scratch must be a folder that files can be written to; got {self.folder!r} ({error.strerror}); name "
                "another one."
            ) from None
        weakref.finalize(self, self._file.close)

    def refuse_lack_of_space(self, needed: float, what: str) -> None:
        """Raise a LackOfMemoryError if the disk has no room for so many bytes more."""
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise LackOfMemoryError(
                f"{what} needs about {size_text(needed)} in a scratch file; the disk of {self.folder} has "
                f"{size_text(free)} left; free some, or name a folder on another disk as scratch."
            )

    def write(self, array: np.ndarray) -> int:
        """Append an array; the place where it begins.

        Raises
        ------
        LackOfMemoryError : the disk is full.
        """
        begin, left = self.size, memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        with self._lock, self._explaining():
            self._file.seek(begin)
            while left:
                left = left[self._file.write(left) :]
        self.size += array.nbytes
        return begin

    def read_into(self, array: np.ndarray, begin: int) -> None:
        """Fill a contiguous array with what was written from a place on."""
        left = memoryview(array.reshape(-1).view(np.uint8).data)
        with self._lock:
            self._file.seek(begin)
            while left:
                n_read = self._file.readinto(left)
                if not n_read:
                    raise OSError(errno.EIO, f"the scratch file in {self.folder} is shorter than what was written")
                left = left[n_read:]

    def close(self) -> None:
        """Give its space back."""
        self._file.close()

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Says where the disk is full."""
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise LackOfMemoryError(
                f"the scratch file in {self.folder} cannot grow beyond {size_text(self.size)} ({error.strerror}): free "
                "space on its disk, or name a folder on another disk as scratch."
            ) from None
