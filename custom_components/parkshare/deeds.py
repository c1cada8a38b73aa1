"""What the gate asks for, done: the barrier moves, the camera looks, people are told, events happen."""

from collections.abc import Callable, Sequence

from homeassistant.core import callback

from .const import LOGGER
from .gate import words as w
from .gate.grant import Grant
from .hands import Hands
from .plate_events import DECIDED, HELP, LOWERED, TOLD, PlateEvent, PlateEvents
from .seeing.eyes import Eyes
from .stopwatch import Stopwatch
from .voice import Voice


class Deeds:
    """The hands, eyes and voice of one space. told is how the gate hears what came of a command."""

    def __init__(
        self,
        title: str,
        *,
        hands: Hands,
        eyes: Eyes,
        voice: Voice,
        watch: Stopwatch,
        events: PlateEvents,
        grant_of: Callable[[str | None], Grant | None],
        told: Callable[[w.Input], None],
    ) -> None:
        self.last_timings: dict[str, int] = {}
        self._title = title
        self._hands = hands
        self._eyes = eyes
        self._voice = voice
        self._watch = watch
        self._events = events
        self._grant_of = grant_of
        self._told = told

    def do(self, intents: Sequence[w.Intent], gate: w.Gate, *, stored: bool) -> None:
        """Do what was asked for. gate is what is known by now, stored whether that is on disk."""
        for intent in intents:
            self._move_or_look(intent, gate, stored=stored)
        # After all of them: what is wrong with a text must hold up no barrier.
        for intent in intents:
            self._voice.tell(intent)
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
            case w.AdmissionDecided(booking, decision, by, _):
                picture = self._eyes.decided(decision, by, self._grant_of(booking))
                self._happened(DECIDED[decision], by, booking, picture=picture)
            case w.Help(booking, rung, _):
                if rung is w.Rung.HARDER:
                    self._eyes.look_harder()
                self._events.happened(PlateEvent(type=HELP, alias=self._alias(booking), rung=rung.value))
            case w.StayEnding(booking) | w.Overstayed(booking) | w.BayTaken(booking) | w.BayFree(booking):
                self._events.happened(PlateEvent(type=TOLD[type(intent)], alias=self._alias(booking)))

    def _look_for(self, booking: str, gate: w.Gate) -> None:
        if gate.armed_by not in (w.ArmedBy.POSITION, w.ArmedBy.HERE):
            self._watch.start("fact")
        if grant := self._grant_of(booking):
            self._eyes.look_for(grant)

    @callback
    def noticed(self, before: w.Gate, after: w.Gate) -> None:
        """See what the barrier itself did: take the time of an admission, and take back what is over."""
        self._hands.keep_to(after.command)
        if before.phase is w.Phase.LOWERING and after.position is w.Position.DOWN:
            self._lowered(before)
        self._voice.noticed(before, after)

    def _lowered(self, before: w.Gate) -> None:
        cause = before.command.cause if before.command else w.Cause.OWNER
        if cause is not w.Cause.SAFETY:
            self._watch.mark("confirmed")
            self.last_timings = self._watch.milliseconds()
            LOGGER.debug("%s: milliseconds of the last admission: %s", self._title, self.last_timings)
        self._happened(LOWERED, cause, before.booking)

    def _happened(self, kind: str, by: w.Cause, booking: str | None, *, picture: bool = False) -> None:
        alias, milliseconds = self._alias(booking), self._watch.milliseconds()
        event = PlateEvent(type=kind, by=by.value, alias=alias, picture=picture, milliseconds=milliseconds)
        self._events.happened(event)

    def _alias(self, booking: str | None) -> str:
        grant = self._grant_of(booking)
        return grant.alias if grant else ""


def _is_wanted(command: w.Command, gate: w.Gate, *, stored: bool) -> bool:
    """Tell whether a command is begun: storing took a moment, and what a car overtook in it is not."""
    wanted = gate.command is not None and gate.command.number == command.number
    return wanted and (stored or command.target is w.Position.DOWN)
