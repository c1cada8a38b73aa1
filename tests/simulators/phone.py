"""The phones: a renter's, which talks to the backend, and an owner's, which tells Home Assistant where it is.

By hand: python -m tests.simulators.phone --backend http://127.0.0.1:8732 --email r@example.org --password … drive
    --to 52.52,13.405
"""

import argparse
import asyncio
import base64
import contextlib
import hmac
import json
import random
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import aiohttp
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from .companion import CompanionApp
from .home import Home
from .track import Place, drive, offset

SEALED_PLAINTEXT_BYTES = 128
CODE_PERIOD_S = 60
CODE_KEY_BYTES = 16
CODE_SIGNS = "23459CDEHKLRTUWY"
HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class Problem(RuntimeError):  # noqa: N818 - the API's own word (RFC 9457)
    """The backend refused. status is the HTTP status, kind the last part of the problem's type."""

    def __init__(self, status: int, content: dict[str, Any]) -> None:
        """Keep what the backend said."""
        self.status = status
        self.kind = str(content.get("type", "")).rpartition("/")[2]
        self.errors = content.get("errors", [])
        super().__init__(f"{status} {self.kind}: {content.get('detail') or content.get('title')} {self.errors or ''}")


def timestamp(at: float) -> str:
    """Write UTC epoch seconds as the wire wants them."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seal(plate: str, *, seal_key: str, booking: str, space: str, code_key: str | None = None) -> str:
    """Seal a plate to a space's key, as docs/protocol/http.md says; made without the product's own code on purpose."""
    key = X25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(seal_key + "=" * (-len(seal_key) % 4)))
    sealed_object = {"plate": plate} | ({"code_key": code_key} if code_key else {})
    plaintext = json.dumps(sealed_object, ensure_ascii=False).encode().ljust(SEALED_PLAINTEXT_BYTES)
    sealed = HPKE.encrypt(plaintext, key, f"parkshare/plate/v1|booking={booking}|space={space}".encode())
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def shown_code(code_key: str, at: float) -> str:
    """Make the code of a minute from a booking's key, as docs/protocol/codes.md says; without the product's own code.

    at is UTC epoch seconds.
    """
    key = base64.urlsafe_b64decode(code_key + "=" * (-len(code_key) % 4))
    mac = hmac.digest(key, int(at // CODE_PERIOD_S).to_bytes(8), "sha1")
    begin = mac[-1] & 15
    number = int.from_bytes(mac[begin : begin + 4]) & 0x7FFF_FFFF
    return "".join(CODE_SIGNS[(number >> shift) & 15] for shift in range(28, -4, -4))


class Account:
    """A person's client of the backend: signs up, signs in, calls."""

    def __init__(self, url: str, *, email: str, password: str, name: str) -> None:
        """Talk to the backend at url; the session opens with `async with`."""
        self.url, self.email, self.password, self.name = url, email, password, name
        self._token: str | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def secrets(self) -> list[str]:
        """What only this person and the backend may know: the password and the token."""
        return [self.password, *([self._token] if self._token else [])]

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call /api/v1 and return the JSON, None when there is none. Raises Problem when refused."""
        if self._session is None:
            raise RuntimeError("Open the account first: async with")
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        timeout = aiohttp.ClientTimeout(total=15)
        url = f"{self.url}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=headers, timeout=timeout) as answer:
            content = await answer.json(content_type=None) if answer.content_length != 0 else None
            if answer.status >= 400:
                raise Problem(answer.status, content if isinstance(content, dict) else {})
            return content

    async def sign_up(self) -> None:
        """Make the account and sign in."""
        await self.call("POST", "/accounts", {"email": self.email, "password": self.password, "name": self.name})
        await self.sign_in()

    async def sign_in(self) -> None:
        """Get a token for this phone."""
        self._token = None
        body = {"email": self.email, "password": self.password, "label": "phone"}
        self._token = (await self.call("POST", "/tokens", body))["token"]

    async def approve(self, user_code: str) -> dict[str, Any]:
        """Approve the pairing of a house, as the page /link does."""
        await self.call("GET", f"/pairings/{user_code}")
        answer: dict[str, Any] = await self.call("POST", f"/pairings/{user_code}/approve")
        return answer


@dataclass
class RenterPhone:
    """The phone of somebody who looks for a space; chance makes its GPS errors."""

    account: Account
    plate: str
    chance: random.Random
    accuracy_m: float = 8.0
    places: list[Place] = field(default_factory=list)  # where it said it was
    code_keys: dict[str, str] = field(default_factory=dict, repr=False)  # by booking; only the house gets them, sealed

    async def search(self, near: Place, *, start: float, end: float) -> list[dict[str, Any]]:
        """Return the offers, best first."""
        body = {
            "place": {"lat": near[0], "lon": near[1]},
            "period": {"start": timestamp(start), "end": timestamp(end)},
            "vehicle": {"length_m": 4.3, "width_m": 1.8, "height_m": 1.5},
        }
        offers: list[dict[str, Any]] = (await self.account.call("POST", "/searches", body))["offers"]
        return offers

    async def book(self, offer: dict[str, Any]) -> dict[str, Any]:
        """Book an offer for its period, the plate and the key of the shown code sealed to its space."""
        booking, space = str(uuid.uuid7()), offer["space"]["id"]
        self.code_keys[booking] = key = secrets.token_urlsafe(CODE_KEY_BYTES)
        sealed = seal(self.plate, seal_key=offer["seal_key"], booking=booking, space=space, code_key=key)
        body = {"id": booking, "space": space, "period": offer["period"], "sealed_plate": sealed}
        answer: dict[str, Any] = await self.account.call("POST", "/bookings", body)
        return answer

    async def booking(self, booking: str) -> dict[str, Any]:
        """Return one booking as it is now."""
        answer: dict[str, Any] = await self.account.call("GET", f"/bookings/{booking}")
        return answer

    async def booking_in_state(self, booking: str, state: str, *, within: float) -> dict[str, Any]:
        """Wait until a booking has a state. Raises TimeoutError, telling which one it has."""
        deadline = time.monotonic() + within
        while True:
            answer = await self.booking(booking)
            if answer["state"] == state:
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError(f"The booking is {answer['state']}, not {state}, after {within:.0f} s")
            await asyncio.sleep(0.2)

    async def here(self, booking: str) -> None:
        """Press "I'm here"."""
        await self.account.call("POST", f"/bookings/{booking}/here")

    async def code(self, booking: str, text: str) -> None:
        """Type a code into the booking's page."""
        await self.account.call("POST", f"/bookings/{booking}/code", {"code": text})

    async def helped(self, booking: str, accept: Callable[[dict[str, Any]], bool], *, within: float) -> dict[str, Any]:
        """Wait until the booking's page tells of a help that is accepted; return it. Raises TimeoutError."""
        deadline = time.monotonic() + within
        while True:
            told: dict[str, Any] = (await self.booking(booking)).get("help") or {}
            if accept(told):
                return told
            if time.monotonic() > deadline:
                raise TimeoutError(f"The booking's help is {told} after {within:.0f} s")
            await asyncio.sleep(0.3)

    async def alternatives(self, booking: str) -> list[dict[str, Any]]:
        """Return what is offered instead of a booking that is at risk."""
        offers: list[dict[str, Any]] = (await self.account.call("GET", f"/bookings/{booking}/alternatives"))["offers"]
        return offers

    def shows(self, booking: str) -> str:
        """Return the code that this phone shows now for a booking."""
        return shown_code(self.code_keys[booking], time.time())

    async def report(self, place: Place, *, at: float | None = None, speed_ms: float = 0.0) -> dict[str, Any]:
        """Send one fix; at is UTC epoch seconds, now when left out."""
        fix: dict[str, Any] = {
            "lat": round(place[0], 7),
            "lon": round(place[1], 7),
            "accuracy_m": self.accuracy_m,
            "at": timestamp(at or time.time()),
            "speed_ms": speed_ms,
        }
        self.places.append((fix["lat"], fix["lon"]))
        answer: dict[str, Any] = await self.account.call("POST", "/positions", {"fixes": [fix]})
        return answer

    async def drive(
        self, start: Place, goal: Place, *, speed_ms: float = 13.9, every_s: float = 4.0
    ) -> AsyncIterator[tuple[float, list[str]]]:
        """Drive and report as the app does, to the goal.

        Yields for each fix when it was sent (UTC epoch seconds, taken just before it went out) and the bookings that
        are near then.
        """
        begun = time.time()
        fixes = drive(start, goal, speed_ms=speed_ms, every_s=every_s, accuracy_m=self.accuracy_m, chance=self.chance)
        for sighting in fixes:
            await asyncio.sleep(max(0.0, begun + sighting.after_s - time.time()))
            sent = time.time()
            answer = await self.report((sighting.lat, sighting.lon), at=sent, speed_ms=sighting.speed_ms)
            yield sent, answer["near"]


class OwnerPhone:
    """The owner's phone with the companion app: reports its place, is notified, and answers."""

    def __init__(self, home: Home, *, user: str = "olivia") -> None:
        """Belong to a home; nothing happens before install()."""
        self._home = home
        self.app = CompanionApp(home, f"{user.capitalize()} phone")
        self.tracker = f"device_tracker.{user}_phone"
        self.person = f"person.{user}"
        self.places: list[Place] = []  # where it said it was

    async def install(self, at: Place) -> None:
        """Set the app up: Home Assistant makes its tracker and lets the user's person follow it."""
        token = await self._home.api.ask("auth/long_lived_access_token", client_name=self.app.device, lifespan=1)
        await self.app.register(token)
        await self.move(at)
        await self._home.api.seen(self.tracker, lambda change: "latitude" in change.attributes)
        await self._home.api.seen(self.person, lambda change: "latitude" in change.attributes)

    async def move(self, to: Place, *, accuracy_m: float = 12.0) -> None:
        """Report a place."""
        self.places.append((round(to[0], 7), round(to[1], 7)))
        await self.app.report(to, accuracy_m=accuracy_m)


async def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.phone", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--backend", default="http://127.0.0.1:8732")
    parser.add_argument("--email", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--plate", default="AB-123-CD")
    parser.add_argument("what", choices=["sign-up", "bookings", "here", "drive"])
    parser.add_argument("--booking", help="for here")
    parser.add_argument("--to", metavar="LAT,LON", help="for drive: the goal")
    parser.add_argument("--from-m", type=float, default=500.0, help="for drive: start so far north of the goal")
    parser.add_argument("--speed", type=float, default=13.9, metavar="M/S")
    arguments = parser.parse_args()
    account = Account(arguments.backend, email=arguments.email, password=arguments.password, name="Renter")
    async with account:
        phone = RenterPhone(account, arguments.plate, random.Random())
        if arguments.what == "sign-up":
            await account.sign_up()
            return
        await account.sign_in()
        if arguments.what == "bookings":
            print(json.dumps(await account.call("GET", "/bookings"), indent=1))
        elif arguments.what == "here":
            await phone.here(arguments.booking)
        else:
            lat, lon = map(float, arguments.to.split(","))
            start = offset((lat, lon), north_m=arguments.from_m, east_m=0)
            async for _, near in phone.drive(start, (lat, lon), speed_ms=arguments.speed):
                print(f"near: {', '.join(near) or 'nothing'}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
