"""Whether the house agrees to a booking. Pure: the backend proposes, this decides, from what only the house knows."""

from collections.abc import Sequence
from enum import StrEnum

from .gate.grant import Grant
from .link.facts import Proposal
from .windows import Window, covers


class Refusal(StrEnum):
    """Why not; the words of the protocol."""

    OUTSIDE_WINDOWS = "outside-windows"
    NOT_SHARING = "not-sharing"
    CANNOT_OPEN_PLATE = "cannot-open-plate"
    UNKNOWN_SPACE = "unknown-space"
    OVERLAP = "overlap"


def objection(
    proposal: Proposal, *, sharing: bool, windows: Sequence[Window], grants: Sequence[Grant]
) -> Refusal | None:
    """What speaks against a booking, None if nothing does. grants are those of the space.

    A right once given is kept: a booking whose period stays within what was granted is not asked again for windows and
    sharing, since the owner may have changed both for the future only. An overlap always speaks against.
    """
    for grant in grants:
        if grant.booking != proposal.booking and grant.start < proposal.end and proposal.start < grant.end:
            return Refusal.OVERLAP
    mine = next((grant for grant in grants if grant.booking == proposal.booking), None)
    if mine is not None and mine.start <= proposal.start and proposal.end <= mine.end:
        return None
    if not sharing:
        return Refusal.NOT_SHARING
    if not covers(windows, start=proposal.start, end=proposal.end):
        return Refusal.OUTSIDE_WINDOWS
    return None
