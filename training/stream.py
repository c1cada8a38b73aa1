"""Samples drawn ahead by other processes, in a fixed order, into files: a run that was cut off draws none again."""

import os
import time
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.crops import HEIGHT, WIDTH, Drawer, Sample

LONGEST = 10  # characters
_ROW = 1 + 2 * LONGEST  # length (0 while it is not drawn), characters, columns
_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NICENESS = 5  # on top of the trainer's: drawing waits for everything else


class Stream:
    """Up to `count` samples of one seed; crops and labels may be read as soon as wait_for says so.

    crops is count x 48 x 144, labels count x 21: length, classes of the characters, their columns (0 after the last).
    """

    def __init__(self, folder: Path, *, seed: int, count: int, fonts: Path | None, processes: int) -> None:
        self.crops, self.labels = _files(folder, count)
        self._ready = 0
        context = get_context("spawn")
        self._stop = context.Event()
        self._workers = [
            context.Process(
                target=_draw_part, args=(folder, seed, count, fonts, part, processes, self._stop), daemon=True
            )
            for part in range(processes)
        ]
        for worker in self._workers:
            worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for worker in self._workers:
            worker.join()

    def wait_for(self, count: int) -> None:
        """Wait until the first `count` samples are there; raises RuntimeError if a drawing process has died."""
        while True:
            missing = np.flatnonzero(self.labels[self._ready : count, 0] == 0)
            self._ready = self._ready + int(missing[0]) if len(missing) else max(self._ready, count)
            if self._ready >= count:
                return
            if any(worker.exitcode for worker in self._workers):
                raise RuntimeError("A process that draws plates has died; its error is printed above.")
            time.sleep(0.1)


def _files(folder: Path, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Open (or make) the files of crops and labels; a longer run goes on in the same ones."""
    opened = []
    for name, shape in (("crops", (HEIGHT, WIDTH)), ("labels", (_ROW,))):
        file = folder / f"{name}.u8"
        size = count * int(np.prod(shape))
        with file.open("ab") as content:
            if content.tell() < size:
                content.truncate(size)
        opened.append(np.memmap(file, np.uint8, "r+", shape=(count, *shape)))
    return opened[0], opened[1]


def label(sample: Sample) -> NDArray[np.uint8]:
    """Return a sample's row of labels."""
    row = np.zeros(_ROW, np.uint8)
    length = len(sample.text)
    row[0] = length
    row[1 : 1 + length] = [1 + _CHARACTERS.index(character) for character in sample.text]
    row[1 + LONGEST : 1 + LONGEST + length] = sample.columns
    return row


def _draw_part(folder: Path, seed: int, count: int, fonts: Path | None, part: int, parts: int, stop: Event) -> None:
    """Draw every n-th sample that is not there yet; runs in a process of its own."""
    os.nice(_NICENESS)
    parent = os.getppid()
    crops, labels = _files(folder, count)
    drawer = Drawer(seed, fonts)
    for number in range(part, count, parts):
        if stop.is_set() or os.getppid() != parent:
            return
        if not labels[number, 0]:
            sample = drawer.sample(number)
            crops[number] = sample.crop  # before its label, which says that it is there
            labels[number] = label(sample)
