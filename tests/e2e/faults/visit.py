"""One visit with its faults: booked, arrived, parked, left; people do what people do when they hear of trouble."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.simulators.barrier import Position, Wish
from tests.simulators.ground_lock import Fault
from tests.simulators.home_api import HomeError

from .kinds import AT_ARRIVAL, HOUSE_CLOCK, REPAIRED_AT_ARRIVAL, Kind, Local, Whole
from .light import LightCar
from .people import CLOCK_WRONG, Told
from .street import UNREACHABLE, Bay, Street

POLL_S = 0.2
READ_S = 1.5  # how long a person takes to read what came
HERE_AGAIN_S = 60.0
PATIENCE_S = 150.0  # the renter waits so long at the bow before they call by phone
AFTER_HELP_S = 75.0  # after somebody helped it must go on within this
QUIET_S = 75.0  # the bow rises by itself within this, or the owner goes to press the button
SLOWER_S = 45.0  # more for a lock that answers late, and for a house that was hit meanwhile
# Sensors that disagree are told after ten minutes; a visit with nothing but that waits for it.
DISAGREE_S = 660.0
OWNER_LOOKS = "one sensor sees a car, nothing rises; the owner looks before ten minutes are over and they would be told"
STATE_S = 45.0
CLOCK_HEARD_S = 30.0
STAY_S = 3.0


async def becomes(true: Callable[[], bool], within: float) -> bool:
    """Wait until something is so; returns whether it became so within so many seconds."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


@dataclass
class Moment:
    """Something that happened; at is UTC epoch seconds. by_person: somebody did it."""

    at: float
    text: str
    by_person: bool = False


async def _nothing(_visit: Visit, _point: str) -> None:
    pass


@dataclass
class Visit:
    """A booking at a bay with some faults. run() plays it; broken is what should not have happened."""

    street: Street
    bay: Bay
    faults: frozenset[Kind]
    # Called at the points looking, arriving, admitted, parked, going, leaving: there the whole house is hit.
    point: Callable[[Visit, str], Awaitable[None]] = _nothing
    moments: list[Moment] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    booking: str = ""
    begun: float = 0.0
    at_bow: float = 0.0
    parked_at: float = 0.0
    ended: float = 0.0
    seen_by_renter: list[str] = field(default_factory=list)
    hits: list[str] = field(default_factory=list)
    _entered: bool = False
    _heard: int = 0

    @property
    def name(self) -> str:
        """The faults of this visit."""
        return "+".join(sorted(self.faults)) or "none"

    @property
    def told(self) -> list[Told]:
        """What reached the owner in this visit."""
        told = self.street.people.about(self.bay.space, since=self.begun)
        return [one for one in told if not self.ended or one.at <= self.ended]

    async def run(self) -> None:
        """Play it to its end, whatever goes wrong."""
        self.begun = time.time()
        watcher = asyncio.create_task(self._watch_booking())
        try:
            await self.book()
            await self.arrive()
            await self.park()
            await self.leave()
            await self.settle()
        except (*UNREACHABLE, RuntimeError) as error:
            self.broken.append(f"the visit could not go on: {type(error).__name__}: {str(error)[:200]}")
            await self._repair(*self.faults)
        finally:
            self.ended = time.time()
            watcher.cancel()

    # The story

    async def book(self) -> None:
        """Book the space from now on."""
        self.booking = await self.street.book(self.bay)

    async def arrive(self) -> None:
        """Come to the bow and get in, with help if it takes help."""
        lock, car = self.bay.lock, LightCar(self.bay.renter.plate)
        for fault in self.faults:
            if isinstance(fault, Local) and fault in AT_ARRIVAL:
                await lock.set_fault(AT_ARRIVAL[fault], True)
        await self.bay.renter.here(self.booking)
        if Local.CAMERA_FROZEN in self.faults:
            # It freezes with the empty yard in view: one that froze with the car in view shows the car that is there.
            await becomes(lambda: lock.powered and lock.pictures_taken[-1:] > lock.powered_at[-1:], 20)
        await self.point(self, "looking")
        self.at_bow = time.time()
        await car.drive_up(lock, start=6.0, speed=4.0)
        self._note("the car stands at the bow")
        await self.point(self, "arriving")
        await self._wait_for_the_bow(Position.DOWN, PATIENCE_S, self._help_in)
        self._note("the bow is down")

    async def park(self) -> None:
        """Drive in."""
        lock = self.bay.lock
        await self.point(self, "admitted")
        await LightCar(self.bay.renter.plate).park(lock, patience=5)
        self.parked_at = time.time()
        self._heard = len(self.told)
        patience = STATE_S
        if set(HOUSE_CLOCK) & self.faults:
            # By a clock that is behind it is nobody's time yet, so it is put right first. Then a car that came in
            # meanwhile is told of after a minute.
            await self.point(self, "parked")
            patience += STATE_S
        # Who was let in by a key and by a blind camera is asked about once more: the owner answers.
        asked = await becomes(lambda: self._shows("active") or bool(self._news()), patience)
        if asked and not self._shows("active"):
            await asyncio.sleep(READ_S)
            self._note("the owner presses Let in now", by_person=True)
            await self.street.press(self.bay, "let_in_now")
        await self._state("active")
        if Local.SENSOR_STUCK in self.faults:
            await lock.hold_radar(True)
        await self.point(self, "parked")
        await asyncio.sleep(STAY_S)

    async def leave(self) -> None:
        """Drive out, and see the bow rise."""
        lock, car = self.bay.lock, LightCar(self.bay.renter.plate)
        await self.point(self, "going")
        if Local.JAM_UP in self.faults:
            await lock.set_fault(Fault.JAM_UP, True)
        if Local.CAR_ENTERS in self.faults:
            lock.barrier.rises = self._drive_in
        self._heard = len(self.told)
        await car.leave(lock)
        self._note("the car has left")
        await self.point(self, "leaving")
        if Local.CAR_ENTERS in self.faults:
            await self._wait_for_the_intruder()
        await self._wait_for_the_bow(Position.UP, self._quiet(), self._help_out)
        self._note("the bow is up")

    def _quiet(self) -> float:
        """Return how long it takes until the bow should have risen by itself, or somebody heard why not."""
        if self.faults == {Local.SENSOR_STUCK}:
            return DISAGREE_S
        return QUIET_S + SLOWER_S * ((Local.LATE in self.faults) + any(isinstance(one, Whole) for one in self.faults))

    async def settle(self) -> None:
        """Repair all that is still broken, and look at what is left."""
        await self._repair(*self.faults)
        if set(HOUSE_CLOCK) & self.faults and not await becomes(self._heard_of_the_clock, CLOCK_HEARD_S):
            self.broken.append("nobody was told that the clock is wrong")
        if not await becomes(lambda: not self.bay.lock.powered, 20):
            self.broken.append("the camera is still on at the end")
        if not await becomes(lambda: self.street.phase(self.bay) == "idle", 30):
            self.broken.append(f"at the end the gate is {self.street.phase(self.bay)}, not idle")
        await self._state("fulfilled")
        if self.street.stored(self.bay).get("fault"):
            self.broken.append("at the end a fault still stands")

    # What people do when they hear of it

    async def _wait_for_the_bow(self, goal: Position, patience: float, help_: Callable[[], Awaitable[None]]) -> None:
        """Wait until the bow is there; on a message, or when patience ends, somebody helps. Raises TimeoutError."""
        barrier = self.bay.lock.barrier
        deadline, here_at = time.monotonic() + patience, time.monotonic() + HERE_AGAIN_S
        helped = 0
        while barrier.position is not goal:
            await asyncio.sleep(POLL_S)
            if goal is Position.DOWN and time.monotonic() > here_at:
                here_at = time.monotonic() + HERE_AGAIN_S
                await self._here_again()
            # A wrong clock makes nobody raise the bow; that a renter cannot get in because of it is to be expected.
            news = self._news(of_clock=goal is Position.DOWN)
            if news and time.monotonic() < deadline:
                await asyncio.sleep(READ_S)
                self._heard = len(self.told)
            elif time.monotonic() > deadline:
                if helped > 3:
                    raise TimeoutError(f"the bow is {barrier.position}, not {goal}, though people helped")
                if not helped and Fault.SENSOR_STUCK in self.bay.lock.faults and self.faults != {Local.SENSOR_STUCK}:
                    self._note(OWNER_LOOKS)
                elif not helped:
                    self.broken.append(f"nobody was told within {patience:.0f} s that the bow is not {goal}")
            else:
                continue
            if barrier.position is not goal:
                await help_()
                helped += 1
                deadline = time.monotonic() + AFTER_HELP_S
        await barrier.settled()

    def _news(self, *, of_clock: bool = False) -> list[Told]:
        """Return what the owner was told since they last did something."""
        return [one for one in self.told[self._heard :] if of_clock or one.key != CLOCK_WRONG]

    def _heard_of_the_clock(self) -> bool:
        return any(one.key == CLOCK_WRONG for one in self.told)

    async def _help_in(self) -> None:
        """Repair what a message can be about; then the owner lets in."""
        barrier = self.bay.lock.barrier
        if barrier.lies and barrier.told is Position.DOWN:
            await self._repair(*REPAIRED_AT_ARRIVAL)
            self._note("somebody lowers the bow by its key", by_person=True)
            await barrier.by_hand(Wish.DOWN)
            return
        # Nobody sees a lie before it is told.
        await self._repair(*(fault for fault in REPAIRED_AT_ARRIVAL if fault is not Local.LIES))
        self._note("the owner presses Let in now", by_person=True)
        await self.street.press(self.bay, "let_in_now")

    async def _here_again(self) -> None:
        self._note("the renter presses “I'm here” again")
        await self.bay.renter.here(self.booking)

    async def _help_out(self) -> None:
        """Press the button; if it is refused, repair what sees a car where none is."""
        await self._repair(Local.JAM_UP)
        try:
            self._note("the owner presses Raise the barrier", by_person=True)
            await self.street.press(self.bay, "raise")
        except HomeError as error:
            reason = "a sensor sees a car" if "sees a car" in str(error) else str(error)[-160:]
            self._note(f"refused: {reason}")
            await self._repair(Local.SENSOR_STUCK)

    async def _repair(self, *faults: Kind) -> None:
        """Make the lock whole of these faults; what is not broken stays as it is."""
        lock = self.bay.lock
        for fault in faults:
            if fault is Local.SENSOR_STUCK and Fault.SENSOR_STUCK in lock.faults:
                self._note("somebody frees the sensor", by_person=True)
                await lock.hold_radar(False)
            for one in (*AT_ARRIVAL.items(), (Local.JAM_UP, Fault.JAM_UP)):
                if fault is one[0] and one[1] in lock.faults:
                    self._note(f"repaired: {fault}", by_person=True)
                    await lock.set_fault(one[1], False)
                    await asyncio.sleep(1.0)

    # The car that drives in while the bow rises

    def _drive_in(self) -> None:
        lock = self.bay.lock
        lock.barrier.rises = None
        self._entered = True
        self._note("a car drives in while the bow rises")
        lock.enter_now()

    async def _wait_for_the_intruder(self) -> None:
        """Wait until it came, the bow went down before it, and it left again."""
        lock = self.bay.lock
        deadline = time.monotonic() + self._quiet()
        while not self._entered:
            await asyncio.sleep(POLL_S)
            if self._news() or time.monotonic() > deadline:
                await asyncio.sleep(READ_S)
                self._heard = len(self.told)
                if not self._entered:
                    await self._help_out()
                deadline = time.monotonic() + AFTER_HELP_S
        if not await becomes(lambda: lock.barrier.position is Position.DOWN, 60):
            self._note(f"the bow is {lock.barrier.position} under that car; it is lowered by its key", by_person=True)
            await self._repair(*self.faults)
            await lock.barrier.by_hand(Wish.DOWN)
        await asyncio.sleep(STAY_S)
        await LightCar(self.bay.renter.plate).leave(lock)
        self._note("that car has left")

    # What is looked at

    async def _state(self, state: str) -> None:
        try:
            await self.bay.renter.booking_in_state(self.booking, state, within=STATE_S)
        except TimeoutError as error:
            self.broken.append(f"for the renter: {error}")

    def _shows(self, state: str) -> bool:
        """Tell whether the renter's booking showed this state last."""
        return bool(self.seen_by_renter) and self.seen_by_renter[-1].startswith(state)

    async def _watch_booking(self) -> None:
        """Write down what the renter's own booking shows."""
        while True:
            await asyncio.sleep(2.0)
            if not self.booking:
                continue
            try:
                booking = await self.bay.renter.booking(self.booking)
            except UNREACHABLE:
                continue
            rung = (booking.get("help") or {}).get("rung")
            shown = str(booking["state"]) + (f", help: {rung}" if rung else "")
            shown += ", at risk" if booking.get("at_risk") else ""
            if not self.seen_by_renter or self.seen_by_renter[-1] != shown:
                self.seen_by_renter.append(shown)

    def _note(self, text: str, *, by_person: bool = False) -> None:
        self.moments.append(Moment(time.time(), text, by_person))
