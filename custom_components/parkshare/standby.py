"""A standby space: where the owner may park while a renter stands on their own."""

from dataclasses import dataclass
from enum import StrEnum


class StandbyState(StrEnum):
    """Where a standby stands. The first is waiting for the owner, accepted for the other house, booked is theirs."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    BOOKED = "booked"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELED = "canceled"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """What the owner of home_space was offered. Times are UTC epoch seconds, lengths metres, walks seconds.

    In the state none nothing was found: id and the place are empty. own_booking and sealed_plate are what the house
    answered with, kept so that an answer that is sent twice is the same answer.
    """

    id: str
    home_space: str
    state: StandbyState
    address: str = ""
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    start: float | None = None
    end: float | None = None
    distance_m: float | None = None
    walk_s: float | None = None
    expires_at: float | None = None
    space: str = ""
    seal_key: str = ""
    own_booking: str = ""
    sealed_plate: str = ""
