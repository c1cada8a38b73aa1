"""The life of a booking: which state follows from which cause, and who may cause it.

Pure: standard library only. The words are those of OCPI 2.3. TRANSITIONS is the whole truth about states and WHO about
people; a cause that is not in them raises TransitionRefused. docs/bookings.md is written from both.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """Where a booking stands."""

    PENDING = "pending"  # the owner or the house has not answered yet
    RESERVED = "reserved"  # the house has stored the grant
    ACTIVE = "active"  # the car stands there
    FULFILLED = "fulfilled"  # the car has left
    REJECTED = "rejected"  # the owner or the house said no, or never answered
    CANCELED = "canceled"  # the renter gave it back, or the owner took it back
    NO_SHOW = "no_show"  # the car did not come in time


class Cause(StrEnum):
    """What can happen to a booking."""

    APPROVED = "approved"  # the owner agrees, so the house is asked
    DECLINED = "declined"  # the owner does not agree
    LAPSED = "lapsed"  # the owner has not answered in time
    GRANT_STORED = "grant-stored"
    GRANT_REFUSED = "grant-refused"
    CANCELED = "canceled"  # the renter gives it back before the car came
    TAKEN_BACK = "taken-back"  # the owner takes the space back before the car came
    EXTENDED = "extended"  # the house has agreed to a later end
    CHANGED = "changed"  # the house has agreed to another period
    SHORTENED = "shortened"  # the renter has given back a part of the period
    ARRIVED = "arrived"
    LEFT = "left"
    NO_SHOW = "no-show"  # the car has not come in the time that the terms give it
    ENDED = "ended"  # the booked period is over
    OVERSTAYED = "overstayed"  # the house sees the car after the end and its grace
    UNHEARD = "unheard"  # long after the end the house has still not told that the car left


class By(StrEnum):
    """Who did something to a booking."""

    RENTER = "renter"
    OWNER = "owner"
    HOUSE = "house"  # what the house decided or saw
    SERVER = "server"  # time passed, or an account was closed


# Who may cause what; the first is who does when nobody is named.
WHO: dict[Cause, tuple[By, ...]] = {
    Cause.APPROVED: (By.OWNER,),
    Cause.DECLINED: (By.OWNER,),
    Cause.LAPSED: (By.SERVER,),
    Cause.GRANT_STORED: (By.HOUSE,),
    Cause.GRANT_REFUSED: (By.HOUSE,),
    Cause.CANCELED: (By.RENTER, By.SERVER),
    Cause.TAKEN_BACK: (By.OWNER, By.SERVER),
    Cause.EXTENDED: (By.HOUSE,),
    Cause.CHANGED: (By.HOUSE,),
    Cause.SHORTENED: (By.RENTER,),
    Cause.ARRIVED: (By.HOUSE,),
    Cause.LEFT: (By.HOUSE,),
    Cause.NO_SHOW: (By.SERVER,),
    Cause.ENDED: (By.SERVER,),
    Cause.OVERSTAYED: (By.HOUSE,),
    Cause.UNHEARD: (By.SERVER,),
}

HOLDING = frozenset({State.PENDING, State.RESERVED, State.ACTIVE})  # the states that hold the space
WAITING = frozenset({State.PENDING, State.RESERVED})  # those in which the car is still to come

# What the house tells comes at least once and may come late: it was offline, or the backend was. So a repeated
# fact changes nothing, and a fact about the stay outweighs what we concluded from silence.
TRANSITIONS: dict[tuple[State, Cause], State] = {
    (State.PENDING, Cause.APPROVED): State.PENDING,
    (State.PENDING, Cause.DECLINED): State.REJECTED,  # only while it waits for the owner
    (State.PENDING, Cause.LAPSED): State.REJECTED,  # only while it waits for the owner
    (State.PENDING, Cause.GRANT_STORED): State.RESERVED,
    (State.PENDING, Cause.GRANT_REFUSED): State.REJECTED,
    (State.PENDING, Cause.CANCELED): State.CANCELED,
    (State.PENDING, Cause.TAKEN_BACK): State.CANCELED,
    (State.PENDING, Cause.ARRIVED): State.ACTIVE,
    (State.PENDING, Cause.ENDED): State.REJECTED,
    (State.PENDING, Cause.OVERSTAYED): State.ACTIVE,
    (State.RESERVED, Cause.APPROVED): State.RESERVED,
    (State.RESERVED, Cause.GRANT_STORED): State.RESERVED,
    # a house that lost its store is told of the booking again and may have to say no
    (State.RESERVED, Cause.GRANT_REFUSED): State.REJECTED,
    (State.RESERVED, Cause.CANCELED): State.CANCELED,
    (State.RESERVED, Cause.TAKEN_BACK): State.CANCELED,
    (State.RESERVED, Cause.EXTENDED): State.RESERVED,
    (State.RESERVED, Cause.CHANGED): State.RESERVED,
    (State.RESERVED, Cause.SHORTENED): State.RESERVED,
    (State.RESERVED, Cause.ARRIVED): State.ACTIVE,
    (State.RESERVED, Cause.LEFT): State.FULFILLED,
    (State.RESERVED, Cause.NO_SHOW): State.NO_SHOW,
    (State.RESERVED, Cause.ENDED): State.NO_SHOW,
    (State.RESERVED, Cause.OVERSTAYED): State.ACTIVE,
    (State.ACTIVE, Cause.APPROVED): State.ACTIVE,
    (State.ACTIVE, Cause.GRANT_STORED): State.ACTIVE,
    (State.ACTIVE, Cause.EXTENDED): State.ACTIVE,  # an overstay ends
    (State.ACTIVE, Cause.CHANGED): State.ACTIVE,
    (State.ACTIVE, Cause.SHORTENED): State.ACTIVE,
    (State.ACTIVE, Cause.ARRIVED): State.ACTIVE,
    (State.ACTIVE, Cause.LEFT): State.FULFILLED,
    (State.ACTIVE, Cause.ENDED): State.ACTIVE,  # with overstay
    (State.ACTIVE, Cause.OVERSTAYED): State.ACTIVE,
    (State.ACTIVE, Cause.UNHEARD): State.FULFILLED,  # a house that is gone must not keep the owner's money for ever
    (State.FULFILLED, Cause.ARRIVED): State.FULFILLED,
    (State.FULFILLED, Cause.LEFT): State.FULFILLED,
    (State.FULFILLED, Cause.ENDED): State.FULFILLED,
    (State.FULFILLED, Cause.OVERSTAYED): State.FULFILLED,  # it has left since
    (State.FULFILLED, Cause.UNHEARD): State.FULFILLED,
    (State.REJECTED, Cause.DECLINED): State.REJECTED,
    (State.REJECTED, Cause.GRANT_REFUSED): State.REJECTED,
    # silence made it rejected at its end; now the house can tell that it had the grant and let the car in
    (State.REJECTED, Cause.ARRIVED): State.ACTIVE,
    (State.REJECTED, Cause.LEFT): State.FULFILLED,
    (State.REJECTED, Cause.ENDED): State.REJECTED,
    (State.REJECTED, Cause.OVERSTAYED): State.ACTIVE,
    (State.CANCELED, Cause.CANCELED): State.CANCELED,
    (State.CANCELED, Cause.TAKEN_BACK): State.CANCELED,
    (State.CANCELED, Cause.ENDED): State.CANCELED,
    # it came after all, while the house still kept its grant
    (State.NO_SHOW, Cause.ARRIVED): State.ACTIVE,
    (State.NO_SHOW, Cause.LEFT): State.FULFILLED,
    (State.NO_SHOW, Cause.NO_SHOW): State.NO_SHOW,
    (State.NO_SHOW, Cause.ENDED): State.NO_SHOW,
    (State.NO_SHOW, Cause.OVERSTAYED): State.ACTIVE,
}
# A house knows nothing of a booking that waits for its owner, so nothing that a house tells can be about it.
WITH_THE_OWNER = frozenset(
    {Cause.APPROVED, Cause.DECLINED, Cause.LAPSED, Cause.CANCELED, Cause.TAKEN_BACK, Cause.ENDED}
)
OWNERS_ANSWER = frozenset({Cause.DECLINED, Cause.LAPSED})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the lifecycle knows of one booking.

    overstay: the car stood there after the end of the period. waits_for_owner: pending, and the house does not know of
    it before its owner has agreed.
    """

    state: State = State.PENDING
    overstay: bool = False
    waits_for_owner: bool = False

    @property
    def holds_space(self) -> bool:
        """Tell whether nobody else may have the space in the booked period."""
        return self.state in HOLDING


class TransitionRefused(Exception):  # noqa: N818 - the design's word
    """This cause can't happen to a booking in this state, or not through whoever caused it."""

    def __init__(self, state: State, cause: Cause) -> None:
        self.state = state
        self.cause = cause
        super().__init__(f"A booking that is {state} can't become {cause}.")


def advance(standing: Standing, cause: Cause, *, at: float, end: float, by: By | None = None) -> Standing:
    """Give what follows from a cause that happened at `at`, for a booking whose period ends at `end` (UTC seconds).

    Raises:
        TransitionRefused: the cause can't happen in this state, or nobody of that kind can cause it.

    """
    state = TRANSITIONS.get((standing.state, cause))
    if state is None or (by or WHO[cause][0]) not in WHO[cause] or not _fits(standing, cause):
        raise TransitionRefused(standing.state, cause)
    return replace(
        standing,
        state=state,
        overstay=_overstay(standing, cause, state, at=at, end=end),
        waits_for_owner=standing.waits_for_owner and cause is not Cause.APPROVED and state is State.PENDING,
    )


def _fits(standing: Standing, cause: Cause) -> bool:
    """Tell whether a cause fits to who is asked at the moment: the owner, or the house."""
    if standing.waits_for_owner:
        return cause in WITH_THE_OWNER
    return standing.state is not State.PENDING or cause not in OWNERS_ANSWER


def _overstay(standing: Standing, cause: Cause, state: State, *, at: float, end: float) -> bool:
    if state is State.ACTIVE and cause in (Cause.ENDED, Cause.OVERSTAYED):
        return standing.overstay or at >= end
    if state is State.ACTIVE and cause is Cause.EXTENDED:
        return standing.overstay and at >= end
    if cause is Cause.LEFT and standing.state is not State.FULFILLED:
        # when the car left is a fact; that it was still there at the end was a conclusion from silence
        return at > end
    return standing.overstay
