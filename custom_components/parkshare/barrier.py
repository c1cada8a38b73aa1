"""The barrier of a space: one adapter for lock, cover, valve and switch entities.

A command that was sent is not a command that was done: only the entity's own state says so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.components.cover import ATTR_CURRENT_POSITION
from homeassistant.const import ATTR_ASSUMED_STATE, ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.helpers.event import async_track_state_change_event, async_track_state_report_event
from homeassistant.util import dt as dt_util

from .attribution import own_context
from .barrier_kinds import action_of, position_of, switch_services, switch_states
from .const import LOGGER
from .gate.rules import may_carry_out
from .gate.words import Command, FaultKind, Position


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
        on = Position.DOWN if on_means == Position.DOWN else Position.UP
        self._services, self._states = switch_services(on), switch_states(on)
        self._calls: set[asyncio.Task[None]] = set()
        # Where it was sent last, as long as it has not said that it is there: it may be on its way without a word.
        self._sent: Position | None = None

    @property
    def position(self) -> Position:
        """Where the barrier is, by its own word."""
        return self.position_of(self._state)

    def position_of(self, state: State | None) -> Position:
        """What a state of the entity says."""
        return position_of(state, self._states)

    async def async_move(self, command: Command) -> None:
        """Move the barrier, up to three times while the command is valid; on return it is where it should be.

        Raises BarrierError with what is wrong. Cancelling stops further tries.
        """
        try:
            await self._async_try_on(command)
        finally:
            # Whatever an integration still does for this command would come after its time, or against a newer one.
            while self._calls:
                self._calls.pop().cancel()

    async def _async_try_on(self, command: Command) -> None:
        failure: FaultKind | None = None
        # Up is sent once: a lock that obeys late would come up on a second one when nobody looks any more. Failing to
        # rise costs a walk to the button.
        again = () if command.target is Position.UP else self._timing.back_off
        for pause in (0.0, *again):
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
            if tried is not FaultKind.TOO_LATE:
                failure = tried
            if failure is FaultKind.JAMMED or not may_carry_out(command, _now()):
                break
        raise BarrierError(failure or FaultKind.TOO_LATE)

    async def _try(self, command: Command) -> FaultKind | None:
        """Try once; returns None when it is done, else what was in the way."""
        if self._state is None:
            return FaultKind.MISSING
        if not await self._until(self._available, min(self._timing.confirm, command.expires_at - _now())):
            return FaultKind.UNAVAILABLE
        state = self._state
        if state is None or not may_carry_out(command, _now()):
            return FaultKind.TOO_LATE
        elsewhere = self._sent not in (None, command.target)
        believed = not command.insist and not elsewhere and not state.attributes.get(ATTR_ASSUMED_STATE)
        if self.position is command.target and believed:
            return None
        if (action := action_of(state, command.target, self._services)) is None:
            LOGGER.warning("The barrier %s has no way to go %s", self.entity_id, command.target)
            return FaultKind.NO_ANSWER
        return await self._outcome(command.target, *action)

    async def _outcome(self, target: Position, service: str, more: dict[str, Any]) -> FaultKind | None:
        """Send it and wait for the entity's own word. As long as it tells of its way, it may take its time."""
        word = _Word(self._hass, self.entity_id, lambda: self.position)
        try:
            # Not waited for: some integrations come back only when the motor is done, others never do.
            call = self._call(service, {ATTR_ENTITY_ID: self.entity_id} | more)
            stale, self._sent = self.position is target, target
            sent = self._hass.async_create_background_task(call, f"parkshare {self.entity_id} {service}")
            self._calls.add(sent)
            if stale:
                # It said so before it was told: that it was told is all there is to know.
                await asyncio.wait({sent}, timeout=self._timing.confirm)
            async with asyncio.timeout(self._timing.confirm) as patience:
                end = asyncio.get_running_loop().time() + self._timing.confirm + self._timing.travel
                while self.position is not target:
                    if word.jammed:
                        return FaultKind.JAMMED
                    await word.next()
                    if self.position is Position.MOVING or word.on_its_way:
                        patience.reschedule(end)
        except TimeoutError:
            return None if self.position is target else FaultKind.NO_ANSWER
        finally:
            word.end()
        self._sent = None
        return None

    async def _call(self, service: str, given: dict[str, Any]) -> None:
        context = own_context(self._hass)
        try:
            await self._hass.services.async_call(self._domain, service, given, blocking=True, context=context)
        except Exception as err:  # noqa: BLE001 - an integration may raise anything; the state says what came of it
            # Its text may hold a lock's code or an address.
            LOGGER.warning("The barrier %s did not take %s: %s", self.entity_id, service, type(err).__name__)

    async def _until(self, true: Callable[[], bool], limit: float) -> bool:
        """Wait until something is true of the entity; returns whether it became so within limit seconds."""
        word = _Word(self._hass, self.entity_id, lambda: self.position)
        try:
            async with asyncio.timeout(limit):
                while not true():
                    await word.next()
        except TimeoutError:
            return true()
        finally:
            word.end()
        return True

    def _available(self) -> bool:
        return self._state is not None and self._state.state != STATE_UNAVAILABLE

    @property
    def _state(self) -> State | None:
        return self._hass.states.get(self.entity_id)


class _Word:
    """What an entity has said since this was made; end() stops listening."""

    def __init__(self, hass: HomeAssistant, entity_id: str, position: Callable[[], Position]) -> None:
        # A jam of before, which the entity did not repeat, may be over: somebody removed what was in the way.
        self.jammed = False
        # Half open, and not where it was: it moves, though it has no word for that.
        self.on_its_way = False
        self._position = position
        self._said = asyncio.Event()
        self._ends = (
            async_track_state_change_event(hass, entity_id, self._changed),
            async_track_state_report_event(hass, entity_id, self._repeated),
        )

    async def next(self) -> None:
        """Wait until it says something, also the same again."""
        await self._said.wait()
        self._said.clear()

    def end(self) -> None:
        for end in self._ends:
            end()

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        said = event.data["new_state"]
        tells_position = said is not None and ATTR_CURRENT_POSITION in said.attributes
        self.on_its_way = tells_position and self._position() is Position.UNKNOWN
        self._hear()

    @callback
    def _repeated(self, _event: Event[EventStateReportedData]) -> None:
        self._hear()

    def _hear(self) -> None:
        self.jammed = self._position() is Position.JAMMED
        self._said.set()


def _now() -> float:
    return dt_util.utcnow().timestamp()
