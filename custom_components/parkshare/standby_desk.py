"""What happens with standbys: tell the owner, take their answer, pass it on."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid7

from homeassistant.components import persistent_notification
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import CONF_OWNER_PLATE, DOMAIN
from .link.facts import StandbyEnded, StandbyNone, StandbyOffer
from .link.sealing import SealError, seal
from .link.session import NotConnectedError, RequestRefusedError, RequestTimeoutError
from .standby import Standby, StandbyState

if TYPE_CHECKING:
    from .hub import ParkShareHub

# What comes from another owner is shown as they wrote it: no picture, no link, no heading.
MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+!|~])")
STANDING: Final = frozenset({StandbyState.OFFERED, StandbyState.ACCEPTED, StandbyState.BOOKED})
NONE_SHOWN_FOR: Final = 3600.0  # s that "nothing found" stays, when the renter's booking is not known here


class StandbyDesk:
    """The standbys of one hub. Each change is on disk before it is shown."""

    def __init__(self, hub: ParkShareHub) -> None:
        self._hub = hub
        self._answering = asyncio.Lock()
        self._timer: CALLBACK_TYPE | None = None

    async def async_start(self) -> None:
        """Take up what stands: notifications do not survive a restart, and an offer runs out all the same."""
        for space in self._hub.space_ids:
            if (standby := self.of(space)) is not None and standby.state in STANDING:
                await self._async_tell(standby)
        self._wait()

    @callback
    def stop(self) -> None:
        """End all waiting."""
        if self._timer is not None:
            self._timer()
            self._timer = None

    def of(self, space_id: str) -> Standby | None:
        """The standby of a home space, as it stands now. None when there is none, or when its time is over."""
        standby = self._hub.state.standbys.get(space_id)
        now = time.time()
        if standby is None or (standby.end is not None and standby.end <= now):
            return None
        if _is_late(standby, now):
            return replace(standby, state=StandbyState.EXPIRED)
        return standby

    async def async_offered(self, offer: StandbyOffer) -> None:
        """Note an offer and ask the owner. The same offer again changes nothing."""
        known = self._hub.state.standbys.get(offer.home_space)
        if (known is not None and known.id == offer.standby) or offer.home_space not in self._hub.space_ids:
            return
        standby = Standby(
            id=offer.standby,
            home_space=offer.home_space,
            state=StandbyState.OFFERED,
            address=offer.address,
            name=offer.name,
            latitude=offer.latitude,
            longitude=offer.longitude,
            start=offer.start,
            end=offer.end,
            distance_m=offer.distance_m,
            walk_s=offer.walk_s,
            expires_at=offer.expires_at,
            space=offer.space,
            seal_key=offer.seal_key,
        )
        await self._async_keep(standby)

    async def async_none(self, none: StandbyNone) -> None:
        """Nothing was found: say so, an owner who hears nothing waits in the street."""
        if none.home_space not in self._hub.space_ids:
            return
        grant = self._hub.grants.get(none.booking)
        now = time.time()
        await self._async_keep(
            Standby(
                id="",
                home_space=none.home_space,
                state=StandbyState.NONE,
                start=now,
                end=grant.end if grant is not None and grant.end > now else now + NONE_SHOWN_FOR,
            )
        )

    async def async_ended(self, ended: StandbyEnded) -> None:
        """Note what became of a standby."""
        standby = self._hub.state.standbys.get(ended.home_space)
        if standby is None or standby.id != ended.standby:
            return
        try:
            state = StandbyState(ended.state)
        except ValueError:
            state = StandbyState.CANCELED  # a word of a newer backend: whatever it is, the space is not theirs
        if state is not standby.state:
            await self._async_keep(replace(standby, state=state))

    async def async_accept(self, space_id: str) -> None:
        """Take the offered space: the owner's plate goes sealed to that space. Raises HomeAssistantError."""
        # One after the other: who presses twice gets one booking.
        async with self._answering:
            await self._async_accept(space_id)

    async def _async_accept(self, space_id: str) -> None:
        standby = self._offered(space_id)
        if not (plate := self._plate_of(space_id)):
            raise _error("owner_plate_missing")
        if not standby.own_booking:
            booking = str(uuid7())
            try:
                sealed = seal(plate, key=standby.seal_key, booking=booking, space=standby.space)
            except SealError as err:
                raise _error("standby_not_sealable") from err
            # Kept before it is sent: when the answer is lost, the second try is the same booking.
            standby = replace(standby, own_booking=booking, sealed_plate=sealed)
            await self._hub.async_keep_standby(standby)
        await self._async_ask(
            "standby.accept",
            {"standby": standby.id, "booking": standby.own_booking, "sealed_plate": standby.sealed_plate},
            key=standby.own_booking,
        )
        # The answer and standby.ended race: what the event said is newer.
        current = self._hub.state.standbys.get(space_id)
        if current is not None and current.id == standby.id and current.state is StandbyState.OFFERED:
            await self._async_keep(replace(current, state=StandbyState.ACCEPTED))

    async def async_decline(self, space_id: str) -> None:
        """Give the offered space back. Raises HomeAssistantError."""
        standby = self._offered(space_id)
        await self._async_ask("standby.decline", {"standby": standby.id}, key=f"decline-{standby.id}")
        current = self._hub.state.standbys.get(space_id)
        if current is not None and current.id == standby.id and current.state is StandbyState.OFFERED:
            await self._async_keep(replace(current, state=StandbyState.DECLINED))

    def _offered(self, space_id: str) -> Standby:
        standby = self.of(space_id)
        if standby is None or standby.state is not StandbyState.OFFERED:
            raise _error("no_standby_offered")
        return standby

    async def _async_ask(self, t: str, d: dict[str, str], *, key: str) -> None:
        try:
            await self._hub.async_request(t, d, key=key)
        except (NotConnectedError, RequestTimeoutError) as err:
            raise _error("not_connected") from err
        except RequestRefusedError as err:
            raise _error("backend_refused", reason=str(err)) from err

    async def _async_keep(self, standby: Standby) -> None:
        await self._hub.async_keep_standby(standby)
        await self._async_tell(standby)
        self._wait()

    async def _async_tell(self, standby: Standby) -> None:
        hass = self._hub.hass
        notification_id = f"{DOMAIN}_standby_{standby.home_space}"
        texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
        prefix = f"component.{DOMAIN}.common.standby_{standby.state}"
        if (message := texts.get(f"{prefix}_message")) is None:
            persistent_notification.async_dismiss(hass, notification_id)
            return
        home = self._hub.title_of(standby.home_space)
        words = {
            "home": home,
            "name": standby.name,
            "address": standby.address or standby.name,
            "start": _clock(standby.start),
            "end": _clock(standby.end),
            "answer_by": _clock(standby.expires_at),
            "distance": round(standby.distance_m or 0),
            "walk": max(1, round((standby.walk_s or 0) / 60)),
        }
        shown = {key: _as_text(word) if isinstance(word, str) else word for key, word in words.items()}
        message = message.format(**shown)
        if standby.state is StandbyState.OFFERED and not self._plate_of(standby.home_space):
            message += "\n\n" + texts[f"component.{DOMAIN}.common.standby_plate_missing"].format(**shown)
        title = texts.get(f"{prefix}_title", home).format(**words)
        persistent_notification.async_create(hass, message, title, notification_id)

    def _plate_of(self, space_id: str) -> str:
        return str(self._hub.subentry_of(space_id).data.get(CONF_OWNER_PLATE, ""))

    def _wait(self) -> None:
        """Look again when the next offer runs out or the next standby ends, whatever the backend says."""
        self.stop()
        now = time.time()
        times = [at for each in self._hub.state.standbys.values() for at in (each.expires_at, each.end) if at]
        if (due := min((at for at in times if at > now), default=None)) is not None:
            self._timer = async_call_later(self._hub.hass, due - now + 1, self._async_look_again)

    @callback
    def _async_look_again(self, _now: datetime) -> None:
        self._timer = None
        for standby in self._hub.state.standbys.values():
            shown = self.of(standby.home_space)
            if shown is None or shown.state is not standby.state:
                persistent_notification.async_dismiss(self._hub.hass, f"{DOMAIN}_standby_{standby.home_space}")
        self._hub.async_update_listeners()
        self._wait()


def _is_late(standby: Standby, now: float) -> bool:
    return standby.state is StandbyState.OFFERED and standby.expires_at is not None and standby.expires_at <= now


def _as_text(words: str) -> str:
    """Make markdown show words as they are."""
    return MARKDOWN.sub(r"\\\1", " ".join(words.split())).replace("<", "&lt;").replace(">", "&gt;")


def _clock(at: float | None) -> str:
    """A time as the house's clock shows it; with the date unless it is today."""
    if at is None:
        return ""
    local = dt_util.as_local(datetime.fromtimestamp(at, UTC))
    return local.strftime("%H:%M") if local.date() == dt_util.now().date() else local.strftime("%Y-%m-%d %H:%M")


def _error(key: str, **placeholders: str) -> HomeAssistantError:
    return HomeAssistantError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)
