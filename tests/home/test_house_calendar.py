"""The calendar of a space, through Home Assistant's own doors, and the windows that are made from it."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from homeassistant.components.calendar import DOMAIN as CALENDAR
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from hypothesis import given, settings, strategies as st
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.windows import Window, covers, merge, moment
from tests.home.conftest import MakeEntry, SetUp

CALENDAR_ID = "calendar.bay_1_offers"
BERLIN = ZoneInfo("Europe/Berlin")

type Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
async def house(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp) -> ParkShareHub:
    """A house in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert await async_setup_component(hass, "http", {})
    hub = await set_up(make_entry())
    yield hub
    await hass.config.async_set_time_zone("UTC")


@pytest.fixture
async def ask(hass: HomeAssistant, house: ParkShareHub, hass_ws_client: WebSocketGenerator) -> Ask:
    """The calendar as the frontend speaks to it."""
    client = await hass_ws_client(hass)

    async def say(what: str, **fields: Any) -> Any:
        await client.send_json_auto_id({"type": f"calendar/event/{what}", "entity_id": CALENDAR_ID, **fields})
        answer = await client.receive_json()
        await hass.async_block_till_done()
        return answer

    return say


async def shown(hass: HomeAssistant, start: str, end: str) -> list[dict[str, Any]]:
    """The events that the calendar shows in a period."""
    answer = await hass.services.async_call(
        CALENDAR,
        "get_events",
        {"entity_id": CALENDAR_ID, "start_date_time": start, "end_date_time": end},
        blocking=True,
        return_response=True,
    )
    return answer[CALENDAR_ID]["events"]


async def windows(hub: ParkShareHub, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The windows of the one space, in Berlin's time."""
    calendar = hub.calendar_of(min(hub.space_ids))
    found = await calendar.async_windows(start.timestamp(), end.timestamp())
    return [(datetime.fromtimestamp(w.start, BERLIN), datetime.fromtimestamp(w.end, BERLIN)) for w in found]


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=BERLIN)


DAILY = {
    "summary": "Offered",
    "dtstart": "2027-03-26T08:00:00+01:00",
    "dtend": "2027-03-26T17:00:00+01:00",
    "rrule": "FREQ=DAILY;COUNT=5",
}


async def test_an_offer_every_day_keeps_its_hours_when_the_clock_changes(house: ParkShareHub, ask: Ask) -> None:
    assert (await ask("create", event=DAILY))["success"]
    found = await windows(house, at(2027, 3, 26), at(2027, 4, 10))
    assert found == [(at(2027, 3, day, 8), at(2027, 3, day, 17)) for day in (26, 27, 28, 29, 30)]
    assert [start.astimezone(UTC).hour for start, _ in found] == [7, 7, 6, 6, 6]


async def test_one_day_of_a_series_can_be_changed_and_another_deleted(
    hass: HomeAssistant, house: ParkShareHub, ask: Ask
) -> None:
    await ask("create", event=DAILY)
    events = await shown(hass, "2027-03-26T00:00:00+01:00", "2027-04-10T00:00:00+02:00")
    assert len(events) == 5
    calendar = house.calendar_of(min(house.space_ids))
    drawn = await calendar.async_events(at(2027, 3, 26), at(2027, 4, 1))
    uid = drawn[0].uid
    changed = {"summary": "Short", "dtstart": "2027-03-27T10:00:00+01:00", "dtend": "2027-03-27T11:00:00+01:00"}
    assert (await ask("update", uid=uid, recurrence_id=drawn[1].recurrence_id, event=changed))["success"]
    assert (await ask("delete", uid=uid, recurrence_id=drawn[2].recurrence_id))["success"]
    found = await windows(house, at(2027, 3, 26), at(2027, 4, 10))
    assert [(start.day, start.hour) for start, _ in found] == [(26, 8), (27, 10), (29, 8), (30, 8)]


async def test_a_series_can_end_from_a_day_on(house: ParkShareHub, ask: Ask) -> None:
    await ask("create", event=DAILY)
    calendar = house.calendar_of(min(house.space_ids))
    drawn = await calendar.async_events(at(2027, 3, 26), at(2027, 4, 1))
    deleted = await ask(
        "delete", uid=drawn[0].uid, recurrence_id=drawn[2].recurrence_id, recurrence_range="THISANDFUTURE"
    )
    assert deleted["success"]
    assert [start.day for start, _ in await windows(house, at(2027, 3, 26), at(2027, 4, 10))] == [26, 27]


async def test_a_whole_day_is_offered_from_midnight_to_midnight_of_the_house(house: ParkShareHub, ask: Ask) -> None:
    whole = {"summary": "Holiday", "dtstart": "2027-03-28", "dtend": "2027-03-29"}
    assert (await ask("create", event=whole))["success"]
    found = await windows(house, at(2027, 3, 1), at(2027, 4, 1))
    assert found == [(at(2027, 3, 28), at(2027, 3, 29))]
    assert found[0][1].timestamp() - found[0][0].timestamp() == 23 * 3600


async def test_the_calendar_is_on_while_the_space_is_offered(hass: HomeAssistant, house: ParkShareHub) -> None:
    now = datetime.now(BERLIN)
    await hass.services.async_call(
        CALENDAR,
        "create_event",
        {
            "entity_id": CALENDAR_ID,
            "summary": "Offered",
            "start_date_time": (now - timedelta(hours=1)).isoformat(),
            "end_date_time": (now + timedelta(hours=1)).isoformat(),
        },
        blocking=True,
    )
    await hass.async_block_till_done()
    assert hass.states.get(CALENDAR_ID).state == "on"


async def test_what_the_calendar_cannot_do_is_said_and_changes_nothing(
    hass: HomeAssistant, house: ParkShareHub, ask: Ask
) -> None:
    await ask("create", event=DAILY)
    before = await windows(house, at(2027, 3, 1), at(2027, 4, 10))
    assert not (await ask("delete", uid="unknown"))["success"]
    assert not (await ask("update", uid="unknown", event={**DAILY, "rrule": "FREQ=WEEKLY"}))["success"]
    assert await windows(house, at(2027, 3, 1), at(2027, 4, 10)) == before


async def test_a_change_is_published_and_survives_a_restart(hass: HomeAssistant, house: ParkShareHub, ask: Ask) -> None:
    changed: list[int] = []
    house.calendar_of(min(house.space_ids)).async_add_listener(lambda: changed.append(1))
    await ask("create", event=DAILY)
    assert changed == [1]
    await hass.config_entries.async_reload(house.entry.entry_id)
    await hass.async_block_till_done()
    again: ParkShareHub = house.entry.runtime_data
    assert len(await windows(again, at(2027, 3, 26), at(2027, 4, 10))) == 5


async def test_no_more_windows_than_allowed_are_published_and_none_too_far_ahead(
    hass: HomeAssistant, house: ParkShareHub, ask: Ask
) -> None:
    always = {**DAILY, "dtstart": "2026-01-01T08:00:00+01:00", "dtend": "2026-01-01T09:00:00+01:00"}
    always["rrule"] = "FREQ=DAILY"
    await ask("create", event=always)
    now = at(2027, 6, 1, 12).timestamp()
    published = await house.calendar_of(min(house.space_ids)).async_published_windows(now)
    assert 27 <= len(published) <= 30
    assert published[-1].end <= now + 28 * 86400


# Pure

TIMES = st.integers(0, 1000).map(float)
PERIODS = st.lists(st.tuples(TIMES, TIMES), max_size=12)


@given(periods=PERIODS, start=TIMES, end=TIMES, probe=TIMES)
@settings(max_examples=150)
def test_merged_windows_hold_exactly_the_moments_that_were_offered(
    periods: list[tuple[float, float]], start: float, end: float, probe: float
) -> None:
    merged = merge(periods, start=start, end=end)
    offered = start <= probe < end and any(s <= probe < e for s, e in periods)
    assert any(window.start <= probe < window.end for window in merged) == offered
    assert merged == sorted(merged)
    assert all(earlier.end < later.start for earlier, later in itertools.pairwise(merged))
    assert all(window.start < window.end for window in merged)


@given(periods=PERIODS, start=TIMES, length=st.integers(1, 50))
@settings(max_examples=100)
def test_a_period_is_covered_only_if_each_of_its_moments_is_offered(
    periods: list[tuple[float, float]], start: float, length: int
) -> None:
    covered = covers(merge(periods, start=0, end=2000), start=start, end=start + length)
    moments = [start + second for second in range(length)]
    assert covered == all(any(s <= moment < e for s, e in periods) for moment in moments)


def test_two_windows_that_touch_are_one() -> None:
    assert merge([(0, 10), (10, 20)], start=0, end=100) == [Window(0, 20)]


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        (date(2027, 3, 28), datetime(2027, 3, 27, 23, tzinfo=UTC)),
        (datetime(2027, 7, 1, 8), datetime(2027, 7, 1, 6, tzinfo=UTC)),  # noqa: DTZ001 - floating
        (datetime(2027, 7, 1, 8, tzinfo=UTC), datetime(2027, 7, 1, 8, tzinfo=UTC)),
        (datetime(2027, 10, 31, 2, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # noqa: DTZ001 - floating
    ],
)
def test_a_calendars_time_is_a_moment(value: date, utc: datetime) -> None:
    assert moment(value, BERLIN) == utc.timestamp()
