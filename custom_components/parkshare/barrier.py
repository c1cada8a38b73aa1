"""The barrier of a space: one adapter for lock, cover, valve and switch entities.

A command that was sent is not a command that was done: only the entity's own state says so. Locked or closed is up
(nobody gets in), unlocked or open is down; for a switch the owner said what "on" means.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.components.cover import ATTR_CURRENT_POSITION, CoverState
from homeassistant.components.lock.const import LockState
from homeassistant.components.valve.const import ValveState
from homeassistant.const import (
    ATTR_ASSUMED_STATE,
    ATTR_ENTITY_ID,
    SERVICE_CLOSE_COVER,
    SERVICE_CLOSE_VALVE,
    SERVICE_LOCK,
    SERVICE_OPEN_COVER,
    SERVICE_OPEN_VALVE,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    SERVICE_UNLOCK,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, State, callback, split_entity_id
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .const import LOGGER
from .gate.rules import may_carry_out
from .gate.words import Command, FaultKind, Position

OPEN_ENOUGH = 95  # percent; motors stop a little before their end

SERVICES: dict[str, dict[Position, str]] = {
    "lock": {Position.UP: SERVICE_LOCK, Position.DOWN: SERVICE_UNLOCK},
    "cover": {Position.UP: SERVICE_CLOSE_COVER, Position.DOWN: SERVICE_OPEN_COVER},
    "valve": {Position.UP: SERVICE_CLOSE_VALVE, Position.DOWN: SERVICE_OPEN_VALVE},
}
STATES: dict[str, dict[str, Position]] = {
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierTiming:
    """How patient the adapter is; all in seconds."""

    # From the command to the entity's own word, or to the first sign that it moves.
    confirm: float = 15.0
    # A motor that reports its way may take so long.
    travel: float = 30.0
    # Before the second and the third try.
    back_off: tuple[float, ...] = (2.0, 4.0)


class BarrierError(Exception):
    """The barrier did not do it."""

    def __init__(self, kind: FaultKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class Barrier:
    """The barrier of one space. on_means ("up" or "down") counts for a switch only."""

    def __init__(
        self, hass: HomeAssistant, entity_id: str, *, on_means: str | None, timing: BarrierTiming = BarrierTiming()
    ) -> None:
        self.entity_id = entity_id
        self._hass = hass
        self._timing = timing
        self._domain = split_entity_id(entity_id)[0]
        on, off = (Position.DOWN, Position.UP) if on_means == Position.DOWN else (Position.UP, Position.DOWN)
        self._services = SERVICES.get(self._domain, {on: SERVICE_TURN_ON, off: SERVICE_TURN_OFF})
        self._states = STATES.get(self._domain, {STATE_ON: on, STATE_OFF: off})

    @property
    def position(self) -> Position:
        """Where the barrier is, by its own word."""
        return self.position_of(self._hass.states.get(self.entity_id))

    def position_of(self, state: State | None) -> Position:
        """What a state of the entity says. Half open is neither up nor down."""
        if state is None:
            return Position.UNKNOWN
        position = self._states.get(state.state, Position.UNKNOWN)
        share = state.attributes.get(ATTR_CURRENT_POSITION)
        if position is Position.DOWN and isinstance(share, int | float) and share < OPEN_ENOUGH:
            return Position.UNKNOWN
        return position

    async def async_move(self, command: Command) -> None:
        """Move the barrier, up to three times while the command is valid; on return it is where it should be.

        Raises BarrierError with what is wrong. Cancelling stops further tries.
        """
        failure = FaultKind.NO_ANSWER
        for pause in (0.0, *self._timing.back_off):
            if pause:
                await asyncio.sleep(pause)
                if self.position is command.target:
                    return
                if self.position is Position.JAMMED:
                    # Trying again against an obstacle is what burns motors.
                    raise BarrierError(FaultKind.JAMMED)
            tried = await self._try(command)
            if tried is None:
                return
            failure = tried
            if not may_carry_out(command, _now()):
                break
        raise BarrierError(failure)

    async def _try(self, command: Command) -> FaultKind | None:
        """Try once; returns None when it is done, else what was in the way."""
        if self._hass.states.get(self.entity_id) is None:
            return FaultKind.MISSING
        if not await self._until(self._available, self._timing.confirm):
            return FaultKind.UNAVAILABLE
        if not may_carry_out(command, _now()):
            return FaultKind.NO_ANSWER
        if self.position is command.target and not self._assumed():
            return None
        await self._call(self._services[command.target])
        return None if await self._confirmed(command.target) else FaultKind.NO_ANSWER

    async def _call(self, service: str) -> None:
        context = Context()
        try:
            async with asyncio.timeout(self._timing.confirm):
                await self._hass.services.async_call(
                    self._domain, service, {ATTR_ENTITY_ID: self.entity_id}, blocking=True, context=context
                )
        except Exception as err:  # noqa: BLE001 - an integration may raise anything; the state says what came of it
            LOGGER.warning("The barrier %s did not take %s: %s", self.entity_id, service, err or type(err).__name__)

    async def _confirmed(self, target: Position) -> bool:
        """Wait for the entity's own word. While it says that it moves, it may take its time."""
        if await self._until(lambda: self.position is target, self._timing.confirm):
            return True
        return (
            self.position is Position.MOVING
            and await self._until(lambda: self.position is not Position.MOVING, self._timing.travel)
            and self.position is target
        )

    async def _until(self, true: Callable[[], bool], limit: float) -> bool:
        """Wait until something is true of the entity; returns whether it became so within limit seconds."""
        if true():
            return True
        became = asyncio.Event()

        @callback
        def changed(_event: Event[EventStateChangedData]) -> None:
            if true():
                became.set()

        end = async_track_state_change_event(self._hass, self.entity_id, changed)
        try:
            async with asyncio.timeout(limit):
                await became.wait()
        except TimeoutError:
            return true()
        finally:
            end()
        return True

    def _available(self) -> bool:
        state = self._hass.states.get(self.entity_id)
        return state is not None and state.state != STATE_UNAVAILABLE

    def _assumed(self) -> bool:
        """Tell whether the state is only what was sent last: then an equal state is no reason not to send."""
        state = self._hass.states.get(self.entity_id)
        return state is not None and bool(state.attributes.get(ATTR_ASSUMED_STATE))


def _now() -> float:
    return dt_util.utcnow().timestamp()
