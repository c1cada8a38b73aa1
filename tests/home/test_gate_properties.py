"""What no sequence of inputs may make the gate do, against a model that only remembers what was said."""

import json
import random
from collections import Counter

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.codec import from_document, to_document
from custom_components.parkshare.gate.core import deadline, step
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from custom_components.parkshare.gate.rules import raise_refusal
from custom_components.parkshare.gate.table import T

START = 1_800_000_000.0
POLICY = DEFAULT_POLICY
BOOKINGS = ("b1", "b2", "b3")
RIGHTS = tuple(
    w.Right(booking=name, start=START + index * 3600.0, end=START + (index + 1) * 3600.0 - (600.0 if index else 0.0))
    for index, name in enumerate(BOOKINGS)
)
SOURCES = ("radar", "magnetic", "camera")


class Promises(RuleBasedStateMachine):
    """Any house, any order of events; the promises are checked at every step."""

    @initialize(count=st.sampled_from((0, 1, 2, 2, 3)), offset=st.sampled_from((-300.0, 0.0, 10.0, 3500.0)))
    def start(self, count: int, offset: float) -> None:
        self.now = START + offset
        self.sources = SOURCES[:count]
        self.gate = w.Gate()
        self.rights = ()
        self.said = {}
        self.car_seen = False
        self.camera = False
        self.position = w.Position.UNKNOWN
        self.tell(w.Booted(self.sources))
        self.rights = RIGHTS
        self.tell(w.RightsChanged(self.rights))
        self.barrier(w.Position.UP)

    def tell(self, told: w.Input) -> None:
        before = self.gate
        if not isinstance(told, w.Tick | w.Booted):
            self.tell(w.Tick())
            before = self.gate
        self.gate, intents = step(before, told, self.now, POLICY)
        for intent in intents:
            self.check(before, told, intent)
        if isinstance(told, w.Booted | w.RightsChanged | w.RenterNear | w.RenterAway):
            assert not any(isinstance(intent, w.Move) for intent in intents), "neither a restart nor the backend moves"

    def check(self, before: w.Gate, told: w.Input, intent: w.Intent) -> None:
        match intent:
            case w.CameraOn(booking):
                right = next(right for right in self.rights if right.booking == booking)
                assert right.start - POLICY.arm_early <= self.now < right.end, "the camera looks only in a booking"
                self.camera = True
            case w.CameraOff():
                self.camera = False
            case w.Move(command, why):
                assert why
                assert command.issued_at == self.now < command.expires_at <= self.now + 60.0
                self.check_move(before, told, command)

    def check_move(self, before: w.Gate, told: w.Input, command: w.Command) -> None:
        match command.target, command.cause:
            case w.Position.DOWN, w.Cause.PLATE:
                assert isinstance(told, w.Judged)
                assert told.decision is w.Decision.ADMIT
                assert self.now - told.seen_at <= POLICY.verdict_max_age
                right = next(right for right in self.rights if right.booking == told.booking == command.booking)
                assert right.start <= self.now < right.end
                assert before.fault is None
            case w.Position.DOWN, w.Cause.OWNER:
                assert isinstance(told, w.OwnerLetsIn)
            case w.Position.DOWN, w.Cause.SAFETY:
                assert before.phase is w.Phase.RAISING
            case w.Position.UP, w.Cause.OWNER:
                assert isinstance(told, w.OwnerRaises)
                assert all(self.said.get(source, (None,))[0] is w.Says.CLEAR for source in self.sources)
            case w.Position.UP, w.Cause.CLEAR:
                fresh = [
                    source
                    for source, (says, at) in self.said.items()
                    if says is w.Says.CLEAR and self.now - at <= POLICY.clear_max_age
                ]
                assert len(fresh) >= 2
                assert all(self.said.get(source, (None,))[0] is w.Says.CLEAR for source in self.sources)
                assert self.car_seen, "a restart in front of an empty bay raises nothing"
                assert self.position is w.Position.DOWN
            case other:
                raise AssertionError(other)

    @rule(seconds=st.sampled_from((0.5, 3.0, 12.0, 45.0, 200.0, 900.0)))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := deadline(self.gate, self.now, POLICY)) is not None and due <= until:
            self.now = due
            self.tell(w.Tick())
        self.now = until
        self.tell(w.Tick())

    @rule(seconds=st.sampled_from((0.5, 12.0, 45.0, 3600.0)))
    def sleep(self, seconds: float) -> None:
        """Let time pass without a tick: the loop was blocked, or the clock jumped."""
        self.now += seconds

    @rule(
        source=st.sampled_from(SOURCES),
        says=st.sampled_from(w.Says),
        age=st.sampled_from((0.0, 0.0, 0.0, 170.0, 190.0)),
    )
    def sensor(self, source: str, says: w.Says, age: float) -> None:
        self.tell(w.Tick())
        if source in self.sources:
            self.said[source] = (says, self.now - age)
            self.car_seen |= says is w.Says.OCCUPIED
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

    @precondition(lambda self: self.gate.phase is w.Phase.LOOKING)
    @rule(decision=st.sampled_from((w.Decision.ADMIT, w.Decision.REFUSE)))
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

    @rule(up=st.booleans())
    def link(self, *, up: bool) -> None:
        self.tell(w.LinkSeen(up))

    @rule(position=st.sampled_from(w.Position))
    def barrier(self, position: w.Position) -> None:
        self.tell(w.Tick())
        self.position = position
        self.tell(w.BarrierSeen(position))

    @precondition(lambda self: self.gate.command is not None)
    @rule()
    def barrier_obeys(self) -> None:
        self.barrier(self.gate.command.target)

    @precondition(lambda self: self.gate.command is not None)
    @rule(kind=st.sampled_from(w.FaultKind))
    def barrier_fails(self, kind: w.FaultKind) -> None:
        self.tell(w.CommandFailed(self.gate.command.number, kind))

    @rule(bookings=st.sets(st.sampled_from(BOOKINGS)))
    def rights_change(self, bookings: set[str]) -> None:
        self.tell(w.Tick())
        self.rights = tuple(right for right in RIGHTS if right.booking in bookings)
        self.tell(w.RightsChanged(self.rights))

    @rule()
    def owner_lets_in(self) -> None:
        self.tell(w.OwnerLetsIn())

    @rule()
    def owner_raises(self) -> None:
        self.tell(w.OwnerRaises())

    @rule()
    def restart(self) -> None:
        self.gate = from_document(json.loads(json.dumps(to_document(self.gate))))
        self.said, self.car_seen, self.position = {}, False, w.Position.UNKNOWN
        self.tell(w.Booted(self.sources))

    @invariant()
    def the_camera_is_on_exactly_while_looking(self) -> None:
        assert self.camera == (self.gate.phase is w.Phase.LOOKING) == self.gate.camera

    @invariant()
    def a_person_can_always_resolve_it(self) -> None:
        """Let in always ends with the barrier down; with an empty bay, raise then ends in rest without a fault."""
        gate = self.gate
        for told in (w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN)):
            gate, _ = step(gate, told, self.now, POLICY)
        assert gate.position is w.Position.DOWN
        assert gate.command is None
        for source in self.sources:
            gate, _ = step(gate, w.SourceSeen(source, w.Says.CLEAR, self.now), self.now, POLICY)
        assert raise_refusal(gate) is None
        for told in (w.OwnerRaises(), w.BarrierSeen(w.Position.UP)):
            gate, _ = step(gate, told, self.now, POLICY)
        assert gate.phase in (w.Phase.IDLE, w.Phase.LOOKING)
        assert gate.fault is None

    @invariant()
    def no_command_outlives_its_time_for_long(self) -> None:
        command = self.gate.command
        if command is not None:
            gate, _ = step(self.gate, w.Tick(), max(self.now, command.expires_at + POLICY.command_grace), POLICY)
            assert gate.command is None
        else:
            assert self.gate.phase not in (w.Phase.LOWERING, w.Phase.RAISING)


TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_every_transition_of_the_table_can_happen() -> None:
    seen: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    for seed in range(400):
        _wander(random.Random(seed), seen, pairs)
    print(f"{len(seen)} of {len(T)} transitions, {len(pairs)} pairs of phases and transitions")
    assert {transition.name for transition in T} == set(seen)


def _wander(dice: random.Random, seen: Counter[str], pairs: set[tuple[str, str]]) -> None:
    """Live through a random day, in which things go on more sensibly than in hypothesis's worst case."""
    now, gate = START - 100.0, w.Gate()
    sources = SOURCES[: dice.choice((0, 1, 2, 2))]
    for told in (w.Booted(sources), w.RightsChanged(RIGHTS), w.BarrierSeen(w.Position.UP)):
        gate, _ = step(gate, told, now, POLICY)
    for _ in range(120):
        now += dice.choice((0.0, 1.0, 6.0, 15.0, 30.0, 130.0, 1000.0))
        for told in _something(dice, gate, sources, now):
            phase = gate.phase
            gate, _ = step(gate, told, now, POLICY)
            seen[gate.because] += 1
            pairs.add((phase, gate.because))


def _something(dice: random.Random, gate: w.Gate, sources: tuple[str, ...], now: float) -> list[w.Input]:
    booking = dice.choice(BOOKINGS)
    says = dice.choice((w.Says.OCCUPIED, w.Says.CLEAR, w.Says.CLEAR, w.Says.CLEAR, w.Says.UNKNOWN))
    likely = [[w.Tick()], [w.SourceSeen(name, says, now) for name in sources]]
    if gate.command:
        likely += [[w.BarrierSeen(gate.command.target)], [w.BarrierSeen(w.Position.MOVING)]]
    if gate.phase is w.Phase.LOOKING:
        decision = dice.choice((w.Decision.ADMIT, w.Decision.REFUSE, w.Decision.REFUSE, w.Decision.UNSURE))
        likely += [[w.Judged(gate.booking, decision, now, plate_seen=True)]] * 2
        likely += [[w.RenterAway(gate.booking)]]
    rare = [
        [w.BarrierSeen(dice.choice(tuple(w.Position)))],
        [w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(dice.choice(tuple(w.Position)))],
        [w.SourceSeen(name, dice.choice(tuple(w.Says)), now) for name in sources[:1]],
        [w.RenterNear(booking, now - dice.choice((0.0, 200.0)), dice.choice((w.ArmedBy.POSITION, w.ArmedBy.HERE)))],
        [w.LinkSeen(dice.random() < 0.5)],
        [w.OwnerLetsIn()],
        [w.OwnerRaises()],
        [w.RightsChanged(RIGHTS[dice.randrange(3) :])],
        [w.CommandFailed(gate.commands, dice.choice(tuple(w.FaultKind)))],
        [w.Booted(sources)],
    ]
    return dice.choice(likely) if dice.random() < 0.7 else dice.choice(rare)
