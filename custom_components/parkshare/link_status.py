"""How the link stands, and what of that the owner has to see to."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from . import issues
from .clock_watch import ClockWatch
from .const import LOGGER
from .link.session import LinkState

UNREACHABLE_AFTER: Final = 15 * 60.0  # s; a restart or an upgrade of the backend is not worth a repair
# Two houses with one key take turns, each for about five minutes: only a link that stays is a house that is alone.
ALONE_AFTER: Final = 20 * 60.0  # s
OWNER_MENDS: Final[Mapping[LinkState, str]] = {
    LinkState.UPGRADE_NEEDED: issues.UPGRADE_NEEDED,
    LinkState.WRONG_HOST: issues.WRONG_HOST,
    LinkState.UNTRUSTED: issues.CERTIFICATE_UNTRUSTED,
    LinkState.PAIR_AGAIN: issues.INSTALL_REFUSED,
    LinkState.TAKEN_OVER: issues.TAKEN_OVER,
}


class LinkStatus:
    """Notes each change of the link, says it once in the log, and keeps the repairs that follow from it."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, clock_was_set: Callable[[], None]) -> None:
        self.connected = False
        self.why = ""
        self.clock = ClockWatch(hass, entry, was_set=clock_was_set)
        self._hass = hass
        self._entry = entry
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self._end_clock: CALLBACK_TYPE = _nothing
        self._said_down = False

    @callback
    def start(self) -> None:
        """Begin to wait for the backend."""
        self._end_clock = self.clock.start()
        self._wait_for(issues.BACKEND_UNREACHABLE, UNREACHABLE_AFTER)

    @callback
    def stop(self) -> None:
        """End all waiting."""
        self._end_clock()
        self._end_clock = _nothing
        for issue in tuple(self._timers):
            self._wait_no_more_for(issue)

    @callback
    def note(self, state: LinkState, why: str) -> None:
        """Take a change in."""
        self.connected, self.why = state is LinkState.CONNECTED, why
        if self.connected:
            LOGGER.info("Connected")
            self._clear(
                issues.BACKEND_UNREACHABLE, *(issue for issue in OWNER_MENDS.values() if issue != issues.TAKEN_OVER)
            )
            self._wait_for(issues.TAKEN_OVER, ALONE_AFTER)
        else:
            if not self._said_down:
                LOGGER.info("Disconnected: %s. Grants that are stored go on working", why)
            self._wait_no_more_for(issues.TAKEN_OVER)
            if issue := OWNER_MENDS.get(state):
                self._clear(issues.BACKEND_UNREACHABLE)
                issues.async_raise(self._hass, self._entry, issue)
            else:
                self._wait_for(issues.BACKEND_UNREACHABLE, UNREACHABLE_AFTER)
        self._said_down = not self.connected

    def _clear(self, *kinds: str) -> None:
        self._wait_no_more_for(issues.BACKEND_UNREACHABLE)
        issues.async_clear(self._hass, self._entry, *kinds)

    def _wait_for(self, issue: str, seconds: float) -> None:
        if issue in self._timers:
            return

        @callback
        def over(_now: datetime) -> None:
            # Not waited for again before the link has changed.
            self._timers[issue] = _nothing
            if issue == issues.BACKEND_UNREACHABLE:
                issues.async_raise(self._hass, self._entry, issue)
            else:
                issues.async_clear(self._hass, self._entry, issue)

        self._timers[issue] = async_call_later(self._hass, seconds, over)

    def _wait_no_more_for(self, issue: str) -> None:
        self._timers.pop(issue, _nothing)()


def _nothing() -> None:
    """The timer has run: there is nothing to cancel."""
