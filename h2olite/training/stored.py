"""Training rows that are kept in a scratch file: blocks of encoded rows, and windows of blocks in memory."""

from __future__ import annotations

import functools
import math
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.data.splits import RowOrder, random_stream
from h2olite.data.summary import count_levels
from h2olite.machine.scratch import ScratchFile

from .source import Block, RowSource

ROWS = 4096
"""Rows of a block. Rows that stand together in the table stay together in a window in such numbers."""

PER_ROW = 16
"""Bytes of a row in a window beside its encoded values: its place in the order of rows, and the same while shuffled."""


class StoredBlock(NamedTuple):
    """Where a block of rows is in the file, and how large it is."""

    begins: tuple[int, ...]
    n_rows: int
    n_entries: int


class StoredRows:
    """Encoded rows in a scratch file, block by block.

    Parameters
    ----------
    scratch : the file; it is closed with the rows.
    n_levels : number of inputs of categorical columns.

    Attributes
    ----------
    n_rows, largest_target : how many rows there are, and the largest absolute response; 0 without a response.
    reader : a thread that reads windows.
    """

    def __init__(self, scratch: ScratchFile, n_levels: int) -> None:
        self._scratch = scratch
        self._blocks: list[StoredBlock] = []
        self._like: EncodedRows | None = None
        self._counts = np.zeros(n_levels + 1, np.int64)  # the last one is where -1, no input, leads
        self.n_rows = 0
        self.largest_target = 0.0
        self.reader = ThreadPoolExecutor(1, "h2olite-rows")

    def append(self, rows: EncodedRows) -> None:
        """Add rows, whose arrays have the same types and widths each time."""
        self._like = rows if self._like is None else self._like
        self._counts += count_levels(rows.levels.ravel(), self._counts.size - 1)
        if rows.target.size:
            self.largest_target = max(self.largest_target, float(np.abs(rows.target).max()))
        n_rows = len(rows.levels)
        for start in range(0, n_rows, ROWS):
            part = slice(start, min(start + ROWS, n_rows))
            arrays = [rows.levels[part], rows.numbers[part], rows.target[part], rows.offsets[part]]
            n_entries = 0
            if rows.is_sparse:
                entries = slice(rows.starts[part.start], rows.starts[part.stop])
                arrays += [np.diff(rows.starts[part.start : part.stop + 1]), rows.places[entries]]
                arrays.append(rows.entries[entries])
                n_entries = entries.stop - entries.start
            begins = tuple(self._scratch.write(array) for array in arrays)
            self._blocks.append(StoredBlock(begins, part.stop - part.start, int(n_entries)))
        self.n_rows += n_rows

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self._blocks)

    @property
    def nbytes(self) -> int:
        """Bytes of all rows in memory."""
        return self._scratch.size + PER_ROW * self.n_rows

    def present_without(self, levels: np.ndarray) -> np.ndarray:
        """Which of the inputs of categorical columns occur in other rows than some with these encoded levels."""
        return (self._counts - count_levels(levels.ravel(), self._counts.size - 1))[:-1] > 0

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """How many rows come before each block: int64, shape (n_blocks,)."""
        return np.cumsum([0, *(block.n_rows for block in self._blocks[:-1])])

    def rows_of(self, blocks: np.ndarray) -> np.ndarray:
        """How many rows each of some blocks has, given by their numbers."""
        return np.array([self._blocks[block].n_rows for block in blocks.tolist()], np.int64)

    def kept_of(self, blocks: np.ndarray, left_out: np.ndarray) -> np.ndarray:
        """The rows of some blocks, counted from the first of them, without those of ascending indices in all blocks."""
        lengths = self.rows_of(blocks)
        kept = np.ones(int(lengths.sum()), np.bool_)
        before = np.cumsum(lengths) - lengths
        for block, length, start in zip(blocks.tolist(), lengths.tolist(), before.tolist(), strict=True):
            first = int(self.starts[block])
            begin, end = np.searchsorted(left_out, (first, first + length))
            kept[left_out[begin:end] - first + start] = False
        return np.flatnonzero(kept)

    def load(self, blocks: np.ndarray) -> EncodedRows:
        """The rows of some blocks, in this order."""
        assert self._like is not None
        like, n_rows = self._like, int(self.rows_of(blocks).sum())
        n_entries = sum(self._blocks[block].n_entries for block in blocks.tolist())
        levels = np.empty((n_rows, like.levels.shape[1]), np.int32)
        numbers = np.empty((0 if like.is_sparse else n_rows, like.numbers.shape[1]), like.numbers.dtype)
        target = np.empty(n_rows if like.target.size else 0, np.float32)
        offsets = np.empty(n_rows if like.offsets.size else 0, np.float32)
        lengths = np.empty(n_rows if like.is_sparse else 0, np.int64)
        places, entries = np.empty(n_entries, np.int32), np.empty(n_entries, like.entries.dtype)
        of_rows = [levels, numbers, target, offsets, *([lengths] if like.is_sparse else [])]
        of_entries = [places, entries] if like.is_sparse else []
        row = entry = 0
        for stored in (self._blocks[block] for block in blocks.tolist()):
            parts = [array[row : row + stored.n_rows] for array in of_rows]
            parts += [array[entry : entry + stored.n_entries] for array in of_entries]
            for part, begin in zip(parts, stored.begins, strict=True):
                self._scratch.read_into(part, begin)
            row, entry = row + stored.n_rows, entry + stored.n_entries
        starts = np.concatenate(([0], np.cumsum(lengths))) if like.is_sparse else like.starts
        return EncodedRows(levels, numbers, target, offsets=offsets, starts=starts, places=places, entries=entries)

    def close(self) -> None:
        """Remove the rows, once nothing is read any more."""
        self.reader.shutdown(cancel_futures=True)
        self._scratch.close()


class Window(NamedTuple):
    """A part of an epoch: which part of which epoch it is, its rows, and their order."""

    epoch: int
    part: int
    rows: EncodedRows
    order: np.ndarray


class Plan(NamedTuple):
    """What the windows of an epoch hold.

    windows : the numbers of the blocks of each, ascending.
    starts : int64, how many rows of the epoch come before each window.
    """

    epoch: int
    windows: list[np.ndarray]
    starts: np.ndarray


class StoredSource(RowSource):
    """Encoded rows in a scratch file, of which a window is in memory.

    An epoch takes the blocks in a new random order, as many at a time as the window holds, and the rows of these blocks
    in a random order. So every row comes once in an epoch. While a window is trained on, the next one is read. A window
    that holds all rows gives the order that `RowSource` gives.

    Parameters
    ----------
    stored : the rows.
    rows, sample : some encoded rows in memory, and int64 indices of those by which quantities of all are estimated.
    left_out : the rows not to train on: their indices in `rows`, and in `stored`.
    window_bytes : size of a window; two of them are in memory.
    shuffle, seed : see `h2olite.data.splits.RowOrder`.
    """

    def __init__(
        self,
        stored: StoredRows,
        rows: EncodedRows,
        sample: np.ndarray,
        left_out: tuple[np.ndarray, np.ndarray],
        window_bytes: float,
        *,
        shuffle: bool,
        seed: int,
    ) -> None:
        super().__init__(rows, np.arange(len(rows.levels)), sample, np.empty(0), shuffle=shuffle, seed=seed)
        self._stored, self._shuffle, self._seed = stored, shuffle, seed
        self._lacking, self._left_out = left_out[0], np.sort(left_out[1])
        self.n_windows = max(min(math.ceil(stored.nbytes / max(window_bytes, 1)), stored.n_blocks), 1)
        self._order = self._weighted = RowOrder(self.rows_per_epoch, shuffle, seed)  # what a single window passes
        self._taken = 0
        self._planned: Plan | None = None
        self._window: Window | None = None
        self._next: Future[Window] | None = None

    @property
    def rows_per_epoch(self) -> int:
        """Rows that an epoch passes."""
        return self._stored.n_rows - self._left_out.size

    @property
    def taken(self) -> int:
        """Rows taken so far, all epochs together; may be set to go on from there."""
        return self._order.taken if self.n_windows == 1 else self._taken

    @taken.setter
    def taken(self, count: int) -> None:
        self._order.taken = self._taken = count

    @property
    def largest_target(self) -> float:
        """The largest absolute response as it is trained on; 0 without a response."""
        return self._stored.largest_target

    def weigh(self) -> None:
        """Let the weights of rows count: there are none."""

    def take(self, count: int) -> Block:
        """The next rows to train on: `count` of them, or those that are left in a window."""
        if self.n_windows == 1:
            if self._window is None:
                blocks = np.arange(self._stored.n_blocks)
                kept = self._stored.kept_of(blocks, self._left_out)
                self._window = Window(0, 0, self._stored.load(blocks), kept)
            return Block(self._window.rows, self._window.order[self._order.take(count)])
        epoch, place = divmod(self._taken, self.rows_per_epoch)
        starts = self._plan(epoch).starts
        part = int(np.searchsorted(starts, place, side="right")) - 1
        window = self._window_at(epoch, part)
        order = window.order[place - starts[part] :][:count]
        self._taken += order.size
        return Block(window.rows, order)

    def present_levels(self, n_levels: int) -> np.ndarray:
        """Which of the inputs of categorical columns occur in the rows trained on: bool, shape (n_levels,)."""
        return self._stored.present_without(self._rows.levels[self._lacking])

    def _plan(self, epoch: int) -> Plan:
        """What the windows of an epoch hold."""
        plan = self._planned
        if plan is None or plan.epoch != epoch:
            blocks = np.arange(self._stored.n_blocks)
            if self._shuffle:
                random_stream(self._seed, "block order", epoch).shuffle(blocks)
            windows = [np.sort(part) for part in np.array_split(blocks, self.n_windows)]
            n_rows = [self._stored.kept_of(part, self._left_out).size for part in windows]
            self._planned = plan = Plan(epoch, windows, np.cumsum([0, *n_rows[:-1]]))
        return plan

    def _window_at(self, epoch: int, part: int) -> Window:
        """A window; the one after it begins to be read."""
        window = self._window
        if window is None or (window.epoch, window.part) != (epoch, part):
            self._window = window = None  # its memory is for the one after next
            if self._next is not None:
                window = self._next.result()
            if window is None or (window.epoch, window.part) != (epoch, part):
                window = self._read(epoch, part, self._plan(epoch).windows[part])
            self._window = window
            epoch, part = (epoch, part + 1) if part + 1 < self.n_windows else (epoch + 1, 0)
            self._next = self._stored.reader.submit(self._read, epoch, part, self._plan(epoch).windows[part])
        return window

    def _read(self, epoch: int, part: int, blocks: np.ndarray) -> Window:
        """Read a window of these blocks, and put its rows in order."""
        rows = self._stored.load(blocks)
        order = self._stored.kept_of(blocks, self._left_out)
        if self._shuffle:
            random_stream(self._seed, "row order", epoch, part).shuffle(order)
        return Window(epoch, part, rows, order)
