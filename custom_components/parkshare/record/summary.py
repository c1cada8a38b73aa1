"""What a record says of one booking, for a person: the period, the stay, and what happened, one line each.

Pure: standard library only; the words come in, in the language of whoever reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from .chain import Sealed
from .kinds import OF_THE_RECORD, Kind

type Words = Callable[..., str]

# What is not worth a line of its own; it is in the entries.
UNTOLD: Final = frozenset({Kind.TRANSITION})
# Which of a kind's figures are words that are translated.
WORDED: Final = ("decision", "by", "target", "cause", "was", "is", "rung", "notice", "answer", "fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One entry: when, what, and its figures."""

    at: str
    kind: str
    d: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One booking. Times are as in the entries (UTC, RFC 3339), None for what the record does not tell.

    stood_s is how long the car stood there, over_s how long after the end of the period (both s; over_s is at least 0).
    """

    booking: str
    start: str | None
    end: str | None
    arrived: str | None
    left: str | None
    stood_s: int | None
    over_s: int | None
    happened: tuple[Happened, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self) | {"happened": [asdict(each) for each in self.happened]}


def summary(entries: Sequence[Sealed], booking: str) -> Summary:
    """Gather what entries tell of a booking, and what the record itself went through meanwhile."""
    own = [entry for entry in entries if entry.kind and entry.booking == booking]
    first, last = (own[0].seq, own[-1].seq) if own else (1, 0)
    about = [entry for entry in entries if entry.kind and first <= entry.seq <= last and _concerns(entry, booking)]
    # The last one counts: a booking may have been extended.
    period = next((entry.d for entry in reversed(own) if "end" in entry.d), {})
    arrived, left = _first(own, Kind.ARRIVED), _last(own, Kind.LEFT)
    until = left or _last(own, Kind.OVERSTAYED)
    end = period.get("end")
    return Summary(
        booking=booking,
        start=period.get("start"),
        end=end,
        arrived=arrived,
        left=left,
        stood_s=_seconds(arrived, left),
        over_s=max(0, over) if until and (over := _seconds(end, until)) is not None else None,
        happened=tuple(Happened(at=entry.at, kind=entry.kind, d=dict(entry.d)) for entry in about),
    )


def rendered(told: Summary, words: Words) -> str:
    """Write a summary as text."""
    lines = [words("record_of", booking=told.booking)]
    if told.start and told.end:
        lines.append(words("record_period", start=_moment(told.start), end=_moment(told.end)))
    if told.arrived and told.left and told.stood_s is not None:
        stay = {"arrived": _moment(told.arrived), "left": _moment(told.left), "stood": _duration(told.stood_s)}
        lines.append(words("record_stood", **stay))
    if told.over_s:
        lines.append(words("record_over" if told.left else "record_over_so_far", over=_duration(told.over_s)))
    lines += ["", *(f"{_moment(each.at)}  {sentence(each, words)}" for each in told.happened)]
    return "\n".join(lines)


def sentence(happened: Happened, words: Words) -> str:
    """Say what one entry tells."""
    d = happened.d
    filled = {name: _word(d[name], words) for name in WORDED if d.get(name) is not None}
    said = words(f"record_{_text_of(happened)}", **d | filled | {"sensors": _sensors(d, words)})
    hand = d.get("hand")
    if happened.kind == Kind.BARRIER and hand:
        said += " " + words("record_hand", who=_word(hand["kind"], words))
    return said


def _word(value: object, words: Words) -> str:
    """Say one of the gate's words; a record may have some of a newer version."""
    try:
        return words(f"record_word_{value}")
    except KeyError:
        return str(value)


def _text_of(happened: Happened) -> str:
    """Name the text of an entry."""
    d = happened.d
    name = happened.kind.replace(".", "_")
    match happened.kind:
        case Kind.DECISION if "looks" in d:
            return "decision_by_plate" if d.get("score") is not None else "decision_by_looks"
        case Kind.CAMERA:
            return "camera_on" if d.get("on") else "camera_off"
        case Kind.CODE:
            return "code_right" if d.get("right") else "code_wrong"
    return name


def _concerns(entry: Sealed, booking: str) -> bool:
    if entry.kind in UNTOLD or (entry.kind == Kind.REPEATED and entry.d.get("of") in UNTOLD):
        return False
    return entry.booking in (booking, None) or entry.kind in OF_THE_RECORD


def _sensors(d: dict[str, Any], words: Words) -> str:
    """Say what the sensors said and when they looked."""
    told = [
        f"{sensor['source']}: {_word(sensor['says'], words)}"
        + (f" ({_moment(sensor['looked'])})" if sensor.get("looked") else "")
        for sensor in d.get("sensors", ())
    ]
    return "; ".join(told) or words("record_no_sensors")


def _first(entries: Sequence[Sealed], kind: Kind) -> str | None:
    return next((entry.at for entry in entries if entry.kind == kind), None)


def _last(entries: Sequence[Sealed], kind: Kind) -> str | None:
    return next((entry.at for entry in reversed(entries) if entry.kind == kind), None)


def _seconds(start: str | None, end: str | None) -> int | None:
    if start is None or end is None:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:19]} UTC"


def _duration(seconds: int) -> str:
    """Write hours:minutes:seconds."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
