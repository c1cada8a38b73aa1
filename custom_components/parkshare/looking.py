"""One armed phase: the camera wakes, pictures are read, and each look leads to a verdict."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise
from time import monotonic

from .const import LOGGER
from .pictures import NoPictureError, SpaceCamera
from .recognition import BadPicture, Look, Reader, ReaderTimeout, ReaderUnavailable, Verdict, judge

# A car that stood there earlier must not speak for the one that stands there now.
LOOKS_KEPT = 12
LOOK_MAX_AGE = 60.0  # s
NEXT_PICTURE = 0.25  # s; after waking a camera has no new picture for a moment
NEXT_READER = 2.0  # s; a reader that can't work will not work at once
PAUSE_STEP = 0.2  # s


class Stopwatch:
    """When things of one admission happened, on the monotonic clock. Only differences leave it."""

    ORDER = ("fact", "camera", "picture", "reading", "verdict", "command", "confirmed")

    def __init__(self) -> None:
        self._marks: dict[str, float] = {}

    def start(self, *marks: str) -> None:
        """Begin anew, with these marks at this moment."""
        self._marks = dict.fromkeys(marks, monotonic())

    def mark(self, name: str) -> None:
        """Take the time of something; the last one counts."""
        self._marks[name] = monotonic()

    def mark_first(self, name: str) -> None:
        """Take the time of something unless it has one."""
        self._marks.setdefault(name, monotonic())

    def milliseconds(self) -> dict[str, int]:
        """Return the way from each mark to the next one that exists, and all of it as `total`."""
        known = [(name, self._marks[name]) for name in self.ORDER if name in self._marks]
        parts = {
            f"{earlier}_to_{later}": round((end - begin) * 1000) for (earlier, begin), (later, end) in pairwise(known)
        }
        return parts | ({"total": round((known[-1][1] - known[0][1]) * 1000)} if len(known) > 1 else {})


class Looking:
    """Looks for one car until it is told to stop. The camera is off when `run` ends, however it ends."""

    def __init__(
        self,
        camera: SpaceCamera,
        reader: Reader,
        expected: str,
        *,
        verdict: Callable[[Verdict, Look], None],
        pace: Callable[[], float],
        trouble: Callable[[str], None],
        watch: Stopwatch,
        limit: float,
    ) -> None:
        self._camera = camera
        self._reader = reader
        self._expected = expected
        self._verdict = verdict
        self._pace = pace
        self._trouble = trouble
        self._watch = watch
        self._limit = limit
        self._looks: deque[Look] = deque(maxlen=LOOKS_KEPT)
        self._said = ""
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Look no more. A picture that is being read is read to its end: breaking off would cost the reader."""
        self._stopped.set()

    def expect(self, plate: str) -> None:
        """The booking was changed."""
        self._expected = plate

    async def run(self) -> None:
        """Look until stopped, at most limit seconds by the monotonic clock."""
        try:
            async with asyncio.timeout(self._limit):
                await asyncio.gather(self._camera.async_on(), self._warm_up())
                self._watch.mark_first("camera")
                while not self._stopped.is_set():
                    failure = await self._look()
                    await self._pause(self._pace if failure is None else partial(float, failure))
        except TimeoutError:
            LOGGER.warning("Looking took longer than it may; the camera is turned off")
        except Exception:  # noqa: BLE001 - without looks the gate gives up in time and tells the owner
            LOGGER.exception("Looking broke off")
        finally:
            await self._camera.async_off()

    async def _warm_up(self) -> None:
        try:
            await self._reader.start()
        except ReaderUnavailable as err:
            self._trouble(f"{err.reason} {err.remedy}")

    async def _look(self) -> float | None:
        """Take and judge one picture; when that failed, returns how long to wait before the next try (s)."""
        try:
            picture = await self._camera.async_picture()
            self._watch.mark("picture")
            look = await self._reader.read(picture)
        except NoPictureError as err:
            LOGGER.debug("No picture: %s", err)
            return NEXT_PICTURE
        except (BadPicture, ReaderTimeout) as err:
            LOGGER.debug("A picture could not be read: %s", err)
            return NEXT_PICTURE
        except ReaderUnavailable as err:
            LOGGER.debug("The reader cannot work: %s", err.reason)
            self._trouble(f"{err.reason} {err.remedy}")
            return NEXT_READER
        if self._stopped.is_set():
            return None
        self._watch.mark("reading")
        self._looks.append(look)
        recent = [kept for kept in self._looks if look.taken_at - kept.taken_at <= LOOK_MAX_AGE]
        verdict = judge(recent, self._expected)
        self._watch.mark("verdict")
        if verdict.reason != self._said:
            self._said = verdict.reason
            LOGGER.debug("Look %d, texts in it: %d; %s", len(self._looks), len(look.readings), verdict.reason)
        self._verdict(verdict, look)
        return None

    async def _pause(self, seconds: Callable[[], float]) -> None:
        """Wait. Asked again and again how long: a sign of the car shortens a pause that has begun."""
        begun = monotonic()
        while not self._stopped.is_set() and (left := begun + seconds() - monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, PAUSE_STEP)):
                    await self._stopped.wait()
