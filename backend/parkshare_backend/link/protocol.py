"""The frames of the link and the bytes that a house signs (docs/protocol/link.md).

Pure: text in, frames out, and back. Unknown members of a frame are ignored; a frame that cannot be used
raises BadFrame.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

import orjson

VERSION = 1
BEAT = 30  # seconds between heartbeats
WINDOW = 64  # events that may be under way unacknowledged
ACK_EVERY = 32  # events
ACK_AFTER = 0.1  # seconds; the protocol asks for one second at the latest
AUTH_WITHIN = 10.0  # seconds
ANSWER_WITHIN = 15.0  # seconds
MAX_FRAME = 256 * 1024  # bytes
SIGNED_TYPE = "parkshare/link-auth+json"

_MAX_Q = 2**53 - 1  # what every JSON parser keeps exactly
_MAX_TEXT = 200  # characters of an id, a type, a key


class Close(IntEnum):
    """Why a connection ends, and so what the house does next."""

    BAD_FRAME = 4400
    BAD_KEY = 4401
    REVOKED = 4403
    NO_AUTH = 4408
    TAKEN_OVER = 4409
    TOO_SLOW = 4413
    UPGRADE = 4426
    RESTARTING = 4503


class BadFrame(Exception):  # noqa: N818 - the protocol calls it a bad frame
    """A frame that cannot be used; the text says why and holds nothing of the frame."""


@dataclass(frozen=True, slots=True)
class Auth:
    """The house proves who it is and says how far it has the server's log on disk."""

    v: int
    install: str
    sig: bytes
    epoch: str
    got: int


@dataclass(frozen=True, slots=True)
class Ev:
    """A durable event."""

    q: int
    id: str
    t: str
    at: str
    d: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything up to q is on the other side's disk."""

    q: int


@dataclass(frozen=True, slots=True)
class Req:
    """A request; key makes repeating it harmless."""

    id: str
    t: str
    key: str
    d: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Eph:
    """A droppable word."""

    t: str


@dataclass(frozen=True, slots=True)
class Flow:
    """Stop or go on with sending events."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Bye:
    """The other side leaves."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind of frame that a newer house may send; ignored."""

    k: str


type Frame = Auth | Ev | Ack | Req | Eph | Flow | Bye | Unknown


def decode(text: str) -> Frame:
    """Read one frame of the house."""
    try:
        frame = orjson.loads(text)  # no NaN, no endless depth, big numbers become floats
    except ValueError:
        raise BadFrame("not JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame("not a JSON object")
    kind = frame.get("k")
    if not isinstance(kind, str):
        raise BadFrame("k is missing")
    read = _READERS.get(kind)
    return read(frame) if read else Unknown(kind[:_MAX_TEXT])


def encode(k: str, **members: Any) -> str:
    """Write one frame as compact JSON."""
    return json.dumps({"k": k, **members}, separators=(",", ":"), ensure_ascii=False)


def dsse_pae(payload_type: str, body: bytes) -> bytes:
    """Give the pre-authentication encoding of DSSE 1.0.2: what is signed names its own type."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def signed_bytes(*, host: str, install: str, nonce: str, time: str) -> bytes:
    """Give the bytes that a house signs to prove itself on one connection to one host."""
    payload = {"host": host, "install": install, "nonce": nonce, "time": time}
    body = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return dsse_pae(SIGNED_TYPE, body)


def _auth(frame: dict[str, Any]) -> Auth:
    resume = frame.get("resume") or {}
    if not isinstance(resume, dict):
        raise BadFrame("resume is not an object")
    epoch = resume.get("epoch") or ""
    if not isinstance(epoch, str) or len(epoch) > _MAX_TEXT:
        raise BadFrame("resume.epoch is not a text")
    sig = _text(frame, "sig")
    try:
        signature = base64.urlsafe_b64decode(sig + "=" * (-len(sig) % 4))
    except ValueError:
        raise BadFrame("sig is not base64url") from None
    return Auth(_whole(frame, "v"), _text(frame, "install"), signature, epoch, _whole(resume, "got", default=0))


def _whole(frame: dict[str, Any], name: str, *, least: int = 0, default: int | None = None) -> int:
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MAX_Q:
        raise BadFrame(f"{name} is not a whole number of at least {least}")
    return value


def _text(frame: dict[str, Any], name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise BadFrame(f"{name} is not a text of 1 to {_MAX_TEXT} characters")
    return value


def _object(frame: dict[str, Any]) -> dict[str, Any]:
    value = frame.get("d")
    if not isinstance(value, dict):
        raise BadFrame("d is not an object")
    return cast("dict[str, Any]", value)


_READERS: dict[str, Callable[[dict[str, Any]], Frame]] = {
    "auth": _auth,
    "ev": lambda frame: Ev(
        _whole(frame, "q", least=1), _text(frame, "id"), _text(frame, "t"), _text(frame, "at"), _object(frame)
    ),
    "ack": lambda frame: Ack(_whole(frame, "q")),
    "req": lambda frame: Req(_text(frame, "id"), _text(frame, "t"), _text(frame, "key"), _object(frame)),
    "eph": lambda frame: Eph(_text(frame, "t")),
    "pause": lambda _frame: Flow(paused=True),
    "resume": lambda _frame: Flow(paused=False),
    "bye": lambda _frame: Bye(),
}
