"""What a bystander with a notebook would hold against the gate: they remember only what was said, and decide nothing.

Each check names a promise. The model knows no phase of its own: it looks at inputs, intents and the clock, and at the
gate's own words only where a promise is about them.
"""

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY, GatePolicy
from custom_components.parkshare.gate.table import T

FROM_THE_BACKEND = (w.RightsChanged, w.RenterNear, w.RenterAway, w.LinkSeen, w.CodeGiven)
NEVER = 0.0
NAMES = {transition.name for transition in T}
REASONS = {transition.value.why for transition in T}


def hold_together(before: w.Gate, after: w.Gate, now: float) -> None:
    """What is true of any gate at any time, whatever it was told."""
    moving = after.phase in (w.Phase.LOWERING, w.Phase.RAISING)
    assert after.phase is before.phase or after.since == now, "since is when the phase began"
    assert after.camera is (after.phase is w.Phase.LOOKING), "the camera is on exactly while looking"
    assert (after.command is not None) == moving, "a command is in flight exactly while it moves"
    assert moving or after.arrived is (after.phase in (w.Phase.PARKED, w.Phase.LEAVING)), "a car stands in a bay in use"
    assert after.because in NAMES, "every change has its reason in the table"
    if after.phase is w.Phase.LOOKING:
        assert isinstance(after.armed_by, w.ArmedBy), "the camera looks for a reason"
        assert after.armed_until <= after.right.end, "and not beyond the period"
    if after.phase in (w.Phase.IDLE, w.Phase.WARNING):
        assert (after.right, after.rung, after.armed_by) == (None, None, None), "an empty bay belongs to nobody"
        assert (after.stands_since, after.stands_until) == (None, 0.0)
        assert (after.ending_told, after.overstay_told, after.disagree_told) == (None, None, False)
    if before.phase is w.Phase.IDLE and after.phase is w.Phase.LOOKING:
        found = (after.plate_seen, after.last_decision, after.refusing_since, after.refusal_told, after.rung)
        assert found == (False, None, None, False, None), "each look begins anew"
    if after.fault:
        assert isinstance(after.fault.kind, w.FaultKind)
        assert after.fault.since <= now
    assert after.approach is None or after.approach.at <= now
    assert after.since <= now, "nothing began at a time to come"
    assert all(said.seen_at <= now for said in after.sources), "nothing was seen at a time to come"
    if after.command:
        assert after.command.expires_at <= now + DEFAULT_POLICY.lower_valid, "no command is waited for long"
    assert isinstance(after.by_hand, bool)
    assert isinstance(after.inhibited, bool)


class Model:
    """The notebook of one house."""

    def __init__(self, policy: GatePolicy, sources: tuple[str, ...]) -> None:
        self.policy = policy
        self.sources = sources
        self.rights: dict[str, w.Right] = {}
        # The last right of each booking, also of one that was taken back: a car stays however its booking went.
        self.known: dict[str, w.Right] = {}
        self.said: dict[str, tuple[w.Says, float]] = {}
        self.car_seen = False
        self.car_since: float | None = None
        self.clear_since: float | None = None
        self.position = w.Position.UNKNOWN
        self.camera = False
        self.barred: set[str] = set()
        self.rungs: list[w.Rung] = []
        self.signs: list[float] = []
        self.number = 0
        # Which ends people were told of; told_of also keeps those that were moved since.
        self.ends_told: set[tuple[str, float, type]] = set()
        self.told_of: set[tuple[str, float]] = set()
        self.taken: set[str] = set()
        self.in_bay: set[str] = set()

    def occupied(self) -> bool:
        return any(says is w.Says.OCCUPIED for says, _ in self.said.values())

    def all_clear(self) -> bool:
        return all(self.said.get(source, (None,))[0] is w.Says.CLEAR for source in self.sources)

    def hear(self, told: w.Input, now: float) -> None:
        """Write down what the gate is told."""
        match told:
            case w.ClockSet(by):
                # What was waited for goes along with the clock: as much of it is over as before.
                self.signs = [sign + by for sign in self.signs]
                self.car_since = self.car_since and self.car_since + by
                self.clear_since = self.clear_since and self.clear_since + by
            case w.Booted():
                self.said, self.car_seen, self.car_since, self.clear_since = {}, False, None, None
                self.position, self.rungs = w.Position.UNKNOWN, []
            case w.SourceSeen(source, says, at) if source in self.sources:
                self.said[source] = (says, at if at <= now else NEVER)
                self.car_seen |= says is w.Says.OCCUPIED
                self.signs += [now] if says is w.Says.OCCUPIED else []
                self.car_since = (self.car_since or now) if self.occupied() else None
                self.clear_since = (self.clear_since or now) if self.all_clear() else None
            case w.Judged(plate_seen=True) | w.RenterNear(armed_by=w.ArmedBy.HERE):
                self.signs.append(now)
            case w.BarrierSeen(position):
                self.position = position
            case w.RightsChanged(rights):
                self.rights = {right.booking: right for right in rights}
                moved = {name for name, right in self.rights.items() if self.known.get(name, right).end != right.end}
                self.ends_told -= {told for told in self.ends_told if told[0] in moved}
                self.known |= self.rights
            case w.OwnerRefuses(booking) if booking in self.rights:
                self.barred.add(booking)
        self._doubt_what_is_ahead(now)

    def _doubt_what_is_ahead(self, now: float) -> None:
        """The clock was set back: of what was said at a time to come nobody knows how long ago that was."""
        self.said = {source: (says, at if at <= now else NEVER) for source, (says, at) in self.said.items()}
        self.signs = [min(sign, now) for sign in self.signs]
        self.car_since = self.car_since and min(self.car_since, now)
        self.clear_since = self.clear_since and min(self.clear_since, now)

    def check(self, before: w.Gate, told: w.Input, intents: tuple[w.Intent, ...], after: w.Gate, now: float) -> None:
        """Hold what the gate asks for against what was said."""
        hold_together(before, after, now)
        moves = [intent for intent in intents if isinstance(intent, w.Move)]
        if isinstance(told, w.Booted):
            assert not moves, "a restart moves nothing"
        if isinstance(told, FROM_THE_BACKEND):
            assert all(move.command.target is w.Position.DOWN for move in moves), "the backend raises nothing"
            assert not moves or isinstance(told, w.CodeGiven), "the backend's facts lower nothing"
        for intent in intents:
            if isinstance(intent, w.Move):
                self._check_move(intent, before, told, intents, now)
            self._check_told(intent, after, now)

    def _check_told(self, intent: w.Intent, after: w.Gate, now: float) -> None:
        """Hold what people and the backend are told against what they were told before."""
        match intent:
            case w.CameraOn(booking):
                self._check_camera(booking, now)
            case w.CameraOff():
                self.camera = False
            case w.AdmissionDecided(decision=w.Decision.ADMIT):
                self.rungs = []
            case w.Help():
                self._check_help(intent, after, now)
            case w.StayArrived() | w.StayLeft():
                self._check_stay(intent)
            case w.StayEnding() | w.Overstayed() | w.StayExtended():
                self._check_end(intent, now)
            case w.Notify(w.Notice.ASK_RAISE, booking) if booking in self.in_bay:
                # Without a sensor the owner is asked instead.
                self.told_of.add((booking, self.known[booking].end))
            case w.BayTaken() | w.BayFree():
                self._check_bay(intent, after, now)

    def _check_stay(self, intent: w.StayArrived | w.StayLeft) -> None:
        if isinstance(intent, w.StayArrived):
            assert intent.booking not in self.in_bay, "arrival is told once for a stay"
            self.in_bay.add(intent.booking)
            return
        assert intent.booking in self.in_bay, "only who arrived can leave"
        self.in_bay.remove(intent.booking)
        self._forget_ends(intent.booking)

    def _forget_ends(self, booking: str) -> None:
        self.ends_told = {told for told in self.ends_told if told[0] != booking}
        self.told_of = {told for told in self.told_of if told[0] != booking}

    def _check_camera(self, booking: str, now: float) -> None:
        right = self.rights[booking]
        early = max(self.policy.arm_early, self.policy.early)
        assert right.start - early <= now < right.end, "the camera looks only for a booking that is due"
        self.camera, self.rungs = True, []

    def _check_move(
        self, move: w.Move, before: w.Gate, told: w.Input, intents: tuple[w.Intent, ...], now: float
    ) -> None:
        command = move.command
        assert move.why in REASONS, "every command has a reason that a person can read"
        assert command.number > self.number, "no command is sent twice, not even after a restart"
        self.number = command.number
        valid = self.policy.lower_valid if command.target is w.Position.DOWN else self.policy.raise_valid
        assert command.issued_at == now, "a command is of this very moment"
        assert command.expires_at == now + valid, "and ends soon"
        if command.target is w.Position.UP:
            self._check_raise(command, told, now)
            return
        decided = w.AdmissionDecided(command.booking, w.Decision.ADMIT, command.cause, now)
        match command.cause:
            case w.Cause.PLATE | w.Cause.CODE:
                assert decided in intents, "who lowered it, and why, is recorded"
                self._check_right(command, before, told, now)
            case w.Cause.OWNER:
                assert isinstance(told, w.OwnerLetsIn)
                assert decided in intents or before.arrived, "a car that is let out was admitted before"
            case w.Cause.SAFETY:
                assert before.phase is w.Phase.RAISING, "back down, because it was on its way up"
            case other:
                raise AssertionError(other)

    def _check_right(self, command: w.Command, before: w.Gate, told: w.Input, now: float) -> None:
        assert isinstance(told, w.Judged | w.CodeGiven)
        assert isinstance(told, w.CodeGiven) == (command.cause is w.Cause.CODE)
        assert told.booking == command.booking
        right = self.rights[told.booking]
        assert right.start - self.policy.early <= now < right.end, "nobody is let in out of their period"
        others = (other for other in self.rights.values() if other != right)
        assert now >= right.start or not any(other.start <= now < other.end for other in others)
        assert before.fault is None, "nothing moves by itself while a fault stands"
        assert before.phase in (w.Phase.IDLE, w.Phase.LOOKING), "not into a bay that is in use"
        if isinstance(told, w.Judged):
            assert told.decision is w.Decision.ADMIT
            assert now - told.seen_at <= self.policy.verdict_max_age
        else:
            assert now - told.seen_at <= self.policy.code_max_age
            assert told.booking not in self.barred, "the owner said no: a code does not overrule them"

    def _check_raise(self, command: w.Command, told: w.Input, now: float) -> None:
        assert self.all_clear(), "silence is a car"
        if command.cause is w.Cause.OWNER:
            assert isinstance(told, w.OwnerRaises)
            return
        assert command.cause is w.Cause.CLEAR
        assert self.policy.raising is w.Raising.AUTOMATIC, "the owner wants to be asked, or nothing at all"
        fresh = [source for source, (_, at) in self.said.items() if now - at <= self.policy.clear_max_age]
        assert len(fresh) >= 2, "two sources freshly see an empty bay"
        patience = self.policy.departure_debounce + self.policy.raise_warning
        assert now - self.clear_since >= patience, "the bay was empty for a while, and the motor was announced"
        assert self.car_seen, "a restart in front of an empty bay raises nothing"
        assert self.position is w.Position.DOWN

    def _check_help(self, intent: w.Help, after: w.Gate, now: float) -> None:
        right = self.known[intent.booking]
        assert right.start <= now < right.end, "help is for the booked period"
        assert after.booking == intent.booking
        ladder = list(w.Rung)
        assert all(ladder.index(rung) < ladder.index(intent.rung) for rung in self.rungs), "each rung once, in order"
        self.rungs.append(intent.rung)
        if intent.booking in self.barred:
            assert intent.rung not in (w.Rung.OWNER, w.Rung.CODE), "the owner has answered"
        if after.phase is w.Phase.ADMITTED:
            assert intent.rung is w.Rung.CALL, "who is let in and does not get in can only call"
            return
        assert after.phase is w.Phase.LOOKING, "help is for who stands before the barrier"
        policy = self.policy
        after_s = dict(
            zip(ladder, (policy.harder_after, policy.owner_after, policy.code_after, policy.call_after), strict=True)
        )
        assert any(sign <= now - after_s[intent.rung] for sign in self.signs), "somebody has stood there for so long"

    def _check_end(self, intent: w.StayEnding | w.Overstayed | w.StayExtended, now: float) -> None:
        right = self.known[intent.booking]
        assert intent.booking in self.in_bay, "only a stay can end"
        if isinstance(intent, w.StayExtended):
            earlier = {end for booking, end in self.told_of if booking == intent.booking}
            assert any(end < right.end for end in earlier), "the end that was told of is put off"
            self._forget_ends(intent.booking)
            return
        told = (intent.booking, right.end, type(intent))
        assert told not in self.ends_told, "once for one end"
        self.ends_told.add(told)
        self.told_of.add((intent.booking, right.end))
        assert self.occupied(), "a car is seen in the bay"
        if isinstance(intent, w.Overstayed):
            assert now >= right.end + self.policy.grace, "nobody is accused within the grace"
        else:
            assert right.end - self.policy.warn_before <= now < right.end

    def _check_bay(self, intent: w.BayTaken | w.BayFree, after: w.Gate, now: float) -> None:
        if isinstance(intent, w.BayFree):
            assert intent.booking in self.taken, "what is taken back was told"
            self.taken.remove(intent.booking)
            return
        assert intent.booking not in self.taken, "told once for each booking"
        self.taken.add(intent.booking)
        right = self.rights[intent.booking]
        assert right.start - self.policy.protect_before <= now < right.end, "the booking needs the bay now or soon"
        assert after.booking is None, "the car is of nobody"
        assert self.car_since is not None, "a sensor sees it"
        assert now - self.car_since >= self.policy.taken_settle, "and has seen it for a while"
