"""The words of the link: frames, the bytes that are signed, close codes, back-off. docs/protocol/link.md in Python.

Pure: no clock, no socket. Unknown fields are ignored, unknown kinds of frames become Unknown, frames that cannot be
understood raise BadFrameError.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, Final

VERSION: Final = 1
PATH: Final = "/api/v1/link"
MAX_FRAME: Final = 256 * 1024  # bytes
REQUEST_TIMEOUT: Final = 15.0  # s
HELLO_TIMEOUT: Final = 15.0  # s; what we wait for hello and for ready
ACK_AFTER_EVENTS: Final = 32
AUTH_PAYLOAD_TYPE: Final = "parkshare/link-auth+json"


class BadFrameError(Exception):
    """The other side sent something that is not a frame of this protocol."""


class CloseCode(IntEnum):
    """Why the backend closed the link."""

    BAD_FRAME = 4400
    BAD_KEY = 4401
    REVOKED = 4403
    NO_AUTH = 4408
    TAKEN_OVER = 4409
    TOO_SLOW = 4413
    UPGRADE = 4426
    RESTARTING = 4503


class Consequence(Enum):
    """What the house does after a close."""

    RETRY = "retry"  # dial again, with back-off
    RETRY_SLOWLY = "retry slowly"  # another process of this install is at work: do not fight for the session
    UPGRADE = "upgrade"  # tell the owner, look again once a day
    WRONG_HOST = "wrong host"  # the backend does not go by this address: the owner has to set the right one
    UNTRUSTED = "untrusted"  # the certificate is not good: the owner has to see to it
    PAIR_AGAIN = "pair again"  # stop: this key will never be accepted


CONSEQUENCES: Final[Mapping[int, Consequence]] = {
    CloseCode.BAD_KEY: Consequence.PAIR_AGAIN,
    CloseCode.REVOKED: Consequence.PAIR_AGAIN,
    CloseCode.UPGRADE: Consequence.UPGRADE,
    CloseCode.TAKEN_OVER: Consequence.RETRY_SLOWLY,
}

# The types of a refusal mean what the close codes mean; a proxy may swallow the code.
REFUSALS: Final[Mapping[str, Consequence]] = {
    "/problems/bad-key": Consequence.PAIR_AGAIN,
    "/problems/install-revoked": Consequence.PAIR_AGAIN,
    "/problems/upgrade-needed": Consequence.UPGRADE,
    "/problems/wrong-host": Consequence.WRONG_HOST,
}


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame of the backend. v is the lowest and highest version that it speaks."""

    versions: tuple[int, int]
    server: str
    epoch: str
    nonce: str
    time: str
    window: int = 64


@dataclass(frozen=True, slots=True)
class Ready:
    """We are let in. got is the last of our events that the backend has."""

    resumed: bool
    head: int
    got: int


@dataclass(frozen=True, slots=True)
class Refused:
    """We are not let in."""

    type: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A fact. q is its place in its sender's sequence, id never changes when it is sent again."""

    q: int
    id: str
    t: str
    at: str
    d: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything up to q is on the other side's disk."""

    q: int


@dataclass(frozen=True, slots=True)
class Snap:
    """One part of a whole collection, as of event q."""

    of: str
    q: int
    part: int
    parts: int
    d: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request: d when ok, else the problem document."""

    id: str
    ok: bool
    d: dict[str, Any]
    problem: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """A droppable hint."""

    t: str
    d: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """Stop sending events, or go on."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Bye:
    """The backend is about to close."""

    why: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A frame of a newer version: ignored."""

    k: str


type Frame = Hello | Ready | Refused | Event | Ack | Snap | Response | Ephemeral | Flow | Bye | Unknown


def pae(payload_type: str, body: bytes) -> bytes:
    """Pre-authentication encoding of DSSE 1.0.2: the type is signed with the body, so neither can be swapped."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


def auth_payload(*, host: str, install: str, nonce: str, time: str) -> bytes:
    """The bytes that prove us: keys sorted, no spaces, UTF-8."""
    payload = {"host": host, "install": install, "nonce": nonce, "time": time}
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def auth_message(*, host: str, install: str, nonce: str, time: str) -> bytes:
    """What the Ed25519 key signs."""
    return pae(AUTH_PAYLOAD_TYPE, auth_payload(host=host, install=install, nonce=nonce, time=time))


def encode(frame: Mapping[str, Any]) -> str:
    """Write a frame. Raises BadFrameError when it is larger than the other side accepts."""
    text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if len(text.encode()) > MAX_FRAME:
        raise BadFrameError(f"frame {frame.get('k')!r} is larger than {MAX_FRAME} bytes")
    return text


def auth_frame(*, install: str, sig: str, epoch: str, got: int) -> dict[str, Any]:
    """Answer hello: who we are, the proof, and where we stopped."""
    resume = {"epoch": epoch, "got": got}
    return {"k": "auth", "v": VERSION, "install": install, "sig": sig, "resume": resume, "features": []}


def event_frame(event: Event) -> dict[str, Any]:
    """Tell a fact."""
    return {"k": "ev", "q": event.q, "id": event.id, "t": event.t, "at": event.at, "d": event.d}


def ack_frame(q: int) -> dict[str, Any]:
    """Say what is on our disk."""
    return {"k": "ack", "q": q}


def request_frame(request_id: str, t: str, d: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Ask for something; key makes asking twice the same as asking once."""
    return {"k": "req", "id": request_id, "t": t, "key": key, "d": dict(d)}


def decode(text: str) -> Frame:
    """Read a frame. Raises BadFrameError for what is not one."""
    try:
        frame = json.loads(text)
    except ValueError as err:
        raise BadFrameError("not JSON") from err
    if not isinstance(frame, dict) or not isinstance(kind := frame.get("k"), str):
        raise BadFrameError("not an object with a kind")
    read = _READERS.get(kind)
    try:
        return Unknown(kind) if read is None else read(frame)
    except (KeyError, TypeError, ValueError) as err:
        raise BadFrameError(f"frame {kind!r} lacks something: {err!r}") from err


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("a whole number from 0 expected")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object expected")
    return value


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise TypeError("seconds expected")
    return float(value)


def _hello(f: dict[str, Any]) -> Hello:
    low, high = f["v"]
    return Hello(
        (_count(low), _count(high)),
        server=_text(f["server"]),
        epoch=_text(f["epoch"]),
        nonce=_text(f["nonce"]),
        time=_text(f["time"]),
        window=max(1, _count(f.get("window", 64))),
    )


def _snap(f: dict[str, Any]) -> Snap:
    part, parts = _count(f["part"]), _count(f["parts"])
    if not 1 <= part <= parts:
        raise ValueError("part out of range")
    return Snap(_text(f["of"]), _count(f["q"]), part, parts, tuple(_object(item) for item in f["d"]))


_READERS: Final[Mapping[str, Callable[[dict[str, Any]], Frame]]] = {
    "hello": _hello,
    "ready": lambda f: Ready(resumed=f["resumed"] is True, head=_count(f["head"]), got=_count(f["got"])),
    "refused": lambda f: Refused(_text(f["type"]), _seconds(f.get("retry_after"))),
    "ev": lambda f: Event(_count(f["q"]), _text(f["id"]), _text(f["t"]), _text(f["at"]), _object(f.get("d", {}))),
    "ack": lambda f: Ack(_count(f["q"])),
    "snap": _snap,
    "res": lambda f: Response(
        _text(f["id"]), ok=f["ok"] is True, d=_object(f.get("d") or {}), problem=_object(f.get("problem") or {})
    ),
    "eph": lambda f: Ephemeral(_text(f["t"]), _object(f.get("d", {}))),
    "pause": lambda _: Flow(paused=True),
    "resume": lambda _: Flow(paused=False),
    "bye": lambda f: Bye(_text(f.get("why", "")), _seconds(f.get("retry_after"))),
}
