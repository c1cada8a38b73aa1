"""The calendar of each space: drawing an event in it offers the space for that time."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.components.calendar.const import CalendarEntityFeature
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util
from ical.event import Event
from ical.exceptions import CalendarError
from ical.store import EventStoreError

from .const import DOMAIN
from .entity import SpaceEntity
from .hub import ParkShareConfigEntry
from .offers import OfferCalendar, upcoming
from .space import SpaceRuntime

PARALLEL_UPDATES = 1
LOOK_AHEAD = timedelta(days=365)


async def async_setup_entry(
    _hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add one calendar a space."""
    hub = entry.runtime_data
    for subentry_id, runtime in hub.spaces.items():
        async_add_entities(
            [OfferCalendarEntity(runtime, hub.calendar_of(runtime.space_id))],
            update_before_add=True,
            config_subentry_id=subentry_id,
        )


class OfferCalendarEntity(SpaceEntity, CalendarEntity):
    """The periods in which a space is offered, as a calendar that the owner can draw in."""

    _attr_translation_key = "offers"
    _attr_should_poll = True
    _attr_supported_features = (
        CalendarEntityFeature.CREATE_EVENT | CalendarEntityFeature.DELETE_EVENT | CalendarEntityFeature.UPDATE_EVENT
    )

    def __init__(self, runtime: SpaceRuntime, offers: OfferCalendar) -> None:
        super().__init__(runtime, "offers")
        self._offers = offers
        self._upcoming: list[Event] = []
        self._removed = False

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The offer that runs now or comes next."""
        found = upcoming(self._upcoming, dt_util.utcnow())
        return None if found is None else _shown(found)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """The offers in a period."""
        return [_shown(event) for event in await self._offers.async_events(start_date, end_date)]

    async def async_update(self) -> None:
        """Look again which offers come next: recurrences are expanded here, never in the event loop."""
        now = dt_util.now()
        found = await self._offers.async_events(now, now + LOOK_AHEAD)
        # Home Assistant sets its alarm for the next event also after an update that outlived the entity.
        self._upcoming = [] if self._removed else found

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Leave nothing behind that an update in flight could set an alarm for."""
        self._removed = True
        await super().async_will_remove_from_hass()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the calendar."""
        self._removed = False
        await super().async_added_to_hass()
        self.async_on_remove(self._offers.async_add_listener(self._async_changed))

    @override
    async def async_create_event(self, **kwargs: Any) -> None:
        """Offer the space for another period."""
        await _translated(self._offers.async_create(kwargs))

    @override
    async def async_update_event(
        self, uid: str, event: dict[str, Any], recurrence_id: str | None = None, recurrence_range: str | None = None
    ) -> None:
        """Change an offer. Bookings that were granted keep their right."""
        and_future = recurrence_range == "THISANDFUTURE"
        await _translated(self._offers.async_update(uid, event, recurrence_id=recurrence_id, and_future=and_future))

    @override
    async def async_delete_event(
        self, uid: str, recurrence_id: str | None = None, recurrence_range: str | None = None
    ) -> None:
        """Take an offer back. Bookings that were granted keep their right."""
        and_future = recurrence_range == "THISANDFUTURE"
        await _translated(self._offers.async_delete(uid, recurrence_id=recurrence_id, and_future=and_future))

    @callback
    def _async_changed(self) -> None:
        self.async_schedule_update_ha_state(force_refresh=True)


async def _translated(change: Awaitable[None]) -> None:
    """Say what was wrong with an event in the words of the person who drew it."""
    try:
        await change
    except EventStoreError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="event_not_changed", translation_placeholders={"error": str(err)}
        ) from err
    except (CalendarError, ValueError) as err:  # pydantic's are ValueErrors
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="event_not_usable", translation_placeholders={"error": str(err)}
        ) from err


def _shown(event: Event) -> CalendarEvent:
    start, end = event.start, event.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        start, end = dt_util.as_local(start), dt_util.as_local(end)
    return CalendarEvent(
        summary=event.summary or "",
        start=start,
        end=end,
        description=event.description,
        uid=event.uid,
        rrule=event.rrule.as_rrule_str() if event.rrule else None,
        recurrence_id=event.recurrence_id,
        location=event.location,
    )
