"""Photographs, read in turn by our worker process and by the peer, so that the machine's load hits both alike."""

import asyncio
import csv
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reading.peer import Peer
from custom_components.parkshare.recognition import EmbeddedReader, Look, Picture, ReaderError, fold, normalise


@dataclass
class Photo:
    """One photograph with what was read on it; took_ms is the whole way, worker and pipes included."""

    path: Path
    country: str
    plate: str
    look: Look
    took_ms: float
    peer_texts: list[str] = field(default_factory=list)
    peer_ms: float = 0.0

    @property
    def name(self) -> str:
        """Folder and file."""
        return f"{self.country}/{self.path.name}"

    @property
    def texts(self) -> list[str]:
        """All that was read, likeliest first."""
        return [normalise(reading.text) for reading in self.look.readings]

    def is_exact(self) -> bool:
        """Tell whether any box says just what the label says."""
        return normalise(self.plate) in self.texts

    def is_folded(self) -> bool:
        """Tell the same where identical glyphs are one."""
        return fold(normalise(self.plate)) in {fold(text) for text in self.texts}

    def first_is_exact(self) -> bool:
        """Tell whether the likeliest text alone says it."""
        return self.texts[:1] == [normalise(self.plate)]

    def peer_is_exact(self) -> bool:
        """Tell the same of the peer as is_exact of us: any box, separators and case aside."""
        return normalise(self.plate) in [normalise(text) for text in self.peer_texts]

    def peer_is_folded(self) -> bool:
        """Tell the same where identical glyphs are one."""
        return fold(normalise(self.plate)) in {fold(normalise(text)) for text in self.peer_texts}


@dataclass
class Run:
    """All photographs of one run, and what the two processes needed."""

    photos: list[Photo]
    worker_mb: float
    worker_start_ms: float
    peer_mb: float

    @property
    def took_ms(self) -> list[float]:
        """Our times."""
        return [photo.took_ms for photo in self.photos]

    @property
    def peer_ms(self) -> list[float]:
        """The peer's times."""
        return [photo.peer_ms for photo in self.photos]

    @property
    def ratio(self) -> float:
        """Our median time over the peer's."""
        return statistics.median(self.took_ms) / max(1e-9, statistics.median(self.peer_ms))


def labelled(folder: Path, every: int) -> list[tuple[Path, str]]:
    """List every so many-th photograph of plates.csv with its plate."""
    with (folder / "plates.csv").open() as file:
        return [(folder / row["file"], row["plate"]) for row in csv.DictReader(file)][::every]


async def read_all(folder: Path, every: int, *, with_peer: bool = True) -> Run:
    """Read the photographs, by us and by the peer, whoever begins changing from one to the next."""
    rows = labelled(folder, every)
    reader = EmbeddedReader()
    began = time.perf_counter()
    await reader.start()
    start_ms = (time.perf_counter() - began) * 1e3
    peer = await asyncio.to_thread(Peer) if with_peer else None
    photos: list[Photo] = []
    peer_mb = 0.0
    try:
        if peer is not None:
            await asyncio.to_thread(peer.read, None)
        for index, (path, plate) in enumerate(rows):
            photo = Photo(path, path.parent.name, plate, Look((), float(index)), 0.0)
            ours_first = index % 2 == 0
            if ours_first:
                await _read(reader, photo, index)
            if peer is not None:
                answer = await asyncio.to_thread(peer.read, path)
                photo.peer_texts, photo.peer_ms, peer_mb = answer["texts"], answer["took_ms"], answer["peak_mb"]
            if not ours_first:
                await _read(reader, photo, index)
            photos.append(photo)
            if index % 25 == 24:  # noqa: PLR2004 - a sign of life
                print(f"  {index + 1} of {len(rows)} photographs", flush=True)
        worker_mb = peak_mb(reader.pid)
    finally:
        await reader.stop()
        if peer is not None:
            peer.close()
    return Run(photos, worker_mb, start_ms, peer_mb)


async def _read(reader: EmbeddedReader, photo: Photo, index: int) -> None:
    content = photo.path.read_bytes()
    began = time.perf_counter()
    try:
        photo.look = await reader.read(Picture(content, float(index)))
    except ReaderError as error:
        print(f"{photo.name}: {error}")
    photo.took_ms = (time.perf_counter() - began) * 1e3


def peak_mb(pid: int | None) -> float:
    """Return the most memory that a process has had resident (MB), 0 where the kernel does not tell."""
    status = Path(f"/proc/{pid}/status")
    if pid is None or not status.exists():
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM")), 0.0
    )
