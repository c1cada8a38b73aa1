"""The renter in the rain: how far the house has gone to let them in, as their phone shows it.

Pure: standard library only. What the house tells may come late, twice or in the wrong order: what is older than what is
known changes nothing. Nothing of this is kept once the booking no longer waits for its car.
"""

from dataclasses import dataclass, replace

STALE_S = 15 * 60  # an older word is about a renter who has given up or got in since


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """What is done for a renter who stands at the space and does not get in.

    rung: None, or "harder" (the camera tries harder), "owner" (the owner is asked), "code" (a code from the site helps)
    or "call" (phone, if the owner gave one). code: None, or "wrong" or "right" for the last code that was given. The
    times are those of the house, in UTC epoch seconds.
    """

    rung: str | None = None
    phone: str | None = None
    code: str | None = None
    tries_left: int | None = None
    rung_at: float = 0.0
    code_at: float = 0.0


def offered(known: Help, *, rung: str, phone: str | None, at: float, now: float) -> Help:
    """Take a rung of the ladder; a lower one that is newer is that of another approach."""
    if at <= known.rung_at or now - at > STALE_S:
        return known
    return replace(known, rung=rung, phone=phone if rung == "call" else None, rung_at=at)


def code_given(known: Help) -> Help:
    """Wait for what the house says to a code."""
    return replace(known, code=None)


def code_checked(known: Help, *, right: bool, tries_left: int, at: float, now: float) -> Help:
    """Take what the house said to a code."""
    if at <= known.code_at or now - at > STALE_S:
        return known
    return replace(known, code="right" if right else "wrong", tries_left=tries_left, code_at=at)
