"""The pictures of a space: those of its album, and the code for a display that hangs there.

Home Assistant shows them to whoever may see the entity; the state is their time, and nothing else.
"""

from datetime import UTC, datetime
from typing import Final, NamedTuple, override

from homeassistant.components.image import ImageEntity
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .codes.drawing import CONTENT_TYPE, draw_code, draw_nothing
from .codes.rotating import PERIOD, OnsiteCode
from .codes.showing import is_shown, next_change
from .entity import SpaceEntity
from .hub import ParkShareConfigEntry
from .seeing.album import Kept
from .space import SpaceRuntime

PARALLEL_UPDATES = 0
CATEGORIES: Final = {Kept.LAST: None, Kept.TEST: EntityCategory.DIAGNOSTIC}


async def async_setup_entry(
    hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add one entity for each kind of picture of each space."""
    for subentry_id, runtime in entry.runtime_data.spaces.items():
        kept = [KeptImage(hass, runtime, kind) for kind in Kept]
        async_add_entities([*kept, OnsiteCodeImage(hass, runtime)], config_subentry_id=subentry_id)


class KeptImage(SpaceEntity, ImageEntity):
    """One kept picture, until its time is over."""

    def __init__(self, hass: HomeAssistant, runtime: SpaceRuntime, kind: Kept) -> None:
        SpaceEntity.__init__(self, runtime, kind.value)
        ImageEntity.__init__(self, hass)
        self._kind = kind
        self._attr_entity_category = CATEGORIES[kind]
        self._take_over()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the album."""
        await super().async_added_to_hass()
        self.async_on_remove(self._runtime.album.async_add_listener(self._album_changed))

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture."""
        return await self._runtime.album.async_content(self._kind)

    @override
    @callback
    def _space_changed(self) -> None:
        """A change of the space is no new picture."""

    @callback
    def _album_changed(self) -> None:
        before = self._attr_image_last_updated
        self._take_over()
        if self._attr_image_last_updated != before:
            self.async_write_ha_state()

    def _take_over(self) -> None:
        kept = self._runtime.album.kept(self._kind)
        self._attr_image_last_updated = None if kept is None else datetime.fromtimestamp(kept.at, UTC)
        self._attr_content_type = "image/jpeg" if kept is None else kept.content_type


class _Drawn(NamedTuple):
    code: OnsiteCode
    content: bytes


class OnsiteCodeImage(SpaceEntity, ImageEntity):
    """The code that opens for whoever stands at the space, while a booking is due; else a picture without one."""

    _attr_content_type = CONTENT_TYPE

    def __init__(self, hass: HomeAssistant, runtime: SpaceRuntime) -> None:
        SpaceEntity.__init__(self, runtime, "onsite_code")
        ImageEntity.__init__(self, hass)
        self._timer: CALLBACK_TYPE | None = None
        self._drawn: _Drawn | None = None
        # The minute whose code is shown, None for none.
        self._shows: int | None = None
        self._attr_image_last_updated = dt_util.utcnow()

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to follow the bookings and the clock."""
        await super().async_added_to_hass()
        self._shows = self._to_show()
        self._wake()

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Let go of the clock."""
        if self._timer:
            self._timer()
            self._timer = None

    @override
    async def async_image(self) -> bytes:
        """Draw what is right now; a display that asks late never gets the code of before."""
        if self._to_show() is None:
            return await self.hass.async_add_executor_job(draw_nothing)
        code = await self._runtime.codes.async_onsite(dt_util.utcnow().timestamp())
        if self._drawn is None or self._drawn.code != code:
            until = dt_util.as_local(dt_util.utc_from_timestamp(code.valid_until)).strftime("%H:%M")
            content = await self.hass.async_add_executor_job(draw_code, code.code, until)
            self._drawn = _Drawn(code, content)
        return self._drawn.content

    @override
    @callback
    def _space_changed(self) -> None:
        shows = self._to_show()
        self._wake()
        if shows != self._shows:
            self._shows = shows
            self._attr_image_last_updated = dt_util.utcnow()
            self.async_write_ha_state()

    def _to_show(self) -> int | None:
        now = dt_util.utcnow().timestamp()
        shown = is_shown(self._runtime.gate.rights, now, early=self._runtime.policy.arm_early)
        return int(now // PERIOD) if shown else None

    def _wake(self) -> None:
        """Look again when another picture is due."""
        if self._timer:
            self._timer()
        now = dt_util.utcnow().timestamp()
        at = next_change(self._runtime.gate.rights, now, early=self._runtime.policy.arm_early)
        due = None if at is None else dt_util.utc_from_timestamp(at)
        self._timer = async_track_point_in_utc_time(self.hass, self._due, due) if due else None

    @callback
    def _due(self, _now: datetime) -> None:
        self._timer = None
        self._space_changed()
