"""Trying out the camera of a space: it takes a few pictures, they are read, and its owner is told what to improve.

What was read goes to the person who asked and nowhere else: no log, no state and no event has it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import dist
from statistics import fmean
from time import monotonic
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.hass_dict import HassKey

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.recognition import (
    BadPicture,
    Decision,
    EmbeddedReader,
    Look,
    Mark,
    Picture,
    Reader,
    ReaderError,
    ReaderTimeout,
    ReaderUnavailable,
    Reading,
    Region,
)
from custom_components.parkshare.recognition.advice import Advice, advise

from .pictures import NoPictureError, SpaceCamera

PICTURES: Final = 5
APART: Final = 0.6  # s; five pictures in about three seconds, as a car that rolls up gives
PATIENCE: Final = 6.0  # s for each picture; a camera that has woken up has none for a moment
AGAIN: Final = 0.25  # s after a picture that could not be had
READING_LIMIT: Final = 30.0  # s; on a slow machine fewer pictures say as much
MOST_SEEN: Final = 5
# Mean confidence from which a text is drawn as a plate; others are drawn fainter.
SURE: Final = 0.8
PLATE_LENGTHS: Final = range(4, 11)

# The cameras that are being tried out now, by entity: two tests at once would tell of each other's light.
TESTING: Final[HassKey[set[str]]] = HassKey("parkshare_testing")


class CameraTestError(HomeAssistantError):
    """There is no result; the text says why and what to do."""

    def __init__(self, key: str, **placeholders: str) -> None:
        super().__init__(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A text that was read: in how many pictures, how surely (0..1, mean), and how wide (px, widest)."""

    text: str = field(repr=False)
    pictures: int
    confidence: float
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a test gave. content is the best picture with what was read drawn into it, taken at `at` (UTC seconds)."""

    content: bytes = field(repr=False)
    at: float
    pictures: int
    seen: tuple[Seen, ...]
    advice: tuple[Advice, ...]
    looks: tuple[Look, ...] = field(repr=False)


async def async_take(
    hass: HomeAssistant, camera: SpaceCamera, region: Region, *, most: int, busy: Callable[[], bool]
) -> list[Picture]:
    """Turn the camera on, take pictures and turn it off again; raises CameraTestError.

    busy tells whether the gate needs the camera: a car that waits comes first.
    """
    testing = hass.data.setdefault(TESTING, set())
    if busy() or camera.entity_id in testing:
        raise CameraTestError("camera_busy")
    testing.add(camera.entity_id)
    taken: list[Picture] = []
    try:
        await camera.async_on()
        while len(taken) < most and (picture := await _async_next(camera)) is not None:
            taken.append(replace(picture, region=region))
            if busy():
                raise CameraTestError("camera_busy")
            if len(taken) < most:
                await asyncio.sleep(APART)
    finally:
        try:
            await camera.async_off()
        finally:
            testing.discard(camera.entity_id)
    if not taken:
        raise CameraTestError("camera_no_picture")
    return taken


async def async_test(
    pictures: Sequence[Picture], reader: Reader, painter: EmbeddedReader, *, busy: Callable[[], bool]
) -> Outcome:
    """Read pictures and say what they show; raises CameraTestError."""
    begun = monotonic()
    looks: list[tuple[Picture, Look]] = []
    problem: Exception | None = None
    for picture in pictures:
        if busy():
            raise CameraTestError("camera_busy")
        if looks and monotonic() - begun > READING_LIMIT:
            break
        try:
            looks.append((picture, await reader.read(picture)))
        except ReaderUnavailable as err:
            raise CameraTestError("camera_no_reader", reason=err.reason, remedy=err.remedy) from err
        except (BadPicture, ReaderTimeout) as err:
            problem = err
    if not looks:
        key = "camera_too_slow" if isinstance(problem, ReaderTimeout) else "camera_bad_picture"
        raise CameraTestError(key) from problem
    picture, look = max(looks, key=lambda pair: _sureness(pair[1]))
    read = tuple(look for _, look in looks)
    return Outcome(
        content=await async_draw(painter, picture, marks_of(look)),
        at=picture.taken_at,
        pictures=len(read),
        seen=seen_in(read),
        advice=advise(read),
        looks=read,
    )


async def async_draw(painter: EmbeddedReader, picture: Picture, marks: Sequence[Mark] = ()) -> bytes:
    """Draw the region and marks into a picture; the bare picture where that can't be done."""
    try:
        return await painter.draw(picture, marks)
    except ReaderError:
        return picture.content


def seen_in(looks: Sequence[Look]) -> tuple[Seen, ...]:
    """Put together what was read in all pictures, the likeliest plate first.

    Two readers that read the same in one picture are one time; what is read often counts more than what is read well.
    """
    found: dict[str, list[tuple[int, float, float]]] = {}
    for number, look in enumerate(looks):
        for reading in _best_of_each_box(look.readings):
            found.setdefault(reading.text, []).append((number, _confidence(reading), _width(reading)))
    seen = [
        Seen(
            text=text,
            pictures=len({number for number, _, _ in times}),
            confidence=fmean(confidence for _, confidence, _ in times),
            width=round(max(width for _, _, width in times)),
        )
        for text, times in found.items()
        if text
    ]
    return tuple(sorted(seen, key=_likelihood, reverse=True)[:MOST_SEEN])


def marks_of(look: Look) -> list[Mark]:
    """Make the marks for what was read in one picture."""
    return [
        Mark(
            reading.box,
            f"{reading.text} {_confidence(reading):.0%}",
            sure=len(reading.text) in PLATE_LENGTHS and _confidence(reading) >= SURE,
        )
        for reading in _best_of_each_box(look.readings)
        if reading.box
    ]


def response_of(outcome: Outcome, own: Decision | None, texts: Sequence[str]) -> dict[str, Any]:
    """Say the outcome as data for an automation; texts are the words for the advice, in its order."""
    return {
        "pictures": outcome.pictures,
        "plates": [
            {
                "text": seen.text,
                "pictures": seen.pictures,
                "confidence": round(seen.confidence, 3),
                "width": seen.width,
            }
            for seen in outcome.seen
        ],
        "advice": [
            {"hint": advice.hint.value, "text": text, **advice.values}
            for advice, text in zip(outcome.advice, texts, strict=True)
        ],
        "own_plate": None if own is None else own.value,
    }


async def _async_next(camera: SpaceCamera) -> Picture | None:
    """Return the next picture, None when none comes in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await camera.async_picture()
                except NoPictureError:
                    await asyncio.sleep(AGAIN)
    return None


def _best_of_each_box(readings: Iterable[Reading]) -> list[Reading]:
    """Return one reading for each box: two readers may have read the same place."""
    best: dict[tuple[tuple[float, float], ...], Reading] = {}
    for reading in readings:
        known = best.get(reading.box)
        if known is None or _confidence(known) < _confidence(reading):
            best[reading.box] = reading
    return list(best.values())


def _confidence(reading: Reading) -> float:
    return fmean(reading.confidences) if reading.confidences else 0.0


def _width(reading: Reading) -> float:
    return dist(reading.box[0], reading.box[1]) if reading.box else 0.0


def _sureness(look: Look) -> float:
    plates = [_confidence(reading) for reading in look.readings if len(reading.text) in PLATE_LENGTHS]
    return max(plates, default=0.0)


def _likelihood(seen: Seen) -> tuple[bool, float]:
    return len(seen.text) in PLATE_LENGTHS, seen.pictures * seen.confidence
