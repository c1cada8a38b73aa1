"""The life of a booking: which state follows from which cause.

Pure: standard library only. The words are those of OCPI 2.3. TRANSITIONS is the whole truth; a cause that
is not in it for a state raises TransitionRefused.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """Where a booking stands."""

    PENDING = "pending"  # the house has not answered yet
    RESERVED = "reserved"  # the house has stored the grant
    ACTIVE = "active"  # the car stands there
    FULFILLED = "fulfilled"  # the car has left
    REJECTED = "rejected"  # the house said no, or never answered
    CANCELED = "canceled"  # the renter gave it back
    NO_SHOW = "no_show"  # the period ended without the car


class Cause(StrEnum):
    """What can happen to a booking."""

    GRANT_STORED = "grant-stored"
    GRANT_REFUSED = "grant-refused"
    CANCELED = "canceled"  # by the renter
    ARRIVED = "arrived"
    LEFT = "left"
    ENDED = "ended"  # the booked period is over
    OVERSTAYED = "overstayed"  # the house sees the car after the end and its grace


HOLDING = frozenset({State.PENDING, State.RESERVED, State.ACTIVE})  # the states that hold the space
WAITING = frozenset({State.PENDING, State.RESERVED})  # those in which the car is still to come

# What the house tells comes at least once and may come late: it was offline, or the backend was. So a repeated
# fact changes nothing, and a fact about the stay outweighs what we concluded from silence.
TRANSITIONS: dict[tuple[State, Cause], State] = {
    (State.PENDING, Cause.GRANT_STORED): State.RESERVED,
    (State.PENDING, Cause.GRANT_REFUSED): State.REJECTED,
    (State.PENDING, Cause.CANCELED): State.CANCELED,
    (State.PENDING, Cause.ARRIVED): State.ACTIVE,
    (State.PENDING, Cause.ENDED): State.REJECTED,
    (State.PENDING, Cause.OVERSTAYED): State.ACTIVE,
    (State.RESERVED, Cause.GRANT_STORED): State.RESERVED,
    # a house that lost its store is told of the booking again and may have to say no
    (State.RESERVED, Cause.GRANT_REFUSED): State.REJECTED,
    (State.RESERVED, Cause.CANCELED): State.CANCELED,
    (State.RESERVED, Cause.ARRIVED): State.ACTIVE,
    (State.RESERVED, Cause.LEFT): State.FULFILLED,
    (State.RESERVED, Cause.ENDED): State.NO_SHOW,
    (State.RESERVED, Cause.OVERSTAYED): State.ACTIVE,
    (State.ACTIVE, Cause.GRANT_STORED): State.ACTIVE,
    (State.ACTIVE, Cause.ARRIVED): State.ACTIVE,
    (State.ACTIVE, Cause.LEFT): State.FULFILLED,
    (State.ACTIVE, Cause.ENDED): State.ACTIVE,  # with overstay
    (State.ACTIVE, Cause.OVERSTAYED): State.ACTIVE,
    (State.FULFILLED, Cause.ARRIVED): State.FULFILLED,
    (State.FULFILLED, Cause.LEFT): State.FULFILLED,
    (State.FULFILLED, Cause.ENDED): State.FULFILLED,
    (State.FULFILLED, Cause.OVERSTAYED): State.FULFILLED,  # it has left since
    (State.REJECTED, Cause.GRANT_REFUSED): State.REJECTED,
    # silence made it rejected at its end; now the house can tell that it had the grant and let the car in
    (State.REJECTED, Cause.ARRIVED): State.ACTIVE,
    (State.REJECTED, Cause.LEFT): State.FULFILLED,
    (State.REJECTED, Cause.ENDED): State.REJECTED,
    (State.REJECTED, Cause.OVERSTAYED): State.ACTIVE,
    (State.CANCELED, Cause.CANCELED): State.CANCELED,
    (State.CANCELED, Cause.ENDED): State.CANCELED,
    (State.NO_SHOW, Cause.ARRIVED): State.ACTIVE,
    (State.NO_SHOW, Cause.LEFT): State.FULFILLED,
    (State.NO_SHOW, Cause.ENDED): State.NO_SHOW,
    (State.NO_SHOW, Cause.OVERSTAYED): State.ACTIVE,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the lifecycle knows of one booking. overstay: the car stood there after the end of the period."""

    state: State = State.PENDING
    overstay: bool = False

    @property
    def holds_space(self) -> bool:
        """Tell whether nobody else may have the space in the booked period."""
        return self.state in HOLDING


class TransitionRefused(Exception):  # noqa: N818 - the design's word
    """This cause can't happen to a booking in this state."""

    def __init__(self, state: State, cause: Cause) -> None:
        self.state = state
        self.cause = cause
        super().__init__(f"A booking that is {state} can't become {cause}.")


def advance(standing: Standing, cause: Cause, *, at: float, end: float) -> Standing:
    """Give what follows from a cause that happened at `at`, for a booking whose period ends at `end` (UTC seconds).

    Raises:
        TransitionRefused: the cause can't happen in this state.

    """
    state = TRANSITIONS.get((standing.state, cause))
    if state is None:
        raise TransitionRefused(standing.state, cause)
    overstay = standing.overstay
    if state is State.ACTIVE and cause in (Cause.ENDED, Cause.OVERSTAYED):
        overstay = overstay or at >= end
    elif cause is Cause.LEFT and standing.state is not State.FULFILLED:
        # when the car left is a fact; that it was still there at the end was a conclusion from silence
        overstay = at > end
    return replace(standing, state=state, overstay=overstay)
