"""Clients of the first release keep working: what they sent then, replayed against today's server.

The stories in vectors/http_v1 were recorded from the first release's own clients (the house's pairing, the phone of the
simulators) against the first release's server. A step is a call with the answer of then, something that the house says
on the link, or time that passes. `${name}` stands for a text that the server chose; `{"$any": kind}` for a value that
differs from run to run.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.backend.conftest import *  # noqa: F403 - the fixtures of a running backend
from tests.backend.support import FakeClock, House, HouseLink

STORIES = Path(__file__).parent / "vectors/http_v1"
# A word of the wire: clients compare it. Anything else is for people, and may be put better.
WORD = re.compile(r"[a-z0-9_./:+-]+")
FOR_PEOPLE = {"title", "detail", "reason", "summary"}
KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "number": (int, float), "boolean": bool}


def stories() -> list[Any]:
    return [pytest.param(json.loads(path.read_text()), id=path.stem) for path in sorted(STORIES.glob("*.json"))]


def filled(value: Any, known: dict[str, str]) -> Any:
    """Put what the server chose into a recorded value."""
    match value:
        case str():
            return re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], value)
        case dict():
            return {name: filled(inner, known) for name, inner in value.items()}
        case list():
            return [filled(inner, known) for inner in value]
        case _:
            return value


def missing(was: Any, now: Any, where: str = "") -> list[str]:  # noqa: PLR0911 - one for each kind of value
    """Name what a client of then would miss in an answer of today: a member, its kind, a word."""
    match was:
        case {"$any": kind}:
            return [] if isinstance(now, KINDS[kind]) else [f"{where} is {now!r}, not a {kind}"]
        case dict():
            if not isinstance(now, dict):
                return [f"{where} is no object"]
            gone = [f"{where}/{name} is gone" for name in was if name not in now]
            kept = [name for name in was if name in now and name not in FOR_PEOPLE]
            return gone + [fault for name in kept for fault in missing(was[name], now[name], f"{where}/{name}")]
        case list():
            if not isinstance(now, list):
                return [f"{where} is no list"]
            lost = [one for one in was if not any(not missing(one, other) for other in now)]
            return [f"{where}: nothing today is like {one}" for one in lost]
        case str() if not WORD.fullmatch(was):
            return [] if isinstance(now, str) else [f"{where} is {now!r}, not a text"]
        case _:
            return [] if was == now else [f"{where} is {now!r}, was {was!r}"]


class Replay:
    """One story on one server."""

    def __init__(self, client: TestClient, clock: FakeClock, signs_with: str) -> None:
        self.client, self.clock = client, clock
        key = base64.urlsafe_b64decode(signs_with + "=" * (-len(signs_with) % 4))
        self.house = House(sign=Ed25519PrivateKey.from_private_bytes(key))
        self.link: HouseLink | None = None
        self.known: dict[str, str] = {}

    async def play(self, steps: list[dict[str, Any]]) -> None:
        """Go through the steps."""
        for number, step in enumerate(steps):
            if "wait" in step:
                self.clock.move(step["wait"])
            elif "house" in step:
                await self.house_says(step)
            else:
                await self.call(number, step)
        if self.link is not None:
            await self.link.__aexit__()

    async def house_says(self, step: dict[str, Any]) -> None:
        """Let the house say something; it connects when it first has something to say."""
        if self.link is None:
            self.house.install = self.known["install"]
            self.link = await HouseLink(self.client, self.house).__aenter__()
        said = filled(step["d"], self.known)
        if step["house"] == "request":
            answer = await self.link.request(step["t"], said)
            assert answer["ok"], answer
        else:
            await self.link.report(step["t"], said, at=step["at"])

    async def call(self, number: int, step: dict[str, Any]) -> None:
        """Call as the client did, and compare."""
        call = filled(step["call"], self.known)
        token = self.known.get(call["as"], call["as"]) if "as" in call else None
        answer = await self.client.request(
            call["method"],
            call["path"],
            json=call.get("body"),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        name = f"step {number}, {call['method']} {call['path']}"
        told = await answer.text()
        was = step["answer"]
        assert answer.status == was["status"], f"{name}: {told}"
        if was["content_type"] is None:
            return
        assert answer.content_type == was["content_type"], name
        body = json.loads(told)
        for label, pointer in step.get("captures", {}).items():
            found = body
            for part in pointer.split("/")[1:]:
                found = found[int(part)] if isinstance(found, list) else found[part]
            self.known[label] = found
        assert missing(filled(was["body"], self.known), body) == [], f"{name}: {told}"


@pytest.mark.parametrize("story", stories())
async def test_a_client_of_the_first_release_is_answered_as_then(
    story: dict[str, Any], app: web.Application, client: TestClient, clock: FakeClock
) -> None:
    await Replay(client, clock, story["house_signs_with"]).play(story["steps"])


def test_the_comparison_notices_what_a_client_would_miss() -> None:
    was = {"state": "pending", "count": 1, "id": {"$any": "string"}, "items": [{"a": 1}], "detail": "Old words."}
    assert missing(was, was | {"id": "x", "more": True, "items": [{"b": 2}, {"a": 1}], "detail": "New words."}) == []
    for changed in ({"state": "waiting"}, {"count": "1"}, {"id": 7}, {"items": []}, {"items": {}}, {"state": None}):
        assert missing(was, was | {"id": "x"} | changed) != [], changed
    assert missing(was, {"state": "pending"}) != []
