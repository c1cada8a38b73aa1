"""What a space has on disk: its gate, where its owner was, and what it has still to report.

Reports are stored together with the change that they tell of, and stay until the hub has taken them: a crash in
between repeats a report at worst, and never loses one.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from homeassistant.core import HomeAssistant

from .const import LOGGER
from .durable import DurableStore, NotStoredError
from .gate import words as w
from .gate.codec import MINOR, VERSION, from_document, to_document, upgrade
from .link.facts import format_time
from .owner import OwnerWatch

type Report = tuple[str, dict[str, Any]]

# Facts about a stay: each is a booking and a time.
TOLD: Final[dict[type, str]] = {
    w.StayArrived: "stay.arrived",
    w.StayLeft: "stay.left",
    w.StayEnding: "stay.ending",
    w.Overstayed: "stay.overstayed",
    w.StayExtended: "stay.extended",
    w.BayTaken: "bay.taken",
    w.BayFree: "bay.free",
}
WITH_HEAD: Final = frozenset({"stay.left", "stay.overstayed", "bay.taken"})


def store_of(hass: HomeAssistant, space_id: str) -> DurableStore:
    """Where the gate of a space is kept."""

    def upgraded(minor: int, document: dict[str, Any]) -> dict[str, Any]:
        return document | {"gate": upgrade(minor, document["gate"])}

    return DurableStore(hass, VERSION, f"gate.{space_id}", minor=MINOR, upgrade=upgraded)


def report_of(intent: w.Intent, *, head: str = "", phone: str = "") -> Report | None:
    """What the backend is told of an intent, if anything.

    head is that of the space's record: who keeps it can see later whether the record was cut. phone is whom to call.
    """
    match intent:
        case w.AdmissionDecided(str() as booking, decision, by, at):
            d = {"booking": booking, "decision": decision.value, "by": by.value, "at": format_time(at)}
            return "admission.decided", d
        case w.Help(booking, rung, at):
            call = {"phone": phone} if phone and rung is w.Rung.CALL else {}
            return "help.offered", {"booking": booking, "rung": rung.value, "at": format_time(at)} | call
        case (
            w.StayArrived(booking, at)
            | w.StayLeft(booking, at)
            | w.StayEnding(booking, at)
            | w.Overstayed(booking, at)
            | w.StayExtended(booking, at)
            | w.BayTaken(booking, at)
            | w.BayFree(booking, at)
        ):
            t = TOLD[type(intent)]
            record = {"record": head} if head and t in WITH_HEAD else {}
            return t, {"booking": booking, "at": format_time(at)} | record
    return None


class Ledger:
    """The document of one space."""

    def __init__(self, hass: HomeAssistant, space_id: str, title: str, owner: OwnerWatch) -> None:
        self._store = store_of(hass, space_id)
        self._space_id = space_id
        self._title = title
        self._owner = owner
        self._stored: dict[str, Any] | None = None
        self._unsent: list[Report] = []
        self._told_state: dict[str, Any] = {}

    async def async_load(self) -> w.Gate:
        """Read the gate as it was; a new one where there is none."""
        document = await self._store.async_load()
        if document is None:
            return w.Gate()
        try:
            gate, unsent = from_document(document["gate"]), [(t, d) for t, d in document["unsent"]]
            self._owner.load(document["owner"])
        except KeyError, TypeError, ValueError:
            # Better a gate that knows its grants only than a space that can't be loaded: nothing moves by itself.
            LOGGER.exception("What was stored of %s cannot be read; it starts anew", self._title)
            return w.Gate()
        self._unsent, self._stored = unsent, document
        return gate

    def report(self, t: str, d: dict[str, Any]) -> None:
        """Note something that the backend is to be told."""
        self._unsent.append((t, d))

    def report_state(self, gate: w.Gate, *, sharing: bool) -> None:
        """Note how the space is when that changed; while it moves there is nothing worth telling."""
        fault = gate.fault.kind.value if gate.fault else None
        state = {"space": self._space_id, "barrier": gate.position.value, "sharing": sharing, "fault": fault}
        if state != self._told_state and gate.position is not w.Position.MOVING:
            self._told_state = state
            self.report("space.state", state)

    def is_behind(self, gate: w.Gate) -> bool:
        """Tell whether there is something to store or to hand over."""
        return bool(self._unsent) or self._document(gate) != self._stored

    async def async_save(self, gate: w.Gate) -> bool:
        """Store what is known; returns whether it is on disk."""
        document = self._document(gate)
        if document == self._stored:
            return True
        try:
            await self._store.async_save(document)
        except NotStoredError:
            LOGGER.exception("What happens at %s cannot be stored; the barrier will not rise", self._title)
            return False
        self._stored = document
        return True

    async def async_hand_over(self, take: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        """Hand everything over, in order; what was taken is no longer kept."""
        while self._unsent:
            await take(*self._unsent[0])
            self._unsent.pop(0)

    def _document(self, gate: w.Gate) -> dict[str, Any]:
        unsent = [[t, d] for t, d in self._unsent]
        return {"gate": to_document(gate), "unsent": unsent, "owner": self._owner.document()}
