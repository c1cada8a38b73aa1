"""A gate with a clock, and what a test says to it."""

import json

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.codec import from_document, to_document
from custom_components.parkshare.gate.core import deadline, step
from custom_components.parkshare.gate.policy import DEFAULT_POLICY, GatePolicy
from tests.gate.model import hold_together

START = 1_800_000_000.0
END = START + 7200.0
RIGHT = w.Right(booking="b1", start=START, end=END)
TOO_MANY = 1000  # ticks in one wait
NEXT = w.Right(booking="b2", start=END, end=END + 3600.0)


class House:
    """One gate with a clock: tell it something, see what it asks for."""

    def __init__(
        self,
        sources: tuple[str, ...] = ("radar", "magnetic"),
        rights: tuple[w.Right, ...] = (RIGHT,),
        policy: GatePolicy = DEFAULT_POLICY,
    ) -> None:
        self.now = START - 1000.0
        self.policy = policy
        self.gate = w.Gate()
        self.intents = []
        self.tell(w.Booted(sources), *(w.SourceSeen(s, w.Says.CLEAR, self.now) for s in sources))
        self.tell(w.BarrierSeen(w.Position.UP), w.RightsChanged(rights))

    def tell(self, *inputs: w.Input) -> list[w.Intent]:
        self.intents = []
        for told in inputs:
            before = self.gate
            self.gate, intents = step(before, told, self.now, self.policy)
            hold_together(before, self.gate, self.now)
            assert self.gate.commands == before.commands + len(moves(intents)), "every command has the next number"
            self.intents += intents
        return self.intents

    def wait(self, seconds: float) -> list[w.Intent]:
        """Let time pass as the shell does: a tick at each deadline."""
        until, asked = self.now + seconds, []
        ticks = 0
        while (due := deadline(self.gate, self.now, self.policy)) is not None and due <= until:
            assert (ticks := ticks + 1) < TOO_MANY, "the gate asks for one tick after the other"
            # Nothing is due before the gate says so, or it would come late in a house where nothing else happens.
            assert not step(self.gate, w.Tick(), max(self.now, due - 0.001), self.policy)[1]
            self.now = due
            asked += self.tell(w.Tick())
        self.now = until
        assert not self.tell(w.Tick()), "the gate did not ask for this tick"
        self.intents = asked
        return self.intents

    def set_clock(self, by: float, *, seen: bool = True) -> list[w.Intent]:
        """Set the clock of the house; the shell tells that if it runs."""
        self.now += by
        return self.tell(w.ClockSet(by) if seen else w.Tick())

    def sensors(self, says: w.Says, *names: str) -> list[w.Intent]:
        names = names or tuple(said.source for said in self.gate.sources)
        return self.tell(*(w.SourceSeen(name, says, self.now) for name in names))

    def judged(self, decision: w.Decision, booking: str = "b1") -> list[w.Intent]:
        return self.tell(w.Judged(booking, decision, self.now, plate_seen=True))

    def done(self) -> list[w.Intent]:
        """Let the adapter say that the command in flight is done."""
        assert self.gate.command
        return self.tell(w.BarrierSeen(self.gate.command.target, done=self.gate.command.number))

    def reboot(self) -> list[w.Intent]:
        names = tuple(said.source for said in self.gate.sources)
        self.gate = from_document(json.loads(json.dumps(to_document(self.gate))))
        return self.tell(w.Booted(names))

    def go_to_start(self) -> list[w.Intent]:
        return self.wait(START - self.now)

    def admit(self) -> None:
        self.go_to_start()
        self.judged(w.Decision.ADMIT)
        self.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.DOWN))
        assert self.gate.phase is w.Phase.ADMITTED

    def park(self) -> None:
        self.admit()
        self.wait(20)
        self.sensors(w.Says.OCCUPIED)
        assert self.gate.phase is w.Phase.PARKED

    def leave(self) -> list[w.Intent]:
        self.park()
        self.wait(600)
        return self.sensors(w.Says.CLEAR)


def kinds(intents: list[w.Intent]) -> list[type]:
    return [type(intent) for intent in intents]


def moves(intents: list[w.Intent]) -> list[w.Command]:
    return [intent.command for intent in intents if isinstance(intent, w.Move)]
