"""A booking that is made longer: asked for at the backend, decided by the house."""

from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.facts import format_time
from tests.home.conftest import eventually
from tests.home.house_facts import Told, booked, fact, proposal
from tests.home.support import Backend, period, soon

BOOKING = "0198d2a0-0000-7000-8000-000000000101"


async def test_the_house_agrees_to_a_later_end_and_both_sides_have_it(hub: ParkShareHub, backend: Backend) -> None:
    start, end = soon()
    booking = await booked(hub, backend, start, end)
    later = {"end": format_time(end + 1800)}
    await backend.call("POST", f"/api/v1/bookings/{booking}/extend", later, by=backend.renter)
    await eventually(lambda: (grant := hub.grants.get(booking)) and grant.end == end + 1800)
    for _ in range(100):
        seen = await backend.call("GET", f"/api/v1/bookings/{booking}", by=backend.renter)
        if seen["wanted"] is None:
            break
    assert (seen["period"], seen["state"]) == (period(start, end + 1800), "reserved")


async def test_an_earlier_end_reaches_the_house(hub: ParkShareHub, backend: Backend) -> None:
    start, end = soon(starts_in=0)
    booking = await booked(hub, backend, start, end)
    earlier = {"end": format_time(end - 1800)}
    await backend.call("POST", f"/api/v1/bookings/{booking}/release", earlier, by=backend.renter)
    await eventually(lambda: (grant := hub.grants.get(booking)) and grant.end == end - 1800)


async def test_the_house_refuses_a_later_end_outside_of_its_windows_and_keeps_what_it_granted(
    alone: ParkShareHub, told: Told
) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, BOOKING, start, end)))
    longer = proposal(alone, BOOKING, start, end + 10 * 86400) | {"revision": 2}
    await alone.on_event(fact("booking.changed", longer, q=2))
    assert told.of("grant.refused") == [{"booking": BOOKING, "revision": 2, "reason": "outside-windows"}]
    grant = alone.grants.get(BOOKING)
    assert grant is not None
    assert (grant.end, grant.revision) == (end, 1)
