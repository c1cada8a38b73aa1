"""What the tests of searching, booking and standby share: houses that publish spaces, renters who book them."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestClient

from parkshare_backend.clock import new_id, to_rfc3339
from parkshare_backend.http.models import to_base64url
from tests.backend.support import NOON, House, HouseLink, Person

HOUR = 3600.0
DAY = 24 * HOUR
HOME = (48.137, 11.575)
NORTH_M = 1 / 111_195  # degrees of latitude
SEALED_PLATE = to_base64url(bytes(range(176)))
MONTH = (NOON, NOON + 27 * DAY)


def period(start: float, end: float) -> dict[str, str]:
    return {"start": to_rfc3339(start), "end": to_rfc3339(end)}


def place(north_m: float = 0) -> dict[str, float]:
    return {"lat": HOME[0] + north_m * NORTH_M, "lon": HOME[1]}


def space_document(space_id: str, **changed: Any) -> dict[str, Any]:
    """Give the `d` of `space.publish`."""
    return {
        "space": space_id,
        "name": "Courtyard",
        "position": place(),
        "address": "Lindenweg 4",
        "size": {"length_m": 5.5, "width_m": 2.5, "height_m": 2.2},
        "range_m": 80,
        "price": {"amount_minor": 250, "currency": "EUR"},
        "seal_key": to_base64url(bytes(32)),
        "access_notes": "Second gate",
        "sharing": True,
    } | changed


@dataclass
class Published:
    """A space that a house offers."""

    house: House
    id: str = field(default_factory=new_id)


class Link(HouseLink):
    """A house's connection that keeps the events which came while it waited for something else."""

    def __init__(self, client: TestClient, house: House) -> None:
        super().__init__(client, house)
        self._kept: list[dict[str, Any]] = []

    async def hear(self, k: str | None = None, *, within: float = 5) -> dict[str, Any]:
        if k == "ev" and self._kept:
            return self._kept.pop(0)
        while (frame := await super().hear(within=within))["k"] != k:
            if k is None:
                break
            if frame["k"] == "ev":
                self._kept.append(frame)
        return frame


async def must(answering: Any) -> dict[str, Any]:
    """Ask a house's request and give its `d`."""
    answer = await answering
    assert answer["ok"], answer
    return dict(answer["d"])


async def publish(
    link: HouseLink, *, north_m: float = 0, windows: list[tuple[float, float]] | None = None, **changed: Any
) -> Published:
    """Publish a space that lies so many metres north of HOME, shared for the next 27 days unless told otherwise."""
    space = Published(link.house)
    await must(link.request("space.publish", space_document(space.id, **{"position": place(north_m)} | changed)))
    await share(link, space, windows if windows is not None else [MONTH])
    return space


async def share(link: HouseLink, space: Published, windows: list[tuple[float, float]]) -> None:
    d = {"space": space.id, "windows": [period(*window) for window in windows]}
    await must(link.request("windows.publish", d))


def booking_request(space: str, start: float = NOON, end: float = NOON + 2 * HOUR, **changed: Any) -> dict[str, Any]:
    return {"id": new_id(), "space": space, "period": period(start, end), "sealed_plate": SEALED_PLATE} | changed


@dataclass
class Renting:
    """A renter's phone: short words for the calls of the API."""

    client: TestClient
    person: Person

    async def post(self, path: str, body: Any = None, *, status: int | None = 200) -> dict[str, Any]:
        answered = await self.client.post(f"/api/v1/{path}", json=body, headers=self.person.headers)
        assert status is None or answered.status == status, await answered.text()
        return dict(await answered.json())

    async def get(self, path: str, *, status: int | None = 200) -> dict[str, Any]:
        answered = await self.client.get(f"/api/v1/{path}", headers=self.person.headers)
        assert status is None or answered.status == status, await answered.text()
        return dict(await answered.json())

    async def search(self, start: float = NOON, end: float = NOON + 2 * HOUR, **more: Any) -> list[dict[str, Any]]:
        body = {"place": place(), "period": period(start, end)} | more
        return list((await self.post("searches", body))["offers"])

    async def book(self, space: str, start: float = NOON, end: float = NOON + 2 * HOUR, **more: Any) -> dict[str, Any]:
        return await self.post("bookings", booking_request(space, start, end, **more), status=201)

    async def fixes(self, *reports: tuple[float, float], **more: Any) -> dict[str, Any]:
        """Report (metres north of HOME, time) pairs."""
        fixes = [place(north_m) | {"at": to_rfc3339(at), "accuracy_m": 10} | more for north_m, at in reports]
        return await self.post("positions", {"fixes": fixes})

    async def causes(self) -> list[str]:
        """Give what changed, in short: the causes of bookings' changes and the types of other ones."""
        items = (await self.get("changes"))["items"]
        return [item["d"].get("cause") or item["t"] for item in items]
