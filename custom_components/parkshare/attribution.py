"""Who moved a barrier: ParkShare, a person in Home Assistant, an automation, or a hand at the barrier itself.

Home Assistant passes a Context from an action to the state that follows from it, but only for a few seconds, and
entities that hear of their state later (MQTT, polling) write it without one. So the last action for the barrier is
remembered for as long as a motor takes.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from homeassistant.components.cover import CoverState
from homeassistant.components.lock.const import LockState
from homeassistant.components.valve.const import ValveState
from homeassistant.const import (
    ATTR_DOMAIN,
    ATTR_ENTITY_ID,
    ATTR_SERVICE,
    ATTR_SERVICE_DATA,
    ENTITY_MATCH_ALL,
    EVENT_CALL_SERVICE,
    SERVICE_CLOSE_COVER,
    SERVICE_CLOSE_VALVE,
    SERVICE_LOCK,
    SERVICE_OPEN,
    SERVICE_OPEN_COVER,
    SERVICE_OPEN_VALVE,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    SERVICE_UNLOCK,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    DOMAIN as HOMEASSISTANT_DOMAIN,
    Context,
    Event,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.util.hass_dict import HassKey

# From an action to the last state that follows from it: the adapter's own patience with an answer and with a motor.
TRAVEL: Final = 45.0  # s
REMEMBERED: Final = 32  # contexts of ours; a barrier has at most three in flight
EARLY: Final = 1.0  # s; a state may carry a time from just before the action that is written down after it

_OPENED: Final = frozenset({LockState.UNLOCKED, LockState.UNLOCKING, LockState.OPEN, LockState.OPENING})
# The states that an action leads to. One that is not here, like toggle, may lead to any; so may states that are no end.
LEADS_TO: Final[dict[str, frozenset[str]]] = {
    SERVICE_LOCK: frozenset({LockState.LOCKED, LockState.LOCKING}),
    SERVICE_UNLOCK: _OPENED,
    SERVICE_OPEN: _OPENED,
    SERVICE_OPEN_COVER: frozenset({CoverState.OPEN, CoverState.OPENING}),
    SERVICE_CLOSE_COVER: frozenset({CoverState.CLOSED, CoverState.CLOSING}),
    SERVICE_OPEN_VALVE: frozenset({ValveState.OPEN, ValveState.OPENING}),
    SERVICE_CLOSE_VALVE: frozenset({ValveState.CLOSED, ValveState.CLOSING}),
    SERVICE_TURN_ON: frozenset({STATE_ON}),
    SERVICE_TURN_OFF: frozenset({STATE_OFF}),
}
_WAYS: Final = frozenset[str]().union(*LEADS_TO.values())

type Kind = Literal["parkshare", "person", "automation", "device"]

OURS: Final[HassKey[deque[str]]] = HassKey("parkshare_contexts")


@dataclass(frozen=True, slots=True)
class Hand:
    """Who moved it; user_id is that of a person in Home Assistant. "device": by hand, by remote control, by itself."""

    kind: Kind
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    service: str
    context: Context
    at: float


@callback
def own_context(hass: HomeAssistant) -> Context:
    """Make the context of an action of ours, by which its effects are known as ours."""
    context = Context()
    hass.data.setdefault(OURS, deque(maxlen=REMEMBERED)).append(context.id)
    return context


class Attribution:
    """Tells who is behind the states of one barrier. It listens between start() and what that returns."""

    def __init__(self, hass: HomeAssistant, entity_id: str, *, travel: float = TRAVEL) -> None:
        self._hass = hass
        self._entity_id = entity_id
        self._domains = (split_entity_id(entity_id)[0], HOMEASSISTANT_DOMAIN)
        self._travel = travel
        self._last: _Call | None = None

    @callback
    def start(self) -> CALLBACK_TYPE:
        """Remember actions from now on."""
        return self._hass.bus.async_listen(EVENT_CALL_SERVICE, self._called, event_filter=self._is_for_our_kind)

    @callback
    def who(self, state: State) -> Hand:
        """Tell who is behind a state of the barrier."""
        if hand := self._hand_of(state.context):
            return hand
        call = self._last
        if call is None or not self._may_follow(state, call):
            return Hand("device")
        # A context that is nobody's, of an action: a schedule, or Home Assistant itself.
        return self._hand_of(call.context) or Hand("automation")

    def _hand_of(self, context: Context) -> Hand | None:
        ours = self._hass.data.get(OURS, ())
        if context.id in ours:
            return Hand("parkshare")
        if context.user_id:
            return Hand("person", context.user_id)
        return Hand("automation") if context.parent_id else None

    def _may_follow(self, state: State, call: _Call) -> bool:
        if state.context.id == call.context.id:
            return True
        leads_to = LEADS_TO.get(call.service)
        against = leads_to is not None and state.state in _WAYS and state.state not in leads_to
        return not against and -EARLY <= state.last_updated_timestamp - call.at <= self._travel

    @callback
    def _is_for_our_kind(self, data: Mapping[str, Any]) -> bool:
        return data.get(ATTR_DOMAIN) in self._domains

    @callback
    def _called(self, event: Event[Mapping[str, Any]]) -> None:
        given = event.data.get(ATTR_SERVICE_DATA) or {}
        if self._targets_us(given):
            self._last = _Call(event.data[ATTR_SERVICE], event.context, event.time_fired_timestamp)

    def _targets_us(self, given: dict[str, Any]) -> bool:
        """Tell whether an action is for our barrier: by name, in a group, by its device, area, floor or label."""
        if given.get(ATTR_ENTITY_ID) == ENTITY_MATCH_ALL:
            return True
        found = async_extract_referenced_entity_ids(self._hass, TargetSelection(given))
        return self._entity_id in found.referenced | found.indirectly_referenced
