"""Any house, any order of events: hypothesis drives the gate, the model watches it."""

import json
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.codec import from_document, to_document
from custom_components.parkshare.gate.core import deadline, step
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from custom_components.parkshare.gate.rules import raise_refusal
from tests.gate.covered import COVERED
from tests.gate.model import Model

START = 1_800_000_000.0
HOUR = 3600.0
BOOKINGS = ("b1", "b2", "b3")
SOURCES = ("radar", "magnetic", "camera")


def rights_of(bookings: set[str], longer: set[str]) -> tuple[w.Right, ...]:
    """One booking an hour; ten minutes between two of them unless the first was made longer."""
    return tuple(
        w.Right(booking=name, start=START + i * HOUR, end=START + (i + 1) * HOUR - (0.0 if name in longer else 600.0))
        for i, name in enumerate(BOOKINGS)
        if name in bookings
    )


def _looks(house: Promises) -> bool:
    return house.gate.phase is w.Phase.LOOKING


def _moves(house: Promises) -> bool:
    return house.gate.command is not None


def _rests(house: Promises) -> bool:
    return house.gate.phase is w.Phase.IDLE


def _in_the_bay(house: Promises) -> bool:
    return house.gate.phase is w.Phase.PARKED


class Promises(RuleBasedStateMachine):
    """The rules are what may happen to a space; the promises are checked at every step."""

    @initialize(
        count=st.sampled_from((0, 1, 2, 2, 3)),
        offset=st.sampled_from((-300.0, 0.0, 10.0, 2950.0)),
        raising=st.sampled_from((w.Raising.AUTOMATIC, *w.Raising)),
        early=st.sampled_from((0.0, 0.0, 900.0)),
    )
    def start(self, count: int, offset: float, raising: w.Raising, early: float) -> None:
        self.now = START + offset
        self.policy = replace(DEFAULT_POLICY, raising=raising, early=early)
        self.sources = SOURCES[:count]
        self.gate = w.Gate()
        self.model = Model(self.policy, self.sources)
        self.tell(w.Booted(self.sources))
        self.tell(w.RightsChanged(rights_of(set(BOOKINGS), set())))
        self.tell(w.BarrierSeen(w.Position.UP))

    def tell(self, told: w.Input) -> None:
        if not isinstance(told, w.Tick | w.Booted | w.ClockSet):
            self.tell(w.Tick())
        self.model.hear(told, self.now)
        before = self.gate
        self.gate, intents = step(before, told, self.now, self.policy)
        COVERED.add(before, self.gate, intents)
        self.model.check(before, told, intents, self.gate, self.now)

    @rule(seconds=st.sampled_from((0.5, 3.0, 12.0, 20.0, 45.0, 200.0, 900.0)))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := deadline(self.gate, self.now, self.policy)) is not None and due <= until:
            self.now = due
            self.tell(w.Tick())
        self.now = until
        self.tell(w.Tick())

    @rule(seconds=st.sampled_from((0.5, 12.0, 45.0, 3600.0)))
    def sleep(self, seconds: float) -> None:
        """Let time pass without a tick: the loop was blocked, or the clock jumped."""
        self.now += seconds

    @rule(by=st.sampled_from((-3600.0, -30.0, -5.0, 30.0, 3600.0)), seen=st.booleans())
    def clock_is_set(self, by: float, *, seen: bool) -> None:
        """Set the clock of the house; the shell sees that, or it was not running."""
        self.now += by
        self.tell(w.ClockSet(by) if seen else w.Tick())

    @rule(
        source=st.sampled_from(SOURCES),
        says=st.sampled_from(w.Says),
        age=st.sampled_from((0.0, 0.0, 0.0, 170.0, 190.0)),
    )
    def sensor(self, source: str, says: w.Says, age: float) -> None:
        self.tell(w.SourceSeen(source, says, self.now - age))

    @rule(says=st.sampled_from((w.Says.OCCUPIED, w.Says.CLEAR, w.Says.CLEAR)))
    def all_sensors(self, says: w.Says) -> None:
        for source in self.sources:
            self.sensor(source, says, 0.0)

    @rule(
        decision=st.sampled_from(w.Decision), booking=st.sampled_from(BOOKINGS), age=st.sampled_from((0.0, 0.0, 11.0))
    )
    def judge(self, decision: w.Decision, booking: str, age: float) -> None:
        self.tell(w.Judged(booking, decision, self.now - age, plate_seen=True))

    @precondition(_looks)
    @rule(decision=st.sampled_from(w.Decision))
    def judge_the_booking(self, decision: w.Decision) -> None:
        self.judge(decision, self.gate.booking, 0.0)

    @rule(
        booking=st.sampled_from(BOOKINGS),
        age=st.sampled_from((0.0, 30.0, 130.0)),
        armed_by=st.sampled_from((w.ArmedBy.POSITION, w.ArmedBy.HERE)),
    )
    def near(self, booking: str, age: float, armed_by: w.ArmedBy) -> None:
        self.tell(w.RenterNear(booking, self.now - age, armed_by))

    @rule(booking=st.sampled_from(BOOKINGS))
    def away(self, booking: str) -> None:
        self.tell(w.RenterAway(booking))

    @rule(age=st.sampled_from((0.0, 5.0, 130.0)))
    def car_on_its_way(self, age: float) -> None:
        self.tell(w.CarSensed(self.now - age))

    @rule(booking=st.sampled_from(BOOKINGS), age=st.sampled_from((0.0, 0.0, 29.0, 31.0, -0.5, -60.0)))
    def code(self, booking: str, age: float) -> None:
        self.tell(w.CodeGiven(booking, self.now - age))

    @rule(up=st.booleans())
    def link(self, *, up: bool) -> None:
        self.tell(w.LinkSeen(up))

    @rule(position=st.sampled_from(w.Position))
    def barrier(self, position: w.Position) -> None:
        self.tell(w.BarrierSeen(position))

    @precondition(_moves)
    @rule()
    def barrier_obeys(self) -> None:
        self.tell(w.BarrierSeen(self.gate.command.target, done=self.gate.command.number))

    @precondition(_moves)
    @rule(kind=st.sampled_from(w.FaultKind))
    def barrier_fails(self, kind: w.FaultKind) -> None:
        self.tell(w.CommandFailed(self.gate.command.number, kind))

    @rule(bookings=st.sets(st.sampled_from(BOOKINGS)), longer=st.sets(st.sampled_from(BOOKINGS)))
    def rights_change(self, bookings: set[str], longer: set[str]) -> None:
        self.tell(w.RightsChanged(rights_of(bookings, longer)))

    @rule(longer=st.sets(st.sampled_from(BOOKINGS), min_size=1))
    def stay_is_made_longer(self, longer: set[str]) -> None:
        self.tell(w.RightsChanged(rights_of(set(BOOKINGS), longer)))

    @precondition(_rests)
    @rule()
    def somebody_parks(self) -> None:
        """What happens most days, as far as the hour and the fates of this house let it happen."""
        for right in self.gate.rights:
            self.near(right.booking, 0.0, w.ArmedBy.HERE)
            self.judge(w.Decision.ADMIT, right.booking, 0.0)
        self.barrier(w.Position.DOWN)
        self.all_sensors(w.Says.OCCUPIED)

    @precondition(_in_the_bay)
    @rule(seconds=st.sampled_from((21.0, 29.0, 31.0)))
    def the_car_leaves(self, seconds: float) -> None:
        self.all_sensors(w.Says.CLEAR)
        self.wait(seconds)

    @rule()
    def owner_lets_in(self) -> None:
        self.tell(w.OwnerLetsIn())

    @rule(booking=st.sampled_from(BOOKINGS))
    def owner_refuses(self, booking: str) -> None:
        self.tell(w.OwnerRefuses(booking))

    @rule()
    def owner_raises(self) -> None:
        self.tell(w.OwnerRaises())

    @rule(newer=st.booleans())
    def restart(self, *, newer: bool) -> None:
        """Back from the disk, perhaps with what a newer release had added."""
        document = json.loads(json.dumps(to_document(self.gate))) | ({"of_tomorrow": [1, 2]} if newer else {})
        self.gate = from_document(document)
        self.tell(w.Booted(self.sources))

    @invariant()
    def the_camera_is_on_exactly_while_looking(self) -> None:
        assert self.model.camera == (self.gate.phase is w.Phase.LOOKING) == self.gate.camera

    @invariant()
    def a_person_can_always_resolve_it(self) -> None:
        """Let in always ends with the barrier down; with an empty bay, raise then ends in rest without a fault."""
        gate = self.gate
        for told in (w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN)):
            gate, _ = step(gate, told, self.now, self.policy)
        assert gate.position is w.Position.DOWN
        assert gate.command is None
        for source in self.sources:
            gate, _ = step(gate, w.SourceSeen(source, w.Says.CLEAR, self.now), self.now, self.policy)
        assert raise_refusal(gate) is None
        for told in (w.OwnerRaises(), w.BarrierSeen(w.Position.UP)):
            gate, _ = step(gate, told, self.now, self.policy)
        assert gate.phase in (w.Phase.IDLE, w.Phase.LOOKING)
        assert gate.fault is None

    @invariant()
    def no_command_outlives_its_time_for_long(self) -> None:
        command = self.gate.command
        if command is not None:
            late = max(self.now, command.expires_at + self.policy.command_grace)
            assert step(self.gate, w.Tick(), late, self.policy)[0].command is None
        else:
            assert self.gate.phase not in (w.Phase.LOWERING, w.Phase.RAISING)

    @invariant()
    def the_next_deadline_is_ahead(self) -> None:
        due = deadline(self.gate, self.now, self.policy)
        assert due is None or due > self.now
