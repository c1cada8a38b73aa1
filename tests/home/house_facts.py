"""What the tests of the hub say and look at: facts of a backend, offers of an owner, files on the disk."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.link.protocol import Event
from custom_components.parkshare.link.sealing import seal
from tests.home.support import PLATE, Backend, eventually, period, soon


def space_of(hub: ParkShareHub) -> str:
    return min(hub.space_ids)


def files(hass: HomeAssistant) -> list[Path]:
    return list(Path(hass.config.path(".storage")).glob(f"{DOMAIN}.*"))


def on_disk(hass: HomeAssistant, name: str) -> dict[str, Any]:
    """A document of ours as it is on disk now."""
    return json.loads(Path(hass.config.path(".storage", f"{DOMAIN}.{name}")).read_text())["data"]


async def offer(hub: ParkShareHub, start: float, end: float) -> None:
    """Draw an offer into the calendar of the space."""
    await hub.calendar_of(space_of(hub)).async_create(
        {
            "summary": "Offered",
            "dtstart": dt_util.utc_from_timestamp(start),
            "dtend": dt_util.utc_from_timestamp(end),
        }
    )


async def offered(hub: ParkShareHub, backend: Backend, start: float, end: float) -> None:
    """Draw an offer and wait until a renter finds it."""
    await offer(hub, start - 3600, end + 3600)
    for _ in range(200):
        if await backend.offers(start, end):
            return
        await hub.hass.async_block_till_done()
    pytest.fail("the offer was never found")


async def booked(hub: ParkShareHub, backend: Backend, start: float, end: float, **more: Any) -> str:
    """Offer and book; gives the booking once the house has stored it."""
    await offered(hub, backend, start, end)
    booking = await backend.book(space_of(hub), key=hub.keys.seal_public, start=start, end=end, **more)
    await eventually(lambda: hub.grants.get(booking))
    await reaches(backend, booking, "reserved")
    return booking


async def reaches(backend: Backend, booking: str, state: str) -> None:
    for _ in range(100):
        if (found := await backend.state_of(booking)) == state:
            return
    pytest.fail(f"the booking is {found}, not {state}")


def fact(t: str, d: dict[str, Any], q: int = 1) -> Event:
    return Event(q, f"id-{q}", t, "2026-11-22T14:00:00Z", d)


def proposal(hub: ParkShareHub, booking: str, start: float, end: float, **changes: Any) -> dict[str, Any]:
    space = changes.get("space", space_of(hub))
    sealed = seal(changes.pop("plate", PLATE), key=hub.keys.seal_public, booking=booking, space=space)
    return {
        "booking": booking,
        "space": space,
        "revision": 1,
        "state": "pending",
        "period": period(start, end),
        "sealed_plate": sealed,
        "renter": {"alias": "R-7"},
    } | changes


class Told:
    """What a house has reported, in order."""

    def __init__(self, hub: ParkShareHub) -> None:
        self._hub = hub

    def of(self, t: str) -> list[dict[str, Any]]:
        return [event.d for event in self._hub._journal.pending if event.t == t]


def standby_fact(hub: ParkShareHub, **changes: Any) -> dict[str, Any]:
    start, end = soon()
    return {
        "standby": "s1",
        "booking": "b1",
        "home_space": space_of(hub),
        "space": {
            "id": "0198d2a0-0000-7000-8000-000000000202",
            "name": "Yard",
            "address": "Kirchweg 4",
            "position": {"lat": 48.138, "lon": 11.576},
            "seal_key": HouseKeys.generate().seal_public,
        },
        "period": period(start, end),
        "distance_m": 210,
        "walk_s": 200,
        "expires_at": format_time(time.time() + 300),
    } | changes


def notification(hass: HomeAssistant, hub: ParkShareHub) -> dict[str, Any] | None:
    shown = hass.data["persistent_notification"]
    return shown.get(f"{DOMAIN}_standby_{space_of(hub)}")
