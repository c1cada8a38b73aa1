"""What the people of a space hear of what its gate asks for: at the house, and on the phone."""

from collections.abc import Callable

from homeassistant.core import callback

from .asking import Asked, Asking
from .gate import words as w
from .gate.grant import Grant
from .notices import Notices

DONE_WITH_LET_IN = (w.Notice.REFUSED, w.Notice.UNSURE)
DONE_WITH_RAISING = (w.Notice.STAYS_DOWN, w.Notice.ASK_RAISE, w.Notice.SENSORS_DISAGREE)


class Voice:
    """Tells each thing once, and takes it back when it is no longer so."""

    def __init__(self, notices: Notices, asking: Asking, *, grant_of: Callable[[str | None], Grant | None]) -> None:
        self._notices = notices
        self._asking = asking
        self._grant_of = grant_of

    @callback
    def tell(self, intent: w.Intent) -> None:
        """Tell what follows from an intent for people."""
        match intent:
            case w.Notify(notice, _, kind):
                if notice is w.Notice.OVERSTAY:
                    self._over(w.Notice.ENDS_SOON)
                self._notices.tell(notice)
                self._asking.tell(notice)
                if notice is w.Notice.FAULT and kind:
                    self._notices.fault(kind)
            case w.Help(booking, w.Rung.OWNER, _):
                grant = self._grant_of(booking)
                self._asking.ask_let_in(booking, grant.alias if grant else "")
            case w.FaultEnded():
                self._notices.fault_ended()
                self._asking.over(w.Notice.FAULT, w.Notice.ADMITTED_BUT_FAULTY)
            case w.AdmissionDecided(_, w.Decision.ADMIT, _, _):
                self._over(*DONE_WITH_LET_IN, *DONE_WITH_RAISING)
            case w.CameraOff():
                self._asking.over(Asked.LET_IN)
            case w.StayLeft() | w.StayExtended():
                self._over(w.Notice.ENDS_SOON, w.Notice.OVERSTAY)
            case w.BayFree():
                self._over(w.Notice.BAY_TAKEN)

    @callback
    def noticed(self, before: w.Gate, after: w.Gate) -> None:
        """Take back what is answered by what happened: the barrier rose, or a car came into the bay."""
        rose = after.position is w.Position.UP and before.position is not w.Position.UP
        parked = after.phase is w.Phase.PARKED and before.phase is not w.Phase.PARKED
        if rose or parked:
            self._over(*DONE_WITH_RAISING, w.Notice.NOT_IN)

    def _over(self, *notices: w.Notice) -> None:
        self._notices.untell(*notices)
        self._asking.over(*notices)
