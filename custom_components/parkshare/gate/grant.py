"""The right of one car to one space for one period, as the house keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A booking that this house has checked, opened and stored: enough to admit with the backend down.

    start and end are UTC epoch seconds, half-open. plate is the text as the renter gave it; comparing
    normalises. revision grows with each change of the booking. code_key is what the codes that the renter shows are
    made with (16 bytes in base64url); empty when their program gave none.
    """

    booking: str
    space: str
    start: float
    end: float
    plate: str
    revision: int = 1
    alias: str = ""
    code_key: str = ""

    def covers(self, now: float) -> bool:
        """Tell whether now lies in the booked period."""
        return self.start <= now < self.end

    def __repr__(self) -> str:
        """Leave the plate and the key out: a repr ends in logs."""
        return f"Grant(booking={self.booking!r}, start={self.start:.0f}, end={self.end:.0f}, revision={self.revision})"
