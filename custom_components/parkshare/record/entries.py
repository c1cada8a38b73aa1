"""Which facts of a space are recorded. Pure: standard library only.

A sensor's report is no entry of its own: each entry says what the sensors said last and when they looked. What is
recorded of a reading are figures; a plate is there only as a commitment (commitment.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.link.facts import format_time

from .chain import Entry
from .kinds import Kind


class Hand(Protocol):
    """Who moved the barrier; user_id is a Home Assistant user."""

    @property
    def kind(self) -> str:
        """A word for it: parkshare, person, automation, device."""

    @property
    def user_id(self) -> str | None:
        """Whose account it was, if anybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a decision by the plate rests on; seen_at is when the deciding picture was taken (UTC epoch seconds).

    score is how much likelier the expected plate is than any other text (natural logarithm).
    """

    readers: tuple[str, ...]
    looks: int
    agreeing: int
    contrary: int
    score: float | None
    level: str
    seen_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the gate does not know of a moment. by is the Home Assistant user who answered."""

    hand: Hand | None = None
    by: str | None = None
    judgement: Judgement | None = None
    plate: str | None = None


NOTHING_BESIDE = Beside()


def entries_of(
    before: w.Gate,
    after: w.Gate,
    told: w.Input | None,
    intents: Sequence[w.Intent],
    now: float,
    beside: Beside = NOTHING_BESIDE,
) -> list[Entry]:
    """Return what is recorded of one step of the gate, in order; told is None where it followed by itself."""
    entries = [_of_told(before, told, now, beside), _of_transition(before, after, told, now)]
    if isinstance(told, w.ClockSet):
        # The times of what follows are of another clock than those before.
        entries.insert(0, _entry(now, Kind.CLOCK, before.booking, seconds=round(told.by)))
    entries += [_of_intent(after, before, intent, now, beside) for intent in intents]
    if after.fault and after.fault != before.fault:
        entries.append(_entry(now, Kind.FAULT, after.booking or before.booking, fault=after.fault.kind.value))
    return [entry for entry in entries if entry]


def code_entry(booking: str, now: float, *, right: bool, tries_left: int, way: str) -> Entry:
    """Return what is recorded of an on-site code that was tried; way is how it came. Never the code."""
    return _entry(now, Kind.CODE, booking, right=right, tries_left=tries_left, way=way)


def _of_told(before: w.Gate, told: w.Input | None, now: float, beside: Beside) -> Entry | None:
    match told:
        case w.OwnerLetsIn():
            return _entry(now, Kind.ANSWER, before.booking, answer="let_in", user=beside.by)
        case w.OwnerRefuses(booking):
            return _entry(now, Kind.ANSWER, booking, answer="refuse", user=beside.by)
        case w.OwnerRaises():
            return _entry(now, Kind.ANSWER, before.booking, answer="raise", user=beside.by)
        case w.BarrierSeen(position) if position is not before.position:
            return _entry(now, Kind.BARRIER, before.booking, **_move_of(before, position, beside.hand))
        case w.CommandFailed(number, kind) if before.command and before.command.number == number:
            return _entry(now, Kind.COMMAND_FAILED, before.command.booking, number=number, fault=kind.value)
    return None


def _move_of(before: w.Gate, position: w.Position, hand: Hand | None) -> dict[str, Any]:
    """Say how the barrier moved: at our bidding, or by whose hand as far as anybody can tell."""
    d: dict[str, Any] = {"was": before.position.value, "is": position.value, "stood": before.stood.value}
    if before.command and position in (before.command.target, w.Position.MOVING):
        d["command"] = before.command.number
    elif hand is not None:
        d["hand"] = {"kind": str(hand.kind), "user": hand.user_id}
    return d


def _of_transition(before: w.Gate, after: w.Gate, told: w.Input | None, now: float) -> Entry | None:
    booted = isinstance(told, w.Booted)
    if isinstance(told, w.ClockSet) and before.because == after.because:
        return None
    if not booted and (before.because, before.phase, before.since) == (after.because, after.phase, after.since):
        return None
    kind = Kind.BOOT if booted else Kind.TRANSITION
    d = {"name": after.because, "from": before.phase.value, "to": after.phase.value} | _seen(after)
    return _entry(now, kind, after.booking or before.booking, **d)


def _of_intent(after: w.Gate, before: w.Gate, intent: w.Intent, now: float, beside: Beside) -> Entry | None:
    match intent:
        case w.AdmissionDecided():
            return _of_decision(after, before, intent, now, beside)
        case w.Move(wish, _):
            d = {
                "target": wish.target.value,
                "cause": wish.cause.value,
                "until": format_time(round(wish.expires_at, 3)),
            }
            return _entry(now, Kind.COMMAND, wish.booking, number=wish.number, **d)
        case w.CameraOn() | w.CameraOff() | w.Help() | w.Notify() | w.FaultEnded():
            return _of_aid(after, before, intent, now)
    return _of_stay(after, before, intent, now)


def _of_decision(
    after: w.Gate, before: w.Gate, decided: w.AdmissionDecided, now: float, beside: Beside
) -> Entry | None:
    d: dict[str, Any] = {"decision": decided.decision.value, "by": decided.by.value}
    if decided.booking:
        d["plate"] = beside.plate
    if decided.by is w.Cause.PLATE:
        d |= _figures(beside.judgement)
    d |= _period(after, before, decided.booking, now) | _seen(after)
    return _entry(now, Kind.DECISION, decided.booking, **d)


def _of_aid(
    after: w.Gate,
    before: w.Gate,
    intent: w.CameraOn | w.CameraOff | w.Help | w.Notify | w.FaultEnded,
    now: float,
) -> Entry:
    """What is done around a decision: looking, helping, telling."""
    booking = after.booking or before.booking
    match intent:
        case w.CameraOn(booked):
            return _entry(now, Kind.CAMERA, booked, on=True, armed_by=after.armed_by.value if after.armed_by else None)
        case w.CameraOff():
            return _entry(now, Kind.CAMERA, booking, on=False)
        case w.Help(booked, rung, _):
            return _entry(now, Kind.HELP, booked, rung=rung.value)
        case w.Notify(notice, told_for, _):
            return _entry(now, Kind.TOLD, told_for or booking, notice=notice.value)
        case w.FaultEnded():
            return _entry(now, Kind.FAULT_ENDED, booking)


STAYS: dict[type, Kind] = {
    w.StayArrived: Kind.ARRIVED,
    w.StayLeft: Kind.LEFT,
    w.StayEnding: Kind.ENDING,
    w.Overstayed: Kind.OVERSTAYED,
    w.StayExtended: Kind.EXTENDED,
    w.BayTaken: Kind.TAKEN,
    w.BayFree: Kind.FREE,
}


def _of_stay(after: w.Gate, before: w.Gate, intent: w.Intent, now: float) -> Entry | None:
    match intent:
        case (
            w.StayArrived(booking, _)
            | w.StayLeft(booking, _)
            | w.StayEnding(booking, _)
            | w.Overstayed(booking, _)
            | w.StayExtended(booking, _)
            | w.BayTaken(booking, _)
            | w.BayFree(booking, _)
        ):
            return _entry(now, STAYS[type(intent)], booking, **_period(after, before, booking, now), **_seen(after))
    return None


def _seen(gate: w.Gate) -> dict[str, Any]:
    """What the sensors said last and when they looked, and where the barrier is."""
    sensors = [
        {"source": said.source, "says": said.says.value, "looked": format_time(round(said.seen_at, 3))}
        if said.seen_at
        else {"source": said.source, "says": said.says.value, "looked": None}
        for said in gate.sources
    ]
    return {"sensors": sensors, "barrier": gate.position.value}


def _period(after: w.Gate, before: w.Gate, booking: str | None, now: float) -> dict[str, Any]:
    """The booked period, and how long it is over (s; below 0: so long before its end)."""
    rights = (after.right, before.right, *after.rights, *before.rights)
    right = next((right for right in rights if right and right.booking == booking), None)
    if right is None:
        return {}
    return {"start": format_time(right.start), "end": format_time(right.end), "over_s": round(now - right.end)}


def _figures(judgement: Judgement | None) -> dict[str, Any]:
    if judgement is None:
        return {}
    return {
        "readers": list(judgement.readers),
        "looks": judgement.looks,
        "agreeing": judgement.agreeing,
        "contrary": judgement.contrary,
        "score": None if judgement.score is None else f"{judgement.score:.2f}",
        "level": judgement.level,
        "seen_at": format_time(round(judgement.seen_at, 3)),
    }


def _entry(now: float, kind: Kind, booking: str | None, **d: Any) -> Entry:
    return Entry(now, kind.value, booking, d)
