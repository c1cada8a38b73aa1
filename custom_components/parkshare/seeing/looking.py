"""One armed phase: the camera wakes, pictures are read while more are taken, and each look leads to a verdict."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import cycle
from logging import DEBUG, ERROR
from time import monotonic
from typing import Any, Final

from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.recognition import (
    WHOLE,
    BadPicture,
    Effort,
    Look,
    Picture,
    Reader,
    ReaderTimeout,
    ReaderUnavailable,
    Verdict,
)
from custom_components.parkshare.sources import PlateSource
from custom_components.parkshare.stopwatch import Stopwatch

from .burst import Burst, Fault, Streak, Trouble
from .evidence import Evidence
from .pictures import NoPictureError, PictureTooLargeError, SamePictureError, SpaceCamera

# How pictures are looked at when the usual look does not do, one after the other: each helps where others do not.
EFFORTS: Final = (Effort.THOROUGH, Effort.STRETCHED, Effort.LEVELLED)
NEXT_PICTURE: Final = 0.25  # s; after waking a camera has no new picture for a moment
NEXT_READER: Final = 2.0  # s; a reader that can't work will not work at once
PAUSE_STEP: Final = 0.2  # s
READ_LIMIT: Final = 120.0  # s; readers have limits of their own, and several spaces may wait for one
END_LIMIT: Final = 10.0  # s
NO_ANSWER: Final = "The reader did not answer."


class Listener:
    """Who is told what comes of looking. What it does not want to hear goes by."""

    def pace(self) -> float:
        """Return how long to wait between two pictures, and after reading one (s)."""
        return NEXT_PICTURE

    def looked(self, verdict: Verdict, look: Look) -> None:
        """Hear a verdict and the look that led to it."""

    def reader_failed(self, words: str) -> None:
        """Hear that plates can't be read until somebody does something; empty when they can."""

    def reader_broke_off(self, words: str) -> None:
        """Hear that a picture cost a reader its life."""

    def pictures_failed(self, trouble: Trouble | None) -> None:
        """Hear that the camera's pictures have been no use for a while; None when one was."""

    def source_failed(self, name: str, words: str) -> None:
        """Hear that a plate source can't work; empty when it does."""


class Looking:
    """Looks for one car until it is told to stop. Camera and sources are off when `run` ends, however it ends."""

    _patience: asyncio.Timeout | None = None
    _woken = False
    _broke_off = False
    _harder: Iterator[Effort] | None = None

    def __init__(
        self,
        camera: SpaceCamera | None,
        reader: Reader,
        sources: Sequence[PlateSource],
        evidence: Evidence,
        *,
        listener: Listener,
        watch: Stopwatch,
        limit: float | None,
    ) -> None:
        self.evidence = evidence
        self._camera = camera
        self._reader = reader
        self._sources = sources
        self._listener = listener
        self._watch = watch
        self._limit = limit
        self._burst = Burst()
        self._streak = Streak()
        self._news = asyncio.Event()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Look no more. A picture that is being read is read to its end: breaking off would cost the reader."""
        self._stopped.set()
        self._news.set()

    def look_harder(self) -> None:
        """Look at the whole picture, thoroughly, and with other settings each time: the car stands there unread."""
        if not self._harder:
            self._harder = cycle(EFFORTS)
            self.evidence.look_harder()
        self.look_longer()

    def newest_picture(self) -> Picture | None:
        """Return the newest picture, read or not."""
        return self._burst.newest(lambda _: True) or self.evidence.newest_picture()

    def look_longer(self) -> None:
        """Begin the time limit anew: there was another sign of the car."""
        if self._patience and self._limit and not self._patience.expired():
            with suppress(RuntimeError):  # it is over already
                self._patience.reschedule(asyncio.get_running_loop().time() + self._limit)

    async def run(self) -> None:
        """Look until stopped, at most limit seconds by the monotonic clock after the last sign; None is for ever."""
        try:
            async with asyncio.timeout(self._limit) as self._patience, asyncio.TaskGroup() as group:
                beside = [group.create_task(work) for work in self._work_beside_reading()]
                if self._camera:
                    await self._warm_up()
                await self._again_and_again(self._read_on)
                for task in beside:
                    task.cancel()
        except TimeoutError:
            LOGGER.warning("Looking took longer than it may; the camera is turned off")
        finally:
            off = [self._camera.async_off()] if self._camera and self._woken else []
            await async_to_the_end(asyncio.gather(*off, *map(async_end, self._sources)))

    def _work_beside_reading(self) -> list[Coroutine[Any, Any, None]]:
        capture = [self._capture(self._camera)] if self._camera else []
        return [*capture, *map(self._listen, self._sources)]

    async def _again_and_again(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Go on with what breaks off by a defect, ours or another's: a renter stands in the rain."""
        told = False
        while not self._stopped.is_set():
            try:
                await work()
            except Exception as err:  # noqa: BLE001 - the gate gives up in time and tells the owner
                LOGGER.log(DEBUG if told else ERROR, "Looking broke off and goes on", exc_info=err)
                told = True
                await self._pause(partial(float, NEXT_READER))

    # The camera

    async def _capture(self, camera: SpaceCamera) -> None:
        """Wake the camera and take pictures, whether or not the last one is read already."""
        self._woken = True
        await camera.async_on()
        self._watch.mark_first("camera")
        await self._again_and_again(partial(self._take_on, camera))

    async def _take_on(self, camera: SpaceCamera) -> None:
        while not self._stopped.is_set():
            begun = monotonic()
            try:
                self._burst.add(await camera.async_picture())
            except NoPictureError as err:
                LOGGER.debug("No picture: %s", err)
                self._failed(_trouble_of(err))
                await self._pause(partial(float, NEXT_PICTURE))
            else:
                self._news.set()
                await asyncio.sleep(0)  # a camera that is quick never makes the reader wait
                await self._pause(self._pace, begun)

    async def _read_on(self) -> None:
        """Read the best of what was taken meanwhile, again and again."""
        while pictures := await self._taken():
            failure = await self._read(pictures)
            if failure is not None:
                await self._pause(partial(float, failure))
            elif not self.evidence.nearly_sure:
                await self._pause(self._pace)

    async def _warm_up(self) -> None:
        try:
            async with asyncio.timeout(READ_LIMIT):
                await self._reader.start()
        except ReaderUnavailable as err:
            self._listener.reader_failed(f"{err.reason} {err.remedy}")
        except Exception:  # noqa: BLE001 - it may read all the same
            LOGGER.exception("The reader could not be started")

    async def _taken(self) -> tuple[Picture, ...]:
        """Wait for pictures; none when looking is over."""
        while not self._stopped.is_set():
            self._news.clear()
            if pictures := self._burst.take():
                return pictures
            await self._news.wait()
        return ()

    async def _read(self, pictures: Sequence[Picture]) -> float | None:
        """Read and judge; when that failed, returns how long to wait before the next try (s)."""
        self._watch.mark("picture")
        if self._harder:
            effort = next(self._harder)
            pictures = [replace(picture, region=WHOLE, effort=effort) for picture in pictures]
        try:
            async with asyncio.timeout(READ_LIMIT):
                look = await self._reader.read_best(pictures)
        except BadPicture as err:
            LOGGER.debug("A picture could not be read: %s", err)
            self._failed(Trouble(Fault.UNUSABLE, str(err)))
            return 0.0
        except (ReaderTimeout, TimeoutError) as err:
            LOGGER.debug("A picture could not be read: %s", err)
            if not self._stopped.is_set() and not self._broke_off:
                self._broke_off = True
                self._listener.reader_broke_off(str(err) or NO_ANSWER)
            return NEXT_PICTURE
        except ReaderUnavailable as err:
            LOGGER.debug("The reader cannot work: %s", err.reason)
            self._listener.reader_failed(f"{err.reason} {err.remedy}")
            return NEXT_READER
        self._streak.good()
        self._listener.pictures_failed(None)
        self._listener.reader_failed("")
        if not self._stopped.is_set():
            self._watch.mark("reading")
            self._judge(look, self.evidence.read(look, pictures))
        return None

    def _failed(self, trouble: Trouble) -> None:
        if (told := self._streak.failed(trouble, monotonic())) is not None:
            self._listener.pictures_failed(told)

    # Sources beside the camera

    async def _listen(self, source: PlateSource) -> None:
        try:
            await source.async_start(partial(self._heard, source), partial(self._listener.source_failed, source.name))
        except Exception:  # noqa: BLE001 - a source is another's work; the camera looks on without it
            LOGGER.exception("The plate source %s cannot be started", source.name)

    def _heard(self, source: PlateSource, look: Look) -> None:
        if self._stopped.is_set():
            return
        self._listener.source_failed(source.name, "")
        self._watch.mark("picture")
        self._watch.mark("reading")
        self._judge(look, self.evidence.heard(look, source.name))

    # Both

    def _judge(self, look: Look, verdict: Verdict) -> None:
        self._watch.mark("verdict")
        self._listener.looked(verdict, look)

    def _pace(self) -> float:
        return min(self._listener.pace(), NEXT_PICTURE) if self.evidence.nearly_sure else self._listener.pace()

    async def _pause(self, seconds: Callable[[], float], begun: float | None = None) -> None:
        """Wait. Asked again and again how long: a sign of the car shortens a pause that has begun."""
        begun = monotonic() if begun is None else begun
        while not self._stopped.is_set() and (left := begun + seconds() - monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, PAUSE_STEP)):
                    await self._stopped.wait()


def _trouble_of(err: NoPictureError) -> Trouble:
    match err:
        case SamePictureError():
            return Trouble(Fault.FROZEN)
        case PictureTooLargeError():
            return Trouble(Fault.UNUSABLE, str(err))
    return Trouble(Fault.SILENT)


async def async_end(source: PlateSource) -> None:
    """Turn a source off, whatever it does; the camera's next car waits for that."""
    try:
        async with asyncio.timeout(END_LIMIT):
            await source.async_stop()
    except Exception:  # noqa: BLE001 - the next one is ended all the same
        LOGGER.exception("The plate source %s cannot be stopped", source.name)


async def async_to_the_end(work: asyncio.Future[Any]) -> None:
    """Wait for something that must end, even where the one who waits is told to leave it: then they leave after."""
    left: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError as err:
            left = err
    if left:
        raise left
