"""Bookings that wait for their owner: shown in Home Assistant, answered there or in the web app."""

import time
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from custom_components.parkshare.asked import AskedBookings
from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.facts import format_time
from tests.home.house_facts import Told, fact, proposal, space_of
from tests.home.support import soon

BOOKING = "0198d2a0-0000-7000-8000-000000000101"
SHOWN = f"parkshare_asked_{BOOKING}"


def asked(hub: ParkShareHub, **changes: Any) -> dict[str, Any]:
    start, end = soon()
    return {
        "booking": BOOKING,
        "space": space_of(hub),
        "revision": 1,
        "period": {"start": format_time(start), "end": format_time(end)},
        "renter": {"alias": "Renter 1A2B"},
        "until": format_time(start),
    } | changes


def notification(hass: HomeAssistant) -> str | None:
    shown = hass.data["persistent_notification"].get(SHOWN)
    return None if shown is None else str(shown["message"])


@pytest.fixture
async def waiting(alone: ParkShareHub) -> ParkShareHub:
    """A house whose owner is asked."""
    await alone.on_event(fact("booking.asked", asked(alone)))
    return alone


async def test_the_owner_is_asked_and_no_grant_given(hass: HomeAssistant, waiting: ParkShareHub) -> None:
    text = notification(hass)
    assert "Renter 1A2B" in text
    assert BOOKING in text
    assert not waiting.grants.all()


@pytest.mark.parametrize(("action", "event"), [("approve", "booking.approved"), ("decline", "booking.declined")])
async def test_an_answer_goes_to_the_backend_once(
    hass: HomeAssistant, waiting: ParkShareHub, told: Told, action: str, event: str
) -> None:
    say = {"booking": f" {BOOKING} "}
    await hass.services.async_call(DOMAIN, f"{action}_booking", say, blocking=True)
    assert told.of(event) == [{"booking": BOOKING}]
    assert notification(hass) is None
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, f"{action}_booking", say, blocking=True)


async def test_what_was_answered_in_the_web_app_is_shown_no_more(hass: HomeAssistant, waiting: ParkShareHub) -> None:
    start, end = soon()
    await waiting.on_event(fact("booking.proposed", proposal(waiting, BOOKING, start, end), q=2))
    assert notification(hass) is None
    assert [grant.booking for grant in waiting.grants.all()] == [BOOKING]


async def test_what_was_canceled_is_shown_no_more(hass: HomeAssistant, waiting: ParkShareHub) -> None:
    d = {"booking": BOOKING, "space": space_of(waiting), "revision": 2, "reason": "renter"}
    await waiting.on_event(fact("booking.canceled", d, q=2))
    assert notification(hass) is None


async def test_what_nobody_can_answer_any_more_goes_away(hass: HomeAssistant, waiting: ParkShareHub) -> None:
    await waiting.asked.async_prune(time.time() + 86400)
    assert notification(hass) is None


async def test_it_is_shown_again_after_a_restart(hass: HomeAssistant, waiting: ParkShareHub) -> None:
    again = AskedBookings(waiting)
    await again.async_start()
    assert again.waits(BOOKING)


async def test_a_space_of_another_house_is_not_asked_about(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(fact("booking.asked", asked(alone, space="0198d2a0-0000-7000-8000-000000000999")))
    assert notification(hass) is None
