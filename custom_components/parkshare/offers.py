"""The calendar of one space on disk: in which periods its owner offers it.

Stored as iCalendar text. Times float: "every weekday 8 to 17" stays 8 to 17 on the clock when the clock changes.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event
from ical.store import EventStore
from ical.types import Range, Recur

from .durable import DurableStore
from .windows import AHEAD, DAY, MOST, Window, merge, moment

STORE_VERSION = 1
PRODID = "-//ParkShare//space calendar 1//EN"


class OfferCalendar:
    """The events in which a space is offered. Each change is on disk before the call returns.

    Expanding recurrences is slow, so everything that touches the calendar runs in the executor, one at a time.
    """

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        self._hass = hass
        self._store = DurableStore(hass, STORE_VERSION, f"calendar.{key}")
        self._calendar = Calendar()
        self._lock = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []

    async def async_load(self) -> None:
        """Read the calendar. Call once, first."""
        stored = await self._store.async_load()
        if stored is not None:
            self._calendar = await self._hass.async_add_executor_job(IcsCalendarStream.calendar_from_ics, stored["ics"])
        self._calendar.prodid = PRODID

    async def async_remove(self) -> None:
        """Delete the file: the space is gone."""
        await self._store.async_remove()

    def async_add_listener(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call changed after each change; returns what ends that."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    async def async_events(self, start: datetime, end: datetime) -> list[Event]:
        """Events that touch a period, recurrences expanded, earliest first."""
        # Floating times are the house's clock, whatever zone the caller asks in.
        zone = dt_util.get_default_time_zone()

        def expand() -> list[Event]:
            return list(self._calendar.timeline_tz(zone).overlapping(start.astimezone(zone), end.astimezone(zone)))

        async with self._lock:
            return await self._hass.async_add_executor_job(expand)

    async def async_windows(self, start: float, end: float) -> list[Window]:
        """When the space is offered within a period (UTC epoch seconds), as merged windows."""
        zone = dt_util.get_default_time_zone()
        # A day more on both sides, since a date is longer or shorter in UTC; merging cuts exactly.
        day = timedelta(days=1)
        first, last = datetime.fromtimestamp(start, UTC) - day, datetime.fromtimestamp(end, UTC) + day
        events = await self.async_events(first, last)
        return merge(((moment(event.start, zone), moment(event.end, zone)) for event in events), start=start, end=end)

    async def async_published_windows(self, now: float) -> list[Window]:
        """The windows that the backend may sell. A window that has begun keeps its start for a day."""
        return (await self.async_windows(now - DAY, now + AHEAD))[:MOST]

    async def async_create(self, event: dict[str, Any]) -> None:
        """Add an event (fields of Home Assistant's calendar). Raises ValueError or an error of ical."""
        new = _parse(event)
        await self._async_change(lambda store: store.add(new))

    async def async_update(
        self, uid: str, event: dict[str, Any], *, recurrence_id: str | None = None, and_future: bool = False
    ) -> None:
        """Change an event, one occurrence of it, or that one and all later ones. Raises ValueError, EventStoreError."""
        new = _parse(event)
        await self._async_change(
            lambda store: store.edit(uid, new, recurrence_id=recurrence_id, recurrence_range=_range(and_future))
        )

    async def async_delete(self, uid: str, *, recurrence_id: str | None = None, and_future: bool = False) -> None:
        """Delete an event, one occurrence of it, or that one and all later ones. Raises EventStoreError."""
        await self._async_change(
            lambda store: store.delete(uid, recurrence_id=recurrence_id, recurrence_range=_range(and_future))
        )

    async def _async_change(self, change: Callable[[EventStore], object]) -> None:
        def changed() -> tuple[Calendar, str]:
            # On a copy: when the change or the write fails, the calendar stays what it is on disk.
            calendar = self._calendar.model_copy(deep=True)
            change(EventStore(calendar))
            return calendar, IcsCalendarStream.calendar_to_ics(calendar)

        async with self._lock:
            calendar, ics = await self._hass.async_add_executor_job(changed)
            await self._store.async_save({"ics": ics})
            self._calendar = calendar
        for listener in tuple(self._listeners):
            listener()


def _range(and_future: bool) -> Range:  # noqa: FBT001 - a word of the calendar, translated
    return Range.THIS_AND_FUTURE if and_future else Range.NONE


def _parse(event: dict[str, Any]) -> Event:
    fields = dict(event)
    for key in ("dtstart", "dtend"):
        fields[key] = _floating(fields[key])
    if rrule := fields.get("rrule"):
        rule = Recur.from_rrule(rrule)
        if rule.until is not None:
            rule.until = _floating(rule.until)
        fields["rrule"] = rule
    return Event(**fields)


def _floating[D: (date, datetime)](value: D) -> D:
    """Take the zone off a time, after bringing it to the house's clock."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return dt_util.as_local(value).replace(tzinfo=None)
    return value


def upcoming(events: Sequence[Event], now: datetime) -> Event | None:
    """The event that runs now or comes next."""
    zone = dt_util.get_default_time_zone()
    return next((event for event in events if moment(event.end, zone) > now.timestamp()), None)
