"""What Frigate says over MQTT, versions 0.16 to 0.18. Pure: bytes in, words of ours out.

Only `plate` is believed. `name` (known_plates, which match with a character's difference or by a wildcard) and
`sub_label` name a car that somebody entered there, not what the camera read. Topics and payloads are those of Frigate's
own code: frigate/data_processing/common/license_plate/mixin.py, frigate/track/tracked_object.py, frigate/stats/util.py.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, TypeGuard

from custom_components.parkshare.recognition.types import Point

LONGEST_PAYLOAD: Final = 256 * 1024  # bytes; an event with a long path stays below 20 KB
LONGEST_ID: Final = 100

ONLINE: Final = "online"


class MessageError(ValueError):
    """A message that is not what Frigate sends; the text says what is wrong, and nothing that was read."""


@dataclass(frozen=True, slots=True)
class PlateRead:
    """Frigate read a plate. at is on Frigate's clock, score the mean of the characters' confidences (0..1)."""

    plate: str = field(repr=False)
    score: float | None
    object_id: str
    camera: str
    at: float
    box: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectSeen:
    """How a tracked object is now. plate is there only if this message is the first that has it."""

    object_id: str
    camera: str
    zones: frozenset[str]
    ended: bool
    plate: PlateRead | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """Frigate's sign of life, every minute: its clock, its version, the pictures per second of each camera."""

    at: float
    version: str
    fps: Mapping[str, float]


def plate_update(payload: bytes | str) -> PlateRead | None:
    """Read a `tracked_object_update`; None for other types (faces, descriptions). Raises MessageError."""
    message = _object(payload)
    if message.get("type") != "lpr":
        return None
    return PlateRead(
        plate=_text(message, "plate"),
        score=_score(message.get("score")),
        object_id=_text(message, "id", longest=LONGEST_ID),
        camera=_text(message, "camera"),
        at=_time(message, "timestamp"),
        box=_box(message.get("plate_box")),
    )


def object_event(payload: bytes | str) -> ObjectSeen | None:
    """Read a message of `events`; None if it is of no object. Raises MessageError.

    An object keeps its plate for its whole life, and every update repeats it. Only the update with which it came, or
    changed, speaks of a reading: the others would let an old one look new.
    """
    message = _object(payload)
    after = message.get("after")
    if not isinstance(after, Mapping):
        return None
    before = message.get("before")
    object_id, camera = _text(after, "id", longest=LONGEST_ID), _text(after, "camera")
    zones = after.get("current_zones")
    plate, score = _plate_of(after)
    read = None
    if plate is not None and plate != _plate_of(before if isinstance(before, Mapping) else {})[0]:
        read = PlateRead(plate, score, object_id, camera, _time(after, "frame_time"))
    return ObjectSeen(
        object_id=object_id,
        camera=camera,
        zones=frozenset(zone for zone in zones if isinstance(zone, str)) if isinstance(zones, list) else frozenset(),
        ended=message.get("type") == "end",
        plate=read,
    )


def stats(payload: bytes | str) -> Stats:
    """Read `stats`. Raises MessageError."""
    return stats_of(_object(payload))


def stats_of(message: Any) -> Stats:
    """Read what `stats` and GET /api/stats both hold. Raises MessageError."""
    service = message.get("service") if isinstance(message, Mapping) else None
    if not isinstance(service, Mapping):
        raise MessageError("has no service")
    cameras, version = message.get("cameras"), service.get("version")
    fps = {
        name: float(figures["camera_fps"])
        for name, figures in (cameras.items() if isinstance(cameras, Mapping) else ())
        if isinstance(figures, Mapping) and _is_number(figures.get("camera_fps"))
    }
    # Whole seconds, cut off: half a second is what is missing on average.
    at = _time(service, "last_updated") + 0.5
    return Stats(at, version if isinstance(version, str) else "", fps)


def available(payload: bytes | str) -> bool:
    """Read `available`: only the word online means that it was; offline and stopped (0.18) mean that it is not."""
    return _decoded(payload).strip() == ONLINE


def switched_on(payload: bytes | str) -> bool | None:
    """Read `<camera>/enabled/state`; None for anything but ON and OFF."""
    return {"ON": True, "OFF": False}.get(_decoded(payload).strip())


def _decoded(payload: bytes | str) -> str:
    if len(payload) > LONGEST_PAYLOAD:
        raise MessageError("is too long")
    try:
        return payload if isinstance(payload, str) else bytes(payload).decode()
    except UnicodeDecodeError as err:
        raise MessageError("is not text") from err


def _object(payload: bytes | str) -> Mapping[str, Any]:
    try:
        message = json.loads(_decoded(payload))
    except MessageError:
        raise
    except (ValueError, RecursionError) as err:
        raise MessageError("is not JSON") from err
    if not isinstance(message, Mapping):
        raise MessageError("is no JSON object")
    return message


def _plate_of(tracked: Mapping[str, Any]) -> tuple[str | None, float | None]:
    """Find the plate of an object in both shapes: [plate, score] as it is sent, plate and _score as documented."""
    plate: Any = tracked.get("recognized_license_plate")
    score: Any = tracked.get("recognized_license_plate_score")
    if isinstance(plate, Sequence) and not isinstance(plate, str):
        plate, score = (plate[0] if plate else None), (plate[1] if len(plate) > 1 else None)
    return (plate if isinstance(plate, str) and plate else None), _score(score)


def _text(message: Mapping[str, Any], name: str, *, longest: int = 1000) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise MessageError(f"has no {name} that is a text")
    return value


def _time(message: Mapping[str, Any], name: str) -> float:
    value = message.get(name)
    if not _is_number(value):
        raise MessageError(f"has no {name} that is a time")
    return float(value)


def _score(value: Any) -> float | None:
    """Return a score of 0..1; anything else is no score, and a plate without one is believed less, not more."""
    return float(value) if _is_number(value) and 0 <= value <= 1 else None


def _box(value: Any) -> tuple[Point, ...]:
    """Return the four corners of [left, top, right, bottom]; nothing for anything else."""
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(each) for each in value):  # noqa: PLR2004
        return ()
    left, top, right, bottom = (float(each) for each in value)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _is_number(value: Any) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False
