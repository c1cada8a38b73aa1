"""What the gate asks for, done: the barrier moves, the camera looks, people are told, events happen."""

from collections.abc import Callable, Sequence

from homeassistant.core import callback

from .const import LOGGER
from .gate import words as w
from .gate.grant import Grant
from .hands import Hands
from .notices import Notices
from .plate_events import DECIDED, LOWERED, PlateEvent, PlateEvents
from .seeing.eyes import Eyes
from .seeing.oddities import OddityKind
from .stopwatch import Stopwatch


class Deeds:
    """The hands, eyes and voice of one space. told is how the gate hears what came of a command."""

    def __init__(
        self,
        title: str,
        *,
        hands: Hands,
        eyes: Eyes,
        notices: Notices,
        watch: Stopwatch,
        events: PlateEvents,
        grant_of: Callable[[str | None], Grant | None],
        told: Callable[[w.Input], None],
    ) -> None:
        self.last_timings: dict[str, int] = {}
        self._title = title
        self._hands = hands
        self._eyes = eyes
        self._notices = notices
        self._watch = watch
        self._events = events
        self._grant_of = grant_of
        self._told = told

    def do(self, intents: Sequence[w.Intent], gate: w.Gate, *, stored: bool) -> None:
        """Do what was asked for. gate is what is known by now, stored whether that is on disk."""
        for intent in intents:
            self._move_or_look(intent, gate, stored=stored)
            self._tell(intent)
        self._eyes.forget()

    def _move_or_look(self, intent: w.Intent, gate: w.Gate, *, stored: bool) -> None:
        match intent:
            case w.Move(command, why) if _is_wanted(command, gate, stored=stored):
                self._hands.move(command, why, self._told)
            case w.Halt():
                self._hands.halt()
            case w.CameraOn(booking):
                self._look_for(booking, gate)
            case w.CameraOff():
                self._eyes.look_no_more()

    def _tell(self, intent: w.Intent) -> None:
        match intent:
            case w.Notify(notice, _, kind):
                self._notices.tell(notice)
                if notice is w.Notice.FAULT and kind:
                    self._notices.fault(kind)
            case w.FaultEnded():
                self._notices.fault_ended()
            case w.AdmissionDecided(booking, decision, by, _):
                if decision is w.Decision.ADMIT:
                    self._notices.untell(w.Notice.REFUSED, w.Notice.UNSURE, w.Notice.STAYS_DOWN, w.Notice.ASK_RAISE)
                picture = self._eyes.decided(decision, by, self._grant_of(booking))
                self._happened(DECIDED[decision], by, booking, picture=picture)
            case w.StayLeft() | w.StayExtended():
                self._notices.untell(w.Notice.ENDS_SOON, w.Notice.OVERSTAY)
            case w.BayFree():
                self._notices.untell(w.Notice.BAY_TAKEN)

    def _look_for(self, booking: str, gate: w.Gate) -> None:
        if gate.armed_by not in (w.ArmedBy.POSITION, w.ArmedBy.HERE):
            self._watch.start("fact")
        if grant := self._grant_of(booking):
            self._eyes.look_for(grant)

    @callback
    def noticed(self, before: w.Gate, after: w.Gate) -> None:
        """See what the barrier itself did: take the time of an admission, and take back what is over."""
        if before.phase is w.Phase.LOWERING and after.position is w.Position.DOWN:
            self._lowered(before)
        if after.position is w.Position.UP and before.position is not w.Position.UP:
            self._notices.untell(w.Notice.STAYS_DOWN, w.Notice.ASK_RAISE)

    def _lowered(self, before: w.Gate) -> None:
        cause = before.command.cause if before.command else w.Cause.OWNER
        if cause is not w.Cause.SAFETY:
            self._watch.mark("confirmed")
            self.last_timings = self._watch.milliseconds()
            LOGGER.debug("%s: milliseconds of the last admission: %s", self._title, self.last_timings)
        self._happened(LOWERED, cause, before.booking)

    def _happened(self, kind: str, by: w.Cause, booking: str | None, *, picture: bool = False) -> None:
        grant = self._grant_of(booking)
        alias, milliseconds = grant.alias if grant else "", self._watch.milliseconds()
        event = PlateEvent(type=kind, by=by.value, alias=alias, picture=picture, milliseconds=milliseconds)
        self._events.happened(event)

    @callback
    def odd(self, kind: OddityKind, other: str) -> None:
        """Tell what is odd about a car; each oddity comes once a booking."""
        self._notices.odd(kind, other=other)
        self._events.happened(PlateEvent(type=kind.value, by=w.Cause.PLATE.value))


def _is_wanted(command: w.Command, gate: w.Gate, *, stored: bool) -> bool:
    """Tell whether a command is begun: storing took a moment, and what a car overtook in it is not."""
    return command == gate.command and (stored or command.target is w.Position.DOWN)
