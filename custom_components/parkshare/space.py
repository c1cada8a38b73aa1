"""The shell of one space: what Home Assistant and the backend say goes into the gate, what the gate asks for is done.

The gate decides (gate/core.py). Here is only: state and timer in, store, intent out. Each change is on disk before
anything is done because of it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .barrier import Barrier, BarrierTiming
from .const import (
    CONF_BARRIER,
    CONF_BARRIER_ON_MEANS,
    CONF_GRACE_MIN,
    CONF_LATITUDE,
    CONF_LONGITUDE,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_PHONE,
    CONF_RAISING,
    CONF_RANGE_M,
    CONF_SPACE_ID,
    DOMAIN,
    LOGGER,
)
from .deeds import Deeds
from .gate import words as w
from .gate.core import deadline, look_pace, step
from .gate.grant import Grant
from .gate.nearness import NearnessPolicy
from .gate.policy import DEFAULT_POLICY, GatePolicy
from .gate.rules import raise_refusal
from .hands import Hands
from .ledger import Ledger, report_of
from .link.facts import format_time
from .notices import Notices
from .owner import OwnerWatch
from .plate_events import PlateEvents
from .recognition import Look, Verdict
from .seeing.eyes import Eyes
from .senses import Senses
from .stopwatch import Stopwatch

if TYPE_CHECKING:
    from .hub import ParkShareHub

DEFAULT_RANGE_M: Final = 500.0


def policy_of(settings: Mapping[str, Any], policy: GatePolicy = DEFAULT_POLICY) -> GatePolicy:
    """Return the policy of a space. A house with fewer than two sensors is never automatic, whatever is stored."""
    enough = len(settings.get(CONF_OCCUPANCY) or ()) >= policy.clears_to_raise
    usual = w.Raising.AUTOMATIC if enough else w.Raising.ASK
    raising = w.Raising(settings.get(CONF_RAISING, usual))
    if raising is w.Raising.AUTOMATIC and not enough:
        raising = w.Raising.ASK
    minutes = settings.get(CONF_GRACE_MIN)
    return replace(policy, raising=raising, grace=policy.grace if minutes is None else float(minutes) * 60)


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
            settings.get(CONF_OWNER),
            place=(float(settings[CONF_LATITUDE]), float(settings[CONF_LONGITUDE])),
            policy=NearnessPolicy(range_m=float(settings.get(CONF_RANGE_M) or DEFAULT_RANGE_M)),
            booked=lambda now: any(right.start <= now < right.end for right in self.gate.rights),
            report=lambda t, at: self._report(t, {"space": self.space_id, "at": format_time(at)}),
            changed=lambda: self._work(()),
        )
        sensors = tuple(settings.get(CONF_OCCUPANCY) or ())
        self._senses = Senses(hass, self.barrier, sensors, told=self._tell, ticked=self._ticked)
        self._notices = Notices(hass, self.space_id, subentry.title, settings)
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
            odd=lambda kind, other: self._deeds.odd(kind, other),  # noqa: PLW0108 - the deeds need the eyes first
        )
        self._deeds = Deeds(
            subentry.title,
            hands=self._hands,
            eyes=self._eyes,
            notices=self._notices,
            watch=self._watch,
            events=self.plate_events,
            grant_of=self._grant,
            told=self._tell,
        )
        # The pictures that the owner may look at, and the camera, through which others may look too.
        self.album, self.camera = self._eyes.album, self._eyes.camera
        self._ledger = Ledger(hass, self.space_id, subentry.title, self.owner)
        self._in_order = asyncio.Lock()
        self._ends: list[CALLBACK_TYPE] = []
        self._listeners: list[Callable[[], None]] = []
        self._stopped = False

    # Life

    async def async_start(self) -> None:
        """Take up where the last run ended. Nothing moves because of this."""
        await asyncio.gather(self._notices.async_load(), self._eyes.async_start())
        self.gate = await self._ledger.async_load()
        self._tell(w.Booted(self._senses.sources))
        self._tell(w.RightsChanged(self._rights()))
        self._senses.tell_all()
        self._tell(w.LinkSeen(self.hub.connected))
        if self.gate.fault:
            self._notices.fault(self.gate.fault.kind)
        self._senses.start()
        self._ends += [self.owner.start(), self.hub.async_add_listener(self._hub_changed)]

    async def async_stop(self) -> None:
        """Let go: no timer, no task, no listener is left; the camera is off, the barrier as it is."""
        self._stopped = True
        while self._ends:
            self._ends.pop()()
        self._senses.stop()
        await self.async_done()
        await asyncio.gather(self._hands.async_stop(), self._eyes.async_stop())
        # Last: what still looked a moment ago may have found something to complain of.
        self._notices.clear_issues()

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
        async with self._in_order:
            pass

    @callback
    def _hub_changed(self) -> None:
        """The owner shares the space, or no longer; the backend can tell us about renters, or no longer."""
        if self.hub.connected is not (self.gate.unlinked_since is None):
            self._tell(w.LinkSeen(self.hub.connected))
        self._report_state()
        self._work(())

    @callback
    def _ticked(self) -> None:
        self._tell(w.Tick())
        # What entities show may change with the time alone: an overstay, the next booking.
        self._update()

    @callback
    def _judged(self, booking: str, verdict: Verdict, seen_at: float, look: Look) -> None:
        self.last_verdict = verdict
        decision = w.Decision(verdict.decision.value)
        self._tell(w.Judged(booking, decision, seen_at, plate_seen=bool(look.readings)))

    # What follows

    @callback
    def _tell(self, told: w.Input) -> None:
        if self._stopped:
            return
        now, before = dt_util.utcnow().timestamp(), self.gate
        self.gate, intents = step(before, told, now, self.policy)
        self._senses.wake_at(deadline(self.gate, now, self.policy))
        if self.gate == before and not intents:
            return
        if self.gate.armed_until > before.armed_until:
            self._eyes.look_longer()
        if self.gate.because != before.because:
            LOGGER.debug("%s: %s, %s", self.subentry.title, self.gate.because, self.gate.phase)
        self._deeds.noticed(before, self.gate)
        self._report_state()
        self._work(intents)
        self._update()

    @callback
    def _update(self) -> None:
        for update in tuple(self._listeners):
            update()

    def _report(self, t: str, d: dict[str, Any]) -> None:
        self._ledger.report(t, d)
        self._work(())

    def _report_state(self) -> None:
        self._ledger.report_state(self.gate, sharing=self.hub.sharing(self.space_id))

    def _work(self, intents: tuple[w.Intent, ...]) -> None:
        """Store what is known, then do what was asked for, in the order in which it was asked for."""
        if intents or self._ledger.is_behind(self.gate):
            work = self._async_carry_out(intents)
            self.hub.entry.async_create_task(self.hass, work, f"parkshare {self.space_id} gate", eager_start=True)

    async def _async_carry_out(self, intents: tuple[w.Intent, ...]) -> None:
        async with self._in_order:
            for intent in intents:
                if report := report_of(intent, phone=self.subentry.data.get(CONF_PHONE) or ""):
                    self._ledger.report(*report)
            stored = await self._ledger.async_save(self.gate)
            self._deeds.do(intents, self.gate, stored=stored)
            if not self._stopped:
                self._eyes.stand(self._grant(self.occupied_by()))
            await self._ledger.async_hand_over(self.hub.async_report)
            await self._ledger.async_save(self.gate)

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
