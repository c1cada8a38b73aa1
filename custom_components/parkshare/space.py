"""The shell of one space: what Home Assistant and the backend say goes into the gate, what the gate asks for is done.

The gate decides (gate/core.py). Here is only: state and timer in, store, intent out. Each change is on disk before
anything is done because of it.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .asking import Asking
from .attribution import Hand
from .barrier import Barrier, BarrierTiming
from .clock_watch import ClockSteps
from .codes.rotating import shown_codes
from .codes.space_codes import SpaceCodes
from .codes.tries import MOST
from .const import (
    CONF_BARRIER,
    CONF_BARRIER_ON_MEANS,
    CONF_LEVEL,
    CONF_PHONE,
    CONF_SPACE_ID,
    DOMAIN,
    LOGGER,
)
from .deeds import Deeds
from .following import Following
from .gate import words as w
from .gate.core import deadline, look_pace, step
from .gate.grant import Grant
from .gate.policy import DEFAULT_POLICY, GatePolicy
from .gate.rules import raise_refusal
from .hands import Hands
from .ledger import Ledger
from .link.facts import format_time
from .notices import Notices
from .owner import OwnerWatch
from .plate_events import PlateEvent, PlateEvents
from .recognition import Look, Verdict
from .recognition.levels import Level
from .record import Record
from .seeing.eyes import Eyes
from .seeing.oddities import OddityKind
from .senses import Senses
from .space_policy import policy_of
from .stopwatch import Stopwatch
from .voice import Voice

if TYPE_CHECKING:
    from .hub import ParkShareHub


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
        self.policy = policy_of(settings, policy)
        self.last_verdict: Verdict | None = None
        self.barrier = Barrier(
            hass,
            settings[CONF_BARRIER],
            on_means=settings.get(CONF_BARRIER_ON_MEANS),
            timing=timing or BarrierTiming(),
        )
        self.owner = OwnerWatch(
            hass,
            settings,
            booked=lambda now: any(right.start <= now < right.end for right in self.gate.rights),
            report=lambda t, at: self._following.report(t, {"space": self.space_id, "at": format_time(at)}),
            changed=lambda: self._following.follow(),  # noqa: PLW0108 - it is made below
        )
        self._senses = Senses(
            hass, self.barrier, settings, told=self._tell, moved=self._barrier_moved, ticked=self._ticked
        )
        self._notices = Notices(hass, self.space_id, subentry.title, settings)
        self.codes = SpaceCodes(hass, self.space_id, subentry.title, guessed=self._notices.codes_guessed)
        self.record = Record(
            hass,
            hub.entry,
            self.space_id,
            subentry.title,
            hub.keys,
            plate_of=lambda booking: grant.plate if (grant := self._grant(booking)) else None,
            level=settings.get(CONF_LEVEL, Level.BALANCED.value),
        )
        self._clock_steps = ClockSteps(hass)
        self._watch = Stopwatch()
        self.plate_events = PlateEvents()
        self._hands = Hands(hass, hub.entry, subentry.title, barrier=self.barrier, watch=self._watch)
        self._eyes = Eyes(
            hass,
            hub.entry,
            subentry.title,
            self.space_id,
            settings,
            reader=hub.reader,
            notices=self._notices,
            watch=self._watch,
            limit=self.policy.watch + 2 * self.policy.look_budget,
            pace=lambda: look_pace(self.gate, self.policy),
            judged=self._judged,
            odd=self._odd,
            codes_of=self._codes_of,
            code_shown=self._code_shown,
        )
        self.asking = Asking(
            hass,
            hub.entry,
            self.space_id,
            subentry.title,
            settings,
            let_in=lambda _, by: self.async_let_in_now(by=by),
            refuse=lambda booking, by: self.async_refuse(booking, by=by),
            raise_=lambda by: self.async_raise(by=by),
            waits=lambda booking: self.gate.phase is w.Phase.LOOKING and self.gate.booking == booking,
            view=self._eyes,
            notices=self._notices,
        )
        self._deeds = Deeds(
            subentry.title,
            hands=self._hands,
            eyes=self._eyes,
            voice=Voice(self._notices, self.asking, grant_of=self._grant),
            watch=self._watch,
            events=self.plate_events,
            grant_of=self._grant,
            told=self._tell,
        )
        # The pictures that the owner may look at, and the camera, through which others may look too.
        self.album, self.camera = self._eyes.album, self._eyes.camera
        self._ledger = Ledger(hass, self.space_id, subentry.title, self.owner)
        self._following = Following(
            hub,
            self.space_id,
            gate=lambda: self.gate,
            record=self.record,
            ledger=self._ledger,
            deeds=self._deeds,
            phone=settings.get(CONF_PHONE) or "",
            done=self._done,
        )
        self._ends: list[CALLBACK_TYPE] = []
        self._listeners: list[Callable[[], None]] = []
        self._stopped = False

    # Life

    async def async_start(self) -> None:
        """Take up where the last run ended. Nothing moves because of this."""
        await asyncio.gather(self._notices.async_load(), self._eyes.async_start(), self.record.async_load())
        self.gate = await self._ledger.async_load()
        self._tell(w.Booted(self._senses.sources))
        self._tell(w.RightsChanged(self._rights()))
        self._senses.tell_all()
        self._tell(w.LinkSeen(self.hub.connected))
        if self.gate.fault:
            self._notices.fault(self.gate.fault.kind)
        self._senses.start()
        self.asking.start()
        self._ends += [self.owner.start(), self.hub.async_add_listener(self._hub_changed)]
        # After what the gate asked for on starting: a camera that is to look on does not go off and on again.
        await self.async_done()
        self._eyes.turn_off_what_was_left_on()

    async def async_stop(self) -> None:
        """Let go: no timer, no task, no listener is left; the camera is off, the barrier as it is."""
        self._stopped = True
        while self._ends:
            self._ends.pop()()
        self._senses.stop()
        await self.async_done()
        await asyncio.gather(self._hands.async_stop(), self._eyes.async_stop(), self.asking.stop())
        await self.record.async_stop()
        # Last: what still looked a moment ago may have found something to complain of.
        self._notices.stop()

    # What is told

    async def async_grants_changed(self) -> None:
        """Take over the grants of the hub."""
        self._tell(w.RightsChanged(self._rights()))
        if grant := self._grant(self.gate.booking):
            self._eyes.expect(grant)

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

    async def async_let_in_now(self, *, by: str | None = None) -> None:
        """Let in whoever stands there: the owner says so. by is their Home Assistant user."""
        self._watch.start("fact")
        self._tell(w.OwnerLetsIn(by))
        await self.async_done()

    async def async_refuse(self, booking: str, *, by: str | None = None) -> None:
        """Do not let in who stands there for a booking: the owner says so."""
        self._tell(w.OwnerRefuses(booking, by))
        await self.async_done()

    async def async_raise(self, *, by: str | None = None) -> None:
        """Raise the barrier: the owner says so. Raises HomeAssistantError if a sensor sees a car or is silent."""
        if refusal := raise_refusal(self.gate):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key=f"raise_refused_{refusal}")
        self._tell(w.OwnerRaises(by))
        await self.async_done()

    async def async_code(self, booking: str, seen_at: float) -> None:
        """Take the right code of a booking in; seen_at is when it was given (UTC epoch seconds)."""
        if self.gate.phase is w.Phase.IDLE:
            self._watch.start("fact")
        self._tell(w.CodeGiven(booking, seen_at))
        await self.async_done()

    async def async_done(self) -> None:
        """Wait until what was asked for so far is stored and begun."""
        await self._following.async_done()

    @callback
    def _hub_changed(self) -> None:
        """The owner shares the space, or no longer; the backend can tell us about renters, or no longer."""
        if self.hub.connected is not (self.gate.unlinked_since is None):
            self._tell(w.LinkSeen(self.hub.connected))
        self._following.report_state()
        self._following.follow()

    @callback
    def clock_was_set(self) -> None:
        """The clock of the house was set: timers that were to run at a time of day run at another moment."""
        self._ticked()

    @callback
    def _ticked(self) -> None:
        self._tell(w.Tick())
        # What entities show may change with the time alone: an overstay, the next booking.
        self._update()

    @callback
    def _barrier_moved(self, seen: w.BarrierSeen, hand: Hand) -> None:
        self._tell(seen, hand=hand)

    @callback
    def _judged(self, booking: str, verdict: Verdict, seen_at: float, look: Look) -> None:
        self.last_verdict = verdict
        self.record.judged(verdict, look, seen_at)
        decision = w.Decision(verdict.decision.value)
        self._tell(w.Judged(booking, decision, seen_at, plate_seen=bool(look.readings)))

    # What follows

    @callback
    def _tell(self, told: w.Input, *, hand: Hand | None = None) -> None:
        if self._stopped:
            return
        if by := self._clock_steps.since_last():
            self._take(w.ClockSet(by))
        self._take(told, hand=hand)

    @callback
    def _take(self, told: w.Input, *, hand: Hand | None = None) -> None:
        now, before = dt_util.utcnow().timestamp(), self.gate
        self.gate, intents = step(before, told, now, self.policy)
        self.record.note(before, self.gate, told, intents, now, hand=hand, by=getattr(told, "by", None))
        self._senses.wake_at(deadline(self.gate, now, self.policy))
        if self.gate == before and not intents:
            # An answer that changed nothing is recorded all the same.
            self._following.follow()
            return
        if self.gate.armed_until > before.armed_until:
            self._eyes.look_longer()
        if self.gate.because != before.because:
            LOGGER.debug("%s: %s, %s", self.subentry.title, self.gate.because, self.gate.phase)
        self._deeds.noticed(before, self.gate)
        self._following.report_state()
        self._following.follow(intents)
        self._update()

    @callback
    def _update(self) -> None:
        for update in tuple(self._listeners):
            update()

    def _codes_of(self, booking: str) -> tuple[str, ...]:
        """What the renter of a booking may show to the camera just now instead of a plate."""
        grant = self._grant(booking)
        return shown_codes(grant, dt_util.utcnow().timestamp()) if grant else ()

    @callback
    def _code_shown(self, booking: str, seen_at: float) -> None:
        self.record.code_tried(booking, right=True, tries_left=MOST, way="shown")
        self._tell(w.CodeGiven(booking, seen_at))

    @callback
    def _odd(self, kind: OddityKind, other: str) -> None:
        """Tell what is odd about a car; each oddity comes once a booking."""
        self._notices.odd(kind, other=other)
        self.plate_events.happened(PlateEvent(type=kind.value, by=w.Cause.PLATE.value))

    @callback
    def _done(self) -> None:
        if not self._stopped:
            self._eyes.stand(self._grant(self.occupied_by()))

    # For the hub and the entities

    @property
    def last_timings(self) -> dict[str, int]:
        """The milliseconds that each part of the last admission took."""
        return self._deeds.last_timings

    def occupied_by(self) -> str | None:
        """The booking whose car stands in the bay, as far as is known."""
        return self.gate.booking if self.gate.arrived else None

    @callback
    def async_add_listener(self, update: Callable[[], None]) -> CALLBACK_TYPE:
        """Call update after each change; returns what ends that."""
        self._listeners.append(update)
        return lambda: self._listeners.remove(update)

    def _rights(self) -> tuple[w.Right, ...]:
        grants = self.hub.grants_of(self.space_id)
        return tuple(w.Right(booking=grant.booking, start=grant.start, end=grant.end) for grant in grants)

    def _grant(self, booking: str | None) -> Grant | None:
        return next((grant for grant in self.hub.grants_of(self.space_id) if grant.booking == booking), None)
