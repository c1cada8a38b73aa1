"""What the integration's tests share: the real backend with people around it, and a space's settings."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from random import Random
from typing import Any
from uuid import uuid7

from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.link.sealing import seal
from parkshare_backend import keys as app_keys
from parkshare_backend.app import build_app
from parkshare_backend.settings import Settings
from tests.backend.support import Person, make_person

PLATE = "AB-123-CD"

# What is entered in the forms of a space.
PLACE = {
    "name": "Bay 1",
    "location": {"latitude": 48.137, "longitude": 11.575, "radius": 120},
    "address": "Kirchweg 1",
    "length_m": 5.0,
    "width_m": 2.5,
}
EQUIPMENT = {
    "barrier": "lock.bay",
    "camera": "camera.bay",
    "occupancy": ["binary_sensor.bay"],
    "owner": "person.owner",
    "owner_plate": "OW-NER 1",
}
RAISING = {"raising": "ask"}


def space_data(**changes: Any) -> dict[str, Any]:
    """The settings of a space, as the flow stores them."""
    return {
        "space_id": str(uuid7()),
        "name": "Bay 1",
        "latitude": 48.137,
        "longitude": 11.575,
        "address": "Kirchweg 1",
        "length_m": 5.0,
        "width_m": 2.5,
        "range_m": 150.0,
        "barrier": "lock.bay",
        "camera": "camera.bay",
        "occupancy": ["binary_sensor.bay"],
        "owner": "person.owner",
        "owner_plate": "OW-NER-1",
    } | changes


class Backend:
    """The real backend on 127.0.0.1, which can be stopped and started again on the same port and database."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._port = 0
        self._server: TestServer | None = None
        self.client: TestClient
        self.url = ""
        self.server_id = ""
        self.owner: Person
        self.renter: Person

    async def start(self) -> None:
        """Start it; the first time also register an owner and a renter."""
        settings = Settings(
            database=self._database, password_memory_kib=8, password_passes=1, rate_limits=0, zeroconf=False
        )
        self.app = build_app(settings, random=Random(7))
        self._server = TestServer(self.app, port=self._port)
        self.client = TestClient(self._server)
        await self.client.start_server()
        first, self._port = not self._port, self._server.port
        self.url = f"http://127.0.0.1:{self._port}"
        if first:
            self.owner, self.renter = await make_person(self.client, name="Olga"), await make_person(self.client)
            self.server_id = (await (await self.client.get("/.well-known/parkshare")).json())["server"]

    async def stop(self) -> None:
        """Stop it, as a restart would; once more changes nothing."""
        if self._server is not None:
            await self.client.close()
            self.app[app_keys.PASSWORDS].close()
            self._server = None

    async def link(self, keys: HouseKeys, *, owner: Person | None = None) -> str:
        """Link a house; gives the install."""
        body = {"name": "Home", "sign_key": keys.sign_public, "seal_key": keys.seal_public}
        pairing = await self.call("POST", "/api/v1/pairings", body)
        code = pairing["user_code"]
        await self.call("POST", f"/api/v1/pairings/{code}/approve", by=owner or self.owner)
        polled = await self.call("POST", "/api/v1/pairings/poll", {"device_code": pairing["device_code"]})
        return polled["install"]

    async def call(self, method: str, path: str, body: Any = None, *, by: Person | None = None) -> dict[str, Any]:
        """One call that must go well."""
        headers = by.headers if by else {}
        async with ClientSession() as session:
            answer = await session.request(method, f"{self.url}{path}", json=body, headers=headers)
            assert answer.status < 400, await answer.text()
            return await answer.json() if answer.status != 204 else {}

    async def offers(self, start: float, end: float) -> list[dict[str, Any]]:
        """Search as the renter."""
        body = {"place": {"lat": 48.137, "lon": 11.575}, "period": period(start, end)}
        return (await self.call("POST", "/api/v1/searches", body, by=self.renter))["offers"]

    async def book(
        self,
        space: str,
        *,
        key: str,
        start: float,
        end: float,
        plate: str = PLATE,
        code_key: str = "",
        by: Person | None = None,
    ) -> str:
        """Book as the renter, the plate (and the key for codes) sealed to the space; gives the booking's id."""
        booking = str(uuid7())
        body = {
            "id": booking,
            "space": space,
            "period": period(start, end),
            "sealed_plate": seal(plate, key=key, booking=booking, space=space, code_key=code_key),
        }
        await self.call("POST", "/api/v1/bookings", body, by=by or self.renter)
        return booking

    async def state_of(self, booking: str, *, by: Person | None = None) -> str:
        """Where a booking stands."""
        return (await self.call("GET", f"/api/v1/bookings/{booking}", by=by or self.renter))["state"]


def period(start: float, end: float) -> dict[str, str]:
    """A period on the wire."""
    return {"start": format_time(start), "end": format_time(end)}


def soon(*, starts_in: float = 600, hours: float = 2) -> tuple[float, float]:
    """A period in whole seconds."""
    start = float(int(time.time() + starts_in))
    return start, start + hours * 3600


async def eventually(check: Callable[[], Any], *, within: float = 5.0) -> Any:
    """Wait until something is so; real sockets take real time."""
    end = time.monotonic() + within
    while not (result := check()):
        assert time.monotonic() < end, "it did not become so in time"
        await asyncio.sleep(0.01)
    return result


def self_signed(folder: Any) -> ssl.SSLContext:
    """A certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def greet_once(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Shake hands with one client, which will not like the certificate."""
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        context.wrap_socket(connection, server_side=True).close()
