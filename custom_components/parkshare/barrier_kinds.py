"""What can be a barrier: which entities, by which actions they move, and what their states say.

Locked or closed is up (nobody gets in), unlocked or open is down; for a switch the owner said what "on" means.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from homeassistant.components.cover import (
    ATTR_CURRENT_POSITION,
    ATTR_POSITION,
    CoverDeviceClass,
    CoverEntityFeature,
    CoverState,
)
from homeassistant.components.lock.const import DOMAIN as LOCK_DOMAIN, LockState
from homeassistant.components.valve.const import ValveDeviceClass, ValveEntityFeature, ValveState
from homeassistant.const import (
    ATTR_CODE_FORMAT,
    ATTR_DEVICE_CLASS,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_CLOSE_COVER,
    SERVICE_CLOSE_VALVE,
    SERVICE_LOCK,
    SERVICE_OPEN_COVER,
    SERVICE_OPEN_VALVE,
    SERVICE_SET_COVER_POSITION,
    SERVICE_SET_VALVE_POSITION,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    SERVICE_UNLOCK,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er

from .gate.words import Position

OPEN_ENOUGH: Final = 95  # percent; motors stop a little before their end

OPTION_DEFAULT_CODE: Final = "default_code"

SERVICES: Final[dict[str, dict[Position, str]]] = {
    "lock": {Position.UP: SERVICE_LOCK, Position.DOWN: SERVICE_UNLOCK},
    "cover": {Position.UP: SERVICE_CLOSE_COVER, Position.DOWN: SERVICE_OPEN_COVER},
    "valve": {Position.UP: SERVICE_CLOSE_VALVE, Position.DOWN: SERVICE_OPEN_VALVE},
}
STATES: Final[dict[str, dict[str, Position]]] = {
    "lock": {
        LockState.LOCKED: Position.UP,
        LockState.UNLOCKED: Position.DOWN,
        LockState.OPEN: Position.DOWN,
        LockState.LOCKING: Position.MOVING,
        LockState.UNLOCKING: Position.MOVING,
        LockState.OPENING: Position.MOVING,
        LockState.JAMMED: Position.JAMMED,
    },
    "cover": {
        CoverState.CLOSED: Position.UP,
        CoverState.OPEN: Position.DOWN,
        CoverState.CLOSING: Position.MOVING,
        CoverState.OPENING: Position.MOVING,
    },
    "valve": {
        ValveState.CLOSED: Position.UP,
        ValveState.OPEN: Position.DOWN,
        ValveState.CLOSING: Position.MOVING,
        ValveState.OPENING: Position.MOVING,
    },
}
# By which feature a thing goes up and down, and by which it goes to any position.
NEEDED: Final[dict[str, dict[Position, int]]] = {
    "cover": {Position.UP: CoverEntityFeature.CLOSE, Position.DOWN: CoverEntityFeature.OPEN},
    "valve": {Position.UP: ValveEntityFeature.CLOSE, Position.DOWN: ValveEntityFeature.OPEN},
}
ANY_POSITION: Final[dict[str, tuple[int, str]]] = {
    "cover": (CoverEntityFeature.SET_POSITION, SERVICE_SET_COVER_POSITION),
    "valve": (ValveEntityFeature.SET_POSITION, SERVICE_SET_VALVE_POSITION),
}
SHARES: Final[dict[Position, int]] = {Position.UP: 0, Position.DOWN: 100}
TILTS: Final = (
    CoverEntityFeature.OPEN_TILT
    | CoverEntityFeature.CLOSE_TILT
    | CoverEntityFeature.SET_TILT_POSITION
    | CoverEntityFeature.STOP_TILT
)
# Which classes keep a car out when closed is decided by what is left after these. A door, a garage and a gate do; a
# shutter too, for many rolling gates are driven by a shutter's motor and called so; and so may what has no class, as
# most relays and kits have none. The class of an entity can be changed in its settings when it is wrong.
UNSUITABLE: Final[Mapping[str, frozenset[str]]] = {
    # A roof, cloth and slats in front of a window, the window itself, and an air duct: no car is stopped by them.
    "cover": frozenset(
        {
            CoverDeviceClass.AWNING,
            CoverDeviceClass.BLIND,
            CoverDeviceClass.CURTAIN,
            CoverDeviceClass.SHADE,
            CoverDeviceClass.WINDOW,
            CoverDeviceClass.DAMPER,
        }
    ),
    # A hydraulic bollard has a valve, but one of neither class: those are the pipes of the house.
    "valve": frozenset({ValveDeviceClass.WATER, ValveDeviceClass.GAS}),
}


class Unfit(StrEnum):
    """Why an entity can't be a barrier as it is. Each is the key of a text."""

    CLASS = "barrier_class"
    TILTS_ONLY = "barrier_tilts_only"
    ONE_WAY = "barrier_one_way"
    NEEDS_CODE = "barrier_needs_code"


@callback
def unfit(hass: HomeAssistant, entity_id: str) -> Unfit | None:
    """Tell why an entity can't be a barrier; None if it can, or as long as it does not say what it is."""
    state = hass.states.get(entity_id)
    if state is None:
        return None
    if state.attributes.get(ATTR_DEVICE_CLASS) in UNSUITABLE.get(state.domain, frozenset()):
        return Unfit.CLASS
    features = _features(state)
    if features is not None and not all(_action(state, target) for target in SHARES):
        only_tilts = state.domain == "cover" and features & TILTS and not features & ~TILTS
        return Unfit.TILTS_ONLY if only_tilts else Unfit.ONE_WAY
    return Unfit.NEEDS_CODE if _needs_code(hass, state) else None


def action_of(state: State, target: Position, switch: dict[Position, str]) -> tuple[str, dict[str, Any]] | None:
    """Return the action that moves a thing to up or down, and what to say with it; None if there is none.

    switch is what a switch has to be told, which its owner said.
    """
    if state.domain not in SERVICES:
        return switch[target], {}
    return _action(state, target)


def _action(state: State, target: Position) -> tuple[str, dict[str, Any]] | None:
    service = SERVICES[state.domain][target]
    features = _features(state)
    if features is None or features & NEEDED[state.domain][target]:
        return service, {}
    any_position, service = ANY_POSITION[state.domain]
    return (service, {ATTR_POSITION: SHARES[target]}) if features & any_position else None


def switch_services(on: Position) -> dict[Position, str]:
    """What a switch is told when "on" is up or down."""
    off = Position.UP if on is Position.DOWN else Position.DOWN
    return {on: SERVICE_TURN_ON, off: SERVICE_TURN_OFF}


def switch_states(on: Position) -> dict[str, Position]:
    """What the states of a switch say when "on" is up or down."""
    return {STATE_ON: on, STATE_OFF: Position.UP if on is Position.DOWN else Position.DOWN}


def position_of(state: State | None, switch: dict[str, Position]) -> Position:
    """What a state says. Half open is neither up nor down, and a thing whose words disagree is nowhere."""
    if state is None:
        return Position.UNKNOWN
    position = STATES.get(state.domain, switch).get(state.state, Position.UNKNOWN)
    share = state.attributes.get(ATTR_CURRENT_POSITION)
    if not isinstance(share, int | float):
        return position
    if (position is Position.DOWN and share < OPEN_ENOUGH) or (position is Position.UP and share >= OPEN_ENOUGH):
        return Position.UNKNOWN
    return position


def _features(state: State) -> int | None:
    """The features of a cover or a valve; None for what has none to tell."""
    features = state.attributes.get(ATTR_SUPPORTED_FEATURES)
    return features if state.domain in NEEDED and isinstance(features, int) else None


def _needs_code(hass: HomeAssistant, state: State) -> bool:
    """Tell whether a lock wants a code that nobody gave it: ParkShare has none, and asks for none.

    The lock's own default code, in Home Assistant's settings of the entity, is used for every action without one.
    """
    wanted = state.attributes.get(ATTR_CODE_FORMAT) if state.domain == LOCK_DOMAIN else None
    if not isinstance(wanted, str):
        return False
    entry = er.async_get(hass).async_get(state.entity_id)
    options: Mapping[str, Any] = (entry.options.get(LOCK_DOMAIN) if entry else None) or {}
    given = str(options.get(OPTION_DEFAULT_CODE) or "")
    try:
        return re.match(wanted, given) is None
    except re.error:
        return not given
