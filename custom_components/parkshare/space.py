"""The shell of one space: what Home Assistant and the backend say goes into the gate, what the gate asks for is done.

The gate decides (gate/core.py). Here is only: state and timer in, store, intent out. Each change is on disk before
anything is done because of it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import (
    async_track_point_in_utc_time,
    async_track_state_change_event,
    async_track_state_report_event,
)
from homeassistant.util import dt as dt_util

from .barrier import Barrier, BarrierTiming
from .bay import says, seen_at
from .const import (
    CONF_BARRIER,
    CONF_BARRIER_ON_MEANS,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_LATITUDE,
    CONF_LONGITUDE,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_RANGE_M,
    CONF_SPACE_ID,
    DOMAIN,
    LOGGER,
)
from .gate import words as w
from .gate.core import deadline, look_pace, step
from .gate.grant import Grant
from .gate.nearness import NearnessPolicy
from .gate.policy import DEFAULT_POLICY, GatePolicy
from .gate.rules import raise_refusal
from .hands import Hands
from .ledger import Ledger, report_of
from .link.facts import format_time
from .looking import Stopwatch
from .notices import Notices
from .owner import OwnerWatch
from .pictures import SpaceCamera
from .recognition import Look, Verdict

if TYPE_CHECKING:
    from .hub import ParkShareHub

DEFAULT_RANGE_M: Final = 500.0
EVENT_TYPES: Final = {w.Decision.ADMIT: "admitted", w.Decision.REFUSE: "refused", w.Decision.UNSURE: "unsure"}
LOWERED: Final = "lowered"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateEvent:
    """Something that happened at the barrier, for people and automations. No plate in it."""

    type: str
    by: str
    alias: str
    milliseconds: dict[str, int]


class SpaceRuntime:
    """One space while it is loaded. Starting and stopping it never moves the barrier."""

    def __init__(
        self,
        hass: HomeAssistant,
        hub: ParkShareHub,
        subentry: ConfigSubentry,
        *,
        policy: GatePolicy = DEFAULT_POLICY,
        timing: BarrierTiming | None = None,
    ) -> None:
        settings = subentry.data
        self.hass = hass
        self.hub = hub
        self.subentry = subentry
        self.space_id: str = settings[CONF_SPACE_ID]
        self.gate = w.Gate()
        self.policy = policy
        self.last_verdict: Verdict | None = None
        self.last_timings: dict[str, int] = {}
        self.barrier = Barrier(
            hass,
            settings[CONF_BARRIER],
            on_means=settings.get(CONF_BARRIER_ON_MEANS),
            timing=timing or BarrierTiming(),
        )
        self.owner = OwnerWatch(
            hass,
            settings.get(CONF_OWNER),
            place=(float(settings[CONF_LATITUDE]), float(settings[CONF_LONGITUDE])),
            policy=NearnessPolicy(range_m=float(settings.get(CONF_RANGE_M) or DEFAULT_RANGE_M)),
            booked=lambda now: any(right.start <= now < right.end for right in self.gate.rights),
            report=lambda t, at: self._report(t, {"space": self.space_id, "at": format_time(at)}),
            changed=lambda: self._work(()),
        )
        self._sources: tuple[str, ...] = tuple(settings.get(CONF_OCCUPANCY) or ())
        self._notices = Notices(hass, self.space_id, subentry.title, self.barrier.entity_id)
        self._watch = Stopwatch()
        camera = settings.get(CONF_CAMERA)
        self._hands = Hands(
            hass,
            hub.entry,
            subentry.title,
            barrier=self.barrier,
            camera=SpaceCamera(hass, camera, settings.get(CONF_CAMERA_POWER)) if camera else None,
            reader=hub.reader,
            watch=self._watch,
            limit=policy.watch + 2 * policy.look_budget,
        )
        self._ledger = Ledger(hass, self.space_id, subentry.title, self.owner)
        self._reported_state: dict[str, Any] = {}
        self._in_order = asyncio.Lock()
        self._timer: CALLBACK_TYPE | None = None
        self._ends: list[CALLBACK_TYPE] = []
        self._listeners: list[Callable[[], None]] = []
        self._plate_listeners: list[Callable[[PlateEvent], None]] = []
        self._stopped = False

    # Life

    async def async_start(self) -> None:
        """Take up where the last run ended. Nothing moves because of this."""
        await self._notices.async_load()
        self.gate = await self._ledger.async_load()
        self._tell(w.Booted(self._sources))
        self._tell(w.RightsChanged(self._rights()))
        self._tell(w.BarrierSeen(self.barrier.position))
        for source in self._sources:
            state = self.hass.states.get(source)
            self._tell(w.SourceSeen(source, says(state), seen_at(state)))
        self._tell(w.LinkSeen(self.hub.connected))
        if self.gate.fault:
            self._notices.fault(self.gate.fault.kind)
        self._ends += [
            async_track_state_change_event(self.hass, self.barrier.entity_id, self._barrier_changed),
            async_track_state_change_event(self.hass, self._sources, self._source_changed),
            async_track_state_report_event(self.hass, self._sources, self._source_reported),
            self.owner.start(),
            self.hub.async_add_listener(self._hub_changed),
        ]

    async def async_stop(self) -> None:
        """Let go: no timer, no task, no listener is left; the camera is off, the barrier as it is."""
        self._stopped = True
        while self._ends:
            self._ends.pop()()
        self._end_timer()
        self._notices.clear_issues()
        await self.async_done()
        await self._hands.async_stop()

    # What is told

    async def async_grants_changed(self) -> None:
        """Take over the grants of the hub."""
        self._tell(w.RightsChanged(self._rights()))
        if grant := self._grant(self.gate.booking):
            self._hands.expect(grant.plate)

    async def async_renter_near(self, booking: str, at: float, source: str) -> None:
        """The renter of a booking is near; source is position or here. A fact that is too old does nothing."""
        if self.gate.phase is w.Phase.LOOKING:
            self._watch.start("fact", "camera")
        elif self.gate.phase is w.Phase.IDLE:
            self._watch.start("fact")
        self._tell(w.RenterNear(booking, at, w.ArmedBy(source)))
        await self.async_done()

    async def async_renter_away(self, booking: str, at: float) -> None:  # noqa: ARG002 - each fact has its time
        """The renter of a booking has left the fence."""
        self._tell(w.RenterAway(booking))
        await self.async_done()

    async def async_let_in_now(self) -> None:
        """Let in whoever stands there: the owner says so."""
        self._watch.start("fact")
        self._tell(w.OwnerLetsIn())
        await self.async_done()

    async def async_raise(self) -> None:
        """Raise the barrier: the owner says so. Raises HomeAssistantError if a sensor sees a car or is silent."""
        if refusal := raise_refusal(self.gate):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key=f"raise_refused_{refusal}")
        self._tell(w.OwnerRaises())
        await self.async_done()

    async def async_done(self) -> None:
        """Wait until what was asked for so far is stored and begun."""
        async with self._in_order:
            pass

    @callback
    def _barrier_changed(self, event: Event[EventStateChangedData]) -> None:
        self._tell(w.BarrierSeen(self.barrier.position_of(event.data["new_state"])))

    @callback
    def _source_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        self._tell(w.SourceSeen(event.data["entity_id"], says(state), seen_at(state)))

    @callback
    def _source_reported(self, event: Event[EventStateReportedData]) -> None:
        """The sensor said the same again: its word is fresh."""
        seen = event.data["last_reported"].timestamp()
        self._tell(w.SourceSeen(event.data["entity_id"], says(event.data["new_state"]), seen))

    @callback
    def _hub_changed(self) -> None:
        """The owner shares the space, or no longer; the backend can tell us about renters, or no longer."""
        if self.hub.connected is not (self.gate.unlinked_since is None):
            self._tell(w.LinkSeen(self.hub.connected))
        self._report_state()
        self._work(())

    @callback
    def _ticked(self, _now: datetime) -> None:
        self._timer = None
        self._tell(w.Tick())
        # What entities show may change with the time alone: an overstay, the next booking.
        self._update()

    @callback
    def _judged(self, verdict: Verdict, look: Look) -> None:
        self.last_verdict = verdict
        self._notices.reader_trouble("")
        if booking := self.gate.booking:
            decision = w.Decision(verdict.decision.value)
            self._tell(w.Judged(booking, decision, look.taken_at, plate_seen=bool(look.readings)))

    # What follows

    @callback
    def _tell(self, told: w.Input) -> None:
        if self._stopped:
            return
        now, before = dt_util.utcnow().timestamp(), self.gate
        self.gate, intents = step(before, told, now, self.policy)
        self._end_timer()
        if (due := deadline(self.gate, now, self.policy)) is not None:
            at = datetime.fromtimestamp(due, UTC)
            self._timer = async_track_point_in_utc_time(self.hass, self._ticked, at)
        if self.gate == before and not intents:
            return
        if self.gate.because != before.because:
            LOGGER.debug("%s: %s, %s", self.subentry.title, self.gate.because, self.gate.phase)
        if before.phase is w.Phase.LOWERING and self.gate.position is w.Position.DOWN:
            self._lowered(before)
        self._report_state()
        self._work(intents)
        self._update()

    @callback
    def _update(self) -> None:
        for update in tuple(self._listeners):
            update()

    def _lowered(self, before: w.Gate) -> None:
        """The barrier itself says that it is down: take the time."""
        cause = before.command.cause if before.command else w.Cause.OWNER
        if cause is not w.Cause.SAFETY:
            self._watch.mark("confirmed")
            self.last_timings = self._watch.milliseconds()
            LOGGER.debug("%s: milliseconds of the last admission: %s", self.subentry.title, self.last_timings)
        self._plate_event(LOWERED, cause, before.booking)

    def _plate_event(self, kind: str, by: w.Cause, booking: str | None) -> None:
        grant = self._grant(booking)
        event = PlateEvent(
            type=kind, by=by.value, alias=grant.alias if grant else "", milliseconds=self._watch.milliseconds()
        )
        for listener in tuple(self._plate_listeners):
            listener(event)

    def _report(self, t: str, d: dict[str, Any]) -> None:
        self._ledger.report(t, d)
        self._work(())

    def _report_state(self) -> None:
        """Report how the space is when that changed; while it moves there is nothing worth telling."""
        fault = self.gate.fault.kind.value if self.gate.fault else None
        sharing = self.hub.sharing(self.space_id)
        state = {"space": self.space_id, "barrier": self.gate.position.value, "sharing": sharing, "fault": fault}
        if state != self._reported_state and self.gate.position is not w.Position.MOVING:
            self._reported_state = state
            self._ledger.report("space.state", state)

    def _work(self, intents: tuple[w.Intent, ...]) -> None:
        """Store what is known, then do what was asked for, in the order in which it was asked for."""
        if intents or self._ledger.is_behind(self.gate):
            work = self._async_carry_out(intents)
            self.hub.entry.async_create_task(self.hass, work, f"parkshare {self.space_id} gate", eager_start=True)

    async def _async_carry_out(self, intents: tuple[w.Intent, ...]) -> None:
        async with self._in_order:
            for intent in intents:
                if report := report_of(intent):
                    self._ledger.report(*report)
            stored = await self._ledger.async_save(self.gate)
            for intent in intents:
                self._do(intent, stored=stored)
            await self._ledger.async_hand_over(self.hub.async_report)
            await self._ledger.async_save(self.gate)

    def _do(self, intent: w.Intent, *, stored: bool) -> None:
        match intent:
            case w.Move(command, why) if self._is_wanted(command, stored=stored):
                self._hands.move(command, why, self._tell)
            case w.Halt():
                self._hands.halt()
            case w.CameraOn(booking):
                self._look_for(booking)
            case w.CameraOff():
                self._hands.look_no_more()
            case w.Notify(notice, _, kind):
                self._notices.tell(notice)
                if notice is w.Notice.FAULT and kind:
                    self._notices.fault(kind)
            case w.FaultEnded():
                self._notices.fault_ended()
            case w.AdmissionDecided(booking, decision, by, _):
                if decision is w.Decision.ADMIT:
                    self._notices.untell(w.Notice.REFUSED, w.Notice.UNSURE, w.Notice.STAYS_DOWN)
                self._plate_event(EVENT_TYPES[decision], by, booking)

    def _is_wanted(self, command: w.Command, *, stored: bool) -> bool:
        """Tell whether a command is begun: storing took a moment, and what a car overtook in it is not."""
        return command == self.gate.command and (stored or command.target is w.Position.DOWN)

    def _look_for(self, booking: str) -> None:
        if self.gate.armed_by in (w.ArmedBy.WINDOW, w.ArmedBy.CAR):
            self._watch.start("fact")
        if grant := self._grant(booking):
            self._hands.look_for(
                grant.plate,
                verdict=self._judged,
                pace=lambda: look_pace(self.gate, self.policy),
                trouble=self._notices.reader_trouble,
            )

    def _end_timer(self) -> None:
        if self._timer:
            self._timer()
            self._timer = None

    # For the hub and the entities

    def occupied_by(self) -> str | None:
        """The booking whose car stands in the bay, as far as is known."""
        return self.gate.booking if self.gate.arrived else None

    @callback
    def async_add_listener(self, update: Callable[[], None]) -> CALLBACK_TYPE:
        """Call update after each change; returns what ends that."""
        self._listeners.append(update)
        return lambda: self._listeners.remove(update)

    @callback
    def async_add_plate_listener(self, heard: Callable[[PlateEvent], None]) -> CALLBACK_TYPE:
        """Call heard when something happened at the barrier; returns what ends that."""
        self._plate_listeners.append(heard)
        return lambda: self._plate_listeners.remove(heard)

    def _rights(self) -> tuple[w.Right, ...]:
        grants = self.hub.grants_of(self.space_id)
        return tuple(w.Right(booking=grant.booking, start=grant.start, end=grant.end) for grant in grants)

    def _grant(self, booking: str | None) -> Grant | None:
        return next((grant for grant in self.hub.grants_of(self.space_id) if grant.booking == booking), None)
